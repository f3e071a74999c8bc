"""The spider that a command was given: found by its path, made with its -a, with its settings.

What belongs here: what every command does that takes PATH, -a and --set and is no run. What does not: files and classes
(crawl/loading.py), asking for a page (visiting.py), a run's own options (execution.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crawlkit.cli.secrecy import learn_arguments
from crawlkit.crawl.loading import SpiderSource, find_spider, make_spider, parse_arguments, settings_of
from crawlkit.crawl.settings import Settings, parse_override
from crawlkit.crawl.spider import Spider
from crawlkit.exceptions import SpiderError


@dataclass(frozen=True, slots=True)
class Chosen:
    """A spider with its source, what -a gave it and its settings."""

    source: SpiderSource
    spider: Spider
    arguments: Mapping[str, str]
    settings: Settings

    def callback(self, name: str) -> Callable[..., Any]:
        """The method that --callback names. SpiderError when there is none."""
        method: Callable[..., Any] | None = getattr(self.spider, name, None)
        if not callable(method):
            raise SpiderError(
                f"--callback {name}: {type(self.spider).__name__} in {self.source.path} has no such method"
            )
        return method


def choose(path: str, arguments: Sequence[str], assignments: Sequence[str]) -> Chosen:
    """The spider of PATH, with `-a` and `--set` as they were typed. UsageError (SpiderError, ConfigError)."""
    given = parse_arguments(arguments)
    learn_arguments(given)
    source = find_spider(path)
    spider = make_spider(source, given)
    return Chosen(source, spider, given, settings_of(source, spider, [parse_override(text) for text in assignments]))

"""Whole crawls in a test: a spider run to its end in a folder of its own, on the network or from a cassette.

What belongs here: putting the run together for a test. What does not: running it (crawlkit.crawl), cassettes (cassette.py).
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawlkit.crawl.engine import Engine
from crawlkit.crawl.loading import SpiderSource, find_spider, make_spider, settings_of
from crawlkit.crawl.settings import Override, Settings, parse_override
from crawlkit.crawl.spider import Spider
from crawlkit.store.database import Store
from crawlkit.store.export import export

if TYPE_CHECKING:
    from crawlkit.crawl.result import Result
    from crawlkit.sessions.session import Session
    from crawlkit.testing.cassette import Cassette


@dataclass(frozen=True, slots=True)
class Crawled:
    """How a crawl ended, and its items: table → rows as they were yielded, in the order in which they were stored.

    Bytes are base64 in a row.
    """

    result: Result
    items: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)


def crawl(
    spider: str | Path | type[Spider],
    *,
    cassette: Cassette | None = None,
    arguments: Mapping[str, str] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Crawled:
    """Run a spider once, anew, and return its items. Nothing is left on the disk but the cassette.

    `spider`: its class, or a file as `crawlkit run` takes it. `arguments` are those of `-a`, `settings` those of `--set`
    ({"crawl.workers": 4}); crawl.toml counts as it does for `crawlkit run`. With a `cassette` every exchange goes over it,
    robots.txt and the login too; when it only plays, the run waits for nobody, and a credential that is not set is no
    error. Raises what keeps a run from beginning: SpiderError, ConfigError, CassetteError.
    """
    source = _source(spider)
    made = make_spider(source, arguments)
    playing = cassette is not None and cassette.plays_only
    if cassette is not None:
        cassette.open(made.name)
    sessions: list[Session] = []

    def equip(session: Session) -> None:
        sessions.append(session)
        if cassette is not None:
            cassette.attach(session)

    with tempfile.TemporaryDirectory(prefix="crawlkit-") as folder:
        database = Path(folder) / f"{made.name}.db"
        engine = Engine(
            made,
            _settings(source, made, settings or {}, playing=playing),
            db=database,
            source=f"{source.path}::{type(made).__name__}",
            vault=Path(folder) / "sessions.db",
            arguments=arguments,
            prompt=_anything if playing else None,
            equip=equip,
        )
        try:
            result = engine.run()
        except KeyboardInterrupt:
            engine.stop("interrupted", "Ctrl-C")
            raise
        finally:
            if cassette is not None:
                cassette.save()
            for session in sessions:
                session.forget_changes()  # its vault goes with the folder
        return Crawled(result, _items(database, Path(folder)))


def _source(spider: str | Path | type[Spider]) -> SpiderSource:
    if not isinstance(spider, type):
        return find_spider(os.fspath(spider))
    import sys

    file = getattr(sys.modules.get(spider.__module__), "__file__", None)
    return SpiderSource(spider, Path(file) if file else Path.cwd() / "spider.py")


def _settings(source: SpiderSource, spider: Spider, given: Mapping[str, Any], *, playing: bool) -> Settings:
    overrides: Iterable[Override] = [Override(key, value, f"settings {key}") for key, value in given.items()]
    if playing:  # there is no server to be kind to, and nobody to log in to
        at_once = (
            "crawl.delay=0",
            "crawl.per_host=64",
            "crawl.adaptive=false",
            "fetch.retries=0",
            "login.env_file=none",
        )
        overrides = [*map(parse_override, at_once), *overrides]
    return settings_of(source, spider, overrides)


def _anything(question: str, hidden: bool) -> str:
    """Stands for a credential: what a cassette has in its place fits whatever was sent."""
    return "000000" if "code" in question else "[redacted]"


def _items(database: Path, folder: Path) -> dict[str, list[dict[str, Any]]]:
    with Store.open_readonly(database) as reports:
        tables = list(reports.tables())
    found = {}
    for number, table in enumerate(tables):
        [file] = export(database, folder / f"{number}.jsonl", format="jsonl", table=table)
        found[table] = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return found

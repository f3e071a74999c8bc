"""The alarm: `[run] on_failure`, a command that gets the JSON line of a run that did not end well.

What belongs here: when it rings, and which command it is. What does not: starting that (handover.py), the line
(json_line.py), what an exit code means (exit_codes.py).

It rings for every exit code but 0 and 130: whoever pressed Ctrl-C knows. The command is split as a shell splits it and
started without one: what a page brought into the line must not meet a shell. What becomes of the command is logged and
changes nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from crawlkit.cli import exit_codes
from crawlkit.cli.handover import NotTaken, hand_over, words_of
from crawlkit.cli.json_line import line_text
from crawlkit.cli.logs import log
from crawlkit.crawl.settings import Override, resolve_settings
from crawlkit.crawl.settings_file import ConfigFile, find_config
from crawlkit.crawl.spider import Spider
from crawlkit.exceptions import ConfigError

#: Seconds that the command may take.
TIMEOUT_SECONDS = 60.0


def is_due(exit_code: int) -> bool:
    """Whether a run with this exit code rings."""
    return exit_code not in (exit_codes.COMPLETE, exit_codes.INTERRUPTED)


def ring(command: str | None, folder: Path, line: Mapping[str, Any]) -> None:
    """Give `line` to `command`, started in `folder`, when there is one and its exit code is due. Never raises."""
    if command is None or not is_due(line["exit_code"]):
        return
    try:
        words = words_of(command)
        hand_over(words, line_text(line) + "\n", folder=folder, seconds=TIMEOUT_SECONDS)
    except (NotTaken, ValueError) as error:
        log.warning("on_failure: %s; the run's outcome stays", error)
    except KeyboardInterrupt:
        log.warning("on_failure: %s was cut off; the run's outcome stays", words[0])
    else:
        log.info("on_failure: %s was told", words[0])


def ring_for(file: Path, spider: type[Spider] | None, overrides: Sequence[Override], line: Mapping[str, Any]) -> None:
    """`ring` for a run that never came to its settings, of a spider in `file`. Never raises."""
    if not is_due(line["exit_code"]):
        return
    try:
        config = find_config(file.resolve().parent)
    except ConfigError:  # it is what went wrong, and has been told
        return
    ring(_command(config, spider, overrides), config.folder, line)


def _command(config: ConfigFile, spider: type[Spider] | None, overrides: Sequence[Override]) -> str | None:
    """The command as far as it can be known: what is wrong may be in the settings themselves."""
    name = spider.name if spider is not None else None
    custom = spider.custom_settings if spider is not None else None
    with contextlib.suppress(ConfigError):
        return resolve_settings(config, spider=name, custom=custom, overrides=overrides).run.on_failure
    with contextlib.suppress(ConfigError):
        return resolve_settings(config, spider=name).run.on_failure
    section = config.tables.get("run")
    command = section.get("on_failure") if isinstance(section, Mapping) else None
    return command if isinstance(command, str) and command.strip().lower() not in ("", "none") else None

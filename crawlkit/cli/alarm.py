"""The alarm: `[run] on_failure`, a command that gets the JSON line of a run that did not end well.

What belongs here: when it rings, which command it is, starting that and giving it a minute. What does not: the line
(json_line.py), what an exit code means (exit_codes.py).

It rings for every exit code but 0 and 130: whoever pressed Ctrl-C knows. The command is split as a shell splits it and
started without one: what a page brought into the line must not meet a shell. What becomes of the command is logged and
changes nothing.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from crawlkit.cli import exit_codes
from crawlkit.cli.json_line import line_text
from crawlkit.cli.logs import log
from crawlkit.crawl.settings import Override, resolve_settings
from crawlkit.crawl.settings_file import ConfigFile, find_config
from crawlkit.crawl.spider import Spider
from crawlkit.exceptions import ConfigError

#: Seconds that the command may take.
TIMEOUT_SECONDS = 60.0

_SHOWN = 300  # characters of what it printed
_TOKEN = 8  # a word of the command this long may be a token, and is not repeated


def is_due(exit_code: int) -> bool:
    """Whether a run with this exit code rings."""
    return exit_code not in (exit_codes.COMPLETE, exit_codes.INTERRUPTED)


def ring(command: str | None, folder: Path, line: Mapping[str, Any]) -> None:
    """Give `line` to `command`, started in `folder`, when there is one and its exit code is due. Never raises."""
    if command is None or not is_due(line["exit_code"]):
        return
    try:
        words = shlex.split(command)
        words[0] = os.path.expanduser(words[0])  # noqa: PTH111 - a Path would drop the "./" of a command beside it
        _start(words, folder, line_text(line) + "\n")
    except (OSError, ValueError, IndexError, RuntimeError) as error:
        what = getattr(error, "strerror", None) or str(error) or type(error).__name__
        log.warning("on_failure: the command could not be started in %s: %s; the run's outcome stays", folder, what)


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


def _start(words: Sequence[str], folder: Path, text: str) -> None:
    # Files for both ends: no pipe fills up, and none is kept open by what the command leaves running.
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as printed:
        given.write(text.encode())
        given.seek(0)
        process = subprocess.Popen(
            words, cwd=folder, stdin=given, stdout=printed, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            code = process.wait(TIMEOUT_SECONDS)
        except BaseException as error:
            _kill(process)
            if not isinstance(error, (subprocess.TimeoutExpired, KeyboardInterrupt)):
                raise
            why = (
                f"took longer than {TIMEOUT_SECONDS:.0f} s"
                if isinstance(error, subprocess.TimeoutExpired)
                else "cut off"
            )
            log.warning("on_failure: %s was ended: %s; the run's outcome stays", words[0], why)
            return
        if code == 0:
            log.info("on_failure: %s was told", words[0])
            return
        printed.seek(0)
        said = _last_line(printed.read(), words)
        log.warning("on_failure: %s ended with exit code %d%s; the run's outcome stays", words[0], code, said)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the command and what it started."""
    with contextlib.suppress(ProcessLookupError):
        if sys.platform == "win32":  # pragma: no cover - Windows
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _last_line(printed: bytes, words: Sequence[str]) -> str:
    lines = printed.decode("utf-8", "backslashreplace").strip().splitlines()
    if not lines:
        return ""
    said = lines[-1]
    for word in words[1:]:
        if len(word) >= _TOKEN:
            said = said.replace(word, "…")
    return f" ({said[:_SHOWN]})"

"""Log lines of a command: to standard error (above the progress block on a terminal) and to a file.

Text that came from the web is made safe here, at the one place all lines pass, and secrets are taken out of it.
Lines of one record after its first are indented, so that no page can forge a record.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from crawlkit.cli.logfile import LogFile
from crawlkit.cli.secrecy import redact
from crawlkit.cli.terminal import safe
from crawlkit.exceptions import ConfigError

if TYPE_CHECKING:
    from rich.console import Console

#: The logger of what the command line itself says.
log = logging.getLogger("crawlkit.cli")

_STYLES = {
    logging.WARNING: "yellow",
    logging.ERROR: "red",
    logging.CRITICAL: "bold red",
    logging.DEBUG: "dim",
}


class _TextFormatter(logging.Formatter):
    """`2026-01-31 12:00:01 WARNING forum: message`; crawlkit's own loggers go by that one name."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%Y-%m-%d %H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(_renamed(record))
        return safe(redact(line)).rstrip("\n").replace("\n", "\n    ")


class _PlainFormatter(logging.Formatter):
    """The message alone."""

    def format(self, record: logging.LogRecord) -> str:
        return safe(redact(super().format(record)))


class _JSONFormatter(logging.Formatter):
    """One object a line: time, level, logger, message, and error with a traceback when there is one."""

    def format(self, record: logging.LogRecord) -> str:
        record = _renamed(record)
        entry = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        if record.exc_info:
            entry["error"] = redact(self.formatException(record.exc_info))
        return json.dumps(entry)


def _renamed(record: logging.LogRecord) -> logging.LogRecord:
    if record.name.startswith("crawlkit."):
        record = logging.makeLogRecord(record.__dict__)
        record.name = "crawlkit"
    return record


def _not_formatted(record: logging.LogRecord) -> None:
    """Tell of a record whose arguments do not fit its message; logging itself would show them as they are."""
    sys.stderr.write(redact(f"{traceback.format_exc()}Message: {record.msg!r}\nArguments: {record.args!r}\n"))


class _StreamHandler(logging.StreamHandler[TextIO]):
    """Writes to standard error."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        _not_formatted(record)


class _ConsoleHandler(logging.Handler):
    """Writes above whatever the console is drawing."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        from rich.text import Text

        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 - the caller asked for a log line, not for this
            _not_formatted(record)
            return
        self._console.print(Text(line, style=_STYLES.get(record.levelno, "")))


def _open(file: Path, size: int | None, keep: int) -> LogFile:
    try:
        return LogFile(file, size=size, keep=keep)
    except OSError as error:
        raise ConfigError(
            f"log file {file}: it cannot be written ({error.strerror}); name another with --log-file"
        ) from error


@contextmanager
def logging_to(
    *,
    console: Console | None,
    level: int,
    file: Path | None = None,
    file_level: int = logging.INFO,
    file_size: int | None = None,
    file_keep: int = 1,
    form: str = "text",
) -> Iterator[LogFile | None]:
    """Until the block ends, send records of `level` and above to standard error, of `file_level` to `file`.

    `console` is given on a terminal, `form` is "text" or "json" (a terminal always gets text). A file of `file_size`
    bytes is put aside, and `file_keep` of them are kept. Yields the file's handler, for what only the file is to be
    told. Raises ConfigError when the file cannot be opened; no folder is made for it.
    """
    formatter = _JSONFormatter() if form == "json" else _TextFormatter()
    handlers: list[logging.Handler] = []
    stream: logging.Handler = _ConsoleHandler(console) if console else _StreamHandler(sys.stderr)
    stream.setFormatter(_TextFormatter() if console else formatter)
    stream.setLevel(level)
    handlers.append(stream)
    into_file = _open(file, file_size, file_keep) if file is not None else None
    if into_file is not None:
        into_file.setFormatter(formatter)
        into_file.setLevel(file_level)
        handlers.append(into_file)
    root = logging.getLogger()
    before = root.level
    root.setLevel(min(handler.level for handler in handlers))
    logging.getLogger("urllib3").setLevel(logging.WARNING)
    for handler in handlers:
        root.addHandler(handler)
    try:
        yield into_file
    finally:
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()
        root.setLevel(before)


@contextmanager
def plain_logging() -> Iterator[None]:
    """Until the block ends, warnings and errors that nobody else takes go to standard error as Python has it, redacted."""
    before = logging.lastResort
    handler = _StreamHandler(sys.stderr)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(_PlainFormatter())
    logging.lastResort = handler
    try:
        yield
    finally:
        logging.lastResort = before

"""Secrecy: the redactor of a command, and everything of Python's own that prints without asking.

What belongs here: the one redactor that a command's log lines, errors and reports go through, tracebacks that nobody
caught, warnings. What does not: what is secret (crawlkit.sessions).

A process runs one command. The redactor is made when it is first needed: most commands that only read need none.
"""

from __future__ import annotations

import sys
import threading
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from crawlkit.sessions.redactor import Redactor

_now: Redactor | None = None
_making = threading.Lock()


def redactor() -> Redactor:
    """The redactor of this command, to be given to what sends requests. Any thread."""
    global _now
    if _now is None:
        from crawlkit.sessions.redactor import Redactor

        with _making:
            _now = Redactor() if _now is None else _now
    return _now


def redact(text: str) -> str:
    """`text` without the secrets that this command has met."""
    return redactor().redact(text)


def redacted(value: Any) -> Any:
    """A JSON value with every text in it redacted, so that what comes of it is JSON still."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {redact(name) if isinstance(name, str) else name: redacted(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(member) for member in value]
    return value


def learn_arguments(arguments: Mapping[str, str]) -> None:
    """Take note of `-a` arguments whose names say that they are secret. They stand in the process list all the same."""
    from crawlkit.sessions.secretnames import is_secret_name

    for name, value in arguments.items():
        if is_secret_name(name):
            redactor().learn(value, sure=True)


def print_traceback(error: BaseException) -> None:
    """The error's traceback on standard error."""
    sys.stderr.write(redact("".join(traceback.format_exception(error))))


@contextmanager
def secrecy() -> Iterator[None]:
    """Within it a command runs: with a redactor of its own, which Python's own messages on standard error go through."""
    global _now
    _now = None
    before = sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning
    sys.excepthook, threading.excepthook = _uncaught, _uncaught_in_thread
    sys.unraisablehook, warnings.showwarning = _unraisable, _warning
    try:
        yield
    finally:
        sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning = before


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    _write("".join(traceback.format_exception(kind, error, trace)))


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_type is SystemExit:
        return  # as Python has it
    name = args.thread.name if args.thread is not None else "unknown"
    text = "".join(traceback.format_exception(args.exc_type, args.exc_value, args.exc_traceback))
    _write(f"Exception in thread {name}:\n{text}")


def _unraisable(args: sys.UnraisableHookArgs) -> None:
    text = "".join(traceback.format_exception(args.exc_type, args.exc_value, args.exc_traceback))
    _write(f"{args.err_msg or 'Exception ignored in'}: {args.object!r}\n{text}")


def _warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    _write(warnings.formatwarning(message, category, filename, lineno, line), file)


def _write(text: str, file: TextIO | None = None) -> None:
    stream = file if file is not None else sys.stderr
    if stream is not None:  # at the very end there may be none
        stream.write(redact(text))

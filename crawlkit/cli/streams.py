"""Standard output and standard error that may be closed, full, or read by someone who went away.

What belongs here: finding that out once and keeping it, so that neither a traceback nor another exit code comes of
it. What it means for the exit code is the entry's.
"""

from __future__ import annotations

import errno
import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO


class OutputFailed(Exception):
    """Standard output takes no more. The command ends; the entry says why. No OSError: click ends those its own way."""


class Outlet(io.RawIOBase):
    """The bytes of one standard stream, until it fails; from then on they are dropped and `error` says why.

    With `tells`, the main thread is told by OutputFailed, once: what it writes is the command's result. A spider that
    prints, from a worker's thread, goes on. Any thread.
    """

    def __init__(self, descriptor: int, *, tells: bool, closed: bool) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._tells = tells
        self._closed_before = closed
        self.error: OSError | None = None

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        if self.error is not None:
            return size
        try:
            if self._closed_before:
                raise OSError(errno.EBADF, "it is closed")
            return os.write(self._descriptor, data)
        except OSError as error:
            self.error = error
            if self._tells and threading.current_thread() is threading.main_thread():
                raise OutputFailed(error.strerror) from error
            return size


@contextmanager
def watched_streams() -> Iterator[Outlet | None]:
    """Within it, sys.stdout and sys.stderr write through an Outlet: that of standard output is given.

    A stream that someone put in the place of Python's own is left as it is; then None is given.
    """
    closed = _hold_descriptors()
    before = sys.stdout, sys.stderr
    for stream in before:
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a name in another script must not end a run
    outlet = None
    if sys.stdout is None or sys.stdout is sys.__stdout__:
        outlet = Outlet(1, tells=True, closed=1 in closed or sys.stdout is None)
        sys.stdout = _text(outlet, before[0])
    if sys.stderr is None or sys.stderr is sys.__stderr__:
        sys.stderr = _text(Outlet(2, tells=False, closed=2 in closed or sys.stderr is None), before[1])
    try:
        yield outlet
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdout, sys.stderr = before


def _hold_descriptors() -> set[int]:
    """Open /dev/null as each standard descriptor that is closed, and say which.

    The next file opened would get that number: a database in the place of standard error.
    """
    closed = set()
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            closed.add(descriptor)
            os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one
    return closed


def _text(outlet: Outlet, like: TextIO | None) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedWriter(outlet),
        encoding=like.encoding if like is not None else "utf-8",
        errors="backslashreplace",
        line_buffering=getattr(like, "line_buffering", True) or getattr(like, "write_through", False),
    )

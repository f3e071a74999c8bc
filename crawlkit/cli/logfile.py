"""LogFile: a log file that is put aside when it has grown, also when several processes write it.

What belongs here: appending to it, and FILE becoming FILE.1, FILE.1 becoming FILE.2. What does not: what its lines look
like (logs.py).

Two spiders may share a log. Each line is one write(2) to a file that was opened for appending, so that lines never mix;
who finds the file too large puts it aside under a lock beside it, and who still has the old one open notices that the
name leads elsewhere by now. A line that is written in that instant is in FILE.1: it is not lost.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import sys
from pathlib import Path

from crawlkit.cli.terminal import complain
from crawlkit.exceptions import LockHeld, StorageError
from crawlkit.filelock import FileLock

#: Seconds to wait for another process that is putting the file aside.
_LOCK_SECONDS = 2.0


class LogFile(logging.Handler):
    """Appends records to `path`; with `size` (bytes) the file is put aside before it would grow beyond, `keep` of them stay.

    When that fails it says so once, and the run goes on. OSError when the file cannot be opened; no folder is made.
    Any thread.
    """

    def __init__(self, path: Path, *, size: int | None = None, keep: int = 1) -> None:
        super().__init__()
        self._shown = str(path)
        self._path = _followed(path)
        self._size = size
        self._keep = max(keep, 1)
        self._failed = False
        self._descriptor: int | None = self._open()

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record. Called by logging, which holds this handler's lock."""
        try:
            line = self.format(record).encode("utf-8", "backslashreplace") + b"\n"
            if self._descriptor is None:
                return
            self._find_room(len(line))
            while line:
                line = line[os.write(self._descriptor, line) :]
        except Exception:  # noqa: BLE001 - the caller asked for a log line, not for this
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        self._tell(sys.exc_info()[1])

    def close(self) -> None:
        """Close the file."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with contextlib.suppress(OSError):  # its lines were written, or their loss was told
                os.close(descriptor)
        super().close()

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)

    def _find_room(self, length: int) -> None:
        """See to it that the open file is the one of this name, and that a line of `length` bytes fits into it."""
        if self._lost_its_name():
            self._reopen()
        if not self._is_full(length):
            return
        lock = FileLock(self._path.with_name(f"{self._path.name}.lock"), wait=_LOCK_SECONDS)
        try:
            with lock:
                if self._lost_its_name():  # another process was faster
                    self._reopen()
                if self._is_full(length):
                    self._put_aside()
                    self._reopen()
        except (LockHeld, StorageError, OSError) as error:
            self._tell(error, what="cannot be put aside and grows on")

    def _lost_its_name(self) -> bool:
        assert self._descriptor is not None
        try:
            return not os.path.samestat(os.fstat(self._descriptor), os.stat(self._path))  # noqa: PTH116 - in one call
        except FileNotFoundError:
            return True

    def _is_full(self, length: int) -> bool:
        if self._size is None:
            return False
        assert self._descriptor is not None
        status = os.fstat(self._descriptor)
        # A pipe or a device has no size, and a line that is too long for any file goes into an empty one.
        return stat.S_ISREG(status.st_mode) and status.st_size > 0 and status.st_size + length > self._size

    def _put_aside(self) -> None:
        for number in range(self._keep - 1, 0, -1):
            with contextlib.suppress(FileNotFoundError):
                self._numbered(number).replace(self._numbered(number + 1))
        self._path.replace(self._numbered(1))

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _reopen(self) -> None:
        fresh = self._open()
        stale, self._descriptor = self._descriptor, fresh
        if stale is not None:
            os.close(stale)

    def _tell(self, error: BaseException | None, *, what: str = "cannot be written") -> None:
        if not self._failed:
            self._failed = True
            complain(f"the log file {self._shown} {what}: {error}")


def _followed(path: Path) -> Path:
    """Where `path` leads, for it is not the link that is put aside. /dev/stderr leads to what has no name."""
    target = path.resolve()
    return target if target.is_file() or not path.exists() else path.absolute()

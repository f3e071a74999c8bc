"""Spool: bytes of any number, of which little is in memory.

What belongs here: keeping bytes in the order in which they come, and giving them back any number of times. What does
not: what the bytes mean (exchange.py). A page's answer stays in memory; a download of 2 GB goes to a file that has no
name, so that a process that is killed leaves nothing behind.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Self

from crawlkit.exceptions import StorageError

IN_MEMORY = 1 << 20
_PIECE = 256 * 1024


class Spool:
    """Bytes that are written once, in order, and read as often as one likes. Belongs to one thread at a time.

    Up to `in_memory` bytes are kept in memory, what is more in an unlinked file in `folder` (None: the system's folder
    for temporary files). Every method raises StorageError, naming the folder, when that file cannot be written or read.
    A `with` closes it at its end.
    """

    __slots__ = ("_file", "_folder", "_in_memory", "_memory", "size")

    def __init__(self, folder: Path | None = None, *, in_memory: int = IN_MEMORY) -> None:
        self._folder = folder
        self._in_memory = in_memory
        self._memory = bytearray()
        self._file: IO[bytes] | None = None
        self.size = 0

    def write(self, data: bytes) -> None:
        """Append `data`."""
        if not data:
            return
        if self._file is None and self.size + len(data) <= self._in_memory:
            self._memory += data
        else:
            self._write_to_file(data)
        self.size += len(data)

    def _write_to_file(self, data: bytes) -> None:
        try:
            file = self._file
            if file is None:
                file = self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115 - close()
                _write_all(file, self._memory)
                self._memory = bytearray()
            file.seek(self.size)
            _write_all(file, data)
        except OSError as error:
            raise self._trouble("written", error) from error

    def read(self, start: int, size: int) -> bytes:
        """Up to `size` bytes from the byte number `start` on; fewer only at the end."""
        if self._file is not None:
            return self._read_file(self._file, start, size)
        return bytes(memoryview(self._memory)[start : start + size])

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """All bytes from the byte number `start` on, in pieces of no particular size, none of them empty."""
        while piece := self.read(start, _PIECE):
            yield piece
            start += len(piece)

    def _read_file(self, file: IO[bytes], start: int, size: int) -> bytes:
        try:
            file.seek(start)
            out = file.read(size)
            while len(out) < min(size, self.size - start) and (more := file.read(size - len(out))):
                out += more
        except OSError as error:
            raise self._trouble("read again", error) from error
        return out

    def _trouble(self, what: str, error: OSError) -> StorageError:
        where = self._folder if self._folder is not None else tempfile.gettempdir()
        return StorageError(
            f"{where}: what is put there while it is worked on cannot be {what} ({error.strerror or error}), "
            f"{self.size:,} bytes of it so far; make room there and start the same command again"
        )

    def close(self) -> None:
        """Forget the bytes. May be called twice."""
        self._memory = bytearray()
        self.size = 0
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Spool of {self.size} bytes, {'in a file' if self._file is not None else 'in memory'}>"


def _write_all(file: IO[bytes], data: bytes | bytearray) -> None:
    """Unbuffered files may take less than they are given, on a disk that is nearly full for one."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]

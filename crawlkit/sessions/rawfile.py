"""The file that `Response.raw` is: what `io` gives every file, on top of `read()`.

What belongs here: lines, iterating, `readinto`, what a body cannot do. What does not: reading itself (raw.py).

As with urllib3, iterating and `readlines()` give decoded lines, `readline()` and `readinto()` what `read()` gives.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn, Self


class RawFile:
    """A file that is read from front to end. Not derived from io.IOBase, which would cost each response a finalizer."""

    __slots__ = ()

    if TYPE_CHECKING:

        def read(self, amt: int | None = None) -> bytes: ...
        def stream(self, amt: int | None = None, decode_content: bool | None = None) -> Iterator[bytes]: ...
        def close(self) -> None: ...

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer`, as files do; how many bytes were put into it."""
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def readline(self, size: int | None = -1) -> bytes:
        """What `read()` gives up to and with the next line feed, at most `size` bytes; b"" at the end."""
        line = bytearray()
        most = -1 if size is None or size < 0 else size
        while len(line) != most and not line.endswith(b"\n") and (byte := self.read(1)):
            line += byte
        return bytes(line)

    def readlines(self, hint: int | None = -1) -> list[bytes]:
        """The decoded lines that are left; none after those that have `hint` bytes together."""
        lines, size = [], 0
        for line in self:
            lines.append(line)
            size += len(line)
            if hint is not None and 0 < hint <= size:
                break
        return lines

    def __iter__(self) -> Iterator[bytes]:
        """The decoded lines, with their line feeds."""
        held = b""
        for piece in self.stream(decode_content=True):
            *lines, held = (held + piece).split(b"\n")
            for line in lines:
                yield line + b"\n"
        if held:
            yield held

    def __next__(self) -> bytes:
        if not (line := self.readline()):
            raise StopIteration
        return line

    def readable(self) -> bool:
        """True, as files say it."""
        return True

    def writable(self) -> bool:
        """False, as files say it."""
        return False

    def seekable(self) -> bool:
        """False, as files say it."""
        return False

    def isatty(self) -> bool:
        """False, as files say it."""
        return False

    def flush(self) -> None:
        """Nothing to do, as for any file that is read."""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> NoReturn:
        """io.UnsupportedOperation: what has been read is gone."""
        raise io.UnsupportedOperation("seek: a body is read once, from front to end")

    def truncate(self, size: int | None = None) -> NoReturn:
        """io.UnsupportedOperation."""
        raise io.UnsupportedOperation("truncate: a body is read only")

    def writelines(self, lines: Iterable[bytes]) -> NoReturn:
        """io.UnsupportedOperation."""
        raise io.UnsupportedOperation("write: a body is read only")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


# Code that asks `isinstance(raw, io.IOBase)` gets the right answer all the same.
io.IOBase.register(RawFile)

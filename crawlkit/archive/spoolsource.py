"""SpoolSource: a spool as what a body is read from, as if it came from a connection once more.

What belongs here: taking bytes and lines, in the words of sessions/bodies.py. What does not: where a body ends.
"""

from __future__ import annotations

from crawlkit.archive.spool import Spool
from crawlkit.exceptions import ChunkedEncodingError

_PIECE = 64 * 1024


class SpoolSource:
    """Reads `spool` from the byte number `start` on."""

    __slots__ = ("_at", "_block", "_block_at", "_spool")

    def __init__(self, spool: Spool, start: int = 0) -> None:
        self._spool = spool
        self._at = self._block_at = start
        self._block = b""

    @property
    def position(self) -> int:
        """The number of the next byte."""
        return self._at

    def take(self, limit: int) -> bytes:
        """Between 1 and `limit` bytes; b"" at the end."""
        block, start = self._filled()
        piece = block[start : start + limit]
        self._at += len(piece)
        return piece

    def take_line(self, limit: int) -> bytes:
        """Up to and including the next LF; b"" when there is none. ChunkedEncodingError past `limit`."""
        line = b""
        while len(line) <= limit:
            block, start = self._filled()
            end = block.find(b"\n", start) + 1
            piece = block[start : end or len(block)]
            self._at += len(piece)
            line += piece
            if not piece:
                return b""
            if end and len(line) <= limit:
                return line
        raise ChunkedEncodingError(f"a line of the body's framing is longer than {limit} bytes")

    def _filled(self) -> tuple[bytes, int]:
        """A block of the spool, and where in it the next byte is; at the spool's end past it."""
        if self._at >= self._block_at + len(self._block):
            self._block_at = self._at
            self._block = self._spool.read(self._at, _PIECE)
        return self._block, self._at - self._block_at

"""Chunk frames: the two halves of a body in chunks (RFC 9112 section 7.1): its data, and the framing between.

What belongs here: reading each of them out of a spool, and putting changed ones of the same lengths together again. What
does not: what is changed in them (redacted_body.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from crawlkit.archive.spool import Spool
from crawlkit.archive.spoolsource import SpoolSource
from crawlkit.exceptions import BadResponse, ChunkedEncodingError
from crawlkit.sessions import bodies

_PIECE = 256 * 1024


class ChunkFrames:
    """The chunks in `spool` from the byte number `start` on. Belongs to the thread that the spool belongs to."""

    def __init__(self, spool: Spool, start: int) -> None:
        self._spool = spool
        self._start = start
        #: The fields after the last chunk, once `data` has come to its end.
        self.trailers: list[tuple[str, str]] = []

    def data(self) -> Iterator[bytes]:
        """What is in the chunks, in pieces."""
        return (piece for _, piece in self._runs())

    def framing(self) -> Iterator[bytes]:
        """What is between them: sizes, extensions, trailers; and all that comes after the place where they break."""
        at = self._start
        for start, piece in self._runs():
            yield self._spool.read(at, start - at)
            at = start + len(piece)
        yield from self._spool.chunks(at)

    def write(self, data: Iterable[bytes], framing: Iterable[bytes], out: Spool) -> None:
        """Write both, each as long as it was, in the order in which they were."""
        fresh, between = _Taking(data), _Taking(framing)
        at = self._start
        for start, piece in self._runs():
            between.move(start - at, out)
            fresh.move(len(piece), out)
            at = start + len(piece)
        between.move(self._spool.size - at, out)

    def _runs(self) -> Iterator[tuple[int, bytes]]:
        source = SpoolSource(self._spool, self._start)
        reader = bodies.ChunkedBody(source)
        try:
            while piece := reader.read_some(_PIECE):
                yield source.position - len(piece), piece
        except (ChunkedEncodingError, BadResponse):
            return  # cut off, or no chunks: what follows is looked at as framing
        self.trailers = reader.trailers


class _Taking:
    """Pieces, taken by number of bytes."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = b""

    def move(self, count: int, out: Spool) -> None:
        while count:
            if not self._rest:
                self._rest = next(self._pieces)
            taken, self._rest = self._rest[:count], self._rest[count:]
            out.write(taken)
            count -= len(taken)

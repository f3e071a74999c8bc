"""Packed: records that are ready to be appended to a WARC file, each a gzip member of its own.

What belongs here: a record's outer form (WARC 1.1 section 4 and annex D.2): the version line, the named fields, the block,
compressed. What does not: which fields a record has (records.py), files (warcfile.py).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from crawlkit.archive.spool import Spool

# A page of 290 KB takes 1.5 ms at this level and 6.5 at 9, for 8 % more bytes.
_LEVEL = 2
# A compressor's tables cost 45 µs to set up, more than a short record takes; a window of 8 KiB with its tables costs 2.
_SHORT = 7 * 1024
_WINDOW_OF_SHORT, _TABLES_OF_SHORT = 13, 6
_TABLES = 7  # 14 % faster than the usual 8 at this level, for the same bytes
_GZIP = 16  # zlib's way of asking for gzip: it is added to the bits of the window

# A record whose block has at most so many bytes is compressed in one go.
_AT_ONCE = 1 << 20

Fields = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Member:
    """One record, and what an index and the store want to know of it.

    `kind`: WARC-Type; `record_id`: `urn:uuid:…`, without brackets; `start`, `length`: where in the spool its bytes are;
    `date`: WARC-Date; `status`, `mime`: of the answer, None and "" for other records; `payload_digest`: `sha1:…` of the
    body without the framing of chunks, None where there is none to compare; `payload_size`: its bytes.
    """

    kind: str
    record_id: str
    start: int
    length: int
    url: str = field(repr=False)
    date: str
    status: int | None = None
    mime: str = ""
    payload_digest: str | None = None
    payload_size: int = 0


@dataclass(frozen=True, slots=True)
class Origin:
    """What a revisit in place of the response is made of: the response's fields and the bytes of its head."""

    fields: Fields = field(repr=False)
    head: bytes = field(repr=False)
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Packed:
    """The records of one exchange, in the order in which they are appended. Belongs to one thread at a time.

    A `with` closes it at its end.
    """

    spool: Spool
    members: tuple[Member, ...]
    origin: Origin | None = None

    @property
    def answer(self) -> Member | None:
        """The response, or the revisit in its place; None when there is none."""
        return next((member for member in self.members if member.kind in ("response", "revisit")), None)

    def close(self) -> None:
        """Forget the bytes. May be called twice."""
        self.spool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class Packing:
    """Records that are being packed, one after the other, into a spool."""

    def __init__(self, folder: Path | None) -> None:
        self.spool = Spool(folder)
        self.members: list[Member] = []

    def add(self, member: Member, fields: Fields, blocks: Iterable[bytes], length: int) -> None:
        """Append a record with these fields and a block of `length` bytes. `member` lacks only its place."""
        start = self.spool.size
        lines = ["WARC/1.1", *(f"{name}: {value}" for name, value in fields), f"Content-Length: {length}", "", ""]
        compressor = _compressor(length)
        head = "\r\n".join(lines).encode()
        if length <= _AT_ONCE:
            # Each call lets the other threads run, and then waits for its turn again.
            whole = compressor.compress(b"".join((head, *blocks, b"\r\n\r\n")))
            self.spool.write(whole + compressor.flush())
            self._place(member, start)
            return
        self.spool.write(compressor.compress(head))
        for block in blocks:
            self.spool.write(compressor.compress(block))
        self.spool.write(compressor.compress(b"\r\n\r\n"))
        self.spool.write(compressor.flush())
        self._place(member, start)

    def copy(self, packed: Packed, members: Sequence[Member]) -> None:
        """Append records that are packed elsewhere, as they are."""
        for member in members:
            start = self.spool.size
            at, end = member.start, member.start + member.length
            while at < end and (piece := packed.spool.read(at, min(end - at, 1 << 16))):
                self.spool.write(piece)
                at += len(piece)
            self._place(member, start)

    def _place(self, member: Member, start: int) -> None:
        self.members.append(replace(member, start=start, length=self.spool.size - start))

    def packed(self, origin: Origin | None = None) -> Packed:
        """What was added."""
        return Packed(self.spool, tuple(self.members), origin)


def _compressor(length: int) -> zlib._Compress:
    if length <= _SHORT:
        return zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP + _WINDOW_OF_SHORT, _TABLES_OF_SHORT)
    return zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP + zlib.MAX_WBITS, _TABLES)

"""Where a response's body ends, and reading it up to there (RFC 9112 sections 6 to 8).

What belongs here: the three ways of framing, as readers over a connection. What does not: content codings
(decoding.py), the head (heads.py), the object that a program reads from (raw.py). A body that ends before its end
raises ChunkedEncodingError: it is never taken for a complete one. One that runs until the connection closes has no
end to check; over TLS a missing close_notify is forgiven as browsers do.
"""

from __future__ import annotations

import re
from typing import Protocol

from crawlkit.exceptions import BadResponse, ChunkedEncodingError
from crawlkit.sessions import heads

CHUNKED = -1
UNTIL_CLOSE = -2

_MAX_SIZE_LINE = 16 * 1024
_MAX_TRAILER_LINE = 64 * 1024
_SIZE_LINE = re.compile(rb"([0-9a-fA-F]{1,16})[ \t]*(?:;.*)?", re.DOTALL)
_PIECE = 256 * 1024


class Source(Protocol):
    """What a body is read from: a connection, or a test's bytes."""

    def take(self, limit: int) -> bytes:
        """At least one and at most `limit` bytes; b"" when the other side closed."""

    def take_line(self, limit: int) -> bytes:
        """Up to and including the next LF; b"" when the other side closed before it. ChunkedEncodingError
        past `limit`.
        """


def framing(head: heads.Head, method: str) -> tuple[int, bool]:
    """How long the body is (CHUNKED and UNTIL_CLOSE are negative) and whether the connection may be used after it.

    Raises BadResponse where the lengths contradict each other: guessing is what response smuggling lives on.
    """
    status = head.status
    if head.version == 11:
        keep = "connection" not in head.store or "close" not in _tokens(head.get("connection"))
    else:
        keep = "keep-alive" in _tokens(head.get("connection"))
    if method == "HEAD" or status == 204 or status == 304 or status < 200:
        return 0, keep and status >= 200
    if method == "CONNECT" and status < 300:
        return 0, False
    if "transfer-encoding" in head.store:
        codings = [coding for coding in _tokens(head.get("transfer-encoding")) if coding != "identity"]
        if codings == ["chunked"]:
            # Both lengths at once, or chunks from an HTTP/1.0 server: read, but not trusted any further.
            return CHUNKED, keep and head.version == 11 and "content-length" not in head.store
        if codings:
            raise BadResponse(f"the answer has a transfer coding that was not asked for: {', '.join(codings)[:80]}")
    pair = head.store.get("content-length")
    if pair is None:
        return UNTIL_CLOSE, False
    return _length(pair[1]), keep


def _length(value: str) -> int:
    if value.isdecimal() and len(value) < 19:
        return int(value)
    # The same number repeated is forgiven (RFC 9110 section 8.6), anything else is not.
    numbers = {part.strip(" \t") for part in value.split(",")}
    number = numbers.pop()
    if numbers or not number.isdecimal() or len(number) >= 19:
        raise BadResponse(f"the answer's Content-Length is no length: {value[:60]!r}")
    return int(number)


def _tokens(value: str) -> list[str]:
    return [token.strip(" \t") for token in value.lower().split(",")]


class LengthBody:
    """A body of `left` more bytes."""

    __slots__ = ("_source", "_total", "finished", "left")

    def __init__(self, source: Source, length: int) -> None:
        self._source = source
        self._total = self.left = length
        self.finished = length == 0

    def read_some(self, limit: int = _PIECE) -> bytes:
        """Between 1 and `limit` bytes, as they arrive; b"" at the end. ChunkedEncodingError when it is cut off."""
        if self.finished:
            return b""
        piece = self._source.take(min(limit, self.left))
        if not piece:
            raise ChunkedEncodingError(f"the body was cut off after {self._total - self.left} of {self._total} bytes")
        self.left -= len(piece)
        self.finished = self.left == 0
        return piece


class ChunkedBody:
    """A body in chunks. Extensions are skipped, trailers kept apart from the header (RFC 9110 section 6.5)."""

    __slots__ = ("_chunk_open", "_seen", "_source", "finished", "left", "trailers")

    def __init__(self, source: Source) -> None:
        self._source = source
        self.left = 0  # of the current chunk
        self.finished = False
        self.trailers: list[tuple[str, str]] = []
        self._chunk_open = False  # a chunk's data was read and not yet the line end after it
        self._seen = 0

    def read_some(self, limit: int = _PIECE) -> bytes:
        """Between 1 and `limit` bytes of one chunk; b"" at the end. ChunkedEncodingError for broken framing."""
        if self.left == 0:
            if not self.finished:
                self._next_chunk()
            if self.finished:
                return b""
        piece = self._source.take(min(limit, self.left))
        if not piece:
            raise self._cut_off()
        self.left -= len(piece)
        self._seen += len(piece)
        return piece

    def _next_chunk(self) -> None:
        if self._chunk_open:
            end = self._source.take_line(_MAX_SIZE_LINE)
            if not end:
                raise self._cut_off()
            if end not in (b"\r\n", b"\n"):
                raise ChunkedEncodingError(f"a chunk is longer than it says: {end[:20]!r} where it should end")
        line = self._source.take_line(_MAX_SIZE_LINE)
        if not line:
            raise self._cut_off()
        size = _SIZE_LINE.fullmatch(line.rstrip(b"\r\n"))
        if size is None:
            raise ChunkedEncodingError(f"the body is not in chunks as announced: {line[:20]!r} is no chunk size")
        self.left = int(size[1], 16)
        self._chunk_open = True
        if self.left == 0:
            self._read_trailers()
            self.finished = True

    def _read_trailers(self) -> None:
        block = bytearray(b"HTTP/1.1 200\r\n")
        lines = 0
        while True:
            line = self._source.take_line(_MAX_TRAILER_LINE)
            if line in (b"\r\n", b"\n", b""):
                break  # the last chunk has come: a missing blank line after it takes nothing away
            block += line
            lines += 1
            if len(block) > heads.MAX_BYTES or lines > heads.MAX_LINES:
                raise ChunkedEncodingError("the trailers after the body are larger than a head may be")
        if lines:
            self.trailers = heads.read(bytes(block) + b"\r\n").fields

    def _cut_off(self) -> ChunkedEncodingError:
        return ChunkedEncodingError(f"the body was cut off after {self._seen} bytes, within its chunks")


class OpenBody:
    """A body that ends when the connection does."""

    __slots__ = ("_source", "finished", "left")

    def __init__(self, source: Source) -> None:
        self._source = source
        self.left = None
        self.finished = False

    def read_some(self, limit: int = _PIECE) -> bytes:
        """Between 1 and `limit` bytes, as they arrive; b"" at the end."""
        if self.finished:
            return b""
        piece = self._source.take(limit)
        self.finished = not piece
        return piece


Body = LengthBody | ChunkedBody | OpenBody


def reader(source: Source, length: int) -> Body:
    """The reader for what `framing` said."""
    if length >= 0:
        return LengthBody(source, length)
    return ChunkedBody(source) if length == CHUNKED else OpenBody(source)

"""Redacted body: the body of an answer without its secrets, framed and coded as it came.

What belongs here: which bytes of a body are to be looked at, and writing it again. What does not: finding secrets in them
(substitution.py), the head (redacted_head.py).

A body that is not compressed keeps every byte that is no secret, those of its framing included: what replaces a secret is
as long. One that is compressed is decoded, compressed again and framed anew, in chunks if it came in chunks; so is a file in
gzip of which the head says nothing, such as `sitemap.xml.gz`, and one within another, up to so many bytes of what is in it.
What cannot be decoded (a coding that is cut off, broken or not known) is looked at as far as it can be, and as it is. Files
of other kinds (zip, PDF) are not opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from crawlkit.archive.chunkframes import ChunkFrames
from crawlkit.archive.exchange import Exchange
from crawlkit.archive.recoding import recoded
from crawlkit.archive.spool import Spool
from crawlkit.archive.substitution import WINDOW, Seen, Substitution
from crawlkit.exceptions import ChunkedEncodingError, ContentDecodingError
from crawlkit.sessions import bodies
from crawlkit.sessions.decoding import decoded_pieces, decoding_for
from crawlkit.sessions.secretforms import Span

_OVERLAP = 64 * 1024
_CHUNK = 64 * 1024
_PIECE = 256 * 1024
_GZIP = b"\x1f\x8b\x08"
_MOST_FILES = 2  # in gzip, one within the other
_LARGEST_FILE = (
    64 << 20
)  # what is in it: all of it is looked through, in a second; a small file may be a thousand times as much


class BodyRedaction:
    """One body, and what is to be written in its place. Belongs to one thread."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        head = exchange.head
        self._encoding = "" if head is None else head.get("content-encoding")
        self.recoded = _is_coded(self._encoding)
        """Whether the body has to be compressed again when it is changed; its length is another one then."""
        self.chunked = exchange.length == bodies.CHUNKED
        """Whether the body is framed in chunks."""
        self._frames = ChunkFrames(exchange.response, exchange.head_length)
        self._files = 0
        self._whole: bytes | None = None
        self._clean: bytes | None = None
        self._places: list[Span] = []

    def read(self, tokens: Callable[[bytes], list[Span]]) -> None:
        """Read the body once, before anything else. `tokens` is shown it decoded: whole when it is no larger than a
        window, else in overlapping pieces. It says what of it is secret by its place, which is heeded in a whole one.
        """
        gathered, before, decoded = bytearray(), b"", 0
        try:
            for piece in self._undone() if self.recoded else self._plain():
                decoded += len(piece)
                gathered += piece
                if decoded - len(piece) < len(_GZIP) <= decoded and gathered.startswith(_GZIP) and self._opens_file():
                    self.read(tokens)
                    return
                if len(gathered) >= WINDOW:
                    tokens(before + gathered)
                    before = bytes(gathered[-_OVERLAP:])
                    gathered.clear()
        except (ContentDecodingError, ChunkedEncodingError):
            if not decoded:  # it is not coded at all, whatever its head says
                self.recoded = False
        if decoded and decoded == len(gathered):
            self._whole = bytes(gathered)
        places = tokens(before + gathered) if gathered else []
        if self._whole is not None:
            self._places = places

    def changes(self, substitution: Substitution, seen: Seen) -> bool:
        """Whether there is anything to take out; `seen` is told what."""
        known = seen.total()
        if self._whole is not None:
            masked = substitution.masked(self._whole, self._places, seen)
            self._clean = b"".join(substitution.pieces((masked,), seen))
        else:
            _drain(substitution.pieces(self._decoded(), seen))
        if self.recoded:  # after the end of the compressed data there may be more, which nobody decodes
            _drain(substitution.pieces(_until_broken(self._exchange.body()), seen))
        if self.chunked:
            _drain(substitution.pieces(self._frames.framing(), seen))
        return seen.total() > known

    def write(self, substitution: Substitution, out: Spool) -> None:
        """Write the body without its secrets, framed, to `out`."""
        clean = iter((self._clean,)) if self._clean is not None else substitution.pieces(self._decoded(), Seen())
        if self.recoded:
            clean = recoded(clean, self._encoding)
        if not self.chunked:
            _write(clean, out)
        elif self.recoded:
            self._write_chunks(clean, substitution, out)
        else:
            self._frames.write(clean, substitution.pieces(self._frames.framing(), Seen()), out)

    def _decoded(self) -> Iterator[bytes]:
        return _until_broken(self._undone()) if self.recoded else self._plain()

    def _opens_file(self) -> bool:
        """Take gzip for one more coding of the body, under those that are known, unless that is none or far too much."""
        encoding = f"gzip, {self._encoding}" if self.recoded else "gzip"
        if self._files == _MOST_FILES or not _is_coded(encoding):
            return False
        inside = 0
        for piece in _until_broken(decoded_pieces(self._exchange.body(), encoding, _PIECE)):
            inside += len(piece)
            if inside > _LARGEST_FILE:
                return False
        if inside:
            self._files += 1
            self._encoding, self.recoded = encoding, True
        return inside > 0

    def _undone(self) -> Iterator[bytes]:
        return decoded_pieces(self._exchange.body(), self._encoding, _PIECE)

    def _plain(self) -> Iterator[bytes]:
        return self._frames.data() if self.chunked else self._exchange.response.chunks(self._exchange.head_length)

    def _write_chunks(self, pieces: Iterable[bytes], substitution: Substitution, out: Spool) -> None:
        for piece in _gathered(pieces):
            out.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        if self._exchange.truncated is None:
            _drain(self._frames.data())
            trailers = "".join(f"{name}: {value}\r\n" for name, value in self._frames.trailers)
            out.write(b"0\r\n")
            _write(substitution.pieces((trailers.encode("latin-1"),), Seen()), out)
            out.write(b"\r\n")


def _is_coded(encoding: str) -> bool:
    try:
        return decoding_for(encoding) is not None
    except ContentDecodingError:
        return False  # more codings than anybody undoes


def _until_broken(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces, and the end where they can be read no further."""
    try:
        yield from pieces
    except (ContentDecodingError, ChunkedEncodingError):
        return


def _gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of some size; none is empty."""
    gathered = bytearray()
    for piece in pieces:
        gathered += piece
        if len(gathered) >= _CHUNK:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)


def _write(pieces: Iterable[bytes], out: Spool) -> None:
    for piece in pieces:
        out.write(piece)


def _drain(pieces: Iterable[bytes]) -> None:
    for _ in pieces:
        pass

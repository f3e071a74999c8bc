"""Content codings: gzip, deflate, br, zstd, up to five on top of each other (RFC 9110 section 8.4).

What belongs here: a chain of decoders that no input, however small, can make produce more than is asked for at a time,
or work without end for nothing. What does not: members and frames (members.py),
where the bytes come from, or how much is too much (raw.py).

The decoders of deflate and br are urllib3's. The chain is not: urllib3's asks the outer layers for more each time,
whether or not the inner ones have used up what they had. What is kept back between two layers that expand grows without
limit there, and two layers of which the inner one comes to nothing never return. Here a layer is fed when it is empty.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from urllib3.exceptions import DecodeError
from urllib3.response import (
    BaseHTTPResponse,
    ContentDecoder,
    DeflateDecoder,
    GzipDecoderState,
)

from crawlkit.exceptions import ContentDecodingError
from crawlkit.sessions.members import BrotliStream, GzipMembers, MemberDecoder, ZstdFrames

MAX_CODINGS = 5
_KNOWN = frozenset(BaseHTTPResponse.CONTENT_DECODERS)
_ERRORS: tuple[type[Exception], ...] = (*BaseHTTPResponse.DECODER_ERROR_CLASSES, DecodeError, EOFError)

_BETWEEN = 16 * 1024  # what one layer gives the next at a time; a decoder copies what it has not used on every call

# Decoding makes bodies larger. One that goes through the decoders and comes to nothing (empty gzip members, deflate
# blocks, zstd's skippable frames) is made to cost work that no limit of the body sees, so that much of it ends it.
_FREE_WORK = 1 << 20
_WORK_RATIO = 6
_MEMBER_WORK = 256  # what beginning a member costs, in bytes: a body of members of a few bytes each is little else


class Decoding:
    """Undoes the codings of one body. Feed it what arrives, draw what comes out; belongs to one thread at a time."""

    __slots__ = ("_arrived", "_coding", "_fed", "_given", "_layers", "_work")

    def __init__(self, coding: str, decoders: list[ContentDecoder]) -> None:
        self._coding = coding
        self._layers = [_Layer(decoder) for decoder in decoders]  # in the order of undoing
        self._arrived = b""
        self._fed = False
        self._work = 0
        self._given = 0

    @property
    def has_more(self) -> bool:
        """Whether `draw` may give something without being fed."""
        return any(layer.has_more for layer in self._layers)

    def draw(self, data: bytes, limit: int) -> bytes:
        """Decoded bytes, about `limit` at most, from what was kept back and `data`. May be b"" when more is needed.

        Raises ContentDecodingError when the body is not in the coding that its head names.
        """
        if data:
            self._fed = True
            self._arrived = data
        try:
            out = self._pull(len(self._layers) - 1, limit)
        except ContentDecodingError:  # an OSError, as some decoders' errors are
            raise
        except _ERRORS as error:
            raise self._wrong() from error
        self._given += len(out)
        return out

    def _pull(self, index: int, limit: int) -> bytes:
        """Up to `limit` bytes out of one layer, which those before it feed when it is empty; b"" when they are, too."""
        if index < 0:
            data, self._arrived = self._arrived, b""
            return data
        layer = self._layers[index]
        while True:
            data = b"" if layer.has_more else self._pull(index - 1, _BETWEEN)
            if not data and not layer.has_more:
                return b""
            self._count_work(len(data))
            out = layer.draw(data, limit)
            if layer.members:
                self._count_work(layer.members * _MEMBER_WORK)
            if out:
                return out

    def _count_work(self, amount: int) -> None:
        self._work += amount
        if self._work > _FREE_WORK + _WORK_RATIO * self._given:
            raise ContentDecodingError(
                f"the {self._coding} body comes to nothing: {self._work} bytes of work gave {self._given} bytes"
            )

    def finish(self) -> bytes:
        """What is left at the end. ContentDecodingError when a stream stops short, its checksum included.

        (A length that was kept says nothing: a proxy or a program that died may have written down what it had.)
        """
        if not self._fed:
            return b""
        try:
            out = self._layers[-1].decoder.flush()
        except _ERRORS as error:
            raise self._wrong() from error
        if not all(_complete(layer.decoder) for layer in self._layers if layer.fed):
            raise ContentDecodingError(f"the {self._coding} body stops short; its end did not come")
        return out

    def _wrong(self) -> ContentDecodingError:
        return ContentDecodingError(f"the body is not {self._coding}, as its Content-Encoding says")


class _Layer:
    """One decoder, whether it was given anything, whether it said that it has more but gave nothing, and how many
    members it began when it was last drawn from.
    """

    __slots__ = ("_stuck", "decoder", "fed", "members")

    def __init__(self, decoder: ContentDecoder) -> None:
        self.decoder = decoder
        self.fed = False
        self.members = 0
        self._stuck = False

    @property
    def has_more(self) -> bool:
        return not self._stuck and self.decoder.has_unconsumed_tail

    def draw(self, data: bytes, limit: int) -> bytes:
        begun = self._begun()
        out = self.decoder.decompress(data, max_length=limit)
        self.members = self._begun() - begun
        self.fed = self.fed or bool(data)
        self._stuck = not out and not data
        return out

    def _begun(self) -> int:
        return self.decoder.begun if isinstance(self.decoder, MemberDecoder) else 0


def _complete(decoder: ContentDecoder) -> bool:
    """Whether a decoder that was fed has seen the end of its stream."""
    if isinstance(decoder, GzipMembers):
        return (
            decoder._state == GzipDecoderState.SWALLOW_DATA
            or decoder._obj.eof
            or (decoder._state == GzipDecoderState.OTHER_MEMBERS and _is_no_member(decoder._obj))
        )
    if isinstance(decoder, DeflateDecoder):
        return decoder._obj.eof
    if isinstance(decoder, ZstdFrames):
        return decoder.is_complete
    # br: a list with one decoder in it.
    return all(part._obj.is_finished() for part in getattr(decoder, "_decoders", ()) if hasattr(part, "_obj"))


def _is_no_member(after: Any) -> bool:
    """Whether what came after a gzip member, and is shorter than the mark of one, is none: a line feed, say."""
    try:
        after.copy().decompress(b"\0\0", 1)
    except zlib.error as error:
        return "incorrect header check" in str(error)
    return False


def decoding_for(content_encoding: str) -> Decoding | None:
    """What undoes a Content-Encoding; None when there is nothing to undo, or a coding among them is not known.

    (`Content-Encoding: utf-8` and the like are common, and mean nothing.) Raises ContentDecodingError for more
    than five.
    """
    codings = [coding.strip(" \t") for coding in content_encoding.lower().split(",")]
    codings = [coding for coding in codings if coding and coding != "identity"]
    if len(codings) > MAX_CODINGS:
        raise ContentDecodingError(
            f"the body has {len(codings)} content codings on top of each other; {MAX_CODINGS} are allowed"
        )
    if not codings or not _KNOWN.issuperset(codings):
        return None
    return Decoding(", ".join(codings), [_decoder(coding) for coding in reversed(codings)])


def decoded_pieces(pieces: Iterable[bytes], content_encoding: str, limit: int) -> Iterator[bytes]:
    """What `pieces` of a body are without their Content-Encoding, in pieces of about `limit` bytes at most.

    A coding that is not known is left on. ContentDecodingError as `Decoding` raises it; what could be decoded was given
    before.
    """
    decoding = decoding_for(content_encoding)
    if decoding is None:
        yield from pieces
        return
    for piece in pieces:
        out = decoding.draw(piece, limit)
        while out or decoding.has_more:
            if out:
                yield out
            out = decoding.draw(b"", limit) if decoding.has_more else b""
    if rest := decoding.finish():
        yield rest


def _decoder(coding: str) -> ContentDecoder:
    if coding in ("gzip", "x-gzip"):
        return GzipMembers()
    if coding == "deflate":
        return DeflateDecoder()
    if coding == "zstd":
        return ZstdFrames()
    return BrotliStream()

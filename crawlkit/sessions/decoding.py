"""Content codings: gzip, deflate, br, zstd, up to five on top of each other (RFC 9110 section 8.4).

What belongs here: choosing urllib3's decoders and using them so that no input, however small, can produce more than
is asked for at a time. What does not: where the bytes come from, or how much is too much (raw.py).
"""

from __future__ import annotations

from urllib3.exceptions import DecodeError
from urllib3.response import (
    BaseHTTPResponse,
    ContentDecoder,
    DeflateDecoder,
    GzipDecoder,
    GzipDecoderState,
    MultiDecoder,
)

from crawlkit.exceptions import ContentDecodingError

MAX_CODINGS = 5
_KNOWN = frozenset(BaseHTTPResponse.CONTENT_DECODERS)
_ERRORS: tuple[type[Exception], ...] = (*BaseHTTPResponse.DECODER_ERROR_CLASSES, DecodeError, EOFError)


class Decoding:
    """Undoes the codings of one body. Feed it what arrives, draw what comes out; belongs to one thread at a time."""

    __slots__ = ("_coding", "_decoder", "_fed", "_stuck")

    def __init__(self, coding: str, decoder: ContentDecoder) -> None:
        self._coding = coding
        self._decoder = decoder
        self._fed = False
        self._stuck = False

    @property
    def has_more(self) -> bool:
        """Whether `draw` may give something without being fed."""
        return not self._stuck and self._decoder.has_unconsumed_tail

    def draw(self, data: bytes, limit: int) -> bytes:
        """Decoded bytes, about `limit` at most, from what was kept back and `data`. May be b"" when more is needed.

        Raises ContentDecodingError when the body is not in the coding that its head names.
        """
        if data:
            self._fed = True
            self._stuck = False
        try:
            out = self._decoder.decompress(data, max_length=limit)
        except _ERRORS as error:
            raise self._wrong() from error
        if not out and not data:
            self._stuck = True
        return out

    def finish(self, *, strict: bool) -> bytes:
        """What is left at the end. `strict`: a stream that stops short is an error, because nothing else would tell.

        (A length that was kept vouches for the rest: servers that leave out the gzip trailer exist, and browsers show
        their pages.)
        """
        if not self._fed:
            return b""
        try:
            out = self._decoder.flush()
        except _ERRORS as error:
            raise self._wrong() from error
        if strict and not _complete(self._decoder):
            raise ContentDecodingError(f"the {self._coding} body stops short: the connection closed within it")
        return out

    def _wrong(self) -> ContentDecodingError:
        return ContentDecodingError(f"the body is not {self._coding}, as its Content-Encoding says")


def _complete(decoder: ContentDecoder) -> bool:
    if isinstance(decoder, GzipDecoder):
        return decoder._state == GzipDecoderState.SWALLOW_DATA or decoder._obj.eof
    if isinstance(decoder, DeflateDecoder):
        return decoder._obj.eof
    return True


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
    name = ", ".join(codings)
    return Decoding(name, _decoder(codings))


def _decoder(codings: list[str]) -> ContentDecoder:
    if codings in (["gzip"], ["x-gzip"]):
        return GzipDecoder()
    if codings == ["deflate"]:
        return DeflateDecoder()
    # The list form finds br and zstd as well, and is the only public way to them when one is not installed.
    return MultiDecoder(",".join(codings))

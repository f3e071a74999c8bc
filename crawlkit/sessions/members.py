"""Members: codings whose bodies may be many streams, one after the other: gzip's members, zstd's frames; and brotli's one.

What belongs here: the decoders that urllib3's do not serve for, in time that grows with the body alone, however small the
members are. What does not: how much of it is too much, and the chain of codings (decoding.py).

A decoder that comes to the end of a member gives back a copy of what it did not use. It is therefore fed a little at a
time, and more as long as the member lasts: what is copied is no more than what the member was.
"""

from __future__ import annotations

import sys
import zlib
from typing import Any

from urllib3.response import ContentDecoder, GzipDecoder, GzipDecoderState, MultiDecoder

_LEAST_FED = 4096

_ZSTD_WINDOW_LOG = 23  # 8 MiB, the most that RFC 9659 allows in HTTP; a frame may ask for gigabytes otherwise


class MemberDecoder(ContentDecoder):
    """A decoder that counts the members that it began."""

    begun = 0


class GzipMembers(MemberDecoder, GzipDecoder):
    """urllib3's decoder of gzip, but for the loop: what follows the last member and is none is left out, as there."""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Up to `max_length` decoded bytes; what was not needed for them is kept."""
        if self._state == GzipDecoderState.SWALLOW_DATA:
            return b""
        limit = max_length if max_length > 0 else sys.maxsize
        view = memoryview(self._unconsumed_tail + data if self._unconsumed_tail else data)
        self._unconsumed_tail = b""
        out = bytearray()
        at, feed = 0, _LEAST_FED
        while at < len(view) and len(out) < limit:
            if self._obj.eof:
                self._state = GzipDecoderState.OTHER_MEMBERS
                self._obj = zlib.decompressobj(16 + zlib.MAX_WBITS)
                self.begun += 1
                feed = _LEAST_FED
            piece = view[at : at + feed]
            try:
                out += self._obj.decompress(piece, limit - len(out))
            except zlib.error:
                first = self._state == GzipDecoderState.FIRST_MEMBER
                self._state = GzipDecoderState.SWALLOW_DATA
                if first:
                    raise
                return bytes(out)
            at += len(piece) - len(self._obj.unconsumed_tail or self._obj.unused_data)
            feed *= 2
        self._unconsumed_tail = bytes(view[at:])
        return bytes(out)


class ZstdFrames(MemberDecoder):
    """Frames of zstd, whose windows are no larger than HTTP allows."""

    def __init__(self) -> None:
        self._frame = _zstd_frame()
        self._tail = b""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Up to `max_length` decoded bytes; what was not needed for them is kept."""
        limit = max_length if max_length > 0 else sys.maxsize
        view = memoryview(self._tail + data if self._tail else data)
        out = bytearray()
        at, feed = 0, _LEAST_FED
        while len(out) < limit:
            if self._frame.eof:
                if at == len(view):
                    break
                self._frame = _zstd_frame()
                self.begun += 1
                feed = _LEAST_FED
            piece = view[at : at + feed]
            out += self._frame.decompress(piece, max_length=limit - len(out))
            at += len(piece)
            if self._frame.eof:
                unused = self._frame.unused_data
                if len(unused) > at:  # some of it was fed in an earlier call, which had no room for what it makes
                    view, at = memoryview(unused + view[at:]), len(unused)
                at -= len(unused)
            elif at == len(view):
                break
            feed *= 2
        self._tail = bytes(view[at:])
        return bytes(out)

    @property
    def has_unconsumed_tail(self) -> bool:
        """Whether more may come without input."""
        return bool(self._tail) or not (self._frame.needs_input or self._frame.eof)

    @property
    def is_complete(self) -> bool:
        """Whether the last frame is."""
        return bool(self._frame.eof)

    def flush(self) -> bytes:
        """Nothing is held back."""
        return b""


class BrotliStream(MultiDecoder):
    """urllib3's decoder of br, in the list form, which is the only public way to it where it is not installed.

    Of the package `brotli` 1.2 one that has taken in all of its input says that it waits for more, though it was stopped by
    the limit and has output left: the end of every page of more than 64 KB that compresses well. (`brotlicffi` says it.)
    """

    _filled = False

    def __init__(self) -> None:
        super().__init__("br")

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Up to `max_length` decoded bytes, or some more; what was not needed for them is kept."""
        out = super().decompress(data, max_length)
        self._filled = 0 < max_length <= len(out)
        return out

    @property
    def has_unconsumed_tail(self) -> bool:
        """Whether more may come without input."""
        return self._filled or super().has_unconsumed_tail


def _zstd_frame() -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG})

"""Recoding: putting content codings on a body again (RFC 9110 section 8.4).

What belongs here: gzip, deflate, br and zstd, on top of each other, for bodies that come in pieces. What does not: undoing
them (sessions/decoding.py). Quickly rather than small: the record is compressed once more.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

_LEVEL = 2
_BROTLI_QUALITY = 4
_GZIP = 16 + zlib.MAX_WBITS


def recoded(pieces: Iterable[bytes], content_encoding: str) -> Iterator[bytes]:
    """`pieces`, coded as a Content-Encoding says that can be undone."""
    for coding in content_encoding.lower().split(","):
        name = coding.strip(" \t")
        if name and name != "identity":
            pieces = _coded(pieces, name)
    return iter(pieces)


def _coded(pieces: Iterable[bytes], coding: str) -> Iterator[bytes]:
    if coding == "br":
        import brotli  # type: ignore[import-untyped]

        compressor: Any = brotli.Compressor(quality=_BROTLI_QUALITY)
        compress, finish = compressor.process, compressor.finish
    else:
        compressor = _zstd() if coding == "zstd" else zlib.compressobj(_LEVEL, wbits=_window(coding))
        compress, finish = compressor.compress, compressor.flush
    for piece in pieces:
        yield compress(piece)
    yield finish()


def _window(coding: str) -> int:
    return zlib.MAX_WBITS if coding == "deflate" else _GZIP


def _zstd() -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd.ZstdCompressor()

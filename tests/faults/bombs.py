"""Bodies that expand to ten gigabytes, made in milliseconds: one packed block, again and again.

What belongs here: bytes. What does not: servers, and what a client does with them (test_bombs.py). A trailer that only
who decoded all ten gigabytes could check is left out or wrong.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from functools import cache

import brotli

EXPANDED = 10 * (1 << 30)
_BLOCK = 1 << 24
_TIMES = EXPANDED // _BLOCK
_HEAD = gzip.compress(b"")[:10]
_EMPTY_MEMBER = gzip.compress(b"", mtime=0)


@cache
def _packed_block(block: bytes) -> bytes:
    """A block as raw deflate that ends on a byte and looks back at nothing before it: it may be repeated."""
    packer = zlib.compressobj(9, wbits=-15)
    return packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)


@cache
def gzipped() -> bytes:
    """10 MB that are 10 GB of zeros, in one member."""
    return _HEAD + _packed_block(bytes(_BLOCK)) * _TIMES


@cache
def members() -> bytes:
    """The same in 640 members, each complete."""
    return gzip.compress(bytes(_BLOCK)) * _TIMES


def deflated() -> bytes:
    return zlib.compress(b"")[:2] + _packed_block(bytes(_BLOCK)) * _TIMES


def raw_deflated() -> bytes:
    """Without zlib's two bytes, as some servers send it."""
    return _packed_block(bytes(_BLOCK)) * _TIMES


@cache
def brotlied() -> bytes:
    packer = brotli.Compressor(quality=5)
    first = packer.process(bytes(_BLOCK)) + packer.flush()
    again = packer.process(bytes(_BLOCK)) + packer.flush()
    assert packer.process(bytes(_BLOCK)) + packer.flush() == again
    return first + again * (_TIMES - 1)


def zstandard(window_log: int = 21) -> bytes:
    """A frame of blocks "this byte, so many times" (RFC 8878 section 3.1.1.2.2), its window 2^`window_log` bytes."""
    block = 1 << 17
    one = ((1 << 1) | (block << 3)).to_bytes(3, "little") + b"\0"
    return b"\x28\xb5\x2f\xfd\x00" + bytes([(window_log - 10) << 3]) + one * (EXPANDED // block)


def zstandard_frames() -> bytes:
    """In frames of 128 KiB, each complete."""
    block = 1 << 17
    one = (1 | (1 << 1) | (block << 3)).to_bytes(3, "little") + b"\0"
    return (b"\x28\xb5\x2f\xfd\x00\x58" + one) * (EXPANDED // block)


def nested(layers: int, innermost: Callable[[], bytes] = gzipped) -> bytes:
    """gzip in gzip in gzip."""
    body = innermost()
    for _ in range(layers - 1):
        body = gzip.compress(body)
    return body


def hollow_gzip() -> bytes:
    """10 GB of gzip members with nothing in them: decoding them gives not one byte that a limit could count."""
    block = _EMPTY_MEMBER * (_BLOCK // len(_EMPTY_MEMBER))
    return _HEAD + _packed_block(block) * _TIMES


def hollow_deflate() -> bytes:
    """10 GB of deflate blocks with nothing in them."""
    return _HEAD + _packed_block(zlib.compress(b"")[:2]) + _packed_block(b"\0\0\0\xff\xff" * (_BLOCK // 5)) * _TIMES


def hollow_within() -> bytes:
    """A layer that expands to 10 GB, around one that comes to nothing."""
    return gzip.compress(hollow_gzip())


def hollow_zstandard() -> bytes:
    """10 GB of zstd's skippable frames (RFC 8878 section 3.1.2)."""
    frame = b"\x50\x2a\x4d\x18" + (1 << 16).to_bytes(4, "little") + bytes(1 << 16)
    return _HEAD + _packed_block(frame * (_BLOCK // len(frame))) * _TIMES


def hollow_brotli() -> bytes:
    """10 GB of brotli's metadata (RFC 7932 section 9.2): WBITS 16, then empty blocks of it."""
    return _HEAD + _packed_block(b"\x0c") + _packed_block(b"\x06" * _BLOCK) * _TIMES


BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "gzip": ("gzip", gzipped),
    "x-gzip": ("x-gzip", gzipped),
    "gzip of many members": ("gzip", members),
    "deflate": ("deflate", deflated),
    "deflate without its head": ("deflate", raw_deflated),
    "br": ("br", brotlied),
    "zstd": ("zstd", zstandard),
    "zstd of many frames": ("zstd", zstandard_frames),
    "gzip in gzip": ("gzip, gzip", lambda: nested(2)),
    "three gzip": ("gzip, gzip, gzip", lambda: nested(3)),
    "five gzip": ("gzip, gzip, gzip, gzip, gzip", lambda: nested(5)),
    "members in gzip": ("gzip, gzip", lambda: nested(2, members)),
    "gzip in br": ("gzip, br", lambda: brotli.compress(gzipped(), quality=5)),
    "br in gzip": ("br, gzip", lambda: nested(2, brotlied)),
    "zstd in gzip": ("zstd, gzip", lambda: nested(2, zstandard)),
    "zstd in zstd in gzip": ("zstd, gzip, gzip", lambda: nested(3, zstandard)),
}
"""Name → Content-Encoding and the body's maker. Each gives as many zeros as anybody takes."""

HOLLOW: dict[str, tuple[str, Callable[[], bytes]]] = {
    "empty members": ("gzip, gzip", hollow_gzip),
    "empty members in two layers": ("gzip, gzip, gzip", hollow_within),
    "empty blocks": ("deflate, gzip", hollow_deflate),
    "skippable frames": ("zstd, gzip", hollow_zstandard),
    "metadata of br": ("br, gzip", hollow_brotli),
    "window of 128 MiB": ("zstd", lambda: zstandard(27)),
    "six codings": ("gzip, gzip, gzip, gzip, gzip, gzip", lambda: nested(6)),
}
"""The same for bodies that cost work or memory and give nothing: they are errors of decoding."""

"""Zip layout: whether the members of a zip lie where its directory says, and nothing else does.

What belongs here: the heads of the members, and the bytes between and after them (APPNOTE.TXT 6.3.10, sections 4.3.7 to
4.3.16), which no checksum covers and readers pass over. What does not: the members (zipreading.py). A tool that unpacks by
the heads would see another package than one that goes by the directory, where the two differ.
"""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Iterator
from typing import IO

_HEAD = struct.Struct("<4s5H3L2H")
_MARK, _END_MARK = b"PK\x03\x04", b"PK\x05\x06"
_SUMS_FOLLOW = 1 << 3  # the checksum and the sizes come after the bytes
_LONGEST_SUMS = 24
_ELSEWHERE = 0xFFFFFFFF  # a size that is in the extra field of zip64
_END_LENGTH = 22


def layout_problems(zipped: zipfile.ZipFile, file: IO[bytes]) -> Iterator[str]:
    """What is wrong with it, each with its offset in `file`, which is the zip's own."""
    at = may_be = 0
    for info in sorted(zipped.infolist(), key=lambda info: info.header_offset):
        start = info.header_offset
        if start < at:
            yield f"offset {max(start, 0)}: {at - start} bytes before the member {info.orig_filename[:200]!r} are missing"
            return
        if start > may_be:
            yield f"offset {at}: {start - at} bytes belong to no member"
        file.seek(start)
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size or not head.startswith(_MARK):
            yield f"offset {start}: there is no member {info.orig_filename[:200]!r}"
            return
        _, version, flags, method, clock, day, *sums, name_length, extra_length = _HEAD.unpack(head)
        if (version, flags, method, clock, day) != _said(info) or not _agree(sums, flags, info):
            yield f"offset {start}: the head of {info.orig_filename[:200]!r} is not what the zip's directory says"
        at = may_be = start + _HEAD.size + name_length + extra_length + info.compress_size
        may_be += _LONGEST_SUMS if flags & _SUMS_FOLLOW else 0
    yield from _problems_of_end(zipped, file, at, may_be)


def _said(info: zipfile.ZipInfo) -> tuple[int, ...]:
    year, month, day, hour, minute, second = info.date_time
    clock = hour << 11 | minute << 5 | second // 2
    return info.extract_version, info.flag_bits, info.compress_type, clock, year - 1980 << 9 | month << 5 | day


def _agree(sums: list[int], flags: int, info: zipfile.ZipInfo) -> bool:
    expected = (info.CRC, info.compress_size, info.file_size)
    return bool(flags & _SUMS_FOLLOW) or all(
        found in (value, _ELSEWHERE) for found, value in zip(sums, expected, strict=True)
    )


def _problems_of_end(zipped: zipfile.ZipFile, file: IO[bytes], at: int, may_be: int) -> Iterator[str]:
    if not at <= zipped.start_dir <= may_be:
        yield f"offset {at}: {abs(zipped.start_dir - at)} bytes before the directory belong to no member, or are missing"
    end = file.seek(0, os.SEEK_END) - _END_LENGTH - len(zipped.comment)
    file.seek(max(end, 0))
    if file.read(len(_END_MARK)) != _END_MARK:
        yield f"offset {max(end, 0)}: the zip does not end where its file ends"

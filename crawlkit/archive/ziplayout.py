"""Zip layout: whether the members of a zip lie where its directory says, and nothing else does.

What belongs here: the heads of the members, the directory, and the bytes between and after them (APPNOTE.TXT 6.3.10,
sections 4.3.7 to 4.3.16), which no checksum covers and readers pass over. What does not: the members (zipreading.py). A tool
that unpacks by the heads would see another package than one that goes by the directory, where the two differ.

Nothing is said of what other tools fill in as they like: who made a member and with which rights, comments, extra fields
beside that of zip64.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from typing import IO, NamedTuple

_HEAD = struct.Struct("<4s5H3L2H")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = struct.Struct("<4sLQL")
_SIZES_64 = struct.Struct("<2H2Q")
_MARK, _ENTRY_MARK, _END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_END_64_MARK, _LOCATOR_64_MARK, _SUMS_MARK = b"PK\x06\x06", b"PK\x06\x07", b"PK\x07\x08"
_SUMS_FOLLOW = 1 << 3  # the checksum and the sizes come after the bytes
_ELSEWHERE, _ELSEWHERE_SHORT = 0xFFFFFFFF, 0xFFFF  # a number that is in a field or a record of zip64
_VERSION_64 = 45
_NOT = "is not what the zip's directory says"


class _Entry(NamedTuple):
    """A member as the directory has it. `said`: version, flags, method, time and day."""

    info: zipfile.ZipInfo
    said: tuple[int, ...]
    name: bytes

    @property
    def shown(self) -> str:
        return repr(self.info.orig_filename[:200])


def layout_problems(zipped: zipfile.ZipFile, file: IO[bytes]) -> Iterator[str]:
    """What is wrong with it, each with its offset in `file`, which is the zip's own."""
    entries: list[_Entry] = []
    at = zipped.start_dir
    for info in zipped.infolist():
        entry, at, problem = _entry(file, at, info)
        if problem is not None:
            yield problem
        if entry is None:
            return
        entries.append(entry)
    yield from _problems_of_members(sorted(entries, key=lambda entry: entry.info.header_offset), file, zipped.start_dir)
    yield from _problems_of_end(file, at, len(entries))


def _entry(file: IO[bytes], at: int, info: zipfile.ZipInfo) -> tuple[_Entry | None, int, str | None]:
    """The entry of the directory at `at`, where it ends, and what is wrong with it."""
    file.seek(at)
    data = file.read(_ENTRY.size)
    if len(data) < _ENTRY.size or not data.startswith(_ENTRY_MARK):
        return None, at, f"offset {at}: the zip's directory has no entry there"
    _, _, *said, _, _, _, name_length, extra_length, comment_length, disk, _, rights, _ = _ENTRY.unpack(data)
    entry = _Entry(info, tuple(said), file.read(name_length))
    problem = None
    if disk not in (0, _ELSEWHERE_SHORT):
        problem = f"offset {at}: the directory says that {entry.shown} is on another disk"
    elif stat.S_ISLNK(rights >> 16):
        problem = f"offset {at}: the directory says that {entry.shown} is a symbolic link"
    elif info.is_dir() and (info.file_size or info.compress_size):
        problem = f"offset {at}: {entry.shown} is a folder, and has {info.file_size:,} bytes"
    return entry, at + _ENTRY.size + name_length + extra_length + comment_length, problem


# --- members ----------------------------------------------------------------------------------------------------------


def _problems_of_members(entries: list[_Entry], file: IO[bytes], directory: int) -> Iterator[str]:
    starts = [0, *(entry.info.header_offset for entry in entries), directory]
    end = 0
    if entries and starts[1] > 0:
        yield f"offset 0: {starts[1]} bytes belong to no member"
    for entry, (start, following) in zip(entries, pairwise(starts[1:]), strict=True):
        if start < end:
            yield (
                f"offset {max(start, 0)}: {end - start} bytes before the member {entry.shown} are missing, or are of two "
                "members"
            )
            return
        file.seek(start)
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size or not head.startswith(_MARK):
            yield f"offset {start}: there is no member {entry.shown}"
            return
        _, *said, crc, packed, size, name_length, extra_length = _HEAD.unpack(head)
        name, extra = file.read(name_length), file.read(extra_length)
        if not _same(said, entry.said) or not _agree((crc, packed, size), extra, entry):
            yield f"offset {start}: the head of {entry.shown} {_NOT}"
        if name != entry.name:
            yield f"offset {start}: the name in the head of {entry.shown}, {name[:200]!r}, {_NOT}"
        end = start + _HEAD.size + name_length + extra_length + entry.info.compress_size
        if following > end:
            file.seek(end)
            if not _are_sums(file.read(min(following - end, 64)), entry):
                yield f"offset {end}: {following - end} bytes belong to no member"
            end = following
    if end > directory:
        yield f"offset {directory}: {end - directory} bytes before the directory are missing"


def _same(found: list[int], said: tuple[int, ...]) -> bool:
    """Whether a member's head says of version, flags, method and time what the directory does. Of a member that lies more
    than 2 GiB into the file the directory asks for zip64, and its head need not.
    """
    version, *others = found
    return said in ((version, *others), (max(version, _VERSION_64), *others))


def _agree(found: tuple[int, int, int], extra: bytes, entry: _Entry) -> bool:
    """Whether checksum and sizes in a member's head are what the directory says; zip64 has the sizes in `extra`."""
    crc, packed, size = found
    if _ELSEWHERE in (packed, size):
        size_64, packed_64 = _sizes_64(extra)
        packed, size = packed_64 if packed == _ELSEWHERE else packed, size_64 if size == _ELSEWHERE else size
    info = entry.info
    expected = (info.CRC, info.compress_size, info.file_size)
    if _sums_follow(entry):
        return all(each in (0, value) for each, value in zip((crc, packed, size), expected, strict=True))
    return (crc, packed, size) == expected


def _sizes_64(extra: bytes) -> tuple[int, int]:
    """The sizes in the extra field of zip64 (section 4.5.3), unpacked and packed; -1 where there is none."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1 and length >= 16 and at + _SIZES_64.size <= len(extra):
            return _SIZES_64.unpack_from(extra, at)[2:]
        at += 4 + length
    return -1, -1


def _sums_follow(entry: _Entry) -> bool:
    return bool(entry.info.flag_bits & _SUMS_FOLLOW)


def _are_sums(data: bytes, entry: _Entry) -> bool:
    """Whether these bytes after a member's are its checksum and sizes, with or without a mark, in either length."""
    info = entry.info
    forms = [struct.pack(f"<L2{letter}", info.CRC, info.compress_size, info.file_size) for letter in _letters(info)]
    return _sums_follow(entry) and data in (*forms, *(_SUMS_MARK + form for form in forms))


def _letters(info: zipfile.ZipInfo) -> str:
    return "Q" if max(info.compress_size, info.file_size) > _ELSEWHERE else "LQ"


# --- the end ----------------------------------------------------------------------------------------------------------


def _problems_of_end(file: IO[bytes], at: int, count: int) -> Iterator[str]:
    """`at`: where the directory of `count` entries ends."""
    length = file.seek(0, os.SEEK_END)
    file.seek(at)
    data = file.read(_END_64.size)
    if data.startswith(_END_64_MARK) and len(data) == _END_64.size:
        _, size, _, _, disk, disk_of_directory, here, total, _, _ = _END_64.unpack(data)
        if (disk, disk_of_directory, here, total) != (0, 0, count, count):
            yield f"offset {at}: the zip64 end of the directory does not count its {count} members"
        locator = at + 12 + size
        file.seek(locator)
        data = file.read(_LOCATOR_64.size)
        if len(data) < _LOCATOR_64.size or _LOCATOR_64.unpack(data) != (_LOCATOR_64_MARK, 0, at, 1):
            yield f"offset {locator}: what leads to the zip64 end of the directory does not"
        at = locator + _LOCATOR_64.size
    file.seek(at)
    data = file.read(_END.size)
    if len(data) < _END.size or not data.startswith(_END_MARK):
        yield f"offset {at}: the end of the directory is not where its entries end"
        return
    _, disk, disk_of_directory, here, total, _, _, comment_length = _END.unpack(data)
    if not ({disk, disk_of_directory} <= {0, _ELSEWHERE_SHORT} and {here, total} <= {count, _ELSEWHERE_SHORT}):
        yield f"offset {at}: the end of the directory does not count its {count} members"
    if at + _END.size + comment_length != length:
        yield f"offset {min(at + _END.size + comment_length, length)}: the zip does not end where its file ends"

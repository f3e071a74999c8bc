"""Zip reading: the members of a package from anywhere, none of which is believed.

What belongs here: the names, sizes and bytes of members, and what a zip must not have. What does not: what the members
mean (package_reading.py). Nothing is ever unpacked to a path that a zip names.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, NoReturn, Self

from crawlkit.archive.ziplayout import layout_problems
from crawlkit.exceptions import ArchiveDamaged, StorageError

MAX_MEMORY = 256 * 1024 * 1024
"""A member with more is not read as a whole."""
_MAX_MEMBERS = 100_000
_BOMB_BYTES = 256 * 1024 * 1024
_BOMB_RATIO = 200  # an index or a list of pages has 20 at most, deflate allows 1,032
_PIECE = 1 << 18
_LOCAL_HEAD = struct.Struct("<4s22xHH")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 1
_TROUBLE = (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, ValueError, struct.error, zlib.error)


class ZipReader:
    """The zip `path`, open for reading. Belongs to one thread; a `with` closes it.

    Every method raises ArchiveDamaged, which names the member and where it is. So does opening: for what is no zip, or
    is cut off, and for names that lead out of a folder, doubles, members that are encrypted, and members that would
    become unreasonably large.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise StorageError(f"{path}: it cannot be read ({error.strerror or error})") from error
        try:
            self._zip = zipfile.ZipFile(self._file)
            self._members = self._checked()
        except _TROUBLE as error:
            self._file.close()
            size = path.stat().st_size
            raise ArchiveDamaged(
                f"{path}: no directory of a zip can be read at its end ({error}); it has {size:,} bytes and may be cut off",
                offset=size,
            ) from error
        except ArchiveDamaged:
            self._file.close()
            raise

    def _checked(self) -> dict[str, zipfile.ZipInfo]:
        members: dict[str, zipfile.ZipInfo] = {}
        if len(self._zip.infolist()) > _MAX_MEMBERS:
            raise ArchiveDamaged(f"{self.path}: it has more than {_MAX_MEMBERS:,} members")
        for info in self._zip.infolist():
            if info.is_dir():
                continue
            if not _is_safe(info.orig_filename):
                self._refuse(info, "its name leads out of the package")
            if info.filename in members:
                self._refuse(info, "another member has the same name")
            if info.compress_type not in _METHODS or info.flag_bits & _ENCRYPTED:
                self._refuse(info, "it is encrypted, or compressed in a way that packages are not")
            if info.file_size > max(_BOMB_BYTES, info.compress_size * _BOMB_RATIO):
                self._refuse(info, f"its {info.compress_size:,} bytes would become {info.file_size:,}")
            members[info.filename] = info
        return members

    def _refuse(self, info: zipfile.ZipInfo, why: str) -> NoReturn:
        name = info.orig_filename[:200]
        raise ArchiveDamaged(
            f"{self.path}, member {name!r}, offset {info.header_offset}: {why}", offset=info.header_offset
        )

    # --- members ----------------------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """The names of all members, in the order in which they lie in the file."""
        return sorted(self._members, key=lambda name: self._members[name].header_offset)

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def size(self, name: str) -> int:
        """How many bytes the member has, uncompressed."""
        return self._info(name).file_size

    def is_stored(self, name: str) -> bool:
        """Whether the member's bytes lie in the file as they are."""
        return self._info(name).compress_type == zipfile.ZIP_STORED

    def _info(self, name: str) -> zipfile.ZipInfo:
        info = self._members.get(name)
        if info is None:
            raise ArchiveDamaged(f"{self.path}: it has no {name}")
        return info

    def layout_problems(self) -> Iterator[str]:
        """What is wrong around the members, where no checksum tells (ziplayout.py)."""
        try:
            for problem in layout_problems(self._zip, self._file):
                yield f"{self.path}, {problem}"
        except OSError as error:
            raise ArchiveDamaged(f"{self.path}: it cannot be read ({error.strerror or error})") from error

    # --- bytes ------------------------------------------------------------------------------------------------------

    def pieces(self, name: str) -> Iterator[bytes]:
        """The member's bytes, uncompressed, in pieces; they are checked against the zip's checksum."""
        info = self._info(name)
        try:
            with self._zip.open(info) as member:
                while piece := member.read(_PIECE):
                    yield piece
        except _TROUBLE as error:
            self._refuse(info, f"it cannot be read ({str(error) or 'its bytes end too early'})")

    def read(self, name: str) -> bytes:
        """The member's bytes, uncompressed, all at once."""
        if self.size(name) > MAX_MEMORY:
            self._refuse(self._info(name), f"it is larger than the {MAX_MEMORY:,} bytes that it may have")
        return b"".join(self.pieces(name))

    def lines(self, name: str) -> Iterator[bytes]:
        """The member's lines, uncompressed, each with its newline."""
        rest = b""
        for piece in self.pieces(name):
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                yield line + b"\n"
            if len(rest) > MAX_MEMORY:
                self._refuse(self._info(name), "a line of it has no end")
        if rest:
            yield rest

    def section(self, name: str) -> IO[bytes]:
        """A stored member as a file of its own that can be sought in. To be closed before the zip is."""
        info = self._info(name)
        if not self.is_stored(name):
            self._refuse(info, "it is compressed once more, so that no record in it can be found; WACZ forbids it")
        try:
            self._file.seek(info.header_offset)
            mark, name_size, extra_size = _LOCAL_HEAD.unpack(self._file.read(_LOCAL_HEAD.size))
        except (OSError, struct.error) as error:
            self._refuse(info, f"it cannot be read ({error})")
        if mark != b"PK\x03\x04":
            self._refuse(info, "there is no member")
        start = info.header_offset + _LOCAL_HEAD.size + name_size + extra_size
        return io.BufferedReader(_Section(self.path, start, info.file_size), _PIECE)

    def close(self) -> None:
        """Close the file. May be called twice."""
        self._zip.close()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class _Section(io.RawIOBase):
    """Bytes of a file as if there were no others."""

    def __init__(self, path: Path, start: int, size: int) -> None:
        self._file = path.open("rb", buffering=0)
        self._start = start
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence], 0)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._file.seek(self._start + self._at)
        count = self._file.readinto(memoryview(buffer)[: max(self._size - self._at, 0)]) or 0
        self._at += count
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


def _is_safe(name: str) -> bool:
    """Whether a name stays within the folder that a zip is unpacked into, on any system."""
    parts = PurePosixPath(name).parts
    return bool(parts) and not name.startswith("/") and ".." not in parts and not set(name) & set("\\\0:")

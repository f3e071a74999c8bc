"""Zip writing: the members of a package, with their digests.

What belongs here: that. What does not: which members a package has (wacz.py), giving the finished file its name
(store/wholefile.py).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

from crawlkit.archive.datapackage import Resource
from crawlkit.exceptions import StorageError

_PIECE = 1 << 20
_LEVEL = 2  # the text of 530 pages, 11 MB: 0.2 s; at zlib's 6, 0.6 s for a quarter fewer bytes


class ZipWriter:
    """A zip at `path`, where there is no file yet. Belongs to one thread; a `with` closes it.

    `resources` are the members so far. Every method raises StorageError, which names the file that is in trouble. Zip64
    is used where a size needs it, and only there, for not every reader knows it.
    """

    def __init__(self, path: Path, *, moment: float | None = None) -> None:
        self._path = path
        self._moment = time.gmtime(moment)[:6]
        self.resources: list[Resource] = []
        with _naming(path):
            self._file = path.open("xb")
            self._zip = zipfile.ZipFile(self._file, "w", allowZip64=True)

    def add(self, name: str, pieces: Iterable[bytes], *, size: int, compress: bool = False) -> None:
        """A member of `size` bytes, stored as it is unless it is to be compressed."""
        info = zipfile.ZipInfo(name, self._moment)
        info.compress_type = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
        info._compresslevel = _LEVEL  # type: ignore[attr-defined]  # public as `compress_level` from Python 3.13 on
        info.external_attr = 0o644 << 16
        info.file_size = size  # known beforehand, so that the entry is zip64 when it has to be
        hashing = hashlib.sha256()
        with _naming(self._path), self._zip.open(info, "w") as member:
            for piece in pieces:
                hashing.update(piece)
                member.write(piece)
        self.resources.append(Resource(name, size, "sha256:" + hashing.hexdigest()))

    def add_bytes(self, name: str, data: bytes) -> None:
        """A small member, compressed."""
        self.add(name, (data,), size=len(data), compress=True)

    def add_file(self, name: str, source: Path) -> None:
        """A file's bytes, stored."""
        with _naming(source), source.open("rb") as file:
            self.add(name, iter(lambda: file.read(_PIECE), b""), size=os.fstat(file.fileno()).st_size)

    def close(self) -> None:
        """Write the zip's directory. May be called twice."""
        with _naming(self._path):
            self._zip.close()
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc_info: object) -> None:
        if kind is None:
            self.close()
            return
        # No directory: what is here is thrown away, and on a full disk it could not be written either.
        self._zip.fp = None
        with contextlib.suppress(OSError):  # what is buffered may not fit; the trouble is being told already
            self._file.close()


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{error.filename or path}: {error.strerror or error}; the package was not written, what was fetched is kept: "
            "make room, or name another place, and start the same command again"
        ) from error

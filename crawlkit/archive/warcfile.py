"""WarcFile: the files that records are appended to.

What belongs here: appending, syncing, beginning the next file, cutting back to what was committed. What does not: the
records (records.py). Only the writer thread comes here: it appends and syncs before it commits the pages whose records
these are, so that the database never names an offset that is not on the disk, and what the disk has beyond the last
one named belongs to nobody and is cut off.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

from crawlkit.archive import reading, records
from crawlkit.archive.packed import Packed
from crawlkit.exceptions import ArchiveDamaged, StorageError

LIMIT = 1_000_000_000
PATTERN = "data-{:05d}.warc.gz"
_TOGETHER = 1 << 20  # bytes that wait to be written at most


class WarcFile:
    """The WARC files of one archive: `pattern`'s, numbered from 0, in `folder`, which is made.

    A new file is begun when the last one has `limit` bytes or more (None: never). `fields` go into each file's warcinfo
    record and must hold nothing secret. Goes on with the last file that is there; call `cut` first to leave out what
    was not committed. Every method raises StorageError, naming the file. Writer thread only, but for `warcinfo_id`.
    """

    def __init__(
        self,
        folder: Path,
        pattern: str = PATTERN,
        limit: int | None = LIMIT,
        *,
        fields: Mapping[str, str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._pattern = pattern
        self._limit = limit
        self._fields = dict(fields)
        self._clock = clock
        self._file: IO[bytes] | None = None
        self._waiting: list[bytes] = []
        self._size = 0  # with what waits
        self._written = self._synced = 0
        self._made = False  # a file whose name the folder may not yet have on the disk
        self._warcinfo_id = ""
        self._go_to(max((_number(pattern, path) for path in self.paths()), default=-1))
        with self._naming(folder):
            folder.mkdir(parents=True, exist_ok=True)

    def paths(self) -> list[Path]:
        """The files that are there, in order."""
        found = [path for path in self._folder.glob("*") if _number(self._pattern, path) >= 0]
        return sorted(found, key=lambda path: _number(self._pattern, path))

    @property
    def path(self) -> Path:
        """The file that is appended to."""
        return self._path

    def _go_to(self, number: int) -> None:
        self._number = number
        self._path = self._folder / self._pattern.format(max(number, 0))

    @property
    def warcinfo_id(self) -> str:
        """The id of the last file's warcinfo record. From any thread, once `begin` was called: a record that is packed
        while the next file begins names the file before it, as it may (section 5.11).
        """
        return self._warcinfo_id

    def begin(self) -> None:
        """Open the last file, or the first."""
        if self._file is not None:
            return
        if self._number < 0 or not self.path.exists() or not self.path.stat().st_size:
            self._begin_file(max(self._number, 0))
            return
        with self._naming(self.path):
            self._file = self.path.open("r+b", buffering=0)
            self._size = self._written = self._synced = self._file.seek(0, os.SEEK_END)
        self._warcinfo_id = next(reading.records(self.path)).record_id

    def append(self, packed: Packed) -> list[tuple[str, int, int]]:
        """Append the records; where each is: the file's name, offset and length, in bytes. Not yet on the disk, nor all
        written: `sync`.

        When that or this fails the file is cut back to where it was at the last `sync`.
        """
        self.begin()
        if self._limit is not None and self._size >= self._limit:
            self._begin_file(self._number + 1)
        start = self._size
        self._write(packed)
        return [(self.path.name, start + member.start, member.length) for member in packed.members]

    def _write(self, packed: Packed) -> None:
        try:
            for chunk in packed.spool.chunks():
                self._waiting.append(chunk)
                self._size += len(chunk)
                if self._size - self._written >= _TOGETHER:
                    self._flush()
        except BaseException:
            self._cut_back()
            raise

    def _flush(self) -> None:
        """Write what waits, many records together: each call lets the workers run, and then waits for its turn again."""
        file = self._file
        if file is None or not self._waiting:
            return
        data = b"".join(self._waiting)
        with self._naming(self.path):
            file.seek(self._written)
            view = memoryview(data)
            while view:
                view = view[file.write(view) :]
        self._waiting = []
        self._written += len(data)

    def _cut_back(self) -> None:
        self._waiting = []
        self._size = self._written = self._synced
        if self._file is not None:
            with contextlib.suppress(OSError):  # the next start cuts it off as well
                self._file.truncate(self._synced)
            if not self._synced:  # its warcinfo record went, too: the file is begun anew
                with contextlib.suppress(OSError):
                    self._file.close()
                self._file = None

    def _begin_file(self, number: int) -> None:
        self.sync()
        self.close()
        self._go_to(number)
        with self._naming(self.path):
            self._file = self.path.open("w+b", buffering=0)
        self._size = self._written = self._synced = 0
        self._made = True
        with records.warcinfo(self.path.name, self._fields, now=self._clock()) as packed:
            self._write(packed)
            self._warcinfo_id = packed.members[0].record_id

    def sync(self) -> None:
        """Put on the disk what was appended, and the names of new files."""
        if self._file is None or self._size == self._synced:
            return
        try:
            self._flush()
            with self._naming(self.path):
                os.fsync(self._file.fileno())
        except StorageError:
            self._cut_back()
            raise
        self._synced = self._size
        if self._made:
            self._sync_folder()
            self._made = False

    def _sync_folder(self) -> None:
        if os.name == "nt":  # no descriptor of a folder
            return
        with self._naming(self._folder):
            descriptor = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def cut(self, name: str | None, end: int) -> None:
        """Leave out what was not committed: all after byte `end` of the file `name`, and the files after it.

        `name` None: nothing was committed. ArchiveDamaged when what was committed is not there.
        """
        self.close()
        last = -1 if name is None else _number(self._pattern, self._folder / name)
        for path in self.paths():
            if _number(self._pattern, path) > last:
                with self._naming(path):
                    path.unlink()
        self._go_to(last)
        if name is None:
            return
        if last < 0:
            raise ArchiveDamaged(f"{self._folder / name}: no file of this archive has such a name")
        size = self.path.stat().st_size if self.path.exists() else 0
        if size < end:
            raise ArchiveDamaged(
                f"{self.path}: the database names records up to byte {end} of it, and it has {size} bytes; "
                "put the file back, or begin anew with --fresh"
            )
        with self._naming(self.path), self.path.open("r+b") as file:
            file.truncate(end)
            os.fsync(file.fileno())
        self._sync_folder()

    def close(self) -> None:
        """Write what waits and close the file. May be called twice, and the next `append` opens it again."""
        try:
            self._flush()
        except StorageError:
            self._cut_back()
            raise
        finally:
            file, self._file = self._file, None
            if file is not None:
                with self._naming(self.path):
                    file.close()

    @contextlib.contextmanager
    def _naming(self, path: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._trouble(path, error) from error

    @staticmethod
    def _trouble(path: Path, error: OSError) -> StorageError:
        return StorageError(
            f"{path}: the archive cannot be written ({error.strerror or error}); what was committed is safe, "
            "make room and start the same command again"
        )


def _number(pattern: str, path: Path) -> int:
    """The number of a file of this pattern; -1 when it is none. A pattern without a place for one has number 0 alone."""
    before, place, after = pattern.partition("{:05d}")
    if not place:
        return 0 if path.name == pattern else -1
    match = re.fullmatch(f"{re.escape(before)}([0-9]{{5,}}){re.escape(after)}", path.name)
    return int(match[1]) if match else -1

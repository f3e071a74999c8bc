"""Package reading: what an archive holds, a `.wacz` or a `.warc.gz`, of ours or of anybody.

What belongs here: the captures of an archive, and the body of one. What does not: whether an archive is as it says it is
(package_verifying.py), the zip (zipreading.py), the records (reading.py).
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from crawlkit.archive.captures import captures
from crawlkit.archive.cdxj import REVISIT, Entry, read_line, timestamp
from crawlkit.archive.reading import Record, records_in
from crawlkit.archive.surt import surt
from crawlkit.archive.wacz import UNMODIFIED
from crawlkit.archive.zipreading import ZipReader
from crawlkit.exceptions import ArchiveDamaged, ContentDecodingError, StorageError, UsageError

_MAX_LINE = 1 << 20
_BOMB_BYTES = 64 * 1024 * 1024
_BOMB_RATIO = 2000  # gzip allows 1,032
_MAX_REFERRALS = 5


@dataclass(frozen=True, slots=True)
class Extract:
    """The body of one capture: where it was found, and its bytes without content codings, to be read once."""

    entry: Entry
    pieces: Iterator[bytes]


class ArchiveReader:
    """The archive `path`, open for reading. Belongs to one thread; a `with` closes it.

    UsageError when its name ends neither in `.wacz` nor in `.warc.gz`, StorageError when there is no such file,
    ArchiveDamaged, here and wherever something is read, when it is not what it should be.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.zip: ZipReader | None = None
        if path.name.endswith(".wacz"):
            self.zip = ZipReader(path)
        elif not path.name.endswith(".warc.gz"):
            raise UsageError(f"{path}: an archive's name ends in .wacz or .warc.gz")
        elif not path.is_file():
            raise StorageError(f"{path}: there is no such file")

    def warcs(self) -> list[str]:
        """The names of the WARC files, as an index has them."""
        if self.zip is None:
            return [self.path.name]
        return [name.removeprefix("archive/") for name in self.zip.names() if _is_warc(name)]

    def records(self, warc: str, start: int = 0) -> Generator[Record, None, None]:
        """The records of one of the WARC files, from the one that begins at the byte `start` on, as reading.records()."""
        path = self.path if self.zip is None else self.path / "archive" / warc
        with self._open(warc) as file:
            yield from records_in(file, path, start)

    def _open(self, warc: str) -> IO[bytes]:
        if self.zip is not None:
            return self.zip.section(f"archive/{warc}")
        try:
            return self.path.open("rb")
        except OSError as error:
            raise StorageError(f"{self.path}: it cannot be read ({error.strerror or error})") from error

    # --- captures ---------------------------------------------------------------------------------------------------

    def entries(self) -> Iterator[Entry]:
        """Every capture: of a package in the order of its index, of a WARC file in its own."""
        if self.zip is None:
            yield from captures(self.records(self.path.name))
            return
        for _, line in self.index_lines():
            yield self.entry(line)

    def entry(self, line: bytes) -> Entry:
        """The capture that a line of the index names."""
        try:
            return read_line(line)[1]
        except ValueError as error:
            raise ArchiveDamaged(f"{self.path}: a line of its index cannot be read ({error}): {line[:80]!r}") from error

    def index_lines(self) -> Iterator[tuple[str, bytes]]:
        """Every line of a package's indexes, with the name of the member that it is in."""
        assert self.zip is not None
        names = [name for name in self.zip.names() if name.startswith("indexes/")]
        indexes = [name for name in names if name.endswith((".cdx", ".cdxj", ".cdx.gz", ".cdxj.gz"))]
        if not indexes:
            raise ArchiveDamaged(f"{self.path}: it has no index (indexes/*.cdx)")
        for name in [*indexes, *(name for name in names if name == UNMODIFIED)]:
            lines = self._packed_lines(name) if name.endswith(".gz") else self.zip.lines(name)
            for line in lines:
                if line.strip() and not line.startswith((b" CDX", b"!meta")):
                    yield name, line

    def _packed_lines(self, name: str) -> Iterator[bytes]:
        assert self.zip is not None
        with self.zip.section(name) as section, gzip.GzipFile(fileobj=section) as lines:
            try:
                while line := lines.readline(_MAX_LINE):
                    yield line
            except (OSError, EOFError, zlib.error) as error:
                at = section.tell()
                raise ArchiveDamaged(f"{self.path}, member {name}, near offset {at}: {error}", offset=at) from error

    # --- one capture ------------------------------------------------------------------------------------------------

    def extract(self, url: str) -> Extract:
        """The latest capture of `url` by GET that has a body: what was fetched from there, or a revisit of it.

        UsageError when there is none, or when its body is in an earlier archive, which is said.
        """
        found = self._latest(url)
        if found is None:
            raise UsageError(f"{url}: it is not in {self.path}; crawlkit archive --list {self.path} says what is")
        return self._extract(found, _MAX_REFERRALS)

    def _latest(self, url: str, *, moment: str = "") -> Entry | None:
        """The capture of exactly this URL, else of one with the same key; at `moment` (14 digits) when there is one."""
        key = surt(url)
        best: tuple[tuple[bool, bool, str], Entry] | None = None
        for entry in self.entries():
            if entry.method == "GET" and (entry.url == url or entry.key == key):
                when = timestamp(entry.date)
                rank = (entry.url == url, bool(moment) and when == moment and entry.mime != REVISIT, when)
                if best is None or rank >= best[0]:
                    best = (rank, entry)
        return best[1] if best else None

    def _extract(self, entry: Entry, referrals: int) -> Extract:
        with closing(self.records(entry.filename, entry.offset)) as records:
            record = next(records, None)
            if record is None or record.url != entry.url:
                raise ArchiveDamaged(
                    f"{self.path}: its index says that {entry.url} is at offset {entry.offset} of {entry.filename}, and it "
                    "is not",
                    offset=entry.offset,
                )
            if record.kind != "revisit":
                return Extract(entry, self._body(entry))
            where, when = record.get("WARC-Refers-To-Target-URI") or entry.url, record.get("WARC-Refers-To-Date")
        referred = self._latest(where, moment=timestamp(when)) if referrals else None
        if referred is None or referred == entry:
            raise UsageError(
                f"{entry.url}: it is unchanged since {when or 'an earlier day'}; its body is in the archive of that day, "
                f"as {where}"
            )
        return self._extract(referred, referrals - 1)

    def _body(self, entry: Entry) -> Iterator[bytes]:
        with closing(self.records(entry.filename, entry.offset)) as records:
            record = next(records)
            size = 0
            try:
                for piece in record.decoded():
                    size += len(piece)
                    if size > max(_BOMB_BYTES, record.content_length * _BOMB_RATIO):
                        raise ArchiveDamaged(
                            f"{record.path}, offset {record.offset}: the {record.content_length:,} bytes of this record "
                            f"become more than {size:,}; the rest is not unpacked",
                            offset=record.offset,
                        )
                    yield piece
            except ContentDecodingError as error:
                if not entry.truncated:
                    raise ArchiveDamaged(
                        f"{record.path}, offset {record.offset}: the body of {entry.url} is not in the coding that its head "
                        f"names ({error})",
                        offset=record.offset,
                    ) from error

    def close(self) -> None:
        """Close the file. May be called twice."""
        if self.zip is not None:
            self.zip.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def _is_warc(name: str) -> bool:
    return name.startswith("archive/") and name.endswith(".warc.gz")

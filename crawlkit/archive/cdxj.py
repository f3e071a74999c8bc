"""CDXJ: an archive's index, one line a capture: the key of its URL, the moment, and where in which WARC file it lies.

What belongs here: the line, lines in order, and the two forms in which an index is kept: plain, and in compressed
blocks with an index of their own (ZipNum), of which a reader loads one block a look-up. What does not: the key
(surt.py), which records are indexed (indexing.py), files and zips (wacz.py).
"""

from __future__ import annotations

import gzip
import hashlib
import heapq
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from crawlkit.archive.surt import surt
from crawlkit.exceptions import StorageError

REVISIT = "warc/revisit"
"""The media type that stands in the index for a capture whose payload is kept with an earlier one."""
LINES_A_BLOCK = 1024
_RUN_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """One capture. `date` as in the record (`2026-11-20T18:51:13.123Z`); `offset` and `length` are of the compressed
    record in the file `filename`; `status` None when the answer was cut off before its end; `method` other than GET is
    part of the key, with what was posted (`posted`, a query string).
    """

    url: str
    date: str
    mime: str
    status: int | None
    digest: str
    filename: str
    offset: int
    length: int
    method: str = "GET"
    posted: str = ""
    truncated: str = ""

    @property
    def key(self) -> str:
        """What the line begins with and a replayer searches for."""
        if self.method == "GET":
            return surt(self.url)
        mark = "&" if "?" in self.url else "?"
        return surt(f"{self.url}{mark}__wb_method={self.method}" + (f"&{self.posted}" if self.posted else ""))

    def line(self) -> bytes:
        """The line, with its newline. Numbers are strings, as every writer of the format has them."""
        fields = {"url": self.url, "mime": self.mime}
        if self.status is not None:
            fields["status"] = str(self.status)
        if self.digest:
            fields["digest"] = self.digest
        fields |= {"length": str(self.length), "offset": str(self.offset), "filename": self.filename}
        if self.method != "GET":
            fields |= {"method": self.method, "requestBody": self.posted}
        if self.truncated:
            fields["truncated"] = self.truncated
        return f"{self.key} {timestamp(self.date)} {json.dumps(fields)}\n".encode("ascii", "backslashreplace")


def timestamp(date: str) -> str:
    """`2026-11-20T18:51:13.123Z` as the 14 digits of an index."""
    return "".join(filter(str.isdigit, date))[:14].ljust(14, "0")


def read_line(line: bytes) -> tuple[str, Entry]:
    """The timestamp and the entry of a line. Raises ValueError when it is no line of an index."""
    _, _, rest = line.partition(b" ")
    moment, _, said = rest.partition(b" ")
    fields = json.loads(said)
    if len(moment) != 14 or not moment.isdigit() or not isinstance(fields, dict):
        raise ValueError("no line of an index")
    try:
        entry = Entry(
            url=str(fields["url"]),
            date=_date(moment.decode("ascii")),
            mime=str(fields.get("mime", "")),
            status=int(fields["status"]) if str(fields.get("status", "")).isdecimal() else None,
            digest=str(fields.get("digest", "")),
            filename=str(fields["filename"]),
            offset=int(fields["offset"]),
            length=int(fields["length"]),
            method=str(fields.get("method", "GET")),
            posted=str(fields.get("requestBody", "")),
            truncated=str(fields.get("truncated", "")),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"a line of an index without {error}") from error
    return moment.decode("ascii"), entry


def _date(moment: str) -> str:
    day, time = moment[:8], moment[8:]
    return f"{day[:4]}-{day[4:6]}-{day[6:]}T{time[:2]}:{time[2:4]}:{time[4:]}Z"


class Sorter:
    """Lines of any number, given back in the order of their bytes. Belongs to one thread; a `with` closes it.

    32 MiB of them are in memory, the others in sorted runs in unlinked files in `folder`. StorageError when that folder
    is full.
    """

    def __init__(self, folder: Path, *, run_bytes: int = _RUN_BYTES) -> None:
        self._folder = folder
        self._run_bytes = run_bytes
        self._lines: list[bytes] = []
        self._size = 0
        self._runs: list[IO[bytes]] = []
        self.count = 0

    def add(self, line: bytes) -> None:
        """One more line, which ends with its newline."""
        self._lines.append(line)
        self._size += len(line)
        self.count += 1
        if self._size > self._run_bytes:
            self._spill()

    def _spill(self) -> None:
        try:
            run = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - read later; close() closes it
            self._runs.append(run)
            run.writelines(sorted(self._lines))
            run.flush()
        except OSError as error:
            raise StorageError(
                f"{self._folder}: the index cannot be sorted there ({error.strerror or error}); make room there and start "
                "the same command again"
            ) from error
        self._lines = []
        self._size = 0

    def lines(self) -> Iterator[bytes]:
        """Every line, sorted; to be asked once, after the last was added."""
        for run in self._runs:
            run.seek(0)
        self._lines.sort()
        return heapq.merge(*self._runs, self._lines)

    def close(self) -> None:
        """Forget the lines. May be called twice."""
        for run in self._runs:
            run.close()
        self._runs = []
        self._lines = []

    def __enter__(self) -> Sorter:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def write_blocks(lines: Iterator[bytes], write: Callable[[bytes], object], filename: str) -> Iterator[bytes]:
    """Write sorted lines as compressed blocks, one gzip member each; yield the lines of the index of the blocks.

    `filename` is what the blocks' file is called there. Each block's line begins with the key and moment of its first
    capture and says where the block lies, and its SHA-256.
    """
    yield f"!meta 0 {json.dumps({'format': 'cdxj-gzip-1.0', 'filename': filename})}\n".encode()
    offset = 0
    while block := list(islice(lines, LINES_A_BLOCK)):
        packed = gzip.compress(b"".join(block), 6, mtime=0)
        write(packed)
        digest = "sha256:" + hashlib.sha256(packed).hexdigest()
        place = {"offset": offset, "length": len(packed), "digest": digest, "filename": filename}
        key, moment, _ = block[0].split(b" ", 2)
        yield key + b" " + moment + b" " + json.dumps(place).encode() + b"\n"
        offset += len(packed)

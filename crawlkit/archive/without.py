"""Without: WARC files without some of their records.

What belongs here: copying what is between them. What does not: which records those are (store/records.py). A record is a
gzip member of its own, so that a file of WARC records stays one when some of them are cut out.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import IO

from crawlkit.exceptions import StorageError

_PIECE = 1 << 20


@contextmanager
def without(files: Sequence[Path], records: Sequence[tuple[str, int, int]], folder: Path) -> Iterator[list[Path]]:
    """The files without `records` (name of the file, start and length in bytes, in the order in which they lie): copies
    in `folder`, which goes at the end; files in which nothing is left out as they are. StorageError.
    """
    gaps = {name: [(start, length) for _, start, length in group] for name, group in groupby(records, lambda it: it[0])}
    try:
        yield [_copied(file, gaps[file.name], folder) if file.name in gaps else file for file in files]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copied(file: Path, gaps: Sequence[tuple[int, int]], folder: Path) -> Path:
    target = folder / file.name
    try:
        folder.mkdir(exist_ok=True)
        with file.open("rb") as source, target.open("wb") as out:
            at = 0
            for start, length in gaps:
                _copy(source, out, at, start)
                at = start + length
            _copy(source, out, at, file.stat().st_size)
    except OSError as error:
        raise StorageError(
            f"{target}: it cannot be written ({error.strerror}); make room and start the same command again"
        ) from error
    return target


def _copy(source: IO[bytes], out: IO[bytes], start: int, end: int) -> None:
    source.seek(start)
    while start < end and (piece := source.read(min(_PIECE, end - start))):
        out.write(piece)
        start += len(piece)

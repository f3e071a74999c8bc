"""WACZ: an archive's WARC files made into one package that a reader opens (WACZ 1.1.1).

What belongs here: which members a package has and in which form. What does not: the zip (zipwriting.py), the index and
the pages (indexing.py), reading a package (package.py), the records (records.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crawlkit.archive.cdxj import Sorter, write_blocks
from crawlkit.archive.datapackage import DIGEST_NAME, NAME, About, described, digested
from crawlkit.archive.indexing import Indexing, Inspector
from crawlkit.archive.pagelist import PageText, header
from crawlkit.archive.spool import Spool
from crawlkit.archive.zipwriting import ZipWriter
from crawlkit.store.wholefile import replacing_path

PAGES = "pages/pages.jsonl"
INDEX = "indexes/index.cdx"
BLOCKS = "indexes/index.cdx.gz"
BLOCKS_INDEX = "indexes/index.idx"
UNMODIFIED = "indexes/not-modified.txt"
"""Lines as of an index, under a name that replayers do not take for one."""
COMPLETENESS = "reports/completeness.json"
"""In a folder, for `wacz validate` refuses what lies at the top beside `datapackage.json`."""

PLAIN_LINES = 50_000
"""A longer index is kept in blocks. ReplayWeb.page loads a plain one whole, which takes a second for so many lines, and
then finds what it does not find in blocks: addresses that end in a slash."""

_Look = Callable[[str], Callable[[bytes], object]]

_KEPT = "what was fetched is kept: make room, or name another place, and start the same command again"


@dataclass(frozen=True, slots=True)
class Package:
    """A package that was written: its path, its size in bytes, and how many pages, captures, revisits, and captures
    that were cut off it has.
    """

    path: Path
    size: int
    pages: int
    captures: int
    revisits: int
    truncated: int


def package(
    output: Path,
    warcs: Sequence[Path],
    *,
    is_page: Callable[[str], bool],
    about: About,
    completeness: Mapping[str, Any] | None = None,
    inspector: Inspector | None = None,
    known: Callable[[str, str], PageText | None] | None = None,
    clean: Callable[[str], str] | None = None,
) -> Package:
    """Write the package `output` of the `.warc.gz` files `warcs`, which are left as they are.

    `is_page`, by URL: whether a capture is listed as a page, in the order of the files; `about.created` and
    `main_page_date` are found when they are not given; `completeness`: becomes a report in the package; `inspector`: is
    shown every byte, uncompressed and, of bodies, decoded as well, and may raise in the end; `known`: title and text of
    pages whose payload is in an earlier archive; `clean`: takes secrets out of a page's title and text.

    Whatever is in the way of `output` is replaced, when all of the new package is on the disk and not before; an exception
    leaves nothing behind. StorageError when the disk is full; ArchiveDamaged when a file is not as it was written. One
    thread, little memory: what is long of index and pages lies in unlinked files in the folder of `output`.
    """
    created = about.created or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    advice = f"the package was not written, {_KEPT}"
    with (
        replacing_path(output, advice=advice) as unfinished,
        Indexing(
            unfinished.parent,
            is_page=is_page,
            inspector=inspector,
            known=known,
            clean=clean,
            main_page=about.main_page,
        ) as indexing,
        ZipWriter(unfinished) as zipped,
    ):
        for warc in warcs:
            indexing.read(warc)
            zipped.add_file(f"archive/{warc.name}", warc)
        indexing.finish()
        look = inspector.look if inspector is not None else _nobody
        _add_index(zipped, indexing.index, look, unfinished.parent)
        if indexing.unmodified.count:
            _add_lines(zipped, UNMODIFIED, indexing.unmodified, look, unfinished.parent)
        _add_pages(zipped, indexing.pages, look)
        if completeness is not None:
            report = json.dumps(completeness, indent=2, ensure_ascii=False).encode()
            look(COMPLETENESS)(report)
            zipped.add_bytes(COMPLETENESS, report)
        about = replace(about, created=created, main_page_date=about.main_page_date or indexing.main_page_date)
        _add_description(zipped, about, look)
        zipped.close()
        if inspector is not None:
            inspector.approve()
        size = unfinished.stat().st_size
    return Package(output, size, **indexing.counts)


def _add_index(zipped: ZipWriter, index: Sorter, look: _Look, folder: Path) -> None:
    if index.count <= PLAIN_LINES:
        _add_lines(zipped, INDEX, index, look, folder)
        return
    lines = _shown(index.lines(), look(INDEX))
    with Spool(folder) as blocks, Spool(folder) as places:
        for place in write_blocks(lines, blocks.write, Path(BLOCKS).name):
            places.write(place)
        zipped.add(BLOCKS, blocks.chunks(), size=blocks.size)  # stored, so that a reader can fetch one block of it
        zipped.add(BLOCKS_INDEX, places.chunks(), size=places.size, compress=True)


def _add_lines(zipped: ZipWriter, name: str, index: Sorter, look: _Look, folder: Path) -> None:
    with Spool(folder) as spool:
        for line in _shown(index.lines(), look(name)):
            spool.write(line)
        zipped.add(name, spool.chunks(), size=spool.size, compress=True)


def _add_pages(zipped: ZipWriter, pages: Spool, look: _Look) -> None:
    first = header()

    def pieces() -> Iterator[bytes]:
        yield first
        yield from pages.chunks()

    zipped.add(PAGES, _shown(pieces(), look(PAGES)), size=len(first) + pages.size, compress=True)


def _add_description(zipped: ZipWriter, about: About, look: _Look) -> None:
    description = described(about, zipped.resources)
    look(NAME)(description)
    zipped.add_bytes(NAME, description)
    zipped.add_bytes(DIGEST_NAME, digested(description))


def _shown(pieces: Iterable[bytes], show: Callable[[bytes], object]) -> Iterator[bytes]:
    for piece in pieces:
        show(piece)
        yield piece


def _nobody(place: str) -> Callable[[bytes], object]:
    return lambda piece: None

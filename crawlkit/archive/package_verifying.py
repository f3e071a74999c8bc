"""Package verifying: whether an archive is as it says it is, every byte of it.

What belongs here: what a package says of its members, whether its index and pages agree with its records. What does not:
the records themselves (verifying.py).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from crawlkit.archive.cdxj import Entry
from crawlkit.archive.datapackage import DIGEST_NAME, NAME, Resource, read_resources, sha256
from crawlkit.archive.package_reading import ArchiveReader
from crawlkit.archive.verifying import Verifying, verify
from crawlkit.archive.wacz import PAGES
from crawlkit.archive.zipreading import ZipReader
from crawlkit.exceptions import ArchiveDamaged

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_MOST = 1000
"""Of more problems of one kind the others are counted."""

_Places = dict[tuple[str, int], tuple[str, int]]  # file and offset of a capture: its URL and length


def verify_archive(path: Path) -> list[str]:
    """What is wrong with the `.wacz` or `.warc.gz` at `path`, each with where it is; an empty list when nothing is.

    Reads every byte once or twice and keeps none. StorageError when the file cannot be opened.
    """
    try:
        with ArchiveReader(path) as archive:
            if archive.zip is None:
                return [str(problem) for problem in verify([path])]
            return list(_package_problems(archive, archive.zip))
    except ArchiveDamaged as error:
        return [str(error)]


def _package_problems(archive: ArchiveReader, zipped: ZipReader) -> Iterator[str]:
    yield from _or_damage(zipped.layout_problems())
    yield from _member_problems(zipped)
    places: _Places = {}
    verifying = Verifying()
    unread: dict[str, int] = {}
    for warc in archive.warcs():
        try:
            yield from _record_problems(archive, warc, verifying, places)
        except ArchiveDamaged as error:
            unread[warc] = error.offset or 0
            yield f"{error}; what follows was not read"
    if not archive.warcs():
        yield f"{zipped.path}: it has no WARC file (archive/*.warc.gz)"
    if not unread:
        yield from map(str, verifying.unmatched())
    urls = {url for url, _ in places.values()}
    yield from _or_damage(_index_problems(archive, places, unread))
    yield from _or_damage(_page_problems(zipped, None if unread else urls))


def _or_damage(problems: Iterator[str]) -> Iterator[str]:
    """The problems of a part, up to the damage at which no more can be read of it."""
    try:
        yield from problems
    except ArchiveDamaged as error:
        yield f"{error}; what follows was not read"


# --- members ----------------------------------------------------------------------------------------------------------


def _member_problems(zipped: ZipReader) -> Iterator[str]:
    try:
        package = zipped.read(NAME)
        said, resources = read_resources(package)
    except ValueError as error:
        yield f"{zipped.path}, member {NAME}: it is no data package ({error})"
        return
    except ArchiveDamaged as error:
        yield str(error)
        return
    if said.get("profile") not in ("data-package", "wacz-package") or not said.get("wacz_version"):
        yield f"{zipped.path}, member {NAME}: it names no profile `data-package` or no wacz_version"
    yield from _or_damage(_digest_problems(zipped, package))
    for resource in resources:
        yield from _or_damage(_resource_problems(zipped, resource))
    unnamed = set(zipped.names()) - {resource.path for resource in resources} - {NAME, DIGEST_NAME}
    for name in sorted(unnamed):
        yield f"{zipped.path}, member {name}: {NAME} does not name it"
    for name in zipped.names():
        if name.endswith(".gz") and not zipped.is_stored(name):
            yield f"{zipped.path}, member {name}: it is compressed once more, so that nothing in it can be found"


def _digest_problems(zipped: ZipReader, package: bytes) -> Iterator[str]:
    if DIGEST_NAME not in zipped:
        return  # it need not be there
    try:
        digest = json.loads(zipped.read(DIGEST_NAME))["hash"]
    except (ValueError, TypeError, KeyError) as error:
        yield f"{zipped.path}, member {DIGEST_NAME}: it cannot be read ({error})"
        return
    if digest != sha256(package):
        yield f"{zipped.path}, member {NAME}: its digest is not the one that {DIGEST_NAME} says"


def _resource_problems(zipped: ZipReader, resource: Resource) -> Iterator[str]:
    where = f"{zipped.path}, member {resource.path}"
    if resource.path not in zipped:
        yield f"{where}: it is missing"
        return
    name, _, expected = resource.digest.partition(":")
    if name not in ("sha256", "md5", "sha1", "sha512"):
        yield f"{where}: its digest is in an algorithm that is not known: {resource.digest[:40]!r}"
        return
    found = hashlib.new(name, usedforsecurity=False)
    for piece in zipped.pieces(resource.path):
        found.update(piece)
    if zipped.size(resource.path) != resource.size:
        yield f"{where}: it has {zipped.size(resource.path):,} bytes, and {NAME} says {resource.size:,}"
    elif found.hexdigest() != expected.lower():
        yield f"{where}: its digest is not the one that {NAME} says"


# --- records, index, pages --------------------------------------------------------------------------------------------


def _record_problems(archive: ArchiveReader, warc: str, verifying: Verifying, places: _Places) -> Iterator[str]:
    for record in archive.records(warc):
        verifying.watch(record)
        is_capture = record.kind in ("response", "revisit") and record.head() is not None
        yield from map(str, verifying.finish(record))
        if is_capture:
            places[warc, record.offset] = (record.url, record.length)


def _index_problems(archive: ArchiveReader, places: _Places, unread: Mapping[str, int]) -> Iterator[str]:
    """`unread`: from which offset on a WARC file could not be read; what is said of those places may be true."""
    missing = dict(places)
    last: dict[str, bytes] = {}
    count = 0
    for name, line in archive.index_lines():
        where = f"{archive.path}, member {name}"
        if line < last.get(name, b""):
            yield f"{where}: its lines are not in the order of their bytes, from {line[:80]!r} on"
            return
        last[name] = line
        entry = archive.entry(line)
        missing.pop((entry.filename, entry.offset), None)
        if entry.filename in unread and entry.offset >= unread[entry.filename]:
            continue
        if (problem := _entry_problem(entry, places)) and (count := count + 1) <= _MOST:
            yield f"{where}: {problem}"
    for (filename, offset), (url, _) in list(missing.items())[:_MOST]:
        yield f"{archive.path}: {url}, at offset {offset} of {filename}, is not in the index"


def _entry_problem(entry: Entry, places: _Places) -> str | None:
    if entry.mime == "application/warc-fields":
        return None  # a metadata record, which some tools list
    place = places.get((entry.filename, entry.offset))
    if place is None:
        return f"{entry.url}: no such record begins at offset {entry.offset} of {entry.filename}"
    if place != (entry.url, entry.length):
        return f"{entry.url}: at offset {entry.offset} of {entry.filename} is {place[0]} with {place[1]} bytes"
    return None


def _page_problems(zipped: ZipReader, urls: set[str] | None) -> Iterator[str]:
    """`urls`: of all records; None when they are not all known."""
    where = f"{zipped.path}, member {PAGES}"
    for number, line in enumerate(zipped.lines(PAGES), 1):
        try:
            page: Any = json.loads(line)
            if number == 1 and "format" in page:
                continue
            url, moment = str(page["url"]), str(page["ts"])
        except (ValueError, TypeError, KeyError) as error:
            yield f"{where}, line {number}: it is no page ({error})"
            return
        if not _MOMENT.fullmatch(moment):
            yield f"{where}, line {number}: its ts is no RFC 3339 date: {moment[:40]!r}"
        if urls is not None and url.partition("#")[0] not in urls:
            yield f"{where}, line {number}: no record has {url}"

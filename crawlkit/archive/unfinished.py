"""Unfinished: packaging an archive whose run is over, without another run.

What belongs here: finding what belongs together by the note in the folder. What does not: the steps (finishing.py), the
command (cli/archive.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crawlkit.archive.contents import Contents
from crawlkit.archive.finishing import finish
from crawlkit.archive.place import Place
from crawlkit.archive.redaction import Redaction
from crawlkit.archive.registry import Registry
from crawlkit.archive.wacz import Package
from crawlkit.archive.warcfile import WarcFile
from crawlkit.exceptions import UsageError
from crawlkit.sessions.profile import Profile
from crawlkit.sessions.redactor import Redactor
from crawlkit.store.database import Store
from crawlkit.store.lock import Lock


@dataclass(frozen=True, slots=True)
class Finished:
    """What came of it. `package`: None when the output was there already; `waiting`: pages of the crawl that were not
    fetched and are not in it.
    """

    output: Path
    package: Package | None
    waiting: int


def finish_unfinished(
    output: Path,
    *,
    profile: Profile | None,
    sure: Sequence[str] = (),
    redactor: Redactor | None = None,
    contents: Contents | None = None,
    overwrite: bool = False,
    ends_crawl: bool = False,
) -> Finished:
    """Package what was fetched into `output` by a run that did not make a package of it.

    `profile`: the one whose session was archived (its name is in the note), with the secrets of then; `sure`: secrets
    that the user named; `redactor`: knows of others; `contents`: None: as the note says; `ends_crawl`: what waits of the
    crawl is given up, which was for this archive alone, and the next one is of a crawl of its own. UsageError when no
    unfinished archive is there; LockHeld while a run is at it; StorageError, ArchiveDamaged and SecretFound as `finish`.
    """
    place = Place(output)
    note = place.note()
    place.check(overwrite=overwrite)
    database = Path(str(note.get("database", "")))
    if not database.is_file():
        raise UsageError(f"{place.folder}: belongs to the database {database}, which is not there; put it back")
    with Lock(database):
        with Store.open_readonly(database) as reports:
            spider, source = reports.owner()
        with Store.open(database, spider=spider, source=source) as store:
            return _finish(place, store, profile, sure, redactor, contents, ends_crawl=ends_crawl)


def _finish(
    place: Place,
    store: Store,
    profile: Profile | None,
    sure: Sequence[str],
    redactor: Redactor | None,
    contents: Contents | None,
    *,
    ends_crawl: bool,
) -> Finished:
    note = place.note()
    archives = [archive for archive in store.records.archives() if archive.output == place.output]
    if not archives or (archives[-1].state != "open" and not place.is_ours()):
        raise UsageError(f"{place.folder}: {store.path} knows of no unfinished archive there; remove the folder")
    archive = archives[-1]
    registry = Registry(profile.state if profile is not None else None, sure=sure)
    if redactor is not None:
        registry.listen(redactor)
    redaction = Redaction(registry, on=bool(note.get("redact", True)))
    if contents is None:
        title, start = str(note.get("title") or note.get("spider") or place.output.name), note.get("start")
        contents = Contents(title, str(note.get("description") or ""), main_page=str(start) if start else None)
    file = WarcFile(place.folder, place.pattern, place.limit, fields={})
    end = store.records.end(archive.id)
    if end is None:
        raise UsageError(f"{place.folder}: nothing was fetched for it yet; start the same command again")
    file.cut(*end)
    package = finish(place, archive, file.paths(), store, contents=contents, redaction=redaction)
    registry.forget()
    if profile is not None:
        profile.save()
    store.conclude(archive.crawl, whole=not ends_crawl)
    return Finished(place.output, package, store.waiting(archive.crawl))

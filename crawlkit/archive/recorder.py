"""ArchiveRecorder: the Recorder of an archive: from the exchanges of a page to bytes that are on the disk and committed.

What belongs here: what happens in which thread, and when two answers are one. What does not: gathering (gathering.py),
taking secrets out (redaction.py), records (records.py), files (warcfile.py), the package (finishing.py).

    a worker    the page's exchanges → secrets taken out → records, compressed
    the writer  records, or a revisit in place of one → appended → synced → the commit that names where they are
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawlkit.archive import records
from crawlkit.archive.contents import Contents
from crawlkit.archive.finishing import finish
from crawlkit.archive.gathering import Gathering, Here
from crawlkit.archive.packed import Packed
from crawlkit.archive.place import PACKAGE, Place
from crawlkit.archive.redaction import Redaction
from crawlkit.archive.registry import Registry
from crawlkit.archive.wacz import Package
from crawlkit.archive.warcfile import WarcFile
from crawlkit.crawl.quantities import size_text
from crawlkit.crawl.recording import Recording
from crawlkit.exceptions import UsageError
from crawlkit.store.database import Store
from crawlkit.store.outcome import Entry, Lease
from crawlkit.store.records import Archive, Original
from crawlkit.store.runs import Run, Upcoming
from crawlkit.version import VERSION

if TYPE_CHECKING:
    from crawlkit.archive.exchange import Exchange
    from crawlkit.crawl.visit import Visit
    from crawlkit.sessions.response import Response
    from crawlkit.sessions.session import Session

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Parcel:
    """The records of one exchange, on their way from the worker to the writer."""

    packed: Packed
    url: str
    method: str
    own: bool
    redacted: bool


class ArchiveRecorder:
    """Makes the archive of one run. `output` None: `NAME-CRAWL.wacz` in `folder`.

    `note` is what the unfinished archive's note says beside what is known here; nothing in it may be secret. `sure`:
    secrets that the user named; `redact=False`: nothing is taken out; `max_size`: bytes of WARC files after which the crawl
    is ended, and what was fetched is packaged.
    """

    def __init__(
        self,
        output: Path | None,
        *,
        name: str,
        folder: Path,
        contents: Contents,
        note: Mapping[str, Any],
        redact: bool = True,
        sure: Sequence[str] = (),
        max_size: int | None = None,
        overwrite: bool = False,
    ) -> None:
        self._place = Place(output) if output is not None else None
        self._name = name
        self._folder = folder
        self._contents = contents
        self._note = dict(note)
        self._redact = redact
        self._sure = tuple(sure)
        self._max_size = max_size
        self._stop: Callable[[str], None] | None = None
        self._overwrite = overwrite
        self._here = Here()
        self._archive: Archive | None = None
        self._goes_on = False
        self._file: WarcFile | None = None
        self._registry: Registry | None = None
        self._redaction: Redaction
        #: Written by this run, by kind of record; how many of them lost a secret; bytes of all WARC files.
        self.responses = self.revisits = self.redactions = self.bytes = 0
        #: What was made of it, once it is finished.
        self.package: Package | None = None

    @property
    def redacts(self) -> bool:
        """Whether secrets are taken out."""
        return self._redact

    @property
    def place(self) -> Place:
        """Where the archive is made. Known from `check` on."""
        assert self._place is not None
        return self._place

    def check_output(self) -> None:
        """Before anything is opened: UsageError when the output, as far as it is known, cannot be."""
        if self._place is not None:
            self._place.check(overwrite=self._overwrite)

    # --- the run's own thread ----------------------------------------

    def check(self, store: Store, upcoming: Upcoming, *, fresh: bool) -> None:
        """UsageError when the archive cannot be of the crawl that comes; else it is begun, or goes on."""
        if self._place is None:
            self._place = Place(self._folder / f"{self._name}-{upcoming.crawl}{PACKAGE}")
        place = self._place
        archives = [archive for archive in store.records.archives() if archive.output == place.output]
        ours = [archive for archive in archives if archive.crawl == upcoming.crawl]
        if any(archive.state == "packaged" for archive in ours) and place.output.exists() and not fresh:
            self._archive = ours[-1]  # killed after the package was made, and before the run had ended
            if store.waiting(upcoming.crawl):
                raise UsageError(
                    f"{place.output}: was finished before its crawl was; go on without --archive, or begin anew with "
                    "--fresh --overwrite"
                )
            return
        self._goes_on = going_on = any(archive.state == "open" for archive in ours)
        place.check(overwrite=self._overwrite, going_on=going_on)
        if place.exists:
            self._check_note(store, going_on=going_on, fresh=fresh)
        totals = store.reports.totals(upcoming.crawl)
        if upcoming.resumed and not going_on and any(totals[state] for state in ("done", "failed", "skipped")):
            raise UsageError(
                f"{place.output}: the crawl that would go on was begun without it, and its first pages would be missing; "
                "run it to its end without --archive, or begin anew with --fresh"
            )
        self._archive = store.records.begin(place.output, upcoming.crawl)

    def _check_note(self, store: Store, *, going_on: bool, fresh: bool) -> None:
        place, note = self.place, self.place.note()
        if note.get("database") != str(store.path.absolute()):
            raise UsageError(
                f"{place.folder}: holds the unfinished archive of {note.get('database')}; name another file, or package "
                f"what is there with `crawlkit archive --finish {place.output}`"
            )
        if going_on and note.get("redact") not in (None, self._redact):
            kept = "kept" if self._redact else "taken out of it"
            raise UsageError(f"{place.folder}: secrets were {kept} so far; go on like that, or begin anew with --fresh")
        if not going_on and not fresh:
            raise UsageError(
                f"{place.folder}: holds the unfinished archive of an earlier crawl, which has ended; package what is there "
                f"with `crawlkit archive --finish {place.output}`, or begin anew with --fresh"
            )

    def begin(self, store: Store, run: Run, session: Session, stop: Callable[[str], None]) -> None:
        """Cut the files back to what was committed, and go on from there."""
        archive, place = self._archive, self.place
        assert archive is not None
        if archive.state == "packaged":
            return
        self._stop = stop
        store.records.look_back()
        self._redaction = self._new_redaction(session)
        start = self._redaction.url(self._contents.main_page or "")
        earlier = place.note() if place.exists and self._goes_on else {}
        place.write_note(
            {
                **earlier,
                **self._note,
                "crawlkit": VERSION,
                "output": str(place.output),
                "database": str(store.path.absolute()),
                "start": start,
                "redact": self._redact,
            }
        )
        fields = {
            "isPartOf": self._name,
            "description": "secrets were replaced" if self._redact else "SECRETS WERE KEPT",
        }
        self._file = WarcFile(place.folder, place.pattern, place.limit, fields=fields)
        name, end = store.records.end(archive.id) or (None, 0)
        self._file.cut(name, end)
        self._file.begin()
        self.bytes = sum(path.stat().st_size for path in self._file.paths())
        if not run.resumed:
            log.info("archiving into %s", place.output)

    def _new_redaction(self, session: Session) -> Redaction:
        self._registry = registry_of(session, self._sure)
        return Redaction(self._registry, patterns=session.secret_headers, on=self._redact)

    def finish(self, store: Store, result: Mapping[str, Any]) -> None:
        """Make the package. StorageError when it cannot be made: what was fetched stays, and the same command goes on."""
        archive, file = self._archive, self._file
        assert archive is not None
        if file is None:
            self.place.remove()
            return
        file.close()
        self.package = finish(
            self.place, archive, file.paths(), store, contents=self._contents, redaction=self._redaction
        )
        if self._registry is not None:
            self._registry.forget()

    def close(self) -> None:
        """Close the file that is written to."""
        if self._file is not None:
            self._file.close()

    # --- any thread ----------------------------------------

    def equip(self, session: Session) -> None:
        """Listen to what `session` exchanges; adapters that an author mounts later are not heard."""

        def listen(request: Any) -> Any:
            gathering = self._here.gathering
            if gathering is None:
                return None
            membership = session.membership
            if membership is not None and membership.inside:
                return None  # a login within a callback's session.get()
            return gathering.listen(request)

        for adapter in session.adapters.values():
            adapter.tee = listen

    def strange(self, response: Response) -> None:
        """Forget an answer that was given to a stranger."""
        gathering = self._here.gathering
        if gathering is not None:
            gathering.forget([each.request for each in (*response.history, response)])

    def fetching(self, lease: Lease) -> AbstractContextManager[Recording]:
        """Within it the page of `lease` is fetched."""
        return Gathering(self._here, via=lease.via, hops=lease.depth, folder=self.place.folder).fetching()

    def pack(self, visit: Visit, lease: Lease) -> None:
        """Make records of what was fetched, unless the page goes back to the queue."""
        gathering, visit.recording = visit.recording, None
        if gathering is None:
            return
        assert isinstance(gathering, Gathering)
        if visit.outcome.state == "queued":
            gathering.close()
            return
        visit.packed = [self._packed(exchange, own) for exchange, own in gathering.take()]

    def _packed(self, exchange: Exchange, own: bool) -> Parcel:
        folder, file = self.place.folder, self._file
        assert file is not None
        clean, note = self._redaction.apply(exchange, folder)
        try:
            packed = records.pack(clean, warcinfo_id=file.warcinfo_id, redaction_note=note, spool_folder=folder)
        finally:
            clean.close()
        return Parcel(packed, clean.url, clean.method, own, note is not None)

    # --- the writer's thread ----------------------------------------

    def remember(self) -> None:
        """Put into the profile what is secret, for the next process that goes on with the archive."""
        if self._registry is not None:
            self._registry.keep()

    def append(self, visits: Sequence[Visit], store: Store) -> None:
        """Append what was packed and sync it."""
        fresh: dict[str, Original] = {}
        for visit in visits:
            parcels, visit.packed = visit.packed, None
            for parcel in parcels or ():
                visit.outcome.records.append(self._append(parcel, visit.outcome.page, store, fresh))
        if self._file is not None:
            self._file.sync()
        if self._max_size is not None and self.bytes >= self._max_size and self._stop is not None:
            self._stop(f"the archive has reached its max_size of {size_text(self._max_size)}")
            self._stop = None

    def _append(self, parcel: Parcel, page: int, store: Store, fresh: dict[str, Original]) -> Entry:
        file, packed = self._file, parcel.packed
        assert file is not None
        original = _original(parcel, page, store, fresh)
        if original is not None:
            digest = original.digest if packed.answer is not None and packed.answer.status == 304 else None
            packed = records.as_revisit(packed, original.url, original.date, refers_digest=digest)
            parcel.packed.close()
        with packed:
            places = file.append(packed)
            answer = packed.answer or packed.members[0]
            length = sum(size for _, _, size in places)
        self.redactions += parcel.redacted
        self.bytes += length
        self.revisits += original is not None
        self.responses += original is None
        if original is None and _may_be_referred_to(parcel):
            fresh.setdefault(answer.payload_digest or "", Original(parcel.url, answer.date, answer.payload_digest))
        return Entry(
            file=places[0][0],
            start=places[0][1],
            length=length,
            kind=answer.kind,
            url=parcel.url,
            date=answer.date,
            status=answer.status,
            mime=answer.mime,
            digest=answer.payload_digest if original is not None or _may_be_referred_to(parcel) else None,
            size=answer.payload_size,
            own=parcel.own,
            refers_url=original.url if original is not None else None,
            refers_date=original.date if original is not None else None,
        )


def registry_of(session: Session, sure: Sequence[str]) -> Registry:
    """The secrets of an archive that is made with `session`: those of earlier runs are in its profile."""
    profile = session.profile
    registry = Registry(profile.state if profile is not None else None, sure=sure)
    if session.redactor is not None:
        registry.listen(session.redactor)
    return registry


def _may_be_referred_to(parcel: Parcel) -> bool:
    """Whether a later answer with the same payload can be a revisit of this one: a page, and not an error or nothing."""
    answer = parcel.packed.answer
    return (
        answer is not None
        and answer.payload_digest is not None
        and answer.payload_size > 0
        and answer.status == 200
        and parcel.method == "GET"
    )


def _original(parcel: Parcel, page: int, store: Store, fresh: Mapping[str, Original]) -> Original | None:
    """What the answer repeats: by its status the page's last record, by its payload the first one with the same."""
    answer, origin = parcel.packed.answer, parcel.packed.origin
    if answer is None or origin is None or not origin.is_whole:
        return None
    if answer.status == 304:
        return store.records.last_of(page) if parcel.own else None
    if not _may_be_referred_to(parcel):
        return None
    digest = answer.payload_digest or ""
    return fresh.get(digest) or store.records.original(digest)

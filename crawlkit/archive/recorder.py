"""ArchiveRecorder: the Recorder of an archive: from the exchanges of a page to bytes that are on the disk and committed.

What belongs here: what happens in which thread, and where an archive begins and ends. What does not: gathering
(gathering.py), taking secrets out (redaction.py), records (records.py), appending them (appending.py), the package
(finishing.py).

    a worker    the page's exchanges → secrets taken out → records, compressed
    the writer  records, or a revisit in place of one → appended → synced → the commit that names where they are
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawlkit.archive import records
from crawlkit.archive.appending import Appending, Parcel, Written
from crawlkit.archive.contents import Contents
from crawlkit.archive.finishing import finish
from crawlkit.archive.gathering import Gathering, Here
from crawlkit.archive.place import PACKAGE, Place
from crawlkit.archive.redaction import Redaction
from crawlkit.archive.registry import Registry
from crawlkit.archive.wacz import Package
from crawlkit.archive.warcfile import WarcFile
from crawlkit.crawl.quantities import size_text
from crawlkit.crawl.recording import Recording
from crawlkit.exceptions import UsageError
from crawlkit.store.database import Store
from crawlkit.store.outcome import Lease
from crawlkit.store.records import Archive
from crawlkit.store.runs import Run, Upcoming
from crawlkit.version import VERSION

if TYPE_CHECKING:
    from crawlkit.archive.exchange import Exchange
    from crawlkit.crawl.visit import Visit
    from crawlkit.sessions.response import Response
    from crawlkit.sessions.session import Session

log = logging.getLogger(__name__)


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
        self._stop: Callable[[str], None]
        self._overwrite = overwrite
        self._here = Here()
        self._archive: Archive | None = None
        self._goes_on = False
        self._file: WarcFile | None = None
        self._registry: Registry | None = None
        self._redaction: Redaction
        self._appending: Appending | None = None
        #: What was made of it, once it is finished.
        self.package: Package | None = None
        self.full: str | None = None  # that it has reached its max_size, once it has
        #: Whether nothing could be made: no page was fetched.
        self.is_empty = False

    @property
    def redacts(self) -> bool:
        """Whether secrets are taken out."""
        return self._redact

    @property
    def place(self) -> Place:
        """Where the archive is made. Known from `check` on."""
        assert self._place is not None
        return self._place

    @property
    def written(self) -> Written:
        """What was written so far."""
        return self._appending if self._appending is not None else Written()

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
        crawls = [archive for archive in store.records.archives() if archive.crawl == upcoming.crawl]
        ours = [archive for archive in crawls if archive.output == place.output]
        if any(archive.state == "packaged" for archive in ours) and place.output.exists() and not fresh:
            self._archive = ours[-1]  # killed after the package was made, and before the run had ended
            if store.waiting(upcoming.crawl):
                raise UsageError(
                    f"{place.output}: was finished before its crawl was; begin anew with --fresh --overwrite "
                    "(`crawlkit run` without --archive goes on without one)"
                )
            return
        self._goes_on = going_on = any(archive.state == "open" for archive in ours)
        place.check(overwrite=self._overwrite, going_on=going_on)
        if place.exists:
            self._check_note(store, going_on=going_on, fresh=fresh)
        totals = store.reports.totals(upcoming.crawl)
        if upcoming.resumed and not going_on and any(totals[state] for state in ("done", "failed", "skipped")):
            raise UsageError(_begun_without(place.output, crawls))
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
            "isPartOf": self._redaction.text(self._name),
            "description": "secrets were replaced" if self._redact else "SECRETS WERE KEPT",
        }
        self._file = WarcFile(place.folder, place.pattern, place.limit, fields=fields)
        name, end = store.records.end(archive.id) or (None, 0)
        self._file.cut(name, end)
        self._file.begin()
        self._appending = Appending(self._file)
        if not run.resumed:
            log.info("archiving into %s", place.output)

    def _new_redaction(self, session: Session) -> Redaction:
        self._registry = registry_of(session, self._sure)
        return Redaction(self._registry, patterns=session.secret_headers, on=self._redact)

    def finish(self, store: Store) -> None:
        """Make the package, of at least one page. StorageError when it cannot be made: what was fetched stays, and the same
        command goes on.
        """
        archive, file = self._archive, self._file
        assert archive is not None
        if file is None:
            self.place.remove()
            return
        file.close()
        if not store.reports.totals(archive.crawl)["done"]:
            # What would be found in it a year later is that the site could not be reached.
            self.is_empty = True
            store.records.close(archive.id, "abandoned")
            self.place.remove()
            log.warning("no page was fetched: there is no archive")
        else:
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

    def pack(self, visit: Visit) -> None:
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
        appending = self._appending
        if appending is None:
            return
        appending.append(visits, store)
        if self._max_size is not None and appending.bytes >= self._max_size and self.full is None:
            self.full = f"the archive has reached its max_size of {size_text(self._max_size)}"
            self._stop(self.full)


def _begun_without(output: Path, archives: Sequence[Archive]) -> str:
    why = "was begun without it, and its first pages would be missing; name the output that it was begun with"
    for archive in archives:
        if archive.state == "packaged":
            why = f"was archived into {archive.output}, which is finished; go on by `crawlkit run` without --archive"
    return f"{output}: the crawl that would go on {why}, or begin anew with --fresh"


def registry_of(session: Session, sure: Sequence[str]) -> Registry:
    """The secrets of an archive that is made with `session`: those of earlier runs are in its profile."""
    profile = session.profile
    registry = Registry(profile.state if profile is not None else None, sure=sure)
    if session.redactor is not None:
        registry.listen(session.redactor)
    return registry

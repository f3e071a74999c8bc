"""Appending: what was packed goes to the WARC files: a record, or a revisit of one that is there already.

What belongs here: when two answers are one, what the store is told of each, counting. What does not: the files
(warcfile.py), the form of records (records.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawlkit.archive import records
from crawlkit.archive.packed import Packed
from crawlkit.archive.warcfile import WarcFile
from crawlkit.store.database import Store
from crawlkit.store.outcome import Entry
from crawlkit.store.records import Original

if TYPE_CHECKING:
    from crawlkit.crawl.visit import Visit


@dataclass(slots=True)
class Parcel:
    """The records of one exchange, on their way from the worker to the writer. `own`: it is the page itself; `redacted`:
    secrets were taken out of it.
    """

    packed: Packed
    url: str
    method: str
    own: bool
    redacted: bool

    @property
    def digest(self) -> str | None:
        """That of the payload, if a later answer with the same can be a revisit of this one: a page, and not an error or
        nothing.
        """
        answer = self.packed.answer
        if answer is None or answer.status != 200 or answer.payload_size == 0 or self.method != "GET":
            return None
        return answer.payload_digest


class Written:
    """What was written: by this run, by kind of record, and how many of them lost a secret; bytes of all WARC files."""

    def __init__(self) -> None:
        self.responses = self.revisits = self.redactions = self.bytes = 0


class Appending(Written):
    """Appends to `file`. The writer's thread; others may read the counts."""

    def __init__(self, file: WarcFile) -> None:
        super().__init__()
        self._file = file
        self.bytes = sum(path.stat().st_size for path in file.paths())

    def append(self, visits: Sequence[Visit], store: Store) -> None:
        """Append what was packed of each visit, note in its outcome where, and sync. Raises StorageError."""
        digests = {digest for visit in visits for parcel in visit.packed or () if (digest := parcel.digest) is not None}
        known = store.records.originals(digests) if digests else {}
        for visit in visits:
            parcels, visit.packed = visit.packed, None
            for parcel in parcels or ():
                visit.outcome.records.append(self._append(parcel, visit.outcome.page, store, known))
        self._file.sync()

    def _append(self, parcel: Parcel, page: int, store: Store, known: dict[str, Original]) -> Entry:
        packed, first = parcel.packed, parcel.digest
        original = _original(parcel, page, store, known)
        if original is not None:
            digest = original.digest if packed.answer is not None and packed.answer.status == 304 else None
            packed = records.as_revisit(packed, original.url, original.date, refers_digest=digest)
            parcel.packed.close()
        with packed:
            places = self._file.append(packed)
            answer = packed.answer or packed.members[0]
        length = sum(size for _, _, size in places)
        self._count(parcel, original, length)
        if original is None and first is not None:
            known[first] = Original(parcel.url, answer.date, first)
        return Entry(
            file=places[0][0],
            start=places[0][1],
            length=length,
            kind=answer.kind,
            url=parcel.url,
            date=answer.date,
            status=answer.status,
            mime=answer.mime,
            digest=answer.payload_digest if original is not None or first is not None else None,
            size=answer.payload_size,
            own=parcel.own,
            refers_url=original.url if original is not None else None,
            refers_date=original.date if original is not None else None,
        )

    def _count(self, parcel: Parcel, original: Original | None, length: int) -> None:
        self.redactions += parcel.redacted
        self.bytes += length
        self.revisits += original is not None
        self.responses += original is None


def _original(parcel: Parcel, page: int, store: Store, known: Mapping[str, Original]) -> Original | None:
    """What the answer repeats: by its status the page's last record, by its payload the first one with the same."""
    answer, origin = parcel.packed.answer, parcel.packed.origin
    if answer is None or origin is None or not origin.is_whole:
        return None
    if answer.status == 304:
        return store.records.last_of(page) if parcel.own else None
    return known.get(parcel.digest or "")

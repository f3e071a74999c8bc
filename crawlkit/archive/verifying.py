"""Verifying: whether WARC files say the truth about themselves.

What belongs here: digests, lengths, dates, ids and what refers to them, one record a gzip member. What does not: the index
and the pages of a package (package_reading.py). Every record of every file is read once, and none is in memory.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from crawlkit.archive.reading import Record, records, unbracketed
from crawlkit.exceptions import ArchiveDamaged

_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z")
_MANDATORY = ("WARC-Type", "WARC-Record-ID", "WARC-Date", "Content-Length")
_ALGORITHMS = ("md5", "sha1", "sha256", "sha512")
_ABOUT_A_URL = ("response", "request", "revisit", "resource", "conversion")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong. `file`, `offset`: of the record; `record_id`: "" when it is not known."""

    file: Path
    offset: int
    record_id: str
    what: str

    def __str__(self) -> str:
        name = f" ({self.record_id})" if self.record_id else ""
        return f"{self.file}, offset {self.offset}{name}: {self.what}"


class Verifying:
    """Verifies records while somebody reads them: `watch` before anything of a record is read, `finish` after.

    For the records of one archive, from one thread.
    """

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._referred: list[tuple[str, str, Path, int, str]] = []  # field, id, and where
        self._watched: _Watched | None = None

    def watch(self, record: Record) -> None:
        """Listen to what is read of `record`."""
        self._watched = _Watched(record)

    def finish(self, record: Record) -> list[Problem]:
        """Read the rest of the record that is watched; what is wrong with it. ArchiveDamaged as reading it raises it."""
        assert self._watched is not None
        whats = [*self._field_problems(record), *self._watched.problems(record)]
        return [Problem(record.path, record.offset, record.record_id, what) for what in whats]

    def unmatched(self) -> list[Problem]:
        """Who refers to a record that is not there; to be asked after the last file."""
        return [
            Problem(path, offset, record_id, f"{name} names {target}, and no record has this id")
            for name, target, path, offset, record_id in self._referred
            if target not in self._ids
        ]

    def _field_problems(self, record: Record) -> Iterator[str]:
        for name in _MANDATORY:
            if not record.get(name):
                yield f"it has no {name}"
        record_id = record.record_id
        if record_id in self._ids:
            yield "another record has the same WARC-Record-ID"
        self._ids.add(record_id)
        if not _DATE.fullmatch(record.date):
            yield f"its WARC-Date is no date: {record.date[:40]!r}"
        if record.kind in _ABOUT_A_URL and not record.url:
            yield "it has no WARC-Target-URI"
        if not record.url.isascii():
            yield "its WARC-Target-URI has characters that are no ASCII"
        for name in ("WARC-Concurrent-To", "WARC-Warcinfo-ID"):
            for target in map(unbracketed, record.values(name)):
                if target not in self._ids:  # nearly every one refers to an earlier record
                    self._referred.append((name, target, record.path, record.offset, record_id))
        if record.kind == "revisit" and not record.get("WARC-Profile"):
            yield "it is a revisit without a WARC-Profile"
        refers_date = record.get("WARC-Refers-To-Date")
        if refers_date and not _DATE.fullmatch(refers_date):
            yield f"its WARC-Refers-To-Date is no date: {refers_date[:40]!r}"


def verify(paths: Iterable[Path]) -> list[Problem]:
    """What is wrong with the `.warc.gz` files of one archive; an empty list when nothing is.

    A file that is damaged is read up to the damage. A payload digest may also be that of the body with the framing of its
    chunks, as warcio and wget write it. StorageError when a file cannot be opened.
    """
    verifying = Verifying()
    problems: list[Problem] = []
    for path in paths:
        problems += _file_problems(path, verifying)
    return problems + verifying.unmatched()


def _file_problems(path: Path, verifying: Verifying) -> Iterator[Problem]:
    count = 0
    try:
        for record in records(path):
            if not count and record.kind != "warcinfo":
                what = f"the file begins with a {record.kind} record and no warcinfo"
                yield Problem(path, record.offset, record.record_id, what)
            count += 1
            verifying.watch(record)
            yield from verifying.finish(record)
        if not count:
            yield Problem(path, 0, "", "the file has no record")
    except ArchiveDamaged as error:
        yield Problem(path, error.offset or 0, "", f"{error.what}; what follows was not read")


# --- digests ----------------------------------------------------------------------------------------------------------


class _Watched:
    """The digests of one record, of the bytes that are read of it, by whomever."""

    def __init__(self, record: Record) -> None:
        self._block = _Expected("WARC-Block-Digest", record)
        self._payload = _Expected("WARC-Payload-Digest", record)
        self._framed = _Expected("WARC-Payload-Digest", record)
        record.listeners.append(self._block.update)
        record.payload_listeners.append(self._payload.update)
        if record.is_http:
            record.head_bytes()
            record.listeners.append(self._framed.update)

    def problems(self, record: Record) -> Iterator[str]:
        for _ in record.payload():
            pass
        record.finish()
        yield from self._block.problems()
        # A revisit has the digest of the body that it leaves out.
        if record.kind != "revisit" and not self._framed.is_right():
            yield from self._payload.problems()


class _Expected:
    """A digest that a field names, and what is found."""

    def __init__(self, field: str, record: Record) -> None:
        self._field = field
        self._text = record.get(field)
        self._name, _, self._value = self._text.partition(":")
        algorithm = self._name.lower().replace("-", "")
        self._digest = hashlib.new(algorithm, usedforsecurity=False) if algorithm in _ALGORITHMS else None

    def update(self, data: bytes) -> None:
        if self._digest is not None:
            self._digest.update(data)

    def problems(self) -> Iterator[str]:
        if self._text and self._digest is None:
            yield f"its {self._field} is in an algorithm that is not known: {self._text[:40]!r}"
        elif not self.is_right() and self._digest is not None:
            found = base64.b32encode(self._digest.digest()).decode()
            yield f"its {self._field} says {self._text[:150]!r}, and what is there has {self._name}:{found}"

    def is_right(self) -> bool:
        """Whether it is what the field says, in base32, base16 or base64."""
        if self._digest is None:
            return not self._text
        digest = self._digest.digest()
        if self._value.rstrip("=").upper() == base64.b32encode(digest).decode().rstrip("="):
            return True
        if self._value.lower() == digest.hex():
            return True
        try:
            return base64.b64decode(self._value, altchars=b"-_", validate=True) == digest
        except binascii.Error:
            return False

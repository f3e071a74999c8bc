"""Captures: the answers in a WARC file, each with what was asked.

What belongs here: which records are captures, joining an answer with its request. What does not: reading records
(reading.py), the index's lines (cdxj.py).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from crawlkit.archive.cdxj import REVISIT, Entry
from crawlkit.archive.posted import MAX_BYTES as MAX_POSTED_BYTES
from crawlkit.archive.posted import posted_query
from crawlkit.archive.reading import Record, unbracketed
from crawlkit.exceptions import BadResponse
from crawlkit.sessions import heads

_UNMATCHED = 64  # answers that wait for their request, and the other way about; the two are neighbours in a file


def captures(records: Iterable[Record]) -> Iterator[Entry]:
    """The captures among the records of a file, nearly in their order. ArchiveDamaged as reading the records raises it."""
    pairing = Pairing()
    for record in records:
        head = record.head() if record.kind in ("response", "revisit") else None
        if record.kind == "request":
            pairing.asked(record)
        elif head is not None:
            pairing.answered(record, replace(entry_of(record, head), length=record.length))
        yield from pairing.ready()
    yield from pairing.rest()


def entry_of(record: Record, head: heads.Head) -> Entry:
    """The capture that a response or revisit with this head is, as an answer to GET, its length still to be found.

    An answer that was cut off within its head has none: there is nothing that could be replayed.
    """
    is_revisit = record.kind == "revisit"
    return Entry(
        url=record.url,
        date=record.date,
        mime=REVISIT if is_revisit else head.get("content-type").partition(";")[0].strip().lower() or "unk",
        status=head.status,
        digest=record.payload_digest or "",
        filename=record.path.name,
        offset=record.offset,
        length=0,
        truncated="" if is_revisit else record.truncated or "",
    )


class Pairing:
    """Answers and requests that have not found each other yet. They name each other, and either may come first."""

    def __init__(self) -> None:
        self._answers: dict[str, tuple[Entry, str]] = {}
        self._asked: OrderedDict[str, tuple[str, str]] = OrderedDict()

    def asked(self, record: Record) -> None:
        """A request, which is read here: its method, and what it sent."""
        asked = _asked(record)
        for name in (record.record_id, unbracketed(record.get("warc-concurrent-to"))):
            self._asked[name] = asked
        while len(self._asked) > _UNMATCHED:
            self._asked.popitem(last=False)

    def answered(self, record: Record, entry: Entry) -> None:
        """An answer, which was read to its end."""
        self._answers[record.record_id] = (entry, unbracketed(record.get("warc-concurrent-to")))

    def ready(self, most: int = _UNMATCHED) -> list[Entry]:
        """The answers whose requests are known; and others, when more than `most` wait, as answers to GET."""
        found: list[Entry] = []
        for record_id, (entry, asking) in list(self._answers.items()):
            request = self._asked.get(record_id) or self._asked.get(asking)
            if request is not None or len(self._answers) > most:
                method, posted = request or ("GET", "")
                found.append(replace(entry, method=method, posted=posted))
                del self._answers[record_id]
        return found

    def rest(self) -> list[Entry]:
        """Every answer that is left, at the end of a file."""
        return self.ready(most=0)


def _asked(record: Record) -> tuple[str, str]:
    """The method of a request, and its body as a query string."""
    head = record.head_bytes()
    method = head.partition(b" ")[0].decode("latin-1").upper()
    if method in ("GET", "HEAD"):
        return method, ""
    body = b""
    for piece in record.payload():
        if len(body) <= MAX_POSTED_BYTES:
            body += piece
    return method, posted_query(body, _content_type(head))


def _content_type(head: bytes) -> str:
    try:
        return heads.read(b"HTTP/1.1 200 OK\r\n" + head.partition(b"\n")[2]).get("content-type")
    except BadResponse:
        return ""

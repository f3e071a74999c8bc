"""Rewriting: WARC files without the secrets that were learnt after their records had been written.

What belongs here: reading each record, taking out of it what is known now, and writing it again where anything changed.
What does not: what is secret (redaction.py), saying that something was left (scanning.py).

A cookie may be set on the last page whose value stands in the first one. Records without it are copied as they are; the
others get new lengths and digests, and a revisit the digest that its original has now.
"""

from __future__ import annotations

import hashlib
import shutil
from base64 import b32encode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO

from crawlkit.archive.exchange import Exchange
from crawlkit.archive.packed import Fields, Member, Packing
from crawlkit.archive.reading import Record, records, unbracketed
from crawlkit.archive.redaction import Redaction, RedactionNote
from crawlkit.archive.spool import Spool
from crawlkit.exceptions import ChunkedEncodingError, StorageError

_PIECE = 1 << 20
_URLS = frozenset(("warc-target-uri", "warc-refers-to-target-uri"))


@contextmanager
def rewritten(files: Sequence[Path], redaction: Redaction, folder: Path) -> Iterator[list[Path]]:
    """The files without what `redaction` knows to be secret: copies of the same names in `folder`, which goes at the end.

    StorageError when they cannot be written, ArchiveDamaged when a file is not as it was written.
    """
    rewriting = _Rewriting(redaction, folder)
    try:
        try:
            folder.mkdir(exist_ok=True)
            fresh = [rewriting.copy(file) for file in files]
        except OSError as error:
            raise StorageError(
                f"{folder}: it cannot be written ({error.strerror}); make room and start the same command again"
            ) from error
        yield fresh
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Rewriting:
    def __init__(self, redaction: Redaction, folder: Path) -> None:
        self._redaction = redaction
        self._folder = folder
        self._digests: dict[str, str] = {}  # of payloads: what they were, what they are
        self._notes: dict[str, RedactionNote] = {}  # by the id of the response

    def copy(self, file: Path) -> Path:
        target = self._folder / file.name
        with file.open("rb") as source, target.open("wb") as out:
            for record in records(file):
                fields = self._fields(record)
                with self._block(record, fields) as block:
                    if fields == record.fields:
                        _copy(source, out, record.offset, record.length)
                    else:
                        self._write(record, fields, block, out)
        return target

    def _fields(self, record: Record) -> Fields:
        """The fields without secrets, and with the digest that the payload referred to has now."""
        fields = [(name, self._redaction.text(text) if name.lower() in _URLS else text) for name, text in record.fields]
        if record.kind == "revisit" and record.payload_digest in self._digests:
            _set(fields, "WARC-Payload-Digest", self._digests[record.payload_digest])
        return fields

    def _block(self, record: Record, fields: Fields) -> Spool:
        """The block without secrets. Digests in `fields` are set anew when it is another one."""
        if record.is_http:
            return self._message(record, fields)
        block = b"".join(record.block())
        fresh = self._redaction.text(block.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        note = self._notes.get(unbracketed(record.get("WARC-Concurrent-To")))
        if record.kind == "metadata" and note is not None and b"\r\nredaction:" not in fresh:
            fresh += f"redaction: {note}\r\n".encode()
        if fresh != block:
            _set(fields, "WARC-Block-Digest", _digest((fresh,)))
        return _spooled((fresh,), self._folder)

    def _message(self, record: Record, fields: Fields) -> Spool:
        head_length = len(record.head_bytes()) if record.head() is not None else 0
        start = record.head_bytes()
        message = _spooled(chain((start,), record.block()), self._folder)
        is_request = record.kind == "request"
        exchange = Exchange(
            method="HEAD" if message.size == head_length else "GET",
            url=record.url,
            started=0.0,
            address=None,
            protocols=(),
            request=message if is_request else Spool(),
            response=Spool() if is_request else message,
            head_length=head_length,
            truncated=record.truncated,
        )
        clean, note = self._redaction.apply(exchange, self._folder, known_only=True)
        block = clean.request if is_request else clean.response
        if note is not None:
            event = unbracketed(record.get("WARC-Concurrent-To")) if is_request else record.record_id
            self._notes.setdefault(event, note)
            _set(fields, "WARC-Block-Digest", _digest(block.chunks()))
            if record.kind == "response" and record.payload_digest is not None:
                fresh = _digest(_whole(clean.body()))
                self._digests[record.payload_digest] = fresh
                _set(fields, "WARC-Payload-Digest", fresh)
        return block

    def _write(self, record: Record, fields: Fields, block: Spool, out: IO[bytes]) -> None:
        packing = Packing(self._folder)
        member = Member(record.kind, record.record_id, 0, 0, record.url, record.date)
        packing.add(
            member, [pair for pair in fields if pair[0].lower() != "content-length"], block.chunks(), block.size
        )
        with packing.packed() as packed:
            for piece in packed.spool.chunks():
                out.write(piece)


def _spooled(pieces: Iterable[bytes], folder: Path) -> Spool:
    spool = Spool(folder)
    for piece in pieces:
        spool.write(piece)
    return spool


def _whole(pieces: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from pieces
    except ChunkedEncodingError:
        return  # the answer to a HEAD


def _set(fields: Fields, name: str, value: str) -> None:
    for at, (known, _) in enumerate(fields):
        if known.lower() == name.lower():
            fields[at] = (known, value)


def _digest(pieces: Iterable[bytes]) -> str:
    digest = hashlib.sha1(usedforsecurity=False)
    for piece in pieces:
        digest.update(piece)
    return "sha1:" + b32encode(digest.digest()).decode()


def _copy(source: IO[bytes], out: IO[bytes], start: int, length: int) -> None:
    source.seek(start)
    while length and (piece := source.read(min(_PIECE, length))):
        out.write(piece)
        length -= len(piece)

"""Records: which WARC records an exchange becomes, and their named fields (WARC 1.1, ISO 28500:2017).

What belongs here: warcinfo, request, response, revisit, metadata, their fields and digests. What does not: how a record is
written (packed.py) and read (reading.py), what may be in it (redaction.py). Bodies are read from the exchange's spool
twice, once for the digests and once to be compressed, and are never in memory.

Digests: a payload is the body without the framing of chunks and with its content coding (sections 5.8 and 5.9, which
follow RFC 9110's words: the framing is the message's, not the content's). warcio computes and checks the payload's
digest with the framing in it, and so calls the digest of a chunked response wrong; the standard is followed here. A
truncated payload has no digest: it would say that something is the same of which nobody knows what it is.
"""

from __future__ import annotations

import base64
import hashlib
import os
import random
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from crawlkit.archive.exchange import Exchange
from crawlkit.archive.packed import Fields, Member, Origin, Packed, Packing
from crawlkit.sessions import bodies
from crawlkit.version import VERSION

# uuid4() asks the system for each id and gives the other threads a turn meanwhile: a sixth of the time of packing. Not the
# generator of `random` itself: a spider that seeds it would give the same ids to other records.
_IDS = random.Random()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_IDS.seed)

IDENTICAL = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"

_CONFORMS = "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"
_REQUEST = "application/http;msgtype=request"
_RESPONSE = "application/http;msgtype=response"
_FIELDS = "application/warc-fields"


def warcinfo(filename: str, fields: Mapping[str, str], *, now: float) -> Packed:
    """The record that begins the file `filename`: crawlkit and its version, the format, and `fields`.

    `fields` must hold nothing secret: no command line, environment or cookie. `now`: seconds since 1970.
    """
    body = _block(
        {"software": f"crawlkit/{VERSION}", "format": "WARC File Format 1.1", "conformsTo": _CONFORMS, **fields}
    )
    member = Member("warcinfo", _new_id(), 0, 0, "", date_of(now))
    packing = Packing(None)
    packing.add(member, [*_first_fields(member), ("WARC-Filename", filename), *_described(body)], (body,), len(body))
    return packing.packed()


def pack(
    exchange: Exchange,
    *,
    warcinfo_id: str,
    redaction_note: object = None,
    spool_folder: Path | None = None,
) -> Packed:
    """The records of `exchange`, compressed: response, request, metadata. The exchange is not closed.

    `warcinfo_id`: of the file's first record (`WarcFile.warcinfo_id`); `redaction_note`: what `str` says of it is written
    into the metadata. An answer that is not HTTP, of which no head can be read, has no response record: the metadata
    says so. StorageError when the spool's folder is full. To be called in a worker; takes 1.5 ms for 290 KB.
    """
    packing = Packing(spool_folder)
    date = date_of(exchange.started)
    response_id, request_id = _new_id(), _new_id()
    is_http = exchange.head is not None or exchange.response.read(0, 7) == b"HTTP/1."
    common = _common_fields(exchange, warcinfo_id)
    origin = _add_response(packing, exchange, response_id, date, common) if is_http else None
    event = ("WARC-Concurrent-To", f"<{response_id if is_http else request_id}>")
    with_event = [event] if is_http else []
    request = Member("request", request_id, 0, 0, exchange.url, date)
    _, digest, _ = _digests(exchange.request.chunks(), iter(()))
    packing.add(
        request,
        [
            *_first_fields(request),
            *common,
            *with_event,
            ("Content-Type", _REQUEST),
            ("WARC-Block-Digest", digest),
        ],
        exchange.request.chunks(),
        exchange.request.size,
    )
    body = _block(_metadata(exchange, redaction_note, is_http))
    metadata = Member("metadata", _new_id(), 0, 0, exchange.url, date)
    packing.add(
        metadata,
        [*_first_fields(metadata), *_target(exchange, warcinfo_id), event, *_described(body)],
        (body,),
        len(body),
    )
    return packing.packed(origin)


def as_revisit(
    packed: Packed,
    refers_url: str,
    refers_date: str,
    *,
    refers_digest: str | None = None,
    spool_folder: Path | None = None,
) -> Packed:
    """The same records with a revisit in place of the response: the head is kept, the body is what it refers to.

    `refers_url`, `refers_date`: WARC-Target-URI and WARC-Date of the response that has the body. For a 304 the profile is
    server-not-modified (and `refers_digest` the digest of what was not modified), else identical-payload-digest. Compresses
    the head alone, so that the writer thread may call it. `packed` is not closed. ValueError for what has no response, or
    only a part of one.
    """
    answer, origin = packed.answer, packed.origin
    if answer is None or origin is None or not origin.is_whole:
        raise ValueError(f"no revisit can stand for {packed.members[0].url}: its answer did not come whole")
    unmodified = answer.status == 304
    digest = refers_digest if unmodified else answer.payload_digest
    member = Member(
        "revisit",
        answer.record_id,
        0,
        0,
        answer.url,
        answer.date,
        answer.status,
        answer.mime,
        digest,
        answer.payload_size,
    )
    fields = [
        *_first_fields(member),
        *origin.fields,
        ("WARC-Profile", NOT_MODIFIED if unmodified else IDENTICAL),
        ("WARC-Refers-To-Target-URI", refers_url),
        ("WARC-Refers-To-Date", refers_date),
        ("Content-Type", _RESPONSE),
        ("WARC-Block-Digest", _sha1(origin.head)),
    ]
    if digest is not None:
        fields.append(("WARC-Payload-Digest", digest))
    if not unmodified:
        fields.append(("WARC-Truncated", "length"))  # "shall be used" for a body that is left out (section 6.7.2)
    packing = Packing(spool_folder)
    for kept in packed.members:
        if kept is answer:
            packing.add(member, fields, (origin.head,), len(origin.head))
        else:
            packing.copy(packed, [kept])
    return packing.packed()


def date_of(instant: float) -> str:
    """Seconds since 1970 as a WARC-Date with microseconds, in UTC (section 5.4)."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _add_response(packing: Packing, exchange: Exchange, record_id: str, date: str, common: Fields) -> Origin:
    head = exchange.response.read(0, exchange.head_length)
    same = exchange.length != bodies.CHUNKED
    payload, block_digest, size = _digests(
        exchange.response.chunks(), None if same else exchange.body(), exchange.head_length
    )
    digest = payload if exchange.truncated is None else None
    member = Member("response", record_id, 0, 0, exchange.url, date, exchange.status, exchange.mime, digest, size)
    fields = [*_first_fields(member), *common, ("Content-Type", _RESPONSE), ("WARC-Block-Digest", block_digest)]
    if digest is not None:
        fields.append(("WARC-Payload-Digest", digest))
    if exchange.truncated is not None:
        fields.append(("WARC-Truncated", exchange.truncated))
    packing.add(member, fields, exchange.response.chunks(), exchange.response.size)
    return Origin(common, head, exchange.truncated is None)


# --- fields -----------------------------------------------------------------------------------------------------------


def _first_fields(member: Member) -> Fields:
    return [("WARC-Type", member.kind), ("WARC-Record-ID", f"<{member.record_id}>"), ("WARC-Date", member.date)]


def _target(exchange: Exchange, warcinfo_id: str) -> Fields:
    return [("WARC-Target-URI", exchange.url), ("WARC-Warcinfo-ID", f"<{warcinfo_id}>")]


def _common_fields(exchange: Exchange, warcinfo_id: str) -> Fields:
    """The fields that request and response share."""
    fields = _target(exchange, warcinfo_id)
    if exchange.address is not None:
        # Shortened as RFC 5952 wants it; a zone is this machine's own and says nothing elsewhere.
        fields.append(("WARC-IP-Address", str(ip_address(exchange.address.partition("%")[0]))))
    fields += [("WARC-Protocol", protocol) for protocol in exchange.protocols]
    return fields


def _described(block: bytes) -> Fields:
    return [("Content-Type", _FIELDS), ("WARC-Block-Digest", _sha1(block))]


def _metadata(exchange: Exchange, redaction_note: object, is_http: bool) -> dict[str, str]:
    said: dict[str, str] = {}
    if exchange.via is not None:
        said["via"] = exchange.via
    said["hopsFromSeed"] = "L" * exchange.hops
    if not is_http:
        said["error"] = f"the answer was not HTTP and was left out ({exchange.response.size} bytes)"
    if redaction_note is not None:
        said["redaction"] = str(redaction_note)
    return said


def _block(fields: Mapping[str, str]) -> bytes:
    """A block of application/warc-fields: a line a field."""
    return "".join(f"{name}: {' '.join(value.split())}\r\n" for name, value in fields.items()).encode()


def _new_id() -> str:
    return uuid.UUID(int=_IDS.getrandbits(128), version=4).urn


# --- digests ----------------------------------------------------------------------------------------------------------


def _digests(blocks: Iterator[bytes], payload: Iterator[bytes] | None, head_length: int = 0) -> tuple[str, str, int]:
    """The digests of the payload and the block, and the payload's size. `payload` None: what follows the head."""
    whole: Any = hashlib.sha1(usedforsecurity=False)
    body = hashlib.sha1(usedforsecurity=False)
    size = at = 0
    for block in blocks:
        whole.update(block)
        if payload is None:
            part = block[max(head_length - at, 0) :] if at < head_length else block
            body.update(part)
            size += len(part)
        at += len(block)
    for piece in payload or ():
        body.update(piece)
        size += len(piece)
    return _named(body.digest()), _named(whole.digest()), size


def _sha1(data: bytes) -> str:
    return _named(hashlib.sha1(data, usedforsecurity=False).digest())


def _named(digest: bytes) -> str:
    return "sha1:" + base64.b32encode(digest).decode()

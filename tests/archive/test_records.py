"""Records: their fields, digests and bytes, read by warcio, which did not write them."""

from __future__ import annotations

import base64
import gzip
import hashlib
import subprocess
import sys
import tracemalloc
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from crawlkit.archive import reading, records
from crawlkit.archive.packed import Packed
from crawlkit.archive.warcfile import WarcFile
from crawlkit.version import VERSION
from tests.archive.exchanges import NOW, chunked, exchange, page

INFO = "urn:uuid:00000000-0000-4000-8000-000000000000"
DATE = "2023-11-14T22:13:20.125000Z"


def sha1(data: bytes) -> str:
    return "sha1:" + base64.b32encode(hashlib.sha1(data).digest()).decode()


def pack(answer: bytes, *, note: object = None, **options: Any) -> Packed:
    made = exchange(answer, **options)
    try:
        return records.pack(made, warcinfo_id=INFO, redaction_note=note)
    finally:
        made.close()


def revisit(answer: bytes) -> Packed:
    with pack(answer) as packed:
        return records.as_revisit(packed, "http://site.example/page?q=1", DATE)


def unpacked(packed: Packed) -> list[tuple[dict[str, str], bytes]]:
    """Fields and block of each record, each out of its own gzip member."""
    found = []
    for member in packed.members:
        inflating = zlib.decompressobj(31)
        data = inflating.decompress(packed.spool.read(member.start, member.length))
        assert inflating.eof
        assert b"" == inflating.unused_data
        head, _, block = data.partition(b"\r\n\r\n")
        version, *lines = head.decode().split("\r\n")
        assert "WARC/1.1" == version
        fields: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(": ")
            fields[name] = f"{fields[name]}, {value}" if name in fields else value
        assert block.endswith(b"\r\n\r\n")
        assert int(fields["Content-Length"]) == len(block) - 4
        found.append((fields, block[:-4]))
    return found


def test_an_exchange_is_three_records_of_the_wires_bytes() -> None:
    packed = pack(page(), tls="TLSv1.3", via="http://site.example/", hops=2)
    (response, response_block), (request, request_block), (metadata, metadata_block) = unpacked(packed)
    assert page() == response_block
    assert b"GET /page?q=1 HTTP/1.1\r\nHost: site.example\r\n\r\n" == request_block
    assert b"via: http://site.example/\r\nhopsFromSeed: LL\r\n" == metadata_block
    ids = [member.record_id for member in packed.members]
    shared = {
        "WARC-Date": DATE,
        "WARC-Target-URI": "http://site.example/page?q=1",
        "WARC-Warcinfo-ID": f"<{INFO}>",
    }
    wire = {"WARC-IP-Address": "192.0.2.7", "WARC-Protocol": "http/1.1, tls/1.3"}
    event = {"WARC-Concurrent-To": f"<{ids[0]}>"}
    assert {
        "WARC-Type": "response",
        "WARC-Record-ID": f"<{ids[0]}>",
        **shared,
        **wire,
        "Content-Type": "application/http;msgtype=response",
        "WARC-Block-Digest": sha1(page()),
        "WARC-Payload-Digest": sha1(b"<p>hello</p>"),
        "Content-Length": str(len(page())),
    } == response
    assert {
        "WARC-Type": "request",
        "WARC-Record-ID": f"<{ids[1]}>",
        **shared,
        **wire,
        **event,
        "Content-Type": "application/http;msgtype=request",
        "WARC-Block-Digest": sha1(request_block),
        "Content-Length": str(len(request_block)),
    } == request
    assert {
        "WARC-Type": "metadata",
        "WARC-Record-ID": f"<{ids[2]}>",
        **shared,
        **event,
        "Content-Type": "application/warc-fields",
        "WARC-Block-Digest": sha1(metadata_block),
        "Content-Length": str(len(metadata_block)),
    } == metadata
    assert 3 == len(set(ids))
    assert all(identifier.startswith("urn:uuid:") for identifier in ids)


def test_what_an_index_wants_to_know() -> None:
    answer = pack(page(status="404 Not Found")).answer
    assert answer is not None
    assert ("response", 404, "text/html", 12) == (answer.kind, answer.status, answer.mime, answer.payload_size)
    assert (sha1(b"<p>hello</p>"), DATE) == (answer.payload_digest, answer.date)


@pytest.mark.parametrize(
    ("address", "written"),
    [("2001:0DB8:0:0:0:0:0:1", "2001:db8::1"), ("fe80::1%eth0", "fe80::1"), ("::1", "::1"), (None, None)],
)
def test_addresses_are_written_as_rfc_5952_says(address: str | None, written: str | None) -> None:
    assert written == unpacked(pack(page(), address=address))[0][0].get("WARC-IP-Address")


def test_the_payload_has_no_chunk_framing_and_keeps_its_coding() -> None:
    """Its digest is that of the same page that came with a length: the one can stand for the other."""
    zipped = gzip.compress(b"hello", mtime=0)
    one, other = pack(chunked(zipped[:9], zipped[9:], coding="gzip")), pack(page(zipped, "Content-Encoding: gzip"))
    assert chunked(zipped[:9], zipped[9:], coding="gzip") == unpacked(one)[0][1]
    assert one.answer is not None and other.answer is not None
    assert sha1(zipped) == one.answer.payload_digest == other.answer.payload_digest
    assert len(zipped) == one.answer.payload_size == other.answer.payload_size


@pytest.mark.parametrize("method_and_status", [("HEAD", "200 OK"), ("GET", "304 Same")])
def test_an_answer_without_a_body(method_and_status: tuple[str, str]) -> None:
    method, status = method_and_status
    answer = page(b"", status=status).replace(b"Length: 0", b"Length: 12")
    fields, block = unpacked(pack(answer, method=method))[0]
    assert (answer, sha1(b"")) == (block, fields["WARC-Payload-Digest"])


@pytest.mark.parametrize("reason", ["disconnect", "time", "length", "unspecified"])
def test_a_truncated_answer_says_why_and_has_no_payload_digest(reason: str) -> None:
    packed = pack(page()[:-3], truncated=reason)
    fields, block = unpacked(packed)[0]
    assert (reason, page()[:-3]) == (fields["WARC-Truncated"], block)
    assert "WARC-Payload-Digest" not in fields
    with pytest.raises(ValueError, match="did not come whole"):
        records.as_revisit(packed, "http://site.example/", DATE)


def test_an_answer_that_is_not_http_is_left_out() -> None:
    """No reader of an archive could make anything of the record."""
    packed = pack(b"SSH-2.0-OpenSSH\r\n", truncated="unspecified")
    assert ["request", "metadata"] == [member.kind for member in packed.members]
    assert packed.answer is None
    (request, _), (metadata, block) = unpacked(packed)
    assert b"the answer was not HTTP and was left out (17 bytes)" in block
    assert "WARC-Concurrent-To" not in request
    assert request["WARC-Record-ID"] == metadata["WARC-Concurrent-To"]


def test_a_note_of_what_was_redacted_is_one_line() -> None:
    assert (
        b"hopsFromSeed: \r\nredaction: 2 headers and more\r\n"
        == unpacked(pack(page(), note="2 headers\r\nand more"))[2][1]
    )


# --- revisits ---------------------------------------------------------------------------------------------------------


def test_a_revisit_keeps_the_head_and_refers_to_the_body() -> None:
    packed = pack(page(b"x" * 5000))
    made = records.as_revisit(packed, "http://site.example/other", "2023-01-01T00:00:00.5Z")
    (fields, block), *rest = unpacked(made)
    assert unpacked(packed)[1:] == rest
    assert page(b"x" * 5000)[:-5000] == block
    assert {
        "WARC-Type": "revisit",
        "WARC-Profile": "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest",
        "WARC-Refers-To-Target-URI": "http://site.example/other",
        "WARC-Refers-To-Date": "2023-01-01T00:00:00.5Z",
        "WARC-Target-URI": "http://site.example/page?q=1",
        "WARC-Date": DATE,
        "WARC-Payload-Digest": sha1(b"x" * 5000),
        "WARC-Block-Digest": sha1(block),
        "WARC-Truncated": "length",
        "WARC-IP-Address": "192.0.2.7",
        "WARC-Protocol": "http/1.1",
        "WARC-Warcinfo-ID": f"<{INFO}>",
        "WARC-Record-ID": f"<{packed.members[0].record_id}>",
        "Content-Type": "application/http;msgtype=response",
        "Content-Length": str(len(block)),
    } == fields


def test_what_was_not_modified_refers_to_what_it_was() -> None:
    packed = pack(page(b"", "ETag: a", status="304 Not Modified"))
    fields, block = unpacked(records.as_revisit(packed, "http://site.example/", DATE, refers_digest=sha1(b"old")))[0]
    assert "http://netpreserve.org/warc/1.1/revisit/server-not-modified" == fields["WARC-Profile"]
    assert (sha1(b"old"), True) == (fields["WARC-Payload-Digest"], b"304 Not Modified" in block)
    assert "WARC-Truncated" not in fields
    fields, _ = unpacked(records.as_revisit(packed, "http://site.example/", DATE))[0]
    assert "WARC-Payload-Digest" not in fields


# --- warcinfo ---------------------------------------------------------------------------------------------------------


def test_the_first_record_says_what_wrote_the_file() -> None:
    packed = records.warcinfo("data-00000.warc.gz", {"isPartOf": "site", "redaction": "on"}, now=NOW)
    [(fields, block)] = unpacked(packed)
    assert ("warcinfo", "data-00000.warc.gz", DATE) == (
        fields["WARC-Type"],
        fields["WARC-Filename"],
        fields["WARC-Date"],
    )
    assert sha1(block) == fields["WARC-Block-Digest"]
    lines = block.decode().splitlines()
    assert [f"software: crawlkit/{VERSION}", "format: WARC File Format 1.1"] == lines[:2]
    assert ["isPartOf: site", "redaction: on"] == lines[3:]


# --- other readers ----------------------------------------------------------------------------------------------------


@contextmanager
def written(folder: Path, *packings: Packed) -> Iterator[Path]:
    files = WarcFile(folder, fields={"isPartOf": "a test"}, clock=lambda: NOW)
    for packed in packings:
        files.append(packed)
        packed.close()
    files.sync()
    files.close()
    yield files.path


def every_kind() -> list[Packed]:
    zipped = gzip.compress(b"hello " * 1000)
    return [
        pack(page(b"x" * 3_000_000)),
        revisit(page(b"x" * 3_000_000)),
        revisit(page(b"", status="304 Same")),
        pack(page(zipped, "Content-Encoding: gzip"), via="http://site.example/", hops=1, note="nothing"),
        pack(page(b"", status="302 Found").replace(b"Content-Type: Text/HTML; charset=utf-8", b"Location: /")),
        pack(b"HTTP/1.1 200 Fine\r\nX-Name: caf\xe9\r\nX: a\r\n\tb\r\nContent-Length: 2\r\n\r\nok"),
        pack(b"HTTP/1.1 204 No Content\r\n\r\n", method="HEAD", address="::1"),
        pack(b"HTTP/1.0 200 OK\n\nuntil it closes", request=b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\na=b"),
        pack(page()[:-3], truncated="disconnect"),
        pack(b"HTTP/1.1 200 OK\r\nContent-Ty", truncated="time"),
        pack(b"not http", truncated="unspecified"),
    ]


def check(path: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "warcio.cli", "check", "-v", str(path)], capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout


def test_warcio_finds_nothing_wrong(tmp_path: Path) -> None:
    packings = every_kind()
    count = 1 + sum(len(packed.members) for packed in packings)
    with written(tmp_path, *packings) as path:
        code, said = check(path)
        assert 0 == code, said
        assert count == said.count("offset ")
        assert "fail" not in said


def test_warcio_digests_the_framing_of_chunks_and_nothing_else_is_wrong(tmp_path: Path) -> None:
    """The payload is what RFC 9110 calls content (WARC 1.1 section 5.9): here the standard is followed, not the tool."""
    with written(tmp_path, pack(chunked(b"hello", b"world")), pack(page())) as path:
        code, said = check(path)
        assert 1 == code
        problems = [line for line in said.splitlines() if "failed" in line]
        assert [f"    payload digest failed {sha1(b'helloworld')}"] == problems


def test_warcio_reads_what_was_on_the_wire(tmp_path: Path) -> None:
    zipped = gzip.compress(b"hello")
    with written(tmp_path, pack(chunked(zipped, coding="gzip"))) as path, path.open("rb") as file:
        response = next(record for record in ArchiveIterator(file) if record.rec_type == "response")
        assert b"hello" == response.content_stream().read()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=3000), max_size=6), st.booleans())
def test_what_was_packed_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], coded: bool
) -> None:
    body = b"".join(pieces)
    answer = chunked(*pieces) if coded else page(body)
    with written(tmp_path_factory.mktemp("warc"), pack(answer)) as path:
        found = {record.kind: b"".join(record.payload()) for record in reading.records(path)}
        assert body == found["response"]
        assert ["warcinfo", "response", "request", "metadata"] == list(found)


@pytest.mark.slow
def test_a_body_is_never_in_memory(tmp_path: Path) -> None:
    """Whatever its size: 200 MB in chunks, through the spool, both passes over it, and the reading."""
    piece = bytes(range(256)) * 4000
    tracemalloc.start()
    try:
        answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        made = exchange(answer + b"%x\r\n%s\r\n0\r\n\r\n" % (len(piece), piece), folder=tmp_path)
        made.response.close()
        made.response.write(answer)
        for _ in range(200):
            made.response.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        made.response.write(b"0\r\n\r\n")
        packed = records.pack(made, warcinfo_id=INFO, spool_folder=tmp_path)
        made.close()
        assert packed.answer is not None
        assert 200 * len(piece) == packed.answer.payload_size
        with written(tmp_path / "warc", packed) as path:
            assert 200 * len(piece) == sum(
                sum(map(len, record.payload())) for record in reading.records(path) if record.kind == "response"
            )
        assert tracemalloc.get_traced_memory()[1] < 16_000_000
    finally:
        tracemalloc.stop()


_SEEDED_AND_FORKED = """
import os, random
from crawlkit.archive import records
for _ in range(2):
    random.seed(7)
    child = os.fork() if hasattr(os, "fork") else -1
    os.write(1, records._new_id().encode() + b" ")
    if not child:
        os._exit(0)
    if child > 0:
        os.waitpid(child, 0)
"""


def test_ids_are_of_no_other_record_though_a_spider_seeds_and_forks() -> None:
    """WARC 1.1, section 5.2: globally unique."""
    done = subprocess.run([sys.executable, "-c", _SEEDED_AND_FORKED], capture_output=True, text=True, check=True)
    found = done.stdout.split()
    assert len(found) == len(set(found)) >= 2
    assert {4} == {uuid.UUID(each).version for each in found}

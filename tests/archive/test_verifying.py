"""Verifying: our files are right, and every way of being wrong is found and named."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from crawlkit.archive import reading
from crawlkit.archive.verifying import Verifying, verify
from tests.archive.exchanges import chunked, page
from tests.archive.test_reading import GOOD, member, ours, warc

__all__ = ["ours"]

INFO = member(b"", WARC_Type="warcinfo", WARC_Record_ID="<urn:uuid:0>", Content_Type="application/warc-fields")


def digest(data: bytes, algorithm: str = "sha1") -> bytes:
    return hashlib.new(algorithm, data).digest()


def said(tmp_path: Path, *members: bytes) -> list[str]:
    return [str(problem).partition(": ")[2] for problem in verify([warc(tmp_path, INFO + b"".join(members))])]


def test_what_we_write_is_right(ours: Path) -> None:
    assert [] == [problem for problem in verify([ours]) if "WARC-Warcinfo-ID" not in problem.what]


@pytest.mark.parametrize(
    "written",
    [
        "sha1:" + base64.b32encode(digest(b"<p>hello</p>")).decode(),
        "sha1:" + digest(b"<p>hello</p>").hex(),
        "SHA-256:" + digest(b"<p>hello</p>", "sha256").hex().upper(),
        "sha256:" + base64.b64encode(digest(b"<p>hello</p>", "sha256")).decode(),
        "md5:" + base64.urlsafe_b64encode(digest(b"<p>hello</p>", "md5")).decode(),
    ],
)
def test_digests_as_tools_write_them(tmp_path: Path, written: str) -> None:
    assert [] == said(tmp_path, member(page(), WARC_Payload_Digest=written))


def test_a_payload_digest_with_the_framing_of_chunks_is_let_pass(tmp_path: Path) -> None:
    answer = chunked(b"hello")
    for payload in (b"hello", answer.partition(b"\r\n\r\n")[2]):
        assert [] == said(tmp_path, member(answer, WARC_Payload_Digest="sha1:" + digest(payload).hex()))


WRONG = "sha1:" + "0" * 40


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"WARC_Block_Digest": WRONG}, "its WARC-Block-Digest says"),
        ({"WARC_Payload_Digest": WRONG}, "its WARC-Payload-Digest says"),
        (
            {"WARC_Payload_Digest": "crc32:abc"},
            "its WARC-Payload-Digest is in an algorithm that is not known: 'crc32:abc'",
        ),
        ({"WARC_Date": "yesterday"}, "its WARC-Date is no date: 'yesterday'"),
        ({"WARC_Date": ""}, "it has no WARC-Date"),
        ({"WARC_Record_ID": ""}, "it has no WARC-Record-ID"),
        ({"WARC_Record_ID": "<urn:uuid:0>"}, "another record has the same WARC-Record-ID"),
        ({"WARC_Target_URI": ""}, "it has no WARC-Target-URI"),
        ({"WARC_Target_URI": "http://site.example/ä"}, "its WARC-Target-URI has characters that are no ASCII"),
        ({"WARC_Concurrent_To": "<urn:uuid:9>"}, "WARC-Concurrent-To names urn:uuid:9, and no record has this id"),
        ({"WARC_Warcinfo_ID": "<urn:uuid:8>"}, "WARC-Warcinfo-ID names urn:uuid:8, and no record has this id"),
        (
            {"WARC_Type": "revisit", "WARC_Refers_To_Date": "x", "WARC_Profile": "p"},
            "its WARC-Refers-To-Date is no date",
        ),
        ({"WARC_Type": "revisit"}, "it is a revisit without a WARC-Profile"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, fields: dict[str, str], expected: str) -> None:
    problems = said(tmp_path, member(page(), **fields))
    assert [True] == [problem.startswith(expected) for problem in problems if "no date: ''" not in problem]


def test_where_it_is(tmp_path: Path) -> None:
    path = warc(tmp_path, INFO + member(page(), WARC_Block_Digest=WRONG))
    [problem] = verify([path])
    assert (path, len(INFO), "urn:uuid:1") == (problem.file, problem.offset, problem.record_id)
    assert str(problem).startswith(f"{path}, offset {len(INFO)} (urn:uuid:1): its WARC-Block-Digest says '{WRONG}'")


def test_a_damaged_file_is_read_up_to_the_damage_and_the_others_whole(tmp_path: Path) -> None:
    path = warc(tmp_path, INFO + GOOD + GOOD[:50])
    other = tmp_path / "other.warc.gz"
    other.write_bytes(GOOD)
    damage, *rest = verify([path, other])
    assert (len(INFO + GOOD), path) == (damage.offset, damage.file)
    assert "the file ends within the record that begins here; what follows was not read" == damage.what
    assert [
        "the file begins with a response record and no warcinfo",
        "another record has the same WARC-Record-ID",
    ] == [problem.what for problem in rest]
    path.write_bytes(b"")
    assert ["the file has no record"] == [problem.what for problem in verify([path])]


def test_a_revisits_payload_digest_is_of_what_it_leaves_out(tmp_path: Path) -> None:
    revisit = member(page()[:-12], WARC_Type="revisit", WARC_Profile="p", WARC_Payload_Digest=WRONG)
    assert [] == said(tmp_path, revisit)


@pytest.mark.parametrize("reads", ["nothing", "head", "some", "decoded", "all"])
def test_somebody_else_may_read_the_records_meanwhile(ours: Path, reads: str) -> None:
    verifying = Verifying()
    count = 0
    for record in reading.records(ours):
        verifying.watch(record)
        if reads != "nothing":
            record.head()
        if reads == "some":
            next(record.payload(), b"")
        elif reads in ("decoded", "all"):
            list(record.decoded())
        if reads == "all":
            record.finish()
        assert [] == verifying.finish(record)
        count += 1
    assert 7 == count

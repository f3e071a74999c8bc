"""Rewriting: what was learnt too late is taken out of the records, which stay right; all others keep their bytes."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from crawlkit.archive import reading, records
from crawlkit.archive.redaction import Redaction
from crawlkit.archive.registry import Registry
from crawlkit.archive.rewriting import rewritten
from crawlkit.archive.scanning import Scan
from crawlkit.archive.verifying import verify
from crawlkit.archive.warcfile import WarcFile
from crawlkit.exceptions import ArchiveDamaged, StorageError
from tests.archive.exchanges import NOW, chunked, exchange, page
from tests.archive.naive import leaks

LATE = "s3cr3t/Val+ue=="
URL = "http://site.example/page?x=s3cr3t/Val+ue=="


def archived(folder: Path, redaction: Redaction) -> Path:
    """A file with a page that shows what is no secret yet, in every coding of a body, and with its revisit."""
    files = WarcFile(folder, fields={"isPartOf": "a test"}, clock=lambda: NOW)
    files.begin()
    coded = gzip.compress(f"<p>{LATE}</p>".encode(), mtime=0)
    answers = [
        page(b"nothing", "Set-Cookie: sid=abc"),
        page(f"<p>{LATE}</p>".encode()),
        page(coded, "Content-Encoding: gzip"),
        chunked(coded[:9], coded[9:], coding="gzip"),
        chunked(b"<p>s3cr3t", b"/Val+ue==</p>"),
        page(f"<p>{LATE}</p>".encode()),
    ]
    request = f"GET /page?x={LATE} HTTP/1.1\r\nCookie: theme=dark\r\n\r\n".encode()
    for number, answer in enumerate(answers):
        raw = exchange(answer, url=f"{URL}&n={number}" if number else URL[:25], request=request, via=URL)
        clean, note = redaction.apply(raw)
        with records.pack(clean, warcinfo_id=files.warcinfo_id, redaction_note=note) as packed:
            if number == len(answers) - 1:
                packed = records.as_revisit(packed, f"{URL}&n=1", "2023-11-14T22:13:20.125000Z")
            files.append(packed)
        clean.close()
    files.close()
    return files.path


def test_what_was_learnt_too_late_is_taken_out(tmp_path: Path) -> None:
    """In every field and block, and every digest is right again; a second time changes nothing."""
    registry = Registry({})
    redaction = Redaction(registry)
    file = archived(tmp_path, redaction)
    registry.learn(LATE)
    with rewritten([file], redaction, tmp_path / "clean") as (clean,):
        assert [] == verify([clean])
        unpacked = gzip.decompress(clean.read_bytes())
        kinds = [record.kind for record in reading.records(clean)]
        hidden = registry.pseudonyms.of(LATE).encode()
        for record in reading.records(clean):
            if record.kind == "response" and "n=" in record.url:
                assert hidden in b"".join(record.decoded()), record.url
        scan = Scan(registry)
        scan.look("file")(unpacked)
        scan.approve()
        with rewritten([clean], redaction, tmp_path / "again") as (again,):
            assert clean.read_bytes() == again.read_bytes()
    assert [] == leaks(LATE, unpacked)
    assert [record.kind for record in reading.records(file)] == kinds
    assert not (tmp_path / "clean").exists()


def test_a_revisit_has_the_digest_that_its_original_has_now(tmp_path: Path) -> None:
    registry = Registry({})
    redaction = Redaction(registry)
    file = archived(tmp_path, redaction)
    registry.learn(LATE)
    with rewritten([file], redaction, tmp_path / "clean") as (clean,):
        digests = {record.url: (record.kind, record.payload_digest) for record in reading.records(clean)
                   if record.kind in ("response", "revisit")}  # fmt: skip
        hidden = URL.replace(LATE, registry.pseudonyms.of(LATE))
        assert ("response", "revisit") == (digests[f"{hidden}&n=1"][0], digests[f"{hidden}&n=5"][0])
        assert digests[f"{hidden}&n=1"][1] == digests[f"{hidden}&n=5"][1]


def test_pseudonyms_are_not_replaced_once_more(tmp_path: Path) -> None:
    """A cookie of before would have another one in each record otherwise."""
    registry = Registry({})
    redaction = Redaction(registry)
    file = archived(tmp_path, redaction)
    registry.learn(LATE)
    cookie = registry.pseudonyms.of("dark").encode()
    with rewritten([file], redaction, tmp_path / "clean") as (clean,):
        assert 6 == gzip.decompress(clean.read_bytes()).count(b"Cookie: theme=" + cookie)


def test_the_metadata_says_what_was_done(tmp_path: Path) -> None:
    registry = Registry({})
    redaction = Redaction(registry)
    file = archived(tmp_path, redaction)
    registry.learn(LATE)
    with rewritten([file], redaction, tmp_path / "clean") as (clean,):
        notes = [b"".join(record.block()) for record in reading.records(clean) if record.kind == "metadata"]
    assert all(b"redaction: secrets were replaced" in note for note in notes)


def test_a_file_without_such_secrets_is_copied_as_it_is(tmp_path: Path) -> None:
    redaction = Redaction(Registry({}))
    file = archived(tmp_path, redaction)
    with rewritten([file], redaction, tmp_path / "clean") as (clean,):
        assert file.read_bytes() == clean.read_bytes()


def test_damage_and_a_folder_that_cannot_be_made_are_told(tmp_path: Path) -> None:
    redaction = Redaction(Registry({}))
    file = archived(tmp_path, redaction)
    with (
        pytest.raises(StorageError, match="cannot be written"),
        rewritten([file], redaction, tmp_path / "no" / "clean"),
    ):
        pass
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(ArchiveDamaged), rewritten([file], redaction, tmp_path / "clean"):
        pass
    assert not (tmp_path / "clean").exists()

"""Reading WARC files: records of ours and of others, and every kind of damage, which is named."""

from __future__ import annotations

import gzip
import io
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawlkit.archive import reading, records
from crawlkit.archive.reading import Record
from crawlkit.archive.warcfile import WarcFile
from crawlkit.exceptions import ArchiveDamaged, StorageError
from tests.archive.exchanges import NOW, chunked, exchange, page


def member(text: bytes, **fields: str) -> bytes:
    """A gzip member with a record of this block; `fields` replace the usual ones, "" leaves one out."""
    usual = {
        "WARC-Type": "response",
        "WARC-Record-ID": "<urn:uuid:1>",
        "WARC-Date": "2023-01-01T00:00:00Z",
        "WARC-Target-URI": "http://site.example/",
        "Content-Type": "application/http;msgtype=response",
        "Content-Length": str(len(text)),
        **{name.replace("_", "-"): value for name, value in fields.items()},
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in usual.items() if value)
    return gzip.compress(b"WARC/1.1\r\n" + lines.encode() + b"\r\n" + text + b"\r\n\r\n", mtime=0)


def warc(folder: Path, data: bytes) -> Path:
    path = folder / "x.warc.gz"
    path.write_bytes(data)
    return path


def only(path: Path) -> Record:
    return next(reading.records(path))


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    files = WarcFile(tmp_path / "ours", fields={}, clock=lambda: NOW)
    zipped = gzip.compress(b"<p>decoded</p>")
    for answer in (page(), chunked(zipped[:5], zipped[5:], coding="gzip")):
        made = exchange(answer)
        with records.pack(made, warcinfo_id="urn:uuid:1") as packed:
            files.append(packed)
        made.close()
    files.close()
    return files.path


def test_records_and_their_places(ours: Path) -> None:
    """Whether or not somebody reads their blocks."""
    places = [(record.kind, record.offset, record.length) for record in reading.records(ours)]
    assert ["warcinfo", *["response", "request", "metadata"] * 2] == [kind for kind, _, _ in places]
    assert 0 == places[0][1]
    assert all(at + length == after for (_, at, length), (_, after, _) in pairwise(places))
    assert ours.stat().st_size == places[-1][1] + places[-1][2]
    assert [kind for kind, _, _ in places] == [record.kind for record in reading.records(ours)]
    third = next(reading.records(ours, places[2][1]))
    assert ("request", places[2][1], places[2][2]) == (third.kind, third.offset, third.length)
    assert b"GET /page" in b"".join(next(reading.records(ours, places[2][1])).block())


def test_the_message_in_a_record(ours: Path) -> None:
    found = []
    for record in reading.records(ours):
        if record.kind == "response":
            head = record.head()
            assert head is not None
            heard: list[bytes] = []
            record.payload_listeners.append(heard.append)
            found.append(
                (
                    head.status,
                    b"".join(record.decoded()),
                    gzip.decompress(b"".join(heard)) if head.get("content-encoding") else b"".join(heard),
                )
            )
        elif record.kind == "request":
            assert record.head() is None
            assert record.head_bytes().startswith(b"GET /page?q=1 HTTP/1.1\r\n")
            assert [] == list(record.payload())
    assert [(200, b"<p>hello</p>", b"<p>hello</p>"), (200, b"<p>decoded</p>", b"<p>decoded</p>")] == found


def test_fields_as_others_write_them(tmp_path: Path) -> None:
    """Any case, folded, repeated, URLs in brackets as some wgets have them."""
    path = warc(
        tmp_path,
        member(page(), WARC_Target_URI="<http://site.example/b>", warc_truncated="length\r\n  and more", A="1\r\na: 2"),
    )
    record = only(path)
    assert ("http://site.example/b", "urn:uuid:1", "response") == (record.url, record.record_id, record.kind)
    assert ("length and more", ["1", "2"], "") == (record.truncated, record.values("A"), record.get("No"))
    assert "<Record response at 0 of x.warc.gz, 91 bytes>" == repr(record)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # warcio leaves its spool to Python
def test_records_of_warcio(tmp_path: Path) -> None:
    file = io.BytesIO()
    writer = WARCWriter(file, gzip=True)
    headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
    writer.write_record(
        writer.create_warc_record("http://site.example/", "response", payload=io.BytesIO(b"body"), http_headers=headers)
    )
    record = only(warc(tmp_path, file.getvalue()))
    assert (b"body", "http://site.example/") == (b"".join(record.payload()), record.url)


def test_a_head_without_a_body_that_speaks_of_chunks(tmp_path: Path) -> None:
    """A revisit's, and a HEAD's."""
    record = only(warc(tmp_path, member(chunked(b"x").partition(b"\r\n\r\n")[0] + b"\r\n\r\n", WARC_Type="revisit")))
    assert [] == list(record.payload())


def test_a_truncated_record_gives_what_there_is(tmp_path: Path) -> None:
    cut = chunked(b"hello", b"world").partition(b"ld")[0]
    assert b"hellowor" == b"".join(only(warc(tmp_path, member(cut, WARC_Truncated="time"))).payload())
    with pytest.raises(ArchiveDamaged, match=r"x.warc.gz, offset 0: its body: .* cut off .*\(response urn:uuid:1\)"):
        list(only(warc(tmp_path, member(cut))).payload())
    record = only(warc(tmp_path, member(b"HTTP/1.1 200 OK\r\nX", WARC_Truncated="time")))
    assert (b"HTTP/1.1 200 OK\r\nX", []) == (record.head_bytes(), list(record.payload()))


def test_a_record_is_gone_when_the_next_one_is_there(tmp_path: Path) -> None:
    first, _ = reading.records(warc(tmp_path, member(page()) * 2))
    with pytest.raises(ValueError, match="no longer at hand"):
        list(first.block())


# --- damage -----------------------------------------------------------------------------------------------------------

GOOD = member(page())
AT = len(GOOD)


#: By name, not by their bytes: gzip writes the time into them, and each process that shares the tests collects them anew.
DAMAGE: dict[str, tuple[bytes, str]] = {
    "cut at the last byte": (GOOD + GOOD[:-1], f"offset {AT}: the file ends within the record that begins here"),
    "cut early": (GOOD + GOOD[:30], f"offset {AT}: the file ends within the record"),
    "no gzip": (GOOD + b"garbage", f"offset {AT}: here is no gzip member, or a damaged one"),
    "wrong check": (
        GOOD + GOOD[:-8] + b"xxxx" + GOOD[-4:],
        f"offset {AT}: here is no gzip member, or a damaged one .*check",
    ),
    "no WARC": (GOOD + gzip.compress(b"hello"), f"offset {AT}: no WARC record begins here but b'hello'"),
    "nothing in it": (GOOD + gzip.compress(b""), f"offset {AT}: no WARC record begins here but b''"),
    "fields cut off": (gzip.compress(b"WARC/1.1\r\nA: b\r\n"), "offset 0: the record's fields have no end"),
    "fields without end": (
        gzip.compress(b"WARC/1.1\r\n" + b"A: b\r\n" * 300_000),
        "offset 0: the record's fields have no end",
    ),
    "no colon": (gzip.compress(b"WARC/1.1\r\nno colon\r\n\r\n"), "a line of its fields is none: 'no colon'"),
    "length of letters": (member(page(), Content_Length="x"), "Content-Length is no length: 'x'"),
    "empty length": (
        member(page(), Content_Length=""),
        r"Content-Length is no length: '' \(response urn:uuid:1\)",
    ),
    "negative length": (member(page(), Content_Length="-1"), "Content-Length is no length"),
    "length too large": (
        member(page(), Content_Length="999"),
        r"it ends 904 bytes before its Content-Length of 999 is reached \(response urn:uuid:1\)",
    ),
    "length too small": (member(page(), Content_Length="80"), "does not end after its Content-Length of 80"),
    "two in one member": (
        gzip.compress(gzip.decompress(GOOD) * 2),
        "or another one follows in the same gzip member",
    ),
}


@pytest.mark.parametrize(("data", "said"), DAMAGE.values(), ids=DAMAGE)
def test_damage_is_named(tmp_path: Path, data: bytes, said: str) -> None:
    path = warc(tmp_path, data)
    with pytest.raises(ArchiveDamaged, match=f"{path}, .*{said}") as caught:
        for record in reading.records(path):
            list(record.block())
    assert str(path) not in str(caught.value.what)
    with pytest.raises(ArchiveDamaged):
        list(reading.records(path))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60), st.integers(0, len(GOOD)))
def test_any_bytes_are_a_record_or_damage(tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int) -> None:
    path = warc(tmp_path_factory.mktemp("noise"), GOOD[:at] + noise + GOOD[at + len(noise) :])
    try:
        for record in reading.records(path):
            record.head()
            list(record.decoded())
    except ArchiveDamaged:
        pass


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"none.warc.gz: it cannot be read \(No such file"):
        next(reading.records(tmp_path / "none.warc.gz"))
    assert [] == list(reading.records(warc(tmp_path, b"")))

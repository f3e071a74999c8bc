"""The lines of an index, their order, and the two forms of an index."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from crawlkit.archive.cdxj import LINES_A_BLOCK, Entry, Sorter, read_line, timestamp, write_blocks
from crawlkit.exceptions import StorageError

ENTRY = Entry(
    url="https://example.org/B?y=2&x=1",
    date="2026-11-20T18:51:13.123Z",
    mime="text/html",
    status=200,
    digest="sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ",
    filename="data-00000.warc.gz",
    offset=815,
    length=4711,
)


def fields_of(line: bytes) -> dict[str, str]:
    return dict(json.loads(line.split(b" ", 2)[2]))


def test_a_line_is_key_moment_and_where_the_record_lies() -> None:
    line = ENTRY.line()
    assert line.startswith(b"org,example)/b?x=1&y=2 20261120185113 {") and line.endswith(b"}\n")
    assert {
        "url": "https://example.org/B?y=2&x=1",
        "mime": "text/html",
        "status": "200",
        "digest": "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ",
        "length": "4711",
        "offset": "815",
        "filename": "data-00000.warc.gz",
    } == fields_of(line)


def test_what_was_posted_is_part_of_the_key() -> None:
    """A replayer asks for the answer to a form with the form's fields; GET's answer is another one."""
    posted = replace(ENTRY, method="POST", posted="name=Ada")
    assert "org,example)/b?__wb_method=post&name=ada&x=1&y=2" == posted.key
    assert {"method": "POST", "requestBody": "name=Ada"}.items() <= fields_of(posted.line()).items()
    assert "org,example)/?__wb_method=head" == replace(ENTRY, url="https://example.org/", method="HEAD").key


def test_an_answer_that_was_cut_off_says_so() -> None:
    cut = replace(ENTRY, status=None, truncated="disconnect")
    assert "disconnect" == fields_of(cut.line())["truncated"]
    assert "status" not in fields_of(cut.line())


@pytest.mark.parametrize(
    "entry",
    [
        ENTRY,
        replace(ENTRY, status=None, truncated="length"),
        replace(ENTRY, method="POST", posted="a=é", url="https://example.org/?q=%E2%82%AC"),
    ],
)
def test_a_line_is_read_back_as_it_was_but_for_parts_of_a_second(entry: Entry) -> None:
    assert ("20261120185113", replace(entry, date="2026-11-20T18:51:13Z")) == read_line(entry.line())


@pytest.mark.parametrize(
    "line", [b"", b"a 2026 {}\n", b"a 20261120185113 []\n", b"a 20261120185113 {\n", b'a 20261120185113 {"url": 1}']
)
def test_what_is_no_line_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError):
        read_line(line)


def test_a_moment_has_fourteen_digits_whatever_the_date_has() -> None:
    assert "20261120185113" == timestamp("2026-11-20T18:51:13.123456Z")
    assert "20260000000000" == timestamp("2026")


def test_lines_come_in_the_order_of_their_bytes_from_memory_and_from_files(tmp_path: Path) -> None:
    lines = [f"com,x)/{number * 7919 % 1000:04d} é\n".encode() for number in range(1000)]
    with Sorter(tmp_path, run_bytes=1000) as few, Sorter(tmp_path) as many:
        for line in lines:
            few.add(line)
            many.add(line)
        assert sorted(lines) == list(few.lines()) == list(many.lines())
        assert 1000 == few.count
    assert [] == list(tmp_path.iterdir())


def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    with (
        Sorter(tmp_path / "gone", run_bytes=1) as lines,
        pytest.raises(StorageError, match=r"gone: .*; make room there and start"),
    ):
        lines.add(b"x\n" * 10)


def test_blocks_are_gzip_members_and_their_index_says_where_each_lies() -> None:
    lines = [replace(ENTRY, url=f"https://example.org/{number:05d}").line() for number in range(LINES_A_BLOCK + 5)]
    written = bytearray()
    meta, *places = write_blocks(iter(lines), written.extend, "index.cdx.gz")
    assert b'!meta 0 {"format": "cdxj-gzip-1.0", "filename": "index.cdx.gz"}\n' == meta
    assert b"".join(lines) == gzip.decompress(bytes(written))
    assert [b"org,example)/00000", b"org,example)/01024"] == [place.split(b" ")[0] for place in places]
    for place, expected in zip(map(fields_of, places), (lines[:LINES_A_BLOCK], lines[LINES_A_BLOCK:]), strict=True):
        block = bytes(written[int(place["offset"]) :][: int(place["length"])])
        assert b"".join(expected) == gzip.decompress(block)
        assert "sha256:" + hashlib.sha256(block).hexdigest() == place["digest"]

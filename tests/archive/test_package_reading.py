"""What an archive holds: lists of captures, and the body of one, of packages and of WARC files alike."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawlkit.archive import package_reading
from crawlkit.archive.datapackage import About
from crawlkit.archive.package_reading import ArchiveReader
from crawlkit.archive.wacz import package
from crawlkit.exceptions import ArchiveDamaged, StorageError, UsageError
from tests.archive.exchanges import exchange, page
from tests.archive.packages import HOME, is_page, packaged, site, warc


def body(path: Path, url: str) -> bytes:
    with ArchiveReader(path) as archive:
        return b"".join(archive.extract(url).pieces)


def test_a_package_and_its_warc_file_list_the_same(tmp_path: Path) -> None:
    made = packaged(tmp_path)
    expected = [
        ("GET", HOME, 200),
        ("GET", HOME + "a", 302),
        ("GET", HOME + "b?y=2&x=1", 200),
        ("GET", HOME + "i.png", 200),
        ("GET", HOME + "missing", 404),
        ("POST", HOME + "search", 200),
    ]
    with ArchiveReader(made.path) as archive, ArchiveReader(tmp_path / "site.wacz.part/data-00000.warc.gz") as file:
        listed, read = list(archive.entries()), list(file.entries())
    assert expected == [(each.method, each.url, each.status) for each in listed]
    places = [(each.url, each.offset, each.length, each.posted) for each in listed]
    assert places == [(each.url, each.offset, each.length, each.posted) for each in read]


def test_a_body_is_extracted_as_a_browser_has_it(tmp_path: Path) -> None:
    coded = exchange(page(gzip.compress(b"<p>packed"), "Content-Encoding: gzip"), url=HOME + "packed")
    made = packaged(tmp_path, [*site(), coded])
    for path in (made.path, tmp_path / "site.wacz.part/data-00000.warc.gz"):
        assert b"<p>packed" == body(path, HOME + "packed")
        assert "<title>Bücher</title><p>Lesen".encode() == body(path, HOME + "b?y=2&x=1")


def test_a_url_is_found_when_only_its_key_is_the_same(tmp_path: Path) -> None:
    assert b"\x89PNG" == body(packaged(tmp_path).path, "HTTP://www.SITE.example:80/I.png#top")


def test_the_latest_of_several_captures_is_extracted_and_the_exact_url_before_others(tmp_path: Path) -> None:
    made = packaged(
        tmp_path,
        [
            exchange(page(b"newer"), url=HOME + "x", clock=lambda: 3e8),
            exchange(page(b"older"), url=HOME + "x", clock=lambda: 2e8),
            exchange(page(b"newest of another"), url=HOME + "X", clock=lambda: 5e8),
        ],
    )
    assert b"newer" == body(made.path, HOME + "x")


def test_a_revisit_gives_the_body_that_it_refers_to(tmp_path: Path) -> None:
    twice = warc(
        tmp_path,
        [exchange(page(b"same"), url=HOME), exchange(page(b"same"), url=HOME + "copy")],
        revisit_of={HOME + "copy": HOME},
    )
    assert b"same" == body(twice, HOME + "copy")


def test_a_revisit_of_an_earlier_archive_says_where_the_body_is(tmp_path: Path) -> None:
    same = exchange(b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n", url=HOME)
    revisit = warc(tmp_path, [same], revisit_of={HOME: HOME})
    with pytest.raises(UsageError, match=r"unchanged since 2023-11-14T22:13:20.125000Z; its body is in the archive"):
        body(revisit, HOME)


def test_a_url_that_is_not_there_is_a_mistake_of_the_question(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere: it is not in .*--list"):
        body(packaged(tmp_path).path, HOME + "nowhere")


def test_a_body_that_was_cut_off_gives_what_came(tmp_path: Path) -> None:
    cut = exchange(
        page(gzip.compress(b"x" * 100_000), "Content-Encoding: gzip")[:-20], url=HOME, truncated="disconnect"
    )
    assert set(b"x") == set(body(packaged(tmp_path, [cut]).path, HOME))


def test_a_body_that_is_not_in_its_coding_is_damaged(tmp_path: Path) -> None:
    wrong = exchange(page(b"\x1f\x8bnot gzip at all", "Content-Encoding: gzip"), url=HOME)
    with pytest.raises(ArchiveDamaged, match=r"data-00000\.warc\.gz, offset \d+: the body of"):
        body(packaged(tmp_path, [wrong]).path, HOME)


def test_a_body_that_becomes_unreasonably_large_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_reading, "_BOMB_BYTES", 100_000)
    monkeypatch.setattr(package_reading, "_BOMB_RATIO", 10)
    bomb = exchange(page(gzip.compress(bytes(3_000_000)), "Content-Encoding: gzip"), url=HOME)
    with pytest.raises(ArchiveDamaged, match="the rest is not unpacked"):
        body(packaged(tmp_path, [bomb]).path, HOME)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # warcio leaves its spool to Python
def test_an_archive_of_another_tool_is_read(tmp_path: Path) -> None:
    """warcio's, which has the request before or after, and other headers."""
    path = tmp_path / "other.warc.gz"
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        http = StatusAndHeaders("200 OK", [("Content-Type", "text/plain")], protocol="HTTP/1.1")
        answer = writer.create_warc_record(HOME, "response", payload=io.BytesIO(b"hello"), http_headers=http)
        asked = StatusAndHeaders("GET / HTTP/1.1", [("Host", "site.example")], is_http_request=True)
        writer.write_request_response_pair(
            writer.create_warc_record(HOME, "request", http_headers=asked, payload=io.BytesIO(b"")), answer
        )
    assert b"hello" == body(path, HOME)


def test_an_index_that_leads_elsewhere_is_damaged(tmp_path: Path) -> None:
    made = packaged(tmp_path)
    with zipfile.ZipFile(made.path) as zipped:
        members = {name: zipped.read(name) for name in zipped.namelist()}
    members["indexes/index.cdx"] = members["indexes/index.cdx"].replace(b'"offset": "3', b'"offset": "1', 1)
    with zipfile.ZipFile(made.path, "w") as zipped:
        for name, data in members.items():
            zipped.writestr(name, data)
    with pytest.raises(ArchiveDamaged, match=r"offset \d+"):
        body(made.path, HOME)


def test_a_line_of_the_index_that_is_none_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.wacz"
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.writestr("indexes/index.cdx", b"nonsense\n")
    with ArchiveReader(path) as archive, pytest.raises(ArchiveDamaged, match="a line of its index"):
        list(archive.entries())


def test_a_package_without_an_index_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.wacz"
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.writestr("pages/pages.jsonl", b"")
    with ArchiveReader(path) as archive, pytest.raises(ArchiveDamaged, match="no index"):
        list(archive.entries())


def test_blocks_that_are_damaged_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.wacz"
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.writestr("indexes/index.cdx.gz", gzip.compress(b"x" * 1000)[:-4])
    with ArchiveReader(path) as archive, pytest.raises(ArchiveDamaged, match=r"member indexes/index\.cdx\.gz"):
        list(archive.entries())


def test_names_and_places_that_are_no_archive_s(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"ends in \.wacz or \.warc\.gz"):
        ArchiveReader(tmp_path / "site.zip")
    with pytest.raises(StorageError, match="no such file"):
        ArchiveReader(tmp_path / "site.warc.gz")


def test_several_files_are_listed_together(tmp_path: Path) -> None:
    first, second = warc(tmp_path / "1", site()[:1]), warc(tmp_path / "2", site()[2:3])
    second = second.rename(tmp_path / "data-00001.warc.gz")
    made = package(tmp_path / "site.wacz", [first, second], is_page=is_page, about=About("Site"))
    with ArchiveReader(made.path) as archive:
        assert ["data-00000.warc.gz", "data-00001.warc.gz"] == archive.warcs()
        assert 2 == len(list(archive.entries()))
    assert b"<title>Home</title><p>Welcome" == body(made.path, HOME)

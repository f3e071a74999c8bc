"""A package of WARC files: its members, its index, its pages, and what is shown to whoever inspects it."""

from __future__ import annotations

import gzip
import json
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from crawlkit.archive import wacz
from crawlkit.archive.datapackage import About, sha256
from crawlkit.archive.package_reading import ArchiveReader
from crawlkit.archive.package_verifying import verify_archive
from crawlkit.archive.pagelist import PageText
from crawlkit.archive.redaction import Redaction
from crawlkit.archive.registry import Registry
from crawlkit.archive.scanning import Scan
from crawlkit.archive.wacz import package
from crawlkit.exceptions import ArchiveDamaged, CrawlkitError, StorageError
from tests.archive.exchanges import exchange, page
from tests.archive.packages import HOME, index, is_page, member, packaged, pages, site, warc


def test_a_package_has_the_members_that_readers_look_for(tmp_path: Path) -> None:
    made = packaged(tmp_path, completeness={"urls": [HOME]})
    with zipfile.ZipFile(made.path) as zipped:
        stored = {info.filename: info.compress_type == zipfile.ZIP_STORED for info in zipped.infolist()}
    assert {
        "archive/data-00000.warc.gz": True,
        "indexes/index.cdx": False,
        "pages/pages.jsonl": False,
        "reports/completeness.json": False,
        "datapackage.json": False,
        "datapackage-digest.json": False,
    } == stored
    assert (2, 6, 0, 0) == (made.pages, made.captures, made.revisits, made.truncated)
    assert made.path.stat().st_size == made.size
    assert {"urls": [HOME]} == json.loads(member(made.path, "reports/completeness.json"))
    assert [] == verify_archive(made.path)


def test_every_member_is_named_with_its_digest(tmp_path: Path) -> None:
    made = packaged(tmp_path)
    said = json.loads(member(made.path, "datapackage.json"))
    assert {each["path"]: each["hash"] for each in said["resources"]} == {
        each["path"]: sha256(member(made.path, each["path"])) for each in said["resources"]
    }
    assert ("Site", HOME, "2023-11-14T22:13:20.125000Z") == (said["title"], said["mainPageUrl"], said["mainPageDate"])
    assert said["created"].endswith("Z")
    assert (
        sha256(member(made.path, "datapackage.json"))
        == json.loads(member(made.path, "datapackage-digest.json"))["hash"]
    )


def test_the_index_has_every_answer_where_it_lies(tmp_path: Path) -> None:
    """Redirects, what is missing and what was posted, too; the field that is a secret by its name is not there."""
    made = packaged(tmp_path)
    found = index(made.path)
    assert sorted(found, key=lambda line: line[0]) == found
    assert [
        ("example,site)/", "200"),
        ("example,site)/a", "302"),
        ("example,site)/b?x=1&y=2", "200"),
        ("example,site)/i.png", "200"),
        ("example,site)/missing", "404"),
        ("example,site)/search?__wb_method=post&q=books", "200"),
    ] == [(key, fields["status"]) for key, _, fields in found]
    data = member(made.path, "archive/data-00000.warc.gz")
    for _, moment, fields in found:
        record = gzip.decompress(data[int(fields["offset"]) :][: int(fields["length"])])
        assert f"WARC-Target-URI: {fields['url']}\r\n".encode() in record and b"\r\nWARC-Type: response\r\n" in record
        assert "20231114221320" == moment


def test_pages_have_title_and_text_in_the_order_of_the_crawl(tmp_path: Path) -> None:
    assert [
        (HOME, "Home", "Welcome"),
        (HOME + "b?y=2&x=1", "Bücher", "Lesen"),
    ] == [(each["url"], each["title"], each["text"]) for each in pages(packaged(tmp_path).path)]


def test_a_page_is_read_through_its_coding_and_its_chunks(tmp_path: Path) -> None:
    body = gzip.compress(b"<title>Packed</title>")
    chunked = b"%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (9, body[:9], len(body) - 9, body[9:])
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    made = packaged(tmp_path, [exchange(head + chunked, url=HOME)])
    assert ["Packed"] == [each["title"] for each in pages(made.path)]


def test_what_is_no_html_is_a_page_by_its_address(tmp_path: Path) -> None:
    pdf = exchange(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 8\r\n\r\n%PDF-1.7", url=HOME + "a.pdf"
    )
    assert [(HOME + "a.pdf", "")] == [(each["title"], each["text"]) for each in pages(packaged(tmp_path, [pdf]).path)]


def test_a_revisit_has_the_title_and_text_of_what_it_refers_to(tmp_path: Path) -> None:
    home = page(b"<title>Home</title>Welcome")
    twice = warc(
        tmp_path, [exchange(home, url=HOME), exchange(home, url=HOME + "index")], revisit_of={HOME + "index": HOME}
    )
    made = package(tmp_path / "site.wacz", [twice], is_page=is_page, about=About("Site"))
    assert [("Home", "Welcome")] * 2 == [(each["title"], each["text"]) for each in pages(made.path)]
    assert ["text/html", "warc/revisit"] == [fields["mime"] for _, _, fields in index(made.path)]
    assert (2, 1, 0) == (made.captures, made.revisits, made.truncated)


def test_a_revisit_of_an_earlier_archive_has_the_title_that_is_known_of_it(tmp_path: Path) -> None:
    same = exchange(b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n", url=HOME)
    revisit = warc(tmp_path, [same], revisit_of={HOME: HOME})
    made = package(
        tmp_path / "new.wacz",
        [revisit],
        is_page=is_page,
        about=About("Site"),
        known=lambda url, date: PageText(f"Home of {date}", "Welcome") if url == HOME else None,
        clean=lambda text: text.replace("Home", "H***"),
    )
    assert [("H*** of 2023-11-14T22:13:20.125000Z", "Welcome")] == [
        (each["title"], each["text"]) for each in pages(made.path)
    ]
    assert [] == verify_archive(made.path)


def test_a_secret_that_only_the_text_of_a_page_has_is_not_listed(tmp_path: Path) -> None:
    """Its bytes have markup, a line's end or an entity between the halves; title and text have not. What the page says of
    itself in a revisit is taken from the line before."""
    registry = Registry({}, sure=["open sesame, cave"])
    redaction = Redaction(registry)
    body = page(b"<title>To open\nsesame, cave!</title><p>open<b></b> sesame,&#32;cave<p>shut")
    found = [redaction.apply(exchange(body, url=url))[0] for url in (HOME, HOME + "again")]
    assert b"cave" in b"".join(found[0].response.chunks())
    pages_of = warc(tmp_path, found, revisit_of={HOME + "again": HOME})
    made = package(
        tmp_path / "site.wacz",
        [pages_of],
        is_page=is_page,
        about=About("Site"),
        inspector=Scan(registry),
        clean=redaction.text,
    )
    hidden = redaction.text("open sesame, cave")
    assert [(f"To {hidden}!", f"{hidden} shut")] * 2 == [(each["title"], each["text"]) for each in pages(made.path)]
    assert "cave" not in hidden


def test_what_was_not_modified_is_where_a_replayer_does_not_find_it(tmp_path: Path) -> None:
    """It would answer 304 and show nothing; without it, it shows the capture of the archive that has the page."""
    same = exchange(b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n", url=HOME)
    other = exchange(page(b"<p>other"), url=HOME + "other")
    file = warc(tmp_path, [same, other], revisit_of={HOME: HOME})
    made = package(tmp_path / "new.wacz", [file], is_page=is_page, about=About("Site"))
    assert [HOME + "other"] == [fields["url"] for _, _, fields in index(made.path)]
    assert b'"mime": "warc/revisit", "status": "304"' in member(made.path, "indexes/not-modified.txt")
    with ArchiveReader(made.path) as archive:
        assert {HOME, HOME + "other"} == {entry.url for entry in archive.entries()}
    assert (2, 1, []) == (made.captures, made.revisits, verify_archive(made.path))


def test_an_answer_that_was_cut_off_says_so_in_the_index(tmp_path: Path) -> None:
    cut = exchange(page(b"<title>Half")[:-4], url=HOME, truncated="disconnect")
    made = packaged(tmp_path, [cut])
    assert ["disconnect"] == [fields["truncated"] for _, _, fields in index(made.path)]
    assert 1 == made.truncated


def test_the_answer_to_head_is_not_the_answer_to_get(tmp_path: Path) -> None:
    head = exchange(
        page(b"")[:-2] + b"X: y\r\n\r\n",
        method="HEAD",
        url=HOME,
        request=b"HEAD / HTTP/1.1\r\nHost: site.example\r\n\r\n",
    )
    assert ["example,site)/?__wb_method=head"] == [key for key, _, _ in index(packaged(tmp_path, [head]).path)]


def test_a_long_index_is_kept_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = packaged(tmp_path)
    lines = member(plain.path, "indexes/index.cdx")
    monkeypatch.setattr(wacz, "PLAIN_LINES", 5)
    made = package(
        tmp_path / "long.wacz", [tmp_path / "site.wacz.part" / "data-00000.warc.gz"], is_page=is_page, about=About("x")
    )
    assert lines == gzip.decompress(member(made.path, "indexes/index.cdx.gz"))
    assert b'!meta 0 {"format": "cdxj-gzip-1.0"' == member(made.path, "indexes/index.idx")[:34]
    with zipfile.ZipFile(made.path) as zipped:
        assert zipfile.ZIP_STORED == zipped.getinfo("indexes/index.cdx.gz").compress_type
    assert [] == verify_archive(made.path)
    with ArchiveReader(made.path) as archive:
        assert 6 == len(list(archive.entries()))


class Inspecting:
    """Remembers what it was shown."""

    def __init__(self, error: Exception | None = None) -> None:
        self.seen: dict[str, bytes] = {}
        self._error = error

    def look(self, place: str) -> Callable[[bytes], object]:
        def show(piece: bytes) -> None:
            self.seen[place] = self.seen.get(place, b"") + piece

        return show

    def approve(self) -> None:
        if self._error is not None:
            raise self._error


def test_every_byte_is_shown_and_bodies_decoded_as_well(tmp_path: Path) -> None:
    """What is in a deflated body, in a header, in a request, in the index, in the list of pages: nothing slips by."""
    coded = exchange(
        page(zlib.compress(b"<title>in the body</title>"), "Content-Encoding: deflate", "X-Head: in the head"),
        url=HOME + "in-the-url",
        request=b"GET / HTTP/1.1\r\nX-Asked: in the request\r\n\r\n",
    )
    inspecting = Inspecting()
    made = packaged(tmp_path, [*site(), coded], inspector=inspecting, completeness={"said": "in the report"})
    shown = b"\n".join(inspecting.seen.values())
    for text in (b"in the body", b"X-Head: in the head", b"/in-the-url", b"X-Asked: in the request", b"in the report"):
        assert text in shown
    assert member(made.path, "indexes/index.cdx") == inspecting.seen["indexes/index.cdx"]
    assert member(made.path, "pages/pages.jsonl") == inspecting.seen["pages/pages.jsonl"]
    assert member(made.path, "datapackage.json") == inspecting.seen["datapackage.json"]
    with ArchiveReader(made.path) as archive:
        for record in archive.records("data-00000.warc.gz"):
            block = b"".join(record.block())
            assert inspecting.seen[f"data-00000.warc.gz, offset {record.offset}, {record.kind} record"].endswith(block)


def test_a_package_that_is_not_approved_is_none(tmp_path: Path) -> None:
    with pytest.raises(CrawlkitError, match="a secret at offset 3"):
        packaged(tmp_path, inspector=Inspecting(CrawlkitError("a secret at offset 3")))
    assert [tmp_path / "site.wacz.part"] == list(tmp_path.iterdir())


def test_an_older_package_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    (tmp_path / "site.wacz").write_bytes(b"old")
    with pytest.raises(CrawlkitError):
        packaged(tmp_path, inspector=Inspecting(CrawlkitError("no")))
    assert b"old" == (tmp_path / "site.wacz").read_bytes()


def test_records_that_are_damaged_become_no_package(tmp_path: Path) -> None:
    file = warc(tmp_path, site())
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(ArchiveDamaged, match=r"data-00000\.warc\.gz, offset \d+"):
        package(tmp_path / "site.wacz", [file], is_page=is_page, about=About("Site"))
    assert [file] == list(tmp_path.iterdir())


def test_a_digest_that_is_wrong_becomes_no_package(tmp_path: Path) -> None:
    file = warc(tmp_path, site()[:1])
    members = [gzip.decompress(each) for each in _members(file.read_bytes())]
    members[1] = members[1].replace(b"Welcome", b"Welcomf")
    file.write_bytes(b"".join(map(gzip.compress, members)))
    with pytest.raises(ArchiveDamaged, match="WARC-Block-Digest"):
        package(tmp_path / "site.wacz", [file], is_page=is_page, about=About("Site"))


def _members(data: bytes) -> list[bytes]:
    found = []
    while data:
        inflating = zlib.decompressobj(31)
        inflating.decompress(data)
        found.append(data[: len(data) - len(inflating.unused_data)])
        data = inflating.unused_data
    return found


def test_a_place_that_does_not_exist_is_named(tmp_path: Path) -> None:
    file = warc(tmp_path, site()[:1])
    with pytest.raises(StorageError, match=r"nowhere.*start the same command again"):
        package(tmp_path / "nowhere" / "site.wacz", [file], is_page=is_page, about=About("Site"))


def test_several_files_are_one_index(tmp_path: Path) -> None:
    first, second = warc(tmp_path / "1", site()[:1]), warc(tmp_path / "2", site()[2:3])
    second = second.rename(tmp_path / "data-00001.warc.gz")
    made = package(tmp_path / "site.wacz", [first, second], is_page=is_page, about=About("Site"))
    assert ["data-00000.warc.gz", "data-00001.warc.gz"] == [fields["filename"] for _, _, fields in index(made.path)]
    assert [] == verify_archive(made.path)

"""What a package of a site says of itself: the same number of pages wherever it says one, and what a page is."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from crawlkit.cli.entry import invoke
from tests.crawl.loopback import Asked, Reply, serving


def validated(kind: str) -> Any:
    """A page that answers 304 to whoever has it."""

    def answer(asked: Asked) -> Reply:
        if "If-None-Match" in asked.headers:
            return Reply(status=304, headers={"ETag": '"x"'})
        return Reply(b"as ever", headers={"Content-Type": kind, "ETag": '"x"'})

    return answer


LINKS = (
    "/b",
    "/to-b",
    "/to-target",
    "/to-target-too",
    "/paper.pdf",
    "/kept",
    "/kept.pdf",
    "/gone",
    "/refused",
    "/framed",
)
PAGES: dict[str, Any] = {
    "/": "".join(f'<a href="{link}">a link</a>' for link in LINKS) + '<iframe src="/framed"></iframe>',
    "/b": "<p>b",
    "/to-b": Reply(status=302, headers={"Location": "/b"}),
    "/to-target": Reply(status=302, headers={"Location": "/target"}),
    "/to-target-too": Reply(status=302, headers={"Location": "/target"}),
    "/target": "<p>the target",
    "/paper.pdf": Reply(b"%PDF", headers={"Content-Type": "application/pdf"}),
    "/kept": validated("text/html"),
    "/kept.pdf": validated("application/pdf"),
    "/refused": Reply("no", 403),
    "/framed": "<p>within",
}


def test_every_number_of_pages_is_the_same_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each document is a page once, where it lies, and not where a server says that there is none; next month, too."""
    monkeypatch.chdir(tmp_path)
    with serving(PAGES) as site:
        for month in ("first.wacz", "second.wacz"):
            assert 1 == invoke(["archive", f"{site.url}/", "-o", month, "--json", "--quiet"])
            told = json.loads(capsys.readouterr().out)["archive"]
            with zipfile.ZipFile(month) as zipped:
                lines = [json.loads(line) for line in zipped.read("pages/pages.jsonl").splitlines()[1:]]
                account = json.loads(zipped.read("reports/completeness.json"))
            assert ["/", "/b", "/kept", "/target"] == sorted(line["url"].removeprefix(site.url) for line in lines)
            assert (4, 4) == (told["pages"], account["counts"]["pages"])
            assert (2, 1) == (told["files"], told["requisites"])
            captured = {entry["url"].removeprefix(site.url) for entry in account["captured"]}
            assert {"/to-b", "/to-target", "/to-target-too", "/gone", "/framed"} < captured
        assert 0 == invoke(["report", "--db", str(next(Path("data").glob("127*.db"))), "-o", "report.html"])
    assert "second.wacz, " in (report := Path("report.html").read_text()) and "; 4 pages</p>" in report


def test_a_secret_in_what_the_archive_is_called_is_taken_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that the user named and that looks like a word: in the address, and so in name and title."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHARE", "open-sesame-cave")
    Path("crawl.toml").write_text('[archive]\nsecrets = ["SHARE"]\n')
    with serving({"/open-sesame-cave/": "<p>within"}) as site:
        for title in ([], ["--title", "What open-sesame-cave holds"]):
            start = ["archive", f"{site.url}/open-sesame-cave/", "-o", "site.wacz", "--overwrite", "--quiet", *title]
            assert 0 == invoke(start)
            with zipfile.ZipFile("site.wacz") as zipped:
                members = {name: zipped.read(name) for name in zipped.namelist()}
            members["records"] = gzip.decompress(members["archive/data-00000.warc.gz"])
            assert [] == [name for name, data in members.items() if b"sesame" in data.lower()]

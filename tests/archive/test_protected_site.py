"""The archive of a site behind a login, from the command to the bytes of the package: judged by the server's log and by a
search for every secret, in every coding, in every byte."""

from __future__ import annotations

import base64
import gzip
import json
import urllib.parse
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crawlkit.archive.reading import records
from crawlkit.cli.entry import invoke
from tests.archive.protected_site import PASSWORD, USER, ProtectedSite

MEMBER = """
from crawlkit import Spider

class Club(Spider):
    root = "{root}"

    def login(self, session):
        page = session.get(self.root + "/login")
        session.submit(page.form("#login"), {{"user": self.credentials.username, "password": self.credentials.password}})

    def logged_in(self, response):
        return bool(response.css("a.account"))
"""


@pytest.fixture
def club(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProtectedSite]:
    """The site, and a folder with a spider that knows its way in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLUB_USER", USER)
    monkeypatch.setenv("CLUB_PASSWORD", PASSWORD)
    Path("crawl.toml").write_text('[profiles.me]\nusername = "CLUB_USER"\npassword = "CLUB_PASSWORD"\n')
    with ProtectedSite() as site:
        Path("club.py").write_text(MEMBER.format(root=site.root))
        yield site


def archive(site: ProtectedSite, output: str, *options: str) -> int:
    return invoke(["archive", site.url, "--profile", "me", "--login", "club.py", "-o", output, "--quiet", *options])


def last_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return line


def every_byte(package: Path, folder: Path) -> Iterator[tuple[str, bytes]]:
    """The package as it lies on the disk, its members, its records, and the bodies in them without their codings."""
    yield "the file", package.read_bytes()
    with zipfile.ZipFile(package) as zipped:
        for name in zipped.namelist():
            content = zipped.read(name)
            yield name, gzip.decompress(content) if name.endswith(".gz") else content
            if name.endswith(".warc.gz"):
                warc = folder / Path(name).name
                warc.write_bytes(content)
                for record in records(warc):
                    block = b"".join(record.block())
                    yield f"{record.kind} {record.url}", block
                    body = block.partition(b"\r\n\r\n")[2]
                    for plain in _undone(body):
                        yield f"{record.kind} {record.url}, its body", plain


def _undone(body: bytes) -> Iterator[bytes]:
    whole = body
    if b"\r\n" in body[:8]:  # chunked
        whole, rest = b"", body
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            if not size or int(size, 16) == 0:
                break
            whole, rest = whole + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
        yield whole
    if whole.startswith(b"\x1f\x8b"):
        yield gzip.decompress(whole)


def forms_of(secret: str) -> Iterator[bytes]:
    plain = secret.encode()
    yield plain
    yield urllib.parse.quote(secret, safe="").encode()
    yield plain.hex().encode()
    yield plain.hex().upper().encode()
    for shift in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(b"." * shift + plain)[(0, 2, 3)[shift] : -4]


@pytest.mark.slow
def test_all_of_it_and_no_secret_and_no_damage(
    club: ProtectedSite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """40 of 40 pages, all requisites, no login page, no secret in any coding, nobody logged out, nothing changed."""
    assert 0 == archive(club, "club.wacz", "--exclude", "/club/print/*", "--json")
    told = last_line(capsys)["archive"]
    assert (40, 0, True) == (told["pages"], told["counts"]["failed"], told["finished"])

    assert [] == club.damage
    assert club.pages <= club.given()
    assert club.requisites <= club.given()

    package = tmp_path / "club.wacz"
    assert 0 == invoke(["archive", "--verify", str(package)])
    with zipfile.ZipFile(package) as zipped:
        pages = [json.loads(line) for line in zipped.read("pages/pages.jsonl").splitlines()][1:]
        account = json.loads(zipped.read("reports/completeness.json"))
    assert club.pages == {urllib.parse.urlsplit(page["url"]).path for page in pages}
    assert {f"Page {number}" for number in range(40)} == {page["title"] for page in pages}

    secrets = [form for secret in club.secret_values for form in set(forms_of(secret))]
    assert len(club.secret_values) > 5
    for place, content in every_byte(package, tmp_path):
        assert [] == [secret for secret in secrets if secret in content], place
        assert b'<form id="login"' not in content, f"a login page as {place}"

    captured = {urllib.parse.urlsplit(entry["url"]).path for entry in account["captured"]}
    excluded = {urllib.parse.urlsplit(entry["url"]).path: entry["rule"] for entry in account["excluded"]}
    assert club.pages | club.requisites <= captured
    assert ("guard: logs out", "robots.txt") == (excluded["/logout"], excluded["/club/hidden/1"])
    assert ("guard: deletes", "--exclude /club/print/*") == (excluded["/club/delete"], excluded["/club/print/7"])
    assert [] == account["failed"] == account["waiting"]
    assert {"/api/latest", ""} == {urllib.parse.urlsplit(call.get("url", "")).path for call in account["browser_only"]}


@pytest.mark.slow
def test_next_month_what_did_not_change_is_a_revisit(
    club: ProtectedSite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The old package stays as it is; the new one has the pages that changed, and refers to the others."""
    assert 0 == archive(club, "first.wacz")
    before = (tmp_path / "first.wacz").read_bytes()
    club.changed = {7, 8}
    capsys.readouterr()
    assert 0 == archive(club, "second.wacz", "--json")
    told = last_line(capsys)["archive"]
    assert before == (tmp_path / "first.wacz").read_bytes()
    assert 40 == told["pages"]
    assert told["revisits"] > 40  # the requisites, too; a page has other tokens each time, which are other bytes
    assert told["size"] < len(before)
    assert 0 == invoke(["archive", "--verify", str(tmp_path / "second.wacz")])


def test_what_is_there_is_not_replaced(club: ProtectedSite, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "club.wacz").write_bytes(b"precious")
    assert 2 == archive(club, "club.wacz")
    assert "club.wacz: is there already" in capsys.readouterr().err
    assert b"precious" == (tmp_path / "club.wacz").read_bytes()
    assert [] == club.log
    assert 0 == archive(club, "club.wacz", "--overwrite", "--scope", "page")
    assert 0 == invoke(["archive", "--verify", "club.wacz"])


@pytest.mark.slow
def test_secrets_that_are_kept_are_said_loudly(
    club: ProtectedSite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == archive(club, "club.wacz", "--keep-secrets", "--scope", "page", "--json")
    assert last_line(capsys)["archive"]["secrets_kept"]
    with zipfile.ZipFile(tmp_path / "club.wacz") as zipped:
        assert not json.loads(zipped.read("datapackage.json"))["redaction"]["applied"]


@pytest.mark.slow
def test_a_run_that_stopped_at_a_limit_is_packaged_as_far_as_it_came(
    club: ProtectedSite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 5 == archive(club, "club.wacz", "--set", "crawl.max_pages=30", "--json")
    assert not last_line(capsys)["archive"]["finished"]
    assert 5 == invoke(["archive", "--finish", "club.wacz", "--json"])
    assert last_line(capsys)["waiting"] > 0
    assert 0 == invoke(["archive", "--verify", "club.wacz"])
    with zipfile.ZipFile(tmp_path / "club.wacz") as zipped:
        assert json.loads(zipped.read("reports/completeness.json"))["waiting"]
    assert 0 == archive(club, "another.wacz", "--json")
    told = last_line(capsys)["archive"]
    assert (40, 0, True) == (told["pages"], told["counts"]["waiting"], told["finished"])


@pytest.mark.slow
def test_a_number_of_pages_is_of_pages_and_each_has_what_it_needs(
    club: ProtectedSite, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == archive(club, "club.wacz", "--max-pages", "3", "--json")
    told = last_line(capsys)["archive"]
    assert 3 >= told["pages"] + told["files"] > 1
    pictures = {path for path in club.given() if path.startswith("/media/picture")}
    assert len(pictures) >= told["pages"]


def test_a_dry_run_shows_what_the_guard_would_skip_and_writes_nothing(
    club: ProtectedSite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == archive(club, "club.wacz", "--dry-run")
    shown = capsys.readouterr().out
    assert "logs out" in shown and "/logout?beacon=1" in shown
    assert [] == club.damage
    assert not list(tmp_path.glob("*.wacz*"))


@pytest.mark.slow
def test_a_saved_session_alone_archives_until_it_ends(club: ProtectedSite, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody can log in again: what came logged out is in no package, and the command says what to do."""
    assert 0 == archive(club, "first.wacz", "--scope", "page")
    club.dies_after = 30
    capsys.readouterr()
    assert 3 == invoke(["archive", club.url, "--profile", "me", "-o", "second.wacz", "--quiet"])
    assert "has ended, and no login is known" in capsys.readouterr().err
    assert not Path("second.wacz").exists()
    club.dies_after = None
    assert 0 == archive(club, "second.wacz", "--fresh", "--overwrite")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "takes one of"),
        (["http://127.0.0.1:1/", "--list", "a.wacz"], "takes one of"),
        (["http://127.0.0.1:1/", "-o", "a.zip"], "end its name in"),
        (["http://127.0.0.1:1/", "--scope", "regex"], "--include REGEX"),
        (["ftp://127.0.0.1/", "-o", "a.wacz"], "is not fetched"),
        (["http://127.0.0.1:1/", "--login", "nobody.py"], "no such file"),
        (["--list", "nothing.wacz"], "there is no such file"),
        (["--finish", "nothing.wacz"], "no unfinished archive is there"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_sent(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert 2 == invoke(["archive", *words])
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())

"""What `crawlkit archive --list`, `--verify` and `--extract` print, and how they end."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from crawlkit.archive.cdxj import Entry
from crawlkit.cli.archive_reading import extract, list_archive, verify
from crawlkit.exceptions import ArchiveDamaged, UsageError
from tests.archive.exchanges import exchange, page
from tests.archive.packages import HOME, packaged, site


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return packaged(tmp_path).path


def test_a_list_has_a_line_each_capture(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == list_archive(archive, as_json=False)
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert 6 == len(lines)
    assert lines[1].startswith("2023-11-14 22:13:20  302  text/html") and lines[1].endswith(f" B  {HOME}a")
    assert lines[5].endswith(f"POST {HOME}search")
    assert "site.wacz: 6 captures, " in printed.err


def test_a_list_as_json_has_all_that_is_known(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == list_archive(archive, as_json=True)
    listed = json.loads(capsys.readouterr().out)
    assert (str(archive), 0, 6) == (listed["archive"], listed["exit_code"], len(listed["captures"]))
    first = listed["captures"][0]
    assert (HOME, "GET", 200, "text/html") == tuple(first[name] for name in ("url", "method", "status", "mime"))
    assert {"date", "digest", "truncated", "file", "offset", "length"} < first.keys()


def test_what_is_in_an_archive_does_not_move_the_terminal_s_cursor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = Entry(
        HOME + "\x1b[1A", "2026-11-20T18:51:13Z", "text/\x1b[2J", 200, "", "x.warc.gz", 0, 1, "\x9b1A", "", "\x07"
    )
    with zipfile.ZipFile(tmp_path / "a.wacz", "w") as zipped:
        zipped.writestr("indexes/index.cdx", entry.line())
    list_archive(tmp_path / "a.wacz", as_json=False)
    printed = capsys.readouterr().out
    assert "text/\\x1b[2J" in printed and not set(printed) & set("\x1b\x9b\x07")


def test_a_whole_archive_has_no_problems(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == verify(archive, as_json=False)
    assert "site.wacz: no problems found\n" == capsys.readouterr().out.rpartition("/")[2]
    assert 0 == verify(archive, as_json=True)
    assert {"archive": str(archive), "problems": [], "exit_code": 0} == json.loads(capsys.readouterr().out)


def test_damage_is_told_with_its_place_and_what_to_do(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = bytearray(archive.read_bytes())
    data[900] ^= 255
    archive.write_bytes(data)
    assert 74 == verify(archive, as_json=False)
    printed = capsys.readouterr()
    assert "problems found" in printed.out and "archive/data-00000.warc.gz, offset " in printed.out
    assert "the archive is damaged; fetch it again" in printed.err
    assert 74 == verify(archive, as_json=True)
    assert json.loads(capsys.readouterr().out)["problems"]


def test_a_body_is_written_as_it_is(archive: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert 0 == extract(HOME + "i.png", archive)
    assert b"\x89PNG" == capfdbinary.readouterr().out
    assert 0 == extract(HOME, archive, output=tmp_path / "home.html")
    assert b"<title>Home</title><p>Welcome" == (tmp_path / "home.html").read_bytes()


def test_bytes_that_are_no_text_are_not_thrown_at_a_terminal(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawlkit.cli.archive_reading.is_terminal", lambda stream: True)
    with pytest.raises(UsageError, match=r"image/png.*-o FILE"):
        extract(HOME + "i.png", archive)


def test_an_answer_that_was_cut_off_gives_what_came_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = exchange(page(b"<p>half of it")[:-3], url=HOME, truncated="disconnect")
    assert 1 == extract(HOME, packaged(tmp_path, [cut]).path, output=tmp_path / "half")
    assert b"<p>half of" == (tmp_path / "half").read_bytes()
    assert "was cut off when it was archived (disconnect)" in capsys.readouterr().err


def test_damage_leaves_no_file_behind(tmp_path: Path) -> None:
    wrong = exchange(page(b"\x1f\x8bnot gzip at all", "Content-Encoding: gzip"), url=HOME)
    with pytest.raises(ArchiveDamaged):
        extract(HOME, packaged(tmp_path, [wrong]).path, output=tmp_path / "home.html")
    assert not (tmp_path / "home.html").exists()


def test_a_file_that_is_not_there_is_a_mistake_of_the_user(tmp_path: Path) -> None:
    for ask in (
        lambda path: list_archive(path, as_json=False),
        lambda path: verify(path, as_json=False),
        lambda path: extract(HOME, path),
    ):
        with pytest.raises(UsageError, match="there is no such file"):
            ask(tmp_path / "gone.wacz")


def test_a_long_list_of_problems_is_cut(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = packaged(tmp_path, site()).path
    monkeypatch.setattr("crawlkit.archive.package_verifying.verify_archive", lambda path: ["x"] * 60)
    assert 74 == verify(path, as_json=False)
    assert "and 10 more, which --json lists" in capsys.readouterr().out

"""runs and export: a spider's database, by its name or its path."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from crawlkit.cli import main
from crawlkit.store.lock import Lock
from tests.cli.small_site import SPIDER, Site
from tests.conftest import Command

Write = Callable[..., Path]


@pytest.fixture
def crawled(crawlkit: Command, write_spider: Write, site: Site) -> Command:
    """A folder in which the spider `pages` has run."""
    write_spider(SPIDER, name="pages.py")
    crawlkit("run", "pages.py", "-a", f"base={site.url}", "--quiet")
    return crawlkit


def test_export_writes_json_lines_to_standard_output(crawled: Command) -> None:
    """One object a row, without our own columns."""
    lines = [json.loads(line) for line in crawled("export", "pages").stdout.splitlines()]
    assert 3 == len(lines)
    assert {"url", "title"} == set(lines[0])


def test_export_to_files(crawled: Command) -> None:
    """By suffix and by --format; by --db as well."""
    crawled("export", "pages", "-o", "a.csv")
    done = crawled("export", "--db", "data/pages.db", "-o", "b.txt", "--format", "json", "--json")
    assert 3 == len(list(csv.reader(io.StringIO((crawled.folder / "a.csv").read_text())))) - 1
    assert 3 == len(json.loads((crawled.folder / "b.txt").read_text()))
    assert {"files": ["b.txt"], "exit_code": 0} == {
        name: value for name, value in json.loads(done.stdout).items() if name in ("files", "exit_code")
    }
    assert "wrote b.txt" in done.stderr


def test_export_replaces_no_file_of_the_spider(
    crawled: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor of the project."""
    monkeypatch.chdir(crawled.folder)
    Path("crawl.toml").write_text("")
    for name in ("data/pages.db", "data/sessions.db", "pages.py", "crawl.toml"):
        before = Path(name).read_bytes() if Path(name).exists() else None
        assert 2 == main(["export", "pages", "-o", name, "--format", "csv"])
        assert "name another file" in capsys.readouterr().err
        assert before == (Path(name).read_bytes() if Path(name).exists() else None)


def test_export_into_another_database(crawled: Command) -> None:
    """It may be written over an earlier export; a spider's database is never replaced."""
    for _ in range(2):
        crawled("export", "pages", "-o", "copy.db")
    with sqlite3.connect(crawled.folder / "copy.db") as copy:
        assert [(3,)] == copy.execute("SELECT count(*) FROM items").fetchall()
    copy.close()
    (crawled.folder / "other.db").write_bytes((crawled.folder / "data" / "pages.db").read_bytes())
    assert "would replace" in crawled("export", "pages", "-o", "other.db", exit_code=2).stderr
    assert "there is no run 7; there are 1" in crawled("export", "pages", "--since", "7", exit_code=2).stderr
    assert "" == crawled("export", "pages", "--since", "1").stdout


def test_export_of_one_table(crawled: Command) -> None:
    """One that is not there is named with those that are."""
    crawled("export", "pages", "--table", "items", "-o", "a.jsonl")
    assert "there is items" in crawled("export", "pages", "--table", "books", exit_code=2).stderr


@pytest.mark.parametrize("command", ["export", "runs"])
def test_databases_that_are_not_there(crawled: Command, command: str) -> None:
    """The error names what there is."""
    assert "spiders that ran here: pages" in crawled(command, "docs", exit_code=2).stderr
    assert "there is no such file" in crawled(command, "--db", "x.db", exit_code=2).stderr
    assert "name one spider" in crawled(command, exit_code=2).stderr
    assert "name one spider" in crawled(command, "pages", "--db", "data/pages.db", exit_code=2).stderr
    assert "write the spider's name" in crawled(command, "pages.py", exit_code=2).stderr
    (crawled.folder / "data" / "pages.db").rename(crawled.folder / "gone.db")
    assert "run the spider first" in crawled(command, "pages", exit_code=2).stderr


def test_runs_is_a_table(crawled: Command, site: Site) -> None:
    """Newest first, with what a person asks: when, how long, how it ended, how much."""
    crawled("run", "pages.py", "-a", f"base={site.url}", "--fresh", "--max-pages", "1", "--quiet", exit_code=5)
    lines = crawled("runs", "pages").stdout.splitlines()
    assert [
        "run",
        "started",
        "took",
        "outcome",
        "exit",
        "pages",
        "unchanged",
        "failed",
        "skipped",
        "items",
        "size",
        "reason",
    ] == lines[0].split()
    assert ["2", "1"] == [line.split()[0] for line in lines[1:]]
    assert "limit" in lines[1]
    assert "finished" in lines[2]
    crawled("run", "pages.py", "-a", f"base={site.url}", "--quiet")
    crawled("run", "pages.py", "-a", f"base={site.url}", "--quiet")
    assert ["finished", "0", "3", "3"] == crawled("runs", "pages", "-n", "1").stdout.splitlines()[1].split()[5:9]
    assert 2 == len(crawled("runs", "pages", "-n", "1").stdout.splitlines())


def test_runs_as_json(crawled: Command) -> None:
    """Every column of a run."""
    line = json.loads(crawled("runs", "--db", "data/pages.db", "--json").stdout)
    assert ("pages", 1, 0) == (line["spider"], len(line["runs"]), line["exit_code"])
    assert ("finished", 3, 3, 0) == tuple(line["runs"][0][name] for name in ("outcome", "pages", "items", "exit_code"))


def test_a_whole_database_passes_the_check(crawled: Command) -> None:
    """And says so."""
    assert "data/pages.db: no problems found\n" == crawled("runs", "pages", "--check").stdout


def test_a_damaged_database_fails_the_check(crawled: Command) -> None:
    """Exit code 74, with what is wrong."""
    path = crawled.folder / "data" / "pages.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("UPDATE _totals SET pages = pages + 1")
    connection.close()
    done = crawled("runs", "pages", "--check", "--json", exit_code=74)
    line = json.loads(done.stdout)
    assert 74 == line["exit_code"]
    assert line["problems"]
    assert "the database is damaged" in done.stderr
    assert "problem" in crawled("runs", "pages", "--check", exit_code=74).stdout


def test_a_run_is_running_while_it_holds_the_lock(
    crawled: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A process with its number may be another by now, and who holds the lock may be another run."""
    monkeypatch.chdir(crawled.folder)
    path = Path("data/pages.db")

    def outcome(pid: int) -> str:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("UPDATE _runs SET outcome = NULL, ended = NULL, pid = ?", (pid,))
        connection.close()
        assert 0 == main(["runs", "pages", "--json"])
        return str(json.loads(capsys.readouterr().out)["runs"][0]["outcome"])

    assert "killed" == outcome(os.getpid())
    with Lock(path):
        assert "running" == outcome(os.getpid())
        assert "killed" == outcome(os.getpid() + 1)
    assert "killed" == outcome(os.getpid())


def test_the_check_lists_what_is_wrong_with_a_file_that_cannot_be_opened(
    crawled: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without --check the error names the command that looks, with the file."""
    monkeypatch.chdir(crawled.folder)
    whole = Path("data/pages.db").read_bytes()
    Path("data/pages.db").write_bytes(whole[:100] + b"\xff" * 4000 + whole[4100:])
    assert 74 == main(["runs", "pages"])
    assert "crawlkit runs --check --db " in capsys.readouterr().err
    assert 74 == main(["runs", "pages", "--check"])
    captured = capsys.readouterr()
    assert "problem" in captured.out.splitlines()[0]
    assert 1 < len(captured.out.splitlines())
    assert "crawlkit export --db data/pages.db -o FILE" in captured.err
    assert "--check" not in captured.err
    Path("data/pages.db").write_bytes(b"nonsense" * 1000)
    assert 74 == main(["runs", "pages", "--check", "--json"])
    assert ["file is not a database"] == json.loads(capsys.readouterr().out)["problems"]


def test_a_file_that_is_no_database(crawled: Command) -> None:
    """Named, and left as it is."""
    (crawled.folder / "x.db").write_text("no database at all, but long enough to have a header" * 10)
    done = crawled("runs", "--db", "x.db", exit_code=None)
    assert done.returncode in (2, 74)
    assert "x.db" in done.stderr
    assert 1 == done.stderr.count("\n")

"""Bad input to `crawlkit run`: a clear line, exit code 2, and nothing is written."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from crawlkit.cli import main
from crawlkit.cli.options import parse_headers, require_url
from crawlkit.exceptions import UsageError
from tests.cli.small_site import SPIDER, Site
from tests.conftest import Command

Write = Callable[..., Path]
BASE = "base=http://127.0.0.1:9/"


@pytest.fixture
def refused(crawlkit: Command) -> Callable[..., str]:
    """Run with these words; the one line it ends with, after a look that nothing is there that was not before."""

    def check(*words: object, command: str = "run") -> str:
        before = tree(crawlkit.folder)
        done = crawlkit(command, *words, "--json" if command == "run" else "--debug", exit_code=2)
        assert before == tree(crawlkit.folder)
        error = done.stderr.splitlines()[-1]
        assert error.startswith("crawlkit: error: ")
        if command == "run":
            assert 1 == len(done.stderr.splitlines()), done.stderr
            line = json.loads(done.stdout)
            assert (2, "usage_error", None) == (line["exit_code"], line["outcome"], line["run"])
        return error

    return check


def tree(folder: Path) -> dict[str, bytes | None]:
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


Refused = Callable[..., str]


def test_no_such_file(refused: Refused) -> None:
    assert "spiders/none.py: no such file" in refused("spiders/none.py")


def test_no_spider_in_it(refused: Refused, write_spider: Write) -> None:
    write_spider("x = 1\n")
    assert "spider.py: no Spider in it" in refused("spider.py")


def test_two_spiders(refused: Refused, write_spider: Write) -> None:
    write_spider(SPIDER + SPIDER.replace("Pages", "Other"))
    assert "choose one: spider.py::Pages or spider.py::Other" in refused("spider.py")


def test_a_syntax_error(refused: Refused, write_spider: Write) -> None:
    write_spider("from crawlkit import Spider\n\nclass Pages(Spider)\n    pass\n")
    assert "spider.py:3: syntax error: " in refused("spider.py")


def test_an_import_error(refused: Refused, write_spider: Write) -> None:
    write_spider("import no_such_thing\n")
    assert "spider.py:1: cannot be loaded: No module named 'no_such_thing'" in refused("spider.py")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "from crawlkit import Spidr",
            "spider.py:1: cannot be loaded: crawlkit has no name 'Spidr'; did you mean 'Sp",
        ),
        ("from json import xyzzy", "json has no name 'xyzzy'; is it another version of it that is installed?"),
    ],
)
def test_a_name_that_a_module_does_not_have(
    line: str, message: str, write_spider: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The nearest name; the module itself is installed."""
    monkeypatch.chdir(write_spider(line).parent)
    monkeypatch.setattr("sys.path", list(sys.path))
    assert 2 == main(["run", "spider.py"])
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("path", ["", " ", "::Pages"])
def test_no_path_at_all(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty variable of a script is not the folder that it runs in."""
    assert 2 == main(["run", path])
    assert "names no spider; name its file, such as spiders/site.py" in capsys.readouterr().err


def test_a_start_url_without_a_scheme(refused: Refused, write_spider: Write) -> None:
    write_spider(SPIDER.replace('base = ""', 'start_urls = ["example.org/x"]'))
    assert "'example.org/x'" in refused("spider.py")
    write_spider(SPIDER)
    assert "example.org" in refused("spider.py", "-a", "base=example.org")


@pytest.mark.parametrize("command", ["fetch", "shell"])
def test_a_url_without_a_scheme(refused: Refused, command: str) -> None:
    assert "example.org/x: not an absolute URL; write it with its scheme, such as https://example.org/x" in refused(
        "example.org/x", command=command
    )


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://example.org/x", "ftp: is not fetched, only http:// and https:// are"),
        ("file:/etc/hosts", "file: is not fetched, only http:// and https:// are"),
        ("mailto:a@example.org", "mailto: is not fetched"),
        ("localhost:8000/x", "write it with its scheme, such as https://localhost:8000/x"),
        ("http:/example.org", "write it with its scheme, such as https://example.org"),
        ("//example.org", "write it with its scheme, such as https://example.org"),
        ("", "not an absolute URL; write it with its scheme (see"),
    ],
)
def test_other_schemes(url: str, message: str) -> None:
    """No suggestion that cannot work."""
    with pytest.raises(UsageError) as caught:
        require_url(url)
    assert message in f"{caught.value} (see"


@pytest.mark.parametrize("url", ["u:PW1@h", "ftp://u:PW1@h/", "//u:PW1@h/x"])
def test_a_password_in_what_is_no_url_is_not_shown(url: str) -> None:
    with pytest.raises(UsageError, match="h") as caught:
        require_url(url)
    assert "PW1" not in str(caught.value)


def test_a_header_without_a_colon_is_not_shown() -> None:
    with pytest.raises(UsageError, match='write it as "Name: value"') as caught:
        parse_headers(("X-A: 1", "AuthorizationPW1"))
    assert "PW1" not in str(caught.value)


@pytest.mark.parametrize("command", ["run", "check", "login", "schedule"])
def test_a_url_is_no_spider(refused: Refused, command: str) -> None:
    told = refused("http://u:PW1@h/x", command=command)
    assert "PW1" not in told and "h/x" in told


def test_parse_of_a_url_without_a_scheme(refused: Refused, write_spider: Write) -> None:
    write_spider(SPIDER)
    assert "not an absolute URL" in refused("spider.py", "example.org", command="parse")


def test_an_unknown_key(refused: Refused, write_spider: Write) -> None:
    write_spider(SPIDER)
    write_spider("[crawl]\nworker = 3\n", name="crawl.toml")
    assert "crawl.toml: [crawl] has no key 'worker'; did you mean 'workers'?" in refused("spider.py", "-a", BASE)


def test_a_configuration_that_is_no_toml(refused: Refused, write_spider: Write) -> None:
    write_spider(SPIDER)
    write_spider("[crawl\n", name="crawl.toml")
    assert "crawl.toml: not valid TOML" in refused("spider.py", "-a", BASE)


def test_an_unwritable_data_folder(refused: Refused, write_spider: Write) -> None:
    """A file in its place; and where rights count, a folder without them."""
    write_spider(SPIDER)
    write_spider("", name="data")
    assert "data is not a folder" in refused("spider.py", "-a", BASE)
    assert "/proc" in refused("spider.py", "-a", BASE, "--db", "/proc/none/x.db")


def test_a_database_of_another_program(refused: Refused, write_spider: Write, crawlkit: Command) -> None:
    """It is left as it is, byte by byte."""
    write_spider(SPIDER)
    connection = sqlite3.connect(crawlkit.folder / "other.db")
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    assert "was not made by a crawlkit spider" in refused("spider.py", "-a", BASE, "--db", "other.db")


def test_a_database_of_a_newer_version(refused: Refused, write_spider: Write, crawlkit: Command, site: Site) -> None:
    write_spider(SPIDER)
    crawlkit("run", "spider.py", "-a", f"base={site.url}", "--db", "pages.db")
    connection = sqlite3.connect(crawlkit.folder / "pages.db", isolation_level=None)
    connection.execute("PRAGMA user_version = 9999")
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    assert "newer crawlkit" in refused("spider.py", "-a", BASE, "--db", "pages.db")


def test_a_database_of_another_spider(refused: Refused, write_spider: Write, crawlkit: Command, site: Site) -> None:
    """Refused without --adopt, taken over with it."""
    write_spider(SPIDER)
    write_spider(SPIDER, name="copy.py")
    crawlkit("run", "spider.py", "-a", f"base={site.url}")
    assert "--adopt" in refused("copy.py", "-a", f"base={site.url}")
    crawlkit("run", "copy.py", "-a", f"base={site.url}", "--adopt")


def test_what_the_start_of_a_spider_does_wrong_names_its_file(refused: Refused, write_spider: Write) -> None:
    """As it was typed, and the line where it raised."""
    write_spider(SPIDER.replace('base = ""', 'start_urls = "http://127.0.0.1:9/"'), name="pages.py")
    assert "error: pages.py: start_urls is one text" in refused("pages.py")
    write_spider(SPIDER.replace("yield Request", "1 / 0; yield Request"), name="pages.py")
    assert "error: pages.py:9: <" in (line := refused("pages.py"))
    assert "start_requests failed: ZeroDivisionError" in line
    write_spider(SPIDER.replace("yield Request(self.base + ", "yield ("), name="pages.py")
    assert "error: pages.py: <" in refused("pages.py")


def test_a_data_folder_that_others_can_write(refused: Refused, write_spider: Write, crawlkit: Command) -> None:
    """Somebody could replace the vault in it: refused before anything is asked."""
    write_spider(SPIDER)
    (crawlkit.folder / "data").mkdir()
    (crawlkit.folder / "data").chmod(0o777)
    assert "others can write in" in refused("spider.py", "-a", BASE)


def test_an_argument_without_equals(refused: Refused, write_spider: Write) -> None:
    write_spider(SPIDER)
    assert "-a base: write it as key=value" in refused("spider.py", "-a", "base")


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["--max-pages", "0"], "--max-pages must be a whole number, 1 or more"),
        (["--max-time", "soon"], "--max-time must be a duration"),
        (["--workers", "x"], "--workers must be a whole number from 1 to 1000, not 'x'"),
        (["--set", "crawl.x=1"], "--set crawl.x: [crawl] has no key 'x'"),
        (["-o", "items.xlsx"], "End the name in .jsonl, .csv, .json or .db"),
        (["-o", "no/items.csv"], "there is no folder"),
        (["--set", "fetch.verify=no.pem"], "fetch.verify: there is no file "),
        (["-o", "spider.py", "--format", "csv"], "-o spider.py: is the spider"),
        (["-o", "data/pages.db", "--format", "csv"], "-o data/pages.db: is the database"),
        (["--db", "data/sessions.db"], "--db data/sessions.db: is the vault of saved sessions"),
        (["--db", "spider.py"], "--db spider.py: is the spider"),
        (["--db", "x.lock"], "name the .db file"),
        (["--log-file", "."], "log file .: is a folder"),
        (["--log-file", "no/run.log"], "log file no/run.log: there is no folder no; make it"),
        (["--log-file", "/proc/x.log"], "name another with --log-file"),
        (["--log-file", "spider.py"], "log file spider.py: is the spider"),
    ],
)
def test_mistakes_of_options(
    words: list[str],
    match: str,
    write_spider: Write,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each names the option as it was typed."""
    path = write_spider(SPIDER)
    monkeypatch.chdir(path.parent)
    monkeypatch.setattr("sys.path", list(sys.path))
    before = tree(path.parent)
    assert 2 == main(["run", "spider.py", *words])
    assert match in capsys.readouterr().err
    assert before == tree(path.parent)


def test_a_reserved_name(refused: Refused, write_spider: Write) -> None:
    write_spider(SPIDER.replace('base = ""', 'name = "sessions"'))
    assert "'sessions', which is reserved" in refused("spider.py")


def test_nothing_to_start_from(refused: Refused, write_spider: Write) -> None:
    write_spider("from crawlkit import Spider\nclass Pages(Spider):\n    def parse(self, response): pass\n")
    assert "nothing to start from" in refused("spider.py")

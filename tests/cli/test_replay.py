"""`crawlkit replay`: the kept pages of a run parsed again: the same items, or what an edited spider makes of them."""

from __future__ import annotations

import json
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from crawlkit.cli.entry import invoke
from crawlkit.testing import DemoSite
from tests.cli.small_site import SPIDER, Site

Write = Callable[..., Path]


class Commands(NamedTuple):
    """Commands within this process, in a folder of their own; `cut` takes the network away."""

    folder: Path
    printed: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    def __call__(self, *words: object, exit_code: int = 0) -> tuple[str, str]:
        """Standard output and standard error."""
        self.printed.readouterr()
        code = invoke([*map(str, words)])
        found = self.printed.readouterr()
        assert exit_code == code, found
        return found.out, found.err

    def read(self, *words: object, exit_code: int = 0) -> dict[str, Any]:
        """The JSON line of a command."""
        line: dict[str, Any] = json.loads(self(*words, "--json", exit_code=exit_code)[0].splitlines()[-1])
        return line

    def cut(self) -> None:
        def refuse(*args: Any) -> None:
            raise AssertionError("a connection was opened")

        self.monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def crawlkit(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Commands:
    """In an empty folder where bodies are kept."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "crawl.toml").write_text("[store]\nbodies = true\n")
    return Commands(tmp_path, capsys, monkeypatch)


def test_the_same_spider_gives_the_same_items(crawlkit: Commands, root: Path, shop: DemoSite):
    """Of a crawl behind a login, by sixteen workers, without a connection; nothing is written."""
    shutil.copy(root / "spiders" / "site.py", crawlkit.folder)
    run = crawlkit.read("run", "site.py", "-a", f"base={shop.url}")
    crawlkit.cut()
    before = {path.name: path.read_bytes() for path in (crawlkit.folder / "data").glob("*.db")}
    told = crawlkit.read("replay", "bookshop")
    assert (63, 0, 240, 0) == (told["pages"], told["missing"], told["items"], told["failed"])
    assert [] == told["added"] == told["changed"] == told["gone"]
    assert run["pages"] == told["pages"]
    out, err = crawlkit("replay", "bookshop", "1")
    assert "63 pages of run 1 parsed again" in out
    assert "240 items, all as they are" in out
    assert "run 1 was given -a base: give it here too" in err
    assert before == {path.name: path.read_bytes() for path in (crawlkit.folder / "data").glob("*.db")}


def test_an_edited_spider_shows_what_it_changes(crawlkit: Commands, root: Path, shop: DemoSite):
    """Item by item: columns with old and new value, rows that are new or gone; whatever tables they are in."""
    text = (root / "spiders" / "site.py").read_text()
    (crawlkit.folder / "site.py").write_text(text)
    crawlkit.read("run", "site.py", "-a", f"base={shop.url}")
    crawlkit.cut()
    book = shop.books[0]
    edited = text.replace("yield Book(", f"if isbn == {shop.books[1].isbn!r}:\n            return\n        yield Book(")
    edited = edited.replace('int(book.css(".year', f'(isbn == {book.isbn!r}) + int(book.css(".year')
    edited = edited.replace(
        "        for row in",
        "        yield {'isbn': isbn} if isbn == '" + book.isbn + "' else None\n        for row in",
    )
    edited = edited.replace("else None", "else {'isbn': 'x', 'no': 1}")
    (crawlkit.folder / "edited.py").write_text(edited)
    told = crawlkit.read("replay", "bookshop", "--spider", "edited.py")
    [changed] = told["changed"]
    assert {"year": {"old": book.year, "new": book.year + 1}} == changed["columns"]
    assert {"isbn": book.isbn} == changed["key"]
    assert [shop.books[1].isbn] == [each["row"]["isbn"] for each in told["gone"] if each["table"] == "book"]
    assert {"items"} == {each["table"] for each in told["added"]}
    assert len(shop.books) - 1 == len(told["added"])
    out, _ = crawlkit("replay", "bookshop", "--spider", "edited.py", "-n", "3")
    assert f"{len(shop.books) - 1} items new, 1 changed" in out


def test_a_page_that_asks_for_more_is_reported(crawlkit: Commands, write_spider: Write, site: Site):
    """By page, callback and URL; it keeps its items, the others are parsed."""
    write_spider(SPIDER)
    crawlkit.read("run", "spider.py", "-a", f"base={site.url}")
    write_spider(
        SPIDER.replace(
            "        yield {",
            "        if response.url.endswith('/a'):\n            self.session.get(response.urljoin('/b'))\n        yield {",
        ),
        "edited.py",
    )
    crawlkit.cut()
    told = crawlkit.read("replay", "pages", "--spider", "edited.py", exit_code=1)
    assert (2, 1) == (told["pages"], told["failed"])
    assert [] == told["added"] == told["changed"] == told["gone"]
    _, err = crawlkit("replay", "pages", "--spider", "edited.py", exit_code=1)
    assert "1 page failed (not_recorded in parse()); their items stay as they are" in err
    assert f"{site.url}/a: the callback asked for GET {site.url}/b, and a replay fetches nothing" in err


def test_a_callback_that_fails_or_is_gone_is_reported(crawlkit: Commands, write_spider: Write, site: Site):
    """One line for each reason, examples under it; --debug shows where."""
    write_spider(
        SPIDER.replace('follow_all("a")', 'follow_all("a", callback="other")')
        + "    other = parse_other = None\n    def other(self, response): yield {'url': response.url}\n"
    )
    crawlkit.read("run", "spider.py", "-a", f"base={site.url}")
    write_spider(SPIDER.replace('yield {"url"', '1 / 0; yield {"url"'), "edited.py")
    _, err = crawlkit("replay", "pages", "--spider", "edited.py", "--debug", exit_code=1)
    assert "1 page failed (ZeroDivisionError in parse())" in err
    assert "2 pages failed (SpiderError in other())" in err
    assert 'edited.py", line 12' in err


def test_rows_of_two_pages_with_one_key_stay_as_they_are(crawlkit: Commands, write_spider: Write, site: Site):
    """The page that had the last word has it again, whichever is parsed last."""
    write_spider(SPIDER.replace('yield {"url": response.url, ', 'yield {"url": "one", "page": response.url, '))
    crawlkit.read("run", "spider.py", "-a", f"base={site.url}")
    for workers in (1, 16):
        told = crawlkit.read("replay", "pages", "--workers", workers)
        assert [] == told["added"] == told["changed"] == told["gone"]
        assert 3 == told["pages"]


def test_types_of_columns_are_the_stores(crawlkit: Commands, write_spider: Write, site: Site):
    """A number among text, a list, a boolean, bytes: what the store makes of them is no change."""
    number = '"n": len(response.url) if "a" in response.url[-1] else "007"'
    values = number + ', "l": [1, {"x": None}], "t": True, "f": 1.0, "b": b"\\xff"'
    write_spider(SPIDER.replace('"title": response', f'{values}, "title": response'))
    crawlkit.read("run", "spider.py", "-a", f"base={site.url}")
    told = crawlkit.read("replay", "pages")
    assert [] == told["added"] == told["changed"] == told["gone"]


def test_what_cannot_be_replayed(crawlkit: Commands, write_spider: Write, site: Site):
    """Each is told with what to do, with exit code 2."""
    spider = write_spider(SPIDER)
    crawlkit.read("run", "spider.py", "-a", f"base={site.url}", "--set", "store.bodies=false")
    assert "set [store] bodies = true" in crawlkit("replay", "pages", exit_code=2)[1]
    crawlkit.read("run", "spider.py", "-a", f"base={site.url}", "--fresh")
    write_spider(SPIDER.replace("Pages", "Others"), "others.py")
    for words, told in (
        (("nosuch",), "spiders that ran here: pages"),
        (("pages", "9"), "there is no run 9; there are 1, 2"),
        (("pages", "x"), "a run is named by its number"),
        (("pages", "--spider", "others.py"), "is the spider 'others'; data/pages.db is of 'pages'"),
        (("pages", "--spider", "gone.py"), "gone.py: no such file"),
    ):
        assert told in crawlkit("replay", *words, exit_code=2)[1]
    assert "run 1: none of its pages was kept" in crawlkit("replay", "pages", "1", exit_code=2)[1]
    spider.unlink()
    assert "name it with --spider" in crawlkit("replay", "pages", exit_code=2)[1]

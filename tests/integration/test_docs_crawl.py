"""spiders/docs.py over Python's documentation behind nginx, against an independent walk over the files."""

from __future__ import annotations

import sqlite3
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest


class Reader(HTMLParser):
    """Title, first h1 and links of a page, by the standard library alone."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self._text: dict[str, list[str]] = {}
        self._open: str | None = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.links += [value for name, value in attrs if name == "href" and value is not None][:1]
        if tag in ("title", "h1") and tag not in self._text:
            self._open = tag
            self._text[tag] = []

    def handle_endtag(self, tag: str) -> None:
        if tag == self._open:
            self._open = None

    def handle_data(self, data: str) -> None:
        if self._open:
            self._text[self._open].append(data)

    def text(self, tag: str) -> str | None:
        found = self._text.get(tag)
        return None if found is None else " ".join("".join(found).split()).removesuffix("¶")


def walk(root: Path, base: str) -> dict[str, tuple[str | None, str | None, int]]:
    """What every page reachable from `index.html` must yield: url → (title, heading, links)."""
    expected: dict[str, tuple[str | None, str | None, int]] = {}
    waiting = [urljoin(base, "index.html")]
    while waiting:
        url = waiting.pop()
        file = root / unquote(urlsplit(url).path.lstrip("/"))
        if url in expected or not file.is_file() or file.suffix != ".html":
            continue
        page = Reader(file.read_text(encoding="utf-8"))
        expected[url] = (page.text("title"), page.text("h1"), len(page.links))
        joined = (urljoin(url, link).partition("#")[0] for link in page.links)
        waiting += [each for each in joined if each.startswith(base)]
    return expected


@pytest.fixture(scope="module")
def expected(docs_site) -> dict[str, tuple[str | None, str | None, int]]:
    return walk(docs_site.root, docs_site.base)


@pytest.fixture
def docs_spider(write_spider, root: Path) -> Path:
    """The example in a folder of its own, so that its `data/` is not the project's."""
    return write_spider((root / "spiders/docs.py").read_text(encoding="utf-8"), "docs.py")


def test_walk_knows_the_documentation(expected):
    """The judge itself: hundreds of pages, each with a title; 3.11's has 526."""
    assert 400 < len(expected)
    assert all(title for title, _, _ in expected.values())


def test_docs_crawl_takes_every_page_once(crawlkit, docs_site, expected, docs_spider):
    """Every reachable page is done with the right row, none failed, none was fetched twice."""
    docs_site.forget()
    line = crawlkit.run(docs_spider, "-a", f"start={docs_site.url}", "--db", "docs.db")
    assert ("finished", 0, 0) == (line["outcome"], line["failed"], line["exit_code"])
    with sqlite3.connect(crawlkit.folder / "docs.db") as database:
        rows = database.execute("SELECT url, title, heading, links FROM items").fetchall()
        states = dict(database.execute("SELECT url, state FROM _pages"))
    database.close()
    assert expected == {url: (title, heading, links) for url, title, heading, links in rows}
    assert len(expected) == len(rows)
    assert {"done"} == {states[url] for url in expected}
    assert {"done", "skipped"} >= set(states.values())
    asked = docs_site.asked()
    assert {1} == set(asked.values())
    assert {urlsplit(url).path for url in expected} <= set(asked)


def test_docs_crawl_without_a_start_says_so(crawlkit, docs_spider):
    """Exit code 2, one line that says what to type, nothing written."""
    done = crawlkit("run", docs_spider, "--db", "docs.db", exit_code=2)
    assert "-a start=" in done.stderr
    assert not (crawlkit.folder / "docs.db").exists()

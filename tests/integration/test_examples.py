"""The example spiders run as they are, and yield what their sites have; the judge is the site's own stock and log."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from crawlkit.testing import DemoSite, demo_site


@pytest.fixture
def example(write_spider: Callable[..., Path], root: Path) -> Callable[[str], Path]:
    """An example spider in the test's folder, so that its `data/` is not the project's."""

    def copy(name: str) -> Path:
        return write_spider((root / "spiders" / name).read_text(encoding="utf-8"), name)

    return copy


def query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(sql).fetchall()


def books_of(site: DemoSite) -> set[tuple[Any, ...]]:
    return {
        (book.isbn, book.title, book.author, book.subject, book.year, book.pages, site.url + book.path)
        for book in site.books
    }


def prices_of(site: DemoSite) -> set[tuple[Any, ...]]:
    return {
        (book.isbn, price.format, price.pence, price.member_pence, price.stock)
        for book in site.books
        for price in book.prices
    }


BOOKS = "SELECT isbn, title, author, subject, year, pages, url FROM book"
PRICES = "SELECT isbn, format, pence, member_pence, stock FROM price"


def test_site_takes_every_book_and_logs_in_once(crawlkit, example, shop):
    """Login, pagination, two tables; the second run starts from the saved login and makes none."""
    spider = example("site.py")
    for logins in (1, 0):
        shop.log.clear()
        line = crawlkit.run(spider, "-a", f"base={shop.url}")
        assert (63, 0, "finished") == (line["pages"], line["failed"], line["outcome"])
        database = crawlkit.folder / "data/bookshop.db"
        assert books_of(shop) == set(query(database, BOOKS))
        assert prices_of(shop) == set(query(database, PRICES))
        assert [(60, 180)] == query(database, "SELECT (SELECT count(*) FROM book), (SELECT count(*) FROM price)")
        assert logins == shop.log.count("/login", method="POST")
        assert 0 == shop.log.count("/logout")


@pytest.mark.parametrize("logged_out", ["redirect", "form"])
def test_site_survives_logins_that_expire(crawlkit, example, logged_out):
    """A login ends after 25 pages, again and again: every book is taken, no logged-out page is stored."""
    with demo_site(port=0, books=80, expire_after_requests=25, logged_out=logged_out) as site:
        line = crawlkit.run(example("site.py"), "-a", f"base={site.url}")
        assert (84, 0) == (line["pages"], line["failed"])
        assert books_of(site) == set(query(crawlkit.folder / "data/bookshop.db", BOOKS))
        assert 4 <= site.log.count("/login", method="POST", status=303) <= 8


def test_site_opens_the_shop_itself(crawlkit, example):
    """The first command of the README: no argument, no internet; nothing is left running."""
    line = crawlkit.run(example("site.py"))
    assert (315, 0, 1200) == (line["pages"], line["failed"], line["items"])
    assert line["elapsed"] < 20


def test_site_goes_on_where_it_stopped(crawlkit, example, shop):
    """Cut off by a limit, the same command fetches the rest and nothing twice."""
    spider = example("site.py")
    words = (spider, "-a", f"base={shop.url}")
    line = crawlkit.run(*words, "--max-pages", 20, exit_code=5)
    assert ("limit", True) == (line["outcome"], line["resumable"])
    crawlkit.run(*words)
    assert books_of(shop) == set(query(crawlkit.folder / "data/bookshop.db", BOOKS))
    asked = [path for path in shop.log.paths() if path.startswith(("/books/", "/books?"))]
    assert len(set(asked)) == len(asked)


def test_api_takes_every_book_with_a_token(crawlkit, example, shop):
    """JSON behind a token that is asked for once and kept."""
    spider = example("api.py")
    for tokens in (1, 0):
        shop.log.clear()
        line = crawlkit.run(spider, "-a", f"base={shop.url}")
        assert (3, 60, 0) == (line["pages"], line["items"], line["failed"])
        assert tokens == shop.log.count("/api/token")
    rows = query(crawlkit.folder / "data/api.db", "SELECT isbn, title, prices FROM books")
    expected = {(book.isbn, book.title): {price.format: price.pence for price in book.prices} for book in shop.books}
    assert expected == {(isbn, title): json.loads(prices) for isbn, title, prices in rows}


def test_quotes_takes_quotes_and_authors(crawlkit, example, quotes_site):
    """The practice site's markup, on loopback: a login, three pages, each author once."""
    crawlkit.run(example("quotes.py"), "-a", f"base={quotes_site.url}")
    database = crawlkit.folder / "data/quotes.db"
    rows = query(database, "SELECT text, author, tags FROM items")
    assert {(f"“Saying number {n}.”", f"Author {n % 4}", ("all", f"mod-{n % 3}")) for n in range(25)} == {
        (text, author, tuple(json.loads(tags))) for text, author, tags in rows
    }
    authors = query(database, "SELECT name, born, place FROM authors ORDER BY name")
    assert [(f"Author {n}", f"May {n + 1}, 1900", f"in Place {n}") for n in range(4)] == authors
    assert 1 == quotes_site.server.log.count("/login", method="POST")

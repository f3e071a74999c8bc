"""SIGKILL at random instants of the docs crawl, resumed by the same command: no item lost, none twice."""

from __future__ import annotations

import random
import signal
import sqlite3
import time
from collections import Counter

import pytest

# No key on purpose: with one, the database alone would keep a row from being there twice.
SPIDER = """
from urllib.parse import urljoin
from crawlkit import Spider

class Pages(Spider):
    name = "pages"

    def start_requests(self):
        from crawlkit import Request
        yield Request(self.index)

    def parse(self, response):
        if not response.is_html:
            return
        yield {"url": response.url, "title": response.css("title::text").get()}
        folder = urljoin(self.index, ".")
        for request in response.follow_all("a[href]"):
            if request.url.startswith(folder):
                yield request
"""
WORKERS = 16


def rows(path) -> Counter[tuple[str, str]]:
    database = sqlite3.connect(path)
    try:
        return Counter(database.execute("SELECT url, title FROM items").fetchall())
    finally:
        database.close()


class Crawl:
    """The crawl of one database, by one command that is typed again and again."""

    def __init__(self, crawlkit, docs_site, spider, name: str) -> None:
        self.crawlkit = crawlkit
        self.words = ("run", spider, "-a", f"index={docs_site.url}", "--db", name, "--workers", WORKERS, "--quiet")
        self.database = crawlkit.folder / name

    def kill_when(self, due) -> bool:
        """Run it and kill it as soon as `due()`; False when it ended by itself before."""
        with self.crawlkit.start(*self.words) as process:
            while process.poll() is None:
                if due():
                    process.send_signal(signal.SIGKILL)
                    return process.wait() == -signal.SIGKILL
                time.sleep(0.002)
        return False

    @property
    def is_over(self) -> bool:
        """Whether it came to its end before it was killed: the same command would then begin the next crawl."""
        if not self.database.exists():
            return False
        database = sqlite3.connect(self.database)
        try:
            return bool(database.execute("SELECT 1 FROM _runs WHERE finished").fetchone())
        except sqlite3.OperationalError:
            return False  # killed before it had tables
        finally:
            database.close()

    def finish(self) -> Counter[tuple[str, str]]:
        """Run it to its end: the rows that are there."""
        self.crawlkit(*self.words)
        return rows(self.database)


@pytest.fixture
def uninterrupted(crawlkit, docs_site, write_spider):
    """The spider, what a run without a kill gives, and how long such a run takes (seconds)."""
    spider = write_spider(SPIDER)
    started = time.monotonic()
    expected = Crawl(crawlkit, docs_site, spider, "whole.db").finish()
    seconds = time.monotonic() - started
    assert 400 < len(expected)
    assert {1} == set(expected.values())
    docs_site.forget()
    return spider, expected, seconds


def fetched_again(docs_site) -> int:
    """How many requests were for a page that had been asked for before."""
    asked = docs_site.asked()
    return sum(asked.values()) - len(asked)


@pytest.mark.slow
def test_killed_crawl_loses_and_doubles_nothing(crawlkit, docs_site, uninterrupted):
    """One crawl killed four times on its way; hardly a page is fetched again: at most two a worker and kill."""
    spider, expected, _ = uninterrupted
    crawl = Crawl(crawlkit, docs_site, spider, "killed.db")
    chance = random.Random(2)
    for most in sorted(chance.randrange(1, len(expected) - 60) for _ in range(4)):
        assert crawl.kill_when(lambda most=most: sum(docs_site.asked().values()) >= most)
    assert expected == crawl.finish()
    assert fetched_again(docs_site) <= 4 * 2 * WORKERS


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_killed_at_a_random_instant(crawlkit, docs_site, uninterrupted, seed):
    """Twenty crawls, each killed at an instant of its own, from the first import to the last commit."""
    spider, expected, seconds = uninterrupted
    crawl = Crawl(crawlkit, docs_site, spider, "killed.db")
    end = time.monotonic() + random.Random(seed).uniform(0.02, 1.0) * seconds
    killed = crawl.kill_when(lambda: time.monotonic() >= end)
    assert expected == (crawl.finish() if killed and not crawl.is_over else rows(crawl.database))
    assert fetched_again(docs_site) <= 2 * WORKERS

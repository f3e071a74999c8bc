"""SIGKILL at random instants of the docs crawl, resumed by the same command: no item lost, none twice."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
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


def kill_and_resume(crawlkit, docs_site, spider, delays: list[float], name: str) -> Counter[tuple[str, str]]:
    """Start, kill after each of `delays` seconds, then run to the end: the rows that are there."""
    words = ("run", spider, "-a", f"index={docs_site.url}", "--db", name, "--workers", WORKERS, "--quiet")
    for delay in delays:
        process = crawlkit.start(*words)
        try:
            process.wait(timeout=delay)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
    crawlkit(*words)
    return rows(crawlkit.folder / name)


@pytest.fixture
def uninterrupted(crawlkit, docs_site, write_spider):
    """The spider, what a run without a kill gives, and how long such a run takes (seconds)."""
    spider = write_spider(SPIDER)
    started = time.monotonic()
    expected = kill_and_resume(crawlkit, docs_site, spider, [], "whole.db")
    seconds = time.monotonic() - started
    assert 400 < len(expected)
    assert {1} == set(expected.values())
    return spider, expected, seconds


def test_killed_crawl_loses_and_doubles_nothing(crawlkit, docs_site, uninterrupted):
    """One crawl killed four times on its way; no page is fetched again that was committed."""
    spider, expected, seconds = uninterrupted
    chance = random.Random(2)
    docs_site.forget()
    delays = [chance.uniform(0.3, 0.9) * seconds for _ in range(4)]
    assert expected == kill_and_resume(crawlkit, docs_site, spider, delays, "killed.db")
    again = sum(docs_site.asked().values()) - len(docs_site.asked())
    assert again <= 2 * WORKERS * len(delays)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_killed_at_a_random_instant(crawlkit, docs_site, uninterrupted, seed):
    """Twenty crawls, each killed at an instant of its own and resumed once."""
    spider, expected, seconds = uninterrupted
    delay = random.Random(seed).uniform(0.1, 1.0) * seconds
    docs_site.forget()
    assert expected == kill_and_resume(crawlkit, docs_site, spider, [delay], "killed.db")
    again = sum(docs_site.asked().values()) - len(docs_site.asked())
    assert again <= 2 * WORKERS

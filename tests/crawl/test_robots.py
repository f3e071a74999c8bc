"""Robots: RFC 9309, with a fetch that answers from a table."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from crawlkit import exceptions
from crawlkit.crawl.robots import FRESH_SECONDS, MAX_BYTES, Copy, Robots, RobotsUnavailable
from crawlkit.url import origin

SITE = origin("https://example.org/")
RULES = (
    b"User-agent: *\nDisallow: /private\nCrawl-delay: 3\n\nUser-agent: crawlkit\nDisallow: /ours\nRequest-rate: 1/10\n"
)


@dataclass
class Answer:
    status_code: int
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Clock:
    now = 1_000_000.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


class Shelf(dict[str, Copy]):
    def put(self, copy: Copy) -> None:
        self[copy.origin] = copy


class Site:
    """Robots over one answer, counting how often it was fetched."""

    def __init__(self, answer: Answer | BaseException, agent: str = "crawlkit/1.0 (+x)", shelf: Any = None) -> None:
        self.answer = answer
        self.fetched: list[str] = []
        self.clock = Clock()
        self.shelf = Shelf() if shelf is None else shelf
        self.robots = Robots(self.fetch, self.shelf, self.clock, user_agent=agent)

    def fetch(self, url: str) -> Any:
        self.fetched.append(url)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer.status_code, self.answer.content[:MAX_BYTES]

    def allows(self, path: str) -> bool:
        return self.robots.allows(f"https://example.org{path}", SITE)


def test_rules_are_those_of_our_product_token() -> None:
    """The group that names crawlkit counts and not the one for all."""
    site = Site(Answer(200, RULES))
    assert not site.allows("/ours/a")
    assert site.allows("/private")
    assert 10.0 == site.robots.crawl_delay(SITE)
    assert ["https://example.org/robots.txt"] == site.fetched


def test_others_read_the_group_for_all() -> None:
    site = Site(Answer(200, RULES), agent="Mozilla/5.0")
    assert not site.allows("/private/x")
    assert 3.0 == site.robots.crawl_delay(SITE)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_4xx_allows_all(status: int) -> None:
    assert Site(Answer(status, RULES)).allows("/ours")


@pytest.mark.parametrize(
    "answer", [Answer(500), Answer(503), Answer(429), exceptions.ReadTimeout("slow"), exceptions.ConnectionError("no")]
)
def test_5xx_and_no_answer_allow_nothing(answer: Any) -> None:
    """RFC 9309, 2.3.1.4: until robots.txt can be had nothing may be fetched."""
    with pytest.raises(RobotsUnavailable, match=r"example\.org/robots\.txt"):
        Site(answer).allows("/")


def test_a_redirect_loop_counts_as_4xx() -> None:
    assert Site(exceptions.TooManyRedirects("loop")).allows("/ours")


@pytest.mark.parametrize(
    "page", [b"<!DOCTYPE html><p>User-agent: *\nDisallow: /", b"\xef\xbb\xbf\n<HTML>", b"<!-- x -->"]
)
def test_html_in_its_place_counts_as_4xx(page: bytes) -> None:
    """Sites that answer every path with a page, or a login form, forbid nothing."""
    assert Site(Answer(200, page + b"\nUser-agent: *\nDisallow: /\n")).allows("/x")


def test_a_byte_order_mark_is_no_part_of_the_rules() -> None:
    assert not Site(Answer(200, b"\xef\xbb\xbfUser-agent: *\nDisallow: /\n")).allows("/x")


def test_only_500_kib_are_read() -> None:
    body = b"User-agent: *\nDisallow: /early\n" + b"#" * MAX_BYTES + b"\nDisallow: /late\n"
    site = Site(Answer(200, body))
    assert not site.allows("/early")
    assert site.allows("/late")


def test_a_copy_lasts_a_day_between_runs() -> None:
    """The next run reads the kept copy; after a day it is fetched again."""
    shelf = Shelf()
    Site(Answer(200, RULES), shelf=shelf).allows("/")
    second = Site(Answer(404), shelf=shelf)
    assert not second.allows("/ours")
    assert [] == second.fetched
    third = Site(Answer(404), shelf=shelf)
    third.clock.now += FRESH_SECONDS
    assert third.allows("/ours")
    assert 1 == len(third.fetched)


def test_a_failure_is_not_kept() -> None:
    """After a 503 the next attempt asks again, and may succeed."""
    site = Site(Answer(503))
    with pytest.raises(RobotsUnavailable):
        site.allows("/")
    site.answer = Answer(200, RULES)
    site.clock.now += 5
    assert not site.allows("/ours")


def test_sixteen_threads_fetch_it_once() -> None:
    site = Site(Answer(200, RULES))
    barrier = threading.Barrier(16)
    answers: list[bool] = []

    def ask() -> None:
        barrier.wait()
        answers.append(site.allows("/ours"))

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [False] * 16 == answers
    assert 1 == len(site.fetched)

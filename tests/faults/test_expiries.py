"""A site that ends its sessions again and again under many workers: nothing lost, nothing of a stranger's stored."""

from __future__ import annotations

from typing import Any

import pytest

from crawlkit.crawl.spider import Spider
from tests.crawl.loopback import serving
from tests.crawl.test_engine import Bench, bench  # noqa: F401 - a fixture
from tests.faults.expiring_club import ExpiringClub


class Visitor(Spider):
    """Follows every link; rows hold what the page says. No `logged_in`: the built-in signs decide."""

    name = "visitor"
    key = "path"

    def __init__(self, site: Any) -> None:
        super().__init__()
        self.start_urls = [f"{site.url}/"]

    def login(self, session: Any) -> None:
        page = session.get(self.start_urls[0] + "login")
        session.submit(page.form(), {"user": "u", "password": "right"})

    def parse(self, response: Any) -> Any:
        yield {"path": response.url, "heading": response.css("h1::text").get(), "me": bool(response.css("b.account"))}
        yield from response.follow_all("a")


class Teller(Visitor):
    """The same with the author's own word."""

    name = "teller"

    def logged_in(self, response: Any) -> bool:
        return bool(response.css("b.account"))


def crawl(bench: Bench, kind: type[Visitor], club: ExpiringClub) -> None:  # noqa: F811
    with serving(club.pages) as site:
        spider = kind(site)
        result = bench.run(spider, crawl__workers=40)
        rows = bench.rows(spider, "SELECT path, me FROM items")
    assert ("finished", 0) == (result.outcome, result.failed)
    assert club.expiries == club.most
    assert club.expiries + 1 == club.logins == result.logins
    assert len(club.paths) + 1 == len(rows)
    assert {1} == {me for _, me in rows}
    assert set(club.paths) == set(club.served)


@pytest.mark.parametrize("kind", [Visitor, Teller])
@pytest.mark.parametrize("style", ["redirect", "form", "json"])
def test_ten_expiries(bench: Bench, kind: type[Visitor], style: str) -> None:  # noqa: F811
    """As many logins as expiries and the first, however strangers are told."""
    crawl(bench, kind, ExpiringClub(120, style, expire_every=11, most=10))


@pytest.mark.slow
@pytest.mark.parametrize("late", [0.0, 0.3], ids=["prompt", "late"])
@pytest.mark.parametrize("kind", [Visitor, Teller])
@pytest.mark.parametrize("style", ["redirect", "form", "json"])
def test_a_hundred_expiries(bench: Bench, kind: type[Visitor], style: str, late: float) -> None:  # noqa: F811
    """Also when answers to strangers come after the new login, and delete its cookie."""
    crawl(bench, kind, ExpiringClub(1200, style, expire_every=11, most=100, late=late))

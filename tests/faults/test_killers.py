"""Pages that end the session of who fetches them and do not look like it: found, kept away from, and nobody else."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from crawlkit.testing import TrapSite, trap_site
from tests.faults.test_traps import Everything, crawl


def blamed(folder: Path) -> list[tuple[str, int, int]]:
    connection = sqlite3.connect(folder / "everything.db")
    try:
        found = connection.execute("SELECT url, times, quarantined FROM _blamed ORDER BY url").fetchall()
    finally:
        connection.close()
    return [("/" + url.split("/", 3)[3], times, quarantined) for url, times, quarantined in found]


def items(folder: Path) -> list[str]:
    connection = sqlite3.connect(folder / "everything.db")
    try:
        return [path for (path,) in connection.execute("SELECT path FROM items")]
    finally:
        connection.close()


def looks(site: TrapSite, path: str) -> int:
    return site.log.count(path)


@pytest.mark.parametrize("workers", [1, 8])
def test_a_page_that_logs_out_is_quarantined(workers: int, tmp_path: Path) -> None:
    """It redirects to the login and ends the session: tried, condemned, skipped with its reason; all others are taken.
    The next run does not fetch it; a fresh one does."""
    with trap_site(records=20, killers={7: "login"}) as site:
        result = crawl(Everything(site), tmp_path, crawl__workers=workers)
        assert ("finished", {"quarantined": 1}) == (
            result.outcome,
            {reason: count for reason, count in result.skips.items() if reason != "guard: logs out"},
        )
        assert [f"{site.url}/records/7"] == list(result.quarantined)
        assert set(site.innocents) == set(items(tmp_path))
        assert ("/records/7", 2, 1) in blamed(tmp_path)
        site.log.clear()
        assert [f"{site.url}/records/7"] == list(crawl(Everything(site), tmp_path, crawl__workers=workers).quarantined)
        assert 0 == looks(site, "/records/7")
        site.log.clear()
        crawl(Everything(site), tmp_path, fresh=True, crawl__workers=workers)
        assert looks(site, "/records/7")


def test_a_page_that_kills_behind_a_proper_answer_is_found_in_the_next_run(tmp_path: Path) -> None:
    """The page itself is fine; the session is dead afterwards. Suspected once, it is followed by a look, tried and
    condemned, and what it gave is not stored."""
    with trap_site(records=12, killers={7: "page"}) as site:
        first = crawl(Everything(site), tmp_path, crawl__workers=1)
        assert ("finished", ()) == (first.outcome, first.quarantined)
        assert ("/records/7", 1, 0) in blamed(tmp_path)
        second = crawl(Everything(site), tmp_path, crawl__workers=1)
        assert [f"{site.url}/records/7"] == list(second.quarantined)
        assert [("/records/7", 2, 1)] == blamed(tmp_path)
        assert set(site.innocents) <= set(items(tmp_path))


def test_the_author_may_have_it_all_the_same(tmp_path: Path) -> None:
    """`guard_allow` frees a page from its quarantine; when it kills again it fails, and the run ends."""
    with trap_site(records=8, killers={7: "login"}) as site:
        crawl(Everything(site), tmp_path, crawl__workers=2)
        site.log.clear()
        result = crawl(Everything(site, guard_allow=["/records/7"]), tmp_path, crawl__workers=2)
        assert ("pages_failed", {"quarantined": 1}, ()) == (result.outcome, dict(result.failures), result.quarantined)
        assert looks(site, "/records/7")


@pytest.mark.parametrize(
    ("lasts", "workers"),
    [(20, 40), pytest.param(20, 1, marks=pytest.mark.slow), pytest.param(7, 4, marks=pytest.mark.slow)],
)
def test_nobody_is_condemned_where_sessions_die_by_themselves(lasts: int, workers: int, tmp_path: Path) -> None:
    """A session lasts for so many requests: every page is taken, no page quarantined, whoever was near; and that also in
    a second run, which looks at the suspects of the first."""
    with trap_site(records=60, expire_after_requests=lasts) as site:
        for _ in range(2):
            result = crawl(Everything(site), tmp_path, crawl__workers=workers)
            assert ("finished", 0, ()) == (result.outcome, result.failed, result.quarantined)
            assert set(site.innocents) == set(items(tmp_path))
        assert not [each for each in blamed(tmp_path) if each[2]]


def test_killers_are_told_from_victims(tmp_path: Path) -> None:
    """Both at once: sessions that die every 25 requests, and three pages that end them."""
    with trap_site(records=60, killers={7: "login", 8: "login", 31: "login"}, expire_after_requests=25) as site:
        result = crawl(Everything(site), tmp_path, crawl__workers=16)
        assert {f"{site.url}/records/{number}" for number in (7, 8, 31)} == set(result.quarantined)
        assert set(site.innocents) == set(items(tmp_path))


@pytest.mark.parametrize("lasts", [1, 4, *(pytest.param(lasts, marks=pytest.mark.slow) for lasts in (2, 3, 5))])
def test_a_site_that_ends_every_session_at_once_stops_the_run(lasts: int, tmp_path: Path) -> None:
    """Nothing can be told there: no page is condemned, the run is resumable, or comes to its end in spite of it all."""
    with trap_site(records=6, expire_after_requests=lasts) as site:
        result: Any = crawl(Everything(site), tmp_path, crawl__workers=2)
        assert () == result.quarantined
        assert result.outcome in ("login_failed", "finished")
        assert result.failed == 0

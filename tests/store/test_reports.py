"""Reports: what the command line asks a database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crawlkit.store.database import Store
from crawlkit.store.reports import Reports
from tests.store.desk import Desk, link, row


@pytest.fixture
def reports(desk: Desk) -> Iterator[Reports]:
    desk.crawl("done", row(name="x"), row("prices", name="p"), links=["broken", "gone", "slow", "waits", "leased"])
    desk.crawl("broken", state="failed", error="500 Server Error", status=500)
    desk.crawl("gone", state="skipped", error="gone", status=404)
    desk.crawl("slow", state="failed", error="timeout")
    desk.add(link("other", host="other.example:80"))
    desk.claim(1, host="other.example:80")
    with Store.open_readonly(desk.path) as reports:
        yield reports


def test_pages_by_state(reports: Reports, desk: Desk) -> None:
    assert {"queued": 2, "leased": 1, "done": 1, "failed": 2, "skipped": 1} == reports.totals()
    assert reports.totals() == reports.totals(crawl=1) == desk.store.reports.totals()
    assert {0} == set(reports.totals(crawl=2).values())


def test_totals_follow_pages_into_the_next_crawl(reports: Reports, desk: Desk) -> None:
    desk.next_run()
    desk.crawl("done")
    desk.add("broken")

    assert {"queued": 1, "leased": 0, "done": 1, "failed": 0, "skipped": 0} == reports.totals(crawl=2)
    assert {"queued": 0, "leased": 0, "done": 0, "failed": 1, "skipped": 4} == reports.totals(crawl=1)


def test_failed_pages_with_their_reasons(reports: Reports) -> None:
    broken, slow = reports.failed()

    assert ("https://site.example/broken", 500, "500 Server Error", "https://site.example/done") == (
        broken.url,
        broken.status,
        broken.error,
        broken.parent_url,
    )
    assert ("failed", "timeout", 1) == (slow.state, slow.error, slow.attempts)
    assert [broken] == reports.failed(limit=1)
    assert [] == reports.failed(crawl=7)


def test_reasons_counted(reports: Reports, desk: Desk) -> None:
    desk.crawl("slow2", state="failed", error="timeout")

    assert [("timeout", 2), ("500 Server Error", 1)] == list(reports.failures().items())


def test_rows_by_table(reports: Reports, desk: Desk) -> None:
    assert {"items": 1, "prices": 1} == reports.tables()
    desk.query("DROP TABLE prices")
    assert {"items": 1} == reports.tables()


def test_runs_newest_first(reports: Reports, desk: Desk) -> None:
    desk.next_run()

    assert [2, 1] == [run.id for run in reports.runs()]
    assert [2] == [run.id for run in reports.runs(limit=1)]
    assert None is reports.run(3)


def test_a_whole_database_has_no_problems(reports: Reports) -> None:
    assert [] == reports.check()

"""Commits: an outcome counts as a whole or not at all, whatever part of it cannot be stored."""

from __future__ import annotations

import pytest

from crawlkit.exceptions import StorageError
from crawlkit.store.outcome import Link
from tests.store.desk import HOST, Desk, fingerprint, row

NO_TEXT = Link(fingerprint("surrogate"), "https://site.example/\udc80", HOST)


def test_a_link_that_cannot_be_stored_fails_its_page(desk: Desk) -> None:
    """By then the page was written down, and its rows: all of it is undone, and counted once."""
    desk.add("a", "bad", "b")
    a, bad, b = desk.claim()

    verdicts = desk.store.commit(
        [
            desk.outcome(a, row(name="a"), links=["new"]),
            desk.outcome(bad, row(name="lost"), links=["new", "lost", NO_TEXT], size=10),
            desk.outcome(b, row(name="b"), links=["new", "lost"]),
        ]
    )

    assert ["done", "failed", "done"] == [verdict.state for verdict in verdicts]
    assert [1, 0, 1] == [verdict.new_links for verdict in verdicts]
    assert ["a", "b"] == desk.items()
    assert {"done": 2, "failed": 1, "queued": 2} == {s: n for s, n in desk.store.reports.totals().items() if n}
    run = desk.store.reports.run(desk.run.id)
    assert run is not None
    assert (2, 1, 2, 10) == (run.pages, run.failed, run.items, run.bytes)
    assert ["new", "lost"] == desk.names()


def test_a_table_that_was_rolled_back_can_be_made_by_the_next_page(desk: Desk) -> None:
    desk.crawl("first", row(name="x"))
    desk.add("bad", "good")
    bad, good = desk.claim()

    verdicts = desk.store.commit(
        [
            desk.outcome(bad, row("other", x=1), row(name="x", wider=1), links=[NO_TEXT]),
            desk.outcome(good, row("other", y=1), row(name="y", other=2)),
        ]
    )

    assert ["failed", "done"] == [verdict.state for verdict in verdicts]
    assert [("y", 2)] == desk.items("name, other")[1:]
    assert [1] == desk.items("y", "other")


def test_a_commit_that_failed_at_its_end_can_be_done_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of it stays behind in memory: rows, links and counts are written as if for the first time."""
    desk.add("a")
    [lease] = desk.claim()
    outcome = desk.outcome(lease, row(name="x"), links=["b", "c"])
    with monkeypatch.context() as broken:

        def fail(*_: object) -> None:
            raise StorageError("the disk broke")

        broken.setattr(desk.store._runs, "count", fail)
        with pytest.raises(StorageError, match="broke"):
            desk.store.commit([outcome])

    assert [] == desk.query("SELECT name FROM sqlite_master WHERE name = 'items'")
    [verdict] = desk.store.commit([outcome])

    assert ("done", 2, 1) == (verdict.state, verdict.new_links, verdict.rows)
    assert ["b", "c"] == desk.names()
    assert ["x"] == desk.items()


def test_a_page_that_cannot_even_fail_is_stale(desk: Desk) -> None:
    """Its rows are at fault, and somebody took its lease from the file."""
    desk.add("a")
    [lease] = desk.claim()
    desk.query("UPDATE _pages SET run = 99")

    [verdict] = desk.store.commit([desk.outcome(lease, row(_bad=1))])

    assert "stale" == verdict.state

"""Fingerprints: known pages are found before, while and after they are merged, and after a kill in between."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crawlkit.store import fingerprints
from tests.store.desk import Desk, fingerprint, row


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Merging begins after 40 pages, four at once."""
    monkeypatch.setattr(fingerprints.Fingerprints.__init__, "__defaults__", (40,))
    monkeypatch.setattr("crawlkit.store.database._MERGE", 4)
    monkeypatch.setattr(fingerprints, "RECENT", 10)


def names(count: int) -> list[str]:
    return [f"p{n}" for n in range(count)]


@pytest.mark.usefixtures("small_batches")
def test_every_page_is_found_at_every_step(desk: Desk) -> None:
    for count in range(1, 200, 3):
        assert (3 if count > 1 else 1) == desk.add(*names(count)).new_links
        assert 0 == desk.add(*names(count)).new_links

    assert [(198 - 198 % 40,)] <= desk.query("SELECT count(*) FROM _known")
    assert [] == desk.store.check()


@pytest.mark.usefixtures("small_batches")
def test_every_page_is_found_after_a_kill_at_every_step(new_desk: Callable[..., Desk]) -> None:
    for count in range(1, 160, 7):
        desk = new_desk()
        desk.add(*names(count))
        desk = new_desk()

        assert 0 == desk.add(*names(count)).new_links
        assert [] == desk.store.check()


@pytest.mark.usefixtures("small_batches")
def test_pages_of_an_earlier_crawl_are_found_and_queued_again(desk: Desk) -> None:
    desk.add(*names(100))
    desk.store.commit([desk.outcome(lease) for lease in desk.claim()])
    desk.next_run()

    assert 100 == desk.add(*names(100)).new_links
    assert [(100,)] == desk.query("SELECT count(*) FROM _pages")


@pytest.mark.usefixtures("small_batches")
def test_what_was_rolled_back_is_not_known(desk: Desk) -> None:
    """A page whose rows cannot be stored takes its links along; they are added when they are met elsewhere."""
    for start in range(0, 120, 10):
        links = [f"q{n}" for n in range(start, start + 10)]
        assert 0 == desk.crawl(f"bad{start}", row(_bad=1), links=links).new_links
        assert 10 == desk.crawl(f"good{start}", row(name="x"), links=links).new_links

    assert [] == desk.store.check()


def test_lookups_of_any_number(desk: Desk) -> None:
    """Values are bound in few sizes; the last lookup is filled up."""
    known = fingerprints.Fingerprints(desk.store._connection, batch=1)
    desk.query(
        "WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 1500)"
        " INSERT INTO _known SELECT CAST(printf('%016d', value) AS BLOB), value FROM n"
    )
    known.load()

    for count in (1, 2, 7, 8, 9, 63, 64, 65, 511, 512, 513, 1100):
        wanted = [b"%016d" % n for n in range(1, count + 1)] + [fingerprint("nobody")]
        assert {b"%016d" % n: n for n in range(1, count + 1)} == known.find(wanted)

    desk.query("DELETE FROM _known")

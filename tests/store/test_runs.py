"""Runs: a crawl goes on until it is finished; the next begins anew."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from crawlkit.exceptions import StorageError
from tests.store.desk import HOST, INTERRUPTED, NOW, Desk, Ended, link, open_store, row


def test_the_first_run_begins_the_first_crawl(desk: Desk) -> None:
    assert (1, 1, False) == (desk.run.id, desk.run.crawl, desk.run.resumed)


def test_a_run_after_a_finished_one_begins_a_new_crawl(desk: Desk) -> None:
    desk.crawl("a", links=["b"])
    desk.crawl("b")

    run = desk.next_run()

    assert (2, 2, False) == (run.id, run.crawl, run.resumed)
    assert [] == desk.store.hosts_waiting(), "nothing is fetched before it is reached"
    assert 1 == desk.add("a").new_links
    assert ["a"] == desk.names()


def test_pages_keep_their_ids_from_crawl_to_crawl(desk: Desk) -> None:
    desk.crawl("a", links=["b"])
    desk.crawl("b")
    desk.next_run()

    desk.add("b", "a", "new")

    assert {"a": 1, "b": 2, "new": 3} == {lease.url.rsplit("/")[-1]: lease.page for lease in desk.claim()}


@pytest.mark.parametrize(("ahead", "names"), [(1e9, ["a"]), (60.0, [])])
def test_no_page_waits_for_a_time_that_a_wrong_clock_wrote_down(
    new_desk: Callable[..., Desk], ahead: float, names: list[str]
) -> None:
    """The clock was set back by years: an hour that a host asked for would last as long. A minute is nothing."""
    first = new_desk()
    first.add(link("a", not_before=time.time() + ahead + 3600))
    first.store.end_run(INTERRUPTED)
    first.query("UPDATE _runs SET started = started + ?", ahead)

    assert names == new_desk().names(now=time.time())


def test_a_page_reached_again_says_what_it_now_is(desk: Desk) -> None:
    desk.add(link("a", priority=5, depth=3, request="{}", start=True))
    desk.store.commit([desk.outcome(desk.claim()[0], state="failed", error="500", status=500)])
    desk.next_run()

    desk.add(link("a", priority=1, depth=2))

    [lease] = desk.claim()
    assert (1, 2, None, False, 0) == (lease.priority, lease.depth, lease.request, lease.start, lease.attempts)
    assert (None,) == desk.query("SELECT error FROM _pages")[0]


@pytest.mark.parametrize("ended", [INTERRUPTED, None])
def test_a_run_that_did_not_finish_is_resumed(new_desk: Callable[..., Desk], ended: Ended | None) -> None:
    first = new_desk()
    first.crawl("a", row(name="x"), links=["b", "c"])
    first.claim(1)
    if ended:
        first.store.end_run(ended)

    second = new_desk()

    assert (2, 1, True) == (second.run.id, second.run.crawl, second.run.resumed)
    assert 0 == second.add("a").new_links, "a page that is done is not fetched again"
    assert ["b", "c"] == second.names()


def test_a_crawl_that_its_author_stopped_is_finished(desk: Desk) -> None:
    """A spider that stops at the first thing it knows begins at its start URLs again, every time."""
    desk.crawl("a", links=["b"])

    assert not desk.next_run(Ended("finished", "seen enough")).resumed
    assert ("skipped", "forgotten") == desk.state("b")
    assert 1 == desk.add("b").new_links


def test_a_run_cut_off_after_its_last_page_is_resumed_too(new_desk: Callable[..., Desk]) -> None:
    """Killed between the last commit and the end: nothing is fetched twice."""
    new_desk().crawl("a")

    second = new_desk()

    assert second.run.resumed
    assert 0 == second.add("a").new_links


def test_a_killed_run_is_called_killed_when_the_next_begins(new_desk: Callable[..., Desk]) -> None:
    new_desk().crawl("a", row(name="x"), size=100)

    second = new_desk()

    killed = second.store.reports.run(1)
    assert killed is not None
    assert ("killed", None, False, 1, 1, 100) == (
        killed.outcome,
        killed.ended,
        killed.finished,
        killed.pages,
        killed.items,
        killed.bytes,
    )
    assert killed.last_commit is not None


def test_fresh_forgets_what_was_queued_and_keeps_the_rows(desk: Desk) -> None:
    desk.crawl("a", row(name="x"), links=["b", "c", link("d", not_before=NOW + 99)])
    desk.claim(1)

    run = desk.next_run(INTERRUPTED, fresh=True)

    assert (2, False) == (run.crawl, run.resumed)
    assert [] == desk.store.hosts_waiting()
    assert ("skipped", "forgotten") == desk.state("d")
    assert ["x"] == desk.items()
    assert 2 == desk.add("b", "d").new_links
    assert ["b", "d"] == desk.names()


def test_what_a_run_writes_down(desk: Desk) -> None:
    run = desk.store.begin_run(version="1.2.3", source_hash="abc", arguments="run shop.py --workers 4")
    desk.run = run
    desk.crawl("a", row(name="x"), row(name="y"), size=1000)
    desk.crawl("b", state="failed", error="500", size=10)
    desk.crawl("c", state="skipped", error="gone", status=404)
    desk.store.end_run(Ended("pages_failed", "1 page failed", 1, requests=5))

    record = desk.store.reports.runs()[0]

    assert (run.id, "pages_failed", "1 page failed", 1, True) == (
        record.id,
        record.outcome,
        record.reason,
        record.exit_code,
        record.finished,
    )
    assert (1, 1, 1, 2, 1010, 5) == (
        record.pages,
        record.failed,
        record.skipped,
        record.items,
        record.bytes,
        record.requests,
    )
    assert ("1.2.3", "abc", "run shop.py --workers 4") == (record.version, record.source_hash, record.arguments)
    assert record.pid
    assert record.ended is not None
    assert record.started <= record.ended


def test_pages_with_rows_that_were_not_reached_are_queued_in_the_end(desk: Desk) -> None:
    """Nothing links to them any more: they are probed, so that rows of pages that are gone go too."""
    desk.crawl("a", links=["b", "c", "d"])
    for name in "bcd":
        desk.crawl(name, row(name=name))
    desk.crawl("empty")
    desk.next_run()
    desk.crawl("a", links=["c"])
    desk.crawl("c", row(name="c"))

    verdicts = [desk.store.add_unreached(1) for _ in range(3)]

    assert [1, 1, 0] == [verdict.new_links for verdict in verdicts]
    assert {HOST} == verdicts[0].hosts
    b, d = desk.claim()
    desk.store.commit([desk.outcome(b, state="skipped", status=404, error="gone"), desk.outcome(d, row(name="d"))])
    assert ["c", "d"] == desk.items()
    assert {"done": 3, "skipped": 1} == {s: n for s, n in desk.store.reports.totals(crawl=2).items() if n}


def test_nothing_can_be_done_without_a_run(desk: Desk) -> None:
    desk.store.end_run(Ended())

    for verb in (lambda: desk.claim(), lambda: desk.add("a"), lambda: desk.store.commit([])):
        with pytest.raises(StorageError, match="no run has begun"):
            verb()


def test_links_of_a_run_that_has_ended_are_not_added(desk: Desk) -> None:
    verdict = desk.store.add([link("a")], run=desk.run.id + 1)

    assert "stale" == verdict.state
    assert [] == desk.names()


def test_a_store_whose_run_was_overtaken_writes_no_more(new_desk: Callable[..., Desk]) -> None:
    """A lock can fail (a network disk); the file still says whose turn it is."""
    first = new_desk()
    first.add("a", "b")
    [lease] = first.claim(1)
    with open_store(first.path) as second:
        second.begin_run()

        for verb in (
            lambda: first.store.commit([first.outcome(lease)]),
            lambda: first.add("c"),
            lambda: first.claim(),
            lambda: first.store.give_back([lease.page]),
            lambda: first.store.end_run(Ended()),
        ):
            with pytest.raises(StorageError, match="another run took the database over"):
                verb()


def test_a_thousand_pages_survive_being_resumed_again_and_again(new_desk: Callable[..., Desk]) -> None:
    """Every run is cut off; each page is done once, no row is lost or doubled."""
    desk = new_desk()
    desk.add(*(f"p{n}" for n in range(300)))
    done: list[str] = []
    while leases := desk.claim(23):
        half = leases[: len(leases) // 2 + 1]
        desk.store.commit([desk.outcome(lease, row(name=lease.url)) for lease in half])
        done += [lease.url for lease in half]
        desk = new_desk()

    assert 300 == len(done) == len(set(done))
    assert sorted(done) == sorted(desk.items())

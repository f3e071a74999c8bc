"""Frontier: what is lent out, in which order, and when; what is met a second time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlkit.store.outcome import STALE, Outcome
from tests.store.desk import HOST, INTERRUPTED, NOW, Desk, fingerprint, link


def test_pages_are_lent_out_in_the_order_of_adding(desk: Desk) -> None:
    desk.add("c", "a", "b")

    assert ["c", "a", "b"] == desk.names()


def test_higher_priority_goes_first(desk: Desk) -> None:
    desk.add(link("plain"), link("low", priority=-5), link("high", priority=7), link("also-high", priority=7))

    assert ["high", "also-high", "plain", "low"] == desk.names()


def test_a_lease_carries_what_the_link_said(desk: Desk) -> None:
    desk.add(link("a", priority=3, depth=2, request='{"method":"POST"}', start=True))

    [lease] = desk.claim()

    assert (1, fingerprint("a"), "https://site.example/a", HOST) == (
        lease.page,
        lease.fingerprint,
        lease.url,
        lease.host,
    )
    assert (3, 2, 0, '{"method":"POST"}', True, desk.run.id) == (
        lease.priority,
        lease.depth,
        lease.attempts,
        lease.request,
        lease.start,
        lease.run,
    )


def test_a_page_is_lent_out_once(desk: Desk) -> None:
    desk.add("a", "b")

    assert (["a"], ["b"], []) == (desk.names(1), desk.names(), desk.names())


def test_a_link_that_is_known_is_not_added_again(desk: Desk) -> None:
    assert 2 == desk.add("a", "b", "a").new_links
    assert 1 == desk.add("a", "b", "c").new_links
    assert ["a", "b", "c"] == desk.names()


def test_the_verdict_names_the_hosts_that_got_work(desk: Desk) -> None:
    verdict = desk.add(link("a"), link("b", host="other.example:80"))

    assert {HOST, "other.example:80"} == verdict.hosts
    assert set() == desk.add(link("a")).hosts


def test_a_page_that_may_not_be_fetched_yet_waits(desk: Desk) -> None:
    desk.add(link("later", not_before=NOW + 10), link("now"), link("soon", not_before=NOW + 5))

    assert ["now"] == desk.names()
    assert NOW + 5 == desk.store.next_due(HOST)
    assert [HOST] == desk.store.hosts_waiting()
    assert ["soon"] == desk.names(now=NOW + 5)
    assert ["later"] == desk.names(now=NOW + 20)
    assert None is desk.store.next_due(HOST)


def test_pages_that_wait_do_not_slow_those_that_are_due(desk: Desk) -> None:
    """The front of the queue is found without reading past those that must wait."""
    desk.add(*(link(f"w{n}", not_before=NOW + 1000) for n in range(2000)), link("due"))

    plan = desk.query(
        "EXPLAIN QUERY PLAN SELECT id FROM _pages WHERE state = 'queued' AND not_before = 0 AND host = ?"
        " ORDER BY priority DESC, id LIMIT 1",
        HOST,
    )

    assert ["due"] == desk.names()
    assert "_pages_ready" in plan[0][3]
    assert 1 == len(plan), "a sort would read all of them"


def test_hosts_are_asked_apart(desk: Desk) -> None:
    desk.add(link("a"), link("b", host="other.example:80"))

    assert ["https://site.example/b"] == [lease.url for lease in desk.claim(host="other.example:80")]
    assert [HOST] == desk.store.hosts_waiting()


def test_a_host_that_ran_dry_waits_no_more(desk: Desk) -> None:
    """Also when the last claim got exactly as many pages as it asked for."""
    desk.add("a", "b")

    assert 2 == len(desk.claim(2))
    assert [] == desk.store.hosts_waiting()
    assert 2 == desk.store.leased()


def test_asking_a_host_without_work_costs_nothing(desk: Desk) -> None:
    assert [] == desk.claim(host="nobody.example:80")
    assert [] == desk.claim(0)


def test_what_is_given_back_is_lent_out_again(desk: Desk) -> None:
    desk.add("a", "b")
    pages = [lease.page for lease in desk.claim()]

    desk.store.give_back(pages[:1])
    desk.store.give_back(pages[1:], not_before=NOW + 3)

    assert 0 == desk.store.leased()
    assert ["a"] == desk.names()
    assert ["b"] == desk.names(now=NOW + 3)


def test_an_outcome_can_queue_its_page_again(desk: Desk) -> None:
    desk.add("a")
    [lease] = desk.claim()

    [verdict] = desk.store.commit(
        [Outcome(lease.page, lease.run, "queued", status=503, error="busy", attempts=1, not_before=NOW + 30)]
    )

    assert ("queued", {HOST}) == (verdict.state, verdict.hosts)
    assert [] == desk.names()
    assert NOW + 30 == desk.store.next_due(HOST)
    [again] = desk.claim(now=NOW + 31)
    assert 1 == again.attempts


def test_leases_of_a_killed_run_are_queued_again(new_desk: Callable[..., Desk]) -> None:
    first = new_desk()
    first.add("a", "b", "c")
    assert 2 == len(first.claim(2))

    second = new_desk()

    assert second.run.resumed
    assert ["a", "b", "c"] == second.names()


def test_an_outcome_of_an_earlier_run_does_not_count(desk: Desk) -> None:
    desk.add("a")
    [lease] = desk.claim()
    desk.next_run(INTERRUPTED)

    [verdict] = desk.store.commit([desk.outcome(lease, links=["b"])])

    assert STALE == verdict.state
    assert ["a"] == desk.names()


def test_an_outcome_counts_once(desk: Desk) -> None:
    desk.add("a")
    [lease] = desk.claim()

    verdicts = desk.store.commit([desk.outcome(lease), desk.outcome(lease, state="failed")])

    assert ["done", STALE] == [verdict.state for verdict in verdicts]
    assert [STALE] == [verdict.state for verdict in desk.store.commit([desk.outcome(lease)])]
    assert ("done", None) == desk.state("a")


def test_a_lease_that_somebody_took_from_the_file_does_not_count(desk: Desk) -> None:
    """The fence is in the database, not only in memory."""
    desk.add("a", "b")
    leases = desk.claim()
    desk.query("UPDATE _pages SET run = run + 1 WHERE id = ?", leases[0].page)

    verdicts = desk.store.commit([desk.outcome(lease, links=["c"]) for lease in leases])

    assert [STALE, "done"] == [verdict.state for verdict in verdicts]
    desk.query("UPDATE _pages SET run = ? WHERE id = ?", desk.run.id, leases[0].page)


def test_a_request_that_is_not_filtered_is_a_page_for_each_page_that_yields_it(desk: Desk) -> None:
    again = link("poll", dont_filter=True)
    desk.crawl("a", links=[again, again])
    verdict = desk.crawl("b", links=[again])

    assert 1 == verdict.new_links
    assert ["poll", "poll", "poll"] == desk.names()


def test_in_the_next_crawl_it_is_the_same_page_again(desk: Desk) -> None:
    again = link("poll", dont_filter=True)
    desk.crawl("a", links=[again])
    desk.store.commit([desk.outcome(lease) for lease in desk.claim()])
    desk.next_run()

    desk.crawl("a", links=[again])

    assert [2] == [lease.page for lease in desk.claim()]


def test_a_link_to_a_start_url_makes_it_no_less_a_start_url(desk: Desk) -> None:
    desk.add("a")
    desk.add(link("a", start=True))

    assert [True] == [lease.start for lease in desk.claim()]


def test_the_page_a_link_was_found_on_is_written_down(desk: Desk) -> None:
    desk.crawl("a", links=["b"])

    assert [("https://site.example/b", 1)] == desk.query("SELECT url, parent FROM _pages WHERE parent > 0")


@pytest.mark.parametrize("not_before", [-5.0, 0.0])
def test_a_time_that_is_over_means_now(desk: Desk, not_before: float) -> None:
    desk.add(link("a", not_before=not_before))

    assert 0.0 == desk.store.next_due(HOST)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-2, 2), st.sampled_from("xyz"), st.sampled_from([0.0, 1.0, 2.0])), min_size=1, max_size=25
    ),
    st.integers(1, 4),
)
def test_every_page_is_lent_out_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, pages: list[tuple[int, str, float]], step: int
) -> None:
    """Whatever the priorities, hosts and times: all pages, each once, by priority and age among those that are due."""
    desk = Desk(tmp_path_factory.mktemp("any") / "shop.db")
    desk.add(*(link(str(n), priority=p, host=h, not_before=t) for n, (p, h, t) in enumerate(pages)))
    lent: list[str] = []
    for host in desk.store.hosts_waiting():
        for now in (0.5, 1.5, 2.5):
            got: list[str] = []
            while leases := desk.claim(step, now=now, host=host):
                got += [lease.url.rsplit("/", 1)[1] for lease in leases]
            due = sorted((-p, n) for n, (p, h, t) in enumerate(pages) if h == host and now - 1 < t <= now)
            assert [str(n) for _, n in due] == got
            lent += got
    desk.store.close()

    assert sorted(map(str, range(len(pages)))) == sorted(lent)

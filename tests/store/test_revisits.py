"""Pages that are known again: what is remembered of them, when it is forgotten, and what they linked to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from crawlkit.store.outcome import Lease, Memory, Past, Verdict
from tests.store.desk import HOST, INTERRUPTED, NOW, Desk, link, row

MEMORY = Memory(b"m" * 16, '"tag"', "Fri, 02 Jan 2026 03:04:05 GMT", b"h" * 16)


def known(desk: Desk, name: str = "a") -> Past | None:
    """What is known of a page that the crawl meets now; it is given back."""
    desk.add(name)
    lease = next(each for each in desk.claim(10_000) if each.url.endswith(f"/{name}"))
    desk.store.give_back(list(desk.store._frontier.leases))
    return lease.past


def end_unchanged(desk: Desk, lease: Lease, **more: Any) -> Verdict:
    outcome = desk.outcome(lease, unchanged=True, memory=MEMORY, status=304)
    return desk.store.commit([replace(outcome, **more)])[0]


def test_a_page_is_known_in_the_next_crawl(desk: Desk) -> None:
    desk.crawl("a", row(name="x"), memory=MEMORY, size=7, content_type="text/html")
    desk.next_run()

    assert Past(MEMORY, 7, "text/html", NOW, NOW, None) == known(desk)


def test_what_makes_a_page_forgotten(desk: Desk) -> None:
    """Another end than done, and an end without a memory."""
    for more in ({"state": "failed"}, {"state": "skipped"}, {"memory": None}):
        desk.crawl("a", row(name="x"), memory=MEMORY)
        desk.next_run()
        desk.crawl("a", row(name="x"), **{"memory": MEMORY, **more})
        desk.next_run()
        assert known(desk) is None
        desk.next_run()


def test_fresh_forgets_also_when_it_is_cut_off(desk: Desk) -> None:
    desk.crawl("a", row(name="x"), memory=MEMORY)
    desk.next_run(fresh=True)
    assert known(desk) is None
    desk.next_run(INTERRUPTED)
    assert known(desk) is None
    desk.crawl("a", row(name="x"), memory=MEMORY)
    desk.next_run()
    assert known(desk) is not None


def test_a_page_that_is_taken_up_again_is_forgotten(desk: Desk) -> None:
    """What was got of it turned out to be false."""
    desk.crawl("a", row(name="x"), memory=MEMORY)
    assert [HOST] == desk.store.take_up_again([1])
    [lease] = desk.claim()
    assert lease.past is None


def test_an_unchanged_page_keeps_its_rows_and_its_links(desk: Desk) -> None:
    desk.crawl("a", row(name="x"), row("more", id=1, key=("id",)), links=["b", "c"], memory=MEMORY)
    for lease in desk.claim():
        desk.store.commit([desk.outcome(lease, memory=MEMORY)])
    desk.next_run()
    desk.add("a")
    [lease] = desk.claim()
    verdict = end_unchanged(desk, lease, saved=70)

    assert ("done", True, 2, {"items": 1, "more": 1}, 2) == (
        verdict.state, verdict.unchanged, verdict.rows, verdict.tables, verdict.new_links,
    )  # fmt: skip
    assert {HOST} == verdict.hosts
    assert ["b", "c"] == desk.names()
    assert ["x"] == desk.items()
    assert [(1, 1, 2, 70)] == desk.query("SELECT pages, unchanged, items, saved FROM _runs WHERE id = 2")
    assert [("done", 200, 1, 2)] == desk.query("SELECT state, status, changed, items FROM _pages WHERE id = 1")
    assert [(1, 2), (1, 3)] == desk.query("SELECT page, target FROM _links ORDER BY 1, 2")


def test_links_are_followed_with_the_requests_that_they_had(desk: Desk) -> None:
    desk.crawl("a", links=[link("b", request='{"callback":"parse_b"}', priority=3)], memory=MEMORY)
    [lease] = desk.claim()
    desk.store.commit([desk.outcome(lease)])
    desk.next_run()
    desk.add("a")
    end_unchanged(desk, desk.claim()[0])
    [lease] = desk.claim()

    assert ('{"callback":"parse_b"}', 3, 1, False) == (lease.request, lease.priority, lease.depth, lease.start)


def test_a_link_that_was_met_already_is_among_its_pages(desk: Desk) -> None:
    """`known` are those that never travelled to the store: the crawl had them."""
    desk.crawl("b")
    desk.crawl("a", links=["c"], known=[1, 1], memory=MEMORY)

    assert [(2, 3), (2, 1)] == desk.query("SELECT page, target FROM _links")


def test_a_target_that_cannot_be_sent_as_it_was_has_the_page_parsed(desk: Desk) -> None:
    desk.crawl("a", links=[link("b", request='{"headers":[["X-A","1"]]}')], memory=MEMORY)
    desk.store.commit([desk.outcome(desk.claim()[0])])
    desk.next_run()
    desk.add("a")
    verdict = end_unchanged(desk, desk.claim()[0])

    assert ("queued", {HOST}) == (verdict.state, verdict.hosts)
    [lease] = desk.claim()
    assert (1, None) == (lease.page, lease.past)


def test_a_page_that_is_probed_says_so_and_is_not_followed(desk: Desk) -> None:
    desk.crawl("a", row(name="x"), links=["b"], memory=MEMORY)
    desk.store.commit([desk.outcome(desk.claim()[0])])
    desk.next_run()
    desk.crawl("c")
    assert 1 == desk.store.add_unreached().new_links
    [lease] = desk.claim()
    assert (True, False) == (lease.probe, lease.start)
    assert 0 == end_unchanged(desk, lease).new_links
    assert 0 == desk.store.add_unreached().new_links
    desk.next_run()
    desk.add("a")
    assert not desk.claim()[0].probe


def test_a_page_that_is_gone_loses_its_rows_whatever_its_status(desk: Desk) -> None:
    desk.crawl("a", row(name="x"), memory=MEMORY)
    desk.next_run()
    desk.crawl("a", state="skipped", status=302, error="gone")

    assert [] == desk.items()
    assert [("gone",)] == desk.query("SELECT change FROM _history WHERE run = 2")


def test_what_other_arguments_reached_last_is_not_missed(desk: Desk) -> None:
    desk.crawl("a", row(name="x"))
    desk.store.end_run(INTERRUPTED.__class__())
    desk.run = desk.store.begin_run(arguments="city=b")
    desk.crawl("b", row(name="y"))
    assert 0 == desk.store.add_unreached().new_links
    desk.store.end_run(INTERRUPTED.__class__())
    desk.run = desk.store.begin_run()
    assert 1 == desk.store.add_unreached().new_links
    assert ["a"] == desk.names()


def test_a_page_whose_rows_another_took_over_is_forgotten(desk: Desk) -> None:
    """What that one made of it may be something else."""
    desk.crawl("a", row(name="x"), memory=MEMORY)
    desk.next_run()
    desk.crawl("r", row(name="y"), end="a", memory=MEMORY)
    desk.next_run()

    assert known(desk) is None

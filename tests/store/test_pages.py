"""Pages: a page is the final URL of a GET, and what is written down of its end."""

from __future__ import annotations

from tests.store.desk import HOST, NOW, Desk, fingerprint, link, row


def test_what_is_written_down(desk: Desk) -> None:
    desk.crawl(
        "a",
        row(name="x"),
        end="b",
        final_url="https://site.example/b",
        status=200,
        elapsed=0.25,
        size=1234,
        content_type="text/html",
    )

    assert [("done", 200, None, "https://site.example/b", 1, NOW, 0.25, 1234, "text/html", 1)] == desk.query(
        "SELECT state, status, error, final_url, attempts, fetched_at, elapsed, size, content_type, items FROM _pages"
    )


def test_the_second_request_that_ends_on_a_page_is_skipped(desk: Desk) -> None:
    desk.crawl("a", row(name="a"), end="final", links=["from-a"])

    verdict = desk.crawl("b", row(name="b"), end="final", links=["from-b"])

    assert ("skipped", "same page", 0, 0) == (verdict.state, verdict.reason, verdict.rows, verdict.new_links)
    assert ["a"] == desk.items()
    assert ["from-a"] == desk.names()


def test_also_in_one_transaction(desk: Desk) -> None:
    desk.add("a", "b", "final")
    a, b, final = desk.claim()

    verdicts = desk.store.commit(
        [
            desk.outcome(b, row(name="b"), end="final", links=["x"]),
            desk.outcome(a, row(name="a"), end="final", links=["x", "y"]),
            desk.outcome(final, row(name="final")),
        ]
    )

    assert [("done", 1), ("skipped", 0), ("skipped", 0)] == [(v.state, v.new_links) for v in verdicts]
    assert ["b"] == desk.items()


def test_a_page_fetched_under_its_own_url_is_not_fetched_by_a_redirect(desk: Desk) -> None:
    desk.crawl("final", row(name="final"))

    assert "skipped" == desk.crawl("a", row(name="a"), end="final").state
    assert ["final"] == desk.items()


def test_a_page_whose_url_was_the_end_of_a_redirect_is_skipped(desk: Desk) -> None:
    desk.crawl("a", row(name="a"), end="final")

    assert "skipped" == desk.crawl("final", row(name="final")).state


def test_a_url_that_leads_elsewhere_does_not_hold_its_own(desk: Desk) -> None:
    """`b` led to `c`; a request that ends on `b` without being led on is a page."""
    desk.crawl("b", end="c")

    assert "done" == desk.crawl("a", end="b").state


def test_a_page_that_failed_does_not_hold_it(desk: Desk) -> None:
    desk.crawl("final", state="failed", error="500")

    assert "done" == desk.crawl("a", end="final").state


def test_requests_that_are_pages_of_their_own_do_not_meet(desk: Desk) -> None:
    desk.crawl("a", row(name="a"), page_key=None)
    desk.crawl("b", row(name="b"), page_key=None)

    assert ["a", "b"] == desk.items()


def test_each_crawl_claims_anew(desk: Desk) -> None:
    desk.crawl("a", row(name="a"), end="final")
    desk.next_run()

    assert "done" == desk.crawl("final", row(name="f")).state
    assert "skipped" == desk.crawl("a", row(name="a"), end="final").state
    assert ["f"] == desk.items()


def test_a_claim_is_kept_by_a_page_that_fails_later_with_its_rows(desk: Desk) -> None:
    desk.crawl("a", row(name="a"), end="final")
    desk.next_run()
    desk.crawl("a", state="failed", error="500", status=500)

    assert [(fingerprint("final"),)] == desk.query("SELECT page_key FROM _pages")


def test_the_final_url_is_empty_when_it_is_the_url(desk: Desk) -> None:
    desk.crawl("a", final_url="https://site.example/a")

    assert [(None,)] == desk.query("SELECT final_url FROM _pages")


def test_hosts_are_those_of_the_links_that_were_new(desk: Desk) -> None:
    verdict = desk.crawl("a", links=["a", link("b", host="other.example:80")])

    assert {"other.example:80"} == verdict.hosts
    assert HOST not in desk.store.hosts_waiting()

"""The summary: what happened, where it is, what to type next."""

from __future__ import annotations

from typing import Any

from crawlkit.cli.summary import details, headline
from crawlkit.crawl.result import EXIT_CODES, Result


def result(outcome: str = "finished", **values: Any) -> Result:
    given: dict[str, Any] = {"run": 3, "reason": outcome, "exit_code": EXIT_CODES[outcome], "elapsed": 2.0, **values}
    return Result(outcome=outcome, **given)


def text(given: Result) -> str:
    return "\n".join(details(given, database="data/shop.db", export="crawlkit export shop -o items.csv"))


def test_the_headline_has_reason_counts_and_speed() -> None:
    """One line that a log may end with."""
    assert "shop finished: 10 pages, 0 failed, 1 item in 2.0 s (5.0 pages/s)" == headline(
        "shop", result(pages=10, items=1)
    )
    assert "shop stopped at a limit (max_pages of 10): 10 pages" in headline(
        "shop", result("limit", reason="max_pages of 10", pages=10)
    )


def test_every_outcome_has_words() -> None:
    """No outcome is shown by its identifier."""
    for outcome in EXIT_CODES:
        assert "_" not in headline("shop", result(outcome))


def test_items_are_told_with_their_place() -> None:
    """Tables, database and the command that exports them."""
    told = text(result(pages=3, items=5, items_by_table={"book": 2, "price": 3}))
    assert "2 in book, 3 in price" in told
    assert "data/shop.db" in told
    assert "crawlkit export shop -o items.csv" in told
    assert "run the same command" not in told


def test_failures_are_told_commonest_first_with_an_example() -> None:
    """Five reasons, the rest counted."""
    failures = {"timeout": 7, "http 500": 9, "dns": 1, "tls": 1, "refused": 1, "reset": 1, "other": 1}
    told = text(result("pages_failed", failed=21, failures=failures, examples={"http 500": "https://example.org/a"}))
    lines = told.splitlines()
    first = next(index for index, line in enumerate(lines) if line.startswith("  failed"))
    assert "9 x http 500  https://example.org/a" in lines[first]
    assert "7 x timeout" in lines[first + 1]
    assert "and 2 more reasons" in told


def test_a_run_that_can_go_on_says_how() -> None:
    """With what is still queued."""
    assert "run the same command to go on where it stopped (12 queued)" in text(result("interrupted", queued=12))


def test_text_from_the_web_is_made_safe() -> None:
    """A reason and a URL come from outside."""
    told = text(result("pages_failed", failed=1, failures={"\x1b[2J": 1}, examples={"\x1b[2J": "https://x/\x07"}))
    assert "\x1b" not in told
    assert "\x07" not in told


def test_retries_and_logins_are_told_when_there_were_any() -> None:
    """And not otherwise."""
    assert "1 retry, 2 logins" in text(result(retries=1, logins=2, requests=5))
    assert "retr" not in text(result(requests=5))


def test_one_is_not_many() -> None:
    """In every count."""
    told = text(result(requests=1, failed=6, failures=dict.fromkeys("abcdef", 1)))
    assert "1 request," in told
    assert "and 1 more reason\n" in told + "\n"


def test_links_that_were_not_followed_are_no_skipped_pages() -> None:
    """Each under its own name, with the reasons."""
    told = text(result(skipped=2, skips={"robots": 2}, not_followed={"depth": 143}))
    assert "  skipped       2 x robots\n  not followed  143 x depth\n" in told

"""What a report says of an archive, whatever a site wrote into its addresses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crawlkit.cli.report_archive import Archived, archive_part

NASTY = "http://a.example/<script>alert(1)</script>"


def account(**lists: Any) -> dict[str, Any]:
    return {
        "captured": [],
        "failed": [],
        "excluded": [],
        "waiting": [],
        "browser_only": [],
        "counts": {"pages": 1},
        **lists,
    }


def test_a_run_without_an_archive_has_no_such_section() -> None:
    assert "" == archive_part(None)


def test_every_list_is_shown_and_nothing_runs() -> None:
    told = account(
        captured=[{"url": NASTY, "kind": "page"}, {"url": "http://a.example/b.png", "kind": "image"}],
        failed=[{"url": NASTY, "kind": "page", "reason": "timeout", "found_on": "http://a.example/"}],
        waiting=[{"url": "http://a.example/later", "kind": "page"}],
        browser_only=[{"found_on": "http://a.example/", "how": "fetch()"}],
    )
    part = archive_part(Archived(Path("/x/site.wacz"), None, told))
    for words in ("site.wacz: not made yet", "timeout", "http://a.example/later", "fetch()", "computed", "image"):
        assert words in part
    assert "<script" not in part


def test_one_rule_does_not_hide_the_others() -> None:
    """Of each rule some addresses are shown, and how many it has."""
    excluded = [{"url": f"http://a.example/{number}", "rule": "robots.txt"} for number in range(1000)]
    excluded.append({"url": "http://a.example/logout", "rule": "guard: logs out"})
    part = archive_part(Archived(Path("/x/site.wacz"), 5, account(excluded=excluded)))
    assert "1,000" in part and "http://a.example/logout" in part and "and 992 more" in part

"""What a state of the frontier means to a reader of the archive: each URL is in one list, with its reason or rule."""

from __future__ import annotations

from typing import Any

import pytest

from crawlkit.archive.completeness import completeness
from crawlkit.store.census import Counted

HOME = "http://a.example/"


def counted(state: str = "done", reason: str | None = None, **more: Any) -> Counted:
    values: dict[str, Any] = {
        "url": HOME, "state": state, "status": 200, "reason": reason, "meta": {}, "content_type": "text/html",
        "final_url": None, "found_on": f"{HOME}from", "record": "response",
    }  # fmt: skip
    return Counted(**{**values, **more})


class Known:
    """What a database would say."""

    def __init__(
        self,
        *pages: Counted,
        guarded: tuple[Any, ...] = (),
        rows: dict[str, list[tuple[str | None, ...]]] | None = None,
    ) -> None:
        self._pages, self._guarded, self._rows = pages, guarded, rows or {}

    def census(self, crawl: int, archive: int | None = None) -> list[Counted]:
        return list(self._pages)

    def guarded(self, crawl: int) -> list[tuple[str, str, str]]:
        return list(self._guarded)

    def pages(self, archive: int) -> set[str]:
        return {page.url for page in self._pages if page.record is not None and page.status == 200}

    def urls_with_meta(self, archive: int, key: str) -> set[str]:
        return {page.url for page in self._pages if key in page.meta}

    def rows_of(self, table: str, columns: tuple[str, ...], crawl: int) -> list[tuple[str | None, ...]]:
        return self._rows.get(table, [])


def report(*pages: Counted, **more: Any) -> dict[str, Any]:
    return completeness(Known(*pages, **more), 1, 1)


@pytest.mark.parametrize(
    ("page", "name", "part"),
    [
        (counted(), "captured", {"kind": "page", "status": 200}),
        (counted(record="revisit"), "captured", {"revisit": True}),
        (counted(content_type="application/pdf"), "captured", {"kind": "file"}),
        (counted(meta={"requisite": "font"}), "captured", {"kind": "font"}),
        (counted("skipped", "gone", status=404), "captured", {"status": 404}),
        (counted("skipped", "same page"), "captured", {}),
        (counted("failed", "timeout: no byte\ntraceback"), "failed", {"reason": "timeout: no byte"}),
        (counted("failed", "needs_login", record=None), "failed", {"reason": "needs_login"}),
        (counted("done", record=None), "failed", {"reason": "unchanged, and not in this archive"}),
        (counted("skipped", "gone", record=None), "failed", {"reason": "gone"}),
        (counted("skipped", "robots", record=None), "excluded", {"rule": "robots.txt"}),
        (counted("skipped", "offsite", record=None), "excluded", {"rule": "leads to another site"}),
        (counted("skipped", "guard: logs out", record=None), "excluded", {"rule": "guard: logs out"}),
        (counted("queued", status=None, record=None), "waiting", {"found_on": f"{HOME}from"}),
        (counted("leased", status=None, record=None), "waiting", {}),
    ],
)
def test_what_became_of_an_address(page: Counted, name: str, part: dict[str, Any]) -> None:
    told = report(page)
    assert {name: 1} == {each: len(told[each]) for each in ("captured", "failed", "excluded", "waiting") if told[each]}
    assert 1 == told["counts"][name]
    assert part.items() <= told[name][0].items()


def test_what_was_captured_after_all_is_in_no_other_list() -> None:
    """A link too deep on one page, and near enough on another."""
    rows = {
        "excluded": [(HOME, "--depth 1", None), (f"{HOME}b", "--depth 1", HOME)],
        "browser_only": [(HOME, "fetch()", HOME), (HOME, "fetch()", f"{HOME}api"), (HOME, "fetch()", "")],
    }
    told = report(counted(), rows=rows)
    assert [f"{HOME}b"] == [entry["url"] for entry in told["excluded"]]
    assert [f"{HOME}api", None] == [call.get("url") for call in told["browser_only"]]


def test_what_the_guard_refused_is_excluded_by_it() -> None:
    told = report(guarded=((f"{HOME}logout", "logs out", HOME),))
    assert [{"url": f"{HOME}logout", "rule": "guard: logs out", "found_on": HOME}] == told["excluded"]


def test_addresses_are_shown_as_the_archive_shows_them() -> None:
    told = completeness(Known(counted(url=f"{HOME}?t=secret")), 1, 1, shown=lambda url: url.replace("secret", "xxxxxx"))
    assert "secret" not in str(told)
    assert f"{HOME}?t=xxxxxx" == told["captured"][0]["url"]

"""Record: what a run leaves is right, and bounded whatever a site does."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from crawlkit.crawl.record import Record, asks_for_password, leads_to_login, united
from crawlkit.crawl.visit import Visit
from crawlkit.store.outcome import Outcome, Row, Verdict


class Clock:
    """Seconds as the test says."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def visited(
    record: Record,
    number: int = 1,
    *rows: Row,
    state: Any = "done",
    reason: str = "",
    callback: str = "parse",
    **more: Any,
) -> None:
    """Count one page."""
    fields = {"status": 200, "elapsed": 0.03, "size": 100, "final_url": None} | more
    outcome = Outcome(number, 1, state, rows=list(rows), **fields)
    visit = Visit(outcome, f"https://site.example/{number}", "site.example:443", 0, callback=callback, found=2)
    visit.skips = Counter({"offsite": 1})
    record.add(visit, Verdict(number, state, reason or None, rows=len(rows)), reason)


def row(**values: Any) -> Row:
    return Row("items", values)


def told(record: Record, **totals: int) -> dict[str, Any]:
    """As the store would give it back."""
    found: dict[str, Any] = json.loads(json.dumps(record.as_json(totals)))
    return found


def test_values_are_counted_by_column() -> None:
    """Nothing, an empty text and an empty list are no values; 0 and false are. A row may lack a column altogether."""
    record = Record()
    visited(record, 1, row(url="a", price=0, tags="[]"), row(url="b", price=None, tags='["x"]'))
    visited(record, 2, row(url="c"), row(url="", price=1.5, tags=False))

    table = told(record, items=7)["tables"]["items"]
    assert (4, 2, 7) == (table["rows"], table["pages"], table["total"])
    assert {"url": 3, "price": 2, "tags": 2} == table["filled"]
    assert {
        "price": "https://site.example/1",
        "tags": "https://site.example/1",
        "url": "https://site.example/2",
    } == table["examples"]
    assert "https://site.example/1" == table["example"], "for a column that no row has"


def test_pages_are_counted_by_type_host_status_and_reason() -> None:
    record = Record()
    visited(record, 1, row(url="a"))
    visited(record, 2)
    visited(record, 3, state="failed", reason="http 500", status=500, callback="")
    visited(record, 4, state="queued", status=503)

    found = told(record)
    assert {"done": 2, "failed": 1, "parsed": 2, "unchanged": 0} == found["pages"]
    assert {"200": 2, "500": 1, "503": 1} == found["statuses"]
    assert {"pages": 2, "items": 1, "links": 4, "silent": 1, "example": "https://site.example/2"} == found["types"][
        "parse"
    ]
    assert ({"http 500": 1}, {"offsite": 3}) == (found["failures"], found["not_followed"])
    assert "https://site.example/3" == found["examples"]["failures:http 500"]
    assert {"pages": 3, "failed": 1, "bytes": 300, "milliseconds": 90} == found["hosts"]["site.example:443"]


@pytest.mark.parametrize(
    ("asked", "got", "led"),
    [
        ("/a", "/login?next=/a", True), ("/a", "/users/sign_in", True), ("/a", "/wp-login.php", True),
        ("/a", "/SSO/start", True), ("/a", None, False), ("/a", "/b", False), ("/a", "/blog/in", False),
        ("/login", "/login/", False), ("/a", "/catalogin", False),
    ],
)  # fmt: skip
def test_what_leads_to_a_login(asked: str, got: str | None, led: bool) -> None:
    there = None if got is None else f"https://site.example{got}"
    assert led == leads_to_login(f"https://site.example{asked}", there)


def test_a_field_for_a_password() -> None:
    assert asks_for_password(b'<input type="password">') and asks_for_password(b"<INPUT TYPE=password>")
    assert asks_for_password(b'<p>password</p><INPUT TYPE="PassWord">')
    assert not asks_for_password(b"Forgot your password?")


def test_the_timeline_grows_coarser() -> None:
    """A tenth of a second a slice at first; never more than a hundred slices, and no page lost."""
    clock = Clock()
    record = Record(clock)
    record.start()
    for number in range(5_000):
        clock.now = number * 7.0
        visited(record, number, state="failed" if number % 2 else "done", reason="x")
    line = told(record)["timeline"]
    assert len(line["slices"]) <= 96
    assert [5_000, 2_500] == [sum(column) for column in zip(*line["slices"], strict=True)]
    assert line["seconds"] * 96 > 5_000 * 7.0 > line["seconds"] * 40


def test_it_is_bounded() -> None:
    """A site may make up hosts, reasons, columns and addresses."""
    record = Record()
    for number in range(3_000):
        columns = {f"c{number}-{place}": "" for place in range(5)}
        visited(
            record, number, Row(f"t{number % 200}", columns), reason=f"reason {number}" * 50, callback=f"parse{number}"
        )
        visited(record, number, row(**{f"x{number}": 1}), state="skipped", reason="y" * 5_000 + str(number))
    assert len(json.dumps(record.as_json({}))) < 1_500_000


def test_runs_of_one_crawl_are_added() -> None:
    first, second = Record(), Record()
    visited(first, 1, row(url="a", price=""))
    visited(second, 2, row(url="b", price="1"))
    whole = united([told(first, items=1), told(second, items=2)])

    assert {"url": 2, "price": 1} == whole["tables"]["items"]["filled"]
    assert (2, 2) == (whole["tables"]["items"]["total"], whole["types"]["parse"]["items"])
    assert {} == united([])

"""History: what a table held before, for the last runs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

from tests.store.desk import Desk, row


def kept(desk: Desk) -> list[tuple[object, ...]]:
    rows = desk.query('SELECT run, "table", page, change, row FROM _history ORDER BY id')
    return [(*rest, json.loads(values)) for *rest, values in rows]


def test_overwritten_and_dropped_rows_are_kept(desk: Desk) -> None:
    desk.crawl("a", row(name="x", price=1), row(name="y", price=2))
    desk.next_run()

    desk.crawl("a", row(name="x", price=3))

    assert [
        (2, "items", 1, "changed", {"name": "x", "price": 1}),
        (2, "items", 1, "gone", {"name": "y", "price": 2}),
    ] == kept(desk)


def test_keyed_rows_too(desk: Desk) -> None:
    desk.crawl("a", row(key=("url",), url="u", name="old"))
    desk.next_run()
    desk.crawl("a", row(key=("url",), url="u", name="new"))
    desk.next_run()
    desk.crawl("a")

    assert [("changed", "old"), ("gone", "new")] == [(each[3], each[4]["name"]) for each in kept(desk)]


def test_what_json_has_no_word_for(desk: Desk) -> None:
    desk.crawl("a", row(raw=b"\xff", much=math.inf, text='"\n'))
    desk.next_run()

    desk.crawl("a")

    assert {"raw": {"base64": "/w=="}, "much": "inf", "text": '"\n'} == kept(desk)[0][4]


def test_only_the_last_runs_are_kept(new_desk: Callable[..., Desk]) -> None:
    desk = new_desk(history_runs=2)
    for number in range(5):
        desk.crawl("a", row(name=str(number)))
        desk.next_run()

    assert 6 == desk.run.id
    assert [5] == [each[0] for each in kept(desk)]


def test_none_is_kept_when_none_is_wanted(new_desk: Callable[..., Desk]) -> None:
    desk = new_desk(history_runs=0)
    desk.crawl("a", row(name="x"))
    desk.next_run()

    desk.crawl("a", row(name="y"))

    assert [] == kept(desk)


def test_what_is_rolled_back_is_not_kept(desk: Desk) -> None:
    desk.crawl("a", row(name="x"))
    desk.next_run()

    desk.crawl("a", row(name="y"), row(_bad=1))

    assert [] == kept(desk)
    assert ["x"] == desk.items()

"""Changes: what two complete crawls differ in, exactly."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from crawlkit.exceptions import UsageError
from crawlkit.store.changes import Changes, read_changes
from crawlkit.store.crawls import complete_crawls, two_crawls
from tests.store.desk import INTERRUPTED, Desk, row

KEY = ("url",)


def told(desk: Desk, *runs: int) -> dict[str, list[Any]]:
    """The changes in short: names, and the columns of changed rows."""
    connection = desk.store._connection
    earlier, later = two_crawls(connection, runs)
    found = read_changes(connection, earlier.last, later.last)
    return {
        "added": [change.row["name"] for change in found.added],
        "changed": [dict(change.columns) for change in found.changed],
        "gone": [change.row["name"] for change in found.gone],
    }


def nothing() -> dict[str, list[Any]]:
    return {"added": [], "changed": [], "gone": []}


def test_a_row_that_is_new_one_that_changed_and_one_that_is_gone(desk: Desk) -> None:
    desk.crawl("a", row(key=KEY, url="1", name="one", price=1), row(key=KEY, url="2", name="two", price=2))
    desk.next_run()
    desk.crawl("a", row(key=KEY, url="1", name="one", price=5), row(key=KEY, url="3", name="three", price=3))
    desk.next_run()

    assert {"added": ["three"], "changed": [{"price": (1, 5)}], "gone": ["two"]} == told(desk)


def test_a_row_put_in_front_of_others_is_one_new_row(desk: Desk) -> None:
    desk.crawl("a", *(row(name=name) for name in "bcde"))
    desk.next_run()
    desk.crawl("a", *(row(name=name) for name in "abcDe"))
    desk.next_run()

    assert {"added": ["a"], "changed": [{"name": ("d", "D")}], "gone": []} == told(desk)


def test_a_row_that_went_to_another_page_is_no_change(desk: Desk) -> None:
    desk.crawl("first", row(name="a"), row(name="b"))
    desk.crawl("second", row(name="c"))
    desk.next_run()
    desk.crawl("first", row(name="new"), row(name="a"))
    desk.crawl("second", row(name="b"), row(name="c"))
    desk.next_run()

    assert nothing() | {"added": ["new"]} == told(desk)


def test_a_row_that_changed_twice_shows_its_first_and_its_last_values(desk: Desk) -> None:
    for price in (1, 2, 3):
        desk.crawl("a", row(name="x", price=price))
        desk.next_run()

    assert [{"price": (1, 3)}] == told(desk, 1, 3)["changed"]
    assert [{"price": (1, 2)}] == told(desk, 1, 2)["changed"]
    assert [{"price": (1, 2)}] == told(desk, 2)["changed"]
    assert [{"price": (2, 3)}] == told(desk)["changed"]


def test_a_row_that_changed_and_changed_back_is_no_change(desk: Desk) -> None:
    for price in (1, 2, 1):
        desk.crawl("a", row(name="x", price=price))
        desk.next_run()

    assert nothing() == told(desk, 1, 3)


def test_what_came_and_went_between_is_no_change(desk: Desk) -> None:
    desk.crawl("a", row(name="x"))
    desk.next_run()
    desk.crawl("a", row(name="x"), row(name="passing"))
    desk.next_run()
    desk.crawl("a", row(name="x"))
    desk.next_run()

    assert nothing() == told(desk, 1, 3)


def test_what_went_and_came_again_is_no_change(desk: Desk) -> None:
    for rows in ((row(name="x"), row(key=KEY, table="t", url="u", name="k")), (), (
        row(name="x"), row(key=KEY, table="t", url="u", name="k"))):  # fmt: skip
        desk.crawl("a", *rows)
        desk.next_run()

    assert nothing() == told(desk, 1, 3)
    assert ["x", "k"] == told(desk, 1, 2)["gone"]
    assert ["x", "k"] == told(desk, 2, 3)["added"]


def test_the_number_of_a_row_that_went_may_be_given_to_another(desk: Desk) -> None:
    desk.crawl("a", row(name="old"))
    desk.next_run()
    desk.crawl("a")
    desk.crawl("b", row(name="new"))
    desk.next_run()

    assert [(1,)] == desk.query("SELECT _rowid_ FROM items")
    assert {"added": ["new"], "changed": [], "gone": ["old"]} == told(desk)


def test_a_key_that_several_pages_yield_is_one_row(desk: Desk) -> None:
    """Each of the pages overwrites it in turn; only what it was and is at the ends of the runs counts."""
    for price in (1, 1, 2):
        for page in ("a", "b", "c"):
            desk.crawl(page, row(key=KEY, url="u", name=page, price=price))
        desk.next_run()

    assert nothing() == told(desk, 1, 2)
    assert [{"price": (1, 2)}] == told(desk, 2, 3)["changed"]


def test_a_row_of_several_pages_stays_until_none_yields_it(desk: Desk) -> None:
    shared = row(key=KEY, url="u", name="x")
    for pages in (("a", "b"), ("b",), ()):
        for page in ("a", "b"):
            desk.crawl(page, *([shared] if page in pages else []))
        desk.next_run()

    assert nothing() == told(desk, 1, 2)
    assert ["x"] == told(desk, 2, 3)["gone"]


def test_a_key_that_a_page_yields_twice_the_first_time_as_it_was(desk: Desk) -> None:
    desk.crawl("a", row(key=KEY, url="u", name="old"))
    desk.next_run()
    desk.crawl("a", row(key=KEY, url="u", name="old"), row(key=KEY, url="u", name="new"))
    desk.next_run()

    assert [{"name": ("old", "new")}] == told(desk)["changed"]


def test_runs_that_resumed_each_other_are_one_crawl(desk: Desk) -> None:
    desk.crawl("a", row(name="x", price=1))
    desk.next_run()
    desk.crawl("a", row(name="x", price=2))
    desk.next_run(INTERRUPTED)
    desk.crawl("b", row(name="y", price=1))
    desk.next_run()

    expected = {"added": ["y"], "changed": [{"price": (1, 2)}], "gone": []}
    assert [(1,), (2, 3)] == [crawl.runs for crawl in complete_crawls(desk.store._connection)]
    assert expected == told(desk) == told(desk, 1, 2) == told(desk, 3)


def test_what_a_run_under_way_does_is_not_told(desk: Desk) -> None:
    desk.crawl("a", row(name="x", price=1))
    desk.next_run()
    desk.crawl("a", row(name="x", price=2))
    desk.next_run()
    desk.crawl("a", row(name="x", price=3))
    desk.crawl("b", row(name="y"))

    assert nothing() | {"changed": [{"price": (1, 2)}]} == told(desk)


def test_lists_booleans_and_bytes_are_told_as_they_were_yielded(desk: Desk) -> None:
    def yielded(tags: str, sold: int, raw: bytes) -> Any:
        made = row(name="x", tags=tags, sold=sold, raw=raw)
        made.kinds = {"tags": "json", "sold": "bool"}
        return made

    desk.crawl("a", yielded('["a"]', 0, b"1"))
    desk.next_run()
    desk.crawl("a", yielded('["a", "b"]', 1, b"2"))
    desk.next_run()

    expected = {"tags": (["a"], ["a", "b"]), "sold": (False, True), "raw": ({"base64": "MQ=="}, {"base64": "Mg=="})}
    assert [expected] == told(desk)["changed"]


def test_a_column_that_is_new_was_empty(desk: Desk) -> None:
    desk.crawl("a", row(name="x"))
    desk.next_run()
    desk.crawl("a", row(name="x", price="7"))
    desk.next_run()
    desk.crawl("a", row(name="x", price=7))  # the column becomes one of any type: the table is written anew
    desk.next_run()

    assert [{"price": (None, "7")}] == told(desk, 1, 2)["changed"]
    assert [{"price": ("7", 7)}] == told(desk, 2, 3)["changed"]


def test_vacuum_changes_nothing(desk: Desk) -> None:
    desk.crawl("a", *(row(name=name) for name in "abc"))
    desk.crawl("b", row(name="z"))
    desk.next_run()
    desk.crawl("a", row(name="b"), row(name="c"))
    desk.next_run()
    before = told(desk)

    desk.query("VACUUM")

    assert before == told(desk) == nothing() | {"gone": ["a"]}


def test_a_table_that_its_owner_dropped_is_left_out(desk: Desk) -> None:
    for price in (1, 2):
        desk.crawl("a", row(name="x", price=price), row(table="other", name="y", price=price))
        desk.next_run()
    desk.query("DROP TABLE other")

    assert [{"price": (1, 2)}] == told(desk)["changed"]


def test_a_page_of_very_many_rows_is_paired_by_place(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawlkit.store.changes._ALIGNED", 3)
    desk.crawl("a", *(row(name=name) for name in "abcd"))
    desk.next_run()
    desk.crawl("a", *(row(name=name) for name in "abXdY"))
    desk.next_run()

    assert {"added": ["Y"], "changed": [{"name": ("c", "X")}], "gone": []} == told(desk)


# --- which runs ------------------------------------------


def test_a_run_that_does_not_exist_names_those_there_are(desk: Desk) -> None:
    desk.crawl("a")
    desk.next_run()

    with pytest.raises(UsageError, match="there is no run 9; there are 1, 2"):
        told(desk, 9)
    with pytest.raises(UsageError, match="run 2 did not come to its end, nor did one that resumed it; complete are 1"):
        told(desk, 2)
    with pytest.raises(UsageError, match="no complete run before run 1"):
        told(desk)
    with pytest.raises(UsageError, match="runs 1 and 1 are one crawl"):
        told(desk, 1, 1)


def test_what_is_no_longer_kept_is_said(new_desk: Callable[..., Desk]) -> None:
    desk = new_desk(history_runs=2)
    for number in range(6):
        desk.crawl("a", row(name=str(number)))
        desk.next_run()

    assert [{"name": ("4", "5")}] == told(desk)["changed"]
    with pytest.raises(UsageError, match=r"after run 1 is no longer kept: it goes back to run 5; .*history_runs"):
        told(desk, 1, 6)


def test_a_crawl_of_many_runs_can_still_be_compared(new_desk: Callable[..., Desk]) -> None:
    """Only the last two runs are wanted; the crawl before last ended six runs ago, and the default needs it."""
    desk = new_desk(history_runs=2)
    desk.crawl("a", row(name="x", price=1))
    desk.next_run()
    desk.crawl("a", row(name="x", price=2))
    for number in range(6):
        desk.next_run(INTERRUPTED)
        desk.crawl(f"more-{number}", row(name=f"{number}"))
    desk.next_run()

    assert {"added": [*"012345"], "changed": [{"price": (1, 2)}], "gone": []} == told(desk)


def test_without_history_nothing_is_compared(new_desk: Callable[..., Desk]) -> None:
    desk = new_desk(history_runs=0)
    for price in (1, 2):
        desk.crawl("a", row(name="x", price=price))
        desk.next_run()

    with pytest.raises(UsageError, match="history_runs"):
        told(desk)


# --- at random ------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_any_two_runs_of_a_site_that_changes_at_random(desk: Desk, seed: int) -> None:
    """Twelve pages, six runs: keyed rows that several pages share, rows by place, pages that come and go."""
    chance = random.Random(seed)
    states: list[tuple[dict[str, Any], dict[str, list[str]]]] = []
    keyed: dict[str, tuple[str, int]] = {}
    for _ in range(6):
        placed: dict[str, list[str]] = {}
        prices = {str(key): chance.randrange(3) for key in range(10)}
        yielded: dict[str, list[str]] = {}
        for page in map(str, range(12)):
            placed[page] = [f"{page}-{number}" for number in range(chance.randrange(4))]
            yielded[page] = sorted(chance.sample(sorted(prices), chance.randrange(4)))
            rows = [row(name=name) for name in placed[page]]
            rows += [row("keyed", key=("name",), name=key, price=prices[key]) for key in yielded[page]]
            desk.crawl(page, *rows)
        keyed = {key: prices[key] for page in yielded for key in yielded[page]}
        states.append((dict(keyed), placed))
        desk.next_run()

    for earlier in range(6):
        for later in range(earlier + 1, 6):
            found = told(desk, earlier + 1, later + 1)
            (old, old_placed), (new, new_placed) = states[earlier], states[later]
            was, now = ({name for names in each.values() for name in names} for each in (old_placed, new_placed))
            assert sorted([*new.keys() - old.keys(), *now - was]) == sorted(found["added"])
            assert sorted([*old.keys() - new.keys(), *was - now]) == sorted(found["gone"])
            changed = sorted((old[key], new[key]) for key in old.keys() & new.keys() if old[key] != new[key])
            assert changed == sorted(each["price"] for each in found["changed"])


def test_truth_of_changes() -> None:
    assert not Changes([], [], [])

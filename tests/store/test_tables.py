"""Tables: made and widened from the rows, values as they came, names refused that cannot be."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlkit.store.outcome import Row
from tests.store.desk import Desk, row


def types(desk: Desk, table: str = "items") -> dict[str, str]:
    return {each[1]: each[2] for each in desk.query(f"PRAGMA table_info({table})")}


def test_types_come_from_the_first_values(desk: Desk) -> None:
    desk.crawl("a", row(text="x", whole=1, broken=1.5, raw=b"x", nothing=None))

    assert {
        "text": "TEXT",
        "whole": "INTEGER",
        "broken": "REAL",
        "raw": "BLOB",
        "nothing": "BLOB",
        "_page": "INTEGER",
    } == types(desk)


def test_a_table_has_the_authors_columns_and_page_and_nothing_else(desk: Desk) -> None:
    desk.crawl("a", row(b=1, a=2))

    assert ["b", "a", "_page"] == list(types(desk))


def test_new_columns_are_added(desk: Desk) -> None:
    desk.crawl("a", row(a=1))
    desk.crawl("b", row(a=2, b="x"), row(c=2.5))

    assert [(1, None, None), (2, "x", None), (None, None, 2.5)] == desk.items("a, b, c")


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (5, "007"),
        (5, "1e3"),
        (1.5, "2.50"),
        ("x", 5),
        ("x", 1.0),
        (1.5, 2**60 + 1),
        (None, "007"),
        (None, 7),
        (b"x", "1"),
        ("x", b"x"),
        (5, 2.5),
        (5, None),
        (1.5, math.nan),
    ],
)
def test_no_value_is_changed_by_its_column(desk: Desk, first: Any, then: Any) -> None:
    """A column made for numbers would store '007' as 7, one made for text 5 as '5'."""
    desk.crawl("a", row(value=first))
    desk.crawl("b", row(value=then))
    desk.crawl("c", row(value=first))

    then = "NaN" if isinstance(then, float) and math.isnan(then) else then
    values = desk.items("value")
    assert [first, then, first] == values
    assert [type(first), type(then), type(first)] == [type(value) for value in values]


def test_a_column_made_dynamic_keeps_key_and_pages(desk: Desk) -> None:
    desk.crawl("a", row(key=("n",), n=1, name="x"), row(key=("n",), n=2, name="y"))
    desk.crawl("b", row(key=("n",), n="three", name="z"))
    desk.crawl("c", row(key=("n",), n=1, name="X"))

    assert [(1, "X", 3), (2, "y", 1), ("three", "z", 2)] == desk.items("n, name, _page")


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.none(),
            st.integers(-(2**63), 2**63 - 1),
            st.floats(allow_nan=False),
            st.text(st.characters(exclude_categories=["Cs"])),
            st.sampled_from(["1", "007", "1.0", "1e5", " 1", "0x10", "-0"]),
            st.binary(max_size=5),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_whatever_is_yielded_is_what_is_stored(tmp_path_factory: pytest.TempPathFactory, values: list[Any]) -> None:
    desk = Desk(tmp_path_factory.mktemp("any") / "shop.db")
    desk.crawl("a", *(row(value=value) for value in values))
    stored = desk.items("value")
    desk.store.close()

    # 2.0 in a column of integers is stored as 2; anything else comes back as it went in.
    assert values == stored


def test_nan_is_not_nothing(desk: Desk) -> None:
    desk.crawl("a", row(value=math.nan), row(value=math.inf), row(value=None))

    assert ["NaN", math.inf, None] == desk.items("value")


@pytest.mark.parametrize("name", ['a"b', "a b", "select", "a]b", "a;--", "ünï", "rowid", "a'b", "[x]", "a.b"])
def test_any_other_name_is_quoted(desk: Desk, name: str) -> None:
    desk.crawl("a", Row(name, {name: 1, "other": "x"}, (name,)))
    desk.crawl("b", Row(name, {name: 1, "other": "y", "more": 2}, (name,)))
    desk.next_run()
    desk.crawl("b", Row(name, {name: "text", "other": "z"}, (name,)))

    assert {name: 2} == desk.store.reports.tables()
    assert ["y", "z"] == [each[0] for each in desk.query(f'SELECT other FROM "{name.replace(chr(34), chr(34) * 2)}"')]


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (Row("_pages", {"a": 1}), "reserved"),
        (Row("sqlite_x", {"a": 1}), "reserved"),
        (Row("SQLITE_x", {"a": 1}), "reserved"),
        (Row("", {"a": 1}), "no name"),
        (Row("a\0b", {"a": 1}), "NUL"),
        (Row("items", {"_page": 1}), "reserved"),
        (Row("items", {"": 1}), "no name"),
        (Row("items", {"a\ud800": 1}), "surrogate"),
        (Row("items", {"Title": 1, "title": 2}), "differ only in case"),
        (Row("items", {f"c{n}": n for n in range(2000)}), "1999 is the most"),
        (Row("items", {"a": 2**63}), "64 bits"),
        (Row("items", {"a": -(2**63) - 1}), "64 bits"),
        (Row("items", {"a": "x\udc80"}), "lone surrogate"),
        (Row("items", {"a": object()}), "holds a object"),  # type: ignore[dict-item]
        (Row("items", {"a": {"b": 1}}), "holds a dict"),  # type: ignore[dict-item]
        (Row("items", {"a": 1}, ("b",)), "no column 'b'"),
    ],
)
def test_a_row_that_cannot_be_stored_fails_its_page_alone(desk: Desk, bad: Row, says: str) -> None:
    """Rows before it on the page are rolled back, links are dropped, pages beside it in the group stay."""
    desk.add("a", "bad", "b")
    a, broken, b = desk.claim()

    verdicts = desk.store.commit(
        [
            desk.outcome(a, row(name="a"), links=["from-a"]),
            desk.outcome(broken, row(name="lost"), row("lost", x=1), bad, links=["lost", "from-b"]),
            desk.outcome(b, row(name="b"), links=["from-b"]),
        ]
    )

    assert ["done", "failed", "done"] == [verdict.state for verdict in verdicts]
    assert [1, 0, 1] == [verdict.new_links for verdict in verdicts]
    assert says in str(verdicts[1].reason)
    assert ("failed", verdicts[1].reason) == desk.state("bad")
    assert ["a", "b"] == desk.items()
    assert ["items"] == list(desk.store.reports.tables())
    assert ["from-a", "from-b"] == desk.names()


def test_names_that_differ_in_case_between_pages_are_one(desk: Desk) -> None:
    desk.crawl("a", Row("Items", {"Title": 1}))
    desk.crawl("b", Row("items", {"title": 2}))

    assert [1, 2] == desk.items("title")


def test_a_table_cannot_grow_beyond_what_sqlite_holds(desk: Desk) -> None:
    desk.crawl("a", Row("items", {f"a{n}": n for n in range(1500)}))

    verdict = desk.crawl("b", Row("items", {f"b{n}": n for n in range(500)}))

    assert "failed" == verdict.state
    assert "2000 columns" in str(verdict.reason)
    assert "done" == desk.crawl("c", Row("items", {"a1": 5})).state


def test_something_of_the_owners_is_not_touched(desk: Desk) -> None:
    desk.query("CREATE TABLE notes (text TEXT)")
    desk.query("CREATE VIEW cheap AS SELECT 1")

    for name in ("notes", "Cheap"):
        verdict = desk.crawl(name, row(name, text="x"))
        assert "failed" == verdict.state
        assert "no crawl made" in str(verdict.reason)


def test_a_constraint_of_the_owners_fails_the_page(desk: Desk) -> None:
    desk.crawl("a", row(name="x"))
    desk.query("CREATE UNIQUE INDEX mine ON items (name)")

    verdict = desk.crawl("b", row(name="x"))

    assert "failed" == verdict.state
    assert "UNIQUE" in str(verdict.reason)


# --- keys that change -------------------------------------------------------


def test_a_table_takes_one_key_in_a_run(desk: Desk) -> None:
    desk.crawl("a", row(key=("url",), url="u"))

    verdict = desk.crawl("b", row(url="v"))

    assert "failed" == verdict.state
    assert "one key or two tables" in str(verdict.reason)


def test_a_key_that_the_author_adds_leaves_the_newest_of_each(desk: Desk) -> None:
    desk.crawl(
        "a", row(url="u", name="old"), row(url="v", name="only"), row(url=None, name="1"), row(url=None, name="2")
    )
    desk.crawl("b", row(url="u", name="new"))
    desk.next_run()

    desk.crawl("b", row(key=("url",), url="u", name="newer"))

    assert ["only", "1", "2", "newer"] == desk.items()


def test_a_key_that_the_author_takes_away(desk: Desk) -> None:
    desk.crawl("a", row(key=("url",), url="u", name="x"))
    desk.next_run()

    desk.crawl("a", row(url="u", name="y"), row(url="u", name="z"))

    assert ["y", "z"] == desk.items()

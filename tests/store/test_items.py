"""Items: whose rows are whose when pages are crawled again, fail, move or go."""

from __future__ import annotations

import pytest

from tests.store.desk import Desk, Ended, row

KEY = ("url",)


# --- without a key ----------------------------------------------------------


def test_rows_carry_the_page_they_came_from(desk: Desk) -> None:
    desk.crawl("a", row(name="x"), row(name="y"))

    assert [("x", 1), ("y", 1)] == desk.items("name, _page")
    assert [(2,)] == desk.query("SELECT items FROM _pages")


def test_two_equal_rows_of_one_page_are_two_rows(desk: Desk) -> None:
    verdict = desk.crawl("a", row(name="x"), row(name="x"))

    assert 2 == verdict.rows
    assert ["x", "x"] == desk.items()


def test_crawling_a_page_again_replaces_its_rows_in_place(desk: Desk) -> None:
    desk.crawl("a", row(name="x"), row(name="y"), row(name="z"))
    desk.crawl("b", row(name="other"))
    before = desk.items("_rowid_")
    desk.next_run()

    desk.crawl("a", row(name="x"), row(name="Y"))

    assert ["x", "Y", "other"] == desk.items()
    assert [before[0], before[1], before[3]] == desk.items("_rowid_")


def test_a_page_may_yield_more_rows_than_before(desk: Desk) -> None:
    desk.crawl("a", row(name="x"))
    desk.crawl("b", row(name="other"))
    desk.next_run()

    desk.crawl("a", row(name="x"), row(name="y"))
    desk.next_run()
    desk.crawl("a", row(name="1"), row(name="2"))

    assert [("1", 1), ("other", 2), ("2", 1)] == desk.items("name, _page")


def test_rows_that_did_not_change_are_not_written(desk: Desk) -> None:
    desk.crawl("a", row(name="x", price=1.5, none=None))
    desk.next_run()
    changes = desk.store._connection.total_changes

    desk.crawl("a", row(name="x", price=1.5))

    assert [] == desk.query("SELECT * FROM _history")
    assert desk.store._connection.total_changes - changes < 12


def test_rows_that_a_page_yields_no_more_are_gone(desk: Desk) -> None:
    desk.crawl("a", row(name="x"), row("prices", name="p"))
    desk.next_run()

    desk.crawl("a")

    assert ([], []) == (desk.items(), desk.items(table="prices"))
    assert [(0,)] == desk.query("SELECT items FROM _pages")


def test_a_column_that_is_yielded_no_more_is_empty(desk: Desk) -> None:
    desk.crawl("a", row(name="x", discount=5))
    desk.next_run()

    desk.crawl("a", row(name="x"))

    assert [("x", None)] == desk.items("name, discount")


def test_a_table_widened_between_two_rows_of_a_page(desk: Desk) -> None:
    desk.crawl("a", row(name="x"), row(name="y"))
    desk.next_run()

    desk.crawl("a", row(name="x", size=1), row(name="y", colour="red"))

    assert [("x", 1, None), ("y", None, "red")] == desk.items("name, size, colour")


# --- pages that do not end well ---------------------------------------------


@pytest.mark.parametrize("status", [404, 410])
def test_a_page_that_is_gone_loses_its_rows(desk: Desk, status: int) -> None:
    desk.crawl("a", row(name="x"))
    desk.next_run()

    desk.crawl("a", state="skipped", status=status, error="gone")

    assert [] == desk.items()


@pytest.mark.parametrize(("state", "status"), [("failed", 500), ("failed", 404), ("skipped", 200), ("skipped", None)])
def test_a_page_that_failed_or_was_skipped_keeps_its_rows(desk: Desk, state: str, status: int | None) -> None:
    desk.crawl("a", row(name="x"))
    desk.next_run()

    desk.crawl("a", state=state, status=status, error="no")

    assert ["x"] == desk.items()
    assert [(1,)] == desk.query("SELECT items FROM _pages")


def test_rows_that_an_errback_yields_take_the_place_of_the_old(desk: Desk) -> None:
    desk.crawl("a", row(name="x"))
    desk.next_run()

    verdict = desk.crawl("a", row(name="failed here"), state="failed", error="500", status=500)

    assert ("failed", 1) == (verdict.state, verdict.rows)
    assert ["failed here"] == desk.items()


# --- with a key -------------------------------------------------------------


def test_a_keyed_row_is_one_row_whoever_yields_it(desk: Desk) -> None:
    desk.crawl("a", row(key=KEY, url="u", name="old"))
    desk.crawl("b", row(key=KEY, url="u", name="new"))

    assert [("new", 2)] == desk.items("name, _page")


def test_one_that_changes_nothing_leaves_the_row_to_its_page(desk: Desk) -> None:
    desk.crawl("a", row(key=KEY, url="u", name="same"))
    desk.crawl("b", row(key=KEY, url="u", name="same"))

    assert [("same", 1)] == desk.items("name, _page")


def test_a_keyed_row_is_gone_when_no_page_yields_it(desk: Desk) -> None:
    for page in "abc":
        desk.crawl(page, row(key=KEY, url="u", name="same"))
    left = []
    for page in "bac":
        desk.next_run()
        desk.crawl(page)
        left.append(desk.items("_page"))

    assert [[1], [3], []] == left
    assert [] == desk.query("SELECT * FROM _owners")


def test_a_row_that_its_page_overwrote_belongs_to_the_earlier_one_too(desk: Desk) -> None:
    desk.crawl("a", row(key=KEY, url="u", name="old"))
    desk.crawl("b", row(key=KEY, url="u", name="new"))
    desk.next_run()

    desk.crawl("b")

    assert [("new", 1)] == desk.items("name, _page")


def test_one_key_twice_on_a_page_is_one_row_and_the_last_counts(desk: Desk) -> None:
    verdict = desk.crawl("a", row(key=KEY, url="u", name="first"), row(key=KEY, url="u", name="last"))

    assert 1 == verdict.rows
    assert ["last"] == desk.items()


def test_only_what_was_there_before_the_page_is_kept_of_a_key_it_yields_twice(desk: Desk) -> None:
    desk.crawl("a", row(key=KEY, url="u", name="old"))
    desk.next_run()

    desk.crawl("a", row(key=KEY, url="u", name="first"), row(key=KEY, url="u", name="last"))

    assert ["last"] == desk.items()
    assert [('{"url": "u", "name": "old"}',)] == desk.query("SELECT row FROM _history")


def test_keys_of_several_columns(desk: Desk) -> None:
    key = ("shop", "number")
    desk.crawl("a", row(key=key, shop="s", number=1, name="x"), row(key=key, shop="s", number=2, name="y"))
    desk.crawl("b", row(key=key, number=1, shop="s", name="z"))

    assert ["z", "y"] == desk.items()


def test_a_key_means_the_same_whatever_its_type(desk: Desk) -> None:
    """1 and 1.0 are one key to SQLite's index; the owners must agree with it."""
    desk.crawl("a", row(key=("n",), n=1, name="x"))
    desk.crawl("b", row(key=("n",), n=1.0, name="x"))
    desk.next_run()
    desk.crawl("a")
    desk.crawl("b")

    assert [] == desk.items()


@pytest.mark.parametrize("values", [{"name": "x"}, {"name": "x", "url": None}])
def test_a_row_without_its_key_fails_its_page(desk: Desk, values: dict[str, str | None]) -> None:
    verdict = desk.crawl("a", row(key=KEY, **values))

    assert "failed" == verdict.state
    assert "'url'" in str(verdict.reason)


def test_bytes_and_text_are_different_keys(desk: Desk) -> None:
    desk.crawl("a", row(key=("k",), k=b"x", name="bytes"), row(key=("k",), k="x", name="text"))

    assert ["bytes", "text"] == desk.items()


# --- what the owner does with the file --------------------------------------


def test_vacuum_leaves_rows_with_their_pages(desk: Desk) -> None:
    """VACUUM may number the rows anew; their order, which is their place, stays."""
    desk.crawl("a", row(name="gone"), row(name="gone"))
    desk.crawl("b", row(name="x"), row(name="y"))
    desk.crawl("c", row("keyed", key=KEY, url="u"))
    desk.next_run()
    desk.crawl("a")
    desk.query("VACUUM")

    desk.crawl("b", row(name="X"), row(name="y"))
    desk.crawl("c")

    assert ["X", "y"] == desk.items()
    assert [] == desk.items("url", "keyed")


def test_rows_that_the_owner_deleted_come_back(desk: Desk) -> None:
    desk.crawl("a", row(name="x"), row(name="y"))
    desk.query("DELETE FROM items WHERE name = 'x'")
    desk.next_run()

    desk.crawl("a", row(name="x"), row(name="y"))

    assert ["x", "y"] == desk.items()


def test_a_table_that_the_owner_dropped_comes_back(desk: Desk) -> None:
    desk.crawl("a", row(name="x"))
    desk.query("DROP TABLE items")
    desk.next_run()

    desk.crawl("a", row(name="x", more=1))

    assert [("x", 1)] == desk.items("name, more")


# --- pages that turn out to be one ------------------------------------------


def test_rows_go_with_the_page_when_redirects_change(desk: Desk) -> None:
    """In one crawl `old` led to `new`, in the next `new` is met first: its rows are the same rows."""
    desk.crawl("old", row(name="x"), end="new")
    desk.next_run()

    desk.crawl("new", row(name="x"))

    assert [("x", 2)] == desk.items("name, _page")
    assert [] == desk.query("SELECT * FROM _history")


def test_a_page_does_not_inherit_a_row_from_itself(desk: Desk) -> None:
    """Two pages share a row; one turns out to be the other and yields it no more."""
    desk.crawl("old", row(key=KEY, url="u"), end="new")
    desk.crawl("twin", row(key=KEY, url="u"), end="elsewhere")
    desk.next_run()

    desk.crawl("twin", end="new")

    assert [] == desk.items("url")
    assert [] == desk.query("SELECT * FROM _owners")


def test_two_pages_that_become_one_own_a_row_once(desk: Desk) -> None:
    desk.crawl("first", row(key=KEY, url="u"))
    desk.crawl("old", row(key=KEY, url="u"), end="new")
    desk.crawl("twin", row(key=KEY, url="u"), end="elsewhere")
    desk.next_run()

    desk.crawl("twin", end="new")
    desk.crawl("first")

    assert [] == desk.items("url")
    assert [] == desk.query("SELECT * FROM _owners")


def test_a_page_that_now_leads_elsewhere_loses_its_rows_to_nobody(desk: Desk) -> None:
    desk.crawl("a", row(name="a"))
    desk.crawl("b", row(name="b"))
    desk.next_run(Ended())
    desk.crawl("b", row(name="b"))

    verdict = desk.crawl("a", row(name="b"), end="b")

    assert ("skipped", "same page") == (verdict.state, verdict.reason)
    assert [("b", 2)] == desk.items("name, _page")

"""Rehearsal: what other rows would change, worked out on a copy by the store's own rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawlkit.exceptions import ItemError, UsageError
from crawlkit.store.bodies import body_of
from crawlkit.store.outcome import Row
from crawlkit.store.rehearsal import Rehearsal
from tests.store.desk import INTERRUPTED, NOW, Desk, Ended, row

#: A page's name → the rows that it gives.
Rows = dict[str, list[Row]]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Two pages that give rows with one key; the one that was fetched first was committed last."""
    desk = Desk(tmp_path / "shop.db", bodies=True)
    for name, at in (("b", NOW + 5), ("a", NOW)):
        rows = [row(key=("n",), n=1, page=name), row("plain", page=name), row("plain", page=f"{name}2")]
        desk.crawl(name, *rows, fetched_at=at, elapsed=0.1, body=body_of(name.encode()))
    desk.store.end_run(Ended())
    desk.store.close()
    return desk.path


def rehearse(path: Path, rows: Rows, *, settle: bool = True) -> tuple[list[str], ...]:
    """The changes, each as `table old -> new` of the column `page`."""
    with Rehearsal(path) as rehearsal:
        for page in rehearsal.pages():
            rehearsal.replace(page, rows[page.url[-1]])
        for page in rehearsal.disputed() if settle else []:
            rehearsal.replace(page, rows[page.url[-1]])
        found = rehearsal.changes()
        assert all(each.columns.keys() == {"page"} for each in found.changed)
        return (
            [f"{each.table} {each.row['page']}" for each in found.added],
            [f"{each.table} {' -> '.join(map(str, each.columns['page']))}" for each in found.changed],
            [f"{each.table} {each.row['page']}" for each in found.gone],
        )


def same(name: str) -> list[Row]:
    return [row(key=("n",), n=1, page=name), row("plain", page=name), row("plain", page=f"{name}2")]


def test_the_same_rows_change_nothing(kept: Path) -> None:
    """Whoever had the last word has it again, though the times of fetching say otherwise."""
    assert ([], [], []) == rehearse(kept, {"a": same("a"), "b": same("b")})
    assert ["items a -> b"] == rehearse(kept, {"a": same("a"), "b": same("b")}, settle=False)[1]


def test_other_rows_are_told(kept: Path) -> None:
    """New, changed and gone ones, of every table; the database is as it was."""
    before = kept.read_bytes()
    rows = {"a": [row("plain", page="a"), row("plain", page="A2"), row("more", page="new")], "b": same("b")[:1]}
    added, changed, gone = rehearse(kept, rows)
    assert ["more new"] == added
    assert ["items a -> b", "plain a2 -> A2"] == sorted(changed)
    assert ["plain b", "plain b2"] == sorted(gone)
    assert before == kept.read_bytes()


def test_a_row_that_cannot_be_stored_leaves_its_page_as_it_is(kept: Path) -> None:
    """Also one that comes after others."""
    with Rehearsal(kept) as rehearsal:
        pages = list(rehearsal.pages())
        assert ["a", "b"] == [page.url[-1] for page in pages]
        with pytest.raises(ItemError):
            rehearsal.replace(pages[0], [row("plain", page="other"), Row("plain", {"_page": 1})])
        assert not rehearsal.changes()


def test_which_pages_are_meant(kept: Path) -> None:
    """Those of the last crawl, or of a run's that no later crawl has reached; those without a body are counted."""
    desk = Desk(kept, bodies=True)
    desk.crawl("a", *same("a"), body=body_of(b"newer"))
    desk.crawl("c")
    desk.next_run(INTERRUPTED)
    desk.store.close()
    for run, names, missing, number in ((None, ["a"], 1, 3), (2, ["a"], 1, 3), (3, ["a"], 1, 3), (1, ["b"], 0, 1)):
        with Rehearsal(kept, run) as rehearsal:
            assert (names, missing, number) == (
                sorted(page.url[-1] for page in rehearsal.pages()),
                rehearsal.missing,
                rehearsal.run,
            )
    with pytest.raises(UsageError, match="there is no run 7; there are 1, 2, 3"):
        Rehearsal(kept, 7)

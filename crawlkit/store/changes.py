"""Changes: the rows that are new, changed or gone between the ends of two complete crawls.

What belongs here: reading the author's tables and `_history` as of a run, and pairing the rows. What does not: writing
history (history.py), which runs are meant (crawls.py), drawing changes (cli/).

The first entry of a row in `_history` after a run says what the row was at that run's end; one without an entry is now what
it was then. Only rows with an entry between the two runs can differ, so that the tables are not read whole.

A keyed row is known by its key. Rows without one are known by their page and their place on it: those of a page are aligned,
so that one that is put in front of others is one new row and not a change of all. A row that left one page and stands on
another with the same values is no change.
"""

from __future__ import annotations

import difflib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from crawlkit.store import kinds
from crawlkit.store.history import plain_row
from crawlkit.store.names import PAGE, fold, quoted

#: Aligning takes time with the product of both sides; of more rows than this a page's are paired by their places.
_ALIGNED = 2_000

#: As `later`: the rows as they are now, also those of a run under way.
NOW = 2**62

_Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One row.

    `row` is as it is at the later run (of one that is gone: as it was), by column; a list, dict or boolean is one, bytes are
    {"base64": text}. `columns` are those that changed, with their old and new values. `page` is its URL, `key` what
    identifies it, empty when its place does, `number` its `_rowid_`.
    """

    table: str
    page: str
    row: Mapping[str, Any]
    key: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    number: int = 0


@dataclass(frozen=True, slots=True)
class Changes:
    """All of them, table by table, each list by page and place."""

    added: list[Change]
    changed: list[Change]
    gone: list[Change]

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.gone)


@dataclass(slots=True)
class _State:
    """A row at one moment."""

    number: int
    page: int
    values: _Values


@dataclass(slots=True)
class _Table:
    name: str
    columns: list[str]
    key: tuple[str, ...]
    readers: dict[str, Callable[[Any], Any]]


def read_changes(connection: sqlite3.Connection, earlier: int, later: int) -> Changes:
    """The changes from the end of run `earlier` to the end of run `later`. Both must be within what `_history` tells.

    Reads one snapshot if the caller began a transaction. Raises sqlite3's errors.
    """
    found = Changes([], [], [])
    for table in _tables(connection):
        pairs = _pairs(connection, table, earlier, later)
        addresses = _addresses(connection, {each.page for pair in pairs for each in pair if each is not None})
        for old, new in pairs:
            _sort_in(found, table, old, new, addresses)
    return found


def _tables(connection: sqlite3.Connection) -> Iterator[_Table]:
    rows = connection.execute(
        "SELECT name, key, kinds FROM _tables WHERE name IN (SELECT name FROM sqlite_master) ORDER BY id"
    ).fetchall()
    for name, key, remembered in rows:
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({quoted(name)})") if row[1] != PAGE]
        by_fold = {fold(column): column for column in columns}
        readers = {
            by_fold[column]: kinds.reader(each) for column, each in kinds.read(remembered).items() if column in by_fold
        }
        yield _Table(name, columns, tuple(by_fold.get(fold(each), each) for each in json.loads(key)), readers)


# --- rows as they were ----------------------------------------


def _pairs(
    connection: sqlite3.Connection, table: _Table, earlier: int, later: int
) -> list[tuple[_State | None, _State | None]]:
    """Rows that may differ, as they were at both runs, by page and place."""
    after_earlier, after_later = _first_entries(connection, table, earlier), _first_entries(connection, table, later)
    touched = connection.execute(
        "SELECT row_id, max(change <> 'changed') FROM _history"
        ' WHERE run > ? AND run <= ? AND "table" = ? GROUP BY row_id ORDER BY row_id',
        (earlier, later, table.name),
    ).fetchall()
    kept: list[tuple[_State, _State]] = []
    before: list[_State] = []
    now: list[_State] = []
    listed = "".join(f", {quoted(column)}" for column in table.columns)
    select = f"SELECT {PAGE}{listed} FROM {quoted(table.name)} WHERE _rowid_ = ?"
    for number, another in touched:
        old = _state(connection, table, select, number, after_earlier)
        new = _state(connection, table, select, number, after_later)
        if old is not None and new is not None and not another:
            kept.append((old, new))
        else:  # its number may have been given to another row in between
            before += [old] if old is not None else []
            now += [new] if new is not None else []
    if table.key:
        return _paired_by_key(table, kept, before, now)
    return _without_moves(table, _paired_by_place(table, kept, before, now))


def _first_entries(connection: sqlite3.Connection, table: _Table, run: int) -> dict[int, int]:
    return dict(
        connection.execute(
            'SELECT row_id, min(id) FROM _history WHERE run > ? AND "table" = ? GROUP BY row_id', (run, table.name)
        )
    )


def _state(
    connection: sqlite3.Connection, table: _Table, select: str, number: int, entries: Mapping[int, int]
) -> _State | None:
    if number in entries:
        page, change, text = connection.execute(
            "SELECT page, change, row FROM _history WHERE id = ?", (entries[number],)
        ).fetchone()
        if change == "added":
            return None
        held = {fold(column): value for column, value in json.loads(text).items()}
        return _State(number, page, {column: held.get(fold(column)) for column in table.columns})
    row = connection.execute(select, (number,)).fetchone()
    return None if row is None else _State(number, row[0], plain_row(table.columns, row[1:]))


# --- pairing ----------------------------------------


def _paired_by_key(
    table: _Table, kept: Sequence[tuple[_State, _State]], before: Sequence[_State], now: Sequence[_State]
) -> list[tuple[_State | None, _State | None]]:
    def key(state: _State) -> str:
        return _frozen({column: state.values.get(column) for column in table.key})

    left = {key(state): state for state in (*before, *(old for old, _ in kept))}
    pairs: list[tuple[_State | None, _State | None]] = [
        (left.pop(key(state), None), state) for state in (*now, *(new for _, new in kept))
    ]
    return sorted([*pairs, *((state, None) for state in left.values())], key=_place)


def _paired_by_place(
    table: _Table, kept: Sequence[tuple[_State, _State]], before: Sequence[_State], now: Sequence[_State]
) -> list[tuple[_State | None, _State | None]]:
    pages: dict[int, tuple[list[_State], list[_State]]] = defaultdict(lambda: ([], []))
    for old, new in kept:  # a row that moved with its page is of the page where it is now
        pages[new.page][0].append(old)
        pages[new.page][1].append(new)
    for state in before:
        pages[state.page][0].append(state)
    for state in now:
        pages[state.page][1].append(state)
    pairs: list[tuple[_State | None, _State | None]] = []
    for page in sorted(pages):
        pairs += _aligned(*(sorted(side, key=lambda state: state.number) for side in pages[page]))
    return pairs


def _aligned(old: list[_State], new: list[_State]) -> Iterator[tuple[_State | None, _State | None]]:
    if max(len(old), len(new)) > _ALIGNED:
        steps = [(0, len(old), 0, len(new))]
    else:
        was, now = ([_frozen(state.values) for state in side] for side in (old, new))
        steps = [step[1:] for step in difflib.SequenceMatcher(None, was, now, autojunk=False).get_opcodes()]
    for start, end, new_start, new_end in steps:
        for place in range(max(end - start, new_end - new_start)):
            yield (
                old[start + place] if start + place < end else None,
                new[new_start + place] if new_start + place < new_end else None,
            )


def _without_moves(
    table: _Table, pairs: Sequence[tuple[_State | None, _State | None]]
) -> list[tuple[_State | None, _State | None]]:
    """Without rows that are gone from one place and new with the same values at another."""
    appeared: dict[str, list[int]] = defaultdict(list)
    for index, (old, new) in enumerate(pairs):
        if old is None and new is not None:
            appeared[_frozen(new.values)].append(index)
    moved: set[int] = set()
    for index, (old, new) in enumerate(pairs):
        if new is None and old is not None and (places := appeared.get(_frozen(old.values))):
            moved |= {index, places.pop(0)}
    return [pair for index, pair in enumerate(pairs) if index not in moved]


def _place(pair: tuple[_State | None, _State | None]) -> tuple[int, int]:
    state = pair[1] or pair[0]
    assert state is not None
    return state.page, state.number


def _frozen(values: Mapping[str, Any]) -> str:
    """A text that two rows share when they show the same; 1 and 1.0 are the same to SQLite."""
    plain = [int(value) if isinstance(value, float) and value.is_integer() else value for value in values.values()]
    return json.dumps(plain, sort_keys=True)


# --- what is told ----------------------------------------


def _addresses(connection: sqlite3.Connection, pages: set[int]) -> dict[int, str]:
    return {
        page: row[0]
        for page in pages
        if (row := connection.execute("SELECT url FROM _pages WHERE id = ?", (page,)).fetchone()) is not None
    }


def _sort_in(
    found: Changes, table: _Table, old: _State | None, new: _State | None, addresses: Mapping[int, str]
) -> None:
    state = new or old
    assert state is not None
    shown = _shown(table, state.values)
    key = {column: shown.get(column) for column in table.key}
    change = Change(table.name, addresses.get(state.page, ""), shown, key, number=state.number)
    if old is None:
        found.added.append(change)
    elif new is None:
        found.gone.append(change)
    else:
        was = _shown(table, old.values)
        columns = {
            column: (was[column], shown[column]) for column in table.columns if old.values[column] != new.values[column]
        }
        if columns:
            found.changed.append(replace(change, columns=columns))


def _shown(table: _Table, values: _Values) -> _Values:
    return {
        column: table.readers[column](value) if column in table.readers else value for column, value in values.items()
    }

"""The author's tables: made, widened and keyed as the rows need them.

What belongs here: the shape of the author's tables, and whether a row fits one. What does not: whose row it is
(items.py).

sqlite-utils makes tables and adds columns, a column's type being that of its first value. A value that its
column's type would change (a number among text, text among numbers: '007' would become 7) makes the column
dynamic: it is declared BLOB from then on, which SQLite stores as it comes. A first None says nothing of a type:
such a column is dynamic at once.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence

from crawlkit.exceptions import ItemError
from crawlkit.store import kinds as column_kinds
from crawlkit.store.history import History
from crawlkit.store.names import PAGE, check_names, fold, listed, named, quoted
from crawlkit.store.outcome import Row, Scalar

_KINDS = frozenset({str, int, float, bytes, bool, type(None)})
#: Up to here a REAL column holds an integer exactly. A NaN is not within any bounds.
_EXACT = 2**53


class Table:
    """One of the author's tables as it is now."""

    __slots__ = ("columns", "id", "key", "keyed_in", "kinds", "name", "places", "plans", "remembered", "select")

    def __init__(self, number: int, name: str, key: tuple[str, ...], keyed_in: int, types: dict[str, str]) -> None:
        self.id = number
        self.name = name
        self.key = key
        self.keyed_in = keyed_in
        self.columns = [column for column in types if column != PAGE]
        self.kinds = [_affinity(types[column]) for column in self.columns]
        #: Where a column stands, by the name as SQLite compares it.
        self.places = {fold(column): place for place, column in enumerate(self.columns)}
        self.plans: dict[tuple[str, ...], Plan] = {}
        self.remembered: column_kinds.Kinds = {}
        columns = "".join(f", {quoted(column)}" for column in self.columns)
        self.select = f"SELECT _rowid_, {PAGE}{columns} FROM {quoted(name)}"


class Plan:
    """How rows with certain columns go into a table."""

    __slots__ = ("insert", "key", "known", "order")

    def __init__(self, table: Table, columns: tuple[str, ...]) -> None:
        #: The row's columns by their place in the table, -1 where the row has none.
        given = {table.places[fold(column)]: place for place, column in enumerate(columns)}
        self.order = [given.get(place, -1) for place in range(len(table.columns))]
        self.key = [given.get(table.places[fold(column)], -1) for column in table.key]
        names = "".join(f", {quoted(column)}" for column in columns)
        on_conflict = f" ON CONFLICT ({listed(table.key)}) DO NOTHING" if table.key else ""
        self.insert = f"INSERT INTO {quoted(table.name)} ({PAGE}{names}) VALUES (?{', ?' * len(columns)}){on_conflict}"
        #: Types of values that were seen to fit, with the places of those whose values must be looked at each time.
        self.known: dict[tuple[type, ...], tuple[int, ...]] = {}


class Tables:
    """The author's tables of one database. One thread, inside the transactions of the Store."""

    def __init__(self, connection: sqlite3.Connection, history: History) -> None:
        self._connection = connection
        self._history = history
        self._tables: dict[str, Table] | None = None
        self._most_columns = min(connection.getlimit(sqlite3.SQLITE_LIMIT_COLUMN), 2_000)
        self._run = 0

    def begin(self, run: int) -> None:
        """A table's key may be changed once in `run`."""
        self._run = run
        self._tables = None

    def committing(self) -> None:
        """All is written already."""

    def committed(self) -> None:
        """The shapes are as they are known."""

    def rolled_back(self) -> None:
        """Read the shapes again."""
        self._tables = None

    def all(self) -> list[Table]:
        """Every table of the author's that we made."""
        return list(self._loaded().values())

    def _loaded(self) -> dict[str, Table]:
        if self._tables is None:
            self._tables = {}
            for number, name, key, run in self._connection.execute(
                "SELECT id, name, key, run FROM _tables ORDER BY id"
            ).fetchall():
                table = self._read(number, name, tuple(json.loads(key)), run)
                if table is not None:
                    self._tables[fold(name)] = table
        return self._tables

    def _read(self, number: int, name: str, key: tuple[str, ...], run: int) -> Table | None:
        """The table as the file has it; None, and forgotten, when its owner dropped it."""
        types = {row[1]: row[2] for row in self._connection.execute(f"PRAGMA table_info({quoted(name)})")}
        if PAGE in types and all(fold(column) in map(fold, types) for column in key):
            [kinds] = self._connection.execute("SELECT kinds FROM _tables WHERE id = ?", (number,)).fetchone()
            table = Table(number, name, key, run, types)
            table.remembered = column_kinds.read(kinds)
            return table
        if types:
            raise ItemError(f"table {name!r} has lost its column {PAGE} or a column of its key; put it back or drop it")
        self._connection.execute("DELETE FROM _tables WHERE id = ?", (number,))
        self._connection.execute("DELETE FROM _owners WHERE tbl = ?", (number,))
        return None

    def fit(self, row: Row) -> tuple[Table, Plan, Sequence[Scalar]]:
        """The table for `row`, made or widened when it must be, how it goes in, and its values. ItemError."""
        columns = tuple(row.values)
        table = self._loaded().get(fold(row.table))
        plan = table.plans.get(columns) if table is not None else None
        if table is None or plan is None or table.key != row.key:
            table, plan = self._shape(row, columns)
        values: Sequence[Scalar] = tuple(row.values.values())
        kinds = tuple(map(type, values))
        doubtful = plan.known.get(kinds)
        if doubtful is None or not all(-_EXACT <= values[place] <= _EXACT for place in doubtful):  # type: ignore[operator]
            _check_kinds(row, kinds)
            misfits, values, doubtful = _look(table, columns, values)
            if misfits:
                self._make_dynamic(table, misfits)
                return self.fit(row)
            plan.known[kinds] = doubtful
        if row.kinds:
            self._remember(table, row)
        return table, plan, values

    def _remember(self, table: Table, row: Row) -> None:
        kinds = column_kinds.with_more(table.remembered, row.kinds)
        if kinds is not None:
            text = column_kinds.written(kinds)
            self._connection.execute("UPDATE _tables SET kinds = ? WHERE id = ?", (text, table.id))
            table.remembered = kinds

    # --- shapes ----------------------------------------

    def _shape(self, row: Row, columns: tuple[str, ...]) -> tuple[Table, Plan]:
        check_names(row, columns, self._most_columns)
        _check_kinds(row, map(type, row.values.values()))
        table = self._loaded().get(fold(row.table))
        if table is None:
            table = self._create(row)
        else:
            missing = [column for column in columns if fold(column) not in table.places]
            if missing:
                table = self._widen(table, row, missing)
            if table.key != row.key:
                table = self._change_key(table, row.key)
        plan = Plan(table, columns)
        table.plans[columns] = plan
        return table, plan

    def _create(self, row: Row) -> Table:
        if self._connection.execute(
            "SELECT 1 FROM sqlite_master WHERE name = ? COLLATE NOCASE", (row.table,)
        ).fetchone():
            raise ItemError(f"there is something named {row.table!r} in the database that no crawl made; rename it")
        types: dict[str, object] = {column: _declared(value) for column, value in row.values.items()}
        types[PAGE] = int
        self._utils().table(row.table).create(types, foreign_keys=[(PAGE, "_pages", "id")])  # type: ignore[attr-defined]
        self._connection.execute(f"CREATE INDEX {quoted(f'_{row.table}_page')} ON {quoted(row.table)} ({PAGE})")
        number = self._connection.execute(
            "INSERT INTO _tables (name, key, run) VALUES (?, ?, ?)", (row.table, json.dumps(row.key), self._run)
        ).lastrowid
        self._index_key(row.table, row.key)
        return self._again(number or 0, row.table, row.key, self._run)

    def _widen(self, table: Table, row: Row, missing: list[str]) -> Table:
        if len(table.columns) + len(missing) + 1 > self._most_columns:
            raise ItemError(
                f"table {table.name!r} would have {len(table.columns) + len(missing)} columns; "
                f"{self._most_columns - 1} is the most. Yield rows of (name, value) instead"
            )
        utils = self._utils().table(table.name)  # type: ignore[attr-defined]
        for column in missing:
            utils.add_column(column, _declared(row.values[column]))
        return self._again(table.id, table.name, table.key, table.keyed_in)

    def _make_dynamic(self, table: Table, columns: list[str]) -> Table:
        """Let columns hold values of any type as they come. Writes the table anew, once for a column."""
        names = {table.columns[table.places[fold(column)]]: "BLOB" for column in columns}
        self._utils().table(table.name).transform(types=names)  # type: ignore[attr-defined]
        return self._again(table.id, table.name, table.key, table.keyed_in)

    def _change_key(self, table: Table, key: tuple[str, ...]) -> Table:
        """The author now identifies the rows by other columns: of several with one key the newest stays."""
        if table.keyed_in == self._run:
            raise ItemError(
                f"the rows of table {table.name!r} are identified by {named(table.key)} and by {named(key)} "
                "in one run; give them one key or two tables"
            )
        self._connection.execute(f"DROP INDEX IF EXISTS {quoted(f'_{table.name}_key')}")
        self._connection.execute("DELETE FROM _owners WHERE tbl = ?", (table.id,))
        if key:
            self._drop_doubles(table, key)
        self._index_key(table.name, key)
        self._connection.execute(
            "UPDATE _tables SET key = ?, run = ? WHERE id = ?", (json.dumps(key), self._run, table.id)
        )
        return self._again(table.id, table.name, key, self._run)

    def _drop_doubles(self, table: Table, key: tuple[str, ...]) -> None:
        given = " AND ".join(f"{quoted(column)} IS NOT NULL" for column in key)
        name = quoted(table.name)
        doubles = self._connection.execute(
            f"{table.select} WHERE {given} AND _rowid_ NOT IN"
            f" (SELECT max(_rowid_) FROM {name} WHERE {given} GROUP BY {listed(key)})"
        ).fetchall()
        for row, page, *values in doubles:
            self._connection.execute(f"DELETE FROM {name} WHERE _rowid_ = ?", (row,))
            self._history.keep(table.name, row, page, "gone", table.columns, values)

    def _index_key(self, name: str, key: tuple[str, ...]) -> None:
        if key:
            self._connection.execute(f"CREATE UNIQUE INDEX {quoted(f'_{name}_key')} ON {quoted(name)} ({listed(key)})")

    def _again(self, number: int, name: str, key: tuple[str, ...], run: int) -> Table:
        """Read a table's shape after it changed."""
        table = self._read(number, name, key, run)
        if table is None:
            raise ItemError(f"table {name!r} could not be made")
        self._loaded()[fold(name)] = table
        return table

    def _utils(self) -> object:
        import sqlite_utils  # late: it pulls click in, 60 ms

        return sqlite_utils.Database(self._connection, recursive_triggers=False, execute_plugins=False)


# --- values ----------------------------------------


def _declared(value: Scalar) -> object:
    return "BLOB" if value is None else int if isinstance(value, int) else type(value)


def _affinity(declared: str) -> str:
    """SQLite's rules for a column's affinity (sqlite.org/datatype3.html, 3.1), TEXT, NONE or a number's."""
    declared = declared.upper()
    if "INT" in declared:
        return "INTEGER"
    if any(part in declared for part in ("CHAR", "CLOB", "TEXT")):
        return "TEXT"
    if not declared or "BLOB" in declared:
        return "NONE"
    return "REAL"


def _check_kinds(row: Row, kinds: Iterable[type]) -> None:
    for column, kind in zip(row.values, kinds, strict=True):
        if kind not in _KINDS:
            raise ItemError(
                f"column {column!r} of table {row.table!r} holds a {kind.__name__}; "
                "a database holds text, numbers, bytes and None"
            )


def _look(
    table: Table, columns: tuple[str, ...], values: Sequence[Scalar]
) -> tuple[list[str], Sequence[Scalar], tuple[int, ...]]:
    """The columns that must become dynamic for these values, the values as they are stored, and the places of values
    whose type alone does not tell whether they fit."""
    misfits: list[str] = []
    doubtful: list[int] = []
    stored = list(values)
    for place, (column, value) in enumerate(zip(columns, values, strict=True)):
        affinity = table.kinds[table.places[fold(column)]]
        if isinstance(value, float) or (isinstance(value, int) and affinity == "REAL"):
            doubtful.append(place)
        if value != value:
            stored[place] = "NaN"  # SQLite stores a bound NaN as NULL, which says "nothing" instead
        elif _misfits(value, affinity):
            misfits.append(column)
    return misfits, stored, tuple(doubtful)


def _misfits(value: Scalar, affinity: str) -> bool:
    """Whether a column of that affinity would store the value as another one."""
    if isinstance(value, str):
        return affinity in ("INTEGER", "REAL")
    if isinstance(value, float):
        return affinity == "TEXT"
    if isinstance(value, int):
        return affinity == "TEXT" or (affinity == "REAL" and abs(value) > _EXACT)
    return False

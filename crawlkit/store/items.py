"""The author's rows: whose they are, and what becomes of them when their page is crawled again.

What belongs here: writing, replacing and dropping the rows of a page. What does not: the shape of tables
(tables.py).

A row without a key is identified by its page and its place among the page's rows in that table; `_rowid_` grows
with the place, so that the order is the place (VACUUM and a dump keep it). A keyed row belongs to every page
that yielded it: to its `_page`, whose values it shows, and to those in `_owners`. It is replaced as a whole, so
that a column that is yielded no more is empty again. When its `_page` yields it no more it goes to another
owner; when none is left it is gone.

A page that is crawled again has its rows replaced; one that is gone (404, 410) or turns out to be another page
loses them; one that failed, or was skipped for another reason, keeps what it had.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from typing import Any

from crawlkit.exceptions import ItemError
from crawlkit.store.history import History
from crawlkit.store.names import PAGE, fold, quoted
from crawlkit.store.outcome import Row, Scalar
from crawlkit.store.tables import Plan, Table, Tables


class Items:
    """The rows of pages. One thread, inside the transactions of the Store."""

    def __init__(self, connection: sqlite3.Connection, tables: Tables, history: History) -> None:
        self._connection = connection
        self._tables = tables
        self._history = history

    def replace(self, page: int, rows: Sequence[Row], *, had: int) -> int:
        """Make `rows` the rows of `page`, which had `had` of them; how many it has now.

        ItemError when one cannot be stored; what was written until then is for the caller to roll back.
        """
        written: dict[int, list[int | bytes]] = {}
        before: dict[int, list[Any]] = {}
        noted: set[tuple[int, bytes]] = set()
        for row in rows:
            try:
                table, plan, values = self._tables.fit(row)
                if table.key:
                    mark: int | bytes = self._write_keyed(page, table, plan, values, noted)
                elif had:
                    if table.id not in before:
                        before[table.id] = self._rows_of(page, table)
                    place = len(written.get(table.id, ()))
                    mark = self._write_placed(page, table, plan, values, before[table.id], place)
                else:
                    mark = self._insert(page, table, plan, values)
            except (OverflowError, UnicodeEncodeError) as error:
                raise _explained(row) from error
            written.setdefault(table.id, []).append(mark)
        if had:
            self._drop_others(page, written)
        return sum(len(set(marks)) for marks in written.values())

    def move(self, source: int, target: int) -> int:
        """Give the rows of page `source` to page `target`, which turns out to be the same; how many rows were moved."""
        moved = 0
        for table in self._tables.all():
            moved += self._connection.execute(
                f"UPDATE {quoted(table.name)} SET {PAGE} = ? WHERE {PAGE} = ?", (target, source)
            ).rowcount
        moved += self._connection.execute(
            "UPDATE OR IGNORE _owners SET page = ? WHERE page = ?", (target, source)
        ).rowcount
        self._connection.execute("DELETE FROM _owners WHERE page = ?", (source,))
        return moved

    def tables_of(self, page: int) -> dict[str, int]:
        """How many rows of each table `page` has."""
        counts = {}
        for table in self._tables.all():
            own = f"SELECT count(*) FROM {quoted(table.name)} WHERE {PAGE} = ?"
            shared = "SELECT count(*) FROM _owners WHERE page = ? AND tbl = ?"
            [rows] = self._connection.execute(f"SELECT ({own}) + ({shared})", (page, page, table.id)).fetchone()
            if rows:
                counts[table.name] = rows
        return counts

    # --- rows known by their place ----------------------------------------

    def _rows_of(self, page: int, table: Table) -> list[Any]:
        return self._connection.execute(f"{table.select} WHERE {PAGE} = ? ORDER BY _rowid_", (page,)).fetchall()

    def _write_placed(
        self, page: int, table: Table, plan: Plan, values: Sequence[Scalar], before: list[Any], place: int
    ) -> int:
        if place < len(before):
            number, _, *old = before[place]
            self._overwrite(number, page, table, _ordered(plan, values), old)
            return int(number)
        return self._insert(page, table, plan, values)

    def _insert(self, page: int, table: Table, plan: Plan, values: Sequence[Scalar]) -> int:
        number = self._connection.execute(plan.insert, (page, *values)).lastrowid or 0
        self._history.note_new(table.name, number, page)
        return number

    def _overwrite(
        self, number: int, page: int, table: Table, new: Sequence[Scalar], old: Sequence[Scalar], *, keep: bool = True
    ) -> None:
        """Write `new` over the row `number` when it differs."""
        # The table may have been widened since `old` was read: what it did not have then was empty.
        old = [*old, *[None] * (len(new) - len(old))]
        if not _same(new, old):
            if keep:
                self._history.keep(table.name, number, page, "changed", table.columns, old)
            self._connection.execute(_update(table), (page, *new, number))

    # --- rows known by their key ----------------------------------------

    def _write_keyed(
        self,
        page: int,
        table: Table,
        plan: Plan,
        values: Sequence[Scalar],
        noted: set[tuple[int, bytes]],
    ) -> bytes:
        """The row's digest. `noted`: those of whom it is written down already what they were before this page."""
        key = [values[place] if place >= 0 else None for place in plan.key]
        if None in key:
            column = table.key[key.index(None)]
            raise ItemError(f"a row of table {table.name!r} has no value in {column!r}, which is its key")
        digest = _digest(key)
        inserted = self._connection.execute(plan.insert, (page, *values))
        if inserted.rowcount == 1:
            self._history.note_new(table.name, inserted.lastrowid or 0, page)
            noted.add((table.id, digest))
            return digest
        where = " AND ".join(f"{quoted(column)} = ?" for column in table.key)
        number, owner, *old = self._connection.execute(f"{table.select} WHERE {where}", key).fetchone()
        new = _ordered(plan, values)
        if _same(new, old):
            if owner != page:
                self._own(table, digest, page)
            return digest
        self._overwrite(number, page, table, new, old, keep=(table.id, digest) not in noted)
        noted.add((table.id, digest))
        if owner != page:
            self._own(table, digest, owner)
            self._connection.execute(
                "DELETE FROM _owners WHERE tbl = ? AND key = ? AND page = ?", (table.id, digest, page)
            )
        return digest

    def _own(self, table: Table, digest: bytes, page: int) -> None:
        self._connection.execute("INSERT OR IGNORE INTO _owners VALUES (?, ?, ?)", (table.id, digest, page))

    # --- what is no longer there ----------------------------------------

    def _drop_others(self, page: int, written: dict[int, list[int | bytes]]) -> None:
        """Take from `page` what it had and did not yield this time."""
        for table in self._tables.all():
            still = set(written.get(table.id, ()))
            for number, _, *values in self._rows_of(page, table):
                if not table.key:
                    if number not in still:
                        self._drop(number, page, table, values)
                elif (digest := _digest(_key_of(table, values))) not in still:
                    self._pass_on(number, page, table, values, digest)
            shared = self._connection.execute(
                "SELECT key FROM _owners WHERE page = ? AND tbl = ?", (page, table.id)
            ).fetchall()
            self._connection.executemany(
                "DELETE FROM _owners WHERE tbl = ? AND key = ? AND page = ?",
                [(table.id, digest, page) for (digest,) in shared if digest not in still],
            )

    def _pass_on(self, number: int, page: int, table: Table, values: Sequence[Scalar], digest: bytes) -> None:
        heir = self._connection.execute(
            "SELECT page FROM _owners WHERE tbl = ? AND key = ? AND page <> ? ORDER BY page LIMIT 1",
            (table.id, digest, page),
        ).fetchone()
        if heir is None:
            self._drop(number, page, table, values)
            return
        self._connection.execute(f"UPDATE {quoted(table.name)} SET {PAGE} = ? WHERE _rowid_ = ?", (heir[0], number))
        self._connection.execute(
            "DELETE FROM _owners WHERE tbl = ? AND key = ? AND page = ?", (table.id, digest, heir[0])
        )

    def _drop(self, number: int, page: int, table: Table, values: Sequence[Scalar]) -> None:
        self._history.keep(table.name, number, page, "gone", table.columns, values)
        self._connection.execute(f"DELETE FROM {quoted(table.name)} WHERE _rowid_ = ?", (number,))


def _ordered(plan: Plan, values: Sequence[Scalar]) -> list[Scalar]:
    """The values by the table's columns, None for those that the row has not."""
    return [values[place] if place >= 0 else None for place in plan.order]


def _same(new: Sequence[Scalar], old: Sequence[Scalar]) -> bool:
    """Whether two rows show the same: 1 and 1.0 do, 1 and '1' do not."""
    return list(new) == list(old)


def _update(table: Table) -> str:
    columns = "".join(f", {quoted(column)} = ?" for column in table.columns)
    return f"UPDATE {quoted(table.name)} SET {PAGE} = ?{columns} WHERE _rowid_ = ?"


def _key_of(table: Table, values: Sequence[Scalar]) -> list[Scalar]:
    return [values[table.places[fold(column)]] for column in table.key]


def _digest(key: Sequence[Scalar]) -> bytes:
    """16 bytes that name a key; 1 and 1.0 are one key, as they are to SQLite's index."""
    plain = [int(value) if isinstance(value, float) and value.is_integer() else value for value in key]
    return hashlib.blake2b(repr(plain).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _explained(row: Row) -> ItemError:
    """The ItemError for a row that the sqlite3 module could not bind, naming the column."""
    for column, value in row.values.items():
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            return ItemError(
                f"column {column!r} of table {row.table!r} holds an integer beyond 64 bits; yield it as text"
            )
        if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
            return ItemError(
                f"column {column!r} of table {row.table!r} holds a lone surrogate, which is no text; decode or drop it"
            )
    return ItemError(f"a row of table {row.table!r} cannot be stored")

"""What the author's tables held before: rows that were overwritten, are gone or are new, for the last runs.

What belongs here: `_history`, and from which run on it is whole. What does not: comparing two runs with it (changes.py).

`row` is JSON of the author's columns as they were, bytes as {"base64": text}, infinities as text; of a new row, which was
not there, it is "{}". `row_id` is the row's `_rowid_`, which VACUUM keeps because each of our tables has an index.

The first entry that a row has after a run says what it was when that run ended; a row without one is what it is now. So two
runs are compared exactly, however often a row changed between them. New rows of the first crawl are not written down:
there is nothing to compare them with, and they are the most.
"""

from __future__ import annotations

import base64
import json
import math
import sqlite3
import time
from collections.abc import Sequence
from typing import Any, Literal

Change = Literal["changed", "gone", "added"]

#: In `_meta`: the first run whose end can be told from `_history`.
SINCE = "history"


def add_row_numbers(connection: sqlite3.Connection) -> None:
    """A migration: which row an entry is about. What was kept without it cannot be compared."""
    connection.execute("ALTER TABLE _history ADD COLUMN row_id INTEGER NOT NULL DEFAULT 0")
    connection.execute("INSERT INTO _meta SELECT ?, max(id) FROM _runs HAVING count(*)", (SINCE,))


class History:
    """One thread, inside the transactions of the Store. Keeps nothing when `runs` is 0."""

    def __init__(self, connection: sqlite3.Connection, runs: int) -> None:
        self._connection = connection
        self._runs = runs
        self._run = 0
        self._new_rows = False

    def begin(self, run: int) -> None:
        """Keep for `run` from now on, and drop what is older than the last runs.

        What the last two complete crawls are compared with is kept, however many runs they took.
        """
        self._run = run
        complete = self._connection.execute(
            "SELECT max(id) FROM _runs WHERE finished GROUP BY crawl ORDER BY 1 DESC LIMIT 2"
        ).fetchall()
        self._new_rows = bool(complete)
        last = run if self._runs == 0 else min([run - self._runs, *(number for (number,) in complete)])
        if last > 0:
            self._connection.execute("DELETE FROM _history WHERE run <= ?", (last,))
            self._connection.execute(
                "INSERT INTO _meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = max(value, excluded.value)",
                (SINCE, last),
            )

    def keep(
        self, table: str, row: int, page: int, change: Change, columns: Sequence[str], values: Sequence[Any]
    ) -> None:
        """Keep the row of `table` with the number `row` as it was before `change`."""
        if self._runs > 0:
            self._write(table, row, page, change, json.dumps(plain_row(columns, values), ensure_ascii=False))

    def note_new(self, table: str, row: int, page: int) -> None:
        """Write down that the row `row` of `table` was not there before."""
        if self._new_rows and self._runs > 0:
            self._write(table, row, page, "added", "{}")

    def _write(self, table: str, row: int, page: int, change: Change, text: str) -> None:
        self._connection.execute(
            'INSERT INTO _history (run, at, "table", page, change, row, row_id) VALUES (?, ?, ?, ?, ?, ?, ?)',
            (self._run, time.time(), table, page, change, text, row),
        )


def plain_row(columns: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    """A row as `_history` writes it."""
    return dict(zip(columns, map(_plain, values), strict=True))


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode("ascii")}
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value

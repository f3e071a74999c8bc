"""What the author's tables held before: rows that were overwritten or are gone, for the last runs.

What belongs here: `_history`. `row` is JSON of the author's columns, bytes as {"base64": text}, infinities as text.
"""

from __future__ import annotations

import base64
import json
import math
import sqlite3
import time
from collections.abc import Sequence
from typing import Any, Literal

Change = Literal["changed", "gone"]


class History:
    """One thread, inside the transactions of the Store. Keeps nothing when `runs` is 0."""

    def __init__(self, connection: sqlite3.Connection, runs: int) -> None:
        self._connection = connection
        self._runs = runs
        self._run = 0

    def begin(self, run: int) -> None:
        """Keep for `run` from now on, and drop what is older than the last runs."""
        self._run = run
        self._connection.execute("DELETE FROM _history WHERE run <= ?", (run - self._runs,))

    def keep(self, table: str, page: int, change: Change, columns: Sequence[str], values: Sequence[Any]) -> None:
        """Keep a row of `table` as it was before `change`."""
        if self._runs > 0:
            row = json.dumps(dict(zip(columns, map(_plain, values), strict=True)), ensure_ascii=False)
            self._connection.execute(
                'INSERT INTO _history (run, at, "table", page, change, row) VALUES (?, ?, ?, ?, ?, ?)',
                (self._run, time.time(), table, page, change, row),
            )


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode("ascii")}
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value

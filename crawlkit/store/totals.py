"""How many pages each crawl has in each state: kept as they change, never counted.

What belongs here: `_totals`. A leased page counts as queued, so that lending a page out changes nothing here.
"""

from __future__ import annotations

import sqlite3
from collections import Counter


class Totals:
    """Changes collected in a transaction and written at its end. One thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._changes: Counter[tuple[int, str]] = Counter()

    def move(self, pages: int, crawl: int, state: str) -> None:
        """`pages` more (or fewer) pages of `crawl` in `state`."""
        self._changes[crawl, state] += pages

    def committing(self) -> None:
        """Write the changes, in the transaction that is open."""
        changes = [(crawl, state, pages) for (crawl, state), pages in self._changes.items() if pages]
        if changes:
            self._connection.executemany(
                "INSERT INTO _totals VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET pages = pages + excluded.pages",
                changes,
            )
        self._changes.clear()

    def mark(self) -> Counter[tuple[int, str]]:
        """Where the transaction stands, for `rolled_back` to a savepoint."""
        return self._changes.copy()

    def rolled_back(self, mark: Counter[tuple[int, str]] | None = None) -> None:
        """Drop the changes since the mark, or since the last commit."""
        self._changes = mark or Counter()

    def committed(self) -> None:
        """The changes were written."""

    def of(self, crawl: int, state: str) -> int:
        """The pages of `crawl` in `state`, as committed."""
        row = self._connection.execute(
            "SELECT pages FROM _totals WHERE crawl = ? AND state = ?", (crawl, state)
        ).fetchone()
        return row[0] if row else 0

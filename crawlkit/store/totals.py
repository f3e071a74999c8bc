"""How many pages each crawl has in each state: kept as they change, never counted.

What belongs here: `_totals`. A leased page counts as queued, so that lending a page out changes nothing here.
"""

from __future__ import annotations

import sqlite3
from collections import Counter


class Totals:
    """Changes collected in a transaction and written at its end. Nobody else writes them. One thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._changes: Counter[tuple[int, str]] = Counter()
        self._written: list[tuple[int, str, int]] = []  # in the transaction that is open
        self._known: dict[tuple[int, str], int] = {}  # of what was asked for, as committed

    def move(self, pages: int, crawl: int, state: str) -> None:
        """`pages` more (or fewer) pages of `crawl` in `state`."""
        self._changes[crawl, state] += pages

    def committing(self) -> None:
        """Write the changes, in the transaction that is open."""
        self._written = [(crawl, state, pages) for (crawl, state), pages in self._changes.items() if pages]
        if self._written:
            self._connection.executemany(
                "INSERT INTO _totals VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET pages = pages + excluded.pages",
                self._written,
            )
        self._changes.clear()

    def mark(self) -> Counter[tuple[int, str]]:
        """Where the transaction stands, for `rolled_back` to a savepoint."""
        return self._changes.copy()

    def rolled_back(self, mark: Counter[tuple[int, str]] | None = None) -> None:
        """Drop the changes since the mark, or since the last commit."""
        self._changes = mark or Counter()
        self._written = []

    def committed(self) -> None:
        """The changes were written."""
        for crawl, state, pages in self._written:
            if (crawl, state) in self._known:
                self._known[crawl, state] += pages
        self._written = []

    def of(self, crawl: int, state: str) -> int:
        """The pages of `crawl` in `state`, as committed."""
        known = self._known.get((crawl, state))
        if known is None:
            row = self._connection.execute(
                "SELECT pages FROM _totals WHERE crawl = ? AND state = ?", (crawl, state)
            ).fetchone()
            known = self._known[crawl, state] = row[0] if row else 0
        return known

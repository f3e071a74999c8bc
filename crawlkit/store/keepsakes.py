"""Keepsakes: what outlives a run beside its pages: robots.txt copies, and URLs that are blamed.

What belongs here: keeping and finding them, each in a transaction of its own. What does not: their SQL where they have a
table (robots.py, refusals.py), what is made of them (crawl/robots.py, crawl/blame.py).
"""

from __future__ import annotations

import sqlite3

from crawlkit.store.faults import Wrapped
from crawlkit.store.refusals import Blame, Refusals, read_blamed
from crawlkit.store.robots import Robots, read_robots, write_robots
from crawlkit.store.transactions import Transactions


class Keepsakes:
    """One thread, that of the Store. Every method raises StorageError when the database cannot be read or written."""

    def __init__(
        self, connection: sqlite3.Connection, wrapped: Wrapped, transactions: Transactions, refusals: Refusals
    ) -> None:
        self._connection = connection
        self._wrapped = wrapped
        self._transactions = transactions
        self._refusals = refusals

    # --- URLs that are blamed for a session's death ----------------------------------------

    def blamed(self) -> list[Blame]:
        """Every URL that is blamed, quarantined or not."""
        with self._wrapped:
            return read_blamed(self._connection)

    def blame(self, profile: str, url: str, times: int, quarantined: bool) -> None:
        """Remember that `url` is blamed for that many deaths of the login of `profile`."""
        with self._wrapped, self._transactions.open():
            self._refusals.blame(profile, url, times=times, quarantined=quarantined)

    def absolve(self, profile: str, url: str) -> None:
        """Forget what `url` was blamed for."""
        with self._wrapped, self._transactions.open():
            self._refusals.absolve(profile, url)

    # --- robots.txt ----------------------------------------

    def robots(self, origin: str) -> Robots | None:
        """The robots.txt that is kept for `origin`."""
        with self._wrapped:
            return read_robots(self._connection, origin)

    def keep_robots(self, origin: str, fetched_at: float, status: int, body: str) -> None:
        """Keep the robots.txt of `origin`."""
        with self._wrapped, self._transactions.open(durable=False):
            write_robots(self._connection, Robots(origin, fetched_at, status, body))

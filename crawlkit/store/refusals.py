"""What was not fetched for fear of what it does: links that the guard refused, and URLs blamed for a session's death.

What belongs here: `_guarded` and `_blamed`. What does not: how it was decided (crawl/guard.py, crawl/blame.py).
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass

from crawlkit.store.outcome import Refusal

#: Runs whose refused links are kept.
_RUNS = 10


@dataclass(frozen=True, slots=True)
class Blame:
    """A URL after whose fetch the login of `profile` was dead, `times` often, last at `at` (seconds since 1970)."""

    profile: str
    url: str
    times: int
    at: float
    quarantined: bool


class Refusals:
    """One thread, inside the transactions of the Store."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def begin(self, run: int, *, fresh: bool) -> None:
        """Drop what is older than the last runs; `fresh` forgets all blame."""
        self._connection.execute("DELETE FROM _guarded WHERE run <= ?", (run - _RUNS,))
        if fresh:
            self._connection.execute("DELETE FROM _blamed")

    def keep(self, run: int, page: int, refused: Sequence[Refusal]) -> None:
        """Note the links of `page` that were refused; one that is noted already stays as it is."""
        self._connection.executemany(
            "INSERT OR IGNORE INTO _guarded (run, url, reason, text, page) VALUES (?, ?, ?, ?, ?)",
            [(run, refusal.url, refusal.reason, refusal.text, page) for refusal in refused],
        )

    def blame(self, profile: str, url: str, *, times: int, quarantined: bool) -> None:
        """Note what `url` is blamed for now."""
        self._connection.execute(
            "INSERT OR REPLACE INTO _blamed (profile, url, times, at, quarantined) VALUES (?, ?, ?, ?, ?)",
            (profile, url, times, time.time(), quarantined),
        )

    def absolve(self, profile: str, url: str) -> None:
        """Forget what `url` was blamed for."""
        self._connection.execute("DELETE FROM _blamed WHERE profile = ? AND url = ?", (profile, url))


def read_refused(connection: sqlite3.Connection, run: int, limit: int) -> list[Refusal]:
    """The links that `run` did not follow, by reason."""
    rows = connection.execute(
        "SELECT url, reason, text FROM _guarded WHERE run = ? ORDER BY reason, url LIMIT ?", (run, limit)
    )
    return [Refusal(*row) for row in rows]


def read_blamed(connection: sqlite3.Connection) -> list[Blame]:
    """Every URL that is blamed, the latest first."""
    rows = connection.execute("SELECT profile, url, times, at, quarantined FROM _blamed ORDER BY at DESC, url")
    return [Blame(profile, url, times, at, bool(quarantined)) for profile, url, times, at, quarantined in rows]

"""robots.txt by origin, kept between runs.

What belongs here: `_robots`. What does not: what it allows (crawl/robots).
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Robots:
    """An origin's robots.txt as it was at `fetched_at`; `body` is the text of a 200."""

    origin: str
    fetched_at: float
    status: int
    body: str


def read_robots(connection: sqlite3.Connection, origin: str) -> Robots | None:
    """What is kept for `origin`."""
    row = connection.execute(
        "SELECT origin, fetched_at, status, body FROM _robots WHERE origin = ?", (origin,)
    ).fetchone()
    return Robots(*row) if row else None


def write_robots(connection: sqlite3.Connection, robots: Robots) -> None:
    """Keep it, in the transaction that is open."""
    connection.execute(
        "INSERT OR REPLACE INTO _robots VALUES (?, ?, ?, ?)",
        (robots.origin, robots.fetched_at, robots.status, robots.body),
    )

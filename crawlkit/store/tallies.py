"""Tallies: what each run leaves for comparison with later ones, one row of JSON a run.

What belongs here: `_tallies`. What does not: what is in a tally (crawl/tally.py), what is made of it (crawl/health.py).
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

#: Tallies of runs older than so many are dropped.
_KEPT_RUNS = 500


def make_tallies(connection: sqlite3.Connection) -> None:
    """A migration: the table."""
    connection.execute("CREATE TABLE _tallies (run INTEGER PRIMARY KEY, tally TEXT NOT NULL)")


def write_tally(connection: sqlite3.Connection, run: int, tally: dict[str, Any]) -> None:
    """Keep the tally of `run`, in the transaction that is open, in place of an earlier one of the same run."""
    text = json.dumps(tally, separators=(",", ":"))
    connection.execute("INSERT OR REPLACE INTO _tallies VALUES (?, ?)", (run, text))
    connection.execute("DELETE FROM _tallies WHERE run <= ?", (run - _KEPT_RUNS,))


@dataclass(frozen=True, slots=True)
class PastCrawl:
    """A crawl with what its runs left.

    `run` ended it, at `ended` (seconds since 1970), with `outcome`; pages and seconds are those of all its runs; `records`
    are their tallies, oldest first, without those of runs that were killed.
    """

    run: int
    ended: float
    outcome: str | None
    done: int
    failed: int
    seconds: float
    records: list[dict[str, Any]]


def read_crawl(connection: sqlite3.Connection, run: int) -> PastCrawl:
    """The crawl of `run` with its runs up to that one."""
    row = connection.execute(
        f"{_CRAWLS} WHERE crawl = (SELECT crawl FROM _runs WHERE id = ?) AND id <= ? GROUP BY crawl", (run, run)
    ).fetchone()
    return _crawl(connection, row)


def read_past(connection: sqlite3.Connection, run: int, limit: int = 60) -> list[PastCrawl]:
    """The last complete crawls before that of `run` that were made with the same arguments, oldest first."""
    rows = connection.execute(
        f"{_CRAWLS} WHERE crawl < (SELECT crawl FROM _runs WHERE id = ?)"
        " AND arguments IS (SELECT arguments FROM _runs WHERE id = ?)"
        " GROUP BY crawl HAVING max(finished) ORDER BY crawl DESC LIMIT ?",
        (run, run, limit),
    ).fetchall()
    return [_crawl(connection, row) for row in reversed(rows)]


_CRAWLS = (
    "SELECT crawl, max(id), max(coalesce(ended, last_commit, started)), sum(pages), sum(failed),"
    " sum(coalesce(ended, last_commit, started) - started) FROM _runs"
)


def _crawl(connection: sqlite3.Connection, row: tuple[Any, ...]) -> PastCrawl:
    crawl, run, ended, done, failed, seconds = row
    [outcome] = connection.execute("SELECT outcome FROM _runs WHERE id = ?", (run,)).fetchone()
    records = [
        json.loads(text)
        for (text,) in connection.execute(
            "SELECT tally FROM _tallies JOIN _runs ON _runs.id = run WHERE crawl = ? AND run <= ? ORDER BY run",
            (crawl, run),
        )
    ]
    return PastCrawl(run, ended, outcome, done, failed, seconds, records)


def read_tally(connection: sqlite3.Connection, run: int) -> dict[str, Any] | None:
    """What one run left."""
    row = connection.execute("SELECT tally FROM _tallies WHERE run = ?", (run,)).fetchone()
    tally: dict[str, Any] | None = json.loads(row[0]) if row else None
    return tally

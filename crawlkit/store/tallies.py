"""Tallies: what each run leaves for comparison with later ones, one row of JSON a run.

What belongs here: `_tallies`. What does not: what is in a tally (crawl/tally.py), what is made of it (crawl/health.py).
"""

from __future__ import annotations

import json
import sqlite3
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


def read_tallies(connection: sqlite3.Connection, crawls: list[int]) -> dict[int, list[dict[str, Any]]]:
    """The tallies of the runs of each of `crawls`, in their order; runs that were killed early have none."""
    found: dict[int, list[dict[str, Any]]] = {crawl: [] for crawl in crawls}
    for crawl in crawls:
        for (text,) in connection.execute(
            "SELECT tally FROM _tallies JOIN _runs ON _runs.id = _tallies.run WHERE crawl = ? ORDER BY run", (crawl,)
        ):
            found[crawl].append(json.loads(text))
    return found

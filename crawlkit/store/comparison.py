"""Comparison: two complete crawls of a database and what changed between them, read in one snapshot.

What belongs here: opening the file for that question. What does not: the comparing (changes.py), which runs (crawls.py).
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from crawlkit.store import opening
from crawlkit.store.changes import Changes, read_changes
from crawlkit.store.crawls import Crawl, two_crawls
from crawlkit.store.faults import Wrapped

_BUSY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """What `later` changed since `earlier`."""

    spider: str
    earlier: Crawl
    later: Crawl
    changes: Changes


def compare(database: Path, runs: tuple[int, ...] = ()) -> Comparison:
    """Compare two crawls of `database`; which, says `two_crawls`. Any thread, also while a run is writing.

    UsageError when the runs cannot be compared, StoreMismatch and StorageError as for any reading.
    """
    with snapshot(database) as connection:
        earlier, later = two_crawls(connection, runs)
        return Comparison(_spider(connection), earlier, later, read_changes(connection, earlier.last, later.last))


@contextlib.contextmanager
def snapshot(database: Path) -> Iterator[sqlite3.Connection]:
    """A connection that reads `database` as it is now, whatever a run writes meanwhile. StorageError for its faults."""
    connection = opening.open_readonly(database, busy_seconds=_BUSY_SECONDS)
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    with Wrapped(database), contextlib.closing(connection):
        connection.execute("BEGIN")
        yield connection


def _spider(connection: sqlite3.Connection) -> str:
    row = connection.execute("SELECT value FROM _meta WHERE name = 'spider'").fetchone()
    return str(row[0]) if row else ""

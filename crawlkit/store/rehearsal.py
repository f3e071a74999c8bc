"""Rehearsal: what the items would be if pages had given other rows, worked out on a copy; the database stays as it is.

What belongs here: which pages of a crawl were kept, and the store's own rules run on the copy, so that ownership, types
and places are exactly those of a run. What does not: parsing (crawl/replay.py).

The copy is SQLite's own temporary database: in memory while it is small, else in a file that nobody else sees.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from crawlkit.exceptions import UsageError
from crawlkit.store.changes import Changes, read_changes
from crawlkit.store.comparison import snapshot
from crawlkit.store.crawls import numbers
from crawlkit.store.faults import Wrapped
from crawlkit.store.history import History
from crawlkit.store.items import Items
from crawlkit.store.names import PAGE, quoted
from crawlkit.store.outcome import Lease, Row
from crawlkit.store.tables import Tables

_EVERYTHING = 10**9  # runs
_BATCH = 200
_PAGE_COLUMNS = (
    "id, fingerprint, url, host, priority, depth, attempts, request, start,"
    " final_url, status, content_type, body, items"
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A page that is done: how it was asked for, what it answered, the name of its body, how many rows it has."""

    lease: Lease
    url: str
    status: int
    content_type: str | None
    body: bytes
    items: int


class Rehearsal:
    """The crawl of `run`, or the last one, of a database. One thread; StorageError when the database cannot be read.

    `run` is the number of the crawl's last run, `missing` how many of its pages have no body.
    """

    def __init__(self, database: Path, run: int | None = None) -> None:
        """UsageError when there is no such run."""
        self.database = database
        self._wrapped = Wrapped(database)
        with snapshot(database) as connection:
            self.run, self._crawl = _chosen(connection, run)
            self._connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
            connection.backup(self._connection)
        with self._wrapped:
            [self._last] = self._connection.execute("SELECT max(id) FROM _runs").fetchone()
            [self.missing] = self._connection.execute(
                "SELECT count(*) FROM _pages WHERE crawl = ? AND state = 'done' AND body IS NULL", (self._crawl,)
            ).fetchone()
            self._begin()

    def _begin(self) -> None:
        connection = self._connection
        connection.execute("PRAGMA journal_mode = MEMORY")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        connection.execute("UPDATE _runs SET finished = 1")  # or history would not note new rows
        history = History(connection, _EVERYTHING)
        self._tables = Tables(connection, history)
        self._items = Items(connection, self._tables, history)
        history.begin(self._last + 1)
        self._tables.begin(self._last + 1)
        connection.execute("CREATE TEMP TABLE _was (tbl INTEGER, number INTEGER, page INTEGER)")
        for table in self._tables.all():
            if table.key:
                connection.execute(
                    f"INSERT INTO _was SELECT ?, _rowid_, {PAGE} FROM {quoted(table.name)}"
                    " WHERE EXISTS (SELECT 1 FROM _owners WHERE tbl = ?)",
                    (table.id, table.id),
                )

    def close(self) -> None:
        """Throw the copy away."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def owner(self) -> tuple[str, str]:
        """The spider and its source ("file::Class", from the database's folder)."""
        with self._wrapped:
            meta = dict(self._connection.execute("SELECT name, value FROM _meta WHERE name IN ('spider', 'source')"))
        return str(meta.get("spider", "")), str(meta.get("source", ""))

    def arguments(self) -> str | None:
        """What `_runs` says of the arguments of the run."""
        with self._wrapped:
            row = self._connection.execute("SELECT arguments FROM _runs WHERE id = ?", (self.run,)).fetchone()
        return row[0] if row else None

    def pages(self) -> Iterator[Kept]:
        """Every page of the crawl whose body was kept, as far as is known in the order of their commits."""
        with self._wrapped:
            self._connection.execute("CREATE TEMP TABLE _order (place INTEGER PRIMARY KEY, page INTEGER)")
            self._connection.execute(
                "INSERT INTO _order (page) SELECT id FROM _pages WHERE crawl = ? AND state = 'done' AND body IS NOT NULL"
                " ORDER BY fetched_at + coalesce(elapsed, 0), id",
                (self._crawl,),
            )
        place = 0
        while True:  # in batches: no statement may be open while a table is written anew
            with self._wrapped:
                rows = self._connection.execute(
                    f"SELECT place, {_PAGE_COLUMNS} FROM _order JOIN _pages ON id = page WHERE place > ?"
                    " ORDER BY place LIMIT ?",
                    (place, _BATCH),
                ).fetchall()
            if not rows:
                return
            place = rows[-1][0]
            yield from (self._kept(row[1:]) for row in rows)

    def page(self, number: int) -> Kept | None:
        """One of these pages."""
        with self._wrapped:
            row = self._connection.execute(
                f"SELECT {_PAGE_COLUMNS} FROM _pages WHERE id = ? AND crawl = ? AND state = 'done' AND body IS NOT NULL",
                (number, self._crawl),
            ).fetchone()
        return None if row is None else self._kept(row)

    def _kept(self, row: Sequence[object]) -> Kept:
        number, fingerprint, url, host, priority, depth, attempts, request, start, final, status, kind, body, items = (
            row
        )
        lease = Lease(number, fingerprint, url, host, priority, depth, attempts, request, bool(start), self.run)  # type: ignore[arg-type]
        return Kept(lease, final or url, status or 200, kind, body, items)  # type: ignore[arg-type]

    def replace(self, page: Kept, rows: Sequence[Row]) -> int:
        """Make `rows` the rows of a page; how many it has now. ItemError when they cannot be stored: it keeps its own."""
        with self._wrapped, self._savepoint():
            return self._items.replace(page.lease.page, rows, had=page.items)

    @contextlib.contextmanager
    def _savepoint(self) -> Iterator[None]:
        connection = self._connection
        connection.execute("SAVEPOINT page")
        try:
            yield
        except BaseException:
            connection.execute("ROLLBACK TO page")
            connection.execute("RELEASE page")
            self._tables.rolled_back()
            raise
        connection.execute("RELEASE page")

    def disputed(self) -> list[Kept]:
        """Pages whose rows were overwritten by another page with the same keys. The last one counts in a run, and which
        that was is not known exactly: replaced once more, these have the last word as they had it.
        """
        found: dict[int, None] = {}
        with self._wrapped:
            for table in self._tables.all():
                rows = self._connection.execute(
                    f"SELECT DISTINCT _was.page FROM _was JOIN {quoted(table.name)} AS now ON now._rowid_ = _was.number"
                    f" WHERE _was.tbl = ? AND now.{PAGE} <> _was.page ORDER BY 1",
                    (table.id,),
                )
                found.update((page, None) for (page,) in rows.fetchall())
        return [kept for page in found if (kept := self.page(page)) is not None]

    def changes(self) -> Changes:
        """What is new, changed or gone in the copy."""
        with self._wrapped:
            return read_changes(self._connection, self._last, self._last + 1)


def _chosen(connection: sqlite3.Connection, run: int | None) -> tuple[int, int]:
    """The last run of the crawl that is meant, and the crawl."""
    known = connection.execute("SELECT id, crawl FROM _runs ORDER BY id").fetchall()
    if not known:
        raise UsageError("no run has begun yet; nothing can be replayed")
    crawls = dict(known)
    if run is not None and run not in crawls:
        raise UsageError(f"there is no run {run}; there are {numbers(list(crawls))}")
    crawl = crawls[run] if run is not None else known[-1][1]
    return max(number for number, of in known if of == crawl), crawl

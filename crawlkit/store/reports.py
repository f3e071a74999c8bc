"""Questions about a database: its runs, pages by state, failures, items. What belongs here: reading for people.

What does not: writing (database.py), layout of answers (cli/).
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from crawlkit.store import census, integrity
from crawlkit.store.faults import Wrapped, storage_error
from crawlkit.store.names import quoted
from crawlkit.store.outcome import Refusal
from crawlkit.store.records import Archive, read_archives
from crawlkit.store.refusals import Blame, read_blamed, read_refused


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A row of `_runs`. Times are seconds since 1970; `outcome` None while it goes on (or was just killed)."""

    id: int
    crawl: int
    started: float
    ended: float | None
    outcome: str | None
    finished: bool
    exit_code: int | None
    reason: str | None
    pages: int
    failed: int
    skipped: int
    items: int
    bytes: int
    unchanged: int
    saved: int
    requests: int
    last_commit: float | None
    pid: int | None
    version: str | None
    source_hash: str | None
    arguments: str | None


@dataclass(frozen=True, slots=True)
class PageRecord:
    """What a report says of a page."""

    id: int
    url: str
    state: str
    status: int | None
    error: str | None
    depth: int
    attempts: int
    fetched_at: float | None
    parent_url: str | None


_RUN = ", ".join(RunRecord.__dataclass_fields__)
_PAGE = (
    "SELECT p.id, p.url, p.state, p.status, p.error, p.depth, p.attempts, p.fetched_at, parent.url"
    " FROM _pages AS p LEFT JOIN _pages AS parent ON parent.id = p.parent"
)


def _record(row: tuple[Any, ...]) -> RunRecord:
    record = dict(zip(RunRecord.__dataclass_fields__, row, strict=True))
    return RunRecord(**record | {"finished": bool(record["finished"])})


class Reports:
    """Answers over one connection, for one thread. Every method raises StorageError when the file cannot be read."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.path = path
        self._connection = connection
        self._wrapped = Wrapped(path)

    def close(self) -> None:
        """Close the connection."""
        with self._wrapped:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def owner(self) -> tuple[str, str]:
        """Spider and source ("file::Class") that the database belongs to."""
        with self._wrapped:
            meta = dict(self._connection.execute("SELECT name, value FROM _meta WHERE name IN ('spider', 'source')"))
        return meta.get("spider", ""), meta.get("source", "")

    def runs(self, limit: int = 20) -> list[RunRecord]:
        """The last runs, newest first."""
        with self._wrapped:
            rows = self._connection.execute(f"SELECT {_RUN} FROM _runs ORDER BY id DESC LIMIT ?", (limit,)).fetchall()
        return [_record(row) for row in rows]

    def run(self, number: int) -> RunRecord | None:
        """One run."""
        with self._wrapped:
            row = self._connection.execute(f"SELECT {_RUN} FROM _runs WHERE id = ?", (number,)).fetchone()
        return _record(row) if row else None

    def totals(self, crawl: int | None = None) -> dict[str, int]:
        """Pages by state (queued, leased, done, failed, skipped), of one crawl or of all. Not counted: kept."""
        with self._wrapped:
            rows = self._connection.execute(
                "SELECT state, sum(pages) FROM _totals WHERE ? IS NULL OR crawl = ? GROUP BY state", (crawl, crawl)
            ).fetchall()
            leased = self._connection.execute(
                "SELECT count(*) FROM _pages INDEXED BY _pages_leased"
                " WHERE state = 'leased' AND (? IS NULL OR crawl = ?)",
                (crawl, crawl),
            ).fetchone()[0]
        totals = dict.fromkeys(("queued", "leased", "done", "failed", "skipped"), 0) | dict(rows)
        totals["leased"] = leased
        totals["queued"] -= leased
        return totals

    def failed(self, *, crawl: int | None = None, limit: int = 100) -> list[PageRecord]:
        """Failed pages with their reasons, in the order in which they were found."""
        with self._wrapped:
            rows = self._connection.execute(
                f"{_PAGE} WHERE p.state = 'failed' AND (? IS NULL OR p.crawl = ?) ORDER BY p.id LIMIT ?",
                (crawl, crawl, limit),
            ).fetchall()
        return [PageRecord(*row) for row in rows]

    def failures(self, crawl: int | None = None) -> dict[str, int]:
        """How many pages failed for each reason, the most frequent first."""
        with self._wrapped:
            return dict(
                self._connection.execute(
                    "SELECT coalesce(error, ''), count(*) FROM _pages"
                    " WHERE state = 'failed' AND (? IS NULL OR crawl = ?) GROUP BY 1 ORDER BY 2 DESC, 1",
                    (crawl, crawl),
                ).fetchall()
            )

    def refused(self, run: int, limit: int = 1_000) -> list[Refusal]:
        """The links that `run` did not follow because they log out or destroy, by reason."""
        with self._wrapped:
            return read_refused(self._connection, run, limit)

    def blamed(self) -> list[Blame]:
        """The URLs that are blamed for the death of a login, the latest first."""
        with self._wrapped:
            return read_blamed(self._connection)

    def tables(self) -> dict[str, int]:
        """Rows of each of the author's tables, in the order in which the tables were made."""
        with self._wrapped:
            names = [
                row[0]
                for row in self._connection.execute(
                    "SELECT name FROM _tables WHERE name IN (SELECT name FROM sqlite_master) ORDER BY id"
                )
            ]
            return {
                name: self._connection.execute(f"SELECT count(*) FROM {quoted(name)}").fetchone()[0] for name in names
            }

    def ended_starts(self) -> list[str]:
        """Where start pages ended that ended elsewhere, in whichever crawl."""
        with self._wrapped:
            rows = self._connection.execute(
                "SELECT final_url FROM _pages INDEXED BY _pages_start WHERE start = 1 AND final_url IS NOT NULL"
            )
            return [url for (url,) in rows if url is not None]

    def last_archive(self) -> Archive | None:
        """The archive that was begun last."""
        with self._wrapped:
            archives = read_archives(self._connection)
        return archives[-1] if archives else None

    def census(self, crawl: int, archive: int | None = None) -> list[census.Counted]:
        """Every URL of a crawl and what became of it; with `archive`, which record of it that has."""
        with self._wrapped:
            return list(census.census(self._connection, crawl, archive))

    def guarded(self, crawl: int) -> list[tuple[str, str, str]]:
        """What the guard refused on pages of a crawl: the URL, why, and where it stands."""
        with self._wrapped:
            return census.guarded(self._connection, crawl)

    def rows_of(self, table: str, columns: Sequence[str], crawl: int) -> list[tuple[str | None, ...]]:
        """What pages of a crawl have in a table of the author's; nothing when there is no such table."""
        with self._wrapped:
            return census.rows_of(self._connection, table, columns, crawl)

    def urls_with_meta(self, archive: int, key: str) -> set[str]:
        """The URLs of an archive's records of requests whose `meta` has this key."""
        with self._wrapped:
            return census.urls_with_meta(self._connection, archive, key)

    def pages(self, archive: int) -> set[str]:
        """The URLs, as its records name them, of an archive's HTML documents that the crawl itself was given."""
        with self._wrapped:
            return census.pages(self._connection, archive)

    def check(self) -> list[str]:
        """Read all of the database: what is wrong with it, empty when nothing is."""
        return integrity.check(self._connection)


def damage(path: str | Path) -> list[str]:
    """What SQLite itself says is wrong with the file at `path`, which need not be fit to open; empty when it is whole.

    Reads the whole file and writes nothing. Any thread. StorageError when the file cannot be read at all.
    """
    path = Path(path)
    problems: list[str] = []
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            for (found,) in connection.execute("PRAGMA integrity_check"):
                problems.extend(line for line in found.splitlines() if line not in ("ok", ""))
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise storage_error(path, error) from error
        problems.append(str(error))
    return problems

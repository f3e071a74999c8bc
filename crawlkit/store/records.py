"""Records: where in which archive the exchanges of a page were written down, and what a later record may refer to.

What belongs here: `_archives` and `_records`. What does not: the bytes of records (archive/), which page an exchange is of.

A row of `_records` is committed with its page, and names bytes that are on the disk by then: the end of an archive's last
row is how far its files count. Rows of a page that turned out to be wrong stay, `dropped`: their bytes are in the file.

One archive refers to records of another only while that one's package is there: what was overwritten or moved away holds
nothing any more.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from crawlkit.store.faults import Wrapped
from crawlkit.store.outcome import Entry, Lease
from crawlkit.store.transactions import Transactions

#: `open` while records are added; `packaged`; `abandoned` when another archive began in its place.
ArchiveState = Literal["open", "packaged", "abandoned"]

_TABLES = """
CREATE TABLE _archives (
    id INTEGER PRIMARY KEY,
    output TEXT NOT NULL,
    crawl INTEGER NOT NULL,
    state TEXT NOT NULL,
    begun REAL NOT NULL,
    ended REAL,
    size INTEGER
);
CREATE TABLE _records (
    id INTEGER PRIMARY KEY,
    archive INTEGER NOT NULL,
    page INTEGER NOT NULL,
    run INTEGER NOT NULL,
    file TEXT NOT NULL,
    start INTEGER NOT NULL,
    length INTEGER NOT NULL,
    kind TEXT NOT NULL,
    url TEXT NOT NULL,
    date TEXT NOT NULL,
    status INTEGER,
    mime TEXT NOT NULL,
    digest TEXT,
    size INTEGER NOT NULL,
    own INTEGER NOT NULL,
    refers_url TEXT,
    refers_date TEXT,
    dropped INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX _records_archive ON _records (archive, id);
CREATE INDEX _records_page ON _records (page);
CREATE INDEX _records_digest ON _records (digest) WHERE digest IS NOT NULL AND kind = 'response' AND dropped = 0
"""
_INSERT = (
    "INSERT INTO _records (archive, page, run, file, start, length, kind, url, date, status, mime, digest, size,"
    " own, refers_url, refers_date) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_AMONG = "archive IN (SELECT value FROM json_each(?))"
#: Of a group, SQLite takes the other columns from the row that has the minimum.
_ORIGINALS = (
    "SELECT url, date, digest, min(id) FROM _records INDEXED BY _records_digest"
    " WHERE digest IN (SELECT value FROM json_each(?)) AND kind = 'response' AND dropped = 0"
    f" AND {_AMONG} GROUP BY digest"
)
#: What a replay shows of the page: what a revisit refers to, else the record itself.
_LAST_OF = (
    "SELECT coalesce(refers_url, url), coalesce(refers_date, date), digest FROM _records INDEXED BY _records_page"
    f" WHERE page = ? AND own AND NOT dropped AND status IN (200, 304) AND {_AMONG} ORDER BY id DESC LIMIT 1"
)
_TELL = (
    "SELECT id, (SELECT url FROM _pages WHERE id = page.parent),"
    " EXISTS (SELECT 1 FROM _records INDEXED BY _records_page"
    f" WHERE _records.page = page.id AND own AND NOT dropped AND status IN (200, 304) AND {_AMONG})"
    " FROM _pages AS page WHERE id IN (SELECT value FROM json_each(?))"
)


def make_records(connection: sqlite3.Connection) -> None:
    """A migration: the tables."""
    for statement in _TABLES.split(";\n"):
        connection.execute(statement)


@dataclass(frozen=True, slots=True)
class Archive:
    """A row of `_archives`. `output`: the absolute path of the package; `crawl`: the one that it is of; `size`: bytes of
    the package, None while it is open.
    """

    id: int
    output: Path
    crawl: int
    state: ArchiveState
    size: int | None


@dataclass(frozen=True, slots=True)
class Original:
    """A record that a revisit refers to; `date` as its WARC-Date says, `digest` that of its payload."""

    url: str
    date: str
    digest: str | None = None


class Records:
    """The records of one archive at a time. One thread, that of the Store. `keep`, `drop` and `tell` are for inside its
    transactions; all else stands alone, and raises StorageError when the database cannot be read or written.
    """

    def __init__(self, connection: sqlite3.Connection, wrapped: Wrapped, transactions: Transactions) -> None:
        self._connection = connection
        self._wrapped = wrapped
        self._transactions = transactions
        self._archive: int | None = None
        self._referable = "[]"

    # --- archives ----------------------------------------

    def archives(self) -> list[Archive]:
        """Every archive that was ever begun, oldest first."""
        with self._wrapped:
            return read_archives(self._connection)

    def packages(self) -> list[Path]:
        """The packages that are there, oldest first."""
        outputs = [archive.output for archive in self.archives() if _is_there(archive)]
        return [output for output in dict.fromkeys(outputs) if output.name.endswith(".wacz")]

    def begin(self, output: Path, crawl: int) -> Archive:
        """Records are of the open archive of `crawl` at `output` from now on, begun when there is none."""
        archives = self.archives()
        mine = [archive for archive in archives if (archive.output, archive.state) == (output, "open")]
        found = next((archive for archive in mine if archive.crawl == crawl), None)
        for archive in mine:
            if archive is not found:
                self.close(archive.id, "abandoned")
        if found is None:
            with self._wrapped, self._transactions.open():
                number = self._connection.execute(
                    "INSERT INTO _archives (output, crawl, state, begun) VALUES (?, ?, 'open', ?)",
                    (str(output), crawl, time.time()),
                ).lastrowid
            found = Archive(number or 0, output, crawl, "open", None)
        self._archive, self._referable = found.id, json.dumps([found.id])
        return found

    def look_back(self) -> None:
        """Refer to earlier archives, too, from now on: those that are there, but for what the last fresh crawl forgot and
        what will be overwritten. To be called once the run has begun.
        """
        with self._wrapped:
            row = self._connection.execute(
                "SELECT crawl FROM _runs WHERE id = (SELECT value FROM _meta WHERE name = 'fresh')"
            ).fetchone()
        first = row[0] if row is not None else 0
        archives = self.archives()
        outputs = {archive.output for archive in archives if archive.id == self._archive}
        there = [
            archive.id
            for archive in archives
            if archive.crawl >= first and archive.output not in outputs and _is_there(archive)
        ]
        self._referable = json.dumps([*there, self._archive])

    def close(self, archive: int, state: ArchiveState, size: int | None = None) -> None:
        """No record is added to `archive` any more."""
        with self._wrapped, self._transactions.open():
            self._connection.execute(
                "UPDATE _archives SET state = ?, ended = ?, size = ? WHERE id = ?", (state, time.time(), size, archive)
            )

    # --- records ----------------------------------------

    def keep(self, kept: Iterable[tuple[int, int, Sequence[Entry]]]) -> None:
        """Write down what was appended to the archive: for which page, in which run, which entries."""
        self._connection.executemany(
            _INSERT,
            [
                (self._archive, page, run, entry.file, entry.start, entry.length, entry.kind, entry.url, entry.date,
                 entry.status, entry.mime, entry.digest, entry.size, entry.own, entry.refers_url,
                 entry.refers_date)
                for page, run, entries in kept
                for entry in entries
            ],
        )  # fmt: skip

    def drop(self, pages: Iterable[int]) -> None:
        """What this archive has of `pages` is not to be in its package: they were given to a stranger."""
        if self._archive is not None:
            self._connection.executemany(
                "UPDATE _records SET dropped = 1 WHERE page = ? AND archive = ?",
                [(page, self._archive) for page in pages],
            )

    def end(self, archive: int) -> tuple[str, int] | None:
        """How far the archive's files count: the name of the last one, and bytes; None when nothing counts."""
        with self._wrapped:
            return self._connection.execute(  # type: ignore[no-any-return]
                "SELECT file, start + length FROM _records WHERE archive = ? ORDER BY id DESC LIMIT 1", (archive,)
            ).fetchone()

    def dropped(self, archive: int) -> list[tuple[str, int, int]]:
        """Records that must not be in the package: file, start and length in bytes, in the order of the files."""
        with self._wrapped:
            return self._connection.execute(
                "SELECT file, start, length FROM _records WHERE archive = ? AND dropped = 1 ORDER BY id", (archive,)
            ).fetchall()

    # --- what may be referred to ----------------------------------------

    def tell(self, leases: Sequence[Lease]) -> None:
        """Add to leases what only an archive asks for: the page that they were found on, whether they may answer 304."""
        if self._archive is None:
            return
        pages = json.dumps([lease.page for lease in leases])
        told = {page: rest for page, *rest in self._connection.execute(_TELL, (self._referable, pages))}
        for lease in leases:
            via, recorded = told[lease.page]
            lease.via, lease.recorded = via, bool(recorded)

    def originals(self, digests: Iterable[str]) -> dict[str, Original]:
        """By digest, the first record with that payload, for those that have one."""
        with self._wrapped:
            rows = self._connection.execute(_ORIGINALS, (json.dumps(list(digests)), self._referable)).fetchall()
        return {digest: Original(url, date, digest) for url, date, digest, _ in rows}

    def last_of(self, page: int) -> Original | None:
        """The record that shows what `page` was like when it was last asked for."""
        with self._wrapped:
            row = self._connection.execute(_LAST_OF, (page, self._referable)).fetchone()
        return None if row is None else Original(*row)


def read_archives(connection: sqlite3.Connection) -> list[Archive]:
    """Every archive that was ever begun, oldest first."""
    rows = connection.execute("SELECT id, output, crawl, state, size FROM _archives ORDER BY id")
    return [Archive(number, Path(output), crawl, state, size) for number, output, crawl, state, size in rows]


def _is_there(archive: Archive) -> bool:
    """Whether a package is still what it was when it was made, as far as its size tells."""
    try:
        return archive.state == "packaged" and archive.output.stat().st_size == archive.size
    except OSError:
        return False

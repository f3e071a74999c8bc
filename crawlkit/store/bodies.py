"""Bodies of pages, each once, in a file of their own beside the database: `data/NAME.bodies.db`.

What belongs here: naming, compressing, writing, reading and removing bodies. What does not: which page has which
(`_pages.body`), what a body was asked for with: no header is ever written here.

A body's name is the hash of its bytes, so that two pages that are alike, or a page that is as it was, take no room twice.
Bodies are committed before the transaction of the pages that name them; what no page names any more is removed when a
crawl has finished.
"""

from __future__ import annotations

import hashlib
import sqlite3
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from crawlkit.exceptions import StorageError, StoreMismatch
from crawlkit.store import opening
from crawlkit.store.faults import Wrapped
from crawlkit.store.outcome import Body

#: "crkb", as in schema.py.
_APPLICATION_ID = 0x63726B62
_BUSY_SECONDS = 30.0


def bodies_path(database: Path) -> Path:
    """Where the bodies of the pages of `database` are."""
    return database.with_name(f"{database.name.removesuffix('.db')}.bodies.db")


def body_of(content: bytes) -> Body:
    """`content` as it is kept. Any thread; the interpreter's lock is not held while it is compressed."""
    data: bytes = _zstd().compress(content)
    return Body(hashlib.blake2b(content, digest_size=16).digest(), data, len(content))


class Bodies:
    """The file of bodies of one database. `read` from any thread, the rest from one; StorageError when it cannot be used."""

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        """Open the file at `path`, made when it is `writable` and there is none.

        StoreMismatch when it is no file of bodies; StorageError when there is none.
        """
        self.path = path
        self._wrapped = Wrapped(path)
        self._lock = threading.Lock()
        self._writer = self._open_writable() if writable else None
        if not path.exists():
            raise StorageError(f"{path}: no bodies were kept; set [store] bodies = true and run the spider")
        with self._wrapped:
            self._reader = opening.connect(path, "ro", _BUSY_SECONDS)
            if self._reader.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION_ID:
                self._reader.close()
                raise StoreMismatch(f"{path}: it was not made by crawlkit for bodies; move it away")

    def _open_writable(self) -> sqlite3.Connection:
        opening.check_folder(self.path)
        opening.check_header(self.path)
        with self._wrapped:
            connection = opening.connect(self.path, "rwc", _BUSY_SECONDS)
            try:
                new = not connection.execute("SELECT 1 FROM sqlite_master").fetchone()
                mine = connection.execute("PRAGMA application_id").fetchone()[0] == _APPLICATION_ID
                if not new and not mine:
                    raise StoreMismatch(f"{self.path}: it was not made by crawlkit for bodies; move it away")
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS bodies (name BLOB PRIMARY KEY, size INTEGER NOT NULL, data BLOB NOT NULL)"
                )
                connection.execute("COMMIT")
            except BaseException:
                connection.close()
                raise
        return connection

    def close(self) -> None:
        """Close the file."""
        with self._wrapped, self._lock:
            self._reader.close()
            if self._writer is not None:
                self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, name: bytes) -> bytes | None:
        """The bytes of that name; None when they are not there. StorageError when they are damaged."""
        with self._wrapped, self._lock:
            row = self._reader.execute("SELECT data FROM bodies WHERE name = ?", (name,)).fetchone()
        if row is None:
            return None
        try:
            content: bytes = _zstd().decompress(row[0])
        except _zstd().ZstdError as error:
            raise StorageError(
                f"{self.path}: the body {name.hex()} is damaged ({error}); move the file away"
            ) from error
        return content

    def add(self, bodies: Iterable[Body]) -> None:
        """Keep bodies, durably when it returns."""
        rows = [(body.name, body.size, body.data) for body in bodies]
        if not rows:
            return
        with self._wrapped:
            writer = self._writing()
            writer.execute("BEGIN IMMEDIATE")
            try:
                writer.executemany("INSERT OR IGNORE INTO bodies VALUES (?, ?, ?)", rows)
                writer.execute("COMMIT")
            except BaseException:
                if writer.in_transaction:
                    writer.execute("ROLLBACK")
                raise

    def sweep(self, database: Path) -> int:
        """Remove what no page of `database` names; how many bodies it was. For when no run writes but the caller's."""
        with self._wrapped:
            writer = self._writing()
            writer.execute("ATTACH ? AS spider", (f"{database.absolute().as_uri()}?mode=ro",))
            try:
                return writer.execute(
                    "DELETE FROM bodies WHERE NOT EXISTS (SELECT 1 FROM spider._pages WHERE body = bodies.name)"
                ).rowcount
            finally:
                writer.execute("DETACH spider")

    def _writing(self) -> sqlite3.Connection:
        if self._writer is None:
            raise StorageError(f"{self.path}: it was opened for reading only")
        return self._writer


def _zstd() -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd

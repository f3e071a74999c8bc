"""Opening a database: is it one, is it ours, is it this spider's, can it be written? Asked before the first request.

What belongs here: guards and pragmas. What does not: reading it whole (integrity.py), tables (schema.py).

Looked at: the header, the schema, `_meta`. A file that is not ours, or damaged, is named and left as it is.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from crawlkit.exceptions import StorageError, StoreMismatch
from crawlkit.store import schema
from crawlkit.store.faults import Wrapped

_MAGIC = b"SQLite format 3\x00"

#: Pages of the write-ahead log after which it is copied into the file: 32 MB, so that leaves of an index that are
#: written again and again are copied once.
_CHECKPOINT_PAGES = 8_000

#: Page cache in KiB.
_CACHE_KIB = 32_768


def open_writable(path: Path, *, spider: str, source: str, adopt: bool, busy_seconds: float) -> sqlite3.Connection:
    """The one connection that writes. StoreMismatch, StorageError."""
    check_folder(path)
    check_header(path)
    with Wrapped(path):
        connection = connect(path, "rwc", busy_seconds)
        try:
            version = _version(connection, path)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")  # secrets.py; a freed page of a long body, too
            connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
            connection.execute(f"PRAGMA journal_size_limit = {_CHECKPOINT_PAGES * 4096}")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            connection.execute("BEGIN IMMEDIATE")
            schema.migrate(connection, version)
            _check_owner(connection, path, spider, source, adopt)
            connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
    return connection


def open_readonly(path: Path, *, busy_seconds: float) -> sqlite3.Connection:
    """A connection that only reads, also while a run is writing. StoreMismatch, StorageError."""
    if not path.exists():
        raise StorageError(f"{path}: there is no such database; has the spider run, and in this folder?")
    check_header(path)
    with Wrapped(path):
        connection = connect(path, "ro", busy_seconds)
        try:
            version = _version(connection, path)
            if version < schema.VERSION:
                raise StoreMismatch(
                    f"{path}: it was written by an older crawlkit; the spider's next run brings it up to date"
                    if version
                    else f"{path}: it is empty; run the spider first"
                )
        except BaseException:
            connection.close()
            raise
    return connection


def connect(path: Path, mode: str, busy_seconds: float) -> sqlite3.Connection:
    """A connection in one of SQLite's modes (`ro`, `rwc`), without transactions of its own."""
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=busy_seconds,
        isolation_level=None,
        # Opened in one thread, then used by the writer's alone.
        check_same_thread=False,
        cached_statements=512,
    )


def check_folder(path: Path) -> None:
    """Make the folder of the file at `path`. StorageError when that cannot be done."""
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"{path.parent}: the folder for the database cannot be made ({error.strerror}); "
            "name another with [store] dir or --db"
        ) from error


def check_header(path: Path) -> None:
    """StorageError when there is a file at `path` that is no SQLite database."""
    try:
        with path.open("rb") as file:
            head = file.read(len(_MAGIC))
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(f"{path}: it cannot be read ({error.strerror}); check its permissions") from error
    if head and head != _MAGIC:
        raise StorageError(
            f"{path}: it is no SQLite database, or a damaged one, and was left as it is; "
            "restore a copy, move it away, or name another file with --db"
        )


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """The version of our schema that the file has, 0 when it is new. StoreMismatch when it is not ours or newer."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if application == 0 and version == 0 and not tables:
        return 0
    if application != schema.APPLICATION_ID or "_meta" not in tables:
        raise StoreMismatch(
            f"{path}: this database was not made by a crawlkit spider and was left as it is; "
            "name another file with --db"
        )
    if version > schema.VERSION:
        raise StoreMismatch(
            f"{path}: it was written by a newer crawlkit (schema {version}, this one knows {schema.VERSION}) "
            "and was left as it is; upgrade crawlkit"
        )
    return version


def _check_owner(connection: sqlite3.Connection, path: Path, spider: str, source: str, adopt: bool) -> None:
    """Write down whose the database is, or refuse another's. The write also proves that the file can be written."""
    owner = dict(connection.execute("SELECT name, value FROM _meta WHERE name IN ('spider', 'source')"))
    kept = owner.get("source", "")
    if owner and not adopt and (owner.get("spider"), _place(path, kept)) != (spider, _place(path, source)):
        raise StoreMismatch(
            f"{path}: it belongs to spider {owner.get('spider')!r} of {_place(path, kept)}, "
            f"not to {spider!r} of {_place(path, source)}; "
            "take it over with --adopt, or name another file with --db"
        )
    connection.executemany("INSERT OR REPLACE INTO _meta VALUES (?, ?)", [("spider", spider), ("source", source)])


def _place(path: Path, source: str) -> str:
    """`file.py::Class` with the file as it is found from the folder of the database at `path`, absolute."""
    file, separator, name = source.partition("::")
    return f"{os.path.normpath(path.parent.resolve() / file)}{separator}{name}"

"""The vault's tables, and how older ones become newer ones.

What belongs here: one function a version, run in order and once; they are never changed after a release.
What does not: reading and writing rows (vaultrows.py).

Every row of a profile carries `version`, the profile's count when it was written, by which another process
finds what is new to it; `modified`, by which the later of two changes wins; and `deleted`, a marker that
stays for a while so that the deletion reaches the others.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

APPLICATION_ID = 0x63726B76  # "crkv"


def _profiles_and_their_rows(db: sqlite3.Connection) -> None:
    # AUTOINCREMENT: the number of a deleted profile must not come back, for processes remember it.
    db.execute("""
        CREATE TABLE profiles (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            version INTEGER NOT NULL DEFAULT 0,
            created REAL NOT NULL,
            saved REAL NOT NULL
        )""")
    db.execute("""
        CREATE TABLE cookies (
            profile INTEGER NOT NULL REFERENCES profiles (id) ON DELETE CASCADE,
            host TEXT NOT NULL,
            host_only INTEGER NOT NULL,
            path TEXT NOT NULL,
            name TEXT NOT NULL,
            value TEXT NOT NULL,
            dotted INTEGER NOT NULL,
            secure INTEGER NOT NULL,
            httponly INTEGER NOT NULL,
            samesite TEXT,
            expires INTEGER,
            persistent INTEGER NOT NULL,
            creation REAL NOT NULL,
            extra TEXT,
            accessed REAL NOT NULL,
            modified REAL NOT NULL,
            version INTEGER NOT NULL,
            deleted INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (profile, host, host_only, path, name)
        ) WITHOUT ROWID""")
    for table, value in (("headers", "spelling TEXT NOT NULL, value"), ("state", "value TEXT NOT NULL")):
        db.execute(f"""
            CREATE TABLE {table} (
                profile INTEGER NOT NULL REFERENCES profiles (id) ON DELETE CASCADE,
                name TEXT NOT NULL,
                {value},
                modified REAL NOT NULL,
                version INTEGER NOT NULL,
                deleted INTEGER NOT NULL DEFAULT 0,
                PRIMARY KEY (profile, name)
            ) WITHOUT ROWID""")
    for table in ("cookies", "headers", "state"):
        db.execute(f"CREATE INDEX {table}_new ON {table} (profile, version)")


def _encryption(db: sqlite3.Connection) -> None:
    # No row: the values are plain.
    db.execute("""
        CREATE TABLE encryption (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            salt BLOB NOT NULL,
            proof BLOB NOT NULL
        )""")


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_profiles_and_their_rows, _encryption)
"""The function at index n leads from version n to n + 1. The version is SQLite's `user_version`."""


def migrate(db: sqlite3.Connection, version: int) -> None:
    """Bring the tables from `version` to the newest. In the caller's transaction: all steps or none."""
    for number, step in enumerate(MIGRATIONS[version:], start=version + 1):
        step(db)
        db.execute(f"PRAGMA user_version = {number}")
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")

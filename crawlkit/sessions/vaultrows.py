"""The rows of a profile: reading those that are new, writing those that changed, merging the two.

What belongs here: SQL over the three tables, all alike, in a transaction that the caller holds. What does
not: what a row means (profile.py), connections and transactions (vault.py), the tables themselves
(vaultschema.py).

Two processes that save one profile are merged row by row: of two changes to one row the later one stays, a
deletion being a change like any other. What a process has not changed it does not write.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple

Key = tuple[Any, ...]

TOMBSTONE_SECONDS = 30 * 86_400  # a process that has not looked for so long keeps what it has


class Record(NamedTuple):
    """One row. `modified` in seconds since 1970; `notes` are stored with it and make no difference between
    two rows."""

    values: tuple[Any, ...]
    modified: float
    deleted: bool = False
    notes: tuple[Any, ...] = ()

    def same(self, other: Record | None) -> bool:
        """Whether nothing but the notes differs."""
        return other is not None and self[:3] == other[:3]


class Table(NamedTuple):
    """A table's columns: what names a row of a profile, its values, its notes; and the values of a deleted
    row.
    """

    name: str
    key: tuple[str, ...]
    values: tuple[str, ...]
    notes: tuple[str, ...]
    blank: tuple[Any, ...]


COOKIES = Table(
    "cookies",
    ("host", "host_only", "path", "name"),
    ("value", "dotted", "secure", "httponly", "samesite", "expires", "persistent", "creation", "extra"),
    ("accessed",),
    ("", 0, 0, 0, None, None, 0, 0.0, None),
)
HEADERS = Table("headers", ("name",), ("spelling", "value"), (), ("", None))
STATE = Table("state", ("name",), ("value",), (), ("null",))
TABLES = (COOKIES, HEADERS, STATE)

Rows = Mapping[Key, Record]
Changes = dict[Table, dict[Key, Record]]


def read(db: sqlite3.Connection, table: Table, profile: int, since: int) -> dict[Key, Record]:
    """The rows of a profile that were written after version `since`, deleted ones too."""
    columns = ", ".join((*table.key, *table.values, *table.notes, "modified", "deleted"))
    found = db.execute(f"SELECT {columns} FROM {table.name} WHERE profile = ? AND version > ?", (profile, since))
    first, last = len(table.key), len(table.key) + len(table.values)
    return {row[:first]: Record(row[first:last], row[-2], bool(row[-1]), row[last:-2]) for row in found.fetchall()}


def merge(
    db: sqlite3.Connection, table: Table, profile: int, since: int, version: int, ours: Rows
) -> dict[Key, Record]:
    """Write `ours` as of `version`, but for rows that another process changed later; the rows of others since
    `since`."""
    theirs = read(db, table, profile, since)
    for key, record in ours.items():
        other = theirs.get(key)
        if other is not None and other.modified > record.modified:
            continue
        theirs.pop(key, None)
        if record.deleted:
            _mark_deleted(db, table, profile, version, key, record)
        else:
            _write(db, table, profile, version, key, record)
    return theirs


def _write(db: sqlite3.Connection, table: Table, profile: int, version: int, key: Key, record: Record) -> None:
    columns = ("profile", *table.key, *table.values, *table.notes, "modified", "version", "deleted")
    marks = ", ".join("?" * len(columns))
    row = (profile, *key, *record.values, *record.notes, record.modified, version, 0)
    db.execute(f"INSERT OR REPLACE INTO {table.name} ({', '.join(columns)}) VALUES ({marks})", row)


def _mark_deleted(db: sqlite3.Connection, table: Table, profile: int, version: int, key: Key, record: Record) -> None:
    # Only a row that is there needs the marker; its values go, for they are what somebody wanted gone.
    settings = ", ".join(f"{column} = ?" for column in (*table.values, "modified", "version"))
    where = " AND ".join(f"{column} = ?" for column in ("profile", *table.key))
    row = (*table.blank, record.modified, version, profile, *key)
    db.execute(f"UPDATE {table.name} SET {settings}, deleted = 1 WHERE {where}", row)


def note_access(db: sqlite3.Connection, profile: int, accessed: Mapping[Key, float]) -> None:
    """Note when cookies were sent last. No change that others need to hear of."""
    where = " AND ".join(f"{column} = ?" for column in COOKIES.key)
    db.executemany(
        f"UPDATE cookies SET accessed = max(accessed, ?) WHERE profile = ? AND {where}",
        [(when, profile, *key) for key, when in accessed.items()],
    )


def sweep(db: sqlite3.Connection, profile: int, now: float) -> None:
    """Remove expired cookies, and the markers of old deletions, from a profile."""
    db.execute("DELETE FROM cookies WHERE profile = ? AND expires <= ?", (profile, now))
    for table in TABLES:
        db.execute(
            f"DELETE FROM {table.name} WHERE profile = ? AND deleted AND modified < ?",
            (profile, now - TOMBSTONE_SECONDS),
        )


def copy(db: sqlite3.Connection, source: int, target: int) -> None:
    """Write the rows of one profile into another, which is empty, as of version 1."""
    for table in TABLES:
        columns = ", ".join((*table.key, *table.values, *table.notes, "modified"))
        db.execute(
            f"INSERT INTO {table.name} (profile, {columns}, version)"
            f" SELECT ?, {columns}, 1 FROM {table.name} WHERE profile = ? AND NOT deleted",
            (target, source),
        )

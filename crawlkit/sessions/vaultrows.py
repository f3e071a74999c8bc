"""The rows of a profile: reading those that are new, writing those that changed, merging the two.

What belongs here: SQL over the three tables, all alike, in a transaction that the caller holds; which columns are sealed
in an encrypted vault. What does not: what a row means (profile.py), connections and transactions (vaultdatabase.py), the
tables themselves (vaultschema.py), how a value is sealed (vaultcipher.py).

Two processes that save one profile are merged row by row: of two changes to one row the later one stays, a
deletion being a change like any other. What a process has not changed it does not write.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from crawlkit.sessions.vaultcipher import Cipher

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


class Owner(NamedTuple):
    """The profile whose rows are meant, and what seals their values (None: nothing does)."""

    number: int
    name: str
    cipher: Cipher | None = None


class Table(NamedTuple):
    """A table's columns: what names a row of a profile, its values, its notes; the values of a deleted row; and which
    values are sealed in an encrypted vault.
    """

    name: str
    key: tuple[str, ...]
    values: tuple[str, ...]
    notes: tuple[str, ...]
    blank: tuple[Any, ...]
    sealed: frozenset[str]


COOKIES = Table(
    "cookies",
    ("host", "host_only", "path", "name"),
    ("value", "dotted", "secure", "httponly", "samesite", "expires", "persistent", "creation", "extra"),
    ("accessed",),
    ("", 0, 0, 0, None, None, 0, 0.0, None),
    frozenset(("value", "extra")),
)
HEADERS = Table("headers", ("name",), ("spelling", "value"), (), ("", None), frozenset(("value",)))
STATE = Table("state", ("name",), ("value",), (), ("null",), frozenset(("value",)))
TABLES = (COOKIES, HEADERS, STATE)

Rows = Mapping[Key, Record]
Changes = dict[Table, dict[Key, Record]]


def read(db: sqlite3.Connection, table: Table, owner: Owner, since: int) -> dict[Key, Record]:
    """The rows of a profile that were written after version `since`, deleted ones too. StorageError when one of an
    encrypted vault does not open."""
    columns = ", ".join((*table.key, *table.values, *table.notes, "modified", "deleted"))
    found = db.execute(f"SELECT {columns} FROM {table.name} WHERE profile = ? AND version > ?", (owner.number, since))
    first, last = len(table.key), len(table.key) + len(table.values)
    rows: dict[Key, Record] = {}
    for row in found.fetchall():
        key, values, deleted = row[:first], row[first:last], bool(row[-1])
        if not deleted:
            values = _unsealed(table, owner, key, values)
        rows[key] = Record(values, row[-2], deleted, row[last:-2])
    return rows


def merge(
    db: sqlite3.Connection, table: Table, owner: Owner, since: int, version: int, ours: Rows
) -> dict[Key, Record]:
    """Write `ours` as of `version`, but for rows that another process changed later; the rows of others since
    `since`."""
    theirs = read(db, table, owner, since)
    for key, record in ours.items():
        other = theirs.get(key)
        if other is not None and other.modified > record.modified:
            continue
        theirs.pop(key, None)
        if record.deleted:
            _mark_deleted(db, table, owner.number, version, key, record)
        else:
            _write(db, table, owner, version, key, record)
    return theirs


def _write(db: sqlite3.Connection, table: Table, owner: Owner, version: int, key: Key, record: Record) -> None:
    columns = ("profile", *table.key, *table.values, *table.notes, "modified", "version", "deleted")
    marks = ", ".join("?" * len(columns))
    values = _sealed(table, owner, key, record.values)
    row = (owner.number, *key, *values, *record.notes, record.modified, version, 0)
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


def hosts(db: sqlite3.Connection, profile: int, now: float) -> dict[str, int]:
    """Whose cookies a profile has that have not expired, and how many each."""
    found = db.execute(
        "SELECT host, count(*) FROM cookies"
        " WHERE profile = ? AND NOT deleted AND (expires IS NULL OR expires > ?) GROUP BY host",
        (profile, now),
    )
    return dict(found.fetchall())


def copy(db: sqlite3.Connection, source: Owner, target: Owner) -> None:
    """Write the rows of one profile into another, which is empty, as of version 1."""
    for table in TABLES:
        for key, record in read(db, table, source, 0).items():
            if not record.deleted:
                _write(db, table, target, 1, key, record)


def reseal(db: sqlite3.Connection, before: Owner, after: Owner) -> None:
    """Write the values of a profile, which were sealed as `before` says, as `after` says. Nothing else of a row changes,
    so that no other process takes it for news."""
    for table in TABLES:
        columns = sorted(table.sealed)
        settings = ", ".join(f"{column} = ?" for column in columns)
        where = " AND ".join(f"{column} = ?" for column in ("profile", *table.key))
        for key, record in read(db, table, before, -1).items():
            if not record.deleted:
                values = dict(zip(table.values, _sealed(table, after, key, record.values), strict=True))
                row = (*(values[column] for column in columns), after.number, *key)
                db.execute(f"UPDATE {table.name} SET {settings} WHERE {where}", row)


def _sealed(table: Table, owner: Owner, key: Key, values: tuple[Any, ...]) -> tuple[Any, ...]:
    cipher = owner.cipher
    if cipher is None:
        return values
    row = tuple(_identity(table, owner, key, values))
    return tuple(
        cipher.seal(value, (column, *row)) if column in table.sealed and value is not None else value
        for column, value in zip(table.values, values, strict=True)
    )


def _unsealed(table: Table, owner: Owner, key: Key, values: tuple[Any, ...]) -> tuple[Any, ...]:
    cipher = owner.cipher
    if cipher is None:
        return values
    row = tuple(_identity(table, owner, key, values))
    what = f"{table.name} {key[-1]!r} of profile {owner.name!r}"
    return tuple(
        cipher.unseal(value, (column, *row), what=what) if column in table.sealed and value is not None else value
        for column, value in zip(table.values, values, strict=True)
    )


def _identity(table: Table, owner: Owner, key: Key, values: tuple[Any, ...]) -> Iterator[Any]:
    """What a sealed value is bound to: its row's profile, table, key, and the values of it that stay readable."""
    yield table.name
    yield owner.name
    yield from key
    yield from (value for column, value in zip(table.values, values, strict=True) if column not in table.sealed)

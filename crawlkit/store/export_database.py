"""Export into another SQLite database: the author's tables as they are stored, and nothing of ours.

What belongs here: making that file. What does not: which rows (export.py). Values and declared types are the same; a list is
JSON text and a boolean 1 or 0, as in the database itself.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from crawlkit.store.faults import Wrapped
from crawlkit.store.names import listed, quoted
from crawlkit.store.wholefile import replacing_path

_Stored = tuple[Mapping[str, str], Iterable[Sequence[Any]]]


def write_database(path: Path, tables: Mapping[str, _Stored]) -> None:
    """Write `tables`, name → (declared type by column, rows), into a new database that takes the place of `path`.

    StorageError when it cannot be written.
    """
    with (
        replacing_path(path) as unfinished,
        Wrapped(path),
        contextlib.closing(sqlite3.connect(unfinished, isolation_level=None)) as connection,
    ):
        connection.execute("PRAGMA journal_mode = OFF")  # a file that nobody has seen yet needs no way back
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        for name, (types, rows) in tables.items():
            _write_table(connection, name, types, rows)
        connection.execute("COMMIT")
        if not tables:
            connection.execute("VACUUM")  # or there would be no file at all


def _write_table(
    connection: sqlite3.Connection, name: str, types: Mapping[str, str], rows: Iterable[Sequence[Any]]
) -> None:
    if not types:
        return
    columns = ", ".join(f"{quoted(column)} {declared}" for column, declared in types.items())
    connection.execute(f"CREATE TABLE {quoted(name)} ({columns})")
    places = ", ".join("?" * len(types))
    connection.executemany(f"INSERT INTO {quoted(name)} ({listed(tuple(types))}) VALUES ({places})", rows)

"""Export: the author's tables as files: JSON Lines, JSON, CSV, another database (export_database.py).

What belongs here: writing whole tables, a row at a time. What does not: choosing rows, asking the user (cli/).

A file appears under its name only when it is whole: it is written beside it, synced, then renamed. Rows come
from one snapshot of the database, also while a run is writing. `_page` is left out.

A list, a dict or a boolean that was yielded comes out as one (kinds.py); in CSV as its JSON, thus true and false.
None is null, in CSV an empty field, as is an empty text. Bytes are base64. An infinity is the text "Infinity" or
"-Infinity", for JSON has none; NaN and Decimals were stored as text and stay that. In CSV (RFC 4180, UTF-8) a text
that a spreadsheet would take for a formula, one that starts with = + - @ TAB or CR and is no plain number, gets a '
before it; numbers stay numbers.
"""

from __future__ import annotations

import base64
import contextlib
import csv
import io
import json
import math
import re
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from crawlkit.exceptions import UsageError
from crawlkit.store import kinds, opening
from crawlkit.store.changes import NOW, read_changes
from crawlkit.store.crawls import check_known, crawl_of
from crawlkit.store.export_database import write_database
from crawlkit.store.faults import Wrapped
from crawlkit.store.names import PAGE, fold, quoted
from crawlkit.store.wholefile import replacing

#: Rows by table, each by its `_rowid_`.
_Numbers = dict[str, set[int]]

#: The format that is no text: another database.
SQLITE = "sqlite"

_NUMBER = re.compile(r"[+-]?[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,4})?", re.ASCII)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export(
    database: str | Path, path: str | Path, *, format: str, table: str | None = None, since: int | None = None
) -> list[Path]:
    """Write the tables of `database`, or only `table`, to `path`; the files that were written.

    `format` is jsonl, json, csv or sqlite. One table goes to `path`, several to NAME.TABLE.SUFFIX beside it, and no table
    at all makes an empty file; a SQLite database takes all of them. "-" is standard output and takes one table. With
    `since` only rows that are new or changed since the end of that run. Any thread. UsageError when there is no such
    table, format or run, StorageError when the database cannot be read or the file not written.
    """
    if format not in (*_WRITERS, SQLITE):
        raise UsageError(f"there is no export format {format!r}; use one of {', '.join((*_WRITERS, SQLITE))}")
    database, path = Path(database), Path(path)
    connection = opening.open_readonly(database, busy_seconds=30.0)
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    with Wrapped(database), contextlib.closing(connection):
        connection.execute("BEGIN")
        names = _tables(connection, database, table)
        only = None if since is None else _touched(connection, since)
        if format == SQLITE:
            if str(path) == "-":
                raise UsageError("a database cannot go to standard output; name a file")
            write_database(path, {name: _stored(connection, name, only) for name in names})
            return [path]
        if str(path) == "-":
            return _to_stdout(connection, names, format, only)
        targets = {name: path if len(names) == 1 else _beside(path, name) for name in names}
        for name, target in targets.items():
            with replacing(target) as file:
                _WRITERS[format](file, *_rows(connection, name, only))
        if not names:
            with replacing(path) as file:
                _WRITERS[format](file, [], [])
            return [path]
    return list(targets.values())


def _tables(connection: sqlite3.Connection, database: Path, wanted: str | None) -> list[str]:
    names = [
        row[0]
        for row in connection.execute(
            "SELECT name FROM _tables WHERE name IN (SELECT name FROM sqlite_master) ORDER BY id"
        )
    ]
    if wanted is None:
        return names
    if wanted not in names:
        raise UsageError(f"{database}: there is no table {wanted!r}; there is {', '.join(names) or 'none at all'}")
    return [wanted]


def _touched(connection: sqlite3.Connection, since: int) -> _Numbers:
    """The rows that are new or changed since the end of a run, by table."""
    crawl = crawl_of(connection, since)
    check_known(connection, crawl)
    changes = read_changes(connection, crawl.last, NOW)
    numbers: _Numbers = {}
    for change in (*changes.added, *changes.changed):
        numbers.setdefault(change.table, set()).add(change.number)
    return numbers


def _stored(
    connection: sqlite3.Connection, table: str, only: _Numbers | None
) -> tuple[dict[str, str], Iterator[Sequence[Any]]]:
    """The columns of a table with their declared types, and its rows as they are stored."""
    types = {row[1]: row[2] for row in connection.execute(f"PRAGMA table_info({quoted(table)})") if row[1] != PAGE}
    listed = "".join(f", {quoted(column)}" for column in types)
    rows = connection.execute(f"SELECT _rowid_{listed} FROM {quoted(table)} ORDER BY _rowid_")
    wanted = None if only is None else only.get(table, set())
    return types, (row[1:] for row in rows if wanted is None or row[0] in wanted)


def _rows(
    connection: sqlite3.Connection, table: str, only: _Numbers | None = None
) -> tuple[list[str], Iterator[Sequence[Any]]]:
    types, rows = _stored(connection, table, only)
    columns = list(types)
    [text] = connection.execute("SELECT kinds FROM _tables WHERE name = ?", (table,)).fetchone()
    remembered = kinds.read(text)
    readers = [
        (place, kinds.reader(remembered[fold(column)]))
        for place, column in enumerate(columns)
        if fold(column) in remembered
    ]
    if readers:
        return columns, (_restored(row, readers) for row in rows)
    return columns, rows


def _restored(row: Sequence[Any], readers: Sequence[tuple[int, Callable[[Any], Any]]]) -> Sequence[Any]:
    values = list(row)
    for place, read in readers:
        values[place] = read(values[place])
    return values


def _beside(path: Path, table: str) -> Path:
    """NAME.TABLE.SUFFIX; what a file name must not hold is written as _."""
    name = re.sub(r"[^\w.-]", "_", table)
    return path.with_name(f"{path.stem}.{name}{path.suffix}")


def _to_stdout(
    connection: sqlite3.Connection, names: list[str], format: str, only: _Numbers | None = None
) -> list[Path]:
    if len(names) > 1:
        raise UsageError(f"standard output takes one table; name one of {', '.join(names)}")
    sys.stdout.flush()
    file = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="")
    try:
        _WRITERS[format](file, *(_rows(connection, names[0], only) if names else ([], [])))
        file.flush()
    finally:
        file.detach()
    return []


# --- formats ----------------------------------------


def _write_jsonl(file: IO[str], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    for row in rows:
        file.write(_json(columns, row) + "\n")


def _write_json(file: IO[str], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    file.write("[")
    before = "\n"
    for row in rows:
        file.write(before + _json(columns, row))
        before = ",\n"
    file.write("\n]\n")


def _write_csv(file: IO[str], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    writer = csv.writer(file)
    if columns:
        writer.writerow([_cell(column) for column in columns])
    writer.writerows([_cell(value) for value in row] for row in rows)


def _json(columns: Sequence[str], row: Sequence[Any]) -> str:
    return json.dumps(dict(zip(columns, map(_plain, row), strict=True)), ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _cell(value: Any) -> Any:
    value = _plain(value)
    if isinstance(value, bool | list | dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value.startswith(_FORMULA) and not _NUMBER.fullmatch(value):
        return "'" + value
    return value


_WRITERS: dict[str, Callable[[IO[str], Sequence[str], Iterable[Sequence[Any]]], None]] = {
    "jsonl": _write_jsonl,
    "json": _write_json,
    "csv": _write_csv,
}

"""Export: the author's tables as files: JSON Lines, JSON, CSV.

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
import os
import re
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from crawlkit.exceptions import StorageError, UsageError
from crawlkit.store import kinds, opening
from crawlkit.store.faults import Wrapped
from crawlkit.store.names import PAGE, fold, quoted

_NUMBER = re.compile(r"[+-]?[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,4})?", re.ASCII)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export(database: str | Path, path: str | Path, *, format: str, table: str | None = None) -> list[Path]:
    """Write the tables of `database`, or only `table`, to `path`; the files that were written.

    `format` is jsonl, json or csv. One table goes to `path`, several to NAME.TABLE.SUFFIX beside it, and no table at
    all makes an empty file. "-" is standard output and takes one table. Any thread. UsageError when there is no such
    table or format, StorageError when the database cannot be read or the file not written.
    """
    if format not in _WRITERS:
        raise UsageError(f"there is no export format {format!r}; use one of {', '.join(_WRITERS)}")
    database, path = Path(database), Path(path)
    connection = opening.open_readonly(database, busy_seconds=30.0)
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    with Wrapped(database), contextlib.closing(connection):
        connection.execute("BEGIN")
        names = _tables(connection, database, table)
        if str(path) == "-":
            return _to_stdout(connection, names, format)
        targets = {name: path if len(names) == 1 else _beside(path, name) for name in names}
        for name, target in targets.items():
            with replacing(target) as file:
                _WRITERS[format](file, *_rows(connection, name))
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


def _rows(connection: sqlite3.Connection, table: str) -> tuple[list[str], Iterator[Sequence[Any]]]:
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({quoted(table)})") if row[1] != PAGE]
    listed = ", ".join(map(quoted, columns)) or "NULL"
    rows = connection.execute(f"SELECT {listed} FROM {quoted(table)} ORDER BY _rowid_")
    [text] = connection.execute("SELECT kinds FROM _tables WHERE name = ?", (table,)).fetchone()
    remembered = kinds.read(text)
    readers = [
        (place, kinds.reader(remembered[fold(column)]))
        for place, column in enumerate(columns)
        if fold(column) in remembered
    ]
    if readers:
        return columns, (_restored(row, readers) for row in rows)
    return columns, (row if columns else () for row in rows)


def _restored(row: Sequence[Any], readers: Sequence[tuple[int, Callable[[Any], Any]]]) -> Sequence[Any]:
    values = list(row)
    for place, read in readers:
        values[place] = read(values[place])
    return values


def _beside(path: Path, table: str) -> Path:
    """NAME.TABLE.SUFFIX; what a file name must not hold is written as _."""
    name = re.sub(r"[^\w.-]", "_", table)
    return path.with_name(f"{path.stem}.{name}{path.suffix}")


def _to_stdout(connection: sqlite3.Connection, names: list[str], format: str) -> list[Path]:
    if len(names) > 1:
        raise UsageError(f"standard output takes one table; name one of {', '.join(names)}")
    sys.stdout.flush()
    file = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="")
    try:
        _WRITERS[format](file, *(_rows(connection, names[0]) if names else ([], [])))
        file.flush()
    finally:
        file.detach()
    return []


# --- files ----------------------------------------


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[IO[str]]:
    """A file that takes the place of `target` when it is whole. A pipe or device is written as it is."""
    if target.exists() and not target.is_file():
        with _naming(target), target.open("w", encoding="utf-8", newline="") as file:
            yield file
        return
    target = target.resolve()  # a symbolic link stays one
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.unfinished")
    try:
        with _naming(target):
            with unfinished.open("x", encoding="utf-8", newline="") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if target.exists():
                unfinished.chmod(target.stat().st_mode & 0o7777)
            unfinished.replace(target)
            _sync_folder(target.parent)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _naming(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{target}: it cannot be written ({error.strerror}); the items are safe in the database, "
            "export them again to a place that can"
        ) from error


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # pragma: no cover - Windows has no descriptor of a folder
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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

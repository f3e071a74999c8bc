"""SQLite's errors, told apart by whose fault they are and given the file's name and the next step.

What belongs here: the border between sqlite3 and crawlkit.exceptions. What does not: deciding what a fault
means for a run.
"""

from __future__ import annotations

import shlex
import sqlite3
from pathlib import Path
from types import TracebackType

from crawlkit.exceptions import StorageError

#: Result codes (sqlite.org/rescode.html) of errors that one page's rows can cause, so that they fail that page alone.
_OF_A_ROW = frozenset(
    {
        sqlite3.SQLITE_ERROR,
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_TOOBIG,
        sqlite3.SQLITE_MISMATCH,
        sqlite3.SQLITE_MISUSE,
        sqlite3.SQLITE_RANGE,
    }
)

_NEXT_STEPS = {
    sqlite3.SQLITE_FULL: "the disk is full; free space and run the same command again",
    sqlite3.SQLITE_IOERR: "the disk could not be read or written; check it, then run the same command again",
    sqlite3.SQLITE_BUSY: "another program has it locked; close that program and run the same command again",
    sqlite3.SQLITE_LOCKED: "another program has it locked; close that program and run the same command again",
    sqlite3.SQLITE_READONLY: "it cannot be written; check the permissions of the file and of its folder",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check the permissions of the file and of its folder",
    sqlite3.SQLITE_PERM: "it cannot be opened; check the permissions of the file and of its folder",
    sqlite3.SQLITE_CORRUPT: "the file is damaged and was left as it is; look with `crawlkit runs --check --db {path}`, "
    "then restore a copy or move it away",
    sqlite3.SQLITE_NOTADB: "it is no SQLite database, or a damaged one, and was left as it is; "
    "restore a copy or move it away",
    sqlite3.SQLITE_NOMEM: "memory ran out; run the same command again with fewer workers",
}


def is_of_a_row(error: Exception) -> bool:
    """Whether `error` says that a value or name cannot be stored, rather than that the file cannot be written."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)
        return code is None or (code & 0xFF) in _OF_A_ROW
    return isinstance(error, OverflowError | UnicodeEncodeError)


def storage_error(path: Path, error: sqlite3.Error) -> StorageError:
    """The StorageError that tells of `error` in the database at `path`."""
    code = getattr(error, "sqlite_errorcode", None)
    step = _NEXT_STEPS.get(code & 0xFF, "run the same command again") if code is not None else None
    if step is None and "closed" in str(error):
        step = "it is used after it was closed"
    elif step is not None:
        step = step.replace("{path}", shlex.quote(str(path)))
    return StorageError(f"{path}: {step or 'it cannot be used'} ({error})")


class Wrapped:
    """`with Wrapped(path):` turns what sqlite3 raises into StorageError. Holds no state, may be entered many times."""

    __slots__ = ("path",)

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, sqlite3.Error):
            raise storage_error(self.path, error) from error

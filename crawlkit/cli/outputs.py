"""Files that a command reads or writes for its user: what `-o` means, whether a database could be written.

Everything here is asked before the first request: a crawl of hours must not end at a misspelled folder.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from crawlkit.exceptions import UsageError

FORMATS = ("jsonl", "csv", "json")
_SUFFIXES = {".jsonl": "jsonl", ".jl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".json": "json"}


@dataclass(frozen=True, slots=True)
class Output:
    """A file to write items to; `format` is one of FORMATS."""

    path: Path
    format: str

    @classmethod
    def of(cls, path: Path, format: str | None = None) -> Output:
        """The output for a path, its format by the suffix unless given.

        UsageError when the suffix says nothing.
        """
        chosen = format or _SUFFIXES.get(path.suffix.lower())
        if chosen is None:
            raise UsageError(f"-o {path}: which format? End the name in .jsonl, .csv or .json, or add --format")
        return cls(path, chosen)

    def check(self) -> None:
        """UsageError when the file could not be written."""
        if self.path.is_dir():
            raise UsageError(f"-o {self.path}: is a folder; name a file")
        if not self.path.absolute().parent.is_dir():
            raise UsageError(f"-o {self.path}: there is no folder {self.path.parent}")
        if not os.access(self.path.absolute().parent, os.W_OK | os.X_OK):
            raise UsageError(f"-o {self.path}: the folder {self.path.parent} cannot be written")

    def write(self, database: Path, table: str | None = None) -> list[Path]:
        """Write the items of `database` and return the files written: one, or one for each table."""
        from crawlkit.store.export import export

        return export(database, self.path, format=self.format, table=table)


def check_database(path: Path) -> None:
    """UsageError when no database could be made or written at `path`. Nothing is created."""
    if path.is_dir():
        raise UsageError(f"{path}: is a folder, not a database")
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        raise UsageError(f"{path}: the database cannot be written; change its mode or name another with --db")
    folder = path.absolute().parent
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir():
        raise UsageError(f"{path}: {folder} is not a folder; name another with --db or [store] dir")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"{path}: the folder {folder} cannot be written; name another with --db or [store] dir")


def shown(path: Path) -> str:
    """A path as a person would type it: from the working directory when it is below."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)

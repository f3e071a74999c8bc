"""Files that a command reads or writes for its user: what `-o` means, whether a database could be written.

Everything here is asked before the first request: a crawl of hours must not end at a misspelled folder.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from glob import escape as glob_escape
from pathlib import Path

from crawlkit.exceptions import StorageError, UsageError

FORMATS = ("jsonl", "csv", "json", "sqlite")
#: Ends of the names of files that lie beside a database.
_PARTS = ("-wal", "-shm", "-journal", ".lock")
_MAGIC = b"SQLite format 3\x00"
_SUFFIXES = {".jsonl": "jsonl", ".jl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".json": "json"}
_SUFFIXES |= dict.fromkeys((".db", ".sqlite", ".sqlite3"), "sqlite")


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
            raise UsageError(f"-o {path}: which format? End the name in .jsonl, .csv, .json or .db, or add --format")
        return cls(path, chosen)

    def check(self, taken: Mapping[Path, str]) -> None:
        """UsageError when the file could not be written, or is one of `taken` (path -> what it is) or a database."""
        # Several tables become NAME.TABLE.SUFFIX: which tables there will be is not known yet.
        for path in (self.path, *self.path.parent.glob(f"{glob_escape(self.path.stem)}.*{self.path.suffix}")):
            refuse_taken(f"-o {path}", path, taken)
            if is_sqlite(path) and (self.format != "sqlite" or not _is_exported(path)):
                raise UsageError(f"-o {path}: is a database, which it would replace; name another file")
        if self.path.is_dir():
            raise UsageError(f"-o {self.path}: is a folder; name a file")
        if not self.path.absolute().parent.is_dir():
            raise UsageError(f"-o {self.path}: there is no folder {self.path.parent}")
        if not os.access(self.path.absolute().parent, os.W_OK | os.X_OK):
            raise UsageError(f"-o {self.path}: the folder {self.path.parent} cannot be written")

    def write(self, database: Path, table: str | None = None, since: int | None = None) -> list[Path]:
        """Write the items of `database`, or those new or changed since the run `since`; the files written: one, or one
        for each table."""
        from crawlkit.store.export import export

        return export(database, self.path, format=self.format, table=table, since=since)


def check_page(option: str, path: Path, database: Path) -> None:
    """UsageError when no page can be written to `path`, which `option` names, or it is a database or a part of one."""
    parts = {_beside(database, suffix): "a part of the database" for suffix in _PARTS}
    refuse_taken(f"{option} {path}", path, {database: "the database", **parts})
    if is_sqlite(path):
        raise UsageError(f"{option} {path}: is a database, which it would replace; name another file")
    if path.is_dir():
        raise UsageError(f"{option} {path}: is a folder; name a file")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"{option} {path}: there is no folder {path.parent}")


def write_page(path: Path, text: str) -> None:
    """Write a page; it appears under its name when it is whole. StorageError."""
    from crawlkit.store.wholefile import replacing

    with replacing(path) as file:
        file.write(text)


def taken_files(
    *, database: Path, vault: Path, spider: Path | None = None, config: Path | None = None
) -> dict[Path, str]:
    """The files of a run that no output and no log may replace, each with what it is."""
    files = {database: "the database"}
    files.update({_beside(database, suffix): "a part of the database" for suffix in _PARTS})
    files[vault] = "the vault of saved sessions"
    files.update({_beside(vault, suffix): "a part of the vault" for suffix in _PARTS})
    if spider is not None:
        files[spider] = "the spider"
    if config is not None:
        files[config] = "the configuration"
    return files


def refuse_taken(named: str, path: Path, taken: Mapping[Path, str]) -> None:
    """UsageError when `path` is one of `taken`, under whatever name; `named` is what the user called it."""
    for file, what in taken.items():
        if file.resolve() == path.resolve() or (path.exists() and file.exists() and path.samefile(file)):
            raise UsageError(f"{named}: is {what}; name another file")


def is_sqlite(path: Path) -> bool:
    """Whether there is a file that begins as every SQLite database does."""
    try:
        if not path.is_file():  # opening a pipe would wait for its writer
            return False
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def _is_exported(path: Path) -> bool:
    """Whether a database may be what an earlier export wrote: it has the mark of no program (fileformat.html, 1.3.12)."""
    with path.open("rb") as file:
        return file.read(72)[68:] == b"\0\0\0\0"


def check_database(path: Path, taken: Mapping[Path, str] | None = None) -> None:
    """UsageError when no database could be made or written at `path`, or it is one of `taken`. Nothing is created."""
    refuse_taken(f"--db {path}", path, taken or {})
    if path.name.endswith(_PARTS):
        raise UsageError(f"--db {path}: is the name of a part of a database; name the .db file")
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


def check_vault(path: Path) -> None:
    """UsageError when a vault at `path` would be refused because others can read it or write its folder."""
    from crawlkit.sessions import vaultfile

    try:
        vaultfile.place(path)
    except StorageError as error:  # nothing has broken: who may do what is the user's to change
        raise UsageError(str(error)) from error


def shown(path: Path) -> str:
    """A path as a person would type it: from the working directory when it is below."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)

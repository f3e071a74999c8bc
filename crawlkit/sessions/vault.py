"""Vault: the SQLite file that keeps profiles between runs.

What belongs here: connections, transactions, who may use the file, the profiles as a whole. What does not:
the rows of a profile (vaultrows.py), what they mean (profile.py), the tables (vaultschema.py), the file's
mode (vaultfile.py).

Decisions:
- A rollback journal, never WAL: several processes write, and SQLite before 3.51.3 can corrupt a WAL file
then.
- A connection for each operation: nothing is shared between threads or carried over a fork, and an operation
is
  rare (a save every half minute) beside what opening costs (0.2 ms).
- Writing begins with BEGIN IMMEDIATE, so that what is read in a transaction is still true when it is written.
- secure_delete, and no temporary files: a deleted login is gone from the file. synchronous=FULL: a saved one
  survives the power.
- Never a pickle (aiohttp's CVE-2026-34993): rows with types, JSON for what has no fixed shape.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from crawlkit.exceptions import StorageError, StoreMismatch, UsageError
from crawlkit.filelock import FileLock
from crawlkit.sessions import vaultfile, vaultrows
from crawlkit.sessions.vaultrows import Changes, Key
from crawlkit.sessions.vaultschema import APPLICATION_ID, MIGRATIONS, migrate

if TYPE_CHECKING:
    from crawlkit.sessions.profile import Profile

DEFAULT_PATH = Path("data") / "sessions.db"
BUSY_SECONDS = 30.0

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


class Sight(NamedTuple):
    """What a process has seen of a profile: the profile's number (None: it was not there) and its version
    then.
    """

    profile: int | None = None
    version: int = 0


class Vault:
    """Profiles in one SQLite file of mode 0600. Any thread and any process may use it at the same time, also
    after a fork.

    `path` is made, with its folder, when it is missing; with `make=False` by the first write, and until then there are
    no profiles. StorageError: it cannot be read or written, it is
    damaged, or others can read it or write its folder. StoreMismatch: it is something else, or of a newer
    crawlkit. `busy_seconds` is how long an operation waits for other processes.
    """

    def __init__(
        self, path: str | Path = DEFAULT_PATH, *, busy_seconds: float = BUSY_SECONDS, make: bool = True
    ) -> None:
        self.path = vaultfile.place(Path(path))
        self._busy_seconds = busy_seconds
        self._opened = False
        if not self._is_there() and make:
            self._make()

    @classmethod
    def open(cls, path: str | Path = DEFAULT_PATH, *, busy_seconds: float = BUSY_SECONDS, make: bool = True) -> Vault:
        """The same as the constructor."""
        return cls(path, busy_seconds=busy_seconds, make=make)

    def __repr__(self) -> str:
        return f"<Vault {self.path}>"

    # --- profiles as a whole
    # --------------------------------------------------------------------------------------

    def profile(self, name: str) -> Profile:
        """The profile of this name, loaded; an empty one, which is kept once it is saved, when there is none.
        UsageError for a name that is none ([a-z0-9][a-z0-9._-]*)."""
        from crawlkit.sessions.profile import Profile

        profile = Profile(self, name)
        profile.load()
        return profile

    def names(self) -> list[str]:
        """The names of the profiles that were saved, sorted."""
        if not self._is_there():
            return []
        with self._reading() as db:
            return [name for (name,) in db.execute("SELECT name FROM profiles ORDER BY name")]

    def __contains__(self, name: object) -> bool:
        return name in self.names()

    def delete(self, name: str) -> bool:
        """Delete a profile for good; whether there was one. A process that has it loaded drops what it
        loaded when it next saves, and keeps what it changed itself."""
        with self._writing() as db:
            return db.execute("DELETE FROM profiles WHERE name = ?", (check_name(name),)).rowcount > 0

    def copy(self, source: str, target: str) -> None:
        """Save the profile `source` once more as `target`. UsageError when there is no such profile, or
        `target` exists."""
        with self._writing() as db:
            seen = self._sight(db, check_name(source))
            if seen.profile is None:
                raise UsageError(
                    f"{self.path} has no profile {source!r}; it has: {', '.join(self._names(db)) or 'none'}"
                )
            if self._sight(db, check_name(target)).profile is not None:
                raise UsageError(
                    f"{self.path} has a profile {target!r} already; forget it first or choose another name"
                )
            vaultrows.copy(db, seen.profile, self._create(db, target, version=1))

    def turn(self, name: str, *, wait: bool | float = True, stopped: Callable[[], bool] | None = None) -> FileLock:
        """The right to log the profile `name` in, one holder among all threads and processes: a lock file beside the
        vault, mode 0600, that dies with its process. It is not taken yet: `with vault.turn("alice"): ...`

        `wait`: True waits until it is free, a number so many seconds, False not at all; then, or once `stopped`
        answers True, LockHeld names the holder. UsageError for a name that is none; StorageError when others can write
        the vault's folder, or no lock can be made there.
        """
        lock = self.path.with_name(f"{self.path.name}.{check_name(name)}.login.lock")
        vaultfile.prepare_folder(lock.parent)
        return FileLock(
            lock,
            wait=wait,
            stopped=stopped,
            busy=f"profile {name}: another process is logging it in",
            guards="the vault",
            mode=0o600,
        )

    # --- one profile's rows (profile.py)
    # --------------------------------------------------------------------------

    def pull(self, name: str, seen: Sight) -> tuple[Sight, Changes]:
        """What others changed in a profile after `seen`. All there is when the profile is not the one that
        was seen."""
        if not self._is_there():
            return Sight(), {table: {} for table in vaultrows.TABLES}
        with self._reading() as db:
            now = self._sight(db, name)
            if now.profile is None or now == seen:
                return now, {table: {} for table in vaultrows.TABLES}
            since = seen.version if now.profile == seen.profile else 0
            return now, {table: vaultrows.read(db, table, now.profile, since) for table in vaultrows.TABLES}

    def push(self, name: str, seen: Sight, ours: Changes, accessed: Mapping[Key, float]) -> tuple[Sight, Changes]:
        """Write our changes to a profile, which is made when it is missing; what is seen then, and what
        others changed after `seen` (their later changes to rows of ours, too, which were not written then).
        One transaction."""
        with self._writing() as db:
            found = self._sight(db, name)
            number = self._create(db, name) if found.profile is None else found.profile
            since = seen.version if number == seen.profile else 0
            version = found.version + 1
            theirs = {
                table: vaultrows.merge(db, table, number, since, version, ours[table]) for table in vaultrows.TABLES
            }
            vaultrows.note_access(db, number, accessed)
            vaultrows.sweep(db, number, time.time())
            db.execute("UPDATE profiles SET version = ?, saved = ? WHERE id = ?", (version, time.time(), number))
        return Sight(number, version), theirs

    @staticmethod
    def _sight(db: sqlite3.Connection, name: str) -> Sight:
        row = db.execute("SELECT id, version FROM profiles WHERE name = ?", (name,)).fetchone()
        return Sight(*row) if row else Sight()

    @staticmethod
    def _names(db: sqlite3.Connection) -> list[str]:
        return [name for (name,) in db.execute("SELECT name FROM profiles ORDER BY name")]

    @staticmethod
    def _create(db: sqlite3.Connection, name: str, version: int = 0) -> int:
        now = time.time()
        row = (name, version, now, now)
        made = db.execute("INSERT INTO profiles (name, version, created, saved) VALUES (?, ?, ?, ?)", row)
        assert made.lastrowid is not None
        return made.lastrowid

    # --- the file
    # -------------------------------------------------------------------------------------------------

    def _is_there(self) -> bool:
        """Whether the file was made, by us or by another process; it is checked when it is first seen."""
        if not self._opened and self.path.exists():
            self._open()
        return self._opened

    def _make(self) -> None:
        vaultfile.create(self.path)
        self._open()

    def _open(self) -> None:
        """Check whose file it is and that it is sound; make or migrate the tables."""
        with self._connected() as db:
            # Converts a file that some tool switched to WAL; nothing otherwise.
            db.execute("PRAGMA journal_mode = DELETE")
            if self._version(db) < len(MIGRATIONS):
                with _transaction(db, "IMMEDIATE"):
                    migrate(db, self._version(db))  # asked again: another process may have been faster
            problem = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if problem != "ok":
                raise sqlite3.DatabaseError(problem)
        self._opened = True

    def _version(self, db: sqlite3.Connection) -> int:
        """The version of the tables; 0 in an empty file. StoreMismatch when they are not ours, or newer than
        we know."""
        application = db.execute("PRAGMA application_id").fetchone()[0]
        version: int = db.execute("PRAGMA user_version").fetchone()[0]
        if application != APPLICATION_ID:
            if application == version == 0 and not db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
                return 0
            raise StoreMismatch(f"{self.path} is a database of something else, not a vault; it was left as it is")
        if version > len(MIGRATIONS):
            raise StoreMismatch(
                f"the vault {self.path} was written by a newer crawlkit (its version is {version}, this crawlkit knows"
                f" {len(MIGRATIONS)}); it was left as it is: update crawlkit"
            )
        return version

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._connected() as db, _transaction(db, "DEFERRED"):
            yield db

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        if not self._is_there():
            self._make()
        with self._connected() as db, _transaction(db, "IMMEDIATE"):
            yield db

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """A connection for one operation. sqlite3's errors leave as StorageError."""
        vaultfile.check(self.path)
        try:
            # mode=rw: SQLite must not make a file of its own, which others could read.
            db = sqlite3.connect(
                f"{self.path.as_uri()}?mode=rw", uri=True, timeout=self._busy_seconds, isolation_level=None
            )
            try:
                db.execute("PRAGMA secure_delete = ON")
                db.execute("PRAGMA synchronous = FULL")
                db.execute("PRAGMA temp_store = MEMORY")
                db.execute("PRAGMA foreign_keys = ON")
                yield db
            finally:
                db.close()
        except sqlite3.Error as error:
            raise self._named(error) from error

    def _named(self, error: sqlite3.Error) -> StorageError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return StorageError(
                f"the vault {self.path} was in use by other processes for more than {self._busy_seconds:g} s; try again"
            )
        if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
            return StorageError(
                f"the vault {self.path} could not be written: {error}; check the disk and the folder's mode"
            )
        return StorageError(
            f"the vault {self.path} is damaged ({' '.join(str(error).split())}); it was left as it is: put a copy back,"
            " or move it away and log in anew"
        )


@contextmanager
def _transaction(db: sqlite3.Connection, kind: str) -> Iterator[None]:
    db.execute(f"BEGIN {kind}")
    try:
        yield
    except BaseException:
        if db.in_transaction:  # SQLite rolls back on its own when the disk is full
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def check_name(name: str) -> str:
    """`name`, if a profile may be called so; UsageError otherwise."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name for a profile: use lower-case letters, digits, dots, dashes and underscores,"
            " with a letter or a digit first"
        )
    return name

"""VaultDatabase: the vault's file as a database: whose it is, transactions, whether its values are encrypted.

What belongs here: connections and what holds for the file as a whole. What does not: profiles (vault.py), their rows
(vaultrows.py), the tables (vaultschema.py), the file's mode (vaultfile.py).

Decisions:
- A rollback journal, never WAL: several processes write, and SQLite before 3.51.3 can corrupt a WAL file then.
- A connection for each operation: nothing is shared between threads or carried over a fork, and an operation is rare
  (a save every half minute) beside what opening costs (0.2 ms).
- Writing begins with BEGIN IMMEDIATE, so that what is read in a transaction is still true when it is written; whether
  the vault is encrypted is read in it too, so that nothing plain can follow an encryption by another process.
- secure_delete, and no temporary files: a deleted login is gone from the file. synchronous=FULL: a saved one survives
  the power.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crawlkit.exceptions import StorageError, StoreMismatch
from crawlkit.sessions import vaultfile, vaultkey
from crawlkit.sessions.vaultcipher import Cipher, Encryption, check_new_key
from crawlkit.sessions.vaultschema import APPLICATION_ID, MIGRATIONS, migrate

log = logging.getLogger(__name__)

_ZEROS = bytes(1 << 20)


class VaultDatabase:
    """One vault's file. Any thread and any process may use it at the same time, also after a fork.

    `key`: the vault's key or passphrase; None: what the environment or the keyring has. A file that is made while there
    is one (the keyring is not asked) is encrypted from the start.
    """

    def __init__(self, path: Path, *, busy_seconds: float, make: bool, key: str | None) -> None:
        self.path = vaultfile.place(path)
        self._busy_seconds = busy_seconds
        self._key = key
        self._opened = False
        self._warned = False
        self._known: tuple[Encryption, Cipher] | None = None
        if not self.is_there() and make:
            self._make()

    # --- transactions ---------------------------------------

    def is_there(self) -> bool:
        """Whether the file was made, by us or by another process; it is checked when it is first seen."""
        if not self._opened and self.path.exists():
            self._open(None)
        return self._opened

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A transaction in which nothing changes. The file must be there."""
        with self._connected() as db, _transaction(db, "DEFERRED"):
            yield db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that writes. The file is made when it is missing."""
        if not self.is_there():
            self._make()
        with self._connected() as db, _transaction(db, "IMMEDIATE"):
            yield db

    @contextmanager
    def rewriting(self) -> Iterator[sqlite3.Connection]:
        """A transaction after which no byte of what it replaced is left in the file or beside it.

        Others wait until that is so. Killed before the commit, the file is as it was; after it, only the wiping is
        missing, and the next `rewriting` makes up for it. The file is made when it is missing.
        """
        if not self.is_there():
            self._make()
        with self._connected() as db:
            # The lock outlives the commit, and so does the journal with the old pages, which is then ours to wipe.
            db.execute("PRAGMA journal_mode = PERSIST")
            with _transaction(db, "EXCLUSIVE"):
                # Not before: who keeps the lock of a reader while he waits for a writer's waits for ever.
                db.execute("PRAGMA locking_mode = EXCLUSIVE")
                yield db
            db.execute("VACUUM")
            self._wipe_journal()
            db.execute("PRAGMA journal_mode = DELETE")

    def _wipe_journal(self) -> None:
        journal = self.path.with_name(self.path.name + "-journal")
        try:
            with journal.open("r+b", buffering=0) as file:
                left = os.fstat(file.fileno()).st_size
                while left > 0:
                    left -= file.write(_ZEROS[:left])
                os.fsync(file.fileno())
        except OSError as error:
            raise StorageError(f"{journal} could not be wiped: {error.strerror}; run the same command again") from error

    # --- encryption ---------------------------------------

    def cipher(self, db: sqlite3.Connection) -> Cipher | None:
        """What seals the vault's values, None when they are plain. Asked in the transaction that reads or writes them.

        ConfigError, which says what to do, when the key is missing or another's.
        """
        encryption = self.encryption(db)
        if encryption is None:
            self._warn_of_plain()
            return None
        if self._known is not None and self._known[0] == encryption:
            return self._known[1]
        text, source = (self._key, "the one that was given") if self._key else vaultkey.find(self.path, encryption.salt)
        cipher = Cipher.open(self.path, encryption, text)
        if cipher is None:
            raise vaultkey.wrong(self.path, source)
        self._known = encryption, cipher
        return cipher

    @staticmethod
    def encryption(db: sqlite3.Connection) -> Encryption | None:
        """What the vault says about its key; None when it is not encrypted."""
        row = db.execute("SELECT salt, proof FROM encryption").fetchone()
        return Encryption(*row) if row else None

    @staticmethod
    def set_encryption(db: sqlite3.Connection, encryption: Encryption | None) -> None:
        """Note that the vault is encrypted so, or that it is not."""
        db.execute("DELETE FROM encryption")
        if encryption is not None:
            db.execute("INSERT INTO encryption (id, salt, proof) VALUES (1, ?, ?)", encryption)

    def _new_encryption(self) -> Encryption | None:
        """For a file that is about to be made: encrypted when there is a key."""
        text = self._key or vaultkey.from_environment()
        if text is None:
            return None
        check_new_key(text)
        encryption, cipher = Cipher.create(self.path, text)
        self._known = encryption, cipher
        return encryption

    def _warn_of_plain(self) -> None:
        if not self._warned and (self._key or vaultkey.from_environment()):
            self._warned = True
            log.warning(
                "the vault %s is not encrypted, though there is a key for it: `crawlkit session encrypt` does it",
                self.path,
            )

    # --- the file ---------------------------------------

    def _make(self) -> None:
        encryption = self._new_encryption()  # before there is a file: what is wrong with the key leaves none behind
        vaultfile.create(self.path)
        self._open(encryption)

    def _open(self, encryption: Encryption | None) -> None:
        """Check whose file it is and that it is sound; make or migrate the tables."""
        with self._connected() as db:
            # Converts a file that some tool switched to WAL; nothing otherwise.
            db.execute("PRAGMA journal_mode = DELETE")
            with _transaction(db, "DEFERRED"):  # in one: another thread may be making the tables
                found = self._version(db)
            if found < len(MIGRATIONS):
                with _transaction(db, "IMMEDIATE"):
                    version = self._version(db)  # asked again: another process may have been faster
                    migrate(db, version)
                    if version == 0:
                        self.set_encryption(db, encryption or self._new_encryption())
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

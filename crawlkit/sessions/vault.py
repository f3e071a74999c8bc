"""Vault: the SQLite file that keeps profiles between runs.

What belongs here: the profiles as a whole, and what a profile exchanges with the file. What does not: the rows of a
profile (vaultrows.py), what they mean (profile.py), connections, transactions and the key (vaultdatabase.py), the tables
(vaultschema.py), the file's mode (vaultfile.py).

Never a pickle (aiohttp's CVE-2026-34993): rows with types, JSON for what has no fixed shape.
"""

from __future__ import annotations

import difflib
import re
import sqlite3
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from crawlkit.exceptions import UsageError
from crawlkit.filelock import FileLock
from crawlkit.sessions import vaultfile, vaultkey, vaultrows
from crawlkit.sessions.vaultcipher import Cipher, check_new_key
from crawlkit.sessions.vaultdatabase import VaultDatabase
from crawlkit.sessions.vaultrows import Changes, Key, Owner

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


class Summary(NamedTuple):
    """What can be told of a profile without the vault's key. `created` and `saved` in seconds since 1970; `cookies` is
    how many have not expired, `hosts` whose they are, sorted."""

    name: str
    created: float
    saved: float
    cookies: int
    hosts: tuple[str, ...]


class Vault:
    """Profiles in one SQLite file of mode 0600. Any thread and any process may use it at the same time, also
    after a fork.

    `path` is made, with its folder, when it is missing; with `make=False` by the first write, and until then there are
    no profiles. StorageError: it cannot be read or written, it is damaged, or others can read it or write its folder.
    StoreMismatch: it is something else, or of a newer crawlkit. `busy_seconds` is how long an operation waits for other
    processes.

    `key` is the key or passphrase of an encrypted vault, in place of the one in the environment (CRAWLKIT_VAULT_KEY) or
    the keyring. A vault that is made while there is one is encrypted. Whatever needs the key raises ConfigError when it
    is missing or another's.
    """

    def __init__(
        self,
        path: str | Path = DEFAULT_PATH,
        *,
        busy_seconds: float = BUSY_SECONDS,
        make: bool = True,
        key: str | None = None,
    ) -> None:
        self._file = VaultDatabase(Path(path), busy_seconds=busy_seconds, make=make, key=key)
        self.path = self._file.path

    @classmethod
    def open(
        cls,
        path: str | Path = DEFAULT_PATH,
        *,
        busy_seconds: float = BUSY_SECONDS,
        make: bool = True,
        key: str | None = None,
    ) -> Vault:
        """The same as the constructor."""
        return cls(path, busy_seconds=busy_seconds, make=make, key=key)

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
        if not self._file.is_there():
            return []
        with self._file.reading() as db:
            return [name for (name,) in db.execute("SELECT name FROM profiles ORDER BY name")]

    def summaries(self) -> list[Summary]:
        """What can be told of each profile without the key, sorted by name."""
        if not self._file.is_there():
            return []
        now = time.time()
        with self._file.reading() as db:
            found = db.execute("SELECT id, name, created, saved FROM profiles ORDER BY name").fetchall()
            hosts = {number: vaultrows.hosts(db, number, now) for number, *_ in found}
        return [
            Summary(name, created, saved, sum(hosts[number].values()), tuple(sorted(hosts[number])))
            for number, name, created, saved in found
        ]

    def require(self, name: str) -> str:
        """`name`, if there is such a profile; else UsageError with the nearest one."""
        names = self.names()
        if check_name(name) not in names:
            raise self._unknown(name, names)
        return name

    def __contains__(self, name: object) -> bool:
        return name in self.names()

    def delete(self, name: str) -> bool:
        """Delete a profile for good; whether there was one. A process that has it loaded drops what it
        loaded when it next saves, and keeps what it changed itself."""
        with self._file.writing() as db:
            return db.execute("DELETE FROM profiles WHERE name = ?", (check_name(name),)).rowcount > 0

    def copy(self, source: str, target: str) -> None:
        """Save the profile `source` once more as `target`. UsageError when there is no such profile, or
        `target` exists."""
        with self._file.writing() as db:
            found = self._sight(db, check_name(source))
            if found.profile is None:
                raise self._unknown(source, self._names(db))
            if self._sight(db, check_name(target)).profile is not None:
                raise UsageError(
                    f"{self.path} has a profile {target!r} already; forget it first or choose another name"
                )
            cipher = self._file.cipher(db)
            twin = Owner(self._create(db, target, version=1), target, cipher)
            vaultrows.copy(db, Owner(found.profile, source, cipher), twin)

    def _unknown(self, name: str, names: list[str]) -> UsageError:
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(names) or 'none'}"
        return UsageError(f"{self.path} has no profile {name!r}; {hint}")

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

    # --- encryption
    # -----------------------------------------------------------------------------------------------

    @property
    def encrypted(self) -> bool:
        """Whether the values in the file are encrypted. False as long as there is no file."""
        if not self._file.is_there():
            return False
        with self._file.reading() as db:
            return self._file.encryption(db) is not None

    def unlock(self) -> None:
        """Make sure that the vault could be read and written: ConfigError when it is encrypted and the key is missing or
        another's. Changes nothing."""
        if self._file.is_there():
            with self._file.reading() as db:
                self._file.cipher(db)

    def encrypt(self, key: str, *, in_keyring: bool = False) -> bool:
        """Encrypt every value with `key`, a key or passphrase; whether it was not before. `in_keyring`: put it there.

        All or nothing. What was plain is gone from the file and its journal; when that is cut short, the next call does
        it. ConfigError: the key is no good, or an extra is missing.
        """
        check_new_key(key)
        encryption, cipher = Cipher.create(self.path, key)
        with self._file.rewriting() as db:
            if self._file.encryption(db) is not None:
                self._file.cipher(db)
                return False
            if in_keyring:
                vaultkey.keep(encryption.salt, key)
            self._reseal(db, None, cipher)
            self._file.set_encryption(db, encryption)
        return True

    def decrypt(self) -> bool:
        """Write every value as it is; whether they were encrypted. The key goes from the keyring, if it came from there.

        All or nothing. ConfigError when the key is missing or another's.
        """
        with self._file.rewriting() as db:
            encryption = self._file.encryption(db)
            if encryption is None:
                return False
            self._reseal(db, self._file.cipher(db), None)
            self._file.set_encryption(db, None)
        vaultkey.forget(encryption.salt)
        return True

    def _reseal(self, db: sqlite3.Connection, before: Cipher | None, after: Cipher | None) -> None:
        for number, name in db.execute("SELECT id, name FROM profiles").fetchall():
            vaultrows.reseal(db, Owner(number, name, before), Owner(number, name, after))

    # --- one profile's rows (profile.py)
    # --------------------------------------------------------------------------

    def pull(self, name: str, seen: Sight) -> tuple[Sight, Changes]:
        """What others changed in a profile after `seen`. All there is when the profile is not the one that
        was seen."""
        if not self._file.is_there():
            return Sight(), {table: {} for table in vaultrows.TABLES}
        with self._file.reading() as db:
            now = self._sight(db, name)
            cipher = self._file.cipher(db)  # without its key a session would fail when it saves what it has learned
            if now.profile is None or now == seen:
                return now, {table: {} for table in vaultrows.TABLES}
            since = seen.version if now.profile == seen.profile else 0
            owner = Owner(now.profile, name, cipher)
            return now, {table: vaultrows.read(db, table, owner, since) for table in vaultrows.TABLES}

    def push(self, name: str, seen: Sight, ours: Changes, accessed: Mapping[Key, float]) -> tuple[Sight, Changes]:
        """Write our changes to a profile, which is made when it is missing; what is seen then, and what
        others changed after `seen` (their later changes to rows of ours, too, which were not written then).
        One transaction."""
        with self._file.writing() as db:
            found = self._sight(db, name)
            number = self._create(db, name) if found.profile is None else found.profile
            since = seen.version if number == seen.profile else 0
            version = found.version + 1
            owner = Owner(number, name, self._file.cipher(db))
            theirs = {
                table: vaultrows.merge(db, table, owner, since, version, ours[table]) for table in vaultrows.TABLES
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


def check_name(name: str) -> str:
    """`name`, if a profile may be called so; UsageError otherwise."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name for a profile: use lower-case letters, digits, dots, dashes and underscores,"
            " with a letter or a digit first"
        )
    return name

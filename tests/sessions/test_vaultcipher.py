"""Encryption at rest: what is in the file, whose key opens it, what happens when something is in the way."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

from crawlkit.exceptions import ConfigError, StorageError
from crawlkit.sessions import vaultcipher, vaultkey
from crawlkit.sessions.cookie import Cookie
from crawlkit.sessions.profile import Profile
from crawlkit.sessions.vault import Vault
from crawlkit.sessions.vaultcipher import PREFIX, Cipher, new_key
from crawlkit.sessions.vaultdatabase import VaultDatabase

KEY = new_key()
#: In every value that a profile keeps.
CANARY = "c4n4ry-in-the-vault"


@pytest.fixture(autouse=True)
def no_key_around(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(vaultkey.VARIABLE, raising=False)
    monkeypatch.setattr("crawlkit.sessions.systemkeyring.is_installed", lambda: False)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "sessions.db"


def filled(vault: Vault, name: str = "alice") -> Profile:
    """A profile with a canary in every value."""
    profile = vault.profile(name)
    for number in range(40):
        profile.jar.set_cookie(
            Cookie(f"c{number}", f"{CANARY}-{number}", "example.com", secure=True, extra={"comment": CANARY})
        )
    profile.headers["X-Key"] = f"{CANARY}-header"
    profile.headers["X-Bytes"] = f"{CANARY}-bytes".encode()
    profile.headers["Accept-Language"] = None
    profile.state["token"] = {"access": f"{CANARY}-token"}
    profile.save()
    return profile


def contents(profile: Profile) -> object:
    return sorted((c.key, c.value, c.extra()) for c in profile.jar), dict(profile.headers), profile.state


def bytes_of(folder: Path) -> bytes:
    """Everything in the folder."""
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()))


# --- what is in the file


def test_no_value_is_readable_in_the_file(path: Path) -> None:
    """Nor in its journal while it is written; names, hosts and times are."""
    vault = Vault(path, key=KEY)
    profile = filled(vault)
    assert vault.encrypted
    assert contents(profile) == contents(Vault(path, key=KEY).profile("alice"))
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA cache_size = 1")
    db.execute("BEGIN IMMEDIATE")
    db.execute("UPDATE cookies SET accessed = 1")
    assert 2 == len(list(path.parent.iterdir()))
    found = bytes_of(path.parent)
    db.execute("ROLLBACK")
    db.close()
    assert CANARY.encode() not in found
    assert b"example.com" in found and b"X-Key" in found


def test_without_a_key_nothing_is_encrypted(path: Path) -> None:
    """And cryptography is not imported: the vault needs the standard library alone."""
    script = (
        "import sys\nsys.modules['cryptography'] = None\n"
        "from crawlkit.sessions.vault import Vault\n"
        "p = Vault(sys.argv[1]).profile('a'); p.state['x'] = 1; p.save()\n"
        "assert {'x': 1} == Vault(sys.argv[1]).profile('a').state and not p.vault.encrypted\n"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)


def test_a_vault_that_is_made_while_a_key_is_set_is_encrypted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(vaultkey.VARIABLE, f" {KEY}\n")
    filled(Vault(path))
    assert CANARY.encode() not in path.read_bytes()


def test_a_plain_vault_stays_plain_until_it_is_encrypted(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Setting the variable is not enough for one that is there; it is told how."""
    filled(Vault(path))
    vault = Vault(path, key=KEY)
    vault.profile("alice").load()
    vault.profile("alice")
    assert not vault.encrypted
    assert ["crawlkit session encrypt"] == [r.getMessage().split("`")[1] for r in caplog.records]


def test_only_what_changed_is_sealed_anew(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = Vault(path, key=KEY)
    profile = filled(vault)
    sealed: list[object] = []
    real = Cipher.seal
    monkeypatch.setattr(Cipher, "seal", lambda self, value, row: (sealed.append(value), real(self, value, row))[1])
    profile.jar.set("c1", "new", domain="example.com")
    profile.jar.header_for("https://example.com/")
    profile.save()
    assert ["new"] == sealed


def test_a_fork_is_sealed_for_itself(path: Path) -> None:
    vault = Vault(path, key=KEY)
    profile = filled(vault)
    vault.copy("alice", "bob")
    assert contents(profile) == contents(Vault(path, key=KEY).profile("bob"))


# --- whose key opens it


@pytest.mark.parametrize("text", [new_key(), "another passphrase"], ids=["a new key", "another passphrase"])
def test_a_wrong_key_is_told(path: Path, text: str) -> None:
    """Nothing is written with it."""
    filled(Vault(path, key=KEY))
    before = path.read_bytes()
    vault = Vault(path, key=text)
    for use in (lambda: vault.profile("alice"), lambda: vault.profile("new"), vault.unlock, vault.decrypt):
        with pytest.raises(ConfigError, match="another key than the one that was given") as caught:
            use()
        assert text not in str(caught.value)
    assert before == path.read_bytes()


def test_a_missing_key_is_told(path: Path) -> None:
    """What can be told without it is."""
    filled(Vault(path, key=KEY))
    before = path.read_bytes()
    vault = Vault(path)
    with pytest.raises(ConfigError, match=f"is encrypted and {vaultkey.VARIABLE} is not set"):
        vault.profile("alice")
    assert before == path.read_bytes()
    assert [("alice", 40, ("example.com",))] == [(s.name, s.cookies, s.hosts) for s in vault.summaries()]
    assert vault.encrypted and vault.delete("alice")


def test_a_passphrase_is_a_key_too(path: Path) -> None:
    """However its accents are composed; a short one is refused before there is a file."""
    with pytest.raises(ConfigError, match="fewer than 12 characters"):
        Vault(path, key="swordfish")
    assert not path.exists()
    filled(Vault(path, key="caf\u00e9 au lait, deux sucres"))
    assert CANARY in str(contents(Vault(path, key="cafe\u0301 au lait, deux sucres").profile("alice")))


def test_a_key_that_was_cut_is_told(path: Path) -> None:
    for text in (KEY[:-3], f"{KEY}a", f"{PREFIX}!"):
        with pytest.raises(ConfigError, match="is not whole"):
            Vault(path, key=text)
    assert not path.exists()


def test_two_vaults_have_two_keys(path: Path) -> None:
    """A value that is carried over from another vault of the same user does not open."""
    other = path.with_name("other.db")
    for at in (path, other):
        filled(Vault(at, key=KEY))
    sql(path, f"ATTACH '{other}' AS other", "UPDATE state SET value = (SELECT value FROM other.state)")
    with pytest.raises(StorageError, match="state 'token' of profile 'alice' was changed"):
        Vault(path, key=KEY).profile("alice")


def test_no_repr_tells_the_key(path: Path) -> None:
    vault = Vault(path, key=KEY)
    vault.unlock()
    assert KEY not in repr(vault) + repr(vault._file) + repr(vault._file._known)


def test_the_extra_is_named_when_it_is_missing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file is made, and one that is encrypted is not touched."""
    filled(Vault(path, key=KEY))
    for name in list(sys.modules):
        if name.split(".")[0] == "cryptography":
            monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigError, match=r"pip install 'crawlkit\[vault\]'"):
        Vault(path, key=KEY).profile("alice")
    other = path.with_name("other.db")
    with pytest.raises(ConfigError, match=r"pip install 'crawlkit\[vault\]'"):
        Vault(other, key=KEY)
    assert not other.exists()


# --- rows that something else wrote


def sql(path: Path, *statements: str) -> None:
    db = sqlite3.connect(path)
    with db:
        for statement in statements:
            if statement.startswith("ATTACH"):
                db.commit()
            db.execute(statement)
    db.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cookies SET value = (SELECT value FROM cookies WHERE name = 'c2') WHERE name = 'c1'",
        "UPDATE cookies SET value = extra WHERE name = 'c1'",
        "UPDATE cookies SET host = 'evil.example' WHERE name = 'c1'",
        "UPDATE cookies SET secure = 0 WHERE name = 'c1'",
        "UPDATE cookies SET value = 'plain' WHERE name = 'c1'",
        "UPDATE cookies SET value = x'00' WHERE name = 'c1'",
        "UPDATE headers SET value = (SELECT value FROM headers WHERE name = 'x-key') WHERE name = 'x-bytes'",
        "UPDATE headers SET name = 'x-other', spelling = 'X-Other' WHERE name = 'x-key'",
        "UPDATE state SET name = 'login'",
        "UPDATE profiles SET name = 'bob'",
    ],
)
def test_a_value_in_another_place_does_not_open(path: Path, statement: str) -> None:
    """Of another row, column, host or profile, or with less protection than it was set with."""
    filled(Vault(path, key=KEY))
    sql(path, statement)
    vault = Vault(path, key=KEY)
    with pytest.raises(StorageError, match="was changed by something other than crawlkit") as caught:
        vault.profile(vault.names()[0])
    assert CANARY not in str(caught.value)


# --- encrypting and decrypting


def test_encrypting_leaves_no_plain_byte(path: Path) -> None:
    """In the file or beside it, and none of what was deleted before."""
    profile = filled(Vault(path))
    for number in range(20):
        profile.jar.clear("example.com", "/", f"c{number}")
    profile.save()
    before = contents(profile)
    assert CANARY.encode() in path.read_bytes()
    vault = Vault(path)
    assert vault.encrypt(KEY)
    assert CANARY.encode() not in bytes_of(path.parent)
    assert [path] == list(path.parent.iterdir())
    again = Vault(path, key=KEY)
    assert before == contents(again.profile("alice"))
    assert not again.encrypt(KEY)
    assert again.decrypt() and not again.decrypt()
    assert before == contents(Vault(path).profile("alice"))


def test_the_old_journal_is_wiped_before_it_is_deleted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deleted file's blocks stay on the disk; these hold zeros."""
    filled(Vault(path))
    seen: list[bytes] = []
    real = sqlite3.connect

    def spying(*arguments: object, **options: object) -> object:
        db = real(*arguments, **options)
        journal = path.with_name("sessions.db-journal")
        db.set_trace_callback(lambda text: seen.append(journal.read_bytes()) if journal.exists() else None)
        return db

    monkeypatch.setattr(sqlite3, "connect", spying)
    Vault(path).encrypt(KEY)
    assert CANARY.encode() in b"".join(seen[:-1]), "the journal did hold what was plain"
    assert {0} == set(seen[-1])


def test_nobody_comes_between_the_commit_and_the_wiping(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process that wrote then would have its journal overwritten."""
    filled(Vault(path))
    other = Vault(path, busy_seconds=0.01)
    wipe = VaultDatabase._wipe_journal

    def wipe_while_another_looks(file: VaultDatabase) -> None:
        with pytest.raises(StorageError, match="in use"):
            other.names()
        wipe(file)

    monkeypatch.setattr(VaultDatabase, "_wipe_journal", wipe_while_another_looks)
    Vault(path).encrypt(KEY)
    assert ["alice"] == other.names()


KILLED = """
import os, signal, sys
from pathlib import Path
from crawlkit.sessions import vaultdatabase, vaultrows
from crawlkit.sessions.vault import Vault
path, key, where = sys.argv[1:]
def die(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)
if where == "rows":
    real = vaultrows._sealed
    def sealed(table, owner, record_key, values):
        if table is vaultrows.STATE:
            die()
        return real(table, owner, record_key, values)
    vaultrows._sealed = sealed
    connect = vaultdatabase.sqlite3.connect
    def small(*arguments, **options):
        db = connect(*arguments, **options)
        db.execute("PRAGMA cache_size = 1")  # half of it is in the file when it dies
        return db
    vaultdatabase.sqlite3.connect = small
elif where == "commit":
    vaultdatabase.VaultDatabase.set_encryption = die
elif where == "wiping":
    vaultdatabase.VaultDatabase._wipe_journal = die
Vault(path).encrypt(key)
"""


@pytest.mark.parametrize(("where", "encrypted"), [("rows", False), ("commit", False), ("wiping", True)])
def test_killed_while_it_encrypts(path: Path, where: str, encrypted: bool) -> None:
    """The vault is whole, plain or encrypted; the same command again leaves nothing plain."""
    before = contents(filled(Vault(path)))
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path), KEY, where])
    assert -signal.SIGKILL == killed.returncode
    vault = Vault(path, key=KEY)
    assert encrypted == vault.encrypted
    assert before == contents(vault.profile("alice"))
    assert encrypted != vault.encrypt(KEY)
    assert CANARY.encode() not in bytes_of(path.parent)
    assert before == contents(Vault(path, key=KEY).profile("alice"))


def test_a_process_that_has_it_open_goes_on(path: Path) -> None:
    """With the key in its environment; without it nothing plain is written into the encrypted file."""
    Vault(path)
    knowing, ignorant = filled(Vault(path, key=KEY), "knowing"), filled(Vault(path), "ignorant")
    Vault(path).encrypt(KEY)
    for profile in (knowing, ignorant):
        profile.state["more"] = CANARY
    assert knowing.save()
    with pytest.raises(ConfigError, match="is encrypted"):
        ignorant.save()
    assert CANARY.encode() not in path.read_bytes()
    assert CANARY == Vault(path, key=KEY).profile("knowing").state["more"]


def test_it_waits_for_others_and_they_for_it(path: Path) -> None:
    """Saves of other threads come before or after, none in between, and none is lost."""
    vault = Vault(path, key=KEY)
    vault.decrypt()
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            profile = Vault(path, key=KEY).profile(f"p{number}")
            for turn in range(10):
                profile.state["n"] = turn
                profile.save()
        except BaseException as error:  # noqa: BLE001 - told below
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    vault.encrypt(KEY)
    for thread in threads:
        thread.join()
    assert [] == errors
    assert [9] * 3 == [Vault(path, key=KEY).profile(f"p{number}").state["n"] for number in range(3)]


# --- the keyring


class InMemory(KeyringBackend):
    """A keyring that lasts as long as the test."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.entries.pop((service, username), None) is None:
            raise PasswordDeleteError("there is none")


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemory]:
    monkeypatch.setattr("crawlkit.sessions.systemkeyring.is_installed", lambda: True)
    before, backend = keyring.get_keyring(), InMemory()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


def test_the_key_in_the_keyring(path: Path, memory: InMemory) -> None:
    """It is found again wherever the file is, and goes when the vault is decrypted."""
    before = contents(filled(Vault(path)))
    Vault(path).encrypt(KEY, in_keyring=True)
    assert [KEY] == list(memory.entries.values())
    moved = path.rename(path.with_name("moved.db"))
    assert before == contents(Vault(moved).profile("alice"))
    assert Vault(moved).decrypt()
    assert {} == memory.entries


def test_the_keyring_has_no_key(path: Path, memory: InMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(Vault(path, key=KEY))
    with pytest.raises(ConfigError, match="nor has the keyring"):
        Vault(path).unlock()
    monkeypatch.setattr(
        memory, "get_password", lambda *_: (_ for _ in ()).throw(keyring.errors.KeyringLocked("locked"))
    )
    with pytest.raises(ConfigError, match="does not answer \\(locked\\)"):
        Vault(path).unlock()


def test_a_keyring_that_takes_nothing_leaves_the_vault_as_it_was(path: Path, memory: InMemory) -> None:
    filled(Vault(path))
    memory.set_password = lambda *_: (_ for _ in ()).throw(keyring.errors.PasswordSetError("read only"))  # type: ignore[method-assign]
    with pytest.raises(ConfigError, match="read only"):
        Vault(path).encrypt(KEY, in_keyring=True)
    assert not Vault(path).encrypted
    assert CANARY in str(contents(Vault(path).profile("alice")))


def test_deriving_a_key_is_done_once_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(
        vaultcipher, "hashlib", SimpleNamespace(scrypt=lambda text, **_: (calls.append(text), bytes(32))[1])
    )
    salt = os.urandom(16)
    assert vaultcipher._derived("a passphrase", salt) == vaultcipher._derived("a passphrase", salt)
    assert 1 == len(calls)

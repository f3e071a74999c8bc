"""The vault: whose file it is, what is refused, profiles as a whole, many users at once."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from crawlkit.exceptions import LockHeld, StorageError, StoreMismatch, UsageError
from crawlkit.sessions import vaultfile, vaultschema
from crawlkit.sessions.vault import Vault
from crawlkit.sessions.vaultschema import APPLICATION_ID

posix = pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a vault will be: in a folder that is not there yet."""
    return tmp_path / "data" / "sessions.db"


def sql(path: Path, *statements: str) -> None:
    """Do something to the file behind the vault's back."""
    db = sqlite3.connect(path)
    with db:
        for statement in statements:
            db.execute(statement)
    db.close()


@posix
@pytest.mark.parametrize("umask", [0o000, 0o002, 0o022, 0o077])
def test_the_file_is_ours_alone(path: Path, umask: int) -> None:
    """Mode 0600 whatever the umask, in a folder that only we can write."""
    before = os.umask(umask)
    try:
        Vault(path)
    finally:
        os.umask(before)
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert 0 == stat.S_IMODE(path.parent.stat().st_mode) & 0o022


@posix
def test_no_byte_is_ever_readable_by_others(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file has its mode from the call that makes it: there is no chmod that comes later than the first
    byte.
    """
    modes: list[int] = []
    real = os.open

    def watched(file: object, flags: int, mode: int = 0o777, **options: object) -> int:
        descriptor = real(file, flags, mode, **options)  # type: ignore[arg-type]
        if Path(str(file)).parent == path.parent:
            assert str(file) != str(path), "closing it would drop another thread's locks on it"
            modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return descriptor

    before = os.umask(0)
    monkeypatch.setattr(os, "open", watched)
    try:
        Vault(path)
    finally:
        os.umask(before)
    assert [0o600] == modes
    assert [path] == list(path.parent.iterdir())
    assert 1 == path.stat().st_nlink


@posix
def test_a_file_system_without_hard_links(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The vault is made all the same, with nothing left beside it."""

    def refuse(*arguments: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    Vault(path)
    assert [path] == list(path.parent.iterdir())
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


@posix
def test_the_journal_is_ours_alone(path: Path) -> None:
    """The journal, which holds old pages, has the file's mode."""
    vault = Vault(path)
    before = os.umask(0)
    try:
        with vault._file.writing() as db:
            db.execute("INSERT INTO profiles (name, created, saved) VALUES ('a', 0, 0)")
            journal = path.with_name("sessions.db-journal")
            assert 0o600 == stat.S_IMODE(journal.stat().st_mode)
    finally:
        os.umask(before)


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_file_that_others_can_use(path: Path, mode: int) -> None:
    """Refused, at the start and later, with the command that helps."""
    vault = Vault(path)
    path.chmod(mode)
    for use in (lambda: Vault(path), vault.names):
        with pytest.raises(StorageError, match=f"{mode:04o}.*chmod 600 {path}"):
            use()
    path.chmod(0o600)
    assert [] == vault.names()


@posix
@pytest.mark.parametrize(
    ("name", "members", "refused"),
    [("me", [], False), ("me", ["me"], False), ("me", ["me", "other"], True), ("staff", [], True)],
)
def test_a_folder_that_a_group_can_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, members: list[str], refused: bool
) -> None:
    """A user's own group may write, as many systems have it by default (umask 002); any other is others."""
    import grp
    import pwd
    from types import SimpleNamespace

    monkeypatch.setattr(pwd, "getpwuid", lambda uid: SimpleNamespace(pw_name="me"))
    monkeypatch.setattr(grp, "getgrgid", lambda gid: SimpleNamespace(gr_name=name, gr_mem=members))
    tmp_path.chmod(0o775)
    if refused:
        with pytest.raises(StorageError, match="others can write"):
            Vault(tmp_path / "sessions.db")
    else:
        Vault(tmp_path / "sessions.db")


@posix
def test_reading_a_vault_that_is_not_made_makes_nothing(tmp_path: Path) -> None:
    """`make=False`: a command that fails before it has something to keep leaves no file and no folder."""
    vault = Vault(tmp_path / "data" / "sessions.db", make=False)
    profile = vault.profile("me")
    assert [] == vault.names() == list(tmp_path.iterdir())
    profile.state["login"] = 1
    profile.save()
    assert ["me"] == vault.names()
    assert 0o600 == (tmp_path / "data" / "sessions.db").stat().st_mode & 0o777


@posix
@pytest.mark.parametrize("mode", [0o707, 0o777, 0o1777, 0o702])
def test_a_folder_that_others_can_write(tmp_path: Path, mode: int) -> None:
    """Refused, a sticky one too, and nothing is made in it; reading it is no harm."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(StorageError, match=f"chmod go-w {folder}"):
        Vault(folder / "sessions.db")
    assert [] == list(folder.iterdir())
    folder.chmod(0o755)
    Vault(folder / "sessions.db")
    folder.chmod(mode)
    with pytest.raises(StorageError, match="others can write"):
        Vault(folder / "sessions.db")


@posix
def test_a_link_counts_as_what_it_leads_to(tmp_path: Path) -> None:
    """The folder that is checked is the one that the file is in."""
    open_folder = tmp_path / "open"
    open_folder.mkdir()
    Vault(open_folder / "real.db")
    open_folder.chmod(0o777)
    link = tmp_path / "link.db"
    link.symlink_to(open_folder / "real.db")
    with pytest.raises(StorageError, match="open"):
        Vault(link)


@pytest.fixture
def give_away(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Makes a path another user's, as far as the vault can see: who may not chown has to test it as well."""
    given: set[int] = set()
    monkeypatch.setattr(vaultfile, "_owner", lambda status: 54321 if status.st_ino in given else status.st_uid)
    return lambda path: given.add(path.lstat().st_ino)


@posix
def test_a_file_of_another_user(path: Path, give_away: Callable[[Path], None]) -> None:
    """Whatever its mode: its owner reads it, and writes other logins into it."""
    vault = Vault(path)
    give_away(path)
    for use in (lambda: Vault(path), vault.names):
        with pytest.raises(StorageError, match=rf"{path} belongs to the user with number 54321.*chown \S+ {path}"):
            use()


@posix
def test_a_folder_of_another_user(path: Path, give_away: Callable[[Path], None]) -> None:
    """Its owner can move the vault away and put one of their own there, before or after it is made."""
    path.parent.mkdir()
    give_away(path.parent)
    with pytest.raises(StorageError, match=rf"{path.parent}, the folder .* number 54321.*chown \S+ {path.parent}"):
        Vault(path)
    assert [] == list(path.parent.iterdir())


@posix
def test_what_belongs_to_root_is_nobody_elses(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Vault(path)
    monkeypatch.setattr(vaultfile, "_owner", lambda status: 0)
    assert [] == Vault(path).names()


@posix
def test_a_folder_further_up_that_anybody_can_write(tmp_path: Path, give_away: Callable[[Path], None]) -> None:
    """The vault's own folder could be swapped for another; not so where the sticky bit is, unless it is another's."""
    up = tmp_path / "up"
    (up / "keys").mkdir(parents=True)
    up.chmod(0o777)
    with pytest.raises(StorageError, match=rf"others can write in {up} \(mode 0777\).*chmod o-w {up}"):
        Vault(up / "keys" / "sessions.db")
    up.chmod(0o1777)
    Vault(up / "keys" / "sessions.db")
    (up / "other" / "keys").mkdir(parents=True)
    give_away(up / "other")
    with pytest.raises(StorageError, match=rf"{up / 'other'}, on the way to the vault, belongs to"):
        Vault(up / "other" / "keys" / "sessions.db")


@posix
@pytest.mark.parametrize("of_folder", [False, True])
def test_links_are_looked_at_themselves(of_folder: bool, tmp_path: Path, give_away: Callable[[Path], None]) -> None:
    """Who can change where a link leads chooses which logins are used."""
    keys, shared = tmp_path / "keys", tmp_path / "shared"
    shared.mkdir()
    Vault(keys / "sessions.db")
    link = shared / "link"
    link.symlink_to(keys if of_folder else keys / "sessions.db")
    name = link / "sessions.db" if of_folder else link
    again = tmp_path / "again"
    again.symlink_to(name)
    for mode in (0o755, 0o1777):
        shared.chmod(mode)
        assert Vault(name).path == Vault(again).path == keys / "sessions.db"
    shared.chmod(0o777)
    for each in (name, again):
        with pytest.raises(StorageError, match=f"others can write in {shared}.*replace link"):
            Vault(each)
    shared.chmod(0o755)
    give_away(link)
    with pytest.raises(StorageError, match=f"{link}, a link .* name the file itself"):
        Vault(again)


@posix
def test_links_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(StorageError):
        Vault(tmp_path / "a")


def test_no_file(tmp_path: Path) -> None:
    """A folder in its place, or a file in the folder's place: an error that names it."""
    with pytest.raises(StorageError, match="not a file"):
        Vault(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="could not be"):
        Vault(tmp_path / "file" / "sessions.db")
    vault = Vault(tmp_path / "sessions.db")
    (tmp_path / "sessions.db").unlink()
    with pytest.raises(StorageError, match="could not be read"):
        vault.names()


def test_how_it_is_written(path: Path) -> None:
    """A rollback journal, synchronous=FULL, secure_delete, no temporary files, and our mark in the file."""
    vault = Vault(path)
    with vault._file.writing() as db:
        wanted = {"journal_mode": "delete", "synchronous": 2, "secure_delete": 1, "temp_store": 2, "foreign_keys": 1}
        assert wanted == {name: db.execute(f"PRAGMA {name}").fetchone()[0] for name in wanted}
        assert APPLICATION_ID == db.execute("PRAGMA application_id").fetchone()[0]
        assert len(vaultschema.MIGRATIONS) == db.execute("PRAGMA user_version").fetchone()[0]
        assert db.in_transaction


def test_wal_is_turned_off(path: Path) -> None:
    """A file that some tool switched to WAL gets its rollback journal back."""
    Vault(path)
    sql(path, "PRAGMA journal_mode = WAL")
    for left in path.parent.iterdir():
        left.chmod(0o600)
    with Vault(path)._file.reading() as db:
        assert "delete" == db.execute("PRAGMA journal_mode").fetchone()[0]


def test_something_else(path: Path) -> None:
    """Another program's database, and a newer vault, are refused and left as they are."""
    Vault(path)
    sql(path, "PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(StoreMismatch, match=r"newer crawlkit.*99"):
        Vault(path)
    sql(path, "PRAGMA user_version = 1", "PRAGMA application_id = 7")
    with pytest.raises(StoreMismatch, match="something else"):
        Vault(path)
    foreign = path.with_name("items.db")
    sql(foreign, "CREATE TABLE items (id)")
    foreign.chmod(0o600)
    with pytest.raises(StoreMismatch, match=r"items\.db"):
        Vault(foreign)
    assert before[:16] == path.read_bytes()[:16]


@pytest.mark.parametrize("damage", ["text", "head", "middle"])
def test_damage(path: Path, damage: str) -> None:
    """A damaged file is noticed at the start, named, and left as it is."""
    profile = Vault(path).profile("a")
    for number in range(200):
        profile.jar.set(f"c{number}", "x" * 100, domain="example.com")
    profile.save()
    data = bytearray(path.read_bytes())
    if damage == "text":
        data = bytearray(b"this is not a database" * 100)
    elif damage == "head":
        data[:32] = b"\xff" * 32
    else:
        for page in range(2, len(data) // 4096):
            data[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    path.write_bytes(data)
    with pytest.raises(StorageError, match=r"damaged.*left as it is"):
        Vault(path)
    assert bytes(data) == path.read_bytes()


def test_an_empty_file(path: Path) -> None:
    """What a crash between making the file and its tables leaves is taken as new."""
    path.parent.mkdir()
    path.touch(mode=0o600)
    assert [] == Vault(path).names()


def test_migrations(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later version adds to the tables and keeps the rows; one that fails leaves the file as it was."""
    profile = Vault(path).profile("a")
    profile.state["login"] = {"epoch": 1}
    profile.save()

    def attempts(db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE attempts (profile INTEGER, at REAL)")

    def broken(db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE half (x)")
        raise sqlite3.OperationalError("disk on fire")

    monkeypatch.setattr(vaultschema, "MIGRATIONS", (*vaultschema.MIGRATIONS, attempts, broken))
    monkeypatch.setattr("crawlkit.sessions.vaultdatabase.MIGRATIONS", vaultschema.MIGRATIONS)
    with pytest.raises(StorageError, match="disk on fire"):
        Vault(path)
    monkeypatch.setattr(vaultschema, "MIGRATIONS", vaultschema.MIGRATIONS[:-1])
    monkeypatch.setattr("crawlkit.sessions.vaultdatabase.MIGRATIONS", vaultschema.MIGRATIONS)
    vault = Vault(path)
    assert {"login": {"epoch": 1}} == vault.profile("a").state
    with vault._file.reading() as db:
        assert 0 == db.execute("SELECT count(*) FROM attempts").fetchone()[0]
        assert None is db.execute("SELECT 1 FROM sqlite_master WHERE name = 'half'").fetchone()


@pytest.mark.parametrize("name", ["", "A", "-a", ".a", "a b", "a/b", "ä", "a\n", None])
def test_names(path: Path, name: str) -> None:
    """A profile's name is [a-z0-9][a-z0-9._-]*."""
    with pytest.raises(UsageError, match="name"):
        Vault(path).profile(name)


def test_profiles_as_a_whole(path: Path) -> None:
    """Listing, copying and deleting; what is not there is named with what is."""
    vault = Vault.open(path)
    assert [] == vault.names() and not vault.delete("a")
    for name in ("b", "a.1-x_y"):
        profile = vault.profile(name)
        profile.jar.receive("https://example.com/", [f"sid={name}; Secure"])
        profile.headers["X-Key"] = name
        profile.save()
    assert ["a.1-x_y", "b"] == vault.names() and "b" in vault and "c" not in vault
    vault.copy("b", "c")
    twin = vault.profile("c")
    assert ("sid=b", "b") == (twin.jar.header_for("https://example.com/"), twin.headers["x-key"])
    twin.jar.clear()
    twin.save()
    assert 1 == len(vault.profile("b").jar)
    with pytest.raises(UsageError, match=r"no profile 'z'; it has: a\.1-x_y, b, c$"):
        vault.copy("z", "y")
    with pytest.raises(UsageError, match="already"):
        vault.copy("b", "c")
    assert vault.delete("b") and not vault.delete("b") and 0 == len(vault.profile("b").jar)
    assert str(path) in repr(vault)


def test_deleted_logins_are_gone_from_the_file(path: Path) -> None:
    """No byte of a deleted cookie or profile stays in the file or beside it."""
    vault = Vault(path)
    profile = vault.profile("a")
    profile.jar.set("one", "TOPSECRET1", domain="example.com")
    profile.jar.set("two", "TOPSECRET2", domain="example.com")
    profile.headers["X-Key"] = "TOPSECRET3"
    profile.state["x"] = "TOPSECRET4"
    profile.save()
    assert 4 == path.read_bytes().count(b"TOPSECRET")
    profile.jar.clear(domain="example.com", path="/", name="one")
    del profile.headers["X-Key"]
    del profile.state["x"]
    profile.save()
    assert 1 == path.read_bytes().count(b"TOPSECRET")
    vault.delete("a")
    assert 0 == path.read_bytes().count(b"TOPSECRET")
    assert [path] == list(path.parent.iterdir())


def test_in_use(path: Path) -> None:
    """When another process does not let go, the error says for how long it was waited."""
    Vault(path)
    vault = Vault(path, busy_seconds=0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    for use in (vault.names, lambda: vault.delete("a")):
        with pytest.raises(StorageError, match=r"in use.*0\.05 s"):
            use()
    other.execute("ROLLBACK")
    other.close()
    assert [] == vault.names()


def test_it_waits_for_others(path: Path) -> None:
    """A short wait is no error."""
    vault = Vault(path)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    let_go = threading.Timer(0.1, lambda: other.execute("ROLLBACK"))
    let_go.start()
    begun = time.monotonic()
    assert not vault.delete("a")
    assert time.monotonic() - begun >= 0.05
    let_go.join()
    other.close()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anything")
def test_a_file_that_cannot_be_written(path: Path) -> None:
    """Named, with where to look."""
    vault = Vault(path)
    path.chmod(0o400)
    with pytest.raises(StorageError, match="could not be written"):
        vault.delete("a")


def test_a_full_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's own limit stands for it: nothing is half written, and the next save writes all."""
    vault = Vault(path)
    profile = vault.profile("a")
    profile.jar.set("a", "x" * 3000, domain="example.com")
    profile.save()
    for number in range(50):
        profile.jar.set(f"c{number}", "x" * 3000, domain="example.com")
    real: Callable[..., sqlite3.Connection] = sqlite3.connect

    def full(*arguments: object, **options: object) -> sqlite3.Connection:
        db = real(*arguments, **options)
        db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
        return db

    monkeypatch.setattr(sqlite3, "connect", full)
    with pytest.raises(StorageError, match=r"could not be written.*full"):
        profile.save()
    monkeypatch.setattr(sqlite3, "connect", real)
    assert 1 == len(vault.profile("a").jar)
    assert profile.changed and profile.save()
    assert 51 == len(Vault(path).profile("a").jar)


def test_many_open_it_at_once(path: Path) -> None:
    """Threads that make one vault at the same time end with one sound vault."""
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            profile = Vault(path).profile(f"p{number}")
            profile.state["n"] = number
            profile.save()
        except BaseException as error:  # noqa: BLE001 - told below
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [] == errors
    assert [f"p{number}" for number in range(8)] == Vault(path).names()


def test_one_logs_a_profile_in_at_a_time(path: Path) -> None:
    """Of all processes, and of the threads of one; other profiles are not waited for."""
    vault = Vault(path, make=False)
    with vault.turn("alice"), vault.turn("bob"):
        with pytest.raises(LockHeld, match=f"profile alice: another process is logging it in \\(pid {os.getpid()}"):
            Vault(path, make=False).turn("alice", wait=False).acquire()
        with pytest.raises(LockHeld):
            vault.turn("alice", stopped=lambda: True).acquire()
    assert [] == list(path.parent.iterdir())
    with vault.turn("alice", wait=False) as lock:
        assert path.with_name("sessions.db.alice.login.lock") == lock.path
    with pytest.raises(UsageError, match="no name for a profile"):
        vault.turn("../alice")


@posix
def test_a_turn_is_ours_alone(path: Path) -> None:
    """Mode 0600, and refused in a folder in which others could take the lock file away."""
    with Vault(path, make=False).turn("alice") as lock:
        assert 0o600 == stat.S_IMODE(lock.path.stat().st_mode)
    vault = Vault(path)
    path.parent.chmod(0o777)
    with pytest.raises(StorageError, match="chmod go-w"):
        vault.turn("alice")
    path.parent.chmod(0o755)

"""Opening: what is refused before the first request, and that it is left as it is."""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crawlkit.exceptions import StorageError, StoreMismatch
from crawlkit.store import schema
from crawlkit.store.database import Store
from tests.store.desk import Desk, open_store, row


def made(path: Path) -> None:
    """A database with a page and a row, closed properly."""
    desk = Desk(path)
    desk.crawl("a", row(name="x"))
    desk.store.close()


def test_folders_are_made(path: Path) -> None:
    open_store(path).close()

    assert path.exists()


def test_the_file_says_whose_it_is(path: Path) -> None:
    made(path)

    head = path.read_bytes()[:100]

    assert b"crkt" == head[68:72]
    assert schema.VERSION == int.from_bytes(head[60:64], "big")
    with Store.open_readonly(path) as reports:
        assert ("shop", "shop.py::Shop") == reports.owner()


@pytest.mark.parametrize("other", [{"spider": "news"}, {"source": "other.py::Shop"}])
def test_another_spiders_database_is_refused_without_adopt(path: Path, other: dict[str, str]) -> None:
    made(path)
    before = path.read_bytes()

    with pytest.raises(StoreMismatch, match="--adopt"):
        open_store(path, **other)

    assert before == path.read_bytes()
    open_store(path, **other, adopt=True).close()
    open_store(path, **other).close()
    with pytest.raises(StoreMismatch):
        open_store(path)


def test_a_database_of_another_program_is_refused(path: Path) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE notes (text)")
    connection.close()
    before = path.read_bytes()

    for adopt in (False, True):
        with pytest.raises(StoreMismatch, match="not made by a crawlkit spider"):
            open_store(path, adopt=adopt)
    with pytest.raises(StoreMismatch):
        Store.open_readonly(path)
    assert before == path.read_bytes()


def test_a_newer_version_is_refused(path: Path) -> None:
    made(path)
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    connection.close()

    with pytest.raises(StoreMismatch, match="newer crawlkit"):
        open_store(path)
    with pytest.raises(StoreMismatch, match="newer crawlkit"):
        Store.open_readonly(path)


def test_migrations_bring_an_older_file_up_to_date(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(path)

    def add_a_table(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE _new (x)")

    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, add_a_table))
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    with pytest.raises(StoreMismatch, match="older crawlkit; the spider's next run brings it up to date"):
        Store.open_readonly(path)
    desk = Desk(path)

    assert [] == desk.query("SELECT * FROM _new")
    assert ["x"] == desk.items()
    assert [(schema.VERSION,)] == desk.query("PRAGMA user_version")
    desk.store.close()


def test_a_migration_that_fails_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(path)

    def fail_halfway(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE _new (x)")
        connection.execute("INSERT INTO nowhere VALUES (1)")

    with monkeypatch.context() as newer:
        newer.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, fail_halfway))
        newer.setattr(schema, "VERSION", schema.VERSION + 1)
        with pytest.raises(StorageError):
            open_store(path)

    desk = Desk(path)
    assert [] == desk.query("SELECT name FROM sqlite_master WHERE name = '_new'")
    desk.store.close()


def test_an_empty_file_is_a_new_database(path: Path) -> None:
    """A run was killed before it wrote anything."""
    path.parent.mkdir()
    path.touch()

    with pytest.raises(StoreMismatch, match="empty"):
        Store.open_readonly(path)
    made(path)


@pytest.mark.parametrize("content", [b"not a database at all", b"SQLite format 2\x00" + bytes(5000)])
def test_what_is_no_database_is_left_as_it_is(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)

    for opened in (open_store, Store.open_readonly):
        with pytest.raises(StorageError) as caught:
            opened(path)
        assert str(path) in str(caught.value)
    assert content == path.read_bytes()
    assert [path.name] == [each.name for each in path.parent.iterdir()]


@pytest.mark.parametrize(("start", "length"), [(0, 16), (16, 84), (100, 3000)])
def test_a_damaged_head_is_noticed_at_the_start(path: Path, start: int, length: int) -> None:
    made(path)
    content = bytearray(path.read_bytes())
    content[start : start + length] = os.urandom(length)
    content[start] = 0xFF
    path.write_bytes(content)

    with pytest.raises((StorageError, StoreMismatch)) as caught:
        open_store(path)

    assert str(path) in str(caught.value)
    assert bytes(content) == path.read_bytes()


def test_a_file_cut_short_is_noticed(path: Path) -> None:
    made(path)
    content = path.read_bytes()[:4096]
    path.write_bytes(content)

    with pytest.raises(StorageError, match="damaged"):
        open_store(path)
    assert content == path.read_bytes()


def test_a_page_that_is_damaged_further_on_is_named_when_it_is_read(path: Path) -> None:
    desk = Desk(path)
    desk.add(*(f"p{n}" for n in range(3000)))
    [(root,)] = desk.query("SELECT rootpage FROM sqlite_master WHERE name = '_pages'")
    desk.store.close()
    content = bytearray(path.read_bytes())
    content[(root - 1) * 4096 : root * 4096] = b"\xff" * 4096
    path.write_bytes(content)

    with open_store(path) as store:
        assert store.check()
        with pytest.raises(StorageError, match="runs --check"):
            store.begin_run()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StorageError, match="cannot be made"):
        open_store(tmp_path / "file" / "shop.db")


def test_a_folder_in_its_place_is_named(path: Path) -> None:
    path.mkdir(parents=True)

    with pytest.raises(StorageError, match=r"shop\.db"):
        open_store(path)


@pytest.fixture
def as_nobody() -> Iterator[Path]:
    """A folder for a test that runs without root's right to write anywhere."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        root = os.geteuid() == 0
        (Path(folder) / "data").mkdir(mode=0o777)
        (Path(folder) / "data").chmod(0o777)
        if root:
            os.seteuid(65534)
        try:
            yield Path(folder) / "data" / "shop.db"
        finally:
            if root:
                os.seteuid(0)
            (Path(folder) / "data").chmod(0o777)


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX'")
@pytest.mark.parametrize("what", ["file", "folder", "folder of a new one"])
def test_what_cannot_be_written_is_refused_at_the_start(as_nobody: Path, what: str) -> None:
    path = as_nobody
    if what != "folder of a new one":
        made(path)
    if what == "file":
        path.chmod(0o400)
    elif os.geteuid() == path.parent.stat().st_uid:
        path.parent.chmod(0o500)
    else:
        os.seteuid(0)
        path.parent.chmod(0o555)
        os.seteuid(65534)

    with pytest.raises(StorageError, match="permissions") as caught:
        open_store(path)

    assert str(path) in str(caught.value)


def test_a_database_that_is_not_there_cannot_be_read(path: Path) -> None:
    with pytest.raises(StorageError, match="no such database"):
        Store.open_readonly(path)
    assert not path.exists()


def test_it_can_be_read_while_it_is_written(new_desk: Callable[..., Desk]) -> None:
    desk = new_desk()
    desk.crawl("a", row(name="x"))

    with Store.open_readonly(desk.path) as reports:
        assert {"items": 1} == reports.tables()
        desk.crawl("b", row(name="y"))
        assert {"items": 2} == reports.tables()


def test_it_can_be_read_after_a_kill(path: Path) -> None:
    """What was committed is in the write-ahead log only, and nobody has it open."""
    desk = Desk(path)
    desk.crawl("a", row(name="x"))
    for suffix in ("", "-wal"):
        copy = path.with_name(f"copy.db{suffix}")
        copy.write_bytes(path.with_name(path.name + suffix).read_bytes())
    desk.store.close()

    with Store.open_readonly(path.with_name("copy.db")) as reports:
        assert {"items": 1} == reports.tables()


def test_a_name_with_marks_that_mean_something_in_a_uri(tmp_path: Path) -> None:
    path = tmp_path / "a?b#c%20d" / "shop.db"
    made(path)

    with Store.open_readonly(path) as reports:
        assert {"items": 1} == reports.tables()
    assert path.exists()

"""Bodies: each once, by its hash, in a file of their own; gone when no page names them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from crawlkit.exceptions import StorageError, StoreMismatch
from crawlkit.store.bodies import Bodies, bodies_path, body_of
from tests.store.desk import INTERRUPTED, Desk, Ended


@pytest.fixture
def keeping(new_desk: Callable[..., Desk]) -> Desk:
    """A desk whose store keeps bodies."""
    return new_desk(bodies=True)


def crawl(desk: Desk, **pages: bytes) -> None:
    for name, content in pages.items():
        desk.crawl(name, body=body_of(content))


def kept(desk: Desk) -> set[bytes]:
    with Bodies(bodies_path(desk.path)) as bodies:
        return {bodies.read(name) or b"" for (name,) in bodies._reader.execute("SELECT name FROM bodies")}


def test_where_they_are(tmp_path: Path) -> None:
    assert tmp_path / "shop.bodies.db" == bodies_path(tmp_path / "shop.db")
    assert tmp_path / "shop.sqlite.bodies.db" == bodies_path(tmp_path / "shop.sqlite")


def test_a_body_is_read_by_its_name(keeping: Desk) -> None:
    crawl(keeping, a=b"one" * 1000, b=b"one" * 1000, c=b"")
    names = [name for (name,) in keeping.query("SELECT body FROM _pages ORDER BY id")]

    assert names[0] == names[1] != names[2]
    assert keeping.store.bodies is not None
    assert [b"one" * 1000, b""] == [keeping.store.bodies.read(name) for name in names[1:]]
    assert keeping.store.bodies.read(b"\0" * 16) is None
    assert {b"one" * 1000, b""} == kept(keeping)


def test_what_no_page_names_any_more_goes_when_a_crawl_has_finished(keeping: Desk) -> None:
    crawl(keeping, a=b"old", b=b"same")
    keeping.next_run()
    crawl(keeping, a=b"new", b=b"same")
    assert {b"old", b"new", b"same"} == kept(keeping)
    keeping.next_run(INTERRUPTED)
    assert {b"old", b"new", b"same"} == kept(keeping)
    keeping.store.end_run(Ended())
    assert {b"new", b"same"} == kept(keeping)


def test_bodies_are_there_before_the_pages_that_name_them(keeping: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit that fails leaves a body without a page, never a page without its body."""
    keeping.add("a")
    [lease] = keeping.claim()
    monkeypatch.setattr(keeping.store._commits, "write", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        keeping.store.commit([keeping.outcome(lease, body=body_of(b"x"))])

    assert {b"x"} == kept(keeping)


def test_other_files_are_refused_and_left_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "shop.bodies.db"
    with pytest.raises(StorageError, match=r"shop\.bodies\.db: no bodies were kept"):
        Bodies(path)
    path.write_bytes(b"something else entirely")
    with pytest.raises(StorageError, match="no SQLite database"):
        Bodies(path, writable=True)
    path.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE mine (a)")
    other.close()
    for writable in (True, False):
        with pytest.raises(StoreMismatch, match="not made by crawlkit for bodies"):
            Bodies(path, writable=writable)


def test_a_damaged_body_is_told(keeping: Desk) -> None:
    crawl(keeping, a=b"x" * 100)
    [(name,)] = keeping.query("SELECT body FROM _pages")
    other = sqlite3.connect(bodies_path(keeping.path))
    other.execute("UPDATE bodies SET data = x'00'")
    other.commit()
    other.close()
    assert keeping.store.bodies is not None
    with pytest.raises(StorageError, match="is damaged"):
        keeping.store.bodies.read(name)


def test_a_reader_writes_nothing(keeping: Desk) -> None:
    crawl(keeping, a=b"x")
    with Bodies(bodies_path(keeping.path)) as bodies, pytest.raises(StorageError, match="for reading only"):
        bodies.add([body_of(b"y")])

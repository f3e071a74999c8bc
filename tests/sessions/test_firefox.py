"""Firefox's cookies: which profile, which rows, and that a running Firefox is in nobody's way."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from pathlib import Path

import pytest

from crawlkit.exceptions import StorageError, UsageError
from crawlkit.sessions.firefox import firefox_cookies

TABLE = """CREATE TABLE moz_cookies (id INTEGER PRIMARY KEY, originAttributes TEXT NOT NULL DEFAULT '', name TEXT,
    value TEXT, host TEXT, path TEXT, expiry INTEGER, lastAccessed INTEGER, creationTime INTEGER, isSecure INTEGER,
    isHttpOnly INTEGER, inBrowserElement INTEGER DEFAULT 0, sameSite INTEGER DEFAULT 0, schemeMap INTEGER DEFAULT 0)"""
ROWS = [
    ("", "all", "1", ".example.com", "/", 4_102_444_800, 1, 1, 2),
    ("", "sid", b"J\xc3\xbcrgen", "www.example.com", "/a", 4_102_444_800, 0, 0, 256),
    ("^userContextId=1", "work", "secret", "www.example.com", "/", 4_102_444_800, 0, 0, 0),
    ("^partitionKey=%28https%2Cother.example%29", "part", "secret", "www.example.com", "/", 4_102_444_800, 0, 0, 0),
]


def fill(folder: Path, *, version: int = 15, name: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(folder / "cookies.sqlite")
    db.execute(TABLE)
    for attributes, cookie, value, host, path, expiry, *flags in ROWS:
        text = value.decode("utf-8") if isinstance(value, bytes) else value
        scale = 1000 if version >= 16 else 1
        row = (attributes, cookie + name, text, host, path, expiry * scale, *flags)
        db.execute(
            "INSERT INTO moz_cookies (originAttributes, name, value, host, path, expiry, isSecure, isHttpOnly, sameSite)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            row,
        )
    db.execute(f"PRAGMA user_version = {version}")
    db.commit()
    db.close()
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two profiles, of which the second is the default of the installation."""
    fill(tmp_path / "abc.default", name="-old")
    fill(tmp_path / "def.default-release")
    (tmp_path / "profiles.ini").write_text(
        "[Install4F96D1932A9F858E]\nDefault=def.default-release\nLocked=1\n\n"
        "[Profile1]\nName=default\nIsRelative=1\nPath=abc.default\nDefault=1\n\n"
        "[Profile0]\nName=default-release\nIsRelative=1\nPath=def.default-release\n\n"
        "[Profile2]\nName=never-started\nIsRelative=1\nPath=ghi.never\n"
    )
    return tmp_path


@pytest.mark.parametrize("version", [15, 16])
def test_rows(tmp_path: Path, version: int) -> None:
    """With every attribute; those of containers and partitions are counted. Newer tables have milliseconds."""
    found = firefox_cookies(str(fill(tmp_path, version=version)))
    everywhere, sid = found.cookies
    assert (("example.com", False, "/", "all"), "1") == (everywhere.key, everywhere.value)
    assert (True, True, "Strict") == (everywhere.secure, everywhere.httponly, everywhere.samesite)
    assert (("www.example.com", True, "/a", "sid"), "JÃ¼rgen", None) == (sid.key, sid.value, sid.samesite)
    assert {4_102_444_800} == {cookie.expires for cookie in found.cookies}
    assert 2 == found.left_out


def test_which_profile(root: Path) -> None:
    """The installation's default, by name, by folder, by path; what is misspelled is told the nearest."""
    nowhere = root / "nowhere"
    assert "def.default-release" == firefox_cookies(roots=[nowhere, root]).folder.name
    assert "abc.default" == firefox_cookies("default", roots=[root]).folder.name
    assert "all-old" == firefox_cookies("abc.default", roots=[root]).cookies[0].name
    assert root / "abc.default" == firefox_cookies(str(root / "abc.default"), roots=[]).folder
    with pytest.raises(UsageError, match="did you mean 'default-release'"):
        firefox_cookies("defaultrelease", roots=[root])
    with pytest.raises(UsageError, match="there are 'default', 'default-release'"):
        firefox_cookies("zzz", roots=[root])
    with pytest.raises(UsageError, match="no Firefox with cookies here"):
        firefox_cookies(roots=[nowhere])
    (root / "profiles.ini").write_text((root / "profiles.ini").read_text().partition("\n\n")[2])
    assert "abc.default" == firefox_cookies(roots=[root]).folder.name
    (root / "profiles.ini").write_text((root / "profiles.ini").read_text().replace("Default=1\n", ""))
    os.utime(root / "def.default-release" / "cookies.sqlite", (1, 1))
    assert "abc.default" == firefox_cookies(roots=[root]).folder.name


def test_a_running_firefox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds its lock and has not checkpointed: what it wrote is seen, nothing of it is touched, no copy stays."""
    copies = tmp_path / "copies"
    copies.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(copies))
    folder = fill(tmp_path / "profile")
    running = sqlite3.connect(folder / "cookies.sqlite", isolation_level=None)
    running.execute("PRAGMA journal_mode = WAL")
    running.execute("PRAGMA locking_mode = EXCLUSIVE")
    running.execute("UPDATE moz_cookies SET value = 'fresh' WHERE name = 'sid'")
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert "fresh" == firefox_cookies(str(folder)).cookies[1].value
    assert before == {file.name: file.read_bytes() for file in folder.iterdir()}
    assert [] == list(copies.iterdir())
    running.close()


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "cookies.sqlite").write_bytes(b"SQLite format 3\x00" + bytes(2000))
    with pytest.raises(StorageError, match="close Firefox and try again"):
        firefox_cookies(str(tmp_path))
    (tmp_path / "profiles.ini").write_text("no section\n")
    with pytest.raises(UsageError, match="name the profile's folder"):
        firefox_cookies(roots=[tmp_path])

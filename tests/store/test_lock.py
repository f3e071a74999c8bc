"""Lock: one run a database. How a lock is held and dies is tests/test_filelock.py's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crawlkit.exceptions import LockHeld, StorageError
from crawlkit.store import lock as lock_module
from crawlkit.store.lock import Lock


def test_it_lies_beside_the_database(path: Path) -> None:
    with Lock(path) as lock:
        assert path.with_name("shop.db.lock") == lock.path
        assert lock.path.exists()


def test_another_run_is_told_whose_it_is_and_what_to_do(path: Path) -> None:
    with Lock(path), pytest.raises(LockHeld, match=rf"another run is using it \(pid {os.getpid()}, .*--wait") as caught:
        Lock(path).acquire()
    assert str(caught.value).startswith(f"{path}: ")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StorageError, match=r"the lock cannot be made .* --db"):
        Lock(tmp_path / "file" / "shop.db").acquire()


def test_different_databases_do_not_meet(path: Path) -> None:
    with Lock(path), Lock(path.with_name("other.db")):
        pass


def test_the_holder_is_told_as_long_as_there_is_one(path: Path) -> None:
    """A file that was left behind by a process that was killed holds nothing; asking takes nothing away."""
    assert lock_module.holder(path) is None
    with Lock(path) as lock:
        left = lock.path.read_bytes()
        assert os.getpid() == (lock_module.holder(path) or {})["pid"]
        with pytest.raises(LockHeld):
            Lock(path).acquire()
    Lock(path).path.parent.mkdir(exist_ok=True)
    lock.path.write_bytes(left)
    assert lock_module.holder(path) is None
    with Lock(path):
        pass

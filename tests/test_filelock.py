"""FileLock: one holder among all threads and processes; it dies with its process, and only with that one."""

from __future__ import annotations

import errno
import json
import math
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from crawlkit import filelock
from crawlkit.exceptions import LockHeld, StorageError
from crawlkit.filelock import FileLock

HOLDER = """
import sys
from crawlkit.filelock import FileLock
lock = FileLock(sys.argv[1])
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the lock file will be: in a folder that is not there yet."""
    return tmp_path / "data" / "shop.lock"


@contextmanager
def held_elsewhere(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdin
    assert holder.stdout
    try:
        assert "held\n" == holder.stdout.readline()
        yield holder
    finally:
        holder.stdin.close()
        holder.wait(10)
        holder.stdout.close()


def test_the_second_is_told_who_the_first_is(path: Path) -> None:
    with held_elsewhere(path) as holder:
        with pytest.raises(LockHeld) as caught:
            FileLock(path).acquire()

        assert holder.pid == caught.value.pid
        assert str(holder.pid) in str(caught.value)
        assert str(caught.value.since) in str(caught.value)
        assert str(path) in str(caught.value)
    with FileLock(path):
        pass


def test_two_locks_of_one_process_exclude_each_other(path: Path) -> None:
    with FileLock(path) as first, pytest.raises(LockHeld):
        FileLock(path).acquire()
    assert not first.held


def test_a_lock_is_not_taken_twice(path: Path) -> None:
    with FileLock(path) as lock, pytest.raises(LockHeld, match="already"):
        lock.acquire()


def test_it_dies_with_its_process(path: Path) -> None:
    with held_elsewhere(path) as holder:
        holder.send_signal(signal.SIGKILL)
        holder.wait(10)

        with FileLock(path) as lock:
            assert {"pid": os.getpid()}.items() <= json.loads(lock.path.read_text()).items()


def test_nothing_is_left_behind(path: Path) -> None:
    with FileLock(path) as lock:
        assert "held" in repr(lock)
        assert lock.path.exists()

    assert not lock.path.exists()
    assert "free" in repr(lock)
    lock.release()


def test_waiting_ends_when_the_lock_is_free(path: Path) -> None:
    first = FileLock(path)
    first.acquire()
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            first.release()

    with FileLock(path, wait=True, sleep=sleep):
        assert 3 == len(pauses)
    assert sorted(pauses) == pauses, "each pause is no shorter than the one before"


def test_waiting_ends_with_its_time(path: Path) -> None:
    now = [100.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    with FileLock(path), pytest.raises(LockHeld):
        FileLock(path, wait=2.5, sleep=sleep, clock=lambda: now[0]).acquire()

    assert math.isclose(102.5, now[0])


def test_waiting_can_be_stopped(path: Path) -> None:
    stop = threading.Event()

    with FileLock(path), pytest.raises(LockHeld):
        FileLock(path, wait=True, stopped=stop.is_set, sleep=lambda _: stop.set()).acquire()


def test_a_lock_file_that_was_removed_locks_nobody_out(path: Path) -> None:
    """Somebody tidies up: a new file is made and locked; the old holder does not remove the new one."""
    with FileLock(path) as first:
        first.path.unlink()
        with FileLock(path) as second:
            first.release()

            assert second.path.exists()
            with pytest.raises(LockHeld):
                FileLock(path).acquire()


def test_the_file_is_locked_that_has_the_name(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The holder lets go, and removes the file, between our opening and our locking it."""
    first = FileLock(path)
    first.acquire()
    opened = FileLock._open

    def open_then_lose(self: FileLock) -> int:
        descriptor = opened(self)
        first.release()
        return descriptor

    monkeypatch.setattr(FileLock, "_open", open_then_lose)
    with FileLock(path) as second:
        monkeypatch.undo()
        assert os.path.samestat(os.fstat(second._descriptor or -1), second.path.stat())
        with pytest.raises(LockHeld):
            FileLock(path).acquire()


def test_many_threads_take_turns(path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        for _ in range(20):
            with FileLock(path, wait=True, sleep=lambda _: None):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 80 == len(most)
    assert 1 == max(most)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_does_not_keep_the_lock(path: Path) -> None:
    """flock belongs to the open file, which a child shares: it must close it, and must not unlock it."""
    reads, writes = os.pipe()
    with FileLock(path) as lock:
        child = os.fork()
        if child == 0:  # pragma: no cover - the child is not measured
            os.close(writes)
            os.read(reads, 1)
            os._exit(1 if lock.held else 0)
        with pytest.raises(LockHeld):
            FileLock(path).acquire()
    try:
        with FileLock(path):
            pass
    finally:
        os.close(reads)
        os.close(writes)
        _, status = os.waitpid(child, 0)

    assert 0 == os.waitstatus_to_exitcode(status)


def test_a_program_that_is_started_does_not_inherit_it(path: Path) -> None:
    with FileLock(path) as lock:
        assert lock._descriptor is not None
        assert not os.get_inheritable(lock._descriptor)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StorageError, match="the lock cannot be made"):
        FileLock(tmp_path / "file" / "shop.lock").acquire()


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "free space"),
        (errno.ENOLCK, "keep the crown on a local disk"),
        (errno.EOPNOTSUPP, "keep the crown on a local disk"),
        (errno.EIO, "check the permissions"),
    ],
)
def test_the_advice_is_that_of_the_fault(path: Path, monkeypatch: pytest.MonkeyPatch, number: int, advice: str) -> None:
    """And no file is left behind."""

    def fail(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(filelock, "_write_holder", fail)
    with pytest.raises(StorageError, match=advice):
        FileLock(path, guards="the crown").acquire()
    assert not FileLock(path).path.exists()


def test_a_holder_that_has_not_written_yet_is_no_error(path: Path) -> None:
    with FileLock(path) as lock:
        lock.path.write_text("")

        with pytest.raises(LockHeld) as caught:
            FileLock(path).acquire()
    assert caught.value.pid is None


def test_the_file_has_the_mode_that_it_is_given(path: Path) -> None:
    with FileLock(path, mode=0o600):
        assert 0o600 == stat.S_IMODE(path.stat().st_mode)

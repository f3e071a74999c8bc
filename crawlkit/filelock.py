"""FileLock: one holder at a time among all threads and processes. It dies with the process that holds it.

What belongs here: holding, waiting for and naming the holder of a lock file. What does not: what a lock guards
(store/lock.py: a database; sessions/vault.py: the login of a profile).

flock(2) on Linux and macOS: the lock belongs to the open file, not to the process, so that a child made by
fork() would keep it alive; the child closes its copy. The file holds JSON with the holder's pid and start. A
holder removes the file when it lets go; whoever gets a lock looks whether the file that it locked is still the
one with that name.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
import time
import weakref
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from crawlkit.exceptions import LockHeld, StorageError

if sys.platform == "win32":  # pragma: no cover - Windows
    import msvcrt
else:
    import fcntl

#: How long to sleep between two looks at a lock that is waited for: it grows from the first to the second.
_FIRST_PAUSE, _LAST_PAUSE = 0.05, 1.0

_BUSY = frozenset({errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK})

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})

#: Longer than a question after the holder keeps the lock.
_INSTANT = 0.005

#: Every lock that this process holds; a child made by fork closes its copies.
_held: weakref.WeakSet[FileLock] = weakref.WeakSet()


class FileLock:
    """The right to do what `path`, a lock file, stands for. A context manager; may be acquired again after it was
    released.

    `wait` says what to do when another has it: False raises LockHeld at once, True waits until it is free, a number
    waits for that many seconds. `stopped` is asked while waiting; once it answers True, LockHeld is raised. `mode` is
    the file's. Any thread, one at a time; two objects of one process exclude each other too.

    For its errors: `busy` says that another has it, `advice` what to do then, `guards` what must lie on a disk that
    can lock, `elsewhere` what to do when the folder does not take the file.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        wait: bool | float = False,
        stopped: Callable[[], bool] | None = None,
        busy: str | None = None,
        advice: str = "wait for it to end",
        guards: str = "it",
        elsewhere: str = "",
        mode: int = 0o666,
        sleep: Callable[[float], Any] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = Path(path)
        self._wait = float("inf") if wait is True else float(wait)
        self._stopped = stopped
        self._busy = busy or f"{self.path}: another process holds it"
        self._advice = advice
        self._guards = guards
        self._elsewhere = elsewhere
        self._mode = mode
        self._sleep = sleep
        self._clock = clock
        self._descriptor: int | None = None
        self._made_folder = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self.path)!r} {'held' if self.held else 'free'}>"

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._descriptor is not None

    def acquire(self) -> None:
        """Take the lock. LockHeld, naming its holder, when another has it; StorageError when none can be."""
        if self.held:
            raise LockHeld(f"{self.path}: this lock is held already", pid=os.getpid())
        give_up_at = self._clock() + self._wait
        pause = _FIRST_PAUSE
        while not self._try():
            left = give_up_at - self._clock()
            if left <= 0 or (self._stopped is not None and self._stopped()):
                raise self._held_by_another()
            self._sleep(min(pause, left))
            pause = min(2 * pause, _LAST_PAUSE)
        _held.add(self)

    def release(self) -> None:
        """Let go of the lock. Does nothing when it is not held."""
        descriptor, self._descriptor = self._descriptor, None
        _held.discard(self)
        if descriptor is None:
            return
        # Removed while it is locked: who has it open already will find that it lost its name.
        with contextlib.suppress(OSError):
            if _is_named(descriptor, self.path):
                self.path.unlink()
        os.close(descriptor)
        if self._made_folder:
            with contextlib.suppress(OSError):  # not empty: what the lock guards was made
                self.path.parent.rmdir()

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _try(self) -> bool:
        """Lock the file that has the name; False when another has it."""
        while True:
            descriptor = self._open()
            try:
                if not _lock(descriptor):
                    os.close(descriptor)
                    return False
                if _is_named(descriptor, self.path):
                    _write_holder(descriptor)
                    self._descriptor = descriptor
                    return True
            except OSError as error:
                with contextlib.suppress(OSError):
                    if _is_named(descriptor, self.path):
                        self.path.unlink()
                os.close(descriptor)
                raise self._impossible(error) from error
            os.close(descriptor)  # its holder removed it in between: a new one is to be made

    def _open(self) -> int:
        attempts = 100  # another holder that leaves nothing behind may take the folder away in between
        while True:
            attempts -= 1
            try:
                if not self.path.parent.is_dir():
                    self.path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
                    self._made_folder = True
                # Python's descriptors are closed on exec (PEP 446).
                return os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), self._mode)
            except OSError as error:
                if isinstance(error, FileNotFoundError) and attempts:
                    continue
                raise self._impossible(error) from error

    def _held_by_another(self) -> LockHeld:
        holder = _read_holder(self.path)
        pid, since = holder.get("pid"), holder.get("since")
        who = f"pid {pid}, since {since}" if pid else "which has not said its pid yet"
        return LockHeld(f"{self._busy} ({who}); {self._advice}", pid=pid, since=since)

    def _impossible(self, error: OSError) -> StorageError:
        """What keeps the lock from being taken, and what to do."""
        if error.errno in _FULL:
            told = f"the lock cannot be written ({error.strerror}); free space and run the same command again"
        elif error.errno in _NO_LOCKS:
            told = f"this disk cannot lock files ({error.strerror}); keep {self._guards} on a local disk"
        else:
            told = f"the lock cannot be made ({error.strerror}); check the permissions of the folder{self._elsewhere}"
        return StorageError(f"{self.path}: {told}")


def holder(path: Path) -> dict[str, Any] | None:
    """Who holds the lock file `path`: "pid" and "since" as far as they are written; None when nobody does. Any thread.

    The lock itself is asked, by taking it for an instant: a number in the file may be that of another process by now.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        return None
    except OSError:
        return _read_holder(path)  # another user's, which cannot be asked
    try:
        return None if _lock(descriptor) else _read_holder(path)
    except OSError:  # no locks here, and so no holder
        return None
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    """Lock an open file without waiting; False when another has it locked."""
    if _lock_once(descriptor):
        return True
    time.sleep(_INSTANT)  # it may have been `holder`, that only asked
    return _lock_once(descriptor)


def _lock_once(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":  # pragma: no cover - Windows
            # A byte far behind the JSON, which others must be able to read: locks are mandatory there.
            os.lseek(descriptor, 1 << 20, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _BUSY:
            return False
        raise
    return True


def _is_named(descriptor: int, path: Path) -> bool:
    """Whether the open file is the one that `path` names."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _write_holder(descriptor: int) -> None:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.ftruncate(descriptor, 0)
    os.write(descriptor, json.dumps({"pid": os.getpid(), "since": since}).encode() + b"\n")


def _read_holder(path: Path) -> dict[str, Any]:
    try:
        holder = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return holder if isinstance(holder, dict) else {}


def _close_in_child() -> None:
    # Closed, not unlocked: an unlock would take the lock from the parent, who shares the open file.
    for lock in list(_held):
        descriptor, lock._descriptor = lock._descriptor, None
        if descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(descriptor)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_in_child)

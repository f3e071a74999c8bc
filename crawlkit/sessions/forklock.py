"""new_lock: a lock that a fork leaves usable.

What belongs here: that alone. A child that is forked while another thread holds a lock would wait for that
thread, which it does not have, for ever.
"""

from __future__ import annotations

import os
from threading import RLock
from weakref import WeakSet

_locks: WeakSet[RLock] = WeakSet()


def new_lock() -> RLock:
    """A reentrant lock that is free in a forked child, whatever thread held it in the parent."""
    lock = RLock()
    _locks.add(lock)
    return lock


def _free_locks() -> None:
    for lock in _locks:
        lock._at_fork_reinit()  # type: ignore[attr-defined]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_free_locks)

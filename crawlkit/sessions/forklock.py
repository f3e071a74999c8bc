"""new_lock: a lock that a fork leaves usable, and what it guards whole.

What belongs here: that alone. A child that is forked while another thread holds a lock would wait for that thread, which
it does not have, for ever; and what the thread was changing stays half changed in the child.
"""

from __future__ import annotations

import os
import time
from _thread import RLock, get_ident
from weakref import WeakValueDictionary

_PATIENCE_SECONDS = 0.5  # for all locks together: a fork must not hang for a thread that does

_all: WeakValueDictionary[int, RLock] = WeakValueDictionary()
_brief: WeakValueDictionary[int, RLock] = WeakValueDictionary()
_held: dict[int, list[RLock]] = {}  # by the thread that is forking


def new_lock(*, brief: bool = False) -> RLock:
    """A reentrant lock that is free in a forked child, whatever thread held it in the parent.

    `brief`: it is never held over I/O or while another is waited for. A fork then waits until no other thread holds it,
    so that the child finds what it guards as it should be.
    """
    lock = RLock()
    _all[id(lock)] = lock
    if brief:
        _brief[id(lock)] = lock
    return lock


def _hold() -> None:
    held = _held[get_ident()] = []
    until = time.monotonic() + _PATIENCE_SECONDS
    for reference in _brief.valuerefs():
        lock = reference()
        if lock is not None and lock.acquire(timeout=max(until - time.monotonic(), 0)):
            held.append(lock)


def _let_go() -> None:
    for lock in _held.pop(get_ident(), ()):
        lock.release()


def _free() -> None:
    _held.clear()
    for reference in _all.valuerefs():
        lock = reference()
        if lock is not None:
            lock._at_fork_reinit()  # type: ignore[attr-defined]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_hold, after_in_parent=_let_go, after_in_child=_free)

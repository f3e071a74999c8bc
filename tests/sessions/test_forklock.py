"""A fork at the worst moment: the child finds every lock free, and what a brief one guards whole."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from crawlkit.sessions import cookieindex, forklock
from crawlkit.sessions.cookiestore import CookieStore
from crawlkit.sessions.forklock import new_lock

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]

URL = "https://www.example.com/"


def in_a_child(holds: Callable[[], bool]) -> bool:
    """Whether `holds()` is true in a forked child."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if holds() else 1
        finally:
            os._exit(code)
    return 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_fork_waits_for_a_cookie_that_is_being_put_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half put in, it would make every request of the child fail."""
    store, within = CookieStore(), threading.Event()
    insort = cookieindex.insort

    def slow_insort(order: list[Any], entry: Any) -> None:
        insort(order, entry)
        within.set()
        time.sleep(0.1)

    store.receive(URL, ["a=1"])
    monkeypatch.setattr(cookieindex, "insort", slow_insort)
    putting = threading.Thread(target=lambda: store.receive(URL, ["b=2"]))
    putting.start()
    within.wait()
    assert in_a_child(lambda: store.header_for(URL) == "a=1; b=2")
    putting.join()
    assert "a=1; b=2" == store.header_for(URL)


@pytest.mark.parametrize("brief", [False, True])
def test_a_lock_that_nobody_lets_go_is_free_in_the_child(brief: bool) -> None:
    """And a fork does not hang for it."""
    lock, held, over = new_lock(brief=brief), threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            over.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    begun = time.monotonic()
    assert in_a_child(lambda: lock.acquire(timeout=5))
    assert time.monotonic() - begun < 4
    over.set()
    holder.join()
    assert lock.acquire(timeout=5)


def test_who_forks_may_hold_it_and_holds_it_afterwards() -> None:
    lock = new_lock(brief=True)
    with lock:
        assert in_a_child(lambda: lock.acquire(blocking=False))
        taken: list[bool] = []
        other = threading.Thread(target=lambda: taken.append(lock.acquire(blocking=False)))
        other.start()
        other.join()
        assert [False] == taken
    assert not forklock._held


def test_threads_that_fork_together_do_not_wait_for_each_other_for_ever() -> None:
    locks = [new_lock(brief=True) for _ in range(5)]
    good: list[bool] = []
    threads = [
        threading.Thread(target=lambda: good.append(in_a_child(lambda: all(one.acquire(timeout=5) for one in locks))))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [True] * 8 == good


def test_locks_that_are_gone_are_forgotten() -> None:
    gc.collect()
    before = len(forklock._all)
    lock = new_lock(brief=True)
    assert before + 1 == len(forklock._all)
    del lock
    assert before == len(forklock._all)

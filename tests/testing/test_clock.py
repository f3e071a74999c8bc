"""The fake clock moves when it is told to, and only then."""

from __future__ import annotations

import threading

import pytest

from crawlkit.testing import FakeClock


def test_stands_still_until_advanced():
    """Both clocks move by the same seconds, and never by themselves."""
    clock = FakeClock(start=100.0)
    before = clock.monotonic()
    assert 100.0 == clock.time()
    clock.advance(2.5)
    assert (102.5, before + 2.5) == (clock.time(), clock.monotonic())
    assert "102.5" in repr(clock)


def test_sleep_passes_at_once_and_is_noted():
    """A sleep of an hour takes no time; a test can say how long was slept."""
    clock = FakeClock(start=0.0)
    clock.sleep(3600)
    clock.sleep(-1)
    assert [3600, -1] == clock.slept
    assert 3600.0 == clock.time()


def test_wall_clock_can_be_put_back():
    """The monotonic clock does not follow."""
    clock = FakeClock(start=1000.0)
    before = clock.monotonic()
    clock.set_time(10.0)
    assert (10.0, before) == (clock.time(), clock.monotonic())
    with pytest.raises(ValueError, match="set_time"):
        clock.advance(-1)


def test_wait_until_wakes_when_another_thread_advances():
    """A thread that waits for an instant goes on when the clock is there; nobody sleeps."""
    clock = FakeClock()
    target = clock.monotonic() + 5
    seen: list[bool] = []
    waiter = threading.Thread(target=lambda: seen.append(clock.wait_until(target)))
    waiter.start()
    clock.advance(3)
    clock.advance(2)
    waiter.join(5)
    assert [True] == seen
    assert not clock.wait_until(clock.monotonic() + 1, patience_seconds=0)

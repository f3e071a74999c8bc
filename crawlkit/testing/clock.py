"""A clock that tests turn by hand, in place of sleeping. Knows nothing of what it is handed to."""

from __future__ import annotations

import threading


class FakeClock:
    """Time that stands still until `advance()` or `sleep()` moves it. Safe from any thread.

    Hand over its methods where code takes a clock: `clock.time` for time.time, `clock.monotonic` for
    time.monotonic, `clock.sleep` for time.sleep. All are seconds. `clock.slept` lists what was slept, in
    order.
    """

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._changed = threading.Condition()
        self._time = start
        self._monotonic = 1000.0
        self.slept: list[float] = []

    def time(self) -> float:
        """The wall clock, in seconds since 1970."""
        with self._changed:
            return self._time

    def monotonic(self) -> float:
        """The clock that never goes back. Its zero means nothing."""
        with self._changed:
            return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass on both clocks and wake who waits in `wait_until`. ValueError below zero."""
        if seconds < 0:
            raise ValueError(f"time passes forwards, not by {seconds} seconds: use set_time() for a clock put back")
        with self._changed:
            self._time += seconds
            self._monotonic += seconds
            self._changed.notify_all()

    def set_time(self, time: float) -> None:
        """Put the wall clock to another time, as an administrator or a leap second does; monotonic stays."""
        with self._changed:
            self._time = time
            self._changed.notify_all()

    def sleep(self, seconds: float) -> None:
        """Note the sleep and let that time pass at once."""
        with self._changed:
            self.slept.append(seconds)
        self.advance(max(0.0, seconds))

    def wait_until(self, monotonic: float, *, patience_seconds: float = 10.0) -> bool:
        """Block this thread until another one has advanced the clock so far; False when real patience ran out."""
        with self._changed:
            return self._changed.wait_for(lambda: self._monotonic >= monotonic, timeout=patience_seconds)

    def __repr__(self) -> str:
        return f"<FakeClock time={self.time()} monotonic={self.monotonic()}>"

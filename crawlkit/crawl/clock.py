"""Clock: the two times a crawl lives by. A test passes its own (crawlkit.testing has one) and so needs no sleep."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Seconds, twice: `monotonic()` for gaps and timeouts, `time()` (Unix epoch) for what is written down."""

    def monotonic(self) -> float: ...

    def time(self) -> float: ...


class SystemClock:
    """The system's time, read once: later readings advance with the monotonic clock.

    A wall clock that is set back while a crawl runs would make every not-before time wait for it to catch up.
    """

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def monotonic(self) -> float:
        return time.monotonic()

    def time(self) -> float:
        return time.monotonic() + self._offset

"""Signals of a run.

The first SIGINT or SIGTERM stops it in order, the second at once. Which code that is, is here.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import FrameType, TracebackType
from typing import Any

from crawlkit.cli import exit_codes

_CODES = {signal.SIGINT: exit_codes.INTERRUPTED, signal.SIGTERM: exit_codes.TERMINATED}


class StopSignals(AbstractContextManager["StopSignals"]):
    """While the block lasts, calls `stop(exit_code, hard)` for each SIGINT and SIGTERM, in the main thread.

    `hard` is False for the first signal and True for every later one; `hard_since` is the monotonic instant
    of the second. In another thread than the main one nothing is installed.
    """

    def __init__(self, stop: Callable[[int, bool], None]) -> None:
        self._stop = stop
        self._before: dict[signal.Signals, Any] = {}
        self.exit_code: int | None = None
        self.since: float | None = None
        self.hard_since: float | None = None

    def __enter__(self) -> StopSignals:
        if threading.current_thread() is threading.main_thread():
            for number in _CODES:
                self._before[number] = signal.signal(number, self._receive)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        first = self.exit_code is None
        if first:
            self.exit_code = _CODES[signal.Signals(number)]
            self.since = time.monotonic()
        elif self.hard_since is None:
            self.hard_since = time.monotonic()
        assert self.exit_code is not None
        self._stop(self.exit_code, not first)

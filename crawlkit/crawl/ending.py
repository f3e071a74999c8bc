"""Ending: why a run ends. Several things can end it at once; the gravest names the outcome and the exit code."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping

from crawlkit.crawl.result import EXIT_CODES
from crawlkit.crawl.spider import Spider
from crawlkit.crawl.tally import Tally

log = logging.getLogger(__name__)

#: After a stop, how long the pages under way, and then the author's closed(), may take.
DRAIN_SECONDS = 10.0

#: The first of these that was noted is the outcome.
_GRAVEST_FIRST = (
    "storage_failed",
    "internal_error",
    "login_failed",
    "interrupted",
    "terminated",
    "parked",
    "limit",
    "unhealthy",
    "stopped",
)


class Ending:
    """Collects reasons. Any thread, and a signal handler, may add one."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a signal handler may come while its own thread holds it
        self._reasons: dict[str, str] = {}

    def add(self, outcome: str, reason: str) -> None:
        """Note a reason; the first of its kind is kept."""
        with self._lock:
            self._reasons.setdefault(outcome, reason)

    @property
    def outcome(self) -> str | None:
        """The gravest outcome noted so far."""
        return next((outcome for outcome in _GRAVEST_FIRST if outcome in self._reasons), None)

    def decide(self, tally: Tally, crawl: Mapping[str, int]) -> tuple[str, str]:
        """Outcome and reason of a run that counted `tally`; `crawl` counts the pages of all its runs by state."""
        outcome = self.outcome
        if outcome is not None and outcome != "stopped":
            return outcome, self._reasons[outcome]
        reason = self._reasons.get("stopped", "finished")
        if tally.faults:
            return "pages_failed", "; ".join([*tally.faults, *self._reasons.values()])
        if tally.failed:
            return "pages_failed", reason
        if earlier := crawl.get("failed", 0):
            return "pages_failed", f"{reason}; {earlier} pages failed in earlier runs of this crawl"
        if not crawl.get("done", 0) and outcome is None:
            return "pages_failed", "no page was done"
        return "finished", reason

    @staticmethod
    def exit_code(outcome: str) -> int:
        """The exit code of an outcome."""
        return EXIT_CODES[outcome]


def close(spider: Spider, reason: str, ending: Ending, tally: Tally) -> bool:
    """Call the author's closed(); whether it went well. After a signal it is not waited for longer than for pages."""
    failed: list[BaseException] = []

    def call() -> None:
        try:
            spider.closed(reason)
        except BaseException as error:  # noqa: BLE001 - told below, whatever it is
            failed.append(error)

    thread = threading.Thread(target=call, name="crawlkit-closed", daemon=True)
    thread.start()
    began = time.monotonic()
    while thread.is_alive():
        thread.join(0.25)
        if ending.outcome in ("interrupted", "terminated") and time.monotonic() - began > DRAIN_SECONDS:
            failed.append(TimeoutError("it did not end"))
            break
    if failed:
        log.error("closed() of spider %s failed", spider.name, exc_info=failed[0])
        tally.fault("closed", f"{type(failed[0]).__name__}: {failed[0]}")
    return not failed

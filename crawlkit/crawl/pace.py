"""Pace: how fast one host may be asked. Slows down when the host says so, or shows it; recovers by steps.

Plain state and arithmetic: whoever calls holds the lock and passes the time, so that every rule can be tested with numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crawlkit.crawl.settings_sections import CrawlSettings

#: Consecutive faults after which a host rests (the breaker of FAULTS), and how long, doubling each time.
BREAK_AFTER = 10
FIRST_REST_SECONDS = 15.0
LONGEST_REST_SECONDS = 300.0
#: After so many rests without one answer the host counts as down for this run.
DOWN_AFTER = 3
#: A host that asks for a longer wait than this is parked until another run.
LONGEST_WAIT_SECONDS = 3600.0
_GOOD_ANSWERS_TO_RECOVER = 10
_LONGEST_DELAY_SECONDS = 60.0
_SLOW_SECONDS = 0.5


class Pace:
    """One host's limit of requests at once, gap between sendings, and rest. Times are monotonic seconds."""

    __slots__ = (
        "_ceiling",
        "_floor",
        "_good",
        "_latency",
        "_shortest_delay",
        "_slowed_at",
        "active",
        "adaptive",
        "closed",
        "delay",
        "faults",
        "limit",
        "next_at",
        "parked",
        "rests",
    )

    def __init__(self, *, limit: int, delay: float, adaptive: bool = True, closed: bool = False) -> None:
        self._ceiling = self.limit = max(1, limit)
        self._shortest_delay = self.delay = delay
        self.adaptive = adaptive
        self.active = 0
        self.next_at = 0.0
        self.faults = 0
        self.rests = 0
        self.parked = False
        #: Until `open`: one request at a time, because nobody knows yet what gap robots.txt asks for.
        self.closed = closed
        self._slowed_at = -1.0
        self._good = 0
        self._latency = 0.0
        self._floor = 0.0

    @property
    def full(self) -> bool:
        """Whether as many requests are under way as the limit allows."""
        return self.active >= (1 if self.closed else self.limit)

    @property
    def down(self) -> bool:
        """Whether the host was given up for this run."""
        return self.rests >= DOWN_AFTER

    @property
    def latency_seconds(self) -> float:
        """The smoothed time to an answer; 0 before the first."""
        return self._latency

    def open(self) -> None:
        """The host's rules are known: its limit holds from now on."""
        self.closed = False

    def park(self) -> None:
        """Leave the host to another run."""
        self.parked = True

    def obey(self, crawl_delay: float) -> None:
        """Take in robots.txt's Crawl-delay: it lengthens the gap, never shortens it, and asks for one at a time."""
        if crawl_delay > self._shortest_delay:
            self._shortest_delay = crawl_delay
            self.delay = max(self.delay, crawl_delay)
            self._ceiling = self.limit = 1
            self.next_at += crawl_delay  # the request that asked for robots.txt has gone out just now
            if crawl_delay > LONGEST_WAIT_SECONDS:
                self.parked = True

    def sent(self, now: float) -> None:
        """A request goes out at `now`: gaps count from sending."""
        self.active += 1
        self.next_at = max(self.next_at, now + self.delay)

    def ended(self) -> None:
        """A request is over, however it ended."""
        self.active -= 1

    def answered(self, seconds: float) -> None:
        """The host answered after `seconds`, neither overloaded nor broken."""
        self.faults = self.rests = 0
        if not self.adaptive:
            return
        self._latency = seconds if not self._latency else 0.8 * self._latency + 0.2 * seconds
        # The floor follows a host that became slower for good, by a percent an answer.
        self._floor = min(self._latency, self._floor * 1.01) if self._floor else self._latency
        self._good += 1
        if self._good < _GOOD_ANSWERS_TO_RECOVER:
            return
        self._good = 0
        if self._latency > _SLOW_SECONDS and self._latency > 3 * self._floor:
            self.limit = max(1, self.limit - 1)
        else:
            self.limit = min(self._ceiling, self.limit + 1)
            self.delay = max(self._shortest_delay, self.delay * 0.5 if self.delay > 0.1 else 0.0)

    def refused(
        self,
        now: float,
        retry_after: float | None,
        *,
        longest: float = LONGEST_WAIT_SECONDS,
        sent_at: float | None = None,
    ) -> None:
        """The host answered 429 or 503: the whole host waits, for `retry_after` seconds where it says so.

        Answers to what was sent before the last slowdown say nothing new and slow down no further. Longer than `longest`
        seconds parks the host for this run.
        """
        self._good = 0
        self.faults = self.rests = 0
        if self.adaptive and (sent_at is None or sent_at > self._slowed_at):
            self._slowed_at = now
            self.limit = max(1, self.limit // 2)
            if retry_after is None:
                self.delay = min(_LONGEST_DELAY_SECONDS, max(0.25, self.delay * 2))
        if retry_after is not None and retry_after > longest:
            self.parked = True
        wait = self.delay if retry_after is None else min(retry_after, longest)
        self.next_at = max(self.next_at, now + wait)

    def broke(self, now: float) -> None:
        """No answer, or half of one. Ten in a row send the host to rest."""
        self._good = 0
        self.faults += 1
        if self.faults < BREAK_AFTER:
            return
        self.faults = 0
        if self.rests == DOWN_AFTER - 1:
            self.rests += 1
            self.next_at = now  # given up: what waits for this host is failed without being sent
            return
        rest = min(LONGEST_REST_SECONDS, FIRST_REST_SECONDS * 2**self.rests)
        self.rests += 1
        self.limit = 1 if self.adaptive else self.limit
        self.next_at = max(self.next_at, now + rest)


def pace_of(netloc: str, crawl: CrawlSettings) -> Pace:
    """The pace that `[crawl]` sets for a host: what says auto is gentle, but on this machine's own loopback."""
    host = netloc.rpartition(":")[0]
    loopback = host in ("localhost", "::1") or host.startswith("127.") or host.endswith(".localhost")
    limit = crawl.per_host if crawl.per_host is not None else (8 if loopback else 2)
    delay = crawl.delay if crawl.delay is not None else (0.0 if loopback else 0.25)
    return Pace(limit=limit, delay=delay, adaptive=crawl.adaptive, closed=crawl.robots)

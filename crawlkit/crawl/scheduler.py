"""Scheduler: which leased request a worker sends next. By host (limit, gap, rest), warm connections first.

It holds leases in memory, a few for each host, and asks for more through `want` when a host runs low; where they come
from and where outcomes go is the writer's. `take` decides with the time it is given; `next` waits around it.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Sequence
from threading import Condition

from crawlkit.crawl.clock import Clock
from crawlkit.crawl.pace import LONGEST_WAIT_SECONDS, Pace
from crawlkit.store.outcome import Lease

#: Leases a host's queue is filled up to, for each request that the host may have under way.
AHEAD = 8
#: A worker stays with its host this many pages in a row while others wait.
_STAY = 8


class _Host:
    """One host's leases and pace. `listed` says that it stands in the heap of hosts that can be asked."""

    __slots__ = ("asked", "leases", "listed", "netloc", "pace")

    def __init__(self, netloc: str, pace: Pace) -> None:
        self.netloc = netloc
        self.pace = pace
        self.leases: deque[Lease] = deque()
        self.listed = False
        self.asked = False


class Scheduler:
    """Shared by all workers and the writer; one lock, never held during I/O."""

    def __init__(
        self,
        clock: Clock,
        new_pace: Callable[[str], Pace],
        want: Callable[[str], None],
        set_limit: Callable[[str, int], None],
    ) -> None:
        self._clock = clock
        self._new_pace = new_pace
        self._want = want
        self._set_limit = set_limit
        self._ready = Condition()
        self._hosts: dict[str, _Host] = {}
        self._heap: list[tuple[float, int, _Host]] = []
        self._sequence = 0
        self._stopped = False
        self._paused = 0
        self._budget: int | None = None
        self._longest_wait = LONGEST_WAIT_SECONDS
        self.outstanding = 0
        self.waiting = 0

    # --- workers ----------------------------------------

    def next(self, last: str | None = None, stay: int = 0) -> Lease | None:
        """The next request for a worker whose warm connection is to host `last`; None when the run is over. Blocks."""
        with self._ready:
            while not self._stopped:
                wait: float | None = None
                if not self._paused and (self._budget is None or self._budget > 0):
                    now = self._clock.monotonic()
                    found = self.take(now, last if stay < _STAY else None)
                    if isinstance(found, Lease):
                        if self._budget is not None:
                            self._budget -= 1
                        if self._heap and self.waiting:
                            self._ready.notify()  # somebody must wait for the host that is next now
                        return found
                    wait = None if found is None else max(0.0, found - now)
                self.waiting += 1
                # Bounded: a robots.txt may ask for a gap that no timer can count.
                self._ready.wait(None if wait is None else min(wait, LONGEST_WAIT_SECONDS))
                self.waiting -= 1
            return None

    def take(self, now: float, last: str | None = None) -> Lease | float | None:
        """A lease that may be sent at `now`, the time at which to ask again, or None: nothing to wait for yet.

        The caller holds the lock (`next`), or is alone (a test).
        """
        host = self._hosts.get(last) if last is not None else None
        if host is not None and host.leases and self._may_send(host, now):
            return self._send(host, now)
        while self._heap:
            at, _, host = self._heap[0]
            if at > now:
                return at
            heapq.heappop(self._heap)
            host.listed = False
            if not host.leases or host.pace.full or host.pace.parked:
                continue  # listed again when a lease arrives or a request ends
            if host.pace.next_at > now:
                self._list(host)
                continue
            return self._send(host, now)
        return None

    def release(self, netloc: str) -> None:
        """A request to this host is over: another may go."""
        with self._ready:
            host = self._hosts[netloc]
            host.pace.ended()
            self._list(host)
            if host.leases:
                self._ready.notify()

    def pace_of(self, netloc: str) -> Pace:
        """The pace of a host, for reading."""
        with self._ready:
            return self._host(netloc).pace

    def answered(self, netloc: str, seconds: float) -> None:
        """The host gave a proper answer after `seconds`."""
        self._change(netloc, lambda pace, _now: pace.answered(seconds))

    def refused(self, netloc: str, retry_after: float | None, *, sent_ago: float = 0.0) -> bool:
        """The host answered 429 or 503 to what was sent `sent_ago` seconds ago. True when it is parked for its wait."""
        longest = self._longest_wait
        return self._change(
            netloc, lambda pace, now: pace.refused(now, retry_after, longest=longest, sent_at=now - sent_ago)
        ).parked

    def known(self, netloc: str) -> None:
        """What robots.txt says of the host is known: more than its first request may go."""
        self._change(netloc, lambda pace, _now: pace.open())

    def park_if_far(self, netloc: str, seconds: float) -> None:
        """A host whose next page is due in `seconds`: beyond the longest wait another run goes on with it."""
        if seconds > self._longest_wait:
            self._change(netloc, lambda pace, _now: pace.park())

    def broke(self, netloc: str) -> bool:
        """The host gave no answer. True when it counts as down for this run."""
        return self._change(netloc, lambda pace, now: pace.broke(now)).down

    def obey(self, netloc: str, crawl_delay: float) -> None:
        """Take in robots.txt's Crawl-delay of a host."""
        self._change(netloc, lambda pace, _now: pace.obey(crawl_delay))

    def _change(self, netloc: str, change: Callable[[Pace, float], None]) -> Pace:
        """Let a host's pace take something in; its limit, when it changed, holds for nested calls as well."""
        with self._ready:
            host = self._host(netloc)
            pace = host.pace
            before = pace.limit
            was_full = pace.full
            change(pace, self._clock.monotonic())
            limit = pace.limit
            if was_full and not pace.full:
                self._list(host)
                self._ready.notify_all()
        if limit != before:
            self._set_limit(netloc, limit)  # the pool takes its own lock
        return pace

    # --- the writer ----------------------------------------

    def offer(self, netloc: str, leases: Sequence[Lease]) -> None:
        """Take in leases of a host, in the order in which they are to be sent."""
        with self._ready:
            host = self._host(netloc)
            host.asked = False
            host.leases.extend(leases)
            self.outstanding += len(leases)
            self._list(host)
            self._ready.notify(len(leases))

    def settle(self, count: int) -> None:
        """`count` leases have ended: their outcomes are committed."""
        with self._ready:
            self.outstanding -= count

    def room(self, netloc: str) -> int:
        """How many leases a host can take; 0 while it has enough, is parked or the run is ending.

        The writer asks this before anything else happens to a host, so here its limit is made known to the pool.
        """
        with self._ready:
            new = netloc not in self._hosts
            host = self._host(netloc)
            limit = host.pace.limit
            room = AHEAD * limit - len(host.leases)
            if self._stopped or host.pace.parked or room < AHEAD * limit // 2:  # a few leases cost as much as many
                room = 0
        if new:
            self._set_limit(netloc, limit)
        return room

    # --- the engine ----------------------------------------

    def stop(self) -> None:
        """Hand out nothing more; waiting workers leave."""
        with self._ready:
            self._stopped = True
            self._ready.notify_all()

    @property
    def stopped(self) -> bool:
        return self._stopped

    def pause(self) -> None:
        """Hand out nothing until `resume`: a login is under way."""
        with self._ready:
            self._paused += 1

    def resume(self) -> None:
        with self._ready:
            self._paused -= 1
            self._ready.notify_all()

    def limit_pages(self, pages: int) -> None:
        """Hand out at most so many leases; `refund` gives one back whose page did not count."""
        with self._ready:
            self._budget = pages

    def limit_wait(self, seconds: float) -> None:
        """A host that asks for a longer wait than this is parked."""
        with self._ready:
            self._longest_wait = min(LONGEST_WAIT_SECONDS, seconds)

    def refund(self) -> None:
        with self._ready:
            if self._budget is not None:
                self._budget += 1
                self._ready.notify()

    @property
    def spent(self) -> bool:
        """Whether the page limit is used up."""
        return self._budget is not None and self._budget <= 0

    def parked_hosts(self) -> list[str]:
        """Hosts that asked for so long a wait that another run must go on with them."""
        with self._ready:
            return sorted(netloc for netloc, host in self._hosts.items() if host.pace.parked)

    def drop_parked(self) -> int:
        """Forget the leases of parked hosts (the next run takes them up) and say how many there were."""
        with self._ready:
            count = 0
            for host in self._hosts.values():
                if host.pace.parked and host.leases:
                    count += len(host.leases)
                    host.leases.clear()
            self.outstanding -= count
            return count

    @property
    def in_flight(self) -> int:
        """Leases that workers have and whose outcomes are not committed yet."""
        with self._ready:
            return self.outstanding - sum(len(host.leases) for host in self._hosts.values())

    def slowest(self) -> tuple[str, float] | None:
        """The host with the longest smoothed time to an answer, with its seconds."""
        with self._ready:
            rows = [(host.pace.latency_seconds, netloc) for netloc, host in self._hosts.items()]
        if not rows:
            return None
        seconds, netloc = max(rows)
        return (netloc, seconds) if seconds else None

    # --- inside the lock ----------------------------------------

    def _host(self, netloc: str) -> _Host:
        host = self._hosts.get(netloc)
        if host is None:
            host = self._hosts[netloc] = _Host(netloc, self._new_pace(netloc))
        return host

    def _may_send(self, host: _Host, now: float) -> bool:
        pace = host.pace
        return not pace.full and not pace.parked and pace.next_at <= now

    def _send(self, host: _Host, now: float) -> Lease:
        lease = host.leases.popleft()
        host.pace.sent(now)
        self._list(host)
        if not host.asked and len(host.leases) <= host.pace.limit:
            host.asked = True
            self._want(host.netloc)
        return lease

    def _list(self, host: _Host) -> None:
        if host.listed or not host.leases or host.pace.full or host.pace.parked:
            return
        host.listed = True
        self._sequence += 1
        heapq.heappush(self._heap, (host.pace.next_at, self._sequence, host))

    def __repr__(self) -> str:
        return f"<Scheduler hosts={len(self._hosts)} outstanding={self.outstanding} waiting={self.waiting}>"

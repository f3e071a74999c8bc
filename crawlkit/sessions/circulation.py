"""Circulation: how connections go out and come back, and how threads wait for them.

What belongs here: taking, lending, giving back. What does not: waiting (waiting.py), the settings and the shares
(pool.py), the lists of idle connections (share.py), the counting (ledger.py), what goes over a connection (wire.py).

How it holds together. There is one lock for the ledger and one in each share; nobody takes one while holding another,
and no I/O happens under any. A warm exchange takes the lock of its own share twice and the ledger's not at all.

No wake-up is lost: a thread that must wait first stands in the queue, then looks through all shares once more, then
sleeps. One that puts a connection back first lays it down, then looks at the queue. Whichever came second sees the
other. When somebody waits, a connection is not laid down but handed over, in the order of the queue: otherwise the
worker that has just put it back would take it again, and again, while others starve.

Nobody waits for itself: a thread whose own open streams hold all the places gets one connection beyond the limit
(standstill.py says when). It is counted like any other, and the next one to come back is closed in its place.
"""

from __future__ import annotations

import threading
import time
from collections import deque

from crawlkit.sessions.addresses import AddressPolicy
from crawlkit.sessions.ledger import HostLedger, Slot
from crawlkit.sessions.opening import new_wire
from crawlkit.sessions.resolver import Resolver
from crawlkit.sessions.routes import Key
from crawlkit.sessions.share import Share
from crawlkit.sessions.waiting import Waiting, wake
from crawlkit.sessions.wire import Wire


class Circulation(Waiting):
    """The moving part of a ConnectionPool, which sets everything here up. May be used from any thread."""

    idle_seconds: float
    lifetime_seconds: float | None
    resolver: Resolver
    policy: AddressPolicy

    _common: Share  # where connections go whose share is closed
    _orphans: deque[Wire]
    _epoch: int

    # --- taking -----------------------------------------------------------------------------------------------------

    def lease(self, key: Key, share: Share, *, until: float | None = None, deadline: float | None = None) -> Wire:
        """A connection for `key`: from `share`, from another share, a new one that is not yet open, or by waiting.

        Whoever gets it gives it back with `release()`. PoolTimeout at the instant `until`, DeadlineExceeded at
        `deadline`.
        """
        wire = self._take(key, share)
        if wire is None:
            wire = self._borrow(key, share) or self._reserve(key, share) or self._wait(key, share, until, deadline)
        wire.user = threading.get_ident()
        return wire

    def _take(self, key: Key, share: Share) -> Wire | None:
        while (wire := share.take(key)) is not None:
            if self._is_usable(wire):
                return wire
            self.discard(wire)
        return None

    def _is_usable(self, wire: Wire) -> bool:
        slot = wire.slot
        host = slot.host
        if slot.epoch != self._epoch or (host.limit is not None and host.open > host.limit):
            return False
        now = time.monotonic()
        if now - wire.idle_since > self.idle_seconds:
            return False
        if self.lifetime_seconds is not None and now - wire.opened_at > self.lifetime_seconds:
            return False
        return wire.is_clean()

    def _borrow(self, key: Key, share: Share) -> Wire | None:
        """An idle connection of any other share; it belongs to `share` from now on, where it is warm."""
        for other in self._shares:
            if other.is_warm(key.netloc) and (wire := self._take(key, other)) is not None:
                wire.slot.home = share
                return wire
        return None

    def _reserve(self, key: Key, share: Share) -> Wire | None:
        self._collect_orphans()
        with self._lock:
            host = self._ledger.host(key.netloc)
            if not self._ledger.reserve(host):
                return None
        return self._new(key, host, share)

    def _new(self, key: Key, host: HostLedger, share: Share) -> Wire:
        try:
            wire = new_wire(key, self.resolver, self.policy)
        except BaseException:
            self._give_up_place(host)
            raise
        wire.slot = Slot(self._epoch, self._ledger, host, share)
        self._wires.add(wire)
        return wire

    def _give_up_place(self, host: HostLedger) -> None:
        with self._lock:
            self._ledger.leave(host)
            granted = self._grants(self._ledger)
        wake(granted)

    def renew(self, wire: Wire) -> Wire:
        """A new connection, not yet open, in the place of one that turned out to be dead."""
        fresh = new_wire(wire.key, self.resolver, self.policy)
        fresh.slot, fresh.user = wire.slot, wire.user
        wire.close()
        self._wires.discard(wire)
        self._wires.add(fresh)
        with self._lock:
            fresh.slot.ledger.leave(fresh.slot.host)
            fresh.slot.ledger.enter(fresh.slot.host)
        return fresh

    # --- giving back ------------------------------------------------------------------------------------------------

    def release(self, wire: Wire, *, keep: bool) -> None:
        """Give a connection back; without `keep` it is closed. From any thread."""
        wire.user = None
        slot = wire.slot
        if not keep or slot.epoch != self._epoch:
            self.discard(wire)
            return
        wire.idle_since = time.monotonic()
        if self._ledger.queue or slot.ledger.is_exceeded(slot.host):
            self._hand_over(wire)
        else:
            self._lay_down(wire)

    def _lay_down(self, wire: Wire) -> None:
        home = wire.slot.home
        home.put(wire)
        if home.closed and home.remove(wire):  # closed just now: nobody looks there any more
            wire.slot.home = self._common
            self._common.put(wire)
            home = self._common
        if self._ledger.queue:
            with self._lock:
                wanted = self._ledger.next_for(wire) is not None
            if wanted and home.remove(wire):
                self._hand_over(wire)

    def _hand_over(self, wire: Wire) -> None:
        """Give a connection, or its place, to the first in the queue who can use it; else lay it down."""
        slot = wire.slot
        ledger = slot.ledger
        with self._lock:
            crowded = ledger.is_exceeded(slot.host)
            waiter = None if crowded else ledger.next_for(wire)
            if waiter is not None and waiter.key == wire.key:
                ledger.quit(waiter)
                waiter.wire = wire
        if waiter is not None and waiter.wire is wire:
            waiter.event.set()
        elif waiter is not None or crowded:
            self.discard(wire)  # which gives its place to the first in the queue, once it is closed and not before
        else:
            self._lay_down(wire)

    def discard(self, wire: Wire) -> None:
        """Close a connection that was taken out, and let the next in the queue open one in its place."""
        wire.close()
        self._wires.discard(wire)
        slot = wire.slot
        with self._lock:
            slot.ledger.leave(slot.host)
            granted = self._grants(slot.ledger) if slot.ledger is self._ledger else []
        wake(granted)

    def orphan(self, wire: Wire) -> None:
        """A connection whose stream was forgotten. Called by the garbage collector, at any moment, in any thread.

        Hence no lock is taken, for this very thread may be holding it: who wants a connection next does the counting.
        """
        wire.close()
        self._orphans.append(wire)

    def _collect_orphans(self) -> None:
        while self._orphans:
            try:
                wire = self._orphans.popleft()
            except IndexError:
                return
            self.discard(wire)

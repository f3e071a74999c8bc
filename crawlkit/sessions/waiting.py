"""Waiting: how a thread stands in the queue for a connection, and is served, late, or let in beyond the limit.

What belongs here: joining, sleeping, leaving, who is let in. What does not: taking and giving back (circulation.py, which
says how both hold together), the queue itself (ledger.py).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from crawlkit.exceptions import DeadlineExceeded, PoolTimeout
from crawlkit.sessions.ledger import HostLedger, Ledger, Waiter
from crawlkit.sessions.routes import Key
from crawlkit.sessions.share import Share
from crawlkit.sessions.standstill import first_in_vain

if TYPE_CHECKING:
    from crawlkit.sessions.wire import Wire

_log = logging.getLogger(__name__)

# A waiting thread looks up this often for connections that were forgotten by whoever held them.
_LOOK_UP_SECONDS = 0.5


class Waiting:
    """The half of a pool's circulation that threads wait in. May be used from any thread."""

    _lock: threading.Lock
    _ledger: Ledger
    _shares: list[Share]
    _wires: set[Wire]  # every connection that has a place

    if TYPE_CHECKING:

        def release(self, wire: Wire, *, keep: bool) -> None: ...
        def discard(self, wire: Wire) -> None: ...
        def renew(self, wire: Wire) -> Wire: ...
        def _borrow(self, key: Key, share: Share) -> Wire | None: ...
        def _is_usable(self, wire: Wire) -> bool: ...
        def _new(self, key: Key, host: HostLedger, share: Share) -> Wire: ...
        def _give_up_place(self, host: HostLedger) -> None: ...
        def _collect_orphans(self) -> None: ...

    def _wait(self, key: Key, share: Share, until: float | None, deadline: float | None) -> Wire:
        with self._lock:
            host = self._ledger.host(key.netloc)
            if self._ledger.reserve(host):
                granted = True
            else:
                granted = False
                waiter = Waiter(key, host)
                self._ledger.join(waiter)
        if granted:
            return self._new(key, host, share)
        try:
            wire = self._borrow(key, share)
            if wire is None:
                self._make_room(waiter)
                self._end_standstill()
                self._sleep(waiter, until, deadline)
        except BaseException:
            self._leave_queue(waiter)
            raise
        if wire is not None:
            self._leave_queue(waiter)
            return wire
        return self._served(waiter, share)

    def _make_room(self, waiter: Waiter) -> None:
        """Close idle connections that stand in the way: others to this host, or, when all places are taken,
        the oldest.
        """
        while not waiter.event.is_set():
            crowded = not waiter.host.has_room
            wire = self._take_oldest(waiter.key.netloc if crowded else None)
            if wire is None:
                return
            self.discard(wire)

    def _take_oldest(self, netloc: str | None = None) -> Wire | None:
        while True:
            oldest = [wire for share in self._shares if (wire := share.oldest(netloc)) is not None]
            if not oldest:
                return None
            wire = min(oldest, key=lambda wire: wire.idle_since)
            if wire.slot.home.remove(wire):
                return wire

    def _end_standstill(self) -> None:
        with self._lock:
            granted = self._grants(self._ledger)
        wake(granted)

    def _grants(self, ledger: Ledger) -> list[Waiter]:
        """Those for whom there is room now; when there is none, one who waits for itself, beyond the limit. Locked."""
        granted = list(ledger.grants())
        if not granted and ledger.queue and (waiter := first_in_vain(ledger, self._wires.copy())) is not None:
            ledger.admit(waiter)
            waiter.beyond = True
            granted = [waiter]
        return granted

    def _sleep(self, waiter: Waiter, until: float | None, deadline: float | None) -> None:
        ends = min((end for end in (until, deadline) if end is not None), default=None)
        while True:
            left = _LOOK_UP_SECONDS if ends is None else min(_LOOK_UP_SECONDS, ends - time.monotonic())
            if waiter.event.wait(max(left, 0)):
                return
            self._collect_orphans()
            self._end_standstill()
            if ends is not None and time.monotonic() >= ends:
                with self._lock:
                    if not self._ledger.quit(waiter):
                        return  # served at the last moment
                raise self._too_late(waiter, at_deadline=ends == deadline)

    def _too_late(self, waiter: Waiter, *, at_deadline: bool) -> Exception:
        if at_deadline:
            return DeadlineExceeded("not finished by its deadline; it was still waiting for a connection")
        host = waiter.host
        if not host.has_room:
            limit = f"all {host.limit} connections to {host.netloc} (per_host)"
        else:
            limit = f"all {self._ledger.max_connections} connections of the pool (max_connections)"
        own = sum(wire.user == waiter.thread for wire in self._wires.copy())
        return PoolTimeout(
            f"{limit} stayed in use for longer than the connect timeout; raise the limit, or close streams"
            + (f": this thread itself has {own} open" if own else "")
        )

    def _leave_queue(self, waiter: Waiter) -> None:
        """Stop waiting; what was handed over in the meantime goes on to the next."""
        with self._lock:
            self._ledger.quit(waiter)
        if waiter.wire is not None:
            self.release(waiter.wire, keep=True)
        elif waiter.granted:
            self._give_up_place(waiter.host)

    def _served(self, waiter: Waiter, share: Share) -> Wire:
        wire = waiter.wire
        if waiter.beyond:
            _log.debug(
                "a connection beyond the limit to %s: open streams of this thread hold the others", waiter.key.netloc
            )
        if wire is None:
            return self._new(waiter.key, waiter.host, share)
        wire.slot.home = share
        return wire if self._is_usable(wire) else self.renew(wire)


def wake(waiters: Iterable[Waiter]) -> None:
    """Tell those who were served."""
    for waiter in waiters:
        waiter.event.set()

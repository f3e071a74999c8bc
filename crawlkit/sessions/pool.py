"""ConnectionPool: every connection of a session, the limits, and the queue for them.

What belongs here: who gets which connection and when a new one may be opened. What does not: what goes over it (wire.py), the
lists of idle ones (share.py), the counting (ledger.py).

How it holds together. There is one lock for the ledger and one in each share; nobody takes one while holding another, and
no I/O happens under any. A warm exchange takes the lock of its own share twice and the ledger's not at all.

No wake-up is lost: a thread that must wait first stands in the queue, then looks through all shares once more, then sleeps.
One that puts a connection back first lays it down, then looks at the queue. Whichever came second sees the other. When
somebody waits, a connection is not laid down but handed over, in the order of the queue: otherwise the worker that has just
put it back would take it again, and again, while others starve.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from crawlkit.exceptions import DeadlineExceeded, PoolTimeout
from crawlkit.sessions.addresses import AddressPolicy
from crawlkit.sessions.ledger import Counts, HostLedger, Ledger, Waiter
from crawlkit.sessions.opening import new_wire
from crawlkit.sessions.resolver import Resolver
from crawlkit.sessions.routes import Key
from crawlkit.sessions.share import Share

if TYPE_CHECKING:
    from crawlkit.sessions.wire import Wire

# A waiting thread looks up this often for connections that were forgotten by whoever held them.
_LOOK_UP_SECONDS = 0.5


class Slot:
    """A connection's place in the pool: its account, the share it returns to, and the time it belongs to."""

    __slots__ = ("epoch", "home", "host", "ledger")

    def __init__(self, epoch: int, ledger: Ledger, host: HostLedger, home: Share) -> None:
        self.epoch = epoch
        self.ledger = ledger
        self.host = host
        self.home = home


class ConnectionPool:
    """Connections for any number of threads.

    `max_connections`: open at once, over all hosts (None: half of the file descriptors that the process may have);
    `per_host`: the same for each `host:port`, None for no limit; `idle_seconds`, `lifetime_seconds`: after which time a
    connection is not used again; `resolver`: to share a memory of names; `allow_private=False`: refuse private
    addresses, but of the `private_origins` (`host:port`).

    `close()` closes what is idle; a closed pool opens connections again when it is used. After a fork the child begins
    with an empty pool, and the parent's connections stay the parent's. Pickles as its settings.
    """

    def __init__(
        self,
        *,
        max_connections: int | None = None,
        per_host: int | None = None,
        idle_seconds: float = 60.0,
        lifetime_seconds: float | None = None,
        resolver: Resolver | None = None,
        allow_private: bool = True,
        private_origins: Iterable[str] = (),
    ) -> None:
        self.max_connections = _at_least_one("max_connections", max_connections) or _most_descriptors() // 2
        self.per_host = _at_least_one("per_host", per_host)
        self.idle_seconds = idle_seconds
        self.lifetime_seconds = lifetime_seconds
        self.resolver = resolver if resolver is not None else Resolver()
        self.policy = AddressPolicy(allow_private=allow_private, exempt=private_origins)
        self._epoch = 0
        self._shares: list[Share] = []
        self._begin()
        _pools.add(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._ledger = Ledger(self.max_connections, self.per_host)
        self._orphans: deque[Wire] = deque()
        self._local = threading.local()
        self._free: list[Share] = []
        self._common = Share(self)  # where connections go whose share is closed
        self._shares = [self._common]

    def __getstate__(self) -> dict[str, Any]:
        return {
            "max_connections": self.max_connections,
            "per_host": self.per_host,
            "idle_seconds": self.idle_seconds,
            "lifetime_seconds": self.lifetime_seconds,
            "resolver": self.resolver,
            "allow_private": self.policy.allow_private,
            "private_origins": sorted(self.policy.exempt),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    @property
    def allow_private(self) -> bool:
        """Whether private and reserved addresses may be connected to."""
        return self.policy.allow_private

    # --- shares -----------------------------------------------------------------------------------------------------

    def share(self) -> Share:
        """A new share for a worker, which closes it when it ends."""
        share = Share(self)
        with self._lock:
            # A new list: others are walking along the old one without a lock.
            self._shares = [*self._shares, share]
        return share

    def dissolve(self, share: Share) -> None:
        """Take a share's connections over; `Share.close()` is the way to call it."""
        with self._lock:
            self._shares = [other for other in self._shares if other is not share]
        share.closed = True
        for wire in share.empty():
            wire.slot.home = self._common
            self._lay_down(wire)

    @contextlib.contextmanager
    def bind(self, share: Share) -> Iterator[Share]:
        """Within it, this thread's exchanges use `share`."""
        before = getattr(self._local, "share", None)
        self._local.share = share
        try:
            yield share
        finally:
            self._local.share = before

    def check_out(self) -> Share:
        """The share that this thread uses for one call: the bound one, or one from the free list."""
        share: Share | None = getattr(self._local, "share", None)
        if share is not None and not share.closed:
            return share
        try:
            return self._free.pop()
        except IndexError:
            return self.share()

    def check_in(self, share: Share) -> None:
        """The call is over."""
        if getattr(self._local, "share", None) is not share and not share.closed:
            self._free.append(share)

    # --- limits and counts ------------------------------------------------------------------------------------------

    def set_host_limit(self, netloc: str, limit: int | None) -> None:
        """Allow `limit` connections to `host:port` from now on; None: as many as `per_host` says.

        Lowered, idle connections beyond it are closed at once, and those in use when they are given back.
        """
        with self._lock:
            host = self._ledger.host(netloc)
            host.own_limit = limit is not None
            host.limit = self.per_host if limit is None else _at_least_one("limit", limit)
            granted = list(self._ledger.grants())
        _wake(granted)
        while host.limit is not None and host.open > host.limit and (wire := self._take_oldest(netloc)):
            self.discard(wire)

    def host_limit(self, netloc: str) -> int | None:
        """How many connections to `host:port` are allowed; None: as many as `max_connections` leaves."""
        with self._lock:
            host = self._ledger.hosts.get(netloc)
            return self.per_host if host is None else host.limit

    def counts(self, netloc: str | None = None) -> Counts:
        """What there is now, to one `host:port` or in all."""
        self._collect_orphans()
        idle = sum(share.idle_count(netloc) for share in self._shares)
        with self._lock:
            if netloc is None:
                ledger = self._ledger
                return Counts(max(ledger.open - idle, 0), idle, len(ledger.queue), ledger.opened)
            host = self._ledger.hosts.get(netloc)
            if host is None:
                return Counts(0, 0, 0, 0)
            return Counts(max(host.open - idle, 0), idle, host.waiting, host.opened)

    def __repr__(self) -> str:
        counts = self.counts()
        return f"<ConnectionPool active={counts.active} idle={counts.idle} waiting={counts.waiting}>"

    # --- taking -----------------------------------------------------------------------------------------------------

    def lease(self, key: Key, share: Share, *, until: float | None = None, deadline: float | None = None) -> Wire:
        """A connection for `key`: from `share`, from another share, a new one that is not yet open, or by waiting.

        Whoever gets it gives it back with `release()`. PoolTimeout at the instant `until`, DeadlineExceeded at `deadline`.
        """
        wire = self._take(key, share)
        if wire is not None:
            return wire
        return self._borrow(key, share) or self._reserve(key, share) or self._wait(key, share, until, deadline)

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
        return wire

    def _give_up_place(self, host: HostLedger) -> None:
        with self._lock:
            self._ledger.leave(host)
            granted = list(self._ledger.grants())
        _wake(granted)

    def renew(self, wire: Wire) -> Wire:
        """A new connection, not yet open, in the place of one that turned out to be dead."""
        fresh = new_wire(wire.key, self.resolver, self.policy)
        fresh.slot = wire.slot
        wire.close()
        with self._lock:
            fresh.slot.ledger.leave(fresh.slot.host)
            fresh.slot.ledger.enter(fresh.slot.host)
        return fresh

    # --- waiting ----------------------------------------------------------------------------------------------------

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
                self._sleep(waiter, until, deadline)
        except BaseException:
            self._leave_queue(waiter)
            raise
        if wire is not None:
            self._leave_queue(waiter)
            return wire
        return self._served(waiter, share)

    def _make_room(self, waiter: Waiter) -> None:
        """Close idle connections that stand in the way: others to this host, or, when all places are taken, the oldest."""
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

    def _sleep(self, waiter: Waiter, until: float | None, deadline: float | None) -> None:
        ends = min((end for end in (until, deadline) if end is not None), default=None)
        while True:
            left = _LOOK_UP_SECONDS if ends is None else min(_LOOK_UP_SECONDS, ends - time.monotonic())
            if waiter.event.wait(max(left, 0)):
                return
            self._collect_orphans()
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
            limit = f"all {self.max_connections} connections of the pool (max_connections)"
        return PoolTimeout(
            f"{limit} stayed in use for longer than the connect timeout; raise the limit, or close streams"
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
        if wire is None:
            return self._new(waiter.key, waiter.host, share)
        wire.slot.home = share
        return wire if self._is_usable(wire) else self.renew(wire)

    # --- giving back ------------------------------------------------------------------------------------------------

    def release(self, wire: Wire, *, keep: bool) -> None:
        """Give a connection back; without `keep` it is closed. From any thread."""
        slot = wire.slot
        if not keep or slot.epoch != self._epoch:
            self.discard(wire)
            return
        wire.idle_since = time.monotonic()
        host = slot.host
        if self._ledger.queue or (host.limit is not None and host.open > host.limit):
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
            crowded = slot.host.limit is not None and slot.host.open > slot.host.limit
            waiter = None if crowded else ledger.next_for(wire)
            granted: list[Waiter] = []
            if waiter is not None and waiter.key == wire.key:
                ledger.quit(waiter)
                waiter.wire = wire
                granted = [waiter]
            elif waiter is not None or crowded:
                ledger.leave(slot.host)
                granted = list(ledger.grants())
        if waiter is None and not crowded:
            self._lay_down(wire)
            return
        if waiter is None or waiter.wire is not wire:
            wire.close()
        _wake(granted)

    def discard(self, wire: Wire) -> None:
        """Close a connection that was taken out, and let the next in the queue open one in its place."""
        wire.close()
        slot = wire.slot
        with self._lock:
            slot.ledger.leave(slot.host)
            granted = list(slot.ledger.grants()) if slot.ledger is self._ledger else []
        _wake(granted)

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

    # --- life -------------------------------------------------------------------------------------------------------

    def close_idle(self) -> int:
        """Close every idle connection; how many there were."""
        wires = [wire for share in self._shares for wire in share.empty()]
        for wire in wires:
            self.discard(wire)
        return len(wires)

    def close(self) -> None:
        """Close what is idle now, and what is in use when it is given back."""
        self._epoch += 1
        self.close_idle()
        self._collect_orphans()

    def __enter__(self) -> ConnectionPool:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __del__(self) -> None:
        # Nothing but the pool leads to its idle connections: with it they are closed, instead of being found open.
        for share in getattr(self, "_shares", ()):
            share.reset()

    def after_fork(self) -> None:
        """Begin anew in the child. Closing a socket closes this process' copy of it; the parent's stays as it is."""
        shares = self._shares
        bound = getattr(self._local, "share", None)
        self._epoch += 1
        self.resolver.forget()
        self._begin()
        for share in shares:
            share.reset()
        self._shares = [*shares, self._common]
        if bound is not None:
            self._local.share = bound


_pools: weakref.WeakSet[ConnectionPool] = weakref.WeakSet()


def _after_fork() -> None:
    for pool in list(_pools):
        pool.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _wake(waiters: Iterable[Waiter]) -> None:
    for waiter in waiters:
        waiter.event.set()


def _at_least_one(name: str, value: int | None) -> int | None:
    if value is not None and value < 1:
        raise ValueError(f"{name} must be at least 1, or None, not {value!r}")
    return value


def _most_descriptors() -> int:
    try:
        import resource
    except ImportError:  # Windows has no such limit to ask for
        return 1024
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1024 if soft == resource.RLIM_INFINITY else max(int(soft), 4)

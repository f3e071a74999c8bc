"""ConnectionPool: every connection of a session, and the limits.

What belongs here: the settings, the shares, counts, the pool's life. What does not: who gets which connection and when
(circulation.py), what goes over it (wire.py).
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from crawlkit.sessions.addresses import AddressPolicy
from crawlkit.sessions.circulation import Circulation
from crawlkit.sessions.ledger import Counts, Ledger
from crawlkit.sessions.resolver import Resolver
from crawlkit.sessions.share import Share
from crawlkit.sessions.waiting import wake

if TYPE_CHECKING:
    from crawlkit.sessions.wire import Wire


class ConnectionPool(Circulation):
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
        self._wires: set[Wire] = set()
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

    def hold_to(self, policy: AddressPolicy) -> None:
        """From now on connect by `policy`; what was connected by another one is not used again."""
        if self.policy is not policy:
            self.policy = policy
            self.close()

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
            share.used += 1  # by its worker alone
            return share
        try:
            return self._free.pop()
        except IndexError:
            return self.share()

    def exchanges_here(self) -> int:
        """How many exchanges this thread began over the share that is bound to it; 0 without one."""
        share: Share | None = getattr(self._local, "share", None)
        return 0 if share is None else share.used

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
        wake(granted)
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

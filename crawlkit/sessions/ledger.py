"""Ledger: how many connections there are, to whom, how many there may be, and who waits for one.

What belongs here: counting and the queue, under the pool's lock, which the caller holds. What does not: connections'
insides, I/O, waiting itself (pool.py).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from crawlkit.sessions.routes import Key

if TYPE_CHECKING:
    from crawlkit.sessions.share import Share
    from crawlkit.sessions.wire import Wire

_MANY_HOSTS = 10_000


class Counts(NamedTuple):
    """Connections in use, idle, and opened since the pool was made; `waiting` is threads that want one."""

    active: int
    idle: int
    waiting: int
    opened: int


class HostLedger:
    """The account of one `host:port`. `limit` None means no limit; `own_limit` says that it was set for this host."""

    __slots__ = ("limit", "netloc", "open", "opened", "own_limit", "waiting")

    def __init__(self, netloc: str, limit: int | None) -> None:
        self.netloc = netloc
        self.limit = limit
        self.own_limit = False
        self.open = 0
        self.opened = 0
        self.waiting = 0

    @property
    def has_room(self) -> bool:
        """Whether one more connection may be opened as far as this host goes."""
        return self.limit is None or self.open < self.limit


class Waiter:
    """A thread that wants a connection. It gets `wire`, an open one, or `granted`, the right to open one, if need be
    `beyond` the limit.
    """

    __slots__ = ("beyond", "event", "granted", "host", "key", "thread", "wire")

    def __init__(self, key: Key, host: HostLedger) -> None:
        self.key = key
        self.host = host
        self.thread = threading.get_ident()
        self.event = threading.Event()
        self.wire: Wire | None = None
        self.granted = False
        self.beyond = False


class Slot:
    """A connection's place in the pool: its account, the share it returns to, and the time it belongs to."""

    __slots__ = ("epoch", "home", "host", "ledger")

    def __init__(self, epoch: int, ledger: Ledger, host: HostLedger, home: Share) -> None:
        self.epoch = epoch
        self.ledger = ledger
        self.host = host
        self.home = home


class Ledger:
    """Every account of a pool, and the queue: first come, first served. Not locked here: its owner does that."""

    def __init__(self, max_connections: int, per_host: int | None) -> None:
        self.max_connections = max_connections
        self.per_host = per_host
        self.open = 0
        self.opened = 0
        self.hosts: dict[str, HostLedger] = {}
        self.queue: deque[Waiter] = deque()
        self._forget_at = _MANY_HOSTS

    def host(self, netloc: str) -> HostLedger:
        """The account of `host:port`, opened when there is none."""
        host = self.hosts.get(netloc)
        if host is None:
            if len(self.hosts) >= self._forget_at:
                self._forget_unused()
            host = self.hosts[netloc] = HostLedger(netloc, self.per_host)
        return host

    def _forget_unused(self) -> None:
        self.hosts = {n: h for n, h in self.hosts.items() if h.open or h.waiting or h.own_limit}
        self._forget_at = max(_MANY_HOSTS, 2 * len(self.hosts))

    def reserve(self, host: HostLedger) -> bool:
        """Enter one more connection to `host`, if the limits allow it."""
        if self.open >= self.max_connections or not host.has_room:
            return False
        self.enter(host)
        return True

    def is_exceeded(self, host: HostLedger) -> bool:
        """Whether there are more connections, to `host` or in all, than there may be."""
        return self.open > self.max_connections or (host.limit is not None and host.open > host.limit)

    def enter(self, host: HostLedger) -> None:
        """Enter one more connection, whatever the limits say."""
        host.open += 1
        host.opened += 1
        self.open += 1
        self.opened += 1

    def leave(self, host: HostLedger) -> None:
        """Strike one connection to `host` off."""
        host.open -= 1
        self.open -= 1

    def join(self, waiter: Waiter) -> None:
        """Stand at the end of the queue."""
        waiter.host.waiting += 1
        self.queue.append(waiter)

    def quit(self, waiter: Waiter) -> bool:
        """Leave the queue; False when the waiter was served in the meantime and stands in it no more."""
        if waiter not in self.queue:
            return False
        self.queue.remove(waiter)
        waiter.host.waiting -= 1
        return True

    def grants(self) -> Iterator[Waiter]:
        """Those in the queue, in order, for whom there is room now. They are entered and leave the queue."""
        for waiter in list(self.queue):
            if self.open >= self.max_connections:
                return
            if waiter.host.has_room:
                self.admit(waiter)
                yield waiter

    def admit(self, waiter: Waiter) -> None:
        """Let one out of the queue open a connection, whatever the limits say."""
        self.quit(waiter)
        self.enter(waiter.host)
        waiter.granted = True

    def next_for(self, wire: Wire) -> Waiter | None:
        """The first in the queue whom a connection that became free can serve, by itself or by its place."""
        full = self.open >= self.max_connections
        for waiter in self.queue:
            if waiter.host is wire.slot.host or (full and waiter.host.has_room):
                return waiter
        return None

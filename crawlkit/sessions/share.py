"""Share: the idle connections of one worker, and the lock that guards them.

What belongs here: taking out, putting back, looking. What does not: limits, waiting, opening (pool.py), and any I/O:
the lock is held for a few bytecodes, and nothing else is locked meanwhile.
"""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING

from crawlkit.sessions.routes import Key

if TYPE_CHECKING:
    from crawlkit.sessions.pool import ConnectionPool
    from crawlkit.sessions.wire import Wire


class Share:
    """A worker's own connections to many hosts. Made by `ConnectionPool.share()`; any thread may call it.

    The worker takes from it first and its connections return to it; other workers borrow what lies idle in it.
    """

    __slots__ = ("__weakref__", "_idle", "_lock", "_pool", "closed", "used")

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = weakref.ref(pool)  # a pool that is dropped must go at once, and its sockets with it
        self.closed = False
        #: How many exchanges its worker began.
        self.used = 0
        self._lock = threading.Lock()
        # By netloc, the connection used last at the end: what is asked most often is "anything for this host?".
        self._idle: dict[str, list[Wire]] = {}

    def __repr__(self) -> str:
        return f"<Share idle={self.idle_count()}{' closed' if self.closed else ''}>"

    def reset(self) -> None:
        """Close everything and begin anew, with a new lock: in the child of a fork a vanished thread may hold
        the old.
        """
        idle, self._idle = self._idle, {}
        self._lock = threading.Lock()
        for wires in idle.values():
            for wire in wires:
                wire.close()

    def is_warm(self, netloc: str) -> bool:
        """Whether a connection to `host:port` lies idle here."""
        return netloc in self._idle

    def idle_count(self, netloc: str | None = None) -> int:
        """How many connections lie idle here, to one `host:port` or to all."""
        with self._lock:
            if netloc is not None:
                return len(self._idle.get(netloc, ()))
            return sum(map(len, self._idle.values()))

    def take(self, key: Key) -> Wire | None:
        """The connection for `key` that was used last, no longer idle; None when there is none."""
        netloc = key.netloc
        with self._lock:
            wires = self._idle.get(netloc)
            if wires is None:
                return None
            # By far the most often a host has one kind of connection.
            for index in range(len(wires) - 1, -1, -1):
                if wires[index].key == key:
                    wire = wires.pop(index)
                    if not wires:
                        del self._idle[netloc]  # a crawl meets more hosts than it has connections
                    return wire
            return None

    def put(self, wire: Wire) -> None:
        """Lay a connection down here, as the one used last."""
        netloc = wire.key.netloc
        with self._lock:
            wires = self._idle.get(netloc)
            if wires is None:
                self._idle[netloc] = [wire]
            else:
                wires.append(wire)

    def remove(self, wire: Wire) -> bool:
        """Take out this very connection; whether it was still here."""
        netloc = wire.key.netloc
        with self._lock:
            wires = self._idle.get(netloc)
            if wires is None or wire not in wires:
                return False
            wires.remove(wire)
            if not wires:
                del self._idle[netloc]
            return True

    def oldest(self, netloc: str | None = None) -> Wire | None:
        """The connection that has lain here longest, to one host or to any; it stays."""
        with self._lock:
            if netloc is not None:
                return next(iter(self._idle.get(netloc, ())), None)
            first = [wires[0] for wires in self._idle.values()]
        return min(first, key=lambda wire: wire.idle_since, default=None)

    def empty(self) -> list[Wire]:
        """Every idle connection, taken out."""
        with self._lock:
            wires = [wire for wires in self._idle.values() for wire in wires]
            self._idle.clear()
        return wires

    def close(self) -> None:
        """Give the connections up to the pool, for other workers; the share is not used after that."""
        pool = self._pool()
        if pool is not None:
            pool.dissolve(self)

"""Held: a connection that is busy with the body of an answer.

What belongs here: giving it back exactly once, whatever happens to the answer. What does not: reading (raw.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawlkit.sessions import bodies

if TYPE_CHECKING:
    from crawlkit.sessions.pool import ConnectionPool
    from crawlkit.sessions.wire import Wire


class Held:
    """A connection that is busy with a body. Gives it back once: whole, or to be closed.

    A body that nobody reads to its end is collected some day, and the connection is then closed; hence `__del__`, on
    this object alone, which most responses do not have.
    """

    __slots__ = ("_pool", "body", "keep", "wire")

    def __init__(self, wire: Wire, body: bodies.Body, keep: bool, pool: ConnectionPool) -> None:
        self.wire = wire
        self.body = body
        self.keep = keep
        self._pool: ConnectionPool | None = pool

    def release(self, *, whole: bool) -> None:
        """The body ended, or is given up."""
        pool, self._pool = self._pool, None
        if pool is not None:
            try:
                self.wire.end(truncated=not whole)
            finally:  # who listens may have no room left
                pool.release(self.wire, keep=whole and self.keep)

    def __del__(self) -> None:
        if self._pool is not None:
            try:
                self.wire.end(truncated=True)
            finally:
                self._pool.orphan(self.wire)

"""What a test server saw: its requests and its connections. The judge of a crawl; knows no protocol."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

_HUNG_UP: int = getattr(select, "POLLRDHUP", select.POLLHUP)  # Linux tells that the other side will send no more


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request as the server saw it. `at` is time.monotonic() seconds when its head was read.

    `cookie` says whether a Cookie header came, `member` whether it (or a token) was a valid login,
    `connection` is the number of the connection, counted from 1. `status` is 0 when the server sent no status
    line.
    """

    method: str
    path: str
    status: int
    at: float
    cookie: bool = False
    member: bool = False
    connection: int = 0


class Log:
    """The exchanges of a server in the order in which they were answered. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[Exchange] = []

    def add(self, entry: Exchange) -> None:
        """Append one exchange."""
        with self._lock:
            self._entries.append(entry)

    def clear(self) -> None:
        """Forget everything so far, as between two runs of one test."""
        with self._lock:
            self._entries.clear()

    def __iter__(self) -> Iterator[Exchange]:
        with self._lock:
            return iter(self._entries.copy())

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)

    def select(
        self, path: str | None = None, *, method: str | None = None, status: int | None = None
    ) -> list[Exchange]:
        """The exchanges that fit. `path` is compared with what comes before a `?`; None fits everything."""
        return [
            entry
            for entry in self
            if (path is None or entry.path.partition("?")[0] == path)
            and (method is None or entry.method == method)
            and (status is None or entry.status == status)
        ]

    def count(self, path: str | None = None, *, method: str | None = None, status: int | None = None) -> int:
        """How many exchanges fit; the arguments are those of `select`."""
        return len(self.select(path, method=method, status=status))

    def paths(self) -> list[str]:
        """The path (with its query) of every exchange, in order."""
        return [entry.path for entry in self]

    def __repr__(self) -> str:
        return f"<Log {len(self)} exchanges>"


class Connections:
    """How many connections a server has open now, had open at once at most, and was ever given. Thread-safe.

    A connection whose client has closed it counts as closed from that moment, even when the server's thread
    has not noticed yet: before a new one is counted the idle ones are asked.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[socket.socket, int] = {}
        self._most = 0
        self._ever = 0

    def opened(self, connection: socket.socket) -> int:
        """Count a new connection; its number, from 1."""
        with self._lock:
            self._open = {each: number for each, number in self._open.items() if not _left(each)}
            self._ever += 1
            self._open[connection] = self._ever
            self._most = max(self._most, len(self._open))
            return self._ever

    def closed(self, connection: socket.socket) -> None:
        """Count a connection as closed; without effect when it is already."""
        with self._lock:
            self._open.pop(connection, None)

    def number(self, connection: socket.socket) -> int:
        """The number that `opened` gave, 0 when the connection is not open."""
        with self._lock:
            return self._open.get(connection, 0)

    @property
    def open(self) -> int:
        """Connections open now."""
        with self._lock:
            return len(self._open)

    @property
    def most(self) -> int:
        """The most connections that were open at once."""
        with self._lock:
            return self._most

    @property
    def ever(self) -> int:
        """Connections ever opened."""
        with self._lock:
            return self._ever

    def reset(self) -> None:
        """Start counting anew; connections that are open now stay counted."""
        with self._lock:
            self._most = self._ever = len(self._open)

    def hang_up(self) -> None:
        """Shut down every open connection, so that the threads that read from them end."""
        with self._lock:
            for each in self._open:
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # its client has gone already

    def __repr__(self) -> str:
        return f"<Connections open={self.open} most={self.most} ever={self.ever}>"


def _left(connection: socket.socket) -> bool:
    """Whether the client has closed this connection. Nothing is read, so the connection's own thread is not
    disturbed.
    """
    poll = select.poll()
    try:
        poll.register(connection, _HUNG_UP)
    except ValueError:
        return True  # closed here
    return any(event & (_HUNG_UP | select.POLLHUP | select.POLLERR) for _, event in poll.poll(0))

"""A server that misbehaves on purpose: raw sockets, scripted byte by byte. Ready-made scripts are in faults.py.

A script is a sequence of steps; the server reads a whole request, then plays the script of its path:

    with HostileServer() as server:
        server.play("/cut", [b"HTTP/1.1 200 OK\\r\\nContent-Length: 100\\r\\n\\r\\nonly this", Close()])
        server.play("/flaky", [Reset()], [answer(body=b"now it works")])  # the first time; from then on
        session.get(server.url("/cut"))

Steps: bytes are sent as they are; `Pause(seconds)`; `Trickle(data, seconds)` sends byte by byte; `Repeat(data, times)`
sends over and over, for ever when `times` is None; `Close()` ends the connection cleanly, `Reset()` with a TCP reset.
After the last step the connection is kept and the next request is read.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TypeAlias

from crawlkit.testing.ledger import Connections, Exchange, Log
from crawlkit.testing.received import Received, read_request


@dataclass(frozen=True, slots=True)
class Pause:
    """Send nothing for so many seconds (shorter when the server closes)."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Trickle:
    """Send `data` a byte at a time with `seconds` between two bytes."""

    data: bytes
    seconds: float


@dataclass(frozen=True, slots=True)
class Repeat:
    """Send `data` so many times, None: until the client goes or the server closes."""

    data: bytes
    times: int | None = None


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection cleanly (FIN)."""


@dataclass(frozen=True, slots=True)
class Reset:
    """End the connection with a TCP reset (RST)."""


Step: TypeAlias = bytes | Pause | Trickle | Repeat | Close | Reset
Script: TypeAlias = Sequence[Step] | Callable[[Received], Sequence[Step]]


def answer(
    status: int | str = 200,
    body: bytes = b"",
    headers: Sequence[tuple[str, str]] = (),
    *,
    kind: str | None = "text/html; charset=utf-8",
    length: bool = True,
) -> bytes:
    """A whole HTTP/1.1 answer as bytes. `status` may have its reason: "429 Too Many Requests".

    `kind` is the Content-Type (None: none is sent); `length=False` leaves Content-Length out.
    """
    lines = [f"HTTP/1.1 {status if isinstance(status, str) else f'{status} Answer'}"]
    if kind is not None:
        lines.append(f"Content-Type: {kind}")
    if length:
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


NOT_FOUND: Sequence[Step] = (answer("404 Not Found", b"no script for this path"),)


class HostileServer:
    """Plays scripts by path on 127.0.0.1. Ready when made; ends with `close()` or a `with` block.
    Thread-safe.

    `log` and `connections` are what it saw; `requests` are the requests as they came. A path without a script
    answers 404. `port` 0 takes a free one.
    """

    def __init__(self, port: int = 0) -> None:
        self.log = Log()
        self.connections = Connections()
        self.requests: list[Received] = []
        self._lock = threading.Lock()
        self._scripts: dict[str, list[Script]] = {}
        self._played: dict[str, int] = {}
        self._refusing: list[socket.socket] = []
        self._threads: set[threading.Thread] = set()
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", port), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, name=f"hostile-{self.port}", daemon=True)
        self._accepting.start()

    # --- what a test says ---

    def play(self, path: str, *scripts: Script) -> str:
        """Play these scripts for this path: the n-th for its n-th request, the last from then on. Returns the URL."""
        if not scripts:
            raise ValueError(f"no script for {path}: play(path, [step, …], …)")
        with self._lock:
            self._scripts[path] = list(scripts)
            self._played[path] = 0
        return self.url(path)

    def url(self, path: str = "/") -> str:
        """The absolute URL of a path of this server."""
        return f"http://127.0.0.1:{self.port}{path}"

    def refused_url(self, path: str = "/") -> str:
        """A URL whose port refuses connections for as long as this server lives (bound, never listening)."""
        held = socket.socket()
        held.bind(("127.0.0.1", 0))
        with self._lock:
            self._refusing.append(held)
        return f"http://127.0.0.1:{held.getsockname()[1]}{path}"

    def close(self) -> None:
        """Stop: cut pauses short, close every connection, free the ports. Without effect the second time."""
        self._closing.set()
        try:
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept()
        except OSError:
            pass  # macOS: not connected; closing wakes it there
        self._listener.close()
        self._accepting.join(timeout=5)
        self.connections.hang_up()
        with self._lock:
            threads, refusing = list(self._threads), self._refusing
            self._refusing = []
        for held in refusing:
            held.close()
        for thread in threads:
            thread.join(timeout=5)

    def __enter__(self) -> HostileServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<HostileServer {self.url()} paths={len(self._scripts)} answered={len(self.log)}>"

    # --- its threads ---

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # the listener was closed
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            number = self.connections.opened(connection)
            thread = threading.Thread(
                target=self._serve,
                args=(connection, number),
                name=f"hostile-connection-{number}",
                daemon=True,
            )
            with self._lock:
                self._threads.add(thread)
            thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            self._converse(connection, number)
        except OSError:
            pass  # the client went away, or the server is closing: both are what faults are about
        finally:
            self.connections.closed(connection)
            connection.close()
            with self._lock:
                self._threads.discard(threading.current_thread())

    def _converse(self, connection: socket.socket, number: int) -> None:
        waiting = b""
        while not self._closing.is_set():
            request, waiting = read_request(connection, waiting)
            if request is None:
                return
            script = self._next_script(request)
            self.log.add(
                Exchange(
                    method=request.method,
                    path=request.target,
                    status=_status(script),
                    at=time.monotonic(),
                    cookie=request.header("Cookie") is not None,
                    connection=number,
                )
            )
            for step in script:
                if not self._perform(connection, step):
                    return

    def _next_script(self, request: Received) -> Sequence[Step]:
        path = request.target.partition("?")[0]
        with self._lock:
            self.requests.append(request)
            scripts = self._scripts.get(path, [NOT_FOUND])
            turn = self._played.get(path, 0)
            self._played[path] = turn + 1
        script = scripts[min(turn, len(scripts) - 1)]
        return script(request) if callable(script) else script

    def _perform(self, connection: socket.socket, step: Step) -> bool:
        """Play one step; False when it ended the connection."""
        match step:
            case bytes():
                connection.sendall(step)
            case Pause():
                return not self._closing.wait(step.seconds)
            case Trickle():
                for place in range(len(step.data)):
                    connection.sendall(step.data[place : place + 1])
                    if self._closing.wait(step.seconds):
                        return False
            case Repeat():
                left = step.times
                while left is None or left > 0:
                    if self._closing.is_set():
                        return False
                    connection.sendall(step.data)
                    left = None if left is None else left - 1
            case Close():
                connection.shutdown(socket.SHUT_WR)
                return False
            case Reset():
                # Linger on with no time: close() throws away what is unsent and sends RST (POSIX, SO_LINGER).
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return False
        return True


def _status(script: Sequence[Step]) -> int:
    """The status that a script begins with, 0 when it begins with none."""
    first = script[0] if script else b""
    data = first.data if isinstance(first, Trickle | Repeat) else first
    words = data.split(None, 2) if isinstance(data, bytes) else []
    return int(words[1]) if len(words) > 1 and words[0].startswith(b"HTTP/") and words[1].isdigit() else 0

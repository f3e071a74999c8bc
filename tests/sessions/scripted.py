"""A server on loopback whose every byte a test decides: one thread a connection, each running the test's script.

What belongs here: sockets and reading requests. It knows nothing of the code under test, and is the judge of it: what
it counts is what happened.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Script = Callable[["Peer"], None]

PATIENCE = 10.0


@dataclass
class Got:
    """One request as it arrived."""

    line: str
    headers: dict[str, str]
    body: bytes
    head: bytes
    fields: list[tuple[str, str]] = field(default_factory=list)


class Peer:
    """The server's end of one connection. `number` counts connections from 0."""

    def __init__(self, server: Scripted, sock: Any, number: int) -> None:
        self.server = server
        self.sock = sock
        self.number = number
        self._buffer = b""

    def more(self) -> bytes:
        data: bytes = self.sock.recv(65536)
        self._buffer += data
        return data

    def head(self) -> Got | None:
        """The next request's head; None when the client closed."""
        while b"\r\n\r\n" not in self._buffer:
            if not self.more():
                return None
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        fields = [(name, value.strip()) for name, _, value in (text.partition(":") for text in lines)]
        got = Got(line, {name.lower(): value for name, value in fields}, b"", head, fields)
        self.server.requests.append(got)
        return got

    def request(self) -> Got | None:
        """The next request with its body."""
        got = self.head()
        if got is None:
            return None
        if got.headers.get("transfer-encoding") == "chunked":
            got.body = self._chunks()
        else:
            got.body = self.read(int(got.headers.get("content-length", 0)))
        return got

    def read(self, count: int) -> bytes:
        while len(self._buffer) < count and self.more():
            pass
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    def line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            if not self.more():
                return b""
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.line() or b"0", 16):
            body += self.read(size)
            self.line()
        self.line()
        return body

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def reset(self) -> None:
        """Close with a RST, as a server that crashes does."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class Scripted:
    """Serves until the end of the `with`. `opened`, `open_now`, `most_open` count connections, `requests` keeps
    requests.
    """

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self._script = script
        self._tls = tls
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._socks: set[Any] = set()
        self._threads: list[threading.Thread] = []
        self.opened = self.open_now = self.most_open = 0
        self.requests: list[Got] = []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family, backlog=128)
        self.host = host
        self.port: int = self._listener.getsockname()[1]
        self.netloc = f"{host}:{self.port}"

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}"

    def __enter__(self) -> Scripted:
        self._start(self._accept)
        return self

    def __exit__(self, *exc_info: object) -> None:
        # shutdown(), because closing alone does not wake a thread that is in accept() or recv().
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            socks = list(self._socks)
        for sock in socks:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._changed:
                number = self.opened
                self.opened += 1
                self.open_now += 1
                self.most_open = max(self.most_open, self.open_now)
                self._socks.add(sock)
            self._start(self._serve, sock, number)

    def _serve(self, sock: Any, number: int) -> None:
        inner = sock
        with contextlib.suppress(OSError, ssl.SSLError, ValueError):
            if self._tls is not None:
                inner = self._tls.wrap_socket(sock, server_side=True)
                with self._lock:
                    self._socks.discard(sock)
                    self._socks.add(inner)
            self._script(Peer(self, inner, number))
        inner.close()
        sock.close()
        with self._changed:
            self.open_now -= 1
            self._socks.discard(sock)
            self._socks.discard(inner)
            self._changed.notify_all()

    def wait_until(self, what: Callable[[Scripted], bool]) -> bool:
        """Until a count is as wanted (checked when a connection ends)."""
        with self._changed:
            return self._changed.wait_for(lambda: what(self), PATIENCE)


def ok(body: bytes = b"ok", *lines: str) -> bytes:
    """A plain answer with its length."""
    head = "".join(f"{line}\r\n" for line in lines)
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode("latin-1") + body


def always(*answers: bytes) -> Script:
    """Answer the requests of a connection one after the other, beginning again; the connection stays open."""

    def script(peer: Peer) -> None:
        count = 0
        while peer.request() is not None:
            peer.send(answers[count % len(answers)])
            count += 1

    return script


def once(answer: bytes) -> Script:
    """Answer one request of each connection, then close it."""

    def script(peer: Peer) -> None:
        if peer.request() is not None:
            peer.send(answer)

    return script


def pipe(one: Any, other: Any) -> None:
    """Carry bytes both ways until either side closes."""

    def carry(source: Any, target: Any) -> None:
        with contextlib.suppress(OSError, ValueError):
            while data := source.recv(65536):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    back = threading.Thread(target=carry, args=(other, one), daemon=True)
    back.start()
    carry(one, other)
    back.join(10)
    other.close()


def tunnels(to: Scripted) -> Script:
    """A proxy that connects every CONNECT to one server, whatever host it names."""

    def script(peer: Peer) -> None:
        if peer.head() is not None:
            other = socket.create_connection((to.host, to.port))
            peer.send(b"HTTP/1.1 200 Connection established\r\nVia: proxy\r\n\r\n")
            pipe(peer.sock, other)

    return script

"""Servers at made-up names and any port, on loopback: each keeps every byte that it received.

What belongs here: names, addresses, listeners, and the one seam where connecting is turned to them. What does not: what
is sent and whether it may be there (test_credentials.py).
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote

import pytest
import trustme

from crawlkit.sessions import wire
from crawlkit.sessions.pool import ConnectionPool
from crawlkit.sessions.resolver import Resolver
from tests.sessions.scripted import Peer, Scripted, ok

# Addresses that RFC 5737 keeps for documentation. The name with a dot has one of its own, to see who asks it.
NAMES = {
    "home.example": "192.0.2.1",
    "home.example.": "192.0.2.2",
    "www.home.example": "192.0.2.3",
    "other.example": "192.0.2.4",
    "nothome.example": "192.0.2.5",
}
NUMBER = "192.0.2.9"
_LAST = re.compile(rb"[A-Z]+ (/\S*)?/end HTTP.*", re.DOTALL)
PORTS = {"http": (80, 8080), "https": (443, 8443)}


class Place(NamedTuple):
    """An address and port that somebody listens at."""

    ip: str
    port: int


class Origins:
    """All places, each a server that answers `/go/STATUS/URL` with a redirect, and all else with "end"."""

    def __init__(self, authority: trustme.CA) -> None:
        self._exits = contextlib.ExitStack()
        self.received: dict[Place, bytearray] = {}
        self._listening: dict[Place, Scripted] = {}
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        names = [name for name in NAMES if not name.endswith(".")]
        authority.issue_cert(*names, NUMBER).configure_cert(context)
        for ip in (*NAMES.values(), NUMBER):
            for scheme, ports in PORTS.items():
                for port in ports:
                    place = Place(ip, port)
                    self.received[place] = bytearray()
                    tls = context if scheme == "https" else None
                    server = Scripted(self._script(place), tls=tls)
                    self._listening[place] = self._exits.enter_context(server)

    def close(self) -> None:
        self._exits.close()

    def forget(self) -> None:
        for log in self.received.values():
            log.clear()

    def _script(self, place: Place) -> Any:
        def script(peer: Peer) -> None:
            more = peer.more

            def logged() -> bytes:
                data = more()
                self.received[place] += data
                return data

            peer.more = logged  # type: ignore[method-assign]
            while (got := peer.request()) is not None:
                peer.send(answer_to(got.line.split(" ")[1]))

        return script

    def connect(self, address: tuple[str, int], *args: Any, **kwargs: Any) -> socket.socket:
        """Connects to the server that stands for the address; what urllib3's create_connection is otherwise."""
        server = self._listening.get(Place(*address))
        if server is None:
            return create_connection(address, *args, **kwargs)
        return create_connection((server.host, server.port), *args, **kwargs)

    def pool(self) -> ConnectionPool:
        return ConnectionPool(resolver=Resolver(lookup=lookup))

    def last_request(self, place: Place) -> bytes:
        """From the line that asks for `.../end`, the target of all redirects here; b"" when nobody did."""
        found = _LAST.search(self.received[place])
        return b"" if found is None else found[0]

    def tunnel(self, host: str, port: int) -> socket.socket:
        """A connection as a proxy makes it."""
        server = self._listening[Place(NAMES.get(host, host), port)]
        return socket.create_connection((server.host, server.port))


create_connection = wire.create_connection


def lookup(host: str, *_: Any) -> list[Any]:
    """In place of getaddrinfo."""
    ip = NAMES.get(host.lower())
    if ip is None:
        raise socket.gaierror(socket.EAI_NONAME, f"{host!r} is no name here")
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 0))]


def answer_to(target: str) -> bytes:
    kind, _, rest = target.lstrip("/").partition("/")
    if kind != "go":
        return ok(b"end")
    status, _, url = rest.partition("/")
    return f"HTTP/1.1 {status} Moved\r\nLocation: {unquote(url)}\r\nContent-Length: 0\r\n\r\n".encode()


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


@contextlib.contextmanager
def turned_to(origins: Origins) -> Iterator[None]:
    """Within it, connections to the places go to their servers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wire, "create_connection", origins.connect)
        yield

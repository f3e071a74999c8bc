"""Wire: one connection, opened by urllib3 (TCP, TLS, proxies) and spoken over by us.

What belongs here: opening, within the time allowed and only to addresses that are allowed. What does not: which
connection a request gets (pool.py), what goes over it (channel.py).
"""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.connection import create_connection

from crawlkit.exceptions import AddressForbidden, BadResponse
from crawlkit.sessions.addresses import AddressPolicy
from crawlkit.sessions.channel import Channel
from crawlkit.sessions.resolver import Resolver
from crawlkit.sessions.timedsocket import UNSET

if TYPE_CHECKING:
    from crawlkit.sessions.ledger import Slot
    from crawlkit.sessions.routes import Key


class TunnelRefused(Exception):
    """The proxy answered CONNECT with something else than 2xx."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}".strip())
        self.status = status


class Wire(Channel, HTTPConnection):
    """A connection without TLS; also the half of a TLS connection that is ours.

    `opened_at` and `idle_since` are monotonic seconds, `key` and `slot` the pool's, `user` the thread that used it last,
    None while it lies idle.
    """

    key: Key
    slot: Slot
    resolver: Resolver
    policy: AddressPolicy | None = None
    opened_at = 0.0
    idle_since = 0.0
    user: int | None = None
    address: str | None = None
    """The numeric address connected to, for a proxied connection the proxy's; None before."""

    # --- opening ----------------------------------------------------------------------------------------------------

    def open(self, until: float | None) -> None:
        """Connect, through the proxy and with the TLS that the key says, before the instant `until`."""
        self._deadline, self._read_timeout = until, None
        try:
            self.connect()
        except BaseException:
            self.close()
            raise
        self._armed = UNSET
        self.opened_at = time.monotonic()

    def _new_conn(self) -> socket.socket:
        host, port = self._dns_host.strip("[]"), self.port
        addresses = self.resolver.resolve(host, timeout=self._left())
        error: Exception | None = None
        for index, address in enumerate(addresses):
            left = self._left()
            # A share of the time for each address, so that a silent one leaves some for the next.
            timeout = None if left is None else left / (len(addresses) - index)
            try:
                if self.policy is not None:
                    self.policy.check(host, port, address.ip)
                sock = self._connect_to(address.ip, port, timeout)
            except AddressForbidden as forbidden:
                error = error or forbidden
            except OSError as failed:
                self.resolver.failed(address)
                error = failed
            else:
                self.address = address.ip
                sock.settimeout(self._left())
                return sock
        raise error or OSError(f"{host!r} has no address")

    def _connect_to(self, ip: str, port: int, timeout: float | None) -> socket.socket:
        return create_connection(
            (ip, port), timeout, source_address=self.source_address, socket_options=self.socket_options
        )

    def _tunnel(self) -> None:
        host: Any = self._tunnel_host
        name = host.decode("ascii") if isinstance(host, bytes) else host.strip("[]")
        target = f"[{name}]:{self._tunnel_port}" if ":" in name else f"{name}:{self._tunnel_port}"
        fields = {"Host": target, **self._tunnel_headers}  # type: ignore[attr-defined]
        lines = [f"CONNECT {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        tee, self.tee = self.tee, None  # the proxy's conversation is no part of the exchange
        try:
            self.transmit(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
            head = self.read_head()
            if not 200 <= head.status < 300:
                raise TunnelRefused(head.status, head.reason)
            if self._incoming:
                raise BadResponse("the proxy sent bytes of its own before the tunnel was in use")
        finally:
            self._incoming, self._at = b"", 0
            self.tee = tee
        self.sock.settimeout(self._left())

    def close(self) -> None:
        """Close the socket. A process that was forked does not disturb its parent by it."""
        self._watch = None
        super().close()


class TLSWire(Wire, HTTPSConnection):
    """A connection with TLS to the origin, or to a proxy that is spoken to over TLS."""

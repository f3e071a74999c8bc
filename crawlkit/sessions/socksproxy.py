"""Connections through a SOCKS proxy (RFC 1928), with PySocks: `pip install crawlkit[socks]`.

What belongs here: the one home of that package. Importing this module without it is an ImportError.
"""

from __future__ import annotations

import socket
import warnings
from typing import Any

from crawlkit.sessions.routes import Proxy
from crawlkit.sessions.wire import TLSWire, Wire

with warnings.catch_warnings():
    # urllib3 warns before it raises; the error that the user gets says what to install.
    warnings.simplefilter("ignore")
    from urllib3.contrib.socks import SOCKSConnection, SOCKSHTTPSConnection

import socks as pysocks

_VERSIONS = {
    "socks4": pysocks.PROXY_TYPE_SOCKS4,
    "socks4a": pysocks.PROXY_TYPE_SOCKS4,
    "socks5": pysocks.PROXY_TYPE_SOCKS5,
    "socks5h": pysocks.PROXY_TYPE_SOCKS5,
}


def options(proxy: Proxy) -> Any:
    """What urllib3's SOCKS connections want to know about the proxy."""
    return {
        "socks_version": _VERSIONS[proxy.scheme],
        "proxy_host": proxy.host,
        "proxy_port": proxy.port,
        "username": proxy.username,
        "password": proxy.password,
        "rdns": proxy.resolves,
    }


class SocksWire(Wire, SOCKSConnection):
    """A connection without TLS through a SOCKS proxy."""

    def _new_conn(self) -> socket.socket:
        if self._socks_options["rdns"]:
            return self._connect_to(self._dns_host, self.port, self._left())
        # socks4 and socks5 leave the name to us, and so the look at the address as well.
        return super()._new_conn()

    def _connect_to(self, ip: str, port: int, timeout: float | None) -> socket.socket:
        name, self._dns_host = self._dns_host, ip
        self.timeout = timeout
        try:
            sock: socket.socket = SOCKSConnection._new_conn(self)
        finally:
            self._dns_host = name
        sock.settimeout(self._left())
        return sock


class SocksTLSWire(SocksWire, TLSWire, SOCKSHTTPSConnection):
    """A connection with TLS to the origin, through a SOCKS proxy."""

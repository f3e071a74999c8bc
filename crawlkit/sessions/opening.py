"""Making the connection object that a key asks for: with or without TLS, direct, through a proxy, through SOCKS.

What belongs here: which class, with which settings. What does not: connecting (wire.py, urllib3), limits (pool.py).
"""

from __future__ import annotations

import ssl
from typing import Any

from urllib3.connection import ProxyConfig
from urllib3.util import Url

from crawlkit.exceptions import InvalidSchema
from crawlkit.sessions.addresses import AddressPolicy, is_literal
from crawlkit.sessions.resolver import Resolver
from crawlkit.sessions.routes import Key, Proxy
from crawlkit.sessions.tls import TLSSettings, context_for, to_load
from crawlkit.sessions.wire import TLSWire, Wire


def new_wire(key: Key, resolver: Resolver, policy: AddressPolicy) -> Wire:
    """A connection for `key`, not yet open. OSError for a certificate file that is missing, InvalidSchema without
    PySocks.
    """
    options = dict(key.options)
    proxy = key.proxy
    if proxy is None:
        wire = _direct(key, options)
        wire.policy = policy
    else:
        if is_literal(key.host):
            # The proxy connects, so this is as far as we can look: a name, the proxy resolves.
            policy.check(key.host, key.port, key.host)
        if proxy.is_socks:
            wire = _through_socks(key, proxy, options)
            wire.policy = None if proxy.resolves else policy
        else:
            wire = _through_http(key, proxy, options)
    wire.key = key
    wire.resolver = resolver
    return wire


def _direct(key: Key, options: dict[str, Any]) -> Wire:
    if key.tls is None:
        return Wire(key.host, key.port, **_plain(options))
    return TLSWire(key.host, key.port, **_secured(key.tls, options))


def _through_http(key: Key, proxy: Proxy, options: dict[str, Any]) -> Wire:
    url = Url(proxy.scheme, None, proxy.host, proxy.port)
    tls = key.tls or TLSSettings()
    config: ProxyConfig = options.get("proxy_config") or ProxyConfig(None, False, None, None)
    if proxy.scheme == "https" and config.ssl_context is None:
        config = config._replace(ssl_context=context_for(TLSSettings(tls.verify)))
    wire: Wire
    if key.is_tunnel:
        wire = TLSWire(proxy.host, proxy.port, proxy=url, proxy_config=config, **_secured(tls, options))
        wire.set_tunnel(_bracketed(key.host), key.port, dict(proxy.headers), proxy.scheme)
    elif proxy.scheme == "https":
        wire = TLSWire(
            proxy.host, proxy.port, proxy=url, proxy_config=config, **_secured(TLSSettings(tls.verify), options)
        )
    else:
        wire = Wire(proxy.host, proxy.port, proxy=url, proxy_config=config, **_plain(options))
    return wire


def _through_socks(key: Key, proxy: Proxy, options: dict[str, Any]) -> Wire:
    try:
        from crawlkit.sessions import socksproxy
    except ImportError as error:
        raise InvalidSchema(
            f"{proxy.shown} needs an extra that is not installed: pip install 'crawlkit[socks]'"
        ) from error
    if key.tls is None:
        return socksproxy.SocksWire(socksproxy.options(proxy), key.host, key.port, **_plain(options))
    return socksproxy.SocksTLSWire(socksproxy.options(proxy), key.host, key.port, **_secured(key.tls, options))


_PLAIN_OPTIONS = frozenset(("source_address", "socket_options", "blocksize"))
_TLS_OPTIONS = _PLAIN_OPTIONS | {"assert_hostname", "assert_fingerprint", "server_hostname"}


def _plain(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name in _PLAIN_OPTIONS}


def _secured(tls: TLSSettings, options: dict[str, Any]) -> dict[str, Any]:
    """What urllib3 needs to know. Without verifying, nothing about names is checked either."""
    context = context_for(tls)
    secured = {name: value for name, value in options.items() if name in _TLS_OPTIONS}
    secured |= {"ssl_context": context, **to_load(tls)}
    if tls.verify is False:
        secured.update(cert_reqs=ssl.CERT_NONE, assert_hostname=False)
    elif tls.context is not None:
        # As with requests verify= says whether to, and a context that does not is made to.
        secured["cert_reqs"] = ssl.CERT_REQUIRED
    return secured


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host

"""Foreign pools: urllib3's connection pools, which adapters written for requests make to say how to connect.

What belongs here: reading such a pool, so that our own connections do what it says; and sending through it where it is of
a kind that cannot be read (over a Unix socket, say). What does not: making one (connecting.py), opening what it says
(opening.py).
"""

from __future__ import annotations

import copy
import ssl
from typing import Any

from urllib3 import exceptions as foreign
from urllib3.util import Timeout
from urllib3.util.ssl_ import resolve_cert_reqs

from crawlkit import exceptions as errors
from crawlkit.sessions import faults, routes
from crawlkit.sessions.routes import Key, Place, Proxy
from crawlkit.sessions.timeouts import Times
from crawlkit.sessions.tls import TLSSettings

_READABLE_POOLS = ("urllib3.connectionpool", "urllib3.contrib.socks")
_READABLE_CONNECTIONS = ("urllib3.connection", "urllib3.contrib.socks")
_OWN_WAYS = ("urlopen", "_make_request", "_get_conn", "_new_conn")

_CONTEXT_NAMES = ("ssl_version", "ssl_minimum_version", "ssl_maximum_version", "ca_cert_data", "key_password")
_DEFAULT_BLOCKSIZE = 16384


def for_one_request(pool: Any) -> Any:
    """A copy of a pool that can be read, to be changed for one request; one that cannot is given back as it is.

    Other threads are using the pool, and what is relaxed for one request is not relaxed for the next.
    """
    return copy.copy(pool) if _is_readable(pool) else pool


def _is_readable(pool: Any) -> bool:
    """Whether `pool` is one of urllib3's own, with urllib3's own connections, so that its settings say it all."""
    if type(pool).__module__ not in _READABLE_POOLS or pool.ConnectionCls.__module__ not in _READABLE_CONNECTIONS:
        return False
    if any(name in vars(pool) for name in _OWN_WAYS):
        return False
    return not (pool.proxy_config is not None and pool.proxy_config.use_forwarding_for_https)


def read(pool: Any, request: Any) -> tuple[Place, Key] | None:
    """Where `request` goes by this pool, and the key of connections that are as it says; None when it cannot be read."""
    if not _is_readable(pool):
        return None
    proxy = _proxy(pool)
    if proxy is not None and not proxy.is_socks and (pool.host, pool.port) == (proxy.host, proxy.port):
        place = routes.place_of(request.url)  # the pool is the proxy's own: the request itself goes there
        if place.scheme != "http":
            return None
    else:
        place = routes.place_at(pool.scheme, pool.host, pool.port)
        if proxy is not None and not proxy.is_socks and place.scheme != "https":
            return None
    tls = _tls(pool) if pool.scheme == "https" else None
    return place, Key(place.netloc, place.scheme, place.host, place.port, proxy, tls, _options(pool))


def _proxy(pool: Any) -> Proxy | None:
    socks = pool.conn_kw.get("_socks_options")
    if socks:
        scheme = ("socks4a" if socks["rdns"] else "socks4") if socks["socks_version"] == 1 else "socks5"
        scheme += "h" if scheme == "socks5" and socks["rdns"] else ""
        port = socks["proxy_port"] or 1080
        return Proxy(scheme, socks["proxy_host"].strip("[]"), port, socks["username"], socks["password"], ())
    if pool.proxy is None:
        return None
    where = routes.proxy_at(f"{pool.proxy.scheme}://{pool.proxy.netloc}")
    return where._replace(headers=tuple(dict(pool.proxy_headers or {}).items()))


def _tls(pool: Any) -> TLSSettings:
    context: ssl.SSLContext | None = pool.conn_kw.get("ssl_context")
    if pool.cert_reqs is None and context is not None:
        verifies = context.verify_mode != ssl.CERT_NONE
    else:
        verifies = resolve_cert_reqs(pool.cert_reqs) != ssl.CERT_NONE
    more = {name: getattr(pool, name, None) or pool.conn_kw.get(name) for name in _CONTEXT_NAMES}
    if pool.ca_certs:
        more["ca_cert_dir"] = pool.ca_cert_dir
    cert = None
    if pool.cert_file:
        cert = (pool.cert_file, pool.key_file) if pool.key_file else pool.cert_file
    given = tuple(sorted((name, value) for name, value in more.items() if value))
    return TLSSettings(pool.ca_certs or pool.ca_cert_dir or True if verifies else False, cert, context, given)


def _options(pool: Any) -> tuple[tuple[str, Any], ...]:
    given = pool.conn_kw
    found: dict[str, Any] = {name: given.get(name) for name in ("source_address", "server_hostname")}
    if given.get("blocksize") != _DEFAULT_BLOCKSIZE:
        found["blocksize"] = given.get("blocksize")
    options = given.get("socket_options")
    if options or (options is not None and pool.proxy is None):  # for proxies urllib3 makes it empty by itself
        found["socket_options"] = tuple(tuple(option) for option in options)
    if pool.scheme == "https":
        found["assert_hostname"] = pool.assert_hostname
        found["assert_fingerprint"] = pool.assert_fingerprint
    if pool.proxy_config is not None and any(pool.proxy_config):
        found["proxy_config"] = pool.proxy_config
    return tuple(sorted((name, value) for name, value in found.items() if value is not None))


# --- pools that cannot be read ----------------------------------------------------------------------------------------


def exchange(pool: Any, request: Any, target: str, times: Times) -> Any:
    """What the pool itself answers to `request`: urllib3's response, its body unread.

    Its connections are its own: none of ours is used or counted, and their errors come in our names.
    """
    try:
        return pool.urlopen(
            method=request.method,
            url=target,
            body=request.body,
            headers=dict(request.headers),
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
            retries=False,
            timeout=Timeout(connect=times.connect, read=times.read),
            chunked=not (request.body is None or "Content-Length" in request.headers),
        )
    except (OSError, foreign.HTTPError) as error:
        raise in_our_words(error, request) from error


def in_our_words(error: Exception, request: Any) -> BaseException:
    """Our exception for what such a pool raised, by whose class urllib3 says how far the request had come."""
    sent = isinstance(error, (foreign.ReadTimeoutError, foreign.ProtocolError))
    return faults.border(error, request, phase=faults.HEAD if sent else faults.CONNECT)


def refuse_what_it_cannot(pool: Any, request: Any, unknown: dict[str, Any], *, allow_private: bool) -> None:
    """Raises where a pool that sends by itself would leave out what was asked for: ValueError for the arguments in
    `unknown`, AddressForbidden where addresses have to be looked at.
    """
    kind = f"{type(pool).__module__}.{type(pool).__qualname__}"
    if not allow_private:
        raise errors.AddressForbidden(
            f"{kind}, which this adapter connects by, does not let anybody look at the address, and allow_private is "
            "off; mount the adapter in a session that allows private addresses",
            request=request,
        )
    asked = [name for name, value in unknown.items() if value is not None]
    if asked:
        raise ValueError(
            f"{kind}, which this adapter connects by, does not know {' and '.join(asked)}; leave that out, or use an "
            "adapter that does not make connections of its own"
        )

"""The environment: proxies, the hosts that need none, certificates. Read anew for each request, cheaply.

What belongs here: HTTP_PROXY and its kin, NO_PROXY, REQUESTS_CA_BUNDLE, choosing the proxy of a URL. What
does not: netrc.py, connecting through a proxy, deciding whether the environment is trusted (session.py).
"""

from __future__ import annotations

import ipaddress
import os
import sys
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from crawlkit.sessions.netrc import get_netrc_auth as get_netrc_auth
from crawlkit.sessions.target import get_auth_from_url as get_auth_from_url
from crawlkit.sessions.variables import undecoded

# On these two the system has proxy settings of its own, beside the environment's.
_SYSTEM_SETTINGS = sys.platform in ("darwin", "win32")


# Asked first, because reading them all decodes every variable there is, before every request.
_PROXY_VARIABLES = tuple(
    name for scheme in ("http", "https", "all", "no") for name in (f"{scheme}_proxy", f"{scheme}_PROXY".upper())
)


# --- proxies ------------------------------------------------------------------------------------------------


def get_environ_proxies(url: str, no_proxy: str | None = None) -> dict[str, str]:
    """The environment's proxies, by scheme, as far as they apply to `url`; empty when NO_PROXY (or
    `no_proxy`) names it.
    """
    proxies = _environ_proxies()
    if not proxies or should_bypass_proxies(url, no_proxy):
        return {}
    return proxies


def _environ_proxies() -> dict[str, str]:
    if not _SYSTEM_SETTINGS and not any(map(undecoded, _PROXY_VARIABLES)):
        return {}
    # The standard library's reading: `name_proxy` in any case, lower case wins, HTTP_PROXY ignored in a CGI
    # script, where a client could set it with a header (httpoxy).
    return urllib.request.getproxies()


def select_proxy(url: str, proxies: Mapping[str, str] | None) -> str | None:
    """The proxy for `url`: the value of the first key there is of `scheme://host`, `scheme`, `all://host`,
    `all`.
    """
    if not proxies:
        return None
    parts = urlsplit(url)
    if parts.hostname is None:
        return proxies.get(parts.scheme, proxies.get("all"))
    for key in (f"{parts.scheme}://{parts.hostname}", parts.scheme, f"all://{parts.hostname}", "all"):
        if key in proxies:
            return proxies[key]
    return None


def resolve_proxies(request: Any, proxies: Mapping[str, str] | None, trust_env: bool = True) -> dict[str, str]:
    """`proxies` for a (prepared) request, with the environment's proxy for its scheme where `proxies` has
    none.
    """
    resolved = dict(proxies or {})
    if trust_env:
        scheme = urlsplit(request.url).scheme
        environ = get_environ_proxies(request.url, resolved.get("no_proxy"))
        proxy = environ.get(scheme, environ.get("all"))
        if proxy:
            resolved.setdefault(scheme, proxy)
    return resolved


# --- hosts without a proxy ----------------------------------------------------------------------------------


def should_bypass_proxies(url: str, no_proxy: str | None = None) -> bool:
    """Whether `url` is reached without a proxy: its host is in `no_proxy` (None: the environment's), or it
    has no host.

    Entries are separated by commas: a host name and its subdomains, with a port or without, a leading dot or
    not; an address, a network (`10.0.0.0/8`, `fd00::/8`); `*` for everything.
    """
    parts = urlsplit(url)
    if parts.hostname is None:
        return True
    given = no_proxy is not None
    listed = no_proxy if given else _no_proxy()
    if listed and _is_listed(parts, listed):
        return True
    return _SYSTEM_SETTINGS and not given and _system_bypasses(parts.hostname)


def _no_proxy() -> str | None:
    # Lower case wins even when it is empty: that is how a shell undoes the other.
    value = os.environ.get("no_proxy")
    return os.environ.get("NO_PROXY") if value is None else value


def _is_listed(parts: SplitResult, listed: str) -> bool:
    host = (parts.hostname or "").rstrip(".")
    port = parts.port
    address = _address(host)
    for entry in listed.replace(" ", "").lower().split(","):
        entry = entry.rstrip(".") if not entry[:1].isdigit() else entry
        if not entry:
            continue
        if entry == "*" or entry == host or (port is not None and entry in (f"{host}:{port}", f"[{host}]:{port}")):
            return True
        if address is not None:
            if _in_network(address, entry):
                return True
        elif _is_within(host, port, entry.lstrip(".")):
            return True
    return False


def _is_within(host: str, port: int | None, domain: str) -> bool:
    spellings = [host] if port is None else [host, f"{host}:{port}"]
    return any(spelling == domain or spelling.endswith(f".{domain}") for spelling in spellings)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _in_network(address: ipaddress.IPv4Address | ipaddress.IPv6Address, entry: str) -> bool:
    try:
        return address in ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        return False


def _system_bypasses(host: str) -> bool:
    try:
        return bool(urllib.request.proxy_bypass(host))
    except (TypeError, OSError):
        return False


# --- certificates -------------------------------------------------------------------------------------------


def ca_bundle() -> str | None:
    """The file or folder of CA certificates that the environment names: REQUESTS_CA_BUNDLE, else
    CURL_CA_BUNDLE.
    """
    if undecoded("REQUESTS_CA_BUNDLE") or undecoded("CURL_CA_BUNDLE"):
        return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or None
    return None

"""Where a request goes: the origin in its URL, the proxy before it, and the key under which connections are the same.

What belongs here: taking URLs apart for connecting, once for each origin. What does not: preparing URLs (target.py),
which proxy the environment names (environment.py), opening anything.
"""

from __future__ import annotations

import re
from base64 import b64encode
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from crawlkit.exceptions import InvalidProxyURL, InvalidSchema, InvalidURL
from crawlkit.sessions.tls import TLSSettings

_PORTS = {"http": 80, "https": 443}
_PROXY_PORTS = {"http": 80, "https": 443, "socks4": 1080, "socks4a": 1080, "socks5": 1080, "socks5h": 1080}
_TARGET_SAFE = "".join(map(chr, range(0x21, 0x7F)))
_MAX_ORIGINS = 10_000


class Place(NamedTuple):
    """An origin to connect to. `host` is without brackets, `netloc` is `host:port`, `field` the Host header's value."""

    scheme: str
    host: str
    port: int
    netloc: str
    field: str


class Proxy(NamedTuple):
    """A proxy. `headers` are sent to it and to nobody else, credentials among them."""

    scheme: str
    host: str
    port: int
    username: str | None
    password: str | None
    headers: tuple[tuple[str, str], ...]

    def __repr__(self) -> str:
        return f"<Proxy {self.shown}>"

    @property
    def shown(self) -> str:
        """The proxy's URL without credentials."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def is_socks(self) -> bool:
        """Whether the proxy relays bytes and knows no HTTP."""
        return self.scheme.startswith("socks")

    @property
    def resolves(self) -> bool:
        """Whether the proxy, not we, looks the origin's name up."""
        return self.scheme not in ("socks4", "socks5")


class Key(NamedTuple):
    """What two requests must have in common to use one connection. Limits count by `netloc` alone."""

    netloc: str
    scheme: str
    host: str
    port: int
    proxy: Proxy | None
    tls: TLSSettings | None
    options: tuple[tuple[str, Any], ...]

    @property
    def is_tunnel(self) -> bool:
        """Whether an HTTP proxy is asked to CONNECT."""
        return self.proxy is not None and not self.proxy.is_socks and self.scheme == "https"

    @property
    def is_forwarded(self) -> bool:
        """Whether an HTTP proxy gets the request itself, its target in absolute form."""
        return self.proxy is not None and not self.proxy.is_socks and self.scheme == "http"


# By the text up to the path. A dict rather than lru_cache: one lookup is what the hot path can afford.
_places: dict[str, Place] = {}


def place_of(url: str) -> Place:
    """The origin that a prepared URL goes to. InvalidURL, InvalidSchema."""
    return split(url)[0]


def place_at(scheme: str, host: str, port: int | None) -> Place:
    """The origin at this host (IPv6 with or without brackets) and port, by default the scheme's."""
    host = host.strip("[]")
    port = port or _PORTS[scheme]
    name = f"[{host.partition('%')[0]}]" if ":" in host else host
    return Place(scheme, host, port, f"{host}:{port}", name if port == _PORTS[scheme] else f"{name}:{port}")


def split(url: str) -> tuple[Place, str]:
    """The origin of a prepared URL, and its target in origin form (RFC 9112 section 3.2.1), fragment gone."""
    start = url.find("://") + 3
    slash = url.find("/", start)
    place = _places.get(url[:slash]) if slash > start > 2 else None
    if place is None:
        place, slash = _learn(url)
        if slash < 0:
            return place, _safe(parse_url(url).request_uri)
    target = url[slash:]
    cut = target.find("#")
    if cut >= 0:
        target = target[:cut]
    if not (target.isascii() and target.isprintable()) or " " in target:
        target = _safe(target)
    return place, target


def _safe(target: str) -> str:
    """`target` without a byte that could end it early or begin a header (CVE-2019-11236); they are escaped."""
    return quote(target, safe=_TARGET_SAFE)


def _learn(url: str) -> tuple[Place, int]:
    try:
        parts = parse_url(url)
    except LocationParseError:
        raise InvalidURL("its host or port cannot be parsed") from None
    if parts.scheme not in _PORTS:
        raise InvalidSchema(f"only http and https can be fetched, not {parts.scheme!r}")
    if not parts.host:
        raise InvalidURL("it has no host")
    place = place_at(parts.scheme, parts.host, parts.port)
    start = url.find("://") + 3
    slash = url.find("/", start)
    # Remembered only where cutting at the first slash finds the same authority as parsing does.
    if slash < 0 or any(char in url[start:slash] for char in "\\?#"):
        return place, -1
    if len(_places) >= _MAX_ORIGINS:
        _places.clear()
    _places[url[:slash]] = place
    return place, slash


# --- proxies ---------------------------------------------------------------------------------------------------------


# `http:/host`, which is no `host:port`: asked for as such it would be looked up as the host "http".
_SLASH_LOST = re.compile(r"(?:https?|socks[45][ah]?):/", re.IGNORECASE)


@lru_cache(maxsize=256)
def proxy_at(url: str) -> Proxy:
    """The proxy that a URL names; `host:port` alone means http. InvalidProxyURL, without the credentials in it."""
    try:
        parts = parse_url(url if "://" in url or _SLASH_LOST.match(url) else f"http://{url}")
    except LocationParseError:
        raise InvalidProxyURL(
            "the proxy's URL cannot be parsed; it looks like http://user:password@host:port"
        ) from None
    scheme = parts.scheme or "http"
    if not parts.host:
        raise InvalidProxyURL("the proxy's URL has no host; it looks like http://user:password@host:port")
    if scheme not in _PROXY_PORTS:
        raise InvalidProxyURL(f"a proxy is http, https, socks4, socks4a, socks5 or socks5h, not {scheme!r}")
    username = password = None
    if parts.auth is not None:
        username, _, password = parts.auth.partition(":")
        username, password = unquote(username), unquote(password)
    return Proxy(scheme, parts.host.strip("[]"), parts.port or _PROXY_PORTS[scheme], username, password, ())


def basic_auth(username: str, password: str) -> str:
    """The value of an Authorization header by RFC 7617; UTF-8 where latin-1 has no such character."""
    text = f"{username}:{password}"
    try:
        data = text.encode("latin-1")
    except UnicodeEncodeError:
        data = text.encode("utf-8")
    return f"Basic {b64encode(data).decode('ascii')}"

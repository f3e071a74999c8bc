"""URLs: parse, join, origin, canonical form, fingerprint, by the rules of the WHATWG URL standard (ada-url).

What belongs here: questions about a URL as text. What does not: what may be fetched (crawl/), how a URL of a request is
prepared for the wire (sessions/), which addresses a host has.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

import ada_url

DEFAULT_PORTS = {"http": 80, "https": 443}

# Most URLs of most pages are plain: nothing in them is resolved or encoded but dots at the beginning. Each question to the
# library is a dozen calls that let the other threads run, and then wait for their turn again: these are answered here, as
# the library answers them.
_SEGMENT = r"[A-Za-z0-9_~@!$&()*+,;=-][A-Za-z0-9_~@!$&()*+,;=.-]*+"
_PATH = rf"(?:{_SEGMENT}/)*+(?:{_SEGMENT})?+"
_QUERY = r"(?:\?[A-Za-z0-9_~@!$&()*+,;=./:?%-]*+)?+"
_FRAGMENT = r"(?:#[A-Za-z0-9_~@!$&()*+,;=./:?%-]*+)?+"
_PLAIN_LINK = re.compile(rf"(/|(?:\.\./)*+)({_PATH}{_QUERY}{_FRAGMENT})\Z")
_PLAIN_URL = re.compile(rf"(https?://[^/?#@\\]++)/{_PATH}{_QUERY}(?={_FRAGMENT}\Z)")


class Origin(NamedTuple):
    """Scheme, host and port: what credentials and connections are bound to (RFC 6454)."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = DEFAULT_PORTS.get(self.scheme)
        return f"{self.scheme}://{host}" if self.port == default else f"{self.scheme}://{host}:{self.port}"

    @property
    def netloc(self) -> str:
        """`host:port`, always with the port: the name under which limits are kept."""
        return f"{self.host}:{self.port}"


def join(base: str, link: str) -> str | None:
    """The absolute URL that `link` means on a page at `base`; None when no URL can be made of it."""
    plain = _PLAIN_LINK.match(link)
    if plain is not None and (plain[2] or plain[1]) and plain[2][:1] not in ("?", "#"):
        folder = _folder(base, plain[1])
        if folder is not None:
            return folder + plain[2]
    return _joined(base, link)


def _joined(base: str, link: str) -> str | None:
    try:
        return ada_url.join_url(base, link)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _folder(base: str, up: str) -> str | None:
    """The http(s) folder that `/`, `../` or nothing means on a page at `base`, with its slash; None when there is none."""
    folder = _joined(base, up or ".")
    return folder if folder is not None and folder.startswith(("http://", "https://")) else None


@lru_cache(maxsize=4096)
def origin(url: str) -> Origin:
    """The origin of an absolute URL. ValueError when it cannot be parsed or has no host."""
    try:
        parts = ada_url.URL(url)
    except ValueError:
        raise ValueError(f"not an absolute URL: {url!r}") from None
    scheme = parts.protocol[:-1]
    if not parts.hostname:
        raise ValueError(f"a URL without a host: {url!r}")
    port = int(parts.port) if parts.port else DEFAULT_PORTS.get(scheme, 0)
    return Origin(scheme, parts.hostname.strip("[]"), port)


@lru_cache(maxsize=1 << 15)
def canonical(url: str) -> str | None:
    """The form under which two spellings of one URL are equal; None when it is no URL.

    Scheme and host in lower case, default port and fragment gone, dot segments resolved, path and query percent-encoded
    as browsers do. The path's case and the order of the query are kept: servers tell them apart.
    """
    plain = _PLAIN_URL.match(url)
    if plain is not None and _is_normal(plain[1] + "/"):
        return plain[0]
    href = _normalized(url)
    return None if href is None else href.partition("#")[0]


def _normalized(url: str) -> str | None:
    try:
        return ada_url.normalize_url(url)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _is_normal(root: str) -> bool:
    """Whether scheme, host and port are written as they are compared: 127.1, EXAMPLE.org and :80 are not."""
    return _normalized(root) == root


def fingerprint(canonical_url: str, *, method: str = "GET", body: bytes = b"", profile: str = "") -> bytes:
    """16 bytes that name a request: profile, method, canonical URL and body; never its headers."""
    digest = hashlib.blake2b(digest_size=16)
    if method != "GET" or body or profile:
        # Lengths first, so that no two different requests can spell the same bytes.
        digest.update(f"{len(profile)} {profile} {method} {len(body)} ".encode())
        digest.update(body)
    digest.update(canonical_url.encode("utf-8", "surrogatepass"))
    return digest.digest()


def root(canonical_url: str) -> str:
    """Scheme, host and port of a canonical http(s) URL as text: `https://host`, without the slash."""
    end = canonical_url.find("/", 8)
    return canonical_url if end < 0 else canonical_url[:end]


def split_userinfo(url: str) -> tuple[str, tuple[str, str] | None]:
    """An absolute URL without `user:password@`, and these two, decoded, when they were there."""
    start = url.find("://") + 3
    end = min((at for at in (url.find(mark, start) for mark in "/?#") if at >= 0), default=len(url))
    at = url.rfind("@", start, end)
    if start < 3 or at < 0:
        return url, None
    user, _, password = url[start:at].partition(":")
    return url[:start] + url[at + 1 :], (unquote(user), unquote(password))


def has_scheme(url: str) -> bool:
    """Whether `url` is absolute and http(s)."""
    return url[:8].lower().startswith(("http://", "https://"))

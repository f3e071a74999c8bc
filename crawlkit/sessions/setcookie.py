"""Set-Cookie: what one line of a response means, and whether its sender may say so.

What belongs here: RFC 6265bis section 5.6 (parsing) and those steps of 5.7 (storing) that look at the line
and the URL alone. What does not: the steps that look at the cookies there are (cookiestore.py).

Where the draft leaves a choice:
- "Secure" is https and wss. Plain http to a loopback address is not: it is what tests speak, and a session
that
  treats it differently from other hosts hides the mistake that the test looks for.
- Expiries are not cut to 400 days. The cap protects people from being tracked in a browser; a job that runs
for
  months wants its login for as long as the server gives it.
- Names that begin with `__Host-` or `__Secure-` are looked at in any case, as later drafts and browsers do: a
  server that compares without case would take `__HOST-id` for the protected name. A nameless cookie whose
  value begins so is refused, because it is sent as if it were the name.
- SameSite refuses a cookie in one case alone, None without Secure, as browsers do. What a crawler sends are
  top-level navigations, so that it need not look at Strict and Lax when it takes cookies.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import NamedTuple

from crawlkit import url as urls
from crawlkit.sessions.cookie import Cookie, SameSite, same_site_of
from crawlkit.sessions.cookiedate import LATEST, cookie_date
from crawlkit.sessions.suffixes import is_address, is_public_suffix

MAX_COOKIE_BYTES = 4096  # name and value together
MAX_ATTRIBUTE_BYTES = 1024
EARLIEST = 0  # what a Max-Age of nothing or less sets the expiry to

CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")  # the control characters without TAB, which is white space

_WSP = " \t"
_MAX_AGE = re.compile(r"-?[0-9]+\Z", re.ASCII)
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://[^/?#\\]*)([^?#]*)", re.DOTALL)


class CookieRefused(ValueError):
    """A Set-Cookie line that the rules do not let in; the message says which rule. Never leaves the cookie
    modules."""


class Place(NamedTuple):
    """What of a URL cookies depend on."""

    host: str
    path: str
    secure: bool


class Attributes(NamedTuple):
    """The attributes of a Set-Cookie line. A `max_age` is relative to when the line came."""

    domain: str = ""
    path: str | None = None
    secure: bool = False
    httponly: bool = False
    samesite: SameSite | None = None
    expires: int | None = None
    max_age: int | None = None


def place_of(url: str) -> Place | None:
    """Host, path and whether it is secure, of an absolute URL; None when it has no host."""
    match = _URL.match(url)
    if match is None:
        return None
    origin, path = match.groups()
    if "\\" in path or "/." in path:  # what a request's path would not keep
        clean = _URL.match(urls.canonical(url) or "")
        if clean is None:
            return None
        path = clean[2]
    return _place(origin, path or "/")


def _place(origin: str, path: str) -> Place | None:
    try:
        scheme, host, _ = urls.origin(origin)
    except ValueError:
        return None
    return Place(host, path, scheme in ("https", "wss"))


def read(line: str, place: Place, now: float) -> Cookie:
    """The cookie that one Set-Cookie line (latin-1) from `place` sets at `now`. CookieRefused when it may
    not be set."""
    name, value, attributes = parse(line)
    domain, path, secure, httponly, samesite, expires, max_age = attributes
    if secure and not place.secure:
        raise CookieRefused("Secure is only taken from https")
    if samesite == "None" and not secure:
        raise CookieRefused("SameSite=None without Secure")
    host_only = True
    if domain:
        host_only = _host_only(domain, place.host)
    if name[:2] == "__" or not name:
        _check_prefix(name or value, attributes, host_only)
    if max_age is not None:
        expires = EARLIEST if max_age <= 0 else min(math.ceil(now + min(max_age, LATEST)), LATEST)
    return Cookie(
        name,
        value,
        place.host if host_only else domain,
        host_only=host_only,
        dotted=not host_only,
        path=path or default_path(place.path),
        secure=secure,
        httponly=httponly,
        samesite=samesite,
        expires=expires,
    )


def parse(line: str) -> tuple[str, str, Attributes]:
    """Name, value and attributes of a line (section 5.6). CookieRefused when there is no cookie in it."""
    if not line.isprintable() and CONTROL.search(line):
        raise CookieRefused("a control character")
    pair, _, rest = line.partition(";")
    name, equals, value = pair.partition("=")
    if not equals:
        name, value = "", pair
    name, value = name.strip(_WSP), value.strip(_WSP)
    if not name and not value:
        raise CookieRefused("neither a name nor a value")
    if len(name) + len(value) > MAX_COOKIE_BYTES:
        raise CookieRefused(f"name and value are longer than {MAX_COOKIE_BYTES} bytes")
    return name, value, _attributes(rest) if rest else _NONE


_NONE = Attributes()


@lru_cache(maxsize=1024)
def _attributes(text: str) -> Attributes:
    """What follows the first `;`. Remembered: a server ends most of its lines alike. Of two alike the last
    one counts."""
    found: dict[str, object] = {}
    for part in text.split(";"):
        name, _, value = part.partition("=")
        name, value = name.strip(_WSP).lower(), value.strip(_WSP)
        if len(value) > MAX_ATTRIBUTE_BYTES:
            continue
        if name in ("secure", "httponly"):
            found[name] = True
        elif name == "path":
            found["path"] = value if value.startswith("/") else None
        elif name == "domain":
            found["domain"] = value.removeprefix(".").lower()
        elif name == "samesite":
            found["samesite"] = same_site_of(value)
        elif name == "max-age" and _MAX_AGE.match(value):
            found["max_age"] = int(value)
        elif name == "expires" and (date := cookie_date(value)) is not None:
            found["expires"] = date
    return Attributes(**found)  # type: ignore[arg-type]


def _host_only(domain: str, host: str) -> bool:
    """Whether a Domain attribute means `host` alone. CookieRefused when it is not `host`'s to name (5.7
    steps 8 to 10)."""
    if not domain.isascii():
        raise CookieRefused("a Domain that is not ASCII; a server writes punycode")
    if domain == f"[{host}]":
        return True  # an IPv6 address, as the URL has it
    if not domain_match(host, domain):
        raise CookieRefused("a Domain that the host does not belong to")
    if is_public_suffix(domain):
        if domain != host:
            raise CookieRefused("a Domain under which anybody can register")
        return True
    return is_address(domain)


def _check_prefix(name: str, attributes: Attributes, host_only: bool) -> None:
    """The promises that a name's prefix makes (5.7 steps 20 and 21, and `__Http-`, which browsers keep
    too).
    """
    name = name.lower()
    if name.startswith(("__secure-", "__host-", "__http-")) and not attributes.secure:
        raise CookieRefused("a __Secure-, __Host- or __Http- cookie without Secure")
    if name.startswith("__host-") and not (host_only and attributes.path == "/"):
        raise CookieRefused("a __Host- cookie without Path=/ or with a Domain")
    if name.startswith(("__http-", "__host-http-")) and not attributes.httponly:
        raise CookieRefused("an __Http- cookie without HttpOnly")


def domain_match(host: str, domain: str) -> bool:
    """Section 5.1.3, both in canonical form: the same, or `host` is a name under `domain`."""
    return host == domain or (host.endswith(domain) and host[-len(domain) - 1] == "." and not is_address(host))


def default_path(path: str) -> str:
    """Section 5.1.4: the path up to its last slash, and `/` when that is nothing."""
    return path[: path.rfind("/")] or "/" if path.startswith("/") else "/"


def path_match(path: str, cookie_path: str) -> bool:
    """Section 5.1.4: the same, or `path` lies under `cookie_path`, cut at a slash."""
    return path == cookie_path or (
        path.startswith(cookie_path) and (cookie_path[-1:] == "/" or path[len(cookie_path)] == "/")
    )

"""What must not leave with a redirect: credentials are bound to the origin that they were given for.

What belongs here: comparing origins, which headers are secret, taking them off a request that goes
elsewhere, and showing a URL without its password. What does not: the cookies of the jar, which follow RFC
6265bis alone (cookies.py), and proxy credentials (redirects.py chooses the proxy of each hop).

Origins are compared with urllib3's parser, the one that decides where the socket connects: two parsers that
disagree on `http://good\\@evil/` are how credentials get lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING

from urllib3.util import parse_url

from crawlkit.sessions.secretnames import HIDDEN, is_secret_name
from crawlkit.url import DEFAULT_PORTS, Origin

if TYPE_CHECKING:
    from crawlkit.sessions.prepared import PreparedRequest

SECRET_HEADERS = (
    "*API*Key",  # X-API-Key, ApiKey, X-Goog-Api-Key, X-RapidAPI-Key, Ocp-Apim-Subscription-Key
    "*App*Key",  # DD-APPLICATION-KEY
    "*Access-Key*",
    "*-Auth",
    "*-Auth-*",
    "*-Authorization",
    "*Session*ID",
    "*JWT*",
    "*Token",
    "*Secret",
    "*Password",
)
"""Names of headers, `*` standing for anything, that a Session takes for secret unless its `secret_headers` say
otherwise.
"""


@lru_cache(maxsize=4096)
def origin_of(url: str) -> Origin:
    """Scheme, host and port of a prepared URL (RFC 6454); an empty host for a URL of a scheme that has none."""
    parts = parse_url(url)
    scheme = parts.scheme or ""
    return Origin(scheme, parts.host or "", parts.port or DEFAULT_PORTS.get(scheme, 0))


def same_origin(one: str, other: str) -> bool:
    """Whether two URLs have the same scheme, host and port."""
    return origin_of(one) == origin_of(other)


def same_host(one: str, other: str) -> bool:
    """Whether two URLs have the same host, whatever the ports."""
    return origin_of(one).host == origin_of(other).host


def authorization_stays(old: str, new: str) -> bool:
    """Whether Authorization may go along from `old` to `new`: same origin, or the same host's step from http to
    https.

    Only from port 80 to port 443: it is how sites move to https, and the one change of origin that gains secrecy.
    """
    if same_origin(old, new):
        return True
    before, after = origin_of(old), origin_of(new)
    return before.host == after.host and before[::2] == ("http", 80) and after[::2] == ("https", 443)


def is_secret(name: str, patterns: Iterable[str]) -> bool:
    """Whether a header's name matches one of `patterns`, whatever the case."""
    return _matches(name.lower(), tuple(patterns))


@lru_cache(maxsize=4096)
def _matches(lower: str, patterns: tuple[str, ...]) -> bool:
    # An archive asks this of every header of every page: 15 us each time, 0.3 when it was asked before.
    return any(fnmatchcase(lower, pattern.lower()) for pattern in patterns)


def strip_for_new_origin(request: PreparedRequest, patterns: Iterable[str]) -> None:
    """Takes off `request`, which goes to another origin, what was meant for the first: Host and the secret headers.

    Authorization is the caller's (`Session.rebuild_auth`, which programs override), as are cookies. Hooks that belong
    to an authentication go, too: digest would otherwise answer whoever asks for it.
    """
    headers = request.headers
    patterns = tuple(patterns)
    for name in list(headers):
        if name.lower() == "host" or is_secret(name, patterns):
            del headers[name]
    # A new dict: copies of a prepared request share their hooks.
    request.hooks = {
        event: [hook for hook in hooks if not _authenticates(hook)] for event, hooks in request.hooks.items()
    }


def _authenticates(hook: object) -> bool:
    from crawlkit.sessions.auth import AuthBase

    return isinstance(getattr(hook, "__self__", None), AuthBase)


_PARAMETER = re.compile(r"(?<=[?&;#])([^=&;#?/]{2,64})=([^&;#]+)")


# In these `@` is no end of a user's name and password.
_ADDRESS = re.compile(r"(?:mailto|acct|xmpp|im|pres|mid|cid|news):", re.IGNORECASE)


def shown(url: object) -> str:
    """A URL as errors and logs show it: without user name and password, and without the values of parameters whose
    names say that they are secret.
    """
    text = str(url)
    if "=" in text:
        text = _PARAMETER.sub(_masked, text)
    if "@" not in text:
        return text
    head, slashes, rest = text.partition("//")
    if not slashes:
        if _ADDRESS.match(text):
            return text
        head, rest = "", text
    end = min((at for mark in "/?#\\" if (at := rest.find(mark)) >= 0), default=len(rest))
    return f"{head}{slashes}{rest[:end].rpartition('@')[2]}{rest[end:]}"


def _masked(match: re.Match[str]) -> str:
    return f"{match[1]}={HIDDEN}" if is_secret_name(match[1]) else match[0]

"""Auth: what signs a request before it is sent. Basic (RFC 7617), to a server or a proxy, and the class to
derive from.

What does not belong here: Digest (digest.py), credentials from netrc (netrc.py) and URLs (target.py), logins
of sites.
"""

from __future__ import annotations

import warnings
from base64 import b64encode
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crawlkit.sessions.prepared import PreparedRequest
else:
    # Hints that are read at run time say Any for what is loaded when it is used, or imports this module.
    PreparedRequest = Any


class AuthBase:
    """Derive from it, or pass any callable: it gets the PreparedRequest, changes it and returns it."""

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        raise NotImplementedError(f"{type(self).__name__} does not say how to sign a request: define __call__(self, r)")


class Credentials(AuthBase):
    """A user name and a password; equal when both are. Its repr shows the name only."""

    def __init__(self, username: Any, password: Any) -> None:
        self.username = username
        self.password = password

    def __eq__(self, other: object) -> bool:
        theirs = (getattr(other, "username", None), getattr(other, "password", None))
        return (self.username, self.password) == theirs

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.username))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.username!r}>"


class HTTPBasicAuth(Credentials):
    """Sends user name and password in `Authorization` (RFC 7617)."""

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        r.headers["Authorization"] = _basic_auth_str(self.username, self.password)
        return r


class HTTPProxyAuth(HTTPBasicAuth):
    """Sends user name and password to a proxy, in `Proxy-Authorization`; over https that would reach the
    server instead.
    """

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        r.headers["Proxy-Authorization"] = _basic_auth_str(self.username, self.password)
        return r


def _basic_auth_str(username: Any, password: Any) -> str:
    """The header's value. Text is latin-1 as every client sends it, or UTF-8 (RFC 7617 section 2.1) where it
    must be.
    """
    pair = b":".join((_octets(username, "user name"), _octets(password, "password")))
    return "Basic " + b64encode(pair).decode("ascii")


def _octets(value: Any, what: str) -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        warnings.warn(
            f"a {what} that is neither str nor bytes ({type(value).__name__}) is deprecated: convert it",
            DeprecationWarning,
            stacklevel=4,
        )
    text = str(value)
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8")

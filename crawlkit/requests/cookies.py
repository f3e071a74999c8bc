"""requests.cookies: the jar and the functions that go with it, and requests' stand-ins for what
http.cookiejar expects.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, MutableMapping
from http import cookiejar as cookielib
from http.cookiejar import CookiePolicy
from http.cookies import Morsel
from typing import Any
from urllib.parse import urlparse, urlunparse

from crawlkit.sessions import cookies as own
from crawlkit.sessions.cookies import (
    Cookie,
    CookieConflictError,
    CookieJar,
    cookiejar_from_dict,
    create_cookie,
    extract_cookies_to_jar,
    get_cookie_header,
    morsel_to_cookie,
)
from crawlkit.sessions.foreignjars import cookie_url
from crawlkit.sessions.headers import to_native_string

RequestsCookieJar = CookieJar


class MockRequest:
    """A prepared request as `http.cookiejar` wants to see one; what it adds is in `get_new_headers()`."""

    def __init__(self, request: Any) -> None:
        self._r = request
        self._new_headers: dict[str, str] = {}
        self.type: str = urlparse(request.url).scheme

    def get_type(self) -> str:
        """The scheme."""
        return self.type

    def get_host(self) -> str:
        """Host, with its port where the URL has one."""
        host: str = urlparse(self._r.url).netloc
        return host

    def get_origin_req_host(self) -> str:
        """The same: each request is its own origin."""
        return self.get_host()

    def get_full_url(self) -> str:
        """The URL, with the host of a Host header that the author set."""
        return cookie_url(self._r.url, self._r.headers)

    def is_unverifiable(self) -> bool:
        """True, as for requests."""
        return True

    def has_header(self, name: str) -> bool:
        """Whether the request has it, or it was added here."""
        return name in self._r.headers or name in self._new_headers

    def get_header(self, name: str, default: str | None = None) -> str | None:
        """Its value, the request's first."""
        value: str | None = self._r.headers.get(name, self._new_headers.get(name, default))
        return value

    def add_header(self, key: str, val: str) -> None:
        """Refused: cookies are added by `add_unredirected_header`."""
        raise NotImplementedError("cookie headers are added with add_unredirected_header()")

    def add_unredirected_header(self, name: str, value: str) -> None:
        """Keep a header that the jar adds."""
        self._new_headers[name] = value

    def get_new_headers(self) -> dict[str, str]:
        """What was added."""
        return self._new_headers

    unverifiable = property(is_unverifiable)
    origin_req_host = property(get_origin_req_host)
    host = property(get_host)


class MockResponse:
    """The headers of an answer as `http.cookiejar` wants to see them: an `email.message.Message` behind
    `info()`.
    """

    def __init__(self, headers: Any) -> None:
        self._headers = headers

    def info(self) -> Any:
        """The message."""
        return self._headers

    def getheaders(self, name: str) -> Any:
        """All values of one header."""
        return self._headers.get_all(name)


def merge_cookies(cookiejar: Any, cookies: Any) -> Any:
    """`cookiejar` with the cookies of another jar, or with those names of a mapping that it has not."""
    return own.merge_cookies(cookiejar, cookies)


def remove_cookie_by_name(cookiejar: Any, name: str, domain: str | None = None, path: str | None = None) -> None:
    """Delete every cookie with this name, of one domain and path where they are given."""
    own.remove_cookie_by_name(cookiejar, name, domain, path)


def _copy_cookie_jar(jar: Any) -> Any:
    from crawlkit.sessions.prepared import copy_jar

    return copy_jar(jar)


__all__ = [
    "Cookie",
    "CookieConflictError",
    "CookieJar",
    "CookiePolicy",
    "Iterator",
    "MockRequest",
    "MockResponse",
    "Morsel",
    "MutableMapping",
    "RequestsCookieJar",
    "cookiejar_from_dict",
    "cookielib",
    "copy",
    "create_cookie",
    "extract_cookies_to_jar",
    "get_cookie_header",
    "merge_cookies",
    "morsel_to_cookie",
    "remove_cookie_by_name",
    "to_native_string",
    "urlparse",
    "urlunparse",
]

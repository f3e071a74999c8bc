"""http.cookiejar: its cookies, its policies and its jars beside ours.

What belongs here: turning cookies into each other, and using a jar or policy of the standard library through
the two questions that a session asks (`header_for`, `receive`). What does not: cookies.txt (cookiefiles.py).

A session that is given such a jar gets that jar's rules, not RFC 6265bis: host-only cookies go to subdomains,
Secure is taken from http. `CookieJar.update(jar)` takes the cookies over instead.
"""

from __future__ import annotations

import re
import time
import urllib.request
from collections.abc import Iterable, Mapping
from email.message import Message
from http import cookiejar
from itertools import islice
from typing import Any, Protocol

from crawlkit.sessions.cookie import Cookie, place, same_site_of
from crawlkit.sessions.cookieinput import check, text_of
from crawlkit.sessions.cookiestore import MAX_SET, CookieStore

_KNOWN = ("httponly", "samesite")
_HOST = re.compile(r"[^/?#\\@\s]+\Z")
_AUTHORITY = re.compile(r"\A([A-Za-z][A-Za-z0-9+.-]*://)[^/?#\\]*")


class Jar(Protocol):
    """What a session asks of any jar."""

    def header_for(self, url: str, *, method: str = "GET", same_site: bool = True) -> str | None:
        """The value of the Cookie header."""

    def receive(self, url: str, lines: Iterable[str], *, epoch: int | None = None) -> list[Cookie]:
        """Take the Set-Cookie values of a response."""


def adapt(jar: object) -> Jar:
    """`jar` as a session uses it: ours as it is, one of http.cookiejar wrapped, and one of ours whose class takes cookies
    by an `extract_cookies()` of its own. TypeError for anything else.
    """
    if isinstance(jar, CookieStore):
        return jar if getattr(jar, "extracts_as_we_do", True) else OwnExtraction(jar)
    if isinstance(jar, cookiejar.CookieJar):
        return ForeignJar(jar)
    raise TypeError(f"cookies must be a CookieJar or one of http.cookiejar, not {type(jar).__name__}")


class ForeignJar:
    """A jar of http.cookiejar, asked in our words. As safe in threads as that jar is: it has a lock of its
    own.
    """

    def __init__(self, jar: cookiejar.CookieJar) -> None:
        self.jar = jar

    def header_for(self, url: str, *, method: str = "GET", same_site: bool = True) -> str | None:
        """The value of the Cookie header by the jar's own rules; `same_site` is not looked at."""
        request = _request(url, method)
        self.jar.add_cookie_header(request)
        return request.get_header("Cookie")

    def receive(self, url: str, lines: Iterable[str], *, epoch: int | None = None) -> list[Cookie]:
        """Hand the first 50 Set-Cookie values to the jar; always returns [], for the jar does not tell.
        `epoch` is not looked at."""
        self.jar.extract_cookies(Answer(islice(lines, MAX_SET)), _request(url))  # type: ignore[arg-type]
        return []


class OwnExtraction:
    """A jar of ours whose class has its own way to take cookies from an answer."""

    def __init__(self, jar: Any) -> None:
        self.jar = jar

    def header_for(self, url: str, *, method: str = "GET", same_site: bool = True) -> str | None:
        """The value of the Cookie header."""
        header: str | None = self.jar.header_for(url, method=method, same_site=same_site)
        return header

    def receive(self, url: str, lines: Iterable[str], *, epoch: int | None = None) -> list[Cookie]:
        """Hand the first 50 Set-Cookie values to `extract_cookies()`; always returns [], for it does not tell."""
        if epoch is None or epoch >= self.jar.epoch:
            self.jar.extract_cookies(Answer(islice(lines, MAX_SET)), _request(url))
        return []


class Answer:
    """What http.cookiejar wants of a response: `info()` with the headers."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._message = Message()
        for line in lines:
            if "\r" not in line and "\n" not in line:
                self._message["Set-Cookie"] = line

    def info(self) -> Message:
        """The headers."""
        return self._message


class PolicyGate:
    """A `CookiePolicy` as the store's gate: asked about cookies that our rules let through."""

    def __init__(self, policy: cookiejar.CookiePolicy) -> None:
        self.policy = policy

    def accepts(self, cookie: Cookie, url: str) -> bool:
        """The policy's `set_ok`."""
        return bool(self.policy.set_ok(to_stdlib(cookie), _request(url)))

    def returns(self, cookie: Cookie, url: str, method: str) -> bool:
        """The policy's `domain_return_ok`, `path_return_ok` and `return_ok`."""
        request = _request(url, method)
        foreign = to_stdlib(cookie)
        # DefaultCookiePolicy compares expiries with the time that its jar wrote here.
        self.policy._now = int(time.time())  # type: ignore[attr-defined]
        return bool(
            self.policy.domain_return_ok(foreign.domain, request)
            and self.policy.path_return_ok(foreign.path, request)
            and self.policy.return_ok(foreign, request)
        )


def to_stdlib(cookie: Cookie) -> cookiejar.Cookie:
    """The cookie as http.cookiejar has it: a domain with a dot for hosts and those under them, `.local`
    after a bare name."""
    domain = cookie.host
    if not cookie.host_only:
        domain = f".{domain}"
    elif domain and "." not in domain and ":" not in domain:
        domain = f"{domain}.local"
    return cookiejar.Cookie(
        version=cookie.version,
        # http.cookiejar has the text of a nameless cookie in its name, and None as the value.
        name=cookie.name or cookie.value,
        value=cookie.value if cookie.name else None,
        port=cookie.port,
        port_specified=cookie.port_specified,
        domain=domain,
        domain_specified=not cookie.host_only,
        domain_initial_dot=not cookie.host_only,
        path=cookie.path,
        path_specified=True,
        secure=cookie.secure,
        expires=None if cookie.expires is None else int(cookie.expires),
        discard=cookie.discard,
        comment=cookie.comment,
        comment_url=cookie.comment_url,
        rest=cookie._rest,
        rfc2109=cookie.rfc2109,
    )


def from_stdlib(foreign: Any) -> Cookie:
    """Our cookie of one of http.cookiejar (or of anything with its attributes). InvalidHeader when it cannot
    be sent."""
    host, host_only, dotted = place(foreign.domain or "")
    if host == "localhost.local":  # http.cookiejar's name for localhost
        host = "localhost"
    name, value = foreign.name, foreign.value
    if value is None:  # its way to write a nameless cookie
        name, value = "", name
    rest = {str(word).lower(): (word, setting) for word, setting in getattr(foreign, "_rest", {}).items()}
    others = {word: setting for lower, (word, setting) in rest.items() if lower not in _KNOWN}
    samesite = rest["samesite"][1] if "samesite" in rest else None
    attributes = {
        "version": foreign.version,
        "port": foreign.port,
        "comment": foreign.comment,
        "comment_url": foreign.comment_url,
        "rfc2109": getattr(foreign, "rfc2109", False),
        "rest": others,
    }
    cookie = Cookie(
        text_of(name),
        text_of(value),
        host,
        host_only=host_only or not (foreign.domain_specified or foreign.domain_initial_dot),
        dotted=dotted,
        path=foreign.path or "/",
        secure=bool(foreign.secure),
        httponly="httponly" in rest,
        samesite=same_site_of(samesite),
        expires=foreign.expires,
        discard=bool(foreign.discard),
        extra={word: setting for word, setting in attributes.items() if setting} or None,
    )
    check(cookie)
    return cookie


def set_cookie_lines(response: Any) -> list[str]:
    """The Set-Cookie values of a response of urllib3, http.client, urllib.request or of ours."""
    for holder in (response, getattr(response, "_original_response", None)):
        for headers in (getattr(holder, "headers", None), getattr(holder, "msg", None)):
            read = getattr(headers, "getlist", None) or getattr(headers, "get_all", None)
            if read is not None:
                return [str(line) for line in read("Set-Cookie") or ()]
    return list(response.info().get_all("Set-Cookie") or ()) if hasattr(response, "info") else []


def cookie_url(url: str, headers: Mapping[str, Any] | None) -> str:
    """The URL that decides about cookies: a Host header that the user set says which host is meant (as in
    requests)."""
    host = headers.get("Host") if headers else None
    text = host.decode("latin-1") if isinstance(host, bytes) else host
    if not text or not _HOST.match(text):
        return url
    return _AUTHORITY.sub(lambda match: match[1] + text, url, count=1)


def _request(url: str, method: str = "GET") -> urllib.request.Request:
    return urllib.request.Request(url, method=method)

"""Cookies as users hand them over: names and values, http.cookiejar's keywords, morsels of http.cookies.

What belongs here: making a Cookie from those, and refusing what cannot be sent. What does not: what servers
send (setcookie.py).
"""

from __future__ import annotations

import time
from http.cookies import Morsel
from typing import Any

from crawlkit.exceptions import InvalidHeader
from crawlkit.sessions.cookie import Cookie, place, same_site_of
from crawlkit.sessions.cookiedate import cookie_date
from crawlkit.sessions.setcookie import CONTROL

_FOREIGN = ("port", "comment", "comment_url", "rfc2109", "version", "bound", "rest")


def create_cookie(name: str, value: Any, **kwargs: Any) -> Cookie:
    """A cookie from http.cookiejar's words: domain, path, secure, expires, discard, rest, version, port,
    comment, comment_url, rfc2109; and from ours: httponly, samesite, host_only.

    A domain means that host and the hosts under it, as `Domain=` does; a public suffix, an address or
    `host_only=True` that host alone; no domain: the first host that the cookie is sent to, which it then
    belongs to. TypeError for other words, InvalidHeader for what cannot go into a header.
    """
    known = {"domain", "path", "secure", "expires", "discard", "httponly", "samesite", "host_only", *_FOREIGN}
    if unknown := sorted(set(kwargs) - known):
        raise TypeError(f"create_cookie() does not know {', '.join(unknown)}; it knows {', '.join(sorted(known))}")
    host, host_only, dotted = place(kwargs.get("domain") or "")
    rest = {str(word).lower(): setting for word, setting in (kwargs.get("rest") or {}).items()}
    samesite = kwargs.get("samesite", rest.get("samesite"))
    extra = {word: kwargs[word] for word in _FOREIGN if kwargs.get(word)}
    if "rest" in extra:
        extra["rest"] = {
            w: s for w, s in extra["rest"].items() if str(w).lower() != "samesite" and (s, w) != (None, "HttpOnly")
        }
    cookie = Cookie(
        str(name),
        text_of(value),
        host,
        host_only=bool(kwargs.get("host_only")) or host_only,
        dotted=dotted and not kwargs.get("host_only"),
        path=kwargs.get("path") or "/",
        secure=bool(kwargs.get("secure", False)),
        httponly=bool(kwargs.get("httponly", "httponly" in rest)),
        samesite=same_site_of(samesite),
        expires=kwargs.get("expires"),
        discard=kwargs.get("discard") if kwargs.get("expires") is None else False,
        extra={word: setting for word, setting in extra.items() if setting} or None,
    )
    check(cookie)
    return cookie


def morsel_to_cookie(morsel: Morsel[Any]) -> Cookie:
    """A cookie from one of `http.cookies`. TypeError when its max-age is no number or its expires no text,
    ValueError when that text is no date."""
    expires: float | None = None
    if morsel["max-age"]:
        try:
            expires = int(time.time() + int(morsel["max-age"]))
        except ValueError:
            raise TypeError(f"max-age of cookie {morsel.key!r} must be a number: {morsel['max-age']!r}") from None
    elif morsel["expires"]:
        if not isinstance(morsel["expires"], str):
            raise TypeError(f"expires of cookie {morsel.key!r} must be text: {morsel['expires']!r}")
        expires = cookie_date(morsel["expires"])
        if expires is None:
            raise ValueError(f"expires of cookie {morsel.key!r} is no date: {morsel['expires']!r}")
    return create_cookie(
        morsel.key,
        morsel.value,
        domain=morsel["domain"],
        path=morsel["path"],
        secure=bool(morsel["secure"]),
        httponly=bool(morsel["httponly"]),
        samesite=morsel["samesite"],
        expires=expires,
        comment=morsel["comment"],
        version=morsel["version"],
    )


def text_of(value: Any) -> str:
    """A value as users pass it, as text: bytes as latin-1, numbers as written, None as nothing."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bytes, bytearray)):
        return value.decode("latin-1")
    return "" if value is None else str(value)


def check(cookie: Cookie) -> None:
    """InvalidHeader when the cookie, made by a user, has what must not go into a header. Names it, never its
    value."""
    for text in (cookie.name, cookie.value, cookie.path):
        if text.isascii() and text.isprintable():
            continue
        if CONTROL.search(text):
            raise InvalidHeader(
                f"cookie {cookie.name!r} has a control character; take it out of the name, value or path"
            )
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InvalidHeader(f"cookie {cookie.name!r} has half a surrogate pair, which no encoding has") from None

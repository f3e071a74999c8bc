"""Cookies as JSON: what extensions of browsers (EditThisCookie, Cookie-Editor, J2TEAM) and browser drivers (Playwright,
Puppeteer, Selenium) write.

What belongs here: reading those, and writing what Cookie-Editor reads. What does not: cookies.txt (cookiefiles.py).

All are a list of objects, or an object with such a list under "cookies". They differ in the name of the expiry
(`expirationDate`, `expires`, `expiry`; seconds since 1970, -1 for none) and in whether they say `hostOnly`; those that do
not, mean it by a domain without a dot first.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from crawlkit.exceptions import InvalidHeader, UsageError
from crawlkit.sessions.cookie import Cookie, SameSite, place, same_site_of
from crawlkit.sessions.cookieinput import check

_EXPIRY = ("expirationDate", "expires", "expiry")
#: The word of browsers' extension interface for SameSite=None.
_NO_RESTRICTION = "no_restriction"


def parse_cookie_json(text: str, *, name: str = "the file") -> list[Cookie]:
    """The cookies of such a text, expired ones too. UsageError names `name`, and the line or the cookie that is wrong."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:  # its own message shows none of the text
        raise UsageError(f"{name}, line {error.lineno}: this is no JSON: {error.msg}") from None
    except ValueError:  # Python reads no integer of more than 4,300 digits
        raise UsageError(f"{name}: there is a number in it that is too long for a time") from None
    except RecursionError:
        raise UsageError(f"{name}: this JSON is nested too deep for a list of cookies") from None
    listed = data.get("cookies") if isinstance(data, dict) else data
    if not isinstance(listed, list):
        raise UsageError(f'{name}: there is no list of cookies in it, nor one under "cookies"')
    cookies = []
    for number, entry in enumerate(listed, start=1):
        try:
            cookies.append(_cookie(entry))
        except ValueError as error:  # never the entry itself, which holds a secret
            raise UsageError(f"{name}, cookie {number}: {error}") from None
    return cookies


def _cookie(entry: Any) -> Cookie:
    if not isinstance(entry, dict):
        raise ValueError("it is no object")
    name, value, domain = _text(entry, "name"), _text(entry, "value"), _text(entry, "domain")
    host, only, dotted = place(domain)
    if not host:
        raise ValueError("there is no domain")
    stated = entry.get("hostOnly")
    host_only = only or (stated if isinstance(stated, bool) else not domain.startswith("."))
    cookie = Cookie(
        name,
        value.encode("utf-8", "surrogatepass").decode("latin-1"),  # each character a byte, as the browser would send it
        host,
        host_only=host_only,
        dotted=dotted and not host_only,
        path=_text(entry, "path", "/") or "/",
        secure=entry.get("secure") is True,
        httponly=entry.get("httpOnly") is True,
        samesite=_same_site(entry.get("sameSite")),
        expires=None if entry.get("session") is True else _expiry(entry),
    )
    try:
        check(cookie)
    except InvalidHeader:
        raise ValueError("there is a control character in it") from None
    return cookie


def _text(entry: dict[str, Any], key: str, default: str | None = None) -> str:
    found = entry.get(key, default)
    if not isinstance(found, str):
        raise ValueError(f"{key!r} is {'missing' if found is None else 'no text'}")
    return found


def _expiry(entry: dict[str, Any]) -> float | None:
    found = next((entry[key] for key in _EXPIRY if entry.get(key) is not None), None)
    if found is None or found == -1:
        return None
    if isinstance(found, bool) or not isinstance(found, int | float) or not -(2**53) < found < 2**53:
        raise ValueError("its expiry must be a number of seconds since 1970")
    return int(found)


def _same_site(text: object) -> SameSite | None:
    return "None" if text == _NO_RESTRICTION else same_site_of(text)


def format_cookie_json(cookies: Iterable[Cookie]) -> str:
    """Cookies as Cookie-Editor and EditThisCookie import them. Those without a domain yet are left out: they belong to no
    host."""
    return json.dumps([_entry(cookie) for cookie in cookies if cookie.host], indent=1) + "\n"


def _entry(cookie: Cookie) -> dict[str, Any]:
    samesite = (cookie.samesite or "unspecified").lower()
    entry: dict[str, Any] = {
        "domain": cookie.host if cookie.host_only else f".{cookie.host}",
        "hostOnly": cookie.host_only,
        "httpOnly": cookie.httponly,
        "name": cookie.name,
        "path": cookie.path,
        "sameSite": _NO_RESTRICTION if samesite == "none" else samesite,
        "secure": cookie.secure,
        "session": cookie.expires is None,
        "value": _as_text(cookie.value),
    }
    if cookie.expires is not None:
        entry["expirationDate"] = cookie.expires
    return entry


def _as_text(value: str) -> str:
    """A value's bytes as a browser shows them: UTF-8 where they are."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value

"""cookies.txt: the format of Netscape that curl, wget, yt-dlp and browser extensions read and write.

What belongs here: reading and writing such files. What does not: jars of http.cookiejar (foreignjars.py).

A line has seven fields between tabs: domain, whether the hosts under it count too, path, Secure, expiry in
seconds since 1970 (0: none), name, value. `#HttpOnly_` before the domain marks an HttpOnly cookie; other
lines with `#` are comments. The format knows no SameSite and no creation time. Files are latin-1, so that a
value's bytes stay as they were received.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from crawlkit.exceptions import InvalidHeader, StorageError, UsageError
from crawlkit.sessions.cookie import Cookie, place
from crawlkit.sessions.cookieinput import check
from crawlkit.sessions.cookies import CookieJar

_HEADER = "# Netscape HTTP Cookie File\n# Written by crawlkit. It holds logins: keep it to yourself.\n\n"
_HTTPONLY = "#HttpOnly_"
_FLAGS = {"TRUE": True, "FALSE": False}


def load_cookies_txt(path: str | Path) -> CookieJar:
    """The cookies of a cookies.txt file that have not expired.

    UsageError names file and line when a line cannot be read; StorageError when the file cannot.
    """
    jar = CookieJar()
    try:
        text = Path(path).read_bytes().decode("latin-1")
    except OSError as error:
        raise StorageError(f"{path} could not be read: {error.strerror}") from error
    for cookie in parse_cookies_txt(text, name=str(path)):
        jar.set_cookie(cookie)
    return jar


def parse_cookies_txt(text: str, *, name: str = "cookies.txt") -> list[Cookie]:
    """The cookies of a cookies.txt file's text, expired ones too. UsageError names `name` and the line that
    is broken."""
    cookies = []
    for number, line in enumerate(text.removeprefix("\xef\xbb\xbf").split("\n"), start=1):
        line = line.rstrip("\r")
        if not line.strip() or (line.startswith("#") and not line.startswith(_HTTPONLY)):
            continue
        try:
            cookies.append(_cookie(line))
        except ValueError as error:  # never the line itself, which holds a secret
            raise UsageError(f"{name}, line {number}: {error}") from None
    return cookies


def _cookie(line: str) -> Cookie:
    httponly = line.startswith(_HTTPONLY)
    fields = line.removeprefix(_HTTPONLY).split("\t", 6)
    if len(fields) == 6:  # curl writes no last tab after an empty value in old versions
        fields.append("")
    if len(fields) != 7:
        raise ValueError(f"there are {len(fields)} fields between tabs where cookies.txt has 7")
    domain, below, path, secure, expires, name, value = fields
    host, host_only, _ = place(domain.strip())
    if not host:
        raise ValueError("there is no domain")
    cookie = Cookie(
        name,
        value,
        host,
        host_only=host_only or not _flag(below, "second"),
        dotted=not host_only and _flag(below, "second"),
        path=path or "/",
        secure=_flag(secure, "fourth"),
        httponly=httponly,
        expires=_expiry(expires),
    )
    try:
        check(cookie)
    except InvalidHeader:
        raise ValueError("there is a control character in it") from None
    return cookie


def _flag(text: str, which: str) -> bool:
    flag = _FLAGS.get(text.strip().upper())
    if flag is None:
        raise ValueError(f"the {which} field must be TRUE or FALSE")
    return flag


def _expiry(text: str) -> float | None:
    try:
        seconds = float(text or 0)
        return int(seconds) or None
    except (ValueError, OverflowError):
        raise ValueError("the fifth field must be a number of seconds since 1970") from None


def save_cookies_txt(path: str | Path, cookies: Iterable[Cookie]) -> None:
    """Write cookies to a cookies.txt file of mode 0600, replacing it at once or not at all.

    UsageError names a cookie that the format cannot hold, StorageError the file when it cannot be written.
    """
    write_private(path, format_cookies_txt(cookies).encode("latin-1"))


def write_private(path: str | Path, data: bytes) -> None:
    """Write a file of mode 0600, replacing it at once or not at all. StorageError names it when it cannot be written."""
    target = Path(path)
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(descriptor)
            draft.replace(target)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StorageError(f"{path} could not be written: {error.strerror}") from error


def format_cookies_txt(cookies: Iterable[Cookie]) -> str:
    """Cookies as the text of a cookies.txt file, each character a byte. Those without a domain yet are left
    out: they belong to no host. UsageError names a cookie that the format cannot hold."""
    lines = [_HEADER]
    for cookie in cookies:
        if cookie.host:
            lines.append(_line(cookie))
    return "".join(lines)


def _line(cookie: Cookie) -> str:
    if any(mark in text for mark in "\t\r\n" for text in (cookie.name, cookie.path)):
        raise UsageError(
            f"cookie {cookie.name!r} of {cookie.host} has a tab in its name or path: no cookies.txt can hold it"
        )
    fields = (
        cookie.host if cookie.host_only else f".{cookie.host}",
        "FALSE" if cookie.host_only else "TRUE",
        cookie.path,
        "TRUE" if cookie.secure else "FALSE",
        str(int(cookie.expires or 0)),
        cookie.name,
        cookie.value,
    )
    line = "\t".join(fields)
    try:
        line.encode("latin-1")
    except UnicodeEncodeError:  # a user's own; goes as it goes on the wire
        line = line.encode().decode("latin-1")
    return f"{_HTTPONLY if cookie.httponly else ''}{line}\n"

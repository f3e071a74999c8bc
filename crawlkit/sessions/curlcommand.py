"""CurlCommand: a cURL command as browsers copy it, read for its login: URL, cookies, and the headers worth keeping.

What belongs here: what is taken of a command. What does not: quoting (shellwords.py), which options have a value
(curloptions.py), what is done with the cookies. Nothing is run and nothing is fetched; a file that the command names is
not read. Errors name options and never a value, for what looks like a URL may be the value of something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from crawlkit import url as urls
from crawlkit.exceptions import InvalidHeader, UsageError
from crawlkit.sessions import shellwords
from crawlkit.sessions.auth import _basic_auth_str
from crawlkit.sessions.cookie import Cookie
from crawlkit.sessions.cookieinput import check
from crawlkit.sessions.curloptions import options
from crawlkit.sessions.headers import CaseInsensitiveDict, checked_headers

_BEGINS = re.compile(r"\s*(?:\$\s+)?curl(?:\.exe)?\s", re.I)

#: Another scheme, what is none but stands where one would, http without a host: curl refuses most of it, too.
_OTHER_SCHEME = re.compile(r"(?!https?://[^/\\?#])[^/?#]*://", re.I)
#: What no host has in it (the URL standard's forbidden code points, and what only a bad paste puts there).
_NO_HOST = re.compile(r"[\s!\"#$&'()*+,/;<=>?@\\^`{|}~]")

#: What a browser says anew with each request, or what belongs to one page or one body.
_PASSING = re.compile(
    r"accept|accept-encoding|accept-charset|alt-used|cache-control|connection|cookie2?|dnt|expect|host|keep-alive|origin|"
    r"pragma|priority|purpose|range|referer|te|trailer|transfer-encoding|upgrade|upgrade-insecure-requests|via|"
    r"x-requested-with|(?:content|if|proxy|sec)-.*",
    re.I,
)


class CurlCommand(NamedTuple):
    """What a cURL command says: `cookies` are pairs of name and value, `headers` those to keep, `left_out` names of
    options and headers that were seen and not taken."""

    url: str
    cookies: list[tuple[str, str]]
    headers: CaseInsensitiveDict[str | bytes]
    left_out: list[str]

    def __repr__(self) -> str:
        return f"<CurlCommand for {urls.root(self.url)}>"  # never the values

    @property
    def host(self) -> str:
        """The host of the URL."""
        return urls.origin(self.url).host

    def jar_cookies(self) -> list[Cookie]:
        """The cookies for the URL's host alone, to the end of the session: a Cookie header says no more of them. Secure
        when the URL is https."""
        secure = urls.origin(self.url).scheme == "https"
        return [Cookie(name, value, self.host, secure=secure) for name, value in self.cookies]


def is_curl(text: str) -> bool:
    """Whether `text` begins as a cURL command does."""
    return _BEGINS.match(text) is not None


def parse_curl(text: str, *, name: str = "the cURL command") -> CurlCommand:
    """Read a cURL command that was copied for bash or for cmd.exe. UsageError, beginning with `name`, says what is wrong
    with it and never shows it."""
    try:
        return _command(_words(text.removeprefix("\ufeff").strip()))
    except (ValueError, InvalidHeader) as error:
        raise UsageError(f"{name}: {error}") from None


def _words(text: str) -> list[str]:
    text = re.sub(r"^\$\s+", "", text)
    words, rest = shellwords.split_cmd(text) if shellwords.is_cmd(text) else shellwords.split_bash(text)
    if re.search(r"(?:^|[\s;&|])curl(?:\.exe)?\s", rest, re.I):
        raise ValueError("there are several commands; give one, copied from the request that shows you logged in")
    return words[1:]


def _command(words: list[str]) -> CurlCommand:
    found: list[str] = []
    cookies: dict[str, str] = {}
    headers: CaseInsensitiveDict[str | bytes] = CaseInsensitiveDict()
    left_out: list[str] = []
    for option, value in options(words):
        if option == "url":
            found.append(value)
        elif option == "cookie" and "=" not in value:
            left_out.append("-b FILE (import the file by itself)")
        elif option == "cookie":
            cookies.update(_pairs(value))
        elif option == "header":
            _take_header(value, cookies, headers, left_out)
        elif option == "user-agent":
            headers["User-Agent"] = _text(value)
        elif option == "oauth2-bearer":
            headers["Authorization"] = f"Bearer {value}"
        elif option == "user":
            user, _, password = value.partition(":")
            headers["Authorization"] = _basic_auth_str(user, password)
    url, userinfo = _url(found)
    if userinfo is not None:
        headers.setdefault("Authorization", _basic_auth_str(*userinfo))
    command = CurlCommand(url, list(cookies.items()), checked_headers(headers), left_out)
    for cookie in command.jar_cookies():
        check(cookie)
    return command


def _take_header(
    line: str, cookies: dict[str, str], headers: CaseInsensitiveDict[str | bytes], left_out: list[str]
) -> None:
    name, colon, value = line.partition(":")
    name, value = name.strip(), value.strip()
    if line.startswith("@"):
        left_out.append("-H @FILE")
    elif not colon and not name.endswith(";"):
        raise ValueError('-H: a header has no colon; write it as "Name: value" (curl would not send it)')
    elif not colon or not value:
        return  # curl's way to leave a header out, or to send it empty
    elif name.lower() == "cookie":
        cookies.update(_pairs(value))
    elif _PASSING.fullmatch(name):
        left_out.append(name)
    else:
        headers[name] = _text(value)


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """Names and values of a Cookie header, which is not quoted in any way (RFC 6265 section 5.4)."""
    for pair in text.split(";"):
        name, equals, value = pair.strip().partition("=")
        if equals and name:
            yield name, value.encode().decode("latin-1")  # each character a byte, as a terminal would have sent it


def _url(found: list[str]) -> tuple[str, tuple[str, str] | None]:
    if not found:
        raise ValueError("there is no URL in it")
    if any(_OTHER_SCHEME.match(url) for url in found):
        raise ValueError("what stands for its URL is no http or https URL")
    # A scheme is curl's to guess: http.
    whole = [url if re.match(r"https?://", url, re.I) else f"http://{url}" for url in found]
    split = [urls.split_userinfo(url) for url in whole]
    canonical = [urls.canonical(url) for url, _ in split]
    if not all(url is not None and urls.has_scheme(url) and _has_host(url) for url in canonical):
        raise ValueError("what stands for its URL is no http or https URL")
    if len({urls.origin(str(url)) for url in canonical}) > 1:
        raise ValueError("it has several URLs, of several hosts; give one")
    return str(canonical[0]), split[0][1]


def _has_host(url: str) -> bool:
    try:
        host = urls.origin(url).host
    except ValueError:
        return False
    return bool(host) and not _NO_HOST.search(host)


def _text(value: str) -> str | bytes:
    """As it goes on the wire: beyond latin-1, the bytes that a terminal would have sent."""
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode()
    return value

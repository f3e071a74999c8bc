"""Redirects: the rules (RFC 9110 section 15.4, and what browsers do where it leaves room).

What belongs here: where a Location leads, how method and body change, when a body is read to its end. What does not:
the loop that follows (following.py), what is secret and what an origin is (leaks.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit

from crawlkit import exceptions as errors
from crawlkit.sessions import leaks
from crawlkit.sessions.target import prepare_url, requote_uri

if TYPE_CHECKING:
    from crawlkit.sessions.prepared import PreparedRequest
    from crawlkit.sessions.response import Response
else:
    # Hints that are read at run time say Any for what is loaded when it is used, or imports this module.
    PreparedRequest = Response = Any

REDIRECT_STATUSES = frozenset((301, 302, 303, 307, 308))
PERMANENT_STATUSES = frozenset((301, 308))

MAX_REDIRECTS = 30

# A redirect's body is read so that its connection can be used again. Nobody needs a megabyte of "Moved".
MAX_REDIRECT_BODY = 1024 * 1024

CheckHop = Callable[[Response, PreparedRequest], None]


class Hop:
    """The `allow_redirects` of a request that the loop sends: false, and known to be the loop's."""

    def __bool__(self) -> bool:
        return False


HOP: Final = Hop()


def method_after(status: int, method: str) -> str:
    """The method of the next request: 302 and 303 make it GET (but for HEAD), 301 does so of POST, 307 and 308
    nothing.
    """
    if (status in (302, 303) and method != "HEAD") or (status == 301 and method == "POST"):
        return "GET"
    return method


def keeps_body(status: int) -> bool:
    """Whether the body goes along: 307 and 308 repeat the request as it was (RFC 9110 sections 15.4.8 and 15.4.9)."""
    return status in (307, 308)


def read_location(value: str) -> str:
    """The text of a Location. Heads are read as latin-1, but servers that do not escape mean UTF-8."""
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def resolve_location(base: str, location: str, fragment: str = "") -> str:
    """The absolute URL that `location` means in an answer of `base`; `fragment` is inherited when it has none.

    Raises InvalidURL when it is no URL, InvalidSchema when it leads out of http(s): a server must not be able to make
    a program read its own files or call its mail client (curl CVE-2009-0037).
    """
    try:
        parts = urlsplit(location)
        if parts.netloc:
            # `//host/path` takes the scheme from the page (RFC 3986 section 5.2.2).
            url = location if parts.scheme else f"{urlsplit(base).scheme}:{location}"
        else:
            url = urljoin(base, requote_uri(location))
        if fragment and not urlsplit(url).fragment:
            url = f"{url.partition('#')[0]}#{fragment}"
        url = prepare_url(url)
        scheme = urlsplit(url).scheme.lower()
    except ValueError as error:
        raise errors.InvalidURL(f"redirected from {leaks.shown(base)} to what is no URL: {error}") from error
    if scheme not in ("http", "https", urlsplit(base).scheme.lower()):
        raise errors.InvalidSchema(f"redirected from {leaks.shown(base)} to a {scheme!r} URL; only http(s) is followed")
    return url


def finish(response: Response, limit: int = MAX_REDIRECT_BODY) -> None:
    """Reads the body of a redirect or a challenge, so that its connection can be used again.

    A body that is broken or longer than `limit` bytes costs the connection and no more: the redirect is followed, the
    challenge answered, and who asks for its `content` gets the error.
    """
    failed_before = getattr(response, "_failure", None)  # an answer that is not ours has none
    if response._content is not False or response._content_consumed or failed_before or response.raw is None:
        return
    parts: list[bytes] = []
    size = 0
    try:
        for part in response.iter_content(16384):
            size += len(part)
            if size > limit:
                raise errors.BodyTooLarge(
                    f"the body of a step on the way, by {leaks.shown(response.url)} is longer than {limit} bytes"
                )
            parts.append(part)
    except errors.Timeout:
        raise
    except OSError as error:  # ours are all of this kind, and requests'
        from crawlkit.sessions.foreignanswers import give_up

        give_up(response, error)
        return
    response._content = b"".join(parts)

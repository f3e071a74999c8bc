"""The URL of a request as it goes on the wire: preparing, requoting, its target, its userinfo.

What belongs here: text in, text out, by RFC 3986 (urllib3's parser: the same one that decides where to
connect, so that no check can look at another host than the socket does). What does not: origins, joining,
canonical forms (crawlkit.url).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import ada_url
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url
from urllib3.util.url import Url

from crawlkit.exceptions import InvalidURL, MissingSchema
from crawlkit.sessions.leaks import shown

UNRESERVED_SET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_SAFE_UNESCAPED = "!#$&'()*+,/:;=?@[]~"
_SAFE = "%" + _SAFE_UNESCAPED

# URLs that preparing would give back as they are: lower-case scheme and host, a short port, a path without
# dot segments, only characters that stay, escapes in upper case of bytes that must stay escaped. Most links
# of a crawl match, and one regular expression costs a tenth of parsing.
_ESCAPE = r"%(?:[01][0-9A-F]|2[0-9A-CF]|3[A-F]|40|5[B-E]|60|7[B-DF]|[89A-F][0-9A-F])"
_CLEAN = re.compile(
    r"https?://[a-z0-9](?:[a-z0-9_-]|\.(?!\.))*(?::[1-9][0-9]{0,3})?"
    rf"(?:/(?!\.\.?(?:[/?#]|\Z))(?:[\w.~!$&'()*+,;=:@-]|{_ESCAPE})*)+"
    rf"(?:\?(?:[\w.~!$&'()*+,;=:@/?-]|{_ESCAPE})+)?\Z",
    re.ASCII,
)
_AUTHORITY = re.compile(r"((?:[A-Za-z][A-Za-z0-9+.-]*:)?(?://)?(?:[^\\/?#]*@)?)([^\\/?#]*)", re.DOTALL)


@lru_cache(maxsize=4096)
def prepare_url(url: str) -> str:
    """`url` made fit for the wire; what has another scheme than http(s) is left alone.

    Leading white space goes, the host becomes ASCII (IDNA, UTS 46), dot segments are resolved, an empty path
    becomes `/`, escapes are made uniform without escaping twice. MissingSchema, InvalidURL (both ValueError)
    name the URL, its userinfo left out.
    """
    return _prepare(url, "")


def prepare_url_with(url: str, query: str) -> str:
    """Like `prepare_url`, with `query` (already encoded) after the query that is there and before the
    fragment.
    """
    return _prepare(url, query) if query else prepare_url(url)


def _prepare(url: str, extra_query: str) -> str:
    if not extra_query and _CLEAN.match(url):
        return url
    url = url.lstrip()
    if ":" in url and not url.lower().startswith("http"):
        return url
    parts = _parse(url)
    if not parts.scheme:
        raise MissingSchema(f"{shown(url)!r} has no scheme; perhaps https://{shown(url).lstrip('/')} is meant?")
    if not parts.host:
        raise InvalidURL(f"{shown(url)!r} has no host")
    if parts.host.startswith(("*", ".")):
        raise InvalidURL(f"{shown(url)!r}: a host must not begin with {parts.host[0]!r}")
    authority = parts.host if not parts.auth else f"{parts.auth}@{parts.host}"
    if parts.port:
        authority = f"{authority}:{parts.port}"
    query = "&".join(part for part in (parts.query, extra_query) if part)
    return requote_uri(urlunsplit((parts.scheme, authority, parts.path or "/", query, parts.fragment or "")))


def _parse(url: str) -> Url:
    if not url.isascii():
        url = _AUTHORITY.sub(lambda found: found[1] + _ascii_host(found[2], url), url, count=1)
    try:
        return parse_url(url)
    except LocationParseError:
        # Raised from None: urllib3's message quotes the whole authority, password included.
        raise InvalidURL(f"{shown(url)!r} cannot be parsed as a URL: its host or port is not valid") from None


def _ascii_host(host_port: str, url: str) -> str:
    if host_port.isascii():
        return host_port
    host, colon, port = host_port.partition(":")
    try:
        encoded = ada_url.idna_to_ascii(host).decode("ascii")
        # RFC 1035 section 2.3.4: a label has 1 to 63 octets.
        valid = all(0 < len(label) < 64 for label in encoded.removesuffix(".").split(".")) and all(
            _is_idna(char) for char in ada_url.idna_to_unicode(encoded.encode())
        )
    except ValueError:
        valid = False
    if not valid:
        raise InvalidURL(f"{shown(url)!r}: {host!r} is not a valid international host name (IDNA 2008)")
    return f"{encoded}{colon}{port}"


def _is_idna(char: str) -> bool:
    """Whether IDNA 2008 may allow a character: letters, digits and marks (RFC 5892 section 2.1), joiners,
    middle dot.
    """
    return (
        char in "-._\u200c\u200d\u00b7\u0375\u05f3\u05f4\u30fb"
        or char in UNRESERVED_SET
        or unicodedata.category(char) in ("Ll", "Lo", "Lm", "Mn", "Mc", "Nd")
    )


# --- escapes ------------------------------------------------------------------------------------------------


def unquote_unreserved(uri: str) -> str:
    """`uri` with the escapes of unreserved characters undone (RFC 3986 section 2.3); InvalidURL for `%zz`."""
    head, *rest = uri.split("%")
    out = [head]
    for part in rest:
        digits = part[:2]
        if len(digits) < 2 or not digits.isalnum():
            out.append(f"%{part}")
            continue
        try:
            char = chr(int(digits, 16))
        except ValueError:
            raise InvalidURL(f"%{digits} is not a percent escape") from None
        out.append(char + part[2:] if char in UNRESERVED_SET else f"%{part}")
    return "".join(out)


def requote_uri(uri: str) -> str:
    """`uri` escaped uniformly: unreserved characters plain, illegal ones escaped, what is escaped not escaped
    twice.
    """
    try:
        return quote(unquote_unreserved(uri), safe=_SAFE)
    except InvalidURL:
        # Some `%` is no escape, so none is taken for one.
        return quote(uri, safe=_SAFE_UNESCAPED)


# --- parts of a prepared URL --------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def path_url(url: str) -> str:
    """The request target in origin form (RFC 9112 section 3.2.1): path and query."""
    parts = urlsplit(url)
    path = parts.path or "/"
    return f"{path}?{parts.query}" if parts.query else path


def get_auth_from_url(url: str) -> tuple[str, str]:
    """User name and password of a URL, unescaped; a pair of empty strings unless it has both."""
    parts = urlsplit(url)
    if parts.username is None or parts.password is None:
        return "", ""
    return unquote(parts.username), unquote(parts.password)


def urldefragauth(url: str) -> str:
    """`url` without fragment and userinfo."""
    parts = urlsplit(url)
    authority, path = (parts.netloc, parts.path) if parts.netloc else (parts.path, "")
    return urlunsplit((parts.scheme, authority.rpartition("@")[2], path, parts.query, ""))


def prepend_scheme_if_needed(url: str, new_scheme: str) -> str:
    """`url` with `new_scheme` in front when it has none: proxies are often written as `host:port`."""
    parts = parse_url(url)
    authority, path = (parts.netloc, parts.path) if parts.netloc else (parts.path, None)
    if parts.auth:
        authority = f"{parts.auth}@{authority}"
    return urlunsplit(
        (parts.scheme or new_scheme, authority or "", path or "", parts.query or "", parts.fragment or "")
    )

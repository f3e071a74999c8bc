"""SURT: the key under which an archive's index keeps a URL, so that a replayer finds it again.

What belongs here: the key, as pywb and the other readers of CDXJ files compute it (Sort-friendly URI Reordering
Transform over the Wayback Machine's canonical form). What does not: the index's lines (cdxj.py), crawlkit's own
canonical URL (url.py), which is stricter. A reader computes the key of what it looks for and finds nothing when ours
differs by a character, so that the oddities below are the format and not to be mended.
"""

from __future__ import annotations

import re
import socket

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_ESCAPE = re.compile(rb"%([0-9a-fA-F]{2})")
_UNSAFE = re.compile(rb"[\x00-\x20\x7f-\xff%#]")
_WWW = re.compile(r"www\d*\.")
_DECIMAL_ADDRESS = re.compile(r"\d+(?:\.\d+){0,3}\Z")
_DEFAULT_PORTS = {"http": "80", "https": "443"}

# What servers of old put into URLs to know a visitor by. The same page has another one on every visit, so that
# replayers look for it without.
_ID = rb"[0-9a-z]{32}"
_IDS_IN_QUERY = tuple(
    re.compile(rb"(.*)(?:" + known + rb")(?:&(.*))?\Z", re.IGNORECASE | re.DOTALL)
    for known in (
        rb"jsessionid=" + _ID,
        rb"phpsessid=" + _ID,
        rb"sid=" + _ID,
        rb"aspsessionid[a-z]{8}=[a-z]{24}",
        rb"cfid=[^&]+&cftoken=[^&]+",
    )
)
_IDS_IN_PATH = tuple(
    re.compile(rb"(.*/)(?:" + known + rb"/)([^?]+\.aspx.*)\Z", re.IGNORECASE | re.DOTALL)
    for known in (rb"\((?:[a-z]\([0-9a-z]{24}\))+\)", rb"\([0-9a-z]{24}\)")
)


def surt(url: str) -> str:
    """The key of `url`: `https://www.example.org/B?y=2&x=1` is `org,example)/b?x=1&y=2`. ASCII.

    What has no authority (`urn:`, `dns:`) is its own key.
    """
    url = url.strip()
    scheme = _SCHEME.match(url)
    if scheme is None:
        return url
    rest = url[scheme.end() :].partition("#")[0]
    end = min((at for at in map(rest.find, "/?") if at >= 0), default=len(rest))
    path, mark, query = rest[end:].partition("?")
    key = f"{_authority(scheme[1].lower(), rest[:end])}){_path(path)}"
    asked = _query(query) if mark else ""
    return f"{key}?{asked}" if asked else key


def _authority(scheme: str, authority: str) -> str:
    host, _, port = _host_and_port(authority.rpartition("@")[2])
    host = re.sub(r"\.{2,}", ".", host.lower().strip("."))
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    host = _WWW.sub("", host, count=1) if _WWW.match(host) else host
    if _DECIMAL_ADDRESS.match(host):
        host = _four_numbers(host)
    reversed_host = ",".join(reversed(host.split(".")))
    return f"{reversed_host}:{port}" if port and port != _DEFAULT_PORTS.get(scheme) else reversed_host


def _host_and_port(authority: str) -> tuple[str, str, str]:
    if authority.startswith("["):
        host, _, rest = authority[1:].partition("]")
        return host, ":", rest.removeprefix(":")
    return authority.partition(":")


def _four_numbers(host: str) -> str:
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return host  # a number too many, or too large: a name like any other


def _path(path: str) -> str:
    key = _escaped(_without_dots(_unescaped(path.encode("utf-8", "surrogatepass"))))
    for known in _IDS_IN_PATH:
        if found := known.match(key):
            key = found[1] + found[2]
    key = key.lower()
    return (key[:-1] if key.endswith(b"/") and len(key) > 1 else key).decode("ascii") or "/"


def _without_dots(path: bytes) -> bytes:
    """No empty segment, no `.`, and no `..` but the first, where there is nothing to leave.

    A `..` leaves whatever is before it, an empty segment or another `..`, against what the paths of files do.
    """
    kept: list[bytes] = []
    for segment in path.removeprefix(b"/").split(b"/"):
        if segment == b".":
            continue
        if segment == b".." and kept:
            kept.pop()
        else:
            kept.append(segment)
    return b"/" + b"/".join(segment for segment in kept if segment)


def _query(query: str) -> str:
    key = _escaped(_unescaped(query.encode("utf-8", "surrogatepass")))
    for known in _IDS_IN_QUERY:
        if found := known.match(key):
            key = found[1] + (found[2] or b"")
    # By name, then by value; a name without "=" before the same name with an empty value.
    parts = sorted(key.lower().split(b"&"), key=lambda part: (part.partition(b"=")[0], part.partition(b"=")[1:]))
    return b"&".join(parts).decode("ascii")


def _unescaped(text: bytes) -> bytes:
    """Until nothing is left to unescape: `%2541` is `%41` is `A`."""
    while (plain := _ESCAPE.sub(lambda found: bytes((int(found[1], 16),)), text)) != text:
        text = plain
    return text


def _escaped(text: bytes) -> bytes:
    return _UNSAFE.sub(lambda found: b"%%%02x" % found[0][0], text)

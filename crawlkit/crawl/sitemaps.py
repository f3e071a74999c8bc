"""Sitemaps (sitemaps.org protocol 0.9): from `sitemap_urls` to requests, by the spider's `sitemap_rules`."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from crawlkit.exceptions import BodyTooLarge
from crawlkit.html.entities import unescaped
from crawlkit.sessions.request import Request

if TYPE_CHECKING:
    from crawlkit.crawl.spider import Spider
    from crawlkit.sessions.response import Response

#: The protocol's own limit of one file, uncompressed.
MAX_BYTES = 50 * 1024 * 1024
CALLBACK = "_parse_sitemap"
#: The meta key under which a request has the `<lastmod>` of its URL, with `[crawl] lastmod = true`.
LASTMOD = "sitemap_lastmod"
#: A date without a time may be of any time zone, and means any time of that day.
_DAY_SECONDS = (24 + 14) * 3600.0
_LASTMOD = re.compile(rb"<(?:[A-Za-z0-9_]+:)?lastmod\s*>\s*([0-9TZ:.+-]{10,40})\s*</", re.IGNORECASE)
_URL_END = re.compile(rb"</(?:[A-Za-z0-9_]+:)?url\s*>", re.IGNORECASE)
_LOC = re.compile(
    rb"<(?:[A-Za-z0-9_]+:)?loc\s*>\s*(?:<!\[CDATA\[)?\s*([^<\]]{1,4096}?)\s*(?:\]\]>)?\s*</", re.IGNORECASE
)
_ROOT = re.compile(rb"<(?:[A-Za-z0-9_]+:)?(sitemapindex|urlset)\b", re.IGNORECASE)


def start_sitemaps(spider: Spider) -> Iterator[Request]:
    """The start requests of `sitemap_urls`."""
    for url in spider.sitemap_urls:
        yield Request(url, callback=CALLBACK)


def follow_sitemap(spider: Spider, response: Response) -> Iterator[Request]:
    """Requests of a sitemap, a sitemap index or a robots.txt that names sitemaps.

    A URL goes to the callback of the first rule whose pattern is found in it; one that no rule takes is left out. A
    sitemap that is named is followed when a pattern of `sitemap_follow` is found in its URL.
    """
    if response.url.partition("?")[0].endswith("/robots.txt"):
        for line in response.text.splitlines():
            name, _, value = line.partition(":")
            link = value.partition("#")[0].strip()  # RFC 9309, 2.2: a comment ends the line
            if name.strip().lower() == "sitemap" and link:
                yield Request(response.urljoin(link), callback=CALLBACK)
        return
    body = _expanded(response)
    root = _ROOT.search(body[:65536])
    index = root is not None and root.group(1).lower() == b"sitemapindex"
    follow = [re.compile(pattern) for pattern in spider.sitemap_follow]
    rules = [(re.compile(pattern), _callback(spider, callback)) for pattern, callback in spider.sitemap_rules]
    settings = getattr(spider, "settings", None)  # a test may call it before there are any
    dated = settings is not None and settings.crawl.lastmod
    for match in _LOC.finditer(body):
        url = response.urljoin(unescaped(match.group(1).decode("utf-8", "replace")).strip())
        if index:
            if any(pattern.search(url) for pattern in follow):
                yield Request(url, callback=CALLBACK)
            continue
        for pattern, callback in rules:
            if pattern.search(url):
                yield Request(url, callback=callback, meta=_dated(body, match.end()) if dated else None)
                break


def modified_before(lastmod: object, moment: float) -> bool:
    """Whether a `<lastmod>` (W3C date and time) says that nothing changed since `moment`, in seconds since 1970."""
    if not isinstance(lastmod, str):
        return False
    try:
        when = datetime.fromisoformat(lastmod)
    except ValueError:
        return False
    if when.tzinfo is None:
        return when.replace(tzinfo=UTC).timestamp() + _DAY_SECONDS < moment
    return when.timestamp() < moment


def _dated(body: bytes, at: int) -> dict[str, str] | None:
    """The meta of the URL whose `<loc>` ends at `at`."""
    end = _URL_END.search(body, at, at + 8192)
    found = _LASTMOD.search(body, at, end.start()) if end is not None else None
    return {LASTMOD: found.group(1).decode("ascii")} if found is not None else None


def _callback(spider: Spider, callback: Any) -> Any:
    return getattr(spider, callback) if isinstance(callback, str) else callback


def _expanded(response: Response) -> bytes:
    """The sitemap's bytes; a .gz file is expanded within the protocol's limit."""
    body: bytes = response.content
    if not body.startswith(b"\x1f\x8b"):
        return body
    expander = zlib.decompressobj(wbits=31)
    try:
        text = expander.decompress(body, MAX_BYTES)
    except zlib.error as error:
        raise gzip.BadGzipFile(f"{response.url}: {error}") from error
    if expander.unconsumed_tail:
        raise BodyTooLarge(f"{response.url}: a sitemap of more than {MAX_BYTES} bytes", response=response)
    return text

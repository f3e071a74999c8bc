"""Feeds: where an Atom or RSS document leads, and what it encloses.

What belongs here: the addresses of Atom (RFC 4287), RSS 2.0 and RSS 1.0, and of Media RSS. What does not: sitemaps
(crawl/sitemaps.py), finding feeds, fetching. A feed is read by expressions in linear time: an XML parser would refuse the
many that are not well-formed, and expands entities.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from crawlkit.html.entities import unescaped
from crawlkit.html.references import Reference, address

_ROOT = re.compile(r"<(?:[A-Za-z0-9_]+:)?(?:feed|rss|RDF)\b")
_HEAD_CHARACTERS = 4096
#: Groups: 1 the name, 2 the attributes, 3 the text. XML has no "<" in an attribute: nothing is looked for beyond the next.
_ELEMENT = re.compile(
    r"<(link|guid|url|enclosure|(?:media:)?(?:content|thumbnail)|image|itunes:image|icon|logo)\b"
    r"((?:[^<>\"']|\"[^\"<]*+\"|'[^'<]*+')*+)>\s*+(?:<!\[CDATA\[)?+\s*+([^<\]]*+)"
)
_ATTRIBUTE = re.compile(r"([\w:]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_MEDIA = frozenset(("enclosure", "media:content"))
_IMAGES = frozenset(("media:thumbnail", "itunes:image", "icon", "logo", "url"))


def is_feed(text: str) -> bool:
    """Whether the document is an Atom or RSS feed, by its root element."""
    return _ROOT.search(text[:_HEAD_CHARACTERS]) is not None


def links_of_feed(text: str) -> Iterator[str]:
    """Where the entries and the feed itself lead, as it is written there."""
    for name, given, content in _elements(text):
        written: str | None = None
        if name == "link":
            written = given.get("href") or content if given.get("rel") not in ("enclosure", "hub") else None
        elif name == "guid" and given.get("isPermaLink", "true") == "true" and content.startswith(("http:", "https:")):
            written = content
        elif name == "content":
            written = given.get("src")
        found = address(written)
        if found is not None:
            yield found


def requisites_of_feed(text: str) -> Iterator[Reference]:
    """The pictures of a feed, and the media that its entries enclose."""
    for name, given, content in _elements(text):
        enclosed = name in _MEDIA or (name == "link" and given.get("rel") == "enclosure")
        if not enclosed and name not in _IMAGES:
            continue
        found = address(given.get("url") or given.get("href") or (content if name in ("icon", "logo", "url") else None))
        if found is not None:
            yield Reference(found, "media" if enclosed else "image")


def _elements(text: str) -> Iterator[tuple[str, dict[str, str], str]]:
    for match in _ELEMENT.finditer(text):
        given = {name: unescaped(one or other) for name, one, other in _ATTRIBUTE.findall(match[2])}
        yield match[1], given, unescaped(match[3]).strip()

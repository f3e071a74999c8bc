"""Patterns of URLs as an author writes them: `/admin/*`, `https://shop.example.org/keys/delete`, `*/print?*`.

What belongs here: what such a pattern fits. A `*` stands for any characters, everything else for itself, a `?` too, for
URLs are full of them. A pattern is compared with a canonical URL; one that begins with "/" with what comes after the
host. Without a "?" in it, it also fits that URL with any query. The time is linear in the URL's length whatever the
pattern is: pieces are looked for one after the other, nothing is tried twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from crawlkit import url as urls

#: No URL that servers take is longer; a pattern needs no more.
MOST_CHARACTERS = 2000

#: What a setting that holds some must be.
WORDS = 'a list of patterns of URLs such as ["/keys/delete", "https://example.org/admin/*", "*/print?*"]'


def check(pattern: str) -> str:
    """The pattern, when it is one. ValueError otherwise."""
    if not pattern.startswith(("/", "*", "http://", "https://")) or len(pattern) > MOST_CHARACTERS or " " in pattern:
        raise ValueError("not a pattern of URLs")
    return pattern


def longest(patterns: Iterable[str], url: str) -> int:
    """The length of the longest of these patterns that fits the canonical URL; 0 when none does."""
    return max((len(pattern) for pattern in patterns if fits(pattern, url)), default=0)


def fits(pattern: str, url: str) -> bool:
    """Whether the pattern fits the canonical URL."""
    if pattern.startswith("/"):
        url = url[len(urls.root(url)) :] or "/"
    pieces = pattern.split("*")
    if _in_order(pieces, url):
        return True
    return "?" not in pattern and "?" in url and _in_order(pieces, url.partition("?")[0])


def _in_order(pieces: Sequence[str], text: str) -> bool:
    if len(pieces) == 1:
        return pieces[0] == text
    first, *middle, last = pieces
    end = len(text) - len(last)
    if len(first) > end or not text.startswith(first) or not text.endswith(last):
        return False
    at = len(first)
    for piece in middle:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True

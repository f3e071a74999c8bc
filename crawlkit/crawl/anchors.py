"""Anchors: the links of one page as the guard looks at them, found by the URL that they lead to.

What belongs here: which links of a page are worth a look, and which URL each of them means. What a link says is read in
guard_label.py. The page is walked once, when something new is first asked of it: a page whose links are all known costs
nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from html import unescape
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from crawlkit import url as urls
from crawlkit.crawl import guard_words as words
from crawlkit.crawl.guard_command import telling_words
from crawlkit.crawl.guard_label import CONFIRMS, LABELS, METHODS, SENDS, Anchor, Labels, read
from crawlkit.crawl.guard_markup import class_command, icon_command, script_command, telling
from crawlkit.crawl.guard_spelling import fold
from crawlkit.exceptions import CrawlkitError

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

    from crawlkit.sessions.response import Response

#: Links of one page that are looked at; the rest is judged by URL alone.
_MOST_ANCHORS = 20_000
_LONGEST_TEXT = 100


class Anchors:
    """The suspicious links of one page, for the thread that has the page."""

    def __init__(self, page: Response | None) -> None:
        self._page = page
        self._by_url: dict[str, list[Anchor]] | None = None

    def of(self, url: str, node: Any = None) -> Sequence[Anchor]:
        """The suspicious links of the page to this canonical URL; `node` is the element that a request was made of."""
        if self._by_url is None:
            self._by_url = self._found()
        found = self._by_url.get(url, [])
        if node is not None and not found and getattr(node, "tag", None) in ("a", "area"):
            anchor = read(node)  # of a document of the author's own: a piece of HTML out of JSON
            if anchor.suspicious:
                return [anchor]
        return found

    def text_of(self, url: str) -> str:
        """The text of a suspicious link to this URL, as far as the page has been looked at; "" when there is none."""
        found = (self._by_url or {}).get(url)
        return found[0].text[:_LONGEST_TEXT] if found else ""

    def _found(self) -> dict[str, list[Anchor]]:
        page = self._page
        by_url: dict[str, list[Anchor]] = {}
        if page is None or not page.is_html:
            return by_url
        try:
            tree = page.tree
        except CrawlkitError:  # too deep or too large to be parsed: then no link of it was taken from a tree either
            return by_url
        nodes = tree.css("a[href], area[href]")[:_MOST_ANCHORS]
        labels = Labels(tree)
        for node in _worth_reading(nodes):
            anchor = read(node, labels)
            if not anchor.suspicious:
                continue
            if _names_a_place(anchor.href) and not (anchor.method or anchor.confirms):
                continue
            url = _target(page, anchor.href)
            if url is None:
                continue
            by_url.setdefault(url, []).append(anchor)
        if any(anchor.method for anchors in by_url.values() for anchor in anchors):
            # Rails shows and destroys a thing at the same URL: where the page also has an ordinary link, that one counts.
            plain = {
                _target(page, node.attributes.get("href") or "") for node in nodes if not read(node, labels).suspicious
            }
            for url in plain.intersection(by_url):
                by_url[str(url)] = [anchor for anchor in by_url[str(url)] if not anchor.method]
        return by_url


def _names_a_place(href: str) -> bool:
    """Whether a link leads into a page: what it says names the place there, as "Delete (class in ast)" does."""
    fragment = href.strip().partition("#")[2]
    return bool(fragment) and fragment[0] not in "!/"  # those are a script's addresses


def _target(page: Response, href: str) -> str | None:
    try:
        return urls.canonical(page.urljoin(href.strip()))
    except ValueError:
        return None


def _worth_reading(nodes: Sequence[LexborNode]) -> list[LexborNode]:
    """Those of a page's links about which anything might tell. A page has hundreds: all are looked at in one go."""
    texts = [node.text() for node in nodes]
    found = {number for number, text in enumerate(texts) if not text or text.isspace()}
    spoken = fold("\0".join(texts))
    known = telling_words(spoken).union(sign for sign in words.SIGNS if sign in spoken)
    if known:
        ends = _ends(spoken.split("\0"))
        for word in known:
            at = spoken.find(word)
            while at >= 0:
                number = bisect_right(ends, at)
                found.add(number)
                at = spoken.find(word, ends[number])
    markups = [node.html or "" for node in nodes]
    ends = []
    for match in telling("\0".join(markups)):
        if _tells(match[1], match[2]):
            ends = ends or _ends(markups)
            found.add(bisect_right(ends, match.start()))
    return [nodes[number] for number in sorted(found)]


def _ends(parts: Sequence[str]) -> list[int]:
    """Where each part ends when they are joined with one character between."""
    return list(accumulate(len(part) + 1 for part in parts))


@lru_cache(maxsize=4096)
def _tells(name: str, value: str) -> bool:
    """Whether an attribute may say anything. Most are the same on every page."""
    if name in ("class", "id"):
        return "material-" in value or any(
            class_command(each) is not None or icon_command(each) is not None for each in value.split()
        )
    if name in LABELS:
        return bool(telling_words(fold(unescape(value))))
    if name == "aria-labelledby" or name in METHODS or name in SENDS or name in CONFIRMS:
        return True
    return (name == "onclick" and "confirm(" in value) or script_command(name, unescape(value)) is not None

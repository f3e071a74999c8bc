"""Anchors: the links of one page as the guard looks at them, found by the URL that they lead to.

What belongs here: which links of a page are worth a look, and which URL each of them means. What a link says is read in
guard_label.py. The page is walked once, when something new is first asked of it: a page whose links are all known costs
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from crawlkit import url as urls
from crawlkit.crawl.guard_label import Anchor, read, worth_reading
from crawlkit.exceptions import CrawlkitError

if TYPE_CHECKING:
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
        for node in worth_reading(nodes):
            anchor = read(node)
            if not anchor.suspicious:
                continue
            url = _target(page, anchor.href)
            if url is None:
                continue
            by_url.setdefault(url, []).append(anchor)
        if any(anchor.method for anchors in by_url.values() for anchor in anchors):
            # Rails shows and destroys a thing at the same URL: where the page also has an ordinary link, that one counts.
            plain = {_target(page, node.attributes.get("href") or "") for node in nodes if not read(node).suspicious}
            for url in plain.intersection(by_url):
                by_url[str(url)] = [anchor for anchor in by_url[str(url)] if not anchor.method]
        return by_url


def _target(page: Response, href: str) -> str | None:
    try:
        return urls.canonical(page.urljoin(href.strip()))
    except ValueError:
        return None

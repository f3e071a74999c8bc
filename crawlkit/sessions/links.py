"""Links: the part of a page that makes new requests of its links.

What belongs here: what an element's link is, what it is relative to, one Request a page. What does not: finding
elements (page.py), and whether a link may be fetched, which the crawl decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import repeat
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from crawlkit import url as urls
from crawlkit.sessions.lazy import lazy
from crawlkit.sessions.leaks import shown
from crawlkit.sessions.request import Request

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

    from crawlkit.html.selectors import SelectorList

# Which attribute of which element is its link (HTML standard, "Links" and "Embedded content").
_LINK_ATTRIBUTES = {
    "a": "href",
    "area": "href",
    "link": "href",
    "img": "src",
    "script": "src",
    "iframe": "src",
    "frame": "src",
    "embed": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
}


class Links:
    """What follows from a page."""

    if TYPE_CHECKING:
        url: str

        @property
        def body(self) -> bytes: ...
        @property
        def encoding(self) -> str | None: ...
        @lazy
        def is_html(self) -> bool: ...
        @lazy
        def tree(self) -> LexborHTMLParser: ...
        def css(self, query: str) -> SelectorList: ...
        def xpath(self, query: str, namespaces: dict[str, str] | None = None, **variables: Any) -> SelectorList: ...

    _follow_class: ClassVar[type[Request]] = Request

    @lazy
    def base_url(self) -> str:
        """What relative links are relative to: `<base href>`, else the URL that answered."""
        if not self.is_html or b"<base" not in self.body[:65536].lower():
            return self.url
        node = self.tree.css_first("base[href]")
        href = node.attributes.get("href") if node is not None else None
        joined = urls.join(self.url, href.strip()) if href else None
        return joined if joined is not None and urls.has_scheme(joined) else self.url

    def urljoin(self, link: str) -> str:
        """The absolute URL that `link` means on this page. Raises ValueError when no URL can be made of it."""
        joined = self._join(link)
        if joined is None:
            raise ValueError(f"no URL can be made of {link!r} on {shown(self.url)}")
        return joined

    def follow(self, link: Any, callback: Callable[..., Any] | str | None = None, **kwargs: Any) -> Request:
        """A Request for a link of this page: a URL, an element, or a Selector of an element or of `::attr(href)`.

        `kwargs` are Request's. Raises ValueError when the element has no link, or no URL can be made of it.
        """
        target = _link_of(link)
        if target is None:
            raise ValueError(f"{_described(link)} on {shown(self.url)} has no link to follow")
        request = self._follow_class(self.urljoin(target), callback, **kwargs)
        if type(link) is not str:
            request.anchor = _node_of(link)
        return request

    def follow_all(
        self,
        links: str | Iterable[Any] | None = None,
        callback: Callable[..., Any] | str | None = None,
        *,
        css: str | None = None,
        xpath: str | None = None,
        **kwargs: Any,
    ) -> Iterator[Request]:
        """A Request for each http(s) link: of a CSS selector (the first argument, or `css=`), of an XPath, or a list.

        A list may hold URLs, elements and Selectors. Each page comes once: fragments are cut off and doubles left
        out, unless `dont_filter` is given. Links that are no URL, or not http(s), are left out. `kwargs` are
        Request's.
        """
        if isinstance(links, str) and css is None:
            links, css = None, links
        if sum(given is not None for given in (links, css, xpath)) != 1:
            raise ValueError("follow_all() takes exactly one of: links, a CSS selector, an XPath expression")
        if links is None and css is not None and "::" in css:
            hrefs = self.css(css).getall()
            return self._follow_each(zip(hrefs, repeat(None)), callback, kwargs)
        if links is None:
            links = self.css(css).nodes if css is not None else self.xpath(xpath or "")
        return self._follow_each(((_link_of(link), link) for link in links), callback, kwargs)

    def _follow_each(
        self, links: Iterable[tuple[str | None, Any]], callback: Callable[..., Any] | str | None, kwargs: dict[str, Any]
    ) -> Iterator[Request]:
        once = not kwargs.get("dont_filter")
        written: set[str] = set()  # before joining: two thirds of a usual page's links are doubles, and joining costs
        joined: set[str] = set()
        make = self._follow_class
        for href, source in links:
            if href is None:
                continue
            link = href.partition("#")[0].strip()
            if not link or (once and link in written):
                continue
            written.add(link)
            target = self._join(link)
            if target is None or (once and target in joined) or not urls.has_scheme(target):
                continue
            joined.add(target)
            request = make(target, callback, **kwargs)
            if source is not None and type(source) is not str:
                request.anchor = _node_of(source)
            yield request

    def _join(self, link: str) -> str | None:
        if not link.isascii():
            link = self._in_page_encoding(link)
        return urls.join(self.base_url, link)

    def _in_page_encoding(self, link: str) -> str:
        """The link with its query escaped in the page's charset, as browsers send it (WHATWG URL, query state)."""
        encoding = (self.encoding or "utf-8").lower()
        head, mark, query = link.partition("?")
        if not mark or encoding in ("utf-8", "utf8") or encoding.startswith("utf-16"):
            return link
        query, hashed, fragment = query.partition("#")
        try:
            raw = query.encode(encoding, "xmlcharrefreplace")
        except LookupError:
            return link
        return head + mark + quote(raw, safe="!#$%&'()*+,/:;=?@[]~\"<>") + hashed + fragment


def _link_of(link: Any) -> str | None:
    """The link as it is written: of a str itself, of an element the attribute that is its link."""
    if isinstance(link, str):
        return link.strip()
    node = getattr(link, "root", link)  # a Selector holds the element, or the text that it selected
    if isinstance(node, str):
        return node.strip()
    if hasattr(node, "attrs"):
        return _link_of_node(node)
    url = getattr(link, "url", None)  # a Link, or whatever else knows its URL
    if isinstance(url, str):
        return url
    href = getattr(link, "attrib", {}).get("href")
    if href is None:
        raise TypeError(f"cannot follow a {type(link).__name__}: give a URL, an element or a Selector")
    return str(href)


def _node_of(link: Any) -> Any:
    """The element of a Selector or node; None for anything else."""
    node = getattr(link, "root", link)
    return node if hasattr(node, "attrs") else None


def _link_of_node(node: Any) -> str | None:
    attribute = _LINK_ATTRIBUTES.get(node.tag)
    if attribute is None:
        raise ValueError(f"cannot follow a <{node.tag}>: select the links in it, as in 'div.list a'")
    href: str | None = node.attrs.get(attribute)
    return href


def _described(link: Any) -> str:
    node = getattr(link, "root", link)
    tag = getattr(node, "tag", None)
    return f"<{tag}>" if tag else repr(link)

"""Page: the half of a Response that reads HTML and makes new requests of what it finds.

What belongs here: `css()`, `tree`, `one()`, forms, `follow()` and what they need to know (is it HTML, what
is its base URL). What does not: parsing and selecting, which crawlkit.html does, and whether a link may be
fetched, which the crawl decides. The document is parsed once, when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from crawlkit.exceptions import NoMatch
from crawlkit.sessions.headers import CaseInsensitiveDict
from crawlkit.sessions.lazy import lazy
from crawlkit.sessions.leaks import shown
from crawlkit.sessions.links import Links

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

    from crawlkit.html.document import Limits
    from crawlkit.html.selectors import Selector, SelectorList
    from crawlkit.sessions.forms import Form
else:
    # Hints that are read at run time say Any for what is loaded when it is used, or imports this module.
    LexborHTMLParser = Limits = Selector = SelectorList = Form = Any

_HTML_TYPES = ("text/html", "application/xhtml+xml")


class Page(Links):
    """What a Response says about its document. Reading the body is the other half's business."""

    if TYPE_CHECKING:
        url: str
        request: Any

        @property
        def body(self) -> bytes: ...
        @property
        def text(self) -> str: ...
        @property
        def encoding(self) -> str | None: ...
        @lazy
        def headers(self) -> CaseInsensitiveDict[str]: ...

    limits: Limits | None = None
    """The caps that are checked before parsing; None: those of crawlkit.html. The crawl sets its own."""

    # --- what came along with the request --------------------------------------------------------------------

    @property
    def meta(self) -> dict[str, Any]:
        """The `meta` of the spider's request that led here; an empty dict when there is none."""
        meta: dict[str, Any] = self.request.meta
        return meta

    @property
    def cb_kwargs(self) -> dict[str, Any]:
        """The `cb_kwargs` of the spider's request that led here; an empty dict when there is none."""
        kwargs: dict[str, Any] = self.request.cb_kwargs
        return kwargs

    # --- the document ----------------------------------------------------------------------------------------

    @property
    def is_html_type(self) -> bool:
        """Whether the Content-Type says HTML. `is_html` looks at the body, too."""
        kind = self.headers.get("content-type")
        return kind is not None and kind.partition(";")[0].strip().lower() in _HTML_TYPES

    @lazy
    def is_html(self) -> bool:
        """Whether the body is HTML, by its Content-Type and its first bytes: a PDF sent as text/html is none."""
        from crawlkit.html.document import looks_like_html

        return looks_like_html(self.body, self.headers.get("content-type"))

    @lazy
    def tree(self) -> LexborHTMLParser:
        """The parsed document. Raises what crawlkit.html raises when it passes the `limits`."""
        from crawlkit.html import document

        return document.parse(self.text) if self.limits is None else document.parse(self.text, self.limits)

    @lazy
    def selector(self) -> Selector:
        """The whole document as a Selector. Of an answer that is not HTML: one in which nothing is found."""
        from crawlkit.html.selectors import Selector

        return Selector(root=self.tree) if self.is_html else Selector(text="")

    def css(self, query: str) -> SelectorList:
        """What the CSS selector matches, with `::text` and `::attr(name)`. Empty when the answer is not HTML."""
        if not self.is_html:
            from crawlkit.html.selectors import SelectorList

            return SelectorList()
        return self.selector.css(query)

    def xpath(self, query: str, namespaces: dict[str, str] | None = None, **variables: Any) -> SelectorList:
        """What the XPath expression matches; needs the extra `crawlkit[xpath]`. Empty when the answer is not HTML."""
        if not self.is_html:
            from crawlkit.html.selectors import SelectorList

            return SelectorList()
        return self.selector.xpath(query, namespaces, **variables)

    def one(self, query: str) -> Selector:
        """The first match of the CSS selector. Raises NoMatch, which names selector and URL, when there is none."""
        found = self.css(query)
        if not found:
            why = "" if self.is_html else f" (the answer is not HTML but {self.headers.get('content-type')!r})"
            raise NoMatch(f"nothing matches {query!r} on {shown(self.url)}{why}")
        first: Selector = found[0]
        return first

    # --- forms -----------------------------------------------------------------------------------------------

    def form(
        self,
        css: str | None = None,
        *,
        name: str | None = None,
        id: str | None = None,
        number: int | None = None,
    ) -> Form:
        """The form that the selector, name, id or place (from 0) tells; without any, the only one, or the one that
        asks for a password.

        Raises FormError, which names the forms that there are, when there is no such form.
        """
        from crawlkit.sessions.forms import find_form

        form = find_form(
            self.selector,
            self.url,
            css=css,
            name=name,
            id=id,
            number=number,
            base_url=self.base_url,
            encoding=self.encoding,
        )
        form.learn = self._learn
        return form

    @property
    def forms(self) -> list[Form]:
        """All forms of the document, in its order."""
        from crawlkit.sessions.forms import Form

        if not self.is_html:
            return []
        found = [
            Form.from_node(node, self.url, base_url=self.base_url, encoding=self.encoding)
            for node in self.tree.css("form")
        ]
        for form in found:
            form.learn = self._learn
        return found

    @property
    def _learn(self) -> Callable[..., None] | None:
        """What is told the secrets that forms send: the session's redactor's, when it has one."""
        redactor = getattr(getattr(self, "session", None), "_redactor", None)
        learn: Callable[..., None] | None = None if redactor is None else redactor.learn
        return learn

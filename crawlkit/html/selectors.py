"""Selectors: what a query found on a page: elements, texts and attribute values, alone and in lists.

What belongs here: Selector and SelectorList, with the names and the meaning of Scrapy's. What does not: reading queries
(query.py), XPath (xpath.py), parsing (document.py). A list keeps what the parser gave and makes a Selector of it only
when it is asked for one: `css("a::attr(href)").getall()` costs what the parser itself costs.

A page is used by one thread at a time: while an element is searched it can bear a mark (query.py), and lexbor's engine
keeps its state per document. Different pages may be used by different threads. A Selector keeps its document alive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from re import Pattern
from typing import Any, overload

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawlkit.html.document import Limits, parse
from crawlkit.html.finding import Found, find
from crawlkit.html.patterns import matches
from crawlkit.html.query import compile_query


class Selector:
    """One element, text or attribute value of a page.

    `Selector(text="<p>…")` reads any markup, within `limits` (UnsafeMarkup beyond them). `root` is the selectolax
    node, or the str of a text or value; a whole parser may be given for it.
    """

    __slots__ = ("root",)

    root: Found

    def __init__(
        self,
        text: str | bytes | None = None,
        *,
        root: LexborHTMLParser | Found | None = None,
        limits: Limits | None = None,
    ) -> None:
        if (text is None) == (root is None):
            raise TypeError("Selector() takes markup as text=, or a node as root=")
        if text is not None:
            if not isinstance(text, (str, bytes)):
                raise TypeError(f"the markup of a Selector must be str or bytes, not {type(text).__name__}")
            root = parse(text) if limits is None else parse(text, limits)
        self.root = (root.root or "") if isinstance(root, LexborHTMLParser) else root or ""

    @property
    def node(self) -> LexborNode | None:
        """The selectolax node of an element; None for a text or a value."""
        return None if isinstance(self.root, str) else self.root

    # --- what it is -------------------------------------------------------------------------------------------------

    def get(self, default: Any = None) -> str:
        """The markup of an element, the characters of a text or value. `default` is never used, as in Scrapy."""
        return _markup(self.root)

    extract = get

    def getall(self) -> list[str]:
        """A list with the markup or text of this one."""
        return [self.get()]

    @property
    def attrib(self) -> dict[str, str]:
        """The attributes of the element; "" for one without a value. Empty for a text or value."""
        if isinstance(self.root, str):
            return {}
        return {name: value or "" for name, value in self.root.attributes.items()}

    # --- queries ----------------------------------------------------------------------------------------------------

    def css(self, query: str) -> SelectorList:
        """What the CSS selector matches in this element and below, in document order.

        `::text` gives the text nodes of the element itself, `*::text` or a space before it those of all below as well,
        `::attr(name)` an attribute. Raises InvalidSelector, a ValueError. Of a text or value: an empty list.
        """
        parts = compile_query(query)
        if isinstance(self.root, str):
            return SelectorList()
        return SelectorList._of(find(self.root, query, parts))

    def xpath(self, query: str, namespaces: dict[str, str] | None = None, **variables: Any) -> SelectorList:
        """What the XPath 1.0 expression gives; `$name` in it is `variables["name"]`. Needs crawlkit[xpath]."""
        from crawlkit.html.xpath import evaluate

        if isinstance(self.root, str):
            return SelectorList()
        return SelectorList._of(evaluate(self.root, query, namespaces, variables))

    def re(self, regex: str | Pattern[str], replace_entities: bool = True) -> list[str]:
        """All that the pattern matches in `get()`: its groups, flat, or the whole match when it has none.

        A group named `extract` is taken alone, and of the first match only. Character references are replaced but for
        `&lt;` and `&amp;`.
        """
        return matches(regex, self.get(), replace_entities)

    def re_first(
        self, regex: str | Pattern[str], default: str | None = None, replace_entities: bool = True
    ) -> str | None:
        """The first of `re()`, or `default`."""
        return next(iter(self.re(regex, replace_entities)), default)

    def drop(self) -> None:
        """Takes the element out of its document: what is selected from now on does not see it."""
        if not isinstance(self.root, str):
            from crawlkit.html.xpath import forget

            forget()
            self.root.decompose()

    # --- as a value -------------------------------------------------------------------------------------------------

    def __bool__(self) -> bool:
        return bool(self.root) if isinstance(self.root, str) else True

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Selector):
            return NotImplemented
        mine, its = self.root, other.root
        if isinstance(mine, str) or isinstance(its, str):
            return isinstance(mine, str) and isinstance(its, str) and mine == its
        return mine.mem_id == its.mem_id  # lexbor's own == compares the markup

    def __hash__(self) -> int:
        return hash(self.root) if isinstance(self.root, str) else self.root.mem_id

    def __str__(self) -> str:
        return self.get()

    def __repr__(self) -> str:
        kind = "text" if isinstance(self.root, str) else f"<{self.root.tag}>"
        shown = self.get()
        return f"<Selector {kind} {shown if len(shown) <= 40 else shown[:37] + '...'!r}>"

    def __reduce__(self) -> Any:
        raise TypeError("a Selector cannot be pickled: it belongs to a parsed page; keep get() of it")


class SelectorList(Sequence[Selector]):
    """What a query found, in document order. Questions about one thing are answered for the first.

    It reads as a list of Selectors does (index, slice, loop, truth, `+`, `==`) and cannot be changed.
    """

    __slots__ = ("_found",)

    _found: list[Found]

    def __init__(self, selectors: Iterable[Selector] = ()) -> None:
        self._found = [selector.root for selector in selectors]

    @classmethod
    def _of(cls, found: list[Found]) -> SelectorList:
        made = cls.__new__(cls)
        made._found = found
        return made

    # --- questions --------------------------------------------------------------------------------------------------

    @overload
    def get(self, default: None = None) -> str | None: ...
    @overload
    def get(self, default: str) -> str: ...
    def get(self, default: str | None = None) -> str | None:
        """Markup or text of the first; `default` when nothing was found."""
        return _markup(self._found[0]) if self._found else default

    extract_first = get

    def getall(self) -> list[str]:
        """Markup or text of each."""
        return [found if isinstance(found, str) else found.html or "" for found in self._found]

    extract = getall

    @property
    def attrib(self) -> dict[str, str]:
        """The attributes of the first; empty when nothing was found."""
        return self[0].attrib if self._found else {}

    @property
    def nodes(self) -> list[LexborNode]:
        """The selectolax nodes of the elements among what was found."""
        return [found for found in self._found if not isinstance(found, str)]

    def css(self, query: str) -> SelectorList:
        """`Selector.css` of each, one after the other."""
        parts = compile_query(query)
        found: list[Found] = []
        for root in self._found:
            if not isinstance(root, str):
                found += find(root, query, parts)
        return SelectorList._of(found)

    def xpath(self, query: str, namespaces: dict[str, str] | None = None, **variables: Any) -> SelectorList:
        """`Selector.xpath` of each, one after the other."""
        found: list[Found] = []
        for selector in self:
            found += selector.xpath(query, namespaces, **variables)._found
        return SelectorList._of(found)

    def re(self, regex: str | Pattern[str], replace_entities: bool = True) -> list[str]:
        """`Selector.re` of each, in one flat list."""
        return [match for root in self._found for match in matches(regex, _markup(root), replace_entities)]

    def re_first(
        self, regex: str | Pattern[str], default: str | None = None, replace_entities: bool = True
    ) -> str | None:
        """The first of `re()`, or `default`."""
        for root in self._found:
            for match in matches(regex, _markup(root), replace_entities):
                return match
        return default

    def drop(self) -> None:
        """`Selector.drop` of each."""
        for selector in self:
            selector.drop()

    # --- as a list --------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Selector]:
        return map(_selector, self._found)

    @overload
    def __getitem__(self, index: int) -> Selector: ...
    @overload
    def __getitem__(self, index: slice) -> SelectorList: ...
    def __getitem__(self, index: int | slice) -> Selector | SelectorList:
        if isinstance(index, slice):
            return SelectorList._of(self._found[index])
        return _selector(self._found[index])

    def __add__(self, other: Iterable[Selector]) -> SelectorList:
        return SelectorList([*self, *other])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (SelectorList, list)):
            return NotImplemented
        return list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(list(self))

    def __reduce__(self) -> Any:
        raise TypeError("a SelectorList cannot be pickled: it belongs to a parsed page; keep getall() of it")


def _selector(found: Found, new: Callable[[type[Selector]], Selector] = Selector.__new__) -> Selector:
    selector = new(Selector)
    selector.root = found
    return selector


def _markup(found: Found) -> str:
    return found if isinstance(found, str) else found.html or ""

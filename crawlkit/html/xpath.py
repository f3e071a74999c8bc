"""XPath: expressions evaluated by parsel over the same tree that CSS selectors see. Needs `crawlkit[xpath]`.

What belongs here: copying lexbor's tree for lxml, which knows XPath and has a parser of its own that sees another tree;
and leading results back to lexbor's nodes. What does not: CSS (query.py). parsel has its one home here: it brings its
functions (`re:test()`, `has-class()`, sets). The copy is made when a page is first asked for it, about 5 ms for 100 KB,
and each thread keeps that of the last page.
"""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawlkit.exceptions import InvalidSelector

if TYPE_CHECKING:
    from collections.abc import Mapping

# What lxml cannot hold: control characters and lone surrogates in text, and what ends a name in names.
_NO_TEXT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NO_NAME = re.compile("[^!#$%*+,.0-;?@A-Z^-~\x80-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff-]")

_last = threading.local()


def evaluate(
    node: LexborNode, query: str, namespaces: Mapping[str, str] | None, variables: Mapping[str, Any]
) -> list[LexborNode | str]:
    """What the expression gives with `node` as its context: elements, texts, and numbers and booleans as text.

    Raises InvalidSelector (a ValueError) for what is no XPath, ImportError without the extra.
    """
    try:
        import parsel
    except ImportError:
        raise ImportError("xpath() needs the extra: pip install 'crawlkit[xpath]' (css() works without it)") from None
    copy = _copy_of(node.parser)
    element = copy.element_of.get(node.mem_id)
    if element is None:  # the tree was changed since
        forget()
        copy = _copy_of(node.parser)
        element = copy.element_of[node.mem_id]
    selector = parsel.Selector(root=element, type="html")
    try:
        found = selector.xpath(query, namespaces=dict(namespaces) if namespaces else None, **variables)
    except ValueError as error:
        raise InvalidSelector(f"cannot read the XPath expression {query!r}: {error}") from None
    return [_original(copy, each) for each in found]


def forget() -> None:
    """Lets this thread's copy go: its page has been changed."""
    _last.__dict__.pop("copy", None)


def _original(copy: _Copy, found: Any) -> LexborNode | str:
    value = found.root
    if isinstance(value, (str, float, bool)):
        return str(found.get())
    node = copy.node_of.get(value)
    return node if node is not None else str(found.get())  # a comment is its markup


def _copy_of(parser: LexborHTMLParser) -> _Copy:
    copy: _Copy | None = getattr(_last, "copy", None)
    if copy is None or copy.parser is not parser:
        copy = _last.copy = _Copy(parser)
    return copy


class _Copy:
    """One page for lxml, and which of its elements is which of lexbor's."""

    def __init__(self, parser: LexborHTMLParser) -> None:
        from lxml import etree  # type: ignore[import-untyped]

        self.parser = parser
        self.element_of: dict[int, Any] = {}
        self.node_of: dict[Any, LexborNode] = {}
        top = etree.fromstring("<html></html>", etree.HTMLParser())
        root = parser.root
        if root is None:
            return
        self._enter(root, top)
        for node in root.traverse(include_text=True):
            parent = node.parent
            if node.mem_id in self.element_of or parent is None:
                continue
            above = self.element_of[parent.mem_id]
            if node.is_element_node:
                self._enter(node, etree.SubElement(above, _name(node.tag)))
            elif node.is_text_node:
                _add_text(above, _NO_TEXT.sub("", node.text_content or ""))
            elif node.is_comment_node:
                content = _NO_TEXT.sub("", node.comment_content or "").replace("--", "- -")
                above.append(etree.Comment(content + " " if content.endswith("-") else content))

    def _enter(self, node: LexborNode, element: Any) -> None:
        for name, value in node.attributes.items():
            element.set(_name(name), _NO_TEXT.sub("", value or ""))
        self.element_of[node.mem_id] = element
        self.node_of[element] = node


def _name(name: str | None) -> str:
    return _NO_NAME.sub("_", name or "") or "_"


def _add_text(above: Any, text: str) -> None:
    if len(above):
        above[-1].tail = (above[-1].tail or "") + text
    else:
        above.text = (above.text or "") + text

"""Finding: what a query finds in an element, in the order in which it stands in the document.

What belongs here: running a query's passes, the texts and values of the elements that match, merging them. What does
not: which elements match (lexbor), reading queries (query.py), what is done with the results (selectors.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from selectolax.lexbor import LexborNode, SelectolaxError

from crawlkit.exceptions import InvalidSelector
from crawlkit.html.query import ATTRIBUTE, ELEMENT, SCOPE_ATTRIBUTE, Part

Found = LexborNode | str
"""What a query finds: an element, or the text of a text node, an attribute or an XPath value."""

_ABSENT: Final = object()


def find(root: LexborNode, query: str, parts: tuple[Part, ...]) -> list[Found]:
    """What the query, read into `parts`, finds in `root`, itself included. Raises InvalidSelector."""
    if len(parts) > 1:
        return in_document_order(root, [(part, _elements(root, query, part)) for part in parts])
    part = parts[0]
    nodes = _elements(root, query, part)
    if part.kind == ELEMENT:
        return nodes  # type: ignore[return-value]
    if part.kind == ATTRIBUTE:
        name = part.name
        values = [node.attrs.get(name, _ABSENT) for node in nodes]
        return [value or "" for value in values if value is not _ABSENT]  # type: ignore[misc]
    return texts_of(root, part, nodes)


def _elements(root: LexborNode, query: str, part: Part) -> list[LexborNode]:
    """The elements that the part's selector matches in `root`, itself included, each once."""
    scoped = part.scoped is not None and root.mem_id != _top(root)
    try:
        if scoped or part.marked:
            nodes = _marked(root, part.scoped if scoped and part.scoped else part.css)
        else:
            nodes = root.css(part.css)
    except SelectolaxError:
        raise InvalidSelector(f"cannot read the CSS selector {query!r}") from None
    if part.unique or len(nodes) < 2:
        return nodes
    return list({node.mem_id: node for node in nodes}.values())


def _top(node: LexborNode) -> int | None:
    root = node.parser.root
    return None if root is None else root.mem_id


def _marked(root: LexborNode, css: str) -> list[LexborNode]:
    """What `css` matches in `root` while it bears the mark that the selector names."""
    root.attrs[SCOPE_ATTRIBUTE] = ""
    try:
        return root.css(css)
    finally:
        del root.attrs[SCOPE_ATTRIBUTE]


def texts_of(root: LexborNode, part: Part, nodes: list[LexborNode]) -> list[Found]:
    """The text nodes that are children of `nodes` (in document order, below `root`), in document order."""
    if part.css == "*":
        return [node.text_content or "" for node in root.traverse(include_text=True) if node.is_text_node]
    texts: list[Found] = []
    branching = False
    for node in nodes:
        child = node.first_child
        while child is not None:
            if child.is_text_node:
                texts.append(child.text_content or "")
            elif not branching:
                branching = True
            child = child.next
    if branching and _nested(nodes):
        return in_document_order(root, [(part, nodes)])
    return texts


def _nested(nodes: list[LexborNode]) -> bool:
    """Whether one of the nodes lies within another. Each ancestor is looked at once."""
    matched = {node.mem_id for node in nodes}
    clear: set[int] = set()
    for node in nodes:
        above = node.parent
        while above is not None and (name := above.mem_id) not in clear:
            if name in matched:
                return True
            clear.add(name)
            above = above.parent
    return False


def in_document_order(root: LexborNode, found: Iterable[tuple[Part, list[LexborNode]]]) -> list[Found]:
    """What the parts select of their nodes, by one walk through `root`: an element, its attributes, what is in it."""
    elements: set[int] = set()
    texts: set[int] = set()
    attributes: dict[int, set[str]] = {}
    for part, nodes in found:
        for node in nodes:
            if part.kind == ELEMENT:
                elements.add(node.mem_id)
            elif part.kind == ATTRIBUTE:
                attributes.setdefault(node.mem_id, set()).add(part.name)
            else:
                texts.add(node.mem_id)
    ordered: list[Found] = []
    for node in root.traverse(include_text=True):
        if node.is_text_node:
            parent = node.parent
            if parent is not None and parent.mem_id in texts:
                ordered.append(node.text_content or "")
            continue
        name = node.mem_id
        if name in elements:
            ordered.append(node)
        wanted = attributes.get(name)
        if wanted is not None:
            ordered += [value or "" for key, value in node.attributes.items() if key in wanted]
    return ordered

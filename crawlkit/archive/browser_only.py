"""Browser only: what a page fetches only when its scripts run, as far as their text tells.

What belongs here: recognising requests that scripts make, and pages that scripts make as a whole. What does not: fetching
any of it. A crawl without a browser cannot: that an archive says so, address by address where there is one, is what can be
done. Scripts are searched, not understood: what is built at run time is told as such.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from operator import itemgetter
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser

from crawlkit.html.references import address

#: Of a longer script only the beginning is searched.
_MOST_CHARACTERS = 500_000
_LITERAL = r"\s*(?:\"([^\"\\\n]{1,2000})\"|'([^'\\\n]{1,2000})'|`([^`\\$\n]{1,2000})`|(?=[^\s)]))"
_VERB = r"\s*[\"'](?:GET|POST|PUT|DELETE|PATCH|HEAD)[\"']\s*,"
#: How a script asks for something → what it writes for it, what must stand before that and what follows, up to the address.
_CALLS = {
    "fetch()": ("fetch(", r"(?:(?<![\w$.])|(?<=\bwindow\.)|(?<=\bself\.))", ""),
    "XMLHttpRequest": (".open(", "", _VERB),
    "axios": ("axios", r"(?<![\w$])", r"(?:\.(?:get|post|put|patch|delete|request))?\("),
    "jQuery": ("$.", "", r"(?:get|post|ajax|getJSON|getScript)\("),
    "jQuery by name": ("jQuery.", "", r"(?:get|post|ajax|getJSON|getScript)\("),
    "import()": ("import(", r"(?<![\w$.])", ""),
    "importScripts()": ("importScripts(", r"(?<![\w$.])", ""),
    "Worker": ("Worker(", r"(?:(?<=\bnew )|(?<=\bnew Shared))", ""),
    "EventSource": ("EventSource(", r"(?<=\bnew )", ""),
    "WebSocket": ("WebSocket(", r"(?<=\bnew )", ""),
    "serviceWorker": ("serviceWorker.register(", "", ""),
    "sendBeacon()": (".sendBeacon(", "", ""),
    "src": (".src", "", r"\s*=(?!=)"),
}
_AT = {
    written: (how.partition(" by ")[0], re.compile(before + re.escape(written) + after))
    for how, (written, before, after) in _CALLS.items()
}
_ADDRESS = re.compile(_LITERAL)
#: Attributes by which libraries are told what to fetch: htmx, Unpoly, Angular.
_ATTRIBUTES = ("hx-get", "data-hx-get", "up-href", "ng-include")
_MARKED = ", ".join(f"[{name}]" for name in _ATTRIBUTES)
_MARKS = (b"hx-get", b"up-href", b"ng-include")
_SHELL_CHARACTERS = 40
#: Elements that make a page something to look at, the commonest first.
_CONTENT = ("p", "h1", "img", "table", "li", "h2", "iframe", "frame", "video", "object", "embed", "svg", "input")
#: What is visible on a page without its scripts is next to nothing.
MADE_BY_SCRIPTS = "the page is made by its scripts"


class Call(NamedTuple):
    """A request that only a browser makes: how, and to which address as it is written; None: it is computed."""

    how: str
    url: str | None


def calls_of_script(text: str) -> Iterator[Call]:
    """The requests that a script makes, each once. Never raises."""
    seen: set[Call] = set()
    for how, end in sorted(_calls(text), key=itemgetter(1)):
        literal = _ADDRESS.match(text, end)
        written = next(filter(None, literal.groups()), None) if literal is not None else None
        if written is not None and address(written) is None and not written.startswith(("ws:", "wss:")):
            continue  # data:, blob: and the like fetch nothing
        call = Call(how, written)
        if call not in seen:
            seen.add(call)
            yield call


def _calls(text: str) -> Iterator[tuple[str, int]]:
    """How each call asks, and where its address begins. A search index has megabytes and none: what each call must have in
    it is found a hundred times as fast as a pattern of all.
    """
    for written, (how, pattern) in _AT.items():
        at = text.find(written, 0, _MOST_CHARACTERS)
        while at >= 0:
            if match := pattern.match(text, at):
                yield how, match.end()
            at = text.find(written, at + 1, _MOST_CHARACTERS)


def calls_of_page(tree: LexborHTMLParser, markup: bytes) -> Iterator[Call]:
    """What the page's own scripts and attributes fetch, and whether the page is made by scripts altogether. `markup`: what
    the tree was made of.
    """
    scripted = False
    for node in tree.css("script"):
        given = node.attributes
        if given.get("src"):
            scripted = True
        elif (given.get("type") or "").strip().lower() in ("", "module", "text/javascript", "application/javascript"):
            yield from calls_of_script(node.text())
    for node in tree.css(_MARKED) if any(mark in markup for mark in _MARKS) else ():
        for name, value in node.attributes.items():
            if name in _ATTRIBUTES and address(value) is not None:
                yield Call(name, value)
    if scripted and _is_shell(tree):
        yield Call(MADE_BY_SCRIPTS, None)


def _is_shell(tree: LexborHTMLParser) -> bool:
    body = tree.body
    if body is None or any(tree.css_first(name) is not None for name in _CONTENT):
        return False
    words = "".join(
        node.text_content or ""
        for node in body.traverse(include_text=True)
        if node.is_text_node and node.parent is not None and node.parent.tag not in ("script", "style", "noscript")
    )
    return len("".join(words.split())) < _SHELL_CHARACTERS

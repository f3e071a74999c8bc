"""Query: a CSS selector with `::text` and `::attr(name)`, read into what the parser's own engine can find.

What belongs here: splitting at commas, taking the pseudo-elements off, rewriting the few things that Scrapy's selectors
know and lexbor does not. What does not: matching (lexbor does it) and results (selectors.py). A query is read once and
kept: spiders ask the same few of every page.

Rewritten: `p ::text` and `p *::text` (all text in p, its own too), `:contains("x")` (the text of the element or of one
in it), `:scope` at the beginning, `#1` (no CSS name, but Scrapy takes it). In a selector within an element, all of
`div p` must match inside of that element, itself included, as Scrapy has it; CSS, and lexbor, would let the div be
outside. That is said by an attribute which the element bears while it is searched.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from crawlkit.exceptions import InvalidSelector

ELEMENT: Final = 0
TEXT: Final = 1
ATTRIBUTE: Final = 2

SCOPE_ATTRIBUTE: Final = "data-crawlkit-scope"
_IN_SCOPE = f":is([{SCOPE_ATTRIBUTE}],[{SCOPE_ATTRIBUTE}] *)"

_TOKEN = re.compile(
    r"""
      (?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    | (?P<escape>\\.)
    | (?P<comment>/\*.*?\*/)
    | (?P<pseudo>::[^\s,()\[\]>+~:]*)
    | (?P<contains>:contains\()
    | (?P<scope>:scope(?![\w-]))
    | (?P<hash>\#[0-9][\w-]*)
    | (?P<open>[(\[])
    | (?P<close>[)\]])
    | (?P<comma>,)
    | (?P<combinator>\s*[>+~]\s*)
    | (?P<space>\s+)
    | (?P<quote>["'])
    | (?P<plain>[^"'\\/:\#()\[\],>+~\s]+|[/:\#])
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_ATTR_ARGUMENT = re.compile(r"""\(\s*(?:"([^"\\]*)"|'([^'\\]*)'|(-?[_a-zA-Z\u0080-\U0010ffff][\w-]*))\s*\)\s*""")


class Part(NamedTuple):
    """What one pass over the document finds: the elements of `css`, and of each `kind` the thing of it that counts."""

    css: str
    """The selector for lexbor, over the whole document."""
    scoped: str | None
    """The selector within an element that bears SCOPE_ATTRIBUTE; None when `css` serves there as well."""
    kind: int
    name: str
    """The attribute's name, of an ATTRIBUTE."""
    unique: bool
    """Whether an element can be found once only."""
    marked: bool
    """Whether the scope must bear SCOPE_ATTRIBUTE even when it is the whole document."""


class _Branch(NamedTuple):
    """What stands between two commas."""

    css: str
    scoped: str | None
    kind: int
    name: str
    doubled: bool
    marked: bool


@lru_cache(maxsize=1024)
def compile_query(query: str) -> tuple[Part, ...]:
    """The passes that a query needs: one, unless it joins different pseudo-elements by commas.

    Raises InvalidSelector (a ValueError) for what is visibly wrong; the rest is found by lexbor when it is used.
    """
    groups: dict[tuple[int, str], list[_Branch]] = {}
    for branch in _Reader(query).branches():
        groups.setdefault((branch.kind, branch.name), []).append(branch)
    return tuple(_part(kind, name, branches) for (kind, name), branches in groups.items())


def _part(kind: int, name: str, branches: list[_Branch]) -> Part:
    css = ", ".join(branch.css for branch in branches)
    scoped = None
    if any(branch.scoped for branch in branches):
        scoped = ", ".join(branch.scoped or branch.css for branch in branches)
    unique = len(branches) == 1 and not branches[0].doubled
    return Part(css, scoped, kind, name, unique, any(branch.marked for branch in branches))


class _Reader:
    """Reads one query from left to right."""

    def __init__(self, query: str) -> None:
        if not isinstance(query, str):
            raise TypeError(f"a CSS selector must be str, not {type(query).__name__}")
        self.query = query
        self.at = 0
        self.done = False

    def branches(self) -> list[_Branch]:
        found = []
        while not self.done:
            found.append(self._branch())
        return found

    def wrong(self, why: str) -> InvalidSelector:
        return InvalidSelector(f"cannot read the CSS selector {self.query!r}: {why}")

    def _next(self) -> tuple[str, str]:
        """The kind and the text of the next token; kind "end" after the last."""
        if self.at == len(self.query):
            self.done = True
            return "end", ""
        match = _TOKEN.match(self.query, self.at)
        if match is None or match.lastgroup is None:
            raise self.wrong(f"{self.query[self.at]!r} at {self.at} makes no sense")
        self.at = match.end()
        return match.lastgroup, match.group()

    def _branch(self) -> _Branch:
        """Up to the next comma or the end."""
        pieces: list[str] = []
        depth = 0
        first = -1  # how many pieces the leftmost compound has, when there is more than it
        marked = False
        while True:
            kind, text = self._next()
            if kind == "end" or (kind == "comma" and not depth):
                if depth:
                    raise self.wrong("a bracket is not closed")
                return self._finish(pieces, first, marked, ELEMENT, "")
            if kind == "quote":
                raise self.wrong("a quoted string is not closed")
            if kind == "pseudo":
                if depth:
                    raise self.wrong(f"{text} cannot stand in brackets")
                pseudo, name = self._pseudo(text)
                return self._finish(pieces, first, marked, pseudo, name)
            if kind == "open":
                depth += 1
            elif kind == "close":
                depth -= 1
                if depth < 0:
                    raise self.wrong(f"{text!r} was never opened")
            elif kind == "contains":
                text = self._contains()
            elif kind == "scope" and not depth and not pieces:
                text, marked = f"[{SCOPE_ATTRIBUTE}]", True
            elif kind == "hash" and not depth:
                text = f'[id="{text[1:]}"]'
            elif kind == "comment":
                text = ""
            elif kind in ("space", "combinator") and not depth:
                if kind == "space" and not pieces:
                    continue
                if first < 0 and pieces:
                    first = len(pieces)
            if text:
                pieces.append(text)

    def _contains(self) -> str:
        """`:contains(x)` after its bracket: lexbor's looks at an element's own text only, Scrapy's at all in it."""
        kind, text = self._next()
        while kind == "space":
            kind, text = self._next()
        if kind not in ("string", "plain"):
            raise self.wrong(":contains() takes one string")
        closing, _ = self._next()
        if closing == "space":
            closing, _ = self._next()
        if closing != "close":
            raise self.wrong(":contains() takes one string")
        if kind == "plain":
            text = f'"{text}"'
        return f":is(:lexbor-contains({text}), :has(:lexbor-contains({text})))"

    def _pseudo(self, text: str) -> tuple[int, str]:
        """The pseudo-element whose name was just read, with its argument; nothing but a comma may follow."""
        name, kind = "", TEXT
        if text.lower() == "::attr":
            match = _ATTR_ARGUMENT.match(self.query, self.at)
            if match is None:
                raise self.wrong("::attr() takes one name, as in a::attr(href)")
            name, kind = match[1] or match[2] or match[3] or "", ATTRIBUTE
            self.at = match.end()
        elif text.lower() != "::text":
            raise self.wrong(f"the pseudo-element {text} is not known; there are ::text and ::attr(name)")
        token, _ = self._next()
        while token in ("space", "comment"):
            token, _ = self._next()
        if token not in ("comma", "end"):
            raise self.wrong(f"nothing may follow {text}")
        return kind, name

    def _finish(self, pieces: list[str], first: int, marked: bool, kind: int, name: str) -> _Branch:
        inner = False
        if kind != ELEMENT:
            pieces, inner = _without_star(pieces)
        elif pieces and pieces[-1].isspace():
            pieces.pop()
        if not pieces:
            raise self.wrong("there is nothing to select" if not self.query.strip() else "a part is empty")
        if len(pieces) <= first:
            first = -1
        css = "".join(pieces)
        scoped = None
        if first >= 0 and not marked:
            scoped = "".join(pieces[:first]) + _IN_SCOPE + "".join(pieces[first:])
        if inner:
            # All that is in `css`, and itself: what Scrapy's XPath for a star behind a space comes to.
            if scoped is None and not marked and css != "*":
                scoped = f"{css}, {css}{_IN_SCOPE} *"
            elif scoped is not None:
                scoped = f"{scoped}, {scoped} *"
            css = f"{css}, {css} *" if css != "*" else css
        return _Branch(css, scoped, kind, name, inner, marked)


def _without_star(pieces: list[str]) -> tuple[list[str], bool]:
    """The selector before a pseudo-element, and whether all inside of what it selects is meant."""
    if not pieces:
        return ["*"], False
    if pieces[-1].isspace():
        return pieces[:-1], True
    if pieces[-1].strip() in (">", "+", "~"):
        return [*pieces, "*"], False
    if pieces[-1] == "*" and len(pieces) > 2 and pieces[-2].isspace():
        return pieces[:-2], True
    return pieces, False

"""Nesting: how deep the parser would nest a document, found out without parsing it.

What belongs here: the exact measure, for the few documents that safety.py cannot prove harmless at a glance (about 1 µs
a tag). What does not: deciding which those are, the stack (openelements.py), the lists of elements (tags.py).

The tags are followed as the HTML standard's tree construction follows them (13.2.6), but for what depends on insertion
modes, where openelements.py keeps what is in doubt. So the measure is never less than the truth, but for the few
elements that a parser adds by itself; it is more for markup that is badly broken. What lexbor's time depends on:

- depth: for each start tag of a block it looks through all open elements for a <p>, so that 488 KB of <div> take 8.6 s;
- depth times tags: 2,000 open <div> and then 2.5 million <hr> fit into 10 MB and take 18 s;
- formatting elements left open by an ended block, for they are opened again in each block that follows: 1,000 of them
  and 300 paragraphs are 300,000 elements in 10 KB.
"""

from __future__ import annotations

from crawlkit.exceptions import TooManyAttributes
from crawlkit.html import tags
from crawlkit.html.openelements import OpenElements

_SLASH = ord("/")
_CELLS = frozenset((b"td", b"th"))
_SECTIONS = frozenset(b"caption colgroup tbody tfoot thead".split())
_TABLE_PARTS = _SECTIONS | _CELLS | {b"tr"}

# What kind of element a start tag may close, beside a <p>.
_CLOSES = {
    **dict.fromkeys((b"li", b"dd", b"dt"), "item"),
    **dict.fromkeys((b"a", b"nobr"), "formatting"),
    **dict.fromkeys((*tags.HEADINGS, *b"rb rp rt rtc option optgroup".split()), "top"),
    **dict.fromkeys(b"input keygen select textarea".split(), "select"),
    **dict.fromkeys((b"button", b"form"), "once"),
    b"table": "table",
    **dict.fromkeys(_TABLE_PARTS, "table part"),
}


def check_nesting(markup: bytes, *, max_depth: int, max_attributes: int) -> None:
    """Raises TooDeep or TooManyAttributes when parsing the markup would pass the caps, or take too long without."""
    Measure(max_depth, max_attributes).read(markup)


class Measure(OpenElements):
    """Reads markup and keeps the elements that are open. Used once, by one thread."""

    def __init__(self, max_depth: int, max_attributes: int) -> None:
        super().__init__(max_depth)
        self.max_attributes = max_attributes

    def read(self, markup: bytes) -> None:
        """Follows the markup to its end. Raises TooDeep, TooManyAttributes."""
        at: int | None = 0
        while at is not None:
            at = self._read_tags(markup, at)

    def _read_tags(self, markup: bytes, at: int) -> int | None:
        """Reads from `at` to the next raw text; gives the end of that, None when there is no more."""
        shortest = 2 * self.max_attributes
        for match in tags.TAG.finditer(markup, at):
            if self.dormant and match.start() > at:
                self.reopen()  # there is text before this tag
            at = match.end()
            name = match[1]
            if name is None:
                if match[3] is None:
                    continue
                if self.foreign() < 0:  # in HTML such a section is a comment up to the first ">"
                    return markup.find(b">", at) + 1 or None
                end = tags.cdata_end(markup, at)
                self._leave_unfollowed(markup[at:end])
                return end
            name = name.lower()
            if name[0] == _SLASH:
                self._end(name[1:])
                continue
            if at - match.start() > shortest:
                self._count_attributes(name, match[2])
            self._start(name, match[2])
            if name in tags.RAW_TEXT:
                end = tags.raw_text_end(markup, name, at)
                if self.foreign() >= 0:
                    self._leave_unfollowed(markup[at:end])
                return end
        return None

    def _leave_unfollowed(self, content: bytes) -> None:
        """Content that is text in HTML and markup in <svg>, or the other way: its start tags may stay open."""
        for match in tags.TAG.finditer(content):
            if match[1] is not None and match[1][0] != _SLASH:
                self._count_attributes(match[1], match[2])
                self.lasting += 1
        if b"<" in content:
            self.doubt(0)
        self.check()

    def _count_attributes(self, name: bytes, attributes: bytes) -> None:
        count = sum(1 for _ in tags.ATTRIBUTE.finditer(attributes))
        if count > self.max_attributes:
            shown = name[:40].decode("utf-8", "replace")
            raise TooManyAttributes(
                f"a <{shown}> tag has {count:,} attributes, and {self.max_attributes:,} may be parsed"
            )

    # --- start tags -------------------------------------------------------------------------------------------------

    def _start(self, name: bytes, attributes: bytes) -> None:
        foreign = self.foreign()
        if foreign >= 0:
            if name in tags.BREAKS_OUT:
                self.doubt(foreign)
            elif name not in tags.INTEGRATES and name not in tags.FOREIGN:
                if not (self.pure and attributes.endswith(b"/")):
                    self._close_implied(name)
                    self.push(name, attributes, sure=False)
                return
            else:
                self.pure = False
        elif name in tags.IGNORED:
            return
        if not self._close_implied(name):
            return
        if self.dormant and name not in tags.CLOSES_P and name not in _TABLE_PARTS:
            self.reopen()
        if name in tags.VOID or (name in tags.RAW_TEXT and foreign < 0) or name in (b"head", b"body"):
            self.check()  # open for itself at most
            return
        self.push(name, attributes, sure=foreign < 0 or name in tags.FOREIGN)
        self.pure = name in tags.FOREIGN

    def _close_implied(self, name: bytes) -> bool:
        """Closes what the start tag closes. False when the tag means nothing where it stands."""
        if name in tags.CLOSES_P:
            self.close(b"p", "button")
        kind = _CLOSES.get(name)
        if kind is None:
            return True
        if kind == "item":
            self.close(name if name == b"li" else max((b"dd", b"dt"), key=self.last), "item")
        elif kind == "formatting":
            self.close_formatting(name, "marker")
        elif kind == "top":
            self._doubt_top(name)
        elif kind == "select":
            self.doubt(self.last(b"select"))
        elif kind == "once":
            self.doubt(self.last(name))
        elif kind == "table":
            if (table := self.last(name)) > max(self.last(b"td"), self.last(b"th"), self.last(b"caption")):
                self.doubt(table)  # a table in a table, not in a cell of it, ends that
        else:
            return self._begin_table_part(name)
        return True

    def _doubt_top(self, name: bytes) -> None:
        """What an <option>, an <h2> or an <rt> ends when it is the innermost open element."""
        top = len(self.stack) - 1
        if top < 0:
            return
        if name in tags.HEADINGS:
            if self.stack[top] in tags.HEADINGS:
                self.doubt(top)
        elif self.stack[top] == b"option" and name == b"option" and self.foreign() < 0:
            self.cut(top)
        else:
            while top >= 0 and self.stack[top] in tags.IMPLIED_END:
                self.doubt(top)
                top -= 1

    def _begin_table_part(self, name: bytes) -> bool:
        """Closes what a part of a table closes. False where it means nothing, outside of any table."""
        table = self.barriers["table"][-1]
        if table < 0:
            return False
        body = max(self.last(section) for section in (b"tbody", b"thead", b"tfoot"))
        row = self.last(b"tr")
        inner = table if name in _SECTIONS else max(table, body)
        if name in _CELLS and row > inner:
            inner = row
        if self.stack[table] == b"table" and self.sure[table] and self.sure[inner]:
            self.cut(inner + 1)
        else:
            self.doubt(inner + 1)
        return True

    # --- end tags ---------------------------------------------------------------------------------------------------

    def _end(self, name: bytes) -> None:
        foreign = self.foreign()
        if foreign >= 0 and name in (b"p", b"br", *tags.FOREIGN):
            self.pure = False
            if name in (b"p", b"br"):
                self.doubt(foreign)
        if self.stack and self.stack[-1] == name:
            sure = self.sure[-1]
            self.cut(len(self.stack) - 1, ended=name)  # the parser closes this one in any case
            if not sure:
                self.doubt(self.alike(name))  # ... or, when it was closed before, the next of the kind
        elif name in tags.FORMATTING:
            self.close_formatting(name, "scope")
        elif name in tags.HEADINGS:
            self.close(max(tags.HEADINGS, key=self.last), "scope")  # any heading's end is every heading's
        elif name == b"form":
            self.doubt(self.last(name))  # the form alone ends, what is open in it does not
        elif name not in tags.IGNORED:
            self.close(name, tags.STOPS_AT.get(name, "special"))

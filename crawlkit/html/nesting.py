"""Nesting: how deep the parser would nest a document, found out without parsing it.

What belongs here: the exact measure, for the few documents that safety.py cannot prove harmless at a glance (about 1 µs
a tag). What does not: deciding which those are, and the lists of elements (tags.py).

The standard's tree construction is followed as far as it closes elements, and where it depends on what is not known
here (the insertion mode, the namespace) an element is taken to stay open: the measure is never less than the truth,
but for the elements that a parser adds by itself, and more only for markup that is badly broken. What lexbor's time
depends on:

- depth: for each start tag of a block it looks through all open elements for a <p>, so that 488 KB of <div> take 8.6 s;
- depth times tags: 2,000 open <div> and then 2.5 million <hr> fit into 10 MB and take 18 s;
- formatting elements left open by an ended block, for they are opened again in each block that follows: 1,000 of them
  and 300 paragraphs are 300,000 elements in 10 KB.
"""

from __future__ import annotations

from crawlkit.exceptions import TooDeep, TooManyAttributes
from crawlkit.html import tags

_MAX_STEPS = 100_000_000  # 0.4 s of lexbor's search through open elements
MAX_REPEATED = 4_000_000  # elements, of about 150 bytes

_SLASH = ord("/")
_SECTIONS = frozenset(b"caption colgroup tbody tfoot thead".split())
_CELLS = frozenset((b"td", b"th"))
_TABLE_PARTS = _SECTIONS | _CELLS | {b"tr"}
_BARRIERS_OF = {
    name: tuple(kind for kind, names in tags.BARRIERS.items() if name in names)
    for name in frozenset().union(*tags.BARRIERS.values())
}


def check_nesting(markup: bytes, *, max_depth: int, max_attributes: int) -> None:
    """Raises TooDeep or TooManyAttributes when parsing the markup would pass the caps, or take too long without."""
    _Measure(max_depth, max_attributes).read(markup)


class _Measure:
    """The elements that are open at one point of the markup."""

    def __init__(self, max_depth: int, max_attributes: int) -> None:
        self.max_depth = max_depth
        self.max_attributes = max_attributes
        self.stack: list[bytes] = []
        self.keys: list[bytes] = []  # beside each open element: its attributes, when it is a formatting one
        self.places: dict[bytes, list[int]] = {}  # where in the stack each name is open
        self.barriers: dict[str, list[int]] = {kind: [-1] for kind in tags.BARRIERS}
        self.removed = 0  # elements in the stack that were taken out of its middle
        self.dormant: dict[bytes, dict[bytes, int]] = {}  # formatting to be opened again: name, attributes, how often
        self.sleeping = 0
        self.lasting = 0  # elements that may be open, and are not followed
        self.foreign = 0  # open <svg> and <math>
        self.pure = False  # whether nothing since <svg> or <math> can have ended it
        self.steps = 0
        self.repeated = 0

    def read(self, markup: bytes) -> None:
        at: int | None = 0
        while at is not None:
            at = self.read_tags(markup, at)

    def read_tags(self, markup: bytes, at: int) -> int | None:
        """Reads from `at` to the next raw text; gives the end of that, None when there is no more."""
        shortest = 2 * self.max_attributes
        for match in tags.TAG.finditer(markup, at):
            name = match[1]
            if name is None:
                if self.foreign and match[3] is not None:
                    self.unfollowed(match[3])
                continue
            name = name.lower()
            if name[0] == _SLASH:
                self.close(name[1:])
                continue
            if match.end() - match.start() > shortest:
                self.count_attributes(name, match[2])
            self.open(name, match[2])
            if name in tags.RAW_TEXT:
                end = tags.raw_text_end(markup, name, match.end())
                if self.foreign:
                    self.unfollowed(markup[match.end() : end])
                return end
        return None

    def unfollowed(self, content: bytes) -> None:
        """Content that is text in HTML and markup in <svg>, or the other way: its start tags may stay open."""
        for match in tags.TAG.finditer(content):
            if match[1] is not None and match[1][:1] != b"/":
                self.count_attributes(match[1], match[2])
                self.lasting += 1
        self.check_depth()

    def count_attributes(self, name: bytes, attributes: bytes) -> None:
        count = sum(1 for _ in tags.ATTRIBUTE.finditer(attributes))
        if count > self.max_attributes:
            shown = name[:40].decode("utf-8", "replace")
            raise TooManyAttributes(
                f"a <{shown}> tag has {count:,} attributes, and {self.max_attributes:,} may be parsed"
            )

    def check_depth(self) -> None:
        depth = len(self.stack) - self.removed + self.sleeping + self.lasting
        depth += 2 * (len(self.barriers["table"]) - 1)  # <tbody> and <tr> that are implied
        if depth > self.max_depth:
            raise TooDeep(
                f"the elements nest {depth:,} deep or more, and {self.max_depth:,} may be parsed (crawl.max_dom_depth)"
            )
        self.steps += depth
        self.repeated += self.sleeping
        if self.steps > _MAX_STEPS or self.repeated > MAX_REPEATED:
            raise TooDeep("the elements nest too deep for so many tags: parsing them would take seconds or more")

    # --- start tags -------------------------------------------------------------------------------------------------

    def open(self, name: bytes, attributes: bytes) -> None:
        barriers = self.barriers
        if self.foreign:
            if name in tags.BREAKS_OUT or name in tags.INTEGRATES:
                self.pure = False
            elif self.pure and attributes.endswith(b"/") and name not in tags.FOREIGN:
                return
        elif name in tags.IGNORED:
            return
        if name in tags.CLOSES_P:
            self.close_above(b"p", "button")
        if name in tags.VOID and (not self.foreign or name in tags.BREAKS_OUT):
            self.check_depth()
            return
        if name == b"li":
            self.close_above(name, "item")
        elif name in (b"dd", b"dt"):
            self.close_above(b"dd", "item")
            self.close_above(b"dt", "item")
        elif name in (b"a", b"nobr"):
            self.end_formatting(name)
        elif name in (b"option", b"optgroup"):
            if self.stack and self.stack[-1] == b"option":
                self.cut(len(self.stack) - 1)
        elif name in _TABLE_PARTS and not self.begin_table_part(name):
            return
        if name in tags.RAW_TEXT and not self.foreign:
            self.check_depth()
            return  # it holds text alone, and ends with it
        if name in tags.FOREIGN:
            self.foreign += 1
            self.pure = True
        place = len(self.stack)
        self.stack.append(name)
        self.keys.append(attributes if name in tags.FORMATTING else b"")
        self.places.setdefault(name, []).append(place)
        for kind in _BARRIERS_OF.get(name, ()):
            barriers[kind].append(place)
        self.check_depth()

    def begin_table_part(self, name: bytes) -> bool:
        """Closes what the part of a table closes. False where it means nothing, outside of any table."""
        table = self.barriers["table"][-1]
        if table < 0:
            return False
        if self.stack[table] in tags.FOREIGN:
            return True
        if name in _SECTIONS:
            self.cut(table + 1)
            return True
        body = max(self.last(section) for section in (b"tbody", b"thead", b"tfoot"))
        row = self.last(b"tr")
        if name in _CELLS and row > max(table, body):
            self.cut(row + 1)
        else:
            self.cut(max(table, body) + 1)
        return True

    # --- end tags ---------------------------------------------------------------------------------------------------

    def close(self, name: bytes) -> None:
        stack = self.stack
        if stack and stack[-1] == name and not self.removed:
            self.cut(len(stack) - 1)  # the usual case
        elif name in tags.FORMATTING:
            self.end_formatting(name)
        elif name == b"template":
            if (place := self.last(name)) >= 0:
                self.cut(place)
        elif name == b"form":
            if (place := self.last(name)) >= self.barriers["scope"][-1] and place >= 0:
                self.remove(place)  # the form alone: what is open in it stays so
        else:
            self.close_above(name, tags.STOPS_AT.get(name, "special"))
        if self.foreign and name in (b"p", b"br", *tags.FOREIGN):
            self.pure = False

    def close_above(self, name: bytes, barrier: str) -> None:
        """Closes the innermost `name` and all in it, unless a barrier stands before it."""
        places = self.places.get(name)
        if places and places[-1] >= self.barriers[barrier][-1]:
            self.cut(places[-1])

    def end_formatting(self, name: bytes) -> None:
        """The adoption agency: the element ends, blocks that are open in it do not."""
        place = self.last(name)
        if place >= 0 and place >= self.barriers["scope"][-1]:
            if self.barriers["special"][-1] < place:
                self.cut(place, ended=name)
            else:
                self.remove(place)
        elif asleep := self.dormant.get(name):
            key, count = asleep.popitem()
            if count > 1:
                asleep[key] = count - 1
            self.sleeping -= 1

    def last(self, name: bytes) -> int:
        places = self.places.get(name)
        return places[-1] if places else -1

    def remove(self, place: int) -> None:
        name = self.stack[place]
        self.places[name].remove(place)
        for kind in _BARRIERS_OF.get(name, ()):
            self.barriers[kind].remove(place)
        self.stack[place] = b""
        self.removed += 1

    def cut(self, place: int, ended: bytes = b"") -> None:
        """Closes the element at `place` and all above it. Formatting that did not end itself will be opened again."""
        stack = self.stack
        by_itself = len(stack) - 1 == place
        while len(stack) > place:
            name, key = stack.pop(), self.keys.pop()
            if not name:
                self.removed -= 1
                continue
            self.places[name].pop()
            for kind in _BARRIERS_OF.get(name, ()):
                self.barriers[kind].pop()
            if name in tags.FOREIGN:
                self.foreign -= 1
                self.pure = False
            elif name in tags.FORMATTING and not by_itself and not (len(stack) == place and name == ended):
                self.put_to_sleep(name, key)

    def put_to_sleep(self, name: bytes, key: bytes) -> None:
        asleep = self.dormant.setdefault(name, {})
        count = asleep.get(key, 0)
        if count < 3:  # "Noah's Ark": three of a kind, no more
            asleep[key] = count + 1
            self.sleeping += 1

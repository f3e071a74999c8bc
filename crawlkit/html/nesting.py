"""Nesting: how deep the parser would nest a document, found out without parsing it.

What belongs here: the exact measure, for the few documents that safety.py cannot prove harmless at a glance (about 1 µs
a tag). What does not: deciding which those are, and the lists of elements (tags.py).

The stack of open elements is kept as the HTML standard's tree construction keeps it (13.2.6), but for what depends on
insertion modes. Where it is not clear whether the parser has closed an element, the element stays in the stack and is
in doubt: nothing is closed any more because of it but itself. So the measure is never less than the truth, but for the
three elements that a parser may add by itself; it is more for markup that is badly broken. What lexbor's time depends
on:

- depth: for each start tag of a block it looks through all open elements for a <p>, so that 488 KB of <div> take 8.6 s;
- depth times tags: 2,000 open <div> and then 2.5 million <hr> fit into 10 MB and take 18 s;
- formatting elements left open by an ended block, for they are opened again in each block that follows: 1,000 of them
  and 300 paragraphs are 300,000 elements in 10 KB.
"""

from __future__ import annotations

from collections import Counter

from crawlkit.exceptions import TooDeep, TooManyAttributes
from crawlkit.html import tags

_MAX_REPEATED = 500_000  # elements that come of formatting opened again, of about 150 bytes
_MAX_STEPS = 100_000_000  # 0.4 s of lexbor's search through open elements
_STEPS_OF_DOUBT = 20  # what one element put in doubt costs here, in those

_SLASH = ord("/")
_CELLS = frozenset((b"td", b"th"))
_SECTIONS = frozenset(b"caption colgroup tbody tfoot thead".split())
_TABLE_PARTS = _SECTIONS | _CELLS | {b"tr"}
_ONE_AT_A_TIME = frozenset(b"button form select".split())
_NEVER_SURE = frozenset((b"noscript", *tags.INTEGRATES))  # a <head> ends the first; the others are nothing in HTML

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
_BARRIERS_OF = {
    name: tuple(kind for kind, names in tags.BARRIERS.items() if name in names)
    for name in frozenset().union(*tags.BARRIERS.values())
}


def check_nesting(markup: bytes, *, max_depth: int, max_attributes: int) -> None:
    """Raises TooDeep or TooManyAttributes when parsing the markup would pass the caps, or take too long without."""
    Measure(max_depth, max_attributes).read(markup)


class Measure:
    """The elements that are open at one point of the markup. Used once, by one thread."""

    def __init__(self, max_depth: int, max_attributes: int) -> None:
        self.max_depth = max_depth
        self.max_attributes = max_attributes
        self.deepest = 0
        self.stack: list[bytes] = []  # names; b"" for an element taken out of the middle
        self.sure: list[bool] = []  # beside each: whether the parser has it open, too
        self.keys: list[bytes] = []  # beside each: the attributes of a formatting element
        self.places: dict[bytes, list[int]] = {}  # where in the stack each name is
        self.barriers: dict[str, list[int]] = {kind: [-1] for kind in tags.BARRIERS}
        self.removed = 0
        self.dormant: list[tuple[bytes, bytes]] = []  # formatting that will be opened again: names, attributes
        self.asleep: Counter[bytes | tuple[bytes, bytes]] = Counter()  # how many of those by name, and by both
        self.lasting = 0  # elements that may be open, and are not followed
        self.pure = False  # within <svg> or <math>, and nothing can have ended it
        self.crowded: set[bytes] = set()  # formatting of which more than three were open: the parser forgot some
        self.steps = 0
        self.repeated = 0

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
                self._reopen()  # there is text before this tag
            at = match.end()
            name = match[1]
            if name is None:
                if match[3] is not None:
                    if self._foreign() < 0:  # in HTML such a section is a comment up to the first ">"
                        return markup.find(b">", match.start()) + 1 or None
                    self._leave_unfollowed(match[3])
                continue
            name = name.lower()
            if name[0] == _SLASH:
                self._end(name[1:])
                continue
            if at - match.start() > shortest:
                self._count_attributes(name, match[2])
            self._start(name, match[2])
            if name in tags.RAW_TEXT:
                end = tags.raw_text_end(markup, name, at)
                if self._foreign() >= 0:
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
            self._doubt(0)
        self._check()

    def _count_attributes(self, name: bytes, attributes: bytes) -> None:
        count = sum(1 for _ in tags.ATTRIBUTE.finditer(attributes))
        if count > self.max_attributes:
            shown = name[:40].decode("utf-8", "replace")
            raise TooManyAttributes(
                f"a <{shown}> tag has {count:,} attributes, and {self.max_attributes:,} may be parsed"
            )

    def _check(self) -> None:
        depth = len(self.stack) - self.removed + len(self.dormant) + self.lasting
        depth += 2 * (len(self.barriers["table"]) - 1)  # <tbody> and <tr> that are implied
        if depth > self.deepest:
            self.deepest = depth
            if depth > self.max_depth:
                raise TooDeep(
                    f"the elements nest {depth:,} deep or more, and {self.max_depth:,} may be parsed "
                    "(crawl.max_dom_depth)"
                )
        self.steps += depth
        if self.steps > _MAX_STEPS or self.repeated > _MAX_REPEATED:
            raise TooDeep("the elements nest too deep for so many tags: parsing them would take seconds or more")

    # --- start tags -------------------------------------------------------------------------------------------------

    def _start(self, name: bytes, attributes: bytes) -> None:
        foreign = self._foreign()
        if foreign >= 0:
            if name in tags.BREAKS_OUT:
                self._doubt(foreign)
            elif name not in tags.INTEGRATES and name not in tags.FOREIGN:
                if not (self.pure and attributes.endswith(b"/")):
                    self._close_implied(name)
                    self._push(name, attributes, sure=False)
                return
            else:
                self.pure = False
        elif name in tags.IGNORED:
            return
        if not self._close_implied(name):
            return
        if self.dormant and name not in tags.CLOSES_P and name not in _TABLE_PARTS:
            self._reopen()
        if name in tags.VOID or (name in tags.RAW_TEXT and foreign < 0) or name in (b"head", b"body"):
            self._check()  # open for itself at most
            return
        self._push(name, attributes, sure=foreign < 0 or name in tags.FOREIGN)
        self.pure = name in tags.FOREIGN

    def _close_implied(self, name: bytes) -> bool:
        """Closes what the start tag closes. False when the tag means nothing where it stands."""
        if name in tags.CLOSES_P:
            self._close(b"p", "button")
        kind = _CLOSES.get(name)
        if kind is None:
            return True
        if kind == "item":
            self._close(name if name == b"li" else max((b"dd", b"dt"), key=self._last), "item")
        elif kind == "formatting":
            self._close_formatting(name, "marker")
        elif kind == "top":
            self._doubt_top(name)
        elif kind == "select":
            self._doubt(self._last(b"select"))
        elif kind == "once":
            self._doubt(self._last(name))
        elif kind == "table":
            if (table := self._last(name)) > max(self._last(b"td"), self._last(b"th"), self._last(b"caption")):
                self._doubt(table)  # a table in a table, not in a cell of it, ends that
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
                self._doubt(top)
        elif self.stack[top] == b"option" and name == b"option" and self._foreign() < 0:
            self._cut(top)
        else:
            while top >= 0 and self.stack[top] in tags.IMPLIED_END:
                self._doubt(top)
                top -= 1

    def _begin_table_part(self, name: bytes) -> bool:
        """Closes what a part of a table closes. False where it means nothing, outside of any table."""
        table = self.barriers["table"][-1]
        if table < 0:
            return False
        body = max(self._last(section) for section in (b"tbody", b"thead", b"tfoot"))
        row = self._last(b"tr")
        inner = table if name in _SECTIONS else max(table, body)
        if name in _CELLS and row > inner:
            inner = row
        if self.stack[table] == b"table" and self.sure[table] and self.sure[inner]:
            self._cut(inner + 1)
        else:
            self._doubt(inner + 1)
        return True

    # --- end tags ---------------------------------------------------------------------------------------------------

    def _end(self, name: bytes) -> None:
        foreign = self._foreign()
        if foreign >= 0 and name in (b"p", b"br", *tags.FOREIGN):
            self.pure = False
            if name in (b"p", b"br"):
                self._doubt(foreign)
        if self.stack and self.stack[-1] == name:
            sure = self.sure[-1]
            self._cut(len(self.stack) - 1, ended=name)  # the parser closes this one in any case
            if not sure:
                self._doubt(self._alike(name))  # ... or, when it was closed before, the next of the kind
        elif name in tags.FORMATTING:
            self._close_formatting(name, "scope")
        elif name in tags.HEADINGS:
            self._close(max(tags.HEADINGS, key=self._last), "scope")  # any heading's end is every heading's
        elif name == b"form":
            self._doubt(self._last(name))  # the form alone ends, what is open in it does not
        elif name not in tags.IGNORED:
            self._close(name, tags.STOPS_AT.get(name, "special"))

    def _close(self, name: bytes, barrier: str) -> None:
        """Closes the innermost `name` and all in it, unless a barrier stands before it."""
        place = self._last(name)
        if place < 0:
            return
        before = self.barriers[barrier][-1]
        if place < before:
            if not self.sure[before]:
                self._doubt(place)
        elif self.sure[place]:
            self._cut(place)
        else:
            self._remove(place)
            self._doubt(self._alike(name) if self._alike(name) >= 0 else place)

    def _close_formatting(self, name: bytes, barrier: str) -> None:
        """The adoption agency: the element ends, and with it what is open in it, but for blocks."""
        place = self._last(name)
        asleep = name in self.asleep
        if asleep and self.barriers["marker"][-1] < 0:
            # It was opened within those in the stack, and so is the last.
            self._forget(next(each for each in reversed(self.dormant) if each[0] == name))
        elif place >= 0 and place >= self.barriers[barrier][-1]:
            if asleep or not self.sure[place] or name in self.crowded:
                self._doubt(place)
            elif place > self.barriers["special"][-1]:
                self._cut(place, ended=name)
            else:
                self._remove(place)
                self._doubt(place)

    # --- the stack --------------------------------------------------------------------------------------------------

    def _foreign(self) -> int:
        """Where the innermost <svg> or <math> is; -1 without one."""
        places = self.places
        return max(self._last(b"svg"), self._last(b"math")) if b"svg" in places or b"math" in places else -1

    def _alike(self, name: bytes) -> int:
        """Where the innermost element is that an end tag `name` can close; -1 without one."""
        return max(map(self._last, tags.HEADINGS)) if name in tags.HEADINGS else self._last(name)

    def _last(self, name: bytes) -> int:
        places = self.places.get(name)
        return places[-1] if places else -1

    def _push(self, name: bytes, attributes: bytes, *, sure: bool) -> None:
        place = len(self.stack)
        self.stack.append(name)
        once = name not in _ONE_AT_A_TIME or not self.places.get(name)
        self.sure.append(sure and once and name not in _NEVER_SURE)
        self.keys.append(attributes if name in tags.FORMATTING else b"")
        places = self.places.setdefault(name, [])
        places.append(place)
        if len(places) > 3:
            self.crowded.add(name)
        for kind in _BARRIERS_OF.get(name, ()):
            self.barriers[kind].append(place)
        self._check()

    def _doubt(self, place: int) -> None:
        """The element at `place` and all above it may be closed, or may not."""
        if place < 0:
            return
        count = len(self.sure) - place
        self.steps += _STEPS_OF_DOUBT * count
        self.sure[place:] = [False] * count
        self.pure = False

    def _remove(self, place: int) -> None:
        name = self.stack[place]
        self.places[name].remove(place)
        for kind in _BARRIERS_OF.get(name, ()):
            self.barriers[kind].remove(place)
        self.stack[place] = b""
        self.removed += 1

    def _cut(self, place: int, ended: bytes = b"") -> None:
        """Closes the element at `place` and all above it. Formatting that did not end itself will be opened again."""
        stack = self.stack
        fallen: list[tuple[bytes, bytes]] = []
        while len(stack) > place:
            name, key = stack.pop(), self.keys.pop()
            self.sure.pop()
            if not name:
                self.removed -= 1
                continue
            self.places[name].pop()
            for kind in _BARRIERS_OF.get(name, ()):
                self.barriers[kind].pop()
            if name in tags.FORMATTING and (len(stack) > place or name != ended):
                fallen.append((name, key))
        for each in reversed(fallen):
            if self.asleep[each] == 3:  # "Noah's Ark": three of a kind, no more
                self._forget(each)
            self.dormant.append(each)
            self.asleep.update((each, each[0]))

    def _forget(self, formatting: tuple[bytes, bytes]) -> None:
        self.dormant.remove(formatting)
        for key in (formatting, formatting[0]):
            self.asleep[key] -= 1
            if not self.asleep[key]:
                del self.asleep[key]

    def _reopen(self) -> None:
        """What is inline goes on in formatting that a block's end has closed ("reconstruct")."""
        dormant, self.dormant = self.dormant, []
        self.asleep.clear()
        self.repeated += len(dormant)
        for name, key in dormant:
            self._push(name, key, sure=False)

"""Open elements: the stack that a parser keeps, with what is not known about it.

What belongs here: elements that are open, closed, opened again, and how deep that is. What does not: which tag does
what (nesting.py). Where it is not clear whether the parser has closed an element, the element stays in the stack and is
in doubt: nothing is closed any more because of it but itself. So the stack holds all that the parser's holds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

from crawlkit.exceptions import TooDeep
from crawlkit.html import tags

_MAX_REPEATED = 500_000  # elements that come of formatting opened again, of about 150 bytes
_MAX_STEPS = 100_000_000  # 0.4 s of lexbor's search through open elements
_STEPS_OF_DOUBT = 20  # what one element put in doubt costs here, in those
_STEPS_OF_SEARCH = 5

_ONE_AT_A_TIME = frozenset(b"button form select".split())
_NEVER_SURE = frozenset((b"noscript", *tags.INTEGRATES))  # a <head> ends the first; the others are nothing in HTML
_BARRIERS_OF = {
    name: tuple(kind for kind, names in tags.BARRIERS.items() if name in names)
    for name in frozenset().union(*tags.BARRIERS.values())
}


class OpenElements:
    """The elements that are open at one point of the markup, innermost last."""

    def __init__(self, max_depth: int) -> None:
        self.max_depth = max_depth
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

    # --- questions --------------------------------------------------------------------------------------------------

    def foreign(self) -> int:
        """Where the innermost <svg> or <math> is; -1 without one."""
        places = self.places
        return max(self.last(b"svg"), self.last(b"math")) if b"svg" in places or b"math" in places else -1

    def alike(self, name: bytes) -> int:
        """Where the innermost element is that an end tag `name` can close; -1 without one."""
        return max(map(self.last, tags.HEADINGS)) if name in tags.HEADINGS else self.last(name)

    def last(self, name: bytes) -> int:
        places = self.places.get(name)
        return places[-1] if places else -1

    def check(self) -> None:
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

    # --- opening and closing ----------------------------------------------------------------------------------------

    def push(self, name: bytes, attributes: bytes, *, sure: bool) -> None:
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
        self.check()

    def close(self, name: bytes, barrier: str) -> None:
        """Closes the innermost `name` and all in it, unless a barrier stands before it."""
        place = self.last(name)
        if place < 0:
            return
        before = self.barriers[barrier][-1]
        if place < before:
            if not self.sure[before]:
                self.doubt(place)
        elif self.sure[place]:
            self.cut(place)
        else:
            self.remove(place)
            self.doubt(self.alike(name) if self.alike(name) >= 0 else place)

    def close_formatting(self, name: bytes, barrier: str) -> None:
        """The adoption agency: the element ends, and with it what is open in it, but for blocks."""
        place = self.last(name)
        asleep = name in self.asleep
        if asleep and self.barriers["marker"][-1] < 0:
            # It was opened within those in the stack, and so is the last.
            self._forget(next(each for each in reversed(self.dormant) if each[0] == name))
        elif place >= 0 and place >= self.barriers[barrier][-1]:
            if asleep or not self.sure[place] or name in self.crowded:
                self.doubt(place)
            elif place > self.barriers["special"][-1]:
                self.cut(place, ended=name)
            else:
                self.remove(place)
                self.doubt(place)

    def doubt(self, place: int) -> None:
        """The element at `place` and all above it may be closed, or may not."""
        if place < 0:
            return
        count = len(self.sure) - place
        self.steps += _STEPS_OF_DOUBT * count
        self.sure[place:] = [False] * count
        self.pure = False

    def remove(self, place: int) -> None:
        """Takes the innermost of its name out of the stack, and leaves what is open in it."""
        name = self.stack[place]
        self.places[name].pop()
        for kind in _BARRIERS_OF.get(name, ()):
            places = self.barriers[kind]
            del places[bisect_left(places, place)]
        self.stack[place] = b""
        self.removed += 1

    def cut(self, place: int, ended: bytes = b"") -> None:
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
            self.asleep[each] += 1
            self.asleep[each[0]] += 1

    def _forget(self, formatting: tuple[bytes, bytes]) -> None:
        self.steps += _STEPS_OF_SEARCH * len(self.dormant)
        self.dormant.remove(formatting)
        for key in (formatting, formatting[0]):
            self.asleep[key] -= 1
            if not self.asleep[key]:
                del self.asleep[key]

    def reopen(self) -> None:
        """What is inline goes on in formatting that a block's end has closed ("reconstruct")."""
        dormant, self.dormant = self.dormant, []
        self.asleep.clear()
        self.repeated += len(dormant)
        for name, key in dormant:
            self.push(name, key, sure=False)

"""Redactor: knows secrets and takes them out of texts, however they are written there.

What belongs here: learning, forgetting, and finding many secrets at once. What does not: the ways of writing a secret
(secretforms.py), what is secret by its place (masks.py), what of a session is secret (confiding.py).

Texts are few and short, secrets many and soon replaced. So learning is a look into a dict and an append, which a request
can afford, and nothing is worked out before a text asks for it. Then each secret leaves an *anchor* of eight characters
for each way of writing it in one dict, and a text is looked through once, whatever the number of secrets: 8 µs for a
line of 116 characters. Escapes are not listed but undone: a text with a `%` is looked at a second time without it. An
alternation of ten thousand secrets as a regular expression takes seconds to compile, and milliseconds a line.

`learn` may be called under other locks (a jar's) and `redact` under a log handler's: neither waits for anybody who
could be waiting for them. Nothing is logged here.
"""

from __future__ import annotations

import re
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from crawlkit.sessions.forklock import new_lock
from crawlkit.sessions.masks import masked_places
from crawlkit.sessions.secretforms import CODINGS, FORM, Span, base64_forms, flat, hex_forms, readings, unflat
from crawlkit.sessions.secretnames import HIDDEN, is_common

SHORTEST = 8
"""A secret that nobody vouches for is looked for everywhere from this length on, in characters."""
SHORTEST_SURE = 4
"""The same for one that the user gave."""
MOST = 10_000
"""How many secrets that are in force nowhere are remembered; half of them, the newest, survive a clearing."""

_HEARD = 512  # values that may wait to be sorted
_DEPTH = 3  # escapes within escapes
_VIEWS = 24  # ways to read one text, at most
_ASKED_EACH_TIME = 64  # sources; more are asked once a second
_CUT = 12  # so much of a secret at the edge of a line is hidden though the rest was cut off
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")
_AFTER_CUT = frozenset("\"'`.,:;)]}\xe2\x80\xa6")  # closing marks, and the three bytes of an ellipsis
_HALF_AN_ESCAPE = re.compile(r"(?:%[0-9a-fA-F]?|\\(?:u[0-9a-fA-F]{0,3}|x[0-9a-fA-F]?)?|&#?\w{0,6})\Z")
_PLAIN, _BASE64_FORM, _HEX_FORM = range(3)

#: A reading of a secret, which kind of form the characters are of, and where in it they are.
_Anchor = tuple[str, int, int]


class Source(Protocol):
    """Something that has secrets and can say which, such as a Session."""

    def tell_secrets(self, learn: Callable[..., None], *, everything: bool) -> bool:
        """Call `learn` with what is secret now; with `everything` also with what it told when it changed. Waits for
        nobody; whether all could be told.
        """


class Redactor:
    """A registry of secrets, and `redact`, which replaces them. Any thread may call anything."""

    def __init__(self, *, most: int = MOST) -> None:
        self._most = most
        self._limit = most
        #: Secret → whether it is sure, in the order of learning. Read without the lock.
        self._known: dict[str, bool] = {}
        self._heard: deque[tuple[str, bool]] = deque()
        self._pending: list[str] = []
        self._anchors = _Anchors(SHORTEST)
        self._short_anchors = _Anchors(SHORTEST_SURE, below=SHORTEST)
        self._spaced = False
        self._sources: tuple[weakref.ref[Source], ...] = ()
        self._asked_at = 0.0
        self._ask_everything = False
        self._lock = new_lock(brief=True)

    def __repr__(self) -> str:
        return f"<Redactor of {len(self._known)} secrets>"

    # --- learning ------------------------------------------------------------------------------------------------

    def learn(self, secret: str | bytes | None, *, sure: bool = False) -> None:
        """Hide `secret` from now on: wherever it stands when it has 8 characters or more and is no number and no word.

        `sure`: the user gave it, as a password or token: it is hidden whatever it is, from 4 characters on. Of values
        that no source has any more the newest 5,000 to 10,000 are remembered; sure ones always. Never waits.
        """
        if secret is None or len(secret) < (SHORTEST_SURE if sure else SHORTEST):
            return
        text = secret.decode("latin-1") if isinstance(secret, bytes) else secret
        if self._known.get(text, -1) >= sure:
            return
        self._heard.append((text, sure))
        if len(self._heard) >= _HEARD and self._lock.acquire(blocking=False):
            try:
                self._sort()
            finally:
                self._lock.release()

    def watch(self, source: Source) -> None:
        """Ask `source` for its secrets, now and before each text. It is held weakly.

        What it has already, beside its settings, is for the source to tell.
        """
        with self._lock:
            present = [reference for reference in self._sources if reference() not in (None, source)]
            self._sources = (*present, weakref.ref(source))
        source.tell_secrets(self.learn, everything=False)

    def _ask(self) -> None:
        sources, everything = self._sources, self._ask_everything
        now = time.monotonic()
        if len(sources) > _ASKED_EACH_TIME and now - self._asked_at < 1.0 and not everything:
            return
        self._asked_at, self._ask_everything = now, False
        for reference in sources:
            source = reference()
            if source is not None and not source.tell_secrets(self.learn, everything=everything):
                self._ask_everything = True  # somebody is at it: before the next text, then
        if everything:  # what is in force may be more than what was meant to be remembered
            self._limit = max(self._most, 2 * (len(self._known) + len(self._heard)))

    # --- under the lock --------------------------------------------------------------------------------------------

    def _sort(self) -> None:
        """Take in what was heard, and forget the oldest when it is too much."""
        known = self._known
        while self._heard:
            secret, sure = self._heard.popleft()
            before = known.get(secret, -1)
            if before < sure:
                known[secret] = sure
                if sure or not is_common(secret):
                    self._pending.append(secret)
        if len(known) > self._limit:
            unsure = [secret for secret, sure in known.items() if not sure]
            if len(unsure) > self._limit // 2:
                forgotten = set(unsure[: len(unsure) - self._limit // 2])
                self._known = {secret: sure for secret, sure in known.items() if secret not in forgotten}
                self._pending = [secret for secret, sure in self._known.items() if sure or not is_common(secret)]
                self._anchors, self._short_anchors = _Anchors(SHORTEST), _Anchors(SHORTEST_SURE, below=SHORTEST)
                self._ask_everything = True  # what is still in force comes back

    def _take_in(self) -> None:
        with self._lock:
            self._sort()
            self._index()

    def _index(self) -> None:
        while self._pending:
            secret = self._pending.pop()
            sure = self._known.get(secret, False)
            for reading in readings(secret):
                if len(reading) < (SHORTEST_SURE if sure else SHORTEST):
                    continue  # `%41%42%43`
                self._spaced = self._spaced or " " in reading
                self._anchors.add(reading)
                if len(reading) < SHORTEST:
                    self._short_anchors.add(reading)

    # --- finding -------------------------------------------------------------------------------------------------

    def redact(self, text: str, hide: Callable[[str], str] | None = None) -> str:
        """`text` with `[redacted]` in the place of each secret: those that were learnt, in any of their forms, and
        what is a secret by its place (a Cookie header, the user of a URL, `password=`).

        `hide`: called with each text that is hidden, gives what stands in its place.
        """
        if self._sources:
            self._ask()
        if self._heard or self._pending:
            self._take_in()
            if self._ask_everything:  # there was too much: what is in force comes back
                self._ask()
                self._take_in()
        line = flat(text)
        spans = [*masked_places(line), *self._found(line)]
        return unflat(_replaced(line, spans, hide)) if spans else text

    def _found(self, text: str) -> list[Span]:
        codings = (*CODINGS, FORM) if self._spaced else CODINGS
        seen = {text}

        def look(view: str, depth: int) -> list[Span]:
            spans = [*self._anchors.find(view), *self._short_anchors.find(view)]
            for coding in codings if depth else ():
                if coding.marker in view and len(seen) < _VIEWS:
                    decoded = coding.decoded(view)
                    if decoded not in seen:
                        seen.add(decoded)
                        inner = look(decoded, depth - 1)
                        if inner:
                            spans += coding.places(view, inner)
            return spans

        return look(text, _DEPTH)


class _Anchors:
    """Secrets by `size` characters of each of their forms, those forms of at least `size` and less than `below`."""

    def __init__(self, size: int, below: int | None = None) -> None:
        self._size = size
        self._below = below
        self._at: dict[str, list[_Anchor]] = {}

    def add(self, reading: str) -> None:
        """Be able to find a secret, one reading of it, in all forms that no escaping makes."""
        self._put(reading, reading, _PLAIN, 0)
        if len(reading) > _CUT:
            self._put(reading, reading, _PLAIN, len(reading) - self._size)
        for form in base64_forms(reading):
            self._put(form, reading, _BASE64_FORM, (len(form) - self._size) // 2)
        for form in hex_forms(reading):
            self._put(form, reading, _HEX_FORM, (len(form) - self._size) // 2)

    def _put(self, form: str, reading: str, kind: int, offset: int) -> None:
        if len(form) >= self._size and (self._below is None or len(form) < self._below):
            there = self._at.setdefault(form[offset : offset + self._size], [])
            anchor = (reading, kind, offset)
            if anchor not in there[-8:]:
                there.append(anchor)

    def find(self, text: str) -> Iterator[Span]:
        """Where `text` has a secret."""
        at, size = self._at, self._size
        if not at:
            return
        for place in [i for i in range(len(text) - size + 1) if text[i : i + size] in at]:
            for reading, kind, offset in list(at[text[place : place + size]]):
                start = place - offset
                if kind == _PLAIN:
                    span = _whole(text, (reading,), start) or _cut(text, reading, start, offset)
                elif kind == _HEX_FORM:
                    span = _whole(text, hex_forms(reading), start)
                else:
                    span = _widened(text, _whole(text, base64_forms(reading), start))
                if span is not None:
                    yield span


def _whole(text: str, forms: Iterable[str], start: int) -> Span | None:
    ends = [start + len(form) for form in forms if start >= 0 and text.startswith(form, start)]
    return (start, max(ends)) if ends else None


def _cut(text: str, secret: str, start: int, offset: int) -> Span | None:
    """What of a secret is left where a text was cut: its begin at the end of a line, its end at the begin of one."""
    if offset:
        end = start + len(secret)
        start = text.rfind("\n", 0, start + offset) + 1
        fits = secret.endswith(text[start:end])
    else:
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        half = _HALF_AN_ESCAPE.search(text, max(start, end - 7), end)
        end = end if half is None else half.start()
        while not (fits := secret.startswith(text[start:end])) and end > start and text[end - 1] in _AFTER_CUT:
            end -= 1
    # An URL in a cookie is no reason to hide the site's name.
    return (start, end) if fits and end - start >= _CUT and not is_common(text[start:end]) else None


def _widened(text: str, span: Span | None) -> Span | None:
    """With the characters of base64 beside it, which hold bits of the secret and of its neighbours, and the padding."""
    if span is None:
        return None
    start, end = span
    start -= start > 0 and text[start - 1] in _BASE64
    end += end < len(text) and text[end] in _BASE64
    while end < len(text) and text[end] == "=":
        end += 1
    return start, end


def _replaced(text: str, spans: list[Span], hide: Callable[[str], str] | None) -> str:
    pieces: list[str] = []
    done = 0
    for start, end in _merged(spans):
        pieces += (text[done:start], HIDDEN if hide is None else flat(hide(unflat(text[start:end]))))
        done = end
    return "".join((*pieces, text[done:]))


def _merged(spans: list[Span]) -> list[Span]:
    """The spans in order, those that overlap as one."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged

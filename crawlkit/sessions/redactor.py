"""Redactor: knows secrets and takes them out of texts, however they are written there.

What belongs here: learning, forgetting, and putting something else in their places. What does not: the ways of writing a
secret (secretforms.py), finding many at once (secretanchors.py), what is secret by its place (masks.py), what of a session
is secret (confiding.py).

Texts are few and short, secrets many and soon replaced. So learning is a look into a dict and an append, which a request
can afford, and nothing is worked out before a text asks for it. Then each secret leaves an *anchor* of eight characters
for each way of writing it in one dict, and a text is looked through once, whatever the number of secrets: 8 µs for a
line of 116 characters. Escapes are not listed but undone: a text with a `%` is looked at a second time without it. An
alternation of ten thousand secrets as a regular expression takes seconds to compile, and milliseconds a line.

`learn` may be called under other locks (a jar's) and `redact` under a log handler's: neither waits for anybody who
could be waiting for them. Nothing is logged here.
"""

from __future__ import annotations

import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import Protocol

from crawlkit.sessions.forklock import new_lock
from crawlkit.sessions.masks import masked_places
from crawlkit.sessions.secretanchors import Anchors
from crawlkit.sessions.secretforms import CODINGS, FORM, Span, flat, readings, unflat
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
        self._anchors = Anchors(SHORTEST)
        self._short_anchors = Anchors(SHORTEST_SURE, below=SHORTEST)
        self._spaced = False
        self._sources: tuple[weakref.ref[Source], ...] = ()
        self._listeners: tuple[Callable[[str], None], ...] = ()
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
        for listener in self._listeners:
            listener(text)
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

    def pass_on(self, listener: Callable[[str], None]) -> None:
        """Tell `listener` what is known, and from now on whatever is learnt, words and numbers too; some things twice.

        It is called by whoever learns, under whichever locks that holds: it must not wait.
        """
        with self._lock:
            self._listeners = (*self._listeners, listener)
            present = [*self._known, *(secret for secret, _ in self._heard)]
        for secret in present:
            listener(secret)

    def ask(self) -> None:
        """Have the sources tell their settings as they are now, for those who listen. (A text asks by itself.)"""
        if self._sources:
            self._ask()

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
                self._anchors, self._short_anchors = Anchors(SHORTEST), Anchors(SHORTEST_SURE, below=SHORTEST)
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

"""Volatile: what of a page's source changes with every answer and says nothing: tokens, nonces, times of generation.

What belongs here: rules that find such passages, and the hash of what is left. What does not: what follows from it
(unchanged.py). Nothing is ever changed but what is hashed: callbacks get the page as it came.

A rule is tried only where its word is found, and looks no further than a tag or a few dozen characters, so that the time
is linear in the size of the page. What could be a change that somebody wants to see is not touched: a date in the text, a
`<time>`, a number. `[crawl] ignore` adds patterns of the author's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

#: A page larger than this is hashed as it is.
MOST_BYTES = 4 * 1024 * 1024
#: How far a rule looks back for the beginning of a tag or comment, and forward for its end.
_TAG_BYTES = 8192

_TIME = (
    rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?"
    rb"|(?:[A-Z][a-z]{2},? )?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d(?: (?:GMT|UTC|[+-]\d{4}))?"
    rb"|\d{1,2}:\d\d:\d\d(?:\.\d{1,9})?(?: ?[AaPp][Mm])?"
    rb"|\d{10}(?:\d{3})?(?:\.\d{1,9})?(?!\d)"
    rb"|\d{1,9}(?:\.\d{1,12})? ?(?:ms|s|secs?|seconds?|milliseconds?)\b"
)


class Passage(NamedTuple):
    """A part of a page that counts for nothing: which rule says so, and from where to where in its bytes."""

    rule: str
    start: int
    end: int


class _Rule(NamedTuple):
    """`word` is looked for in the page in lower case; what group 1 of `pattern` finds from there on is a passage."""

    name: str
    word: bytes
    pattern: re.Pattern[bytes]


_VALUE = rb"""["']?\s{0,8}[:=]\s{0,8}["']?([\w+/=.%~-]{8,512})"""
#: Few words, for each costs a pass over the page: 25 to 80 µs for 100 KB.
_RULES = (
    _Rule("token", b"srf", re.compile(rb"srf[\w-]{0,40}+" + _VALUE, re.I)),
    _Rule("nonce", b"nonce", re.compile(rb"nonce" + _VALUE, re.I)),
    _Rule("session", b"sess", re.compile(rb"sess(?:ion)?id\w{0,20}=([\w.!%-]{8,256})", re.I)),
    *(
        _Rule("generated", word, re.compile(rb"%b\b[^<>\d]{0,40}?(%b)" % (word, _TIME), re.I))
        for word in (b"generated", b"rendered", b"served")
    ),
)
_TAG_WORDS = (b"token", b"srf", b"__viewstate", b"__eventvalidation", b"form_build_id")
#: A hidden field or a `<meta>` whose name is that of a token.
_TAG_NAME = re.compile(
    rb"""\s(?:name|id|property)\s*=\s*["']?[\w.:\[\]-]*?(?:token|[cx]srf|__viewstate|__eventvalidation|form_build_id)""",
    re.I,
)
_TAG_VALUE = re.compile(rb"""\s(?:value|content)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))""", re.I)
_COMMENT = re.compile(
    rb"generated|rendered|served|cached|seconds?\b|\bms\b|quer(?:y|ies)|timestamp|build|debug|request|trace", re.I
)


class Volatile:
    """The rules of one crawl. Any thread may call."""

    def __init__(self, ignore: Sequence[str] = ()) -> None:
        """`ignore` are the author's patterns: regular expressions, matched with the page's bytes read as UTF-8.

        Where a pattern has groups, what they match counts for nothing, else all that it matches. re.error when one is
        no regular expression.
        """
        self._ignore = [re.compile(pattern.encode()) for pattern in ignore]

    def digest(self, body: bytes, content_type: str | None) -> bytes:
        """16 bytes that are the same for two answers that differ in nothing that counts."""
        hashed = hashlib.blake2b((content_type or "").lower().encode("latin-1", "replace"), digest_size=16)
        view = memoryview(body)
        at = 0
        for passage in self.passages(body, content_type):
            if passage.start > at:
                hashed.update(view[at : passage.start])
            if passage.end > at:
                hashed.update(b"\0")
                at = passage.end
        hashed.update(view[at:])
        return hashed.digest()

    def passages(self, body: bytes, content_type: str | None) -> list[Passage]:
        """What counts for nothing in this page, in its order."""
        kind = (content_type or "").partition(";")[0].strip().lower()
        if len(body) > MOST_BYTES or not (kind == "" or kind.startswith("text/") or kind.endswith(_TEXTS)):
            return []
        found = [*_built_in(body)] if kind == "" or "html" in kind or "xml" in kind else []
        for pattern in self._ignore:
            for match in pattern.finditer(body):
                for group in range(1, pattern.groups + 1) if pattern.groups else (0,):
                    if match.start(group) >= 0:
                        found.append(Passage("ignore", match.start(group), match.end(group)))
        return sorted(found, key=lambda passage: (passage.start, -passage.end))


_TEXTS = ("html", "xml", "json", "javascript")


def _built_in(body: bytes) -> Iterator[Passage]:
    lower = body.lower()
    for rule in _RULES:
        at = lower.find(rule.word)
        while at >= 0:
            match = rule.pattern.match(body, at)
            if match is not None:
                yield Passage(rule.name, match.start(1), match.end(1))
            at = lower.find(rule.word, match.end() if match is not None else at + len(rule.word))
    for word in _TAG_WORDS:
        at = lower.find(word)
        while at >= 0:
            yield from _tag(body, lower, at)
            at = lower.find(word, at + len(word))
    yield from _comments(body, lower)


def _tag(body: bytes, lower: bytes, at: int) -> Iterator[Passage]:
    """The value of the hidden field, or the content of the `<meta>`, in whose name the word at `at` stands."""
    start = lower.rfind(b"<", max(0, at - _TAG_BYTES), at)
    if start < 0 or not lower.startswith((b"<input", b"<meta"), start):
        return
    end = lower.find(b">", at, at + _TAG_BYTES)
    if end < 0 or (lower.startswith(b"<input", start) and lower.find(b"hidden", start, end) < 0):
        return
    name = _TAG_NAME.search(body, start, end)
    value = _TAG_VALUE.search(body, start, end)
    if name is not None and value is not None and not value.start() <= at < value.end():
        group = value.lastindex or 0
        yield Passage("token", value.start(group), value.end(group))


def _comments(body: bytes, lower: bytes) -> Iterator[Passage]:
    """Comments that tell how the page was made."""
    at = lower.find(b"<!--")
    while at >= 0:
        end = lower.find(b"-->", at + 4)
        if end < 0:
            return
        if end - at <= _TAG_BYTES and _COMMENT.search(body, at + 4, end):
            yield Passage("comment", at + 4, end)
        at = lower.find(b"<!--", end)

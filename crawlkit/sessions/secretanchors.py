"""Secret anchors: many secrets found at once in a short text, by a few characters of each.

What belongs here: where a text has a secret as it is, in base64 or in hex, or what a cut left of one. What does not:
escapes and which values are secret (redactor.py), the ways of writing one (secretforms.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from crawlkit.sessions.secretforms import Span, base64_forms, hex_forms
from crawlkit.sessions.secretnames import is_common

_CUT = 12  # so much of a secret at the edge of a line is hidden though the rest was cut off
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")
_AFTER_CUT = frozenset("\"'`.,:;)]}\xe2\x80\xa6")  # closing marks, and the three bytes of an ellipsis
_HALF_AN_ESCAPE = re.compile(r"(?:%[0-9a-fA-F]?|\\(?:u[0-9a-fA-F]{0,3}|x[0-9a-fA-F]?)?|&#?\w{0,6})\Z")
_PLAIN, _BASE64_FORM, _HEX_FORM = range(3)

#: A reading of a secret, which kind of form the characters are of, and where in it they are.
_Anchor = tuple[str, int, int]


class Anchors:
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

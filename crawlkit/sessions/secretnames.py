"""Secret names: what says that a value is secret, the name that it goes by or the way it looks.

What belongs here: names of parameters and fields, and values that no name makes secret because they are words. What
does not: names of headers, which each session may choose (leaks.py), finding any of it in a text (masks.py).
"""

from __future__ import annotations

import re
from functools import lru_cache

HIDDEN = "[redacted]"
"""What stands in the place of a secret."""

_PASSWORD = re.compile(r"pass(?:word|wd|phrase|code)|passwd|pwd")
# Of a page there may be a token, too: where a listing goes on, which an error had better show.
_SECRET = re.compile(
    r"secret(?!ar)|(?<!page)(?<!page[_-])(?<!next)(?<!next[_-])(?<!continuation)(?<!continuation[_-])token(?![a-z])"
    r"|csrf|xsrf|jwt|api[_-]?key|sess(?:ion)?[_-]?(?:id|key)(?![a-z])|signature"
    r"|^(?:sid|session|auth)$|(?:^|[^a-z])t?otp(?:$|[^a-z])"
)
#: Of these one is in every name that is secret: looked for first, for it is cheap.
HINTS = ("pass", "pwd", "token", "secret", "sid", "sess", "key", "csrf", "xsrf", "otp", "auth", "jwt", "signature")

_NUMBER = re.compile(r"[\d\s.,:;+/_TZ-]+\Z")
_WORD = re.compile(r"(?:[^\W\d_]?[^\W\d_A-Z]{1,15}|[A-Z]{2,16})\Z")
_VOWEL = re.compile(r"[aeiouyàâäéèêëîïôöùûüœæåø]", re.IGNORECASE)
_PLACE = re.compile(r"(?:[a-z][a-z0-9+.-]*:/)?/|[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,8}(?=/|\Z)", re.IGNORECASE)
_PIECES = re.compile(r"[/.:?&=_-]+")
_SHORT = 5  # pieces of a path that need be no words: `https`, `www`, `2026`


@lru_cache(maxsize=1024)
def is_password_name(name: str) -> bool:
    """Whether a parameter or field of this name holds a password."""
    return _PASSWORD.search(name.lower()) is not None


@lru_cache(maxsize=1024)
def is_secret_name(name: str) -> bool:
    """Whether a parameter or field of this name holds a password, a token, a session's id or the like."""
    lower = name.lower()
    return _SECRET.search(lower) is not None or _PASSWORD.search(lower) is not None


@lru_cache(maxsize=1024)
def is_token_name(name: str) -> bool:
    """Whether what goes by this name is secret and nothing that a person chose: `reset_password_token`, not `password`."""
    return _SECRET.search(_PASSWORD.sub("", name.lower())) is not None


def is_common(value: str) -> bool:
    """Whether a value is so ordinary that hiding it everywhere would hide more than a secret: a number or a date, one
    word, a path or a host made of words and small numbers.
    """
    if _NUMBER.match(value) or _is_word(value):
        return True
    if not _PLACE.match(value):
        return False
    pieces = [piece for piece in _PIECES.split(value) if piece]
    return all(_is_word(piece) or (len(piece) <= _SHORT and (piece.isalpha() or piece.isdigit())) for piece in pieces)


def _is_word(text: str) -> bool:
    """Whether it could stand in a dictionary: letters of one case, with a share of vowels as words have it."""
    if not _WORD.match(text):
        return False
    share = len(_VOWEL.findall(text)) / len(text)
    return 0.2 <= share <= 0.7 or not text.isascii()

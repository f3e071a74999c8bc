"""Spelling: the ways in which one word is written in labels, in addresses and in lists, brought to one form.

What belongs here: case, accents, words run together, and the letters that addresses write as two. What does not: which
words mean something (guard_words.py) and what they mean (guard_command.py).
"""

from __future__ import annotations

import re
import unicodedata

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
NO_WORD = re.compile(r"[\W_]+")
_LETTERS = str.maketrans({"ı": "i", "ø": "o", "æ": "ae", "ł": "l", "đ": "d", "œ": "oe", "’": "'"})
_LETTER = re.compile(f"[{''.join(map(chr, _LETTERS))}]")
_ACCENT = re.compile("[\u0300-\u036f\u0591-\u05bd\u064b-\u065f\u3099\u309a]")
#: How addresses write letters that their alphabet lacks: German loeschen, Danish udfoer.
_AS_TWO = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})


def fold(text: str) -> str:
    """Without case and accents."""
    if text.isascii():
        return text.lower()
    text = text.casefold()
    if _LETTER.search(text) is not None:
        text = text.translate(_LETTERS)
    return _ACCENT.sub("", unicodedata.normalize("NFKD", text))


def split_words(text: str, *, names: bool = True) -> list[str]:
    """The words of a text, folded; of `names` also those that are written as one, as in `UserLogout`."""
    return [word for word in NO_WORD.split(fold(_CAMEL.sub(" ", text) if names else text)) if word]


def spellings(text: str) -> list[str]:
    """The text folded, and once more as addresses write it where that is another: wörterbuch, woerterbuch."""
    plain = fold(text)
    as_two = fold(text.casefold().translate(_AS_TWO))
    return [plain] if as_two == plain else [plain, as_two]

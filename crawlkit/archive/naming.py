"""Naming: how the site at a URL is called in names of files, titles and logs, which anybody may read.

What belongs here: what of a URL is harmless to tell. What does not: values that are known to be secret (redaction.py), what
is done with the name (sitecontents.py, cli/archive_job.py).

A query is left out whatever it says, and so is a piece of the path that was drawn at random: a link that somebody was given
to share may have its token there. A name that leaves out too much loses nothing, as long as a digest keeps it apart.
"""

from __future__ import annotations

import re

from crawlkit import url as urls

_QUERY = re.compile("[?;#]")
_LEAST_DRAWN = 16  # 64 bits, in hexadecimal digits
_SWITCH = re.compile(r"(?<=[a-z])[A-Z]|(?<=[A-Za-z])[0-9]|(?<=[0-9])[A-Za-z]")
#: One switch between small letters, capitals and digits in so many characters: words have fewer, tokens three times as many.
_RARE = 6
#: Of ten letters of a long word at least three are vowels, of letters that are drawn two.
_VOWELS_OF_TEN = 3
_LONG_NUMBER = re.compile(f"[0-9]{{{_LEAST_DRAWN}}}")
_LETTERS, _VOWELS = re.compile("[A-Za-z]+"), re.compile("[aeiouyAEIOUY]")


def harmless(start: str) -> str:
    """Host and path of a canonical URL without what may be secret: `docs.example.org/guide/intro.html`."""
    place, _, path = urls.split_userinfo(start)[0].partition("://")[2].partition("/")
    segments = _QUERY.split(path, maxsplit=1)[0].split("/")
    return "/".join((_QUERY.split(place, maxsplit=1)[0], *(each for each in segments if not _is_drawn(each)))).rstrip(
        "/"
    )


def _is_drawn(segment: str) -> bool:
    """Whether it looks as if it was drawn at random: no words, and long enough that nobody guesses it."""
    if len(segment) < _LEAST_DRAWN:
        return False
    if len(_SWITCH.findall(segment)) * _RARE >= len(segment):
        return True
    return _LONG_NUMBER.search(segment) is not None or any(
        len(letters) >= _LEAST_DRAWN and len(_VOWELS.findall(letters)) * 10 < len(letters) * _VOWELS_OF_TEN
        for letters in _LETTERS.findall(segment)
    )

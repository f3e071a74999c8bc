"""A profile's name that may be mistyped: which one was meant.

What belongs here: telling a mistyped name from a new one. What does not: where the name was given, and the error there
(cli/profiles.py, accounts.py).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

#: How like a name that there is another one must be to be taken for it, mistyped: two letters of three, as bbo and bob.
_LIKE = 0.66
_DIGITS = re.compile(r"\d+")


def meant(name: str, known: Iterable[str]) -> str | None:
    """The one of `known` that `name` was probably meant to be; None when it is one of them, or like none.

    Names that differ in a number alone, such as user1 and user2, are two names.
    """
    others = set(known)
    if name in others:
        return None
    bare = _DIGITS.sub("", name)
    near = difflib.get_close_matches(name, sorted(others), n=3, cutoff=_LIKE)
    return next((each for each in near if _DIGITS.sub("", each) != bare), None)

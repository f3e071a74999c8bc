"""Things and people in paths: whether a part of a URL's path is a number, a folder of things, the address of one, a name.

What belongs here: what a path's parts are by their shape and place. What does not: orders among them (guard_command.py) and
what follows from all that (guard_url.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote

from crawlkit.crawl import guard_words as words
from crawlkit.crawl.guard_command import ENDING, command_of
from crawlkit.crawl.guard_spelling import fold

_ID = re.compile(
    r"\d+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?=[a-z-]*\d)[0-9a-f]{8,}"
    r"|(?=\D*\d)(?=[^a-z]*[a-z])\w{10,}|(?!v\d)[a-z_]+[-_:.]?\d+|\d+[-.][a-z]\w*",
    re.IGNORECASE,
)
_PAGE_ENDING = re.compile(r"\.(?:s?html?|xhtml|md|txt)\Z", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)\d\d")
#: What /links/7 or /actions/4 lies below is not shown under a title.
_NO_THINGS = words.ACTIONS | words.SINGLETONS | words.SESSION_PARENTS | words.UNTITLED
#: A shorter word is a command only where it is clear what it is done to: `rm`, `del`, `ban`.
SHORT = 4


def is_aimed(after: Sequence[str]) -> bool:
    """Whether a number follows a verb: /delete/7, Magento's /remove/item/5."""
    if not after:
        return False
    return is_id(after[0]) or (len(after) > 1 and plain(after[0]) in (*words.OBJECTS, "id") and is_id(after[1]))


def is_persons(segments: Sequence[str], index: int) -> bool:
    """Whether this is somebody's name, with a page of theirs below it: /user/logout/photos."""
    below = plain(segments[index + 1]) if index + 1 < len(segments) else ""
    return (
        index > 0
        and plain(segments[index - 1]) in words.PERSONS
        and (below in words.PERSONAL or below in words.COLLECTIONS - words.MOUNTS)
    )


def is_thing(segments: Sequence[str]) -> bool:
    """Whether a path is the address of one thing among its like, where it is shown: /cards/12, /posts/7.

    Not of what there is one of for each visitor, nor of what is done: /sessions/3, /actions/4.
    """
    if len(segments) < 2 or not is_id(segments[-1]):
        return False
    kind = plain(segments[-2])
    if kind in words.COLLECTIONS - words.MOUNTS:
        return True
    singular = kind.removesuffix("s")
    acts = {kind, singular} & _NO_THINGS
    return is_many(kind) and not acts and command_of(kind) is None and command_of(singular) is None


def is_many(word: str) -> bool:
    """Whether a folder's name is a plural, or known to hold things."""
    return word in words.COLLECTIONS or (
        len(word) >= SHORT and word.endswith("s") and not word.endswith(("ss", "us", "is"))
    )


def plain(segment: str) -> str:
    """A part of a path as words are compared: decoded, folded, without a script's ending."""
    return fold(ENDING.sub("", unquote(segment).partition(";")[0])).replace("_", "-")


def is_id(text: str) -> bool:
    """Whether this names one thing: a number, a UUID, a token, `item-7`."""
    return _ID.fullmatch(text) is not None


def is_page(segment: str) -> bool:
    """Whether this is called as a written page is, and no script: remove.html."""
    return _PAGE_ENDING.search(segment) is not None


def dated(segments: Sequence[str]) -> bool:
    """Whether the path so far ends with year and month: a blog's article follows."""
    numbers = []
    for segment in reversed(segments):
        if not segment.isdigit():
            break
        numbers.append(segment)
    return len(numbers) > 1 and _YEAR.fullmatch(numbers[-1]) is not None

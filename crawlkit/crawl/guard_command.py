"""Commands: what a name or a text orders when it is read as words: to log out, to delete, to unsubscribe, to purge.

What belongs here: words, phrases, and how much of a name a phrase is. What does not: where the name stands, which decides
what it means (guard_url.py, guard_label.py), and the phrases themselves (guard_phrases.py).

A phrase counts when it is all of a name, or all but companions that do not change its meaning ("customer-logout",
`deletePost`), never as part of another word or of a sentence ("removers", "how-we-built-logout").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from crawlkit.crawl import guard_phrases as phrases
from crawlkit.crawl import guard_words as words
from crawlkit.crawl.guard_spelling import spellings, split_words

LOGS_OUT = "logs out"
DELETES = "deletes"
UNSUBSCRIBES = "unsubscribes"
PURGES = "purges"
CHANGES = "changes state"


class Form(IntEnum):
    """How much of a name the command is."""

    LOOSE = 1  # delete-widget: beside words that may make another thing of it
    WITH_OBJECT = 2  # delete-post
    EXACT = 3  # delete


class Command(NamedTuple):
    """A command that a name spells. `weak` words mean other things as well."""

    kind: str
    form: Form
    weak: bool


ENDING = re.compile(
    r"\.(?:php\d?|aspx?|ashx|axd|html?|xhtml|shtml|jspx?|jspa|jsf|do|action|cgi|pl|py|cfm|fcgi|dll|exe|seam|mvc|json|xml)\Z",
    re.IGNORECASE,
)
_FILE_ENDING = re.compile(
    r"\.(?:png|jpe?g|gif|svg|webp|avif|ico|bmp|css|js|mjs|map|pdf|mp[34]|webm|zip|gz|woff2?|ttf|txt|md|csv)\Z",
    re.IGNORECASE,
)
#: What may stand beside a word.
_SEPARATORS = "\0[](){}|,.!?:;/-_'\"&+*=<>«»‹›·•—–【】（）、。"
_MOST_WORDS = 6


def _spelled() -> Iterator[tuple[str, bool, str]]:
    """What each phrase does, whether it is weak, and how it is spelled; the stronger and more special ones come later."""
    lists: Sequence[tuple[str, bool, Mapping[str, str]]] = (
        (CHANGES, True, phrases.CHANGES_WEAK),
        (PURGES, True, phrases.PURGES_WEAK),
        (DELETES, True, phrases.DELETES_WEAK),
        (LOGS_OUT, True, phrases.SESSION_WEAK),
        (CHANGES, False, phrases.CHANGES),
        (PURGES, False, phrases.PURGES),
        (DELETES, False, phrases.DELETES),
        (UNSUBSCRIBES, False, phrases.UNSUBSCRIBES),
        (LOGS_OUT, False, phrases.SESSION),
    )
    for kind, weak, languages in lists:
        for phrase in ", ".join(languages.values()).split(","):
            for spelling in spellings(phrase):
                yield kind, weak, spelling


def _phrases() -> dict[tuple[str, ...], tuple[str, bool]]:
    """Phrase → what it does, and whether it is weak."""
    found: dict[tuple[str, ...], tuple[str, bool]] = {}
    for kind, weak, spelling in _spelled():
        spoken = tuple(split_words(spelling, names=False))
        found[spoken] = found[("".join(spoken),)] = (kind, weak)
    return found


PHRASES = _phrases()
LONGEST = max(map(len, PHRASES))
_GLUED = [
    (phrase[0], kind, weak)
    for phrase, (kind, weak) in PHRASES.items()
    if phrase[0] in ("logout", "logoff", "signout", "signoff", "delete", "remove", "unsubscribe", "destroy")
]


def _apart(text: str) -> list[str]:
    """The parts of a folded text between blanks and marks. Quick, also for the text of a whole page."""
    for mark in _SEPARATORS:  # a page of 1,500 links: 0.3 ms, a regular expression 5
        if mark in text:
            text = text.replace(mark, " ")
    return text.split()


def _spoken() -> Iterator[str]:
    """Of each phrase that a label may be, its longest part, and the phrase in one: most texts have none of them."""
    for kind, weak, spelling in _spelled():
        parts = _apart(spelling)
        if not weak or kind == LOGS_OUT or parts == ["remove"]:
            yield max(parts, key=len)
            yield "".join(parts)


_SPOKEN = frozenset(_spoken())


def telling_words(text: str) -> frozenset[str]:
    """The words of a folded text without which there is no phrase in it."""
    return _SPOKEN.intersection(_apart(text))


def companions_of(kind: str) -> frozenset[str]:
    """The words that may stand beside a phrase of this kind."""
    return words.SESSION_COMPANIONS if kind == LOGS_OUT else words.OBJECTS


def find_phrase(spoken: Sequence[str]) -> tuple[int, int, str, bool] | None:
    """The longest phrase among these words: begin, end, what it does, whether it is weak."""
    for length in range(min(LONGEST, len(spoken)), 0, -1):
        for start in range(len(spoken) - length + 1):
            found = PHRASES.get(tuple(spoken[start : start + length]))
            if found is not None:
                return start, start + length, *found
    return None


@lru_cache(maxsize=16384)
def command_of(name: str) -> Command | None:
    """The command that a path segment or a parameter's value spells, None when it spells none."""
    text = ENDING.sub("", unquote(name).partition(";")[0])
    if len(text) > 80 or _FILE_ENDING.search(text):
        return None
    spoken = split_words(text)
    if not 0 < len(spoken) <= _MOST_WORDS:
        return None
    found = find_phrase(spoken)
    if found is None:
        return _glued(spoken)
    start, end, kind, weak = found
    before, after = spoken[:start], spoken[end:]
    if kind != LOGS_OUT and not text.isascii() and len(spoken) == 1:
        return Command(kind, Form.EXACT, weak)
    if spoken[0].isascii() and len("".join(spoken[start:end])) < 4 and kind != LOGS_OUT:
        return Command(kind, Form.LOOSE, True) if not before and not after else None  # `sil`, `del`, `rm`
    others = [*before, *after]
    if not others:
        return Command(kind, Form.EXACT, weak)
    companions = companions_of(kind)
    if all(word in companions or word.isdigit() for word in others):
        return Command(kind, Form.WITH_OBJECT, weak)
    if len(others) > 2 or any(word in words.TOPICS for word in others):
        return None
    if kind == LOGS_OUT and "-" not in text and not weak:  # siteLogout, portal_logout: a program's name, not a title
        return Command(kind, Form.WITH_OBJECT, False)
    return Command(kind, Form.LOOSE, weak) if not before or (len(before) == 1 and not after) else None


def _glued(spoken: Sequence[str]) -> Command | None:
    """`dologout`, `deletepost`: words that were run together."""
    if len(spoken) != 1:
        return None
    word = spoken[0]
    for verb, kind, weak in _GLUED:
        rest = word.removeprefix(verb) if word.startswith(verb) else word.removesuffix(verb)
        if rest != word and rest in companions_of(kind):
            return Command(kind, Form.WITH_OBJECT, weak)
    return None

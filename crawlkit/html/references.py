"""References: addresses as markup and style sheets write them, each with what it is for.

What belongs here: the value, and which addresses are none that anybody could fetch. What does not: where they are found
(requisites.py, stylesheets.py, feeds.py), what they are relative to, and whether they may be fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

#: What is fetched: a frame is a document of its own; what is under "data" is read by a program or not at all.
Kind = Literal["image", "stylesheet", "script", "font", "media", "track", "frame", "object", "icon", "manifest", "data"]

#: URL standard, 4.4: these vanish wherever they stand, and spaces and control characters at both ends.
_VANISHING = re.compile(r"[\t\n\r]")
_ENDS = "".join(map(chr, range(33)))
#: A scheme other than http and https: data:, blob:, javascript:, about:, mailto:.
_OTHER_SCHEME = re.compile(r"(?!https?:)[a-z][a-z0-9+.-]*:", re.IGNORECASE)


class Reference(NamedTuple):
    """An address as it is written, still relative, and what it is for."""

    url: str
    kind: Kind


def address(written: str | None) -> str | None:
    """The address that `written` holds, without its fragment; None when nothing can be fetched there: nothing is
    written, it is a place in the same document (`#top`), or it has another scheme than http and https (`data:`).
    """
    if not written:
        return None
    text = written.strip(_ENDS).partition("#")[0]
    if not text.isprintable():
        text = _VANISHING.sub("", text).strip(_ENDS)
    return None if not text or _OTHER_SCHEME.match(text) else text


def reference(written: str | None, kind: Kind) -> Iterator[Reference]:
    """The reference that `written` is, if it is one."""
    found = address(written)
    if found is not None:
        yield Reference(found, kind)

"""What a session sends and how long it waits when nobody says otherwise.

What belongs here: the values and the mark for "not given". What does not: how they are merged (session.py).
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from crawlkit.sessions.headers import CaseInsensitiveDict, HeaderValue
from crawlkit.version import HOMEPAGE, VERSION


class Unset(Enum):
    """The type of `UNSET`, which stands for an argument that was not given, where None means something."""

    UNSET = "not given"

    def __repr__(self) -> str:
        return "<not given>"


UNSET: Final = Unset.UNSET


class UsualTimeout(tuple[float, float]):
    """A timeout (connect, read) that nobody asked for: it holds, and an adapter that sets its own goes before it."""


# Seconds to connect, and without a byte while reading. A job that nobody watches must not hang for ever.
DEFAULT_TIMEOUT: Final = UsualTimeout((10.0, 30.0))


def default_user_agent(name: str = "crawlkit") -> str:
    """Who is asking: name, version, and where its operator can read what it is."""
    return f"{name}/{VERSION} (+{HOMEPAGE})"


def default_headers() -> CaseInsensitiveDict[HeaderValue]:
    """A new mapping of the headers that a fresh session sends."""
    return CaseInsensitiveDict(
        {
            "User-Agent": default_user_agent(),
            "Accept-Encoding": "gzip, deflate, br, zstd",
            "Accept": "*/*",
            "Connection": "keep-alive",
        }
    )

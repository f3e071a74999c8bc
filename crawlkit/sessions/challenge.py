"""Challenges: what a server asks for in `WWW-Authenticate` or `Proxy-Authenticate` (RFC 9110 section 11.6.1).

What belongs here: reading. What does not: answering (digest.py).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from crawlkit.sessions.headers import unquote_header_value

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PARAM = re.compile(rf"""({_TOKEN})\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,]*)\s*(?:,|\Z)""")
_SCHEME = re.compile(rf"({_TOKEN})(?:[ \t]+|(?=,)|\Z)")
_TOKEN68 = re.compile(r"[A-Za-z0-9._~+/-]+=*\s*(?:,|\Z)")


class Challenge(NamedTuple):
    """A scheme in lower case and its parameters, names in lower case, values without their quotes."""

    scheme: str
    params: dict[str, str]


def parse_challenges(value: str) -> list[Challenge]:
    """Every challenge of a header's value, in its order. Several in one value are usual: proxies join
    repeated headers.

    What cannot be read is passed over: a server's mistake in one challenge does not hide the others.
    """
    challenges: list[Challenge] = []
    at = 0
    while at < len(value):
        if value[at] in " \t,":
            at += 1
        elif challenges and (param := _PARAM.match(value, at)):
            challenges[-1].params.setdefault(param[1].lower(), unquote_header_value(param[2]))
            at = param.end()
        elif scheme := _SCHEME.match(value, at):
            challenges.append(Challenge(scheme[1].lower(), {}))
            at = scheme.end()
            if blob := _TOKEN68.match(value, at):
                at = blob.end()
        else:
            at = _next_comma(value, at)
    return challenges


def _next_comma(value: str, at: int) -> int:
    comma = value.find(",", at)
    return len(value) if comma < 0 else comma + 1

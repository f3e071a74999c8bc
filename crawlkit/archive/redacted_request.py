"""Redacted request: the body of a request without its secrets.

What belongs here: fields of forms and members of JSON that are secret by their names. What does not: its head
(redacted_head.py), values that are known to be secret (substitution.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from crawlkit.archive.pseudonyms import Pseudonyms
from crawlkit.archive.substitution import Seen
from crawlkit.sessions.masks import masked_places
from crawlkit.sessions.secretforms import Span
from crawlkit.sessions.secretnames import is_secret_name

#: A body that is longer is no login.
MOST = 64 * 1024

_PART = re.compile(rb"""\bname="([^"\r\n]{1,64})"[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n(.+?)\r\n--""", re.DOTALL)


def masked_body(body: bytes, pseudonyms: Pseudonyms, seen: Seen) -> bytes:
    """`body` with pseudonyms for what is secret by its name; as long as it was. `seen` is added to."""
    out = bytearray(body)
    for start, end in _places(body):
        out[start:end] = pseudonyms.of(body[start:end].decode("latin-1")).encode("latin-1")
        seen["by its place",] += 1
    return bytes(out)


def _places(body: bytes) -> Iterator[Span]:
    end = 0
    for start, stop in sorted(masked_places(body.decode("latin-1"))):
        if start >= end:
            yield start, stop
            end = stop
    for match in _PART.finditer(body):
        if is_secret_name(match[1].decode("latin-1")):
            yield match.span(2)

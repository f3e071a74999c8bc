"""Secrets: what a request no longer needs to have in a database that may be published.

What belongs here: taking headers, cookies, body, a proxy's password, and what is called a secret in meta and cb_kwargs,
out of the JSON of a request whose page has ended. What does not: that JSON's meaning (crawl/request.py), when a page has
ended (pages.py, runs.py).

The file is zeroed where something is freed (opening.py), so that what is taken out here is in no byte of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from crawlkit.sessions.secretnames import HINTS, is_secret_name

_SECRET = ("headers", "cookies", "body")
_KEYS = tuple(f'"{name}":' for name in (*_SECRET, "proxy"))
#: What the author hands on to the callback.
_HANDED_ON = ("meta", "cb_kwargs")

#: How the JSON of a request ends from which something was taken: it cannot be sent again as it was.
STRIPPED = '"stripped":true}'


def without_secrets(request: str | None) -> str | None:
    """The JSON of a request without what may be secret; the same text when there is no such thing in it."""
    if request is None or not (any(key in request for key in _KEYS) or _may_hand_on(request)):
        return request
    state: dict[str, Any] = json.loads(request)
    secret = [(state, name) for name in _SECRET if name in state]
    secret += [
        (holder, "proxy")
        for holder in (state, state.get("meta"))
        if isinstance(holder, dict) and "@" in str(holder.get("proxy"))
    ]
    secret += [found for name in _HANDED_ON for found in _named(state.get(name))]
    if not secret:
        return request
    for holder, name in secret:
        del holder[name]
    return json.dumps(state | {"stripped": True}, ensure_ascii=False, separators=(",", ":"))


def _may_hand_on(request: str) -> bool:
    """Whether it is worth reading: most requests hand nothing on."""
    if not any(f'"{name}":' in request for name in _HANDED_ON):
        return False
    lower = request.lower()
    return any(hint in lower for hint in HINTS)


def _named(value: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """The texts in a JSON value whose names say that they are secret: who has them, and the name."""
    if isinstance(value, dict):
        for name, member in value.items():
            if isinstance(member, str) and member and is_secret_name(name):
                yield value, name
            else:
                yield from _named(member)
    elif isinstance(value, list):
        for member in value:
            yield from _named(member)

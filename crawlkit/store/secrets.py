"""Secrets: what a request no longer needs to have in a database that may be published.

What belongs here: taking headers, cookies, body and a proxy's password out of the JSON of a request whose page has
ended. What does not: that JSON's meaning (crawl/request.py), when a page has ended (pages.py, runs.py).

The file is zeroed where something is freed (opening.py), so that what is taken out here is in no byte of it.
"""

from __future__ import annotations

import json
from typing import Any

_SECRET = ("headers", "cookies", "body")
_KEYS = tuple(f'"{name}":' for name in (*_SECRET, "proxy"))

#: How the JSON of a request ends from which something was taken: it cannot be sent again as it was.
STRIPPED = '"stripped":true}'


def without_secrets(request: str | None) -> str | None:
    """The JSON of a request without what may be secret; the same text when there is no such thing in it."""
    if request is None or not any(key in request for key in _KEYS):
        return request
    state: dict[str, Any] = json.loads(request)
    secret = [(state, name) for name in _SECRET if name in state]
    secret += [
        (holder, "proxy")
        for holder in (state, state.get("meta"))
        if isinstance(holder, dict) and "@" in str(holder.get("proxy"))
    ]
    if not secret:
        return request
    for holder, name in secret:
        del holder[name]
    return json.dumps(state | {"stripped": True}, ensure_ascii=False, separators=(",", ":"))

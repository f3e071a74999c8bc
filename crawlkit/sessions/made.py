"""Answers that no server sent just now: a Response of a status, fields and a body that were kept somewhere.

What belongs here: making one, so that nobody can tell it from another. What does not: where the parts come from.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crawlkit.sessions.headers import CaseInsensitiveDict
from crawlkit.sessions.heads import Head
from crawlkit.sessions.raw import RawResponse
from crawlkit.sessions.response import Response


def made_response(
    request: Any,
    *,
    status: int,
    reason: str,
    fields: Iterable[tuple[str, str]],
    body: bytes,
    max_body: int | None = None,
    connection: Any = None,
) -> Response:
    """The Response to `request`. `body` is as its Content-Encoding says, `connection` the adapter that answers.

    Reading it raises what reading any other raises: BodyTooLarge past `max_body`, ContentDecodingError.
    """
    raw = made_raw(request, status=status, reason=reason, fields=fields, body=body, max_body=max_body)
    headers: CaseInsensitiveDict[str] = CaseInsensitiveDict()
    headers._store = raw.store
    response = Response()
    response.status_code, response.reason = status, reason
    response.headers = headers
    response.raw = raw
    response.url = request.url
    response.request = request
    response.connection = connection
    return response


def made_raw(
    request: Any,
    *,
    status: int,
    reason: str,
    fields: Iterable[tuple[str, str]],
    body: bytes,
    max_body: int | None = None,
) -> RawResponse:
    """Head and undecoded body alone, for who reads no more than that."""
    pairs = list(fields)
    store: dict[str, tuple[str, str]] = {}
    for name, value in pairs:
        lower = name.lower()
        store[lower] = (store[lower][0], f"{store[lower][1]}, {value}") if lower in store else (name, value)
    return RawResponse(Head(11, status, reason, pairs, store, 0), request, whole=body, max_body=max_body)

"""Answers that are not ours: the Response of an adapter that was written for requests, or of one of requests' own.

What belongs here: what a session does with its own Response and cannot do in the same way with another's. What does
not: what an adapter is asked (adapter.py), reading Set-Cookie (foreignjars.py, response.py).

Such an answer is handed on as it is, for its attributes may be what the program wants it for (whether it came out of a
cache, say). Errors that its adapter or its body raise are the adapter's.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from crawlkit.exceptions import RequestException
from crawlkit.sessions.response import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from crawlkit.sessions.prepared import PreparedRequest


def set_cookie_lines(response: Any) -> list[str]:
    """The values of the Set-Cookie headers, one an item."""
    return Response.set_cookie_lines(response)


def note_elapsed(response: Any, seconds: float) -> None:
    """Write down how long the exchange took."""
    if isinstance(response, Response):
        response._elapsed_seconds = seconds  # made a timedelta when somebody asks
    else:
        response.elapsed = timedelta(seconds=seconds)


def note_next(response: Any, onward: Callable[[], PreparedRequest]) -> None:
    """Give an answer whose redirect is not followed its `next`: ours when it is asked for, another's at once."""
    if isinstance(response, Response):
        response._onward = onward
    else:
        response._next = onward()


def give_up(response: Any, error: OSError) -> None:
    """Leave a body that cannot be read, or is too long; who asks one of ours for it gets the error."""
    if not isinstance(response, Response):
        response.close()
    elif isinstance(error, RequestException):
        response._failed(error)
    else:
        raise error

"""`crawlkit.get()` and its kin: one request by a session of its own, which is closed behind it.

For more than one request to a site use a Session: it keeps connections and cookies. What is passed on is what requests
passes on, for tests that put something of theirs in the place of `request()`.
"""

from __future__ import annotations

from typing import Any

from crawlkit.sessions.response import Response
from crawlkit.sessions.session import Session


def request(method: str, url: Any, **kwargs: Any) -> Response:
    """Sends one request; `kwargs` are those of `Session.request()`. Any thread."""
    with Session() as session:
        return session.request(method=method, url=url, **kwargs)


def get(url: Any, params: Any = None, **kwargs: Any) -> Response:
    """Fetches `url`; `params` go into its query."""
    return request("get", url, params=params, **kwargs)


def options(url: Any, **kwargs: Any) -> Response:
    """Asks what may be done with `url`."""
    return request("options", url, **kwargs)


def head(url: Any, **kwargs: Any) -> Response:
    """Fetches the head of `url`; redirects are not followed unless `allow_redirects=True`."""
    kwargs.setdefault("allow_redirects", False)
    return request("head", url, **kwargs)


def post(url: Any, data: Any = None, json: Any = None, **kwargs: Any) -> Response:
    """Sends `data` or `json` to `url`."""
    return request("post", url, data=data, json=json, **kwargs)


def put(url: Any, data: Any = None, **kwargs: Any) -> Response:
    """Stores `data` at `url`."""
    return request("put", url, data=data, **kwargs)


def patch(url: Any, data: Any = None, **kwargs: Any) -> Response:
    """Changes what is at `url` by `data`."""
    return request("patch", url, data=data, **kwargs)


def delete(url: Any, **kwargs: Any) -> Response:
    """Removes what is at `url`."""
    return request("delete", url, **kwargs)

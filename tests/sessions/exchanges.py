"""Sending through an adapter in tests, as a Session does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from crawlkit.sessions.adapter import HTTPAdapter
from crawlkit.sessions.pool import ConnectionPool
from crawlkit.sessions.prepared import PreparedRequest
from crawlkit.sessions.response import Response


def prepared(url: str, method: str = "GET", **kwargs: Any) -> PreparedRequest:
    """A prepared request."""
    request = PreparedRequest()
    request.prepare(method=method, url=url, **kwargs)
    return request


@contextmanager
def adapter(**settings: Any) -> Iterator[HTTPAdapter]:
    """An adapter over a pool with these settings, closed at the end."""
    sender = HTTPAdapter(pool=ConnectionPool(**settings))
    try:
        yield sender
    finally:
        sender.close()


def fetch(url: str, method: str = "GET", *, settings: dict[str, Any] | None = None, **kwargs: Any) -> Response:
    """One exchange on a pool of its own, the body read. `kwargs` for preparing and for send()."""
    sending = {
        name: kwargs.pop(name)
        for name in ("timeout", "verify", "cert", "proxies", "deadline", "max_body")
        if name in kwargs
    }
    sending.setdefault("timeout", 10)
    with adapter(**(settings or {})) as sender:
        response = sender.send(prepared(url, method, **kwargs), **sending)
        _ = response.content
        return response

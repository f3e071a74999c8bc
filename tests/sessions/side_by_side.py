"""Preparing the same arguments with requests and with crawlkit, in a form that can be compared."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import requests

from crawlkit.sessions.models import Request

Arguments = Mapping[str, Any] | Callable[[], Mapping[str, Any]]


def prepared(kind: Any, arguments: Arguments) -> dict[str, Any]:
    """Method, URL, headers as a set, and body (streams read); or the name of the exception.

    A row that is a function is called for each side, so that each has a stream of its own.
    """
    kwargs = dict(arguments() if callable(arguments) else arguments)
    kwargs.setdefault("method", "GET")
    kwargs.setdefault("url", "http://example.org/")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            request = kind(**kwargs).prepare()
    except Exception as error:  # noqa: BLE001 - any kind is an outcome to compare
        return {"raises": type(error).__name__}
    headers = {name.lower(): _plain(value) for name, value in request.headers.items()}
    return {"method": request.method, "url": request.url, "headers": headers, "body": _read(request.body)}


def by_both(arguments: Arguments) -> tuple[dict[str, Any], dict[str, Any]]:
    """What requests makes of the arguments, and what crawlkit does."""
    return prepared(requests.Request, arguments), prepared(Request, arguments)


def _plain(value: str | bytes) -> str:
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    return re.sub(r"boundary=[0-9a-f]{32}", "boundary=B", text)


def _read(body: Any) -> bytes | None:
    if body is None:
        return None
    if hasattr(body, "read"):
        body = body.read()
    elif not isinstance(body, (str, bytes, bytearray)):
        body = b"".join(part if isinstance(part, bytes) else part.encode() for part in body)
    data = body.encode() if isinstance(body, str) else bytes(body)
    return re.sub(rb"--[0-9a-f]{32}", b"--B", data)

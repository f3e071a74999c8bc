"""Heads of requests and responses as text for `fetch --headers`, without the credentials in them: of a cookie one sees
that it is there, not what is in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawlkit.cli.secrecy import redact
from crawlkit.cli.terminal import safe

if TYPE_CHECKING:
    from crawlkit.sessions.response import Response


def heads(response: Response) -> Iterator[str]:
    """Every exchange that led to `response`, oldest first.

    Request lines after `>`, response lines after `<`.
    """
    for exchange in (*response.history, response):
        request = exchange.request
        target = urlsplit(request.url or "")
        path = (target.path or "/") + (f"?{target.query}" if target.query else "")
        yield f"> {request.method} {safe(redact(path), one_line=True)}"
        if "host" not in {name.lower() for name in request.headers}:
            yield f"> Host: {target.netloc.rpartition('@')[2]}"
        yield from (f"> {line}" for line in _lines(request.headers))
        yield ">"
        yield f"< {exchange.status_code} {safe(redact(exchange.reason or ''), one_line=True)}".rstrip()
        yield from (f"< {line}" for line in _lines(exchange.headers))
        yield "<"


def _lines(headers: Mapping[str, str | bytes]) -> Iterator[str]:
    for name, value in headers.items():
        text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
        yield safe(redact(f"{name}: {text}"), one_line=True)

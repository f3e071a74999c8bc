"""Heads of requests and responses as text for `fetch --headers`. Values that are credentials are left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawlkit.cli.terminal import safe

if TYPE_CHECKING:
    from crawlkit.sessions.response import Response

_HIDDEN = "<hidden>"
_SECRET = frozenset({"authorization", "proxy-authorization"})


def heads(response: Response) -> Iterator[str]:
    """Every exchange that led to `response`, oldest first.

    Request lines after `>`, response lines after `<`.
    """
    for exchange in (*response.history, response):
        request = exchange.request
        target = urlsplit(request.url or "")
        path = (target.path or "/") + (f"?{target.query}" if target.query else "")
        yield f"> {request.method} {safe(path, one_line=True)}"
        if "host" not in {name.lower() for name in request.headers}:
            yield f"> Host: {target.netloc.rpartition('@')[2]}"
        yield from (f"> {line}" for line in _lines(request.headers))
        yield ">"
        yield f"< {exchange.status_code} {safe(exchange.reason or '', one_line=True)}".rstrip()
        yield from (f"< {line}" for line in _lines(exchange.headers))
        yield "<"


def _lines(headers: Mapping[str, str | bytes]) -> Iterator[str]:
    for name, value in headers.items():
        text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
        yield f"{safe(name, one_line=True)}: {safe(_shown(name.lower(), text), one_line=True)}"


def _shown(name: str, value: str) -> str:
    """The value as it may be seen: which cookies there are, not what is in them."""
    if name in _SECRET:
        return f"{value.split(' ', 1)[0]} {_HIDDEN}"
    if name == "cookie":
        return "; ".join(f"{pair.partition('=')[0].strip()}={_HIDDEN}" for pair in value.split(";"))
    if name == "set-cookie":
        cookie, semicolon, attributes = value.partition(";")
        return f"{cookie.partition('=')[0]}={_HIDDEN}{semicolon}{attributes}"
    return value

"""Exchanges as values, for tests that need no network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crawlkit.archive.capture import Capture
from crawlkit.archive.exchange import Exchange

NOW = 1_700_000_000.125


def exchange(
    answer: bytes,
    *,
    method: str = "GET",
    url: str = "http://site.example/page?q=1",
    request: bytes = b"GET /page?q=1 HTTP/1.1\r\nHost: site.example\r\n\r\n",
    truncated: str | None = None,
    address: str | None = "192.0.2.7",
    tls: str | None = None,
    folder: Path | None = None,
    clock: Any = lambda: NOW,
    **options: Any,
) -> Exchange:
    """The exchange of these bytes, as a Capture makes it; `answer` may have 1xx answers before it."""
    made: list[Exchange] = []
    capture = Capture(method, url, publish=made.append, folder=folder, clock=clock, **options)
    capture.connected(address, tls)
    capture.sent(request)
    for start in range(0, len(answer), 1 << 16):
        capture.received(answer[start : start + (1 << 16)])
    capture.done(truncated)
    return made[0]


def page(body: bytes = b"<p>hello</p>", *lines: str, status: str = "200 OK") -> bytes:
    """A plain answer of HTML with its length."""
    fields = "".join(f"{line}\r\n" for line in ("Content-Type: Text/HTML; charset=utf-8", *lines))
    return f"HTTP/1.1 {status}\r\n{fields}Content-Length: {len(body)}\r\n\r\n".encode("latin-1") + body


def chunked(*chunks: bytes, coding: str = "") -> bytes:
    """An answer whose body is in these chunks, with an extension and a trailer."""
    fields = f"Content-Encoding: {coding}\r\n" if coding else ""
    head = f"HTTP/1.1 200 OK\r\n{fields}Transfer-Encoding: chunked\r\n\r\n"
    framed = b"".join(b"%x;n=v\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return head.encode() + framed + b"0\r\nX-Trailer: 1\r\n\r\n"

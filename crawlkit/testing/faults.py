"""Scripts of what goes wrong with servers, by name. How they are played is in hostile.py.

    with HostileServer() as server:
        urls = faults.play_all(server)      # {"truncated_length": "http://127.0.0.1:…/truncated_length", …}

`FAULTS` maps a name to its scripts and says in a line what the client sees. A fault that tries a client's
patience sends a byte every `SLOW_SECONDS`, or nothing for an hour, so give the client a deadline.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from typing import NamedTuple

from crawlkit.testing.hostile import Close, HostileServer, Pause, Repeat, Reset, Script, Step, Trickle, answer

SLOW_SECONDS = 0.5
PAGE = b"<!doctype html><title>Fault</title><h1>A page</h1><p>With some words on it.</p>"


class Fault(NamedTuple):
    """`says` is what the client sees; `scripts` are played in turn, the last from then on."""

    says: str
    scripts: tuple[Script, ...]


def gzip_bomb(megabytes: int, *, layers: int = 1, status: str = "200 OK") -> Sequence[Step]:
    """An answer that unpacks to so many MiB of zeros, packed `layers` times. Small on the wire.

    One layer is many gzip members in a row (RFC 1952, 2.2), so that 10 GB cost no time to make.
    """
    member = gzip.compress(bytes(1024 * 1024), 9, mtime=0)
    if layers == 1:
        return [_gzip_head(status, "gzip", len(member) * megabytes), Repeat(member, megabytes)]
    packed = member * megabytes
    for _ in range(layers - 1):
        packed = gzip.compress(packed, 9, mtime=0)
    return [_gzip_head(status, ", ".join(["gzip"] * layers), len(packed)), packed]


def _gzip_head(status: str, coding: str, length: int) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\n"
    return f"{head}Content-Encoding: {coding}\r\nContent-Length: {length}\r\n\r\n".encode()


def coded(coding: str, body: bytes) -> bytes:
    """An answer whose Content-Encoding is `coding` and whose body is `body` as it stands."""
    return answer(200, body, [("Content-Encoding", coding)])


def chunked(body: bytes = b"") -> bytes:
    """The head of a chunked answer and after it these bytes as they stand."""
    return answer(200, headers=[("Transfer-Encoding", "chunked")], length=False) + body


def redirect(status: int, location: str) -> bytes:
    """A redirect, its Location as it stands."""
    return answer(status, b"moved", [("Location", location)])


def _lines(count: int, *, size: int = 1) -> bytes:
    return answer(200, PAGE, [(f"X-Line-{number}", "a" * size) for number in range(count)])


def _down(status: str, retry_after: str | None = None) -> bytes:
    return answer(status, b"later", [("Retry-After", retry_after)] if retry_after is not None else [])


def _one(says: str, *steps: Step) -> Fault:
    return Fault(says, (steps,))


def _then_ok(says: str, *steps: Step) -> Fault:
    return Fault(says, (steps, (_OK,)))


_OK = answer(200, PAGE)
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
_500 = b"Content-Length: 500\r\n\r\n"
_2 = b"Content-Length: 2\r\n\r\nok"
_PACKED = gzip.compress(PAGE, mtime=0)
_EURO = b"<meta charset=windows-1252><h1>\x80 5</h1>"
_MANY_ATTRIBUTES = b"<p " + b" ".join(b"a%d=1" % number for number in range(5000)) + b">"

CONNECTION = {
    "reset": _one("a TCP reset instead of an answer", Reset()),
    "closed": _one("the connection closes without a byte", Close()),
    "reset_once": _then_ok("a reset, then an answer", Reset()),
    "reset_in_head": _one("a reset in the middle of the head", _HEAD, Reset()),
    "reset_in_body": _one("a reset in the middle of the body", _HEAD + _500 + PAGE, Reset()),
    "closed_in_head": _one("the connection closes in the middle of the head", _HEAD, Close()),
    "closed_after": _one("a good answer, then the connection closes unannounced", _OK, Close()),
}
TIME = {
    "silent": _one("the request is read and nothing ever comes", Pause(3600)),
    "slow_head": _one("the head comes byte by byte", Trickle(_OK, SLOW_SECONDS)),
    "slow_body": _one("the body comes byte by byte", _HEAD + _500, Trickle(PAGE, SLOW_SECONDS)),
    "stuck_body": _one("the body stops half-way", _HEAD + _500 + PAGE, Pause(3600)),
    "endless_body": _one("a body without an end", _HEAD + b"\r\n", Repeat(b"<p>more</p>" * 1000)),
    "endless_chunks": _one("chunks without an end", chunked(), Repeat(b"400\r\n" + b"a" * 1024 + b"\r\n")),
    "endless_head": _one("header lines without an end", _HEAD, Repeat(b"X-More: and more\r\n" * 100)),
}
FRAMING = {
    "truncated_length": _one("fewer bytes than Content-Length", _HEAD + _500 + PAGE, Close()),
    "longer_than_length": _one("more bytes than Content-Length", _HEAD + _2 + b"and more", Close()),
    "length_negative": _one("a length below zero", _HEAD + b"Content-Length: -1\r\n\r\n" + PAGE, Close()),
    "length_words": _one("a length in words", _HEAD + b"Content-Length: many\r\n\r\n" + PAGE, Close()),
    "lengths_differ": _one("two lengths that differ", _HEAD + b"Content-Length: 5\r\n" + _2, Close()),
    "no_length": _one("the body ends with the connection", _HEAD + b"\r\n" + PAGE, Close()),
    "chunk_garbage": _one("a chunk size that is no number", chunked(b"5\r\nhello\r\nzz\r\nyou\r\n"), Close()),
    "chunk_truncated": _one("the connection closes in a chunk", chunked(b"ff\r\nhello"), Close()),
    "chunk_no_end": _one("the last chunk never comes", chunked(b"5\r\nhello\r\n"), Close()),
    "chunk_negative": _one("a chunk size below zero", chunked(b"-5\r\nhello\r\n0\r\n\r\n"), Close()),
    "chunk_huge": _one("a chunk size of many digits", chunked(b"f" * 100 + b"\r\nhello\r\n"), Close()),
    "chunk_trailers": _one("trailers after the last chunk", chunked(b"5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n")),
    "no_content_body": _one("204 with a body", b"HTTP/1.1 204 No Content\r\n" + _2, Close()),
}
CODINGS = {
    "gzip_garbage": _one("Content-Encoding: gzip on plain text", coded("gzip", PAGE)),
    "gzip_truncated": _one("gzip that ends early", coded("gzip", _PACKED[:-20])),
    "gzip_empty": _one("Content-Encoding: gzip on no body at all", coded("gzip", b"")),
    "gzip_bad_sum": _one("gzip with a wrong checksum", coded("gzip", _PACKED[:-8] + bytes(8))),
    "deflate_raw": _one("deflate without zlib's frame", coded("deflate", zlib.compress(PAGE)[2:-4])),
    "br_garbage": _one("Content-Encoding: br on plain text", coded("br", PAGE)),
    "zstd_garbage": _one("Content-Encoding: zstd on plain text", coded("zstd", PAGE)),
    "coding_unknown": _one("a Content-Encoding that nobody knows", coded("rot13", PAGE)),
    "codings_many": _one("twenty codings named", coded(", ".join(["gzip"] * 20), PAGE)),
    "gzip_bomb": Fault("200 MiB of zeros in 200 KB", (gzip_bomb(200),)),
    "gzip_bomb_nested": Fault("the same, packed three times", (gzip_bomb(200, layers=3),)),
    "redirect_bomb": Fault("a bomb as a redirect's body", (gzip_bomb(50, status="302 Found\r\nLocation: /ok"),)),
}
HEADS = {
    "headers_300": _one("300 header lines", _lines(300)),
    "headers_5000": _one("5,000 header lines", _lines(5000)),
    "header_huge": _one("a header line of 300 KB", _lines(1, size=300_000)),
    "header_no_colon": _one("a header line without a colon", _HEAD + b"what is this\r\n" + _2),
    "header_space": _one("a blank before the colon", _HEAD + b"Content-Length : 2\r\n\r\nok", Close()),
    "header_folded": _one("a folded header line", _HEAD + b"X-Long: one\r\n two\r\n" + _2),
    "header_latin1": _one("header bytes above 127", _HEAD + b"X-Name: caf\xe9\r\n" + _2),
    "header_nul": _one("a NUL in a header", _HEAD + b"X-Nul: a\x00b\r\n" + _2),
    "bare_lf": _one("lines that end with LF alone", b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok"),
    "not_http": _one("no HTTP at all", b"SSH-2.0-OpenSSH_9.2\r\n", Close()),
    "status_words": _one("a status that is no number", b"HTTP/1.1 OK fine\r\n" + _2, Close()),
    "status_999": _one("status 999", answer("999 Request denied", PAGE)),
    "http_09": _one("a body without a head", PAGE, Close()),
    "http_10": _one("HTTP/1.0, closed after the body", b"HTTP/1.0 200 OK\r\n\r\n" + PAGE, Close()),
    "early_hints": _one("103, then the answer", b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + _OK),
    "many_1xx": _one("forty interim answers first", b"HTTP/1.1 102 Processing\r\n\r\n" * 40 + _OK),
    "switching": _one("101 that nobody asked for", b"HTTP/1.1 101 Switching\r\nUpgrade: h9\r\n\r\n", Close()),
    "cookies_500": _one("500 cookies", answer(200, PAGE, [("Set-Cookie", f"c{n}=v") for n in range(500)])),
    "cookie_huge": _one("a cookie of 100 KB", answer(200, PAGE, [("Set-Cookie", "big=" + "a" * 100_000)])),
}
REDIRECTS = {
    "redirect_loop": _one("a redirect to itself", redirect(302, "/redirect_loop")),
    "redirect_ping": _one("a redirect that comes back", redirect(302, "/redirect_pong")),
    "redirect_pong": _one("the other half of it", redirect(302, "/redirect_ping")),
    "redirect_file": _one("a redirect to a file: URL", redirect(302, "file:///etc/passwd")),
    "redirect_script": _one("a redirect to a javascript: URL", redirect(302, "javascript:alert(1)")),
    "redirect_bad": _one("a Location that is no URL", redirect(302, "http://[::bad/")),
    "redirect_empty": _one("an empty Location", redirect(302, "")),
    "redirect_none": _one("302 without a Location", answer(302, b"where to?")),
}
LATER = {
    "too_many": _one("429 with Retry-After: 1", _down("429 Too Many Requests", "1")),
    "too_many_once": _then_ok("429 with Retry-After: 1, then the page", _down("429 Too Many Requests", "1")),
    "unavailable": _one("503 without a word", _down("503 Service Unavailable")),
    "unavailable_once": _then_ok("503, then the page", _down("503 Service Unavailable")),
    "retry_negative": _one("Retry-After: -5", _down("503 Service Unavailable", "-5")),
    "retry_words": _one("Retry-After: soon", _down("503 Service Unavailable", "soon")),
    "retry_past": _one("Retry-After: 1970", _down("503 Down", "Thu, 01 Jan 1970 00:00:00 GMT")),
    "retry_year": _one("Retry-After of a year", _down("503 Service Unavailable", "31536000")),
}
CONTENT = {
    "charset_wrong": _one("UTF-8 said, latin-1 sent", answer(200, b"<title>caf\xe9</title>")),
    "charset_unknown": _one("a charset that nobody knows", answer(200, PAGE, kind="text/html; charset=klingon")),
    "charset_meta": _one("windows-1252, said by the page alone", answer(200, _EURO, kind="text/html")),
    "charset_bom": _one("UTF-16 by its mark, UTF-8 by HTTP", answer(200, "<h1>é</h1>".encode("utf-16"))),
    "binary": _one("a PNG that is called HTML", answer(200, b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20)),
    "empty": _one("200 with no body", answer(200)),
    "no_type": _one("a page without a Content-Type", answer(200, PAGE, kind=None)),
    "deep": _one("20,000 nested elements", answer(200, b"<div>" * 20_000)),
    "attributes": _one("an element with 5,000 attributes", answer(200, _MANY_ATTRIBUTES)),
    "huge": _one("12 MB of HTML", answer(200, b"<p>word</p>\n" * 1_000_000)),
    "ok": _one("a good page", _OK),
}

FAULTS: dict[str, Fault] = {
    **CONNECTION,
    **TIME,
    **FRAMING,
    **CODINGS,
    **HEADS,
    **REDIRECTS,
    **LATER,
    **CONTENT,
}
"""Every fault by its name."""


def play_all(server: HostileServer) -> dict[str, str]:
    """Give the server every fault at /NAME; the URLs by name. `refused` is there too, on its own port."""
    urls = {name: server.play(f"/{name}", *fault.scripts) for name, fault in FAULTS.items()}
    urls["refused"] = server.refused_url("/refused")
    return urls

"""A request as bytes: its head, and its body in pieces (RFC 9112 sections 3, 6 and 7).

What belongs here: the last look at what goes on the wire, whoever put it together: no header can hold a line break, no
request two lengths, no body more or less than its length. What does not: which headers a request gets (prepared.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from crawlkit.exceptions import InvalidHeader, RequestException

_TOGETHER = 64 * 1024  # a body up to this size goes into one send with the head
_BLOCK = 64 * 1024

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# Written at a place of their own, whatever the order that they came in; and those that are looked at.
_PLACED = frozenset(("host", "content-length", "transfer-encoding", "proxy-authorization"))
_WATCHED = _PLACED | {"connection", "accept-encoding"}

# Methods and names that were found to be tokens; names that this module has a say in map to their lower case, others
# to "". Bounded by starting over.
_methods: set[str] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_names: dict[str, str] = {}
_NAMES_MAX = 2048


class Outgoing(NamedTuple):
    """`first` is the head, with the body behind it when that is short; `rest` the body's other pieces, or None.

    `last`: the request asks for the connection to be closed after it.
    """

    first: bytes
    rest: Iterator[bytes] | None
    last: bool


def outgoing(
    method: str,
    target: str,
    host_field: str,
    headers: Mapping[str, Any],
    body: Any,
    *,
    proxy_fields: Iterable[tuple[str, str]] = (),
    hide_proxy_authorization: bool = False,
) -> Outgoing:
    """A request with these headers, Host in front and the framing behind them; both are added where they are missing.

    `proxy_fields` are for a proxy that gets the request itself. With `hide_proxy_authorization` the request goes to the
    origin through a tunnel, and credentials for the proxy are not its business. Raises InvalidHeader, which never shows
    a value.
    """
    if method not in _methods:
        _check_method(method)
    lines = [f"{method} {target} HTTP/1.1"]
    watched: dict[str, str] = {}
    for name, value in headers.items():
        special = _names.get(name)
        if special is None:
            name, special = _learn(name)
        if type(value) is not str:
            value = _text(name, value)
        if special:
            watched[special] = value
            if special in _PLACED:
                continue
        lines.append(f"{name}: {value}")
    lines.insert(1, f"Host: {watched.get('host', host_field)}")
    if "accept-encoding" not in watched:
        # Without it a server may take any coding (RFC 9110 section 12.5.3); who left it out wants none.
        lines.append("Accept-Encoding: identity")
    if proxy_fields:
        lines += [f"{name}: {value}" for name, value in proxy_fields]
    secret = None if hide_proxy_authorization else watched.get("proxy-authorization")
    if secret is not None and all(name.lower() != "proxy-authorization" for name, _ in proxy_fields):
        lines.append(f"Proxy-Authorization: {secret}")
    whole: bytes | None = None
    rest: Iterator[bytes] | None = None
    if body is not None or "transfer-encoding" in watched:
        whole, rest = _frame(lines, watched, body)
    elif "content-length" in watched:
        lines.append(f"Content-Length: {watched['content-length']}")
    first = _head(lines)
    if whole:
        if len(whole) <= _TOGETHER:
            first += whole
        else:
            rest = _blocks(whole)
    return Outgoing(first, rest, "connection" in watched and "close" in watched["connection"].lower())


def _head(lines: list[str]) -> bytes:
    # One look at everything: printable characters need no second one.
    if not "".join(lines).isprintable():
        for line in lines:
            if "\r" in line or "\n" in line or "\0" in line:
                raise InvalidHeader(
                    f"header {line.partition(':')[0][:60]!r} holds a line break or NUL; it was not sent"
                )
    lines.append("\r\n")
    try:
        return "\r\n".join(lines).encode("latin-1")
    except UnicodeEncodeError:
        raise InvalidHeader(
            "a header holds characters beyond latin-1; pass the bytes that are meant, such as .encode('utf-8')"
        ) from None


def _check_method(method: str) -> None:
    if not isinstance(method, str) or not _TOKEN.fullmatch(method):
        raise InvalidHeader(f"{method!r} is not a method: it must be a token (RFC 9110 section 9.1)")
    if len(_methods) < 100:
        _methods.add(method)


def _learn(name: Any) -> tuple[str, str]:
    text = name.decode("latin-1") if isinstance(name, bytes) else name
    if not isinstance(text, str) or not _TOKEN.fullmatch(text):
        raise InvalidHeader(f"{name!r} is not a header's name: it must be a token (RFC 9110 section 5.1)")
    lower = text.lower()
    special = lower if lower in _WATCHED else ""
    if len(_names) >= _NAMES_MAX:
        _names.clear()
    _names[text] = special
    return text, special


def _text(name: str, value: Any) -> str:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (bytes, bytearray)):
        return value.decode("latin-1")
    raise InvalidHeader(f"the value of header {name!r} must be str or bytes, not {type(value).__name__}")


# --- bodies ----------------------------------------------------------------------------------------------------------


def _frame(lines: list[str], watched: dict[str, str], body: Any) -> tuple[bytes | None, Iterator[bytes] | None]:
    """Append the one framing header that the body gets; the body as bytes, or as pieces."""
    announced = watched.get("content-length")
    coding = watched.get("transfer-encoding")
    data = _in_memory(body)
    if announced is not None and (coding is None or coding.strip().lower() == "chunked"):
        # Never both (RFC 9112 section 6.2). A length that somebody knew is worth more: not every server takes chunks.
        length = _length(announced)
        lines.append(f"Content-Length: {announced}")
        if data is None:
            return None, _counted(_pieces(body), length)
        if len(data) != length:
            raise InvalidHeader(f"Content-Length is {length} and the body has {len(data)} bytes; it was not sent")
        return data, None
    if coding is None and data is not None:
        lines.append(f"Content-Length: {len(data)}")
        return data, None
    if coding is not None and coding.rpartition(",")[2].strip().lower() != "chunked":
        raise InvalidHeader("the last coding in Transfer-Encoding must be chunked (RFC 9112 section 6.1)")
    lines.append(f"Transfer-Encoding: {coding or 'chunked'}")
    return None, _chunks(_blocks(data) if data is not None else _pieces(body))


def _in_memory(body: Any) -> bytes | None:
    if body is None:
        return b""
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode("utf-8")
    if isinstance(body, (bytearray, memoryview)):
        return bytes(body)
    return None


def _length(announced: str) -> int:
    text = announced.strip()
    if not (text.isascii() and text.isdecimal()):
        raise InvalidHeader(f"Content-Length is no length: {announced[:40]!r}")
    return int(text)


def _blocks(data: bytes) -> Iterator[bytes]:
    view = memoryview(data)
    for start in range(0, len(data), _BLOCK):
        yield bytes(view[start : start + _BLOCK])


def _pieces(body: Any) -> Iterator[bytes]:
    """The bytes of a file or an iterable, text as UTF-8, empty pieces left out: an empty chunk would end the body."""
    if hasattr(body, "read"):
        parts: Iterable[Any] = iter(lambda: body.read(_BLOCK), None)
    else:
        parts = body
    for part in parts:
        if not part:
            if hasattr(body, "read"):
                return
            continue
        yield _piece(part)


def _piece(part: Any) -> bytes:
    if isinstance(part, bytes):
        return part
    if isinstance(part, str):
        return part.encode("utf-8")
    try:
        return bytes(memoryview(part))  # bytes() of a number would be as many NULs
    except TypeError:
        raise TypeError(f"a body's pieces must be bytes or text, not {type(part).__name__}") from None


def _chunks(pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


def _counted(pieces: Iterator[bytes], length: int) -> Iterator[bytes]:
    """The pieces, as long as they add up to `length`: what is beyond would be read as the next request."""
    left = length
    for piece in pieces:
        left -= len(piece)
        if left < 0:
            raise RequestException(f"the body is longer than its Content-Length of {length} bytes")
        yield piece
    if left:
        raise RequestException(f"the body ended {left} bytes short of its Content-Length of {length}")

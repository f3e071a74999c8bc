"""Redacted head: the head of a request or an answer, without its secrets.

What belongs here: what is secret in a head by its place, whatever its value: cookies, authorizations, headers whose names
say it, the user of a URL. And the fields that tell of a body that was changed. What does not: values that are known to be
secret (substitution.py), bodies (redacted_body.py).

A head is changed within its lines, which stay in order and as they were spelt, folded ones too; nothing is parsed and
written anew.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable, Iterator

from crawlkit.archive.pagesecrets import parameter_tokens
from crawlkit.archive.pseudonyms import Pseudonyms
from crawlkit.archive.substitution import Seen
from crawlkit.sessions import bodies
from crawlkit.sessions.leaks import SECRET_HEADERS, is_secret
from crawlkit.sessions.secretnames import is_password_name

_ATTRIBUTES = frozenset(
    (b"expires", b"max-age", b"domain", b"path", b"samesite", b"priority", b"secure", b"httponly", b"partitioned")
)
_ALWAYS = ("authorization", "proxy-authorization", "x-*-token", "x-*token*", *SECRET_HEADERS)
#: Digests of the body as it was: wrong now, and good for trying what a short secret was.
_DIGESTS = frozenset(("content-md5", "digest", "content-digest", "repr-digest", "x-goog-hash"))
_USER = re.compile(rb"""(?<=//)[^\s/?#"'<>\\]+(?=@)""")
_PARAMETER = re.compile(rb"""(?<=[?&;])([\w.%\[\]$-]{2,64})=([^&;#\s"'<>\\,]+)""")
_SCHEME = re.compile(rb"[ \t]*[^\s]+[ \t]+(?=[^\s])")
_FIELD_END = re.compile(rb"\r?\n(?![ \t])")
_AROUND = b' \t\r\n"'


class HeadRedaction:
    """Hides what is secret in heads by its place. `patterns` are names of secret headers, beside the usual ones. Any
    thread may call anything.
    """

    def __init__(self, pseudonyms: Pseudonyms, patterns: Iterable[str] = ()) -> None:
        self._pseudonyms = pseudonyms
        self._patterns = (*_ALWAYS, *patterns)

    def secrets(self, head: bytes) -> Iterator[str]:
        """What in `head` is secret and may be found elsewhere, too: values of cookies and credentials, tokens in URLs."""
        for name, value in _fields(head):
            for start, end in self._places(name, value):
                text = value[start:end]
                yield text.decode("latin-1")
                if name == "authorization" and value[:6].lower() == b"basic ":
                    yield from _password(text)
        yield from parameter_tokens(head.decode("latin-1"))

    def masked(self, head: bytes, seen: Seen) -> bytes:
        """`head` with pseudonyms in such places; as long as it was. `seen` is added to."""
        out = bytearray(head)
        at = 0
        for field in _raw_fields(head):
            name, value, offset = _split(field)
            found = list(self._places(name, value)) if name else []
            for start, end in found or _in_urls(field):
                begin = at + start + (offset if found else 0)
                out[begin : begin + end - start] = self._pseudonym(head[begin : begin + end - start])
                seen["by its place",] += 1
            at += len(field)
        return bytes(out)

    def masked_url(self, url: str) -> str:
        """A URL whose parameters called password and the like are hidden, whatever their values."""
        data = url.encode("utf-8", "surrogatepass")
        out = bytearray(data)
        for start, end in _in_urls(data):
            out[start:end] = self._pseudonym(data[start:end])
        return out.decode("utf-8", "replace")

    def _places(self, name: str, value: bytes) -> Iterator[tuple[int, int]]:
        if name in ("cookie", "cookie2"):
            yield from _of_cookies(value, attributes=False)
        elif name in ("set-cookie", "set-cookie2"):
            yield from _of_cookies(value, attributes=True)
        elif is_secret(name, self._patterns):
            words = _SCHEME.match(value) if name.endswith("authorization") else None
            yield from _stripped(value, words.end() if words else 0, len(value))

    def _pseudonym(self, secret: bytes) -> bytes:
        return self._pseudonyms.of(secret.decode("latin-1")).encode("latin-1")


def _of_cookies(value: bytes, *, attributes: bool) -> Iterator[tuple[int, int]]:
    start = 0
    for number, part in enumerate(value.split(b";")):
        name, equals, _ = part.partition(b"=")
        if not (attributes and number and name.strip(_AROUND).lower() in _ATTRIBUTES):
            yield from _stripped(value, start + (len(name) + 1 if equals else 0), start + len(part))
        start += len(part) + 1


def _stripped(value: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Without what is around a value and no part of it."""
    text = value[start:end]
    start += len(text) - len(text.lstrip(_AROUND))
    size = len(text.strip(_AROUND))
    if size:
        yield start, start + size


def _in_urls(field: bytes) -> Iterator[tuple[int, int]]:
    if b"@" in field:
        yield from (match.span() for match in _USER.finditer(field))
    if b"=" in field:
        for match in _PARAMETER.finditer(field):
            if is_password_name(match[1].decode("latin-1")):
                yield match.span(2)


def _password(basic: bytes) -> Iterator[str]:
    try:
        yield b64decode(basic, validate=True).partition(b":")[2].decode("latin-1")
    except ValueError:
        return  # somebody's own idea of Basic


# --- lines -----------------------------------------------------------------------------------------------------------


def _raw_fields(head: bytes) -> Iterator[bytes]:
    """The lines of a head with their ends, those that are folded as one."""
    start = 0
    for match in _FIELD_END.finditer(head):
        yield head[start : match.end()]
        start = match.end()
    if start < len(head):
        yield head[start:]


def _fields(head: bytes) -> Iterator[tuple[str, bytes]]:
    for field in _raw_fields(head):
        name, value, _ = _split(field)
        if name:
            yield name, value


def _split(field: bytes) -> tuple[str, bytes, int]:
    """Name in lower case, value, and where the value begins; no name for what is no field."""
    name, colon, value = field.partition(b":")
    if not colon or b" " in name.strip(b" \t"):
        return "", b"", 0
    return name.strip(b" \t").decode("latin-1").lower(), value, len(name) + 1


def fitted(head: bytes, pseudonyms: Pseudonyms, *, length: int | None) -> bytes:
    """The head of an answer whose body was changed. Digests of the old body are left out, its entity tag is hidden, for
    that is one mostly. `length`: of the new body, where that is another one; -1 for one that says itself where it ends.
    """
    fields = []
    for field in _raw_fields(head):
        name, value, offset = _split(field)
        if name in _DIGESTS or (name == "content-length" and length == bodies.CHUNKED):
            continue
        if name == "content-length" and length is not None:
            field = field[:offset] + b" %d" % length + field[len(field.rstrip(b"\r\n")) :]
        elif name == "etag":
            tag = value.strip(b" \t\r\n").removeprefix(b"W/").strip(b'"')
            field = field[:offset] + value.replace(tag, pseudonyms.of(tag.decode("latin-1")).encode("latin-1"), 1)
        fields.append(field)
    return b"".join(fields)

"""Masks: where a text shows a secret by its place: after `Cookie:`, before the `@` of a URL, behind `password=`.

What belongs here: finding such places, whatever the value is. What does not: values that are known to be secret
(redactor.py), what a secret's name is (secretnames.py).

A mask covers as little as it may: the names of cookies, the scheme of an Authorization, a URL but for its user stay to
be read. Text that was masked already has the same places, so that masking it again changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from crawlkit.sessions.secretforms import Span
from crawlkit.sessions.secretnames import HINTS, is_secret_name

# `Name: value` up to the end of the line, or to the quote that stands before the name; a line may be written `\r\n`.
_HEADER = re.compile(
    r"""(["'])?(?:(?<![\w-])|(?<=\\[rn]))(?P<name>set-cookie2?|cookie2?|(?:proxy-)?authorization|x-api-key|api-key|x-csrftoken"""
    r"""|x-[a-z0-9-]{0,60}token|[a-z0-9][a-z0-9-]{0,60}-(?:token|secret|password))[ \t]*:[ \t]*"""
    r"""(?P<value>(?(1)(?:(?!\1)[^\r\n\\]|\\(?![rn])[^\r\n])+|(?:[^\r\n\\]|\\(?![rn])[^\r\n])+))""",
    re.IGNORECASE,
)
_HEADER_HINTS = ("cookie", "authorization", "token", "api-key", "secret", "password")

# "name": "value", 'name': 'value' and ('name', 'value'), in JSON and in the repr of anything.
_QUOTED = re.compile(
    r"""(?P<quote>\\?["'])(?P<name>[\w.\[\]-]{2,64})(?P=quote)\s*[:,]\s*b?(?P<open>\\?["'])(?P<value>(?:\\(?!["'])."""
    r"""|(?!(?P=open))(?:\\.|[^\\]))*)(?P=open)""",
    re.DOTALL,
)
_HEADER_NAME = re.compile(
    r"(?:set-)?cookie2?|(?:proxy-)?authorization|(?:x-)?api-key|x-csrftoken|[a-z0-9-]+-(?:token|secret|password)",
    re.IGNORECASE,
)

_PARAMETER = re.compile(
    r"""(?<![\w.%\[\]$-])(?P<name>[\w.%\[\]$-]{2,64})=(?:b?"(?P<double>(?:[^"\\\r\n]|\\.)+)"|b?'(?P<single>(?:[^'\\\r\n]|\\.)+)'"""
    r"""|(?P<bare>[^&;#\s"'<>\\]+))"""
)
# With one slash, too: what is left of a URL that was taken for a file's path.
_USERINFO = re.compile(r"""(?:[a-z0-9+.-]:(?:\\?/){2}|https?:\\?/)([^\s/?#"'<>\\]+)@""", re.IGNORECASE)

#: What may follow a cookie in Set-Cookie and is no secret.
_ATTRIBUTE = re.compile(
    r"\s*(?:expires=[\w, :+-]*|max-age=-?\d*|domain=[\w.-]*|path=[^,;\s]*|samesite=\w*|priority=\w*"
    r"|secure|httponly|partitioned)\s*\Z",
    re.IGNORECASE,
)


def masked_places(text: str) -> Iterator[Span]:
    """The spans of `text` that show a secret by their place; they may overlap, and come in no order."""
    lower = text.lower()
    if any(hint in lower for hint in _HEADER_HINTS):
        for match in _HEADER.finditer(text):
            yield from _of_header(match["name"].lower(), match["value"], match.start("value"))
    if "@" in text and (":/" in text or ":\\/" in text):
        yield from (match.span(1) for match in _USERINFO.finditer(text))
    if not any(hint in lower for hint in HINTS) and "cookie" not in lower:
        return
    if "=" in text:
        for match in _PARAMETER.finditer(text):
            if is_secret_name(match["name"]):
                yield match.span(match.lastgroup or "bare")
    if '"' in text or "'" in text:
        for match in _QUOTED.finditer(text):
            name = match["name"]
            if _HEADER_NAME.fullmatch(name):
                yield from _of_header(name.lower(), match["value"], match.start("value"))
            elif match["value"] and is_secret_name(name):
                yield match.span("value")


def _of_header(name: str, value: str, at: int) -> Iterator[Span]:
    """What of the value of a header, which stands at `at`, is the secret."""
    if name.startswith("set-cookie"):
        yield from _of_cookies(value, at, attributes=True)
    elif name.startswith("cookie"):
        yield from _of_cookies(value, at, attributes=False)
    elif value:
        scheme, space, rest = value.partition(" ")
        begin = len(scheme) + len(space) if rest.strip() and name.endswith("authorization") else 0
        yield at + begin, at + len(value)


def _of_cookies(value: str, at: int, *, attributes: bool) -> Iterator[Span]:
    """The values of `name=value; …`; what has no name is hidden whole."""
    start = 0
    for number, part in enumerate(value.split(";")):
        end = start + len(part)
        if part.strip() and not (attributes and number and _ATTRIBUTE.match(part)):
            equals = part.find("=")
            begin = start + equals + 1 if equals >= 0 else start + len(part) - len(part.lstrip())
            if begin < end:
                yield at + begin, at + end
        start = end + 1

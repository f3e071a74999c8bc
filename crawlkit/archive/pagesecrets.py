"""Page secrets: tokens that a page gives to whoever is logged in, by the names that they go by there.

What belongs here: hidden fields, meta elements, data attributes, parameters of links, members of JSON and what scripts
are given. What does not: anything that only looks like a secret: documentation that shows `password=…` or
`csrf_token = "…"` in its text stays as it is, and so do values that are short, numbers or words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ahocorasick_rs import BytesAhoCorasick, Implementation

from crawlkit.html.entities import unescaped
from crawlkit.sessions import secretnames
from crawlkit.sessions.secretforms import BYTES, Span, flat, unflat
from crawlkit.sessions.secretnames import is_common, is_password_name

_HINTS = (b"token", b"srf", b"nonce", b"sess", b"sid=", b"signature", b"secret", b"jwt", b"apikey")
_PASSWORDS = (b"passw", b"passphrase", b"passcode", b"pwd")
_SCRIPT, _SCRIPT_END = b"<script", b"</script"
_BEARER = b"bearer "
_MARKS = (*_HINTS, *_PASSWORDS, _SCRIPT, _SCRIPT_END, _BEARER)
_FINDER = BytesAhoCorasick(_MARKS, implementation=Implementation.DFA)
_NAME = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-[]"
_NAME_BYTES = frozenset(bytes((byte,)) for byte in _NAME)
_AFTER_NAME = frozenset(bytes((byte,)) for byte in b"\"'= \t\n\r:>\\&")
_LONGEST_NAME = 64
_LONGEST_TAG = 8192
_LONGEST_ATTRIBUTE = 256 * 1024  # with the data of a whole page
_LEAST = 8
_MOST = 4096
_LEAST_TICKET = 20  # of a single sign-on (CAS); that of a bug tracker is shorter
_MOST_TOKENS = 1000  # of one page are looked for everywhere: what more it has is hidden where it stands

_NAMED = re.compile(rb"""(?:name|id|property|http-equiv|itemprop)\s*=\s*["']?\Z""", re.IGNORECASE)
_VALUE = re.compile(rb"""\b(?:value|content)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))""", re.IGNORECASE)
_FIELDS = (b"<input", b"<meta", b"<button")
_EDGE = re.compile(rb"[<>]")  # a tag that another one begins in is none: a page of such would take minutes
_ATTRIBUTE = re.compile(rb"""\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_PARAMETER = re.compile(rb"""=([^?&;#\s"'<>\\]+)""")
_MEMBER = re.compile(
    rb"""(?:\\?["'])?\]?\s*[:=,]\s*(?:\\?["'])((?:[^"'\\<>\s]|\\{1,2}(?:/|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}))+)\\?["']"""
)
#: JSON in an attribute, as `data-page` has it.
_QUOTE = rb"\\?&(?:quot|apos|#34|#39|#x22|#x27);"
_QUOTED_MEMBER = re.compile(_QUOTE + rb"\s*[:,]\s*" + _QUOTE + rb"""([^"'<>\s]{1,4096}?)""" + _QUOTE)
#: RFC 6750, section 2.1, of a length that no word of a text has.
_BEARER_TOKEN = re.compile(rb"[A-Za-z0-9._~+/-]{20,4096}=*")
_LINKED = re.compile(rb"""=([^&;#\s"'<>\\,]{1,4096})""")
_LINKED_NAME = _NAME + b"%$"
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_WORD_LETTERS = 4  # in each word of a name, on average
_SHORT_WORD = 3  # and that says nothing by itself: `of`, `by`, `Py`
_PARAMETERS = re.compile(r"[?&;#]([\w.%\[\]$-]{2,64})=([^?&;#\s\"'<>\\,]+)")


def is_token_name(name: str) -> bool:
    """Whether what goes by `name` is a token, and nothing that a person chose."""
    lower = name.lower()
    return secretnames.is_token_name(name) or "nonce" in lower or "apikey" in lower


def is_token(value: str) -> bool:
    """Whether a value that goes by such a name is one, and not a name itself, as `library/tokenize` in an index."""
    return _LEAST <= len(value) <= _MOST and not is_common(value) and not _is_made_of_words(value)


def _is_made_of_words(value: str) -> bool:
    """Whether it is words and what joins them, `like_this` or LikeThis: chance makes no such thing."""
    pieces = _WORDS.findall(value)
    letters = sum(map(len, pieces))
    return (
        letters >= _WORD_LETTERS * len(pieces) > 0
        and not any(character.isdigit() for character in value)
        and all(is_common(piece.lower()) for piece in pieces if len(piece) > _SHORT_WORD)
    )


def parameter_tokens(text: str) -> Iterator[str]:
    """The tokens in the query, the path and the fragment of the URLs in `text`."""
    if "=" in text:
        for match in _PARAMETERS.finditer(text):
            is_ticket = match[1] == "ticket" and len(match[2]) >= _LEAST_TICKET
            if (is_ticket or is_token_name(match[1])) and is_token(match[2]):
                yield match[2]


def page_tokens(data: bytes, *, markup: bool) -> tuple[list[str], list[Span]]:
    """The tokens in a page, HTML (`markup`), or JSON or a script; and where the values of its fields against forgery are
    that are too short or too ordinary to be looked for anywhere else, the passwords in its links (in the addresses these
    lead to they are hidden for their place, too), and tokens beyond the thousandth.
    """
    tokens: list[str] = []
    short: set[Span] = set()
    in_script, end, linked = not markup, 0, 0
    for which, at, _ in _FINDER.find_matches_as_indexes(data.lower(), overlapping=True):
        mark = _MARKS[which]
        if mark is _SCRIPT or mark is _SCRIPT_END:
            in_script = mark is _SCRIPT or not markup
        elif mark is _BEARER:
            if (in_script or not markup) and (token := _BEARER_TOKEN.match(data, at + len(mark))):
                tokens.append(token[0].decode("ascii"))
        elif mark in _PASSWORDS:
            if markup and at >= linked and (place := _linked_password(data, at, at + len(mark))):
                short.add(place)
                linked = place[1]
        elif at >= end:  # the name is not the one that another hint has found
            begin, end = _name_around(data, at, at + len(mark.rstrip(b"=")))
            span = _value_of(data, begin, end, markup=markup, in_script=in_script)
            found = [] if span is None else [text for text in _spellings(data, span) if is_token(text)]
            if data[end : end + 1] in _NAME_BYTES:
                end = at + 1  # the name is longer than we look: another hint in it may find its end
            if len(tokens) < _MOST_TOKENS:
                tokens += found
            elif span is not None and found:
                short.add(span)
            is_field = markup and b"srf" in data[begin:end].lower() and data[end : end + 1] != b"="
            if is_field and span is not None and not found and span[0] < span[1]:
                short.add(span)
    return tokens, sorted(short)


def _linked_password(data: bytes, begin: int, end: int) -> Span | None:
    """Where the value is of a password in the query of a link, of whose name `begin` and `end` are the known part."""
    begin, end = _name_around(data, begin, end, _LINKED_NAME)
    if data[end : end + 1] != b"=" or data[begin - 1 : begin] not in (b"?", b"&", b";"):
        return None
    if not is_password_name(data[begin:end].decode("latin-1")) or _tag_around(data, begin, _LONGEST_TAG) < 0:
        return None
    found = _LINKED.match(data, end)
    return None if found is None else found.span(1)


def _spellings(data: bytes, span: Span) -> set[str]:
    value = unescaped(data[span[0] : span[1]].decode("utf-8", "replace").strip())
    for _ in range(2):  # in a string of JSON that is a string of JSON
        if "\\" in value:
            value = unflat(BYTES.decoded(flat(value)))
    return {value}


def _name_around(data: bytes, begin: int, end: int, inside: bytes = _NAME) -> tuple[int, int]:
    first, last = max(0, begin - _LONGEST_NAME), min(len(data), end + _LONGEST_NAME)
    while begin > first and data[begin - 1] in inside:
        begin -= 1
    while end < last and data[end] in inside:
        end += 1
    return begin, end


def _value_of(data: bytes, begin: int, end: int, *, markup: bool, in_script: bool) -> Span | None:
    """Where the value is that goes by the name between `begin` and `end`; None when it is no token's name, or has none."""
    if data[end : end + 1] not in _AFTER_NAME or not is_token_name(data[begin:end].strip(b"[]").decode("latin-1")):
        return None
    reach = _LONGEST_ATTRIBUTE if data[end] == ord("&") else _LONGEST_TAG
    tag = _tag_around(data, begin, reach) if markup else -1
    if tag >= 0:
        found = _in_tag(data, tag, begin, end)
    elif not in_script:
        return None
    else:
        found = _PARAMETER.match(data, end) if data[begin - 1 : begin] in (b"?", b"&", b";") else None
        found = found or _MEMBER.match(data, end)
    return None if found is None else found.span(found.lastindex or 0)


def _tag_around(data: bytes, at: int, reach: int) -> int:
    """Where the tag begins that `at` is in, if that is within `reach` bytes; -1 when it is in none."""
    start = data.rfind(b"<", max(0, at - reach), at)
    return start if start >= 0 and data.find(b">", start, at) < 0 and data[start + 1 : start + 2].isalpha() else -1


def _in_tag(data: bytes, tag: int, begin: int, end: int) -> re.Match[bytes] | None:
    if data[end] == ord("&"):
        return _QUOTED_MEMBER.match(data, end)
    if data[begin - 1 : begin] in (b"?", b"&", b";", b"#") and (found := _PARAMETER.match(data, end)):
        return found
    if _NAMED.search(data, max(tag, begin - 24), begin):
        if not data[tag : tag + 8].lower().startswith(_FIELDS):
            return None
        close = _EDGE.search(data, end, end + _LONGEST_TAG)
        return None if close is None else _VALUE.search(data, tag, close.start())
    return _ATTRIBUTE.match(data, end)

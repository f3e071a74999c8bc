"""Header fields: the case-insensitive mapping, what may go on the wire, and reading list-like values.

What belongs here: names and values of headers as text. What does not: which headers a request gets
(prepared.py), reading heads from a socket (wire), cookies.
"""

from __future__ import annotations

import re
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, MutableMapping, ValuesView
from typing import Any, TypeVar, overload
from urllib.request import parse_http_list

from crawlkit.exceptions import InvalidHeader

V = TypeVar("V")
D = TypeVar("D")

HeaderValue = str | bytes


class CaseInsensitiveDict(MutableMapping[str, V]):
    """A mapping whose keys are equal whatever their case (RFC 9110 section 5.1); it keeps the case last
    written.

    May be read from one thread while another writes: every copy and iteration works on a snapshot.
    """

    __slots__ = ("__weakref__", "_store")

    def __init__(self, data: Mapping[str, V] | Iterable[tuple[str, V]] | None = None, **kwargs: V) -> None:
        self._store: dict[str, tuple[str, V]]
        if isinstance(data, CaseInsensitiveDict):
            self._store = data._store.copy()
        else:
            self._store = {}
            if data is not None:
                self.update(data)
        if kwargs:
            self.update(kwargs)

    def __setitem__(self, key: str, value: V) -> None:
        self._store[key.lower()] = (key, value)

    def __getitem__(self, key: str) -> V:
        return self._store[key.lower()][1]

    def __delitem__(self, key: str) -> None:
        del self._store[key.lower()]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, (str, bytes)) and key.lower() in self._store

    @overload
    def get(self, key: str, /) -> V | None: ...
    @overload
    def get(self, key: str, default: V | D, /) -> V | D: ...

    def get(self, key: str, default: Any = None, /) -> Any:
        """The value of `key` in any case, else `default`."""
        pair = self._store.get(key.lower())
        return default if pair is None else pair[1]

    def __iter__(self) -> Iterator[str]:
        return iter([key for key, _ in list(self._store.values())])

    def __len__(self) -> int:
        return len(self._store)

    def keys(self) -> KeysView[str]:
        """The keys as last written."""
        return KeysView(self)

    def values(self) -> ValuesView[V]:
        """The values, in the order in which their keys first came."""
        return _Values(self)

    def items(self) -> ItemsView[str, V]:
        """Pairs of key as last written and value."""
        return _Items(self)

    def lower_items(self) -> Iterator[tuple[str, V]]:
        """Pairs of key in lower case and value."""
        return ((lower, pair[1]) for lower, pair in list(self._store.items()))

    def copy(self) -> CaseInsensitiveDict[V]:
        """A new mapping with the same pairs."""
        return CaseInsensitiveDict(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        return dict(self.lower_items()) == dict(CaseInsensitiveDict(other).lower_items())

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(dict(self.items()))

    def __getstate__(self) -> dict[str, tuple[str, V]]:
        return self._store

    def __setstate__(self, state: dict[str, tuple[str, V]]) -> None:
        self._store = state


class _Items(ItemsView[str, V]):
    """What is stored *is* the pairs; the inherited view would look each key up again."""

    _mapping: CaseInsensitiveDict[V]

    def __iter__(self) -> Iterator[tuple[str, V]]:
        return iter(list(self._mapping._store.values()))


class _Values(ValuesView[V]):
    _mapping: CaseInsensitiveDict[V]

    def __iter__(self) -> Iterator[V]:
        return iter([value for _, value in list(self._mapping._store.values())])

    def __contains__(self, value: object) -> bool:
        return value in [each for _, each in list(self._mapping._store.values())]


# --- what may go on the wire (RFC 9110 section 5.5; CVE-2016-5699 and its many siblings) --------------------

_NAME = re.compile(r"[^:\s\x00][^:\r\n\x00]*\Z")
_VALUE = re.compile(r"(?:\S[^\r\n\x00]*)?\Z")

# Pairs that were found valid. A crawl sends the same few headers a million times: one C call instead of a
# regular expression for each. Bounded by starting over.
_seen: set[tuple[str, HeaderValue]] = set()
_SEEN_MAX = 2048


def check_header_validity(header: tuple[HeaderValue, HeaderValue]) -> None:
    """Raise InvalidHeader unless the pair may be sent.

    Name and value are str or bytes, without CR, LF or NUL, not beginning with white space; the name has no
    colon. The message never shows the value: it is a credential often enough.
    """
    name, value = header
    text = _text(name, "name", name)
    if not _NAME.match(text):
        raise InvalidHeader(
            f"header name {text!r} is not valid: it must not be empty, begin with white space or "
            "contain ':', a line break or NUL"
        )
    if not _VALUE.match(_text(value, "value", name)):
        raise InvalidHeader(
            f"the value of header {text!r} is not valid: it begins with white space or contains a line break "
            "or NUL; strip() it if it was read from a file"
        )


def _text(part: object, kind: str, name: object) -> str:
    if isinstance(part, bytes):
        return part.decode("latin-1")
    if not isinstance(part, str):
        raise InvalidHeader(f"the {kind} of header {name!r} must be str or bytes, not {type(part).__name__}")
    if not part.isascii():
        try:
            part.encode("latin-1")
        except UnicodeEncodeError:
            raise InvalidHeader(
                f"the {kind} of header {name!r} has characters beyond latin-1; pass the bytes that are "
                "meant, such as .encode('utf-8')"
            ) from None
    return part


def checked_headers(headers: Mapping[Any, Any]) -> CaseInsensitiveDict[HeaderValue]:
    """A copy of `headers` that is fit to send; names become str. InvalidHeader names the one that is not."""
    result: CaseInsensitiveDict[HeaderValue] = CaseInsensitiveDict()
    if isinstance(headers, CaseInsensitiveDict):
        store = headers._store.copy()
        try:
            if _seen.issuperset(store.values()):
                result._store = store
                return result
        except TypeError:
            pass  # a value that cannot be hashed is no valid value either: the loop says which
    for name, value in headers.items():
        check_header_validity((name, value))
        text = to_native_string(name)
        result[text] = value
        if len(_seen) >= _SEEN_MAX:
            _seen.clear()
        _seen.add((text, value))
    return result


def to_native_string(string: str | bytes, encoding: str = "ascii") -> str:
    """`string` as str, bytes decoded by `encoding`."""
    return string if isinstance(string, str) else string.decode(encoding)


# --- values that are lists ----------------------------------------------------------------------------------


def parse_list_header(value: str) -> list[str]:
    """The elements of a comma-separated value (RFC 9110 section 5.6.1), quotes removed: `'a, "b, c"'` →
    `['a', 'b, c']`.
    """
    return [unquote_header_value(item) for item in parse_http_list(value)]


def parse_dict_header(value: str) -> dict[str, str | None]:
    """The `name=value` elements of a comma-separated value; a name without a value maps to None."""
    result: dict[str, str | None] = {}
    for item in parse_http_list(value):
        name, equals, content = item.partition("=")
        result[name] = unquote_header_value(content) if equals else None
    return result


def unquote_header_value(value: str, is_filename: bool = False) -> str:
    r"""`value` without its quotes and escapes (RFC 9110 section 5.6.4), or as it is when it is not quoted.

    `is_filename` leaves a UNC path (`\\server\share`) as it is: old browsers send it unescaped.
    """
    if not value or not value[0] == value[-1] == '"':
        return value
    inner = value[1:-1]
    if is_filename and inner.startswith("\\\\"):
        return inner
    return inner.replace("\\\\", "\\").replace('\\"', '"')


_LINK = re.compile(r"""\s*(?:<([^>]*)>|([^<;,]+))""")
_LINK_UNCLOSED = re.compile(r"""\s*(?:(?!)()|([^<;,]+))""")  # the same where no ">" follows: not to look for it in vain
_LINK_PARAM = re.compile(r"""\s*;\s*([^\s=;,]*)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^;,]*))?""")


def parse_header_links(value: str) -> list[dict[str, str]]:
    """The links of a `Link` header (RFC 8288): one dict each, `url` and the parameters.

    A comma or semicolon within `<...>` or quotes is part of it.
    """
    links: list[dict[str, str]] = []
    at, end, last = 0, len(value), value.rfind(">")
    while at < end:
        found = (_LINK if at < last else _LINK_UNCLOSED).match(value, at)
        if not found:
            at += 1
            continue
        at = found.end()
        target = found[1] if found[1] is not None else found[2]
        link = {"url": target.strip(" <>'\"")}
        while at < end and (param := _LINK_PARAM.match(value, at)):
            at = param.end()
            if param[1] and param[2] is not None:
                link[param[1].strip("'\"")] = param[2].strip(" '\"")
        if link["url"]:
            links.append(link)
    return links

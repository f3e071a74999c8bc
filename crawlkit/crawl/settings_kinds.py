"""Kinds of settings: what a key may hold, how a value is checked and what the error says it must be.

What belongs here: one Kind for each sort of value. Which keys there are is in settings_sections.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from crawlkit.crawl import url_patterns
from crawlkit.crawl.crontime import CronTime
from crawlkit.crawl.quantities import parse_duration, parse_size
from crawlkit.exceptions import ConfigError
from crawlkit.url import has_scheme

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")  # RFC 9110, section 5.6.2
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class Explained(ValueError):
    """A value is not of its kind; the text says why, and quotes nothing that is secret."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a key may hold.

    `words` completes "must be ..."; `read` turns a TOML or Python value into the stored one and raises
    ValueError; `private` values are never quoted in an error (someone may have put the secret itself there);
    `literal` text from the command line is taken as it is, not read as TOML.
    """

    words: str
    read: Callable[[object], Any]
    private: bool = False
    literal: bool = False


def whole(minimum: int = 0, maximum: int | None = None) -> Kind:
    """A whole number from `minimum` to `maximum`."""
    words = f"a whole number, {minimum} or more" if maximum is None else f"a whole number from {minimum} to {maximum}"

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(words)
        if value < minimum or (maximum is not None and value > maximum):
            raise ValueError(words)
        return value

    return Kind(words, read)


def _read_flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("not a flag")
    return value


FLAG = Kind("true or false", _read_flag)


def _positive_duration(value: object) -> float:
    seconds = parse_duration(value)
    if seconds <= 0:
        raise ValueError("not above 0")
    return seconds


DURATION = Kind('a duration such as 0.5, "30s", "5m" or "1h30m"', parse_duration)
POSITIVE_DURATION = Kind('a duration above 0 such as 0.5, "30s", "5m" or "1h30m"', _positive_duration)


def _positive_size(value: object) -> int:
    size = parse_size(value)
    if size <= 0:
        raise ValueError("not above 0")
    return size


SIZE = Kind('a size in bytes or such as "64MiB"', _positive_size)


def _read_text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("not a text")
    if any(ord(character) < 32 for character in value):
        raise ValueError("control characters")
    return value


TEXT = Kind("a text on one line", _read_text, literal=True)


def _read_address(value: object) -> str:
    address = _read_text(value)
    if not has_scheme(address):
        raise ValueError("not an absolute URL")
    return address


ADDRESS = Kind('a URL with its scheme such as "https://example.org/account"', _read_address, literal=True)


def _read_command(value: object) -> str:
    command = _read_text(value)
    if not shlex.split(command):
        raise ValueError("no word")
    return command


COMMAND = Kind("a command on one line, its quotes closed as in a shell", _read_command, private=True, literal=True)


def _read_schedule(value: object) -> str:
    text = _read_text(value)
    try:
        CronTime.read(text)
    except ValueError as error:
        raise Explained(str(error)) from error
    return text


SCHEDULE = Kind(
    'five cron fields (minute hour day month weekday) such as "0 6 * * *", or a word such as "@daily"',
    _read_schedule,
    literal=True,
)


def choice(*words: str) -> Kind:
    """One of the given words."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value.lower() not in words:
            raise ValueError("not one of the words")
        return value.lower()

    return Kind("one of " + ", ".join(f'"{word}"' for word in words), read, literal=True)


def optional(kind: Kind, word: str) -> Kind:
    """`kind`, or None spelled as `word` ("none", "auto"); TOML has no null."""

    def read(value: object) -> Any:
        if value is None or (isinstance(value, str) and value.strip().lower() == word):
            return None
        return kind.read(value)

    return Kind(f'{kind.words}, or "{word}"', read, kind.private, kind.literal)


def sequence(kind: Kind, words: str) -> Kind:
    """A list of `kind`, stored as a tuple."""

    def read(value: object) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple, set, frozenset, range)):
            raise ValueError("not a list")
        return tuple(kind.read(entry) for entry in value)

    return Kind(words, read, kind.private)


STATUSES = sequence(whole(100, 599), "a list of HTTP status codes such as [404, 410]")


def _read_pattern(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")
    return url_patterns.check(value)


PATTERNS = sequence(Kind("", _read_pattern), url_patterns.WORDS)


def _read_regex(value: object) -> str:
    if not isinstance(value, str) or not value or len(value) > 2000:
        raise ValueError("not a text")
    try:
        pattern = re.compile(value.encode())
    except (re.error, UnicodeEncodeError):
        raise ValueError("not a regular expression") from None
    if pattern.search(b""):
        raise ValueError("it fits nothing at all, and so everywhere")
    return value


REGEXES = sequence(
    Kind("", _read_regex), "a list of regular expressions, none of which fits an empty text, such as ['Visitors: \\d+']"
)


def _read_headers(value: object) -> Mapping[str, str | None]:
    if not isinstance(value, Mapping):
        raise ValueError("not a table")
    for name, text in value.items():
        if not isinstance(name, str) or not _TOKEN.match(name):
            raise ValueError("not a header's name")
        # None in custom_settings leaves out a header that a lower layer set.
        if text is not None and (not isinstance(text, str) or re.search(r"[\r\n\0]", text)):
            raise ValueError("not a header's value")
    return MappingProxyType(dict(value))


HEADERS = Kind('a table of header names and texts such as { "Accept-Language" = "de" }', _read_headers, True)


def _read_proxy(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not a URL")
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https", "socks5", "socks5h", "socks4", "socks4a") or not parts.hostname:
        raise ValueError("not a proxy's URL")
    return value


PROXIES = sequence(
    Kind("", _read_proxy, private=True), 'a list of proxy URLs such as ["http://proxy.example.org:3128"]'
)


def _read_variable(value: object) -> str:
    if not isinstance(value, str) or not _VARIABLE.match(value):
        raise ValueError("not a name")
    return value


VARIABLE = Kind(
    "the name of an environment variable (letters, digits, _), never the secret itself",
    _read_variable,
    private=True,
    literal=True,
)
VARIABLES = sequence(VARIABLE, "a list of names of environment variables, never the secrets themselves")


def _read_verify(value: object) -> bool | str:
    return value if isinstance(value, bool) else _read_text(value)


VERIFY = Kind("true, false or the path of a file with certificates", _read_verify)


def certificates(verify: bool | str, folder: Path) -> bool | str:
    """A value of VERIFY whose path starts at `folder`.

    ConfigError when nothing is there: a crawl must not find out at its first page.
    """
    if isinstance(verify, bool):
        return verify
    path = folder / Path(verify).expanduser()
    if not path.exists():
        raise ConfigError(f"fetch.verify: there is no file {path}; it must be {VERIFY.words}")
    return str(path)


def _read_table(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError("not a table")
    return MappingProxyType(dict(value))


TABLE = Kind("a table", _read_table)


def key(default: Any, kind: Kind, doc: str) -> Any:
    """A field of a section: its default, its kind and one line that says what it is for."""
    metadata = {"kind": kind, "doc": doc}
    if isinstance(default, dict):
        return field(default_factory=lambda: MappingProxyType(dict(default)), metadata=metadata)
    return field(default=default, metadata=metadata)

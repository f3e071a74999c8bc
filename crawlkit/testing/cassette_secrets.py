"""What must not be on a cassette: secrets, each replaced by a placeholder of its own, wherever and however it stands.

What belongs here: taking them out of an interaction. What does not: what is secret (crawlkit.sessions), matching a request
with what is left of a recorded one (cassette_matching.py).

One secret is one placeholder, `[redacted-3]`, in every header, URL and body: a page that is played back has a token in its
form, a cookie in its answer and both come back in the next request, so that a login is played back as it was recorded,
and two links that differ in nothing but a token are still two.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import unquote_plus

from crawlkit import url as urls
from crawlkit.html.entities import unescaped
from crawlkit.sessions.leaks import SECRET_HEADERS, is_secret
from crawlkit.sessions.redactor import Redactor
from crawlkit.testing.cassette_bodies import bodiless, plain, with_length
from crawlkit.testing.cassette_file import Fields, Interaction

PLACEHOLDER = re.compile(r"\[redacted(?:-(\d+))?\]")
#: A JSON Web Token (RFC 7519) says by its looks what it is.
_JWT = re.compile(r"eyJ[\w-]{8,}\.eyJ[\w-]{4,}\.[\w-]+")
_MARKED = ("cookie", "cookie2", "set-cookie", "set-cookie2", "authorization", "proxy-authorization")


class Cleaning:
    """Cleans what one cassette is about to hold. Single thread, but for `own`, which any thread may tell.

    `redactors` are those of the sessions that recorded; `patterns` the names of their secret headers; `first` the number
    of the first placeholder that is free.
    """

    def __init__(self, redactors: Iterable[Redactor], patterns: Iterable[str] = SECRET_HEADERS) -> None:
        # Of a long recording a session's own redactor may have forgotten the oldest: this one forgets nothing.
        self.own = Redactor(most=2**40)
        self._numbers: dict[str, str] = {}
        self._next = 1
        self.begin(redactors, patterns, 1)

    def begin(self, redactors: Iterable[Redactor], patterns: Iterable[str], first: int) -> None:
        """What is to be taken out from now on, beside what `own` was told."""
        self._redactors = [self.own, *dict.fromkeys(redactors)]
        self._patterns = tuple(patterns)
        self._next = max(self._next, first)

    def cleaned(self, raw: Interaction) -> Interaction:
        """The interaction as it may be written, its body decoded."""
        fields, content = plain(raw)
        for token in _JWT.findall(content.decode("latin-1")):
            self.own.learn(token)
        clean = self.data(content)
        return Interaction(
            method=raw.method,
            url=self.url(raw.url),
            request_fields=with_length(self._fields(raw.request_fields), body := self.data(raw.body)),
            body=body,
            status=raw.status,
            reason=self.text(raw.reason),
            fields=self._fields(fields) if bodiless(raw) else with_length(self._fields(fields), clean),
            content=clean,
        )

    def url(self, url: str) -> str:
        """A URL without user and password, its path and query clean. Its host stays, or nobody could ask for it."""
        bare = urls.split_userinfo(url)[0]
        root = urls.root(bare)
        return root + self.text(bare[len(root) :])

    def data(self, body: bytes) -> bytes:
        """A body, of whatever kind."""
        if not body:
            return body
        for coding in ("utf-16", "utf-8") if body[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8",):
            try:
                return self.text(body.decode(coding)).encode(coding)
            except UnicodeError:
                continue
        return self.text(body.decode("latin-1")).encode("latin-1", "replace")

    def text(self, text: str) -> str:
        """Any text."""
        for redactor in self._redactors:
            text = redactor.redact(text, self._hide)
        return text

    def _fields(self, fields: Fields) -> Fields:
        return [(name, self._value(name.lower(), value)) for name, value in fields]

    def _value(self, name: str, value: str) -> str:
        if name in _MARKED:
            if name == "set-cookie":
                value = _lasting(value)
            return self.text(f"{name}: {value}").partition(": ")[2]
        return self._hide(value) if value and is_secret(name, self._patterns) else self.text(value)

    def _hide(self, secret: str) -> str:
        """The placeholder of a secret, the same for every way in which it is written."""
        if PLACEHOLDER.fullmatch(plain := _bare(secret)):
            return plain
        placeholder = self._numbers.get(plain)
        if placeholder is None:
            placeholder = self._numbers[plain] = f"[redacted-{self._next}]"
            self._next += 1
        return placeholder


def first_free(interactions: Iterable[Interaction]) -> int:
    """The lowest number above every placeholder in `interactions`."""
    highest = 0
    for one in interactions:
        texts = (one.url, *(value for _, value in (*one.request_fields, *one.fields)))
        for text in (*texts, one.body.decode("latin-1"), one.content.decode("latin-1")):
            for match in PLACEHOLDER.finditer(text):
                highest = max(highest, int(match[1] or 0))
    return highest + 1


def _bare(secret: str) -> str:
    """A secret as it is without escapes and quotes, so that each of its spellings is known for the same."""
    for _ in range(3):
        plain = unescaped(unquote_plus(secret) if "%" in secret else secret).strip(' \t"')
        if plain == secret:
            break
        secret = plain
    return secret


def _lasting(line: str) -> str:
    """A Set-Cookie line whose day of expiry is so many seconds from now instead: a cassette is played for years."""
    parts = line.split(";")
    names = [part.partition("=")[0].strip().lower() for part in parts]
    if "max-age" in names[1:]:
        return line
    for place, name in enumerate(names[1:], 1):
        if name == "expires":
            try:
                day = parsedate_to_datetime(parts[place].partition("=")[2].strip())
            except ValueError:
                return line
            seconds = int((day if day.tzinfo else day.replace(tzinfo=UTC)).timestamp() - time.time())
            if seconds > 0:
                parts[place] = f" Max-Age={seconds}"
    return ";".join(parts)

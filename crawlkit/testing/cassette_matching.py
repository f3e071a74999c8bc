"""Which recorded interaction answers a request: by method, URL and body, the repeated ones in the order of recording.

Where those were asked for with other cookies, it is the one with the cookies of this request, which are on a cassette the
placeholders that its own answers set. So a session that ended in the middle of a crawl ends as often when that is played,
however many threads meet it: who comes with the cookies of the next login gets what that got.

What belongs here: comparing requests, placeholders of secrets included, and saying why none fits. What does not: files,
secrets, threads (cassette.py holds the lock).
"""

from __future__ import annotations

import difflib
import re
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from crawlkit import url as urls
from crawlkit.sessions.leaks import shown
from crawlkit.testing.cassette_file import Interaction
from crawlkit.testing.cassette_secrets import PLACEHOLDER

_BOUNDARY = re.compile(r"boundary=\"?([^\";,\s]+)", re.IGNORECASE)
#: A placeholder as it comes back in a URL or a form.
_ESCAPED = re.compile(r"%5[bB]redacted(?:-\d+)?%5[dD]")
_ANYTHING = "\0"
_MOST_COMPARED = 2_000


class Key(NamedTuple):
    """What of a request is compared."""

    method: str
    url: str
    body: str

    def __str__(self) -> str:
        return f"{self.method} {shown(self.url)}"


class Tracks:
    """The interactions of a cassette, each to be played once. Not thread-safe.

    `match` is what is compared beside the method: of "url" and "body". `repeats`: the last answer to a request is given
    again as often as it is asked for.
    """

    def __init__(self, interactions: Iterable[Interaction], match: Collection[str], *, repeats: bool) -> None:
        self._match = frozenset(match)
        self._repeats = repeats
        self._left: dict[Key, deque[Interaction]] = defaultdict(deque)
        self._recorded: dict[Key, int] = defaultdict(int)
        self._masked: dict[str, list[Key]] = defaultdict(list)
        for one in interactions:
            key = self._key(one.method, one.url, one.body, dict(_lower(one.request_fields)).get("content-type", ""))
            if key not in self._recorded and PLACEHOLDER.search(key.url + key.body):
                self._masked[key.method].append(key)
            self._left[key].append(one)
            self._recorded[key] += 1

    def key_of(self, request: Any) -> Key:
        """What of a prepared request is compared."""
        return self._key(
            request.method or "GET",
            request.url or "",
            body_of(request) or b"",
            str(request.headers.get("Content-Type") or ""),
        )

    def take(self, key: Key, cookies: str = "") -> Interaction | None:
        """The next interaction that answers `key`, asked for with `cookies`; None when there is none, or none left."""
        found = self._taken(key, cookies)
        if found is not None:
            return found
        for masked in self._masked.get(key.method, ()):
            if masked != key and _fits(masked, key) and (found := self._taken(masked, cookies)) is not None:
                return found
        return None

    def _taken(self, key: Key, cookies: str) -> Interaction | None:
        left = self._left.get(key)
        if not left:
            return None
        known = [cookies_of(one.request_fields) for one in left] if len(left) > 1 else [cookies]
        if cookies not in known:
            cookies = known[-1]  # of the last session: what an earlier one was given may be its end
        place = known.index(cookies)
        found = left[place]
        if not (self._repeats and known.count(cookies) == 1):
            del left[place]
        return found

    @property
    def unplayed(self) -> int:
        """How many interactions were not asked for yet."""
        return sum(map(len, self._left.values()))

    def why_none(self, key: Key) -> str:
        """What is recorded in place of what was asked for."""
        times = self._recorded.get(key) or next(
            (self._recorded[masked] for masked in self._masked.get(key.method, ()) if _fits(masked, key)), 0
        )
        if times:
            often = "once" if times == 1 else f"{times} times"
            return f"it was recorded {often} and is asked for once more (repeats=True allows it)"
        same = [other for other in self._recorded if (other.method, other.url) == (key.method, key.url)]
        if same:
            return f"it was recorded with another body: {_difference(same[-1].body, key.body)}"
        known = {str(other): other for other in list(self._recorded)[:_MOST_COMPARED]}
        near = difflib.get_close_matches(str(key), known, n=3, cutoff=0.3)
        if not known:
            return "nothing is recorded"
        return f"nearest: {', '.join(near)}" if near else f"recorded are others, such as {next(iter(known))}"

    def _key(self, method: str, url: str, body: bytes, kind: str) -> Key:
        bare = urls.split_userinfo(url)[0].partition("#")[0] if "url" in self._match else ""
        text = body.decode("utf-8", "surrogateescape") if "body" in self._match else ""
        boundary = _BOUNDARY.search(kind) if text and "multipart" in kind else None
        if boundary is not None:
            text = text.replace(boundary[1], "boundary")  # made up anew for each request
        return Key(method.upper(), _marked(bare), _marked(text))


def cookies_of(fields: Iterable[tuple[str, Any]]) -> str:
    """The cookies that a request was sent with."""
    return "; ".join(_marked(str(value)) for name, value in fields if name.lower() == "cookie")


def body_of(request: Any) -> bytes | None:
    """The body of a prepared request; None of one that can be read only once."""
    body = request.body
    if isinstance(body, str):
        return body.encode("utf-8")
    if body is None or isinstance(body, bytes | bytearray):
        return bytes(body or b"")
    if hasattr(body, "read") and hasattr(body, "seek") and hasattr(body, "tell"):
        place = body.tell()
        data = body.read()
        body.seek(place)
        return data if isinstance(data, bytes) else str(data).encode("utf-8")
    return None


def _marked(text: str) -> str:
    """`text` with placeholders as they are on the cassette, however an encoder wrote them."""
    return _ESCAPED.sub(lambda match: f"[{match[0][3:-3]}]", text) if "redacted" in text else text


def _fits(masked: Key, key: Key) -> bool:
    """Whether a recorded key is `key` but for its placeholders, which may stand for anything."""
    return bool(_pattern(masked.url).fullmatch(key.url) and _pattern(masked.body).fullmatch(key.body))


@lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str]:
    pieces = [re.escape(piece) for piece in PLACEHOLDER.sub(_ANYTHING, text).split(_ANYTHING)]
    return re.compile("[^&;/?]*?".join(pieces), re.DOTALL)


def _difference(recorded: str, asked: str) -> str:
    """Which fields of two bodies differ; never the values of what was asked, for they may be secrets."""
    one, other = dict(parse_qsl(recorded, True)), dict(parse_qsl(asked, True))
    if not (one and other):
        return f"{recorded[:120]!r} ({len(recorded)} characters; this one has {len(asked)})"
    differing = [name for name in {**one, **other} if one.get(name) != other.get(name)]
    return f"the fields {', '.join(differing[:5])} differ"


def _lower(fields: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    return ((name.lower(), value) for name, value in fields)

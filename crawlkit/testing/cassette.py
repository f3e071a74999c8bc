"""Cassette: a session's exchanges, recorded once and played back from then on, in vcrpy's format.

What belongs here: what is recorded and what is played, at the seam where a session hands a request to its adapter, so that
it is exact under any number of threads. What does not: the file (cassette_file.py), which recording answers a request
(cassette_matching.py), secrets (cassette_secrets.py).
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

from crawlkit.exceptions import CassetteError, NotRecorded
from crawlkit.sessions.adapter import BaseAdapter
from crawlkit.sessions.confiding import tell_exchange
from crawlkit.sessions.made import made_response
from crawlkit.sessions.raw import RawResponse
from crawlkit.testing import cassette_file
from crawlkit.testing.cassette_bodies import plain
from crawlkit.testing.cassette_file import Fields, Interaction
from crawlkit.testing.cassette_matching import Tracks, body_of, cookies_of
from crawlkit.testing.cassette_secrets import Cleaning, first_free

if TYPE_CHECKING:
    from crawlkit.sessions.redactor import Redactor
    from crawlkit.sessions.response import Response
    from crawlkit.sessions.session import Session

Mode = Literal["once", "none", "new", "new_episodes", "all"]


class Cassette:
    """What a session, or a whole crawl, sent and was answered. Any number of threads and sessions may use one at a time.

    `path`: a YAML file, also one that vcrpy recorded. `mode`: "once" records when there is no file and plays it when
    there is; "none" only plays; "new" (vcrpy's "new_episodes") plays what is there and records what is not; "all" records
    everything anew. `match`: what of a request is compared beside its method. `repeats`: the last answer to a request is
    given again as often as it is asked for; otherwise each is given once, in the order of recording.

    Nothing is sent while it plays: what is not recorded is NotRecorded. CassetteError, when it is first used, for a file
    that is broken or of another spider; such a file is left as it is. PyYAML comes with the extra `[cassette]`.
    """

    def __init__(
        self,
        path: str | Path,
        mode: Mode = "once",
        *,
        match: Collection[str] = ("url", "body"),
        repeats: bool = False,
    ) -> None:
        if mode not in get_args(Mode):
            raise ValueError(f"mode must be one of {', '.join(get_args(Mode))}, not {mode!r}")
        if not {"url", "body"}.issuperset(match):
            raise ValueError(f'match is of "url" and "body", not {match!r}')
        self.path = Path(path)
        self.mode = "new" if mode == "new_episodes" else mode
        self._match = match
        self._repeats = repeats
        self._lock = threading.Lock()
        self._opened = False
        self._kept: list[Interaction] = []
        self._fresh: list[Interaction] = []
        self._tracks = Tracks((), match, repeats=repeats)
        self._spider: str | None = None
        self._redactors: list[Redactor] = []
        self._patterns: set[str] = set()
        self._cleaning = Cleaning(())
        self.played = 0

    def __repr__(self) -> str:
        return f"<Cassette {self.path} mode={self.mode} recorded={len(self._fresh)} played={self.played}>"

    # --- use ----------------------------------------

    @contextmanager
    def use(self, session: Session) -> Iterator[Self]:
        """Within it, `session` plays and records; at its end, however it comes, what was recorded is written."""
        before = session.adapters
        self.attach(session)
        try:
            yield self
        finally:
            session.adapters = before
            self.save()

    def attach(self, session: Session) -> None:
        """Let `session` play and record until it is thrown away; `save()` is the caller's."""
        if not self.plays_only:
            with self._lock:
                self._redactors.append(session._own_redactor())
                self._patterns.update(session.secret_headers)
        for prefix, adapter in list(session.adapters.items()):
            session.mount(prefix, _Player(self, adapter, session))

    def open(self, spider: str | None = None) -> None:
        """Read the file. `spider`: whose it has to be, when it says whose it is. Without effect the second time.

        CassetteError when it is broken, of another spider, or missing where it must not be.
        """
        with self._lock:
            if not self._opened:
                self._load()
                self._opened = True
            if spider is None:
                return
            if self._spider not in (None, spider) and self.mode != "all":
                line = cassette_file.line_of(self.path, "metadata", "spider")
                raise CassetteError(
                    f"{self.path}:{line}: was recorded by the spider {self._spider!r}, not by {spider!r}; name another "
                    'file, or record it anew with mode="all". It was not changed'
                )
            self._spider = spider

    def _load(self) -> None:
        found = cassette_file.read(self.path)
        if found is None:
            if self.mode == "none":
                raise CassetteError(f'{self.path}: there is no such cassette, and mode="none" records none')
            return
        if self.mode != "all":
            self._kept, self._spider = found
            self._tracks = Tracks(self._kept, self._match, repeats=self._repeats)
        if self.mode == "once":
            self.mode = "none"

    @property
    def plays_only(self) -> bool:
        """Whether nothing can be sent: everything comes from the file."""
        self.open()
        return self.mode == "none"

    @property
    def unplayed(self) -> int:
        """How many recorded exchanges were not asked for."""
        with self._lock:
            return self._tracks.unplayed

    def save(self) -> None:
        """Write what was recorded, without its secrets. Nothing happens when nothing was. StorageError."""
        with self._lock:
            if not self._fresh:
                return
            cleaning = self._cleaning
            cleaning.begin(self._redactors, self._patterns, first_free(self._kept))
            kept = [*self._kept, *map(cleaning.cleaned, self._fresh)]
            cassette_file.write(self.path, kept, self._spider)
            self._kept, self._fresh = kept, []

    # --- what a player asks ----------------------------------------

    def _answer(self, request: Any) -> Interaction | None:
        """The recording that answers `request`; None when it is to be sent. NotRecorded when it must not."""
        if self.mode == "all":
            return None
        with self._lock:
            key = self._tracks.key_of(request)
            found = self._tracks.take(key, cookies_of(request.headers.items()))
            if found is not None:
                self.played += 1
                return found
            if self.mode != "none":
                return None
            why = self._tracks.why_none(key)
        raise NotRecorded(f"{self.path} has no answer to {key}: {why}", request=request)

    def _record(self, request: Any, response: Response, content: bytes, fields: Fields) -> None:
        sent = [(name, _text(value)) for name, value in request.headers.items() if value is not None]
        one = Interaction(
            method=request.method or "GET",
            url=request.url or "",
            request_fields=sent,
            body=body_of(request) or b"",
            status=response.status_code,
            reason=_text(response.reason or ""),
            fields=fields,
            content=content,
        )
        with self._lock:
            lines = [value for name, value in fields if name.lower() == "set-cookie"]
            tell_exchange(request, self._patterns, lines, self._cleaning.own.learn)
            self._fresh.append(one)


class _Player(BaseAdapter):
    """Stands between one session and the adapter it had."""

    def __init__(self, cassette: Cassette, inner: Any, session: Session) -> None:
        self._cassette = cassette
        self._inner = inner
        self.knows_usual_timeout = getattr(inner, "knows_usual_timeout", False)

    def send(
        self,
        request: Any,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
        **more: Any,
    ) -> Response:
        """The recorded answer, or the one that the session's own adapter gets. A body is read whole, streamed or not."""
        max_body = more.get("max_body")
        one = self._cassette._answer(request)
        if one is None:
            response = self._inner.send(
                request, stream=stream, timeout=timeout, verify=verify, cert=cert, proxies=proxies, **more
            )
            content, fields = _read(response)
            self._cassette._record(request, response, content, fields)
            status, reason = response.status_code, _text(response.reason or "")
        else:
            (fields, content), status, reason = plain(one), one.status, one.reason
        return made_response(
            request,
            status=status,
            reason=reason,
            fields=fields,
            body=content,
            max_body=max_body,
            connection=self,
        )

    def close(self) -> None:
        """Close the session's own adapter."""
        self._inner.close()

    def __repr__(self) -> str:
        return f"<player of {self._cassette!r}>"


def _read(response: Any) -> tuple[bytes, Fields]:
    """The undecoded body and the fields of an answer, ours or another adapter's."""
    raw = response.raw
    if isinstance(raw, RawResponse):
        return raw.read(decode_content=False), list(raw.fields)
    read = getattr(raw, "read", None)
    try:
        content = read(decode_content=False) if read is not None else response.content
    except TypeError:  # a plain file
        content = raw.read()
    headers = getattr(raw, "headers", None) or response.headers
    return content or b"", [(_text(name), _text(value)) for name, value in headers.items()]


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)

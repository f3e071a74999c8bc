"""Response: one answer, for plain sessions and for the crawl alike.

What belongs here: the HTTP half, under the names that requests gave it (status, headers, body, text, JSON,
streaming, history). Text and JSON are in text.py, the half that reads pages (`css()`, `follow()`, `form()`)
in page.py, how a body is cut in pieces in stream.py. Most of what is here is computed when it is first read:
a crawl reads few of the attributes of a page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Literal, Self

from crawlkit import exceptions as errors
from crawlkit.sessions import stream
from crawlkit.sessions.cookies import CookieJar
from crawlkit.sessions.headers import CaseInsensitiveDict
from crawlkit.sessions.lazy import lazy
from crawlkit.sessions.leaks import shown
from crawlkit.sessions.page import Page
from crawlkit.sessions.prepared import PreparedRequest
from crawlkit.sessions.redirects import PERMANENT_STATUSES, REDIRECT_STATUSES
from crawlkit.sessions.text import ASK, Text

# What a pickle of a Response holds. `raw`, `connection` and `session` belong to the process that made them.
_PICKLED = (
    "_content",
    "status_code",
    "headers",
    "url",
    "history",
    "reason",
    "cookies",
    "elapsed",
    "request",
)


class Response(Text, Page):
    """The answer to one request. The constructor makes an empty one; an adapter fills in the attributes.

    May be read from several threads once its body is read; a stream (`stream=True`) belongs to one thread at a time.
    """

    status_code: int = None  # type: ignore[assignment]
    """The status, such as 200 (RFC 9110 section 15). `status` is the same number."""
    reason: str = None  # type: ignore[assignment]
    """The text beside the status, such as "Not Found"; may be empty."""
    url: str = None  # type: ignore[assignment]
    """The URL that answered: after redirects the last one."""
    raw: Any = None
    """The undecoded body as a file-like object, for `stream=True`; None in a response that came from a pickle."""
    request: PreparedRequest = None  # type: ignore[assignment]
    """What was sent to get this answer."""
    connection: Any = None
    """The adapter that sent the request."""
    session: Any = None
    """The Session that sent the request; None when an adapter was used alone."""

    _content: bytes | Literal[False] | None = False
    _content_consumed: bool = False
    _next: PreparedRequest | None = None
    _onward: Callable[[], PreparedRequest] | None = None
    _failure: errors.RequestException | None = None
    _elapsed_seconds: float = 0.0

    __attrs__ = [*_PICKLED, "encoding"]

    # --- what the head says ----------------------------------------------------------------------------------

    @lazy
    def headers(self) -> CaseInsensitiveDict[str]:
        """The answer's headers, case-insensitive; repeated ones joined with ", "."""
        return CaseInsensitiveDict(getattr(self.raw, "headers", None) or {})

    @lazy
    def cookies(self) -> CookieJar:
        """The cookies that this answer set (not those of the session, nor of earlier answers)."""
        from crawlkit.sessions.cookies import CookieJar

        jar = CookieJar()
        if lines := self.set_cookie_lines():
            jar.receive(self.url, lines)
        return jar

    @lazy
    def history(self) -> list[Response]:
        """The answers that led here, oldest first: redirects, and a 401 that was answered."""
        return []

    @lazy
    def elapsed(self) -> timedelta:
        """From sending the request to having read the head of the answer."""
        return timedelta(seconds=self._elapsed_seconds)

    @property
    def status(self) -> int:
        """`status_code`, under the name that spiders use."""
        return self.status_code

    @property
    def ok(self) -> bool:
        """Whether the status is below 400."""
        return not 400 <= self.status_code < 600

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        return f"<Response [{self.status_code}]>"

    @property
    def is_redirect(self) -> bool:
        """Whether this answer sends the client elsewhere (301, 302, 303, 307 or 308 with a Location)."""
        return self.status_code in REDIRECT_STATUSES and "location" in self.headers

    @property
    def is_permanent_redirect(self) -> bool:
        """Whether it does so for good (301 or 308 with a Location)."""
        return self.status_code in PERMANENT_STATUSES and "location" in self.headers

    @property
    def next(self) -> PreparedRequest | None:
        """The request that would follow this redirect, when redirects were not followed; otherwise None.

        Made when it is first asked for; raises InvalidURL or InvalidSchema when the Location leads nowhere.
        """
        if self._next is None and self._onward is not None:
            self._next = self._onward()
        return self._next

    @property
    def links(self) -> dict[str, dict[str, str]]:
        """The Link header (RFC 8288), keyed by `rel`, or by URL where a link has no `rel`."""
        value = self.headers.get("link")
        if not value:
            return {}
        from crawlkit.sessions.headers import parse_header_links

        return {link.get("rel") or link["url"]: link for link in parse_header_links(value)}

    def set_cookie_lines(self) -> list[str]:
        """The values of the Set-Cookie headers, one an item, as they came (bytes read as latin-1)."""
        if "set-cookie" not in self.headers:
            return []
        lines = getattr(self.raw, "set_cookies", None)
        if lines is not None:
            return list(lines)
        headers = getattr(self.raw, "headers", None)
        ask = getattr(headers, "getlist", None) or getattr(headers, "get_all", None)
        if ask is not None:
            return list(ask("set-cookie") or ())
        # A dict of an adapter that somebody wrote: one value, in which commas may be part of a date.
        return [self.headers["set-cookie"]]

    def raise_for_status(self) -> None:
        """Raises HTTPError, naming status and URL, when the status is 400 to 599."""
        if self.ok:
            return
        reason = self.reason
        if isinstance(reason, bytes):
            try:
                reason = reason.decode("utf-8")
            except UnicodeDecodeError:
                reason = reason.decode("latin-1")
        whose = "Client" if self.status_code < 500 else "Server"
        raise errors.HTTPError(f"{self.status_code} {whose} Error: {reason} for url: {shown(self.url)}", response=self)

    # --- the body --------------------------------------------------------------------------------------------

    @property
    def content(self) -> bytes:
        """The whole body, content codings undone. Reads it when that has not happened.

        Raises what reading raised, every time it is asked: half a body is never given out as a whole one.
        StreamConsumedError's cousin RuntimeError when the body went through `iter_content()` before.
        """
        content = self._content
        if content is False:
            if self._failure is not None:
                raise self._failure
            if self._content_consumed:
                raise RuntimeError("the body was read as a stream and is not kept")
            content = self._content = self._read()
        self._content_consumed = True
        return content  # type: ignore[return-value] # None when there is no body to read, as in requests

    @property
    def body(self) -> bytes:
        """The whole body; `content` under the name that spiders use, b"" when there is none."""
        return self.content or b""

    def _read(self) -> bytes | None:
        if self.status_code == 0 or self.raw is None:
            return None
        try:
            return stream.read_all(self.raw)
        except errors.RequestException as error:
            raise self._failed(error) from error.__cause__

    def _failed(self, error: errors.RequestException) -> errors.RequestException:
        """Remembers that the body cannot be had whole, and completes the error with where it happened."""
        if error.response is None:
            error.response = self
        if error.request is None:
            error.request = self.request
        self._failure = error
        self.close()
        return error

    def iter_content(self, chunk_size: int | None = 1, decode_unicode: bool = False) -> Iterator[Any]:
        """The body in pieces of at most `chunk_size` bytes; None: as they arrive, or whole when it is in memory.

        `decode_unicode` gives str pieces where an encoding is known. Raises StreamConsumedError at once when the body
        went through here before and is not kept; ChunkedEncodingError, ContentDecodingError, ConnectionError,
        SSLError or BodyTooLarge while reading.
        """
        if self._content_consumed and isinstance(self._content, bool):
            raise errors.StreamConsumedError(
                f"the body of {shown(self.url)} was already read; use stream=True once, or .content",
                response=self,
            )
        if chunk_size is not None and not isinstance(chunk_size, int):
            raise TypeError(f"chunk_size must be an int or None, not {type(chunk_size).__name__}")
        held = self._content_consumed
        pieces = stream.slices(self._content or b"", chunk_size) if held else self._pieces(chunk_size)
        return stream.decoded(pieces, self.encoding) if decode_unicode else pieces

    def _pieces(self, size: int | None) -> Iterator[bytes]:
        try:
            yield from stream.raw_chunks(self.raw, size)
        except errors.RequestException as error:
            raise self._failed(error) from error.__cause__
        self._content_consumed = True

    def iter_lines(
        self, chunk_size: int = 512, decode_unicode: bool = False, delimiter: str | bytes | None = None
    ) -> Iterator[Any]:
        """The body's lines without their ends, or what stands between `delimiter`s, however the network cut it up."""
        pieces = self.iter_content(chunk_size=chunk_size, decode_unicode=decode_unicode)
        return stream.split(pieces, delimiter) if delimiter else stream.lines(pieces)

    def __iter__(self) -> Iterator[bytes]:
        return self.iter_content(128)

    # --- life ------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Gives the connection back; one whose body is unread is closed. Harmless when repeated."""
        raw = self.raw
        if raw is None:
            return
        if not self._content_consumed:
            raw.close()
        release = getattr(raw, "release_conn", None)
        if release is not None:
            release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        if not self._content_consumed:
            _ = self.content
        state = {name: getattr(self, name, None) for name in self.__attrs__ if name != "encoding"}
        state["encoding"] = None if self._encoding is ASK else self._encoding
        state["asked"] = self._encoding is not ASK
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        encoding, asked = state.get("encoding"), state.get("asked", True)
        self.__dict__.update({name: value for name, value in state.items() if name not in ("encoding", "asked")})
        if asked:
            self._encoding = encoding
        self._content_consumed = True

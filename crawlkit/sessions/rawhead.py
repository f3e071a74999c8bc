"""The head of `Response.raw`, under urllib3's names for it.

What belongs here: reading what the head says. What does not: the body (raw.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from crawlkit.sessions.heads import Head

if TYPE_CHECKING:
    from urllib3 import HTTPHeaderDict


class RawHead:
    """One answer's head: status, fields, and the same in the forms that other libraries know."""

    __slots__ = ("_head", "_headers", "_request")

    REDIRECT_STATUSES: ClassVar = [301, 302, 303, 307, 308]
    CONTENT_DECODERS: ClassVar = ["gzip", "x-gzip", "deflate", "br", "zstd"]

    def __init__(self, head: Head, request: Any) -> None:
        self._head = head
        self._request = request
        self._headers: HTTPHeaderDict | None = None

    @property
    def status(self) -> int:
        """The status code."""
        return self._head.status

    @property
    def reason(self) -> str:
        """The text beside the status."""
        return self._head.reason

    @property
    def version(self) -> int:
        """10 or 11."""
        return self._head.version

    @property
    def version_string(self) -> str:
        """`HTTP/1.0` or `HTTP/1.1`."""
        return "HTTP/1.0" if self._head.version == 10 else "HTTP/1.1"

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The header fields in order, as sent, read as latin-1."""
        return self._head.fields

    @property
    def store(self) -> dict[str, tuple[str, str]]:
        """Lower-case name to (name, value), the values of a repeated name joined with ", "."""
        return self._head.store

    @property
    def dropped_lines(self) -> int:
        """How many lines of the head were no header fields and were left out."""
        return self._head.dropped

    @property
    def set_cookies(self) -> list[str]:
        """The values of the Set-Cookie fields, one an item, read as latin-1."""
        return self._head.values("set-cookie")

    @property
    def headers(self) -> HTTPHeaderDict:
        """The fields in urllib3's multi-valued mapping; made when it is first asked for."""
        headers = self._headers
        if headers is None:
            from urllib3 import HTTPHeaderDict

            headers = self._headers = HTTPHeaderDict()
            for name, value in self._head.fields:
                headers.add(name, value)
        return headers

    @property
    def msg(self) -> Any:
        """The head as an `http.client.HTTPMessage`, for code written to that (`http.cookiejar` among it)."""
        from http.client import HTTPMessage

        message = HTTPMessage()
        for name, value in self._head.fields:
            message.add_header(name, value)
        return message

    @property
    def _original_response(self) -> Self:
        # Where programs written for requests look for `.msg`.
        return self

    def getheader(self, name: str, default: str | None = None) -> str | None:
        """One header's value, in any case."""
        return self.headers.get(name, default)

    def getheaders(self) -> HTTPHeaderDict:
        """The same as `headers`."""
        return self.headers

    info = getheaders

    @property
    def url(self) -> str:
        """The URL that answered."""
        return str(self._request.url)

    def geturl(self) -> str:
        """The same as `url`."""
        return self.url

    def get_redirect_location(self) -> str | bool | None:
        """Where a redirect leads, None when it does not say; False for an answer that is none."""
        return self.headers.get("location") if self.status in self.REDIRECT_STATUSES else False

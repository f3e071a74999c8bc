"""Failure: what an errback gets, and the short reason under which a failure is counted and stored."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

from crawlkit import exceptions
from crawlkit.sessions.request import Request

if TYPE_CHECKING:
    from crawlkit.sessions.response import Response
else:
    # Hints that are read at run time say Any for what is loaded when it is used, or imports this module.
    Response = Any

#: Short words for the report, most specific class first.
_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (exceptions.NameNotFound, "dns"),
    (exceptions.AddressForbidden, "address_forbidden"),
    (exceptions.SSLError, "tls"),
    (exceptions.ProxyError, "proxy"),
    (exceptions.DeadlineExceeded, "deadline"),
    (exceptions.Timeout, "timeout"),
    (exceptions.BadResponse, "bad_response"),
    (exceptions.PoolTimeout, "pool_timeout"),
    (exceptions.ConnectionError, "connection"),
    (exceptions.TooManyRedirects, "redirect_loop"),
    (exceptions.BodyTooLarge, "too_large"),
    (exceptions.ContentDecodingError, "encoding"),
    (exceptions.ChunkedEncodingError, "truncated"),
    (exceptions.InvalidSchema, "bad_url"),
    (exceptions.InvalidURL, "bad_url"),
    (exceptions.MissingSchema, "bad_url"),
    (exceptions.NotRecorded, "not_recorded"),
)


def reason_of(error: BaseException) -> str:
    """The word for `error` in `_pages.error`, the log and the summary; a detail may follow after `: `."""
    if isinstance(error, exceptions.HTTPError):
        return f"http {error.response.status_code}" if error.response is not None else "http"
    for kind, word in _REASONS:
        if isinstance(error, kind):
            return word
    return type(error).__name__


class HttpError(exceptions.HTTPError):
    """The page was answered with a status that its callback did not ask for (Scrapy's name for it)."""


class Failure:
    """Why a page failed, as an errback sees it.

    `request` is the spider's Request, `value` the exception, `response` the answer when there was one.
    """

    def __init__(self, request: Request, value: BaseException, response: Response | None = None) -> None:
        self.request = request
        self.value = value
        self.response = response if response is not None else getattr(value, "response", None)

    def check(self, *kinds: type[BaseException] | str) -> Any:
        """The first of `kinds` (classes, or their names) that the exception is an instance of, else None."""
        names = {cls.__name__ for cls in type(self.value).__mro__}
        for kind in kinds:
            if isinstance(kind, str):
                if kind.rpartition(".")[2] in names:
                    return kind
            elif isinstance(self.value, kind):
                return kind
        return None

    def getErrorMessage(self) -> str:  # noqa: N802 - the name Scrapy's users know
        """The exception's message."""
        return str(self.value)

    def getTraceback(self) -> str:  # noqa: N802
        """The exception's traceback as text."""
        return "".join(traceback.format_exception(self.value))

    def __repr__(self) -> str:
        return f"<Failure {reason_of(self.value)} {self.request.url}>"

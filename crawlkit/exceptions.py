"""Every exception of crawlkit, in one tree. What belongs here: the class, what it means, whose fault it is. Nothing else.

CrawlkitError
├── RequestException (IOError)        an exchange that failed; names and shape are requests'
│   ├── HTTPError                     raise_for_status() on a 4xx or 5xx
│   ├── ConnectionError               no usable connection, or it broke
│   │   ├── ProxyError  SSLError      ... at the proxy; in TLS
│   │   ├── ConnectTimeout            (also a Timeout)
│   │   ├── NameNotFound              the host name does not exist
│   │   ├── AddressForbidden          the address is private and allow_private is off
│   │   ├── PoolTimeout               no connection became free in time
│   │   └── BadResponse               what the server sent is no HTTP
│   ├── Timeout                       ReadTimeout, BodyTimeout, RetriedTimeout, DeadlineExceeded; ConnectTimeout
│   ├── URLRequired  TooManyRedirects  RetryError  UnrewindableBodyError
│   ├── MissingSchema  InvalidSchema  InvalidURL  InvalidHeader  InvalidProxyURL   (ValueErrors)
│   ├── InvalidJSONError              JSONDecodeError (also json's)
│   ├── ChunkedEncodingError          the body ended early or its framing is broken
│   ├── ContentDecodingError          the body is not what Content-Encoding says (also urllib3's HTTPError)
│   ├── BodyTooLarge                  the body passed the limit that was set
│   ├── StreamConsumedError           (also a TypeError)
│   └── NotRecorded                   a cassette, or kept pages, have no answer to it
├── UsageError                        what the user typed or configured; exit code 2
│   ├── ConfigError                   crawl.toml, custom_settings, --set
│   ├── SpiderError                   the spider file or class
│   ├── CassetteError                 a cassette that is broken, or of another spider
│   └── StoreMismatch                 a database of something else, or of a newer version
├── CookieConflictError               one name, several cookies: say which (also a RuntimeError)
├── FormError  NoMatch                the page is not as the author expected; both name what there is
├── InvalidSelector                   a CSS or XPath query that cannot be read (also a ValueError)
├── UnsafeMarkup                      markup that would take the parser too long; it was not parsed
│   ├── MarkupTooLarge  TooDeep  TooManyAttributes
├── ItemError                         an item that no table can hold (also a ValueError)
├── LoginError                        a login did not lead to a logged-in page; exit code 3
├── LockHeld                          another run holds the lock; exit code 4
├── SecretFound                       an archive holds a secret still; it did not become a package
├── StorageError                      a database or file could not be read or written; exit code 74
│   └── ArchiveDamaged                a WARC file or package that is not as it was written
└── Verdict                           what an author raises to decide
    ├── StopCrawl (CloseSpider)       stop this run, with a reason
    ├── DropItem                      leave this item out
    └── IgnoreRequest                 skip this page
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from urllib3.exceptions import HTTPError as _Urllib3Error


class CrawlkitError(Exception):
    """The root of the tree: `except CrawlkitError` catches whatever crawlkit raises on purpose."""


# --- exchanges: requests' tree -----------------------------------------------------------------------------------


class RequestException(CrawlkitError, OSError):
    """An exchange failed. `request` is what was sent and `response` what came back, each None when there is none."""

    def __init__(self, *args: Any, request: Any = None, response: Any = None) -> None:
        self.response = response
        self.request = request if request is not None else getattr(response, "request", None)
        super().__init__(*args)

    def __reduce__(self) -> Any:
        # OSError's own reduce keeps only args; an exception that crosses a process keeps its request and response.
        return (_rebuild, (type(self), self.args, self.__dict__))


def _rebuild(kind: type[RequestException], args: tuple[Any, ...], state: dict[str, Any]) -> RequestException:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class HTTPError(RequestException):
    """The server answered with an error status."""


class ConnectionError(RequestException):
    """No connection to the server could be made, or it broke before an answer was complete.

    `unsent`: no connection came about, so that nothing of the request was sent.
    """

    unsent = False


class ProxyError(ConnectionError):
    """The proxy refused, or could not be reached. `status` is what it answered to CONNECT, such as 407; else None."""

    status: int | None = None


class SSLError(ConnectionError):
    """TLS failed: an expired, untrusted or foreign certificate, or no common protocol."""


class Timeout(RequestException):
    """Something took longer than was allowed."""


class ConnectTimeout(ConnectionError, Timeout):
    """No connection within the connect timeout. Safe to try again: nothing was sent."""


class ReadTimeout(Timeout):
    """The server sent nothing for as long as the read timeout."""


class BodyTimeout(ReadTimeout, ConnectionError):
    """The server fell silent within the body. requests calls it ConnectionError, so it is both."""


class RetriedTimeout(ReadTimeout, ConnectionError):
    """The server sent nothing, at none of an adapter's `max_retries`. requests calls it ConnectionError, so it is both."""


class DeadlineExceeded(Timeout):
    """The whole exchange took longer than its deadline; the socket was closed."""


class NameNotFound(ConnectionError):
    """The host name does not exist (the resolver's definite answer, not a passing failure)."""


class AddressForbidden(ConnectionError):
    """The host resolves to a private, loopback or link-local address and `allow_private` is off."""


class PoolTimeout(ConnectionError):
    """Every connection that the limits allow stayed in use for longer than the connect timeout."""


class BadResponse(ConnectionError):
    """What the server sent is not HTTP, or its head is larger than the limits."""


class URLRequired(RequestException):
    """A valid URL is required to make a request."""


class TooManyRedirects(RequestException):
    """The chain of redirects is longer than `max_redirects`; `response` is the last one."""


class RetryError(RequestException):
    """The retry policy was asked to raise and its attempts are used up."""


class UnrewindableBodyError(RequestException):
    """The body must be sent again (a redirect, a digest challenge, a retry) and cannot be rewound."""


class MissingSchema(RequestException, ValueError):
    """The URL has no scheme such as `https://`."""


class InvalidSchema(RequestException, ValueError):
    """No adapter is mounted for the URL's scheme."""


class InvalidURL(RequestException, ValueError):
    """The URL cannot be parsed or has no host."""


class InvalidHeader(RequestException, ValueError):
    """A header's name or value has a character that headers must not have."""


class InvalidProxyURL(InvalidURL):
    """The proxy's URL cannot be parsed or has no host."""


class InvalidJSONError(RequestException):
    """JSON could not be written or read."""


class JSONDecodeError(InvalidJSONError, json.JSONDecodeError):
    """The body is not JSON. Caught by `except json.JSONDecodeError` as well."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        json.JSONDecodeError.__init__(self, *args)
        InvalidJSONError.__init__(self, *self.args, **kwargs)

    def __reduce__(self) -> Any:
        return (JSONDecodeError, (self.msg, self.doc, self.pos))


class ChunkedEncodingError(RequestException):
    """The body ended before its announced end, or its chunks are broken."""


if TYPE_CHECKING:

    class ContentDecodingError(RequestException, _Urllib3Error):
        """The body is not encoded as its Content-Encoding says."""


def __getattr__(name: str) -> Any:
    # As in requests this one is caught as urllib3's HTTPError, too; it is made when it is first asked for, so that
    # nobody else has to wait for urllib3.
    if name != "ContentDecodingError":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from urllib3.exceptions import HTTPError as Urllib3Error

    said = {"__doc__": "The body is not encoded as its Content-Encoding says.", "__module__": __name__}
    return globals().setdefault(name, type(name, (RequestException, Urllib3Error), said))


class BodyTooLarge(RequestException):
    """The body, after decoding, passed the limit; what came before was discarded."""


class StreamConsumedError(RequestException, TypeError):
    """The body was already read as a stream."""


class NotRecorded(RequestException):
    """The answer was to come from what was recorded, and there is none; nothing was sent."""


class RequestsWarning(Warning):
    """The root of the warnings that carry requests' names."""


class FileModeWarning(RequestsWarning, DeprecationWarning):
    """A file was opened in text mode, so that its length in bytes is not known."""


class RequestsDependencyWarning(RequestsWarning):
    """A dependency's version is not one that is tested."""


class CookieConflictError(CrawlkitError, RuntimeError):
    """Several cookies of a jar have the name that was asked for; domain and path say which one is meant."""


# --- what the user typed or configured -----------------------------------------------------------------------------


class UsageError(CrawlkitError):
    """The command, configuration or spider is wrong; nothing was written. Exit code 2."""


class ConfigError(UsageError):
    """A key or value of the configuration is wrong; the message names file, key and nearest valid key."""


class SpiderError(UsageError):
    """The spider file or class cannot be used; the message names the file and line."""


class CassetteError(UsageError):
    """A cassette cannot be read, or is of another spider; the message names the file and the line. It was not changed."""


class StoreMismatch(UsageError):
    """The database belongs to another program, another spider or a newer crawlkit; it was left as it is."""


# --- the page is not as the author expected ----------------------------------------------------------------------


class NoMatch(CrawlkitError, LookupError):
    """`response.one(css)` found nothing; the message names the selector and the URL."""


class FormError(CrawlkitError, LookupError):
    """The page has no such form, or the form no such field; the message names those there are."""


class ItemError(CrawlkitError, ValueError):
    """What a callback yielded cannot be stored as a row; the message names the table and what is wrong with it."""


class InvalidSelector(CrawlkitError, ValueError):
    """A CSS selector or XPath expression cannot be read; the message repeats it."""


class UnsafeMarkup(CrawlkitError):
    """The markup passes a cap of `html.document.Limits` and was not parsed; the message names the cap."""


class MarkupTooLarge(UnsafeMarkup):
    """The document has more bytes than may be parsed."""


class TooDeep(UnsafeMarkup):
    """The elements nest, or would be repeated, beyond what can be parsed in reasonable time."""


class TooManyAttributes(UnsafeMarkup):
    """One tag has more attributes than can be parsed in reasonable time."""


# --- runs ------------------------------------------------------------------------------------------------------------


class LoginError(CrawlkitError):
    """Logging in did not lead to a logged-in page. Exit code 3."""


class LockHeld(CrawlkitError):
    """Another run holds the lock of this database. Exit code 4. `pid` and `since` (ISO 8601) tell whose it is."""

    def __init__(self, message: str, *, pid: int | None = None, since: str | None = None) -> None:
        super().__init__(message)
        self.pid = pid
        self.since = since


class SecretFound(CrawlkitError):
    """An archive holds a secret still, and did not become a package. The message says where, never which."""


class StorageError(CrawlkitError):
    """A database or file could not be read or written (full disk, I/O error, damage). Exit code 74."""


class ArchiveDamaged(StorageError):
    """A WARC file or a package is not what it was when it was written; the message names file, offset and record.

    `offset`: the byte where what is damaged begins, None where there is none to name; `what`: the message without file
    and offset.
    """

    def __init__(self, message: str, *, offset: int | None = None, what: str | None = None) -> None:
        super().__init__(message)
        self.offset = offset
        self.what = message if what is None else what


# --- what an author raises -----------------------------------------------------------------------------------------


class Verdict(CrawlkitError):
    """Raised by a spider to decide, not because something failed. `reason` goes into the report."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason


class StopCrawl(Verdict):
    """The author calls it a day: no new page is fetched, the done ones are kept, the next run starts anew."""


CloseSpider = StopCrawl  # Scrapy's name for it


class DropItem(Verdict):
    """Raised in `process_item`: this item is not stored."""


class IgnoreRequest(Verdict):
    """Raised in a callback or an errback: the page ends as skipped, its output is dropped."""

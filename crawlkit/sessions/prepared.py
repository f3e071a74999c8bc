"""PreparedRequest: a request exactly as it is sent. Preparing happens here, for requests' Request and the
spider's alike.

What belongs here: the order (method, URL, headers, cookies, body, auth, hooks; auth sees a finished request,
Content-Length follows it) and which headers a request gets. What does not: encoding of URLs (target.py) and
bodies (body.py), merging with a session's settings (session.py), sending (adapter.py). Most requests of a
crawl are a plain GET of a clean URL with the same few headers: what such a request does not have costs
nothing.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from http import cookiejar
from types import NoneType
from typing import TYPE_CHECKING, Any

from crawlkit.exceptions import InvalidJSONError
from crawlkit.sessions.auth import HTTPBasicAuth
from crawlkit.sessions.body import (
    NO_BODY,
    NotRewindable,
    can_resend,
    encode_body,
    encode_params,
    super_len,
)
from crawlkit.sessions.cookies import CookieJar, cookiejar_from_dict, get_cookie_header
from crawlkit.sessions.defaults import UsualTimeout
from crawlkit.sessions.headers import CaseInsensitiveDict, HeaderValue, checked_headers, to_native_string
from crawlkit.sessions.hooks import RequestHooksMixin, default_hooks
from crawlkit.sessions.multipart import encode_multipart
from crawlkit.sessions.spec import FromSpec
from crawlkit.sessions.target import get_auth_from_url, path_url, prepare_url, prepare_url_with

if TYPE_CHECKING:
    from crawlkit.sessions.request import Request as Spec
else:
    # Hints that are read at run time say Any for what is loaded when it is used, or imports this module.
    Spec = Any

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")


class RequestEncodingMixin:
    """requests' name for the request target and the encoders of params and files."""

    url: str | None

    @property
    def path_url(self) -> str:
        """Path and query: what stands in the request line (RFC 9112 section 3.2.1)."""
        return path_url(self.url or "")

    @staticmethod
    def _encode_params(data: Any) -> Any:
        return encode_params(data)

    @staticmethod
    def _encode_files(files: Any, data: Any) -> tuple[bytes, str]:
        if not files:
            raise ValueError("there are no files to encode")
        return encode_multipart(data, files)


class PreparedRequest(RequestEncodingMixin, RequestHooksMixin, FromSpec):
    """What will be sent: `method`, `url`, `headers`, `body`, `hooks`.

    Made by `Session.prepare_request()` or `Request.prepare()`; everything may be changed before it is sent.
    Belongs to one thread at a time. `spec` is the spider's Request that it was made from, None for any other.
    """

    # What a session has to tell its adapter beside the arguments that requests' adapters know, set at each sending.
    _usual_timeout: UsualTimeout | None = None  # what holds when the adapter is given no timeout
    _untimed = False  # while it is being sent: whether a timeout of None is there because nobody set one
    _repeated = False  # whether the session repeats it by a policy, so that the adapter's own does not hold

    def __init__(self) -> None:
        self.method: str | None = None
        self.url: str | None = None
        self.headers: CaseInsensitiveDict[HeaderValue] = None  # type: ignore[assignment]
        self.body: Any = None
        self.hooks = default_hooks()
        self.spec: Spec | None = None
        self._cookies: Any = None
        self._body_position: int | NotRewindable | None = None

    #: Whether the session's own auth signed it, which may be another one by now.
    own_auth = False

    def __repr__(self) -> str:
        return f"<PreparedRequest [{self.method}]>"

    def prepare(
        self,
        method: str | bytes | None = None,
        url: str | bytes | None = None,
        headers: Mapping[str, HeaderValue] | None = None,
        files: Any = None,
        data: Any = None,
        params: Any = None,
        auth: Any = None,
        cookies: Any = None,
        hooks: Mapping[str, Any] | None = None,
        json: Any = None,
    ) -> None:
        """Prepare everything, in the order that the module's text names.

        Raises MissingSchema, InvalidURL, InvalidHeader, InvalidJSONError, ValueError (method, data beside
        files).
        """
        self.prepare_method(method)
        self.prepare_url(url, params)
        self.prepare_headers(headers)
        self.prepare_cookies(cookies)
        self.prepare_body(data, files, json)
        self.prepare_auth(auth)
        if hooks:
            self.prepare_hooks(hooks)

    # --- each part ------------------------------------------------------------------------------------------

    def prepare_method(self, method: str | bytes | None) -> None:
        """The method in capitals. ValueError when it is no token: with a line break in it, it would be a
        second request.
        """
        if method in _METHODS or method is None:
            self.method = method
            return
        text = to_native_string(method).upper()
        if text not in _METHODS and not _METHOD.match(text):
            raise ValueError(f"{text!r} is not a method: it must be a token (RFC 9110 section 9.1)")
        self.method = text

    def prepare_url(self, url: Any, params: Any = None) -> None:
        """The URL with `params` behind its query; any object with a str() may be a URL."""
        text = url if type(url) is str else url.decode("utf-8") if isinstance(url, bytes) else str(url)
        self.url = prepare_url_with(text, _query(params)) if params else prepare_url(text)

    def prepare_headers(self, headers: Mapping[str, HeaderValue] | None) -> None:
        """A checked copy of `headers`; InvalidHeader names the one that may not be sent."""
        self.headers = checked_headers(headers) if headers else CaseInsensitiveDict()

    def prepare_cookies(self, cookies: Any) -> None:
        """Keep the jar and set `Cookie` from it, unless that header is there already: the author's own wins.

        `cookies` is a jar of ours, any `http.cookiejar` jar, a mapping, or None.
        """
        jar = self._cookies = cookies if isinstance(cookies, cookiejar.CookieJar) else cookiejar_from_dict(cookies)
        if self.url is not None and "Cookie" not in self.headers:
            value = get_cookie_header(jar, self)
            if value:
                self.headers["Cookie"] = value

    def prepare_body(self, data: Any, files: Any = None, json: Any = None) -> None:
        """The body and its headers: Content-Type (unless given), Content-Length or chunked."""
        try:
            encoded = encode_body(data, files, json) if _has_body(data, files, json) else NO_BODY
        except InvalidJSONError as error:
            error.request = self
            raise
        self.body = encoded.content
        self._body_position = encoded.position
        headers = self.headers
        if encoded.stream:
            self._announce_stream(encoded.length)
        elif encoded.content is None:
            self.prepare_content_length(None)
        elif encoded.length:
            self._announce_length(encoded.length)
        if encoded.content_type and "Content-Type" not in headers:
            headers["Content-Type"] = encoded.content_type

    def _announce_stream(self, length: int | None) -> None:
        if length is not None:
            self._announce_length(length)
        elif "Content-Length" not in self.headers:
            # A length that the author knows stands: with chunked beside it, two servers could read two
            # different requests.
            self.headers["Transfer-Encoding"] = "chunked"

    def _announce_length(self, length: int) -> None:
        self.headers["Content-Length"] = str(length)
        # RFC 9112 section 6.2: never both.
        self.headers.pop("Transfer-Encoding", None)

    def prepare_content_length(self, body: Any) -> None:
        """Content-Length of `body` where it can be known; "0" for no body, but for GET and HEAD."""
        if body is not None:
            if length := super_len(body):
                self._announce_length(length)
        elif self.method not in ("GET", "HEAD") and self.headers.get("Content-Length") is None:
            self.headers["Content-Length"] = "0"

    def prepare_auth(self, auth: Any, url: Any = "") -> None:
        """Let `auth` sign the request: a pair (user, password) for Basic, or a callable that gets and returns
        the request.

        Without one, user and password in the URL are used. `url` is there because requests has it, and is not
        read.
        """
        if auth is None and self.url is not None and "@" in self.url:
            pair = get_auth_from_url(self.url)
            auth = pair if any(pair) else None
        if not auth:
            return
        signed = _signer(auth)(self)
        if signed is not self:
            if not hasattr(signed, "__dict__"):
                raise TypeError(f"the auth callable {auth!r} must return the request, not {type(signed).__name__}")
            self.__dict__.update(signed.__dict__)
        self.prepare_content_length(self.body)

    def prepare_hooks(self, hooks: Mapping[str, Any] | None) -> None:
        """Add `hooks` to those that are there."""
        for event, hook in (hooks or {}).items():
            self.register_hook(event, hook)

    # --- what became of it ----------------------------------------------------------------------------------

    def copy(self) -> PreparedRequest:
        """A request that can be changed without changing this one; hooks and body are shared."""
        other = PreparedRequest()
        other.method = self.method
        other.url = self.url
        other.headers = self.headers.copy() if self.headers is not None else None
        other.body = self.body
        other.hooks = self.hooks
        other.spec = self.spec
        other._cookies = copy_jar(self._cookies)
        other._body_position = self._body_position
        other._usual_timeout = self._usual_timeout
        other._untimed = self._untimed
        other._repeated = self._repeated
        return other

    @property
    def body_position(self) -> int | NotRewindable | None:
        """Where a file-like body stood when it was prepared, in its own units; None for a body without a
        position.
        """
        return self._body_position

    @property
    def resendable(self) -> bool:
        """Whether the body can be sent a second time (bytes, or a file that goes back)."""
        return can_resend(self.body, self._body_position)


def copy_jar(jar: Any) -> Any:
    if jar is None or isinstance(jar, CookieJar):
        return copy.copy(jar)
    # http.cookiejar's have no copy; a shallow one shares its cookies until it is cleared, which gives it a
    # dict of its own.
    twin = copy.copy(jar)
    twin.clear()
    for cookie in jar:
        twin.set_cookie(copy.copy(cookie))
    return twin


def _has_body(data: Any, files: Any, json: Any) -> bool:
    # A stream may be false, because it says that it has no length yet.
    return bool(data or files or json is not None or not isinstance(data, (NoneType, str, bytes, list, tuple, dict)))


def _query(params: Any) -> str:
    encoded = encode_params(params)
    if isinstance(encoded, bytes):
        return encoded.decode("utf-8")
    if not isinstance(encoded, str):
        raise TypeError(f"params must be a mapping, pairs, str or bytes, not {type(params).__name__}")
    return encoded


def _signer(auth: Any) -> Callable[[PreparedRequest], Any]:
    if isinstance(auth, tuple) and len(auth) == 2:
        return HTTPBasicAuth(*auth)
    if not callable(auth):
        raise TypeError(f"auth must be a pair (user, password) or a callable, not {type(auth).__name__}")
    return auth  # type: ignore[no-any-return]

"""Request: what a spider asks for, as a value: where, how, and which of its methods gets the answer.

What belongs here: the value and how its arguments become URL, headers and body. What does not: merging with
a session's settings and preparing for the wire (prepared.py), writing to disk (crawl/), and
`crawlkit.requests.Request`, which is another class with requests' arguments (models.py). A page makes
hundreds of these, most of them of a URL and a callback alone: what a request does not bring is not built.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

from crawlkit.sessions.headers import CaseInsensitiveDict

Callback = Callable[..., Any]

_REPLACEABLE = (
    "url",
    "callback",
    "method",
    "headers",
    "body",
    "cookies",
    "meta",
    "encoding",
    "priority",
    "dont_filter",
    "errback",
    "flags",
    "cb_kwargs",
    "proxy",
    "timeout",
    "profile",
    "safe",
)


class Request:
    """One exchange that a spider wants. Do not change it after it was yielded; `replace()` makes another.

    `url` is absolute http(s), anything else is a ValueError. `callback` and `errback` are methods of the spider, or
    their names. `params` are added to the URL's query; `data` (mapping, pairs, str or bytes) or `json` become body
    and Content-Type, and the method POST where none is given. `priority`: higher goes first. `timeout`: seconds, or a
    pair (connect, read). `proxy`: a URL. `profile`: the name of the profile to send as. `safe`: True when repeating
    it does no harm although its method says otherwise (a search by POST), False when even its GET must not be
    repeated; True also takes a link past the crawl's logout guard. `anchor`: the element that it was made of, if any; it
    is not written down and not copied.
    """

    __slots__ = (
        "__weakref__",
        "_cb_kwargs",
        "_cookies",
        "_flags",
        "_headers",
        "_meta",
        "anchor",
        "body",
        "callback",
        "dont_filter",
        "encoding",
        "errback",
        "method",
        "priority",
        "profile",
        "proxy",
        "safe",
        "timeout",
        "url",
    )

    def __init__(
        self,
        url: str,
        callback: Callback | str | None = None,
        method: str | None = None,
        headers: Mapping[str, Any] | None = None,
        body: bytes | str | None = None,
        cookies: Mapping[str, str] | list[dict[str, Any]] | None = None,
        meta: Mapping[str, Any] | None = None,
        encoding: str = "utf-8",
        priority: int = 0,
        dont_filter: bool = False,
        errback: Callback | str | None = None,
        flags: list[str] | None = None,
        cb_kwargs: Mapping[str, Any] | None = None,
        *,
        data: Any = None,
        json: Any = None,
        params: Any = None,
        proxy: str | None = None,
        timeout: Any = None,
        profile: str | None = None,
        safe: bool | None = None,
    ) -> None:
        if url[:8] != "https://" and url[:7] != "http://":
            _refuse_url(url, callback)
        self.url = url
        self.callback = callback
        self.errback = errback
        self.priority = priority
        self.dont_filter = dont_filter
        self.encoding = encoding
        self.proxy = proxy
        self.timeout = timeout
        self.profile = profile
        self.safe = safe
        self.anchor: Any = None
        self._headers = None if headers is None else CaseInsensitiveDict(headers)
        self._cookies = cookies
        self._meta = None if meta is None else dict(meta)
        self._cb_kwargs = None if cb_kwargs is None else dict(cb_kwargs)
        self._flags = None if flags is None else list(flags)
        if body is None:
            self.body = b""
        else:
            self.body = body if isinstance(body, bytes) else body.encode(encoding)
        self.method = "GET" if method is None else method.upper()
        if params or data is not None or json is not None:
            self._build(params, data, json, method)

    def _build(self, params: Any, data: Any, json: Any, method: str | None) -> None:
        """URL, body and Content-Type of what was given as values."""
        if params:
            self.url = _with_params(self.url, params)
        if data is None and json is None:
            return
        if self.body or (data is not None and json is not None):
            raise ValueError(f"give one of body, data and json, not several: {self.url}")
        if data is not None:
            self.body, content_type = _encoded(data, self.encoding)
        else:
            from crawlkit.sessions.body import encode_json

            self.body, content_type = encode_json(json), "application/json"
        if method is None:
            self.method = "POST"
        if content_type is not None:
            self.headers.setdefault("Content-Type", content_type)

    @property
    def headers(self) -> CaseInsensitiveDict[Any]:
        """What this request sends on top of the session's headers; a value of None leaves the session's out."""
        if self._headers is None:
            self._headers = CaseInsensitiveDict()
        return self._headers

    @property
    def cookies(self) -> Mapping[str, str] | list[dict[str, Any]]:
        """Cookies for this exchange only, beside the jar's."""
        if self._cookies is None:
            self._cookies = {}
        return self._cookies

    @property
    def meta(self) -> dict[str, Any]:
        """Values that travel with the request to its callback; JSON, so that they survive on disk."""
        if self._meta is None:
            self._meta = {}
        return self._meta

    @property
    def cb_kwargs(self) -> dict[str, Any]:
        """Keyword arguments of the callback; JSON, so that they survive on disk."""
        if self._cb_kwargs is None:
            self._cb_kwargs = {}
        return self._cb_kwargs

    @property
    def flags(self) -> list[str]:
        """Scrapy's free-form notes; kept, and never read by crawlkit."""
        if self._flags is None:
            self._flags = []
        return self._flags

    def replace(self, cls: type[Request] | None = None, **changes: Any) -> Request:
        """A new request like this one but for `changes` (arguments of the constructor); `cls` makes it another kind."""
        kwargs: dict[str, Any] = {}
        values = "data" in changes or "json" in changes
        for name in _REPLACEABLE:
            if name in changes or (name == "body" and values):
                continue
            kwargs[name] = getattr(self, name)
        if values and "headers" not in changes:
            # The old body's type would otherwise be claimed for the new one.
            kwargs["headers"] = {k: v for k, v in self.headers.items() if k.lower() != "content-type"}
        if values and "method" not in changes and self.method == "GET":
            del kwargs["method"]
        return (cls or type(self))(**kwargs, **changes)

    def copy(self) -> Self:
        """A new request equal to this one."""
        return self.replace()  # type: ignore[return-value] # of the same class, unless told otherwise

    def __repr__(self) -> str:
        from crawlkit.sessions.leaks import shown

        return f"<{self.method} {shown(self.url)}>"


def _refuse_url(url: str, callback: Any) -> None:
    """Raises for what cannot be a URL here; says so when it looks like requests' argument order."""
    if not isinstance(url, str):
        raise TypeError(f"Request url must be str, not {type(url).__name__}")
    if url[:8].lower().startswith(("http://", "https://")):
        return  # HTTP://HOST/ is rare, and right
    if url.isalpha() and isinstance(callback, str) and ":" in callback:
        raise TypeError(
            f"crawlkit.Request takes the URL first: Request({callback!r}, method={url!r}). "
            "requests' Request(method, url) is crawlkit.requests.Request"
        )
    raise ValueError(f"Missing scheme in request url: {url!r} (it must begin with http:// or https://)")


def _with_params(url: str, params: Any) -> str:
    """`params` behind the query that is there and before the fragment; None dropped, lists repeated."""
    from crawlkit.sessions.body import encode_params

    added = encode_params(params)
    if isinstance(added, bytes):
        added = added.decode("utf-8")
    if not added:
        return url
    head, mark, fragment = str(url).partition("#")
    head += ("&" if not head.endswith(("?", "&")) else "") if "?" in head else "?"
    return f"{head}{added}{mark}{fragment}"


def _encoded(data: Any, encoding: str) -> tuple[bytes, str | None]:
    from crawlkit.sessions.body import FORM_TYPE, encode_params

    encoded = encode_params(data)
    if isinstance(encoded, bytes):
        return encoded, None
    if not isinstance(encoded, str):
        raise TypeError(f"data must be a mapping, pairs, str or bytes, not {type(data).__name__}: it is kept on disk")
    return encoded.encode(encoding), FORM_TYPE

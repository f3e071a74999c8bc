"""A spider's Request on disk: what of it must be written down so that any later process can send it and call back."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from crawlkit.crawl.spider import Spider
from crawlkit.exceptions import SpiderError
from crawlkit.sessions.request import Request
from crawlkit.store.outcome import Lease

DEFAULT_CALLBACK = "parse"

#: The meta keys of Scrapy that mean the same here, and what they must hold.
_META: tuple[tuple[str, tuple[type, ...], str], ...] = (
    ("handle_httpstatus_list", (list, tuple), "a list of statuses"),
    ("max_retry_times", (int,), "a whole number"),
    ("download_timeout", (int, float), "seconds"),
    ("proxy", (str,), "a URL"),
)


def dump(request: Request, spider: Spider) -> str | None:
    """JSON of all that differs from a plain GET whose callback is `parse`; None when nothing does.

    SpiderError when the callback is no method of the spider, or meta or cb_kwargs hold what JSON cannot.
    """
    state: dict[str, Any] = {}
    callback = _method_name(request.callback, spider, request.url)
    if callback is not None and callback != DEFAULT_CALLBACK:
        state["callback"] = callback
    if request.errback is not None:
        state["errback"] = _method_name(request.errback, spider, request.url)
    if request.method != "GET":
        state["method"] = request.method
    if request.body:
        state["body"] = base64.b64encode(request.body).decode("ascii")
    if request.headers:
        state["headers"] = [[str(name), _header(value)] for name, value in request.headers.items()]
    for name in ("cookies", "meta", "cb_kwargs"):
        value = getattr(request, name)
        if value:
            state[name] = value
    for name in ("proxy", "timeout", "profile", "safe"):
        value = getattr(request, name)
        if value is not None:
            state[name] = value
    if request.dont_filter:
        state["dont_filter"] = True
    if not state:
        return None
    if "meta" in state:
        _check_meta(request.meta, request.url)
    try:
        text = json.dumps(state, ensure_ascii=False, separators=(",", ":"))
        text.encode()  # a lone surrogate would be refused by the database only
        return text
    except (TypeError, ValueError) as error:
        raise SpiderError(
            f"{request.url}: meta, cb_kwargs and cookies of a request must be JSON values, "
            f"because it is kept on disk: {error}"
        ) from error


def load(lease: Lease, spider: Spider) -> Request:
    """The Request that was written down. SpiderError when its callback is no longer there."""
    state: dict[str, Any] = json.loads(lease.request) if lease.request else {}
    callback = state.get("callback", DEFAULT_CALLBACK)
    errback = state.get("errback")
    for name in (callback, errback):
        if name is not None and not callable(getattr(spider, name, None)):
            raise SpiderError(
                f"{lease.url} waits for the callback {name!r}, which {type(spider).__name__} does not have; "
                "put it back or start over with --fresh"
            )
    body = state.get("body")
    return Request(
        lease.url,
        callback=getattr(spider, callback),
        errback=getattr(spider, errback) if errback else None,
        method=state.get("method", "GET"),
        headers=dict(state["headers"]) if "headers" in state else None,
        body=base64.b64decode(body) if body else None,
        cookies=state.get("cookies"),
        meta=state.get("meta"),
        cb_kwargs=state.get("cb_kwargs"),
        priority=lease.priority,
        dont_filter=state.get("dont_filter", False),
        proxy=state.get("proxy"),
        timeout=_timeout(state.get("timeout")),
        profile=state.get("profile"),
        safe=state.get("safe"),
    )


def callback_of(lease: Lease) -> str:
    """The name of the callback that was written down."""
    return str(json.loads(lease.request).get("callback", DEFAULT_CALLBACK)) if lease.request else DEFAULT_CALLBACK


def _timeout(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value  # JSON has no tuples


def _method_name(callback: Any, spider: Spider, url: str) -> str | None:
    if callback is None:
        return None
    if isinstance(callback, str):
        name = callback
    elif getattr(callback, "__self__", None) is spider:
        name = callback.__name__
    else:
        raise SpiderError(
            f"{url}: the callback {getattr(callback, '__qualname__', callback)!r} is not a method of this spider; "
            "a request is kept on disk, so its callback must be one (lambdas and functions cannot be found again)"
        )
    if not callable(getattr(spider, name, None)):
        raise SpiderError(f"{url}: {type(spider).__name__} has no method {name!r} to call back")
    return name


def _header(value: Any) -> str | None:
    """A header's value as text; None stays: it takes the session's header out. Scrapy's lists become one value."""
    if value is None:
        return None
    if isinstance(value, list | tuple):
        return ", ".join(str(_header(one)) for one in value)
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _check_meta(meta: Mapping[str, Any], url: str) -> None:
    """SpiderError when a meta key that means something here holds what it cannot mean."""
    for key, kinds, what in _META:
        value = meta.get(key)
        if value is not None and not isinstance(value, kinds):
            raise SpiderError(f"{url}: meta[{key!r}] must be {what}, not {type(value).__name__} {str(value)[:40]!r}")

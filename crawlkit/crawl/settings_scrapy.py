"""Scrapy's names for settings, as `custom_settings` of a ported spider has them, in our sections and keys.

What belongs here: the table of names and what their values become. Names that mean nothing here are passed
over in silence when nothing is lost by it, and with a warning by name when something is.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any

_Change = tuple[str, Any]


def _same(key: str) -> Callable[[Any], list[_Change]]:
    return lambda value: [(key, value)]


def _zero_is_none(key: str) -> Callable[[Any], list[_Change]]:
    """Scrapy spells "no limit" as 0."""
    return lambda value: [(key, value or None)]


def _timeout(value: Any) -> list[_Change]:
    # Scrapy's timeout covers the whole download: here that is the deadline, and silence may last as long.
    return [("fetch.timeout", value), ("fetch.deadline", value)]


def _retry_enabled(value: Any) -> list[_Change]:
    return [] if value else [("fetch.retries", 0)]


def _allow_all(value: Any) -> list[_Change]:
    return [("crawl.handle_status", tuple(range(400, 600)))] if value else []


def _log_level(value: Any) -> list[_Change]:
    level = str(value).lower()
    return [("run.log_level", "error" if level == "critical" else level)]


_NAMES: Mapping[str, Callable[[Any], list[_Change]]] = {
    "AUTOTHROTTLE_ENABLED": _same("crawl.adaptive"),
    "CLOSESPIDER_PAGECOUNT": _zero_is_none("crawl.max_pages"),
    "CLOSESPIDER_TIMEOUT": _zero_is_none("crawl.max_time"),
    "CONCURRENT_REQUESTS": _same("crawl.workers"),
    "CONCURRENT_REQUESTS_PER_DOMAIN": _same("crawl.per_host"),
    "CONCURRENT_REQUESTS_PER_IP": lambda value: [("crawl.per_host", value)] if value else [],
    "DEFAULT_REQUEST_HEADERS": _same("fetch.headers"),
    "DEPTH_LIMIT": _zero_is_none("crawl.max_depth"),
    "DOWNLOAD_DELAY": _same("crawl.delay"),
    "DOWNLOAD_MAXSIZE": _zero_is_none("fetch.max_body"),
    "DOWNLOAD_TIMEOUT": _timeout,
    "HTTPERROR_ALLOWED_CODES": _same("crawl.handle_status"),
    "HTTPERROR_ALLOW_ALL": _allow_all,
    "LOG_FILE": _same("run.log_file"),
    "LOG_LEVEL": _log_level,
    "REDIRECT_MAX_TIMES": _same("fetch.max_redirects"),
    "RETRY_ENABLED": _retry_enabled,
    "RETRY_HTTP_CODES": _same("fetch.retry_statuses"),
    "RETRY_TIMES": _same("fetch.retries"),
    "ROBOTSTXT_OBEY": _same("crawl.robots"),
    "USER_AGENT": _same("fetch.user_agent"),
}

#: Names whose value asks for what happens anyway, or for nothing that a crawl here has.
_HARMLESS = frozenset(
    {
        "ADDONS",
        "ASYNCIO_EVENT_LOOP",
        "BOT_NAME",
        "DNSCACHE_ENABLED",
        "FEED_EXPORT_ENCODING",
        "JOBDIR",
        "LOG_ENABLED",
        "LOGSTATS_INTERVAL",
        "NEWSPIDER_MODULE",
        "RANDOMIZE_DOWNLOAD_DELAY",
        "REACTOR_THREADPOOL_MAXSIZE",
        "REQUEST_FINGERPRINTER_IMPLEMENTATION",
        "SPIDER_MODULES",
        "TELNETCONSOLE_ENABLED",
        "TWISTED_REACTOR",
    }
)

#: Names for which there is another way.
_INSTEAD = {
    "COOKIES_ENABLED": "a session always keeps cookies",
    "FEEDS": "items are in the spider's database; use -o FILE or crawlkit export",
    "FEED_URI": "items are in the spider's database; use -o FILE or crawlkit export",
    "FEED_FORMAT": "items are in the spider's database; use -o FILE or crawlkit export",
    "ITEM_PIPELINES": "write process_item(item, response) in the spider",
    "FILES_STORE": "yield Download(url, path)",
    "IMAGES_STORE": "yield Download(url, path)",
    "HTTPCACHE_ENABLED": "crawls are incremental by default",
    "REDIRECT_ENABLED": 'set meta["dont_redirect"] on the requests',
}


def is_scrapy_name(key: str) -> bool:
    """Whether a key of `custom_settings` is spelled as Scrapy spells settings: in capitals."""
    return key.isupper()


def translate(values: Mapping[str, Any]) -> tuple[list[tuple[str, str, Any]], list[str]]:
    """The Scrapy-named part of `custom_settings` as (Scrapy's name, "section.key", value), and warnings."""
    changes: list[tuple[str, str, Any]] = []
    warnings: list[str] = []
    for name, value in values.items():
        if name in _NAMES:
            changes.extend((name, key, changed) for key, changed in _NAMES[name](value))
        elif name not in _HARMLESS and not (name == "COOKIES_ENABLED" and value):
            hint = _INSTEAD.get(name) or _nearest(name)
            warnings.append(f"custom_settings: {name} is ignored: {hint}")
    return changes, warnings


def _nearest(name: str) -> str:
    near = difflib.get_close_matches(name, [*_NAMES, *_HARMLESS, *_INSTEAD], n=1, cutoff=0.85)
    return f"did you mean {near[0]}?" if near else "crawlkit has no such setting"

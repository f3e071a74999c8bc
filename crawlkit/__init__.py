"""crawlkit: crawling and scraping built on sessions. This file is the public surface and nothing else.

Names load when they are first used (PEP 562), so that `import crawlkit` costs little and pulls no dependency in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crawlkit.version import VERSION as __version__  # noqa: N811

if TYPE_CHECKING:
    from crawlkit import exceptions as exceptions
    from crawlkit import requests as requests
    from crawlkit.crawl.failure import Failure as Failure
    from crawlkit.crawl.items import Download as Download
    from crawlkit.crawl.items import Item as Item
    from crawlkit.crawl.spider import Spider as Spider
    from crawlkit.exceptions import CloseSpider as CloseSpider
    from crawlkit.exceptions import DropItem as DropItem
    from crawlkit.exceptions import IgnoreRequest as IgnoreRequest
    from crawlkit.exceptions import StopCrawl as StopCrawl
    from crawlkit.html.selectors import Selector as Selector
    from crawlkit.html.selectors import SelectorList as SelectorList
    from crawlkit.sessions.api import delete as delete
    from crawlkit.sessions.api import get as get
    from crawlkit.sessions.api import head as head
    from crawlkit.sessions.api import options as options
    from crawlkit.sessions.api import patch as patch
    from crawlkit.sessions.api import post as post
    from crawlkit.sessions.api import put as put
    from crawlkit.sessions.api import request as request
    from crawlkit.sessions.basiclogin import BasicLogin as BasicLogin
    from crawlkit.sessions.cookielogin import CookieLogin as CookieLogin
    from crawlkit.sessions.formlogin import FormLogin as FormLogin
    from crawlkit.sessions.forms import Form as Form
    from crawlkit.sessions.forms import FormRequest as FormRequest
    from crawlkit.sessions.login import Login as Login
    from crawlkit.sessions.request import Request as Request
    from crawlkit.sessions.response import Response as Response
    from crawlkit.sessions.retry import RetryPolicy as RetryPolicy
    from crawlkit.sessions.session import Session as Session
    from crawlkit.sessions.tokenlogin import TokenLogin as TokenLogin

_HOMES = {
    "Spider": "crawl.spider",
    "Item": "crawl.items",
    "Download": "crawl.items",
    "Failure": "crawl.failure",
    "Request": "sessions.request",
    "Response": "sessions.response",
    "Session": "sessions.session",
    "RetryPolicy": "sessions.retry",
    "Form": "sessions.forms",
    "FormRequest": "sessions.forms",
    "Login": "sessions.login",
    "FormLogin": "sessions.formlogin",
    "TokenLogin": "sessions.tokenlogin",
    "BasicLogin": "sessions.basiclogin",
    "CookieLogin": "sessions.cookielogin",
    "Selector": "html.selectors",
    "SelectorList": "html.selectors",
    "StopCrawl": "exceptions",
    "CloseSpider": "exceptions",
    "DropItem": "exceptions",
    "IgnoreRequest": "exceptions",
    "request": "sessions.api",
    "get": "sessions.api",
    "head": "sessions.api",
    "options": "sessions.api",
    "post": "sessions.api",
    "put": "sessions.api",
    "patch": "sessions.api",
    "delete": "sessions.api",
}

_MODULES = ("exceptions", "requests")

__all__ = ["__version__", *_MODULES, *_HOMES]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _MODULES:
        return import_module(f"crawlkit.{name}")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'crawlkit' has no attribute {name!r}")
    value = getattr(import_module(f"crawlkit.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

"""Requests on disk: written by one process, sent and called back by another."""

from __future__ import annotations

import json
from typing import Any

import pytest

from crawlkit.crawl.request import dump, load
from crawlkit.crawl.spider import Spider
from crawlkit.exceptions import SpiderError
from crawlkit.sessions.request import Request
from crawlkit.store.outcome import Lease

URL = "https://example.org/a"


class Plain(Spider):
    def parse(self, response: Any) -> None: ...

    def parse_other(self, response: Any) -> None: ...

    def failed(self, failure: Any) -> None: ...


def there_and_back(request: Request, spider: Spider | None = None) -> Request:
    spider = spider or Plain()
    text = dump(request, spider)
    lease = Lease(1, b"", request.url, "example.org:443", request.priority, 0, 0, text, False, 1)
    return load(lease, Plain())


def test_a_plain_get_takes_no_room() -> None:
    spider = Plain()
    assert dump(Request(URL), spider) is None
    assert dump(Request(URL, callback=spider.parse), spider) is None
    assert dump(Request(URL, callback="parse"), spider) is None


def test_all_of_a_request_comes_back() -> None:
    spider = Plain()
    request = Request(
        URL,
        callback=spider.parse_other,
        errback=spider.failed,
        method="PUT",
        headers={"X-A": "ü", "Accept": "text/plain"},
        body=b"\x00\xff",
        cookies={"c": "1"},
        meta={"depth": 1, "list": [1, None]},
        cb_kwargs={"page": 2},
        priority=7,
        dont_filter=True,
        proxy="http://127.0.0.1:1/",
        timeout=(1.0, 2.0),
        profile="bob",
        safe=True,
    )
    back = there_and_back(request, spider)
    for name in [
        "url",
        "method",
        "headers",
        "body",
        "cookies",
        "meta",
        "cb_kwargs",
        "priority",
        "dont_filter",
        "proxy",
        "timeout",
        "profile",
        "safe",
    ]:
        assert getattr(request, name) == getattr(back, name), name
    assert ("parse_other", "failed") == (back.callback.__name__, back.errback.__name__)


@pytest.mark.parametrize("callback", [lambda response: None, print, Plain().parse])
def test_a_callback_must_be_a_method_of_this_spider(callback: Any) -> None:
    """A lambda cannot be found again by the process that resumes the crawl."""
    with pytest.raises(SpiderError, match="not a method of this spider"):
        dump(Request(URL, callback=callback), Plain())


def test_an_unknown_callback_name_is_refused() -> None:
    with pytest.raises(SpiderError, match="'parse_missing'"):
        dump(Request(URL, callback="parse_missing"), Plain())


def test_meta_must_be_json() -> None:
    with pytest.raises(SpiderError, match="JSON"):
        dump(Request(URL, meta={"x": object()}), Plain())


def test_a_callback_that_was_renamed_since_is_named() -> None:
    lease = Lease(1, b"", URL, "example.org:443", 0, 0, 0, json.dumps({"callback": "gone"}), False, 1)
    with pytest.raises(SpiderError, match=r"'gone'.*--fresh"):
        load(lease, Plain())

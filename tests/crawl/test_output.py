"""Output: what callbacks may give back, in every shape in which authors give it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from crawlkit.crawl import output as module
from crawlkit.crawl.items import Download
from crawlkit.crawl.output import CallbackTooLong, Output, outputs
from crawlkit.crawl.spider import Spider
from crawlkit.exceptions import DropItem, ItemError, SpiderError
from crawlkit.sessions.request import Request

URL = "https://example.org/page"


class Plain(Spider):
    pass


def collected(result: Any, spider: Spider | None = None) -> Output:
    output = Output(spider or Plain(), Path.cwd())
    output.collect(result, URL, None)
    return output


async def async_generator() -> Any:
    yield {"a": 1}
    yield {"a": 2}


async def coroutine() -> Any:
    return [{"a": 1}, {"a": 2}]


async def waits() -> Any:
    await asyncio.sleep(0)
    yield {"a": 1}


@pytest.mark.parametrize(
    "result",
    [
        [{"a": 1}, {"a": 2}],
        ({"a": n} for n in (1, 2)),
        ({"a": 1}, {"a": 2}),
        pytest.param(async_generator, id="async generator"),
        pytest.param(coroutine, id="coroutine"),
    ],
)
def test_every_shape_of_many(result: Any) -> None:
    """A list, a generator, a tuple, and async's two, which Scrapy's newer spiders use."""
    result = result() if callable(result) else result
    assert [{"a": 1}, {"a": 2}] == [row.values for row in collected(result).rows]


def test_one_value_and_none() -> None:
    assert [{"a": 1}] == [row.values for row in collected({"a": 1}).rows]
    assert 1 == len(collected(Request(URL)).requests)
    assert [] == list(outputs(None))


def test_requests_and_items_may_be_mixed() -> None:
    output = collected([Request(URL), {"a": 1}, Request(URL)])
    assert (2, 1) == (len(output.requests), len(output.rows))


@pytest.mark.parametrize("junk", ["text", b"bytes", 5, [None], [{1, 2}], [["nested"]], object()])
def test_junk_names_the_page(junk: Any) -> None:
    with pytest.raises(ItemError) as caught:
        collected(junk)
    assert str(caught.value).startswith(URL)


def test_awaiting_is_refused_with_the_way_out() -> None:
    with pytest.raises(SpiderError, match=r"self\.session\.get"):
        collected(waits())


def test_process_item_may_change_replace_and_drop() -> None:
    class Processing(Spider):
        def process_item(self, item: Any, response: Any) -> Any:
            if item["n"] == 2:
                raise DropItem("even")
            return {"n": item["n"] * 10}

    output = collected([{"n": 1}, {"n": 2}, {"n": 3}], Processing())
    assert [{"n": 10}, {"n": 30}] == [row.values for row in output.rows]
    assert 1 == output.dropped


def test_an_endless_generator_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A callback that never stops yielding fails its page instead of filling the memory."""
    monkeypatch.setattr(module, "MAX_OUTPUTS", 1000)

    def endless() -> Any:
        while True:
            yield {"a": 1}

    with pytest.raises(CallbackTooLong, match="did not end"):
        collected(endless())


def test_items_of_one_page_have_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 1000)
    with pytest.raises(CallbackTooLong):
        collected({"a": "x" * 100} for _ in range(20))


def test_a_file_may_not_leave_the_folder() -> None:
    """A path made from a page's text cannot climb out."""
    with pytest.raises(ItemError, match="outside"):
        collected(Download("https://example.org/f", "../../etc/x"))

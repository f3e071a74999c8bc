"""Items: what may be yielded, and what becomes of it."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import json
import uuid
from typing import Any

import pytest

from crawlkit.crawl.items import Item, row_of
from crawlkit.crawl.spider import Spider
from crawlkit.exceptions import ItemError

URL = "https://example.org/page"


class Plain(Spider):
    pass


class Keyed(Spider):
    key = "url"


class KeyedByTable(Spider):
    key = {"book": "isbn", "items": ["a", "b"]}


@dataclasses.dataclass
class BookReview:
    isbn: str
    stars: int


class Colour(enum.Enum):
    RED = "red"


def values(item: Any, spider: Spider | None = None) -> dict[str, Any]:
    return row_of(item, spider or Plain(), URL).values


def test_a_dict_is_a_row_of_items() -> None:
    row = row_of({"a": 1}, Plain(), URL)
    assert ("items", {"a": 1}, ()) == (row.table, row.values, row.key)


def test_a_dataclass_is_a_row_of_its_class_in_snake_case() -> None:
    row = row_of(BookReview("x", 5), Plain(), URL)
    assert ("book_review", {"isbn": "x", "stars": 5}) == (row.table, row.values)


def test_keys_by_spider_by_table_and_by_item() -> None:
    assert ("url",) == row_of({"url": "u"}, Keyed(), URL).key
    assert ("a", "b") == row_of({"a": 1, "b": 2, "c": 3}, KeyedByTable(), URL).key
    assert () == row_of(BookReview("x", 1), KeyedByTable(), URL).key
    assert ("isbn",) == row_of(Item("book", {"isbn": "x"}, key="isbn"), Plain(), URL).key


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("text", "text"),
        (True, 1),
        (2**63 - 1, 2**63 - 1),
        (1.5, 1.5),
        (float("nan"), "NaN"),
        (float("inf"), float("inf")),
        (b"\x00", b"\x00"),
        (bytearray(b"a"), b"a"),
        (None, None),
        (decimal.Decimal("1.10"), "1.10"),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (datetime.datetime(2026, 1, 2, 3, 4, 5), "2026-01-02T03:04:05"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Colour.RED, "red"),
        (["a", "ü"], '["a", "ü"]'),
        (("a",), '["a"]'),
        ({"a": decimal.Decimal("1.10")}, '{"a": "1.10"}'),
        ([], "[]"),
        ("", ""),
    ],
)
def test_values_keep_their_meaning(value: Any, stored: Any) -> None:
    """What SQLite has no type for becomes text that says all of it."""
    assert stored == values({"column": value})["column"]


def test_nested_json_can_be_read_back() -> None:
    assert {"a": [1, {"b": None}]} == json.loads(values({"x": {"a": [1, {"b": None}]}})["x"])


@pytest.mark.parametrize(
    ("item", "says"),
    [
        ({"a": {1, 2}}, "column 'a' holds a set"),
        ({"a": 2**63}, "integer beyond 64 bits"),
        ({"a": "\ud800"}, "lone surrogate"),
        ({"a": ["\ud800"]}, "lone surrogate"),
        ({"a": "x\0y"}, "lone surrogate or NUL"),
        ({"a": 1, "A": 2}, "differ only in case"),
        ({f"c{n}": n for n in range(2000)}, "has 2000 columns"),
        ({}, "no columns"),
        ({1: 2}, "cannot be a column's name"),
        ({"": 2}, "cannot be a column's name"),
        ({"_page": 2}, "cannot be a column's name"),
        (Item("_runs", {"a": 1}), "names starting with _"),
        (Item("sqlite_master", {"a": 1}), "names starting with _"),
        (Item("books", {"a": 1}, key="isbn"), "no value in its key column 'isbn'"),
        ({"a": [object()]}, "cannot be written as JSON"),
    ],
)
def test_junk_is_a_named_error_with_the_page(item: Any, says: str) -> None:
    """No junk reaches the writer; the author learns which page gave it."""
    with pytest.raises(ItemError) as caught:
        row_of(item, Plain(), URL)
    assert says in str(caught.value)
    assert str(caught.value).startswith(URL)


def test_a_selector_as_value_says_how_to_take_its_text() -> None:
    """The commonest slip: yielding response.css(...) without .get()."""
    from crawlkit.html.selectors import Selector

    with pytest.raises(ItemError, match=r"\.get\(\)"):
        values({"title": Selector(text="<h1>x</h1>").css("h1::text")})

"""Items: what a callback may yield besides requests, and how it becomes rows that SQLite can hold.

What belongs here: the author's values and the check of them, in the worker, with the page's URL in each error. What does
not: SQL (store/items.py).
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import json
import math
import os
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from crawlkit.crawl.spider import Spider, snake_case
from crawlkit.exceptions import ItemError
from crawlkit.store.outcome import Kind, Row, Scalar

#: The table of a yielded dict.
DEFAULT_TABLE = "items"
MAX_COLUMNS = 1_000
_INT64 = range(-(2**63), 2**63)


@dataclasses.dataclass(slots=True)
class Item:
    """A row, its table and what identifies it, said outright."""

    table: str
    row: Mapping[str, Any]
    key: str | Sequence[str] | None = None


@dataclasses.dataclass(slots=True)
class Download:
    """A file to fetch with the page's session: streamed to `path`, which appears only when it is whole."""

    url: str
    path: str | os.PathLike[str]


def is_item(value: object) -> bool:
    """Whether a callback may yield `value` as an item."""
    return isinstance(value, Mapping | Item) or dataclasses.is_dataclass(value) or _attrs(value) or _pydantic(value)


def row_of(value: object, spider: Spider, url: str) -> Row:
    """The row that `value`, yielded on the page at `url`, is stored as. ItemError when it cannot be."""
    key: str | Sequence[str] | None = None
    values: Mapping[Any, Any]
    if isinstance(value, Item):
        table, values, key = value.table, value.row, value.key
        if not isinstance(values, Mapping):
            raise ItemError(f"{url}: Item.row must be a dict, not {type(values).__name__}")
    elif isinstance(value, Mapping):
        table, values = DEFAULT_TABLE, value
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        table = snake_case(type(value).__name__)
        values = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    elif _attrs(value):
        table = snake_case(type(value).__name__)
        values = {f.name: getattr(value, f.name) for f in type(value).__attrs_attrs__}  # type: ignore[attr-defined]
    elif _pydantic(value):
        table, values = snake_case(type(value).__name__), value.model_dump()  # type: ignore[attr-defined]
    else:
        raise ItemError(
            f"{url}: the callback yielded {type(value).__name__} {_short(value)}; yield a dict, a dataclass, "
            "an Item, a Download or a Request"
        )
    scalars, kinds = _scalars(table, values, url)
    return Row(table, scalars, _key(key, spider, table, values, url), kinds)


def _key(
    own: str | Sequence[str] | None, spider: Spider, table: str, values: Mapping[Any, Any], url: str
) -> tuple[str, ...]:
    key: Any = own
    if key is None:
        key = spider.key.get(table) if isinstance(spider.key, Mapping) else spider.key
    if key is None:
        return ()
    columns = (key,) if isinstance(key, str) else tuple(key) if isinstance(key, Sequence) else (key,)
    if not all(isinstance(column, str) for column in columns):
        raise ItemError(f"{url}: the key of table {table!r} must be a column's name or several, not {_short(key)}")
    for column in columns:
        if values.get(column) is None:
            raise ItemError(f"{url}: an item of table {table!r} has no value in its key column {column!r}")
    return columns


def _scalars(table: str, values: Mapping[Any, Any], url: str) -> tuple[dict[str, Scalar], dict[str, Kind]]:
    """The values as SQLite can hold them, and what it does not show of them."""
    if not table or not isinstance(table, str) or table.startswith(("_", "sqlite_")):
        raise ItemError(f"{url}: {table!r} cannot be a table's name; names starting with _ or sqlite_ are reserved")
    if not values:
        raise ItemError(f"{url}: an item of table {table!r} has no columns")
    if len(values) > MAX_COLUMNS:
        raise ItemError(f"{url}: an item of table {table!r} has {len(values)} columns; {MAX_COLUMNS} is the most")
    row: dict[str, Scalar] = {}
    kinds: dict[str, Kind] = {}
    for column, value in values.items():
        if not isinstance(column, str) or not column or column.startswith("_") or not _text_ok(column):
            raise ItemError(
                f"{url}: {_short(column)} cannot be a column's name; it must be text that does not start with _"
            )
        kind = type(value)
        if kind is str:
            if not _text_ok(value):
                raise ItemError(f"{url}: column {column!r} has a lone surrogate or NUL, which no database can hold")
            row[column] = value
        elif value is None or kind is bytes:
            row[column] = value
        else:
            row[column] = _scalar(column, value, url)
            if kind is not int and kind is not float and (hidden := _kind(value)):
                kinds[column] = hidden
    if len(row) > 1 and len({name.casefold() for name in row}) < len(row):
        raise ItemError(f"{url}: two columns of table {table!r} differ only in case: {', '.join(sorted(row))[:200]}")
    return row, kinds


def _kind(value: Any) -> Kind | None:
    while isinstance(value, enum.Enum):
        value = value.value
    return "bool" if isinstance(value, bool) else "json" if isinstance(value, Mapping | list | tuple) else None


def _scalar(column: str, value: Any, url: str) -> Scalar:
    """One value as SQLite can hold it, its meaning kept."""
    if isinstance(value, enum.Enum):
        return _scalar(column, value.value, url)
    if isinstance(value, bool | int):
        if int(value) not in _INT64:
            raise ItemError(f"{url}: column {column!r} holds an integer beyond 64 bits; yield it as text")
        return int(value)
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else float(value)  # SQLite stores a bound NaN as NULL
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if isinstance(value, Mapping | list | tuple):
        try:
            text = json.dumps(_plain(value), ensure_ascii=False, default=_json_value, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise ItemError(f"{url}: column {column!r} cannot be written as JSON: {error}") from error
    else:
        text = _text(value) or ""
        if not text and not isinstance(value, str):
            hint = "; take the text with .get() or .getall()" if hasattr(value, "getall") else ""
            raise ItemError(f"{url}: column {column!r} holds a {type(value).__name__} {_short(value)}{hint}")
    if not _text_ok(text):
        raise ItemError(f"{url}: column {column!r} has a lone surrogate or NUL, which no database can hold")
    return text


def _text(value: Any) -> str | None:
    """The text of a value whose str() says all of it, else None."""
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, str | decimal.Decimal | uuid.UUID | os.PathLike):
        return str(value)
    return None


def _plain(value: Any) -> Any:
    """NaN as the text "NaN", also within: JSON has no such number."""
    if isinstance(value, float):
        return value if math.isfinite(value) else "NaN" if math.isnan(value) else str(value)
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


def _json_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    text = _text(value)
    if text is None:
        raise TypeError(f"a {type(value).__name__} in it")
    return text


def _text_ok(text: str) -> bool:
    if "\0" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _attrs(value: object) -> bool:
    return hasattr(type(value), "__attrs_attrs__")


def _pydantic(value: object) -> bool:
    return hasattr(type(value), "model_fields") and hasattr(value, "model_dump")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."

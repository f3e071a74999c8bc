"""Kinds: which columns hold JSON or booleans, for which SQLite has no types, and how such values are read again.

What belongs here: what `_tables.kinds` says, and turning a stored value back. What does not: writing values
(crawl/items.py), files (export.py).

A list or dict is stored as JSON text, a boolean as 1 or 0. That a column holds such values is written down when
the first one comes; a column may hold both kinds, and others beside them. What is no such value stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from crawlkit.store.names import fold
from crawlkit.store.outcome import Kind

#: The kinds of a table's columns, by the name as SQLite compares it.
Kinds = dict[str, frozenset[Kind]]


def read(text: str) -> Kinds:
    """What `_tables.kinds` says."""
    return {column: frozenset(kinds) for column, kinds in json.loads(text).items()}


def written(kinds: Kinds) -> str:
    """What `read` reads."""
    return json.dumps({column: sorted(each) for column, each in kinds.items()})


def with_more(known: Kinds, seen: Mapping[str, Kind]) -> Kinds | None:
    """`known` with the kinds of a row's columns; None when nothing of them is new."""
    more = {fold(column): kind for column, kind in seen.items()}
    if all(kind in known.get(column, ()) for column, kind in more.items()):
        return None
    return known | {column: known.get(column, frozenset()) | {kind} for column, kind in more.items()}


def reader(kinds: frozenset[Kind]) -> Callable[[Any], Any]:
    """What turns a value of a column of such kinds into what was yielded."""

    def restored(value: Any) -> Any:
        if type(value) is str:
            return _parsed(value) if "json" in kinds and value[:1] in ("[", "{") else value
        return bool(value) if "bool" in kinds and type(value) is int and value in (0, 1) else value

    return restored


def _parsed(text: str) -> Any:
    """The list or dict; the text when it is not JSON as items are written."""
    try:
        value = json.loads(text)
        return value if json.dumps(value, ensure_ascii=False, allow_nan=False) == text else text
    except (ValueError, RecursionError):
        return text

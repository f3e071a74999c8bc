"""Comparing what a callback gave with what it has to give, and telling a person where they differ.

What belongs here: pairing items and requests, the words for a difference. What does not: getting them (cases.py).

Order does not count, for the store does not keep it: what is equal is taken away, what is left is paired by likeness.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

#: More than this are paired in order: finding the likest takes time with the product.
_MOST_COMPARED = 200
_WIDTH = 160

#: An item: {"table": ..., "row": {...}}; a request or file: {"url": ..., ...}.
Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One item, request or file. `columns` are those of a changed one that differ: expected and actual value."""

    kind: Literal["missing", "unexpected", "changed"]
    what: Literal["item", "request", "file"]
    entry: Entry
    columns: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)

    def told(self) -> list[str]:
        """Lines for a person, without a secret being looked for in them."""
        name = f"{self.what} {_label(self.entry)}"
        if self.kind != "changed":
            sign = "-" if self.kind == "missing" else "+"
            values = "".join(f", {name}={_value(value)}" for name, value in _columns(self.entry).items())
            return [f"{sign} {name} {self.kind}: {values[2:]}"]
        width = max(map(len, self.columns))
        lines = [f"~ {name}:"]
        for column, (expected, actual) in self.columns.items():
            lines.append(f"    {column:{width}}  expected {_value(expected)}")
            lines.append(f"    {'':{width}}       got {_value(actual)}")
        return lines


def differences(
    what: Literal["item", "request", "file"], expected: Sequence[Entry], actual: Sequence[Entry]
) -> list[Difference]:
    """Where `actual` is not `expected`, in the order of what was expected."""
    common = Counter(map(_frozen, expected)) & Counter(map(_frozen, actual))
    missing, unexpected = _without(expected, common), _without(actual, common)
    found: list[Difference] = []
    for entry in missing:
        other = _likest(entry, unexpected)
        if other is None:
            found.append(Difference("missing", what, entry))
        else:
            unexpected.remove(other)
            found.append(Difference("changed", what, entry, _changed(_columns(entry), _columns(other))))
    return [*found, *(Difference("unexpected", what, entry) for entry in unexpected)]


def _without(entries: Sequence[Entry], common: Counter[str]) -> list[Entry]:
    left = Counter(common)
    kept = []
    for entry in entries:
        frozen = _frozen(entry)
        if left[frozen] > 0:
            left[frozen] -= 1
        else:
            kept.append(entry)
    return kept


def _likest(entry: Entry, others: Sequence[Entry]) -> Entry | None:
    """The one with the most equal values, of the same table; of requests one to the same URL."""
    table = entry.get("table")
    columns = _columns(entry)
    best: tuple[int, Entry | None] = (0, None)
    for other in others[:_MOST_COMPARED]:
        theirs = _columns(other)
        if other.get("table") != table or (table is None and theirs.get("url") != columns.get("url")):
            continue
        score = 1 + sum(value == theirs.get(column, ...) for column, value in columns.items())
        if score > best[0]:
            best = (score, other)
    return best[1]


def _changed(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    names = dict.fromkeys((*expected, *actual))
    pairs = {name: (expected.get(name, _NOTHING), actual.get(name, _NOTHING)) for name in names}
    return {name: pair for name, pair in pairs.items() if _frozen(pair[0]) != _frozen(pair[1])}


class _Nothing:
    """No such column."""

    def __repr__(self) -> str:
        return "no such column"


_NOTHING = _Nothing()


def _columns(entry: Entry) -> Mapping[str, Any]:
    row = entry.get("row")
    return row if isinstance(row, Mapping) else entry


def _label(entry: Entry) -> str:
    """What a person knows it by: its table and its first text, or its URL."""
    if "table" not in entry:
        return str(entry.get("url", ""))
    first = next((value for value in _columns(entry).values() if isinstance(value, str) and value.strip()), "")
    return f"of {entry['table']} {_value(first)}" if first else f"of {entry['table']}"


def plain(value: Any) -> Any:
    """A value of a difference as JSON has it; a column that is not there is null."""
    return None if isinstance(value, _Nothing) else value


def _frozen(value: Any) -> str:
    return repr(value) if isinstance(value, _Nothing) else json.dumps(value, sort_keys=True)


def _value(value: Any) -> str:
    text = repr(value) if isinstance(value, _Nothing) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"

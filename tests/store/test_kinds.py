"""Kinds: lists, dicts and booleans come out of an export as they were yielded, and nothing else is taken for one."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crawlkit.crawl.items import row_of
from crawlkit.crawl.spider import Spider
from crawlkit.store.export import export
from crawlkit.store.outcome import Row
from tests.store.desk import Desk

ITEM: dict[str, Any] = {
    "ok": True,
    "not_ok": False,
    "tags": ["a", "ü"],
    "none_at_all": [],
    "maker": {"name": "x", "sizes": [1, 2.5, None, True]},
    "text": '["a"]',
    "number": 1,
}


class Shop(Spider):
    name = "shop"
    start_urls = ["https://site.example/"]


def yielded(item: dict[str, Any]) -> Row:
    return row_of(item, Shop(), "https://site.example/")


def exported(desk: Desk, tmp_path: Path, format: str = "jsonl") -> list[dict[str, Any]]:
    [file] = export(desk.path, tmp_path / f"out.{format}", format=format)
    text = file.read_text("utf-8")
    if format == "csv":
        return list(csv.DictReader(text.splitlines()))
    return json.loads(text) if format == "json" else [json.loads(line) for line in text.splitlines()]  # type: ignore[no-any-return]


@pytest.mark.parametrize("format", ["json", "jsonl"])
def test_a_row_comes_out_as_it_was_yielded(desk: Desk, tmp_path: Path, format: str) -> None:
    desk.crawl("a", yielded(ITEM))

    [out] = exported(desk, tmp_path, format)
    assert json.dumps(ITEM) == json.dumps(out), "1 and True are equal, but not the same JSON"


def test_csv_has_their_json(desk: Desk, tmp_path: Path) -> None:
    desk.crawl("a", yielded(ITEM))

    [out] = exported(desk, tmp_path, "csv")
    assert ("true", "false", '["a", "ü"]', '["a"]', "1") == (
        out["ok"], out["not_ok"], out["tags"], out["text"], out["number"]
    )  # fmt: skip


def test_the_database_has_text_and_numbers(desk: Desk) -> None:
    desk.crawl("a", yielded(ITEM))

    assert [(1, '["a", "ü"]')] == desk.items("ok, tags")


def test_other_values_of_the_same_column_stay(desk: Desk, tmp_path: Path) -> None:
    values: list[Any] = [["a"], "[no JSON", '["a" ]', "[NaN]", "x", 5, None, True, 2, {"a": 1}, "[" * 5000, 1.5]
    desk.crawl("a", *(yielded({"value": value}) for value in values))

    assert json.dumps(values) == json.dumps([row["value"] for row in exported(desk, tmp_path)])


def test_known_in_a_later_run_and_for_a_name_in_other_letters(new_desk: Callable[..., Desk], tmp_path: Path) -> None:
    desk = new_desk()
    desk.crawl("a", yielded({"Tags": ["a"], "ok": 5}))
    desk = new_desk()
    desk.crawl("b", yielded({"tags": "x", "OK": True}))
    desk.crawl("c", yielded({"tags": ["c"], "more": 1}))

    assert [["a"], "x", ["c"]] == [row["Tags"] for row in exported(desk, tmp_path)]
    assert [5, True, None] == [row["ok"] for row in exported(desk, tmp_path)]


def test_nothing_is_written_twice(desk: Desk) -> None:
    """A spider that yields a million lists writes once that it yields lists."""
    desk.crawl("a", yielded({"tags": ["a"]}))
    statements: list[str] = []
    desk.store._connection.set_trace_callback(statements.append)
    desk.crawl("b", yielded({"tags": ["b"]}))
    desk.store._connection.set_trace_callback(None)

    assert [] == [each for each in statements if "kinds" in each]


def test_kinds_that_were_rolled_back_are_written_again(desk: Desk, tmp_path: Path) -> None:
    bad = Row("items", {"name": 2**63})
    desk.crawl("a", yielded({"tags": "none"}))
    assert "failed" == desk.crawl("b", yielded({"tags": ["b"]}), bad).state
    desk.crawl("c", yielded({"tags": ["c"]}))

    assert ["none", ["c"]] == [row["tags"] for row in exported(desk, tmp_path)]


def test_rows_without_such_values_say_nothing(desk: Desk) -> None:
    row = yielded({"a": 1, "b": "x", "c": None, "d": 1.5})
    assert {} == row.kinds
    desk.crawl("a", row)

    assert [("{}",)] == desk.query("SELECT kinds FROM _tables")

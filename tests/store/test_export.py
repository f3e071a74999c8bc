"""Export: whole tables as files that appear whole, in every format, with nothing that a spreadsheet would run."""

from __future__ import annotations

import base64
import contextlib
import csv
import json
import math
import os
import sqlite3
import stat
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crawlkit.exceptions import StorageError, UsageError
from crawlkit.store import export as module
from crawlkit.store.export import export
from crawlkit.store.outcome import Row
from tests.store.desk import Desk, row

VALUES: dict[str, Any] = {
    "text": 'say "hi", ünï\nnext line',
    "whole": 5,
    "broken": -1.5,
    "nothing": None,
    "raw": b"\x00\xff",
    "much": math.inf,
    "less": -math.inf,
    "not_a_number": "NaN",
    "decimal": "19.90",
}


@pytest.fixture
def filled(desk: Desk) -> Desk:
    desk.crawl("a", Row("items", dict(VALUES)), row(text="second"))
    return desk


def json_values() -> dict[str, Any]:
    raw = base64.b64encode(b"\x00\xff").decode()
    return VALUES | {"raw": raw, "much": "Infinity", "less": "-Infinity"}


def test_json_lines(filled: Desk, tmp_path: Path) -> None:
    assert [tmp_path / "out.jsonl"] == export(filled.path, tmp_path / "out.jsonl", format="jsonl")

    first, second = map(json.loads, (tmp_path / "out.jsonl").read_text("utf-8").splitlines())
    assert json_values() == first
    assert list(VALUES) == list(first), "columns keep their order; _page is left out"
    assert {"text": "second"} == {column: value for column, value in second.items() if value is not None}


def test_json(filled: Desk, tmp_path: Path) -> None:
    export(filled.path, tmp_path / "out.json", format="json")

    assert json_values() == json.loads((tmp_path / "out.json").read_text("utf-8"))[0]


def test_csv(filled: Desk, tmp_path: Path) -> None:
    export(filled.path, tmp_path / "out.csv", format="csv")

    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        header, first, second = csv.reader(file)
    assert list(VALUES) == header
    assert [
        VALUES["text"], "5", "-1.5", "", "AP8=", "Infinity", "'-Infinity", "NaN", "19.90"
    ] == first  # fmt: skip
    assert ["second", *[""] * 8] == second


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "=", "-", "+", "--1", "+1 555 0100"]
)
def test_a_formula_is_defused(desk: Desk, tmp_path: Path, text: str) -> None:
    desk.crawl("a", Row("items", {"value": text, text.strip() or "x": 1}))

    export(desk.path, tmp_path / "out.csv", format="csv")

    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        cells = [cell for line in csv.reader(file) for cell in line]
    assert f"'{text}" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


@pytest.mark.parametrize("value", [-5, -1.5, "-5", "+3.25", "-1e9", "0", "a=b", " =1"])
def test_numbers_and_other_texts_stay(desk: Desk, tmp_path: Path, value: Any) -> None:
    desk.crawl("a", row(value=value))

    export(desk.path, tmp_path / "out.csv", format="csv")

    assert str(value) == (tmp_path / "out.csv").read_text("utf-8").splitlines()[1].replace("000000000.0", "e9")


def test_other_formats_keep_a_formula_as_it_is(desk: Desk, tmp_path: Path) -> None:
    desk.crawl("a", row(value="=1+1"))

    export(desk.path, tmp_path / "out.jsonl", format="jsonl")

    assert {"value": "=1+1"} == json.loads((tmp_path / "out.jsonl").read_text())


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "json"])
def test_several_tables_are_several_files(desk: Desk, tmp_path: Path, suffix: str) -> None:
    desk.crawl("a", row("threads", name="t"), row("../../up", name="u"))

    files = export(desk.path, tmp_path / f"out.{suffix}", format=suffix)

    assert [tmp_path / f"out.threads.{suffix}", tmp_path / f"out..._.._up.{suffix}"] == files
    assert all(file.exists() for file in files)


def test_one_table_of_several(desk: Desk, tmp_path: Path) -> None:
    desk.crawl("a", row("threads", name="t"), row("posts", name="p"))

    assert [tmp_path / "out.csv"] == export(desk.path, tmp_path / "out.csv", format="csv", table="posts")
    assert "name\r\np\r\n" == (tmp_path / "out.csv").read_bytes().decode()
    with pytest.raises(UsageError, match="there is threads, posts"):
        export(desk.path, tmp_path / "x.csv", format="csv", table="nothing")


@pytest.mark.parametrize(("format", "content"), [("csv", ""), ("jsonl", ""), ("json", "[\n]\n")])
def test_no_table_at_all_is_an_empty_file(desk: Desk, tmp_path: Path, format: str, content: str) -> None:
    assert [tmp_path / "out"] == export(desk.path, tmp_path / "out", format=format)
    assert content == (tmp_path / "out").read_text()


def test_standard_output(filled: Desk, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert [] == export(filled.path, "-", format="jsonl")

    assert json_values() == json.loads(capfdbinary.readouterr().out.splitlines()[0])


def test_standard_output_takes_one_table(desk: Desk, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    desk.crawl("a", row("threads", name="t"), row("posts", name="p"))

    with pytest.raises(UsageError, match="name one of threads, posts"):
        export(desk.path, "-", format="csv")
    export(desk.path, "-", format="csv", table="posts")
    assert b"name\r\np\r\n" == capfdbinary.readouterr().out


def test_a_format_that_does_not_exist(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="jsonl, json, csv"):
        export(desk.path, tmp_path / "out.xml", format="xml")


def test_the_old_file_stays_until_the_new_one_is_whole(
    filled: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out.jsonl").write_text("old")

    def break_off(*_: object) -> None:
        assert "old" == (tmp_path / "out.jsonl").read_text()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("crawlkit.store.wholefile.os.fsync", break_off)
    with pytest.raises(StorageError, match="No space left"):
        export(filled.path, tmp_path / "out.jsonl", format="jsonl")

    assert ["out.jsonl"] == [each.name for each in tmp_path.iterdir() if each.is_file()]
    assert "old" == (tmp_path / "out.jsonl").read_text()


@pytest.mark.skipif(os.name == "nt", reason="modes and links are POSIX'")
def test_mode_and_link_of_the_old_file_stay(filled: Desk, tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "real.csv").chmod(0o640)
    (tmp_path / "link.csv").symlink_to("real.csv")

    export(filled.path, tmp_path / "link.csv", format="csv")

    assert (tmp_path / "link.csv").is_symlink()
    assert 0o640 == stat.S_IMODE((tmp_path / "real.csv").stat().st_mode)
    assert (tmp_path / "real.csv").read_text().startswith("text,")


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="there is no /dev/null here")
def test_a_device_is_written_as_it_is(filled: Desk) -> None:
    export(filled.path, "/dev/null", format="csv")

    assert not Path("/dev/null").is_file()


def test_a_folder_that_is_not_there_is_named(filled: Desk, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="nowhere"):
        export(filled.path, tmp_path / "nowhere" / "out.csv", format="csv")


def test_all_tables_are_of_one_instant(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run goes on while it is exported: no file has what another has not."""
    desk.crawl("a", row("one", name="x"), row("two", name="x"))
    write = module._WRITERS["jsonl"]
    pages = iter("bcdefgh")

    def write_while_it_runs(*arguments: Any) -> None:
        write(*arguments)
        name = next(pages)
        desk.crawl(name, row("one", name=name), row("two", name=name))

    monkeypatch.setitem(module._WRITERS, "jsonl", write_while_it_runs)
    files = export(desk.path, tmp_path / "out.jsonl", format="jsonl")

    assert ['{"name": "x"}\n'] * 2 == [file.read_text() for file in files]


def test_memory_stays_flat(desk: Desk, tmp_path: Path) -> None:
    desk.crawl("a", *(row(text="x" * 1000) for _ in range(5000)))
    tracemalloc.start()
    try:
        for format in ("csv", "json", "jsonl"):
            export(desk.path, tmp_path / f"out.{format}", format=format)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (tmp_path / "out.json").stat().st_size > 5_000_000
    assert peak < 1_000_000


def test_text_that_is_none_is_read_all_the_same(desk: Desk, tmp_path: Path) -> None:
    """Another program wrote bytes that are no UTF-8."""
    desk.crawl("a", row(name="x"))
    desk.query("UPDATE items SET name = CAST(x'ff41' AS TEXT)")

    export(desk.path, tmp_path / "out.jsonl", format="jsonl")

    assert {"name": "\ufffdA"} == json.loads((tmp_path / "out.jsonl").read_text())


def test_a_run_can_be_exported_after_it(new_desk: Callable[..., Desk], tmp_path: Path) -> None:
    desk = new_desk()
    desk.crawl("a", row(name="x"))
    desk.store.close()

    export(desk.path, tmp_path / "out.jsonl", format="jsonl")

    assert '{"name": "x"}\n' == (tmp_path / "out.jsonl").read_text()
    new_desk()


# --- since a run, and into another database ------------------------------------------


def test_only_what_is_new_or_changed_since_a_run(desk: Desk, tmp_path: Path) -> None:
    """Rows as they are now, also of the run under way; what is gone is not among them."""
    desk.crawl("a", row(name="same"), row(name="old"), row(name="goes"), row(table="other", name="x"))
    desk.next_run()
    desk.crawl("a", row(name="same"), row(name="changed"), row(table="other", name="x"))
    desk.next_run()
    desk.crawl("b", row(name="new"))

    def names(since: int, table: str = "items") -> list[str]:
        [path] = export(desk.path, tmp_path / "out.jsonl", format="jsonl", table=table, since=since)
        return [json.loads(line)["name"] for line in path.read_text().splitlines()]

    assert (["changed", "new"], ["new"], []) == (names(1), names(2), names(1, "other"))
    with pytest.raises(UsageError, match="there is no run 9; there are 1, 2, 3"):
        names(9)
    with pytest.raises(UsageError, match="run 3 did not come to its end"):
        names(3)


def test_another_database(desk: Desk, tmp_path: Path) -> None:
    """Tables, types and values as they are, without our own; written again over its own kind."""
    rows = [row(name="x", price=1.5, raw=b"\xff", none=None), row(table='odd "one"', n=2**60)]
    desk.crawl("a", *rows)
    target = tmp_path / "out.db"
    for _ in range(2):
        assert [target] == export(desk.path, target, format="sqlite")

    copy = sqlite3.connect(target)
    assert ["items", 'odd "one"'] == [name for (name,) in copy.execute("SELECT name FROM sqlite_master ORDER BY rowid")]
    assert [("x", 1.5, b"\xff", None)] == copy.execute("SELECT * FROM items").fetchall()
    assert [(2**60,)] == copy.execute('SELECT n FROM "odd ""one"""').fetchall()
    assert [("name", "TEXT"), ("price", "REAL")] == [each[1:3] for each in copy.execute("PRAGMA table_info(items)")][:2]
    copy.close()
    with pytest.raises(UsageError, match="cannot go to standard output"):
        export(desk.path, "-", format="sqlite")


def test_another_database_of_nothing(desk: Desk, tmp_path: Path) -> None:
    [path] = export(desk.path, tmp_path / "empty.db", format="sqlite")
    with contextlib.closing(sqlite3.connect(path)) as copy:
        assert [] == copy.execute("SELECT name FROM sqlite_master").fetchall()

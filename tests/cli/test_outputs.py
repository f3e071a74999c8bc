"""Outputs: the format by the suffix, and everything that can be refused is refused before a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawlkit.cli.outputs import Output, check_database, shown
from crawlkit.exceptions import UsageError


@pytest.mark.parametrize(
    ("name", "format"), [("a.jsonl", "jsonl"), ("a.jl", "jsonl"), ("a.CSV", "csv"), ("a.json", "json")]
)
def test_the_suffix_says_the_format(name: str, format: str) -> None:
    """In any case of letters; --format counts more."""
    assert format == Output.of(Path(name)).format
    assert "csv" == Output.of(Path(name), "csv").format


def test_an_unknown_suffix_is_refused() -> None:
    """With what to write in its place."""
    with pytest.raises(UsageError, match=r"End the name in \.jsonl, \.csv or \.json"):
        Output.of(Path("items.xlsx"))


def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """A folder, and a folder that is not there."""
    with pytest.raises(UsageError, match="is a folder"):
        Output(tmp_path, "csv").check()
    with pytest.raises(UsageError, match="there is no folder"):
        Output(tmp_path / "no" / "a.csv", "csv").check()
    Output(tmp_path / "a.csv", "csv").check()
    assert [] == list(tmp_path.iterdir())


def test_a_database_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """A folder in its place, a file where its folder should be; a folder still to be made is fine."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is a folder, not a database"):
        check_database(tmp_path)
    with pytest.raises(UsageError, match="is not a folder"):
        check_database(tmp_path / "file" / "deeper" / "a.db")
    check_database(tmp_path / "new" / "newer" / "a.db")
    assert ["file"] == [entry.name for entry in tmp_path.iterdir()]


def test_paths_are_shown_as_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the working directory where they are below it."""
    monkeypatch.chdir(tmp_path)
    assert "data/a.db" == shown(tmp_path / "data" / "a.db")
    assert "/somewhere/a.db" == shown(Path("/somewhere/a.db"))

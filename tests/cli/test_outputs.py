"""Outputs: the format by the suffix, and everything that can be refused is refused before a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawlkit.cli.outputs import Output, check_database, check_vault, shown, taken_files
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
    with pytest.raises(UsageError, match=r"End the name in \.jsonl, \.csv, \.json or \.db"):
        Output.of(Path("items.xlsx"))


def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """A folder, and a folder that is not there."""
    with pytest.raises(UsageError, match="is a folder"):
        Output(tmp_path, "csv").check({})
    with pytest.raises(UsageError, match="there is no folder"):
        Output(tmp_path / "no" / "a.csv", "csv").check({})
    Output(tmp_path / "a.csv", "csv").check({})
    assert [] == list(tmp_path.iterdir())


def test_what_must_not_be_replaced(tmp_path: Path) -> None:
    """The run's own files under any name, the files of several tables, and every database."""
    for name in ("a.db", "a.db-wal", "sessions.db", "spider.py", "crawl.toml", "items.book.csv"):
        (tmp_path / name).write_text("")
    (tmp_path / "link.csv").symlink_to("spider.py")
    (tmp_path / "hard.csv").hardlink_to(tmp_path / "crawl.toml")
    (tmp_path / "notes.csv").write_bytes(b"SQLite format 3\x00 and more")
    taken = taken_files(
        database=tmp_path / "a.db",
        vault=tmp_path / "sessions.db",
        spider=tmp_path / "spider.py",
        config=tmp_path / "crawl.toml",
    )
    for name, what in {
        "a.db": "is the database",
        "x/../a.db": "is the database",
        "a.db-wal": "a part of the database",
        "a.db-shm": "a part of the database",
        "a.db.lock": "a part of the database",
        "a.db-journal": "a part of the database",
        "sessions.db": "the vault",
        "sessions.db-journal": "a part of the vault",
        "spider.py": "the spider",
        "link.csv": "the spider",
        "crawl.toml": "the configuration",
        "hard.csv": "the configuration",
        "notes.csv": "is a database",
    }.items():
        with pytest.raises(UsageError, match=what):
            Output(tmp_path / name, "csv").check(taken)
    Output(tmp_path / "items.csv", "csv").check(taken)
    with pytest.raises(UsageError, match=r"items\.book.csv: is the database"):
        Output(tmp_path / "items.csv", "csv").check({tmp_path / "items.book.csv": "the database"})


def test_names_that_no_database_may_have(tmp_path: Path) -> None:
    """The vault, and the files beside another database."""
    with pytest.raises(UsageError, match="is the vault of saved sessions"):
        check_database(tmp_path / "sessions.db", {tmp_path / "sessions.db": "the vault of saved sessions"})
    for name in ("a.db.lock", "a.db-wal", "a.db-shm", "a.db-journal"):
        with pytest.raises(UsageError, match=r"name the \.db file"):
            check_database(tmp_path / name)


def test_a_vault_that_others_can_reach_is_the_users_to_change(tmp_path: Path) -> None:
    """Refused as a configuration; one that is not there yet is fine."""
    check_vault(tmp_path / "none" / "sessions.db")
    tmp_path.chmod(0o777)
    try:
        with pytest.raises(UsageError, match=r"others can write in .*chmod go-w"):
            check_vault(tmp_path / "sessions.db")
    finally:
        tmp_path.chmod(0o700)


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

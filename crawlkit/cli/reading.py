"""The database that a reading command means: by a spider's name or by --db FILE. Nothing is written or created."""

from __future__ import annotations

from pathlib import Path

from crawlkit.cli.outputs import shown
from crawlkit.crawl.settings import resolve_settings
from crawlkit.crawl.settings_file import find_config
from crawlkit.exceptions import UsageError


def find_database(name: str | None, database: Path | None) -> Path:
    """The path of the database. UsageError when neither or both are given, or there is no such file."""
    if (name is None) == (database is None):
        raise UsageError("name one spider, or one database with --db FILE")
    if database is not None:
        if not database.is_file():
            raise UsageError(f"--db {database}: there is no such file")
        return database
    assert name is not None
    if name.endswith(".py") or "/" in name or "::" in name:
        raise UsageError(f"{name}: write the spider's name, such as docs, or its database with --db FILE")
    settings = resolve_settings(find_config(Path.cwd()), spider=name)
    path = settings.database(name)
    if not path.is_file():
        raise UsageError(f"{name}: there is no {shown(path)}; {_others(path.parent)}")
    return path


def name_and_runs(words: tuple[str, ...], database: Path | None, *, most: int) -> tuple[str | None, tuple[int, ...]]:
    """What `[NAME] [RUN ...]` says: a spider's name, unless a database is given, then at most so many runs. UsageError."""
    name, numbers = (None, words) if database is not None else (words[0] if words else None, words[1:])
    if len(numbers) > most:
        raise UsageError(f"{' '.join(numbers)}: {most} run{'' if most == 1 else 's'} at most")
    for number in numbers:
        if not number.isdecimal() or len(number) > 18:
            raise UsageError(f"{number}: a run is named by its number; crawlkit runs lists them")
    return name, tuple(map(int, numbers))


def _others(folder: Path) -> str:
    """What a person may have meant."""
    others = ("sessions", ".bodies")
    names = sorted(path.stem for path in folder.glob("*.db") if not path.stem.endswith(others))
    if not names:
        return f"run the spider first, or name a database with --db (no spider has run in {shown(folder)})"
    return f"spiders that ran here: {', '.join(names)}"

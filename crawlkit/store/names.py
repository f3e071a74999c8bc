"""Names of tables and columns: quoting them, comparing them as SQLite does, refusing those that cannot be.

What belongs here: identifiers as text. What does not: the tables themselves (tables.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from crawlkit.exceptions import ItemError
from crawlkit.store.outcome import Row

#: The column of an author's table that names the row of `_pages` it came from.
PAGE = "_page"


def quoted(name: str) -> str:
    """`name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def fold(name: str) -> str:
    """The form under which SQLite holds two names for one: ASCII letters in lower case, others as they are."""
    return name.lower() if name.isascii() else name.translate(_ASCII_LOWER)


def listed(columns: Sequence[str]) -> str:
    return ", ".join(map(quoted, columns))


def named(key: tuple[str, ...]) -> str:
    return f"({', '.join(key)})" if key else "their place on the page"


def check_names(row: Row, columns: tuple[str, ...], most: int) -> None:
    for name in (row.table, *columns, *row.key):
        what = f"column {name!r} of table {row.table!r}" if name is not row.table else f"table {name!r}"
        if not isinstance(name, str) or not name:
            raise ItemError(f"{what} has no name; names are text")
        if name.startswith("_") or fold(name).startswith("sqlite_"):
            raise ItemError(f"{what}: names that start with _ or sqlite_ are reserved; rename it")
        if "\0" in name or any("\ud800" <= letter <= "\udfff" for letter in name):
            raise ItemError(f"{what}: a name must not hold NUL or a lone surrogate")
    folded: dict[str, str] = {}
    for column in columns:
        if folded.setdefault(fold(column), column) != column:
            raise ItemError(
                f"the columns {folded[fold(column)]!r} and {column!r} of table {row.table!r} "
                "differ only in case; rename one"
            )
    if len(columns) >= most:
        raise ItemError(
            f"a row of table {row.table!r} has {len(columns)} columns; {most - 1} is the most. "
            "Yield rows of (name, value) instead"
        )
    missing = [column for column in row.key if fold(column) not in folded]
    if missing:
        raise ItemError(f"a row of table {row.table!r} has no column {missing[0]!r}, which is its key")

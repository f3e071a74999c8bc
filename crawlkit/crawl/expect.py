"""Expect: the author's own rules for a run, `expect = {...}` in the spider or in crawl.toml.

What belongs here: the vocabulary, reading it, holding a crawl against it. What does not: what is learned (health.py).

    min_items = 100                        rows that the tables have together after the run
    min_items = { books = 100 }            rows of one table
    required = ["title", "books.price"]    columns that every row of the run must have filled
    required = { "books.price" = 0.95 }    or so large a share of them
    max_failed = 0.05                      the largest share of pages that may fail
    min_pages = 500                        pages done
    max_duration = "2h"                    how long a run may take
    may_be_empty = ["subtitle"]            columns whose emptiness is never news
    since = 42                             the past begins with this run: what it and later ones show is how it should be
    learn = false                          only these rules; nothing is compared with the past
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from crawlkit.crawl.finding import Finding
from crawlkit.crawl.quantities import duration_text, parse_duration
from crawlkit.crawl.settings_kinds import Explained, Kind
from crawlkit.exceptions import ConfigError

if TYPE_CHECKING:
    from crawlkit.crawl.health import Facts
    from crawlkit.crawl.settings import Settings
    from crawlkit.crawl.spider import Spider

#: The name under which rules for all tables together are kept.
ALL = ""


@dataclass(frozen=True, slots=True)
class Expect:
    """The rules, read. A rule that was not given holds whatever happens."""

    min_items: Mapping[str, int] = field(default_factory=dict)
    required: Mapping[str, float] = field(default_factory=dict)
    max_failed: float | None = None
    min_pages: int = 0
    max_duration: float | None = None
    may_be_empty: frozenset[str] = frozenset()
    since: int = 0
    learn: bool = True


def expect_of(spider: Spider, settings: Settings) -> Expect:
    """The rules of a run: the spider's `expect` over those of its settings. ConfigError naming the rule."""
    try:
        return read_expect({**settings.job.expect, **_checked(spider.expect)})
    except Explained as error:
        raise ConfigError(f"expect of spider {spider.name}: {error}") from None


def read_expect(value: Mapping[str, Any]) -> Expect:
    """Rules as written. Explained when one is none, naming the nearest, or holds what it cannot."""
    read: dict[str, Any] = {}
    for rule, given in _checked(value).items():
        if rule not in _READERS:
            near = difflib.get_close_matches(str(rule).lower(), _READERS, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(_READERS)}"
            raise Explained(f"there is no rule {rule!r}; {hint}")
        words, reader = _READERS[rule]
        try:
            read[rule] = reader(given)
        except ValueError:
            raise Explained(f"{rule} must be {words}, not {given!r}"[:300]) from None
    return Expect(**read)


def _checked(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Explained("it must be a table of rules")
    return value


def _read_kind(value: object) -> Mapping[str, Any]:
    checked = _checked(value)
    read_expect(checked)
    return dict(checked)


#: What the key `expect` of crawl.toml and custom_settings may hold.
EXPECT = Kind('a table of rules such as { min_items = 100, required = ["price"] }', _read_kind)


# --- reading ----------------------------------------


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError
    return value


def _share(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError
    return float(value)


def _name(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value


def _counts(value: object) -> dict[str, int]:
    if isinstance(value, Mapping):
        return {_name(table): _whole(count) for table, count in value.items()}
    return {ALL: _whole(value)}


def _shares(value: object) -> dict[str, float]:
    if isinstance(value, Mapping):
        return {_name(column): _share(share) for column, share in value.items()}
    return dict.fromkeys(_names(value), 1.0)


def _names(value: object) -> list[str]:
    if isinstance(value, str) or not isinstance(value, list | tuple | set | frozenset):
        raise ValueError
    return [_name(each) for each in value]


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


_READERS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "min_items": ("a number of rows, or a table of them by table", _counts),
    "required": ("a list of columns, or a table of shares from 0 to 1 by column", _shares),
    "max_failed": ("a share from 0 to 1", _share),
    "min_pages": ("a number of pages", _whole),
    "max_duration": ('a duration such as "2h"', parse_duration),
    "may_be_empty": ("a list of columns", lambda value: frozenset(_names(value))),
    "since": ("the number of a run", _whole),
    "learn": ("true or false", _flag),
}
assert {each.name for each in fields(Expect)} == set(_READERS)


# --- holding a crawl against it ----------------------------------------


def broken(expect: Expect, now: Facts) -> Iterator[Finding]:
    """The rules that a complete crawl broke."""
    totals = {table: now.number("tables", table, "total") for table in now.part("tables")}
    for table, least in expect.min_items.items():
        count = sum(totals.values()) if table == ALL else totals.get(table, 0)
        if count < least:
            what = "the tables have" if table == ALL else f"table {table!r} has"
            yield _finding(f"min_items:{table}", f"{what} {count:.0f} rows", f"at least {least}")
    for name, share in expect.required.items():
        yield from _required(name, share, now)
    ended = now.done + now.failed
    if expect.max_failed is not None and ended and now.failed / ended > expect.max_failed:
        yield _finding("max_failed", f"{now.failed} of {ended} pages failed", f"at most {100 * expect.max_failed:g} %")
    if now.done < expect.min_pages:
        yield _finding("min_pages", f"{now.done} pages were done", f"at least {expect.min_pages}")
    if expect.max_duration is not None and now.seconds > expect.max_duration:
        yield _finding(
            "max_duration", f"it took {duration_text(now.seconds)}", f"at most {duration_text(expect.max_duration)}"
        )


def _required(name: str, share: float, now: Facts) -> Iterator[Finding]:
    """`price` is the column of every table that has it, `books.price` of one."""
    tables = now.part("tables")
    for table in tables:
        column = name.removeprefix(f"{table}.")
        if column == name and "." in name and name.partition(".")[0] in tables:
            continue
        rows = now.number("tables", table, "rows")
        filled = now.number("tables", table, "filled", column)
        known = (
            filled
            or name.startswith(f"{table}.")
            or len(tables) == 1
            or column in now.part("tables", table, "examples")
        )
        if rows and known and filled / rows < share:
            example = str(now.part("tables", table, "examples", column) or now.part("tables", table, "example") or "")
            what = f"column {column!r} of table {table!r} is filled in {filled:.0f} of {rows:.0f} rows"
            least = "all of them" if share == 1 else f"at least {100 * share:g} %"
            yield _finding(f"required:{table}.{column}", what, least, example)


def _finding(about: str, text: str, expected: str, example: str = "") -> Finding:
    return Finding(f"expect:{about}", f"{text}, expected: {expected}", expected, text, example)

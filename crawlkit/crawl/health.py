"""Health: a complete crawl compared with the spider's own past: what fell silent, which column is empty, a login in the way.

What belongs here: the figures of a crawl, and the sentences about those beyond their bounds. What does not: the bounds
(bounds.py), the author's rules (expect.py), counting (record.py), reading the past (checkup.py). Pure functions.

Compared are columns (share of empty values), page types (pages without items, items and links a page), tables (rows),
pages, statuses, failures, redirects to a login, password forms, duration. Rows of one page are not independent of each
other, so that a share counts as seen on as many pages, not rows: but where the whole table comes from a handful of pages,
there is nothing that it would be a sample of: a column that is silent in all its rows is told.

A run parses only pages that changed. What it parsed is compared with what earlier runs parsed (new pages may differ from old
ones for good), and the state that it leaves with the states that they left.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from crawlkit.crawl.bounds import ENOUGH, enough_to_tell, least_amount, longest_time, never_before, share_bound
from crawlkit.crawl.finding import Finding
from crawlkit.crawl.quantities import duration_text
from crawlkit.crawl.record import united

#: Findings that are told of one run.
_MOST = 20
_FEW_PAGES = 5  # of a type: fewer say nothing of a mean
_SILENT = 0.95  # of the rows: so many are empty where a selector died


@dataclass(frozen=True, slots=True)
class Facts:
    """One complete crawl: the run that ended it and when (seconds since 1970), its pages, its length, its record."""

    run: int
    at: float
    done: int
    failed: int
    seconds: float
    record: Mapping[str, Any] = field(default_factory=dict)

    def part(self, *path: str) -> Any:
        """What the record has at `path`; an empty table when there is nothing."""
        value: Any = self.record
        for name in path:
            value = value.get(name, {}) if isinstance(value, Mapping) else {}
        return value

    def number(self, *path: str) -> float:
        """A number of the record, 0 when it has none."""
        value = self.part(*path)
        return value if isinstance(value, int | float) else 0


def with_states(crawls: Sequence[Facts]) -> list[Facts]:
    """Crawls, oldest first, as if each had parsed all its pages: for those that were unchanged, the last state counts on."""
    states: list[Facts] = []
    for crawl in crawls:
        if states and crawl.number("pages", "unchanged"):
            kept = _not_parsed_again(states[-1], crawl)
            crawl = replace(crawl, record=united([kept, crawl.record]))
        states.append(crawl)
    return states


def _not_parsed_again(state: Facts, crawl: Facts) -> dict[str, Any]:
    """What `state` holds of the pages that `crawl` did not parse, by type and table."""
    kept: dict[str, Any] = {"types": {}, "tables": {}}
    for kind, entries in kept.items():
        for name, entry in state.part(kind).items():
            part = _left(state.number(kind, name, "pages"), crawl.number(kind, name, "pages"))
            if part:
                entries[name] = _scaled(entry, part)
    part = _left(state.number("pages", "parsed"), crawl.number("pages", "parsed"))
    kept["pages"] = {"parsed": state.number("pages", "parsed") * part}
    kept["walls"] = {"forms": state.number("walls", "forms") * part, "example": state.part("walls", "example")}
    return kept


def _left(before: float, parsed: float) -> float:
    return max(0.0, 1 - parsed / before) if before else 0.0


def _scaled(value: Any, part: float) -> Any:
    """Counts as so large a part of them, but for `total`, which every crawl counts anew."""
    if isinstance(value, Mapping):
        return {name: _scaled(each, part) for name, each in value.items() if name != "total"}
    return value * part if isinstance(value, int | float) else value


def examine(now: Facts, past: Sequence[Facts], *, ignored: frozenset[str] = frozenset()) -> list[Finding]:
    """What is beyond its bounds, the gravest first. `ignored`: columns ("price" or "items.price") that may be empty.

    Nothing is found while `past` has fewer than three crawls.
    """
    if len(past) < ENOUGH:
        return []
    found = [
        *_walls(now, past),
        *_columns(now, past, ignored),
        *_types(now, past),
        *_tables(now, past),
        *_pages(now, past),
        *_answers(now, past),
        *_time(now, past),
    ]
    return found[:_MOST]


# --- logins ----------------------------------------


def _walls(now: Facts, past: Sequence[Facts]) -> Iterator[Finding]:
    def share(facts: Facts, kind: str) -> tuple[float, float]:
        return facts.number("walls", kind), _ended(facts) if kind == "redirects" else facts.number("pages", "parsed")

    handful = all(_ended(facts) < _FEW_PAGES for facts in (now, *past))
    for kind, words in (
        ("redirects", "were redirected to a login page"),
        ("forms", "gave no item and ask for a password"),
    ):
        before = [share(facts, kind) for facts in past]
        beyond = share_bound(before, share(now, kind))
        if beyond is None and handful and never_before(before, share(now, kind)):
            beyond = (0.0, 0.0)
        if beyond is not None:
            part, whole = share(now, kind)
            yield Finding(
                f"login:{kind}",
                f"{part:.0f} of {whole:.0f} pages {words}, usually {_percent(beyond[0])}",
                _percent(beyond[0]),
                _percent(part / whole),
                str(now.part("walls", "example") or ""),
            )


# --- items ----------------------------------------


def _columns(now: Facts, past: Sequence[Facts], ignored: frozenset[str]) -> Iterator[Finding]:
    for table in now.part("tables"):
        known = {column: None for facts in past for column in facts.part("tables", table, "filled")}
        by_row = all(_is_handful(each, table) for each in (now, *past) if each.part("tables", table))
        for column in known:
            if column in ignored or f"{table}.{column}" in ignored:
                continue
            part, whole = _empty(now, table, column, by_row=by_row)
            if by_row and part < _SILENT * whole:
                continue  # of so few pages, one that is unlike the others moves the share far
            beyond = share_bound([_empty(facts, table, column, by_row=by_row) for facts in past], (part, whole))
            if beyond is not None:
                rows = now.number("tables", table, "rows")
                yield Finding(
                    f"column:{table}.{column}",
                    f"column {column!r} of table {table!r} is empty in {_percent(part / whole)} of {rows:.0f} rows, "
                    f"usually in {_percent(beyond[0])}",
                    _percent(beyond[0]),
                    _percent(part / whole),
                    str(now.part("tables", table, "examples", column) or now.part("tables", table, "example") or ""),
                )


def _is_handful(facts: Facts, table: str) -> bool:
    """Whether the rows that were seen are the table, not a sample of it, and come from fewer pages than make one."""
    most = facts.number("tables", table, "rows") > facts.number("tables", table, "total") / 2
    return most and facts.number("tables", table, "pages") < _FEW_PAGES


def _empty(facts: Facts, table: str, column: str, *, by_row: bool = False) -> tuple[float, float]:
    """How many of how many pages lack the column, as far as shares of rows tell; or how many rows."""
    rows, pages = facts.number("tables", table, "rows"), facts.number("tables", table, "pages")
    if not rows:
        return 0.0, 0.0
    whole = rows if by_row else pages
    return whole * (1 - facts.number("tables", table, "filled", column) / rows), whole


def _types(now: Facts, past: Sequence[Facts]) -> Iterator[Finding]:
    """Page types: how many of their pages gave no item, how many items and links a page gave."""
    for name in {name: None for facts in past for name in facts.part("types")}:
        pages = now.number("types", name, "pages")
        silent = [(facts.number("types", name, "silent"), facts.number("types", name, "pages")) for facts in past]
        beyond = share_bound(silent, (now.number("types", name, "silent"), pages))
        example = str(now.part("types", name, "example") or "")
        if beyond is not None:
            share = now.number("types", name, "silent") / pages
            yield Finding(
                f"type:{name}.items",
                f"{_percent(share)} of the {pages:.0f} pages for {name}() gave no item, usually {_percent(beyond[0])}",
                _percent(beyond[0]),
                _percent(share),
                example,
            )
            continue
        for what in ("items", "links"):
            yield from _mean(now, past, name, what)


def _mean(now: Facts, past: Sequence[Facts], name: str, what: str) -> Iterator[Finding]:
    pages = now.number("types", name, "pages")
    before = [facts for facts in past if facts.number("types", name, "pages") >= min(_FEW_PAGES, max(pages, 1))]
    if pages < 1 or (pages < _FEW_PAGES and any(facts.number("types", name, "pages") != pages for facts in before)):
        return  # a handful of pages is no sample, unless it is always the same handful
    means = [facts.number("types", name, what) / facts.number("types", name, "pages") for facts in before]
    mean = now.number("types", name, what) / pages
    beyond = least_amount(means, mean, noise=1 / math.sqrt(pages) if pages >= _FEW_PAGES else 0.0)
    if beyond is not None and enough_to_tell(beyond[0] * pages, mean * pages):
        yield Finding(
            f"type:{name}.{what}",
            f"the pages for {name}() gave {mean:.1f} {what} each, usually {beyond[0]:.1f}",
            f"{beyond[0]:.1f}",
            f"{mean:.1f}",
            str(now.part("types", name, "example") or ""),
        )


def _tables(now: Facts, past: Sequence[Facts]) -> Iterator[Finding]:
    for table in {table: None for facts in past for table in facts.part("tables")}:
        totals = [facts.number("tables", table, "total") for facts in past]
        total = now.number("tables", table, "total")
        words = f"table {table!r} has {total:.0f} row{'' if total == 1 else 's'}"
        yield from _count(f"table:{table}", words, totals, total)


def _count(about: str, words: str, before: Sequence[float], count: float) -> Iterator[Finding]:
    beyond = least_amount(before, count)
    if beyond is not None and enough_to_tell(beyond[0], count):
        was = f"{beyond[0]:.0f}"
        yield Finding(about, f"{words}, usually {was}", was, f"{count:.0f}")


# --- pages ----------------------------------------


def _pages(now: Facts, past: Sequence[Facts]) -> Iterator[Finding]:
    words = "1 page was done" if now.done == 1 else f"{now.done} pages were done"
    yield from _count("pages", words, [facts.done for facts in past], now.done)
    yield from _share("failed", "of the pages failed", [(f.failed, _ended(f)) for f in past], (now.failed, _ended(now)))


def _answers(now: Facts, past: Sequence[Facts]) -> Iterator[Finding]:
    """The mix of statuses: those that bring nothing."""

    def share(facts: Facts, status: str) -> tuple[float, float]:
        return facts.number("statuses", status), sum(facts.part("statuses").values())

    for status in now.part("statuses"):
        if status[:1] != "2" and status != "304":
            words = f"of the answers had status {status}"
            yield from _share(f"status:{status}", words, [share(facts, status) for facts in past], share(now, status))


def _share(
    about: str, words: str, before: Sequence[tuple[float, float]], share: tuple[float, float]
) -> Iterator[Finding]:
    beyond = share_bound(before, share)
    if beyond is not None:
        was, is_ = _percent(beyond[0]), _percent(share[0] / share[1])
        yield Finding(about, f"{is_} {words}, usually {was}", was, is_)


def _time(now: Facts, past: Sequence[Facts]) -> Iterator[Finding]:
    beyond = longest_time([facts.seconds for facts in past], now.seconds)
    if beyond is not None:
        was, is_ = duration_text(beyond[0]), duration_text(now.seconds)
        yield Finding("duration", f"it took {is_}, usually {was}", was, is_)


def _ended(facts: Facts) -> float:
    return sum(facts.number("pages", state) for state in ("done", "failed", "skipped"))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.095 or share < 0.0005 else f"{100 * share:.1f} %"

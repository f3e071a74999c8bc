"""Crawls: runs that resumed each other, as one. Which of them are complete, and which a person means.

What belongs here: finding two crawls to compare. What does not: comparing them (changes.py).
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from crawlkit.exceptions import UsageError
from crawlkit.store.history import SINCE

#: Numbers of runs that an error names.
_NAMED = 10


@dataclass(frozen=True, slots=True)
class Crawl:
    """A crawl that came to its end: its number, its runs, when the first began and the last ended (seconds since 1970)."""

    number: int
    runs: tuple[int, ...]
    started: float
    ended: float

    @property
    def last(self) -> int:
        """The run by which it is named: the one that ended it."""
        return self.runs[-1]


def complete_crawls(connection: sqlite3.Connection, limit: int | None = None) -> list[Crawl]:
    """The complete crawls, or the last `limit` of them, oldest first."""
    rows = connection.execute(
        "SELECT crawl, group_concat(id), min(started), max(coalesce(ended, started)) FROM _runs"
        " GROUP BY crawl HAVING max(finished) ORDER BY crawl DESC LIMIT ?",
        (-1 if limit is None else limit,),
    ).fetchall()
    return [
        Crawl(number, tuple(sorted(map(int, runs.split(",")))), started, ended)
        for number, runs, started, ended in reversed(rows)
    ]


def crawl_of(connection: sqlite3.Connection, run: int) -> Crawl:
    """The complete crawl that `run` is part of. UsageError naming those there are."""
    crawls = complete_crawls(connection)
    for crawl in crawls:
        if run in crawl.runs:
            return crawl
    known = [number for (number,) in connection.execute("SELECT id FROM _runs ORDER BY id")]
    if run in known:
        raise UsageError(f"run {run} did not come to its end, nor did one that resumed it; {_those(crawls)}")
    raise UsageError(f"there is no run {run}; there are {numbers(known)}" if known else "no run has begun yet")


def two_crawls(connection: sqlite3.Connection, runs: tuple[int, ...] = ()) -> tuple[Crawl, Crawl]:
    """The two crawls to compare, the earlier first: the last two complete ones, the one of a run with the complete one
    before it, or those of two runs. UsageError when they cannot be, with what can."""
    crawls = complete_crawls(connection)
    if len(runs) >= 2:
        earlier, later = sorted((crawl_of(connection, run) for run in runs[:2]), key=lambda crawl: crawl.number)
        if earlier == later:
            raise UsageError(f"runs {runs[0]} and {runs[1]} are one crawl; {_those(crawls)}")
    else:
        later = crawl_of(connection, runs[0]) if runs else crawls[-1] if crawls else _none()
        before = [crawl for crawl in crawls if crawl.number < later.number]
        if not before:
            raise UsageError(f"there is no complete run before run {later.last} to compare it with; run it again")
        earlier = before[-1]
    check_known(connection, earlier)
    return earlier, later


def check_known(connection: sqlite3.Connection, crawl: Crawl) -> None:
    """UsageError when `_history` does not go back to the end of `crawl`."""
    row = connection.execute("SELECT value FROM _meta WHERE name = ?", (SINCE,)).fetchone()
    since = row[0] if row else 0
    if crawl.last < since:
        known = [each for each in complete_crawls(connection) if each.last >= since]
        those = f"it goes back to run {known[0].last}" if known else "it holds none"
        raise UsageError(
            f"what the items were after run {crawl.last} is no longer kept: {those}; keep more with [store] history_runs"
        )


def _none() -> Crawl:
    raise UsageError("no run has come to its end yet; nothing can be compared")


def _those(crawls: list[Crawl]) -> str:
    return f"complete are {numbers([crawl.last for crawl in crawls])}" if crawls else "none is complete yet"


def numbers(known: list[int]) -> str:
    """The numbers of runs for an error, the last ones when they are many."""
    shown = ", ".join(map(str, known[-_NAMED:]))
    return f"{'…, ' if len(known) > _NAMED else ''}{shown}"

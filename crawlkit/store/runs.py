"""Runs, and the crawls that they make up: where one begins, whether it resumes another, how it ended.

What belongs here: `_runs`. What does not: exit codes' meaning (cli/), counting while a run goes on in memory
(crawl/).

A crawl goes on from run to run until one ends with nothing left to fetch; the next run begins a new crawl, in
which pages that are known are fetched again when they are reached. `_runs` counts what was committed, so that a
run that was killed tells the truth as well.
"""

from __future__ import annotations

import os
import sqlite3
import time
from dataclasses import dataclass
from typing import Protocol

from crawlkit.store.secrets import without_secrets
from crawlkit.store.totals import Totals

#: The outcome of a run that never came to its end.
KILLED = "killed"

#: The reason of pages that --fresh, or the end of a crawl, left unfetched.
FORGOTTEN = "forgotten"

#: A clock that is this much behind what an earlier run read has been set back; less is a clock that is kept right.
_SET_BACK_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Run:
    """One execution. `resumed`: it goes on with a crawl that an earlier run did not finish. `set_aside`: there was one,
    made with other arguments."""

    id: int
    crawl: int
    resumed: bool
    started: float
    set_aside: bool = False


@dataclass(frozen=True, slots=True)
class Upcoming:
    """The crawl that a run would be of. `resumed`: an earlier run did not finish it; `set_aside`: such a one, made with
    other arguments, would be given up.
    """

    crawl: int
    resumed: bool
    set_aside: bool
    last: int


@dataclass(slots=True)
class Counts:
    """What one transaction adds to a run's counts: pages done, failed and skipped, the rows they have, bytes of bodies;
    pages that were unchanged, and the bytes that were not sent for it."""

    pages: int = 0
    failed: int = 0
    skipped: int = 0
    items: int = 0
    bytes: int = 0
    unchanged: int = 0
    saved: int = 0

    def add(self, state: str, items: int, size: int) -> None:
        """Count a page that ended in `state`."""
        if state == "done":
            self.pages += 1
        elif state == "failed":
            self.failed += 1
        else:
            self.skipped += 1
        self.items += items
        self.bytes += size

    def assign(self, other: Counts) -> None:
        """Be `other` again: what was counted since was rolled back."""
        self.pages, self.failed, self.skipped = other.pages, other.failed, other.skipped
        self.items, self.bytes = other.items, other.bytes
        self.unchanged, self.saved = other.unchanged, other.saved


class Ending(Protocol):
    """How a run ended, as its engine tells it: `resumable` when the same command goes on where it stopped."""

    @property
    def outcome(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def exit_code(self) -> int: ...
    @property
    def requests(self) -> int: ...
    @property
    def resumable(self) -> bool: ...


class Runs:
    """The runs of one database. One thread, inside the transactions of the Store."""

    def __init__(self, connection: sqlite3.Connection, totals: Totals) -> None:
        self._connection = connection
        self._totals = totals

    def upcoming(self, *, fresh: bool, arguments: str | None) -> Upcoming:
        """The crawl that a run would be of that begins now."""
        last = self._connection.execute(
            "SELECT crawl, finished, arguments FROM _runs ORDER BY id DESC LIMIT 1"
        ).fetchone()
        crawl, finished, earlier = last or (0, 1, arguments)
        same = earlier == arguments
        resumed = not finished and not fresh and same
        set_aside = not finished and not fresh and not same
        return Upcoming(crawl if resumed else crawl + 1, resumed, set_aside, crawl)

    def begin(self, *, fresh: bool, version: str | None, source_hash: str | None, arguments: str | None) -> Run:
        """Begin a run: what an earlier one left leased is queued again, or forgotten when a new crawl begins."""
        started = time.time()
        self._connection.execute("UPDATE _runs SET outcome = ? WHERE outcome IS NULL", (KILLED,))
        upcoming = self.upcoming(fresh=fresh, arguments=arguments)
        crawl, resumed = upcoming.crawl, upcoming.resumed
        if resumed:
            self._connection.execute("UPDATE _pages SET state = 'queued' WHERE state = 'leased'")
            self._forget_waits(started)
        else:
            self._forget_open_pages(upcoming.last)
        number = self._connection.execute(
            "INSERT INTO _runs (crawl, started, pid, version, source_hash, arguments) VALUES (?, ?, ?, ?, ?, ?)",
            (crawl, started, os.getpid(), version, source_hash, arguments),
        ).lastrowid
        self._connection.execute("INSERT OR REPLACE INTO _meta VALUES ('run', ?)", (number,))
        if fresh:  # what earlier runs knew pages by counts no more
            self._connection.execute("INSERT OR REPLACE INTO _meta VALUES ('fresh', ?)", (number,))
        return Run(number or 0, crawl, resumed, started, set_aside=upcoming.set_aside)

    def _forget_waits(self, now: float) -> None:
        """Let no page wait for a time that a wrong clock wrote down: one that has been set back since, for it would come
        only when that time does.
        """
        told = "SELECT max(max(started, coalesce(last_commit, 0))) FROM _runs"
        latest = self._connection.execute(told).fetchone()[0] or 0.0
        if latest > now + _SET_BACK_SECONDS:
            self._connection.execute("UPDATE _pages SET not_before = 0 WHERE state = 'queued' AND not_before > 0")

    def _forget_open_pages(self, crawl: int) -> None:
        """Skip what is still queued of the crawl that ends here."""
        left = self._totals.of(crawl, "queued")
        if left:
            self._connection.create_function("without_secrets", 1, without_secrets, deterministic=True)
            self._connection.execute(
                "UPDATE _pages SET state = 'skipped', error = ?, not_before = 0,"
                " request = CASE WHEN request IS NOT NULL THEN without_secrets(request) END"
                " WHERE state IN ('queued', 'leased')",
                (FORGOTTEN,),
            )
            self._totals.move(-left, crawl, "queued")
            self._totals.move(left, crawl, "skipped")

    def count(self, run: int, counts: Counts) -> None:
        """Add what a transaction did to the run's counts."""
        self._connection.execute(
            "UPDATE _runs SET pages = pages + ?, failed = failed + ?, skipped = skipped + ?, items = items + ?,"
            " bytes = bytes + ?, unchanged = unchanged + ?, saved = saved + ?, last_commit = ? WHERE id = ?",
            (
                counts.pages,
                counts.failed,
                counts.skipped,
                counts.items,
                counts.bytes,
                counts.unchanged,
                counts.saved,
                time.time(),
                run,
            ),
        )

    def conclude(self, crawl: int) -> None:
        """The crawl has come to its end, though none of its runs has said so."""
        self._connection.execute(
            "UPDATE _runs SET finished = 1 WHERE id = (SELECT max(id) FROM _runs WHERE crawl = ?)", (crawl,)
        )

    def end(self, run: Run, ending: Ending) -> None:
        """Write down how the run ended. Its crawl is finished unless it is resumable, also when the author stopped."""
        finished = not ending.resumable
        self._connection.execute(
            "UPDATE _runs SET ended = ?, outcome = ?, finished = ?, reason = ?, exit_code = ?, requests = ?"
            " WHERE id = ?",
            (time.time(), ending.outcome, finished, ending.reason, ending.exit_code, ending.requests, run.id),
        )

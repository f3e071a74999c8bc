"""What a commit does with outcomes: page, rows, links, each outcome as a whole.

What belongs here: the order of the steps and what happens when one outcome cannot be stored. What does not: the
transaction around them (database.py).

The usual group is written in one go. When something of it cannot be stored, the Store rolls the group back and
it is written again one by one, each in a savepoint, so that the outcome at fault becomes a failed page and the
others stay; savepoints for all would copy every page of the file that a group touches.
"""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Sequence

from crawlkit.exceptions import ItemError
from crawlkit.store.faults import is_of_a_row
from crawlkit.store.frontier import Frontier
from crawlkit.store.items import Items
from crawlkit.store.outcome import GONE, SAME_PAGE, STALE, Lease, Outcome, Verdict
from crawlkit.store.pages import NotLeased, Pages
from crawlkit.store.records import Records
from crawlkit.store.refusals import Refusals
from crawlkit.store.revisits import Revisits
from crawlkit.store.runs import Counts
from crawlkit.store.tables import Tables
from crawlkit.store.targets import Target, Targets
from crawlkit.store.totals import Totals

#: Statuses of a page that is not there any more: skipped with one of them, it loses its rows.
_GONE = frozenset({404, 410})

#: What one outcome can cause, to be asked with `is_of_an_outcome`.
SUSPECTS = (ItemError, NotLeased, OverflowError, UnicodeEncodeError, sqlite3.Error)


def is_of_an_outcome(error: Exception) -> bool:
    """Whether `error`, one of SUSPECTS, is the fault of one outcome rather than of the file."""
    return isinstance(error, ItemError | NotLeased) or is_of_a_row(error)


class Commits:
    """Writes outcomes, in the transaction that is open. One thread."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        frontier: Frontier,
        pages: Pages,
        tables: Tables,
        items: Items,
        totals: Totals,
        refusals: Refusals,
        targets: Targets,
        revisits: Revisits,
        records: Records,
    ) -> None:
        self._connection = connection
        self._frontier = frontier
        self._pages = pages
        self._tables = tables
        self._items = items
        self._totals = totals
        self._refusals = refusals
        self._targets = targets
        self._revisits = revisits
        self._records = records
        self._crawl = 0

    def begin(self, crawl: int) -> None:
        """Outcomes are of `crawl` from now on."""
        self._crawl = crawl

    def write(self, outcomes: Sequence[Outcome], counts: Counts) -> list[Verdict]:
        """Write all, or raise: one of SUSPECTS may be the fault of a single outcome."""
        verdicts = [self._write_page(outcome, counts) for outcome in outcomes]
        pairs = list(zip(outcomes, verdicts, strict=True))
        self._records.keep(
            (outcome.page, outcome.run, outcome.records) for outcome, verdict in pairs if verdict.state != STALE
        )
        self._frontier.add(
            (outcome.page, outcome.links, verdict) for outcome, verdict in pairs if outcome.links and _counts(verdict)
        )
        self._targets.write(
            (outcome.page, list(dict.fromkeys((*verdict.targets.values(), *outcome.known))))
            for outcome, verdict in pairs
            if outcome.memory is not None and verdict.state == "done" and not outcome.unchanged
        )
        return verdicts

    def write_one_by_one(self, outcomes: Sequence[Outcome], counts: Counts) -> list[Verdict]:
        """Write what can be written; an outcome that cannot becomes a failed page with the reason."""
        verdicts = []
        for outcome in outcomes:
            try:
                verdicts += self._in_savepoint(outcome, counts)
            except NotLeased:
                verdicts.append(_stale(outcome))
            except SUSPECTS as error:
                if not is_of_an_outcome(error):
                    raise
                reason = str(error) if isinstance(error, ItemError) else f"it cannot be stored: {error}"
                failed = dataclasses.replace(
                    outcome, state="failed", error=reason, rows=[], links=[], unchanged=False, saved=0
                )
                try:
                    verdicts += self._in_savepoint(failed, counts)
                except NotLeased:
                    verdicts.append(_stale(outcome))
        return verdicts

    def _in_savepoint(self, outcome: Outcome, counts: Counts) -> list[Verdict]:
        frontier, totals, before = self._frontier.mark(), self._totals.mark(), dataclasses.replace(counts)
        self._connection.execute("SAVEPOINT outcome")
        try:
            verdicts = self.write([outcome], counts)
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK TO outcome")
                self._connection.execute("RELEASE outcome")
            self._frontier.rolled_back(frontier)
            self._totals.rolled_back(totals)
            self._tables.rolled_back()
            counts.assign(before)
            raise
        self._connection.execute("RELEASE outcome")
        return verdicts

    # --- one outcome ----------------------------------------

    def _write_page(self, outcome: Outcome, counts: Counts) -> Verdict:
        lease, had = self._frontier.leases.get(outcome.page, (None, 0))
        if lease is None or lease.run != outcome.run:
            return _stale(outcome)
        if outcome.refused:
            self._refusals.keep(outcome.run, outcome.page, outcome.refused)
        if outcome.state == "queued":
            self._pages.give_back(outcome, lease)
            self._frontier.waits(lease.host)
            return Verdict(outcome.page, "queued", outcome.error, hosts={lease.host})
        again: list[Target] = []
        if outcome.unchanged:
            again = self._targets.unreached(outcome.page, self._crawl) if not lease.probe else []
            if not all(target.sendable for target in again):
                return self._ask_anew(outcome, lease)
        state, reason = str(outcome.state), outcome.error
        if state == "done" and outcome.page_key is not None:
            holder, moved = self._claim(lease, outcome.page_key)
            had += moved
            if holder is not None:
                state, reason = "skipped", SAME_PAGE
        unchanged = outcome.unchanged and state == "done"
        has = had if unchanged else self._write_rows(outcome, state, reason, had)
        self._pages.settle(outcome, lease, state, reason, has)
        if lease.past is not None and not (state == "done" and outcome.memory is not None):
            self._targets.forget(outcome.page)
        self._totals.move(-1, self._crawl, "queued")
        self._totals.move(1, self._crawl, state)
        written = has if state == "done" or (outcome.rows and reason != SAME_PAGE) else 0
        counts.add(state, written, max(0, outcome.size - outcome.saved))
        counts.saved += outcome.saved if state == "done" else 0
        verdict = Verdict(outcome.page, state, reason, rows=written, unchanged=unchanged)
        if unchanged:
            counts.unchanged += 1
            verdict.tables = self._items.tables_of(outcome.page)
            self._revisits.follow(outcome.page, lease.depth + 1, again, verdict)
        return verdict

    def _ask_anew(self, outcome: Outcome, lease: Lease) -> Verdict:
        """An unchanged page links to one whose request cannot be sent as it was: the page is parsed for it again."""
        self._pages.give_back(dataclasses.replace(outcome, error=None, not_before=0.0), lease)
        self._pages.forget(outcome.page)
        self._frontier.waits(lease.host)
        return Verdict(outcome.page, "queued", hosts={lease.host})

    def _claim(self, lease: Lease, key: bytes) -> tuple[int | None, int]:
        """Claim the page `key`: who has it already in this crawl, or how many rows came with it."""
        holder, givers = self._pages.holder(lease, key)
        moved = 0
        for page in givers:
            moved += self._items.move(page, lease.page)
            self._pages.release(page)
        return holder, moved

    def _write_rows(self, outcome: Outcome, state: str, reason: str | None, had: int) -> int:
        """How many rows the page has now. One that failed keeps what it had, unless its errback yielded rows."""
        if reason == SAME_PAGE or (state == "skipped" and (reason == GONE or outcome.status in _GONE)):
            return self._items.replace(outcome.page, (), had=had) if had else 0
        if outcome.rows or (state == "done" and had):
            return self._items.replace(outcome.page, outcome.rows, had=had)
        return had


def _counts(verdict: Verdict) -> bool:
    """Whether the output of the page is taken."""
    return verdict.state != STALE and verdict.reason != SAME_PAGE


def _stale(outcome: Outcome) -> Verdict:
    return Verdict(outcome.page, STALE, "the page is not leased to this run any more")

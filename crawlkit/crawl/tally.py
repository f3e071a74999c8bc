"""Tally: what a run counted. Written by the writer thread alone, after commits; read by anyone."""

from __future__ import annotations

import heapq
from collections import Counter

from crawlkit.crawl.blame import QUARANTINED
from crawlkit.crawl.guard import MOST_LISTED, PREFIX
from crawlkit.crawl.record import Record
from crawlkit.crawl.visit import Visit
from crawlkit.store.outcome import STALE, Outcome, Refusal, Verdict

_SLOWEST = 5
#: Reasons that are counted with their second part.
_WITH_DETAIL = ("callback", "logged_in", "internal", "guard")


class Tally:
    """Counts of one run. Reading while it is written gives a slightly older number, never a wrong one."""

    def __init__(self) -> None:
        self.pages = 0
        self.failed = 0
        self.skipped = 0
        self.items = 0
        self.bytes = 0
        self.unchanged = 0
        self.saved = 0
        self.requests = 0
        self.retries = 0
        self.dropped = 0
        self.faults: list[str] = []
        self.statuses: Counter[int] = Counter()
        self.failures: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self.skips: Counter[str] = Counter()
        self.not_followed: Counter[str] = Counter()
        self.tables: Counter[str] = Counter()
        #: What the guard did not let through, as much of it as is listed.
        self.refused: list[Refusal] = []
        #: Pages that were not fetched, or not kept, because a login has died of them.
        self.quarantined: list[str] = []
        #: What is kept for comparison with later runs.
        self.record = Record()
        self._slow: list[tuple[float, str]] = []

    def add(self, visit: Visit, verdict: Verdict) -> None:
        """Count a visit whose outcome is committed."""
        outcome = visit.outcome
        self.record.add(visit, verdict, short_reason(verdict.reason or outcome.error or "unknown"))
        self.requests += visit.requests
        self.bytes += max(0, outcome.size - outcome.saved)
        self.retries += visit.retry
        if outcome.status is not None:
            self.statuses[outcome.status] += 1
        if verdict.state == "done":
            self.pages += 1
            self.unchanged += verdict.unchanged
            self.saved += outcome.saved
        elif verdict.state == "failed":
            self.failed += 1
            self._failure(verdict.reason or outcome.error or "unknown", visit.url)
        elif verdict.state == "skipped":
            self.skipped += 1
            reason = short_reason(verdict.reason or outcome.error or "skipped")
            self.skips[reason] += 1
            if reason == QUARANTINED and len(self.quarantined) < MOST_LISTED:
                self.quarantined.append(visit.url)
        if verdict.state in ("done", "failed"):
            self.items += verdict.rows
            self.dropped += visit.dropped
            self.not_followed.update(visit.skips)
            if verdict.unchanged:
                self.tables.update(verdict.tables)
            elif verdict.rows:
                self.tables.update(row.table for row in outcome.rows)
        if outcome.refused and verdict.state != STALE:
            self._refuse(outcome)
        if outcome.elapsed is not None:
            entry = (outcome.elapsed, visit.url)
            if len(self._slow) < _SLOWEST:
                heapq.heappush(self._slow, entry)
            elif entry > self._slow[0]:
                heapq.heapreplace(self._slow, entry)

    def take_back(self, pages: int) -> None:
        """So many pages that were counted as done are fetched again."""
        self.pages -= pages

    def fault(self, reason: str, where: str) -> None:
        """Note a failure that belongs to no page, such as an exception in `start_requests`."""
        self.faults.append(f"{reason} failed: {where}")

    def _refuse(self, outcome: Outcome) -> None:
        self.refused += outcome.refused
        itself = (outcome.error or "").startswith(PREFIX)  # the page is what was refused, and is counted as skipped
        for refusal in outcome.refused:
            reason = PREFIX + refusal.reason
            self.examples.setdefault(reason, refusal.url)
            if not itself:
                self.not_followed[reason] += 1

    def _failure(self, reason: str, url: str) -> None:
        word = short_reason(reason)
        self.failures[word] += 1
        self.examples.setdefault(word, url)

    def slowest(self) -> list[tuple[str, float]]:
        """The slowest pages with their seconds, slowest first."""
        return [(url, seconds) for seconds, url in sorted(self._slow, reverse=True)]


def short_reason(reason: str) -> str:
    """The part of a reason under which it is counted: `http 500`, `callback: ValueError`."""
    line = reason.splitlines()[0] if reason else reason
    parts = line.split(": ")
    return ": ".join(parts[:2]) if parts[0] in _WITH_DETAIL else parts[0]

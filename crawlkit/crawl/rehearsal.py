"""Rehearsal: a run that fetches its start pages and stores nothing: what would be fetched next, and what would not.

What belongs here: what a dry run collects in place of the frontier. What does not: fetching, judging, logging in, which
are a run's own; showing it (cli/plan.py).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from crawlkit.crawl.scope import Scope
from crawlkit.crawl.visit import Visit
from crawlkit.store.outcome import Link, Verdict

#: Links that are looked through for those that would be fetched first.
_MOST_LINKS = 100_000


@dataclass(frozen=True, slots=True)
class StartPage:
    """What became of a start page: `state` as in the frontier, `links` that it has, `items` that it gave."""

    url: str
    state: str
    status: int | None
    reason: str | None
    items: int
    links: int


class Rehearsal:
    """Collects what one dry run finds. Workers call `found`, the writer's thread `visited`; read it after the run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._links: dict[bytes, Link] = {}
        self.starts: list[StartPage] = []
        self.scope: Scope | None = None

    def found(self, links: Iterable[Link]) -> list[Link]:
        """Take in the links of a page that the frontier would be given; none of them is to be fetched."""
        with self._lock:
            for link in links:
                if len(self._links) < _MOST_LINKS:
                    self._links.setdefault(link.fingerprint, link)
        return []

    def visited(self, visit: Visit, verdict: Verdict) -> None:
        """A start page has ended; one that goes back to the queue comes again."""
        if verdict.state == "queued":
            return
        outcome = visit.outcome
        reason = verdict.reason or outcome.error
        self.starts.append(
            StartPage(
                visit.url,
                verdict.state,
                outcome.status,
                reason.splitlines()[0] if reason else None,
                len(outcome.rows),
                visit.found,
            )
        )

    def next_links(self) -> list[Link]:
        """What would be fetched next, in the order in which it would be: by priority, then as it was found."""
        started = {start.url for start in self.starts}
        found = [link for link in self._links.values() if link.url not in started or link.dont_filter]
        return sorted(found, key=lambda link: -link.priority)

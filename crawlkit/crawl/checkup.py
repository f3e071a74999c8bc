"""Checkup: at the end of a complete crawl, its facts, its past, the findings, and since when they are known.

What belongs here: putting together what the store keeps and what this run counted. What does not: judging (health.py,
expect.py), SQL (store/tallies.py).

Compared are the last twenty healthy crawls with the same -a values: one that was unhealthy teaches nothing, or a site that
stays broken would be healthy after some weeks. `expect.since` says that what looks ill is how it should be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from crawlkit.crawl.expect import Expect, broken
from crawlkit.crawl.finding import Finding
from crawlkit.crawl.health import Facts, examine, with_states
from crawlkit.crawl.record import united
from crawlkit.store.tallies import PastCrawl

#: Crawls that are compared with.
_COMPARED = 20
UNHEALTHY = "unhealthy"
_GRAVEST_FIRST = ("expect", "login", "column", "type", "table", "pages", "failed", "status", "duration")


def checkup(expect: Expect, now: PastCrawl, past: Sequence[PastCrawl], record: Mapping[str, Any]) -> list[Finding]:
    """The findings about the crawl `now`, whose last run counted `record`; `past` are complete crawls, oldest first."""
    crawls = [*(facts_of(crawl, crawl.records) for crawl in past), facts_of(now, [*now.records, record])]
    states = with_states(crawls)
    found = list(broken(expect, states[-1]))
    if expect.learn:
        healthy = [place for place, crawl in enumerate(past) if _teaches(crawl, expect)][-_COMPARED:]
        for each in (crawls, states):
            found += examine(each[-1], [each[place] for place in healthy], ignored=expect.may_be_empty)
    once: dict[str, Finding] = {}
    for finding in sorted(found, key=_gravity):
        once.setdefault(finding.about, finding)  # the first of its kind stays
    return [_dated(finding, now, past) for finding in once.values()]


def _gravity(finding: Finding) -> int:
    """Where a finding stands among others: what was asked for by the author, then causes before what comes of them."""
    kind = finding.about.partition(":")[0]
    return _GRAVEST_FIRST.index(kind) if kind in _GRAVEST_FIRST else len(_GRAVEST_FIRST)


def _teaches(crawl: PastCrawl, expect: Expect) -> bool:
    return crawl.run >= expect.since and (crawl.outcome != UNHEALTHY or crawl.run == expect.since)


def told(findings: Sequence[Finding]) -> str:
    """Findings as the reason of a run: the first, and how many more."""
    more = f"; and {len(findings) - 1} more" if len(findings) > 1 else ""
    return findings[0].sentence + more


def facts_of(crawl: PastCrawl, records: Sequence[Mapping[str, Any]]) -> Facts:
    """A crawl as health looks at it."""
    return Facts(crawl.run, crawl.ended, crawl.done, crawl.failed, crawl.seconds, united(records))


def _told(crawl: PastCrawl) -> Sequence[Mapping[str, Any]]:
    """The findings about a crawl of the past."""
    found: Sequence[Mapping[str, Any]] = crawl.records[-1].get("findings", ()) if crawl.records else ()
    return found


def _dated(finding: Finding, now: PastCrawl, past: Sequence[PastCrawl]) -> Finding:
    """The finding with the first of the crawls in a row that had it, and the last page that was kept for it."""
    first, kept = now, ""
    for crawl in reversed(past):
        same = next((each for each in _told(crawl) if each.get("about") == finding.about), None)
        if same is None:
            break
        first, kept = crawl, kept or str(same.get("kept") or "")
    return replace(finding.first_in(first.run, first.ended), kept=kept)

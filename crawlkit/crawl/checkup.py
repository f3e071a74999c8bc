"""Checkup: at the end of a complete crawl, its facts, its past, the findings, and since when they are known.

What belongs here: putting together what the store keeps and what this run counted. What does not: judging (health.py,
expect.py), SQL (store/tallies.py).

Compared are the last twenty healthy crawls with the same -a values: one that was unhealthy teaches nothing, or a site that
stays broken would be healthy after some weeks. `expect.since` says that what looks ill is how it should be.

A broken column stays broken while its pages do not change and are not parsed again: a finding holds until as many pages
as half of those that it was seen on say otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crawlkit.crawl.expect import Expect, broken
from crawlkit.crawl.finding import Finding
from crawlkit.crawl.health import Facts, examine, pages_behind
from crawlkit.crawl.record import united
from crawlkit.store.tallies import PastCrawl

#: Crawls that are compared with.
_COMPARED = 20
UNHEALTHY = "unhealthy"


def checkup(expect: Expect, now: PastCrawl, past: Sequence[PastCrawl], record: Mapping[str, Any]) -> list[Finding]:
    """The findings about the crawl `now`, whose last run counted `record`; `past` are complete crawls, oldest first."""
    facts = facts_of(now, [*now.records, record])
    found = list(broken(expect, facts))
    open_ = [Finding.of_json(told) for told in _told(past[-1])] if past else []
    if expect.learn:
        healthy = [
            crawl
            for crawl in past
            if crawl.run >= expect.since and (crawl.outcome != UNHEALTHY or crawl.run == expect.since)
        ]
        compared = [facts_of(crawl, crawl.records) for crawl in healthy[-_COMPARED:]]
        found += examine(facts, compared, ignored=expect.may_be_empty)
        found += [each for each in open_ if _holds(each, facts, found) and (each.since or 0) > expect.since]
    return [_dated(finding, now, past) for finding in found]


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


def _holds(finding: Finding, now: Facts, found: Sequence[Finding]) -> bool:
    """Whether nothing in this crawl speaks against a finding of the last one."""
    if any(each.about == finding.about for each in found):
        return False
    return pages_behind(finding.about, now) < finding.pages / 2


def _dated(finding: Finding, now: PastCrawl, past: Sequence[PastCrawl]) -> Finding:
    """The finding with the first of the crawls in a row that had it."""
    first = now
    for crawl in reversed(past):
        if not any(each.get("about") == finding.about for each in _told(crawl)):
            break
        first = crawl
    return finding.first_in(first.run, first.ended)

"""Completeness: the account of an archive: every URL in its scope, captured, failed and why, or excluded and by which rule.

What belongs here: what a state of the frontier means to a reader of the archive, and the report as JSON. What does not:
reading the database (store/census.py), what was left out while crawling (site.py), showing it (cli/).

    {"format": 1, "scope": {…}, "counts": {"captured": 41, …},
     "captured": [{"url": …, "kind": "page", "status": 200}], "failed": [{…, "reason": "timeout", "found_on": …}],
     "excluded": [{…, "rule": "--depth 2", …}], "waiting": [{…}], "browser_only": [{"found_on": …, "how": …, "url": …}]}

`waiting` is what a run that ended early had not come to; of a complete crawl it is empty. A URL is in one list only. The
count of `pages` is that of the package's list of pages: HTML documents, each once at the address where it lies. Addresses
that lead to another one's document, and those where a server says that there is none, are captured and no pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from crawlkit.archive.site import BROWSER_ONLY, EXCLUDED
from crawlkit.crawl.blame import QUARANTINED
from crawlkit.crawl.guard import PREFIX
from crawlkit.crawl.requisite import REQUISITE
from crawlkit.store.census import Counted
from crawlkit.store.outcome import GONE, SAME_PAGE

FORMAT = 1
#: The lists of the report.
CAPTURED, FAILED, EXCLUDED_LIST, WAITING = "captured", "failed", "excluded", "waiting"
#: The kinds of what links lead to: HTML, and anything else. All other kinds are those of requisites.
PAGE, FILE = "page", "file"
#: Reasons of skipped pages → the rule, in words for somebody who does not know the frontier.
_RULES = {
    "robots": "robots.txt",
    "offsite": "leads to another site",
    "bad_redirect": "redirects to what is no http(s) URL",
    QUARANTINED: "quarantined: it ends the session of who fetches it",
}


class Source(Protocol):
    """What is asked of a database: crawlkit.store.reports.Reports."""

    def census(self, crawl: int, archive: int | None = None) -> list[Counted]: ...
    def guarded(self, crawl: int) -> list[tuple[str, str, str]]: ...
    def pages(self, archive: int) -> set[str]: ...
    def urls_with_meta(self, archive: int, key: str) -> set[str]: ...
    def rows_of(self, table: str, columns: tuple[str, ...], crawl: int) -> list[tuple[str | None, ...]]: ...


def completeness(
    source: Source,
    crawl: int,
    archive: int | None,
    *,
    scope: Mapping[str, Any] | None = None,
    shown: Callable[[str], str] = str,
) -> dict[str, Any]:
    """The report on `crawl` as JSON values; with `archive` only what that has records of counts as captured. `shown`: a URL
    as it may be shown.
    """
    lists: dict[str, list[dict[str, Any]]] = {CAPTURED: [], FAILED: [], EXCLUDED_LIST: [], WAITING: []}
    met: set[str] = set()
    for counted in source.census(crawl, archive):
        name, entry = _judged(counted, archive)
        met.add(counted.url)
        lists[name].append(_shown(entry, shown))
    lists[EXCLUDED_LIST] += [_shown(entry, shown) for entry in _left_out(source, crawl, met)]
    calls = _calls(source, crawl, met, shown)
    counts = {name: len(entries) for name, entries in lists.items()} | {"browser_only": len(calls)}
    counts["pages"] = len(pages_of_site(source, archive)) if archive is not None else 0
    return {"format": FORMAT, "scope": dict(scope or {}), "counts": counts, **lists, "browser_only": calls}


def pages_of_site(source: Source, archive: int) -> set[str]:
    """The URLs of an archive's pages, as its records name them. A document in a frame is none, unless a link came first."""
    return source.pages(archive) - source.urls_with_meta(archive, REQUISITE)


def _judged(counted: Counted, archive: int | None) -> tuple[str, dict[str, Any]]:
    """Which list a URL belongs to, and its entry there."""
    entry: dict[str, Any] = {"url": counted.url, "kind": counted.meta.get(REQUISITE) or _linked(counted)}
    if counted.status is not None:
        entry["status"] = counted.status
    reason = (counted.reason or "").splitlines()[0] if counted.reason else ""
    if counted.state in ("queued", "leased"):
        return WAITING, entry | {"found_on": counted.found_on}
    if counted.state == "failed":
        return FAILED, entry | {"reason": reason or "unknown", "found_on": counted.found_on}
    recorded = archive is None or counted.record is not None
    if counted.state == "done" or reason in (SAME_PAGE, GONE):
        if recorded:
            return CAPTURED, entry | ({"revisit": True} if counted.record == "revisit" else {})
        why = "unchanged, and not in this archive" if counted.state == "done" else reason
        return FAILED, entry | {"reason": why, "found_on": counted.found_on}
    rule = _RULES.get(reason, reason or "skipped")
    return EXCLUDED_LIST, entry | {"rule": rule, "found_on": counted.found_on}


def _linked(counted: Counted) -> str:
    """What a link led to; where nobody knows, a page was expected."""
    essence = (counted.content_type or "text/html").partition(";")[0].strip().lower()
    return PAGE if essence in ("text/html", "application/xhtml+xml") else FILE


def _left_out(source: Source, crawl: int, met: set[str]) -> Iterator[dict[str, Any]]:
    """What never became a page: refused by the guard or by a rule of the scope."""
    for address, reason, page in source.guarded(crawl):
        if address not in met:
            met.add(address)
            yield {"url": address, "rule": PREFIX + reason, "found_on": page}
    for url, rule, found_on in source.rows_of(EXCLUDED, ("url", "rule", "found_on"), crawl):
        if url not in met:
            yield {"url": url, "rule": rule, "found_on": found_on}


def _calls(source: Source, crawl: int, met: set[str], shown: Callable[[str], str]) -> list[dict[str, Any]]:
    """What scripts ask for and nothing else did."""
    rows = source.rows_of(BROWSER_ONLY, ("found_on", "how", "url"), crawl)
    return [
        _shown({"found_on": found_on, "how": how, **({"url": url} if url else {})}, shown)
        for found_on, how, url in rows
        if url not in met
    ]


def _shown(entry: dict[str, Any], shown: Callable[[str], str]) -> dict[str, Any]:
    for name in ("url", "found_on"):
        if name in entry:
            if entry[name] is None:
                del entry[name]
            else:
                entry[name] = shown(entry[name])
    return entry

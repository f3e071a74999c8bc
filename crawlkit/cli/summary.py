"""The summary at the end of a run: what happened, where the items are, what to type next.

Text only; who prints it decides how.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from crawlkit.cli.terminal import counted, safe
from crawlkit.crawl.quantities import duration_text, size_text
from crawlkit.crawl.result import Result

_OUTCOMES = {
    "finished": "finished",
    "pages_failed": "finished, but not every page",
    "limit": "stopped at a limit",
    "parked": "parked",
    "unhealthy": "finished, but not healthy",
    "login_failed": "login failed",
    "interrupted": "interrupted",
    "terminated": "terminated",
    "storage_failed": "storage failed",
    "internal_error": "internal error",
}

_SHOWN = 5  # reasons of failure, and slow pages
_SLOW_SECONDS = 2.0  # pages that took longer are told
_GUARDED = 20  # links that the guard did not let through
_WIDTH = 14


def headline(spider: str, result: Result, *, items: bool = True) -> str:
    """One line: the finish reason and the counts; without the `items` of a spider that has none."""
    words = _OUTCOMES.get(result.outcome, result.outcome)
    if result.reason not in ("", "finished", result.outcome, words) and not result.findings:
        words += f" ({safe(result.reason, one_line=True)})"
    rate = f" ({result.pages / result.elapsed:.1f} pages/s)" if result.pages and result.elapsed > 0 else ""
    return (
        f"{safe(spider)} {words}: {counted(result.pages, 'page')}, {result.failed} failed"
        + (f", {counted(result.items, 'item')}" if items else "")
        + f" in {duration_text(result.elapsed)}{rate}"
    )


def details(result: Result, *, database: str, export: str) -> Iterator[str]:
    """The lines under the headline.

    `database` is its path as shown, `export` the command that writes the items.
    """
    yield from _health(result)
    yield from _pages(result)
    tables = [f"{count} in {safe(name, one_line=True)}" for name, count in sorted(result.items_by_table.items())]
    if tables:
        yield _row("items", ", ".join(tables))
    yield from _guarded(result)
    traffic = [counted(result.requests, "request"), size_text(result.bytes)]
    if result.saved:
        traffic.append(f"{size_text(result.saved)} not sent again")
    if result.retries:
        traffic.append(counted(result.retries, "retry", "retries"))
    if result.logins:
        traffic.append(counted(result.logins, "login"))
    yield _row("traffic", ", ".join(traffic))
    slow = [entry for entry in result.slow if entry[1] >= _SLOW_SECONDS][:_SHOWN]
    for index, (url, seconds) in enumerate(slow):
        yield _row("" if index else "slowest", f"{duration_text(seconds)}  {safe(url, one_line=True)}")
    if result.run is not None:
        yield _row("data", database)
        if result.items_by_table:
            yield _row("export", export)
    if result.resumable:
        waiting = f" ({result.queued} queued)" if result.queued else ""
        yield _row("next", f"run the same command to go on where it stopped{waiting}")


def troubles(result: Result) -> frozenset[str]:
    """Those of the lines that say why a run did not end well: who wants to hear of nothing else wants to hear of them."""
    return frozenset((*_health(result), *_reasons("failed", result.failures, result.examples)))


def _health(result: Result) -> Iterator[str]:
    for index, finding in enumerate(result.findings):
        yield _row("" if index else "health", safe(finding.sentence, one_line=True))


def _pages(result: Result) -> Iterator[str]:
    parts = [f"{result.pages} done", f"{result.failed} failed", f"{result.skipped} skipped"]
    if result.unchanged:
        parts[0] += f" ({result.unchanged} unchanged)"
    yield _row("pages", ", ".join(parts))
    yield from _reasons("failed", result.failures, result.examples)
    yield from _reasons("skipped", result.skips, result.examples)
    yield from _reasons("not followed", result.not_followed, result.examples)


def _reasons(label: str, counts: Mapping[str, int], examples: Mapping[str, str]) -> Iterator[str]:
    """The commonest reasons, each with the URL of one page."""
    ranked = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    for index, (reason, count) in enumerate(ranked[:_SHOWN]):
        example = f"  {safe(examples[reason], one_line=True)}" if reason in examples else ""
        yield _row("" if index else label, f"{count} x {safe(reason, one_line=True)}{example}")
    if len(ranked) > _SHOWN:
        yield _row("", f"and {counted(len(ranked) - _SHOWN, 'more reason')}")


def _guarded(result: Result) -> Iterator[str]:
    """Every link that was not followed for fear of what it does, with the reason and its text."""
    for index, refusal in enumerate(result.refused[:_GUARDED]):
        text = f'  "{safe(refusal.text, one_line=True)}"' if refusal.text else ""
        yield _row("" if index else "guarded", f"{refusal.reason:<12}  {safe(refusal.url, one_line=True)}{text}")
    if len(result.refused) > _GUARDED:
        yield _row("", f"and {counted(len(result.refused) - _GUARDED, 'more link')}: crawlkit runs NAME --guarded")
    for index, url in enumerate(result.quarantined[:_GUARDED]):
        yield _row("" if index else "quarantined", safe(url, one_line=True))


def _row(label: str, text: str) -> str:
    return f"  {label:<{_WIDTH}}{text}"

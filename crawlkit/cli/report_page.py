"""The page of `crawlkit report`: its parts in their order, each left out when there is nothing to tell.

What belongs here: which numbers are shown and in which words. What does not: reading them (report.py), how a page, a table
or a picture is made (markup.py, charts.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crawlkit.cli.charts import columns, meter
from crawlkit.cli.diff import label, text_of
from crawlkit.cli.markup import document, escaped, link, section, table
from crawlkit.cli.report_archive import archive_part
from crawlkit.crawl.health import Facts
from crawlkit.crawl.quantities import duration_text, size_text
from crawlkit.crawl.record import BOUNDS, united

if TYPE_CHECKING:
    from crawlkit.cli.report import Told
    from crawlkit.store.tallies import PastCrawl

_MOST = 25  # rows of a table
_CHANGES = 8  # of each kind
_GOOD = frozenset({"finished"})
_ILL = frozenset({"unhealthy", "login_failed", "storage_failed", "internal_error", "killed"})
_WORDS = {"pages_failed": "some pages failed", "finished": "complete", "login_failed": "login failed"}


def page_of(told: Told) -> str:
    """The whole page."""
    tally = told.tally
    body = [
        _head(told),
        _facts(told),
        section(
            "Health", _findings(tally), note="What is beyond what this spider's own past allows, or against its rules."
        ),
        section(
            "Archive", archive_part(told.archive), note="What the package has, and of every other address why not."
        ),
        section("Pages over time", _timeline(tally)),
        f'<div class="pair">{section("Answers", _statuses(tally))}{section("Response times", _times(tally))}</div>',
        section("Against its past", _history(told)),
        section("Items by page type", _types(tally)),
        section("Columns", _columns(tally), note="How many of the rows of this run have a value."),
        section("Changes since the run before", _changes(told)),
        section("Hosts", _hosts(tally)),
        section("Slowest pages", _slowest(tally)),
        section("Failed", _failed(told)),
        section("Skipped, and links not followed", _skipped(tally)),
        section("Guarded links", _guarded(told), note="Not followed, because they log out or destroy something."),
        section("Earlier runs", _earlier(told.past)),
    ]
    return document(f"{told.spider}: run {told.run.id}", "\n".join(part for part in body if part))


def _time(at: float) -> str:
    return f"{datetime.fromtimestamp(at):%Y-%m-%d %H:%M}"


def _seconds(told: Told) -> float:
    run = told.run
    return max((run.ended or run.last_commit or run.started) - run.started, 0.0)


# --- what happened ----------------------------------------


def _head(told: Told) -> str:
    run, outcome = told.run, told.outcome
    kind = "good" if outcome in _GOOD else "bad" if outcome in _ILL else "warn"
    words = _WORDS.get(outcome, outcome.replace("_", " "))
    reason = "" if run.reason in (None, "", "finished", outcome) or told.tally.get("findings") else f" {run.reason}."
    return (
        f'<h1>{escaped(told.spider)}<span class="badge {kind}">{escaped(words)}</span></h1>'
        f'<p class="lead">Run {run.id}, {_time(run.started)}, took {duration_text(_seconds(told))}.{escaped(reason)}</p>'
    )


def _facts(told: Told) -> str:
    run = told.run
    seconds = _seconds(told)
    changes = told.comparison.changes if told.comparison is not None else None
    totals = sum(each.get("total", 0) for each in told.tally.get("tables", {}).values())
    facts = [
        ("Pages", f"{run.pages:,}", f"{run.pages / seconds:.1f} a second" if seconds > 0.5 else ""),
        ("Items", f"{totals or run.items:,}", "in all tables"),
        ("Failed", f"{run.failed:,}", f"{run.skipped:,} skipped"),
        ("Unchanged", f"{run.unchanged:,}", "not parsed again"),
        ("Received", size_text(run.bytes), f"{run.requests:,} requests"),
    ]
    if changes is not None:
        counts = f"{len(changes.added):,} / {len(changes.changed):,} / {len(changes.gone):,}"
        facts.insert(2, ("New / changed / gone", counts, "items"))
    return '<dl class="facts">' + "".join(
        f"<div><dt>{escaped(name)}</dt><dd>{escaped(value)}<small>{escaped(more)}</small></dd></div>"
        for name, value, more in facts
    ) + "</dl>"  # fmt: skip


def _findings(tally: Mapping[str, Any]) -> str:
    found = tally.get("findings") or []
    items = []
    for each in found:
        since = f"Since run {each['since']} of {_time(each['since_at'])}. " if each.get("since_at") else ""
        example = f"Look at {link(each['example'])}" if each.get("example") else ""
        kept = f", as it was: <code>{escaped(each['kept'])}</code>" if example and each.get("kept") else ""
        items.append(f"<li>{escaped(each['text'])}<small>{escaped(since)}{example}{kept}</small></li>")
    return f'<ul class="findings">{"".join(items)}</ul>' if items else ""


def _timeline(tally: Mapping[str, Any]) -> str:
    line = tally.get("timeline", {})
    slices = line.get("slices") or []
    if not slices:
        return ""
    width = line["seconds"]
    most = max(pages for pages, _ in slices)
    label = f"{sum(pages for pages, _ in slices)} pages, {sum(bad for _, bad in slices)} failed, over time"
    return (
        f'<p class="top">at most {most:,} pages in {duration_text(width)}</p>'
        + columns([pages for pages, _ in slices], [bad for _, bad in slices], label=label)
        + f'<p class="ends"><span>0</span><span>{duration_text(width * len(slices) / 2)}</span>'
        f"<span>{duration_text(width * len(slices))}</span></p>"
        '<p class="key"><span><i class="of-pages"></i>pages</span><span><i class="of-bad"></i>failed</span></p>'
    )


def _statuses(tally: Mapping[str, Any]) -> str:
    counts = sorted(tally.get("statuses", {}).items(), key=lambda entry: -entry[1])
    whole = sum(count for _, count in counts)
    rows = [
        (escaped(status), meter(count / whole, bad=status[:1] not in "23"), f"{count:,}")
        for status, count in counts[:_MOST]
    ]
    return table(("status", "", "answers"), rows, numbers=(2,)) if rows else ""


def _times(tally: Mapping[str, Any]) -> str:
    counts = tally.get("times") or []
    if not sum(counts):
        return ""
    last = max(place for place, count in enumerate(counts) if count)
    names = [_bound(bound) for bound in BOUNDS] + ["more"]
    shown = counts[: last + 1]
    bins = "".join(f"<span>{escaped(name)}</span>" for name in names[: last + 1])
    label = ", ".join(f"{count} up to {name}" for count, name in zip(shown, names, strict=False))
    return columns(shown, label=label) + f'<p class="bins">{bins}</p>'


def _bound(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.0f} s"


# --- compared ----------------------------------------


def _figures(facts: Facts) -> Iterator[tuple[str, float]]:
    yield "Pages done", facts.done
    yield "Pages failed", facts.failed
    for name in facts.part("tables"):
        yield f"Rows of {name}", facts.number("tables", name, "total")
    yield "Seconds", round(facts.seconds, 1)


def _history(told: Told) -> str:
    run = told.run
    crawls = [
        Facts(each.run, each.ended, each.done, each.failed, each.seconds, united(each.records)) for each in told.past
    ]
    if not crawls or not told.run.finished:
        return ""
    now = Facts(run.id, run.started, run.pages, run.failed, _seconds(told), told.tally)
    rows = []
    for name, value in list(_figures(now))[:_MOST]:
        before = [dict(_figures(crawl)).get(name, 0.0) for crawl in crawls]
        usual = sorted(before)[len(before) // 2]
        picture = columns([*before, value], label=f"{name} in the last {len(before) + 1} runs", kind="spark")
        rows.append((escaped(name), f"{usual:,g}", f"{value:,g}", picture))
    return table(("", "usually", "now", f"last {len(crawls) + 1} runs"), rows, numbers=(1, 2))


def _changes(told: Told) -> str:
    if told.comparison is None:
        return ""
    changes = told.comparison.changes
    if not changes:
        return f'<p class="quiet">Nothing changed since run {told.comparison.earlier.last}.</p>'
    rows: list[tuple[str, ...]] = []
    for change in changes.changed[:_CHANGES]:
        for column, (old, new) in change.columns.items():
            pair = f"<del>{escaped(_short(text_of(old)))}</del> → <ins>{escaped(_short(text_of(new)))}</ins>"
            rows.append(("changed", escaped(_short(label(change))), escaped(column), pair))
    for kind, those in (("new", changes.added), ("gone", changes.gone)):
        rows += [(kind, escaped(_short(label(change))), "", "") for change in those[:_CHANGES]]
    more = len(changes.added) + len(changes.changed) + len(changes.gone)
    note = f'<p class="ends">crawlkit diff shows all {more:,}</p>' if more > _CHANGES else ""
    return table(("", "item", "column", "was → is"), rows) + note


def _short(text: str) -> str:
    return text if len(text) <= 90 else f"{text[:89]}…"


def _earlier(past: Sequence[PastCrawl]) -> str:
    rows = [
        (str(each.run), _time(each.ended), escaped(_WORDS.get(each.outcome or "", each.outcome or "")), f"{each.done:,}",
         f"{each.failed:,}", duration_text(each.seconds))
        for each in reversed(past)
    ]  # fmt: skip
    return table(("run", "ended", "outcome", "pages", "failed", "took"), rows, numbers=(0, 3, 4, 5)) if rows else ""


# --- details ----------------------------------------


def _types(tally: Mapping[str, Any]) -> str:
    rows = [
        (f"{escaped(name)}()", f"{each.get('pages', 0):,}", f"{each.get('items', 0):,}", f"{each.get('links', 0):,}",
         f"{each.get('silent', 0):,}")
        for name, each in sorted(tally.get("types", {}).items(), key=lambda entry: -entry[1].get("pages", 0))[:_MOST]
    ]  # fmt: skip
    return table(("callback", "pages", "items", "links", "without items"), rows, numbers=(1, 2, 3, 4)) if rows else ""


def _columns(tally: Mapping[str, Any]) -> str:
    parts = []
    for name, each in tally.get("tables", {}).items():
        rows = [
            (
                escaped(column),
                meter(filled / each["rows"], bad=filled < each["rows"] / 2),
                f"{100 * filled / each['rows']:.0f} %",
            )
            for column, filled in sorted(_all_columns(each).items())
            if each["rows"]
        ]
        if rows:
            head = (
                f'<h3>{escaped(name)} <span class="quiet">{each["rows"]:,} rows of {each.get("total", 0):,}</span></h3>'
            )
            parts.append(head + table(("column", "", "filled"), rows[:200], numbers=(2,)))
    return "".join(parts)


def _all_columns(entry: Mapping[str, Any]) -> dict[str, int]:
    return {**dict.fromkeys(entry.get("examples", {}), 0), **entry.get("filled", {})}


def _hosts(tally: Mapping[str, Any]) -> str:
    hosts = sorted(tally.get("hosts", {}).items(), key=lambda entry: -entry[1].get("pages", 0))
    rows = [
        (escaped(name), f"{each.get('pages', 0):,}", f"{each.get('failed', 0):,}", size_text(each.get("bytes", 0)),
         f"{each.get('milliseconds', 0) / max(each.get('pages', 1), 1):,.0f} ms")
        for name, each in hosts[:_MOST]
    ]  # fmt: skip
    return table(("host", "pages", "failed", "size", "mean"), rows, numbers=(1, 2, 3, 4)) if rows else ""


def _slowest(tally: Mapping[str, Any]) -> str:
    rows = [(f"{seconds:.2f} s", link(url)) for seconds, url in tally.get("slow", [])[:10]]
    return table(("took", "page"), rows, numbers=(0,)) if rows else ""


def _failed(told: Told) -> str:
    reasons = _reasons(told.tally, "failures")
    pages = [
        (
            link(page.url),
            escaped(_short((page.error or "").splitlines()[0] if page.error else "")),
            str(page.status or ""),
        )
        for page in told.failed[:_MOST]
    ]
    return reasons + (f"<h3>Pages</h3>{table(('page', 'reason', 'status'), pages, numbers=(2,))}" if pages else "")


def _skipped(tally: Mapping[str, Any]) -> str:
    parts = (("Skipped pages", "skips"), ("Links that never became pages", "not_followed"))
    return "".join(f"<h3>{title}</h3>{rows}" for title, kind in parts if (rows := _reasons(tally, kind)))


def _reasons(tally: Mapping[str, Any], kind: str) -> str:
    examples = tally.get("examples", {})
    rows = [
        (escaped(reason), f"{count:,}", link(examples[f"{kind}:{reason}"]) if f"{kind}:{reason}" in examples else "")
        for reason, count in sorted(tally.get(kind, {}).items(), key=lambda entry: -entry[1])[:_MOST]
    ]
    return table(("reason", "count", "for example"), rows, numbers=(1,)) if rows else ""


def _guarded(told: Told) -> str:
    rows = [(escaped(each.reason), escaped(_short(each.text)), link(each.url)) for each in told.refused]
    return table(("why", "its text", "link"), rows) if rows else ""

"""What `crawlkit run --dry-run` shows: what the start pages gave, what would come next, what would not, and how fast.

What belongs here: the plan as an object and as lines. What does not: the dry run itself (crawl/rehearsal.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from crawlkit import url as urls
from crawlkit.cli.terminal import counted, safe
from crawlkit.crawl.pace import pace_of
from crawlkit.crawl.quantities import duration_text
from crawlkit.crawl.rehearsal import Rehearsal
from crawlkit.crawl.result import Result
from crawlkit.crawl.settings import Settings
from crawlkit.exceptions import StorageError, StoreMismatch

_SHOWN = 20
_WIDTH = 14


def plan_of(
    rehearsal: Rehearsal, result: Result, settings: Settings, *, profile: str, database: Path, fresh: bool
) -> dict[str, Any]:
    """The plan as an object of JSON values. `next` lists the first links in the order in which they would be fetched."""
    links = rehearsal.next_links()
    hosts = Counter(link.host for link in links)
    seen = dict.fromkeys([*hosts, *(urls.origin(start.url).netloc for start in rehearsal.starts)])
    queued, quarantined = (0, []) if fresh else _earlier(database)
    return {
        "start": [asdict(start) for start in rehearsal.starts],
        "next": {
            "total": len(links),
            "hosts": dict(hosts.most_common()),
            "first": [link.url for link in links[:_SHOWN]],
        },
        "guarded": [asdict(refusal) for refusal in result.refused],
        "quarantined": quarantined,
        "skipped": dict(result.not_followed),
        "queued": queued,
        "settings": {
            "workers": settings.crawl.workers,
            "hosts": {host: _pace(host, settings) for host in list(seen)[:_SHOWN]},
            "scope": rehearsal.scope.domains if rehearsal.scope is not None else [],
            "profile": profile,
            "logins": result.logins,
            "robots": settings.crawl.robots,
            "guard": settings.crawl.guard,
            "max_depth": settings.crawl.max_depth,
            "max_pages": settings.crawl.max_pages,
            "max_time": settings.crawl.max_time,
        },
    }


def _pace(host: str, settings: Settings) -> dict[str, Any]:
    pace = pace_of(host, settings.crawl)
    return {"per_host": pace.limit, "delay": pace.delay}


def _earlier(database: Path) -> tuple[int, list[str]]:
    """What an unfinished crawl left queued, and the URLs in quarantine; nothing of a database that is not there."""
    from crawlkit.store.database import Store

    if not database.exists():
        return 0, []
    try:
        with Store.open_readonly(database) as reports:
            last = reports.runs(1)
            open_ = bool(last) and not last[0].finished
            totals = reports.totals(last[0].crawl) if open_ else {}
            quarantined = [blame.url for blame in reports.blamed() if blame.quarantined]
    except (StorageError, StoreMismatch):
        return 0, []  # the run itself says what is wrong with it
    return totals.get("queued", 0) + totals.get("leased", 0), quarantined


def plan_lines(spider: str, plan: Mapping[str, Any]) -> Iterator[str]:
    """The plan for a person, every guarded link in full."""
    yield f"{safe(spider)}, a dry run: nothing was stored"
    for index, start in enumerate(plan["start"]):
        gave = f"{counted(start['items'], 'item')}, {counted(start['links'], 'link')}"
        ended = gave if start["state"] == "done" else f"{start['state']} ({safe(start['reason'] or '', one_line=True)})"
        yield _row("" if index else "start", f"{start['status'] or '-'}  {safe(start['url'], one_line=True)}  {ended}")
    coming = plan["next"]
    for index, (host, count) in enumerate(coming["hosts"].items()):
        yield _row("" if index else "next", f"{counted(count, 'page')} on {safe(host, one_line=True)}")
    for url in coming["first"]:
        yield _row("", safe(url, one_line=True))
    if coming["total"] > len(coming["first"]):
        yield _row("", f"and {coming['total'] - len(coming['first'])} more")
    if not coming["total"]:
        yield _row("next", "nothing")
    for index, refusal in enumerate(plan["guarded"]):
        text = f'  "{safe(refusal["text"], one_line=True)}"' if refusal["text"] else ""
        where = safe(refusal["url"], one_line=True)
        yield _row("" if index else "guarded", f"{refusal['reason']:<12}  {where}{text}")
    for index, url in enumerate(plan["quarantined"]):
        yield _row("" if index else "quarantined", safe(url, one_line=True))
    skipped = {reason: count for reason, count in plan["skipped"].items() if not reason.startswith("guard: ")}
    for index, (reason, count) in enumerate(skipped.items()):
        yield _row("" if index else "not followed", f"{count} x {safe(reason, one_line=True)}")
    yield from _settings(plan["settings"])
    if plan["queued"]:
        yield _row("unfinished", f"{counted(plan['queued'], 'page')} of an earlier run would be fetched first")


def _settings(settings: Mapping[str, Any]) -> Iterator[str]:
    yield _row("workers", str(settings["workers"]))
    for index, (host, pace) in enumerate(settings["hosts"].items()):
        gap = f", {duration_text(pace['delay'])} between two" if pace["delay"] else ""
        yield _row("" if index else "pace", f"{safe(host, one_line=True)}: {pace['per_host']} at once{gap}")
    yield _row("scope", ", ".join(safe(domain, one_line=True) for domain in settings["scope"]) or "nothing")
    login = f", {counted(settings['logins'], 'login')}" if settings["logins"] else ""
    yield _row("profile", safe(settings["profile"], one_line=True) + login)
    words = [f"{name} {'on' if settings[name] else 'off'}" for name in ("robots", "guard")]
    words += [
        f"{name} {settings[name]:g}" for name in ("max_depth", "max_pages", "max_time") if settings[name] is not None
    ]
    yield _row("limits", ", ".join(words))


def _row(label: str, text: str) -> str:
    return f"  {label:<{_WIDTH}}{text}"

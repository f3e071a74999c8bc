"""The part of `crawlkit report` about the archive that a run made: what is in it, and what is not, address by address.

What belongs here: which of it is shown. What does not: the account itself (archive/completeness.py), how tables are made
(markup.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawlkit.cli.markup import escaped, link, table
from crawlkit.cli.outputs import shown
from crawlkit.crawl.quantities import size_text

if TYPE_CHECKING:
    from crawlkit.store.reports import Reports

_MOST = 50  # addresses of each list
_MOST_EACH = 8  # of those that one rule excluded


@dataclass(frozen=True, slots=True)
class Archived:
    """The archive of a run: where it is, bytes (None while there is no package), and the completeness report."""

    output: Path
    size: int | None
    account: Mapping[str, Any]


def archived(reports: Reports, crawl: int) -> Archived | None:
    """The archive that was made of a crawl; None when none was."""
    archive = reports.last_archive()
    if archive is None or archive.crawl != crawl:
        return None
    from crawlkit.archive.completeness import completeness

    return Archived(archive.output, archive.size, completeness(reports, crawl, archive.id))


def archive_part(told: Archived | None) -> str:
    """The body of the section, "" without an archive."""
    if told is None:
        return ""
    account = told.account
    kinds = Counter(entry["kind"] for entry in account["captured"])
    state = (
        f"{shown(told.output)}, {size_text(told.size)}"
        if told.size is not None
        else f"{shown(told.output)}: not made yet"
    )
    counts = [(escaped(kind), f"{count:,}") for kind, count in kinds.most_common()]
    listed = account["counts"]["pages"]
    parts = [
        f"<p>{escaped(state)}; {listed:,} {'page' if listed == 1 else 'pages'}</p>",
        table(("captured", "addresses"), counts, numbers=(1,)) if counts else "",
    ]
    parts.append(_list("Not captured: failed", account["failed"], "reason"))
    parts.append(_rules(account["excluded"]))
    parts.append(_list("Not captured: excluded", account["excluded"], "rule", each=_MOST_EACH))
    parts.append(_list("Waiting", account["waiting"], None))
    parts.append(_list("Only a browser could have fetched", account["browser_only"], "how"))
    return "".join(parts)


def _rules(excluded: Iterable[Mapping[str, Any]]) -> str:
    rules = Counter(entry["rule"] for entry in excluded)
    rows = [(escaped(rule), f"{count:,}") for rule, count in rules.most_common(_MOST)]
    return f"<h3>Excluded, by rule</h3>{table(('rule', 'addresses'), rows, numbers=(1,))}" if rows else ""


def _list(title: str, entries: Sequence[Mapping[str, Any]], why: str | None, *, each: int = _MOST) -> str:
    """The first addresses of a list, `each` of them at most for the same reason, with why they are there and where they
    were found.
    """
    if not entries:
        return ""
    counts: Counter[str] = Counter()
    chosen: list[Mapping[str, Any]] = []
    for entry in entries:
        reason = entry.get(why, "") if why is not None else ""
        counts[reason] += 1
        if counts[reason] <= each and len(chosen) < _MOST:
            chosen.append(entry)
    rows = [
        (
            link(entry["url"]) if entry.get("url") else '<span class="quiet">computed</span>',
            escaped(entry.get(why, "")) if why is not None else "",
            link(entry["found_on"]) if entry.get("found_on") else "",
        )
        for entry in chosen
    ]
    left = len(entries) - len(chosen)
    more = f'<p class="ends">and {left:,} more, in the package</p>' if left else ""
    return f"<h3>{escaped(title)}</h3>{table(('address', why or '', 'found on'), rows)}{more}"

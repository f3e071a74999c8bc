"""`crawlkit diff`: what changed between two complete runs, as a table, a page, JSON, a message."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawlkit.cli import exit_codes
from crawlkit.cli.options import database_option, debug_option, json_option
from crawlkit.cli.outputs import check_page, shown, write_page
from crawlkit.cli.reading import find_database, name_and_runs
from crawlkit.cli.tables import print_table
from crawlkit.cli.terminal import counted, safe

if TYPE_CHECKING:
    from crawlkit.store.changes import Change, Changes
    from crawlkit.store.comparison import Comparison
    from crawlkit.store.crawls import Crawl

_COLUMNS = ("", "table", "item", "column", "was", "is")
_SHOWN = 200  # rows of the table, unless -n says otherwise
_WIDTH = 48  # characters of a value


@click.command("diff")
@click.argument("words", nargs=-1, metavar="[NAME] [RUN [RUN]]")
@database_option
@click.option("--html", "page", type=click.Path(path_type=Path), metavar="FILE", help="Write a page to read.")
@click.option(
    "--notify", metavar="COMMAND|URL", help="When something changed: hand the JSON to a command or a webhook."
)
@click.option("-n", "limit", type=click.IntRange(min=1), default=_SHOWN, show_default=True, help="Lines of the table.")
@json_option
@debug_option
def command(
    words: tuple[str, ...],
    database: Path | None,
    page: Path | None,
    notify: str | None,
    limit: int,
    as_json: bool,
    debug: bool,
) -> int:
    """Show which items of the spider NAME are new, changed or gone: between its last two complete runs, since the complete
    run before RUN, or between two runs. Runs that resumed each other count as one.

    A webhook whose address is a secret is named by a variable: --notify env:HOOK.
    """
    from crawlkit.cli.notify import notify as hand_over
    from crawlkit.cli.notify import target_of
    from crawlkit.store.comparison import compare

    name, runs = name_and_runs(words, database, most=2)
    path = find_database(name, database)
    target = target_of(notify) if notify is not None else None
    if page is not None:
        check_page("--html", page, path)
    found = compare(path, runs)
    told = described(found, path)
    if page is not None:
        from crawlkit.cli.diff_page import page_of

        write_page(page, page_of(found))
        click.echo(f"wrote {shown(page)}", err=True)
    if target is not None and found.changes:
        told["notified"] = hand_over(target, told)
    if as_json:
        from crawlkit.cli.json_line import print_line

        print_line(told)
    elif page is None:
        click.echo(heading(found))
        print_changes(found.changes, limit)
    return exit_codes.COMPLETE


def described(found: Comparison, path: Path) -> dict[str, Any]:
    """The comparison as one JSON object."""
    return {
        "spider": found.spider,
        "database": str(path),
        "from": _crawl(found.earlier),
        "to": _crawl(found.later),
        "added": [entry_of(change) for change in found.changes.added],
        "changed": [entry_of(change) for change in found.changes.changed],
        "gone": [entry_of(change) for change in found.changes.gone],
        "outcome": "finished",
        "exit_code": exit_codes.COMPLETE,
    }


def _crawl(crawl: Crawl) -> dict[str, Any]:
    return {"run": crawl.last, "runs": list(crawl.runs), "started": crawl.started, "ended": crawl.ended}


def entry_of(change: Change) -> dict[str, Any]:
    """A change as a JSON object."""
    entry: dict[str, Any] = {
        "table": change.table,
        "page": change.page,
        "key": dict(change.key),
        "row": dict(change.row),
    }
    if change.columns:
        entry["columns"] = {column: {"old": old, "new": new} for column, (old, new) in change.columns.items()}
    return entry


def heading(found: Comparison) -> str:
    """One line: which runs, how many changes."""
    changes = found.changes
    return (
        f"{safe(found.spider, one_line=True)}: run {found.earlier.last} ({_day(found.earlier)}) to "
        f"run {found.later.last} ({_day(found.later)}): {counted(len(changes.added), 'item')} new, "
        f"{len(changes.changed)} changed, {len(changes.gone)} gone"
    )


def _day(crawl: Crawl) -> str:
    return f"{datetime.fromtimestamp(crawl.ended):%Y-%m-%d %H:%M}"


def label(change: Change) -> str:
    """What a person knows the row by: its key, else its first text, else its page."""
    if change.key:
        return ", ".join(text_of(value) for value in change.key.values())
    text = next((value for value in change.row.values() if isinstance(value, str) and value.strip()), None)
    return text if text is not None else change.page


def text_of(value: Any) -> str:
    """A value for a person: text as it is, nothing as a dash, the rest as JSON."""
    if value is None:
        return "–"
    if isinstance(value, Mapping) and value.keys() == {"base64"}:
        return f"bytes {value['base64']}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def print_changes(changes: Changes, limit: int) -> None:
    """The table of changes, at most `limit` lines of it."""
    rows: list[tuple[str, ...]] = []
    for sign, those in (("+", changes.added), ("-", changes.gone)):
        rows += [(sign, _cell(change.table), _cell(label(change)), "", "", "") for change in those]
    for change in changes.changed:
        rows += [
            (
                "~",
                _cell(change.table),
                _cell(label(change)),
                _cell(column),
                *excerpts(_line_of(pair[0]), _line_of(pair[1]), _WIDTH),
            )
            for column, pair in change.columns.items()
        ]
    if rows:
        print_table(_COLUMNS, rows[:limit])
    if len(rows) > limit:
        click.echo(f"and {counted(len(rows) - limit, 'more line')}: -n shows more, --json all of them")


def excerpts(old: str, new: str, most: int) -> tuple[str, str]:
    """Two texts, of each at most so many characters: from shortly before the place where they begin to differ."""
    if max(len(old), len(new)) <= most:
        return old, new
    pairs = enumerate(zip(old, new, strict=False))
    alike = next((place for place, (was, now) in pairs if was != now), min(len(old), len(new)))
    begin = max(0, alike - most // 4)
    return _cut(old, most, begin), _cut(new, most, begin)


def _cut(text: str, most: int, begin: int = 0) -> str:
    text = f"…{text[begin:]}" if begin else text
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _line_of(value: Any) -> str:
    return safe(text_of(value), one_line=True)


def _cell(text: str) -> str:
    return _cut(safe(text, one_line=True), _WIDTH)

"""`crawlkit runs`: the runs of a spider, newest first; with --check, whether its database is whole."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawlkit.cli import exit_codes
from crawlkit.cli.options import database_option, debug_option, json_option
from crawlkit.cli.outputs import shown
from crawlkit.cli.reading import find_database
from crawlkit.cli.secrecy import redact
from crawlkit.cli.tables import print_table
from crawlkit.cli.terminal import complain, safe
from crawlkit.crawl.quantities import duration_text, size_text
from crawlkit.exceptions import StorageError

if TYPE_CHECKING:
    from crawlkit.store.reports import RunRecord

_COLUMNS = (
    "run",
    "started",
    "took",
    "outcome",
    "exit",
    "pages",
    "unchanged",
    "failed",
    "skipped",
    "items",
    "size",
    "reason",
)
_SPARE = ("exit", "size", "skipped", "unchanged", "took")  # what a narrow terminal goes without; --json has it
_REASON_WIDTH = 80  # characters
_NUMBERS = frozenset(_COLUMNS) - {"started", "outcome", "reason"}


@click.command("runs")
@click.argument("name", required=False)
@database_option
@click.option("-n", "limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many, newest first.")
@click.option("--check", "checked", is_flag=True, help="Read the whole database and say what is wrong with it.")
@click.option("--guarded", is_flag=True, help="The links that were not followed because they log out or destroy.")
@json_option
@debug_option
def command(
    name: str | None, database: Path | None, limit: int, checked: bool, guarded: bool, as_json: bool, debug: bool
) -> int:
    """List the runs of the spider NAME: when, how long, how each ended and what it did.

    With --check: exit code 74 when the database is damaged. With --guarded: what the newest run did not follow, and
    the pages in quarantine.
    """
    path = find_database(name, database)
    if guarded:
        return _tell_guarded(path, as_json=as_json)
    from crawlkit.store.reports import damage

    try:
        spider, records, running, problems = read_runs(path, limit, checked=checked)
    except StorageError:
        problems = damage(path) if checked else []
        if not problems:
            raise
        spider, records, running = name or "", [], None
    code = exit_codes.STORAGE_FAILED if problems else exit_codes.COMPLETE
    if as_json:
        fields = [_fields(record, running) for record in records]
        _print_json(path, spider, fields, problems if checked else None, code)
    elif checked:
        click.echo(f"{shown(path)}: {len(problems) or 'no'} problem{'' if len(problems) == 1 else 's'} found")
        for problem in problems:
            click.echo(f"  {safe(problem, one_line=True)}")
    else:
        rows = [_row(record, running) for record in records]
        print_table(_COLUMNS, rows, right=_NUMBERS, below="reason", spare=_SPARE)
    if problems:
        file = shlex.quote(shown(path))
        complain(
            f"{shown(path)}: the database is damaged; keep a copy, export what is there "
            f"(crawlkit export --db {file} -o FILE), start over in a new one"
        )
    return code


def read_runs(path: Path, limit: int, *, checked: bool) -> tuple[str, list[RunRecord], int | None, list[str]]:
    """The spider, its last runs, the number of the one that is running, and with `checked` what is wrong."""
    from crawlkit.store.database import Store
    from crawlkit.store.lock import holder

    held = holder(path)  # before the runs are read: one that ends in between is told as ended
    with Store.open_readonly(path) as reports:
        records = reports.runs(limit)
        newest = records[0] if records else None
        # Who has the lock may be about to begin: its pid is not that of a run that was killed.
        at_work = held is not None and newest is not None and held.get("pid") in (None, newest.pid)
        running = newest.id if at_work and newest is not None else None
        return reports.owner()[0], records, running, reports.check() if checked else []


def _tell_guarded(path: Path, *, as_json: bool) -> int:
    from crawlkit.cli.json_line import print_line
    from crawlkit.store.database import Store

    with Store.open_readonly(path) as reports:
        newest = reports.runs(1)
        refused = reports.refused(newest[0].id) if newest else []
        blamed = [blame for blame in reports.blamed() if blame.quarantined]
    if as_json:
        quarantined = [{"profile": blame.profile, "url": blame.url, "at": blame.at} for blame in blamed]
        run = newest[0].id if newest else None
        print_line(
            {"run": run, "guarded": [asdict(each) for each in refused], "quarantined": quarantined, "exit_code": 0}
        )
        return exit_codes.COMPLETE
    rows = [(each.reason, safe(redact(each.url), one_line=True), safe(each.text, one_line=True)) for each in refused]
    rows += [
        ("quarantined", safe(redact(blame.url), one_line=True), f"as {safe(blame.profile, one_line=True)}")
        for blame in blamed
    ]
    print_table(("reason", "url", "text"), rows, right=frozenset())
    return exit_codes.COMPLETE


def _row(record: RunRecord, running: int | None) -> tuple[str, ...]:
    took = (record.ended or record.last_commit or record.started) - record.started
    return (
        str(record.id),
        f"{datetime.fromtimestamp(record.started):%Y-%m-%d %H:%M:%S}",
        duration_text(max(took, 0.0)),
        outcome_of(record, running),
        "" if record.exit_code is None else str(record.exit_code),
        str(record.pages),
        str(record.unchanged),
        str(record.failed),
        str(record.skipped),
        str(record.items),
        size_text(record.bytes),
        _reason(record),
    )


def _reason(record: RunRecord) -> str:
    reason = record.reason or ""
    told = "" if reason in ("finished", record.outcome) else safe(reason, one_line=True)
    return told if len(told) <= _REASON_WIDTH else f"{told[: _REASON_WIDTH - 1]}…"  # crawlkit report has all of it


def _fields(record: RunRecord, running: int | None) -> dict[str, Any]:
    fields = {**asdict(record), "outcome": outcome_of(record, running)}
    del fields["arguments"]  # -a may have been given a token
    return fields


def outcome_of(record: RunRecord, running: int | None) -> str:
    """How a run ended in one word; one without an end is the `running` one, or was killed."""
    if record.outcome is not None:
        return safe(record.outcome, one_line=True)
    return "running" if record.id == running else "killed"


def _print_json(path: Path, spider: str, runs: list[dict[str, Any]], problems: list[str] | None, code: int) -> None:
    from crawlkit.cli.json_line import print_line

    line: dict[str, Any] = {
        "spider": spider,
        "database": str(path),
        "runs": runs,
        "exit_code": code,
    }
    if problems is not None:
        line["problems"] = problems
    print_line(line)

"""`crawlkit runs`: the runs of a spider, newest first; with --check, whether its database is whole."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawlkit.cli import exit_codes
from crawlkit.cli.options import database_option, debug_option, json_option
from crawlkit.cli.outputs import shown
from crawlkit.cli.reading import find_database
from crawlkit.cli.terminal import complain, console, is_terminal, safe
from crawlkit.crawl.quantities import duration_text, size_text

if TYPE_CHECKING:
    from crawlkit.store.reports import RunRecord

_COLUMNS = ("run", "started", "took", "outcome", "exit", "pages", "failed", "skipped", "items", "size", "reason")
_TEXTS = {"started", "outcome", "reason"}  # the other columns are numbers, to the right


@click.command("runs")
@click.argument("name", required=False)
@database_option
@click.option("-n", "limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many, newest first.")
@click.option("--check", "checked", is_flag=True, help="Read the whole database and say what is wrong with it.")
@json_option
@debug_option
def command(name: str | None, database: Path | None, limit: int, checked: bool, as_json: bool, debug: bool) -> int:
    """List the runs of the spider NAME: when, how long, how each ended and what it did.

    With --check: exit code 74 when the database is damaged.
    """
    path = find_database(name, database)
    from crawlkit.store.database import Store

    with Store.open_readonly(path) as reports:
        records = reports.runs(limit)
        spider = reports.owner()[0]
        problems = reports.check() if checked else []
    code = exit_codes.STORAGE_FAILED if problems else exit_codes.COMPLETE
    if as_json:
        _print_json(path, spider, records, problems if checked else None, code)
    elif checked:
        click.echo(f"{shown(path)}: {len(problems) or 'no'} problem{'' if len(problems) == 1 else 's'} found")
        for problem in problems:
            click.echo(f"  {safe(problem, one_line=True)}")
    else:
        _print_table([_row(record) for record in records])
    if problems:
        complain(f"{shown(path)}: the database is damaged; keep a copy, export what is there, start over in a new one")
    return code


def _row(record: RunRecord) -> tuple[str, ...]:
    took = (record.ended or record.last_commit or record.started) - record.started
    return (
        str(record.id),
        f"{datetime.fromtimestamp(record.started):%Y-%m-%d %H:%M:%S}",
        duration_text(max(took, 0.0)),
        outcome_of(record),
        "" if record.exit_code is None else str(record.exit_code),
        str(record.pages),
        str(record.failed),
        str(record.skipped),
        str(record.items),
        size_text(record.bytes),
        _reason(record),
    )


def _reason(record: RunRecord) -> str:
    reason = record.reason or ""
    return "" if reason in ("finished", record.outcome) else safe(reason, one_line=True)


def _fields(record: RunRecord) -> dict[str, Any]:
    fields = {**asdict(record), "outcome": outcome_of(record)}
    del fields["arguments"]  # -a may have been given a token
    return fields


def outcome_of(record: RunRecord) -> str:
    """How a run ended in one word; a run without an end is still running, or was killed."""
    if record.outcome is not None:
        return safe(record.outcome, one_line=True)
    return "running" if record.pid is not None and _alive(record.pid) else "killed"


def _alive(pid: int) -> bool:
    if os.name == "nt":  # pragma: no cover - there, signal 0 ends a process
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # another user's
        return True
    return True


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    import sys

    if is_terminal(sys.stdout):
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, header_style="bold", pad_edge=False)
        for column in _COLUMNS:
            table.add_column(column, justify="left" if column in _TEXTS else "right")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        console(stderr=False).print(table, soft_wrap=False)
        return
    widths = [max(len(row[index]) for row in (_COLUMNS, *rows)) for index in range(len(_COLUMNS))]
    for row in (_COLUMNS, *rows):
        cells = (
            cell.ljust(width) if column in _TEXTS else cell.rjust(width)
            for column, cell, width in zip(_COLUMNS, row, widths, strict=True)
        )
        click.echo("  ".join(cells).rstrip())


def _print_json(path: Path, spider: str, records: Sequence[RunRecord], problems: list[str] | None, code: int) -> None:
    from crawlkit.cli.json_line import print_line

    line: dict[str, Any] = {
        "spider": spider,
        "database": str(path),
        "runs": [_fields(record) for record in records],
        "exit_code": code,
    }
    if problems is not None:
        line["problems"] = problems
    print_line(line)

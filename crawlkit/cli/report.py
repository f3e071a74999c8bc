"""`crawlkit report`: one run as a page that a person reads: one HTML file, nothing from elsewhere, nothing that runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawlkit.cli import exit_codes
from crawlkit.cli.options import database_option, debug_option, json_option
from crawlkit.cli.outputs import check_page, shown, write_page
from crawlkit.cli.reading import find_database, name_and_runs
from crawlkit.cli.report_archive import Archived, archived
from crawlkit.cli.runs import outcome_of, read_runs
from crawlkit.exceptions import UsageError

if TYPE_CHECKING:
    from crawlkit.store.comparison import Comparison
    from crawlkit.store.outcome import Refusal
    from crawlkit.store.reports import PageRecord, RunRecord
    from crawlkit.store.tallies import PastCrawl

_LISTED = 50  # failed pages, and links that were not followed
_BEFORE = 20  # earlier crawls


@dataclass(frozen=True, slots=True)
class Told:
    """All that a report tells. `tally` is what the run counted, empty when it was killed; `comparison` None when there is
    no complete run before it."""

    spider: str
    run: RunRecord
    outcome: str
    tally: dict[str, Any]
    past: Sequence[PastCrawl]
    comparison: Comparison | None
    failed: Sequence[PageRecord]
    refused: Sequence[Refusal]
    archive: Archived | None = None


@click.command("report")
@click.argument("words", nargs=-1, metavar="[NAME] [RUN]")
@database_option
@click.option(
    "-o",
    "output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to; NAME.RUN.html without it, - for standard output.",
)
@json_option
@debug_option
def command(words: tuple[str, ...], database: Path | None, output: Path | None, as_json: bool, debug: bool) -> int:
    """Write a page about the last run of the spider NAME, or about RUN: what it did and how that compares with earlier runs.

    The page is one file without scripts; it can be mailed, printed and kept.
    """
    name, numbers = name_and_runs(words, database, most=1)
    path = find_database(name, database)
    told = gather(path, numbers[0] if numbers else None)
    from crawlkit.cli.report_page import page_of

    target = output or Path(f"{told.spider}.{told.run.id}.html")
    page = page_of(told)
    if str(target) == "-":
        if as_json:
            raise UsageError("-o -: the page and --json cannot both go to standard output")
        sys.stdout.write(page)
        return exit_codes.COMPLETE
    check_page("-o", target, path)
    write_page(target, page)
    click.echo(f"wrote {shown(target)}", err=True)
    if as_json:
        from crawlkit.cli.json_line import print_line

        line = {"spider": told.spider, "database": str(path), "run": told.run.id, "files": [str(target)]}
        print_line({**line, "outcome": "finished", "exit_code": exit_codes.COMPLETE})
    return exit_codes.COMPLETE


def gather(path: Path, number: int | None) -> Told:
    """What there is to tell of a run of the database at `path`, the last without a number. UsageError for one not there."""
    from crawlkit.store.comparison import compare, snapshot
    from crawlkit.store.crawls import numbers as in_words
    from crawlkit.store.database import Store
    from crawlkit.store.tallies import read_past, read_tally

    spider, records, running, _ = read_runs(path, 1_000_000, checked=False)
    if not records:
        raise UsageError(f"{shown(path)}: no run has begun yet")
    run = next((record for record in records if number in (None, record.id)), None)
    if run is None:
        known = in_words(sorted(record.id for record in records))
        raise UsageError(f"there is no run {number}; there are {known}")
    with snapshot(path) as connection:
        tally, past = read_tally(connection, run.id) or {}, read_past(connection, run.id, _BEFORE)
    with Store.open_readonly(path) as reports:
        failed = reports.failed(crawl=run.crawl, limit=_LISTED) if run.failed else []
        refused = reports.refused(run.id, _LISTED)
        archive = archived(reports, run.crawl)
    comparison = None
    if run.finished:
        try:
            comparison = compare(path, (run.id,))
        except UsageError:
            comparison = None  # the first complete run, or one from before what is kept: nothing to compare it with
    return Told(spider, run, outcome_of(run, running), tally, past, comparison, failed, refused, archive)

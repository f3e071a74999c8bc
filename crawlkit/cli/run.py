"""`crawlkit run`: one spider, or every spider of a folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from crawlkit.cli import alarm, exit_codes
from crawlkit.cli.entry import describe
from crawlkit.cli.execution import RunOptions, execute
from crawlkit.cli.json_line import error_line, folder_line, print_line
from crawlkit.cli.options import (
    arguments_option,
    database_option,
    debug_option,
    json_option,
    profile_option,
    set_option,
)
from crawlkit.cli.outputs import FORMATS, Output
from crawlkit.cli.secrecy import print_traceback
from crawlkit.cli.streams import OutputFailed
from crawlkit.cli.terminal import complain
from crawlkit.crawl.loading import SpiderSource, find_spider, find_spiders, is_folder, parse_arguments, spider_files
from crawlkit.crawl.settings import Override, parse_override
from crawlkit.exceptions import SpiderError, UsageError


@click.command("run")
@click.argument("path")
@arguments_option
@database_option
@click.option(
    "-o",
    "outputs",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the items to a .jsonl, .csv or .json file at the end; repeatable.",
)
@click.option("--format", "form", type=click.Choice(FORMATS), help="The format of -o, whatever its suffix.")
@click.option("--workers", metavar="N", help="Threads that fetch and parse.")
@click.option("--max-pages", metavar="N", help="Stop after N pages; the same command goes on.")
@click.option("--max-time", metavar="30m", help="Stop after this time; the same command goes on.")
@profile_option
@click.option("--fresh", is_flag=True, help="Forget the unfinished part of an earlier run, and what is unchanged.")
@click.option("--adopt", is_flag=True, help="Take over a database that another spider file made.")
@click.option("--wait", is_flag=True, help="Wait for another run of this spider to end, in place of exit code 4.")
@click.option("--force-login", is_flag=True, help="Log in although too many logins failed within the last hour.")
@click.option(
    "--archive", type=click.Path(path_type=Path), metavar="FILE", help="Archive what is fetched: .wacz, .warc.gz."
)
@click.option("--overwrite", is_flag=True, help="Let --archive replace a file that is there.")
@click.option("--dry-run", is_flag=True, help="Fetch the start pages, show what would be next, store nothing.")
@set_option
@click.option("--log-file", metavar="FILE", help="Append log lines to this file as well.")
@click.option("--log-format", type=click.Choice(["text", "json"]), help="How log lines are written.")
@json_option
@click.option("--quiet", is_flag=True, help="Only warnings and errors.")
@debug_option
def command(
    path: str,
    arguments: tuple[str, ...],
    database: Path | None,
    outputs: tuple[Path, ...],
    form: str | None,
    profile: str | None,
    fresh: bool,
    adopt: bool,
    wait: bool,
    force_login: bool,
    archive: Path | None,
    overwrite: bool,
    dry_run: bool,
    assignments: tuple[str, ...],
    as_json: bool,
    quiet: bool,
    debug: bool,
    **shortcuts: str | None,
) -> int:
    """Crawl with the spider in PATH: a file, file.py::Class, or a folder for every spider in it.

    A run that was cut off goes on by the same command; one that finished is crawled again. Items are in
    data/NAME.db, and in FILE with -o.

    \b
    Exit codes: 0 complete, 1 some pages failed, 2 usage or configuration,
    3 login failed, 4 another run has the lock, 5 stopped at a limit,
    6 health check failed, 70 internal error, 74 storage failed,
    130/143 interrupted.
    """
    options = RunOptions(
        arguments=parse_arguments(arguments),
        overrides=_overrides(assignments, shortcuts),
        database=database,
        outputs=[Output.of(output, form) for output in outputs],
        profile=profile,
        fresh=fresh,
        adopt=adopt,
        wait=wait,
        force_login=force_login,
        archive=archive,
        overwrite=overwrite,
        dry_run=dry_run,
        as_json=as_json,
        quiet=quiet,
        debug=debug,
    )
    line = _run_folder(path, options) if is_folder(path) else _run_one(path, options)
    if as_json:
        print_line(line)
    return int(line["exit_code"])


#: Option → the key that it sets.
_SHORTCUTS = {
    "workers": "crawl.workers",
    "max_pages": "crawl.max_pages",
    "max_time": "crawl.max_time",
    "log_file": "run.log_file",
    "log_format": "run.log_format",
}


def _overrides(assignments: Iterable[str], shortcuts: dict[str, str | None]) -> list[Override]:
    overrides = [parse_override(text) for text in assignments]
    for name, value in shortcuts.items():
        if value is not None:
            parsed: Any = int(value) if value.isdecimal() and name != "log_file" else value
            # A path on the command line starts at the working directory, not at crawl.toml's folder.
            parsed = str(Path(value).absolute()) if name == "log_file" else parsed
            overrides.append(Override(_SHORTCUTS[name], parsed, f"--{name.replace('_', '-')}"))
    return overrides


def _run_one(path: str, options: RunOptions) -> dict[str, Any]:
    source = None
    try:
        source = find_spider(path)
        return execute(source, options)
    except (Exception, KeyboardInterrupt) as error:
        spider = source.spider if source is not None else None
        line = _line_of(error, spider.name if spider is not None else None)
        lost = isinstance(error, OutputFailed)  # standard output: the entry says so where it can
        if not lost:
            _tell(error, line, options)
        alarm.ring_for(_file(path), spider, options.overrides, line)
        if lost:
            raise
        return line


def _file(target: str) -> Path:
    return Path(target.partition("::")[0]).expanduser()


def _run_folder(path: str, options: RunOptions) -> dict[str, Any]:
    """Every spider of a folder, one after the other.

    What goes wrong with one does not keep the others from running.
    """
    if options.database or options.outputs or options.archive:
        raise UsageError(f"{path}: is a folder; --db, -o and --archive are for one spider")
    lines: list[dict[str, Any]] = []
    for file in spider_files(path):
        try:
            sources = find_spiders(file)
        except SpiderError as error:
            lines.append(_told(error, file, options))
            alarm.ring_for(_file(file), None, options.overrides, lines[-1])
            continue
        for source in sources:
            lines.append(_execute_told(source, options))
            if lines[-1]["exit_code"] in (exit_codes.INTERRUPTED, exit_codes.TERMINATED):
                return folder_line(lines, exit_codes.worst(line["exit_code"] for line in lines))
    if not lines:
        raise SpiderError(f"{path}: no Spider in this folder")
    return folder_line(lines, exit_codes.worst(line["exit_code"] for line in lines))


def _execute_told(source: SpiderSource, options: RunOptions) -> dict[str, Any]:
    try:
        return execute(source, options)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - told, and counted in the exit code
        line = _told(error, source.spider.name, options)
        alarm.ring_for(source.path, source.spider, options.overrides, line)
        return line


def _told(error: BaseException, spider: str, options: RunOptions) -> dict[str, Any]:
    line = _line_of(error, spider)
    _tell(error, line, options)
    return line


def _line_of(error: BaseException, spider: str | None) -> dict[str, Any]:
    code, outcome, message = describe(error)
    return error_line(message, outcome=outcome, exit_code=code, spider=spider)


def _tell(error: BaseException, line: Mapping[str, Any], options: RunOptions) -> None:
    if options.debug:
        print_traceback(error)
    complain(line["reason"])

"""One spider's run from the command line: settings, checks, engine, outputs, summary.

What belongs here: the order of these things. What does not: signals and progress while it runs (driving.py).
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawlkit.cli import alarm, exit_codes
from crawlkit.cli.archive_summary import archive_facts, archive_lines
from crawlkit.cli.asking import Asker
from crawlkit.cli.driving import drive
from crawlkit.cli.entry import describe
from crawlkit.cli.job import Job
from crawlkit.cli.json_line import result_line
from crawlkit.cli.logfile import LogFile
from crawlkit.cli.logs import log, logging_to
from crawlkit.cli.outputs import Output, check_database, check_vault, refuse_taken, shown, taken_files
from crawlkit.cli.plan import plan_lines, plan_of
from crawlkit.cli.profiles import check_profile
from crawlkit.cli.secrecy import learn_arguments, redact, redactor
from crawlkit.cli.summary import details, headline, troubles
from crawlkit.cli.terminal import console, is_terminal
from crawlkit.crawl.loading import SpiderSource, check_start_urls, make_spider
from crawlkit.crawl.rehearsal import Rehearsal
from crawlkit.crawl.result import Result
from crawlkit.crawl.settings import Override, Settings, resolve_settings
from crawlkit.crawl.settings_file import find_config
from crawlkit.exceptions import ConfigError

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What `crawlkit run` was told, but for the spider."""

    arguments: Mapping[str, str] = field(default_factory=dict)
    overrides: Sequence[Override] = ()
    database: Path | None = None
    outputs: Sequence[Output] = ()
    profile: str | None = None
    fresh: bool = False
    adopt: bool = False
    wait: bool = False
    force_login: bool = False
    archive: Path | None = None
    overwrite: bool = False
    dry_run: bool = False
    as_json: bool = False
    quiet: bool = False
    debug: bool = False


def execute(source: SpiderSource, options: RunOptions) -> dict[str, Any]:
    """Run one spider and return its JSON line as an object.

    Raises UsageError before anything is written, LockHeld when another run has the database, StorageError
    when an output cannot be written; how the run itself went is in the object.
    """
    learn_arguments(options.arguments)
    spider = make_spider(source, options.arguments)
    config = find_config(source.path.resolve().parent)
    settings = resolve_settings(
        config,
        spider=spider.name,
        custom=spider.custom_settings,
        overrides=options.overrides,
    )
    database = options.database or settings.database(spider.name)
    recorder = None
    if (options.archive is not None or spider.archive) and not options.dry_run:
        from crawlkit.cli.archiving import recorder_of  # of those who archive

        recorder = recorder_of(
            spider,
            settings,
            output=options.archive,
            taken=taken_files(database=database, vault=settings.vault, spider=source.path, config=config.path),
            profile=options.profile,
            overwrite=options.overwrite,
        )
    return carry_out(Job(spider, settings, database, source.path, config.path, recorder=recorder), options)


def carry_out(job: Job, options: RunOptions) -> dict[str, Any]:
    """Run a job that is ready. Returns and raises as `execute`."""
    spider, settings, database = job.spider, job.settings, job.database
    spider_file = job.file.resolve()
    files = taken_files(database=database, vault=settings.vault, spider=spider_file, config=job.config)
    check_database(database, {path: what for path, what in files.items() if path != database})
    check_vault(settings.vault)
    if options.profile is not None:
        check_profile(options.profile, settings)
    for output in options.outputs:
        output.check(files)
    log_file = _log_file(settings, files)
    check_start_urls(spider, str(job.file))
    if job.recorder is not None:
        job.recorder.check_output()
    from crawlkit.crawl.engine import Engine  # costly, and not needed to refuse what is wrong above

    screen = console() if is_terminal() else None
    # Who asks for silence or for JSON is a program, or wants to be left alone.
    asker = None if options.quiet or options.as_json else Asker.on_terminal()
    rehearsal = Rehearsal() if options.dry_run else None
    with (
        _logging(settings, options, screen, log_file) as into_file,
        _told_to(into_file),
        nullcontext(database) if rehearsal is None else _nowhere(spider.name) as place,
    ):
        for warning in settings.warnings:
            log.warning("%s", warning)
        engine = Engine(
            spider,
            settings,
            db=place,
            source=job.source or _source(job, place),
            profile=options.profile,
            vault=settings.vault,
            fresh=options.fresh,
            adopt=options.adopt,
            wait=options.wait,
            force_login=options.force_login,
            prompt=asker,
            arguments=options.arguments,
            redactor=redactor(),
            rehearsal=rehearsal,
            recorder=job.recorder if rehearsal is None else None,
        )
        result = drive(engine, job, options, screen, asker)
        if rehearsal is not None:
            profile = options.profile or spider.profile or spider.name
            plan = plan_of(rehearsal, result, settings, profile=profile, database=database, fresh=options.fresh)
            return _tell_plan(plan, result, spider.name, database, options)
        if result.run is not None and result.outcome != "storage_failed":
            for output in options.outputs:
                for path in output.write(database):
                    log.info("wrote %s", shown(path))
        line = result_line(spider.name, str(database), result)
        if job.recorder is not None and result.run is not None:
            line["archive"] = archive_facts(job.recorder, database)
        _summarise(job, result, options, screen, archive=line.get("archive"))
        alarm.ring(settings.run.on_failure, settings.folder, line)
    return line


@contextmanager
def _nowhere(name: str) -> Iterator[Path]:
    """A place for the database of a run that stores nothing."""
    with tempfile.TemporaryDirectory(prefix="crawlkit-") as folder:
        yield Path(folder) / f"{name}.db"


def _tell_plan(
    plan: Mapping[str, Any], result: Result, spider: str, database: Path, options: RunOptions
) -> dict[str, Any]:
    """Show what a dry run found; its JSON line."""
    if not options.as_json:
        for line in plan_lines(spider, plan):
            print(redact(line))
    if result.exit_code != exit_codes.COMPLETE:
        log.warning("%s", headline(spider, result))
    return {**result_line(spider, str(database), result), "run": None, "plan": plan}


def _logging(
    settings: Settings, options: RunOptions, screen: Console | None, file: Path | None
) -> AbstractContextManager[LogFile | None]:
    level = logging.DEBUG if options.debug else logging.getLevelNamesMapping()[settings.run.log_level.upper()]
    return logging_to(
        console=screen,
        level=max(level, logging.WARNING) if options.quiet else level,
        file=file,
        file_level=level,
        file_size=settings.run.log_size,
        file_keep=settings.run.log_keep,
        form=settings.run.log_format,
    )


@contextmanager
def _told_to(file: LogFile | None) -> Iterator[None]:
    """Write the error that ends the block into the log file as well: on standard error it is told by who catches it."""
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        if file is not None:
            names = {"name": log.name, "levelno": logging.ERROR, "levelname": "ERROR"}
            file.handle(logging.makeLogRecord({**names, "msg": describe(error)[2]}))
        raise


def _log_file(settings: Settings, files: Mapping[Path, str]) -> Path | None:
    """The file for log lines, if there is to be one. UsageError when it cannot be written.

    No folder is made for it but that of the databases, which this run makes anyway.
    """
    if settings.run.log_file is None:
        return None
    file = settings.folder / Path(settings.run.log_file).expanduser()
    named = f"log file {shown(file)}"
    refuse_taken(named, file, files)
    if file.is_dir():
        raise ConfigError(f"{named}: is a folder; name a file")
    if file.parent == settings.data_folder:
        with suppress(OSError):  # said below
            file.parent.mkdir(parents=True, exist_ok=True)
    if not file.parent.is_dir():
        raise ConfigError(f"{named}: there is no folder {shown(file.parent)}; make it, or name another with --log-file")
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        raise ConfigError(f"{named}: it cannot be written; change its mode, or name another with --log-file")
    return file


def _source(job: Job, database: Path) -> str:
    """`file.py::Class` as the database remembers it: from the database's folder, so that a project may be moved."""
    path, folder = job.file.resolve(), database.parent.resolve()
    try:
        path = Path(os.path.relpath(path, folder))
    except ValueError:  # another drive of Windows: no way leads there
        pass
    return f"{path.as_posix()}::{type(job.spider).__name__}"


def _summarise(
    job: Job, result: Result, options: RunOptions, screen: Console | None, *, archive: Mapping[str, Any] | None = None
) -> None:
    name, database = job.spider.name, job.database
    if job.ledger:
        result = replace(result, items_by_table={})
    target = f"--db {shown(database)}" if options.database else name
    lines = list(details(result, database=shown(database), export=f"crawlkit export {target} -o items.csv"))
    lines += archive_lines(archive) if archive is not None else ()
    first = headline(name, result, items=not job.ledger)
    level = logging.INFO if result.exit_code == exit_codes.COMPLETE else logging.WARNING
    if screen is None or options.quiet:
        wrong = troubles(result)
        for line in lines:
            log.log(level if line in wrong else logging.INFO, "%s", line)
        log.log(level, "%s", first)
        return
    from rich.text import Text

    screen.print(Text(redact(first), style="bold green" if level == logging.INFO else "bold yellow"))
    for line in lines:
        screen.print(Text(redact(line)))

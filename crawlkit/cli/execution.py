"""One spider's run from the command line: settings, checks, engine, signals, progress, outputs, summary.

What belongs here: the order of these things. The engine runs in a thread of its own, so that the main thread
is free for signals and the second Ctrl-C is obeyed whatever a spider is doing.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawlkit.cli import alarm, exit_codes
from crawlkit.cli.asking import Asker
from crawlkit.cli.entry import describe
from crawlkit.cli.json_line import print_line, result_line
from crawlkit.cli.logfile import LogFile
from crawlkit.cli.logs import log, logging_to
from crawlkit.cli.outputs import Output, check_database, check_vault, refuse_taken, shown, taken_files
from crawlkit.cli.plan import plan_lines, plan_of
from crawlkit.cli.profiles import check_profile
from crawlkit.cli.progress import LiveProgress, LogProgress
from crawlkit.cli.secrecy import learn_arguments, redact, redactor
from crawlkit.cli.signals import StopSignals
from crawlkit.cli.streams import OutputFailed
from crawlkit.cli.summary import details, headline, troubles
from crawlkit.cli.terminal import console, is_terminal
from crawlkit.crawl.loading import SpiderSource, check_start_urls, make_spider, place_of
from crawlkit.crawl.rehearsal import Rehearsal
from crawlkit.crawl.result import Result
from crawlkit.crawl.settings import Override, Settings, resolve_settings
from crawlkit.crawl.settings_file import find_config
from crawlkit.exceptions import ConfigError, SpiderError, StorageError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from crawlkit.crawl.engine import Engine

#: Not faults of a disk but of a path: no such folder, no folder at all, no right to write.
_NO_PLACE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.EROFS})
#: What a person calls the signals, by the exit code that each ends with.
_SIGNALS = {exit_codes.INTERRUPTED: "Ctrl-C", exit_codes.TERMINATED: "SIGTERM"}
#: Seconds after which a run that may wait for the lock says so.
_LOCK_SECONDS = 1.0
#: Seconds that a hard stop may take before the process ends without waiting.
_HARD_STOP_SECONDS = 0.7


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
    spider_file = source.path.resolve()
    files = taken_files(database=database, vault=settings.vault, spider=spider_file, config=config.path)
    check_database(database, {path: what for path, what in files.items() if path != database})
    check_vault(settings.vault)
    if options.profile is not None:
        check_profile(options.profile, settings)
    for output in options.outputs:
        output.check(files)
    log_file = _log_file(settings, files)
    check_start_urls(spider, str(source.path))
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
            source=_source(source, place),
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
        )
        result = _drive(engine, source, spider.name, database, options, screen, asker)
        if rehearsal is not None:
            profile = options.profile or spider.profile or spider.name
            plan = plan_of(rehearsal, result, settings, profile=profile, database=database, fresh=options.fresh)
            return _tell_plan(plan, result, spider.name, database, options)
        if result.run is not None and result.outcome != "storage_failed":
            for output in options.outputs:
                for path in output.write(database):
                    log.info("wrote %s", shown(path))
        _summarise(spider.name, database, result, options, screen)
        line = result_line(spider.name, str(database), result)
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


def _source(source: SpiderSource, database: Path) -> str:
    """`file.py::Class` as the database remembers it: from the database's folder, so that a project may be moved."""
    path, folder = source.path.resolve(), database.parent.resolve()
    try:
        path = Path(os.path.relpath(path, folder))
    except ValueError:  # another drive of Windows: no way leads there
        pass
    return f"{path.as_posix()}::{source.spider.__name__}"


def _drive(
    engine: Engine,
    source: SpiderSource,
    name: str,
    database: Path,
    options: RunOptions,
    screen: Console | None,
    asker: Asker | None,
) -> Result:
    """Run the engine in its thread and stay here for signals."""
    results: list[Result] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            results.append(engine.run())
        except BaseException as error:  # noqa: BLE001 - raised again in the main thread
            errors.append(error)

    def stop(exit_code: int, hard: bool) -> None:
        if asker is not None:
            asker.give_up()
        if hard:
            log.warning("stopping at once; what was committed is kept, the same command goes on")
        else:
            log.warning("stopping: pages under way may end (10 s at most), the same command goes on; again: at once")
            engine.stop(_outcome(exit_code), _SIGNALS[exit_code])

    thread = threading.Thread(target=work, name="engine", daemon=True)
    with StopSignals(stop) as signals, _progress(engine, name, options, screen) as display:
        if asker is not None and isinstance(display, LiveProgress):
            asker.aside = display.aside
        thread.start()
        if options.wait:
            thread.join(_LOCK_SECONDS)
            if thread.is_alive() and engine.run_id is None:
                log.info("not begun yet; if another run of this spider is at work, this one waits for it to end")
        while thread.is_alive():
            thread.join(0.2)
            since = signals.since if engine.run_id is None else signals.hard_since
            if since is not None and time.monotonic() - since > _HARD_STOP_SECONDS:
                _leave(signals.exit_code or exit_codes.INTERRUPTED, name, database, options, display)
    if errors:
        raise _refusal(errors[0], source.path, database) if engine.run_id is None else errors[0]
    return results[0]


def _refusal(error: BaseException, spider: Path, database: Path) -> BaseException:
    """What keeps a run from beginning: a place where no database can be is the user's to change (exit code 2).

    What the spider did wrong names its file, and its line where it raised.
    """
    cause = error.__cause__
    if isinstance(error, SpiderError):
        refused = SpiderError(f"{place_of(cause or error, spider)}: {error}")
        refused.__cause__ = error
        return refused
    if isinstance(error, StorageError) and isinstance(cause, OSError) and cause.errno in _NO_PLACE:
        return UsageError(f"{database}: {error}")
    return error


def _progress(engine: Engine, name: str, options: RunOptions, screen: Console | None) -> AbstractContextManager[object]:
    if options.quiet:
        return nullcontext()
    return LiveProgress(screen, name, engine.snapshot) if screen else LogProgress(engine.snapshot)


def _leave(exit_code: int, name: str, database: Path, options: RunOptions, display: object) -> None:
    """End the process without waiting for any thread: as safe as SIGKILL, and resumed the same way."""
    if isinstance(display, LiveProgress):
        display.__exit__(None, None, None)
    if options.as_json:
        result = Result(None, _outcome(exit_code), "stopped at once", exit_code)
        with suppress(OutputFailed):
            print_line(result_line(name, str(database), result))
    sys.stderr.flush()
    os._exit(exit_code)


def _outcome(exit_code: int) -> str:
    return "interrupted" if exit_code == exit_codes.INTERRUPTED else "terminated"


def _summarise(name: str, database: Path, result: Result, options: RunOptions, screen: Console | None) -> None:
    target = f"--db {shown(database)}" if options.database else name
    lines = list(details(result, database=shown(database), export=f"crawlkit export {target} -o items.csv"))
    first = headline(name, result)
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

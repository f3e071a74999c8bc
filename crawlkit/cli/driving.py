"""Driving: an engine in a thread of its own, while the main thread stays free for signals and for the terminal.

What belongs here: Ctrl-C and SIGTERM, also the second one, which is obeyed whatever a spider is doing; what is shown
meanwhile; errors that kept a run from beginning. What does not: what comes before and after (execution.py).
"""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from crawlkit.cli import exit_codes
from crawlkit.cli.archive_summary import archive_progress
from crawlkit.cli.asking import Asker
from crawlkit.cli.job import Job
from crawlkit.cli.json_line import print_line, result_line
from crawlkit.cli.logs import log
from crawlkit.cli.progress import LiveProgress, LogProgress
from crawlkit.cli.signals import StopSignals
from crawlkit.cli.streams import OutputFailed
from crawlkit.crawl.loading import place_of
from crawlkit.crawl.result import Result
from crawlkit.exceptions import SpiderError, StorageError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from crawlkit.cli.execution import RunOptions
    from crawlkit.crawl.engine import Engine

#: Not faults of a disk but of a path: no such folder, no folder at all, no right to write.
_NO_PLACE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.EROFS})
#: What a person calls the signals, by the exit code that each ends with.
_SIGNALS = {exit_codes.INTERRUPTED: "Ctrl-C", exit_codes.TERMINATED: "SIGTERM"}
#: Seconds after which a run that may wait for the lock says so.
_LOCK_SECONDS = 1.0
#: Seconds that a hard stop may take before the process ends without waiting.
_HARD_STOP_SECONDS = 0.7


def drive(engine: Engine, job: Job, options: RunOptions, screen: Console | None, asker: Asker | None) -> Result:
    """Run the engine in its thread and stay here for signals."""
    name, database = job.spider.name, job.database
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
    with StopSignals(stop) as signals, _progress(engine, job, options, screen) as display:
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
        raise _refusal(errors[0], job.file, database) if engine.run_id is None else errors[0]
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


def _progress(engine: Engine, job: Job, options: RunOptions, screen: Console | None) -> AbstractContextManager[object]:
    if options.quiet:
        return nullcontext()
    archived = partial(archive_progress, job.recorder) if job.recorder is not None else None
    if screen:
        return LiveProgress(screen, job.spider.name, engine.snapshot, archived)
    return LogProgress(engine.snapshot, archived)


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

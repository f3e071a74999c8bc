"""Project: the folder of a crawl.toml, and the jobs in it: spiders that have a schedule.

What belongs here: finding the spiders that crawl.toml schedules, and the command that runs each. What does not: what
starts that command (crontab.py, systemd.py), what a schedule means (crawl/crontime.py).
"""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from crawlkit.cli.outputs import shown
from crawlkit.crawl.crontime import CronTime
from crawlkit.crawl.loading import SpiderSource, find_spiders, is_folder, spider_files
from crawlkit.crawl.settings import resolve_settings
from crawlkit.crawl.settings_file import FILE_NAME, ConfigFile, find_config
from crawlkit.exceptions import ConfigError, SpiderError, UsageError

#: Where a project's spiders are unless other places are named.
SPIDERS_FOLDER = "spiders"

#: What no crontab and no unit can hold in a path: lines end, and a backslash means something else in each of them.
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f\\]")


@dataclass(frozen=True, slots=True)
class Job:
    """A spider that is to run by itself. `words` are the command, to be started in `folder`, the project's."""

    spider: str
    schedule: str
    when: CronTime
    folder: Path
    file: Path
    words: tuple[str, ...]
    database: Path
    log: Path


@dataclass(frozen=True, slots=True)
class Project:
    """The folder of a crawl.toml, absolute, and its jobs by name. `unread` says which spider files could not be loaded."""

    folder: Path
    jobs: tuple[Job, ...]
    unread: tuple[str, ...] = ()


def project_folder(targets: Sequence[str]) -> Path:
    """The folder of the crawl.toml that `targets` (none: the working directory) belong to; the file is not read.

    UsageError when there is none, or more than one.
    """
    folders = {_folder_above(Path(target.partition("::")[0]).expanduser().resolve()) for target in targets or ["."]}
    if len(folders) > 1:
        listed = " and ".join(sorted(shown(folder) for folder in folders))
        raise UsageError(f"these spiders belong to several projects, {listed}; schedule one at a time")
    folder = folders.pop()
    if _UNWRITABLE.search(str(folder)):
        raise UsageError(
            f"{str(folder)!r}: a path with a backslash or a control character cannot be scheduled; rename it"
        )
    return folder


def read_project(targets: Sequence[str]) -> Project:
    """The project and the jobs of the spiders in `targets`: files, `file.py::Class` or folders, by default `spiders`.

    ConfigError when crawl.toml is wrong, a schedule in it too; UsageError when a spider that it schedules is not
    there, or is there twice; SpiderError when a file that was named cannot be loaded.
    """
    folder = project_folder(targets)
    config = find_config(folder)
    scheduled = _scheduled(config)
    sources, unread = _spiders(targets, folder)
    jobs: dict[str, Job] = {}
    for source, target in sources.items():
        job = _job(source, target, config)
        if job is None:
            continue
        if job.spider in jobs:
            both = f"{shown(jobs[job.spider].file)} and {shown(job.file)}"
            raise UsageError(f"{config.label}: spiders.{job.spider}.schedule: two spiders have this name: {both}")
        jobs[job.spider] = job
    missing = [name for name in scheduled if name not in {source.spider.name for source in sources}]
    if missing:
        raise _missing(missing[0], config, targets, sources, unread)
    return Project(folder, tuple(jobs[name] for name in sorted(jobs)), tuple(unread))


def crawlkit_command() -> tuple[str, ...]:
    """The words that start this crawlkit from anywhere: with an absolute path, for cron has hardly a PATH."""
    python = Path(sys.executable).absolute()  # not resolved: a virtual environment's own
    script = python.with_name("crawlkit")
    return (str(script),) if os.access(script, os.X_OK) else (str(python), "-m", "crawlkit")


def _folder_above(place: Path) -> Path:
    for folder in (place, *place.parents):
        if (folder / FILE_NAME).is_file():
            return folder
    raise UsageError(
        f"there is no {FILE_NAME} in {shown(place)} or above it; a schedule is a key of it: [spiders.NAME]"
    )


def _spiders(targets: Sequence[str], folder: Path) -> tuple[dict[SpiderSource, str], list[str]]:
    """Every spider of the targets with what to name to `crawlkit run`, and what is wrong with files that nobody named."""
    if not targets and not (folder / SPIDERS_FOLDER).is_dir():
        return {}, []
    sources: dict[SpiderSource, str] = {}
    unread: list[str] = []
    for target in targets or [str(folder / SPIDERS_FOLDER)]:
        several = is_folder(target)
        for file in spider_files(target):
            try:
                found = find_spiders(file)
            except SpiderError as error:
                if not several:
                    raise
                unread.append(str(error))
                continue
            alone = len(found) == 1 and "::" not in file
            for source in found:
                path = source.path.resolve()
                name = str(path.relative_to(folder) if path.is_relative_to(folder) else path)
                sources[source] = name if alone else f"{name}::{source.spider.__name__}"
    return sources, unread


def _scheduled(config: ConfigFile) -> list[str]:
    """The spiders that crawl.toml itself has a schedule for. ConfigError when anything in it is wrong."""
    resolve_settings(config)
    names = config.tables.get("spiders", {})
    return [name for name in names if resolve_settings(config, spider=name).job.schedule is not None]


def _job(source: SpiderSource, target: str, config: ConfigFile) -> Job | None:
    name = source.spider.name
    try:
        settings = resolve_settings(config, spider=name, custom=source.spider.custom_settings)
    except ConfigError as error:
        raise ConfigError(f"{shown(source.path)}: {error}") from error
    if settings.job.schedule is None:
        return None
    log = settings.data_folder / f"{name}.log"
    logged = ("--log-file", str(log)) if settings.run.log_file is None else ()
    if settings.run.log_file is not None:
        log = settings.folder / Path(settings.run.log_file).expanduser()
    words = (*crawlkit_command(), "run", target, "--quiet", *logged)
    for word in words:
        if _UNWRITABLE.search(word):
            raise UsageError(f"{word!r}: a backslash or a control character cannot be scheduled; rename it")
    when = CronTime.read(settings.job.schedule)
    file, database = source.path.resolve(), settings.database(name)
    return Job(name, settings.job.schedule, when, config.folder, file, words, database, log)


def _missing(
    name: str, config: ConfigFile, targets: Sequence[str], sources: Iterable[SpiderSource], unread: Sequence[str]
) -> UsageError:
    """The error for a schedule without its spider: the file to write, or the name that was mistyped."""
    places = ", ".join(targets) or f"{SPIDERS_FOLDER}/"
    there = sorted({source.spider.name for source in sources})
    near = difflib.get_close_matches(name, there, n=1, cutoff=0.5)
    if near:
        hint = f"did you mean [spiders.{near[0]}]?"
    elif targets:
        hint = "name its file or folder as well"
    else:
        hint = f"write {SPIDERS_FOLDER}/{name}.py, or name its file: crawlkit schedule FILE"
    broken = f" ({'; '.join(unread)})" if unread else ""
    return UsageError(f"{config.label}: spiders.{name}.schedule: no spider of this name is in {places}{broken}; {hint}")

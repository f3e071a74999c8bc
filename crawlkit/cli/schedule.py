"""`crawlkit schedule`: the crontab lines or systemd units of the spiders that crawl.toml gives a schedule.

What belongs here: the command, and how it is told. What does not: the jobs (project.py), what a crontab line or a unit
looks like and where it goes (crontab.py, systemd.py). It is cron or systemd that starts them; nothing of ours stays.
"""

from __future__ import annotations

import shlex
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawlkit.cli import crontab, exit_codes, systemd
from crawlkit.cli.json_line import print_line
from crawlkit.cli.options import debug_option, json_option
from crawlkit.cli.outputs import shown
from crawlkit.cli.project import Job, Project, project_folder, read_project
from crawlkit.cli.runs import outcome_of, read_runs
from crawlkit.cli.secrecy import redact
from crawlkit.cli.tables import print_table
from crawlkit.cli.terminal import counted, safe
from crawlkit.exceptions import StorageError, UsageError

if TYPE_CHECKING:
    from crawlkit.crawl.crontime import CronTime
    from crawlkit.store.reports import RunRecord

_COLUMNS = ("spider", "schedule", "next", "last run", "outcome", "exit", "state")


@click.command("schedule")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--install", is_flag=True, help="Put the lines into the user's crontab.")
@click.option("--remove", is_flag=True, help="Take the project's lines out of the crontab again.")
@click.option("--check", is_flag=True, help="Compare with what is installed; exit code 1 when it differs.")
@click.option("--systemd", "timers", is_flag=True, help="systemd timers of the user, in place of a crontab.")
@json_option
@debug_option
def command(
    paths: tuple[str, ...], install: bool, remove: bool, check: bool, timers: bool, as_json: bool, debug: bool
) -> int:
    """Show the crontab lines for the spiders that have a schedule in crawl.toml.

    The spiders are looked for in the folder `spiders` beside crawl.toml, or in PATH: files, file.py::Class or folders.
    """
    if install + remove + check > 1:
        raise UsageError("--install, --remove and --check: choose one of them")
    kind: type[_Place] = _Units if timers else _Table
    if remove:
        return _remove(kind, project_folder(paths), as_json=as_json)
    project = read_project(paths)
    for problem in project.unread:
        click.echo(f"crawlkit: warning: {safe(redact(problem), one_line=True)}", err=True)
    if not project.jobs:
        raise UsageError(
            f'{shown(project.folder / "crawl.toml")}: no spider has a schedule; add schedule = "0 6 * * *" to '
            "[spiders.NAME], or take away what is installed with --remove"
        )
    place = kind(project.folder)
    if check:
        return _check(place, project, as_json=as_json)
    if install:
        return _install(place, project, as_json=as_json)
    if as_json:
        print_line({**place.fields(project), "jobs": [_fields(job) for job in project.jobs], "exit_code": 0})
    else:
        sys.stdout.write(place.text(project))
    return exit_codes.COMPLETE


class _Place(ABC):
    """Where the jobs of one project are installed."""

    #: What --json calls it, and a person.
    kind: str
    name: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    def text(self, project: Project) -> str:
        """What would be installed, to be read."""

    @abstractmethod
    def fields(self, project: Project) -> dict[str, Any]:
        """The same for --json."""

    @abstractmethod
    def change(self, project: Project) -> bool:
        """Install what the project has now; whether anything changed."""

    @abstractmethod
    def state(self, project: Project) -> _State:
        """What of it is installed."""


@dataclass(frozen=True, slots=True)
class _State:
    """`installed`: everything is as it would be written. `missing`: names of spiders whose job is not. `stale`: what is
    installed of the project and would not be written."""

    installed: bool
    missing: frozenset[str]
    stale: tuple[str, ...]


class _Table(_Place):
    kind = "crontab"
    name = "the crontab"

    def text(self, project: Project) -> str:
        return crontab.block_of(project).decode("utf-8", "surrogateescape")

    def fields(self, project: Project) -> dict[str, Any]:
        return {"project": str(self.folder), "kind": self.kind, "lines": [crontab.line_of(job) for job in project.jobs]}

    def change(self, project: Project) -> bool:
        return crontab.change_table(self.folder, crontab.block_of(project) if project.jobs else b"")

    def state(self, project: Project) -> _State:
        block = crontab.block_in(crontab.read_table(), self.folder).decode("utf-8", "surrogateescape")
        wanted = self.text(project)
        there = block.splitlines()
        missing = frozenset(job.spider for job in project.jobs if crontab.line_of(job) not in there)
        stale = tuple(line for line in there if line not in wanted.splitlines())
        return _State(block == wanted, missing, stale)


class _Units(_Place):
    kind = "systemd"
    name = "the user's systemd"

    def text(self, project: Project) -> str:
        place = systemd.units_folder()
        return "\n".join(f"# {place / name}\n{text}" for name, text in systemd.units_of(project).items())

    def fields(self, project: Project) -> dict[str, Any]:
        return {"project": str(self.folder), "kind": self.kind, "units": systemd.units_of(project)}

    def change(self, project: Project) -> bool:
        return systemd.change_units(systemd.units_folder(), self.folder, systemd.units_of(project))

    def state(self, project: Project) -> _State:
        place = systemd.units_folder()
        there, wanted = systemd.units_in(place, self.folder), systemd.units_of(project)
        missing = set()
        for job in project.jobs:
            stem = systemd.stem_of(self.folder, job.spider)
            own = {name: text for name, text in wanted.items() if name.startswith(f"{stem}.")}
            if any(there.get(name) != text for name, text in own.items()) or not systemd.enabled_in(place, own):
                missing.add(job.spider)
        stale = tuple(name for name in there if name not in wanted)
        return _State(not missing and not stale, frozenset(missing), stale)


def _install(place: _Place, project: Project, *, as_json: bool) -> int:
    changed = place.change(project)
    if as_json:
        _print_json(place, project, changed=changed, installed=True, code=exit_codes.COMPLETE)
        return exit_codes.COMPLETE
    count = counted(len(project.jobs), "job")
    click.echo(f"{count} in {place.name}" if changed else f"{count} in {place.name}, as before")
    now = datetime.now()
    for job in project.jobs:
        click.echo(f"  {job.spider}: {job.schedule}, next {_minute(upcoming(job.when, now))}, log {shown(job.log)}")
    if place.kind == "systemd" and not _lingers():
        click.echo("the timers rest while you are logged out; loginctl enable-linger lets them run")
    return exit_codes.COMPLETE


def _remove(kind: type[_Place], folder: Path, *, as_json: bool) -> int:
    place = kind(folder)
    changed = place.change(Project(folder, ()))
    if as_json:
        print_line({"project": str(folder), "kind": place.kind, "changed": changed, "installed": False, "exit_code": 0})
    else:
        click.echo(f"{folder}: {'taken out of' if changed else 'nothing of it is in'} {place.name}")
    return exit_codes.COMPLETE


def _check(place: _Place, project: Project, *, as_json: bool) -> int:
    state = place.state(project)
    code = exit_codes.COMPLETE if state.installed else exit_codes.PAGES_FAILED
    if as_json:
        _print_json(
            place, project, installed=state.installed, missing=sorted(state.missing), stale=state.stale, code=code
        )
        return code
    print_table(_COLUMNS, [_row(job, job.spider not in state.missing) for job in project.jobs])
    for stale in state.stale:
        click.echo(f"installed, and no more in crawl.toml: {safe(stale, one_line=True)}")
    if not state.installed:
        words = shlex.join(["crawlkit", "schedule", *(["--systemd"] if place.kind == "systemd" else []), "--install"])
        click.echo(f"what is in {place.name} differs from crawl.toml; {words} puts it right")
    return code


def _print_json(place: _Place, project: Project, *, code: int, **told: Any) -> None:
    jobs = [_fields(job) for job in project.jobs]
    print_line({**place.fields(project), **told, "jobs": jobs, "exit_code": code})


def _fields(job: Job) -> dict[str, Any]:
    last, outcome = _last_run(job)
    return {
        "spider": job.spider,
        "schedule": job.schedule,
        "file": str(job.file),
        "command": shlex.join(job.words),
        "log_file": str(job.log),
        "next": upcoming(job.when, datetime.now()).astimezone().isoformat(),
        "last": last and {"run": last.id, "started": last.started, "outcome": outcome, "exit_code": last.exit_code},
    }


def _row(job: Job, installed: bool) -> tuple[str, ...]:
    last, outcome = _last_run(job)
    return (
        job.spider,
        job.schedule,
        _minute(upcoming(job.when, datetime.now())),
        _minute(datetime.fromtimestamp(last.started)) if last else "",
        outcome,
        "" if last is None or last.exit_code is None else str(last.exit_code),
        "installed" if installed else "missing",
    )


def _last_run(job: Job) -> tuple[RunRecord | None, str]:
    """The spider's last run and how it ended, in a word."""
    if not job.database.is_file():
        return None, "never ran"
    try:
        _, records, running, _ = read_runs(job.database, 1, checked=False)
    except StorageError:
        return None, "unreadable"
    return (records[0], outcome_of(records[0], running)) if records else (None, "never ran")


def upcoming(when: CronTime, now: datetime) -> datetime:
    """The next start in local time. A minute that the clock leaves out in spring is made up for right after it."""
    moment = when.after(now)
    while datetime.fromtimestamp(moment.timestamp()) != moment:
        moment += timedelta(minutes=1)
    return moment


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _lingers() -> bool:
    """Whether the user's systemd runs without a session of the user (loginctl enable-linger)."""
    import getpass

    return (Path("/var/lib/systemd/linger") / getpass.getuser()).exists()

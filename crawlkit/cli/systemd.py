"""systemd: a job as a timer and a service of the user, and where such units lie.

What belongs here: the two files of a job, a cron time as OnCalendar, installing the units and taking them away. What
does not: which jobs there are (project.py).

A unit is named crawlkit-PROJECT-SPIDER, where PROJECT is the folder's name and a hash of its path: two projects of one
name do not meet. The first line of each file says whose it is, and no other file is touched.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from crawlkit.cli.project import Project
from crawlkit.crawl.crontime import CronTime
from crawlkit.exceptions import CrawlkitError, UsageError

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

#: Seconds that systemctl may take.
_TIMEOUT_SECONDS = 60.0

#: What needs no quotes in ExecStart.
_PLAIN = re.compile(r"[A-Za-z0-9_./:@=+,-]+")

_SERVICE = """{mark}
# Written by crawlkit schedule --systemd --install, which replaces it.
[Unit]
Description=crawlkit run of {spider} in {project}

[Service]
Type=oneshot
WorkingDirectory={folder}
ExecStart={command}
"""

_TIMER = """{mark}
# Written by crawlkit schedule --systemd --install, which replaces it.
[Unit]
Description=When crawlkit runs {spider} in {project}: {schedule}

[Timer]
{calendar}
AccuracySec=1s
Persistent=true

[Install]
WantedBy=timers.target
"""


def calendars_of(when: CronTime) -> list[str]:
    """A cron time as OnCalendar expressions, any of which begins the job: two when one of two days is enough."""
    months, hours, minutes = (
        _numbers(when.months, 1, 12),
        _numbers(when.hours, 0, 23),
        _numbers(when.minutes, 0, 59),
    )
    time = f"{hours}:{minutes}:00"
    by_day = f"*-{months}-{_numbers(when.days, 1, 31)} {time}"
    by_weekday = f"{_named(when.weekdays)}*-{months}-* {time}"
    every_day = len(when.days) == 31, len(when.weekdays) == 7
    if not when.either_day:
        return [f"{_named(when.weekdays)}{by_day}"]
    return [by_weekday.removeprefix(_named(when.weekdays))] if any(every_day) else [by_weekday, by_day]


def stem_of(folder: Path, spider: str = "") -> str:
    """How the units of a project are called, or of one spider of it, without their suffix."""
    digest = hashlib.blake2b(bytes(folder), digest_size=3).hexdigest()
    name = re.sub(r"[^A-Za-z0-9_]+", "_", folder.name)[:40].strip("_") or "root"
    return f"crawlkit-{name}-{digest}-{spider}"


def units_of(project: Project) -> dict[str, str]:
    """The files of a project's units: their names, and what stands in them."""
    units: dict[str, str] = {}
    for job in project.jobs:
        stem = stem_of(project.folder, job.spider)
        words = {
            "mark": _mark(project.folder),
            "spider": job.spider,
            "project": _literal(project.folder.name or "/"),
            "folder": _literal(str(job.folder)),
            "schedule": job.when.text,
            "command": _command(job.words),
            "calendar": "\n".join(f"OnCalendar={entry}" for entry in calendars_of(job.when)),
        }
        units[f"{stem}.service"] = _SERVICE.format_map(words)
        units[f"{stem}.timer"] = _TIMER.format_map(words)
    return units


def units_folder() -> Path:
    """Where systemd looks for the units of this user."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"


def units_in(place: Path, folder: Path) -> dict[str, str]:
    """The units in `place` that belong to the project in `folder`."""
    found: dict[str, str] = {}
    for path in sorted(place.glob(f"{stem_of(folder)}*")):
        if path.suffix in (".service", ".timer") and path.is_file():
            text = path.read_text(encoding="utf-8", errors="surrogateescape")
            if text.partition("\n")[0] == _mark(folder):
                found[path.name] = text
    return found


def enabled_in(place: Path, names: Iterable[str]) -> bool:
    """Whether each timer among `names` begins with the user's session."""
    wanted = place / "timers.target.wants"
    return all((wanted / name).is_symlink() for name in names if name.endswith(".timer"))


def change_units(place: Path, folder: Path, units: Mapping[str, str]) -> bool:
    """Make `units` the ones that the project in `folder` has in `place`; whether that changed anything.

    UsageError when there is no systemd here, or a unit cannot be written; CrawlkitError when the files are written and
    the user's systemd cannot be told.
    """
    before = units_in(place, folder)
    stale = [name for name in before if name not in units]
    if before == units and enabled_in(place, units):
        return False
    _systemctl_program()
    failed = [_systemctl("disable", "--now", *_timers(stale))] if stale else []
    for name in stale:
        (place / name).unlink(missing_ok=True)
        (place / "timers.target.wants" / name).unlink(missing_ok=True)
    for name, text in units.items():
        if before.get(name) != text:
            _write(place / name, text)
    failed.append(_systemctl("daemon-reload"))
    if units:
        failed.extend(_systemctl(verb, *_timers(units)) for verb in ("enable", "restart"))
    told = next(filter(None, failed), None)
    if told is not None:
        raise CrawlkitError(
            f"the unit files in {place} are as they should be, but {told}; run it where systemd answers"
        )
    return True


def _numbers(values: Collection[int], first: int, last: int) -> str:
    """As systemd has them: `*` for all, else a list in which runs are ranges."""
    if len(values) == last - first + 1:
        return "*"
    return ",".join(f"{low:02}..{high:02}" if low < high else f"{low:02}" for low, high in _runs(values))


def _named(weekdays: Collection[int]) -> str:
    """Weekdays before a date, nothing for all of them. systemd's week begins on Monday."""
    if len(weekdays) == 7:
        return ""
    runs = _runs([(day + 6) % 7 for day in weekdays])
    names = (_WEEKDAYS[low] if low == high else f"{_WEEKDAYS[low]}..{_WEEKDAYS[high]}" for low, high in runs)
    return ",".join(names) + " "


def _runs(values: Iterable[int]) -> list[tuple[int, int]]:
    """The numbers as runs from first to last."""
    runs: list[tuple[int, int]] = []
    for value in sorted(values):
        if runs and runs[-1][1] == value - 1:
            runs[-1] = (runs[-1][0], value)
        else:
            runs.append((value, value))
    return runs


def _mark(folder: Path) -> str:
    return f"# crawlkit: {folder}"


def _literal(text: str) -> str:
    """Text in which systemd replaces nothing: `%` begins a specifier."""
    return text.replace("%", "%%")


def _command(words: Sequence[str]) -> str:
    """The command line of ExecStart. The colon keeps systemd from replacing `$NAME`."""
    first, *rest = words
    if "'" in first or '"' in first:  # systemd has no program with a quote in its path
        first, *rest = ("/usr/bin/env", *words)
    return " ".join(_quoted(word) for word in (f":{first}", *rest))


def _quoted(word: str) -> str:
    if _PLAIN.fullmatch(word):
        return word
    return '"' + _literal(word).replace('"', '\\"') + '"'  # backslashes are refused long before


def _timers(names: Iterable[str]) -> list[str]:
    return [name for name in names if name.endswith(".timer")]


def _write(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(text, encoding="utf-8", errors="surrogateescape")
        fresh.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise UsageError(f"{path}: the unit cannot be written: {error.strerror}") from error


def _systemctl_program() -> str:
    program = shutil.which("systemctl")
    if program is None:
        raise UsageError("there is no systemctl on this machine; leave out --systemd for a crontab")
    return program


def _systemctl(*arguments: str) -> str | None:
    """Tell the user's systemd; None when it obeyed, else what was said to it and why it did not."""
    words = [_systemctl_program(), "--user", *arguments]
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, errors="backslashreplace"
        )
        why = "" if done.returncode == 0 else done.stderr.strip() or f"exit code {done.returncode}"
    except (OSError, subprocess.TimeoutExpired) as error:
        why = str(error)
    return f"systemctl {' '.join(words[1:])} failed: {why}" if why else None

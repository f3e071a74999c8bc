"""systemd: units that systemd takes, timers that mean what cron means, files of nobody else touched."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from crawlkit.cli import systemd
from crawlkit.cli.project import Job, Project
from crawlkit.crawl.crontime import CronTime
from crawlkit.exceptions import CrawlkitError, UsageError
from tests.cli.stand_in_programs import StandIn, stand_ins
from tests.crawl.test_crontime import cron_texts


def job(
    folder: Path, schedule: str = "0 6 * * *", spider: str = "books", words: tuple[str, ...] = ("/bin/true",)
) -> Job:
    return Job(
        spider, schedule, CronTime.read(schedule), folder, folder / "x.py", words, folder / "x.db", folder / "x.log"
    )


def project(folder: Path, *spiders: str) -> Project:
    return Project(folder, tuple(job(folder, spider=spider) for spider in spiders))


@pytest.fixture
def analyze() -> str:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is missing: apt-get install systemd")
    return program


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    made = stand_ins(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{made.folder}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return made


@pytest.mark.parametrize(
    ("text", "calendars"),
    [
        ("0 6 * * *", ["*-*-* 06:00:00"]),
        ("*/15 0-4,22 * * *", ["*-*-* 00..04,22:00,15,30,45:00"]),
        ("* * * * *", ["*-*-* *:*:00"]),
        ("0 6 * 1,2,12 1-5", ["Mon..Fri *-01..02,12-* 06:00:00"]),
        ("0 6 * * 0,3", ["Wed,Sun *-*-* 06:00:00"]),
        ("0 6 13 * 5", ["Fri *-*-* 06:00:00", "*-*-13 06:00:00"]),
        ("0 6 */12 * 5", ["Fri *-*-01,13,25 06:00:00"]),
        ("0 6 1-31 * 5", ["*-*-* 06:00:00"]),
        ("0 6 13 * 0-7", ["*-*-* 06:00:00"]),
    ],
)
def test_cron_times_as_calendars(text: str, calendars: list[str]) -> None:
    """Two of them when one of two days is enough."""
    assert calendars == systemd.calendars_of(CronTime.read(text))


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=cron_texts)
def test_systemd_agrees_with_cron(text: str, analyze: str) -> None:
    """The next instants by systemd-analyze are those that the cron time itself gives."""
    when = CronTime.read(text)
    words = [analyze, "calendar", "--iterations=4", "--base-time=2026-01-01 00:00:00", *systemd.calendars_of(when)]
    done = subprocess.run(words, capture_output=True, text=True, env={"TZ": "UTC", "LC_ALL": "C"}, check=True)
    shown = re.findall(r"(?:Next elapse|Iter\. #\d+): \w+ (\S+ \S+) UTC", done.stdout)
    expected, moment = [], datetime(2026, 1, 1)
    for _ in range(4):
        moment = when.after(moment)
        expected.append(f"{moment:%Y-%m-%d %H:%M:%S}")
    assert expected == sorted(set(shown))[:4]


@pytest.mark.parametrize("name", ["shop", "my shop", "100%", "it's", 'a "b"', "$HOME", "café", "a;b", "%h", ":x"])
def test_systemd_takes_the_units(name: str, tmp_path: Path, analyze: str) -> None:
    """systemd-analyze verify finds nothing to say about them, and reads the folder as it is."""
    folder = tmp_path / name
    folder.mkdir()
    program = folder / "run me"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    words = (str(program), "run", "a b", "100%", "$HOME", 'say "x"', "it's", "--log-file", str(folder / "x.log"))
    units = tmp_path / "units"
    units.mkdir()
    for unit, text in systemd.units_of(Project(folder, (job(folder, "0 6 13 * 5", words=words),))).items():
        (units / unit).write_text(text)
    environment = {
        "XDG_RUNTIME_DIR": str(tmp_path),
        "HOME": str(tmp_path),
        "PATH": "/usr/bin:/bin",
        "LC_ALL": "C.UTF-8",
    }
    check = [analyze, "verify", "--user", *map(str, sorted(units.iterdir()))]
    done = subprocess.run(check, capture_output=True, text=True, env=environment)
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
    timer = next(units.glob("*.timer"))
    timer.write_text(timer.read_text().replace("OnCalendar=Fri", "OnCalendar=Frei"))
    assert "Frei" in subprocess.run(check, capture_output=True, text=True, env=environment).stderr  # the judge itself


def test_the_units_of_a_job() -> None:
    """Named after project and spider; what is missed while the machine is off is made up for."""
    folder = Path("/srv/100% shop")
    units = systemd.units_of(Project(folder, (job(folder, "0 6 13 * 5", words=("/opt/x/crawlkit", "run", "a b")),)))
    service, timer = units.values()
    assert [f"{systemd.stem_of(folder)}books.service", f"{systemd.stem_of(folder)}books.timer"] == list(units)
    assert re.fullmatch(r"crawlkit-100_shop-[0-9a-f]{6}-", systemd.stem_of(folder))
    assert {'ExecStart=:/opt/x/crawlkit run "a b"', "WorkingDirectory=/srv/100%% shop", "Type=oneshot"} <= set(
        service.splitlines()
    )
    assert {"OnCalendar=Fri *-*-* 06:00:00", "OnCalendar=*-*-13 06:00:00", "Persistent=true"} <= set(timer.splitlines())
    assert ["# crawlkit: /srv/100% shop"] * 2 == [text.splitlines()[0] for text in units.values()]


def test_projects_of_one_name_do_not_meet(tmp_path: Path, user: StandIn) -> None:
    """Nor does a file that only looks like one of ours."""
    place, one, two = tmp_path / "units", Path("/srv/a/shop"), Path("/srv/b/shop")
    systemd.change_units(place, one, systemd.units_of(project(one, "books", "news")))
    systemd.change_units(place, two, systemd.units_of(project(two, "books")))
    (place / f"{systemd.stem_of(one)}own.timer").write_text("[Timer]\n")
    assert systemd.units_of(project(two, "books")) == systemd.units_in(place, two)
    assert systemd.change_units(place, one, {})
    assert {*systemd.units_of(project(two, "books")), f"{systemd.stem_of(one)}own.timer"} == {
        path.name for path in place.iterdir()
    }


def test_systemd_is_told_of_what_changed(user: StandIn) -> None:
    """A timer that is gone ends, the others are enabled and begin anew; nothing is told when nothing changed."""
    place, folder = systemd.units_folder(), Path("/srv/shop")
    stem = systemd.stem_of(folder)
    assert systemd.change_units(place, folder, systemd.units_of(project(folder, "books", "news")))
    assert not systemd.change_units(place, folder, systemd.units_of(project(folder, "books", "news")))
    timers = f"{stem}books.timer {stem}news.timer"
    assert ["--user daemon-reload", f"--user enable {timers}", f"--user restart {timers}"] == user.told
    assert systemd.change_units(place, folder, systemd.units_of(project(folder, "books")))
    assert f"--user disable --now {stem}news.timer" == user.told[3]
    assert [f"{stem}books.timer"] == [path.name for path in (place / "timers.target.wants").iterdir()]


def test_a_systemd_that_does_not_answer_is_told(user: StandIn) -> None:
    """The files are written and are taken away again all the same."""
    place, folder = systemd.units_folder(), Path("/srv/shop")
    user.refuse("systemctl", "Failed to connect to bus: No medium found\n")
    with pytest.raises(
        CrawlkitError, match=r"are as they should be, but systemctl --user daemon-reload failed: Failed to"
    ):
        systemd.change_units(place, folder, systemd.units_of(project(folder, "books")))
    assert systemd.units_of(project(folder, "books")) == systemd.units_in(place, folder)
    with pytest.raises(CrawlkitError, match="disable --now"):
        systemd.change_units(place, folder, {})
    assert {} == systemd.units_in(place, folder)


def test_without_systemd_it_is_told_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the other way is named."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="no systemctl on this machine; leave out --systemd"):
        systemd.change_units(
            tmp_path / "units", Path("/srv/shop"), systemd.units_of(project(Path("/srv/shop"), "books"))
        )
    assert [] == list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, user: StandIn) -> None:
    """With the unit's path."""
    (tmp_path / "units").write_text("a file")
    with pytest.raises(UsageError, match=r"units/crawlkit-shop-.*: the unit cannot be written: "):
        systemd.change_units(
            tmp_path / "units", Path("/srv/shop"), systemd.units_of(project(Path("/srv/shop"), "books"))
        )

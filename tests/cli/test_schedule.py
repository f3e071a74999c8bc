"""`crawlkit schedule`: what is written, put in, taken out, compared; and what is said of a schedule that is wrong."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from crawlkit.cli.entry import invoke
from crawlkit.cli.schedule import upcoming
from crawlkit.crawl.crontime import CronTime
from crawlkit.store.database import Store
from tests.cli.stand_in_programs import StandIn, stand_ins
from tests.conftest import Command

CONFIG = """
[spiders.books]
schedule = "0 6 * * mon-fri"
[spiders.news]
schedule = "@hourly"
[spiders.news.run]
log_file = "logs/news.log"
"""
SPIDER = "from crawlkit import Spider\nclass {name}(Spider):\n    start_urls = ['http://127.0.0.1:9/']\n"


@pytest.fixture
def programs(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    home = tmp_path_factory.mktemp("home")
    made = stand_ins(home / "bin")
    monkeypatch.setenv("PATH", f"{made.folder}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    return made


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, programs: StandIn) -> Path:
    """A project with two jobs and a spider without a schedule; the working directory."""
    return make_project(tmp_path, monkeypatch)


def make_project(folder: Path, monkeypatch: pytest.MonkeyPatch, config: str = CONFIG) -> Path:
    (folder / "spiders").mkdir(parents=True)
    (folder / "crawl.toml").write_text(config)
    (folder / "spiders" / "shop.py").write_text(SPIDER.format(name="Books") + SPIDER.format(name="Prices"))
    (folder / "spiders" / "news.py").write_text(SPIDER.format(name="News"))
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def schedule(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """`crawlkit schedule ARGUMENTS` in this process: what it printed, with what it complained of before it."""

    def call(*arguments: str, exit_code: int = 0) -> str:
        code = invoke(["schedule", *arguments])
        printed = capsys.readouterr()
        assert (exit_code, printed.err) == (code, printed.err)
        return printed.err + printed.out

    return call


def line_in(printed: str) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return line


def test_it_prints_the_lines(project: Path, schedule: Callable[..., str], programs: StandIn) -> None:
    """By default: nothing is installed; of a file with two spiders the class is named; a log of its own stays its own."""
    begin, books, news, end = schedule().splitlines()
    assert (f"# crawlkit: {project} begin", f"# crawlkit: {project} end") == (begin, end)
    assert re.fullmatch(
        rf"0 6 \* \* 1-5 cd {project} && /\S+ (-m crawlkit )?run spiders/shop.py::Books --quiet"
        rf" --log-file {project}/data/books.log",
        books,
    )
    assert re.fullmatch(rf"0 \* \* \* \* cd {project} && /\S+ (-m crawlkit )?run spiders/news.py --quiet", news)
    assert not programs.table.exists()


def test_from_a_folder_below_it_is_the_same(
    project: Path, schedule: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """crawl.toml is looked for upward."""
    expected = schedule()
    monkeypatch.chdir(project / "spiders")
    assert expected == schedule()
    monkeypatch.chdir("/")
    assert expected == schedule(str(project / "spiders"))


def test_installed_checked_and_removed(project: Path, schedule: Callable[..., str], programs: StandIn) -> None:
    """--check is 0 only while what is there is what would be written; the other lines stay."""
    programs.table.write_text("MAILTO=me\n0 1 * * * true\n")
    assert "differs from crawl.toml; crawlkit schedule --install puts it right" in schedule("--check", exit_code=1)
    told = schedule("--install")
    assert "2 jobs in the crontab\n" in told
    assert re.search(r"news: @hourly, next \d{4}-\d\d-\d\d \d\d:00, log logs/news.log", told)
    assert "MAILTO=me\n0 1 * * * true\n" + schedule() == programs.table.read_text()
    assert 2 == schedule("--check").count(" installed")
    assert "2 jobs in the crontab, as before\n" in schedule("--install")

    (project / "crawl.toml").write_text(CONFIG.replace("0 6 *", "0 7 *"))
    changed = schedule("--check", exit_code=1)
    assert (1, 1) == (changed.count(" missing"), changed.count(" installed\n"))
    assert "installed, and no more in crawl.toml: 0 6 * * 1-5 cd " in changed
    schedule("--install")
    assert "\n0 7 * * 1-5 cd " in programs.table.read_text()
    assert "0 6 * * 1-5" not in programs.table.read_text()

    assert "taken out of the crontab" in schedule("--remove")
    assert "nothing of it is in the crontab" in schedule("--remove")
    assert "MAILTO=me\n0 1 * * * true\n" == programs.table.read_text()


def test_two_projects_do_not_touch_each_other(
    tmp_path: Path, schedule: Callable[..., str], programs: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the same name, in a crontab and as units."""
    one = make_project(tmp_path / "a" / "shop", monkeypatch)
    lines, units = schedule("--install") and schedule(), schedule("--systemd", "--install") and schedule("--systemd")
    make_project(tmp_path / "b" / "shop", monkeypatch)
    for kind in ((), ("--systemd",)):
        schedule("--install", *kind)
        schedule("--remove", *kind)
    monkeypatch.chdir(one)
    assert lines == programs.table.read_text()
    assert units == schedule("--systemd")
    schedule("--check", "--systemd")


def test_as_systemd_units(project: Path, schedule: Callable[..., str], programs: StandIn) -> None:
    """Printed, installed for the user, checked, taken away."""
    assert "OnCalendar=Mon..Fri *-*-* 06:00:00\n" in schedule("--systemd")
    schedule("--systemd", "--check", exit_code=1)
    assert "2 jobs in the user's systemd\n" in schedule("--systemd", "--install")
    place = Path(os.environ["XDG_CONFIG_HOME"]) / "systemd" / "user"
    assert 4 == len([path for path in place.iterdir() if path.is_file()])
    schedule("--systemd", "--check")
    next(place.glob("*books.timer")).write_text("edited")
    assert "differs" in schedule("--systemd", "--check", exit_code=1)
    schedule("--systemd", "--install")
    next((place / "timers.target.wants").glob("*news.timer")).unlink()
    assert " missing" in schedule("--systemd", "--check", exit_code=1)
    schedule("--systemd", "--install")
    schedule("--systemd", "--check")
    schedule("--systemd", "--remove")
    assert [] == [path for path in place.iterdir() if path.is_file()]


def test_check_tells_what_ran_last_and_what_comes_next(project: Path, schedule: Callable[..., str]) -> None:
    """From the spider's database."""
    (project / "data").mkdir()
    with Store.open(project / "data" / "books.db", spider="books", source="x.py::Books") as store:
        store.begin_run()
    printed = schedule("--check", "--json", exit_code=1)
    books, news = line_in(printed)["jobs"]
    assert (1, "killed", None) == tuple(books["last"][name] for name in ("run", "outcome", "exit_code"))
    assert news["last"] is None
    coming = datetime.fromisoformat(news["next"])
    assert (0, True) == (coming.minute, 0 < (coming - datetime.now().astimezone()).total_seconds() <= 3600)
    table = schedule("--check", exit_code=1)
    assert re.search(r"^books .* killed +missing$", table, re.M)
    assert re.search(r"^news .* never ran +missing$", table, re.M)


def test_json_has_what_would_be_written(project: Path, schedule: Callable[..., str]) -> None:
    """One object, whatever is asked for."""
    for words in ((), ("--install",), ("--check",)):
        line = line_in(schedule(*words, "--json"))
        assert schedule().splitlines()[1:-1] == line["lines"]
        assert (["books", "news"], 0) == ([job["spider"] for job in line["jobs"]], line["exit_code"])
    assert {"changed": True, "installed": False}.items() <= line_in(schedule("--remove", "--json")).items()
    assert 4 == len(line_in(schedule("--systemd", "--json"))["units"])
    assert "choose one of them" in line_in(schedule("--install", "--check", "--json", exit_code=2))["error"]


def test_no_secret_is_in_it(
    project: Path, schedule: Callable[..., str], monkeypatch: pytest.MonkeyPatch, programs: StandIn
) -> None:
    """Neither of the environment nor of the env_file, which the run itself reads."""
    monkeypatch.setenv("SHOP_PASSWORD", "hunter22hunter")
    monkeypatch.setenv("CRAWLKIT_VAULT_KEY", "hunter33hunter")
    (project / "secrets.env").write_text("SHOP_USER=hunter44hunter\n")
    (project / "secrets.env").chmod(0o600)
    (project / "crawl.toml").write_text(
        CONFIG
        + '[login]\nenv_file = "secrets.env"\n[profiles.books]\nusername = "SHOP_USER"\npassword = "SHOP_PASSWORD"\n'
    )
    for words in ((), ("--systemd",), ("--json",), ("--install",)):
        assert "hunter" not in schedule(*words)
    assert "hunter" not in programs.table.read_text()


def test_a_schedule_in_the_spider_counts(project: Path, schedule: Callable[..., str]) -> None:
    """custom_settings are a layer as for every key."""
    spider = SPIDER.format(name="Late") + "    custom_settings = {'schedule': '30 23 * * *'}\n"
    (project / "spiders" / "late.py").write_text(spider)
    assert re.search(r"^30 23 \* \* \* cd .* run spiders/late.py ", schedule(), re.M)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (
            '[spiders.books]\nschedule = "0 25 * * *"\n',
            "crawl.toml: spiders.books.schedule must be five cron fields (minute hour day month weekday) such as "
            '"0 6 * * *", or a word such as "@daily", or "none", not \'0 25 * * *\': the hour has \'25\'; it may be 0 to 23',
        ),
        ("[spiders.books]\nschedule = 6\n", "spiders.books.schedule must be five cron fields"),
        (
            '[spiders.books]\nschedule = "@reboot"\n',
            "there is no '@reboot' here; there are @hourly, @daily, @midnight, @weekly, @monthly, @yearly",
        ),
        (
            '[spiders.forum]\nschedule = "@daily"\n',
            "crawl.toml: spiders.forum.schedule: no spider of this name is in spiders/; write spiders/forum.py, or name",
        ),
        (
            '[spiders.boks]\nschedule = "@daily"\n',
            "spiders.boks.schedule: no spider of this name is in spiders/; did you",
        ),
        (
            "[crawl]\nworkers = 2\n",
            'crawl.toml: no spider has a schedule; add schedule = "0 6 * * *" to [spiders.NAME]',
        ),
        ("[spiders.books\n", "crawl.toml: not valid TOML"),
    ],
)
def test_what_is_wrong_is_exit_code_2(config: str, said: str, project: Path, schedule: Callable[..., str]) -> None:
    """Spider, key, field and what may stand there; nothing is installed."""
    (project / "crawl.toml").write_text(config)
    for words in ((), ("--install",), ("--systemd", "--install"), ("--check",)):
        assert said in schedule(*words, exit_code=2)


def test_a_run_refuses_a_wrong_schedule_too(crawlkit: Command) -> None:
    """As every other key that is wrong."""
    (crawlkit.folder / "crawl.toml").write_text('[spiders.books]\nschedule = "0 25 * * *"\n')
    (crawlkit.folder / "books.py").write_text(SPIDER.format(name="Books"))
    assert "spiders.books.schedule" in crawlkit("run", "books.py", exit_code=2).stderr


def test_a_spider_file_that_cannot_be_loaded(project: Path, schedule: Callable[..., str]) -> None:
    """Is named: as a warning while every schedule has its spider, with the error when one has none."""
    (project / "spiders" / "forum.py").write_text("oh no\n")
    assert "crawlkit: warning: spiders/forum.py:1: syntax error" in schedule().replace(f"{project}/", "")
    with (project / "crawl.toml").open("a") as file:
        file.write('[spiders.forum]\nschedule = "@daily"\n')
    assert "no spider of this name is in spiders/ (" in schedule(exit_code=2)
    assert "syntax error" in schedule("spiders/forum.py", exit_code=2)


def test_two_spiders_of_one_name(project: Path, schedule: Callable[..., str]) -> None:
    """Which one is meant cannot be known."""
    (project / "spiders" / "again.py").write_text(SPIDER.format(name="News"))
    assert "spiders.news.schedule: two spiders have this name: spiders/again.py and spiders/news.py" in schedule(
        exit_code=2
    )


def test_spiders_elsewhere_are_named(project: Path, schedule: Callable[..., str]) -> None:
    """PATH says where they are; a schedule whose spider is not there is not left out in silence."""
    (project / "spiders").rename(project / "mine")
    assert "no spider of this name is in spiders/; write spiders/books.py" in schedule(exit_code=2)
    assert " run mine/shop.py::Books " in schedule("mine")
    assert "is in mine/news.py; name its file or folder as well" in schedule("mine/news.py", exit_code=2)
    assert " run mine/shop.py::Books " in schedule("mine/news.py", "mine/shop.py::Books")


def test_remove_needs_no_spider(project: Path, schedule: Callable[..., str], programs: StandIn) -> None:
    """Nor a crawl.toml that can be read: whoever takes a project away has broken it already."""
    schedule("--install")
    (project / "crawl.toml").write_text("not toml at all")
    (project / "spiders" / "news.py").unlink()
    schedule("--remove")
    assert not programs.table.exists()


def test_without_a_project(
    tmp_path: Path, schedule: Callable[..., str], monkeypatch: pytest.MonkeyPatch, programs: StandIn
) -> None:
    """A schedule is a key of crawl.toml; of several projects one is done at a time."""
    monkeypatch.chdir(tmp_path)
    assert "there is no crawl.toml in . or above it" in schedule(exit_code=2)
    make_project(tmp_path / "a", monkeypatch)
    make_project(tmp_path / "b", monkeypatch)
    assert "these spiders belong to several projects" in schedule("../a/spiders", "spiders", exit_code=2)
    make_project(tmp_path / "c\\d", monkeypatch)
    assert "with a backslash or a control character cannot be scheduled" in schedule(exit_code=2)


def test_a_program_that_refuses_is_told(project: Path, schedule: Callable[..., str], programs: StandIn) -> None:
    """In its own words."""
    programs.refuse("crontab", "you (tester) are not allowed to use this program (crontab)\n")
    assert "you (tester) are not allowed to use this program (crontab); the table is as before" in schedule(
        "--install", exit_code=2
    )
    programs.refuse("systemctl", "Failed to connect to bus\n")
    assert "systemctl --user daemon-reload failed: Failed to connect to bus" in schedule(
        "--systemd", "--install", exit_code=1
    )


@pytest.fixture
def in_berlin() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("now", "comes"),
    [
        (datetime(2027, 3, 28, 1, 59), "2027-03-28T03:00:00+02:00"),  # there is no half past two that day
        (datetime(2027, 3, 28, 3, 0), "2027-03-29T02:30:00+02:00"),
        (datetime(2027, 10, 31, 1, 59), "2027-10-31T02:30:00+02:00"),  # there are two
        (datetime(2027, 10, 31, 2, 10, fold=1), "2027-10-31T02:30:00+01:00"),
    ],
)
def test_when_the_clocks_change(in_berlin: None, now: datetime, comes: str) -> None:
    """What the clock leaves out is started right after it, as cron has it."""
    assert comes == upcoming(CronTime.read("30 2 * * *"), now).astimezone().isoformat()

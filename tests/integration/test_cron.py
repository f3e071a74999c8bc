"""Jobs that nobody watches: started over each other, killed in every phase, run by Debian's own cron.

The judge is the shop, whose books are known, and a file for each start with its pid, written by the spider file itself:
never crawlkit's own counters.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import shutil
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from crawlkit.store.lock import holder
from crawlkit.testing import DemoSite, demo_site
from tests.conftest import Command

#: How many of the minutes of a real cron are waited for; ten in the long form.
MINUTES = int(os.environ.get("CRAWLKIT_CRON_MINUTES", "3"))

#: Where a start may be killed: before the lock, in the login, while pages come in, within a transaction, in the author's
#: closed(), within the transaction that ends the run.
PHASES = ("loading", "login", "crawling", "committing", "ending", "ended")

#: Each start takes the next number and the phase of that number in `plan`, and kills itself there.
SPIDER = """
import itertools, json, os, signal, sys
from pathlib import Path
from crawlkit import Request, Spider
from crawlkit.crawl.page import Visitor
from crawlkit.store.runs import Runs

HERE = Path(__file__).resolve().parent.parent
PLAN = json.loads((HERE / "plan").read_text())

def take_number():
    for number in itertools.count():
        try:
            with (HERE / "starts" / str(number)).open("x") as file:
                file.write(str(os.getpid()))
            return number
        except FileExistsError:
            continue

NUMBER = take_number() if "run" in sys.argv else len(PLAN)  # crawlkit schedule loads this file, too
PHASE = PLAN[NUMBER] if NUMBER < len(PLAN) else "none"

def reach(phase):
    if phase == PHASE:
        os.kill(os.getpid(), signal.SIGKILL)

def dying(method, phase, calls):
    counted = itertools.count(1)
    def killed_after(*arguments, **options):
        returned = method(*arguments, **options)
        if next(counted) == calls:
            reach(phase)
        return returned
    return killed_after

Visitor.visit = dying(Visitor.visit, "crawling", 10)  # and no callback: a later run has unchanged pages only
# Both are called within a transaction, before its COMMIT.
Runs.count = dying(Runs.count, "committing", 3)
Runs.end = dying(Runs.end, "ended", 1)
reach("loading")

class Shop(Spider):
    key = "url"

    def start_requests(self):
        yield Request("SITE/books")

    def login(self, session):
        page = session.get("SITE/login")
        reach("login")
        session.submit(page.form("#login"), {"user": "reader", "password": "a-quiet-room"})

    def logged_in(self, response):
        return bool(response.css("a.account"))

    def parse(self, response):
        yield from response.follow_all("ol.books a.title", callback=self.parse_book)
        yield from response.follow_all("nav.pages a.next")

    def parse_book(self, response):
        yield {"url": response.url, "title": response.css("h1::text").get()}

    def closed(self, reason):
        reach("ending")
"""


@dataclass(frozen=True)
class Job:
    """A project with one spider of the shop, whose starts are counted and may be killed."""

    crawlkit: Command
    site: DemoSite

    @classmethod
    def make(cls, folder: Path, site: DemoSite, plan: Sequence[str] = (), settings: str = "") -> Job:
        for name in ("spiders", "starts"):
            (folder / name).mkdir(parents=True)
        (folder / "spiders" / "shop.py").write_text(SPIDER.replace("SITE", site.url.rstrip("/")))
        (folder / "plan").write_text(json.dumps(list(plan)))
        (folder / "crawl.toml").write_text(f'[spiders.shop]\nschedule = "* * * * *"\n{settings}')
        return cls(Command(folder), site)

    def start(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.crawlkit("run", "spiders/shop.py", "--quiet", *words, exit_code=None)

    @property
    def pids(self) -> list[int]:
        """The pid of every start, in their order."""
        return [int(path.read_text()) for path in sorted(self.folder("starts"), key=lambda path: int(path.name))]

    @property
    def runs(self) -> list[dict[str, Any]]:
        """`crawlkit runs`, oldest first."""
        done = self.crawlkit("runs", "shop", "-n", "100000", "--json")
        runs: list[dict[str, Any]] = json.loads(done.stdout)["runs"]
        return runs[::-1]

    @property
    def titles(self) -> Counter[str]:
        database = sqlite3.connect(self.crawlkit.folder / "data" / "shop.db")
        try:
            return Counter(title for (title,) in database.execute("SELECT title FROM items"))
        finally:
            database.close()

    @property
    def expected(self) -> Counter[str]:
        return Counter(book.title for book in self.site.books)

    @property
    def alarms(self) -> list[dict[str, Any]]:
        """What on_failure told."""
        file = self.crawlkit.folder / "alarms"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    @property
    def is_running(self) -> bool:
        return holder(self.crawlkit.folder / "data" / "shop.db") is not None

    def folder(self, name: str) -> list[Path]:
        return list((self.crawlkit.folder / name).iterdir())


@pytest.fixture
def small_shop() -> Iterator[DemoSite]:
    with demo_site(port=0, books=20, per_page=5) as site:
        yield site


@pytest.mark.slow
@pytest.mark.parametrize("phase", PHASES)
def test_killed_in_a_phase_and_started_again(phase: str, tmp_path: Path, small_shop: DemoSite) -> None:
    """The second start goes on; the first is among the runs as killed, but for one that had not begun."""
    job = Job.make(tmp_path, small_shop, [phase])
    assert -9 == job.start().returncode
    again = job.start()
    assert (0, "") == (again.returncode, again.stderr)
    first, second = job.pids
    began = [] if phase == "loading" else [(first, "killed")]
    assert [*began, (second, "finished")] == [(run["pid"], run["outcome"]) for run in job.runs]
    assert job.expected == job.titles


@pytest.mark.slow
def test_started_200_times_over_each_other(tmp_path: Path, small_shop: DemoSite) -> None:
    """Eight at a time: each either runs or ends with exit code 4 and the name of who runs; none is unaccounted for."""
    job = Job.make(tmp_path, small_shop)
    with ThreadPoolExecutor(8) as starters:
        done = list(starters.map(lambda _: job.start(), range(200)))
    codes = Counter(start.returncode for start in done)
    assert ({0, 4}, 200) == (set(codes), codes.total())
    runs = job.runs
    assert codes[0] == len(runs)
    assert {("finished", 0)} == {(run["outcome"], run["exit_code"]) for run in runs}
    assert 200 == len(set(job.pids))
    assert {run["pid"] for run in runs} <= set(job.pids)
    told = [start.stderr for start in done if start.returncode == 4]
    assert [] == [text for text in told if not re.search(r"another run is using it \((pid \d+, since 20|which)", text)]
    named = [int(pid) for text in told for pid in re.findall(r"\(pid (\d+)", text)]
    assert set(named) <= {run["pid"] for run in runs}
    assert len(named) > len(told) / 2
    assert all(one["ended"] <= next_one["started"] for one, next_one in itertools.pairwise(runs))
    assert job.expected == job.titles


@pytest.mark.slow
def test_those_that_wait_run_one_after_another(tmp_path: Path, small_shop: DemoSite) -> None:
    """--wait: nobody is turned away, no two at a time."""
    job = Job.make(tmp_path, small_shop)
    with ThreadPoolExecutor(6) as starters:
        assert [0] * 6 == [done.returncode for done in starters.map(lambda _: job.start("--wait"), range(6))]
    runs = job.runs
    assert (6, set(job.pids)) == (len(runs), {run["pid"] for run in runs})
    assert all(one["ended"] <= next_one["started"] for one, next_one in itertools.pairwise(runs))


# --- Debian's cron ----------------------------------------------------------------------------------------------------


def cron_runs() -> bool:
    """Whether a cron of this machine is at work."""
    try:
        pid = int(Path("/var/run/crond.pid").read_text())
    except (OSError, ValueError):
        return False
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip() == "cron"
    return False


@pytest.fixture
def cron() -> Iterator[None]:
    """A cron that runs, and this user's crontab as it was afterwards."""
    program, crontab = shutil.which("cron", path=f"{os.environ['PATH']}:/usr/sbin"), shutil.which("crontab")
    if program is None or crontab is None:
        pytest.skip("cron is missing: apt-get install cron")
    if not cron_runs() and os.geteuid() != 0:
        pytest.skip("no cron runs here, and only root can start one")
    before = subprocess.run([crontab, "-l"], capture_output=True)
    daemon = None if cron_runs() else subprocess.Popen([program, "-f"], stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        if before.returncode == 0:
            subprocess.run([crontab, "-"], input=before.stdout, check=True)
        else:
            subprocess.run([crontab, "-r"], capture_output=True)
        if daemon is not None:
            daemon.terminate()
            daemon.wait()


def kills(phase: str) -> list[str]:
    """What becomes of the starts of a job that is killed in `phase`: every other one, and not the last."""
    return ([phase, "none"] * MINUTES)[: MINUTES - 1]


@pytest.mark.slow
def test_a_real_cron(tmp_path: Path, small_shop: DemoSite, cron: None) -> None:
    """Every minute, by the lines that schedule --install writes: each job killed in its phase, one that takes longer than
    a minute. Each start that cron made is a run, was turned away by the lock, or was killed before it began."""
    with demo_site(port=0, books=20, per_page=5, latency_seconds=3.0) as slow_shop:
        alarm = '[run]\non_failure = "tee -a alarms"\n'
        jobs = {phase: Job.make(tmp_path / f"{phase} 100%", small_shop, kills(phase), alarm) for phase in PHASES}
        slowly = "[spiders.shop.crawl]\nworkers = 1\n"
        jobs["slow"] = Job.make(tmp_path / "slow", slow_shop, settings=slowly + alarm)
        sleep_until_the_middle_of_a_minute()
        for job in jobs.values():
            job.crawlkit("schedule", "--install")
        for _ in range(MINUTES):
            sleep_until_the_middle_of_a_minute(next_one=True)
            small_shop.expire()  # each start has a login to be killed in
        for job in jobs.values():
            job.crawlkit("schedule", "--check")
            job.crawlkit("schedule", "--remove")
        wait_for_the_end(jobs.values())
    for phase, job in jobs.items():
        assert (phase, MINUTES) == (phase, len(job.pids))
        outcomes = {run["pid"]: run["outcome"] for run in job.runs}
        locked = [alarm for alarm in job.alarms if alarm["outcome"] == "locked"]
        unaccounted = [pid for pid in job.pids if pid not in outcomes]
        before = kills("loading").count("loading") if phase == "loading" else 0
        assert (phase, len(locked) + before) == (phase, len(unaccounted))
        assert set(outcomes) <= set(job.pids)
        planned = [
            pid for pid, kill in zip(job.pids, kills(phase), strict=False) if kill == phase and kill in PHASES[1:]
        ]
        assert (phase, planned) == (phase, [pid for pid, outcome in outcomes.items() if outcome == "killed"])
        assert (phase, {"finished"}) == (phase, {word for word in outcomes.values() if word != "killed"})
        assert job.expected == job.titles
    assert jobs["slow"].alarms
    assert {4} == {alarm["exit_code"] for alarm in jobs["slow"].alarms}
    assert not any(job.alarms for phase, job in jobs.items() if phase != "slow")


def sleep_until_the_middle_of_a_minute(*, next_one: bool = False) -> None:
    """Cron begins its jobs in the first seconds of a minute."""
    if next_one:
        time.sleep(60 - time.time() % 60)
    time.sleep(max(0.0, 30 - time.time() % 60))


def wait_for_the_end(jobs: Any, seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while any(job.is_running for job in jobs):
        assert time.monotonic() < end, "a job does not end"
        time.sleep(0.5)

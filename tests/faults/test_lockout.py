"""Nobody is locked out: a wrong password from cron, fifty times, is sent three times an hour. The server's log judges."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from crawlkit.cli import main
from crawlkit.sessions import attempts
from crawlkit.testing import MEMBER, DemoSite
from tests.conftest import Command
from tests.crawl.loopback import Reply, serving

SPIDER = """from crawlkit import FormLogin, Spider

class Members(Spider):
    name = "members"
    start_urls = ["SITE/books"]
    custom_settings = {"crawl": {"max_pages": 2, "workers": 2}}

    def login(self, session):
        page = session.get("SITE/login")
        session.submit(page.form("#login"), {"user": self.credentials.username, "password": self.credentials.password})

    def logged_in(self, response):
        return bool(response.css("a.account"))

    def parse(self, response):
        yield {"url": response.url}
        yield from response.follow_all("a.next")

class Ready(Members):
    name = "ready"
    login = FormLogin("SITE/login")
    logged_in = Spider.logged_in
"""

CONFIG = """[profiles.alice]
username = "SHOP_USER"
password = "SHOP_PASSWORD"

[profiles.bob]
username = "SHOP_USER"
password = "SHOP_PASSWORD"
"""


class Cron:
    """Runs the spider as cron would, in a folder of its own; `posts` is what the server saw of it."""

    def __init__(self, folder: Path, shop: DemoSite, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.shop = shop
        self._capture = capture
        (folder / "spider.py").write_text(SPIDER.replace("SITE", shop.url))
        (folder / "crawl.toml").write_text(CONFIG)

    def run(self, *words: str, kind: str = "Ready", profile: str = "alice") -> dict[str, Any]:
        """The JSON line of one run. `kind`: the spider; Members by its own word, which takes a second to believe itself."""
        main(["run", f"spider.py::{kind}", "--profile", profile, "--quiet", "--json", *words])
        line: dict[str, Any] = json.loads(self._capture.readouterr().out)
        return line

    @property
    def posts(self) -> int:
        return self.shop.log.count("/login", method="POST")


@pytest.fixture
def cron(tmp_path: Path, shop: DemoSite, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cron:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOP_USER", MEMBER.username)
    monkeypatch.setenv("SHOP_PASSWORD", "last-months-password")
    return Cron(tmp_path, shop, capsys)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the time of the vault's attempts ahead by so many seconds."""
    ahead = 0.0
    real = time.time

    def move(seconds: float) -> None:
        nonlocal ahead
        ahead += seconds

    given = attempts.Attempts.__init__

    def with_clock(self: attempts.Attempts, *args: Any, **options: Any) -> None:
        given(self, *args, **{**options, "clock": lambda: real() + ahead})

    monkeypatch.setattr(attempts.Attempts, "__init__", with_clock)
    return move


@pytest.mark.parametrize("kind", ["Ready", pytest.param("Members", marks=pytest.mark.slow)])
def test_fifty_runs_with_a_wrong_password(cron: Cron, kind: str) -> None:
    """Three of them are sent; each run ends with exit code 3, and those that sent nothing say when it is possible again."""
    before = time.time()
    lines = [cron.run(kind=kind) for _ in range(50)]
    assert [3] * 50 == [line["exit_code"] for line in lines]
    assert 3 == cron.posts
    possible = {datetime.fromtimestamp(at + 3600).strftime("%H:%M") for at in (before, time.time())}
    for line in lines[3:]:
        assert line["error"].startswith("3 logins as profile 'alice' failed within the last hour")
        assert any(f"the next one is possible at {at}" in line["error"] for at in possible)
        assert "--force-login" in line["error"]
    assert 0 == sum(line["pages"] for line in lines)


def test_an_hour_later_there_are_three_more(cron: Cron, clock: Callable[[float], None]) -> None:
    """And never more within any hour: the bound slides, it does not start anew."""
    for minutes in (0, 25, 25, 5, 10, 20):
        clock(minutes * 60.0)
        cron.run()
        cron.run()
    # At 0, 0, 25 (full until the first two are an hour old), 65, 65 (full until 85), 85.
    assert 6 == cron.posts


def test_the_right_password_is_free(cron: Cron, monkeypatch: pytest.MonkeyPatch) -> None:
    """A login that leads to a page takes nothing: ten expiries in an hour are ten logins."""
    cron.run()
    cron.run()
    monkeypatch.setenv("SHOP_PASSWORD", MEMBER.password)
    for _ in range(10):
        cron.shop.expire()
        assert 1 == cron.run("--fresh")["logins"]
    cron.shop.expire()
    monkeypatch.setenv("SHOP_PASSWORD", "last-months-password")
    assert "is shown again" in cron.run("--fresh")["error"]  # the third that failed
    assert "3 logins as profile 'alice' failed" in cron.run("--fresh")["error"]
    assert 2 + 10 + 1 == cron.posts


def test_pages_that_the_author_is_not_asked_of(cron: Cron, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON shows no `a.account`; a login that opens it worked all the same, and is one for all runs."""
    monkeypatch.setenv("SHOP_PASSWORD", MEMBER.password)
    api = SPIDER.replace("logged_in = Spider.logged_in", "").replace('"SITE/login"', '"SITE/api/token"')
    api = api.replace("SITE/books", "SITE/api/books").replace("FormLogin", "TokenLogin")
    (cron.folder / "spider.py").write_text(api.replace("SITE", cron.shop.url))
    assert [0] * 5 == [cron.run()["exit_code"] for _ in range(5)]
    assert 1 == cron.shop.log.count("/api/token")
    monkeypatch.setenv("SHOP_PASSWORD", "last-months-password")
    assert [3] * 5 == [cron.run(profile="bob")["exit_code"] for _ in range(5)]
    assert 1 + 3 == cron.shop.log.count("/api/token")


def test_force_login_overrides(cron: Cron, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody has looked, and tries before the hour is over."""
    for _ in range(5):
        cron.run()
    assert 3 == cron.posts
    monkeypatch.setenv("SHOP_PASSWORD", MEMBER.password)
    assert 3 == cron.run()["exit_code"]
    assert 5 == cron.run("--force-login")["exit_code"]
    assert 4 == cron.posts


def test_each_profile_has_its_own(cron: Cron) -> None:
    """What fails as one says nothing of another."""
    for _ in range(5):
        cron.run()
        cron.run(profile="bob")
    assert 6 == cron.posts


def test_the_bound_is_a_setting(cron: Cron) -> None:
    """A site that locks after two."""
    for _ in range(5):
        assert 3 == cron.run("--set", "login.max_failed_per_hour=1")["exit_code"]
    assert 1 == cron.posts


def test_every_command_counts(cron: Cron, capsys: pytest.CaptureFixture[str]) -> None:
    """`login` and `parse` share the budget of `run`."""
    cron.run()
    assert 3 == main(["login", "spider.py::Ready", "--profile", "alice"])
    assert 3 == main(["parse", "spider.py::Ready", f"{cron.shop.url}/books", "--profile", "alice"])
    assert 3 == main(["login", "spider.py::Ready", "--profile", "alice"])
    assert "3 logins as profile 'alice' failed within the last hour" in capsys.readouterr().err
    assert 3 == cron.run()["exit_code"]
    assert 3 == cron.posts


def test_no_form_and_no_network_are_not_counted(cron: Cron) -> None:
    """Nothing was posted: nothing can have been counted against the account."""
    (cron.folder / "spider.py").write_text(SPIDER.replace("SITE/login", "SITE/nowhere").replace("SITE", cron.shop.url))
    for _ in range(4):
        assert "failed within the last hour" not in cron.run()["error"]
    assert 0 == cron.posts


def test_basic_is_counted(cron: Cron) -> None:
    """Nothing is posted, and the password is refused all the same."""
    with serving({"/books": Reply("no", 401, {"WWW-Authenticate": "Basic"})}) as site:
        basic = SPIDER.replace('FormLogin("SITE/login")', 'BasicLogin(url="SITE/books")').replace(
            "FormLogin", "BasicLogin"
        )
        (cron.folder / "spider.py").write_text(basic.replace("SITE", site.url))
        assert [3] * 6 == [cron.run()["exit_code"] for _ in range(6)]
        assert 3 == sum("Authorization" in asked.headers for asked in site.asked)


def test_processes_share_the_bound(crawlkit: Command, shop: DemoSite, write_spider: Callable[..., Path]) -> None:
    """Four runs, each a process of its own: the fourth sends nothing."""
    write_spider(SPIDER.replace("SITE", shop.url))
    write_spider(CONFIG, "crawl.toml")
    shell = {"SHOP_USER": MEMBER.username, "SHOP_PASSWORD": "last-months-password"}
    lines = [crawlkit.run("spider.py::Ready", "--profile", "alice", exit_code=3, **shell) for _ in range(4)]
    assert 3 == shop.log.count("/login", method="POST")
    assert "the next one is possible at" in lines[3]["error"]
    assert "last-months-password" not in json.dumps(lines)

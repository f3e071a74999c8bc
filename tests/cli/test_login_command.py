"""`crawlkit login`: what it shows, what it saves, what it refuses; asked at a real site on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from crawlkit.cli import main
from crawlkit.crawl import credentials
from crawlkit.sessions.vault import Vault
from crawlkit.testing import KEEPER, KEEPER_TOTP, MEMBER, DemoSite
from tests.cli.test_asking import Terminal
from tests.cli.test_bad_input import tree
from tests.conftest import Command
from tests.crawl.loopback import serving

BY_HAND = """from crawlkit import Spider

class Members(Spider):
    name = "members"
    start_urls = ["SITE/books"]

    def login(self, session):
        page = session.get("SITE/login")
        session.submit(page.form("#login"), {"user": self.credentials.username, "password": self.credentials.password})

    def logged_in(self, response):
        return bool(response.css("a.account"))
"""

READY = """from crawlkit import FormLogin, Spider

class Members(Spider):
    name = "members"
    start_urls = ["SITE/books"]
    login = FormLogin("SITE/login")
"""

CONFIG = """[profiles.members]
username = "SHOP_USER"
password = "SHOP_PASSWORD"
totp = "SHOP_TOTP"
"""


class Ended(NamedTuple):
    code: int
    out: str
    err: str

    def row(self, label: str) -> list[str]:
        """The texts of the lines under `label`."""
        found, here = [], False
        for line in self.out.splitlines():
            here = line[:16].strip() == label or (here and not line[:16].strip())
            if here:
                found.append(line[16:])
        return found


class Desk:
    """A folder with a spider in it, and the command."""

    def __init__(self, folder: Path, site: str, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.site = site
        self._capture = capture

    def write(self, spider: str, config: str = CONFIG) -> None:
        (self.folder / "spider.py").write_text(spider.replace("SITE", self.site))
        (self.folder / "crawl.toml").write_text(config.replace("SITE", self.site))

    def login(self, *words: str, code: int = 0) -> Ended:
        done = main(["login", "spider.py", *words])
        ended = Ended(done, *self._capture.readouterr())
        assert code == ended.code, ended.out + ended.err
        return ended


@pytest.fixture
def desk(tmp_path: Path, shop: DemoSite, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOP_USER", MEMBER.username)
    monkeypatch.setenv("SHOP_PASSWORD", MEMBER.password)
    monkeypatch.setattr(credentials, "_answers", {})
    made = Desk(tmp_path, shop.url, capsys)
    made.write(BY_HAND)
    return made


def kept(folder: Path) -> dict[str, bytes | None]:
    """What is in the folder but for that of the vault, which is made to hold the lock of the login."""
    found = tree(folder)
    assert None is found.pop("data", None)
    return found


def posts(shop: DemoSite) -> int:
    return shop.log.count("/login", method="POST")


# --- it works ----------------------------------------


def test_it_shows_what_it_saw_and_saves_it(desk: Desk, shop: DemoSite) -> None:
    """Exchanges with their redirects, cookies by name and kind, the page, where it is kept, what to type next."""
    ended = desk.login()
    assert "members: logged in as profile 'members'" == ended.out.splitlines()[0]
    site = shop.url
    assert [f"GET  {site}/login  200", f"POST {site}/login  303 -> {site}/books  200"] == ended.row("sent")
    member, visit = ended.row("cookies")
    assert member.startswith("member  127.0.0.1/  expires in 30 days")
    assert "visit   127.0.0.1/  to the end of the session" == visit
    assert [f"{site}/books  200", "shows a member: logged_in() says so"] == ended.row("page")
    assert ["profile members in data/sessions.db"] == ended.row("saved")
    assert ["crawlkit run spider.py"] == ended.row("next")
    assert "" == ended.err
    profile = Vault.open(desk.folder / "data/sessions.db").profile("members")
    assert {"member", "visit"} == {cookie.name for cookie in profile.jar}


def test_no_secret_is_shown(desk: Desk) -> None:
    """Neither the password nor what is in a cookie, whatever is asked for."""
    told = [desk.login("--debug"), desk.login("--json"), desk.login("--check")]
    profile = Vault.open(desk.folder / "data/sessions.db").profile("members")
    for secret in [MEMBER.password, *(cookie.value for cookie in profile.jar)]:
        assert not [ended for ended in told if secret in ended.out + ended.err]


def test_a_saved_session_that_works_is_left_as_it_is(desk: Desk, shop: DemoSite) -> None:
    """The second time no login is sent, and `--check` never sends one."""
    desk.login()
    again = desk.login()
    assert "members: profile 'members' is logged in already; the saved session works" == again.out.splitlines()[0]
    assert [] == again.row("sent")
    desk.login("--check")
    assert 1 == posts(shop)


def test_a_session_that_ended_is_logged_in_again(desk: Desk, shop: DemoSite) -> None:
    """Which `--check` only says."""
    desk.login()
    shop.expire()
    checked = desk.login("--check", code=3)
    assert (
        f"the saved session of profile 'members' has ended: {shop.url}/login?next=%2Fbooks shows no member"
        in checked.err
    )
    assert "log in with: crawlkit login spider.py" in checked.err
    assert 1 == posts(shop)
    assert "logged in as" in desk.login().out
    assert 2 == posts(shop)


def test_one_json_line(desk: Desk, shop: DemoSite) -> None:
    """For a program: the same, and nothing else on standard output."""
    line = json.loads(desk.login("--json").out)
    assert ("logged_in", True, 0) == (line["outcome"], line["logged_in"], line["exit_code"])
    assert ["GET", "POST"] == [each["method"] for each in line["exchanges"]]
    assert [303, 200] == [hop["status"] for hop in line["exchanges"][1]["hops"]]
    assert [("member", True), ("visit", False)] == [(c["name"], c["expires_in"] is not None) for c in line["cookies"]]
    assert ("member", 200) == (line["page"]["shows"], line["page"]["status"])
    assert "saved" == json.loads(desk.login("--json").out)["outcome"]


def test_without_logged_in_a_stranger_is_asked(desk: Desk, shop: DemoSite) -> None:
    """A page that sends strangers away shows a member by not doing so."""
    desk.write(READY)
    assert "shows a member: without the login it led to the login page" == desk.login().row("page")[1]


def test_a_page_that_does_not_tell_is_said_to_be_one(desk: Desk) -> None:
    """Everybody sees the front page: the login may have worked. With a canary one can see."""
    desk.write(READY.replace("SITE/books", "SITE/"))
    ended = desk.login()
    assert "as far as can be seen" in ended.out.splitlines()[0]
    assert "does not tell: without the login it looks no different" == ended.row("page")[1]
    assert "define logged_in(), or set [login] canary to a page that only a member sees" == ended.row("saved")[1]
    assert "cannot be seen" in desk.login("--check", code=2).err
    seen = desk.login("--check", "--set", f"login.canary={desk.site}/account")
    assert f"{desk.site}/account  200" == seen.row("page")[0]


def test_a_one_time_code(desk: Desk, shop: DemoSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the secret that the profile names."""
    desk.write(READY)
    monkeypatch.setenv("SHOP_USER", KEEPER.username)
    monkeypatch.setenv("SHOP_PASSWORD", KEEPER.password)
    monkeypatch.setenv("SHOP_TOTP", KEEPER_TOTP)
    sent = desk.login().row("sent")
    assert [f"POST {shop.url}/login  200", f"POST {shop.url}/login/code  303 -> {shop.url}/books  200"] == sent[1:]


def test_a_token(desk: Desk, shop: DemoSite) -> None:
    """No cookie, and the name of the header that is sent from now on."""
    desk.write(
        READY.replace("FormLogin", "TokenLogin").replace("SITE/login", "SITE/api/token").replace("/books", "/api/books")
    )
    ended = desk.login()
    assert ["none were set"] == ended.row("cookies")
    assert "shows a member: without the login it answered 401" == ended.row("page")[1]
    assert ["Authorization"] == ended.row("headers")


def test_cookies_that_were_brought_need_no_login(
    desk: Desk, shop: DemoSite, capsys: pytest.CaptureFixture[str]
) -> None:
    """A browser's session, imported: it is seen to live, and the run that follows does not log in either."""
    desk.write(BY_HAND + "\n    def parse(self, response):\n        yield {'url': response.url}\n")
    login = shop.members.open(MEMBER.username)
    line = f"127.0.0.1\tFALSE\t/\tFALSE\t0\tmember\t{login}\n"
    (desk.folder / "cookies.txt").write_text(f"# Netscape HTTP Cookie File\n{line}")
    assert 0 == main(["session", "import", "members", "cookies.txt"])
    capsys.readouterr()
    assert "is logged in already" in desk.login().out
    assert 0 == main(["run", "spider.py", "--quiet"])
    assert 0 == posts(shop)


# --- it does not ----------------------------------------


def test_a_wrong_password_is_sent_once(desk: Desk, shop: DemoSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 3, with what the site says of it."""
    desk.write(READY)
    monkeypatch.setenv("SHOP_PASSWORD", "not-the-password")
    ended = desk.login(code=3)
    assert "members: profile 'members' is not logged in" == ended.out.splitlines()[0]
    assert f"POST {shop.url}/login  200" == ended.row("sent")[1]
    assert ["1 of the 3 logins that may fail within an hour"] == ended.row("failed")
    assert "That name and password do not belong together." in ended.err
    assert "not-the-password" not in ended.out + ended.err
    assert 1 == posts(shop)
    line = json.loads(desk.login("--json", code=3).out)
    assert (False, "login_failed", 3, 2) == tuple(
        line[name] for name in ("logged_in", "outcome", "exit_code", "failed_within_hour")
    )


def test_a_wrong_password_by_hand(desk: Desk, shop: DemoSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """The author's login() did not look; logged_in() does, and the attempt counts."""
    monkeypatch.setenv("SHOP_PASSWORD", "not-the-password")
    ended = desk.login(code=3)
    assert "still shows a logged-out page; check the credentials" in ended.err
    assert ["1 of the 3 logins that may fail within an hour"] == ended.row("failed")
    assert 1 == posts(shop)


def test_a_missing_variable_is_named(desk: Desk, shop: DemoSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 2, nothing was posted, nothing is saved."""
    monkeypatch.delenv("SHOP_PASSWORD")
    before = tree(desk.folder)
    error = desk.login(code=2).err
    assert "the password of profile 'members': the environment variable SHOP_PASSWORD is not set" in error
    assert 0 == posts(shop)
    desk.write(BY_HAND, "")
    assert 'add username = "NAME_OF_A_VARIABLE" to [profiles.members] in crawl.toml' in desk.login(code=2).err
    assert before == {**kept(desk.folder), "crawl.toml": CONFIG.encode()}


def test_nothing_is_kept_of_a_missing_variable(
    crawlkit: Command, shop: DemoSite, write_spider: Callable[..., Path]
) -> None:
    """Not even at the end of the process, when sessions are saved."""
    write_spider(READY.replace("SITE", shop.url))
    write_spider(CONFIG, "crawl.toml")
    before = tree(crawlkit.folder)
    crawlkit("login", "spider.py", exit_code=2)
    assert 1 == shop.log.count("/login")
    assert before == kept(crawlkit.folder)


def test_a_page_without_a_form(desk: Desk) -> None:
    """The error says which forms there are."""
    with serving({"/login": "<form action=/search><input name=q></form>", "/books": "hello"}) as site:
        desk.site = site.url
        desk.write(READY)
        error = desk.login(code=3).err
    assert "/login" in error
    assert "search" in error


def test_a_spider_without_a_login(desk: Desk) -> None:
    """There is nothing to try, and the next step is said."""
    desk.write("from crawlkit import Spider\nclass Plain(Spider):\n    start_urls = ['SITE/']\n")
    assert "spider.py: Plain has no login: give it one, such as login = FormLogin(" in desk.login(code=2).err


def test_an_error_in_login_is_placed(desk: Desk) -> None:
    """The line of the spider file that failed."""
    desk.write(BY_HAND.replace("#login", "#nothing"))
    assert "logging in as profile 'members' failed: " in (found := desk.login(code=3).err)
    assert "#nothing" in found
    desk.write(BY_HAND.replace("session.submit(", "session.submitt("))
    assert "spider.py:9: logging in as profile 'members' failed" in desk.login(code=3).err


def test_an_error_in_logged_in_is_placed(desk: Desk) -> None:
    desk.write(BY_HAND.replace("response.css", "response.cssss"))
    assert "spider.py:12: logged_in() failed: AttributeError" in desk.login(code=2).err


def test_a_logged_in_that_never_says_so(desk: Desk, shop: DemoSite) -> None:
    """The login is right and the word on it is not: the error names both."""
    desk.write(BY_HAND.replace("a.account", "a.nothing"))
    assert "check the credentials, and `logged_in` of the spider" in desk.login(code=3).err


def test_nobody_answers(desk: Desk, shop: DemoSite) -> None:
    """A network that is down is no wrong password: nothing is counted."""
    shop.close()
    ended = desk.login("--set", "fetch.retries=0", code=3)
    assert "logging in as profile 'members' failed" in ended.err
    assert [] == ended.row("failed")


def test_a_mistyped_profile(desk: Desk, shop: DemoSite) -> None:
    """The nearest name is said, and nothing is made."""
    before = tree(desk.folder)
    assert "did you mean 'members'" in desk.login("--profile", "menbers", code=2).err
    assert before == tree(desk.folder)
    assert 0 == len(shop.log)


def test_nothing_saved(desk: Desk, shop: DemoSite) -> None:
    """`--check` of a profile that never was logged in."""
    assert "profile 'members' has no saved session" in desk.login("--check", code=3).err


# --- somebody is there ----------------------------------------


_AT_TERMINAL = (
    "import fcntl, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "from crawlkit.cli import main; sys.exit(main(sys.argv[1:]))"
)


@pytest.mark.parametrize("words", [("login", "spider.py"), ("run", "spider.py")], ids=["login", "run"])
def test_what_is_not_set_is_asked_for(desk: Desk, shop: DemoSite, words: tuple[str, ...]) -> None:
    """On a terminal, by the login and by a run; the password is not shown."""
    desk.write(BY_HAND + "\n    def parse(self, response):\n        yield {'url': response.url}\n", "")
    outer, inner = os.openpty()
    with open(inner) as reading:
        process = subprocess.Popen(
            [sys.executable, "-c", _AT_TERMINAL, *words],
            cwd=desk.folder,
            env=Command.environment(TERM="xterm"),
            stdin=inner,
            stderr=inner,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        terminal = Terminal(outer, reading)
        shown = terminal.shows("user name of profile members: ")
        terminal.type(f"{MEMBER.username}\n")
        shown += terminal.shows("password of profile members: ")
        terminal.type(f"{MEMBER.password}\n")
        out, _ = process.communicate(timeout=20)
        shown += os.read(outer, 65536).decode()
    os.close(outer)
    assert 0 == process.returncode, out + shown
    assert MEMBER.password not in shown + out
    assert 1 == posts(shop)

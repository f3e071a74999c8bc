"""Login: one thread logs in, for as many as came back logged out."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from crawlkit.crawl.login import MOST_IN_A_ROW, Login
from crawlkit.crawl.spider import Spider
from crawlkit.exceptions import LoginError


class FakeSession:
    def __init__(self, state: dict[str, Any] | None = None) -> None:
        self.profile = SimpleNamespace(name="me", state=state if state is not None else {})
        self.saved = 0
        self.hooks: dict[str, list[Any]] = {"response": []}

    def save(self) -> None:
        self.saved += 1


class Member(Spider):
    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.entered = threading.Event()
        self.go = threading.Event()
        self.go.set()
        self.fail: Exception | None = None

    def login(self, session: Any) -> None:
        self.calls += 1
        self.entered.set()
        self.go.wait(5)
        if self.fail is not None:
            raise self.fail

    def logged_in(self, response: Any) -> bool:
        return "account" in response.text


class Stage:
    def __init__(self, spider: Spider | None = None, state: dict[str, Any] | None = None) -> None:
        self.spider = spider or Member()
        self.session = FakeSession(state)
        self.pauses: list[str] = []
        self.login = Login(
            self.spider,
            self.session,  # type: ignore[arg-type]
            acting=nullcontext,
            pause=lambda: self.pauses.append("pause"),
            resume=lambda: self.pauses.append("resume"),
        )


def page(text: str, status: int = 200, html: bool = True) -> Any:
    return SimpleNamespace(text=text, status_code=status, is_html=html, url="https://example.org/")


def test_first_logs_in_once_and_saves() -> None:
    """The first page waits for a login, during which nothing is handed out; the next page does not."""
    stage = Stage()
    assert stage.login.first()
    assert stage.login.first()
    assert (1, 1, 1) == (stage.spider.calls, stage.session.saved, stage.login.epoch)
    assert ["pause", "resume"] == stage.pauses
    assert {"login": {"epoch": 1}} == stage.session.profile.state


def test_a_saved_login_is_trusted() -> None:
    """The second run of a job sends no login request."""
    stage = Stage(state={"login": {"epoch": 3}})
    assert stage.login.first()
    assert 0 == stage.spider.calls


def test_a_spider_without_login_is_left_alone() -> None:
    class Plain(Spider):
        pass

    stage = Stage(Plain())
    assert stage.login.first()
    assert not stage.login.looks_logged_out(page("anything"), 0)
    assert 0 == stage.login.logins


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (page("account"), False),
        (page("sign in"), True),
        (page("sign in", status=404), False),
        (page("sign in", html=False), False),
    ],
)
def test_only_html_with_2xx_is_judged(answer: Any, expected: bool) -> None:
    assert expected is Stage().login.looks_logged_out(answer, 0)


def test_pages_of_an_older_epoch_need_no_login_of_their_own() -> None:
    """Forty pages that came back logged out together lead to one login."""
    stage = Stage()
    for _ in range(40):
        assert stage.login.again(0)
    assert 1 == stage.spider.calls


def test_while_one_logs_in_the_others_give_their_page_back() -> None:
    stage = Stage()
    stage.spider.go.clear()
    thread = threading.Thread(target=stage.login.again, args=(0,))
    thread.start()
    assert stage.spider.entered.wait(5)
    assert not stage.login.again(0)
    stage.spider.go.set()
    thread.join(5)
    assert stage.login.again(0)
    assert 1 == stage.spider.calls


def test_a_failed_login_is_not_tried_again() -> None:
    """A wrong password is sent once: everybody after gets the first error."""
    stage = Stage()
    stage.spider.fail = ValueError("wrong password")
    for _ in range(3):
        with pytest.raises(LoginError, match="wrong password"):
            stage.login.again(0)
    assert 1 == stage.spider.calls
    assert ["pause", "resume"] == stage.pauses


def test_three_logins_without_a_logged_in_page_end_it() -> None:
    """A site that drops the session at once is not logged into for ever; a logged-in page starts the count anew."""
    stage = Stage()
    for epoch in range(MOST_IN_A_ROW):
        assert stage.login.again(epoch)
    assert not stage.login.looks_logged_out(page("account"), MOST_IN_A_ROW)
    for epoch in range(MOST_IN_A_ROW, 2 * MOST_IN_A_ROW):
        assert stage.login.again(epoch)
    with pytest.raises(LoginError, match="in a row"):
        stage.login.again(2 * MOST_IN_A_ROW)


def test_an_answer_from_before_a_login_does_not_confirm_it() -> None:
    """A logged-in page that was asked for in an older epoch says nothing about the login since."""
    stage = Stage()
    assert stage.login.again(0)
    assert not stage.login.looks_logged_out(page("account"), 0)
    assert stage.login.led_nowhere(1)
    assert not stage.login.looks_logged_out(page("account"), 1)
    assert not stage.login.led_nowhere(1)


def test_a_page_that_never_shows_a_member_does_not_log_in_for_ever() -> None:
    """Once a login was made for a page and others have shown that it works, the page itself is at fault."""
    stage = Stage()
    assert stage.login.again(0)
    stage.login.made_for(7)
    assert not stage.login.in_vain_for(7)
    assert not stage.login.looks_logged_out(page("account"), 1)
    assert stage.login.in_vain_for(7)
    assert not stage.login.in_vain_for(8)

"""Membership: one thread logs in, for as many as came back logged out."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from crawlkit.exceptions import LoginError
from crawlkit.sessions.confirmation import MOST_IN_A_ROW
from crawlkit.sessions.login import Login
from crawlkit.sessions.membership import Healing, Membership


class FakeSession:
    def __init__(self, state: dict[str, Any] | None = None) -> None:
        self._kept_profile = self.profile = SimpleNamespace(
            name="me",
            state=state if state is not None else {},
            save=lambda: None,
            vault=SimpleNamespace(turn=self.turn),
        )
        self.saved = 0
        self.turns = 0
        self.hooks: dict[str, list[Any]] = {"response": []}
        self.cookies = Jar(self)
        self.epochs: list[int] = []
        self.shows = "sign in"
        self.asked: list[str] = []
        self.secret_origins = None

    def turn(self, name: str, **_: Any) -> Any:
        session = self

        class Turn:
            def __enter__(self) -> None:
                session.turns += 1

            def __exit__(self, *_: object) -> None:
                session.turns -= 1

        return Turn()

    def get(self, url: str, **_: Any) -> Any:
        self.asked.append(url)
        return page(self.shows)

    def _save_profile(self) -> None:
        self.saved += 1


class Jar(list[Any]):
    def __init__(self, session: FakeSession) -> None:
        super().__init__()
        self._session = session

    def next_epoch(self) -> None:
        self._session.epochs.append(1)


class Member(Login):
    """Logs in at once, unless told otherwise, and knows a member's page by its text."""

    def __init__(self) -> None:
        self.calls = 0
        self.entered = threading.Event()
        self.go = threading.Event()
        self.go.set()
        self.fail: Exception | None = None
        self.answers: list[Any] = []

    def log_in(self, session: Any, credentials: Any) -> None:
        self.calls += 1
        self.entered.set()
        self.go.wait(5)
        for answer in self.answers:
            for hook in session.hooks["response"]:
                hook(answer)
        if self.fail is not None:
            raise self.fail

    def logged_in(self, response: Any) -> bool | None:
        return "account" in response.text if response.ok and response.is_html else None


class Stage:
    def __init__(self, login: Any = None, state: dict[str, Any] | None = None, *, certain: bool = True) -> None:
        self.spider = login or Member()
        self.session = FakeSession(state)
        self.pauses: list[str] = []
        self.trusted: set[Any] = set()
        self.login = Membership(
            self.session,  # type: ignore[arg-type]
            self.spider,
            certain=certain,
            trusted=self.trusted,
            pause=lambda: self.pauses.append("pause"),
            resume=lambda: self.pauses.append("resume"),
        )


def page(text: str, status: int = 200, html: bool = True) -> Any:
    return SimpleNamespace(
        text=text,
        body=text.encode(),
        _content=text.encode(),
        status_code=status,
        ok=status < 400,
        is_html=html,
        is_redirect=False,
        url="https://example.org/",
        history=[],
        headers={},
        forms=[],
        request=SimpleNamespace(method="GET"),
    )


def test_first_logs_in_once() -> None:
    """The first page waits for a login; until it has been judged nothing is handed out; the next page does not wait."""
    stage = Stage()
    assert Healing.DONE is stage.login.first()
    assert Healing.DONE is stage.login.first()
    assert (1, 1) == (stage.spider.calls, stage.login.epoch)
    assert ["pause"] == stage.pauses
    stage.login.let_go()
    assert ["pause", "resume"] == stage.pauses
    stage.login.let_go()
    assert ["pause", "resume"] == stage.pauses


def test_a_login_is_kept_once_a_page_confirms_it() -> None:
    """A wrong password must not make the next run believe that it is logged in."""
    stage = Stage()
    stage.login.first()
    assert not stage.login.saved
    assert not stage.login.looks_logged_out(page("account"), 1)
    assert stage.login.saved
    assert 1 == stage.session.profile.state["login"]["epoch"]


def test_the_answer_to_the_login_may_confirm_it() -> None:
    """A site that leads to the account page after the form says so at once."""
    stage = Stage()
    stage.spider.answers = [page("account")]
    stage.login.first()
    assert not stage.login.unproven(1)
    assert stage.login.finding(page("account")).member


def test_answers_from_before_and_during_a_login_leave_the_cookies_alone() -> None:
    """The jar's epoch moves twice: before the form is fetched and after the login is done."""
    stage = Stage()
    stage.login.first()
    assert 2 == len(stage.session.epochs)


def test_a_saved_login_is_trusted() -> None:
    """The second run of a job sends no login request."""
    stage = Stage(state={"login": {"epoch": 3}})
    assert Healing.DONE is stage.login.first()
    assert 0 == stage.spider.calls


def test_one_that_only_tells_members_is_not_asked_to_log_in_first() -> None:
    """Imported cookies: nothing is sent before a page comes back logged out."""
    member = Member()
    member.logs_in = False
    stage = Stage(member)
    assert Healing.DONE is stage.login.first()
    assert 0 == member.calls


def test_the_profiles_turn_is_held_until_the_page_is_judged() -> None:
    """Another process must not log in while this one does not know yet whether it is."""
    stage = Stage()
    stage.login.first()
    assert 1 == stage.session.turns
    stage.login.let_go()
    assert 0 == stage.session.turns


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
        assert Healing.DONE is stage.login.again(0)
        stage.login.let_go()
    assert 1 == stage.spider.calls


def test_while_one_logs_in_the_others_give_their_page_back() -> None:
    stage = Stage()
    stage.spider.go.clear()

    def log_in() -> None:
        stage.login.again(0)
        stage.login.let_go()

    thread = threading.Thread(target=log_in)
    thread.start()
    assert stage.spider.entered.wait(5)
    assert Healing.BUSY is stage.login.again(0)
    stage.login.let_go()
    stage.spider.go.set()
    thread.join(5)
    assert Healing.DONE is stage.login.again(0)
    assert (1, ["pause", "resume"]) == (stage.spider.calls, stage.pauses)


def test_a_page_that_never_shows_a_member_leads_to_no_login() -> None:
    """The last page that did is fetched again: while it still does, the session lives and the page is at fault."""
    stage = Stage()
    stage.login.first()
    stage.login.looks_logged_out(page("account"), 1)
    stage.session.shows = "account"
    assert Healing.ALIVE is stage.login.again(1)
    assert (1, ["https://example.org/"]) == (stage.spider.calls, stage.session.asked)
    stage.session.shows = "sign in"
    assert Healing.DONE is stage.login.again(1)
    assert 2 == stage.spider.calls


def test_a_failed_login_is_not_tried_again() -> None:
    """A wrong password is sent once: everybody after gets the first error."""
    stage = Stage()
    stage.spider.fail = ValueError("wrong password")
    for _ in range(3):
        with pytest.raises(LoginError, match="wrong password"):
            stage.login.again(0)
        stage.login.let_go()
    assert 1 == stage.spider.calls


def test_three_logins_without_a_logged_in_page_end_it() -> None:
    """A site that drops the session at once is not logged into for ever; a logged-in page starts the count anew."""
    stage = Stage()
    for epoch in range(MOST_IN_A_ROW):
        assert Healing.DONE is stage.login.again(epoch)
    assert not stage.login.looks_logged_out(page("account"), MOST_IN_A_ROW)
    for epoch in range(MOST_IN_A_ROW, 2 * MOST_IN_A_ROW):
        assert Healing.DONE is stage.login.again(epoch)
    with pytest.raises(LoginError, match="in a row"):
        stage.login.again(2 * MOST_IN_A_ROW)


def test_an_answer_from_before_a_login_does_not_confirm_it() -> None:
    """A logged-in page that was asked for in an older epoch says nothing about the login since."""
    stage = Stage()
    stage.login.again(0)
    assert not stage.login.looks_logged_out(page("account"), 0)
    assert stage.login.unproven(1)
    assert not stage.login.looks_logged_out(page("account"), 1)
    assert not stage.login.unproven(1)


def test_one_page_may_be_public_two_mean_that_the_login_failed() -> None:
    """The first page after the first login may show no member for its own reasons; a second one is an answer."""
    stage = Stage()
    stage.login.first()
    stage.login.doubt(1, "https://example.org/1")
    with pytest.raises(LoginError, match=r"example\.org/2 still shows a logged-out page"):
        stage.login.doubt(2, "https://example.org/2")
    with pytest.raises(LoginError):
        stage.login.again(1)

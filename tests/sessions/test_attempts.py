"""Attempts: what is counted of logins that fail, also where several sessions log in with one password."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from crawlkit.exceptions import LoginError
from crawlkit.sessions import attempts as module
from crawlkit.sessions.attempts import Attempts, recent
from crawlkit.sessions.vault import Vault


def test_siblings_count_together_and_are_saved(tmp_path: Path) -> None:
    profile = Vault(tmp_path / "v.db").profile("me")
    first = Attempts(profile, most=2)
    for attempts in (first.sibling(), first.sibling()):
        attempts.check()
        attempts.begin()
        attempts.failed()
    with pytest.raises(LoginError, match="2 logins as profile 'me' failed"):
        first.check()
    state = Vault(tmp_path / "v.db").profile("me").state
    assert 2 == len([name for name in state if module.is_attempt(name)])


def test_no_more_are_at_it_at_once_than_may_fail() -> None:
    """The third waits for what becomes of the two before it; a wrong password is sent twice."""
    first = Attempts(None, most=2)
    one, two, three = (first.sibling() for _ in range(3))
    for attempts in (one, two):
        attempts.check()
        attempts.begin()
    told: list[str] = []

    def check() -> None:
        try:
            three.check()
            told.append("may")
        except LoginError as error:
            told.append(str(error))

    thread = threading.Thread(target=check)
    thread.start()
    one.failed()
    thread.join(0.1)
    assert [] == told
    two.failed()
    thread.join(5)
    assert "2 logins" in told[0]


def test_those_that_worked_let_the_next_one_in() -> None:
    first = Attempts(None, most=1)
    one, two = first.sibling(), first.sibling()
    one.check()
    one.begin()
    thread = threading.Thread(target=two.check)
    thread.start()
    one.take_back()
    thread.join(5)
    assert not thread.is_alive()


def test_of_which_nothing_is_ever_known_one_is_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site where no page tells members from strangers costs six sessions no more than one."""
    monkeypatch.setattr(module, "_WAIT_SECONDS", 0.01)
    profile = Vault(tmp_path / "v.db").profile("me")
    first = Attempts(profile)
    for _ in range(6):
        attempts = first.sibling()
        attempts.check()
        attempts.begin()
    assert 1 == len([name for name in profile.state if module.is_attempt(name)])
    assert 1 == len(recent(profile.state, max(profile.state.values())))

"""Registry: what was secret when an archive was begun is secret until it is finished."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from crawlkit.archive.registry import Registry
from crawlkit.archive.secretindex import SecretIndex
from crawlkit.sessions.redactor import Redactor
from crawlkit.sessions.session import Session

SECRET = "s3cr3t/Val+ue=="


def finds(registry: Registry, text: str) -> bool:
    return bool(registry.index().hits(text.encode()))


def test_a_run_that_goes_on_knows_the_secrets_of_the_one_that_was_killed() -> None:
    """And gives them the same pseudonyms."""
    state: dict[str, Any] = {}
    killed = Registry(state)
    killed.learn(SECRET)
    killed.learn("of-a-page-7f3a", of_page=True)
    killed.keep()
    resumed = Registry(state)
    for secret in (SECRET, "of-a-page-7f3a"):
        assert finds(resumed, secret)
        assert killed.pseudonyms.of(secret) == resumed.pseudonyms.of(secret)


def test_a_profile_keeps_them_and_its_session_tells_nobody(tmp_path: Path) -> None:
    """What is in the vault when the process dies is what the next one starts with."""
    with Session(profile="me", vault=tmp_path / "sessions.db") as killed:
        registry = Registry(killed.profile.state)  # type: ignore[union-attr]
        registry.listen(killed.redactor)
        killed.cookies.set("sid", "cookie-7f3a9c", domain="site.example", path="/")
        registry.keep()
        killed.profile.save()  # type: ignore[union-attr]
    with Session(profile="me", vault=tmp_path / "sessions.db") as later:
        later.cookies.clear()
        resumed = Registry(later.profile.state)  # type: ignore[union-attr]
        assert finds(resumed, "cookie-7f3a9c")
        assert registry.key == resumed.key


def test_a_finished_package_leaves_the_key_alone() -> None:
    """With it next month's pseudonyms are the same; without the secrets the profile stays small."""
    state: dict[str, Any] = {}
    registry = Registry(state)
    registry.learn(SECRET)
    registry.keep()
    registry.forget()
    registry.learn("another-9c7f3a")
    registry.keep()
    later = Registry(state)
    assert {"key": registry.key.hex(), "secrets": []} == state["archive"]
    assert registry.key == later.key
    assert not finds(later, SECRET)


@pytest.mark.parametrize("state", [{"archive": 3}, {"archive": {"key": "xyz", "secrets": []}}, {"archive": {}}])
def test_a_state_that_makes_no_sense_is_begun_anew(state: dict[str, Any]) -> None:
    registry = Registry(state)
    registry.keep()
    assert registry.key == Registry(state).key


def test_nothing_new_is_nothing_to_save() -> None:
    state: dict[str, Any] = {}
    registry = Registry(state)
    registry.learn(SECRET)
    registry.keep()
    before = state["archive"]
    registry.learn(SECRET)
    registry.keep()
    assert before is state["archive"]


def test_without_a_profile_the_key_is_its_own() -> None:
    one, other = Registry(), Registry()
    one.keep()
    assert one.key != other.key


@pytest.mark.parametrize("value", ["12345678", "2026-01-31T12:00:00Z", "accepted", "forum.example.org", "short"])
def test_words_and_numbers_are_looked_for_nowhere(value: str) -> None:
    registry = Registry({})
    registry.learn(value)
    assert not finds(registry, value)


def test_what_the_user_adds_is_looked_for_whatever_it_is_and_never_kept() -> None:
    state: dict[str, Any] = {}
    registry = Registry(state, sure=["accepted", "abcd", "abc"])
    assert finds(registry, "x accepted y")
    assert finds(registry, "xabcdy")
    assert not finds(registry, "x abc y")
    registry.keep()
    assert [] == state["archive"]["secrets"]


def test_it_learns_what_a_redactor_learns_but_no_words() -> None:
    """A password is hidden in logs even when it is a word; a site has more words."""
    redactor, registry = Redactor(), Registry({})
    registry.listen(redactor)
    redactor.learn("wonderland", sure=True)
    redactor.learn("7f3a9c-cookie")
    assert finds(registry, "7f3a9c-cookie")
    assert not finds(registry, "wonderland")


def test_of_the_tokens_of_pages_the_newest_are_remembered_and_cookies_are_not_lost_to_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A page may have a token of its own each time it is fetched."""
    monkeypatch.setattr("crawlkit.archive.registry._MOST_OF_PAGES", 40)
    monkeypatch.setattr("crawlkit.archive.registry._MOST_KEPT", 30)
    state: dict[str, Any] = {}
    registry = Registry(state)
    registry.learn(SECRET)
    for number in range(200):
        registry.learn(f"token-{number:04}-x9", of_page=True)
        registry.index()
    assert finds(registry, "token-0199-x9")
    assert not finds(registry, "token-0001-x9")
    assert finds(registry, SECRET)
    assert len(registry.index()) <= 41
    registry.keep()
    assert 30 == len(state["archive"]["secrets"])
    assert [SECRET, "token-0199-x9"] == [state["archive"]["secrets"][0], state["archive"]["secrets"][-1]]


def test_the_repr_tells_no_secret() -> None:
    registry = Registry({})
    registry.learn(SECRET)
    registry.index()
    assert "<Registry of 1 secrets>" == repr(registry)


def test_who_learns_what_another_thread_is_taking_in_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or its page would be archived with the secret that it has just learnt from it."""
    registry = Registry()
    begun, may_go_on = threading.Event(), threading.Event()
    add = SecretIndex.add

    def slow(index: SecretIndex, secrets: Iterable[str], *, least: int) -> None:
        begun.set()
        assert may_go_on.wait(10)
        add(index, secrets, least=least)

    monkeypatch.setattr(SecretIndex, "add", slow)
    with ThreadPoolExecutor(2) as threads:
        registry.learn(SECRET)
        first = threads.submit(registry.index)
        assert begun.wait(10)
        registry.learn(SECRET)
        second = threads.submit(finds, registry, f"value={SECRET}")
        threading.Timer(0.1, may_go_on.set).start()
        assert second.result(10)
        first.result(10)

"""Profiles: what comes back from the vault, what never goes in, and merging with other processes."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawlkit.exceptions import StorageError, UsageError
from crawlkit.sessions.profile import Profile
from crawlkit.sessions.vault import Vault

HTTPS = "https://www.example.com/"


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "sessions.db")


def test_everything_comes_back(vault: Vault) -> None:
    """Every attribute of every cookie, headers with their kind of value, JSON state."""
    profile = vault.profile("a")
    lines = [
        "own=1; HttpOnly",
        "all=2; Domain=example.com; Secure; Path=/p; SameSite=Strict; Max-Age=1000",
        "nameless",
        "bytes=" + "é\x7f"[:1].encode().decode("latin-1") + "; SameSite=None; Secure",
    ]
    profile.jar.receive(HTTPS, lines)
    profile.jar.set("free", "1", rest={"Priority": "High"}, comment="a comment")
    profile.jar["bound"] = "1"
    profile.jar.header_for("https://first.example/")
    profile.headers.update({"User-Agent": "x/1", "X-Bytes": b"\xff\x00", "Accept": None})
    profile.state["login"] = {"epoch": 3, "at": 1.5, "list": [None, True, "ü"]}
    assert profile.changed and profile.save() and not profile.changed and not profile.save()
    again = vault.profile("a")
    assert not again.changed
    assert described(profile) == described(again)
    assert {"User-Agent": "x/1", "X-Bytes": b"\xff\x00", "Accept": None} == dict(again.headers)
    assert {"login": {"epoch": 3, "at": 1.5, "list": [None, True, "ü"]}} == again.state
    assert None is again.jar.header_for("https://sub.www.example.com/")  # aiohttp CVE-2026-54279
    again.jar["bound"] = "2"
    assert None is again.jar.header_for("https://second.example/")
    assert "a" in repr(again) and "own" not in repr(again)


def described(profile: Profile) -> list[tuple[Any, ...]]:
    slots = (
        "key",
        "value",
        "dotted",
        "secure",
        "httponly",
        "samesite",
        "expires",
        "discard",
        "creation",
        "accessed",
        "modified",
    )
    return sorted((*(getattr(cookie, slot) for slot in slots), sorted(cookie.extra())) for cookie in profile.jar)


def test_no_pickle_in_the_file(vault: Vault) -> None:
    """Rows and JSON only: nothing that the vault reads can run (aiohttp CVE-2026-34993)."""
    profile = vault.profile("a")
    profile.jar.set("a", "1", domain="example.com", rest={"odd": object})
    profile.state["x"] = [1]
    profile.save()
    db = sqlite3.connect(vault.path)
    values = [
        value
        for table in ("cookies", "headers", "state")
        for row in db.execute(f"SELECT * FROM {table}")
        for value in row
    ]
    db.close()
    assert not [value for value in values if isinstance(value, bytes)]
    assert not vault.path.read_bytes().count(pickle.PROTO + b"\x04")
    assert 1 == len(vault.profile("a").jar)


def test_headers_that_are_never_kept(vault: Vault) -> None:
    """What belongs to one exchange stays out, whatever its case."""
    profile = vault.profile("a")
    for name in (
        "Content-Type",
        "content-length",
        "If-None-Match",
        "IF-Range",
        "Host",
        "Cookie",
        "Range",
        "Proxy-Authorization",
    ):
        profile.headers[name] = "x"
    profile.headers["Contents"] = "kept"
    profile.save()
    assert {"Contents": "kept"} == dict(vault.profile("a").headers)


def test_headers_of_a_session(vault: Vault) -> None:
    """What differs from the session's defaults is kept; a default that was deleted is None; the next session
    gets both.
    """
    defaults = {"User-Agent": "crawlkit/1", "Accept": "*/*", "Accept-Encoding": "gzip"}
    profile = vault.profile("a")
    profile.keep_headers({"user-agent": "mine", "Accept": "*/*", "X-Key": "k", "If-Match": "no"}, defaults)
    profile.save()
    newer = {"User-Agent": "crawlkit/2", "Accept": "text/html", "Accept-Encoding": "gzip, br"}
    merged = vault.profile("a").headers_over(newer)
    assert {"user-agent": "mine", "accept": "text/html", "x-key": "k", "accept-encoding": None} == dict(
        merged.lower_items()
    )


def test_headers_of_two_sessions(vault: Vault) -> None:
    """A session that keeps its headers does not take away what another process added, and does what it
    deleted itself.
    """
    one, two = vault.profile("a"), vault.profile("a")
    one.keep_headers({"X-One": "1"}, {})
    two.keep_headers({"X-Two": "2", "X-Gone": "3"}, {})
    one.save(), two.save(), one.save()
    two.keep_headers({"X-Two": "2"}, {})
    one.keep_headers({"X-One": "1"}, {})
    two.save(), one.save()
    assert {"X-One": "1", "X-Two": "2"} == dict(vault.profile("a").headers) == dict(one.headers)


def test_cookies_end_in_the_vault_too(vault: Vault) -> None:
    """Expired cookies are not loaded, and their rows go."""
    profile = vault.profile("a")
    profile.jar.receive(HTTPS, ["a=1; Max-Age=1000", "b=2"])
    profile.save()
    db = sqlite3.connect(vault.path)
    with db:
        db.execute("UPDATE cookies SET expires = 1 WHERE name = 'a'")
    again = vault.profile("a")
    assert ["b"] == again.jar.keys()
    again.jar["c"] = "3"
    again.save()
    assert [("b",), ("c",)] == db.execute("SELECT name FROM cookies ORDER BY name").fetchall()
    db.close()


def test_assigned_attributes_are_saved(vault: Vault) -> None:
    """A program that lengthens its login by assigning to cookies finds it longer in the next run."""
    profile = vault.profile("a")
    profile.jar.receive(HTTPS, ["a=1"])
    profile.save()
    other = vault.profile("a")
    for cookie in profile.jar:
        cookie.expires, cookie.discard = 4_102_444_800, False
    assert profile.save()
    assert 4_102_444_800 == next(iter(vault.profile("a").jar)).expires
    other.save()
    assert 4_102_444_800 == next(iter(other.jar)).expires


def test_state_that_is_no_json(vault: Vault) -> None:
    """Named, and nothing is written."""
    profile = vault.profile("a")
    for value in (object(), float("nan"), {1: {2}}):
        profile.state["login"] = value
        with pytest.raises(UsageError, match=r"'login'.*profile a"):
            profile.save()
    assert [] == vault.names()


# --- two processes, one profile
# ---------------------------------------------------------------------------------------


@pytest.fixture
def pair(vault: Vault) -> tuple[Profile, Profile]:
    """One profile as two processes have it, with three cookies, two headers and a state."""
    profile = vault.profile("a")
    profile.jar.receive(HTTPS, ["a=1", "b=1", "c=1"])
    profile.headers.update({"X": "1", "Y": "1"})
    profile.state.update({"s": 1, "t": 1})
    profile.save()
    return vault.profile("a"), vault.profile("a")


def agree(one: Profile, two: Profile) -> dict[str, str]:
    """Both save until both have seen all; what they then have in common."""
    one.save(), two.save(), one.save()
    fresh = one.vault.profile("a")
    for profile in (one, two):
        assert fresh.jar.get_dict() == profile.jar.get_dict()
        assert dict(fresh.headers.lower_items()) == dict(profile.headers.lower_items())
        assert fresh.state == profile.state
        assert not profile.save()
    return fresh.jar.get_dict()


def test_changes_to_different_rows(pair: tuple[Profile, Profile]) -> None:
    """Both keep what either changed."""
    one, two = pair
    one.jar.receive(HTTPS, ["a=2", "n=1"])
    two.jar.receive(HTTPS, ["b=2", "m=1"])
    one.headers["X"], two.headers["Z"] = "2", None
    one.state["s"], two.state["u"] = 2, 2
    assert {"a": "2", "b": "2", "c": "1", "n": "1", "m": "1"} == agree(one, two)
    assert {"X": "2", "Y": "1", "Z": None} == dict(one.headers)
    assert {"s": 2, "t": 1, "u": 2} == two.state


def test_the_later_of_two_changes_stays(pair: tuple[Profile, Profile]) -> None:
    """Whoever saves first: what counts is when the cookie was set."""
    one, two = pair
    one.jar.receive(HTTPS, ["a=earlier"])
    two.jar.receive(HTTPS, ["a=later", "b=earlier"])
    one.jar.receive(HTTPS, ["b=later"])
    assert {"a": "later", "b": "later", "c": "1"} == agree(two, one)


def test_a_deleted_cookie_stays_deleted(pair: tuple[Profile, Profile]) -> None:
    """The other process, which still has it, does not bring it back; neither do headers and state."""
    one, two = pair
    one.jar.receive(HTTPS, ["a=; Max-Age=0"])
    del one.jar["b"], one.headers["X"], one.state["s"]
    two.jar.receive(HTTPS, ["n=1"])
    assert {"c": "1", "n": "1"} == agree(one, two)
    assert {"Y": "1"} == dict(two.headers) and {"t": 1} == two.state


def test_a_cookie_deleted_here_and_changed_there(pair: tuple[Profile, Profile]) -> None:
    """It stays deleted unless the other changed it later."""
    one, two = pair
    two.jar.receive(HTTPS, ["a=before"])
    del one.jar["a"], one.jar["b"]
    two.jar.receive(HTTPS, ["b=after"])
    assert {"b": "after", "c": "1"} == agree(one, two)


def test_deleted_and_set_again(pair: tuple[Profile, Profile]) -> None:
    """A deletion that is over leaves nothing behind."""
    one, two = pair
    del one.jar["a"]
    one.save(), two.save()
    two.jar.receive(HTTPS, ["a=2"])
    assert "2" == agree(one, two)["a"]


def test_a_forgotten_profile_stays_forgotten(pair: tuple[Profile, Profile]) -> None:
    """A process that had it loaded keeps what it changed since and drops the rest."""
    one, _ = pair
    one.vault.delete("a")
    one.jar.receive(HTTPS, ["n=1"])
    one.headers["New"] = "1"
    one.save()
    fresh = one.vault.profile("a")
    assert {"n": "1"} == fresh.jar.get_dict() == one.jar.get_dict()
    assert {"New": "1"} == dict(fresh.headers) == dict(one.headers) and {} == fresh.state == one.state


def test_loading_again(pair: tuple[Profile, Profile]) -> None:
    """load() brings what others saved and keeps what is not saved yet."""
    one, two = pair
    one.jar.receive(HTTPS, ["a=2"])
    one.headers["X"] = "2"
    one.save()
    two.jar.receive(HTTPS, ["b=2"])
    two.headers["Y"] = "2"
    two.state["s"] = 2
    two.load()
    assert {"a": "2", "b": "2", "c": "1"} == two.jar.get_dict()
    assert {"X": "2", "Y": "2"} == dict(two.headers) and 2 == two.state["s"]
    assert two.changed and two.save()
    assert {"a": "2", "b": "2", "c": "1"} == agree(one, two)


def test_another_jar(pair: tuple[Profile, Profile]) -> None:
    """A jar that is put in the place of the profile's is saved as the difference."""
    one, two = pair
    replacement = one.jar.copy()
    del replacement["a"]
    replacement["n"] = "1"
    one.jar = replacement
    assert one.changed
    assert {"b": "1", "c": "1", "n": "1"} == agree(one, two)


def test_access_times_alone(pair: tuple[Profile, Profile], monkeypatch: pytest.MonkeyPatch) -> None:
    """They are written with other changes, or when they are an hour old, and change nothing for others."""
    one, two = pair
    one.jar.header_for(HTTPS)
    assert not one.changed and not one.save()
    accessed = next(iter(one.jar)).accessed
    assert accessed > next(iter(one.vault.profile("a").jar)).accessed
    one.jar["n"] = "1"
    one.save()
    assert accessed == next(cookie for cookie in one.vault.profile("a").jar if cookie.name == "a").accessed
    for cookie in one.jar:
        cookie.accessed += 4000
    assert not one.save()
    assert accessed + 4000 == next(cookie for cookie in one.vault.profile("a").jar if cookie.name == "a").accessed
    two.save()
    assert {"a", "b", "c", "n"} == set(two.jar.keys())


def test_a_failed_save_loses_nothing(pair: tuple[Profile, Profile]) -> None:
    """What could not be written is written by the next save."""
    one, two = pair
    one.jar["n"] = "1"
    del one.jar["a"]
    one.vault.path.chmod(0o640)
    with pytest.raises(StorageError):
        one.save()
    assert one.changed
    one.vault.path.chmod(0o600)
    assert {"b": "1", "c": "1", "n": "1"} == agree(one, two)


def test_threads_save_and_set(vault: Vault) -> None:
    """Threads that set cookies, change state and save one profile lose nothing."""
    profile = vault.profile("a")
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(10):
                profile.jar.receive(HTTPS, [f"c{number}-{turn}=1"])
                profile.state[f"{number}"] = turn
                profile.save()
        except BaseException as error:  # noqa: BLE001 - told below
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [] == errors
    fresh = vault.profile("a")
    assert {f"c{n}-{turn}" for n in range(6) for turn in range(10)} == set(fresh.jar.keys())
    assert {str(n): 9 for n in range(6)} == fresh.state


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_saves_too(vault: Vault) -> None:
    """Parent and child go on with one profile, each with connections of its own."""
    profile = vault.profile("a")
    profile.jar.receive(HTTPS, ["a=1"])
    profile.save()
    child = os.fork()
    if child == 0:
        profile.jar.receive(HTTPS, ["child=1"])
        os._exit(0 if profile.save() else 1)
    profile.jar.receive(HTTPS, ["parent=1"])
    profile.save()
    assert 0 == os.waitpid(child, 0)[1]
    profile.save()
    assert {"a": "1", "child": "1", "parent": "1"} == profile.jar.get_dict()


def save_many(path: str, name: str, turns: int) -> None:
    """One of two processes: new cookies, a counter, a cookie that comes and goes, each saved."""
    profile = Vault(path, busy_seconds=120).profile("shared")
    for turn in range(turns):
        profile.jar.receive(HTTPS, [f"{name}{turn}=1; Path=/{name}", f"{name}=turn{turn}"])
        if turn:
            profile.jar.clear("www.example.com", f"/{name}", f"{name}{turn - 1}")
        profile.state[name] = turn
        profile.headers[f"X-{name}"] = str(turn)
        profile.save()


@pytest.mark.parametrize("turns", [50, pytest.param(1000, marks=pytest.mark.slow)])
def test_two_processes_save_one_profile(vault: Vault, turns: int) -> None:
    """However often: no update of either is lost, and no deletion."""
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=save_many, args=(str(vault.path), name, turns)) for name in ("p", "q")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [0, 0] == [worker.exitcode for worker in workers]
    profile = vault.profile("shared")
    last = turns - 1
    assert {f"p{last}": "1", "p": f"turn{last}", f"q{last}": "1", "q": f"turn{last}"} == profile.jar.get_dict()
    assert {"p": last, "q": last} == profile.state
    assert {"X-p": str(last), "X-q": str(last)} == dict(profile.headers)


# --- jars in general
# --------------------------------------------------------------------------------------------------

HOSTS = [
    "example.com",
    "www.example.com",
    "a.www.example.com",
    "example.co.uk",
    "localhost",
    "127.0.0.1",
    "xn--bcher-kva.example",
]
PATHS = ["/", "/a", "/a/", "/a/b"]
LINES = st.tuples(
    st.sampled_from(HOSTS),
    st.sampled_from(PATHS),
    st.text("abAB_ $", max_size=3),
    st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=6),
    st.sampled_from(
        ["", "; Domain=example.com", "; Domain=www.example.com", "; Domain=example.co.uk", "; Domain=co.uk"]
    ),
    st.sampled_from(["", "; Path=/", "; Path=/a", "; Path=/a/b", "; Path="]),
    st.lists(
        st.sampled_from(
            ["; Secure", "; HttpOnly", "; SameSite=Lax", "; SameSite=None", "; Max-Age=999", "; Max-Age=0"]
        ),
        max_size=3,
    ),
)
URLS = [
    f"{scheme}://{host}{path}" for scheme in ("http", "https") for host in [*HOSTS, "other.example"] for path in PATHS
]


def check_a_jar(vault: Vault, lines: list[tuple[Any, ...]], free: dict[str, str]) -> None:
    vault.delete("a")
    profile = vault.profile("a")
    for host, path, name, value, *attributes, flags in lines:
        profile.jar.receive(f"https://{host}{path}", [f"{name}={value}{''.join(attributes)}{''.join(flags)}"])
    for name, value in free.items():
        profile.jar.set(name, value, domain="example.com")
    profile.save()
    again = vault.profile("a")
    for url in URLS:
        for method, same_site in (("GET", True), ("POST", False)):
            options = {"method": method, "same_site": same_site}
            assert profile.jar.header_for(url, **options) == again.jar.header_for(url, **options), url


JARS = given(
    st.lists(LINES, max_size=12),
    st.dictionaries(st.text("abc", min_size=1, max_size=2), st.text("xy€", max_size=3), max_size=3),
)
FREELY = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]}


@JARS
@settings(max_examples=150, **FREELY)
def test_jars_come_back(vault: Vault, lines: list[tuple[Any, ...]], free: dict[str, str]) -> None:
    """Whatever is in a jar: saved and loaded, it gives every URL the same Cookie header."""
    check_a_jar(vault, lines, free)


@pytest.mark.slow
@JARS
@settings(max_examples=10_000, **FREELY)
def test_ten_thousand_jars_come_back(vault: Vault, lines: list[tuple[Any, ...]], free: dict[str, str]) -> None:
    """The same, for as many as the goal says."""
    check_a_jar(vault, lines, free)

"""A session with a profile: what is there in the next run, and when it gets there."""

from __future__ import annotations

import gc
import logging
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from crawlkit import Session
from crawlkit.exceptions import StorageError
from crawlkit.sessions import autosave
from crawlkit.sessions.vault import Vault
from tests.sessions.mirror import Mirror


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    return tmp_path / "data" / "sessions.db"


def test_cookies_without_an_expiry_are_there_in_the_next_session(mirror: Mirror, vault: Path) -> None:
    with Session(profile="member", vault=vault) as session:
        session.get(mirror.url("/cookies?set=login%3Dyes%3B+Path%3D/%3B+HttpOnly"))
    with Session(profile="member", vault=vault) as session:
        session.get(mirror.url())
    assert "login=yes" == mirror.seen[-1].header("cookie")


def test_the_vault_is_in_the_data_folder_when_none_is_named(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Session(profile="member") as session:
        session.get(mirror.url("/cookies?set=a%3D1"))
    assert (tmp_path / "data" / "sessions.db").exists()


def test_headers_are_kept_but_for_those_of_one_exchange(mirror: Mirror, vault: Path) -> None:
    with Session(profile="member", vault=vault) as session:
        session.headers.update(
            {"X-Auth-Token": "t", "If-None-Match": '"e"', "Content-Type": "text/x", "Range": "bytes=1-"}
        )
    with Session(profile="member", vault=vault) as session:
        session.get(mirror.url())
    seen = mirror.seen[-1]
    assert "t" == seen.header("x-auth-token")
    assert [None, None, None] == [seen.header(name) for name in ("if-none-match", "content-type", "range")]


ENDS = {
    "changed in place": "session.headers['X-Token'] = 'new'",
    "another mapping": "session.headers = {**session.headers, 'X-Token': 'new'}; session.cookies.set('b', '2')",
    "after a save": "session.save(); session.headers['X-Token'] = 'new'",
    "the session is gone": "session.headers['X-Token'] = 'new'; del session",
}


@pytest.mark.parametrize("change", ENDS.values(), ids=ENDS)
def test_headers_and_cookies_are_saved_when_a_program_ends_without_close(
    mirror: Mirror, vault: Path, change: str
) -> None:
    program = (
        "from crawlkit import Session\n"
        f"session = Session(profile='member', vault={str(vault)!r})\n"
        "session.default_headers = {'User-Agent': 'this-run/1'}\n"
        f"session.get({mirror.url('/cookies?set=a%3D1')!r})\n"
        f"{change}\n"
        f"'session' in dir() and session.get({mirror.url()!r})\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    with Session(profile="member", vault=vault) as session:
        assert "new" == session.headers["X-Token"]
        assert "1" == session.cookies["a"]
        assert "this-run/1" != session.headers["User-Agent"]


def test_the_end_of_a_program_that_changed_no_header_leaves_what_another_saved(mirror: Mirror, vault: Path) -> None:
    with Session(profile="member", vault=vault) as session:
        session.headers["X-Token"] = "old"
    left = Session(profile="member", vault=vault)
    with Session(profile="member", vault=vault) as session:
        session.headers["X-Token"] = "new"
    del left
    gc.collect()
    with Session(profile="member", vault=vault) as session:
        assert "new" == session.headers["X-Token"]


def test_default_headers_are_not_kept(mirror: Mirror, vault: Path) -> None:
    with Session(profile="member", vault=vault) as session:
        session.default_headers = {"User-Agent": "this-run/1"}
    with Session(profile="member", vault=vault) as session:
        assert "this-run/1" != session.headers["User-Agent"]


def test_profiles_do_not_see_each_other(mirror: Mirror, vault: Path) -> None:
    with Session(profile="one", vault=vault) as session:
        session.get(mirror.url("/cookies?set=a%3D1"))
    with Session(profile="two", vault=vault) as session:
        assert {} == session.cookies.get_dict()


def test_a_vault_may_be_passed_itself(mirror: Mirror, vault: Path) -> None:
    with Session(profile="one", vault=Vault.open(vault)) as session:
        assert "one" == session.profile.name


def test_submit_saves_at_once(mirror: Mirror, vault: Path) -> None:
    """A login must not be lost to whatever happens next."""
    session = Session(profile="member", vault=vault)
    html = '<form method="post" action="/cookies?set=login%3Dyes"><input name="user"><button>in</button></form>'
    page = session.get(mirror.url(f"/answer?type=text/html&hex={html.encode().hex()}"))
    session.submit(page.form(), {"user": "ann"})
    assert b"user=ann" == mirror.seen[-1].body
    assert {"login": "yes"} == Vault.open(vault).profile("member").jar.get_dict()


def test_it_saves_at_intervals(mirror: Mirror, vault: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(autosave.time, "monotonic", lambda: now)
    session = Session(profile="member", vault=vault)
    session.get(mirror.url("/cookies?set=a%3D1"))
    assert {} == Vault.open(vault).profile("member").jar.get_dict()
    now += autosave.INTERVAL_SECONDS + 1
    session.get(mirror.url("/cookies?set=b%3D2"))
    assert {"a": "1", "b": "2"} == Vault.open(vault).profile("member").jar.get_dict()


def test_an_interval_that_cannot_save_does_not_fail_the_request(
    mirror: Mirror, vault: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    session = Session(profile="member", vault=vault)

    def full() -> bool:
        raise StorageError("the disk is full")

    monkeypatch.setattr(session.profile, "save", full)
    monkeypatch.setattr(session._autosave, "_interval_seconds", 0.0)
    with caplog.at_level(logging.WARNING):
        assert 200 == session.get(mirror.url("/cookies?set=a%3D1")).status_code
    assert "the disk is full" in caplog.text
    with pytest.raises(StorageError):
        session.close()


def test_two_sessions_of_one_profile_lose_nothing(mirror: Mirror, vault: Path) -> None:
    first = Session(profile="member", vault=vault)
    second = Session(profile="member", vault=vault)
    first.get(mirror.url("/cookies?set=a%3D1"))
    first.headers["X-First"] = "1"
    second.get(mirror.url("/cookies?set=b%3D2"))
    second.headers["X-Second"] = "2"
    first.close()
    second.close()
    with Session(profile="member", vault=vault) as third:
        assert {"a": "1", "b": "2"} == third.cookies.get_dict()
        assert ("1", "2") == (third.headers.get("X-First"), third.headers.get("X-Second"))


def test_a_jar_that_is_assigned_is_what_the_profile_keeps(vault: Path) -> None:
    with Session(profile="member", vault=vault) as session:
        session.cookies = {"a": "1"}
    assert {"a": "1"} == Vault.open(vault).profile("member").jar.get_dict()


def test_a_program_that_never_closes_keeps_its_login(mirror: Mirror, vault: Path) -> None:
    program = (
        "from crawlkit import Session\n"
        f"session = Session(profile='member', vault={str(vault)!r})\n"
        f"session.get({mirror.url('/cookies?set=a%3D1')!r})\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    assert {"a": "1"} == Vault.open(vault).profile("member").jar.get_dict()


def test_a_pickle_names_its_profile(mirror: Mirror, vault: Path) -> None:
    with Session(profile="member", vault=vault) as session:
        session.get(mirror.url("/cookies?set=secret%3Dk4711"))
        dump = pickle.dumps(session)
    assert b"k4711" not in dump
    with pickle.loads(dump) as copy:  # noqa: S301
        assert {"secret": "k4711"} == copy.cookies.get_dict()
        assert "member" == copy.profile.name

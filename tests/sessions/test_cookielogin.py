"""CookieLogin: the cookies of a file, read anew when it is, and spent when it is not."""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawlkit import CookieLogin, Session
from crawlkit.exceptions import HTTPError, LoginError, UsageError
from crawlkit.testing import HostileServer
from crawlkit.testing.hostile import Received, Step, answer

LATER = int(time.time()) + 86400
FORM = b"<!doctype html><form method=post><input name=user><input type=password name=pw></form>"


class Export:
    """The file that a person exports from the browser."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written = 0

    def write(self, *cookies: tuple[str, str, int]) -> None:
        """Name, value and expiry (0: with the browser) of cookies of 127.0.0.1."""
        lines = [f"127.0.0.1\tFALSE\t/\tFALSE\t{expires}\t{name}\t{value}\n" for name, value, expires in cookies]
        self.path.write_text("# Netscape HTTP Cookie File\n" + "".join(lines))
        self._written += 1
        os.utime(self.path, (1_000_000 + self._written, 1_000_000 + self._written))


@pytest.fixture
def export(tmp_path: Path) -> Export:
    return Export(tmp_path / "cookies.txt")


@pytest.fixture
def server() -> Iterator[HostileServer]:
    """A page for whom has the cookie session=good; others are led to a form."""
    with HostileServer() as server:

        def page(request: Received) -> list[Step]:
            if "session=good" in (request.header("Cookie") or ""):
                return [answer(body=b"welcome")]
            return [answer("302 Found", headers=[("Location", "/login")])]

        server.play("/", page)
        server.play("/login", [answer(body=FORM)])
        yield server


def test_the_files_cookies_are_there_at_once(export: Export, server: HostileServer) -> None:
    """Without a request of its own."""
    export.write(("session", "good", LATER), ("lang", "de", 0))
    with Session(login=CookieLogin(export.path)) as session:
        assert [] == server.requests
        assert "welcome" == session.get(server.url()).text
        assert {"session": "good", "lang": "de"} == session.cookies.get_dict()


def test_json_of_a_browsers_extension_serves_as_well(export: Export) -> None:
    export.path.write_text('[{"domain": "127.0.0.1", "name": "session", "value": "g\u00f6\u00f6d", "path": "/"}]')
    session = Session()
    CookieLogin(export.path).attach(session)
    assert "g\u00f6\u00f6d".encode().decode("latin-1") == session.cookies["session"]
    export.path.write_text("[{}]")
    with pytest.raises(UsageError, match=r"cookies\.txt, cookie 1: "):
        CookieLogin(export.path).attach(session)


def test_a_profile_keeps_what_the_site_changed(export: Export, server: HostileServer, tmp_path: Path) -> None:
    """The file is read once; the next run does not bring old cookies back, unless there is a newer file."""
    export.write(("session", "first", LATER))
    vault, login = tmp_path / "vault" / "sessions.db", CookieLogin(export.path)
    with Session(profile="me", vault=vault) as session:
        login.attach(session)
        session.cookies.set("session", "renewed", domain="127.0.0.1", path="/")
    with Session(profile="me", vault=vault) as session:
        login.attach(session)
        assert "renewed" == session.cookies["session"]
    export.write(("session", "good", LATER))
    with Session(profile="me", vault=vault) as session:
        login.attach(session)
        assert "good" == session.cookies["session"]


def test_a_newer_file_serves_the_next_login(export: Export) -> None:
    export.write(("session", "first", LATER))
    session, login = Session(), CookieLogin(export.path)
    login.attach(session)
    login.log_in(session, None)
    export.write(("session", "good", LATER))
    login.log_in(session, None)
    assert "good" == session.cookies["session"]


def test_what_the_site_refused_is_spent(export: Export) -> None:
    """The second login with one export: the first was of no use."""
    export.write(("session", "bad", LATER), ("old", "x", 86400 * 365))
    session, login = Session(), CookieLogin(export.path)
    login.attach(session)
    login.log_in(session, None)
    with pytest.raises(
        LoginError, match=r"are spent.*does not take them.*expired: old on 1971-01-01 00:00 UTC.*again from"
    ) as caught:
        login.log_in(session, None)
    assert str(export.path) in str(caught.value)
    login.log_in(Session(), None)  # another session has not tried


def test_what_expired_is_spent(export: Export) -> None:
    export.write(("session", "good", 86400), ("other", "x", 2 * 86400))
    with pytest.raises(
        LoginError, match="all have expired; expired: other on 1970-01-03 00:00 UTC, session on 1970-01-02"
    ):
        CookieLogin(export.path).log_in(Session(), None)


@pytest.mark.parametrize(
    ("page", "match"),
    [
        ([answer("401 Unauthorized")], "answered 401"),
        ([answer("403 Forbidden")], "answered 403"),
        ([answer("302 Found", headers=[("Location", "/login")])], "with a login form"),
        ([answer("302 Found", headers=[("Location", "/welcome")])], "led to .*/welcome"),
        ([answer(body=FORM)], "with a login form"),
    ],
)
def test_a_page_for_members_tells_at_once(export: Export, server: HostileServer, page: list[Step], match: str) -> None:
    export.write(("session", "bad", LATER))
    server.play("/members", page)
    server.play("/welcome", [answer()])
    with pytest.raises(LoginError, match=f"are spent .*{match}"):
        CookieLogin(export.path, url=server.url("/members")).log_in(Session(), None)


def test_a_page_for_members_confirms(export: Export, server: HostileServer) -> None:
    export.write(("session", "good", LATER))
    CookieLogin(export.path, url=server.url()).log_in(Session(), None)
    assert 1 == len(server.requests)
    server.play("/", [answer("501 Broken")])
    with pytest.raises(HTTPError):
        CookieLogin(export.path, url=server.url()).log_in(Session(), None)


def test_a_broken_file_is_named_with_its_line(export: Export) -> None:
    export.path.write_text("# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\ta\tb\nhunter2\n")
    for use in (CookieLogin(export.path).attach, lambda session: CookieLogin(export.path).log_in(session, None)):
        with pytest.raises(UsageError, match=r"cookies\.txt, line 3: ") as caught:
            use(Session())
        assert "hunter2" not in str(caught.value)


def test_a_missing_file_is_told_when_it_is_needed(export: Export) -> None:
    """A profile may have what it held."""
    login = CookieLogin(export.path)
    login.attach(Session())
    with pytest.raises(LoginError, match="is not there: export the cookies"):
        login.log_in(Session(), None)


def test_a_session_heals_by_a_newer_file(export: Export, server: HostileServer) -> None:
    """And says that the cookies are spent while there is none."""
    export.write(("session", "good", LATER))
    with Session(login=CookieLogin(export.path)) as session:
        assert "welcome" == session.get(server.url()).text
        session.cookies.set("session", "dead", domain="127.0.0.1", path="/")
        export.write(("session", "good", LATER))
        assert "welcome" == session.get(server.url()).text


def test_it_pickles_and_its_repr_shows_the_path(export: Export) -> None:
    login = pickle.loads(pickle.dumps(CookieLogin(export.path, url="https://example.org/")))  # noqa: S301
    assert f"<CookieLogin {export.path}>" == repr(login)


def test_a_later_run_does_not_log_in_with_what_was_used_up(
    export: Export, server: HostileServer, tmp_path: Path
) -> None:
    """The profile was logged in with this export, and comes back logged out: it is spent, and nothing is fetched as nobody.
    A newer one is taken.
    """
    export.write(("session", "good", LATER))
    vault = tmp_path / "sessions.db"
    with Session(profile="me", vault=vault, login=CookieLogin(export.path)) as session:
        assert "welcome" == session.get(server.url()).text
        assert session.membership is not None
        session.membership.proven()
    server.play("/", [answer("302 Found", headers=[("Location", "/login")])])
    with (
        Session(profile="me", vault=vault, login=CookieLogin(export.path)) as session,
        pytest.raises(LoginError, match=r"are spent .the site does not take them any more"),
    ):
        session.get(server.url())
    server.play("/", [answer(body=b"welcome")])
    export.write(("session", "newer", LATER))
    with Session(profile="me", vault=vault, login=CookieLogin(export.path)) as session:
        assert "welcome" == session.get(server.url()).text
        assert "newer" == session.cookies["session"]

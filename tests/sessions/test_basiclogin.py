"""BasicLogin: signs requests to one origin, and says at once when the password is wrong."""

from __future__ import annotations

import base64
import pickle
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from crawlkit import BasicLogin, Session
from crawlkit.exceptions import ConfigError, HTTPError, LoginError
from crawlkit.sessions.membership import Membership
from crawlkit.testing import HostileServer
from crawlkit.testing.hostile import Received, Step, answer

PASSWORD = "a-quiet-r00m"
RIGHT = "Basic " + base64.b64encode(f"reader:{PASSWORD}".encode()).decode()
ACCOUNT: Any = SimpleNamespace(username="reader", password=PASSWORD)


def basic(request: Received) -> list[Step]:
    if request.header("Authorization") == RIGHT:
        return [answer(body=b"welcome")]
    return [answer("401 Unauthorized", b"go away", [("WWW-Authenticate", 'Basic realm="members"')])]


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer() as server:
        server.play("/", basic)
        server.play("/more", basic)
        yield server


def signed(server: HostileServer) -> list[str | None]:
    return [request.header("Authorization") for request in server.requests]


def test_every_request_to_the_origin_is_signed(server: HostileServer) -> None:
    session = Session()
    BasicLogin(url=server.url()).log_in(session, ACCOUNT)
    assert 200 == session.get(server.url("/more")).status_code
    assert [RIGHT, RIGHT] == signed(server)


def test_no_other_origin_sees_the_password(server: HostileServer) -> None:
    """Not by a request of its own, nor by a redirect; what the session or the URL had for it stays."""
    with HostileServer() as other:
        other.play("/", [answer()])
        server.play("/out", [answer("302 Found", headers=[("Location", other.url())])])
        session = Session()
        BasicLogin("reader", PASSWORD, url=server.url()).attach(session)
        session.get(other.url())
        session.get(server.url("/out"))
        session.get(other.url().replace("//", "//me:mine@"))
        mine = "Basic " + base64.b64encode(b"me:mine").decode()
        assert [None, None, mine] == signed(other)
        session = Session()
        session.auth = ("me", "mine")
        BasicLogin("reader", PASSWORD, url=server.url()).attach(session)
        BasicLogin("reader", PASSWORD, url=server.url()).attach(session)
        session.get(other.url())
        assert 200 == session.get(server.url()).status_code
        assert mine == signed(other)[-1]


def test_a_wrong_password_is_told(server: HostileServer) -> None:
    session = Session()
    login = BasicLogin("reader", "wr0ng-one", url=server.url())
    with pytest.raises(LoginError, match=r"answered 401.*wrong user name or password") as caught:
        login.log_in(session, None)
    assert 1 == len(server.requests)
    assert "wr0ng-one" not in str(caught.value) + repr(login) + repr(session.auth)
    assert "[redacted]" == session.redactor.redact("wr0ng-one")


def test_digest_is_asked_for_by_name(server: HostileServer) -> None:
    server.play("/digest", [answer(401, headers=[("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth"')])])
    with pytest.raises(LoginError, match=r"BasicLogin\(…, digest=True\)"):
        BasicLogin(url=server.url("/digest")).log_in(Session(), ACCOUNT)
    with pytest.raises(LoginError, match="leave digest=True out"):
        BasicLogin(url=server.url("/"), digest=True).log_in(Session(), ACCOUNT)


def test_by_digest_the_password_does_not_travel(server: HostileServer) -> None:
    def digest(request: Received) -> list[Step]:
        if 'username="reader"' in (request.header("Authorization") or ""):
            return [answer()]
        return [answer(401, headers=[("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth"')])]

    server.play("/digest", digest)
    session = Session()
    BasicLogin(url=server.url("/digest"), digest=True).log_in(session, ACCOUNT)
    assert 200 == session.get(server.url("/digest")).status_code
    assert 3 == len(server.requests)
    assert all((value or "Digest ").startswith("Digest ") for value in signed(server))


def test_a_fault_of_the_server_is_no_refusal(server: HostileServer) -> None:
    server.play("/", [answer("501 Broken")])
    with pytest.raises(HTTPError):
        BasicLogin(url=server.url()).log_in(Session(), ACCOUNT)


def test_missing_credentials_are_told(server: HostileServer) -> None:
    class Nobody:
        @property
        def username(self) -> str:
            raise ConfigError("there is no username")

    with pytest.raises(ConfigError, match="no username"):
        BasicLogin(url=server.url()).log_in(Session(), Nobody())  # type: ignore[arg-type]
    with pytest.raises(LoginError, match=r"BasicLogin\(username, password, url=…\)"):
        BasicLogin(url=server.url()).log_in(Session(), None)
    assert [] == server.requests


def test_a_session_with_it_is_logged_in_from_the_first_request(server: HostileServer, tmp_path: Any) -> None:
    """Also when its profile was logged in before: no profile keeps a password."""
    for _ in range(2):
        with Session(
            profile="me", vault=tmp_path / "v" / "s.db", login=BasicLogin("reader", PASSWORD, url=server.url())
        ) as session:
            assert "welcome" == session.get(server.url("/more")).text
    assert {RIGHT} == set(signed(server)) - {None}  # once it is looked at with a stranger's eyes
    assert PASSWORD.encode() not in (tmp_path / "v" / "s.db").read_bytes()
    assert RIGHT.partition(" ")[2].encode() not in (tmp_path / "v" / "s.db").read_bytes()


def test_credentials_are_read_anew_in_each_run(server: HostileServer, tmp_path: Any) -> None:
    """A page that shows something to everybody shows no run what a stranger sees."""
    server.play("/open", lambda request: [answer(body=b"member" if request.header("Authorization") else b"stranger")])
    for _ in range(2):
        with Session(profile="me", vault=tmp_path / "v" / "s.db") as session:
            session._membership = Membership(session, BasicLogin(url=server.url()), ACCOUNT)
            assert "member" == session.get(server.url("/open")).text
            assert 200 == session.get(server.url("/more")).status_code
            assert session.membership.saved


def test_a_session_with_it_pickles(server: HostileServer) -> None:
    session = Session(login=BasicLogin("reader", PASSWORD, url=server.url()))
    session = pickle.loads(pickle.dumps(session))  # noqa: S301
    assert 200 == session.get(server.url()).status_code


def test_its_repr_shows_the_url_alone() -> None:
    login = BasicLogin("reader", PASSWORD, url="https://me:hunter2@example.org/")
    assert "<BasicLogin https://example.org/>" == repr(login)

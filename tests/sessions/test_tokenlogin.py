"""TokenLogin: the token is fetched, sent to its origin alone, renewed in time by one thread, and kept in the profile."""

from __future__ import annotations

import base64
import itertools
import json
import pickle
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

import pytest

from crawlkit import RetryPolicy, Session, TokenLogin
from crawlkit.exceptions import ConnectionError, HTTPError, LoginError
from crawlkit.sessions import tokenauth
from crawlkit.sessions.tokens import Tokens, read_tokens
from crawlkit.testing import HostileServer
from crawlkit.testing.hostile import Close, Received, Step, answer

PASSWORD = "a-quiet-r00m"
#: Of a program that has everything repeated.
EAGER = RetryPolicy(3, methods=None, backoff_seconds=0)
ACCOUNT: Any = SimpleNamespace(username="reader", password=PASSWORD)


def as_json(status: int | str, body: Any) -> bytes:
    return answer(status, json.dumps(body).encode(), kind="application/json")


class Api:
    """An API with rotating refresh tokens: each is taken once. `lifetime` is what it says of a token, in seconds."""

    def __init__(self, server: HostileServer) -> None:
        self.server = server
        self.lifetime: float | None = 3600
        self.lock = threading.Lock()
        self.numbers = itertools.count(1)
        self.access: set[str] = set()
        self.refresh: set[str] = set()
        self.logins: list[dict[str, Any]] = []
        self.renewals: list[dict[str, Any]] = []
        server.play("/token", self.token)
        server.play("/token/refresh", self.renew)
        server.play("/thing", self.thing)

    def login(self, **arguments: Any) -> TokenLogin:
        return TokenLogin(self.server.url("/token"), refresh_url=self.server.url("/token/refresh"), **arguments)

    def session(self, **arguments: Any) -> Session:
        """A session that is logged in."""
        session, login = Session(**arguments), self.login()
        login.attach(session)
        login.log_in(session, ACCOUNT)
        return session

    def issue(self) -> dict[str, Any]:
        number = next(self.numbers)
        self.access.add(f"access-{number}")
        self.refresh.add(f"refresh-{number}")
        times = {} if self.lifetime is None else {"expires_in": self.lifetime}
        return {"access": f"access-{number}", "refresh": f"refresh-{number}", **times}

    def token(self, request: Received) -> list[Step]:
        fields = json.loads(request.body)
        with self.lock:
            self.logins.append(fields)
            if fields.get("password") != PASSWORD:
                return [as_json("401 Unauthorized", {"detail": f"No account for {fields.get('password')}"})]
            return [as_json(200, self.issue())]

    def renew(self, request: Received) -> list[Step]:
        fields = json.loads(request.body)
        with self.lock:
            self.renewals.append(fields)
            if fields.get("refresh") not in self.refresh:
                return [as_json("401 Unauthorized", {"detail": "Token is blacklisted"})]
            self.refresh.remove(fields["refresh"])
            return [as_json(200, self.issue())]

    def thing(self, request: Received) -> list[Step]:
        with self.lock:
            known = (request.header("Authorization") or "").removeprefix("Bearer ") in self.access
        return [as_json(200, {"thing": 1}) if known else as_json("401 Unauthorized", {"detail": "Token is expired"})]

    def expire(self) -> None:
        """No access token is taken any more."""
        with self.lock:
            self.access.clear()

    def get(self, session: Session) -> int:
        return session.get(self.server.url("/thing")).status_code


@pytest.fixture
def api() -> Iterator[Api]:
    with HostileServer() as server:
        yield Api(server)


# --- logging in -------------------------------------------------------------------------------------------------------


def test_a_session_is_logged_in(api: Api) -> None:
    session = api.session()
    assert 200 == api.get(session)
    assert [{"username": "reader", "password": PASSWORD}] == api.logins


def test_field_names_extra_fields_header_and_scheme(api: Api) -> None:
    seen: list[str | None] = []
    api.server.play("/thing", lambda request: [seen.append(request.header("X-Auth")), answer()][1:])  # type: ignore[list-item, func-returns-value]
    session = Session()
    login = api.login(username_field="email", extra={"device": "cron"}, header="X-Auth", scheme="")
    login.log_in(session, ACCOUNT)
    api.get(session)
    assert [{"email": "reader", "password": PASSWORD, "device": "cron"}] == api.logins
    assert ["access-1"] == seen


def test_the_password_grant_of_oauth(api: Api) -> None:
    """As a form; the endpoint renews as well."""
    asked: list[dict[str, str]] = []

    def endpoint(request: Received) -> list[Step]:
        fields = dict(parse_qsl(request.body.decode()))
        asked.append(fields)
        body = {
            "access_token": f"t{len(asked)}",
            "token_type": "bearer",
            "refresh_token": f"r{len(asked)}",
            "expires_in": "600",
        }
        api.access.add(f"t{len(asked)}")
        return [as_json(200, body)]

    api.server.play("/oauth", endpoint)
    session = Session()
    login = TokenLogin(api.server.url("/oauth"), form=True, extra={"client_id": "me", "scope": "read"})
    login.log_in(session, ACCOUNT)
    api.expire()
    api.access.add("t2")
    assert 200 == api.get(session)
    assert [
        {"grant_type": "password", "username": "reader", "password": PASSWORD, "client_id": "me", "scope": "read"},
        {"grant_type": "refresh_token", "refresh_token": "r1", "client_id": "me", "scope": "read"},
    ] == asked


def test_a_refusal_says_what_the_server_says(api: Api) -> None:
    """Once, and without the password that the server repeats."""
    session = Session()
    with pytest.raises(
        LoginError, match=r"/token answered 401 to the login \(it says “No account for \[redacted\]”\)"
    ) as caught:
        api.login(username="reader", password="wr0ng-one").log_in(session, None)
    assert 1 == len(api.logins)
    assert "wr0ng-one" not in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "arguments", "match"),
    [
        (as_json(200, {"user": {"id": 1}, "ok": True}), {}, "no token under a usual name; it has: ok, user"),
        (as_json(200, {"access": "x"}), {"token": "data.token"}, "no token at 'data.token'; it has: access"),
        (as_json(200, ["access"]), {}, "it has: nothing"),
        (as_json(200, {"access": "two\nlines"}), {}, "no token under a usual name"),
        (answer(body=b"<!doctype html><p class=error>Closed"), {}, "no JSON (it says “Closed”)"),
        (
            as_json("400 Bad", {"error": {"message": "No such field"}}),
            {},
            "answered 400 to the login (it says “No such field”)",
        ),
        (as_json("422 No", {"detail": [{"msg": "Field required"}]}), {}, "(it says “Field required”)"),
        (as_json("429 Slow", {"detail": "Later"}), {}, "answered 429"),
    ],
)
def test_what_is_no_token_is_told(api: Api, reply: bytes, arguments: Any, match: str) -> None:
    api.server.play("/token", [reply])
    with pytest.raises(LoginError) as caught:
        api.login(**arguments).log_in(Session(), ACCOUNT)
    assert match in str(caught.value)


@pytest.mark.parametrize(("script", "kind"), [([answer("503 Busy")], HTTPError), ([Close()], ConnectionError)])
def test_the_login_is_never_posted_again(api: Api, script: list[Step], kind: type[Exception]) -> None:
    api.server.play("/token", script)
    with pytest.raises(kind):
        api.login().log_in(Session(retries=EAGER), ACCOUNT)
    assert 1 == len(api.server.requests)


def test_a_redirect_that_loses_the_post_is_told(api: Api) -> None:
    api.server.play("/old", [answer("301 Moved", headers=[("Location", "/new")])])
    api.server.play("/new", [answer()])
    with pytest.raises(LoginError, match=r"redirected from .*/old, which makes a GET of a POST"):
        TokenLogin(api.server.url("/old")).log_in(Session(), ACCOUNT)


def test_the_password_stays_with_its_origin(api: Api) -> None:
    with HostileServer() as other:
        api.server.play("/token", [answer("308 There", headers=[("Location", other.url())])])
        with pytest.raises(LoginError, match="with the password in it: it was not sent"):
            api.login().log_in(Session(), ACCOUNT)
        assert [] == other.requests


def test_missing_credentials_are_told(api: Api) -> None:
    with pytest.raises(LoginError, match=r"no credentials for .*TokenLogin\(url, username, password\)"):
        api.login().log_in(Session(), None)
    assert [] == api.logins


# --- who gets the token -----------------------------------------------------------------------------------------------


def test_the_token_goes_to_its_origin_and_those_named_alone(api: Api) -> None:
    """Also by redirects, and under a header of its own."""
    with HostileServer() as friend, HostileServer() as stranger:
        for header in ("Authorization", "X-Auth"):
            friend.play("/", [answer("302 Out", headers=[("Location", stranger.url())])])
            stranger.play("/", [answer()])
            api.server.play("/out", [answer("302 Out", headers=[("Location", stranger.url())])])
            session = Session()
            api.login(origins=[friend.url()], header=header).log_in(session, ACCOUNT)
            for url in (friend.url(), stranger.url(), api.server.url("/out")):
                session.get(url)
        assert 4 == len(
            [
                request
                for request in friend.requests + api.server.requests
                if request.header("X-Auth") or request.header("Authorization")
            ]
        )
        assert 6 == len(stranger.requests)
        assert [] == [
            request for request in stranger.requests if request.header("X-Auth") or request.header("Authorization")
        ]


def test_a_crawls_sessions_sign_for_these_origins_too(api: Api) -> None:
    """Such a session gives its auth to origins that it knows alone."""
    session = Session()
    session.secret_origins = set()
    api.login().attach(session)
    api.login().log_in(session, ACCOUNT)
    assert 200 == api.get(session)


def test_a_profile_of_another_site_does_not_send_its_token_here(api: Api, tmp_path: Path) -> None:
    with HostileServer() as other:
        other.play("/", [answer()])
        with api.session(profile="me", vault=tmp_path / "v" / "s.db"):
            pass
        with Session(profile="me", vault=tmp_path / "v" / "s.db", login=TokenLogin(other.url("/token"))) as session:
            session._membership = None
            session.get(other.url())
        assert None is other.requests[0].header("Authorization")


def test_401_means_logged_out_where_the_token_is_for(api: Api) -> None:
    session = api.session()
    login = api.login()
    api.server.play("/thing", [answer("401 No")])
    assert False is login.logged_in(session.get(api.server.url("/thing")))
    assert None is login.logged_in(session.get(api.server.url("/nothing")))
    with HostileServer() as other:
        other.play("/", [answer("401 No")])
        assert None is login.logged_in(session.get(other.url()))


# --- renewing ---------------------------------------------------------------------------------------------------------


def test_a_token_is_renewed_before_it_expires(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of its life before, 30 seconds at most; the refresh token that came with it serves the next time."""
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    api.lifetime = 100
    session = api.session()
    for later, renewals in ((89, 0), (90, 1), (179, 1), (180, 2)):
        monkeypatch.setattr(time, "time", lambda later=later: now + later)
        assert (200, renewals) == (api.get(session), len(api.renewals))
    assert [{"refresh": "refresh-1"}, {"refresh": "refresh-2"}] == api.renewals
    assert 1 == len(api.logins)


def test_a_refused_token_is_renewed_once_and_the_request_sent_again(api: Api) -> None:
    session = api.session()
    api.expire()
    response = session.post(api.server.url("/thing"), json={"a": 1})
    assert (200, [401]) == (response.status_code, [earlier.status_code for earlier in response.history])
    assert ["POST", "POST"] == [request.method for request in api.server.requests if request.target == "/thing"]
    assert 1 == len(api.renewals)


def test_401_after_a_renewal_is_what_it_is(api: Api) -> None:
    """No matter of the token's age: one renewal a request, not a loop."""
    session = api.session()
    api.server.play("/thing", [answer("401 No")])
    assert 401 == api.get(session)
    assert 1 == len(api.renewals)


def test_a_refused_refresh_token_is_not_sent_again(api: Api) -> None:
    session = api.session()
    api.expire()
    api.refresh.clear()
    assert [401, 401] == [api.get(session), api.get(session)]
    assert 1 == len(api.renewals)


def test_without_a_refresh_url_401_is_left_to_the_login(api: Api) -> None:
    session = Session()
    TokenLogin(api.server.url("/token")).log_in(session, ACCOUNT)
    api.expire()
    assert 401 == api.get(session)
    assert [] == api.renewals


def test_many_threads_renew_once(api: Api) -> None:
    """A second use of a refresh token would end the session. Those that wait hold no connection."""
    session = api.session()
    for _ in range(3):
        api.expire()
        with ThreadPoolExecutor(16) as pool:
            assert {200} == set(pool.map(lambda _: api.get(session), range(32)))
    assert (1, 3) == (len(api.logins), len(api.renewals))


def test_two_sessions_of_one_profile_renew_once(api: Api, tmp_path: Path) -> None:
    """As two processes do: who comes second finds the new token in the vault."""
    vault = tmp_path / "v" / "s.db"
    first = api.session(profile="me", vault=vault)
    second = Session(profile="me", vault=vault)
    api.login().attach(second)
    api.expire()
    with ThreadPoolExecutor(2) as pool:
        assert [200, 200] == list(pool.map(api.get, (first, second)))
    assert (1, 1) == (len(api.logins), len(api.renewals))
    for session in (first, second):
        session.close()


def test_a_server_that_stumbles_does_not_cost_the_token(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the old one holds it serves; once it has expired the request fails as the exchange did."""
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    session = api.session()
    api.server.play("/token/refresh", [answer("503 Busy")])
    monkeypatch.setattr(time, "time", lambda: now + 3595)
    assert 200 == api.get(session)
    monkeypatch.setattr(time, "time", lambda: now + 3601)
    with pytest.raises(HTTPError):
        api.get(session)
    api.server.play("/token/refresh", api.renew)
    assert 200 == api.get(session)


def test_a_token_that_does_not_say_when_it_expires_is_used_until_it_is_refused(api: Api) -> None:
    api.lifetime = None
    session = api.session()
    assert 200 == api.get(session)
    api.expire()
    assert 200 == api.get(session)
    assert 1 == len(api.renewals)


# --- with what a session is ------------------------------------------------------------------------------------------


def test_the_next_run_needs_no_login(api: Api, tmp_path: Path) -> None:
    vault = tmp_path / "v" / "s.db"
    for _ in range(2):
        with Session(profile="me", vault=vault, login=api.login(username="reader", password=PASSWORD)) as session:
            assert 200 == api.get(session)
    assert 1 == len(api.logins)
    api.expire()
    with Session(profile="me", vault=vault, login=api.login()) as session:
        assert 200 == api.get(session)
    assert (1, 1) == (len(api.logins), len(api.renewals))


def test_a_session_logs_in_anew_when_no_renewal_helps(api: Api) -> None:
    with Session(login=api.login(username="reader", password=PASSWORD)) as session:
        assert 200 == api.get(session)
        api.expire()
        api.refresh.clear()
        assert 200 == api.get(session)
    assert (2, 1) == (len(api.logins), len(api.renewals))


def test_a_session_with_it_pickles_without_its_token(api: Api) -> None:
    """And logs in again where it comes out."""
    session = Session(login=api.login(username="reader", password=PASSWORD))
    assert 200 == api.get(session)
    pickled = pickle.dumps(session)
    assert b"access-1" not in pickled and b"refresh-1" not in pickled
    assert 200 == api.get(pickle.loads(pickled))  # noqa: S301
    assert (2, 0) == (len(api.logins), len(api.renewals))


def test_a_pickled_profile_needs_no_login(api: Api, tmp_path: Path) -> None:
    login = api.login(username="reader", password=PASSWORD)
    session = Session(profile="me", vault=tmp_path / "v" / "s.db", login=login)
    assert 200 == api.get(session)
    again = pickle.loads(pickle.dumps(session))  # noqa: S301
    api.expire()
    assert 200 == api.get(again)
    assert (1, 1) == (len(api.logins), len(api.renewals))


def test_what_the_session_had_for_other_hosts_stays(api: Api) -> None:
    with HostileServer() as other:
        other.play("/", [answer()])
        session = Session()
        session.auth = ("me", "mine")
        api.login().attach(session)
        api.login().log_in(session, ACCOUNT)
        session.get(other.url())
        assert 200 == api.get(session)
        assert "Basic " + base64.b64encode(b"me:mine").decode() == other.requests[0].header("Authorization")


def test_base_url(api: Api) -> None:
    session = Session(base_url=api.server.url())
    TokenLogin("token").log_in(session, ACCOUNT)
    assert 200 == session.get("thing").status_code


def test_nothing_shows_a_secret(api: Api) -> None:
    session = api.session()
    login = TokenLogin("https://me:hunter2@example.org/token", "reader", PASSWORD)
    assert "<TokenLogin https://example.org/token>" == repr(login)
    for secret in ("access-1", "refresh-1", PASSWORD):
        assert secret not in repr(session.auth) + repr(session.auth.sign) + repr(session.auth.sign.tokens)
        assert "[redacted]" == session.redactor.redact(secret)


# --- what an endpoint answers -----------------------------------------------------------------------------------------


def jwt(**claims: Any) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"{base64.urlsafe_b64encode(b'{}').decode()}.{payload}.c2ln"


@pytest.mark.parametrize(
    ("body", "arguments", "expected"),
    [
        ({"access_token": "a", "refresh_token": "r"}, {}, ("a", "r", "refresh_token")),
        ({"access": "a", "refresh": "r"}, {}, ("a", "r", "refresh")),
        ({"token": "a"}, {}, ("a", None, "refresh_token")),
        ({"data": {"token": "a", "refreshToken": "r"}}, {}, ("a", "r", "refreshToken")),
        ({"user": {"key": 1}, "result": {"tokens": {"accessToken": "a"}}}, {}, ("a", None, "refresh_token")),
        ({"token": {"access": "a"}, "key": "k"}, {}, ("k", None, "refresh_token")),
        ({"x": {"y": "a", "z": "r"}, "token": "t"}, {"access": "x.y", "refresh": "x.z"}, ("a", "r", "z")),
    ],
)
def test_tokens_are_found_where_they_are(body: Any, arguments: Any, expected: Any) -> None:
    found = read_tokens(body, 0.0, **arguments)
    assert found is not None
    assert expected == found[:3]


@pytest.mark.parametrize(
    ("body", "expires"),
    [
        ({"token": "a", "expires_in": 60}, 1060.0),
        ({"token": "a", "expires_in": "60"}, 1060.0),
        ({"token": "a", "expires_in": "soon"}, None),
        ({"token": "a", "expires_in": True}, None),
        ({"token": "a", "expires_in": -5}, None),
        ({"token": jwt(exp=1030)}, 1030.0),
        ({"token": jwt(exp=9030, iat=9000)}, 1030.0),
        ({"token": jwt(exp=1030), "expires_in": 60}, 1060.0),
        ({"token": jwt(exp="x")}, None),
        ({"token": "no.jwt.really"}, None),
        ({"token": "a"}, None),
    ],
)
def test_the_expiry_is_the_servers_word_or_the_tokens_own(body: Any, expires: float | None) -> None:
    """By the time since it was issued, for the server's clock may be another than ours."""
    found = read_tokens(body, 1000.0)
    assert found is not None
    assert expires == found.expires


def test_a_refresh_token_that_is_not_rotated_is_kept() -> None:
    before = Tokens("a", "r", "refresh")
    assert ("b", "r", "refresh") == read_tokens({"access": "b"}, 0.0, before=before)[:3]  # type: ignore[index]


def test_a_turn_that_another_process_keeps_is_not_waited_for_for_ever(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokenauth, "_TURN_SECONDS", 0.01)
    session = api.session(profile="me", vault=tmp_path / "v" / "s.db")
    api.expire()
    assert session.profile is not None
    with session.profile.vault.turn("me.token"):
        assert 401 == api.get(session)
    assert 200 == api.get(session)
    session.close()


def test_whatever_else_the_answer_gives_away_is_hidden(api: Api) -> None:
    """A page may show it, and an archive must not."""
    given = {
        "access": "Acc3ss-0f-me",
        "id_token": "1d-T0ken-0f-me",
        "user": {"name": "Hilda Reader", "session_token": "S3ss-0f-me"},
    }
    api.server.play("/token", lambda request: [as_json(200, given)])
    with Session() as session:
        api.login().log_in(session, ACCOUNT)
        assert session.redactor is not None
        shown = session.redactor.redact("1d-T0ken-0f-me S3ss-0f-me Hilda Reader https://a.example/oauth2")
    assert "[redacted] [redacted] Hilda Reader https://a.example/oauth2" == shown

"""A Session with a login: it logs in before its first request and again when an answer looks logged out."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from crawlkit import Session
from crawlkit.exceptions import LoginError
from crawlkit.sessions.attempts import PERIOD_SECONDS, Attempts, recent
from crawlkit.sessions.login import Login
from tests.crawl.loopback import Asked, Reply, serving
from tests.faults.expiring_club import FORM, ExpiringClub


class Form(Login):
    """Fills in the club's form."""

    def __init__(self, root: str, password: str = "right") -> None:
        self.url = f"{root}/login"
        self.password = password

    def log_in(self, session: Any, credentials: Any) -> None:
        page = session.get(self.url)
        session.submit(page.form(), {"user": "u", "password": self.password})


def club(style: str = "form", expire_every: int = 10**9, most: int = 10**9) -> ExpiringClub:
    return ExpiringClub(5, style, expire_every=expire_every, most=most)


def end_sessions(club: ExpiringClub) -> None:
    with club.lock:
        club.alive.clear()


@pytest.mark.parametrize("style", ["redirect", "form", "json"])
def test_logs_in_first_and_again_when_the_session_ends(style: str) -> None:
    """Each answer is a member's, however the site tells strangers; two logins for one end of the session."""
    site = club(style)
    with serving(site.pages) as server, Session(login=Form(server.url)) as session:
        assert "/p1" in session.get(f"{server.url}/p1").text
        assert 1 == site.logins
        end_sessions(site)
        answer = session.get(f"{server.url}/p2")
        assert "<h1>/p2</h1>" in answer.text
        assert (2, 200) == (site.logins, answer.status_code)


def test_a_post_comes_back_with_its_body() -> None:
    """What was refused was not done: it is sent again, body and all."""
    site = club("json")
    bodies: list[bytes] = []

    def keep(asked: Asked) -> Any:
        answer = site.member(asked)
        if isinstance(answer, str):
            bodies.append(asked.body)
        return answer

    site.pages["/note"] = keep
    with serving(site.pages) as server, Session(login=Form(server.url)) as session:
        session.get(f"{server.url}/p1")
        end_sessions(site)
        assert session.post(f"{server.url}/note", data={"text": "hello"}).ok
    assert [b"text=hello"] == bodies


def test_a_stream_comes_back_unread() -> None:
    """The sign is in its head; the connection of the refused one is given up."""
    site = club("redirect")
    with serving(site.pages) as server, Session(login=Form(server.url)) as session:
        session.get(f"{server.url}/p1")
        end_sessions(site)
        with session.get(f"{server.url}/p3", stream=True) as answer:
            assert b"<h1>/p3</h1>" in b"".join(answer.iter_content(100))


def test_many_threads_one_login() -> None:
    """Sixteen threads meet the end of the session: one of them logs in."""
    site = club("json")
    with serving(site.pages) as server, Session(login=Form(server.url)) as session:
        session.get(f"{server.url}/p1")
        end_sessions(site)
        with ThreadPoolExecutor(16) as threads:
            answers = list(threads.map(lambda n: session.get(f"{server.url}/p{n % 5}").status_code, range(32)))
    assert ({200}, 2) == (set(answers), site.logins)


def test_a_wrong_password_is_sent_once() -> None:
    """Every request after it gets the same error, and nothing is posted."""
    site = club()
    with serving(site.pages) as server, Session(login=Form(server.url, "wrong")) as session:
        for _ in range(3):
            with pytest.raises(LoginError, match="wrong user name or password"):
                session.get(f"{server.url}/p1")
        assert 1 == sum(asked.method == "POST" for asked in server.asked)


def test_three_failed_logins_an_hour_are_all(tmp_path: Path) -> None:
    """New sessions of the profile, as cron makes them, are told when to come back; the fourth posts nothing."""
    site = club()
    with serving(site.pages) as server:
        for expected in (
            "wrong user name",
            "wrong user name",
            "wrong user name",
            "next one is possible at",
            "next one",
        ):
            with (
                Session(profile="me", vault=tmp_path / "v.db", login=Form(server.url, "wrong")) as session,
                pytest.raises(LoginError, match=expected),
            ):
                session.get(f"{server.url}/p1")
        assert 3 == sum(asked.method == "POST" for asked in server.asked)


def test_a_login_that_worked_counts_for_nothing(tmp_path: Path) -> None:
    """The budget is for failures."""
    site = club()
    with serving(site.pages) as server:
        for _ in range(5):
            with Session(profile="me", vault=tmp_path / "v.db", login=Form(server.url)) as session:
                assert session.get(f"{server.url}/p1").ok
                end_sessions(site)
        assert session.profile is not None
        assert [] == recent(session.profile.state, 0.0)
    assert 5 == site.logins


def test_failures_are_forgotten_after_an_hour_and_a_clock_set_back_locks_nobody_out() -> None:
    now = [10_000.0]
    attempts = Attempts(None, most=2, clock=lambda: now[0])
    for _ in range(2):
        attempts.check()
        attempts.begin()
        attempts.failed()
    with pytest.raises(LoginError):
        attempts.check()
    now[0] += PERIOD_SECONDS
    attempts.check()
    now[0] -= 3 * PERIOD_SECONDS
    attempts.check()
    Attempts(None, most=0, forced=True).check()


def test_the_saved_session_sends_no_login(tmp_path: Path) -> None:
    site = club()
    with serving(site.pages) as server:
        for _ in range(2):
            with Session(profile="me", vault=tmp_path / "v.db", login=Form(server.url)) as session:
                assert "/p1" in session.get(f"{server.url}/p1").text
    assert 1 == site.logins


def test_another_process_s_login_is_taken_over(tmp_path: Path) -> None:
    """Who finds the session ended and the vault newer does not log in itself."""
    site = club()
    vault = tmp_path / "v.db"
    with serving(site.pages) as server, Session(profile="me", vault=vault, login=Form(server.url)) as session:
        session.get(f"{server.url}/p1")
        end_sessions(site)
        code = (
            "import sys; from crawlkit import Session\n"
            "from tests.sessions.test_session_login import Form\n"
            "with Session(profile='me', vault=sys.argv[1], login=Form(sys.argv[2])) as s: s.get(sys.argv[2] + '/p2')"
        )
        subprocess.run([sys.executable, "-c", code, str(vault), server.url], check=True, timeout=30)
        assert 2 == site.logins
        assert "<h1>/p3</h1>" in session.get(f"{server.url}/p3").text
    assert 2 == site.logins


def test_a_page_with_a_password_form_for_members_is_learnt() -> None:
    """It costs one login at most, and is no sign any more."""
    site = club()
    settings = '<form action="/delete"><input type="password" name="confirm"></form>'
    site.pages["/settings"] = lambda asked: (
        f"<b class=account>me</b>{settings}" if isinstance(site.member(asked), str) else site.stranger(False)
    )
    with serving(site.pages) as server, Session(login=Form(server.url)) as session:
        for _ in range(3):
            assert "account" in session.get(f"{server.url}/settings").text
    assert site.logins <= 2


def test_it_is_learnt_in_a_run_that_begins_logged_in_too(tmp_path: Path) -> None:
    """The profile knows the login's own form: another one on a member's page is no sign while the session lives."""
    site = club()
    settings = '<form action="/delete"><input type="password" name="confirm"></form>'
    site.pages["/settings"] = lambda asked: (
        f"<b class=account>me</b>{settings}" if isinstance(site.member(asked), str) else site.stranger(False)
    )
    with serving(site.pages) as server:
        for path in ("/p1", "/settings", "/settings"):
            with Session(profile="me", vault=tmp_path / "v.db", login=Form(server.url)) as session:
                assert "account" in session.get(server.url + path).text
        assert session.membership is not None
        assert not session.membership.looks_logged_out(session.get(f"{server.url}/settings"), 0)
    assert 1 == site.logins


def test_a_change_of_password_and_a_foreign_host_are_no_signs() -> None:
    """Two password fields ask a member; what another site answers says nothing."""
    site = club()
    site.pages["/change"] = "<form><input type=password name=old><input type=password name=new></form>"
    with (
        serving(site.pages) as server,
        serving({"/": Reply("no", 401)}) as other,
        Session(login=Form(server.url)) as session,
    ):
        assert session.get(f"{server.url}/change").ok
        elsewhere = other.url.replace("127.0.0.1", "localhost")
        assert 401 == session.get(f"{elsewhere}/").status_code
    assert 1 == site.logins


def test_a_cookie_of_the_login_taken_back_is_a_sign() -> None:
    """A site that answers 200 to strangers, with no form, and deletes the session's cookie."""
    site = club()

    def quiet(asked: Asked) -> Any:
        answer = site.member(asked)
        return answer if isinstance(answer, str) else Reply("welcome, guest", headers={"Set-Cookie": "sid=; Max-Age=0"})

    site.pages["/quiet"] = quiet
    with serving(site.pages) as server, Session(login=Form(server.url)) as session:
        assert "account" in session.get(f"{server.url}/quiet").text
        end_sessions(site)
        assert "account" in session.get(f"{server.url}/quiet").text
    assert 2 == site.logins


def test_headers_that_the_login_set_go_with_the_repeated_request() -> None:
    """A bearer token in `session.headers` is as good as a cookie."""
    tokens: list[str] = []

    class Token(Login):
        def __init__(self, root: str) -> None:
            self.url = f"{root}/token"

        def log_in(self, session: Any, credentials: Any) -> None:
            session.headers["Authorization"] = f"Bearer {session.post(self.url).json()['token']}"

    def issue(asked: Asked) -> Reply:
        tokens.append(f"t{len(tokens)}")
        return Reply(f'{{"token": "{tokens[-1]}"}}', headers={"Content-Type": "application/json"})

    def secured(asked: Asked) -> Reply:
        good = asked.headers.get("Authorization") == f"Bearer {tokens[-1] if tokens else ''}"
        return Reply("yes" if good else "no", 200 if good else 401)

    with serving({"/token": issue, "/data": secured}) as server, Session(login=Token(server.url)) as session:
        assert "yes" == session.get(f"{server.url}/data").text
        tokens.append("elsewhere")
        assert "yes" == session.get(f"{server.url}/data").text
    assert ["t0", "elsewhere", "t2"] == tokens


def test_a_login_travels_in_a_pickle(tmp_path: Path) -> None:
    site = club()
    with serving(site.pages) as server:
        with Session(profile="me", vault=tmp_path / "v.db", login=Form(server.url)) as session:
            twin = pickle.loads(pickle.dumps(session))  # noqa: S301 - our own
        with twin:
            assert "/p1" in twin.get(f"{server.url}/p1").text
    assert 1 == site.logins


def test_a_login_page_that_stumbles_is_asked_again_and_a_form_is_not() -> None:
    """GET of a login is repeated after 503; its POST never."""
    site = club()
    left = [1]

    def stumble(asked: Asked) -> Reply:
        if asked.method == "GET" and left[0]:
            left[0] -= 1
            return Reply("later", 503, {"Retry-After": "0"})
        return Reply("later", 503) if asked.method == "POST" else Reply(FORM)

    site.pages["/login"] = stumble
    with serving(site.pages) as server, Session(login=Form(server.url)) as session:
        with pytest.raises(LoginError):
            session.get(f"{server.url}/p1")
        methods = [asked.method for asked in server.asked if asked.path == "/login"]
    assert ["GET", "GET", "POST"] == methods


def test_threads_wait_for_the_login_without_a_connection() -> None:
    """While one logs in slowly, the waiting threads hold nothing of the pool."""
    site = club("json")
    go, entered = threading.Event(), threading.Event()

    class Slow(Form):
        def log_in(self, session: Any, credentials: Any) -> None:
            if site.logins:
                entered.set()
                assert go.wait(10)
            super().log_in(session, credentials)

    with serving(site.pages) as server, Session(login=Slow(server.url)) as session:
        session.get(f"{server.url}/p0")
        end_sessions(site)
        with ThreadPoolExecutor(8) as threads:
            answers = [threads.submit(session.get, f"{server.url}/p1") for _ in range(8)]
            assert entered.wait(10)
            deadline = threading.Event()
            for _ in range(100):
                if session.pool.counts().active == 0:
                    break
                deadline.wait(0.02)
            assert 0 == session.pool.counts().active
            go.set()
            assert {200} == {answer.result().status_code for answer in answers}
    assert 2 == site.logins


def test_a_refused_login_that_lands_on_a_public_page_is_no_login(tmp_path: Path) -> None:
    """No form is shown again, no error status: that nobody is logged in shows where strangers are sent away."""
    site = club("redirect")
    good = site.login
    site.pages["/"] = "<h1>welcome, everybody</h1>"
    site.pages["/login"] = lambda asked: (
        Reply("", 302, {"Location": "/?bad=1"}) if asked.method == "POST" else good(asked)
    )
    with serving(site.pages) as server:
        for _ in range(6):
            with (
                Session(profile="me", vault=tmp_path / "v.db", login=Form(server.url)) as session,
                pytest.raises(LoginError),
            ):
                session.get(f"{server.url}/p1")
        assert 3 == sum(asked.method == "POST" for asked in server.asked)


def test_where_no_page_tells_the_login_is_kept_all_the_same(tmp_path: Path) -> None:
    """A site that shows everybody everything: a few pages are looked at as a stranger, then it is left at that."""
    site = club()
    public = {f"/q{number}": "<h1>open</h1>" for number in range(12)}
    site.pages.update(public, **{"/home": "<h1>home</h1>"})
    with serving(site.pages) as server:
        for _ in range(2):
            with Session(profile="me", vault=tmp_path / "v.db", login=Form(server.url)) as session:
                for path in public:
                    assert session.get(server.url + path).ok
        strangers = [asked for asked in server.asked if asked.path != "/login" and "Cookie" not in asked.headers]
    assert (1, 5) == (site.logins, len(strangers))


def test_the_front_page_may_be_the_login_page() -> None:
    """Asked for on purpose it shows the form to strangers: then it is a sign; members get it as it is."""
    site = club()
    site.pages["/"] = lambda asked: site.login(asked) if isinstance(site.member(asked), Reply) else "<h1>front</h1>"

    class Front(Form):
        def __init__(self, root: str) -> None:
            super().__init__(root)
            self.url = f"{root}/"

    with serving(site.pages) as server, Session(login=Front(server.url)) as session:
        assert "front" in session.get(f"{server.url}/").text
        end_sessions(site)
        assert "front" in session.get(f"{server.url}/").text
        assert 2 == site.logins
        assert "password" in session.get(f"{server.url}/login").text
    assert 2 == site.logins


def test_one_script_serves_login_and_pages() -> None:
    """/index.php?action=login is the login page, /index.php?topic=1 is none."""
    site = club("redirect")

    def script(asked: Asked) -> Any:
        if "action=login" in asked.path:
            return site.login(asked)
        answer = site.member(asked)
        if isinstance(answer, str):
            return answer
        return Reply("", 302, {"Location": "/index.php?action=login&next=x"})

    site.pages = {"/index.php": script, "/home": script, "/login": site.login}

    class Script(Form):
        def __init__(self, root: str) -> None:
            super().__init__(root)
            self.url = f"{root}/index.php?action=login"

    with serving(site.pages) as server, Session(login=Script(server.url)) as session:
        for expected in (1, 2):
            assert "account" in session.get(f"{server.url}/index.php?topic=1").text
            assert expected == site.logins
            end_sessions(site)


def test_a_landing_that_asks_for_the_password_once_more_is_no_refusal() -> None:
    """The account page has a form to delete the account: the login worked."""
    site = club("redirect")
    again = '<form action="/delete"><input type="password" name="confirm"></form>'
    site.pages["/home"] = lambda asked: f"{answer}{again}" if isinstance(answer := site.member(asked), str) else answer
    with serving(site.pages) as server, Session(login=Form(server.url)) as session:
        assert "account" in session.get(f"{server.url}/p1").text
        assert "account" in session.get(f"{server.url}/home").text
    assert 1 == site.logins


def test_where_a_login_s_redirects_end_no_secret_header_goes() -> None:
    """An open redirect behind the form must not make its target a place that may see the session's headers."""
    site = club("redirect")
    with serving(site.pages) as server, serving({"/landing": "<h1>hello</h1>"}) as thief:
        good = site.login

        def away(asked: Asked) -> Reply:
            reply = good(asked)
            return (
                Reply("", 302, {**reply.headers, "Location": f"{thief.url}/landing"})
                if asked.method == "POST"
                else reply
            )

        site.pages["/login"] = away
        session = Session(login=Form(server.url))
        session.headers["X-Api-Key"] = "c4n4ry"
        session.secret_origins = session.membership._proof._trusted if session.membership else None
        with session:
            session.get(f"{server.url}/p1")
            session.get(f"{thief.url}/landing")
        assert all("X-Api-Key" not in asked.headers for asked in thief.asked)


def test_what_was_posted_is_never_looked_at_as_a_stranger() -> None:
    """Only a GET may be asked once more to see what strangers get."""
    site = club()
    site.pages.update({"/home": "<h1>home</h1>", "/pay": "<h1>paid</h1>"})
    with serving(site.pages) as server, Session(login=Form(server.url)) as session:
        assert session.post(f"{server.url}/pay", data={"sum": "1"}).ok
        assert ["POST"] == [asked.method for asked in server.asked if asked.path == "/pay"]

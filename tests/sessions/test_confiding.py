"""Confiding: each secret that a session is given, sends or gets is known to its redactor, also when it is replaced."""

from __future__ import annotations

import http.cookiejar
import logging
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crawlkit import FormRequest, Session
from crawlkit.sessions.auth import HTTPBasicAuth
from crawlkit.sessions.cookies import CookieJar, create_cookie
from crawlkit.sessions.digest import HTTPDigestAuth
from crawlkit.sessions.foreignjars import to_stdlib
from crawlkit.sessions.leaks import shown
from crawlkit.sessions.redactor import Redactor
from crawlkit.sessions.secretnames import HIDDEN
from crawlkit.sessions.vault import Vault
from tests.crawl.loopback import Reply, Site, serving

SECRET = "Zx7-canary-Q9"
OLD = "Ab3-earlier-K2"
BASIC = b64encode(f"user:{SECRET}".encode()).decode()

FORM = """<form method=post action=/in><input type=hidden name=csrf_token value=Cs8-form-W4>
<input name=who><input type=password name=kennwort><input type=hidden name=step value=Step-0ne-of-2></form>"""


@pytest.fixture
def site() -> Iterator[Site]:
    pages = {
        "/": "hello",
        "/form": Reply(FORM, headers={"Content-Type": "text/html"}),
        "/in": "in",
        "/cookie": Reply("", headers={"Set-Cookie": f"sid={SECRET}; Path=/"}),
        "/refused": Reply("", headers={"Set-Cookie": f"sid={SECRET}; Domain=elsewhere.example"}),
        "/hop": Reply("", 302, {"Location": "/", "Set-Cookie": f"hop={SECRET}; Max-Age=0"}),
    }
    with serving(pages) as serving_site:
        yield serving_site


def hides(session: Session, secret: str = SECRET) -> bool:
    told = session.redactor.redact(f"it failed: {secret}!")
    return told == f"it failed: {HIDDEN}!"


GIVEN: dict[str, Callable[[Session], object]] = {
    "a cookie": lambda s: s.cookies.set("sid", SECRET),
    "cookies": lambda s: s.cookies.update({"sid": SECRET}),
    "a cookie object": lambda s: s.cookies.set_cookie(create_cookie("sid", SECRET, domain="example.org")),
    "a new jar": lambda s: setattr(s, "cookies", {"sid": SECRET}),
    "a header": lambda s: s.headers.update({"X-API-Key": SECRET}),
    "a bearer": lambda s: s.headers.update({"Authorization": f"Bearer {SECRET}"}),
    "a Cookie header": lambda s: s.headers.update({"Cookie": f"a=b; sid={SECRET}"}),
    "a pair": lambda s: setattr(s, "auth", ("user", SECRET)),
    "an auth": lambda s: setattr(s, "auth", HTTPBasicAuth("user", SECRET)),
    "a digest": lambda s: setattr(s, "auth", HTTPDigestAuth("user", SECRET)),
    "a proxy": lambda s: s.proxies.update({"http": f"http://user:{SECRET}@127.0.0.1:9"}),
    "a parameter": lambda s: s.params.update({"api_key": SECRET}),
}


@pytest.mark.parametrize("give", GIVEN.values(), ids=GIVEN)
@pytest.mark.parametrize("first", [True, False], ids=["before anybody asked", "afterwards"])
def test_what_a_session_is_given_is_hidden(give: Callable[[Session], object], first: bool) -> None:
    """Without any request, whether the redactor was there before it or not."""
    session = Session()
    if not first:
        assert not hides(session)
    give(session)
    assert hides(session)


SENT: dict[str, Callable[[Session, str], object]] = {
    "a header": lambda s, url: s.get(url, headers={"X-API-Key": SECRET}),
    "a Basic header": lambda s, url: s.get(url, headers={"Authorization": f"Basic {BASIC}"}),
    "an Authorization": lambda s, url: s.get(url, headers={"Authorization": f"Token {SECRET}"}),
    "a Cookie header": lambda s, url: s.get(url, headers={"Cookie": f"sid={SECRET}"}),
    "cookies": lambda s, url: s.get(url, cookies={"sid": SECRET}),
    "a pair": lambda s, url: s.get(url, auth=("user", SECRET)),
    "a digest": lambda s, url: s.get(url, auth=HTTPDigestAuth("user", SECRET)),
    "userinfo": lambda s, url: s.get(url.replace("//", f"//user:{SECRET}@")),
    "a field": lambda s, url: s.post(url, data={"password": SECRET}),
    "a member": lambda s, url: s.post(url, json={"login": {"refresh_token": SECRET}}),
    "bytes": lambda s, url: s.get(url, headers={"X-API-Key": SECRET.encode()}),
}


@pytest.mark.parametrize("send", SENT.values(), ids=SENT)
def test_what_one_request_carries_is_hidden(site: Site, send: Callable[[Session, str], object]) -> None:
    with Session() as session:
        assert not hides(session)
        send(session, site.url + "/")
        assert hides(session)


def test_a_proxy_that_was_named_for_one_request_is_hidden() -> None:
    """Though the proxy cannot be reached: that is when its URL is shown."""
    with Session() as session:
        redactor = session.redactor
        with pytest.raises(OSError):
            session.get("http://example.org/", proxies={"http": f"http://user:{SECRET}@127.0.0.1:9"})
        assert SECRET not in redactor.redact(SECRET)


@pytest.mark.parametrize("path", ["/cookie", "/refused", "/hop"])
def test_every_cookie_value_received_is_hidden(site: Site, path: str) -> None:
    """Those that the rules refuse, that expire at once and that come with a redirect as well."""
    with Session() as session:
        assert not hides(session)
        session.get(site.url + path)
        assert hides(session)


def test_the_base64_of_user_and_password_is_hidden(site: Site) -> None:
    with Session() as session:
        session.auth = ("user", SECRET)
        token = b64encode(f"user:{SECRET}".encode()).decode()
        assert token not in session.redactor.redact(f"sent {token}")
        session.get(site.url + "/")
        assert f"sent {HIDDEN}" == session.redactor.redact(f"sent {token}")


def test_a_submitted_form_confides_its_passwords_and_tokens(site: Site) -> None:
    """By the type of the control and by its name; other hidden fields are what the author may want to see."""
    with Session() as session:
        redactor = session.redactor
        page = session.get(site.url + "/form")
        session.submit(page.form(), {"who": "somebody-else1", "kennwort": SECRET})
        assert HIDDEN == redactor.redact(SECRET)
        assert HIDDEN == redactor.redact("Cs8-form-W4")
        assert "somebody-else1 Step-0ne-of-2" == redactor.redact("somebody-else1 Step-0ne-of-2")


@pytest.mark.parametrize("how", ["form", "forms", "Scrapy's"])
def test_a_request_made_of_a_form_confides_them_too(site: Site, how: str) -> None:
    """As crawls do: the form is sent later, by a Request."""
    with Session() as session:
        assert not hides(session)
        page = session.get(site.url + "/form")
        if how == "Scrapy's":
            FormRequest.from_response(page, formdata={"kennwort": SECRET})
        else:
            form = page.form() if how == "form" else page.forms[0]
            form.request({"kennwort": SECRET}, callback="parse")
        assert hides(session)
        assert hides(session, "Cs8-form-W4")


def test_what_was_replaced_or_deleted_is_still_hidden(site: Site) -> None:
    """A log line may be about a request that was sent with it."""
    with Session() as session:
        redactor = session.redactor
        session.cookies.set("sid", OLD)
        session.cookies.set("sid", SECRET)
        session.cookies.clear()
        session.headers["X-API-Key"] = "Kk1-earlier-J8"
        session.get(site.url + "/")
        session.headers["X-API-Key"] = "another-Key-1"
        told = redactor.redact(f"{OLD} {SECRET} Kk1-earlier-J8 another-Key-1")
        assert [HIDDEN] * 4 == told.split()


def test_a_profile_confides_all_that_its_vault_keeps(tmp_path: Path) -> None:
    """Cookies, headers of any name, and the tokens in the state of its login."""
    vault = Vault.open(tmp_path / "sessions.db")
    with Session(profile="member", vault=vault) as session:
        session.cookies.set("sid", SECRET, domain="example.org")
        session.headers["X-Club-Card"] = "Club-c4rd-77"
        assert session.profile is not None
        session.profile.state["token"] = {"refresh": ["Refr3sh-token-x"]}
    with Session(profile="member", vault=vault) as session:
        told = session.redactor.redact(f"{SECRET} Club-c4rd-77 Refr3sh-token-x")
        assert [HIDDEN] * 3 == told.split()


def test_where_a_login_is_is_no_secret(tmp_path: Path) -> None:
    """What a profile keeps of it beside the secrets, the address and the names of cookies, stays readable."""
    with Session(profile="me", vault=Vault.open(tmp_path / "sessions.db")) as session:
        state = {"pages": ["https://forum.example/login"], "cookies": ["forum-session"]}
        session.profile.state["login"] = state
        session.profile.state["token"] = {"for": "https://api.example/token", "refresh_name": "refresh_token"}
        session.profile.state["login origins"] = ["https://forum.example"]
        session.profile.state["cookie file"] = {"path": "forum-session"}
        told = "POST https://forum.example/login set forum-session; refresh_token of https://api.example/token"
        assert told == session.redactor.redact(told)


def test_an_attribute_that_was_assigned_is_hidden_when_the_profile_is_saved(tmp_path: Path) -> None:
    """`cookie.value = …` goes past the jar."""
    vault = Vault.open(tmp_path / "sessions.db")
    with Session(profile="member", vault=vault) as session:
        session.cookies.set("sid", OLD, domain="example.org")
        session.save()
        redactor = session.redactor
        next(iter(session.cookies)).value = SECRET
        session.save()
        assert HIDDEN == redactor.redact(SECRET)


def test_a_jar_of_the_standard_library_confides_as_well(site: Site) -> None:
    with Session() as session:
        session.cookies = http.cookiejar.CookieJar()
        assert not hides(session)
        session.get(site.url + "/cookie")
        assert hides(session)
        session.cookies.set_cookie(to_stdlib(create_cookie("other", OLD, domain="example.org")))
        assert hides(session, OLD)


def test_one_redactor_may_serve_several_sessions() -> None:
    redactor = Redactor()
    alice, bob = Session(), Session()
    alice.redactor = bob.redactor = redactor
    alice.cookies.set("sid", SECRET)
    bob.cookies.set("sid", OLD)
    assert f"{HIDDEN} {HIDDEN}" == redactor.redact(f"{SECRET} {OLD}")


def test_a_session_that_nobody_asked_makes_no_redactor(site: Site) -> None:
    """A plain session pays for nothing but the look."""
    with Session() as session:
        session.get(site.url + "/cookie")
        session.post(site.url + "/in", data={"password": SECRET})
        assert session._redactor is None
        assert session.cookies._learn is None


def test_a_log_line_of_the_jar_itself_can_be_redacted() -> None:
    """The jar logs under its lock; whoever formats the line asks the jar for its values: nobody may wait."""
    session = Session()
    redactor = session.redactor
    jar = session.cookies
    assert isinstance(jar, CookieJar)
    told: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            redactor._ask_everything = True
            thread = threading.Thread(target=lambda: told.append(redactor.redact(record.getMessage())), daemon=True)
            thread.start()
            thread.join(10)

    log = logging.getLogger("crawlkit.sessions.cookiestore")
    handler, level = Handler(), log.level
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    try:
        jar.receive("https://example.org/", [f"sid={SECRET}; Secure"])
        jar.receive("http://example.org/", [f"sid={OLD}"])
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
    assert ["a cookie from example.org was refused: it would overlay a Secure one from http"] == told


@pytest.mark.parametrize(
    ("url", "as_shown"),
    [
        ("https://u:p@h/x?a=1", "https://h/x?a=1"),
        ("https://h/x?token=abc&a=1", f"https://h/x?token={HIDDEN}&a=1"),
        ("https://h/x;jsessionid=abc?a=1#access_token=x", f"https://h/x;jsessionid={HIDDEN}#access_token={HIDDEN}"),
        ("https://h/x?page_token=3&monkey=4", "https://h/x?page_token=3&monkey=4"),
    ],
)
def test_urls_are_shown_without_their_secrets(url: str, as_shown: str) -> None:
    """In the errors of a bare session, which no redactor sees."""
    assert as_shown == shown(url)

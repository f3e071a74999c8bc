"""FormLogin: the form is found, filled in as a browser does and sent once; what the site answers is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest

from crawlkit import FormLogin, RetryPolicy, Session
from crawlkit.exceptions import ConfigError, FormError, HTTPError, LoginError
from crawlkit.sessions.loginhops import Confidants
from crawlkit.sessions.prepared import PreparedRequest
from crawlkit.sessions.response import Response
from crawlkit.testing import HostileServer
from crawlkit.testing.hostile import Close, Step, answer
from crawlkit.testing.received import Received

PASSWORD = "a-quiet-r00m"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


class Account:
    """Credentials as a crawl has them."""

    def __init__(
        self, username: str | None = "reader", password: str | None = PASSWORD, code: str | None = None
    ) -> None:
        self._values = {"username": username, "password": password, "code": code}

    def _get(self, key: str) -> str:
        value = self._values[key]
        if value is None:
            raise ConfigError(f"there is no {key}")
        return value

    @property
    def username(self) -> str:
        return self._get("username")

    @property
    def password(self) -> str:
        return self._get("password")

    def otp(self) -> str:
        return self._get("code")


class Site:
    """A site whose login page has `form`; who posts the right fields to /login gets a cookie and is led to /home."""

    def __init__(self, server: HostileServer) -> None:
        self.server = server
        self.url = server.url("/login")
        self.wanted = {"user": "reader", "pw": PASSWORD}
        self.form = page(
            "<form method=post><input name=user><input type=password name=pw><button>Log in</button></form>"
        )
        self.refusal = "<p class=error>No such member.</p>"
        server.play("/login", self.login)
        server.play("/home", self.home)

    def login(self, request: Received) -> list[Step]:
        if request.method == "GET":
            return [answer(body=self.form.encode())]
        sent = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        if self.wanted.items() <= sent.items():
            return [answer("303 See Other", headers=[("Location", "/home"), ("Set-Cookie", "member=yes; Path=/")])]
        return [answer(body=self.form.replace("<form", f"{self.refusal}<form", 1).encode())]

    def home(self, request: Received) -> list[Step]:
        member = "member=yes" in (request.header("Cookie") or "")
        return [answer(body=b"<a class=account>reader</a>" if member else b"who are you?")]

    @property
    def posted(self) -> list[dict[str, str]]:
        """The fields of each POST."""
        return [
            dict(parse_qsl(request.body.decode(), keep_blank_values=True))
            for request in self.server.requests
            if request.method == "POST"
        ]

    def log_in(self, credentials: Any = None, **arguments: Any) -> Session:
        """A session that FormLogin with these arguments has logged in."""
        session = Session()
        FormLogin(self.url, **arguments).log_in(session, credentials if credentials is not None else Account())
        return session

    def refuses(self, kind: type[Exception], match: str, credentials: Any = None, **arguments: Any) -> str:
        with pytest.raises(kind, match=match) as caught:
            self.log_in(credentials, **arguments)
        assert PASSWORD not in str(caught.value)
        return str(caught.value)


def page(body: str) -> str:
    return f"<!doctype html><html><head><title>Site</title></head><body>{body}</body></html>"


@pytest.fixture
def site() -> Iterator[Site]:
    with HostileServer() as server:
        yield Site(server)


# --- the form and its fields ------------------------------------------------------------------------------------------


def test_a_session_is_logged_in(site: Site) -> None:
    session = site.log_in()
    assert "reader" == session.get(site.server.url("/home")).css("a.account::text").get()
    assert [{"user": "reader", "pw": PASSWORD}] == site.posted


def test_hidden_fields_and_the_default_button_go_along(site: Site) -> None:
    site.form = page(
        '<form method=post action="/login"><input type=hidden name=csrf value=t0ken><input name=user>'
        "<input type=password name=pw><input type=checkbox name=stay value=1 checked>"
        "<button type=button name=show>x</button>"
        "<button name=go value=in>Log in</button><button name=other value=2>Else</button></form>"
    )
    site.log_in()
    assert [{"csrf": "t0ken", "user": "reader", "pw": PASSWORD, "stay": "1", "go": "in"}] == site.posted
    site.log_in(click="other", extra={"stay": False, "device": "cron"})
    expected = {"csrf": "t0ken", "user": "reader", "pw": PASSWORD, "other": "2", "device": "cron"}
    assert expected == site.posted[1]


LOGIN = "<form id=f{0} method=post><input name=user><input type=password name=pw><button>Log in</button></form>"
REGISTER = (
    "<form id=register method=post action=/register><input name=user><input type=email name=email>"
    "<input type=password name=pw><input type=password name=pw2><button>Create account</button></form>"
)
REGISTER_ONCE = (
    "<form method=post action=/join><input type=email name=mail><input type=password name=newpw autocomplete=new-password>"
    "<button>Sign up</button></form>"
)
SEARCH = "<form id=search action=/search><input type=search name=q><button>Search</button></form>"
NEWSLETTER = "<form method=post action=/newsletter><input type=email name=email><button>Subscribe</button></form>"


@pytest.mark.parametrize(
    "body",
    [
        SEARCH + LOGIN,
        LOGIN + NEWSLETTER + SEARCH,
        REGISTER + LOGIN,
        REGISTER_ONCE + LOGIN,
        LOGIN + REGISTER,
        LOGIN + LOGIN,
        "<form method=post><input type=hidden name=a><input type=password name=pw><input name=user></form>",
        "<form method=post><input name=captcha_user><input name=user autocomplete='username webauthn'>"
        "<input type=password name=pw></form>",
        "<form method=post><input name=domain><input name=user type=email><input type=password name=pw></form>",
        "<form method=post><input name=user><select name=realm><option>a</select><input type=password name=pw>"
        "<input type=password name=old disabled></form>",
        "<form id=x method=post></form><input form=x name=user><input form=x type=password name=pw>",
    ],
)
def test_the_login_form_is_found_among_others(site: Site, body: str) -> None:
    site.form = page(body)
    site.log_in()
    assert {"user": "reader", "pw": PASSWORD} == {key: site.posted[0][key] for key in ("user", "pw")}


@pytest.mark.parametrize(
    ("fields", "user"),
    [
        ("<input name=a autocomplete=username><input type=email name=b>", "a"),
        ("<input name=a><input type=email name=b>", "b"),
        ("<input name=nickname><input name=b>", "nickname"),
        ("<input name=x id=login_name><input name=b>", "x"),
        ("<input name=a><input name=b>", "b"),
        ("<input type=tel name=phone><input name=b>", "phone"),
        ("<input type=hidden name=user value=1><input name=b>", "b"),
        ("<input name=user disabled><input name=b>", "b"),
    ],
)
def test_the_user_name_goes_where_a_password_manager_puts_it(site: Site, fields: str, user: str) -> None:
    site.form = page(f"<form method=post>{fields}<input type=password name=pw></form>")
    site.wanted = {user: "reader", "pw": PASSWORD}
    site.log_in()
    assert "reader" == site.posted[0][user]


@pytest.mark.parametrize("form", ["second", "nd-name", "#second", "form.right", "div.box input"])
def test_a_form_is_named_by_id_name_or_selector(site: Site, form: str) -> None:
    site.form = page(
        "<form method=post action=/other><input name=user><input type=password name=pw></form><div class=box>"
        "<form id=second name=nd-name class=right method=post><input name=user><input type=password name=pw></form></div>"
    )
    site.log_in(form=form)
    assert [{"user": "reader", "pw": PASSWORD}] == site.posted


def test_fields_are_named(site: Site) -> None:
    site.form = page("<form method=post><input name=email><input name=kd><input name=pin></form>")
    site.wanted = {"kd": "reader", "pin": PASSWORD, "email": ""}
    site.log_in(username_field="kd", password_field="pin", form="form")
    assert [{"email": "", "kd": "reader", "pin": PASSWORD}] == site.posted


def test_values_that_are_names_of_the_forms_fields_are_names(site: Site) -> None:
    """`FormLogin(url, username="user", password="pw")` says where they go, when the credentials have them."""
    site.log_in(Account(), username="user", password="pw")
    assert {"user": "reader", "pw": PASSWORD} == site.posted[0]


def test_values_are_values_without_other_credentials(site: Site) -> None:
    site.wanted = {"user": "user", "pw": "pw"}
    site.log_in(Account(None, None), username="user", password="pw")
    FormLogin(site.url, "user", "pw").log_in(Session(), None)
    assert [{"user": "user", "pw": "pw"}] * 2 == site.posted


def test_given_values_go_before_credentials(site: Site) -> None:
    site.wanted = {}
    site.log_in(Account("other", "other"), username="reader", password=PASSWORD)
    assert {"user": "reader", "pw": PASSWORD} == site.posted[0]


@pytest.mark.parametrize(
    ("body", "arguments", "match"),
    [
        ("nothing", {}, "there is no form that asks for a user name and a password on http.*/login, and no other"),
        (SEARCH + NEWSLETTER, {}, r"there are: 0: form #search to .*/search \(q\); 1: form .*\(email\)"),
        (REGISTER, {}, r"there are: 0: form #register .*\(user, email, pw, pw2\)"),
        (LOGIN, {"form": "#nosuch"}, r"no form with css='#nosuch' .*there are: 0: form #f\{0\}"),
        (LOGIN, {"username_field": "mail"}, "has no field 'mail' for username_field; its fields are: user, pw"),
        (
            LOGIN,
            {"form": "form", "password_field": "pin"},
            "has no field 'pin' for password_field; its fields are: user, pw",
        ),
        ("<form method=post><input type=password name=pw></form>", {}, "no such field to be found for username_field"),
        ("<form><input name=user><input type=password name=pw></form>", {}, "would put the password into a URL"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(site: Site, body: str, arguments: Any, match: str) -> None:
    site.form = page(body)
    site.refuses(FormError, match, **arguments)
    assert [] == site.posted


# --- what the site answers --------------------------------------------------------------------------------------------


def test_a_refused_login_says_what_the_site_says(site: Site) -> None:
    """Once: a wrong password is posted a single time."""
    site.wanted = {"pw": "another"}
    site.refuses(
        LoginError, r"login form on http.*/login is shown again \(it says “No such member\.”\): wrong user name"
    )
    assert 1 == len(site.posted)


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        ("<div role=alert>Wrong\n  password</div><p class=error>else</p>", "(it says “Wrong password”)"),
        ('<div role=alert hidden>Enable scripts</div><ul class="errorlist"><li>One</li><li>Two</li></ul>', "“One Two”"),
        ('<div style="display: none"><p class=error>not shown</p></div>', "again: wrong"),
        ("<noscript><p class=error>Enable scripts</p></noscript>", "again: wrong"),
        ("<p class=error>\x1b[31mred\x07 \u202egnorw</p>", "“[31mred gnorw”"),
        (f"<p class=error>{PASSWORD} is wrong</p>", "“[redacted] is wrong”"),
        (f"<p class=error>{'x' * 500}</p>", f"“{'x' * 199}…”"),
        ("<p class=login-error>By the class</p>", "“By the class”"),
        ("", "again: wrong"),
    ],
)
def test_what_the_site_says_is_short_safe_and_without_the_password(site: Site, refusal: str, said: str) -> None:
    site.wanted = {"pw": "another"}
    site.refusal = refusal
    assert said in site.refuses(LoginError, "is shown again")


@pytest.mark.parametrize(
    ("status", "match"),
    [
        ("401 Unauthorized", "answered 401 to the login.*it says “locked out”"),
        ("403 Forbidden", "answered 403"),
        ("429 Too Many Requests", "answered 429"),
    ],
)
def test_an_error_status_is_no_login(site: Site, status: str, match: str) -> None:
    refused = answer(status, b"<!doctype html><p class=error>locked out</p>")
    site.server.play("/login", [answer(body=site.form.encode())], [refused])
    site.refuses(LoginError, match)


@pytest.mark.parametrize("after", [[answer("503 Busy")], [Close()]])
def test_what_was_posted_is_never_posted_again(site: Site, after: list[Step]) -> None:
    """Whatever the session's retries: the server may have counted it. A fault of the server is no refusal."""
    site.server.play("/login", [answer(body=site.form.encode())], after)
    session = Session(retries=RetryPolicy(3, methods=None, backoff_seconds=0))
    with pytest.raises((HTTPError, ConnectionError, OSError)) as caught:
        FormLogin(site.url).log_in(session, Account())
    assert not isinstance(caught.value, LoginError)
    assert 1 == len(site.posted)


def test_the_page_is_asked_for_again_when_the_server_stumbles(site: Site) -> None:
    site.server.play("/login", [answer("503 Busy", headers=[("Retry-After", "0")])], site.login)
    site.log_in()
    assert 1 == len(site.posted)


def test_a_site_that_leads_on_knows_the_session_already(site: Site) -> None:
    """A login page sends members to their own; nothing is posted."""
    site.server.play("/login", [answer("302 Found", headers=[("Location", "/home")])])
    site.log_in()
    site.log_in(form="#login")
    assert [] == site.posted


def test_a_login_page_that_is_not_there_is_told(site: Site) -> None:
    site.server.play("/login", [answer("404 Not Found", b"<!doctype html><p class=error>Moved away</p>")])
    site.refuses(LoginError, r"the login page http.*/login answered 404 \(it says “Moved away”\)")


def test_a_page_elsewhere_without_a_form_is_no_login(site: Site) -> None:
    """A single sign-on that a script draws: the session is nobody's."""
    with HostileServer() as other:
        other.play("/sso", [answer(body=b"<!doctype html><div id=root></div>")])
        site.server.play("/login", [answer("302 Found", headers=[("Location", other.url("/sso"))])])
        site.refuses(FormError, f"on {other.url('/sso')}, and no other; a script may draw it")


def test_the_password_does_not_follow_a_redirect_to_another_origin(site: Site) -> None:
    with HostileServer() as other:
        other.play("/", [answer()])
        site.server.play(
            "/login",
            [answer(body=site.form.encode())],
            [answer("307 Over There", headers=[("Location", other.url("/"))])],
        )
        site.refuses(LoginError, f"redirects the login to {other.url('')} with the password in it")
        assert [] == other.requests


@pytest.fixture
def thief() -> Iterator[Site]:
    """Another origin, with a login form and somewhere to send it."""
    with HostileServer() as server:
        yield Site(server)


def elsewhere(site: Site, there: str) -> dict[str, str]:
    """Pages of `site`, by name, whose form would be sent to `there`."""
    return {
        "action": f"<form method=post action={there}/login><input name=user><input type=password name=pw></form>",
        "base": f"<base href={there}/><form method=post action=login><input name=user><input type=password name=pw></form>",
        "button": "<form method=post action=/login><input name=user><input type=password name=pw>"
        f"<button formaction={there}/login>Go</button></form>",
        "first step": f"<form method=post action={there}/login><input name=user autocomplete=username></form>",
    }


@pytest.mark.parametrize("kind", ["action", "base", "button", "first step"])
def test_a_page_does_not_choose_who_is_told_the_password(site: Site, thief: Site, kind: str) -> None:
    """Wherever its markup says so; the error says how the author would allow it."""
    there = thief.server.url("")
    site.form = page(elsewhere(site, there)[kind])
    told = site.refuses(LoginError, "nothing was sent there")
    assert f"goes to {there}" in told and f'origins=["{there}"]' in told
    assert [] == thief.server.requests


def test_nor_does_a_redirect_of_the_login_page(site: Site, thief: Site) -> None:
    there = thief.server.url("")
    site.server.play("/login", [answer("302 Found", headers=[("Location", thief.url)])])
    told = site.refuses(LoginError, f"the login form on {there}, to which {site.server.url('')} led, goes to {there}")
    assert f'origins=["{there}"]' in told
    assert [] == thief.posted


@pytest.mark.parametrize("kind", ["password", "code"])
def test_nor_does_the_second_step(site: Site, thief: Site, kind: str) -> None:
    there = thief.url
    if kind == "password":
        two_steps(site)
        site.form = page(f"<form method=post action={there}><input type=password name=pw></form>")
    else:
        code_page(site, f"<form method=post action={there}><input name=otp autocomplete=one-time-code></form>")
    site.refuses(LoginError, "nothing was sent there", Account(code="123456"))
    assert [] == thief.posted


@pytest.mark.parametrize("kind", ["action", "base", "button", "page", "repeated"])
def test_an_origin_that_the_author_names_is_told(site: Site, thief: Site, kind: str) -> None:
    if kind == "page":
        site.server.play("/login", [answer("302 Found", headers=[("Location", thief.url)])])
    elif kind == "repeated":
        over = answer("307 Over There", headers=[("Location", thief.url)])
        site.server.play("/login", [answer(body=site.form.encode())], [over])
    else:
        site.form = page(elsewhere(site, thief.server.url(""))[kind])
    site.log_in(origins=[thief.server.url("/any/path")])
    assert [{"user": "reader", "pw": PASSWORD}] == thief.posted


def test_a_button_does_not_put_the_password_into_a_url(site: Site) -> None:
    site.form = site.form.replace("<button>", "<button formmethod=get>")
    site.refuses(FormError, "would put the password into a URL")
    assert ["/login"] == [request.target for request in site.server.requests]


def hop(here: str, there: str, body: bytes | None = None) -> tuple[Response, PreparedRequest]:
    response, following = Response(), PreparedRequest()
    response.url, following.url, following.body = here, there, body
    return response, following


def test_what_came_over_https_is_not_sent_over_http() -> None:
    """Neither the page, nor what is filled in; by the address that the author gave, wherever its redirects led."""
    home = Confidants("https://a.example/login", ["http://b.example"])
    with pytest.raises(LoginError, match=r"sends the password unencrypted to http://b\.example"):
        home.check_form("https://a.example/login", "http://b.example/in")
    with pytest.raises(LoginError, match=r"sends the password unencrypted to http://b\.example"):
        home.check_form("http://b.example/form", "http://b.example/in")
    with pytest.raises(LoginError, match=r"https://a\.example redirects the login page to http://b\.example, which"):
        home.check_page(*hop("https://a.example/login", "http://b.example/form"))
    with pytest.raises(LoginError, match=r"sends the password unencrypted to http://a\.example"):
        home.check_hop(*hop("https://a.example/in", "http://a.example/in", b"pw=1"))
    home.check_hop(*hop("https://a.example/in", "http://a.example/home"))
    home.check_page(*hop("https://a.example/login", "https://sso.example/form"))


def test_the_step_from_http_to_https_is_the_same_host() -> None:
    home = Confidants("http://a.example/login", ["http://sso.example"])
    for target in ("https://a.example/in", "https://sso.example/in", "http://a.example:80/in"):
        home.check_form("http://a.example/login", target)
        home.check_hop(*hop("http://a.example/in", target, b"pw=1"))
    for target in ("https://a.example:8443/in", "http://a.example:8080/in", "https://b.a.example/in"):
        with pytest.raises(LoginError, match="nothing was sent there"):
            home.check_form("http://a.example/login", target)


def test_a_page_over_https_that_is_redirected_to_http_is_not_fetched() -> None:
    """The login asks the session to look at each redirect of its page."""
    asked: list[Any] = []

    class Watched(Session):
        def send(self, request: Any, **kwargs: Any) -> Any:
            asked.append(kwargs["check_hop"])
            raise ConnectionError("enough")

    with pytest.raises(ConnectionError, match="enough"):
        FormLogin("https://a.example/login").log_in(Watched(), Account())
    with pytest.raises(LoginError, match="not encrypted"):
        asked[0](*hop("https://a.example/login", "http://b.example/form"))


def test_a_redirect_on_the_same_site_may_repeat_the_post(site: Site) -> None:
    site.server.play("/login", [answer(body=site.form.encode())], [answer("307 Here", headers=[("Location", "/in")])])
    site.server.play("/in", site.login)
    site.log_in()
    assert [{"user": "reader", "pw": PASSWORD}] * 2 == site.posted


# --- two steps, and codes ---------------------------------------------------------------------------------------------


def two_steps(site: Site) -> None:
    """The user name on the first page, the password on the next."""
    first = page(
        f"{SEARCH}{NEWSLETTER}<form method=post action=/login/identifier><input type=hidden name=state value=1>"
        "<input type=email name=email autocomplete=username><button>Next</button></form>"
    )
    site.server.play("/login", [answer(body=first.encode())])

    def identifier(request: Received) -> list[Step]:
        if b"email=reader" in request.body:
            return [answer("303 See Other", headers=[("Location", "/login/password")])]
        return [
            answer(
                body=first.replace(
                    "<form method=post action=/login", "<p class=error>Unknown</p><form method=post action=/login", 1
                ).encode()
            )
        ]

    site.server.play("/login/identifier", identifier)
    site.form = page(
        "<form method=post action=/login/password><input type=hidden name=state value=2><input type=password name=pw></form>"
    )
    site.wanted = {"state": "2", "pw": PASSWORD}
    site.server.play("/login/password", site.login)


def test_user_name_and_password_on_two_pages(site: Site) -> None:
    two_steps(site)
    session = site.log_in()
    assert [{"state": "1", "email": "reader"}, {"state": "2", "pw": PASSWORD}] == site.posted
    assert "yes" == session.cookies["member"]


def test_an_unknown_user_name_is_told(site: Site) -> None:
    two_steps(site)
    site.refuses(LoginError, r"asks for the user name again \(it says “Unknown”\): is it right", Account("nobody"))


def test_a_second_page_without_a_password_is_told(site: Site) -> None:
    two_steps(site)
    site.server.play("/login/password", [answer(body=b"<!doctype html>We sent you a link")])
    site.refuses(FormError, r"no form that asks for a password \(the user name was sent, 200 came back\)")


@pytest.mark.parametrize(
    "field",
    [
        "<input name=otp>",
        "<input name=token-otp_token>",
        "<input name=x autocomplete=one-time-code>",
        "<input name=app_otp>",
    ],
)
def test_a_code_on_the_same_page(site: Site, field: str) -> None:
    site.form = site.form.replace("<button", f"{field}<button")
    name = field.partition("name=")[2].partition(" ")[0].rstrip(">")
    site.log_in(Account(code="123456"))
    site.log_in(Account())
    assert ["123456", ""] == [sent[name] for sent in site.posted]


def test_a_code_field_that_is_named_needs_a_code(site: Site) -> None:
    site.form = site.form.replace("<button", "<input name=second><button")
    site.log_in(Account(code="123456"), otp_field="second")
    assert "123456" == site.posted[0]["second"]
    site.refuses(ConfigError, "there is no code", otp_field="second")
    assert 1 == len(site.posted)


def code_page(
    site: Site, form: str = "<form method=post action=/two-factor><input name=code><button>Verify</button></form>"
) -> None:
    """After the password the site asks for a code."""
    asks = answer(body=page(form).encode())
    site.server.play("/login", [answer(body=site.form.encode())], [asks])

    def check(request: Received) -> list[Step]:
        if b"=123456" in request.body:
            return [answer("303 See Other", headers=[("Location", "/home"), ("Set-Cookie", "member=yes; Path=/")])]
        return [answer(body=page(form.replace("<form", "<p class=error>Expired</p><form")).encode())]

    site.server.play("/two-factor", check)


def test_a_code_on_the_next_page(site: Site) -> None:
    code_page(site)
    session = site.log_in(Account(code="123456"))
    assert [{"user": "reader", "pw": PASSWORD}, {"code": "123456"}] == site.posted
    assert "yes" == session.cookies["member"]


def test_a_refused_code_is_told(site: Site) -> None:
    code_page(site)
    site.refuses(LoginError, r"asks for the one-time code again \(it says “Expired”\).*clock", Account(code="000000"))


def test_a_missing_code_is_told(site: Site) -> None:
    """By the credentials, which know the key to set; without any, by the argument."""
    code_page(site)
    site.refuses(ConfigError, "there is no code")
    code_page(site)
    with pytest.raises(LoginError, match="asks for a one-time code: FormLogin"):
        FormLogin(site.url, "reader", PASSWORD).log_in(Session(), None)


def test_a_totp_secret_of_ones_own(site: Site) -> None:
    site.form = site.form.replace("<button", "<input name=otp><button")
    login = FormLogin(site.url, "reader", PASSWORD, totp=f"otpauth://totp/x?secret={SECRET}&period=3600")
    login.log_in(Session(), None)
    assert 6 == len(site.posted[0]["otp"])
    assert SECRET not in repr(login)


def test_a_coupon_is_no_code(site: Site) -> None:
    """A shop's front page, where the login ends, may ask for a code of another kind."""
    shop = page("<form method=post action=/cart><input name=code><button>Redeem</button></form>")
    site.server.play("/home", [answer(body=shop.encode())])
    site.log_in(Account(code="123456"))
    assert 1 == len(site.posted)


# --- what is missing, and what shows ----------------------------------------------------------------------------------


def test_missing_credentials_are_told_before_anything_is_posted(site: Site) -> None:
    site.refuses(ConfigError, "there is no password", Account(password=None))
    with pytest.raises(LoginError, match=r"no credentials for .*FormLogin\(url, username, password\)"):
        FormLogin(site.url).log_in(Session(), None)
    assert [] == site.posted


def test_its_repr_shows_the_url_alone() -> None:
    login = FormLogin("https://me:hunter2@example.org/login", "reader", PASSWORD)
    assert "<FormLogin https://example.org/login>" == repr(login)
    assert "https://me:hunter2@example.org/login" == login.url


def test_the_session_hides_the_password(site: Site) -> None:
    session = site.log_in()
    assert "sent [redacted]" == session.redactor.redact(f"sent {PASSWORD}")

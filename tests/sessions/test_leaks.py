"""What a redirect takes along and what it must not: credentials are bound to the origin they were given for."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Iterator

import pytest
import urllib3.util

from crawlkit import Session, exceptions
from crawlkit.sessions import leaks
from crawlkit.sessions.auth import HTTPBasicAuth
from crawlkit.sessions.digest import HTTPDigestAuth
from crawlkit.testing.hostile import HostileServer, answer
from tests.sessions.calls import redirect
from tests.sessions.mirror import Mirror

CANARY = "canary-7f3a"


@pytest.fixture
def elsewhere() -> Iterator[Mirror]:
    """A second server: same host, another port, which is another origin."""
    server = Mirror()
    yield server
    server.close()


@pytest.mark.parametrize(
    ("old", "new", "stays"),
    [
        ("http://a.example/", "http://a.example/x", True),
        ("http://a.example/", "http://a.example:80/", True),
        ("https://a.example/", "https://a.example:443/", True),
        ("http://A.example/", "http://a.EXAMPLE/", True),
        ("http://a.example/", "https://a.example/", True),
        ("http://a.example:80/", "https://a.example:443/", True),
        ("https://a.example/", "http://a.example/", False),
        ("http://a.example:8080/", "https://a.example/", False),
        ("http://a.example/", "https://a.example:8443/", False),
        ("http://a.example/", "http://a.example:81/", False),
        ("http://a.example/", "http://b.example/", False),
        ("http://a.example/", "http://www.a.example/", False),
        ("http://www.a.example/", "http://a.example/", False),
        ("http://a.example/", "http://a.example./", False),
        ("http://127.0.0.1/", "http://localhost/", False),
        ("http://a.example/", "http://a.example@b.example/", False),
        ("http://a.example/", "https://b.example/", False),
    ],
)
def test_where_authorization_may_go(old: str, new: str, stays: bool) -> None:
    assert stays == leaks.authorization_stays(old, new)
    assert stays == (not Session().should_strip_auth(old, new))


@pytest.mark.parametrize(
    "url",
    [
        "http://good.example\\@evil.example/",
        "http://good.example@evil.example/",
        "http://evil.example#@good.example/",
        "http://evil.example?@good.example/",
        "http://evil.example/@good.example/",
        "http://good.example:80@evil.example:8080/",
        "http://[::1]@evil.example/",
    ],
)
def test_the_origin_is_the_one_that_urllib3_connects_to(url: str) -> None:
    prepared = Session()._prepared_of("GET", url, None, None, None, None, None, None, None, None).url
    parts = urllib3.util.parse_url(prepared)
    assert (parts.host, parts.port or 80) == leaks.origin_of(prepared)[1:]


@pytest.mark.parametrize(
    "name",
    [
        *("X-API-Key", "x-api-key", "X-Auth-Token", "PRIVATE-TOKEN", "X-CSRFToken", "Client-Secret", "Token"),
        *("X-Goog-Api-Key", "Ocp-Apim-Subscription-Key", "X-RapidAPI-Key", "ApiKey"),
        *("DD-API-KEY", "DD-APPLICATION-KEY"),
        *("X-Auth-Key", "X-Access-Key", "X-Session-Id", "X-JWT", "X-JWT-Assertion", "X-Authorization", "X-Auth"),
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert leaks.is_secret(name, leaks.SECRET_HEADERS)


@pytest.mark.parametrize(
    "name", ["Accept", "X-Requested-With", "User-Agent", "Referer", "X-Tokens", "Token-Kind", "X-Author"]
)
def test_names_of_no_secrets(name: str) -> None:
    assert not leaks.is_secret(name, leaks.SECRET_HEADERS)


CREDENTIALS = [
    ("basic", {"auth": HTTPBasicAuth("user", CANARY)}),
    ("authorization", {"headers": {"Authorization": f"Bearer {CANARY}"}}),
    ("key", {"headers": {"X-API-Key": CANARY}}),
    ("token", {"headers": {"X-Auth-Token": CANARY}}),
    ("cookie", {"cookies": {"c": CANARY}}),
    ("manual cookie", {"headers": {"Cookie": f"c={CANARY}"}}),
    ("host", {"headers": {"Host": f"{CANARY}.example"}}),
    ("proxy", {"headers": {"Proxy-Authorization": f"Basic {CANARY}"}}),
]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(("kind", "kwargs"), CREDENTIALS, ids=[kind for kind, _ in CREDENTIALS])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_no_credential_reaches_another_origin(
    status: int, kind: str, kwargs: dict, host: str, mirror: Mirror, elsewhere: Mirror
) -> None:
    with Session() as session:
        session.trust_env = False
        session.get(mirror.url(redirect(elsewhere.url("/echo", host), status)), **kwargs)
    assert 1 == len(elsewhere.seen)
    there = elsewhere.seen[0]
    assert not [value for _, value in there.headers if CANARY in value or "dXNlcj" in value]


def test_what_was_dropped_does_not_come_back(mirror: Mirror, elsewhere: Mirror) -> None:
    """Home by way of a stranger: the stranger would choose where at home."""
    back = mirror.url("/echo")
    with Session() as session:
        session.get(
            mirror.url(redirect(elsewhere.url(redirect(back)))),
            headers={"Authorization": CANARY, "X-API-Key": CANARY},
            cookies={"c": CANARY},
        )
    assert ["/echo"] == [one.target for one in mirror.seen[1:]]
    assert not [value for _, value in mirror.seen[-1].headers if CANARY in value]


def test_a_body_goes_with_307_as_the_rules_have_it_but_not_with_302(mirror: Mirror, elsewhere: Mirror) -> None:
    with Session() as session:
        session.post(mirror.url(redirect(elsewhere.url("/echo"), 302)), data={"p": CANARY})
    assert ("GET", b"") == (elsewhere.seen[-1].method, elsewhere.seen[-1].body)


def test_the_jars_cookies_follow_their_own_rules(mirror: Mirror, elsewhere: Mirror) -> None:
    """Cookies know no ports (RFC 6265), so a cookie of the host goes to its other port, and not to another host."""
    with Session() as session:
        session.get(mirror.url("/cookies?set=jar%3D1%3B+Path%3D/"))
        session.get(mirror.url(redirect(elsewhere.url("/echo"))))
        session.get(mirror.url(redirect(elsewhere.url("/echo", "localhost"))))
    assert ["jar=1", None] == [one.header("cookie") for one in elsewhere.seen]


def test_the_session_says_which_headers_are_secret(mirror: Mirror, elsewhere: Mirror) -> None:
    with Session() as session:
        session.secret_headers = {"X-Mine"}
        session.headers.update({"x-mine": CANARY, "X-Api-Key": "public"})
        session.get(mirror.url(redirect(elsewhere.url("/echo"))))
    assert (None, "public") == (elsewhere.seen[0].header("x-mine"), elsewhere.seen[0].header("x-api-key"))


def test_a_direct_call_sends_them(mirror: Mirror, elsewhere: Mirror) -> None:
    with Session() as session:
        session.headers["X-API-Key"] = CANARY
        session.get(elsewhere.url())
    assert CANARY == elsewhere.seen[0].header("x-api-key")


def test_digest_does_not_answer_a_stranger(mirror: Mirror, elsewhere: Mirror) -> None:
    """requests computes a digest of the password for whoever asks after a redirect, to be cracked at leisure."""
    with Session() as session:
        response = session.get(mirror.url(redirect(elsewhere.url("/digest"))), auth=HTTPDigestAuth("user", "password"))
    assert 401 == response.status_code
    assert [None] == [one.header("authorization") for one in elsewhere.seen]


def test_an_error_does_not_show_a_password() -> None:
    assert "http://a.example/x?y@z" == leaks.shown("http://user:secret@a.example/x?y@z")
    assert "http://a.example/" == leaks.shown("http://u:p@q@a.example/")
    assert "no url" == leaks.shown("no url")
    assert "mailto:x@y.example" == leaks.shown("mailto:x@y.example")  # an address, no user name
    assert "host:80/" == leaks.shown("user:secret@host:80/")
    with Session() as session, pytest.raises(OSError) as caught:
        session.get("http://user:secret@127.0.0.1:1/")
    assert "secret" not in str(caught.value) + repr(caught.value)


def test_a_session_may_name_the_only_origins_that_get_its_secrets(mirror: Mirror, elsewhere: Mirror) -> None:
    with Session() as session:
        session.headers.update({"X-API-Key": CANARY, "Authorization": CANARY, "X-Public": "p"})
        session.auth = ("user", CANARY)
        session.secret_origins = {leaks.origin_of(mirror.url())}
        session.get(mirror.url())
        session.get(elsewhere.url())
        session.get(elsewhere.url(), headers={"X-API-Key": "its own"})
    assert CANARY == mirror.seen[0].header("x-api-key")
    assert mirror.seen[0].header("authorization") is not None
    assert [None, None] == [one.header("authorization") for one in elsewhere.seen]
    assert [None, "its own"] == [one.header("x-api-key") for one in elsewhere.seen]
    assert ["p", "p"] == [one.header("x-public") for one in elsewhere.seen]


# --- advisories -------------------------------------------------------------------------------------------------------


def test_the_case_of_a_header_protects_nobody(mirror: Mirror, elsewhere: Mirror) -> None:
    """urllib3 CVE-2018-25091: `authorization` in lower case went along."""
    headers = {"authorization": CANARY, "COOKIE": CANARY, "x-api-KEY": CANARY, "proxy-authorization": CANARY}
    with Session() as session:
        session.get(mirror.url(redirect(elsewhere.url("/echo"))), headers=headers)
    assert not [value for _, value in elsewhere.seen[0].headers if CANARY in value]


def test_a_cookie_of_a_redirect_belongs_to_the_host_that_set_it(mirror: Mirror) -> None:
    """requests CVE-2015-2296: the cookie of a redirect counted as the target's, which let one site log in at
    another.
    """
    there = mirror.url("/echo", "localhost")
    with Session() as session:
        session.get(mirror.url(redirect(there, set="fixed=1; Path=/")))
        session.get(mirror.url("/echo/home"))
    assert [None, "fixed=1"] == [one.header("cookie") for one in mirror.seen[1:]]


def test_a_redirect_from_https_to_http_loses_its_credentials() -> None:
    """requests CVE-2018-18074."""
    session = Session()
    assert session.should_strip_auth("https://a.example/", "http://a.example/")
    assert session.should_strip_auth("https://a.example:443/", "http://a.example:80/")


def test_a_bomb_in_a_redirect_does_not_go_off() -> None:
    """urllib3 CVE-2026-21441: the body of a redirect was decoded without a limit to get at the connection."""
    bomb = gzip.compress(bytes(64 * 1024 * 1024), 1)
    with HostileServer() as server, Session() as session:
        headers = [("Location", "/there"), ("Content-Encoding", "gzip")]
        url = server.play("/bomb", [answer(302, bomb, headers)])
        server.play("/there", [answer(body=b"there")])
        tracemalloc.start()
        try:
            response = session.get(url)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert b"there" == response.content
    assert most < 16 * 1024 * 1024


@pytest.mark.parametrize("status", [301, 302, 303])
def test_the_body_of_a_post_does_not_follow_a_changed_method(status: int, mirror: Mirror, elsewhere: Mirror) -> None:
    """urllib3 CVE-2023-45803."""
    with Session() as session:
        session.post(mirror.url(redirect(elsewhere.url("/echo"), status)), data=CANARY)
    assert ("GET", b"", None) == (
        elsewhere.seen[0].method,
        elsewhere.seen[0].body,
        elsewhere.seen[0].header("content-length"),
    )


def test_an_address_without_an_adapter_is_named() -> None:
    """What the message says is what was asked for."""
    with (
        Session() as session,
        pytest.raises(exceptions.InvalidSchema, match=r"no adapter is mounted for 'mailto:x@y\.example'"),
    ):
        session.get("mailto:x@y.example")

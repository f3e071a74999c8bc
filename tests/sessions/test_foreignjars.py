"""http.cookiejar beside ours: cookies turned into each other, its jars as a session uses them."""

from __future__ import annotations

from http import cookiejar
from typing import Any

import pytest
import requests
import urllib3
from hypothesis import given
from hypothesis import strategies as st

import crawlkit.requests
from crawlkit.exceptions import InvalidHeader
from crawlkit.sessions.cookie import Cookie
from crawlkit.sessions.cookies import CookieJar
from crawlkit.sessions.foreignjars import (
    Answer,
    ForeignJar,
    adapt,
    cookie_url,
    from_stdlib,
    set_cookie_lines,
    to_stdlib,
)
from tests.sessions.mirror import Mirror


def test_adapting() -> None:
    """Our jar is used as it is, http.cookiejar's is wrapped, anything else is a TypeError that names it."""
    jar = CookieJar()
    assert adapt(jar) is jar
    foreign = adapt(requests.cookies.RequestsCookieJar())
    assert isinstance(foreign, ForeignJar)
    assert [] == foreign.receive("http://localhost:80/x", ["a=1; Path=/", "b=2", "bad\r\nX: y"])
    assert "a=1; b=2" == foreign.header_for("http://localhost/")
    assert None is foreign.header_for("http://example.com/")
    with pytest.raises(TypeError, match="dict"):
        adapt({})


def test_no_more_than_fifty_for_a_foreign_jar() -> None:
    """The limit of a response holds whatever the jar."""
    jar = cookiejar.CookieJar()
    adapt(jar).receive("https://www.example.com/", [f"c{n}=1" for n in range(60)])
    assert 50 == len(jar)


@pytest.mark.parametrize(
    ("line", "sent_to", "not_to"),
    [
        ("a=1", "https://www.example.com/", "https://sub.www.example.com/"),
        ("a=1; Domain=example.com; Secure; HttpOnly", "https://sub.example.com/", "http://www.example.com/"),
        ("a=1; Path=/p; Max-Age=100; SameSite=Strict", "https://www.example.com/p", "https://www.example.com/"),
        ("nameless", "https://www.example.com/", "https://example.com/"),
    ],
)
def test_there_and_back(line: str, sent_to: str, not_to: str) -> None:
    """A cookie that went through http.cookiejar is the cookie that it was: host-only stays host-only (aiohttp
    CVE-2026-54279)."""
    jar = CookieJar()
    (cookie,) = jar.receive("https://www.example.com/", [line])
    back = CookieJar()
    back.set_cookie(to_stdlib(cookie))
    assert jar.header_for(sent_to) == back.header_for(sent_to) == line.partition(";")[0]
    assert None is back.header_for(not_to)
    (again,) = back
    for name in ("key", "secure", "httponly", "samesite", "discard", "expires"):
        assert getattr(cookie, name) == getattr(again, name), name


def test_received_by_http_cookiejar() -> None:
    """What http.cookiejar received from localhost is localhost's here, although it calls it
    localhost.local.
    """
    foreign = cookiejar.CookieJar()
    adapt(foreign).receive("http://localhost/", ["a=1; Path=/"])
    assert "localhost.local" == next(iter(foreign)).domain
    jar = CookieJar()
    jar.update(foreign)
    assert "a=1" == jar.header_for("http://localhost/")


def test_made_by_requests() -> None:
    """Its domainless cookies are bound here to their first host, its domains mean the hosts below."""
    theirs = requests.cookies.RequestsCookieJar()
    theirs.set("free", "1")
    theirs.set("d", "2", domain="example.com", rest={"HttpOnly": None, "Priority": "High"})
    jar = CookieJar()
    jar.update(theirs)
    assert "free=1; d=2" == jar.header_for("https://www.example.com/")
    assert "d=2" == jar.header_for("https://example.com/")
    cookie = next(cookie for cookie in jar if cookie.name == "d")
    assert cookie.httponly and "High" == cookie.get_nonstandard_attr("Priority")


def test_a_foreign_cookie_that_cannot_be_sent() -> None:
    """Refused, named, its value not shown."""
    cookie = to_stdlib(Cookie("a", "b", "example.com"))
    cookie.value = "secret\r\n"
    with pytest.raises(InvalidHeader) as refusal:
        from_stdlib(cookie)
    assert "secret" not in str(refusal.value)


def test_set_cookie_lines() -> None:
    """The lines of whatever a response is; a response without headers has none."""
    lines = ["a=1; Expires=Wed, 09 Jun 2100 10:18:14 GMT", "b=2"]
    many = urllib3.HTTPHeaderDict()
    for line in lines:
        many.add("Set-Cookie", line)
    assert lines == set_cookie_lines(urllib3.HTTPResponse(headers=many))
    assert lines == set_cookie_lines(Answer(lines))
    assert [] == set_cookie_lines(Answer([])) == set_cookie_lines(object())


@pytest.mark.parametrize(
    ("url", "host", "expected"),
    [
        ("http://10.0.0.1:8080/a?b", "example.com", "http://example.com/a?b"),
        ("http://10.0.0.1", b"example.com:80", "http://example.com:80"),
        ("http://u:p@h?q=http://x/", "example.com", "http://example.com?q=http://x/"),
        ("http://h/", "evil.org/@", "http://h/"),
        ("http://h/", "", "http://h/"),
        ("http://h/", None, "http://h/"),
    ],
)
def test_cookie_url(url: str, host: Any, expected: str) -> None:
    """A Host header takes the place of the URL's host, if it is nothing but a host."""
    assert expected == cookie_url(url, {"Host": host})
    assert url == cookie_url(url, None)


@given(
    st.builds(
        Cookie,
        st.text("ab=", max_size=3),
        st.text("xyz \"';", min_size=1, max_size=5),
        st.sampled_from(["example.com", "www.example.com", "localhost", "127.0.0.1"]),
        path=st.sampled_from(["/", "/a", "/a/b"]),
        secure=st.booleans(),
        httponly=st.booleans(),
        samesite=st.sampled_from([None, "Lax", "Strict", "None"]),
        expires=st.none() | st.integers(min_value=4_000_000_000, max_value=5_000_000_000),
    )
)
def test_every_cookie_comes_back(cookie: Cookie) -> None:
    """There and back again, nothing is lost that http.cookiejar can hold."""
    again = from_stdlib(to_stdlib(cookie))
    for name in ("key", "value", "secure", "httponly", "samesite", "expires", "discard"):
        assert getattr(cookie, name) == getattr(again, name), name


def test_requests_mock_of_a_request_gets_its_cookies_from_our_jar() -> None:
    """Programs hand requests' own MockRequest to whatever jar there is; it has no `get_method`."""
    jar = CookieJar()
    jar.set("a", "1", domain="example.org")
    mock = requests.cookies.MockRequest(requests.Request("GET", "http://example.org/").prepare())
    jar.add_cookie_header(mock)
    assert {"Cookie": "a=1"} == mock.get_new_headers()


# --- jars that are derived from ours, as from requests' ----------------------------------------------------------------


def forgetful(library: Any) -> Any:
    class Forgetful(library.cookies.RequestsCookieJar):  # type: ignore[misc]
        """requests-toolbelt's."""

        def set_cookie(self, *args: Any, **kwargs: Any) -> None:
            return None

    return Forgetful()


def choosy(library: Any) -> Any:
    class Choosy(library.cookies.RequestsCookieJar):  # type: ignore[misc]
        def set_cookie(self, cookie: Any, *args: Any, **kwargs: Any) -> Any:
            if not cookie.name.startswith("track"):
                cookie.value = (cookie.value or "").upper()
                super().set_cookie(cookie, *args, **kwargs)

    return Choosy()


def counting(library: Any) -> Any:
    class Counting(library.cookies.RequestsCookieJar):  # type: ignore[misc]
        def extract_cookies(self, response: Any, request: Any) -> None:
            super().extract_cookies(response, request)
            lines = response.info().get_all("Set-Cookie")
            if lines:  # requests calls it for answers without cookies, too
                self.set("seen", f"{len(lines)} of {request.get_full_url().rpartition('/')[2][:7]}", domain="x.example")

    return Counting()


@pytest.mark.parametrize("make", [forgetful, choosy, counting])
def test_what_a_jar_overrides_is_called(make: Any, mirror: Mirror) -> None:
    """As in requests: its `set_cookie` and `extract_cookies` decide about what an answer sets."""
    found = []
    for library in (requests, crawlkit.requests):
        with library.Session() as session:
            session.cookies = make(library)
            session.get(mirror.url("/cookies?set=a%3Dbc&set=track%3D1&set=gone%3D1%3B%20Max-Age%3D0"))
            session.get(mirror.url())
            found.append((sorted((c.name, c.value) for c in session.cookies), mirror.seen[-1].header("Cookie")))
    expected, actual = found
    assert expected == actual


def test_what_a_jar_overrides_hears_of_no_older_login() -> None:
    """An answer to a request from before the last login changes nothing, whoever takes the cookies."""

    class Own(CookieJar):
        calls = 0

        def extract_cookies(self, response: Any, request: Any) -> None:
            self.calls += 1

    jar = Own()
    jar.next_epoch()
    adapt(jar).receive("https://www.example.com/", ["a=1"], epoch=0)
    assert 0 == jar.calls
    adapt(jar).receive("https://www.example.com/", ["a=1"], epoch=1)
    assert 1 == jar.calls


def test_what_a_jar_overrides_gets_what_the_rules_let_in_only() -> None:
    """And what it put in is what `receive` says was kept."""
    jar = choosy(crawlkit.requests)
    jar.receive("https://www.example.com/", ["s=1; Secure"])
    kept = jar.receive("http://www.example.com/", ["s=2", "a=b", "track=1", "b=1; Domain=com"])
    assert ["a"] == [cookie.name for cookie in kept]
    assert {"s": "1", "a": "B"} == jar.get_dict()

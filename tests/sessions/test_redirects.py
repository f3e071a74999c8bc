"""Redirects: where they lead, what becomes of the request, and what a program may override."""

from __future__ import annotations

import io
from typing import Any

import pytest

from crawlkit import Session, exceptions
from crawlkit.sessions import redirects
from crawlkit.sessions.following import ChosenProxies
from crawlkit.testing.hostile import HostileServer, Repeat, answer
from tests.sessions.calls import redirect
from tests.sessions.mirror import Mirror


@pytest.mark.parametrize(
    ("status", "method", "after"),
    [
        (301, "GET", "GET"),
        (301, "POST", "GET"),
        (301, "PUT", "PUT"),
        (301, "HEAD", "HEAD"),
        (302, "POST", "GET"),
        (302, "PUT", "GET"),
        (302, "HEAD", "HEAD"),
        (303, "DELETE", "GET"),
        (303, "HEAD", "HEAD"),
        (307, "POST", "POST"),
        (308, "PUT", "PUT"),
    ],
)
def test_the_method_after(status: int, method: str, after: str) -> None:
    assert after == redirects.method_after(status, method)


BASE = "http://a.example:8080/dir/page?q=1"


@pytest.mark.parametrize(
    ("location", "fragment", "url"),
    [
        ("/x", "", "http://a.example:8080/x"),
        ("x", "", "http://a.example:8080/dir/x"),
        ("../x", "", "http://a.example:8080/x"),
        ("?r=2", "", "http://a.example:8080/dir/page?r=2"),
        ("//b.example/x", "", "http://b.example/x"),
        ("https://b.example", "", "https://b.example/"),
        ("HTTP://B.Example/X", "", "http://b.example/X"),
        ("/x", "f", "http://a.example:8080/x#f"),
        ("/x#g", "f", "http://a.example:8080/x#g"),
        ("/a b/ü", "", "http://a.example:8080/a%20b/%C3%BC"),
        ("/a%20b", "", "http://a.example:8080/a%20b"),
        ("http://bücher.example/", "", "http://xn--bcher-kva.example/"),
    ],
)
def test_where_a_location_leads(location: str, fragment: str, url: str) -> None:
    assert url == redirects.resolve_location(BASE, location, fragment)


@pytest.mark.parametrize("location", ["http://[::1", "http://*.example/", "http://a.example:99999/", "https://"])
def test_what_is_no_url_is_an_error_that_says_so(location: str) -> None:
    with pytest.raises(exceptions.InvalidURL):
        redirects.resolve_location(BASE, location)


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "javascript:alert(1)", "data:text/html,x", "ftp://a.example/"]
)
def test_only_http_is_followed(location: str) -> None:
    with pytest.raises(exceptions.InvalidSchema, match="only http"):
        redirects.resolve_location(BASE, location)


def test_not_even_when_an_adapter_is_mounted_for_it(mirror: Mirror) -> None:
    with Session() as session:
        session.mount("file://", session.get_adapter("http://"))
        with pytest.raises(exceptions.InvalidSchema) as caught:
            session.get(mirror.url(redirect("file:///etc/passwd")))
    assert 302 == caught.value.response.status_code


@pytest.mark.parametrize(
    ("value", "text"),
    [("/plain", "/plain"), ("/\xc3\xbc", "/ü"), ("/\xfc", "/ü"), ("/\u20ac", "/\u20ac")],
)
def test_a_location_is_utf8_where_it_can_be(value: str, text: str) -> None:
    assert text == redirects.read_location(value)


def test_too_many_redirects_carries_the_last_response(mirror: Mirror) -> None:
    with Session() as session:
        session.max_redirects = 2
        with pytest.raises(exceptions.TooManyRedirects) as caught:
            session.get(mirror.url("/chain?n=9"))
    assert 302 == caught.value.response.status_code
    assert 2 == len(caught.value.response.history)
    assert 3 == len(mirror.seen)


def test_each_hop_of_the_history_has_the_one_before(mirror: Mirror) -> None:
    with Session() as session:
        response = session.get(mirror.url("/chain?n=3"))
    assert [0, 1, 2, 3] == [len(one.history) for one in [*response.history, response]]
    assert {"hop3": "yes", "hop2": "yes", "hop1": "yes"} == session.cookies.get_dict()


def test_cookies_of_each_hop_go_to_the_next(mirror: Mirror) -> None:
    with Session() as session:
        session.get(mirror.url("/chain?n=2"))
    assert [None, "hop2=yes", "hop2=yes; hop1=yes"] == [one.header("cookie") for one in mirror.seen]


def test_a_cookie_of_the_request_may_be_replaced_or_deleted_on_the_way(mirror: Mirror) -> None:
    gone = redirect("/echo", set="a=; Path=/; Max-Age=0")
    with Session() as session:
        session.get(mirror.url(redirect("/echo", set="a=2; Path=/")), cookies={"a": "1", "b": "1"})
        session.get(mirror.url(gone), cookies={"b": "3"})
    assert ["a=2; b=1", "b=3"] == sorted(
        "; ".join(sorted((one.header("cookie") or "").split("; "))) for one in mirror.seen if one.target == "/echo"
    )


def test_next_is_made_when_it_is_asked_for(mirror: Mirror) -> None:
    with Session() as session:
        response = session.get(mirror.url(redirect("/echo/next")), allow_redirects=False)
        assert mirror.url("/echo/next") == response.next.url
        assert "/echo/next" == session.send(response.next).request.path_url
        assert session.get(mirror.url()).next is None


def test_a_location_that_leads_nowhere_is_no_error_until_it_is_followed(mirror: Mirror) -> None:
    with Session() as session:
        response = session.get(mirror.url(redirect("http://[::1")), allow_redirects=False)
        assert 302 == response.status_code
        with pytest.raises(exceptions.InvalidURL):
            _ = response.next


def test_check_hop_sees_each_redirect_before_it_is_followed(mirror: Mirror) -> None:
    hops: list[tuple[int, str]] = []

    def check(response: Any, onward: Any) -> None:
        hops.append((response.status_code, onward.path_url))
        if onward.path_url == "/chain?n=1":
            raise PermissionError("no further")

    with Session() as session, pytest.raises(PermissionError):
        session.get(mirror.url("/chain?n=3"), check_hop=check)
    assert [(302, "/chain?n=2"), (302, "/chain?n=1")] == hops
    assert ["/chain?n=3", "/chain?n=2"] == [one.target for one in mirror.seen]


def test_a_body_is_sent_again_from_where_it_stood(mirror: Mirror) -> None:
    file = io.BytesIO(b"skipped|sent")
    file.seek(8)
    with Session() as session:
        session.post(mirror.url(redirect("/echo", 307)), data=file)
    assert [b"sent", b"sent"] == [one.body for one in mirror.seen]


@pytest.mark.parametrize("length", [{}, {"Content-Length": "4"}])
def test_a_body_that_cannot_be_sent_again_is_an_error(length: dict[str, str], mirror: Mirror) -> None:
    """requests sends nothing in its place, with the method of the first."""
    with Session() as session, pytest.raises(exceptions.UnrewindableBodyError) as caught:
        session.post(mirror.url(redirect("/echo", 308)), data=iter([b"once"]), headers=length)
    assert 308 == caught.value.response.status_code
    assert 1 == len(mirror.seen)


def test_all_content_headers_go_with_the_body(mirror: Mirror) -> None:
    headers = {"Content-Language": "de", "Content-MD5": "x", "X-Content": "stays"}
    with Session() as session:
        session.post(mirror.url(redirect("/echo")), data="body", headers=headers)
    names = {name.lower() for name, _ in mirror.seen[-1].headers}
    assert "x-content" in names
    assert not [name for name in names if name.startswith("content-")]


def test_the_body_of_a_redirect_is_read_and_the_connection_used_again(mirror: Mirror) -> None:
    with Session() as session:
        response = session.get(mirror.url("/redirect?to=/echo&body=" + "x" * 5000))
        assert 1 == session.pool.counts().opened
    assert 5000 == len(response.history[0].content)


def test_an_endless_redirect_is_followed_all_the_same() -> None:
    """Its body costs the connection, not the program; who asks for the body is told."""
    with HostileServer() as server, Session() as session:
        head = b"HTTP/1.1 302 Found\r\nLocation: /there\r\n\r\n"
        url = server.play("/endless", [head, Repeat(b"x" * 65536)])
        server.play("/there", [answer(body=b"there")])
        response = session.get(url)
        assert b"there" == response.content
        with pytest.raises(exceptions.BodyTooLarge):
            _ = response.history[0].content


def test_a_broken_body_of_a_redirect_does_not_matter(mirror: Mirror) -> None:
    with HostileServer() as server, Session() as session:
        headers = [("Location", "/there"), ("Content-Encoding", "gzip")]
        url = server.play("/broken", [answer(302, b"no gzip", headers)])
        server.play("/there", [answer(body=b"there")])
        assert b"there" == session.get(url).content


def test_the_steps_may_be_overridden(mirror: Mirror) -> None:
    class Mine(Session):
        def get_redirect_target(self, resp: Any) -> str | None:
            return super().get_redirect_target(resp)

        def should_strip_auth(self, old_url: str, new_url: str) -> bool:
            return False

        def rebuild_method(self, prepared_request: Any, response: Any) -> None:
            prepared_request.method = "REPORT"

    with Mine() as session:
        session.get(mirror.url(redirect(mirror.url("/echo", "localhost"))), auth=("u", "p"))
    assert "REPORT" == mirror.seen[-1].method
    assert "Basic dTpw" == mirror.seen[-1].header("authorization")


def test_resolve_redirects_may_be_driven_by_hand(mirror: Mirror) -> None:
    with Session() as session:
        first = session.get(mirror.url("/chain?n=2"), allow_redirects=False)
        rest = list(session.resolve_redirects(first, first.request))
    assert [302, 200] == [one.status_code for one in rest]


def test_a_stream_that_is_followed_by_hand_gives_its_connection_back(mirror: Mirror) -> None:
    with Session() as session:
        url = mirror.url("/redirect?to=/echo&body=" + "x" * 200_000)
        first = session.get(url, allow_redirects=False, stream=True)
        for answered in session.resolve_redirects(first, first.request):
            assert 200 == answered.status_code
        assert 1 == session.pool.counts().opened


# --- proxies ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def proxied(monkeypatch: pytest.MonkeyPatch, mirror: Mirror) -> str:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", f"http://user:pw@127.0.0.1:{mirror.port}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return "http://site.example"


def test_a_hop_that_needs_no_proxy_gets_none(proxied: str, mirror: Mirror) -> None:
    """The environment's proxy of the first host is no proxy of the second."""
    direct = mirror.url("/echo/direct")
    with Session() as session:
        response = session.get(proxied + redirect(direct))
    assert direct == response.url
    first, second = mirror.seen
    assert first.target.startswith("http://site.example/redirect")
    assert "Basic dXNlcjpwdw==" == first.header("proxy-authorization")
    assert ("/echo/direct", None) == (second.target, second.header("proxy-authorization"))


def test_a_hop_that_needs_one_gets_it(proxied: str, mirror: Mirror) -> None:
    with Session() as session:
        session.get(mirror.url(redirect("http://site.example/echo")))
    assert ["http://site.example/echo"] == [one.target for one in mirror.seen[1:]]
    assert "Basic dXNlcjpwdw==" == mirror.seen[1].header("proxy-authorization")


def test_proxy_authorization_is_never_set_for_https() -> None:
    session = Session()
    prepared = session._prepared_of(
        "GET", "https://a.example/", {"Proxy-Authorization": "Basic x"}, None, None, None, None, None, None, None
    )
    session.trust_env = False
    proxies = {"https": "http://user:pw@proxy.example:3128", "http": "http://user:pw@proxy.example:3128"}
    chosen = session.rebuild_proxies(prepared, ChosenProxies(proxies, proxies))
    assert proxies == chosen
    assert "Proxy-Authorization" not in prepared.headers


def test_the_sessions_proxy_stays_on_every_hop(mirror: Mirror) -> None:
    with Session() as session:
        session.trust_env = False
        session.proxies = {"http": mirror.url("")}
        session.get("http://one.example" + redirect("http://two.example/echo"))
    assert ["http://two.example/echo"] == [one.target for one in mirror.seen[1:]]

"""Answers of requests' own adapters: their cookies are kept and their redirects followed, as with ours."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests

from crawlkit import Session
from crawlkit.exceptions import InvalidSchema, TooManyRedirects
from crawlkit.sessions.auth import HTTPBasicAuth
from tests.sessions.scripted import Peer, Script, Scripted, always, ok


@pytest.fixture
def session() -> Iterator[Session]:
    with Session() as session:
        session.mount("http://", requests.adapters.HTTPAdapter())
        yield session


def redirect(where: str, *lines: str, body: bytes = b"moved") -> bytes:
    more = "".join(f"{line}\r\n" for line in lines)
    head = f"HTTP/1.1 302 Found\r\nLocation: {where}\r\n{more}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def route(first: bytes, then: bytes | None = None) -> Script:
    """`first` for /, `then` for all other targets."""

    def script(peer: Peer) -> None:
        while got := peer.request():
            peer.send(first if then is None or got.line.split()[1] == "/" else then)

    return script


def test_the_answer_is_requests_own(session: Session) -> None:
    """Its attributes may be what the adapter is there for."""
    with Scripted(always(ok(b"page"))) as server:
        answer: Any = session.get(server.url)
        assert requests.Response is type(answer)
        assert (200, b"page", []) == (answer.status_code, answer.content, answer.history)
        assert timedelta(0) < answer.elapsed
        assert answer.session is session


def test_its_cookies_are_kept(session: Session) -> None:
    with Scripted(
        always(ok(b"", "Set-Cookie: a=1; Path=/\r\nSet-Cookie: b=2; Expires=Wed, 01 Jan 2098 00:00:00 GMT"))
    ) as server:
        answer = session.get(server.url)
        assert {"a": "1", "b": "2"} == session.cookies.get_dict()
        assert {"a": "1", "b": "2"} == answer.cookies.get_dict()
        session.get(server.url)
        assert b"a=1; b=2" in server.requests[-1].head


def test_its_redirects_are_followed_with_the_cookies_on_the_way(session: Session) -> None:
    with Scripted(route(redirect("/next", "Set-Cookie: way=1", body=b"x" * 1000), ok(b"page"))) as server:
        answer = session.post(server.url, data={"a": "1"}, cookies={"own": "2"})
        assert (200, b"page") == (answer.status_code, answer.content)
        assert [(302, b"x" * 1000)] == [(each.status_code, each.content) for each in answer.history]
        assert server.requests[-1].head.startswith(b"GET /next ")
        assert b"way=1" in server.requests[-1].head
        assert b"own=2" in server.requests[-1].head


@pytest.mark.parametrize("body", [b"x" * 2_000_000, gzip.compress(b"x" * 2_000_000, mtime=0)[:-8]])
def test_a_redirect_whose_body_is_too_long_or_broken_is_followed(session: Session, body: bytes) -> None:
    lines = ["Content-Encoding: gzip"] if body[:1] == b"\x1f" else []
    with Scripted(route(redirect("/next", *lines, body=body), ok(b"page"))) as server:
        assert b"page" == session.get(server.url).content


def test_redirects_that_are_not_followed(session: Session) -> None:
    with Scripted(route(redirect("/next", "Set-Cookie: way=1"), ok(b"page"))) as server:
        answer = session.get(server.url, allow_redirects=False)
        assert (302, "/next") == (answer.status_code, answer.headers["Location"])
        following = answer.next
        assert following is not None
        assert b"page" == session.send(following).content
        assert "1" == session.cookies["way"]


def test_too_many_redirects_and_one_out_of_http(session: Session) -> None:
    session.max_redirects = 3
    with Scripted(route(redirect("/again"))) as server, pytest.raises(TooManyRedirects):
        session.get(server.url)
    with Scripted(route(redirect("file:///etc/passwd"))) as server, pytest.raises(InvalidSchema):
        session.get(server.url)


def test_hooks_auth_stream_and_timeouts(session: Session) -> None:
    seen: list[int] = []
    session.hooks["response"].append(lambda answer, **_: seen.append(answer.status_code))
    session.auth = HTTPBasicAuth("u", "p")
    server = Scripted(route(redirect("/next"), ok(b"page")))
    with server, session.get(server.url, stream=True, timeout=(5, 5)) as answer:
        assert b"page" == b"".join(answer.iter_content(2))
    assert [302, 200] == seen


def test_between_ours_and_theirs(session: Session) -> None:
    """A redirect from one adapter's host to the other's: one chain."""
    from crawlkit.sessions.adapter import HTTPAdapter

    with Scripted(always(ok(b"page"))) as target, Scripted(route(redirect(target.url, "Set-Cookie: a=1"))) as first:
        session.mount(target.url, HTTPAdapter(pool=session.pool))
        answer = session.get(first.url)
        assert (b"page", "Response") == (answer.content, type(answer).__name__)
        assert [302] == [each.status_code for each in answer.history]

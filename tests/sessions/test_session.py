"""Session: what it merges, what it passes on, what it keeps. (Equality with requests is test_side_by_side.py's.)"""

from __future__ import annotations

import http.cookiejar
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import requests as real_requests

import crawlkit
from crawlkit import Session, exceptions, requests
from crawlkit.sessions import api, models
from crawlkit.sessions.adapter import BaseAdapter, HTTPAdapter
from crawlkit.sessions.headers import CaseInsensitiveDict
from crawlkit.sessions.pool import ConnectionPool
from crawlkit.sessions.response import Response
from crawlkit.testing.hostile import Close, HostileServer, Pause, Repeat, Trickle, answer
from tests.sessions.mirror import Mirror


class Recorder(BaseAdapter):
    """An adapter as somebody wrote it for requests: it knows requests' arguments and no others."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.closed = 0

    def send(self, request, stream=False, timeout=None, verify=True, cert=None, proxies=None):
        self.calls.append({"url": request.url, "stream": stream, "timeout": timeout, "verify": verify, "cert": cert})
        response = Response()
        response.status_code = 200
        response.url = request.url
        response.request = request
        response._content = b"recorded"
        response._content_consumed = True
        return response

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def recorded() -> tuple[Session, Recorder]:
    session, recorder = Session(), Recorder()
    session.mount("http://", recorder)
    session.mount("mock://", recorder)
    return session, recorder


# --- timeouts ---------------------------------------------------------------------------------------------------------


def test_a_timeout_that_nobody_gives_is_ten_and_thirty_seconds(recorded: tuple[Session, Recorder]) -> None:
    session, recorder = recorded
    session.get("http://example.org/")
    assert (10.0, 30.0) == recorder.calls[-1]["timeout"]


def test_an_explicit_none_is_no_timeout(recorded: tuple[Session, Recorder]) -> None:
    session, recorder = recorded
    session.get("http://example.org/", timeout=None)
    assert recorder.calls[-1]["timeout"] is None
    session.timeout = None
    session.get("http://example.org/")
    assert recorder.calls[-1]["timeout"] is None


def test_the_sessions_timeout_can_be_set_and_the_requests_counts_more(recorded: tuple[Session, Recorder]) -> None:
    session, recorder = recorded
    session.timeout = 60
    session.get("http://example.org/")
    session.get("http://example.org/", timeout=1)
    session.send(session.prepare_request(models.Request("GET", "http://example.org/")))
    assert [60, 1, 60] == [call["timeout"] for call in recorder.calls]


def test_a_silence_is_a_timeout() -> None:
    """Within the body it is requests' ConnectionError as well."""
    with HostileServer() as server, Session(timeout=0.2) as session:
        with pytest.raises(exceptions.ReadTimeout) as caught:
            session.get(server.play("/head", [Pause(30)]))
        assert not isinstance(caught.value, exceptions.ConnectionError)
        with pytest.raises(exceptions.ReadTimeout) as caught:
            session.get(server.play("/body", [answer(body=b"x" * 10)[:-5], Pause(30)]))
        assert isinstance(caught.value, exceptions.ConnectionError)


def test_a_deadline_ends_a_trickle() -> None:
    """Every byte comes within the read timeout, and still the whole takes no longer than the deadline."""
    with HostileServer() as server, Session(timeout=5) as session:
        url = server.play("/trickle", [answer(body=b"x" * 1000)[:-1000], Trickle(b"x" * 1000, 0.05)])
        start = time.monotonic()
        with pytest.raises(exceptions.DeadlineExceeded):
            session.get(url, deadline=0.4)
        assert time.monotonic() - start < 3


def test_a_deadline_covers_all_hops() -> None:
    """Ten redirects that take a little each do not each get the whole deadline."""
    with HostileServer() as server, Session(deadline=0.5) as session:

        def slow(request: Any) -> list[Any]:
            return [Trickle(b"HTTP/1.1 302 Found\r\n", 0.01), b"Location: /loop\r\nContent-Length: 0\r\n\r\n"]

        url = server.play("/loop", slow)
        with pytest.raises(exceptions.DeadlineExceeded):
            session.get(url)


def test_a_stream_outlives_the_deadline_but_not_a_silence() -> None:
    with HostileServer() as server, Session(deadline=0.3, timeout=(5, 0.5)) as session:
        url = server.play("/slow", [answer(body=b"x" * 12)[:-12], Trickle(b"x" * 12, 0.05)])
        assert b"x" * 12 == session.get(url, stream=True).content
        with pytest.raises(exceptions.DeadlineExceeded):
            session.get(url)
        silent = server.play("/silent", [answer(body=b"xx")[:-1], Pause(30)])
        with pytest.raises(exceptions.RequestException) as caught:
            _ = session.get(silent, stream=True).content
        assert not isinstance(caught.value, exceptions.DeadlineExceeded)


def test_what_only_our_adapter_knows_is_not_passed_on_unasked(recorded: tuple[Session, Recorder]) -> None:
    """An adapter written for requests has no `deadline` and no `max_body`."""
    session, _ = recorded
    assert 200 == session.get("http://example.org/").status_code


# --- merging ----------------------------------------------------------------------------------------------------------


def test_a_relative_url_is_joined_to_the_base(mirror: Mirror) -> None:
    with Session(base_url=mirror.url("/echo/api/")) as session:
        session.get("items", params={"a": "1"})
        session.get("/echo/root")
        session.get(mirror.url("/echo/absolute"))
    assert ["/echo/api/items?a=1", "/echo/root", "/echo/absolute"] == [one.target for one in mirror.seen]


def test_cookies_of_a_request_are_not_kept(mirror: Mirror) -> None:
    with Session() as session:
        session.get(mirror.url(), cookies={"once": "1"})
        session.get(mirror.url())
    assert ["once=1", None] == [one.header("cookie") for one in mirror.seen]


def test_a_mapping_assigned_as_cookies_becomes_a_jar(mirror: Mirror) -> None:
    with Session() as session:
        session.cookies = {"a": "1"}
        session.get(mirror.url())
    assert "a=1" == mirror.seen[-1].header("cookie")


def test_a_jar_of_the_standard_library_is_used_and_filled(mirror: Mirror, tmp_path: Path) -> None:
    jar = http.cookiejar.LWPCookieJar(tmp_path / "cookies")
    with Session() as session:
        session.cookies = jar
        session.get(mirror.url("/cookies?set=a%3D1%3B+Path%3D/%3B+Max-Age%3D1000"))
        session.get(mirror.url())
    assert "a=1" == mirror.seen[-1].header("cookie")
    jar.save()
    assert "a=1" in (tmp_path / "cookies").read_text()


def test_an_answer_from_before_a_login_does_not_undo_it() -> None:
    """The request left with the old cookie; the new one was set before its answer came."""
    with HostileServer() as server, Session() as session:

        def late(request: Any) -> list[bytes]:
            session.cookies.next_epoch()
            session.cookies.set("login", "new", domain="127.0.0.1", path="/")
            return [answer(headers=[("Set-Cookie", "login=expired; Path=/")])]

        session.get(server.play("/", late))
        assert {"login": "new"} == session.cookies.get_dict()


def test_prepare_request_takes_a_spiders_request(mirror: Mirror) -> None:
    spec = crawlkit.Request(
        mirror.url("/echo/spider"), method="PUT", body="b", headers={"X-S": "1"}, cookies={"c": "2"}, meta={"m": 3}
    )
    with Session() as session:
        response = session.send(session.prepare_request(spec))
    seen = mirror.seen[-1]
    assert ("PUT", b"b", "1", "c=2") == (seen.method, seen.body, seen.header("x-s"), seen.header("cookie"))
    assert {"m": 3} == response.meta
    assert session is response.session


def test_scrapys_list_of_cookies_keeps_its_paths(mirror: Mirror) -> None:
    spec = crawlkit.Request(
        mirror.url("/echo"),
        cookies=[{"name": "here", "value": "1", "path": "/echo"}, {"name": "there", "value": "2", "path": "/no"}],
    )
    with Session() as session:
        session.send(session.prepare_request(spec))
    assert "here=1" == mirror.seen[-1].header("cookie")


def test_prepare_request_may_be_overridden(mirror: Mirror) -> None:
    class Signing(Session):
        def prepare_request(self, request: Any) -> Any:
            prepared = super().prepare_request(request)
            prepared.headers["X-Signed"] = prepared.method
            return prepared

    with Signing() as session:
        session.get(mirror.url())
    assert "GET" == mirror.seen[-1].header("x-signed")


def test_send_takes_prepared_requests_only(mirror: Mirror) -> None:
    with Session() as session:
        for wrong in (models.Request("GET", mirror.url()), crawlkit.Request(mirror.url())):
            with pytest.raises(ValueError, match="prepare"):
                session.send(wrong)  # type: ignore[arg-type]


def test_headers_removed_from_the_session_are_not_sent(mirror: Mirror) -> None:
    with Session() as session:
        session.headers = CaseInsensitiveDict({"X-Only": "1", "X-None": None})
        session.get(mirror.url())
        session.headers = {}
        session.get(mirror.url())
    assert ["accept-encoding", "host", "x-only"] == sorted(name.lower() for name, _ in mirror.seen[0].headers)
    assert ["accept-encoding", "host"] == sorted(name.lower() for name, _ in mirror.seen[1].headers)


def test_default_headers_do_not_replace_what_the_program_set(mirror: Mirror) -> None:
    with Session() as session:
        session.headers["Accept"] = "text/x"
        session.default_headers = {"User-Agent": "mine/1", "Accept": "text/y", "X-D": "1"}
        session.get(mirror.url())
    seen = mirror.seen[-1]
    assert ("mine/1", "text/x", "1") == (seen.header("user-agent"), seen.header("accept"), seen.header("x-d"))


# --- adapters ---------------------------------------------------------------------------------------------------------


def test_the_longest_prefix_goes_first_whatever_the_case() -> None:
    session = Session()
    short, long = Recorder(), Recorder()
    session.mount("http://Example.org/", short)
    session.mount("http://example.ORG/deep/", long)
    assert long is session.get_adapter("HTTP://EXAMPLE.org/deep/x")
    assert short is session.get_adapter("http://example.org/x")
    assert ["http://example.ORG/deep/", "http://Example.org/", "https://", "http://"] == list(session.adapters)


def test_an_adapter_that_is_not_there_is_named() -> None:
    with pytest.raises(exceptions.InvalidSchema, match=r"ftp://example\.org"):
        Session().get_adapter("ftp://user:secret@example.org/")
    with pytest.raises(exceptions.InvalidSchema) as caught:
        Session().get_adapter("ftp://user:secret@example.org/")
    assert "secret" not in str(caught.value)


def test_another_scheme_reaches_its_adapter_untouched(recorded: tuple[Session, Recorder]) -> None:
    session, recorder = recorded
    assert b"recorded" == session.get("mock://anything at all").content
    assert "mock://anything at all" == recorder.calls[-1]["url"]


def test_closing_closes_adapters_and_the_session_opens_again(mirror: Mirror) -> None:
    session, recorder = Session(), Recorder()
    session.mount("mock://", recorder)
    session.get(mirror.url())
    assert 1 == session.pool.counts().idle
    session.close()
    assert 1 == recorder.closed
    assert 0 == session.pool.counts().idle
    assert b"ok" == session.get(mirror.url()).content
    session.close()


def test_a_thread_may_be_bound_to_a_share(mirror: Mirror) -> None:
    with Session() as session:
        share = session.pool.share()
        with session.bind(share):
            session.get(mirror.url())
        assert 1 == session.pool.counts().opened
        share.close()


def test_sessions_may_share_a_pool(mirror: Mirror) -> None:
    first = Session()
    second = Session(pool=first.pool)
    first.get(mirror.url())
    second.get(mirror.url())
    assert 1 == first.pool.counts().opened
    first.close()


# --- answers ----------------------------------------------------------------------------------------------------------


def test_hooks_run_in_order_and_may_replace_the_response(mirror: Mirror) -> None:
    replacement = Response()
    replacement.status_code = 299
    replacement._content = b"replaced"
    order: list[str] = []

    def first(response: Response, **kwargs: Any) -> None:
        order.append("first")
        assert "timeout" in kwargs

    def second(response: Response, **kwargs: Any) -> Response:
        order.append("second")
        return replacement

    with Session() as session:
        session.hooks["response"].append(first)
        assert 200 == session.get(mirror.url()).status_code
        response = session.get(mirror.url(), hooks={"response": [first, second]})
    assert (299, b"replaced") == (response.status_code, response.content)
    assert ["first", "first", "second"] == order


def test_elapsed_is_the_time_to_the_head() -> None:
    with HostileServer() as server, Session() as session:
        head, body = answer(body=b"12345")[:-5], b"12345"
        url = server.play("/", [head, Trickle(body, 0.08)])
        response = session.get(url)
    assert b"12345" == response.content
    assert 0 < response.elapsed.total_seconds() < 0.3


def test_a_body_over_the_limit_is_an_error_that_has_the_response() -> None:
    with HostileServer() as server, Session(max_body=1000) as session:
        url = server.play("/big", [answer(body=b"x" * 5000)])
        with pytest.raises(exceptions.BodyTooLarge) as caught:
            session.get(url)
        assert 200 == caught.value.response.status_code
        assert 5000 == len(session.get(url, max_body=None).content)
        assert 5000 == len(session.get(url, stream=True).content), "a plain stream has no limit"


def test_a_body_cut_off_is_never_a_body() -> None:
    """The error comes again whoever asks, instead of half a body the second time."""
    with HostileServer() as server, Session() as session:
        url = server.play("/cut", [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this", Close()])
        response = session.get(url, stream=True)
        for _ in range(2):
            with pytest.raises(exceptions.ChunkedEncodingError):
                _ = response.content


def test_a_stream_holds_its_connection_until_it_is_read(mirror: Mirror) -> None:
    with HostileServer() as server, Session() as session:
        url = server.play("/", [answer(body=b"x" * 300_000)])
        response = session.get(url, stream=True)
        assert 1 == session.pool.counts().active
        assert 300_000 == len(response.content)
        counts = session.pool.counts()
        assert (0, 1) == (counts.active, counts.idle)


def test_leaving_a_with_block_gives_the_connection_up() -> None:
    with HostileServer() as server, Session() as session:
        url = server.play("/endless", [b"HTTP/1.1 200 OK\r\n\r\n", Repeat(b"x" * 1000)])
        with session.get(url, stream=True) as response:
            assert b"x" == next(response.iter_content(1))
        assert 0 == session.pool.counts().active


def test_an_error_status_is_no_exception(mirror: Mirror) -> None:
    with Session() as session:
        response = session.get(mirror.url("/answer?status=500"))
        assert not response.ok
        with pytest.raises(exceptions.HTTPError, match=r"500 Server Error: .* for url: http://127"):
            response.raise_for_status()


def test_a_prepared_request_is_relative_to_the_base_too(mirror: Mirror) -> None:
    """`prepare_request` and `request` mean the same URL, whatever it is given as; what was prepared is joined once."""
    with Session(base_url=mirror.url("/echo/api/")) as session:
        for url, expected in [
            ("books?a=1", "/echo/api/books?a=1"),
            (b"/echo", "/echo"),
            (mirror.url("/echo/x"), "/echo/x"),
        ]:
            prepared = session.prepare_request(requests.Request("GET", url))
            assert mirror.url(expected) == prepared.url
            assert mirror.url(expected) == session.send(prepared).url == session.get(url).url
        with pytest.raises(requests.exceptions.MissingSchema):
            session.prepare_request(requests.Request("GET", None))


@pytest.mark.parametrize("taken_out", [lambda headers: headers.pop("User-Agent"), lambda headers: headers.clear()])
def test_what_was_taken_out_of_the_headers_is_not_sent(taken_out: Any, mirror: Mirror) -> None:
    """No library's name in its place."""
    with Session() as session:
        taken_out(session.headers)
        session.get(mirror.url())
        session.get(mirror.url(), headers={"User-Agent": None})
    assert [None, None] == [seen.header("User-Agent") for seen in mirror.seen]


def test_a_cookie_of_the_request_stands_in_place_of_the_hosts(mirror: Mirror) -> None:
    """Not beside it, and the jar's is there afterwards; a domain is the same with and without a dot in front."""
    with Session() as session:
        session.cookies.set("a", "1", domain="127.0.0.1", path="/")
        session.cookies.set("b", "2", domain="127.0.0.1", path="/")
        session.get(mirror.url(), cookies={"a": "3"})
        session.get(mirror.url())
        assert ["a=3; b=2", "a=1; b=2"] == [seen.header("Cookie") for seen in mirror.seen]
        session.cookies.set("c", "4", domain=".shop.example")
        assert (
            "4" == session.cookies.get("c", domain="shop.example") == session.cookies.get("c", domain=".shop.example")
        )


@pytest.mark.parametrize("cookies", ["a=b", b"a=b", 5, ("a", "b"), [("a", "b")]])
def test_cookies_that_are_none_are_refused(cookies: Any, mirror: Mirror) -> None:
    """The message says where a Cookie header as it is would go."""
    with Session() as session:
        with pytest.raises(TypeError, match=r"mapping.*headers=\{'Cookie'"):
            session.get(mirror.url(), cookies=cookies)
        if not isinstance(cookies, list):
            with pytest.raises(TypeError, match="mapping"):
                session.cookies = cookies
    assert [] == mirror.seen


@pytest.mark.parametrize("proxies", ["http://proxy.example", ["http://proxy.example"]])
def test_proxies_that_are_no_mapping_are_refused(proxies: Any, mirror: Mirror) -> None:
    with Session() as session, pytest.raises(TypeError, match="proxies must be a mapping such as"):
        session.get(mirror.url(), proxies=proxies)


# --- pickles ----------------------------------------------------------------------------------------------------------


def test_a_session_pickles_with_its_settings_and_cookies(mirror: Mirror) -> None:
    session = Session(base_url="http://example.org/", retries=2, max_body=99, deadline=5, timeout=7)
    session.headers["X-P"] = "1"
    session.auth = ("u", "p")
    session.mount("http://slow.example/", HTTPAdapter(max_retries=3))
    session.get(mirror.url("/cookies?set=a%3D1"))
    copy = pickle.loads(pickle.dumps(session))  # noqa: S301
    for name in ("base_url", "retries", "max_body", "deadline", "timeout", "auth", "verify", "max_redirects"):
        assert getattr(session, name) == getattr(copy, name)
    assert "1" == copy.headers["x-p"]
    assert {"a": "1"} == copy.cookies.get_dict()
    assert list(session.adapters) == list(copy.adapters)
    assert copy.adapters["http://"].pool is copy.pool is copy.adapters["https://"].pool
    assert copy.adapters["http://slow.example/"].pool is not copy.pool
    copy.base_url = None
    assert 200 == copy.get(mirror.url()).status_code
    copy.close()
    session.close()


# --- the functions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["get", "options", "head", "post", "put", "patch", "delete"])
def test_each_verb_of_a_session_is_its_method(name: str, mirror: Mirror) -> None:
    with Session() as session:
        assert 200 == getattr(session, name)(mirror.url().encode()).status_code
    assert name.upper() == mirror.seen[-1].method


@pytest.mark.parametrize("name", ["get", "options", "head", "post", "put", "patch", "delete"])
def test_each_function_is_its_method(name: str, mirror: Mirror) -> None:
    response = getattr(api, name)(mirror.url())
    assert name.upper() == mirror.seen[-1].method
    assert 200 == response.status_code


def test_a_function_can_stream_although_its_session_is_closed(mirror: Mirror) -> None:
    response = crawlkit.get(mirror.url("/chunked?part=one&part=two"), stream=True)
    assert b"onetwo" == response.content


def test_head_alone_does_not_follow(mirror: Mirror) -> None:
    assert 302 == crawlkit.head(mirror.url("/redirect?to=/echo")).status_code
    assert 200 == crawlkit.get(mirror.url("/redirect?to=/echo")).status_code


# --- cost -------------------------------------------------------------------------------------------------------------


def test_what_a_plain_session_does_not_need_is_not_imported() -> None:
    """tenacity alone costs 28 ms; a session that does not retry, has no profile and reads no page does without."""
    program = (
        "import sys, crawlkit\n"
        "crawlkit.Session()\n"
        "unwanted = {'tenacity', 'charset_normalizer', 'rich', 'sqlite_utils', 'sqlite3', 'requests', 'click'}\n"
        "print(sorted(unwanted & set(sys.modules)))\n"
    )
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60, env=plain
    )
    assert "[]" == done.stdout.strip()


def test_private_addresses_stay_refused_through_a_mounted_adapter() -> None:
    """Mounting an adapter, for its retries say, must not open the door that `allow_private=False` shut."""
    session = Session(allow_private=False)
    session.mount("http://", HTTPAdapter(max_retries=1))
    with pytest.raises(exceptions.AddressForbidden):
        session.get("http://127.0.0.1:9/")


def test_private_addresses_stay_refused_through_an_adapter_that_was_assigned(mirror: Mirror) -> None:
    """Past `mount`, and with a connection that is open already."""
    adapter = HTTPAdapter()
    with Session() as session:
        session.trust_env = False
        session.mount("http://", adapter)
        assert session.get(mirror.url("/")).ok
        strict = Session(allow_private=False)
        strict.trust_env = False
        strict.adapters["http://"] = adapter
        with pytest.raises(exceptions.AddressForbidden):
            strict.get(mirror.url("/"))
    assert 1 == len(mirror.seen)


def test_an_adapter_that_connects_by_itself_is_refused_where_private_addresses_are(mirror: Mirror) -> None:
    """That of requests: nobody could look at the address."""
    session = Session(allow_private=False)
    session.trust_env = False
    session.mount("http://", real_requests.adapters.HTTPAdapter())
    with pytest.raises(exceptions.AddressForbidden, match=r"requests\.adapters\.HTTPAdapter connects by itself"):
        session.get(mirror.url("/"))
    assert [] == mirror.seen


def test_a_pool_that_allows_private_addresses_does_not_go_with_a_session_that_does_not() -> None:
    """Neither setting may win without a word; a pool that refuses them does so for whoever shares it."""
    with ConnectionPool() as pool, pytest.raises(ValueError, match="contradicts pool="):
        Session(pool=pool, allow_private=False)
    with ConnectionPool(allow_private=False) as pool, pytest.raises(exceptions.AddressForbidden):
        Session(pool=pool).get("http://127.0.0.1:9/")


class Tagged(Session):
    """A subclass as programs written for requests have it."""

    __attrs__ = [*Session.__attrs__, "tag"]


class Old(Session):
    """One that keeps what `__attrs__` names by itself, as requests' own method does."""

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name, None) for name in self.__attrs__}


@pytest.mark.parametrize("kind", [Tagged, Old])
def test_a_subclass_of_a_session_pickles(kind: type[Session], mirror: Mirror) -> None:
    """Cookies, adapters and what the subclass adds are there, and it can be used."""
    session = kind()
    session.trust_env = False
    session.cookies.set("a", "1")
    session.tag = "blue"  # type: ignore[attr-defined]
    copy: Any = pickle.loads(pickle.dumps(session))  # noqa: S301
    assert ("1", kind) == (copy.cookies["a"], type(copy))
    assert getattr(copy, "tag", None) == ("blue" if kind is Tagged else None)
    assert copy.get(mirror.url("/echo")).ok
    assert {"https://", "http://"} == set(copy.adapters)


def test_the_names_that_requests_pickles_come_first() -> None:
    """Programs read `__attrs__`, add to it, and copy what it names."""
    theirs = real_requests.Session.__attrs__
    assert theirs == Session.__attrs__[: len(theirs)]
    assert all(hasattr(Session(), name) for name in Session.__attrs__)

"""`max_retries` of an adapter: a number, or urllib3's Retry, counts as it does in requests. Most of it is a table of calls
made with requests and with crawlkit, against the same script.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
import urllib3
from urllib3.util import Retry

from crawlkit import RetryPolicy, Session, exceptions
from crawlkit.sessions.adapter import HTTPAdapter
from crawlkit.sessions.counting import Counting, in_urllib3s_words, repeats
from crawlkit.testing.hostile import Close, HostileServer, Pause, Step, answer
from tests.sessions.scripted import Scripted, always, ok

HANGUP: list[Step] = [Close()]
SILENCE: list[Step] = [Pause(5)]
OK: list[Step] = [answer(body=b"here")]


def says(status: int, *headers: tuple[str, str]) -> list[Step]:
    """On a connection that ends with it, for a lost answer on a used one is mended without any retries."""
    return [answer(status, b"trouble", [*headers, ("Connection", "close")]), Close()]


@dataclass(frozen=True)
class Row:
    """One call through an adapter with these `max_retries`, against a path that plays `scripts` in turn."""

    name: str
    retries: Callable[[], Any]
    scripts: tuple[list[Step], ...]
    method: str = "GET"
    kwargs: Callable[[], Mapping[str, Any]] = field(default=dict)
    seen: int | None = None
    """How many requests the server sees; to read the table by. Both clients are held to it."""


ROWS = [
    Row("a number: lost answers of a GET", lambda: 2, (HANGUP,), seen=3),
    Row("a number: until there is one", lambda: 2, (HANGUP, OK), seen=2),
    Row("a number: not of a POST", lambda: 2, (HANGUP,), "POST", seen=1),
    Row("a number: PUT with a file", lambda: 2, (HANGUP, OK), "PUT", lambda: {"data": io.BytesIO(b"whole")}, seen=2),
    Row("a number: a status is an answer", lambda: 2, (says(503),), seen=1),
    Row("a number: Retry-After is heard", lambda: 2, (says(503, ("Retry-After", "0")), OK), seen=2),
    Row("a number: Retry-After to the end", lambda: 1, (says(429, ("Retry-After", "0")),), seen=2),
    Row("a number: Retry-After with 500", lambda: 2, (says(500, ("Retry-After", "0")),), seen=1),
    Row("a number: Retry-After to a POST", lambda: 2, (says(503, ("Retry-After", "0")),), "POST", seen=1),
    Row("0: a lost answer", lambda: 0, (HANGUP,), seen=1),
    Row("0: Retry-After", lambda: 0, (says(503, ("Retry-After", "0")),), seen=1),
    Row("0: silence", lambda: 0, (SILENCE,), kwargs=lambda: {"timeout": 0.1}, seen=1),
    Row("a number: silence", lambda: 1, (SILENCE,), kwargs=lambda: {"timeout": 0.1}, seen=2),
    Row("Retry(0): silence", lambda: Retry(0), (SILENCE,), kwargs=lambda: {"timeout": 0.1}, seen=1),
    Row("Retry(0): a status of the list", lambda: Retry(0, status_forcelist=[500]), (says(500),), seen=1),
    Row("False", lambda: Retry(False), (HANGUP,), seen=1),
    Row("False: a status of the list", lambda: Retry(False, status_forcelist=[500]), (says(500),), seen=1),
    Row("read=False", lambda: Retry(2, read=False), (HANGUP,), seen=1),
    Row("read=1 of 5", lambda: Retry(5, read=1), (HANGUP,), seen=2),
    Row("read=0", lambda: Retry(5, read=0), (HANGUP,), seen=1),
    Row("no total", lambda: Retry(None, read=2), (HANGUP,), seen=3),
    Row("the total is less", lambda: Retry(1, read=5), (HANGUP,), seen=2),
    Row("status=1 of 5", lambda: Retry(5, status=1, status_forcelist=[500]), (says(500),), seen=2),
    Row("counts of their own", lambda: Retry(9, read=1, status=1, status_forcelist=[500]), (says(500), HANGUP), seen=3),
    Row("raise_on_status", lambda: Retry(1, status_forcelist=[500]), (says(500),), seen=2),
    Row("no raise", lambda: Retry(1, status_forcelist=[500], raise_on_status=False), (says(500),), seen=2),
    Row("another status", lambda: Retry(1, status_forcelist=[500]), (says(502),), seen=1),
    Row("a POST", lambda: Retry(2, status_forcelist=[500], allowed_methods=["POST"]), (says(500), OK), "POST", seen=2),
    Row("not a GET", lambda: Retry(2, status_forcelist=[500], allowed_methods=["POST"]), (says(500), OK), seen=1),
    Row("any method", lambda: Retry(2, allowed_methods=None), (HANGUP, OK), "PATCH", seen=2),
    Row("deaf", lambda: Retry(2, respect_retry_after_header=False), (says(503, ("Retry-After", "0")),), seen=1),
    Row("a redirect of the list", lambda: Retry(1, status_forcelist=[302]), (says(302, ("Location", "/x")),), seen=2),
    Row("no HTTP", lambda: 1, ([b"nonsense\r\n\r\n", Close()],), seen=2),
]


def outcome(session: Any, row: Row, server: HostileServer) -> tuple[Any, int, list[bytes]]:
    server.requests.clear()
    url = server.play("/", *row.scripts)
    try:
        found = session.request(row.method, url, **{"timeout": 5, "allow_redirects": False, **row.kwargs()})
        result: Any = (found.status_code, found.content, len(found.raw.retries.history))
    except OSError as error:
        result = error
    return result, len(server.requests), [request.body for request in server.requests]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_it_counts_as_in_requests(row: Row) -> None:
    with HostileServer() as server:
        with requests.Session() as theirs:
            theirs.mount("http://", requests.adapters.HTTPAdapter(max_retries=row.retries()))
            expected, expected_count, expected_bodies = outcome(theirs, row, server)
        with Session() as ours:
            ours.mount("http://", HTTPAdapter(max_retries=row.retries()))
            found, count, bodies = outcome(ours, row, server)
    assert (row.seen, expected_bodies) == (count, bodies)
    assert expected_count == count
    if isinstance(expected, Exception):
        # What a program catches there is caught here.
        assert type(expected).__name__ in [kind.__name__ for kind in type(found).__mro__]
    else:
        assert expected == found


@pytest.mark.parametrize("connect", [0, 1, 2, None])
def test_connections_that_do_not_come_about_are_counted_apart(connect: int | None) -> None:
    def tries(session: Any, adapter: Any, url: str) -> list[str]:
        log: list[str] = []

        class Told(Retry):
            def increment(self, *args: Any, **kwargs: Any) -> Any:
                log.append(type(kwargs["error"]).__name__)
                return super().increment(*args, **kwargs)

        session.mount("http://", adapter(max_retries=Told(3, connect=connect)))
        with pytest.raises(OSError) as caught:
            session.post(url, data=iter([b"a body that was not begun"]))
        return [*log, type(caught.value).__name__]

    with HostileServer() as server, requests.Session() as theirs, Session() as ours:
        url = server.refused_url()
        expected = tries(theirs, requests.adapters.HTTPAdapter, url)
        assert expected == tries(ours, HTTPAdapter, url)
        assert (3 if connect is None else connect) + 2 == len(expected)


def test_a_number_reads_as_a_retry() -> None:
    for given in (0, 3, True, None, Retry(4, connect=1)):
        theirs = requests.adapters.HTTPAdapter(max_retries=given).max_retries
        ours = HTTPAdapter(max_retries=given).max_retries
        assert (theirs.total, theirs.connect, theirs.read) == (ours.total, ours.connect, ours.read)
    policy = RetryPolicy(2)
    assert policy is HTTPAdapter(max_retries=policy).max_retries
    with pytest.raises(TypeError), HostileServer() as server, Session() as session:
        session.mount("http://", HTTPAdapter(max_retries="three"))
        session.get(server.play("/", HANGUP))


def test_what_is_set_later_holds() -> None:
    with HostileServer() as server, Session() as session:
        adapter = session.get_adapter("http://")
        adapter.max_retries.total = 1
        adapter.max_retries.read = None
        session.get(server.play("/", HANGUP, OK))
        adapter.max_retries = 1
        session.get(server.play("/", HANGUP, OK))
        adapter.max_retries = RetryPolicy(1, backoff_seconds=0.0)
        assert 200 == session.put(server.play("/", HANGUP, OK), data=io.BytesIO(b"x")).status_code
        assert [b"x", b"x"] == [request.body for request in server.requests[-2:]]


def test_what_a_subclass_decides_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[Any] = []

    class Own(Retry):
        def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
            log.append((method, status_code, has_retry_after))
            return status_code == 418

        def increment(self, method: Any = None, url: Any = None, *args: Any, **kwargs: Any) -> Any:
            log.append((method, url, kwargs["_pool"].host, kwargs["response"].status))
            return super().increment(method, url, *args, **kwargs)

        def get_backoff_time(self) -> float:
            return 0.125

    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    with HostileServer() as server, Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=Own(3)))
        found = session.get(server.play("/tea", says(418), OK) + "?pot=1")
    assert b"here" == found.content
    told = ("GET", "/tea?pot=1", "127.0.0.1", 418)
    assert [("GET", 418, False), told, ("GET", 200, False)] == log
    assert [0.125] == slept
    assert type(found.raw.retries) is Own


def test_a_subclass_may_sleep_by_itself() -> None:
    slept: list[Any] = []

    class Sleepy(Retry):
        def sleep(self, response: Any = None) -> None:
            slept.append(None if response is None else response.status)

    with HostileServer() as server, Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=Sleepy(3, status_forcelist=[500])))
        session.get(server.play("/", says(500), HANGUP, OK))
    assert [500, None] == slept


def test_the_waits_are_urllib3s(monkeypatch: pytest.MonkeyPatch) -> None:
    def waits(session: Any, adapter: Any, server: HostileServer) -> list[float]:
        slept: list[float] = []
        monkeypatch.setattr(time, "sleep", slept.append)
        retry = Retry(5, status_forcelist=[500], backoff_factor=0.5, backoff_max=1.5)
        session.mount("http://", adapter(max_retries=retry))
        session.get(server.play("/", *[says(500)] * 4, says(503, ("Retry-After", "7")), OK))
        return slept

    with HostileServer() as server, requests.Session() as theirs, Session() as ours:
        expected = waits(theirs, requests.adapters.HTTPAdapter, server)
        assert [1.0, 1.5, 1.5, 7] == expected
        assert expected == [seconds for seconds in waits(ours, HTTPAdapter, server) if seconds]


def test_a_date_that_is_none_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with HostileServer() as server, Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=2))
        assert 200 == session.get(server.play("/", says(503, ("Retry-After", "soon")), OK)).status_code


def test_hooks_and_cookies_see_the_last_answer_only() -> None:
    """`raise_for_status` as a hook is in many programs: it must not end what the retries would have mended."""
    with HostileServer() as server, Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=Retry(2, status_forcelist=[503])))
        session.hooks["response"].append(lambda response, **kwargs: response.raise_for_status())
        url = server.play("/", says(503, ("Set-Cookie", "early=1")), [answer(headers=[("Set-Cookie", "late=1")])])
        assert 200 == session.get(url).status_code
        assert {"late": "1"} == session.cookies.get_dict()


def test_a_program_may_send_through_the_adapter_alone() -> None:
    with HostileServer() as server:
        adapter = HTTPAdapter(max_retries=1)
        request = Session().prepare_request(requests.Request("GET", server.play("/", HANGUP, OK)))
        assert b"here" == adapter.send(request, timeout=5).content
        adapter.close()


def test_each_hop_is_counted_anew() -> None:
    with HostileServer() as server, Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=1))
        url = server.play("/a", HANGUP, says(302, ("Location", "/b")))
        server.play("/b", HANGUP, OK)
        assert b"here" == session.get(url).content
        assert ["/a", "/a", "/b", "/b"] == [request.target for request in server.requests]


@pytest.mark.parametrize(("own", "asked"), [({}, {"retries": 1}), ({"retries": 1}, {}), ({}, {"retries": 0})])
def test_a_policy_of_the_session_stands_in_its_place(own: dict[str, Any], asked: dict[str, Any]) -> None:
    """They are not multiplied; and `retries=0` of a request means none."""
    with HostileServer() as server, Session(**own) as session:
        session.mount("http://", HTTPAdapter(max_retries=5))
        with pytest.raises(exceptions.ConnectionError):
            session.get(server.play("/", HANGUP), **asked)
        assert 1 + {**own, **asked}["retries"] == len(server.requests)
        server.requests.clear()
        session.retries = 0
        with pytest.raises(exceptions.ConnectionError):
            session.get(server.play("/", HANGUP))
        assert 6 == len(server.requests)


@pytest.mark.parametrize("stream", [False, True])
def test_a_session_may_have_a_retry_as_its_policy(stream: bool) -> None:
    with HostileServer() as server, Session(retries=Retry(2, status_forcelist=[503])) as session:
        url = server.play("/", says(503), HANGUP, OK)
        assert b"here" == session.put(url, data=io.BytesIO(b"x"), stream=stream).content
        assert [b"x"] * 3 == [request.body for request in server.requests]
        with pytest.raises(exceptions.RetryError, match="still answers 503") as caught:
            session.get(server.play("/", says(503)))
        assert 503 == caught.value.response.status_code
        cut = [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nha", Close()]
        assert b"here" == session.get(server.play("/cut", cut, OK)).content


def test_a_retry_beside_an_adapter_without_urllib3() -> None:
    class Twice(requests.adapters.BaseAdapter):
        calls = 0

        def send(self, request: Any, **kwargs: Any) -> Any:
            self.calls += 1
            found = requests.Response()
            found.status_code, found.url, found.request = 503 if self.calls == 1 else 200, request.url, request
            found.raw = io.BytesIO(b"")
            return found

        def close(self) -> None:
            pass

    session = Session(retries=Retry(2, status_forcelist=[503]))
    session.mount("test://", Twice())
    assert 200 == session.get("test://x").status_code


def test_no_try_begins_that_the_deadline_would_cut() -> None:
    with HostileServer() as server, Session(deadline=2) as session:
        session.mount("http://", HTTPAdapter(max_retries=3))
        assert 503 == session.get(server.play("/", says(503, ("Retry-After", "30")))).status_code
        assert 1 == len(server.requests)


def test_a_body_that_cannot_go_out_again_is_not_repeated() -> None:
    with HostileServer() as server, Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=Retry(3, status_forcelist=[503])))
        url = server.play("/", says(503))
        assert 503 == session.put(url, data=iter([b"once"]), headers={"Content-Length": "4"}).status_code
        assert 1 == len(server.requests)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (exceptions.ConnectTimeout("…"), urllib3.exceptions.ConnectTimeoutError),
        (exceptions.PoolTimeout("…"), urllib3.exceptions.ConnectTimeoutError),
        (exceptions.NameNotFound("…"), urllib3.exceptions.NewConnectionError),
        (exceptions.ReadTimeout("…"), urllib3.exceptions.ReadTimeoutError),
        (exceptions.ConnectionError("…"), urllib3.exceptions.ProtocolError),
        (exceptions.BadResponse("…"), urllib3.exceptions.ProtocolError),
        (exceptions.ChunkedEncodingError("…"), urllib3.exceptions.ProtocolError),
        (exceptions.SSLError("…"), urllib3.exceptions.SSLError),
        (exceptions.ProxyError("…"), urllib3.exceptions.ProxyError),
        (exceptions.DeadlineExceeded("…"), type(None)),
        (exceptions.AddressForbidden("…"), type(None)),
        (exceptions.InvalidHeader("…"), type(None)),
    ],
)
def test_errors_in_urllib3s_words(error: exceptions.RequestException, told: type) -> None:
    assert told is type(in_urllib3s_words(error, None, "/"))


def test_a_refused_proxy_is_a_connect_error_and_a_refusing_one_is_not() -> None:
    """As urllib3 counts them: by what is inside."""
    refused, refusing = exceptions.ProxyError("…"), exceptions.ProxyError("…")
    refusing.status = 407
    retry = Retry(3)
    assert retry._is_connection_error(in_urllib3s_words(refused, None, "/"))  # type: ignore[arg-type]
    assert not retry._is_connection_error(in_urllib3s_words(refusing, None, "/"))  # type: ignore[arg-type]


def test_what_can_change_nothing_is_not_asked() -> None:
    class Own(Retry):
        pass

    assert not repeats(Retry(0, read=False))
    for retries in (Retry(0), Retry(1), Retry(None), Own(0, read=False), Retry(0, read=False, status_forcelist=[500])):
        assert repeats(retries)
    assert isinstance(RetryPolicy.of(Retry(2)), Counting)


@pytest.mark.parametrize("error", [KeyError("in increment"), urllib3.exceptions.PoolError(None, "in increment")])
def test_an_error_of_the_program_is_raised_as_it_is(error: Exception) -> None:
    class Stubborn(Retry):
        def increment(self, *args: Any, **kwargs: Any) -> Any:
            raise error

    with HostileServer() as server, Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=Stubborn(3)))
        with pytest.raises(type(error), match="in increment"):
            session.get(server.play("/", HANGUP))


def test_the_connection_of_an_answer_that_nobody_sees_is_used_again() -> None:
    busy = b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbusy\r\n0\r\n\r\n"
    with Scripted(always(busy, ok())) as server, Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=Retry(1, status_forcelist=[503])))
        for _ in range(3):
            assert b"ok" == session.get(server.url).content
        assert (1, 6) == (server.opened, len(server.requests))
        counts = session.get_adapter("http://").pool.counts()
        assert (0, 1) == (counts.active, counts.idle)

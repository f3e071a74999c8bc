"""RetryPolicy: what is tried again, when, and what never is."""

from __future__ import annotations

import io
import threading
import time
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlkit import Request, RetryPolicy, Session, exceptions
from crawlkit.sessions.headers import CaseInsensitiveDict
from crawlkit.sessions.response import Response
from crawlkit.sessions.retry import parse_retry_after
from crawlkit.testing.hostile import Close, HostileServer, Received, Reset, answer

NOW = 1_800_000_000.0
FAST = RetryPolicy(3, backoff_seconds=0.0)


def response_of(status: int, **headers: str) -> Response:
    response = Response()
    response.status_code = status
    response.url = "http://example.org/"
    response.headers = CaseInsensitiveDict({name.replace("_", "-"): value for name, value in headers.items()})
    return response


# --- the decision -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 520, 521, 522, 524])
def test_a_passing_status_is_tried_again(status: int) -> None:
    assert RetryPolicy(1).delay(1, response=response_of(status)) is not None


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 410, 501, 505])
def test_a_lasting_status_is_not(status: int) -> None:
    assert RetryPolicy(1).delay(1, response=response_of(status)) is None


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "get"])
def test_idempotent_methods_may_be_repeated(method: str) -> None:
    assert RetryPolicy(1).delay(1, response=response_of(503), method=method) is not None


@pytest.mark.parametrize("method", ["POST", "PATCH", "CONNECT", "LOCK"])
def test_other_methods_may_not_unless_they_are_said_to_be_safe(method: str) -> None:
    policy = RetryPolicy(1)
    assert policy.delay(1, response=response_of(503), method=method) is None
    assert policy.delay(1, error=exceptions.ConnectTimeout("slow"), method=method) is None
    assert policy.delay(1, response=response_of(503), method=method, safe=True) is not None


def test_a_get_that_is_said_to_be_unsafe_is_not_repeated() -> None:
    assert RetryPolicy(1).delay(1, response=response_of(503), safe=False) is None


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (exceptions.ConnectionError, True),
        (exceptions.ConnectTimeout, True),
        (exceptions.ReadTimeout, True),
        (exceptions.ChunkedEncodingError, True),
        (exceptions.BadResponse, True),
        (exceptions.ProxyError, True),
        (exceptions.PoolTimeout, True),
        (exceptions.NameNotFound, True),
        (exceptions.ContentDecodingError, True),
        (exceptions.SSLError, False),
        (exceptions.AddressForbidden, False),
        (exceptions.DeadlineExceeded, False),
        (exceptions.BodyTooLarge, False),
        (exceptions.TooManyRedirects, False),
        (exceptions.InvalidURL, False),
        (exceptions.UnrewindableBodyError, False),
    ],
)
def test_which_errors_are_passing(error: type[exceptions.RequestException], again: bool) -> None:
    assert again == (RetryPolicy(3).delay(1, error=error("…")) is not None)


def test_a_name_that_does_not_exist_is_asked_for_once_more_only() -> None:
    policy = RetryPolicy(3)
    assert policy.delay(1, error=exceptions.NameNotFound("x")) is not None
    assert policy.delay(2, error=exceptions.NameNotFound("x")) is None


def test_the_tries_end() -> None:
    policy = RetryPolicy(2)
    assert [True, True, False] == [policy.delay(n, response=response_of(500)) is not None for n in (1, 2, 3)]


@given(attempt=st.integers(1, 10_000), base=st.floats(0, 100), most=st.floats(0, 1000))
def test_the_wait_is_random_below_a_bound_that_doubles(attempt: int, base: float, most: float) -> None:
    policy = RetryPolicy(10_000, backoff_seconds=base, max_backoff_seconds=most)
    assert 0 <= policy.backoff(attempt) <= min(most, base * 2.0 ** min(attempt - 1, 64)) + 1e-9


def test_the_jitter_is_full() -> None:
    policy = RetryPolicy(5, backoff_seconds=8.0)
    waits = [policy.backoff(1) for _ in range(400)]
    assert min(waits) < 1 and max(waits) > 7


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        (formatdate(NOW + 90, usegmt=True), 90.0),
        (formatdate(NOW - 90, usegmt=True), None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("²", None),
        ("Fri, 99 Foo 2026 99:99:99 GMT", None),
        ("9" * 5000, float("9" * 18)),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert seconds == parse_retry_after(value, NOW)


@given(st.text(max_size=40))
def test_retry_after_never_raises(value: str) -> None:
    found = parse_retry_after(value, NOW)
    assert found is None or found >= 0


def test_what_the_server_asks_for_is_what_is_waited() -> None:
    policy = RetryPolicy(1, backoff_seconds=0.001)
    assert 4000.0 == policy.delay(1, response=response_of(503, Retry_After="4000"))
    assert policy.delay(1, response=response_of(503, Retry_After="-1")) <= 0.001
    deaf = RetryPolicy(1, backoff_seconds=0.001, respect_retry_after=False)
    assert deaf.delay(1, response=response_of(503, Retry_After="4000")) <= 0.001


# --- what stands for a policy -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, 0, False])
def test_nothing_means_no_policy(value: Any) -> None:
    assert RetryPolicy.of(value) is None


def test_a_number_means_so_many_retries() -> None:
    assert RetryPolicy(3) == RetryPolicy.of(3)
    assert RetryPolicy.of(FAST) is FAST
    with pytest.raises(TypeError, match="retries must be"):
        RetryPolicy.of("three")


# --- a session that repeats -------------------------------------------------------------------------------------------


def test_a_session_repeats_until_it_works() -> None:
    with HostileServer() as server, Session(retries=FAST) as session:
        url = server.play(
            "/",
            [Reset()],
            [answer(503)],
            [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nha", Close()],
            [answer(body=b"works")],
        )
        assert b"works" == session.get(url).content
        assert 4 == len(server.requests)


def test_a_plain_session_does_not() -> None:
    with HostileServer() as server, Session() as session:
        url = server.play("/", [answer(503)], [answer()])
        assert 503 == session.get(url).status_code
        assert 200 == session.get(url, retries=1).status_code


def test_the_last_answer_is_given_back_when_the_tries_are_used_up() -> None:
    with HostileServer() as server, Session(retries=FAST) as session:
        url = server.play("/", [answer(503, b"still")])
        response = session.get(url)
        assert (503, b"still") == (response.status_code, response.content)
        assert 4 == len(server.requests)
        assert 503 == session.get(url, retries=0).status_code
        assert 5 == len(server.requests)


def test_a_login_is_never_posted_twice() -> None:
    with HostileServer() as server, Session(retries=FAST) as session:
        url = server.play("/login", [answer(503)])
        session.post(url, data={"password": "p"})
        assert 1 == len(server.requests)


def test_a_spiders_safe_post_is() -> None:
    with HostileServer() as server, Session(retries=FAST) as session:
        url = server.play("/search", [answer(503)], [answer()])
        response = session.send(session.prepare_request(Request(url, data={"q": "x"}, safe=True)))
        assert 200 == response.status_code


def test_a_body_is_sent_again_from_its_start() -> None:
    with HostileServer() as server, Session(retries=FAST) as session:
        url = server.play("/", [answer(503)], [answer()])
        assert 200 == session.put(url, data=io.BytesIO(b"whole")).status_code
        assert [b"whole", b"whole"] == [request.body for request in server.requests]


def test_a_body_that_cannot_be_is_not_repeated() -> None:
    with HostileServer() as server, Session(retries=FAST) as session:
        url = server.play("/", [answer(503)], [answer()])
        assert 503 == session.put(url, data=iter([b"a"]), headers={"Content-Length": "1"}).status_code


def test_a_coding_that_does_not_fit_is_asked_for_plain_once() -> None:
    def script(request: Received) -> list[Any]:
        if request.header("Accept-Encoding") == "identity":
            return [answer(body=b"plain")]
        return [answer(body=b"no gzip at all", headers=[("Content-Encoding", "gzip")])]

    with HostileServer() as server, Session(retries=FAST) as session:
        assert b"plain" == session.get(server.play("/", script)).content
        assert 2 == len(server.requests)
        url = server.play("/always", [answer(body=b"no gzip at all", headers=[("Content-Encoding", "gzip")])])
        with pytest.raises(exceptions.ContentDecodingError):
            session.get(url)
        assert 4 == len(server.requests)


def test_each_hop_has_its_own_tries() -> None:
    with HostileServer() as server, Session(retries=RetryPolicy(1, backoff_seconds=0.0)) as session:
        url = server.play("/a", [answer(503)], [answer(302, headers=[("Location", "/b")])])
        server.play("/b", [answer(503)], [answer(body=b"there")])
        assert b"there" == session.get(url).content
        assert ["/a", "/a", "/b", "/b"] == [request.target for request in server.requests]


def test_a_long_retry_after_is_not_slept_out() -> None:
    with HostileServer() as server, Session(retries=FAST) as session:
        url = server.play("/", [answer(429, headers=[("Retry-After", "7200")])])
        start = time.monotonic()
        assert 429 == session.get(url).status_code
        assert time.monotonic() - start < 5


def test_no_try_begins_that_the_deadline_would_cut() -> None:
    with HostileServer() as server, Session(retries=FAST, deadline=2) as session:
        url = server.play("/", [answer(429, headers=[("Retry-After", "30")])])
        assert 429 == session.get(url).status_code
        assert 1 == len(server.requests)


def test_a_stop_ends_the_tries_at_once() -> None:
    stop = threading.Event()
    calls: list[int] = []

    def send(request: Any) -> Response:
        calls.append(1)
        stop.set()
        return response_of(503)

    request = Session().prepare_request(Request("http://example.org/"))
    policy = RetryPolicy(50, backoff_seconds=60.0)
    assert 503 == policy.call(send, request, stop=stop).status_code
    assert 1 == len(calls)


def test_an_authors_error_is_not_repeated() -> None:
    calls: list[int] = []

    def send(request: Any) -> Response:
        calls.append(1)
        raise KeyError("in a hook")

    with pytest.raises(KeyError):
        FAST.call(send, Session().prepare_request(Request("http://example.org/")))
    assert 1 == len(calls)

"""One exchange through the adapter: the Response, stale connections, errors in our names, what programs override."""

from __future__ import annotations

import errno
import io
import pickle
import socket
import time
from typing import Any

import pytest
import urllib3
from urllib3.util import Timeout

from crawlkit import Session
from crawlkit.exceptions import (
    AddressForbidden,
    ConnectionError,
    ConnectTimeout,
    DeadlineExceeded,
    InvalidSchema,
    InvalidURL,
    NameNotFound,
    ReadTimeout,
    UnrewindableBodyError,
)
from crawlkit.sessions import adapter as module
from crawlkit.sessions import models
from crawlkit.sessions.adapter import BaseAdapter, HTTPAdapter
from crawlkit.sessions.channel import Channel, Gone
from crawlkit.sessions.defaults import UsualTimeout
from crawlkit.sessions.digest import HTTPDigestAuth
from crawlkit.sessions.resolver import Resolver
from crawlkit.sessions.response import Response
from crawlkit.sessions.timeouts import Times, times_for
from crawlkit.sessions.wire import Wire
from tests.sessions.exchanges import adapter, fetch, prepared
from tests.sessions.scripted import Peer, Scripted, always, ok


def test_the_response_is_filled_in() -> None:
    answer = ok(b"body", "X-A: 1", "x-a: 2", "Set-Cookie: a=b", "Set-Cookie: c=d")
    with Scripted(always(answer.replace(b"200 OK", b"203 Sure"))) as server, adapter() as sender:
        request = prepared(f"{server.url}/page?q=1")
        response = sender.send(request, timeout=10)
        assert (203, "Sure", f"{server.url}/page?q=1") == (response.status_code, response.reason, response.url)
        assert ("1, 2", "1, 2") == (response.headers["X-A"], response.headers["x-a"])
        assert ["a=b", "c=d"] == response.raw.set_cookies
        assert response.request is request
        assert response.connection is sender
        assert b"body" == response.content
        assert ["a=b", "c=d"] == response.set_cookie_lines()


def test_sending_reads_no_body() -> None:
    """`stream` or not, the body is the caller's to read."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
        while peer.more():
            pass

    with Scripted(script) as server, adapter() as sender:
        response = sender.send(prepared(server.url), timeout=10)
        assert 200 == response.status_code
        response.close()
        assert (0, 0) == sender.pool.counts()[:2]


def test_ipv6_and_targets() -> None:
    try:
        server = Scripted(always(ok()), host="::1")
    except OSError as error:
        assert error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
        pytest.skip("no IPv6 here")
    with server:
        fetch(f"{server.url}/a/b?c=d#part")
    assert "GET /a/b?c=d HTTP/1.1" == server.requests[0].line
    assert f"[::1]:{server.port}" == server.requests[0].headers["host"]


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("?q=1", "GET /?q=1 HTTP/1.1"),
        ("#part", "GET / HTTP/1.1"),
        ("/a#b?c", "GET /a HTTP/1.1"),
        ("/%7Ea", "GET /%7Ea HTTP/1.1"),
    ],
)
def test_targets_of_urls_that_were_set_by_hand(url: str, line: str) -> None:
    with Scripted(always(ok())) as server, adapter() as sender:
        request = prepared(server.url)
        request.url = server.url + url
        _ = sender.send(request, timeout=10).content
        assert line == server.requests[0].line


# --- stale connections ------------------------------------------------------------------------------------------------


def _closes_on_second(peer: Peer) -> None:
    """Answers once a connection, reads the next request, and closes without a word."""
    peer.request()
    peer.send(ok())
    peer.request()


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
def test_a_stale_connection_is_replaced_once(method: str) -> None:
    """It is no attempt that failed: nobody sees it."""
    with Scripted(_closes_on_second) as server, adapter(per_host=1) as sender:
        for each in ("GET", method):
            assert 200 == sender.send(prepared(server.url, each), timeout=10).status_code
        assert 2 == server.opened
        assert ["GET", method, method] == [got.line.split()[0] for got in server.requests]
        assert (0, 0, 2) == (sender.pool.counts().active, sender.pool.counts().waiting, sender.pool.counts().opened)


def test_what_a_server_may_have_done_is_not_done_again() -> None:
    """A POST that was sent whole and not answered: RFC 9112 section 9.3.1."""
    with Scripted(_closes_on_second) as server, adapter() as sender:
        _ = sender.send(prepared(server.url), timeout=10).content
        with pytest.raises(ConnectionError, match="without an answer"):
            sender.send(prepared(server.url, "POST", data=b"pay"), timeout=10)
        assert 1 == sum(got.line.startswith("POST") for got in server.requests)
        assert (0, 0) == sender.pool.counts()[:2]


class _Narrow(HTTPAdapter):
    """Its sockets hold little that is not yet sent, so that sending stops in the middle of a request."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, socket_options=[(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)], **kwargs)


def test_what_was_sent_in_part_is_not_done_again() -> None:
    """A server may act on the head of a POST, and go away while the rest is on its way: "pay" would be said twice."""
    heads: list[bytes] = []

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(ok())
        heads.append(peer.sock.recv(600))
        time.sleep(0.05)  # until the client waits for room
        peer.reset()

    server = Scripted(script)
    server._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    with server, Session() as session:
        session.trust_env = False
        session.mount("http://", _Narrow())
        session.get(server.url)
        with pytest.raises(ConnectionError):
            session.post(f"{server.url}/pay", data=b"x" * 60_000)
        assert (1, 1) == (server.opened, len(heads))
    assert heads[0].startswith(b"POST /pay ")


class _Worn:
    """A socket that takes `takes` bytes, and then finds that the other side is gone."""

    def __init__(self, takes: int) -> None:
        self._left = takes

    def send(self, data: Any) -> int:
        if not self._left:
            raise BrokenPipeError
        count = min(len(data), self._left)
        self._left -= count
        return count

    def sendall(self, data: Any) -> None:
        if self.send(data) < len(data):
            raise BrokenPipeError

    def recv(self, limit: int) -> bytes:
        raise ConnectionResetError


@pytest.mark.parametrize(("takes", "unsent"), [(0, True), (1, False), (16_384, False), (30_000, False)])
def test_unsent_is_what_not_a_byte_went_out_of(takes: int, unsent: bool) -> None:
    channel = Channel()
    channel.sock = _Worn(takes)
    channel.transmit(b"x" * 30_000)
    with pytest.raises(Gone) as caught:
        channel.read_head()
    assert (unsent, takes < 30_000) == (caught.value.unsent, channel.half_sent)


def test_a_new_connection_that_closes_is_no_stale_one() -> None:
    def script(peer: Peer) -> None:
        peer.request()

    with Scripted(script) as server, adapter() as sender:
        with pytest.raises(ConnectionError):
            sender.send(prepared(server.url), timeout=10)
        assert 1 == server.opened


def test_a_server_that_always_closes_is_asked_twice_and_no_more() -> None:
    def script(peer: Peer) -> None:
        peer.request()
        if peer.number == 0:
            peer.send(ok())
            peer.request()

    with Scripted(script) as server, adapter() as sender:
        _ = sender.send(prepared(server.url), timeout=10).content
        with pytest.raises(ConnectionError):
            sender.send(prepared(server.url), timeout=10)
        assert 3 == len(server.requests)


def test_a_file_goes_back_before_it_is_sent_again() -> None:
    body = io.BytesIO(b"-" * 10 + b"x" * 200_000)
    body.seek(10)
    with Scripted(_closes_on_second) as server, adapter() as sender:
        _ = sender.send(prepared(server.url), timeout=10).content
        request = prepared(server.url, "PUT", data=body)
        assert 200 == sender.send(request, timeout=10).status_code
        puts = [got.body for got in server.requests if got.line.startswith("PUT")]
        assert [b"x" * 200_000] * 2 == puts


def test_long_bytes_are_sent_again_as_they_are() -> None:
    """They are no stream that would have to go back, although they go out in pieces."""
    with Scripted(_closes_on_second) as server, adapter() as sender:
        _ = sender.send(prepared(server.url), timeout=10).content
        body = b"x" * 200_000
        assert 200 == sender.send(prepared(server.url, "PUT", data=body), timeout=10).status_code
        assert [body] * 2 == [got.body for got in server.requests if got.line.startswith("PUT")]


def test_what_goes_through_a_proxy_is_sent_again_as_it_was() -> None:
    """With the whole URL in its first line."""
    with Scripted(_closes_on_second) as proxy, adapter() as sender:
        proxies = {"http": proxy.netloc}
        for body in (b"", io.BytesIO(b"x" * 200_000)):
            request = prepared("http://origin.example/a", "PUT", data=body)
            assert 200 == sender.send(request, timeout=10, proxies=proxies).status_code
        assert ["PUT http://origin.example/a HTTP/1.1"] * 3 == [got.line for got in proxy.requests]


def test_an_iterator_is_not_sent_again() -> None:
    with Scripted(_closes_on_second) as server, adapter() as sender:
        _ = sender.send(prepared(server.url), timeout=10).content
        with pytest.raises((ConnectionError, UnrewindableBodyError)):
            sender.send(prepared(server.url, "PUT", data=iter([b"a", b"b"])), timeout=10)
        assert 1 == sum(got.line.startswith("PUT") for got in server.requests)


# --- errors -----------------------------------------------------------------------------------------------------------


def resolver(**names: Any) -> Resolver:
    def lookup(host: str, *_: Any) -> list[Any]:
        answer = names.get(host.split(".")[0], socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
        if isinstance(answer, Exception):
            raise answer
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 0)) for ip in answer]

    return Resolver(lookup=lookup)


def test_a_name_that_does_not_exist() -> None:
    with pytest.raises(
        NameNotFound, match=r"GET http://nowhere\.example/: the host name 'nowhere\.example' does not exist"
    ):
        fetch("http://nowhere.example/", settings={"resolver": resolver()})


def test_a_resolver_that_is_down_is_another_error() -> None:
    down = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    with pytest.raises(ConnectionError, match="could not be looked up now") as caught:
        fetch("http://host.example/", settings={"resolver": resolver(host=down)})
    assert not isinstance(caught.value, NameNotFound)


def test_the_next_address_is_tried() -> None:
    """And the one that failed is tried last from then on."""
    with Scripted(always(ok())) as server, adapter(resolver=resolver(host=["127.0.0.2", "127.0.0.1"])) as sender:
        url = f"http://host.example:{server.port}/"
        assert b"ok" == sender.send(prepared(url), timeout=10).content
        assert "127.0.0.1" == sender.pool.resolver.resolve("host.example")[0].ip
        assert f"host.example:{server.port}" == server.requests[0].headers["host"]


@pytest.mark.parametrize("host", ["127.0.0.1", "host.example", "0x7f.1", "2130706433"])
def test_private_addresses_are_refused_however_they_are_written(host: str) -> None:
    settings = {"allow_private": False}
    if host == "host.example":
        settings["resolver"] = resolver(host=["127.0.0.1"])  # type: ignore[assignment]
    with Scripted(always(ok())) as server:
        with pytest.raises(AddressForbidden, match="allow_private"):
            fetch(f"http://{host}:{server.port}/", settings=settings)
        assert 0 == server.opened


def test_exempt_origins_may_be_private() -> None:
    with Scripted(always(ok())) as server:
        settings = {"allow_private": False, "private_origins": [server.netloc]}
        assert b"ok" == fetch(server.url, settings=settings).content


@pytest.mark.parametrize(
    ("url", "expected"),
    [("ftp://host/", InvalidSchema), ("http://", InvalidURL), ("http://host:99999/", InvalidURL), ("host", InvalidURL)],
)
def test_urls_that_cannot_be_fetched(url: str, expected: type[Exception]) -> None:
    with adapter() as sender:
        request = prepared("http://host/")
        request.url = url
        with pytest.raises((expected, InvalidSchema)):
            sender.send(request, timeout=1)


def test_errors_carry_the_request_and_their_cause() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with adapter() as sender:
        request = prepared(f"http://127.0.0.1:{port}/")
        with pytest.raises(ConnectionError) as caught:
            sender.send(request, timeout=1)
    assert caught.value.request is request
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)
    assert not isinstance(caught.value, (ConnectTimeout, NameNotFound))


# --- times ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("timeout", "expected"),
    [
        (None, (None, None)),
        (5, (5.0, 5.0)),
        (0.5, (0.5, 0.5)),
        ((3, None), (3.0, None)),
        ((None, 4), (None, 4.0)),
        (Timeout(connect=1, read=2), (1, 2)),
        (Timeout(), (None, None)),
        (1e300, (1e8, 1e8)),
    ],
)
def test_forms_of_a_timeout(timeout: Any, expected: tuple[Any, Any]) -> None:
    assert expected == times_for(timeout, None)[:2]


@pytest.mark.parametrize(
    "timeout", [0, -1, (1, 0), (1, 2, 3), (1,), "soon", "3", b"3", (1, "3"), True, float("nan"), object()]
)
def test_what_is_no_timeout(timeout: Any) -> None:
    with pytest.raises(ValueError, match="timeout="):
        times_for(timeout, None)


def test_a_timeout_as_text_says_what_to_give() -> None:
    """Which is what a program finds that reads its settings from a file."""
    with pytest.raises(ValueError, match=r"timeout='3' .*float\(\)"):
        times_for("3", None)


def test_urllib3s_total_is_a_deadline() -> None:
    with Scripted(lambda peer: peer.request() and peer.read(1)) as server:  # type: ignore[func-returns-value,arg-type,return-value]
        with pytest.raises(DeadlineExceeded):
            fetch(server.url, timeout=Timeout(total=0.1))
        with pytest.raises(ReadTimeout):
            fetch(server.url, timeout=Timeout(connect=1, read=0.1))


def test_the_deadline_bounds_connecting() -> None:
    now = time.monotonic()
    assert abs(Times(10.0, None, now + 1).connect_until() - (now + 1)) < 0.01  # type: ignore[operator]
    assert abs(Times(1.0, None, now + 10).connect_until() - (now + 1)) < 0.1  # type: ignore[operator]
    assert Times(None, None, None).connect_until() is None


# --- what programs override -------------------------------------------------------------------------------------------


def test_overriding_as_with_requests() -> None:
    class Own(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, socket_options=[(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)], **kwargs)

        def add_headers(self, request: Any, **kwargs: Any) -> None:
            request.headers["X-Added"] = str(kwargs["timeout"])

        def request_url(self, request: Any, proxies: Any) -> str:
            return "/rewritten" + super().request_url(request, proxies)

        def build_response(self, req: Any, resp: Any) -> Any:
            response = super().build_response(req, resp)
            response.mark = "seen"
            return response

    sender = Own()
    with Scripted(always(ok(b"x" * 1_000_000))) as server:
        response: Any = sender.send(prepared(f"{server.url}/page"), timeout=10)
        assert "seen" == response.mark
        sock = response.raw.connection.sock
        assert 0 != sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        response.close()
        assert "GET /rewritten/page HTTP/1.1" == server.requests[0].line
        assert "10" == server.requests[0].headers["x-added"]
    sender.close()


def test_a_source_address_is_used() -> None:
    class Bound(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, source_address=("127.0.0.9", 0), **kwargs)

    seen = []

    def script(peer: Peer) -> None:
        seen.append(peer.sock.getpeername()[0])
        peer.request()
        peer.send(ok())

    sender = Bound()
    with Scripted(script) as server:
        _ = sender.send(prepared(server.url), timeout=10).content
        sender.close()
    assert ["127.0.0.9"] == seen


def test_a_setting_that_nobody_knows_is_named() -> None:
    class Wrong(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, chipers="x", **kwargs)

    with pytest.raises(TypeError, match="chipers"):
        Wrong()


def test_building_a_response_of_urllib3s() -> None:
    """Test doubles for requests do it."""
    raw = urllib3.HTTPResponse(io.BytesIO(b"body"), {"X-A": "b"}, status=201, reason="Made", preload_content=False)
    response = HTTPAdapter().build_response(prepared("http://host/"), raw)
    assert (201, "Made", "b", b"body") == (
        response.status_code,
        response.reason,
        response.headers["x-a"],
        response.content,
    )


def test_an_adapter_pickles_without_its_connections() -> None:
    with Scripted(always(ok())) as server:
        sender = HTTPAdapter(pool_maxsize=3, max_retries=2, pool_block=True)
        _ = sender.send(prepared(server.url), timeout=10).content
        again = pickle.loads(pickle.dumps(sender))  # noqa: S301
        assert (3, 2) == (again.pool.per_host, again.max_retries.total)
        assert b"ok" == again.send(prepared(server.url), timeout=10).content
        assert 2 == server.opened
        sender.close()
        again.close()


def test_closing_closes_what_is_idle() -> None:
    with Scripted(always(ok())) as server:
        sender = HTTPAdapter()
        _ = sender.send(prepared(server.url), timeout=10).content
        sender.close()
        assert server.wait_until(lambda server: server.open_now == 0)


def test_the_plain_base_does_nothing() -> None:
    with pytest.raises(NotImplementedError):
        BaseAdapter().send(None)
    with pytest.raises(NotImplementedError):
        BaseAdapter().close()
    assert module.DEFAULT_POOLSIZE == 10


# --- the bytes for an archive -----------------------------------------------------------------------------------------


class Bytes:
    """A Tee that keeps everything."""

    def __init__(self) -> None:
        self.out = b""
        self.back = b""
        self.ended: list[str | None] = []

    def connected(self, address: str | None, tls: str | None) -> None:
        self.address, self.tls = address, tls

    def sent(self, data: bytes) -> None:
        self.out += data

    def received(self, data: bytes) -> None:
        self.back += data

    def done(self, truncated: str | None) -> None:
        self.ended.append(truncated)


HINT = b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n"
FRAMED = b"HTTP/1.1 200 OK\r\nBad Line\r\nX: a\r\n  folded\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKS = b"5;ext=1\r\nhello\r\n10000\r\n" + b"x" * 65536 + b"\r\n0\r\nTrailer: 1\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "exact", "truncated"),
    [
        (ok(b"small"), ok(b"small"), None),
        (ok(b"x" * 500_000), ok(b"x" * 500_000), None),
        (HINT + FRAMED + CHUNKS, HINT + FRAMED + CHUNKS, None),
        (ok(b"ok") + b"surplus", ok(b"ok"), None),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n", None),
        (b"HTTP/1.1 200 OK\nA: b\n\nuntil the end", b"HTTP/1.1 200 OK\nA: b\n\nuntil the end", None),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
            "disconnect",
        ),
        (FRAMED + CHUNKS[:-30], FRAMED + CHUNKS[:-30], "disconnect"),
        (b"HTTP/1.1 200 OK\r\nX: y", b"HTTP/1.1 200 OK\r\nX: y", "disconnect"),
        (b"", b"", "disconnect"),
    ],
)
def test_a_tee_sees_the_exact_bytes_of_one_exchange(answer: bytes, exact: bytes, truncated: str | None) -> None:
    """Framing, folds, 1xx and what was cut off; not a byte of what follows."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(answer)

    tees: list[Bytes] = []

    def tee(_: Any) -> Bytes:
        tees.append(Bytes())
        return tees[-1]

    with Scripted(script) as server, adapter() as sender:
        sender.tee = tee
        try:
            _ = sender.send(prepared(server.url, "POST", data=b"body" * 50_000), timeout=10).content
        except OSError:
            assert truncated
        assert [[truncated]] == [tee.ended for tee in tees]
        assert "127.0.0.1" == tees[0].address
        assert exact == tees[0].back
        assert server.requests[0].head + b"\r\n\r\n" + b"body" * 50_000 == tees[0].out


def test_a_tee_of_a_stale_connection_is_ended_and_a_new_one_made() -> None:
    tees: list[Bytes] = []

    def tee(_: Any) -> Bytes:
        tees.append(Bytes())
        return tees[-1]

    with Scripted(_closes_on_second) as server, adapter() as sender:
        sender.tee = tee
        for _ in range(2):
            _ = sender.send(prepared(server.url), timeout=10).content
        assert [[None], ["disconnect"], [None]] == [tee.ended for tee in tees]
        assert [ok(), b"", ok()] == [tee.back for tee in tees]
        sender.tee = None
        _ = sender.send(prepared(server.url), timeout=10).content
        assert 3 == len(tees)


def test_a_stream_that_is_given_up_is_truncated_in_the_tee() -> None:
    tee = Bytes()
    with Scripted(always(ok(b"x" * 500_000))) as server, adapter() as sender:
        sender.tee = lambda _: tee
        response = sender.send(prepared(server.url), timeout=10)
        assert b"xxx" == response.raw.read(3)
        response.close()
        assert ["unspecified"] == tee.ended
        assert ok(b"x" * 500_000).startswith(tee.back)


# --- no timeout is None -----------------------------------------------------------------------------------------------


class Patient(HTTPAdapter):
    """The recipe for a timeout by default, as programs for requests have it."""

    def __init__(self, timeout: Any) -> None:
        self.timeout = timeout
        self.seen: list[Any] = []
        super().__init__()

    def send(self, request: Any, **kwargs: Any) -> Any:
        self.seen.append(kwargs.get("timeout"))
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = self.timeout
        return super().send(request, **kwargs)


class Strict(HTTPAdapter):
    """With requests' arguments and no others."""

    def send(
        self,
        request: Any,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> Any:
        self.seen = timeout
        return super().send(request, stream, timeout, verify, cert, proxies)


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any]]:
    """What exchanges were given in the end."""
    given: list[tuple[Any, Any]] = []

    def noted(self: Any, read: Any, deadline: Any) -> None:
        given.append((self.asked.connect, read))
        begin(self, read, deadline)

    def leased(self: Any, request: Any, key: Any, asked: Any, share: Any) -> Any:
        wire = lease(self, request, key, asked, share)
        wire.asked = asked
        return wire

    begin, lease = Wire.begin, HTTPAdapter._lease
    monkeypatch.setattr(Wire, "begin", noted)
    monkeypatch.setattr(HTTPAdapter, "_lease", leased)
    return given


def test_an_adapter_sees_none_where_nobody_set_a_timeout(times: list[tuple[Any, Any]]) -> None:
    with Scripted(always(ok())) as server, Session() as session:
        patient = Patient(7)
        session.mount("http://", patient)
        session.get(server.url)
        session.get(server.url, timeout=3)
        session.get(server.url, timeout=None)
        session.timeout = 4
        session.get(server.url)
    assert [None, 3, None, 4] == patient.seen
    assert [(7.0, 7.0), (3.0, 3.0), (7.0, 7.0), (4.0, 4.0)] == times


@pytest.mark.parametrize("kind", [HTTPAdapter, Strict])
def test_the_usual_timeout_holds_where_no_adapter_sets_one(
    kind: type[HTTPAdapter], times: list[tuple[Any, Any]]
) -> None:
    """On a stream, on each hop, after a pickle; None said in so many words is none."""
    with Scripted(always(ok(b"", "Location: /next").replace(b"200 OK", b"302 Found"), ok())) as server:
        session = pickle.loads(pickle.dumps(Session()))  # noqa: S301
        session.mount("http://", kind())
        with session:
            session.get(server.url)
            session.get(server.url, timeout=None)
            request = session.prepare_request(models.Request("GET", server.url))
            session.send(request, stream=True).close()
            session.send(request, timeout=None, allow_redirects=False)
    usual, none = (10.0, 30.0), (None, None)
    assert [usual] * 2 + [none] * 2 + [usual] * 2 + [none] == times


def test_a_stream_has_the_usual_timeout_for_its_silence() -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        peer.more()

    with Scripted(script) as server, Session(deadline=5) as session:
        session.timeout = UsualTimeout((1.0, 0.1))
        response = session.get(server.url, stream=True)
        with pytest.raises(ReadTimeout):
            _ = response.content


def test_other_adapters_get_the_usual_timeout_as_one() -> None:
    """They cannot know of another way, and should not hang for ever either."""
    seen = []

    class Other(BaseAdapter):
        def send(self, request: Any, **kwargs: Any) -> Any:
            seen.append(kwargs["timeout"])
            answer = Response()
            answer.status_code, answer.url, answer.request, answer.raw = 200, request.url, request, io.BytesIO()
            return answer

        def close(self) -> None:
            pass

    session = Session()
    session.mount("test://", Other())
    session.get("test://x")
    session.get("test://x", timeout=None)
    assert [(10.0, 30.0), None] == seen


def test_digest_is_answered_by_the_same_times(times: list[tuple[Any, Any]]) -> None:
    """A hook sends through the adapter itself, with what the hook was given."""
    challenge = ok(b"", 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"').replace(b"200 OK", b"401 Who")
    with Scripted(always(challenge, ok())) as server, Session() as session:
        patient = Patient(None)
        session.mount("http://", patient)
        assert 200 == session.get(server.url, auth=HTTPDigestAuth("u", "p")).status_code
    assert [None, None] == patient.seen
    assert [(10.0, 30.0)] * 2 == times

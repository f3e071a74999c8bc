"""What is overheard on connections: judged by the bytes that a server of raw sockets sent and got."""

from __future__ import annotations

import contextlib
import io
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from crawlkit.archive.capture import Capture
from crawlkit.archive.exchange import Exchange
from crawlkit.exceptions import RequestException, StorageError
from crawlkit.sessions.adapter import HTTPAdapter
from tests.sessions.exchanges import adapter, prepared
from tests.sessions.scripted import Peer, Scripted, always, ok, tunnels
from tests.sessions.test_proxies import socks5


class Captured:
    """An adapter's tee, and the exchanges that it published."""

    def __init__(self, **options: Any) -> None:
        self.exchanges: list[Exchange] = []
        self.published = threading.Event()
        self._options = options

    def tee(self, request: Any) -> Capture:
        return Capture(request.method, request.url, publish=self._publish, **self._options)

    def _publish(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        self.published.set()

    @property
    def only(self) -> Exchange:
        assert 1 == len(self.exchanges)
        return self.exchanges[0]


@contextlib.contextmanager
def capturing(**options: Any) -> Iterator[tuple[HTTPAdapter, Captured]]:
    captured = Captured(**options)
    with adapter() as sender:
        sender.tee = captured.tee
        yield sender, captured
    for exchange in captured.exchanges:
        exchange.close()


def back(exchange: Exchange) -> bytes:
    return b"".join(exchange.response.chunks())


def body(exchange: Exchange) -> bytes:
    return b"".join(exchange.body())


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKS = b'5;name="v"\r\nhello\r\n2 \r\n, \r\n005\r\nworld\r\n0;last\r\nX-Trailer: caf\xe9\r\nB: 2\r\n\r\n'
FOLDED = b"HTTP/1.1 200 Fine \r\nX-Name: caf\xe9\r\nno colon\r\nX: a\r\n\tb\r\n  c\r\nContent-Length: 2\r\n\r\nok"
BARE = b"HTTP/1.0 200 OK\nContent-Length: 2\n\nok"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
PROGRESS = b"HTTP/1.1 100 Continue\r\n\r\n"
NINE = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\nX: y\r\n\r\n" + b"until it ends" * 30_000


@pytest.mark.parametrize(
    ("method", "answer", "exact", "payload"),
    [
        ("GET", ok(b"page"), ok(b"page"), b"page"),
        ("GET", ok(b"x" * 2_000_000), ok(b"x" * 2_000_000), b"x" * 2_000_000),
        ("GET", CHUNKED + CHUNKS, CHUNKED + CHUNKS, b"hello, world"),
        ("GET", FOLDED, FOLDED, b"ok"),
        ("GET", BARE, BARE, b"ok"),
        ("GET", PROGRESS + HINTS + ok(b"page"), ok(b"page"), b"page"),
        ("GET", ok(b"page") + b"what nobody asked for", ok(b"page"), b"page"),
        ("HEAD", NINE + b"surplus!!", NINE, b""),
        ("GET", b"HTTP/1.1 204 None\r\nA: b\r\n\r\nsurplus", b"HTTP/1.1 204 None\r\nA: b\r\n\r\n", b""),
        ("GET", NINE.replace(b"200 OK", b"304 Same"), NINE.replace(b"200 OK", b"304 Same"), b""),
        ("GET", UNTIL_CLOSE, UNTIL_CLOSE, b"until it ends" * 30_000),
        ("GET", CHUNKED + b"1\r\na\r\n0\r\n", CHUNKED + b"1\r\na\r\n0\r\n", b"a"),
    ],
    ids=["small", "large", "chunks", "folds", "LF", "1xx", "surplus", "HEAD", "204", "304", "close", "no last line"],
)
def test_the_bytes_of_the_wire(method: str, answer: bytes, exact: bytes, payload: bytes) -> None:
    """1xx answers and what follows the end are left out, everything else is there byte for byte."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(answer)

    with Scripted(script) as server, capturing() as (sender, captured):
        response = sender.send(prepared(f"{server.url}/a?b=c", method), timeout=10)
        assert payload == response.content
        exchange = captured.only
        assert exact == back(exchange)
        assert server.requests[0].head + b"\r\n\r\n" == b"".join(exchange.request.chunks())
        assert payload == body(exchange)
        assert (method, f"{server.url}/a?b=c", None) == (exchange.method, exchange.url, exchange.truncated)
        assert ("127.0.0.1", (f"http/1.{1 - exact.startswith(b'HTTP/1.0')}",)) == (exchange.address, exchange.protocols)
        assert response.status_code == exchange.status
        assert exact.endswith(payload) or b"chunked" in exact
        assert exchange.response.read(0, exchange.head_length) == exact[: exchange.head_length]


@pytest.mark.parametrize(
    ("answer", "payload"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", b"half"),
        (CHUNKED + b"5\r\nhello\r\n9\r\nhal", b"hellohal"),
        (CHUNKED + b"5\r\nhello\r\n1", b"hello"),
        (b"HTTP/1.1 200 OK\r\nX: y", b""),
        (b"not http at all", b""),
        (b"HTTP/1.1 20 Wrong\r\n\r\nbody", b""),
    ],
    ids=["length", "within a chunk", "within a size", "within the head", "not HTTP", "no status"],
)
def test_what_came_of_an_answer_that_is_cut_off(answer: bytes, payload: bytes) -> None:
    """Every byte that came, also those that nobody could make anything of; and why there are no more."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(answer)

    with Scripted(script) as server, capturing() as (sender, captured):
        with pytest.raises(RequestException):
            _ = sender.send(prepared(server.url), timeout=10).content
        exchange = captured.only
        assert answer == back(exchange)
        assert ("disconnect" if b"00 OK" in answer else "unspecified") == exchange.truncated
        assert payload == body(exchange)
        assert (b"\r\n\r\n" in answer and b" 20 " not in answer) == (exchange.head is not None)


@pytest.mark.parametrize("answer", [NINE + b"half", CHUNKED + b"5\r\nhello\r\n1", b"HTTP/1.1 200 OK\r\nX:"])
def test_a_server_that_falls_silent(answer: bytes) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(answer)
        peer.more()

    with Scripted(script) as server, capturing() as (sender, captured):
        with pytest.raises(RequestException):
            response = sender.send(prepared(server.url), timeout=10 if b"\r\n\r\n" in answer else (10, 0.5))
            response.raw.set_times(0.05, None)
            response.raw.read()
        assert (answer, "time") == (back(captured.only), captured.only.truncated)


def test_a_server_that_crashes_within_the_body() -> None:
    read = threading.Event()

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(NINE + b"half")
        read.wait(10)
        peer.reset()

    with Scripted(script) as server, capturing() as (sender, captured):
        response = sender.send(prepared(server.url), timeout=10)
        assert b"half" == response.raw.read1(4)
        read.set()
        with pytest.raises(RequestException):
            response.raw.read()
        assert (NINE + b"half", "disconnect") == (back(captured.only), captured.only.truncated)


def test_a_body_that_nobody_wants_all_of() -> None:
    """Larger than `max_body`: its length; closed, or forgotten about: nobody can say why."""
    with Scripted(always(ok(b"x" * 2_000_000))) as server, capturing() as (sender, captured):
        with pytest.raises(RequestException):
            _ = sender.send(prepared(server.url), timeout=10, max_body=1_000_000).content
        sender.send(prepared(server.url), timeout=10).close()
        sender.send(prepared(server.url), timeout=10)
        assert captured.published.wait(10)
        assert ["length", "unspecified", "unspecified"] == [exchange.truncated for exchange in captured.exchanges]
        assert all(ok(b"x" * 2_000_000).startswith(back(exchange)) for exchange in captured.exchanges)


def test_a_body_that_is_sent_in_pieces_while_a_hint_comes() -> None:
    def script(peer: Peer) -> None:
        got = peer.head()
        assert got is not None
        peer.send(PROGRESS + HINTS)
        for _ in range(4):
            peer.read(50_000)
        peer.send(ok(b"thanks"))

    with Scripted(script) as server, capturing() as (sender, captured):
        request = prepared(server.url, "POST", data=io.BytesIO(b"x" * 200_000))
        assert b"thanks" == sender.send(request, timeout=10).content
        assert ok(b"thanks") == back(captured.only)
        sent = server.requests[0].head + b"\r\n\r\n" + b"x" * 200_000
        assert sent == b"".join(captured.only.request.chunks())


def test_no_answer_is_no_exchange() -> None:
    """A server that closes, after a hint too, and one that is not there; a stale connection's second try is one."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send((b"", HINTS, ok(), ok(b"once more"))[peer.number])
        if peer.number == 2:
            peer.request()

    with Scripted(script) as server, capturing() as (sender, captured):
        for _ in range(2):
            with pytest.raises(RequestException):
                sender.send(prepared(server.url), timeout=10)
        assert [] == captured.exchanges
        for _ in range(2):
            sender.send(prepared(server.url), timeout=10)
        assert [ok(), ok(b"once more")] == [back(exchange) for exchange in captured.exchanges]
    with capturing() as (sender, captured):
        with pytest.raises(RequestException):
            sender.send(prepared(server.url), timeout=10)
        assert [] == captured.exchanges


def test_the_url_that_is_written_down() -> None:
    with Scripted(always(ok())) as server, capturing(via="http://u:p@h.example/é#x", hops=2) as (sender, captured):
        request = prepared(server.url, auth=("me", "secret"))
        request.url = f"http://me:secret@{server.netloc}/a?b=@c#part"
        sender.send(request, timeout=10)
        exchange = captured.only
        assert f"{server.url}/a?b=@c" == exchange.url
        assert ("http://h.example/%C3%A9", 2) == (exchange.via, exchange.hops)
        assert "b=@c" not in repr(exchange)
        assert server.netloc in repr(exchange)


def test_when_it_began() -> None:
    """The instant when the connection was there, not when somebody thought of it."""
    instants = iter([1.0, 2.5])
    with Scripted(always(ok())) as server, capturing(clock=lambda: next(instants)) as (sender, captured):
        sender.send(prepared(server.url), timeout=10)
        assert 2.5 == captured.only.started


# --- TLS and proxies --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> str:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return str(tmp_path / "ca.pem")


@pytest.fixture
def origin(authority: trustme.CA) -> Iterator[Scripted]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with Scripted(always(CHUNKED + CHUNKS), tls=context) as server:
        yield server


def test_inside_tls(origin: Scripted, bundle: str) -> None:
    with capturing() as (sender, captured):
        _ = sender.send(prepared(origin.url), timeout=10, verify=bundle).content
        exchange = captured.only
        assert (CHUNKED + CHUNKS, ("http/1.1", "tls/1.3")) == (back(exchange), exchange.protocols)
        assert ("127.0.0.1", f"{origin.url}/") == (exchange.address, exchange.url)
        assert origin.requests[0].head + b"\r\n\r\n" == b"".join(exchange.request.chunks())


def test_through_a_tunnel_only_what_the_origin_said(origin: Scripted, bundle: str) -> None:
    with Scripted(tunnels(to=origin)) as proxy, capturing() as (sender, captured):
        proxies = {"https": f"http://user:secret@{proxy.netloc}"}
        _ = sender.send(prepared(origin.url), timeout=10, verify=bundle, proxies=proxies).content
        exchange = captured.only
        assert (CHUNKED + CHUNKS, ("http/1.1", "tls/1.3")) == (back(exchange), exchange.protocols)
        assert exchange.address is None
        assert b"".join(exchange.request.chunks()).startswith(b"GET / HTTP/1.1\r\n")
        assert origin.requests[0].head + b"\r\n\r\n" == b"".join(exchange.request.chunks())


def test_a_tunnel_that_is_refused_is_no_exchange(origin: Scripted) -> None:
    """And the proxy's word is not taken for the origin's."""
    refusal = b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n"
    ended: list[str | None] = []

    class Ended(Capture):
        def done(self, truncated: str | None) -> None:
            ended.append(truncated)
            super().done(truncated)

    for answer in (refusal, b"", b"not http"):
        with Scripted(closing(answer)) as proxy, capturing() as (sender, captured):
            sender.tee = lambda request, captured=captured: Ended("GET", request.url, publish=captured.exchanges.append)
            with pytest.raises(RequestException):
                sender.send(prepared(origin.url), timeout=10, proxies={"https": f"http://{proxy.netloc}"})
            assert [] == captured.exchanges
    assert 3 == len(ended)


def test_a_proxy_that_forwards_is_asked_in_its_own_way() -> None:
    """The bytes are those of the wire, the URL the origin's; the address, being the proxy's, is left out."""
    with Scripted(always(ok(b"forwarded"))) as proxy, capturing() as (sender, captured):
        proxies = {"http": f"http://user:pass@{proxy.netloc}"}
        sender.send(prepared("http://origin.example/page?q=1"), timeout=10, proxies=proxies)
        exchange = captured.only
        sent = b"".join(exchange.request.chunks())
        assert sent.startswith(b"GET http://origin.example/page?q=1 HTTP/1.1\r\n")
        assert b"Proxy-Authorization: " in sent
        assert proxy.requests[0].head + b"\r\n\r\n" == sent
        assert ("http://origin.example/page?q=1", None) == (exchange.url, exchange.address)
        assert ("http/1.1",) == exchange.protocols


def test_socks_is_a_tunnel_that_is_not_seen_either(origin: Scripted, bundle: str) -> None:
    with Scripted(socks5(origin, [])) as proxy, capturing() as (sender, captured):
        proxies = {"https": f"socks5h://user:p%40ss@{proxy.netloc}"}
        _ = sender.send(prepared(origin.url), timeout=10, verify=bundle, proxies=proxies).content
        exchange = captured.only
        assert (CHUNKED + CHUNKS, ("http/1.1", "tls/1.3"), None) == (
            back(exchange),
            exchange.protocols,
            exchange.address,
        )
        assert origin.requests[0].head + b"\r\n\r\n" == b"".join(exchange.request.chunks())


def test_tls_within_tls_and_tls_that_is_the_proxys(authority: trustme.CA, origin: Scripted, bundle: str) -> None:
    """What is written down is what was spoken with the origin."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with Scripted(tunnels(to=origin), tls=context) as proxy, capturing() as (sender, captured):
        _ = sender.send(prepared(origin.url), timeout=10, verify=bundle, proxies={"https": proxy.url}).content
        assert (CHUNKED + CHUNKS, ("http/1.1", "tls/1.3")) == (back(captured.only), captured.only.protocols)
    with Scripted(always(ok()), tls=context) as proxy, capturing() as (sender, captured):
        sender.send(prepared("http://origin.example/"), timeout=10, verify=bundle, proxies={"http": proxy.url})
        assert ("http/1.1",) == captured.only.protocols


def closing(answer: bytes) -> Any:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(answer)

    return script


def test_a_disk_that_has_no_room_for_a_body(tmp_path: Path) -> None:
    """It is no fault of the network: the crawl has to stop. Half an answer is not published, no connection lost."""
    with (
        Scripted(always(ok(b"x" * 2_000_000))) as server,
        capturing(folder=tmp_path / "missing") as (sender, captured),
    ):
        for _ in range(2):
            with pytest.raises(StorageError, match=r"missing: .* cannot be written"):
                _ = sender.send(prepared(server.url), timeout=10).content
        assert [] == captured.exchanges
        assert (0, 0) == sender.pool.counts(server.netloc)[:2]


def test_a_listener_that_fails_loses_no_connection() -> None:
    def fail(exchange: Exchange) -> None:
        exchange.close()
        raise StorageError("full")

    with Scripted(always(ok(), ok(b"x" * 500_000))) as server, capturing() as (sender, _):
        sender.tee = lambda request: Capture("GET", request.url, publish=fail)
        for _ in range(2):
            with pytest.raises(StorageError, match="full"):
                _ = sender.send(prepared(server.url), timeout=10).content
        assert 0 == sender.pool.counts(server.netloc)[0]

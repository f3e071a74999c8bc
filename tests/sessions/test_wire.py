"""One connection: what it sends, how it reads, how it keeps time. The server is scripted byte by byte."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from crawlkit.exceptions import (
    BadResponse,
    ChunkedEncodingError,
    ConnectionError,
    ConnectTimeout,
    DeadlineExceeded,
    InvalidHeader,
    ReadTimeout,
    RequestException,
)
from crawlkit.sessions.headers import CaseInsensitiveDict
from tests.sessions.exchanges import adapter, fetch, prepared
from tests.sessions.scripted import PATIENCE, Peer, Scripted, always, ok, once

# --- sending ----------------------------------------------------------------------------------------------------------


def test_head_and_small_body_go_in_one_piece() -> None:
    """One send, one packet: a server that reads once has it all."""
    first: list[bytes] = []

    def script(peer: Peer) -> None:
        first.append(peer.sock.recv(65536))
        peer.send(ok())

    with Scripted(script) as server:
        fetch(f"{server.url}/form", "POST", data={"a": "b"})
    head, _, body = first[0].partition(b"\r\n\r\n")
    assert b"a=b" == body
    assert head.startswith(b"POST /form HTTP/1.1\r\nHost: " + server.netloc.encode())


@pytest.mark.parametrize("body", [b"x" * 3_000_000, "ü" * 100_000])
def test_large_bodies_arrive_whole(body: bytes | str) -> None:
    with Scripted(always(ok())) as server:
        fetch(server.url, "POST", data=body)
    assert (body.encode() if isinstance(body, str) else body) == server.requests[0].body


def test_an_iterator_is_sent_in_chunks() -> None:
    """Empty pieces would end the body and are left out."""
    with Scripted(always(ok())) as server:
        fetch(server.url, "POST", data=iter([b"one", b"", b"two", "drei"]))
    assert "chunked" == server.requests[0].headers["transfer-encoding"]
    assert "content-length" not in server.requests[0].headers
    assert b"onetwodrei" == server.requests[0].body


def test_a_known_length_is_never_sent_beside_chunks() -> None:
    """Two lengths are two readings of one request."""
    with Scripted(always(ok())) as server, adapter() as sender:
        request = prepared(server.url, "POST", data=iter([b"12345"]))
        request.headers["Content-Length"] = "5"
        request.headers["Transfer-Encoding"] = "chunked"
        _ = sender.send(request, timeout=10).content
    assert "transfer-encoding" not in server.requests[0].headers
    assert b"12345" == server.requests[0].body


@pytest.mark.parametrize(("pieces", "what"), [([b"123"], "short"), ([b"123456"], "longer")])
def test_a_body_that_is_not_as_long_as_announced_is_an_error(pieces: list[bytes], what: str) -> None:
    """Too much would be read as the next request, too little would hang."""
    with Scripted(always(ok())) as server, adapter() as sender:
        request = prepared(server.url, "POST", data=iter(pieces))
        del request.headers["Transfer-Encoding"]
        request.headers["Content-Length"] = "5"
        with pytest.raises(RequestException, match=what):
            sender.send(request, timeout=10)
        assert 0 == sender.pool.counts().active


def test_what_the_authors_body_raises_comes_out_as_it_is() -> None:
    def body() -> object:
        yield b"start"
        raise OSError("the disk is gone")

    with Scripted(always(ok())) as server, adapter() as sender:
        with pytest.raises(OSError, match="the disk is gone") as caught:
            sender.send(prepared(server.url, "POST", data=body()), timeout=10)
        assert not isinstance(caught.value, RequestException)
        assert (0, 0) == sender.pool.counts()[:2]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X", "a\r\nY: b"),
        ("X", "a\nb"),
        ("X", "a\0b"),
        ("X\r\nY", "b"),
        ("X Y", "b"),
        ("X:", "b"),
        ("X", "\u20ac"),
        ("X", 1),
    ],
)
def test_no_header_can_hold_another(name: str, value: object) -> None:
    """Whoever put it into the prepared request, and past whatever check; the value is never shown."""
    with Scripted(always(ok())) as server, adapter() as sender:
        request = prepared(server.url)
        request.headers = CaseInsensitiveDict({name: value})  # type: ignore[dict-item]
        with pytest.raises(InvalidHeader) as caught:
            sender.send(request, timeout=10)
    assert "b" not in str(value) or "Y: b" not in str(caught.value)
    assert 0 == server.opened


@pytest.mark.parametrize("method", ["GET /evil HTTP/1.1\r\nX: y\r\n\r\nGET", "GE T", "", "G\0T"])
def test_no_method_can_hold_a_request(method: str) -> None:
    """CVE-2020-26137."""
    with Scripted(always(ok())) as server, adapter() as sender:
        request = prepared(server.url)
        request.method = method
        with pytest.raises(InvalidHeader):
            sender.send(request, timeout=10)
    assert 0 == server.opened


def test_no_target_can_hold_a_header() -> None:
    """CVE-2019-11236: what must not stand in a target is escaped."""
    with Scripted(always(ok())) as server, adapter() as sender:
        request = prepared(server.url)
        request.url = f"{server.url}/a b\r\nX-Evil: 1\tc\u00e9?q=\x00#part"
        _ = sender.send(request, timeout=10).content
    assert "GET /a%20b%0D%0AX-Evil:%201%09c%C3%A9?q=%00 HTTP/1.1" == server.requests[0].line
    assert "x-evil" not in server.requests[0].headers


def test_host_is_added_once_and_a_custom_one_is_honoured() -> None:
    with Scripted(always(ok())) as server:
        fetch(server.url)
        fetch(server.url, headers={"host": "example.org"})
    assert server.netloc == server.requests[0].headers["host"]
    assert [("Host", "example.org")] == [pair for pair in server.requests[1].fields if pair[0].lower() == "host"]


def test_who_leaves_accept_encoding_out_gets_no_coding() -> None:
    """As with requests; without the header a server may choose any."""
    with Scripted(always(ok())) as server:
        fetch(server.url)
        fetch(server.url, headers={"accept-encoding": "br"})
    assert ["identity", "br"] == [got.headers["accept-encoding"] for got in server.requests]


def test_header_values_as_bytes_and_latin_1() -> None:
    with Scripted(always(ok())) as server:
        fetch(server.url, headers={"X-Bytes": "\u20ac".encode(), "X-Text": "gr\xfc\xdfe"})
    assert "\u20ac".encode().decode("latin-1") == server.requests[0].headers["x-bytes"]
    assert "gr\xfc\xdfe" == server.requests[0].headers["x-text"]


# --- answers that come early ------------------------------------------------------------------------------------------


def test_a_refusal_during_a_large_upload_is_read() -> None:
    """413 and close, while the client is still sending: the answer counts, not the broken pipe."""

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")

    with Scripted(script) as server:
        response = fetch(server.url, "POST", data=b"x" * 20_000_000)
    assert (413, b"big") == (response.status_code, response.content)


def test_a_refusal_of_a_server_that_stops_reading_is_read() -> None:
    """It neither reads nor closes: only listening while sending finds the answer."""

    closed = threading.Event()

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno")
        closed.wait(PATIENCE)

    with Scripted(script) as server, adapter() as sender:
        response = sender.send(prepared(server.url, "POST", data=b"x" * 50_000_000), timeout=5)
        assert (401, b"no") == (response.status_code, response.content)
        assert 0 == sender.pool.counts().idle
        closed.set()


def test_an_early_200_does_not_cut_the_upload_short() -> None:
    """Servers that answer while they read exist."""

    def script(peer: Peer) -> None:
        got = peer.head()
        assert got is not None
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
        time.sleep(0.05)  # the client's buffers are full meanwhile
        got.body = peer.read(int(got.headers["content-length"]))
        peer.send(b"done")

    with Scripted(script) as server:
        response = fetch(server.url, "POST", data=b"x" * 8_000_000)
        assert b"done" == response.content
        assert 8_000_000 == len(server.requests[0].body)


def test_interim_answers_during_an_upload_are_no_answers() -> None:
    def script(peer: Peer) -> None:
        got = peer.head()
        assert got is not None
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n")
        got.body = peer.read(int(got.headers["content-length"]))
        peer.send(ok(b"got it"))

    with Scripted(script) as server:
        assert b"got it" == fetch(server.url, "POST", data=b"x" * 8_000_000).content


# --- the head of the answer -------------------------------------------------------------------------------------------


def test_interim_answers_are_skipped() -> None:
    """http.client gives 103 Early Hints for the final answer."""
    early = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
    with Scripted(always(early + ok(b"final"))) as server, adapter() as sender:
        for _ in range(2):
            response = sender.send(prepared(server.url), timeout=10)
            assert (200, b"final") == (response.status_code, response.content)
            assert "link" not in response.headers
        assert 1 == server.opened


def test_interim_answers_without_end_are_an_error() -> None:
    with (
        Scripted(once(b"HTTP/1.1 100 Continue\r\n\r\n" * 500)) as server,
        pytest.raises(BadResponse, match="interim"),
    ):
        fetch(server.url)


def test_a_head_in_single_bytes() -> None:
    def script(peer: Peer) -> None:
        peer.request()
        for byte in ok(b"slow", "Set-Cookie: a=b"):
            peer.send(bytes([byte]))

    with Scripted(script) as server:
        response = fetch(server.url)
    assert (b"slow", "a=b") == (response.content, response.headers["set-cookie"])


def test_101_is_final_and_its_connection_is_not_used_again() -> None:
    with Scripted(always(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")) as server, adapter() as sender:
        for _ in range(2):
            response = sender.send(prepared(server.url), timeout=10)
            assert (101, b"") == (response.status_code, response.content)
        assert 2 == server.opened


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"SSH-2.0-OpenSSH_9\r\n", "not HTTP"),
        (b"HTTP/2 200 OK\r\n\r\n", "not HTTP"),
        (b"<html>\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n", "within the head"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: " + b"x" * 400_000 + b"\r\n\r\n", "larger than"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 5001 + b"\r\n", "lines"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", "Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0x10\r\n\r\n", "Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", "Content-Length"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "transfer coding"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(answer: bytes, message: str) -> None:
    """BadResponse, naming method and URL."""
    with Scripted(once(answer)) as server, pytest.raises(BadResponse, match=message) as caught:
        fetch(f"{server.url}/page")
    assert f"GET {server.url}/page" in str(caught.value)
    assert caught.value.request.url == f"{server.url}/page"


def test_300_kilobytes_of_head_are_read() -> None:
    lines = b"".join(b"X-%d: %s\r\n" % (n, b"y" * 80) for n in range(3000))
    with Scripted(once(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + lines + b"\r\n")) as server:
        assert 3001 == len(fetch(server.url).headers)


def test_closing_without_a_word_is_a_connection_error() -> None:
    def script(peer: Peer) -> None:
        peer.request()

    with Scripted(script) as server, pytest.raises(ConnectionError, match="without an answer"):
        fetch(server.url)
    assert 1 == server.opened


def test_a_reset_instead_of_an_answer_is_a_connection_error() -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.reset()

    with Scripted(script) as server, pytest.raises(ConnectionError):
        fetch(server.url)


# --- time -------------------------------------------------------------------------------------------------------------


def _silent(peer: Peer) -> None:
    peer.request()
    while peer.more():
        pass


def _trickle(start: bytes) -> object:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(start)
        for _ in range(2000):
            peer.send(b"x")
            time.sleep(0.01)

    return script


def test_a_silent_server_is_a_read_timeout() -> None:
    with Scripted(_silent) as server, pytest.raises(ReadTimeout, match="sent nothing"):
        fetch(server.url, timeout=(5, 0.1))


def test_a_read_timeout_within_the_body() -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        while peer.more():
            pass

    with Scripted(script) as server, pytest.raises(ReadTimeout) as caught:
        fetch(server.url, timeout=0.1)
    assert server.url in str(caught.value)


@pytest.mark.parametrize(
    "start", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"]
)
def test_a_trickle_ends_at_the_deadline(start: bytes) -> None:
    """A read timeout of a second lasts for ever on a byte every 10 ms; the deadline does not."""
    with Scripted(_trickle(start)) as server:  # type: ignore[arg-type]
        begun = time.monotonic()
        with pytest.raises(DeadlineExceeded, match=r"deadline; the connection was closed"):
            fetch(server.url, timeout=5, deadline=begun + 0.3)
        assert 0.25 < time.monotonic() - begun < 2


def test_a_chunked_trickle_ends_at_the_deadline() -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(2000):
            peer.send(b"1\r\nx\r\n")
            time.sleep(0.01)

    with Scripted(script) as server:
        begun = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            fetch(server.url, timeout=5, deadline=begun + 0.3)
        assert time.monotonic() - begun < 2


def test_a_server_that_does_not_read_ends_the_upload_on_time() -> None:
    """Neither the deadline nor the timeout waits for buffers that never empty."""

    def script(peer: Peer) -> None:
        peer.head()
        done.wait(PATIENCE)

    done = threading.Event()
    with Scripted(script) as server:
        for sending, expected in (
            ({"deadline": time.monotonic() + 0.2}, DeadlineExceeded),
            ({"timeout": (5, 0.2)}, ReadTimeout),
        ):
            begun = time.monotonic()
            with pytest.raises(expected):
                fetch(server.url, "POST", data=b"x" * 50_000_000, **sending)
            assert time.monotonic() - begun < 3
        done.set()


def test_a_deadline_that_has_passed_sends_nothing() -> None:
    with Scripted(always(ok())) as server, pytest.raises(DeadlineExceeded):
        fetch(server.url, deadline=time.monotonic() - 1)
    assert [] == server.requests


def test_the_connect_timeout_bounds_all_addresses() -> None:
    """A listener whose queue is full answers no handshake; so does, for a client, a black hole."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(8)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
        begun = time.monotonic()
        try:
            with pytest.raises(ConnectTimeout, match="connect timeout"):
                fetch(f"http://127.0.0.1:{port}/", timeout=(0.2, 5))
            assert time.monotonic() - begun < 2
        finally:
            for sock in waiting:
                sock.close()


def test_a_refused_connection_names_where_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ConnectionError, match=f"no connection to 127.0.0.1:{port}"):
        fetch(f"http://user:secret@127.0.0.1:{port}/page")


def test_userinfo_is_in_no_message() -> None:
    with Scripted(once(b"junk\r\n\r\n")) as server, pytest.raises(BadResponse) as caught:
        fetch(server.url.replace("//", "//user:secret@"))
    assert "secret" not in str(caught.value)
    assert server.netloc in str(caught.value)


def test_chunks_cut_off_within_the_head_phase_are_not_a_page() -> None:
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"
    with Scripted(once(answer)) as server, pytest.raises(ChunkedEncodingError, match="cut off after 2 bytes"):
        fetch(server.url)

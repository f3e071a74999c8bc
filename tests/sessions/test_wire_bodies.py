"""Bodies: where they end, what cuts them short, what undoing their coding may cost; and `Response.raw` as a file."""

from __future__ import annotations

import gc
import gzip
import io
import random
import shutil
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from typing import Any

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlkit.exceptions import (
    BodyTooLarge,
    ChunkedEncodingError,
    ContentDecodingError,
    DeadlineExceeded,
    RequestException,
)
from crawlkit.sessions import bodies, heads
from crawlkit.sessions.raw import RawResponse
from crawlkit.sessions.response import Response
from tests.sessions.exchanges import adapter, fetch, prepared
from tests.sessions.scripted import Peer, Scripted, always, ok, once

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n", lines: bytes = b"") -> bytes:
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return CHUNKED + lines + b"\r\n" + body + end


def coded(body: bytes, coding: str) -> bytes:
    return ok(body, f"Content-Encoding: {coding}")


# --- framing ----------------------------------------------------------------------------------------------------------


def test_chunks_extensions_and_trailers() -> None:
    """Extensions are skipped, trailers kept apart from the headers."""
    body = b"5;name=value\r\nhello\r\n6 ; x\r\n world\r\n00;last\r\nX-Sum: 1\r\nSet-Cookie: evil=1\r\n\r\n"
    with Scripted(always(CHUNKED + b"\r\n" + body)) as server, adapter() as sender:
        for _ in range(2):
            response = sender.send(prepared(server.url), timeout=10)
            assert b"hello world" == response.content
            assert [("X-Sum", "1"), ("Set-Cookie", "evil=1")] == response.raw.trailers
            assert "x-sum" not in response.headers
        assert 1 == server.opened


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        CHUNKED + b"\r\n",
        CHUNKED + b"\r\n5\r\nhel",
        CHUNKED + b"\r\n5\r\nhello",
        CHUNKED + b"\r\n5\r\nhello\r\n",
        CHUNKED + b"\r\n5\r\nhello\r\n0",
        CHUNKED + b"\r\n5\r\nhello world\r\n0\r\n\r\n",
        CHUNKED + b"\r\nzz\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"\r\n-5\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"\r\n0x5\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"\r\n" + b"5" * 17 + b"\r\nhello",
        CHUNKED + b"\r\n5;" + b"x" * 20_000 + b"\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"\r\n0\r\n" + b"X: y\r\n" * 5_001 + b"\r\n",
    ],
)
def test_a_body_that_is_cut_off_or_broken_is_never_a_whole_one(answer: bytes) -> None:
    with Scripted(once(answer)) as server, adapter() as sender:
        response = sender.send(prepared(f"{server.url}/page"), timeout=10)
        for _ in range(2):
            with pytest.raises(ChunkedEncodingError, match=f"GET {server.url}/page"):
                _ = response.content
        assert (0, 0) == sender.pool.counts()[:2]


def test_a_reset_within_the_body_is_a_cut_off_body() -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhalf")
        peer.request()
        peer.reset()

    with Scripted(script) as server, adapter() as sender:
        response = sender.send(prepared(server.url), timeout=10)
        # A second request's head is what the script waits for before it resets.
        response.raw.connection.sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(ChunkedEncodingError):
            _ = response.content


def test_the_last_chunk_counts_even_without_its_blank_line() -> None:
    with Scripted(once(chunked(b"all of it", end=b"0\r\n"))) as server:
        assert b"all of it" == fetch(server.url).content


def test_a_body_until_the_connection_closes() -> None:
    with Scripted(once(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 300_000)) as server:
        assert 300_000 == len(fetch(server.url).content)


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
        ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: nonsense\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nContent-Encoding: gzip\r\n\r\n"),
        ("POST", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Encoding: br\r\n\r\n"),
    ],
)
def test_answers_without_a_body(method: str, answer: bytes) -> None:
    """They end with their head, whatever length it names, and the connection goes on."""
    with Scripted(always(answer)) as server, adapter() as sender:
        for _ in range(2):
            assert b"" == sender.send(prepared(server.url, method), timeout=10).content
        assert 1 == server.opened


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: x, Close\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more than announced",
        b"HTTP/1.1 204 No Content\r\n\r\nbody after no body",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    ],
)
def test_connections_that_must_not_be_used_again(answer: bytes) -> None:
    """By their own word, or because what they said cannot be trusted."""
    with Scripted(always(answer)) as server, adapter() as sender:
        for _ in range(2):
            assert sender.send(prepared(server.url), timeout=10).content in (b"ok", b"")
        assert 2 == server.opened


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: Keep-Alive\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nok",
        chunked(b"ok"),
    ],
)
def test_connections_that_are_used_again(answer: bytes) -> None:
    with Scripted(always(answer)) as server, adapter() as sender:
        for _ in range(2):
            assert b"ok" == sender.send(prepared(server.url), timeout=10).content
        assert 1 == server.opened


class Bytes:
    """A source that gives its bytes in pieces of `step`."""

    def __init__(self, data: bytes, step: int) -> None:
        self.data = data
        self.step = step

    def take(self, limit: int) -> bytes:
        count = min(limit, self.step)
        piece, self.data = self.data[:count], self.data[count:]
        return piece

    def take_line(self, limit: int) -> bytes:
        end = self.data.find(b"\n") + 1
        line, self.data = self.data[:end], self.data[end:]
        return line


def read(body: bodies.Body) -> bytes:
    return b"".join(iter(body.read_some, b""))


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=8), st.integers(1, 20))
def test_chunks_however_they_arrive(chunks: list[bytes], step: int) -> None:
    """The pieces of the network are not the pieces of the body."""
    data = b"".join(b"%X\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\nnext"
    source = Bytes(data, step)
    assert b"".join(chunks) == read(bodies.ChunkedBody(source))
    assert b"next" == source.data


@given(st.binary(max_size=60), st.integers(0, 80), st.integers(1, 20))
def test_a_length_is_kept_or_it_is_an_error(data: bytes, length: int, step: int) -> None:
    body = bodies.LengthBody(Bytes(data, step), length)
    if length <= len(data):
        assert data[:length] == read(body)
    else:
        with pytest.raises(ChunkedEncodingError):
            read(body)


@given(st.binary(max_size=80))
def test_any_bytes_as_chunks_end_or_are_an_error(noise: bytes) -> None:
    try:
        read(bodies.ChunkedBody(Bytes(noise, 7)))
    except RequestException:
        pass


# --- content codings --------------------------------------------------------------------------------------------------

TEXT = b"the quick brown fox " * 5000


def zstd(data: bytes) -> bytes:
    from backports import zstd as module

    return module.compress(data)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACK: dict[str, Any] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda data: brotli.compress(data, quality=3),
    "zstd": zstd,
}


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (gzip.compress(TEXT, mtime=0), "gzip"),
        (gzip.compress(TEXT, mtime=0), "X-GZip"),
        (gzip.compress(TEXT[:100], mtime=0) + gzip.compress(TEXT[100:], mtime=0), "gzip"),
        (zlib.compress(TEXT), "deflate"),
        (raw_deflate(TEXT), "deflate"),
        (brotli.compress(TEXT), "br"),
        (zstd(TEXT), "zstd"),
        (gzip.compress(brotli.compress(TEXT), mtime=0), "br, gzip"),
        (gzip.compress(TEXT, mtime=0), "gzip, identity"),
        (TEXT, "identity"),
        (TEXT, "utf-8"),
        (TEXT, "none, gzip"),
        (TEXT, ""),
    ],
)
def test_codings_are_undone(body: bytes, coding: str) -> None:
    """Known ones; a word that is no coding leaves the body as it is. In one piece and chunked alike."""
    with Scripted(always(coded(body, coding))) as server:
        assert TEXT == fetch(server.url).content
    pieces = [body[at : at + 999] for at in range(0, len(body), 999)]
    with Scripted(always(chunked(*pieces, lines=f"Content-Encoding: {coding}\r\n".encode()))) as server:
        assert TEXT == fetch(server.url).content


@pytest.mark.parametrize("size", [1, 7, 4096, None])
@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_pieces_of_any_size_make_the_whole(size: int | None, coding: str) -> None:
    pack: Any = {"gzip": gzip.compress, "br": brotli.compress, "zstd": zstd}[coding]
    text = TEXT[:20_000]
    with Scripted(always(coded(pack(text), coding))) as server, adapter() as sender:
        response = sender.send(prepared(server.url), timeout=10)
        pieces = list(response.raw.stream(size, decode_content=True))
    assert text == b"".join(pieces)
    if size is not None:
        assert {size} >= {len(piece) for piece in pieces[:-1]}


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, br"])
def test_a_body_that_is_not_in_its_coding(coding: str) -> None:
    answer = coded(b"this is plain text, " * 10, coding)
    with Scripted(always(answer)) as server, pytest.raises(ContentDecodingError, match=r"GET http:.*Content-Encoding"):
        fetch(server.url)


def test_six_codings_are_too_many() -> None:
    """urllib3 CVE-2025-66418: a chain without end is a bomb of its own."""
    body = TEXT
    for _ in range(6):
        body = gzip.compress(body)
    answer = coded(body, ", ".join(["gzip"] * 6))
    with Scripted(always(answer)) as server, pytest.raises(ContentDecodingError, match="6 content codings"):
        fetch(server.url)
    with Scripted(always(coded(body, ", ".join(["gzip"] * 5)))) as server:
        assert gzip.compress(TEXT)[:3] == fetch(server.url).content[:3]


def test_a_gzip_stream_cut_off_by_the_connections_end() -> None:
    """Nothing else tells that a body without a length is not whole."""
    packed = gzip.compress(TEXT)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
    with Scripted(once(head + packed[:-20])) as server, pytest.raises(ContentDecodingError, match="stops short"):
        fetch(server.url)
    with Scripted(once(head + packed)) as server:
        assert TEXT == fetch(server.url).content


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "br", "zstd", "gzip, br", "br, gzip", "zstd, gzip"])
@pytest.mark.parametrize("cut", [1, 4, 20])
@pytest.mark.parametrize("size", [700, 300_000])
def test_a_stream_that_stops_short_in_a_length_that_was_kept(coding: str, cut: int, size: int) -> None:
    """A proxy that lost its server wrote down the length of what it had: that is no whole page."""
    text = random.Random(1).randbytes(size)
    *inner, outer = coding.split(", ")
    body = text
    for name in (*inner, outer):
        body = PACK[name](body)
    with Scripted(always(coded(body[:-cut], coding))) as server, adapter() as sender:
        with pytest.raises(ContentDecodingError, match=r"GET http:.*stops short"):
            _ = sender.send(prepared(server.url), timeout=10).content
        with pytest.raises(ContentDecodingError, match="stops short"):
            for _ in sender.send(prepared(server.url), timeout=10, stream=True).iter_content(4096):
                pass
        with pytest.raises(ContentDecodingError, match="stops short"):
            sender.send(prepared(server.url), timeout=10, stream=True).raw.read(decode_content=True)
    if inner:  # the inner one stops short in an outer one that is whole
        body = PACK[outer](PACK[inner[0]](text)[:-cut])
        with Scripted(always(coded(body, coding))) as server, pytest.raises(ContentDecodingError, match="stops short"):
            _ = fetch(server.url).content


@pytest.mark.parametrize("after", [b"", b"\n", b"\0" * 512, b"garbage", gzip.compress(b"more", mtime=0)])
def test_what_follows_a_gzip_member(after: bytes) -> None:
    """Another member is read, padding and line feeds are not looked at, as everywhere."""
    expected = TEXT + (b"more" if after[:1] == b"\x1f" else b"")
    with Scripted(always(coded(gzip.compress(TEXT) + after, "gzip"))) as server:
        assert expected == fetch(server.url).content


def test_a_second_gzip_member_that_stops_short() -> None:
    body = gzip.compress(TEXT) + gzip.compress(TEXT)[:-8]
    with Scripted(always(coded(body, "gzip"))) as server, pytest.raises(ContentDecodingError, match="stops short"):
        _ = fetch(server.url).content


# --- limits -----------------------------------------------------------------------------------------------------------


def bombs() -> Iterator[tuple[str, bytes]]:
    zeros = b"\0" * (1 << 20)
    packer = zlib.compressobj(9, wbits=31)
    once_packed = b"".join(packer.compress(zeros) for _ in range(300)) + packer.flush()
    yield "gzip", once_packed
    yield "gzip, gzip", gzip.compress(once_packed)
    yield "br", brotli.compress(zeros * 100, quality=5)
    yield "zstd", zstd(zeros * 100)


@pytest.mark.parametrize(("coding", "bomb"), list(bombs()), ids=lambda value: value if isinstance(value, str) else "")
def test_a_bomb_costs_no_more_than_the_limit(coding: str, bomb: bytes) -> None:
    """CVE-2025-66471: what is decoded beyond the limit is never made, on a stream neither."""
    with Scripted(always(coded(bomb, coding))) as server, adapter() as sender:
        for stream in (False, True):
            response = sender.send(prepared(server.url), timeout=10, max_body=4 << 20)
            tracemalloc.start()
            begun = time.monotonic()
            with pytest.raises(BodyTooLarge, match="4194304 bytes"):
                for _ in response.raw.stream(1 << 16, decode_content=True) if stream else [response.content]:
                    pass
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert peak < 24 << 20
            assert time.monotonic() - begun < 5


def test_reading_a_bomb_a_little_makes_a_little() -> None:
    """CVE-2026-21441: without any limit, too, a read of 100 bytes does not decode 300 MB."""
    _, bomb = next(bombs())
    with Scripted(always(coded(bomb, "gzip"))) as server, adapter() as sender:
        response = sender.send(prepared(server.url), timeout=10)
        tracemalloc.start()
        assert b"\0" * 100 == response.raw.read(100, decode_content=True)
        response.close()
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("answer", "fits"),
    [
        (ok(b"x" * 100), True),
        (ok(b"x" * 101), False),
        (chunked(b"x" * 50, b"x" * 50), True),
        (chunked(b"x" * 50, b"x" * 51), False),
        (coded(gzip.compress(b"x" * 100, mtime=0), "gzip"), True),
        (coded(gzip.compress(b"x" * 101, mtime=0), "gzip"), False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", False),
    ],
)
def test_the_limit_is_exact_and_counts_what_comes_out(answer: bytes, fits: bool) -> None:
    """An announced length beyond it is refused without reading."""
    with Scripted(always(answer)) as server:
        if fits:
            assert b"x" * 100 == fetch(server.url, max_body=100).content
        else:
            with pytest.raises(BodyTooLarge, match=r"limit of 100 bytes"):
                fetch(server.url, max_body=100)


def test_an_endless_body_ends_at_the_limit() -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            peer.send(b"x" * 65536)

    with Scripted(script) as server, pytest.raises(BodyTooLarge):
        fetch(server.url, max_body=1_000_000)


# --- raw as a file ----------------------------------------------------------------------------------------------------


def streamed(answer: bytes) -> Any:
    server = Scripted(always(answer))
    sender = adapter()
    with server, sender as opened:
        yield opened.send(prepared(server.url), timeout=10)


@pytest.fixture(params=["whole", "large", "chunked"])
def response(request: pytest.FixtureRequest) -> Iterator[Response]:
    """The same text in memory already, still on the connection, and in chunks."""
    large = b"0123456789" * 10_000
    answer = {"whole": ok(large[:1000]), "large": ok(large), "chunked": chunked(large[:30_000], large[30_000:])}
    yield from streamed(answer[request.param])


def test_reading_to_the_end_and_beyond(response: Response) -> None:
    raw = response.raw
    assert b"01234" == raw.read(5)
    assert b"56789" == raw.read(5)
    assert 10 == raw.tell()
    assert not raw.closed
    assert raw.read().startswith(b"0123")
    assert raw.closed
    assert b"" == raw.read() == raw.read(1) == raw.read1(1)


def test_files_functions_work(response: Response) -> None:
    copy = io.BytesIO()
    shutil.copyfileobj(response.raw, copy)
    assert copy.getvalue() == b"0123456789" * (len(copy.getvalue()) // 10)
    assert isinstance(response.raw, io.IOBase)


def test_buffered_and_text_readers_work(response: Response) -> None:
    """As with urllib3, `auto_close` has to be off: the standard library's readers ask a file that ended whether
    it is.
    """
    response.raw.auto_close = False
    reader = io.BufferedReader(response.raw)
    assert b"0123456789" == reader.read(10)
    assert "0123456789" == io.TextIOWrapper(reader, "ascii").read(10)


def test_pieces_have_the_size_that_was_asked_for(response: Response) -> None:
    """In chunks, at most that size: an event must not wait for the next one."""
    pieces = list(response.raw.stream(100))
    sizes = {len(piece) for piece in pieces}
    assert {100} == sizes if not response.headers.get("transfer-encoding") else sizes <= set(range(1, 101))
    assert [] == list(response.raw.stream(100))


def test_closing_half_way_drops_the_connection() -> None:
    with Scripted(always(ok(b"x" * 1_000_000))) as server, adapter() as sender:
        response = sender.send(prepared(server.url), timeout=10)
        assert b"xxx" == response.raw.read(3)
        assert (1, 0) == sender.pool.counts()[:2]
        response.raw.close()
        assert (0, 0) == sender.pool.counts()[:2]
        assert response.raw.closed
        assert b"" == response.raw.read()
        response.raw.release_conn()


def test_draining_a_short_rest_keeps_the_connection() -> None:
    with Scripted(always(chunked(b"x" * 5000), ok(b"y" * 1_000_000))) as server, adapter() as sender:
        sender.send(prepared(server.url), timeout=10).raw.drain_conn()
        assert (0, 1) == sender.pool.counts()[:2]
        sender.send(prepared(server.url), timeout=10).raw.drain_conn()
        assert (0, 0) == sender.pool.counts()[:2]


def test_a_forgotten_stream_gives_its_place_back() -> None:
    """Collected by the garbage collector, it must not keep the host's only place."""
    with Scripted(always(ok(b"x" * 1_000_000))) as server, adapter(per_host=1) as sender:
        for _ in range(3):
            sender.send(prepared(server.url), timeout=10)
            gc.collect()
        assert (0, 0) == sender.pool.counts()[:2]


def test_the_interface_of_urllib3() -> None:
    """What programs written for requests look for on `raw`."""
    answer = ok(
        b"body", "Set-Cookie: a=1", "Set-Cookie: b=2; Expires=Wed, 01 Jan 2031 00:00:00 GMT", "bad line", "X: y"
    )
    with Scripted(always(answer)) as server, adapter() as sender:
        raw = sender.send(prepared(f"{server.url}/page"), timeout=10).raw
        assert isinstance(raw, RawResponse)
        cookies = ["a=1", "b=2; Expires=Wed, 01 Jan 2031 00:00:00 GMT"]
        assert cookies == raw.set_cookies == raw.headers.getlist("set-cookie")
        assert cookies == raw._original_response.msg.get_all("Set-Cookie")
        assert (200, "OK", 11, "HTTP/1.1") == (raw.status, raw.reason, raw.version, raw.version_string)
        assert "y" == raw.getheader("x") == raw.info()["X"] == raw.getheaders()["x"]
        assert f"{server.url}/page" == raw.geturl() == raw.url
        assert 1 == raw.dropped_lines
        assert 4 == raw.length_remaining
        assert raw.readable() and not raw.writable() and not raw.seekable()
        assert b"body" == raw.data == raw.data
        with pytest.raises(OSError, match="no socket"):
            raw.fileno()


def test_lines_of_raw() -> None:
    with Scripted(always(chunked(b"one\nt", b"wo\n", b"three"))) as server, adapter() as sender:
        assert [b"one\n", b"two\n", b"three"] == list(sender.send(prepared(server.url), timeout=10).raw)


def test_times_of_a_stream_can_be_changed() -> None:
    """A stream outlives the deadline of its exchange when the program says so."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
        time.sleep(0.3)
        peer.send(b"12345678")

    with Scripted(script) as server, adapter() as sender:
        for changed in (True, False):
            response = sender.send(prepared(server.url), timeout=5, deadline=time.monotonic() + 0.15)
            if changed:
                response.raw.set_times(5, None)
                assert b"12345678" == response.content
            else:
                with pytest.raises(DeadlineExceeded):
                    _ = response.content


def test_a_head_alone_has_no_length() -> None:
    read_head = heads.read(b"HTTP/1.1 200 OK\r\n\r\n")
    assert (bodies.UNTIL_CLOSE, False) == bodies.framing(read_head, "GET")
    assert (0, True) == bodies.framing(read_head, "HEAD")

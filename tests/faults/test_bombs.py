"""Bodies that expand to ten gigabytes, never end, or come a byte a second: each costs little and ends by name.

The judge of memory is a process that does nothing else; the judge of time its clock.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from crawlkit import Session
from crawlkit.exceptions import BadResponse, BodyTooLarge, ChunkedEncodingError, ContentDecodingError, DeadlineExceeded
from tests.conftest import ROOT
from tests.faults.bombs import BOMBS, HOLLOW
from tests.sessions.scripted import Peer, Scripted, ok

MEBIBYTE = 1 << 20
QUICK = ("gzip", "gzip of many members", "br", "zstd", "five gzip")
EACH_BOMB = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in BOMBS]
LIMIT = 10 * MEBIBYTE
MAX_RISE = 100 * MEBIBYTE
MAX_SECONDS = 2.0


class Consumer:
    """The process that fetches. `fetch` asks it for one job."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.consumer"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def fetch(self, url: str, way: str = "content", **job: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"url": url, "way": way, **job}) + "\n")
        self.process.stdin.flush()
        done: dict[str, Any] = json.loads(self.process.stdout.readline())
        return done

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def consumer() -> Iterator[Consumer]:
    started = Consumer()
    yield started
    started.close()


def answer(status: str, coding: str, body: bytes, *lines: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Encoding: {coding}", f"Content-Length: {len(body)}", *lines]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


@pytest.fixture(scope="module")
def bombs() -> Iterator[Scripted]:
    """`/STATUS/NAME` is answered with that status and bomb; a 302 leads to /end."""

    def script(peer: Peer) -> None:
        while (got := peer.request()) is not None:
            status, _, name = got.line.split(" ")[1].strip("/").partition("/")
            if status == "end":
                peer.send(ok(b"the end"))
                continue
            coding, make = {**BOMBS, **HOLLOW}[name.replace("%20", " ")]
            peer.send(answer(f"{status} Status", coding, make(), *(["Location: /end"] if status == "302" else [])))

    for _, make in [*BOMBS.values(), *HOLLOW.values()]:
        make()
    with Scripted(script) as server:
        yield server


def is_cheap(done: dict[str, Any]) -> bool:
    return done["seconds"] < MAX_SECONDS and done["rise"] < MAX_RISE


# --- bombs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["200", "500"])
@pytest.mark.parametrize("name", EACH_BOMB)
def test_a_bomb_is_too_large(name: str, status: str, bombs: Scripted, consumer: Consumer) -> None:
    """On a page and on an error page: the limit counts what comes out, and no more is made."""
    done = consumer.fetch(f"{bombs.url}/{status}/{name}", max_body=LIMIT)
    assert "BodyTooLarge" == done["error"]
    assert is_cheap(done), done


@pytest.mark.parametrize("name", EACH_BOMB)
def test_a_stream_of_a_bomb_makes_what_is_taken(name: str, bombs: Scripted, consumer: Consumer) -> None:
    """Without a limit: the program stops when it has enough, and nothing was made ahead."""
    done = consumer.fetch(f"{bombs.url}/200/{name}", "stream", cap=20 * MEBIBYTE)
    assert (None, 20 * MEBIBYTE) == (done["error"], done["length"])
    assert is_cheap(done), done


@pytest.mark.parametrize("name", EACH_BOMB)
def test_a_stream_of_a_bomb_ends_at_a_limit_it_was_given(name: str, bombs: Scripted, consumer: Consumer) -> None:
    done = consumer.fetch(f"{bombs.url}/200/{name}", "stream", max_body=LIMIT)
    assert "BodyTooLarge" == done["error"]
    assert is_cheap(done), done


@pytest.mark.parametrize("name", [*EACH_BOMB, *HOLLOW])
@pytest.mark.parametrize("limit", [pytest.param(LIMIT, marks=pytest.mark.slow), None])
def test_a_redirect_with_a_bomb_is_followed(name: str, limit: int | None, bombs: Scripted, consumer: Consumer) -> None:
    """Nobody asked for its body, so it costs the connection and is no error, limit or not."""
    done = consumer.fetch(f"{bombs.url}/302/{name}", max_body=limit)
    assert (None, len(b"the end")) == (done["error"], done["length"])
    assert is_cheap(done), done


@pytest.mark.parametrize("name", [*EACH_BOMB, *HOLLOW])
def test_the_content_of_a_redirect_with_a_bomb_is_an_error(name: str, bombs: Scripted, consumer: Consumer) -> None:
    """Who does ask for it, because redirects are not followed, is refused by name."""
    done = consumer.fetch(f"{bombs.url}/302/{name}", max_body=LIMIT, follow=False)
    assert ("BodyTooLarge" if name in BOMBS else "ContentDecodingError") == done["error"]
    assert is_cheap(done), done


@pytest.mark.parametrize(("way", "limit"), [("content", LIMIT), ("content", None), ("stream", None)])
@pytest.mark.parametrize("name", HOLLOW)
def test_a_body_that_comes_to_nothing_ends(
    name: str, limit: int | None, way: str, bombs: Scripted, consumer: Consumer
) -> None:
    """Ten gigabytes between two layers of coding that give no byte at the end: no limit of the body would ever count
    them. Codings beyond five and windows beyond RFC 9659's 8 MiB are refused without work.
    """
    done = consumer.fetch(f"{bombs.url}/200/{name}", way, max_body=limit)
    assert "ContentDecodingError" == done["error"]
    assert is_cheap(done), done


def test_work_for_nothing_is_said_to_be_that(bombs: Scripted) -> None:
    with Session() as session, pytest.raises(ContentDecodingError, match="gzip, gzip body comes to nothing"):
        session.get(f"{bombs.url}/200/empty members")


def test_a_long_stream_of_nested_codings_keeps_nothing_back(bombs: Scripted, consumer: Consumer) -> None:
    """The inner layers are fed what they use up, not what the outer ones could give."""
    done = consumer.fetch(f"{bombs.url}/200/five gzip", "stream", cap=150 * MEBIBYTE)
    assert (None, 150 * MEBIBYTE) == (done["error"], done["length"])
    assert done["rise"] < 20 * MEBIBYTE


# --- bodies and heads without end -------------------------------------------------------------------------------------

PLAIN = b"HTTP/1.1 200 OK\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n\r\n"
BROKEN = b"HTTP/1.1 500 Broken\r\n\r\n"


def endlessly(start: bytes, again: bytes) -> Callable[[Peer], None]:
    def script(peer: Peer) -> None:
        got = peer.request()
        if got is not None and "elsewhere" in got.line:
            peer.send(ok(b"the end"))
            return
        peer.send(start)
        while True:
            peer.send(again)

    return script


@pytest.mark.parametrize(
    ("start", "again"),
    [(PLAIN, b"x" * 65536), (CHUNKED, b"8000\r\n" + b"x" * 32768 + b"\r\n"), (BROKEN, b"x" * 65536)],
    ids=["until the end", "chunks", "error page"],
)
def test_an_endless_body_ends_at_the_limit(start: bytes, again: bytes) -> None:
    with Scripted(endlessly(start, again)) as server, Session() as session:
        begun = time.monotonic()
        with pytest.raises(BodyTooLarge, match=f"{LIMIT} bytes"):
            session.get(server.url, max_body=LIMIT)
        assert time.monotonic() - begun < MAX_SECONDS


def test_an_endless_body_of_a_redirect_does_not_hold_it_up() -> None:
    with Scripted(endlessly(REDIRECT, b"x" * 65536)) as server, Session() as session:
        begun = time.monotonic()
        assert b"the end" == session.get(server.url).content
        assert time.monotonic() - begun < MAX_SECONDS


def test_an_endless_coded_body_that_comes_to_nothing_ends() -> None:
    """A deflate stream of empty blocks, sent as fast as it is read: there is nothing for a limit to count."""
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n\x78\x9c"
    with Scripted(endlessly(head, b"\0\0\0\xff\xff" * 13000)) as server, Session() as session:
        begun = time.monotonic()
        with pytest.raises(ContentDecodingError, match="comes to nothing"):
            session.get(server.url, max_body=LIMIT)
        assert time.monotonic() - begun < MAX_SECONDS


@pytest.mark.parametrize(
    ("start", "again"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X-Again: and again\r\n" * 1000),
        (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x" * 65536),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    ],
    ids=["lines", "one line", "1xx"],
)
def test_an_endless_head_is_refused(start: bytes, again: bytes) -> None:
    with Scripted(endlessly(start, again)) as server, Session() as session:
        begun = time.monotonic()
        with pytest.raises(BadResponse):
            session.get(server.url)
        assert time.monotonic() - begun < MAX_SECONDS


def test_endless_trailers_are_refused() -> None:
    with Scripted(endlessly(CHUNKED + b"0\r\n", b"X-Again: and again\r\n" * 1000)) as server, Session() as session:
        begun = time.monotonic()
        with pytest.raises(ChunkedEncodingError, match="trailers"):
            session.get(server.url)
        assert time.monotonic() - begun < MAX_SECONDS


# --- a byte a second --------------------------------------------------------------------------------------------------


def trickling(start: bytes, again: bytes) -> Callable[[Peer], None]:
    def script(peer: Peer) -> None:
        if peer.request() is None:
            return
        peer.send(start)
        peer.sock.settimeout(1.0)
        while True:
            try:
                if not peer.more():
                    return  # the client has closed
            except TimeoutError:
                peer.send(again)

    return script


BODIES = {
    "length": (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"x"),
    "until the end": (PLAIN, b"x"),
    "chunks": (CHUNKED, b"1\r\nx\r\n"),
    "within a chunk's size": (CHUNKED, b"0"),
    "error page": (BROKEN, b"x"),
    "gzip's file name": (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x08\0\0\0\0\0\0", b"x"),
}
HEADS = {
    "status": (b"", b"H"),
    "head": (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
    "1xx": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "redirect": (REDIRECT, b"x"),
}


@pytest.mark.parametrize(("name", "stream"), [*((name, False) for name in BODIES | HEADS), *((n, True) for n in HEADS)])
def test_a_byte_a_second_ends_at_the_deadline(name: str, stream: bool) -> None:
    """Each byte comes in time for the read timeout, the whole does not: it ends within half a second of the deadline.
    (The body of a stream may take as long as it likes; its head and the redirects before it may not.)
    """
    with Scripted(trickling(*{**BODIES, **HEADS}[name])) as server, Session() as session:
        begun = time.monotonic()
        with pytest.raises(DeadlineExceeded, match="deadline"):
            session.get(server.url, deadline=0.2, stream=stream)
        assert 0.2 <= time.monotonic() - begun < 0.2 + 0.5

"""`Response.raw` beside urllib3's HTTPResponse: the same names give the same, on every kind of body."""

from __future__ import annotations

import functools
import gzip
import io
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests as theirs

from crawlkit import requests as ours
from tests.sessions.scripted import Peer, Scripted

TEXT = b"alpha\nbeta\ngamma"
LARGE = b"line one\nline two\n" * 20_000
ZIPPED = gzip.compress(TEXT, mtime=0)


def http(body: bytes, *lines: str) -> bytes:
    return "\r\n".join(["HTTP/1.1 200 Fine", *lines, "", ""]).encode() + body


def in_chunks(body: bytes, size: int) -> bytes:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


ANSWERS = {
    "short": http(TEXT, "Content-Length: 16", "X-A: 1", "X-A: 2", "Set-Cookie: a=1", "Set-Cookie: b=2"),
    "gzip": http(ZIPPED, f"Content-Length: {len(ZIPPED)}", "Content-Encoding: gzip"),
    "large": http(LARGE, f"Content-Length: {len(LARGE)}"),
    "chunked": http(in_chunks(TEXT, 5), "Transfer-Encoding: chunked"),
    "chunked gzip": http(in_chunks(ZIPPED, 5), "Transfer-Encoding: chunked", "Content-Encoding: gzip"),
    "empty": http(b"", "Content-Length: 0"),
    "until close": http(TEXT, "Connection: close"),
}


def decoding(raw: Any) -> Any:
    """The idiom of programs that hand `raw` to something which reads files."""
    raw.read = functools.partial(raw.read, decode_content=True)
    return raw


def whole(raw: Any) -> Any:
    """The idiom of programs that read `raw` as text, and want it open until they close it."""
    raw.auto_close = False
    return raw


def copied(raw: Any) -> bytes:
    target = io.BytesIO()
    shutil.copyfileobj(raw, target)
    return target.getvalue()


def filled(raw: Any, size: int) -> tuple[int, bytes]:
    buffer = bytearray(size)
    return raw.readinto(buffer), bytes(buffer)


CALLS: dict[str, Callable[[Any], Any]] = {
    "status": lambda raw: (raw.status, raw.reason, raw.version, raw.version_string),
    "headers": lambda raw: list(raw.headers.items()),
    "headers.getlist": lambda raw: (
        (raw.headers.getlist("x-a"), raw.headers.getlist("Set-Cookie"), raw.headers["X-A"])
        if "x-a" in raw.headers
        else None
    ),
    "getheader": lambda raw: (raw.getheader("x-a"), raw.getheader("none", "default")),
    "getheaders": lambda raw: (type(raw.getheaders()).__name__, list(raw.getheaders().items())),
    "info": lambda raw: (type(raw.info()).__name__, list(raw.info().items())),
    "_original_response.msg": lambda raw: raw._original_response.msg.items(),
    "get_redirect_location": lambda raw: raw.get_redirect_location(),
    "constants": lambda raw: (raw.REDIRECT_STATUSES, raw.CONTENT_DECODERS),
    "closed": lambda raw: (raw.closed, raw.isclosed(), raw.read(2), raw.closed, raw.read(), raw.closed, raw.isclosed()),
    "tell": lambda raw: (raw.tell(), raw.read(3), raw.tell(), raw.read(), raw.tell()),
    "read": lambda raw: (raw.read(0), raw.read(3), raw.read(-1), raw.read(), raw.read(5)),
    "read, decoded": lambda raw: (raw.read(3, decode_content=True), raw.read(decode_content=True), raw.tell()),
    "read, kept": lambda raw: (raw.read(decode_content=True, cache_content=True), raw.data),
    "read, not kept": lambda raw: (raw.read(), raw.data),
    "data": lambda raw: (raw.data, raw.data, raw.read()),
    "decode_content": lambda raw: (raw.decode_content, setattr(raw, "decode_content", True), raw.data),
    "read1": lambda raw: (raw.read1(3), raw.read1(2), raw.read1(0)),
    "read1, decoded": lambda raw: raw.read1(3, decode_content=True),
    "readinto": lambda raw: (filled(raw, 7), filled(raw, 20), filled(raw, 1)),
    "readline": lambda raw: (raw.readline(), raw.readline(3), raw.readline(None)),
    "readlines": lambda raw: raw.readlines(),
    "readlines, some": lambda raw: raw.readlines(8),
    "iteration": lambda raw: list(raw),
    "iteration, after all": lambda raw: (raw.read(), list(raw), raw.readlines()),
    "next": lambda raw: (next(raw), next(raw, None)),
    "stream": lambda raw: (b"".join(raw.stream(4)), list(raw.stream(4))),
    "stream, decoded": lambda raw: b"".join(raw.stream(4, decode_content=True)),
    "stream, as it comes": lambda raw: b"".join(raw.stream(None)),
    "chunks": lambda raw: (raw.supports_chunked_reads(), bool(raw.chunked), raw.chunk_left),
    "read_chunked": lambda raw: list(raw.read_chunked(3)) if raw.chunked else None,
    "length_remaining": lambda raw: (raw.length_remaining, raw.read(2), raw.length_remaining),
    "switches": lambda raw: (raw.auto_close, raw.enforce_content_length),
    "retries": lambda raw: (type(raw.retries).__name__, raw.retries.total, raw.retries.history),
    "retries, set": lambda raw: (setattr(raw, "retries", None), setattr(raw, "note", 1), raw.note),
    "abilities": lambda raw: (raw.readable(), raw.writable(), raw.seekable(), raw.isatty(), raw.flush()),
    "seek": lambda raw: raw.seek(0),
    "truncate": lambda raw: raw.truncate(),
    "release_conn": lambda raw: (raw.read(), raw.release_conn(), raw.connection, raw._connection),
    "drain_conn": lambda raw: (raw.drain_conn(), raw.read(), raw.connection),
    "close": lambda raw: (raw.close(), raw.closed, raw.isclosed(), raw.read(), list(raw.stream())),
    "close, twice": lambda raw: (raw.close(), raw.close(), raw.release_conn()),
    "shutdown": lambda raw: raw.shutdown(),
    "with": lambda raw: (raw.__enter__() is raw, raw.read(3), raw.__exit__(None, None, None), raw.closed),
    "partial read": lambda raw: (decoding(raw).read(4), raw.read()),
    "partial read, streamed": lambda raw: b"".join(decoding(raw).stream(4, decode_content=True)),
    "partial read, copied": lambda raw: copied(decoding(raw)),
    "partial read, lines": lambda raw: (decoding(raw).readline(), raw.readline()),
    "copyfileobj": copied,
    "TextIOWrapper": lambda raw: list(io.TextIOWrapper(whole(raw), "latin-1")),
    "TextIOWrapper, closing": lambda raw: list(io.TextIOWrapper(raw, "latin-1"))[:1],
    "BufferedReader": lambda raw: io.BufferedReader(raw).readline(),
    "GzipFile": lambda raw: gzip.GzipFile(fileobj=raw).read(),
    "isinstance": lambda raw: isinstance(raw, io.IOBase),
    "truth": bool,
}


@pytest.fixture(scope="module")
def server() -> Iterator[Scripted]:
    def script(peer: Peer) -> None:
        while (got := peer.request()) is not None:
            name = got.line.split()[1].strip("/").replace("-", " ")
            peer.send(ANSWERS[name])
            if name == "until close":
                return

    with Scripted(script) as server:
        yield server


@pytest.fixture(scope="module")
def sessions() -> Iterator[tuple[Any, Any]]:
    """requests' and ours."""
    with theirs.Session() as one, ours.Session() as other:
        one.trust_env = other.trust_env = False
        yield one, other


def outcome(session: Any, url: str, call: Callable[[Any], Any]) -> Any:
    """What `call` makes of the answer's `raw`; of an exception its kind."""
    with session.get(url, stream=True, timeout=10) as response:
        try:
            return call(response.raw)
        except Exception as error:  # noqa: BLE001 - compared by the test
            return type(error).__name__


@pytest.mark.parametrize("name", CALLS)
def test_raw_is_as_urllib3s(server: Scripted, sessions: tuple[Any, Any], name: str) -> None:
    urls = {body: f"{server.url}/{body.replace(' ', '-')}" for body in ANSWERS}
    expected, actual = (
        {body: outcome(session, url, CALLS[name]) for body, url in urls.items()} for session in sessions
    )
    assert expected == actual


@pytest.mark.parametrize("body", ["large", "chunked", "until close"])
def test_the_connection_is_there_while_the_body_is_on_it(server: Scripted, body: str) -> None:
    """For those who want the socket's address or certificate; None, and OSError of `fileno()`, once it is given back."""
    with ours.Session() as session:
        raw = session.get(f"{server.url}/{body.replace(' ', '-')}", stream=True, timeout=10).raw
        if raw.connection is not None:  # the short ones may have come whole with their heads
            assert raw.connection is raw._connection
            assert "127.0.0.1" == raw.connection.sock.getpeername()[0]
            assert raw.fileno() == raw.connection.sock.fileno()
        raw.read()
        assert raw.connection is None
        with pytest.raises(OSError, match="no socket any more"):
            raw.fileno()


def test_shutdown_ends_a_read_in_another_thread() -> None:
    """Whoever waits for the body finds it cut off."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(http(b"beginning", "Content-Length: 100"))
        peer.request()

    with Scripted(script) as server, ours.Session() as session:
        response = session.get(server.url, stream=True, timeout=10)
        assert b"beginning" == response.raw.read(9)
        response.raw.shutdown()
        with pytest.raises(ours.exceptions.ChunkedEncodingError):
            response.raw.read()
        response.raw.shutdown()


def test_what_differs_from_urllib3_is_as_the_table_says(server: Scripted) -> None:
    """The URL whole, the head also as `msg`, HTTP/1.0 by its name, what was released not readable."""
    with ours.Session() as session:
        raw = session.get(f"{server.url}/large", stream=True, timeout=10).raw
        assert f"{server.url}/large" == raw.geturl() == raw.url
        assert "360000" == raw.msg["content-length"]
        raw.release_conn()
        assert b"" == raw.read()

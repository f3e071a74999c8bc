"""The hostile server plays what it was told, byte by byte. Read by bare sockets, not by crawlkit."""

from __future__ import annotations

import socket
import time
import zlib
from collections.abc import Iterator

import pytest

from crawlkit.testing import HostileServer, faults
from crawlkit.testing.hostile import Close, Pause, Received, Repeat, Reset, Trickle, answer


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer() as running:
        yield running


def connect(server: HostileServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=5)


def ask(server: HostileServer, path: str, *, most: int = 10_000_000) -> bytes:
    """Everything that comes for one request on a connection of its own, until the server ends it."""
    with connect(server) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        got = b""
        while len(got) < most and (more := client.recv(65536)):
            got += more
        return got


def test_plays_bytes_as_they_are(server: HostileServer):
    """No byte is added, none is mended."""
    server.play("/odd", [b"HTTP/1.1 200 OK\r\nfoo", b"bar\r\n\r\n", Close()])
    assert b"HTTP/1.1 200 OK\r\nfoobar\r\n\r\n" == ask(server, "/odd")


def test_scripts_take_turns_and_the_last_stays(server: HostileServer):
    """First a fault, then the page for ever: what retries are tested with."""
    server.play("/turns", [b"one", Close()], [b"two", Close()])
    assert [b"one", b"two", b"two"] == [ask(server, "/turns") for _ in range(3)]
    server.play("/turns", [b"anew", Close()])
    assert b"anew" == ask(server, "/turns")


def test_connection_is_kept_between_scripts(server: HostileServer):
    """Two requests on one connection, the second with a body that is read whole."""
    server.play("/a", [answer(body=b"A")])
    with connect(server) as client:
        for _ in range(2):
            client.sendall(b"POST /a?q=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody")
            assert client.recv(65536).endswith(b"\r\n\r\nA")
    assert [b"body", b"body"] == [request.body for request in server.requests]
    assert ["POST", "POST"] == [entry.method for entry in server.log]
    assert [200, 200] == [entry.status for entry in server.log]
    assert 1 == server.connections.ever


def test_script_may_look_at_the_request(server: HostileServer):
    """A callable makes the script from the request: its headers are there by any case."""

    def echo(request: Received) -> list[bytes | Close]:
        return [(request.header("x-name") or "").encode(), (request.header("none") or "-").encode(), Close()]

    server.play("/echo", echo)
    with connect(server) as client:
        client.sendall(b"GET /echo HTTP/1.1\r\nX-Name: bea\r\n\r\n")
        assert b"bea" == client.recv(3)
        assert b"-" == client.recv(3)


def test_reset_is_a_reset(server: HostileServer):
    """The client gets ECONNRESET, not an end of file."""
    server.play("/reset", [Reset()])
    with pytest.raises(ConnectionResetError):
        ask(server, "/reset")


def test_refused_url_refuses(server: HostileServer):
    """Its port is held, so that nothing else can listen there, and answers no connection."""
    port = int(server.refused_url().rpartition(":")[2].strip("/"))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_unknown_path_is_404_and_no_script_is_an_error(server: HostileServer):
    """A path that nobody scripted says so."""
    with connect(server) as client:
        client.sendall(b"GET /what HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 404")
    with pytest.raises(ValueError, match="/none"):
        server.play("/none")


def test_trickle_and_repeat(server: HostileServer):
    """Byte by byte, and over and over as often as it was said."""
    server.play("/trickle", [Trickle(b"slow", 0.001), Repeat(b"!", 3), Close()])
    assert b"slow!!!" == ask(server, "/trickle")


def test_endless_ends_with_the_client(server: HostileServer):
    """The client leaves in the middle; the server goes on serving others."""
    server.play("/endless", [Repeat(b"a" * 1000)])
    server.play("/ok", [b"fine", Close()])
    assert len(ask(server, "/endless", most=100_000)) >= 100_000
    assert b"fine" == ask(server, "/ok")


def test_close_cuts_pauses_short():
    """A server in the middle of an hour's pause closes at once."""
    server = HostileServer()
    server.play("/silent", [Pause(3600)])
    with connect(server) as client:
        client.sendall(b"GET /silent HTTP/1.1\r\nHost: x\r\n\r\n")
        while not server.log:
            time.sleep(0.001)
        started = time.monotonic()
        server.close()
        server.close()
        assert time.monotonic() - started < 2
        assert b"" == client.recv(1)


def test_every_fault_is_played(server: HostileServer):
    """Each fault of the table answers with what its script begins with."""
    urls = faults.play_all(server)
    assert {*faults.FAULTS, "refused"} == set(urls)
    for name, fault in faults.FAULTS.items():
        first = fault.scripts[0][0]  # type: ignore[index]
        if not isinstance(first, bytes):
            continue
        with connect(server) as client:
            client.sendall(f"GET /{name} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            wanted = first[:100]
            got = b""
            while len(got) < len(wanted):
                got += client.recv(len(wanted) - len(got))
            assert (name, wanted) == (name, got)


@pytest.mark.parametrize("layers", [1, 3])
def test_bomb_unpacks_to_what_it_says(server: HostileServer, layers: int):
    """Five megabytes of zeros, small on the wire, with the length that its head announces."""
    script = faults.gzip_bomb(5, layers=layers)
    server.play("/bomb", [*script, Close()])
    head, _, body = ask(server, "/bomb").partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert len(body) < 50_000
    for _ in range(layers):
        body = gunzip(body)
    assert bytes(5 * 1024 * 1024) == body


def gunzip(data: bytes) -> bytes:
    """All members of a gzip file."""
    whole = b""
    while data:
        member = zlib.decompressobj(wbits=31)
        whole += member.decompress(data)
        data = member.unused_data
    return whole

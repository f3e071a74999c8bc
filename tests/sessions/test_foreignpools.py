"""Pools of urllib3 that cannot be read, for they connect in a way of their own: what they answer is taken as it is."""

from __future__ import annotations

import io
import socket
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import requests
import urllib3
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from crawlkit import RetryPolicy, Session
from crawlkit import requests as ours
from crawlkit.exceptions import AddressForbidden, ConnectionError, ConnectTimeout, ReadTimeout, RetryError
from crawlkit.sessions import foreignpools
from crawlkit.testing.hostile import Close, HostileServer, Pause, answer
from tests.sessions.exchanges import prepared
from tests.sessions.scripted import Peer, Scripted, always, ok


class UnixConnection(HTTPConnection):
    """Over a socket in the file system, as those of Docker's adapter."""

    def __init__(self, path: str, **kwargs: Any) -> None:
        super().__init__("localhost", **kwargs)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class UnixPool(HTTPConnectionPool):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", maxsize=2)
        self.path = path

    def _new_conn(self) -> Any:
        return UnixConnection(self.path)


def unix_adapter(base: Any) -> Any:
    """Written once, for requests and for crawlkit: `http+unix://%2Fpath%2Fof.sock/target`."""

    class UnixAdapter(base):  # type: ignore[misc]
        def get_connection_with_tls_context(
            self, request: Any, verify: Any, proxies: Any = None, cert: Any = None
        ) -> Any:
            self.pools = getattr(self, "pools", {})
            path = unquote(urlsplit(request.url).netloc)
            return self.pools.setdefault(path, UnixPool(path))

        def request_url(self, request: Any, proxies: Any) -> str:
            return str(request.path_url)

        def close(self) -> None:
            for pool in getattr(self, "pools", {}).values():
                pool.close()
            super().close()

    return UnixAdapter()


class UnixServer(Scripted):
    def __init__(self, path: Path) -> None:
        super().__init__(self.converse)
        self._listener.close()
        self._listener = socket.socket(socket.AF_UNIX)  # type: ignore[assignment]
        self._listener.bind(str(path))
        self._listener.listen()
        self.path = path

    @staticmethod
    def converse(peer: Peer) -> None:
        while (got := peer.request()) is not None:
            peer.send(ok(got.body or b"nothing", f"X-Line: {got.line}", "Set-Cookie: unix=1"))

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._socks.add(sock)
            self._start(self._serve, sock, self.opened)
            self.opened += 1


@pytest.mark.parametrize("module", [requests, ours], ids=["requests", "crawlkit"])
def test_an_adapter_for_unix_sockets(module: Any, tmp_path: Path) -> None:
    with UnixServer(tmp_path / "s") as server, module.Session() as session:
        session.mount("http+unix://", unix_adapter(module.adapters.HTTPAdapter))
        url = f"http+unix://{str(server.path).replace('/', '%2F')}/a?b=c"
        got = session.get(url)
        assert (200, b"nothing", "GET /a?b=c HTTP/1.1") == (got.status_code, got.content, got.headers["X-Line"])
        assert b"form=1" == session.post(url, data={"form": "1"}).content
        assert b"part" * 3 == session.put(url, data=iter([b"part"] * 3)).content
        assert b"noth" == next(session.get(url, stream=True).iter_content(4))
        assert "unix" in got.cookies


class OwnPool(HTTPConnectionPool):
    """Of a kind of its own, although it does nothing of its own."""


class OwnPools(ours.adapters.HTTPAdapter):
    def get_connection_with_tls_context(self, request: Any, verify: Any, proxies: Any = None, cert: Any = None) -> Any:
        parts = urlsplit(request.url)
        self.pools = getattr(self, "pools", [])
        self.pools.append(OwnPool(parts.hostname, parts.port))
        return self.pools[-1]

    def close(self) -> None:
        for pool in getattr(self, "pools", []):
            pool.close()


def test_errors_are_ours() -> None:
    with HostileServer() as server, Session() as session:
        session.mount("http://", OwnPools())
        with pytest.raises(ConnectionError, match="GET http://127") as caught:
            session.get(server.refused_url())
        assert caught.value.unsent
        with pytest.raises(ConnectionError, match="GET http://127") as caught:
            session.get(server.play("/", [Close()]))
        assert not caught.value.unsent
        with pytest.raises(ReadTimeout):
            session.get(server.play("/", [Pause(5)]), timeout=0.1)
        with pytest.raises(ConnectTimeout):
            raise foreignpools.in_our_words(
                urllib3.exceptions.ConnectTimeoutError(None, "slow"), prepared("http://host/")
            )


def test_the_usual_timeout_holds() -> None:
    seen = []

    class Noting(OwnPool):
        def urlopen(self, *args: Any, **kwargs: Any) -> Any:
            seen.append((kwargs["timeout"].connect_timeout, kwargs["timeout"]._read))
            return super().urlopen(*args, **kwargs)

    class Noted(ours.adapters.HTTPAdapter):
        def get_connection_with_tls_context(
            self, request: Any, verify: Any, proxies: Any = None, cert: Any = None
        ) -> Any:
            return Noting(urlsplit(request.url).hostname, urlsplit(request.url).port)

    with Scripted(always(ok())) as server, Session() as session:
        session.mount("http://", Noted())
        session.get(server.url)
        session.get(server.url, timeout=None)
        session.get(server.url, timeout=(1, 2))
    assert [(10.0, 30.0), (None, None), (1.0, 2.0)] == seen


def test_retries_are_counted_there_too() -> None:
    with HostileServer() as server, Session() as session:
        adapter = OwnPools(max_retries=urllib3.Retry(2, status_forcelist=[500]))
        session.mount("http://", adapter)
        down = [answer(500, headers=[("Connection", "close")]), Close()]
        assert b"here" == session.get(server.play("/", [Close()], down, [answer(body=b"here")])).content
        with pytest.raises(RetryError):
            session.get(server.play("/", down))
        adapter.max_retries = RetryPolicy(1, backoff_seconds=0.0)
        assert b"here" == session.get(server.play("/", down, [answer(body=b"here")])).content


def test_what_such_a_pool_cannot_do_is_said() -> None:
    with Scripted(always(ok())) as server:
        adapter = OwnPools()
        with pytest.raises(ValueError, match=r"OwnPool.*deadline= and max_body="):
            adapter.send(prepared(server.url), deadline=time.monotonic() + 5, max_body=10)
        adapter.tee = lambda request: None
        with pytest.raises(ValueError, match="an archive"):
            adapter.send(prepared(server.url))
        with Session(allow_private=False) as session:
            session.mount("http://", OwnPools())
            with pytest.raises(AddressForbidden, match=r"GET http.*OwnPool"):
                session.get(server.url)
        assert 0 == server.opened


def test_a_method_that_was_replaced_is_called() -> None:
    pool = HTTPConnectionPool("127.0.0.1", 9)
    answered = urllib3.HTTPResponse(io.BytesIO(b"double"), {}, status=200, preload_content=False)
    pool.urlopen = lambda *args, **kwargs: answered  # type: ignore[method-assign]

    class Given(ours.adapters.HTTPAdapter):
        def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
            return pool

    session = Session()
    session.mount("http://", Given())
    assert b"double" == session.get("http://host.example/").content


@pytest.mark.parametrize("change", ["class", "instance", "scheme"])
def test_what_makes_a_pool_unreadable(change: str) -> None:
    """A connection class of one's own, be it set on a pool or on the manager's table, is never left out of account."""
    made = []

    class Noted(HTTPConnection):
        def connect(self) -> None:
            made.append(self.host)
            super().connect()

    class Pool(HTTPConnectionPool):
        ConnectionCls = Noted

    with Scripted(always(ok())) as server, Session() as session:
        adapter = ours.adapters.HTTPAdapter()
        session.mount("http://", adapter)
        if change == "scheme":
            adapter.poolmanager.pool_classes_by_scheme = {"http": Pool}
        else:
            pool = Pool("127.0.0.1", server.port) if change == "class" else HTTPConnectionPool("127.0.0.1", server.port)
            pool.ConnectionCls = Noted

            class Given(ours.adapters.HTTPAdapter):
                def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
                    return pool

            session.mount("http://", Given())
        assert b"ok" == session.get(server.url).content
        session.close()
        if change != "scheme":
            pool.close()
    assert ["127.0.0.1"] == made


def test_forwarding_of_https_is_left_to_urllib3() -> None:
    """Nobody but the program may say that a proxy reads what is meant for another."""
    manager = urllib3.ProxyManager("https://proxy.example", use_forwarding_for_https=True)
    request = prepared("https://origin.example/")
    assert foreignpools.read(manager.connection_from_url(str(request.url)), request) is None

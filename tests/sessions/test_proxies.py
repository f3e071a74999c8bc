"""Through proxies: HTTP (forwarding and tunnels), HTTPS, SOCKS. Whose credentials go where is judged by the servers."""

from __future__ import annotations

import socket
import ssl
import struct
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
import trustme

from crawlkit import sessions
from crawlkit.exceptions import (
    AddressForbidden,
    BadResponse,
    ConnectTimeout,
    DeadlineExceeded,
    InvalidProxyURL,
    InvalidSchema,
    ProxyError,
)
from crawlkit.sessions import routes
from crawlkit.sessions.adapter import HTTPAdapter
from tests.sessions.exchanges import adapter, fetch, prepared
from tests.sessions.scripted import Peer, Scripted, always, ok, pipe, tunnels


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def bundle(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def context(authority: trustme.CA) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost", "origin.example").configure_cert(made)
    return made


@pytest.fixture
def origin(authority: trustme.CA) -> Iterator[Scripted]:
    with Scripted(always(ok(b"origin")), tls=context(authority)) as server:
        yield server


# --- forwarding -------------------------------------------------------------------------------------------------------


def test_an_http_proxy_gets_the_whole_url_and_its_own_credentials() -> None:
    """Userinfo and fragment are not part of it (RFC 9112 section 3.2.2)."""
    with Scripted(always(ok(b"from the proxy"))) as proxy, adapter() as sender:
        proxies = {"http": f"http://us%65r:p%40ss@{proxy.netloc}"}
        for _ in range(2):
            request = prepared("http://me:secret@origin.example/page?q=1#part", auth=("me", "secret"))
            assert b"from the proxy" == sender.send(request, timeout=10, proxies=proxies).content
        got = proxy.requests[0]
        assert "GET http://origin.example/page?q=1 HTTP/1.1" == got.line
        assert "origin.example" == got.headers["host"]
        assert routes.basic_auth("user", "p@ss") == got.headers["proxy-authorization"]
        assert 1 == proxy.opened
        assert (0, 1) == sender.pool.counts("origin.example:80")[:2]


@pytest.mark.parametrize("key", ["http://origin.example", "http", "all://origin.example", "all"])
def test_keys_of_proxies(key: str) -> None:
    with Scripted(always(ok(b"proxied"))) as proxy:
        proxies = {key: proxy.netloc, "https": "http://unused.example"}
        assert b"proxied" == fetch("http://origin.example/", proxies=proxies).content


def test_a_proxy_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(
        ProxyError, match=f"no connection through http://127.0.0.1:{port}: Connection refused"
    ) as caught:
        fetch("http://origin.example/", proxies={"http": f"http://user:secret@127.0.0.1:{port}"})
    assert "secret" not in str(caught.value)
    assert caught.value.status is None


@pytest.mark.parametrize(
    "proxy",
    ["http://", "http:///path", "http:/host", "socks5h:/host", "http://host:port", "http://host:99999", "http://[::1"],
)
def test_proxies_that_cannot_be(proxy: str) -> None:
    with pytest.raises(InvalidProxyURL, match="proxy"):
        fetch("http://origin.example/", proxies={"http": proxy})


def test_a_scheme_that_is_no_proxy() -> None:
    """An InvalidURL, as requests raises."""
    with pytest.raises(InvalidProxyURL, match="gopher"):
        fetch("http://origin.example/", proxies={"http": "gopher://host"})


# --- tunnels ----------------------------------------------------------------------------------------------------------


def test_https_goes_through_a_tunnel(origin: Scripted, bundle: str) -> None:
    """The proxy sees host and port and its credentials; the origin sees the request and none of those."""
    with Scripted(tunnels(origin)) as proxy, adapter() as sender:
        proxies = {"https": f"http://user:pass@{proxy.netloc}"}
        for _ in range(2):
            request = prepared("https://origin.example/page", headers={"X-Mine": "1"})
            response = sender.send(request, timeout=10, proxies=proxies, verify=bundle)
            assert b"origin" == response.content
        assert ["CONNECT origin.example:443 HTTP/1.1"] == [got.line for got in proxy.requests]
        assert "origin.example:443" == proxy.requests[0].headers["host"]
        assert routes.basic_auth("user", "pass") == proxy.requests[0].headers["proxy-authorization"]
        assert "x-mine" not in proxy.requests[0].headers
        assert ["GET /page HTTP/1.1"] * 2 == [got.line for got in origin.requests]
        assert all("proxy-authorization" not in got.headers for got in origin.requests)


def test_proxy_credentials_on_a_request_never_reach_an_https_origin(origin: Scripted, bundle: str) -> None:
    """CVE-2023-32681 and CVE-2024-37891: they go to the proxy, or nowhere."""
    with Scripted(tunnels(origin)) as proxy, adapter() as sender:
        request = prepared(origin.url, headers={"Proxy-Authorization": "Basic secret"})
        _ = sender.send(request, timeout=10, verify=bundle).content
        _ = sender.send(request, timeout=10, verify=bundle, proxies={"https": proxy.netloc}).content
        assert "Basic secret" == proxy.requests[0].headers["proxy-authorization"]
        assert 2 == len(origin.requests)
        assert all("proxy-authorization" not in got.headers for got in origin.requests)


def test_tunnels_of_other_credentials_are_other_connections(origin: Scripted, bundle: str) -> None:
    with Scripted(tunnels(origin)) as proxy, adapter() as sender:
        for user in ("a", "b", "a"):
            proxies = {"https": f"http://{user}:x@{proxy.netloc}"}
            _ = sender.send(prepared("https://origin.example/"), timeout=10, proxies=proxies, verify=bundle).content
        assert 2 == proxy.opened


@pytest.mark.parametrize(
    "status", ["407 Proxy Authentication Required", "403 Forbidden", "502 Bad Gateway", "302 Found"]
)
def test_a_refused_tunnel_is_a_proxy_error_with_its_status(status: str) -> None:
    """Its body is not the origin's answer and is not shown as such (CVE-2009-2062's lesson)."""
    answer = f"HTTP/1.1 {status}\r\nContent-Length: 4\r\nLocation: http://evil.example/\r\n\r\nevil".encode()
    with Scripted(always(answer)) as proxy, adapter() as sender:
        with pytest.raises(ProxyError, match=status) as caught:
            sender.send(
                prepared("https://origin.example/"), timeout=10, proxies={"https": f"http://u:secret@{proxy.netloc}"}
            )
        assert int(status[:3]) == caught.value.status
        assert "secret" not in str(caught.value)
        assert ("user and password" in str(caught.value)) is status.startswith("407")
        assert (0, 0) == sender.pool.counts()[:2]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"junk\r\n\r\n", BadResponse),
        (b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\nforged", BadResponse),
        (b"", ProxyError),
    ],
)
def test_a_proxy_that_speaks_nonsense(answer: bytes, expected: type[Exception]) -> None:
    """Bytes before the tunnel is in use would be taken for the origin's."""

    def script(peer: Peer) -> None:
        peer.head()
        peer.send(answer)

    with Scripted(script) as proxy, pytest.raises(expected):
        fetch("https://origin.example/", proxies={"https": proxy.netloc})


def test_a_silent_proxy_ends_on_time() -> None:
    def silent(peer: Peer) -> None:
        while peer.more():
            pass

    with Scripted(silent) as proxy:
        begun = time.monotonic()
        with pytest.raises(ConnectTimeout):
            fetch("https://origin.example/", proxies={"https": proxy.netloc}, timeout=(0.1, 10))
        with pytest.raises(DeadlineExceeded):
            fetch("https://origin.example/", proxies={"https": proxy.netloc}, timeout=10, deadline=begun + 0.3)
        assert time.monotonic() - begun < 3


def test_the_certificate_behind_a_tunnel_is_checked(origin: Scripted, bundle: str) -> None:
    with Scripted(tunnels(origin)) as proxy, pytest.raises(Exception, match="not trusted"):
        fetch("https://another.example/", proxies={"https": proxy.netloc}, verify=bundle)


def test_a_proxy_over_tls(authority: trustme.CA, origin: Scripted, bundle: str) -> None:
    """For http forwarding inside TLS; for https TLS in TLS."""
    with Scripted(always(ok(b"forwarded")), tls=context(authority)) as proxy:
        response = fetch("http://origin.example/page", proxies={"http": f"https://{proxy.netloc}"}, verify=bundle)
        assert b"forwarded" == response.content
        assert "GET http://origin.example/page HTTP/1.1" == proxy.requests[0].line
    with Scripted(tunnels(origin), tls=context(authority)) as proxy:
        response = fetch("https://origin.example/page", proxies={"https": f"https://{proxy.netloc}"}, verify=bundle)
        assert b"origin" == response.content


def test_the_proxys_own_certificate_is_checked(authority: trustme.CA) -> None:
    """CVE-2025-50181's kin: a proxy that is asked for over TLS is verified as any server."""
    with Scripted(always(ok()), tls=context(authority)) as proxy:
        for url in ("http://origin.example/", "https://origin.example/"):
            with pytest.raises(Exception, match="not trusted"):
                fetch(url, proxies={"all": f"https://{proxy.netloc}"})
        assert [] == proxy.requests


def test_proxy_headers_can_be_overridden(origin: Scripted, bundle: str) -> None:
    class Own(HTTPAdapter):
        def proxy_headers(self, proxy: str) -> dict[str, str]:
            return {"X-Token": "t"}

    sender = Own()
    with Scripted(tunnels(origin)) as proxy, Scripted(always(ok())) as plain:
        _ = sender.send(
            prepared("https://origin.example/"), timeout=10, proxies={"all": proxy.netloc}, verify=bundle
        ).content
        _ = sender.send(prepared("http://origin.example/"), timeout=10, proxies={"all": plain.netloc}).content
        assert "t" == proxy.requests[0].headers["x-token"] == plain.requests[0].headers["x-token"]
        assert "x-token" not in origin.requests[0].headers
        sender.close()


def test_private_addresses_behind_a_proxy_as_far_as_they_can_be_seen() -> None:
    """The proxy itself may be private: the user named it."""
    with Scripted(always(ok(b"proxied"))) as proxy:
        settings = {"allow_private": False}
        assert b"proxied" == fetch("http://origin.example/", settings=settings, proxies={"http": proxy.netloc}).content
        with pytest.raises(AddressForbidden):
            fetch("http://169.254.169.254/latest", settings=settings, proxies={"http": proxy.netloc})
        assert 1 == len(proxy.requests)


# --- SOCKS ------------------------------------------------------------------------------------------------------------


def socks5(to: Scripted, asked: list[tuple[Any, ...]]) -> Any:
    """A SOCKS 5 proxy (RFC 1928, with RFC 1929 when the client offers it) that connects all to one server."""

    def script(peer: Peer) -> None:
        _, count = peer.read(2)
        methods = peer.read(count)
        credentials = None
        if 2 in methods:
            peer.send(b"\x05\x02")
            peer.read(1)
            credentials = tuple(peer.read(peer.read(1)[0]) for _ in range(2))
            peer.send(b"\x01\x00")
        else:
            peer.send(b"\x05\x00")
        kind = peer.read(4)[3]
        host = socket.inet_ntoa(peer.read(4)) if kind == 1 else peer.read(peer.read(1)[0]).decode()
        (port,) = struct.unpack("!H", peer.read(2))
        asked.append((host, port, credentials))
        other = socket.create_connection((to.host, to.port))
        peer.send(b"\x05\x00\x00\x01" + bytes(6))
        pipe(peer.sock, other)

    return script


def test_socks5_asks_for_an_address_and_socks5h_for_a_name(
    authority: trustme.CA, origin: Scripted, bundle: str
) -> None:
    from tests.sessions.test_adapter import resolver

    asked: list[tuple[Any, ...]] = []
    settings = {"resolver": resolver(origin=["192.0.2.7"])}
    with Scripted(always(ok(b"plain"))) as plain, Scripted(socks5(plain, asked)) as proxy:
        for scheme in ("socks5", "socks5h"):
            proxies = {"http": f"{scheme}://{proxy.netloc}"}
            assert b"plain" == fetch("http://origin.example:81/", settings=settings, proxies=proxies).content
        assert ["GET / HTTP/1.1"] * 2 == [got.line for got in plain.requests]
    assert [("192.0.2.7", 81, None), ("origin.example", 81, None)] == asked
    asked.clear()
    with Scripted(socks5(origin, asked)) as proxy:
        proxies = {"https": f"socks5h://user:p%40ss@{proxy.netloc}"}
        assert b"origin" == fetch("https://origin.example/", proxies=proxies, verify=bundle).content
    assert [("origin.example", 443, (b"user", b"p@ss"))] == asked


def test_socks_looks_at_the_address_when_it_is_we_who_resolve() -> None:
    from tests.sessions.test_adapter import resolver

    asked: list[tuple[Any, ...]] = []
    settings = {"resolver": resolver(origin=["10.0.0.1"]), "allow_private": False}
    with Scripted(always(ok())) as plain, Scripted(socks5(plain, asked)) as proxy, pytest.raises(AddressForbidden):
        fetch("http://origin.example/", settings=settings, proxies={"http": f"socks5://{proxy.netloc}"})
    assert [] == asked


def test_a_socks_proxy_that_is_not_there_or_refuses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ProxyError, match=f"socks5h://127.0.0.1:{port}"):
        fetch("http://origin.example/", proxies={"http": f"socks5h://u:secret@127.0.0.1:{port}"})
    with Scripted(lambda peer: peer.send(b"\x05\xff")) as proxy, pytest.raises(ProxyError):
        fetch("http://origin.example/", proxies={"http": f"socks5h://{proxy.netloc}"})


def test_a_silent_socks_proxy_ends_on_time() -> None:
    def silent(peer: Peer) -> None:
        while peer.more():
            pass

    with Scripted(silent) as proxy:
        begun = time.monotonic()
        with pytest.raises(ConnectTimeout):
            fetch("http://origin.example/", proxies={"http": f"socks5h://{proxy.netloc}"}, timeout=(0.2, 10))
        assert time.monotonic() - begun < 2


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "crawlkit.sessions.socksproxy", None)
    monkeypatch.delattr(sessions, "socksproxy", raising=False)
    with adapter(per_host=1) as sender:
        for _ in range(2):
            with pytest.raises(InvalidSchema, match=r"pip install 'crawlkit\[socks\]'"):
                sender.send(prepared("http://origin.example/"), timeout=1, proxies={"http": "socks5://127.0.0.1:9"})
        assert (0, 0) == sender.pool.counts()[:2]

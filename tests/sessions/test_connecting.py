"""Adapters written for requests say how connections are made, and it is done: settings given to a PoolManager, what
`cert_verify` sets, the pool that `get_connection_with_tls_context` returns, the manager of a proxy.
"""

from __future__ import annotations

import hashlib
import pickle
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme
import urllib3
from urllib3.poolmanager import PoolManager

from crawlkit import Session
from crawlkit.exceptions import AddressForbidden, InvalidURL, SSLError
from crawlkit.sessions import foreignpools, tls
from crawlkit.sessions.adapter import HTTPAdapter
from tests.sessions.exchanges import prepared
from tests.sessions.scripted import Peer, Scripted, always, ok, tunnels

Issued = tuple[ssl.SSLContext, str]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def bundle(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def serving(authority: trustme.CA, *names: str) -> Issued:
    """A server's context for these names, and its certificate's fingerprint."""
    leaf = authority.issue_cert(*(names or ("127.0.0.1", "localhost")))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    der = ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())
    return context, hashlib.sha256(der).hexdigest()


@pytest.fixture
def server(authority: trustme.CA) -> Iterator[Scripted]:
    with Scripted(always(ok()), tls=serving(authority)[0]) as made:
        yield made


class Managed(HTTPAdapter):
    """requests' documented recipe: a PoolManager of one's own, without a word to super()."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings
        super().__init__()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
        self.poolmanager = PoolManager(num_pools=connections, maxsize=maxsize, block=block, **self.settings)


class Passing(Managed):
    """The other way of writing it."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        HTTPAdapter.init_poolmanager(self, *args, **kwargs, **self.settings)


WAYS = pytest.mark.parametrize("way", [Managed, Passing])


def fetch(adapter: HTTPAdapter, url: str, **kwargs: Any) -> Any:
    """One exchange, read; the adapter is closed."""
    headers = kwargs.pop("headers", None)
    try:
        response = adapter.send(prepared(url, headers=headers), timeout=10, **kwargs)
        _ = response.content
        return response
    finally:
        adapter.close()


# --- settings of a PoolManager ----------------------------------------------------------------------------------------


@WAYS
def test_authorities_of_a_pool_manager(way: type[Managed], server: Scripted, bundle: str, tmp_path: Path) -> None:
    assert 200 == fetch(way(ca_certs=bundle), server.url).status_code
    data = Path(bundle).read_text()
    assert 200 == fetch(way(ca_cert_data=data), server.url).status_code
    with pytest.raises(SSLError, match="not trusted"):
        fetch(way(), server.url)


@WAYS
def test_tls_versions(way: type[Managed], server: Scripted, bundle: str) -> None:
    seen = []

    def script(peer: Peer) -> None:
        seen.append(peer.sock.version())
        always(ok())(peer)

    server._script = script
    fetch(way(ssl_maximum_version=ssl.TLSVersion.TLSv1_2), server.url, verify=bundle)
    fetch(way(ssl_minimum_version=ssl.TLSVersion.TLSv1_3), server.url, verify=bundle)
    assert ["TLSv1.2", "TLSv1.3"] == seen


@WAYS
@pytest.mark.filterwarnings("ignore:'ssl_version' option:FutureWarning", "ignore::DeprecationWarning")
def test_ssl_version_as_in_the_oldest_recipe(way: type[Managed], server: Scripted, bundle: str) -> None:
    assert 200 == fetch(way(ssl_version=ssl.PROTOCOL_TLSv1_2), server.url, verify=bundle).status_code
    server._tls.minimum_version = ssl.TLSVersion.TLSv1_3  # type: ignore[union-attr]
    with pytest.raises(SSLError):
        fetch(way(ssl_version="TLSv1_2"), server.url, verify=bundle)


@WAYS
def test_names_that_are_asserted(way: type[Managed], authority: trustme.CA, bundle: str) -> None:
    context, fingerprint = serving(authority, "other.example")
    with Scripted(always(ok()), tls=context) as server:
        assert 200 == fetch(way(assert_hostname="other.example"), server.url, verify=bundle).status_code
        assert 200 == fetch(way(assert_hostname=False), server.url, verify=bundle).status_code
        assert 200 == fetch(way(server_hostname="other.example"), server.url, verify=bundle).status_code
        assert 200 == fetch(way(assert_fingerprint=fingerprint), server.url, verify=bundle).status_code
        # Instead of asking an authority: nobody is warned of that.
        assert 200 == fetch(way(assert_fingerprint=fingerprint), server.url, verify=False).status_code
        for settings in ({"assert_hostname": "third.example"}, {"assert_fingerprint": "00" * 32}, {}):
            with pytest.raises(SSLError):
                fetch(way(**settings), server.url, verify=bundle)


@WAYS
def test_sockets(way: type[Managed]) -> None:
    seen = []

    def script(peer: Peer) -> None:
        seen.append(peer.sock.getpeername()[0])
        peer.request()
        peer.send(ok(b"x" * 500_000))

    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    with Scripted(script) as server:
        adapter = way(source_address=("127.0.0.9", 0), socket_options=options, assert_hostname="for TLS alone")
        response = adapter.send(prepared(server.url), timeout=10)
        assert 0 != response.raw.connection.sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        response.close()
        adapter.close()
    assert ["127.0.0.9"] == seen


@WAYS
def test_a_client_certificate_of_a_pool_manager(
    way: type[Managed], authority: trustme.CA, bundle: str, tmp_path: Path
) -> None:
    context, _ = serving(authority)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    client = authority.issue_cert("client.example")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    client.cert_chain_pems[0].write_to_path(str(cert))
    client.private_key_pem.write_to_path(str(key))
    files = {"cert_file": str(cert), "key_file": str(key)}
    own = ssl.create_default_context(cafile=bundle)
    with Scripted(always(ok()), tls=context) as server:
        assert 200 == fetch(way(**files), server.url, verify=bundle).status_code
        assert 200 == fetch(way(**files, ssl_context=own), server.url).status_code
        pair = (str(cert), str(key))
        bare = ssl.create_default_context(cafile=bundle)
        assert 200 == fetch(way(ssl_context=bare), server.url, cert=pair).status_code
        loose = ssl.create_default_context()
        loose.check_hostname, loose.verify_mode = False, ssl.CERT_NONE
        loose.load_cert_chain(*pair)
        with pytest.warns(urllib3.exceptions.InsecureRequestWarning):
            assert 200 == fetch(way(ssl_context=loose), server.url, verify=False).status_code
        with pytest.raises(FileNotFoundError, match="cert="):
            fetch(way(cert_file="/nowhere/cert.pem"), server.url, verify=bundle)
        with pytest.raises(OSError):
            fetch(way(), server.url, verify=bundle)


@WAYS
def test_a_context_that_does_not_verify_is_made_to(way: type[Managed], server: Scripted, bundle: str) -> None:
    """As in requests: `verify` says whether. The other way around it is not touched, for others may be using it."""
    loose = ssl.create_default_context()
    loose.check_hostname = False
    loose.verify_mode = ssl.CERT_NONE
    with pytest.raises(SSLError, match="not trusted"):
        fetch(way(ssl_context=loose), server.url)
    strict = ssl.create_default_context(cafile=bundle)
    with pytest.warns(urllib3.exceptions.InsecureRequestWarning):
        assert 200 == fetch(way(ssl_context=strict), server.url, verify=False).status_code
    assert (ssl.CERT_REQUIRED, True) == (strict.verify_mode, strict.check_hostname)


@WAYS
@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
@pytest.mark.parametrize("loose", [False, True])
def test_a_context_holds_without_verifying_too(way: type[Managed], server: Scripted, loose: bool) -> None:
    """Ciphers and versions for a server of long ago, with verify=False: the recipe that everybody finds."""
    own = ssl.create_default_context()
    own.maximum_version = ssl.TLSVersion.TLSv1_2
    own.set_ciphers("ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-CHACHA20-POLY1305")
    if loose:
        own.check_hostname, own.verify_mode = False, ssl.CERT_NONE
    seen = []

    def script(peer: Peer) -> None:
        seen.append((peer.sock.version(), peer.sock.cipher()[0].partition("SA-")[2]))
        always(ok())(peer)

    server._script = script
    fetch(way(ssl_context=own), server.url, verify=False)
    assert [("TLSv1.2", "CHACHA20-POLY1305")] == seen


@WAYS
def test_authorities_beside_a_context(way: type[Managed], server: Scripted, bundle: str) -> None:
    assert 200 == fetch(way(ssl_context=ssl.create_default_context()), server.url, verify=bundle).status_code
    assert 200 == fetch(way(ssl_context=ssl.create_default_context(), ca_certs=bundle), server.url).status_code


def test_named_authorities_are_all_there_are(bundle: str) -> None:
    """Not beside the system's: who names one means that one."""
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    assert own is tls.context_for(tls.TLSSettings(bundle, context=own))
    assert 0 == own.cert_store_stats()["x509_ca"]  # urllib3 adds it when it connects
    assert own is tls.context_for(tls.TLSSettings(context=own))
    assert 0 < own.cert_store_stats()["x509_ca"]
    request = prepared("https://host.example/")
    pool = Managed(ca_certs=bundle, ca_cert_dir="/").get_connection_with_tls_context(request, True)
    found = foreignpools.read(pool, request)
    assert found is not None
    assert tls.TLSSettings(bundle, more=(("ca_cert_dir", "/"),)) == found[1].tls
    assert 1 == tls.context_for(tls.TLSSettings(bundle, more=(("ca_cert_dir", "/"),))).cert_store_stats()["x509_ca"]


def test_a_context_of_another_library_is_named(server: Scripted) -> None:
    with pytest.raises(TypeError, match=r"ssl\.SSLContext"):
        fetch(Managed(ssl_context=object()), server.url)


def test_settings_that_change_later(authority: trustme.CA, bundle: str) -> None:
    """requests-toolbelt's HostHeaderSSLAdapter sets one before each request."""

    class ByHost(HTTPAdapter):
        def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            settings = self.poolmanager.connection_pool_kw
            settings.pop("assert_hostname", None)
            if "Host" in request.headers:
                settings["assert_hostname"] = request.headers["Host"]
            return super().send(request, *args, **kwargs)

    with Scripted(always(ok()), tls=serving(authority, "other.example")[0]) as server, Session() as session:
        session.mount("https://", ByHost())
        assert 200 == session.get(server.url, headers={"Host": "other.example"}, verify=bundle).status_code
        with pytest.raises(SSLError, match="doesn't match"):
            session.get(server.url, verify=bundle)
        plain = Session()
        plain.get_adapter("https://").poolmanager.connection_pool_kw["assert_hostname"] = False
        assert 200 == plain.get(server.url, verify=bundle).status_code
        plain.close()


def test_the_size_of_a_pool_manager() -> None:
    class Small(HTTPAdapter):
        def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
            self.poolmanager = PoolManager(num_pools=connections, maxsize=2, block=True)

    assert (2, None) == (Small().pool.per_host, HTTPAdapter(pool_maxsize=2).pool.per_host)
    assert not Small()._is_special()


def test_a_pool_manager_with_a_mind_of_its_own() -> None:
    """Without a setting that would show it."""

    class Leading(PoolManager):
        def connection_from_host(self, *args: Any, **kwargs: Any) -> Any:
            return super().connection_from_host("127.0.0.1", server.port, "http")

    class Led(HTTPAdapter):
        def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
            self.poolmanager = Leading(connections, maxsize=maxsize, block=block)

    with Scripted(always(ok())) as server:
        assert 200 == fetch(Led(), "http://origin.example/").status_code
        plain = HTTPAdapter()
        plain.poolmanager = Leading(10, maxsize=10, block=False)
        assert 200 == fetch(plain, "http://origin.example/").status_code


def test_attributes_read_as_in_requests() -> None:
    theirs, mine = requests.adapters.HTTPAdapter(pool_maxsize=3), HTTPAdapter(pool_maxsize=3)
    assert theirs.poolmanager.connection_pool_kw == mine.poolmanager.connection_pool_kw
    assert {} == theirs.proxy_manager == mine.proxy_manager
    again = pickle.loads(pickle.dumps(Managed(ca_certs="ca.pem").__class__))  # noqa: S301
    assert again is Managed
    for verify in (True, False, "/nowhere/ca.pem", "/"):
        for cert in (None, "cert.pem", ("cert.pem", "key.pem")):
            request = prepared("https://host.example:8443/a")
            expected = theirs.build_connection_pool_key_attributes(request, verify, cert)
            assert expected == mine.build_connection_pool_key_attributes(request, verify, cert)
            pools = [
                adapter.get_connection_with_tls_context(request, verify, cert=cert)  # type: ignore[attr-defined]
                for adapter in (theirs, mine)
            ]
            assert 1 == len({(type(pool), pool.host, pool.port, pool.cert_reqs, pool.ca_certs) for pool in pools})


# --- cert_verify ------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_cert_verify_may_relax(server: Scripted) -> None:
    class Relaxed(HTTPAdapter):
        def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
            super().cert_verify(conn, url, verify, cert)
            if "/relaxed" in url:
                conn.cert_reqs = "CERT_NONE"

    with Session() as session:
        session.mount("https://", Relaxed())
        assert 200 == session.get(f"{server.url}/relaxed").status_code
        # And for that request alone: neither what was set nor the connection is used for the next.
        with pytest.raises(SSLError):
            session.get(f"{server.url}/other")


def test_cert_verify_may_ask_for_less_of_a_name_or_for_other_authorities(authority: trustme.CA, bundle: str) -> None:
    changes: dict[str, Any] = {"ca_certs": bundle}

    class Own(HTTPAdapter):
        def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
            super().cert_verify(conn, url, verify, cert)
            for name, value in changes.items():
                setattr(conn, name, value)

    context, fingerprint = serving(authority, "other.example")
    with Scripted(always(ok()), tls=context) as server, Session() as session:
        session.mount("https://", Own())
        with pytest.raises(SSLError):
            session.get(server.url)
        for more in ({"assert_hostname": False}, {"assert_hostname": "other.example"}):
            changes = {"ca_certs": bundle, **more}
            assert 200 == session.get(server.url).status_code
        changes = {"ca_certs": bundle, "assert_fingerprint": fingerprint}
        assert 200 == session.get(server.url).status_code


def test_what_cert_verify_sets_is_for_one_request(authority: trustme.CA, bundle: str) -> None:
    class Once(HTTPAdapter):
        def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
            super().cert_verify(conn, url, verify, cert)
            if "/relaxed" in url:
                conn.assert_hostname = False

    with Scripted(always(ok()), tls=serving(authority, "other.example")[0]) as server, Session() as session:
        session.mount("https://", Once())
        assert 200 == session.get(f"{server.url}/relaxed", verify=bundle).status_code
        with pytest.raises(SSLError):
            session.get(f"{server.url}/other", verify=bundle)


def test_cert_verify_may_do_nothing(server: Scripted, bundle: str) -> None:
    """`def cert_verify(...): pass` leaves what the request said."""

    class Nothing(HTTPAdapter):
        def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
            conn.cert_file = None

        def get_connection_with_tls_context(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            if "/own" not in request.url:
                return super().get_connection_with_tls_context(request, *args, **kwargs)
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            return self.poolmanager.connection_from_url(request.url, pool_kwargs={"ssl_context": context})

    assert 200 == fetch(Nothing(), server.url, verify=bundle).status_code
    with pytest.raises(SSLError):
        fetch(Nothing(), server.url)
    with pytest.warns(urllib3.exceptions.InsecureRequestWarning):
        assert 200 == fetch(Nothing(), f"{server.url}/own").status_code


@pytest.mark.parametrize("verify", [True, False, "/"])
@pytest.mark.parametrize("cert", [None, "pyproject.toml", ("pyproject.toml", "README.md")])
@pytest.mark.parametrize("url", ["https://host.example/", "http://host.example/"])
def test_cert_verify_sets_what_requests_sets(url: str, verify: Any, cert: Any) -> None:
    """But for the file of the authorities: certifi's there, none here, which means the system's."""

    class Conn:
        def __init__(self) -> None:
            self.cert_reqs = self.ca_certs = self.ca_cert_dir = self.cert_file = self.key_file = None

    theirs, mine = Conn(), Conn()
    requests.adapters.HTTPAdapter().cert_verify(theirs, url, verify, cert)
    HTTPAdapter().cert_verify(mine, url, verify, cert)
    if verify is True and url.startswith("https"):
        theirs.ca_certs = None
    assert vars(theirs) == vars(mine)


# --- pools ------------------------------------------------------------------------------------------------------------


def moved(port: int) -> type[HTTPAdapter]:
    """An adapter that goes to another place than the URL says: what people do for want of a resolver."""

    class Moved(HTTPAdapter):
        def get_connection_with_tls_context(
            self, request: Any, verify: Any, proxies: Any = None, cert: Any = None
        ) -> Any:
            host, tls = self.build_connection_pool_key_attributes(request, verify, cert)
            host.update(host="127.0.0.1", port=port)
            tls.update(assert_hostname="origin.example", server_hostname="origin.example")
            return self.poolmanager.connection_from_host(**host, pool_kwargs=tls)

    return Moved


def test_the_pool_says_where_to(authority: trustme.CA, bundle: str) -> None:
    with Scripted(always(ok()), tls=serving(authority, "origin.example")[0]) as server, Session() as session:
        session.mount("https://origin.example", moved(server.port)())
        headers = {"Host": "origin.example"}
        assert 200 == session.get("https://origin.example/a?b#c", verify=bundle, headers=headers).status_code
        assert ("GET /a?b HTTP/1.1", "origin.example") == (server.requests[0].line, server.requests[0].headers["host"])
        assert 200 == session.get("https://origin.example/", verify=bundle).status_code
        # As in requests, whose Host is that of the connection unless somebody sets it.
        assert f"127.0.0.1:{server.port}" == server.requests[1].headers["host"]
        assert 1 == server.opened


def test_where_a_pool_leads_is_looked_at_as_well() -> None:
    with Scripted(always(ok())) as server, Session(allow_private=False) as session:
        session.mount("http://", moved(server.port)())
        with pytest.raises(AddressForbidden):
            session.get("http://origin.example/")
        assert 0 == server.opened


def test_the_attributes_of_the_pools_key(server: Scripted, bundle: str) -> None:
    """The way that requests' documentation names since 2.32."""

    class Keyed(HTTPAdapter):
        def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
            host, tls = super().build_connection_pool_key_attributes(request, verify, cert)
            tls["ssl_context"] = ssl.create_default_context(cafile=bundle)
            return host, tls

    assert 200 == fetch(Keyed(), server.url).status_code


def test_get_connection_of_before_2_32(server: Scripted, bundle: str) -> None:
    """requests itself no longer asks it; who overrides it and nothing else has not noticed."""
    asked = []

    class Old(HTTPAdapter):
        def get_connection(self, url: str, proxies: Any = None) -> Any:
            asked.append(url)
            return self.poolmanager.connection_from_url(url, pool_kwargs={"ca_certs": bundle})

    assert 200 == fetch(Old(), server.url).status_code
    assert [f"{server.url}/"] == asked
    with pytest.warns(DeprecationWarning, match="get_connection_with_tls_context"):
        assert server.port == HTTPAdapter().get_connection(server.url).port


def test_a_url_that_no_pool_can_be_made_for() -> None:
    with pytest.raises(InvalidURL, match=r"GET http://host:99999/"):
        request = prepared("http://host/")
        request.url = "http://host:99999/"
        Managed(source_address=("127.0.0.1", 0)).send(request)


# --- proxies ----------------------------------------------------------------------------------------------------------


class OwnProxies(HTTPAdapter):
    """Settings for connections through proxies, as requests-toolbelt's adapters give them."""

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        kwargs["source_address"] = ("127.0.0.9", 0)
        return super().proxy_manager_for(proxy, **kwargs)


def test_a_proxy_that_forwards() -> None:
    seen = []

    def script(peer: Peer) -> None:
        seen.append(peer.sock.getpeername()[0])
        always(ok())(peer)

    with Scripted(script) as proxy:
        adapter = OwnProxies()
        url = f"user:secret@{proxy.netloc}"
        assert 200 == fetch(adapter, "http://origin.example/a", proxies={"http": url}).status_code
        assert [f"http://{url}"] == list(adapter.proxy_manager)
    got = proxy.requests[0]
    assert ["127.0.0.9"] == seen
    assert ("GET http://origin.example/a HTTP/1.1", "origin.example") == (got.line, got.headers["host"])
    assert got.headers["proxy-authorization"].startswith("Basic ")


def test_a_proxy_as_the_pool_manager() -> None:
    """What people write for want of `proxies=`."""

    class Proxied(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            self.poolmanager = urllib3.ProxyManager(proxy.url)

        def request_url(self, request: Any, proxies: Any) -> str:
            return str(request.url)

    with Scripted(always(ok())) as proxy:
        assert 200 == fetch(Proxied(), "http://origin.example/a").status_code
    assert "GET http://origin.example/a HTTP/1.1" == proxy.requests[0].line


def test_a_proxy_that_tunnels(authority: trustme.CA, bundle: str) -> None:
    seen: list[str] = []
    with Scripted(always(ok()), tls=serving(authority, "origin.example")[0]) as origin:

        def script(peer: Peer) -> None:
            seen.append(peer.sock.getpeername()[0])
            tunnels(origin)(peer)

        with Scripted(script) as proxy:
            kwargs = {"proxies": {"https": f"http://user:secret@{proxy.netloc}"}, "verify": bundle}
            assert 200 == fetch(OwnProxies(), "https://origin.example/a", **kwargs).status_code
            kwargs["proxies"] = {"https": f"http://{proxy.netloc}"}
            kwargs["headers"] = {"Proxy-Authorization": "Token t"}
            assert 200 == fetch(OwnProxies(), "https://origin.example/a", **kwargs).status_code
    assert ["127.0.0.9"] * 2 == seen
    assert "Token t" == proxy.requests[1].headers["proxy-authorization"]
    assert "proxy-authorization" not in origin.requests[1].headers
    assert "CONNECT origin.example:443 HTTP/1.1" == proxy.requests[0].line
    assert "proxy-authorization" in proxy.requests[0].headers
    assert "proxy-authorization" not in origin.requests[0].headers
    assert "GET /a HTTP/1.1" == origin.requests[0].line


@pytest.mark.parametrize(
    ("scheme", "resolves"), [("socks4", False), ("socks4a", True), ("socks5", False), ("socks5h", True)]
)
def test_a_socks_proxy_is_read_off_its_pool(scheme: str, resolves: bool) -> None:
    request = prepared("https://origin.example/a")
    pool = OwnProxies().get_connection_with_tls_context(
        request, True, proxies={"https": f"{scheme}://user:secret@proxy.example"}
    )
    found = foreignpools.read(pool, request)
    assert found is not None
    proxy = found[1].proxy
    assert proxy is not None
    assert (scheme, "proxy.example", 1080, "user", "secret", resolves) == (*proxy[:5], proxy.resolves)
    assert ("https", "origin.example", 443) == (found[1].scheme, found[1].host, found[1].port)


def test_what_a_proxy_manager_says_of_the_proxys_certificate(authority: trustme.CA, bundle: str) -> None:
    class Trusting(HTTPAdapter):
        def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
            context = ssl.create_default_context(cafile=bundle)
            return super().proxy_manager_for(proxy, proxy_ssl_context=context, **kwargs)

    with Scripted(always(ok()), tls=serving(authority)[0]) as proxy:
        proxies = {"http": f"https://{proxy.netloc}"}
        assert 200 == fetch(Trusting(), "http://origin.example/", proxies=proxies).status_code
        with pytest.raises(SSLError):
            fetch(HTTPAdapter(), "http://origin.example/", proxies=proxies)

"""A Session against servers that others wrote: httpbin, over http and over https with all kinds of certificates, and
proxy.py, with and without credentials.
"""

from __future__ import annotations

import base64
import datetime
import os
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from crawlkit import Session
from crawlkit.exceptions import ProxyError, SSLError
from crawlkit.requests.auth import HTTPDigestAuth, HTTPProxyAuth
from tests.faults.real_servers import CertifiedServer, RealProxy, httpbin_with, proxy_py


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith(("_proxy", "_ca_bundle"))]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def bundle(authority: trustme.CA, folder: Path) -> str:
    path = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture(scope="module")
def client_certificate(authority: trustme.CA, folder: Path) -> tuple[str, str]:
    """Paths of a certificate and its key, for a user."""
    issued = authority.issue_cert("reader@example.org")
    certificate, key = folder / "client.pem", folder / "client.key"
    issued.cert_chain_pems[0].write_to_path(str(certificate))
    issued.private_key_pem.write_to_path(str(key))
    return str(certificate), str(key)


def context_for(issued: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    return context


@pytest.fixture(scope="module")
def good(authority: trustme.CA) -> Iterator[CertifiedServer]:
    with httpbin_with(context_for(authority.issue_cert("127.0.0.1", "localhost"))) as server:
        yield server


@pytest.fixture(params=["http", "https"])
def site(request: pytest.FixtureRequest, httpbin: Any, good: CertifiedServer) -> str:
    """httpbin's URL, over http and over https."""
    url: str = httpbin.url if request.param == "http" else good.url
    return url


@pytest.fixture
def session(bundle: str) -> Iterator[Session]:
    with Session() as opened:
        opened.verify = bundle
        yield opened


# --- httpbin ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_what_was_sent(method: str, site: str, session: Session) -> None:
    answer = session.request(
        method,
        f"{site}/anything/path",
        params={"q": ["a", "b"]},
        headers={"X-Own": "1"},
        data={"field": "value"} if method != "GET" else None,
    ).json()
    assert method == answer["method"]
    assert {"q": ["a", "b"]} == answer["args"]
    assert "1" == answer["headers"]["X-Own"]
    assert ({"field": "value"} if method != "GET" else {}) == answer["form"]


def test_json_and_files(site: str, session: Session) -> None:
    assert {"a": [1, "ü"]} == session.post(f"{site}/post", json={"a": [1, "ü"]}).json()["json"]
    answer = session.post(f"{site}/post", data={"n": "1"}, files={"f": ("a.txt", b"text", "text/plain")}).json()
    assert ({"n": "1"}, {"f": "text"}) == (answer["form"], answer["files"])


def test_cookies_come_and_go(site: str, session: Session) -> None:
    assert {"a": "1", "b": "2"} == session.get(f"{site}/cookies/set?a=1&b=2").json()["cookies"]
    assert {"b": "2"} == session.get(f"{site}/cookies/delete?a").json()["cookies"]
    assert {"b": "2", "c": "3"} == session.get(f"{site}/cookies", cookies={"c": "3"}).json()["cookies"]
    assert {"b": "2"} == session.cookies.get_dict()


def test_redirects_of_all_kinds(site: str, session: Session) -> None:
    for kind in ("redirect", "relative-redirect", "absolute-redirect"):
        answer = session.get(f"{site}/{kind}/3")
        assert [302, 302, 302, 200] == [one.status_code for one in [*answer.history, answer]]
    assert "GET" == session.post(f"{site}/redirect-to?url=/anything&status_code=303").json()["method"]
    moved = session.post(f"{site}/redirect-to?url=/anything&status_code=307", data={"a": "1"}).json()
    assert ("POST", {"a": "1"}) == (moved["method"], moved["form"])


def test_basic_and_digest(site: str, session: Session) -> None:
    assert session.get(f"{site}/basic-auth/user/pass%20word", auth=("user", "pass word")).json()["authenticated"]
    assert 401 == session.get(f"{site}/basic-auth/user/right", auth=("user", "wrong")).status_code
    assert 404 == session.get(f"{site}/hidden-basic-auth/user/right").status_code
    for algorithm in ("MD5", "SHA-256", "SHA-512"):
        answer = session.get(f"{site}/digest-auth/auth/user/secret/{algorithm}", auth=HTTPDigestAuth("user", "secret"))
        assert answer.json()["authenticated"]
        assert [401] == [one.status_code for one in answer.history]


@pytest.mark.parametrize(("path", "key"), [("gzip", "gzipped"), ("deflate", "deflated"), ("brotli", "brotli")])
def test_codings(path: str, key: str, site: str, session: Session) -> None:
    assert session.get(f"{site}/{path}").json()[key] is True


def test_streams(site: str, session: Session) -> None:
    with session.get(f"{site}/stream/20", stream=True) as answer:
        assert 20 == sum(1 for line in answer.iter_lines() if line)
    with session.get(f"{site}/range/100000", stream=True) as answer:
        assert 100_000 == sum(map(len, answer.iter_content(8192)))


def test_other_methods_and_statuses(site: str, session: Session) -> None:
    assert b"" == session.head(f"{site}/get").content
    assert "OPTIONS" in session.options(f"{site}/get").headers["Allow"]
    for status in (204, 304, 404, 418, 503):
        assert status == session.get(f"{site}/status/{status}").status_code


# --- certificates -----------------------------------------------------------------------------------------------------


def test_an_authority_that_is_not_known_is_refused(good: CertifiedServer) -> None:
    with Session() as session, pytest.raises(SSLError, match="not trusted") as caught:
        session.get(f"{good.url}/get")
    assert good.url in str(caught.value)


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_verify_is_a_path(good: CertifiedServer, bundle: str) -> None:
    with Session() as session:
        assert 200 == session.get(f"{good.url}/get", verify=bundle).status_code
        with pytest.raises(SSLError):
            session.get(f"{good.url}/get")
        assert 200 == session.get(f"{good.url}/get", verify=False).status_code
        with pytest.raises(SSLError):
            session.get(f"{good.url}/get", verify=True)


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_environment_names_the_bundle(
    name: str, good: CertifiedServer, bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, bundle)
    with Session() as session:
        assert 200 == session.get(f"{good.url}/get").status_code
        session.trust_env = False
        with pytest.raises(SSLError):
            session.get(f"{good.url}/get")


def test_requests_ca_bundle_is_before_curls(
    good: CertifiedServer, bundle: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
    monkeypatch.setenv("CURL_CA_BUNDLE", str(tmp_path / "missing.pem"))
    with Session() as session:
        assert 200 == session.get(f"{good.url}/get").status_code
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        with pytest.raises(OSError, match=r"missing\.pem"):
            session.get(f"{good.url}/get")


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_an_expired_certificate(authority: trustme.CA, bundle: str) -> None:
    past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    with httpbin_with(context_for(authority.issue_cert("127.0.0.1", not_after=past))) as server, Session() as session:
        with pytest.raises(SSLError, match="expired"):
            session.get(f"{server.url}/get", verify=bundle)
        assert 200 == session.get(f"{server.url}/get", verify=False).status_code


def test_a_certificate_for_another_host(authority: trustme.CA, bundle: str) -> None:
    with httpbin_with(context_for(authority.issue_cert("other.example"))) as server, Session() as session:
        for _ in range(2):
            with pytest.raises(SSLError, match=r"127\.0\.0\.1"):
                session.get(f"{server.url}/get", verify=bundle)


def test_a_client_certificate(authority: trustme.CA, bundle: str, client_certificate: tuple[str, str]) -> None:
    context = context_for(authority.issue_cert("127.0.0.1"))
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    with httpbin_with(context) as server, Session() as session:
        session.verify = bundle
        assert 200 == session.get(f"{server.url}/get", cert=client_certificate).status_code
        with pytest.raises(SSLError, match=r"CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE"):
            session.get(f"{server.url}/get")
        session.cert = client_certificate
        assert 200 == session.get(f"{server.url}/get").status_code


# --- a proxy ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealProxy]:
    with proxy_py(tmp_path_factory.mktemp("proxy")) as started:
        yield started


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealProxy]:
    """A proxy that asks for a user and a password with characters that URLs escape."""
    with proxy_py(tmp_path_factory.mktemp("guarded"), "user:p@ss word") as started:
        yield started


RIGHT, WRONG = "user:p%40ss%20word", "user:wrong"


def test_through_a_proxy(site: str, proxy: RealProxy, session: Session) -> None:
    """Forwarded over http, by CONNECT over https; the proxy's log says so."""
    session.proxies = {"http": proxy.url(), "https": proxy.url()}
    with session:
        for number in range(3):
            assert {"n": str(number)} == session.get(f"{site}/get", params={"n": number}).json()["args"]
        assert {"a": "1"} == session.post(f"{site}/post", data={"a": "1"}).json()["form"]
        assert 200 == session.get(f"{site}/redirect/2").status_code
    method, netloc = ("CONNECT", site.removeprefix("https://")) if "https" in site else ("GET", site[7:])
    assert method in proxy.wait_for_line(f"{method} {netloc}")


def test_with_the_right_credentials(site: str, guarded: RealProxy, session: Session) -> None:
    session.proxies = {"http": guarded.url(RIGHT), "https": guarded.url(RIGHT)}
    sent = session.get(f"{site}/headers").json()["headers"]
    assert "Proxy-Authorization" not in sent


def test_credentials_of_a_proxy_by_auth(httpbin: Any, guarded: RealProxy, session: Session) -> None:
    session.proxies = {"http": guarded.url()}
    assert 200 == session.get(f"{httpbin.url}/get", auth=HTTPProxyAuth("user", "p@ss word")).status_code


@pytest.mark.parametrize("userinfo", [WRONG, ""])
def test_wrong_credentials_and_a_tunnel(
    userinfo: str, good: CertifiedServer, guarded: RealProxy, session: Session
) -> None:
    session.proxies = {"https": guarded.url(userinfo)}
    with pytest.raises(ProxyError, match="407") as caught:
        session.get(f"{good.url}/get")
    assert 407 == caught.value.status
    assert "wrong" not in str(caught.value)


@pytest.mark.parametrize("userinfo", [WRONG, ""])
def test_wrong_credentials_and_forwarding(userinfo: str, httpbin: Any, guarded: RealProxy, session: Session) -> None:
    """Without a tunnel the proxy's 407 is an answer as any other, as with requests."""
    session.proxies = {"http": guarded.url(userinfo)}
    assert 407 == session.get(f"{httpbin.url}/get").status_code


def test_a_certificate_is_checked_behind_a_proxy(good: CertifiedServer, proxy: RealProxy) -> None:
    with Session() as session, pytest.raises(SSLError):
        session.get(f"{good.url}/get", proxies={"https": proxy.url()})


def test_a_server_that_is_not_there_behind_a_proxy(proxy: RealProxy, session: Session) -> None:
    with pytest.raises(ProxyError, match="502") as caught:
        session.get("https://127.0.0.1:1/", proxies={"https": proxy.url()})
    assert 502 == caught.value.status
    assert 502 == session.get("http://127.0.0.1:1/", proxies={"http": proxy.url()}).status_code


def test_the_environments_proxy(
    site: str, guarded: RealProxy, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheme = site.partition(":")[0]
    monkeypatch.setenv(f"{scheme}_proxy", guarded.url(WRONG))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert 200 == session.get(f"{site}/get").status_code
    monkeypatch.delenv("no_proxy")
    if scheme == "https":
        with pytest.raises(ProxyError):
            session.get(f"{site}/get")
    else:
        assert 407 == session.get(f"{site}/get").status_code
    session.trust_env = False
    assert 200 == session.get(f"{site}/get").status_code


def test_basic_auth_of_a_site_behind_a_proxy(site: str, guarded: RealProxy, session: Session) -> None:
    """Two credentials at once, each for its own."""
    session.proxies = {"http": guarded.url(RIGHT), "https": guarded.url(RIGHT)}
    answer = session.get(f"{site}/headers", auth=("me", "mine")).json()["headers"]
    assert f"Basic {base64.b64encode(b'me:mine').decode()}" == answer["Authorization"]

"""A test for each published advisory about a client of this kind, named after it: what went wrong there is right here.

Where a suite covers the matter in depth the docstring names it.
"""

from __future__ import annotations

import gzip
import os
import pickle
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import trustme

from crawlkit import Session
from crawlkit.exceptions import BodyTooLarge, ContentDecodingError, InvalidSchema, SSLError, StorageError, UsageError
from crawlkit.sessions.cookiefiles import load_cookies_txt, save_cookies_txt
from crawlkit.sessions.cookies import CookieJar
from crawlkit.sessions.retry import RetryPolicy
from crawlkit.sessions.vault import Vault
from tests.faults import bombs
from tests.faults.origins import NAMES, Origins, Place, turned_to
from tests.sessions.scripted import Peer, Scripted, always, ok

CANARY = "canary-29c4"
BASIC = b64encode(f"user:{CANARY}".encode())
HOME, WWW, OTHER = (NAMES[name] for name in ("home.example", "www.home.example", "other.example"))


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def bundle(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture(scope="module")
def all_origins(authority: trustme.CA) -> Iterator[Origins]:
    made = Origins(authority)
    with turned_to(made):
        yield made
    made.close()


@pytest.fixture
def origins(all_origins: Origins, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Origins:
    for name in [name for name in os.environ if name.lower().endswith(("_proxy", "_ca_bundle"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    all_origins.forget()
    return all_origins


@pytest.fixture
def session(origins: Origins, bundle: str) -> Iterator[Session]:
    with Session(pool=origins.pool()) as opened:
        opened.verify = bundle
        yield opened


def redirect(start: str, to: str, status: int = 302) -> str:
    return f"{start}/go/{status}/{quote(to, safe='')}"


def write_netrc(text: str) -> None:
    path = Path(os.environ["NETRC"])
    path.write_text(text)
    path.chmod(0o600)


def has(data: bytes) -> bool:
    return CANARY.encode() in data or BASIC in data


# --- requests ---------------------------------------------------------------------------------------------------------


def test_requests_cve_2014_1829(session: Session, origins: Origins) -> None:
    """Credentials of a netrc entry went to the host of a redirect."""
    write_netrc(f"machine home.example login user password {CANARY}\n")
    session.get(redirect("http://home.example", "http://other.example/end"))
    assert has(bytes(origins.received[Place(HOME, 80)]))
    assert not has(bytes(origins.received[Place(OTHER, 80)]))


def test_requests_cve_2014_1830(session: Session, origins: Origins) -> None:
    """Proxy-Authorization went to the host of a redirect."""
    session.get(
        redirect("http://home.example", "http://other.example/end"),
        headers={"Proxy-Authorization": f"Basic {CANARY}"},
    )
    assert origins.last_request(Place(OTHER, 80))
    assert not has(bytes(origins.received[Place(OTHER, 80)]))


def test_requests_cve_2015_2296() -> None:
    """A cookie that a redirect set without a Domain was taken for the next host's: session fixation."""

    def script(peer: Peer) -> None:
        while (got := peer.request()) is not None:
            if "/fix" in got.line:
                location = f"http://localhost:{peer.server.port}/next"
                peer.send(
                    f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nSet-Cookie: id={CANARY}; Path=/\r\n"
                    "Content-Length: 0\r\n\r\n".encode()
                )
            else:
                peer.send(ok())

    with Scripted(script) as server, Session() as session:
        session.trust_env = False
        session.get(f"http://127.0.0.1:{server.port}/fix")
        assert "cookie" not in server.requests[-1].headers
        session.get(f"http://127.0.0.1:{server.port}/home")
        assert f"id={CANARY}" == server.requests[-1].headers["cookie"]
        assert {"id": CANARY} == session.cookies.get_dict(domain="127.0.0.1")
        assert {} == session.cookies.get_dict(domain="localhost")


def test_requests_cve_2018_18074(session: Session, origins: Origins) -> None:
    """Authorization went from https to http at the same host."""
    session.get(redirect("https://home.example", "http://home.example/end"), auth=("user", CANARY))
    assert origins.last_request(Place(HOME, 80))
    assert not has(bytes(origins.received[Place(HOME, 80)]))


def test_requests_cve_2023_32681(session: Session, origins: Origins) -> None:
    """Proxy-Authorization was set anew for an https hop and went through the tunnel, to the origin. In depth:
    tests/faults/test_credentials.py.
    """
    prepared = session.prepare_request(session_request("https://home.example/"))
    prepared.headers["Proxy-Authorization"] = f"Basic {CANARY}"
    session.rebuild_proxies(prepared, {"https": f"http://user:{CANARY}@proxy.example:3128"})
    assert "Proxy-Authorization" not in prepared.headers


def session_request(url: str) -> Any:
    from crawlkit import requests

    return requests.Request("GET", url)


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_requests_cve_2024_35195(bundle: str, authority: trustme.CA) -> None:
    """After one request with verify=False all others on that connection were not verified."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with Scripted(always(ok()), tls=context) as server, Session() as session:
        session.trust_env = False
        assert 200 == session.get(server.url, verify=False).status_code
        with pytest.raises(SSLError):
            session.get(server.url)
        assert 1 == len(server.requests)


def test_requests_cve_2024_47081(session: Session, origins: Origins) -> None:
    """A URL's userinfo was taken for its host when netrc was asked."""
    write_netrc(f"machine home.example login user password {CANARY}\n")
    for url in ("http://home.example:@other.example/end", "http://home.example:80@other.example/end"):
        session.get(url)
    assert origins.last_request(Place(OTHER, 80))
    assert not has(bytes(origins.received[Place(OTHER, 80)]))


# --- urllib3 ----------------------------------------------------------------------------------------------------------


def test_urllib3_cve_2018_20060(session: Session, origins: Origins) -> None:
    """Authorization went with a redirect to another host, port or scheme."""
    for to in ("http://other.example/end", "http://home.example:8080/end"):
        session.get(redirect("http://home.example", to), headers={"Authorization": CANARY})
    assert origins.last_request(Place(OTHER, 80))
    assert origins.last_request(Place(HOME, 8080))
    assert not has(bytes(origins.received[Place(OTHER, 80)]) + bytes(origins.received[Place(HOME, 8080)]))


@pytest.mark.parametrize("name", ["authorization", "AUTHORIZATION", "aUtHoRiZaTiOn"])
def test_urllib3_cve_2018_25091(name: str, session: Session, origins: Origins) -> None:
    """The same when the header's name was written in another case."""
    session.get(redirect("http://home.example", "http://other.example/end"), headers={name: CANARY})
    assert origins.last_request(Place(OTHER, 80))
    assert not has(bytes(origins.received[Place(OTHER, 80)]))


def test_urllib3_cve_2019_11236(session: Session, origins: Origins) -> None:
    """A line break in a URL began a header."""
    session.get("http://home.example/end?a=1 HTTP/1.1\r\nX-Injected: yes\r\nX: ")
    received = bytes(origins.received[Place(HOME, 80)])
    assert b"\r\nX-Injected" not in received
    assert 1 == received.count(b" HTTP/1.1")


@pytest.mark.parametrize("method", ["GET / HTTP/1.1\r\nX-Injected: yes\r\n", "GET\n", "GET /other"])
def test_urllib3_cve_2020_26137(method: str, session: Session, origins: Origins) -> None:
    """A line break in a method began a header."""
    with pytest.raises(ValueError, match="method"):
        session.request(method, "http://home.example/end")
    assert b"" == bytes(origins.received[Place(HOME, 80)])


def test_urllib3_cve_2023_43804(session: Session, origins: Origins) -> None:
    """A Cookie header that was given by hand went to another origin."""
    for given in ({"headers": {"Cookie": f"a={CANARY}"}}, {"cookies": {"a": CANARY}}):
        session.get(redirect("http://home.example", "http://other.example/end"), **given)
    assert origins.last_request(Place(OTHER, 80))
    assert not has(bytes(origins.received[Place(OTHER, 80)]))


@pytest.mark.parametrize("status", [301, 302, 303])
def test_urllib3_cve_2023_45803(status: int, session: Session, origins: Origins) -> None:
    """The body went along although the method became GET."""
    session.post(redirect("http://home.example", "http://other.example/end", status), data={"password": CANARY})
    last = origins.last_request(Place(OTHER, 80))
    assert last.startswith(b"GET ")
    assert not has(last)
    assert b"content-" not in last.lower()


def test_urllib3_cve_2024_37891(session: Session, origins: Origins) -> None:
    """Proxy-Authorization without a proxy went to another origin, and to https ones at all."""
    headers = {"Proxy-Authorization": CANARY}
    session.get(redirect("http://home.example", "https://other.example/end"), headers=headers)
    session.get("https://home.example/end", headers=headers)
    assert origins.last_request(Place(OTHER, 443))
    assert origins.last_request(Place(HOME, 443))
    assert not has(bytes(origins.received[Place(OTHER, 443)]) + bytes(origins.received[Place(HOME, 443)]))


@pytest.mark.parametrize("retries", [0, 3, RetryPolicy(3)])
def test_urllib3_cve_2025_50181(retries: Any, session: Session, origins: Origins) -> None:
    """Redirects were followed although they had been turned off, when retries were set in one place rather than in
    another.
    """
    session.retries = retries
    answer = session.get(redirect("http://home.example", "http://other.example/end"), allow_redirects=False)
    assert 302 == answer.status_code
    session.max_redirects = 0
    with pytest.raises(Exception, match="Exceeded 0 redirects"):
        session.get(redirect("http://home.example", "http://other.example/end"))
    assert b"" == bytes(origins.received[Place(OTHER, 80)])


def coded(coding: str, body: bytes, status: str = "200 OK", *lines: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Encoding: {coding}", f"Content-Length: {len(body)}", *lines]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def test_urllib3_cve_2025_66418() -> None:
    """Any number of codings on top of each other were undone."""
    body = b"x"
    for _ in range(200):
        body = gzip.compress(body)
    answer = coded(", ".join(["gzip"] * 200), body)
    with Scripted(always(answer)) as server, Session() as session, pytest.raises(ContentDecodingError, match="200"):
        session.get(server.url)


@pytest.mark.parametrize("name", ["gzip", "br", "zstd", "deflate"])
def test_urllib3_cve_2025_66471(name: str) -> None:
    """A stream that is read in pieces decoded all of a small, highly packed body at once. In depth:
    tests/faults/test_bombs.py.
    """
    coding, make = bombs.BOMBS[name]
    with Scripted(always(coded(coding, make()))) as server, Session() as session:
        begun = time.monotonic()
        with session.get(server.url, stream=True) as answer:
            assert 1000 == len(next(answer.iter_content(1000)))
        with pytest.raises(BodyTooLarge):
            session.get(server.url, max_body=1_000_000)
        assert time.monotonic() - begun < 2


def test_urllib3_cve_2026_21441() -> None:
    """The body of a redirect was decoded whole, whatever its size, only to use its connection again."""

    def script(peer: Peer) -> None:
        while (got := peer.request()) is not None:
            answer = coded("gzip", bombs.gzipped(), "302 Found", "Location: /end")
            peer.send(ok(b"end") if "/end" in got.line else answer)

    with Scripted(script) as server, Session() as session:
        begun = time.monotonic()
        with session.get(f"{server.url}/start", stream=True) as answer:
            assert b"end" == answer.content
        assert time.monotonic() - begun < 2


# --- aiohttp ----------------------------------------------------------------------------------------------------------


def test_aiohttp_cve_2026_54279(tmp_path: Path) -> None:
    """A host-only cookie was one for all subdomains after it had been saved and loaded. Here not by way of the vault,
    of cookies.txt, or of a pickle.
    """

    def told(jar: CookieJar) -> list[str | None]:
        return [jar.header_for(f"https://{host}/") for host in ("home.example", "www.home.example")]

    profile = Vault(tmp_path / "sessions.db").profile("p")
    profile.jar.receive("https://home.example/", ["own=1; Max-Age=999", "all=2; Domain=home.example; Max-Age=999"])
    profile.save()
    assert ["own=1; all=2", "all=2"] == told(profile.jar)
    assert told(profile.jar) == told(Vault(tmp_path / "sessions.db").profile("p").jar)
    assert told(profile.jar) == told(pickle.loads(pickle.dumps(profile.jar)))  # noqa: S301
    assert told(profile.jar) == told(through_cookies_txt(profile.jar, tmp_path / "cookies.txt"))


def through_cookies_txt(jar: CookieJar, path: Path) -> CookieJar:
    save_cookies_txt(path, jar)
    return load_cookies_txt(path)


class Trap:
    """What runs code when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.path,)


def test_aiohttp_cve_2026_34993(tmp_path: Path) -> None:
    """A jar was loaded by unpickling a file, which runs what its author likes. Nothing here unpickles a file."""
    sprung, file = tmp_path / "sprung", tmp_path / "sessions.db"
    file.write_bytes(pickle.dumps(Trap(sprung)))
    file.chmod(0o600)
    with pytest.raises(StorageError):
        Session(profile="p", vault=file)
    assert not sprung.exists()
    with pytest.raises(UsageError, match="line 1"):
        load_cookies_txt(file)
    assert not sprung.exists()


# --- Scrapy -----------------------------------------------------------------------------------------------------------


def test_scrapy_cve_2021_41125(session: Session, origins: Origins) -> None:
    """Credentials that were set once went to every host: here those of a request are that request's."""
    session.get("http://home.example/end", auth=("user", CANARY))
    session.get("http://other.example/robots.txt")
    session.get("http://home.example/robots.txt")
    assert 1 == bytes(origins.received[Place(HOME, 80)]).count(BASIC)
    assert not has(bytes(origins.received[Place(OTHER, 80)]))


def test_scrapy_cve_2022_0577(session: Session, origins: Origins) -> None:
    """Cookies of a request went to the host of a redirect, and to the host of the proxy that was next."""
    session.get(redirect("http://home.example", "http://other.example/end"), cookies={"a": CANARY})
    session.get(redirect("https://home.example", "http://www.home.example/end"), cookies={"a": CANARY})
    assert has(bytes(origins.received[Place(HOME, 80)]))
    assert not has(bytes(origins.received[Place(OTHER, 80)]) + bytes(origins.received[Place(WWW, 80)]))


def test_scrapy_ghsa_cw9j(session: Session, origins: Origins) -> None:
    """Authorization went with a redirect to another domain."""
    session.get(redirect("http://home.example", "http://other.example/end"), headers={"Authorization": CANARY})
    session.get(redirect("http://home.example", "http://www.home.example/end"), headers={"Authorization": CANARY})
    assert origins.last_request(Place(WWW, 80))
    assert not has(bytes(origins.received[Place(OTHER, 80)]) + bytes(origins.received[Place(WWW, 80)]))


def test_scrapy_ghsa_4qqq(session: Session, origins: Origins) -> None:
    """Authorization went with a redirect within the domain to another port or from https to http."""
    for to in ("http://home.example/end", "https://home.example:8443/end"):
        session.get(redirect("https://home.example", to), headers={"Authorization": CANARY})
    assert origins.last_request(Place(HOME, 80))
    assert origins.last_request(Place(HOME, 8443))
    assert not has(bytes(origins.received[Place(HOME, 80)]) + bytes(origins.received[Place(HOME, 8443)]))


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://home.example/x", "data:text/html,x", "s3://bucket/x"])
def test_scrapy_ghsa_23j4(to: str, session: Session) -> None:
    """A redirect could lead to a file of the machine, or to any protocol that something is installed for."""
    with pytest.raises(InvalidSchema, match="only http"):
        session.get(redirect("http://home.example", to))


def test_scrapy_ghsa_jm3v(session: Session, origins: Origins, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a redirect from http to https the proxy for http was used on: the proxy is chosen anew for each hop."""

    def script(peer: Peer) -> None:
        while peer.request() is not None:
            peer.send(b"HTTP/1.1 302 Found\r\nLocation: https://other.example/end\r\nContent-Length: 0\r\n\r\n")

    with Scripted(script) as proxy:
        monkeypatch.setenv("http_proxy", f"http://user:{CANARY}@{proxy.netloc}")
        assert b"end" == session.get("http://home.example/start").content
        assert ["GET http://home.example/start HTTP/1.1"] == [got.line for got in proxy.requests]
    assert origins.last_request(Place(OTHER, 443))
    assert not has(bytes(origins.received[Place(OTHER, 443)]))


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd", "gzip in gzip"])
def test_scrapy_ghsa_7j7m(name: str) -> None:
    """The limit of a body held for what was sent, not for what it expanded to. In depth: tests/faults/test_bombs.py."""
    coding, make = bombs.BOMBS[name]
    answer = coded(coding, make())
    with Scripted(always(answer)) as server, Session(max_body=20_000_000) as session, pytest.raises(BodyTooLarge):
        session.get(server.url)


# --- curl -------------------------------------------------------------------------------------------------------------


def test_curl_cve_2022_27776(session: Session, origins: Origins) -> None:
    """Authorization and Cookie headers went with a redirect to another port of the same host."""
    given = {"auth": ("user", CANARY), "cookies": {"a": CANARY}}
    session.get(redirect("http://home.example", "http://home.example:8080/end"), **given)
    session.get(redirect("http://home.example", "http://home.example:8080/end"), headers={"Cookie": CANARY})
    assert has(bytes(origins.received[Place(HOME, 80)]))
    assert origins.last_request(Place(HOME, 8080))
    assert not has(bytes(origins.received[Place(HOME, 8080)]))


@pytest.mark.parametrize("domain", ["co.UK", "CO.uk", ".Co.Uk", "co.uk.", "GitHub.IO"])
def test_curl_cve_2023_46218(domain: str) -> None:
    """A cookie for a public suffix was taken when the suffix was written in another case."""
    jar = CookieJar()
    host = f"evil.{domain.strip('.').lower()}"
    jar.receive(f"https://{host}/", [f"a=1; Domain={domain}"])
    assert None is jar.header_for(f"https://good.{domain.strip('.').lower()}/")

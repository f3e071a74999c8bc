"""Which secrets a redirect takes along, by kind of secret, of change and of redirect: the servers' own logs judge.

The rule: a secret belongs to the origin (scheme, host and port) that it was given for. Exceptions, each stated by a row
of `KINDS`: Authorization goes from http at port 80 to https at port 443 of the same host, as in requests; cookies of
the jar know neither ports nor schemes but for Secure (RFC 6265bis); what the program wrote into `Cookie` or
`Proxy-Authorization` by hand was for one request; a body goes with 307 and 308 wherever they lead and with no other, as
RFC 9110 and requests have it (`check_hop` is how a program refuses such a hop).
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import pytest
import trustme

from crawlkit import Session
from crawlkit.sessions.leaks import SECRET_HEADERS
from tests.faults.origins import NAMES, NUMBER, Origins, Place, pipe, turned_to
from tests.sessions.scripted import Peer, Scripted

CANARY = "canary-5e1f"
ENCODED = base64.b64encode(f"user:{CANARY}".encode())
STATUSES = (301, 302, 303, 307, 308)


def shows(data: bytes) -> bool:
    """Whether the canary is anywhere in it, in the clear or as Basic has it."""
    return CANARY.encode() in data or ENCODED in data


# --- where to ---------------------------------------------------------------------------------------------------------

SAME = "same origin"
UPGRADE = "http at 80 to https at 443"
PORT = "same host, other port or scheme"
DOWNGRADE = "same host, from https to http"
HOST = "other host"

MOVES = {
    "same": ("http://home.example/", "http://home.example/", SAME),
    "relative": ("http://home.example/", "/", SAME),
    "same over https": ("https://home.example/", "https://home.example/", SAME),
    "letter case": ("http://home.example/", "HTTP://HOME.Example/", SAME),
    "port written out": ("http://home.example/", "http://home.example:80/", SAME),
    "https port written out": ("https://home.example/", "//home.example:443/", SAME),
    "scheme up": ("http://home.example/", "https://home.example/", UPGRADE),
    "scheme up to another port": ("http://home.example/", "https://home.example:8443/", PORT),
    "scheme up from another port": ("http://home.example:8080/", "https://home.example/", PORT),
    "scheme down": ("https://home.example/", "http://home.example/", DOWNGRADE),
    "scheme down to another port": ("https://home.example/", "http://home.example:8080/", DOWNGRADE),
    "port": ("http://home.example/", "http://home.example:8080/", PORT),
    "port of https": ("https://home.example/", "https://home.example:8443/", PORT),
    "host": ("http://home.example/", "http://other.example/", HOST),
    "host over https": ("https://home.example/", "https://other.example/", HOST),
    "host and scheme up": ("http://home.example/", "https://other.example/", HOST),
    "host that ends alike": ("http://home.example/", "http://nothome.example/", HOST),
    "subdomain": ("http://home.example/", "http://www.home.example/", HOST),
    "subdomain over https": ("https://home.example/", "https://www.home.example/", HOST),
    "parent domain": ("http://www.home.example/", "http://home.example/", HOST),
    "number": ("http://home.example/", f"http://{NUMBER}/", HOST),
    "number over https": ("https://home.example/", f"https://{NUMBER}/", HOST),
    "from a number": (f"http://{NUMBER}/", "http://home.example/", HOST),
    "dot": ("http://home.example/", "http://home.example./", HOST),
    "dot over https": ("https://home.example/", "https://home.example./", HOST),
    "without the dot": ("http://home.example./", "http://home.example/", HOST),
    "userinfo that looks like home": ("http://home.example/", "http://home.example@other.example/", HOST),
    "backslash": ("http://home.example/", "http://other.example\\@home.example/", HOST),
    "backslash the other way": ("http://other.example/", "http://home.example\\@other.example/", HOST),
    "no scheme": ("http://home.example/", "//other.example/", HOST),
}


def place_of(url: str, base: str) -> Place:
    parts = urlsplit(url)
    base_parts = urlsplit(base)
    scheme = (parts.scheme or base_parts.scheme).lower()
    netloc = (parts.netloc or base_parts.netloc).lower()
    if "\\" in netloc:  # the host ends there (WHATWG URL, and RFC 3986 knows no such character)
        netloc = netloc.partition("\\")[0]
    host, _, port = netloc.rpartition("@")[2].partition(":")
    return Place(NAMES.get(host, host), int(port or {"http": 80, "https": 443}[scheme]))


# --- what -------------------------------------------------------------------------------------------------------------


class Kind(NamedTuple):
    """A way of giving a secret. `stays`: the changes at which it may, and does, go along."""

    stays: tuple[str, ...]
    call: Callable[[Session, str], dict[str, Any]]
    statuses: tuple[int, ...] = STATUSES
    method: str = "GET"


def header(name: str) -> Callable[[Session, str], dict[str, Any]]:
    return lambda session, url: {"headers": {name: CANARY}}


def session_header(name: str) -> Callable[[Session, str], dict[str, Any]]:
    def call(session: Session, url: str) -> dict[str, Any]:
        session.headers[name] = CANARY
        return {}

    return call


def jar(session: Session, url: str) -> dict[str, Any]:
    secure = "; Secure" if url.startswith("https") else ""
    session.cookies.receive(url, [f"login={CANARY}; Path=/{secure}"])
    return {}


def request_cookies(session: Session, url: str) -> dict[str, Any]:
    return {"cookies": {"login": CANARY}}


def auth(session: Session, url: str) -> dict[str, Any]:
    return {"auth": ("user", CANARY)}


def session_auth(session: Session, url: str) -> dict[str, Any]:
    session.auth = ("user", CANARY)
    return {}


def netrc(session: Session, url: str) -> dict[str, Any]:
    """The file, with the host that the row begins at."""
    host = urlsplit(url).hostname
    path = Path(os.environ["NETRC"])
    path.write_text(f"machine {host} login user password {CANARY}\n")
    path.chmod(0o600)
    return {}


def userinfo(session: Session, url: str) -> dict[str, Any]:
    return {"url": url.replace("://", f"://user:{CANARY}@")}


def own_header(session: Session, url: str) -> dict[str, Any]:
    session.secret_headers = (*SECRET_HEADERS, "X-Mine")
    return {"headers": {"x-mine": CANARY}}


def form(session: Session, url: str) -> dict[str, Any]:
    return {"data": {"password": CANARY}}


AUTHORIZATION = (SAME, UPGRADE)
KINDS = {
    "cookie of the jar": Kind((SAME, UPGRADE, PORT), jar),
    "cookie by hand": Kind((), header("Cookie")),
    "cookies of the request": Kind((SAME,), request_cookies),
    "cookie in the session's headers": Kind((), session_header("Cookie")),
    "authorization": Kind(AUTHORIZATION, header("Authorization")),
    "authorization of the session": Kind(AUTHORIZATION, session_header("authorization")),
    "auth": Kind(AUTHORIZATION, auth),
    "auth of the session": Kind(AUTHORIZATION, session_auth),
    "netrc": Kind(AUTHORIZATION, netrc),
    "userinfo": Kind(AUTHORIZATION, userinfo),
    "key": Kind((SAME,), header("X-API-Key")),
    "key of the session": Kind((SAME,), session_header("x-api-key")),
    "token": Kind((SAME,), header("X-Auth-Token")),
    "own header": Kind((SAME,), own_header),
    "host": Kind((SAME,), header("Host")),
    "proxy authorization": Kind((), header("Proxy-Authorization")),
    "form": Kind((), form, (301, 302, 303), "POST"),
    "form with 307 and 308": Kind((SAME, UPGRADE, PORT, DOWNGRADE, HOST), form, (307, 308), "POST"),
    "file": Kind((), form, (301, 302, 303), "PUT"),
}


# --- the matrix -------------------------------------------------------------------------------------------------------


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
    """All logs empty, and an environment without proxies, bundles and a netrc of its own."""
    for name in [name for name in os.environ if name.lower().endswith(("_proxy", "_ca_bundle"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    all_origins.forget()
    return all_origins


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("kind", KINDS)
def test_secrets_and_redirects(kind: str, move: str, origins: Origins, bundle: str) -> None:
    """The secret is at the first server; at the second exactly when the two may share it; at no other ever."""
    stays, call, statuses, method = KINDS[kind]
    first, second, change = MOVES[move]
    here, there = place_of(first, first), place_of(second, first)
    with Session(pool=origins.pool()) as session:
        session.verify = bundle
        for status in statuses:
            origins.forget()
            session.cookies.clear()
            target = f"{second}end" if second == "/" else f"{second.rstrip('/')}/end"
            url = f"{first}go/{status}/{quote(target, safe='')}"
            assert b"end" == session.request(method, **{"url": url, **call(session, url)}).content
            if (kind, first[:5]) != ("proxy authorization", "https"):  # it is for a proxy, and there is none
                assert shows(bytes(origins.received[here])), "the first server got it"
            arrived = origins.last_request(there)
            assert arrived, "the second server was asked"
            assert (change in stays) == shows(arrived), (status, arrived)
            assert not [
                place for place, log in origins.received.items() if place not in (here, there) and shows(bytes(log))
            ]


def test_a_netrc_entry_of_the_new_host_is_used(origins: Origins) -> None:
    """Each host its own: the first one's goes, the second's comes, as in requests."""
    Path(os.environ["NETRC"]).write_text(
        "machine home.example login user password first\nmachine other.example login user password second\n"
    )
    with Session(pool=origins.pool()) as session:
        session.get(f"http://home.example/go/302/{quote('http://other.example/end', safe='')}")
    second = base64.b64encode(b"user:second")
    assert second in origins.last_request(Place(NAMES["other.example"], 80))
    assert second not in origins.received[Place(NAMES["home.example"], 80)]


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize(
    "given",
    [
        {"headers": {"Authorization": CANARY, "X-API-Key": CANARY, "Cookie": CANARY, "Host": CANARY}},
        {"auth": ("user", CANARY), "cookies": {"c": CANARY}},
    ],
    ids=["headers", "auth and cookies"],
)
def test_home_by_way_of_a_stranger(given: dict[str, Any], status: int, origins: Origins) -> None:
    """The stranger would choose where at home: nothing that was dropped comes back."""
    back = quote("http://home.example/end", safe="")
    away = quote(f"http://other.example/go/{status}/{back}", safe="")
    with Session(pool=origins.pool()) as session:
        session.get(f"http://home.example/go/{status}/{away}", **given)
    home, other = Place(NAMES["home.example"], 80), Place(NAMES["other.example"], 80)
    assert shows(bytes(origins.received[home]))
    assert origins.last_request(home)
    assert not shows(origins.last_request(home))
    assert not shows(bytes(origins.received[other]))


def test_a_hop_may_be_refused(origins: Origins) -> None:
    """Who does not want a body to leave its origin says so in `check_hop`."""

    def stay(response: Any, following: Any) -> None:
        if following.body is not None and "home.example" != urlsplit(following.url).hostname:
            raise ValueError("stay")

    with Session(pool=origins.pool()) as session, pytest.raises(ValueError, match="stay"):
        url = f"http://home.example/go/307/{quote('http://other.example/end', safe='')}"
        session.post(url, data={"password": CANARY}, check_hop=stay)
    assert b"" == origins.received[Place(NAMES["other.example"], 80)]


# --- proxies ----------------------------------------------------------------------------------------------------------


def forwarder(origins: Origins, log: bytearray) -> Callable[[Peer], None]:
    """A proxy: it forwards as one request each, tunnels, and keeps what it is sent in the clear."""

    def script(peer: Peer) -> None:
        more = peer.more

        def logged() -> bytes:
            data = more()
            log.extend(data)
            return data

        peer.more = logged  # type: ignore[method-assign]
        while (got := peer.request()) is not None:
            method, target, _ = got.line.split(" ")
            if method == "CONNECT":
                host, _, port = target.partition(":")
                other = origins.tunnel(host, int(port))
                peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
                peer.more = more  # type: ignore[method-assign] # within a tunnel nothing is in the clear
                pipe(peer.sock, other)
                return
            parts = urlsplit(target)
            head = got.head.replace(target.encode(), target.partition(parts.netloc)[2].encode(), 1)
            lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"proxy-authorization")]
            other = origins.tunnel(parts.hostname or "", parts.port or 80)
            with other:
                other.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + got.body)
                peer.send(other.recv(65536))

    return script


PROXY_MOVES = ["same", "scheme up", "scheme down", "port", "host", "host over https", "host and scheme up", "subdomain"]


@pytest.mark.parametrize("move", PROXY_MOVES)
@pytest.mark.parametrize("way", ["url", "environment"])
def test_the_proxys_credentials_are_seen_by_the_proxy_alone(
    way: str, move: str, origins: Origins, bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, _ = MOVES[move]
    log = bytearray()
    with Scripted(forwarder(origins, log)) as proxy, Session(pool=origins.pool()) as session:
        session.verify = bundle
        url = f"http://user:{CANARY}@{proxy.netloc}"
        if way == "url":
            session.proxies = {"http": url, "https": url}
        else:
            monkeypatch.setenv("http_proxy", url)
            monkeypatch.setenv("https_proxy", url)
        for status in STATUSES:
            target = quote(f"{second.rstrip('/')}/end", safe="")
            assert b"end" == session.get(f"{first}go/{status}/{target}").content
    assert shows(bytes(log))
    assert [] == [place for place, received in origins.received.items() if shows(bytes(received))]


@pytest.mark.parametrize("status", STATUSES)
def test_a_hop_without_a_proxy_has_no_proxy_credentials(status: int, origins: Origins) -> None:
    with Scripted(forwarder(origins, bytearray())) as proxy, Session(pool=origins.pool()) as session:
        session.proxies = {"http://home.example": f"http://user:{CANARY}@{proxy.netloc}"}
        session.get(f"http://home.example/go/{status}/{quote('http://other.example/end', safe='')}")
    assert origins.last_request(Place(NAMES["other.example"], 80))
    assert [] == [place for place, received in origins.received.items() if shows(bytes(received))]


@pytest.mark.parametrize("kind", ["cookie of the jar", "authorization", "auth", "key", "form"])
def test_what_goes_through_a_tunnel_is_not_seen_by_the_proxy(kind: str, origins: Origins, bundle: str) -> None:
    """Nor by a server that the tunnel's answer leads to."""
    _, call, statuses, method = KINDS[kind]
    log = bytearray()
    with Scripted(forwarder(origins, log)) as proxy, Session(pool=origins.pool()) as session:
        session.verify = bundle
        session.proxies = {"all": f"http://{proxy.netloc}"}
        for status in statuses:
            kwargs = call(session, "https://home.example/")
            target = quote("http://other.example/end", safe="")
            session.request(method, f"https://home.example/go/{status}/{target}", **kwargs)
    assert shows(bytes(origins.received[Place(NAMES["home.example"], 443)]))
    assert b"CONNECT home.example:443" in log
    assert not shows(bytes(log))
    assert not shows(bytes(origins.received[Place(NAMES["other.example"], 80)]))

"""Digest authentication against a server that checks every answer with code of its own."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import pickle
import secrets
import threading
import tracemalloc
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import parse_http_list, parse_keqv_list

import pytest

from crawlkit import Session
from crawlkit.exceptions import BodyTooLarge, UnrewindableBodyError
from crawlkit.sessions.challenge import parse_challenges
from crawlkit.sessions.digest import HTTPDigestAuth, HTTPProxyDigestAuth, strongest
from tests.sessions.scripted import Peer, Scripted, ok

HASHES = {
    "MD5": hashlib.md5,
    "SHA": hashlib.sha1,
    "SHA-256": hashlib.sha256,
    "SHA-512": hashlib.sha512,
    "SHA-512-256": lambda data: hashlib.new("sha512_256", data),
}


class DigestHandler(BaseHTTPRequestHandler):
    """`/?alg=…&qop=…` asks for digest; `/to?url=…` redirects; `status=`, `header=` say how it asks."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: nobody waits for an acknowledgement
    server: DigestServer

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        self.server.log.append((self.command, self.path, dict(self.headers), body))
        if self.path.startswith("/to"):
            return self._send(302, [("Location", query["url"])])
        proxied = query.get("status") == "407"
        answer = self.headers.get("Proxy-Authorization" if proxied else "Authorization")
        if answer and self._is_right(answer, query, body):
            return self._send(200, [("X-Count", self.count)], b"in")
        self._challenge(query, proxied)
        return None

    def do_POST(self) -> None:
        self.do_GET()

    def _challenge(self, query: dict[str, str], proxied: bool) -> None:
        nonce = secrets.token_hex(8)
        self.server.nonces.add(nonce)
        parts = [r'realm="the \"inner\" realm"', f'nonce="{nonce}"', 'opaque="o p"']
        for name in ("qop", "userhash"):
            if name in query:
                parts.append(f'{name}="{query[name]}"')
        if "alg" in query:
            parts.append(f"algorithm={query['alg']}")
        value = query.get("before", "") + "Digest " + ", ".join(parts)
        header = ("Proxy-Authenticate" if proxied else "WWW-Authenticate", value)
        self._send(407 if proxied else 401, [header, ("Set-Cookie", "seen=401")], b"go away")

    def _is_right(self, answer: str, query: dict[str, str], body: bytes) -> bool:
        """RFC 7616 section 3.4, written down a second time."""
        scheme, _, rest = answer.partition(" ")
        given = parse_keqv_list(parse_http_list(rest))
        algorithm = query.get("alg", "MD5").upper()
        kind = HASHES[algorithm.removesuffix("-SESS")]

        def h(text: str) -> str:
            return kind(text.encode()).hexdigest()

        realm = 'the "inner" realm'
        user, password = self.server.user
        a1 = h(f"{user}:{realm}:{password}")
        if algorithm.endswith("-SESS"):
            a1 = h(f"{a1}:{given['nonce']}:{given['cnonce']}")
        a2 = f"{self.command}:{given['uri']}"
        if given.get("qop") == "auth-int":
            a2 += f":{kind(body).hexdigest()}"
        a2 = h(a2)
        if "qop" in query:
            middle = f"{given['nonce']}:{given['nc']}:{given['cnonce']}:{given['qop']}"
            self.count = str(int(given["nc"], 16))
        else:
            middle, self.count = given["nonce"], ""
        name = h(f"{user}:{realm}") if query.get("userhash") == "true" else user
        return (
            scheme == "Digest"
            and given["nonce"] in self.server.nonces
            and given.get("username", name) == name
            and urlsplit(given["uri"]).query == urlsplit(self.path).query
            and given["opaque"] == "o p"
            and given.get("qop", "") in query.get("qop", "")
            and given["response"] == h(f"{a1}:{middle}:{a2}")
        )

    def _send(self, status: int, headers: list[tuple[str, str]], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class DigestServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), DigestHandler)
        self.user = ("user", "secret")
        self.nonces: set[str] = set()
        self.log: list[tuple[str, str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"


@contextlib.contextmanager
def serving() -> Iterator[DigestServer]:
    with DigestServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def server() -> Iterator[DigestServer]:
    with serving() as running:
        yield running


@pytest.fixture
def session() -> Iterator[Session]:
    with Session() as one:
        one.trust_env = False
        yield one


@pytest.mark.parametrize(
    "algorithm",
    [None, "MD5", "md5", "MD5-SESS", "SHA", "SHA-256", "SHA-256-SESS", "SHA-512", "SHA-512-SESS", "SHA-512-256"],
)
@pytest.mark.parametrize("qop", [None, "auth", "auth,auth-int", "auth-int, auth", "auth-int"])
def test_every_algorithm_and_qop(
    server: DigestServer, session: Session, algorithm: str | None, qop: str | None
) -> None:
    """The server's own calculation agrees, and the 401 stays in the history."""
    query = "&".join(f"{name}={value}" for name, value in (("alg", algorithm), ("qop", qop)) if value)
    response = session.get(f"{server.url}?{query}", auth=HTTPDigestAuth("user", "secret"))
    assert (200, b"in", [401]) == (response.status_code, response.content, [r.status_code for r in response.history])


def test_the_nonce_is_used_again(server: DigestServer, session: Session) -> None:
    """The second request needs no challenge, and counts."""
    session.auth = HTTPDigestAuth("user", "secret")
    url = f"{server.url}?qop=auth"
    counts = [session.get(url).headers["X-Count"] for _ in range(3)]
    assert (["1", "2", "3"], 4) == (counts, len(server.log))


def test_a_nonce_that_expired_is_replaced(server: DigestServer, session: Session) -> None:
    """One more challenge, and the count begins again."""
    session.auth = HTTPDigestAuth("user", "secret")
    session.get(f"{server.url}?qop=auth")
    server.nonces.clear()
    assert "1" == session.get(f"{server.url}?qop=auth").headers["X-Count"]


def test_a_wrong_password_is_tried_once(server: DigestServer, session: Session) -> None:
    """The 401 is the answer; nobody is locked out by a loop."""
    response = session.get(server.url, auth=HTTPDigestAuth("user", "wrong"))
    assert (401, 2) == (response.status_code, len(server.log))


@pytest.mark.parametrize("header", ["alg=SHA3-999", "qop=auth-conf"])
def test_a_challenge_that_cannot_be_answered_is_left_alone(server: DigestServer, session: Session, header: str) -> None:
    """An unknown algorithm or protection: the 401 is the answer."""
    response = session.get(f"{server.url}?{header}", auth=HTTPDigestAuth("user", "secret"))
    assert (401, 1) == (response.status_code, len(server.log))


def test_digest_is_found_behind_another_scheme(server: DigestServer, session: Session) -> None:
    """Servers offer Basic and Digest in one header."""
    url = f'{server.url}?qop=auth&before=Basic realm="a, b", '
    assert 200 == session.get(url, auth=HTTPDigestAuth("user", "secret")).status_code


def test_a_hashed_user_name(server: DigestServer, session: Session) -> None:
    """RFC 7616 section 3.4.4: the name does not travel either."""
    url = f"{server.url}?qop=auth&alg=SHA-256&userhash=true"
    assert 200 == session.get(url, auth=HTTPDigestAuth("user", "secret")).status_code
    assert not any(
        "user" in sent.get("Authorization", "").replace("userhash", "").replace("username", "")
        for _, _, sent, _ in server.log
    )


@pytest.mark.parametrize("user", [('q"uo\\te', "p:a:s:s"), ("üser", "päss日本")])
def test_names_and_passwords_of_any_characters(server: DigestServer, session: Session, user: Any) -> None:
    """Quotes are escaped, other text goes as UTF-8 (RFC 8187)."""
    server.user = user
    assert 200 == session.get(f"{server.url}?qop=auth", auth=HTTPDigestAuth(*user)).status_code


@pytest.mark.parametrize("data", [b"bytes", "text", {"a": "b"}, "file", "file at 3"])
def test_the_body_is_sent_again(server: DigestServer, session: Session, data: Any) -> None:
    """From where it stood: the server gets the same twice."""
    if isinstance(data, str) and data.startswith("file"):
        data, at = io.BytesIO(b"0123456789"), 3 if data.endswith("3") else 0
        data.seek(at)
    response = session.post(f"{server.url}?qop=auth", data=data, auth=HTTPDigestAuth("user", "secret"))
    first, second = (body for _, _, _, body in server.log)
    assert (200, True) == (response.status_code, first == second != b"")


@pytest.mark.parametrize("data", [None, b"bytes", "text ü", {"a": "b"}, "file", "file at 3", "text file"])
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256-SESS"])
def test_auth_int_protects_the_body(server: DigestServer, session: Session, algorithm: str, data: Any) -> None:
    """RFC 7616 section 3.4.3: the server hashes the body that came and agrees; the second request is signed at once."""
    given = {
        "file": lambda: io.BytesIO(b"0123456789"),
        "file at 3": lambda: io.BytesIO(b"0123456789"),
        "text file": lambda: io.StringIO("zwölf"),
    }
    auth, sent = HTTPDigestAuth("user", "secret"), []
    for _ in range(2):
        body = given[data]() if isinstance(data, str) and data in given else data
        if data == "file at 3":
            body.seek(3)
        response = session.post(f"{server.url}?qop=auth-int&alg={algorithm}", data=body, auth=auth)
        assert 200 == response.status_code
        sent.append(response.headers["X-Count"])
    assert (["1", "2"], 3) == (sent, len(server.log))
    assert 1 == len({body for _, _, _, body in server.log})


def test_auth_int_with_a_body_that_cannot_be_sent_again(server: DigestServer, session: Session) -> None:
    """Unsigned, for hashing it would use it up; the challenge then ends as it does for any such body."""
    auth = HTTPDigestAuth("user", "secret")
    url = f"{server.url}?qop=auth-int"
    assert session.get(url, auth=auth).ok
    with pytest.raises(UnrewindableBodyError):
        session.post(url, data=iter([b"once"]), headers={"Content-Length": "4"}, auth=auth)
    assert b"once" == server.log[-1][3]
    assert auth.build_digest_header("GET", url) is None


def test_a_body_that_cannot_be_sent_again(server: DigestServer, session: Session) -> None:
    """UnrewindableBodyError instead of an empty body."""
    with pytest.raises(UnrewindableBodyError):
        session.post(
            server.url, data=iter([b"once"]), headers={"Content-Length": "4"}, auth=HTTPDigestAuth("user", "secret")
        )


def test_cookies_of_the_challenge_go_with_the_answer(server: DigestServer, session: Session) -> None:
    """And into the session."""
    session.get(server.url, auth=HTTPDigestAuth("user", "secret"))
    assert [None, "seen=401"] == [sent.get("Cookie") for _, _, sent, _ in server.log]
    assert "401" == session.cookies["seen"]


def test_a_cookie_header_of_the_authors_stays(server: DigestServer, session: Session) -> None:
    """What was written by hand is not replaced."""
    session.get(server.url, headers={"Cookie": "own=1"}, auth=HTTPDigestAuth("user", "secret"))
    assert ["own=1", "own=1"] == [sent.get("Cookie") for _, _, sent, _ in server.log]


def test_a_redirect_may_challenge_anew(server: DigestServer, session: Session) -> None:
    """The limit of one answer counts for each hop."""
    response = session.get(f"{server.url}to?url=/?qop=auth", auth=HTTPDigestAuth("user", "secret"))
    assert 200 == response.status_code


def test_a_challenge_of_another_origin_is_not_answered(server: DigestServer, session: Session) -> None:
    """A redirect does not carry the credentials to whoever asks for them."""
    with serving() as evil:
        response = session.get(f"{server.url}to?url={evil.url}", auth=HTTPDigestAuth("user", "secret"))
        assert 401 == response.status_code
        assert not any("Authorization" in sent for _, _, sent, _ in evil.log)


def test_a_nonce_stays_with_its_origin(server: DigestServer, session: Session) -> None:
    """What one server asked is not answered to another."""
    session.auth = HTTPDigestAuth("user", "secret")
    session.get(server.url)
    with serving() as other:
        assert 200 == session.get(other.url).status_code
        assert "Authorization" not in other.log[0][2]


def test_each_thread_has_its_own_nonces(server: DigestServer, session: Session) -> None:
    """Threads that share an auth do not use each other's counts."""
    session.auth = HTTPDigestAuth("user", "secret")
    outcomes: list[int] = []

    def work() -> None:
        outcomes.extend(session.get(f"{server.url}?qop=auth").status_code for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [200] * 20 == outcomes


def test_streaming(server: DigestServer, session: Session) -> None:
    """The answer's body is left to the caller."""
    with session.get(server.url, auth=HTTPDigestAuth("user", "secret"), stream=True) as response:
        assert b"in" == response.raw.read()


@pytest.mark.parametrize("stream", [False, True])
def test_a_challenge_that_expands_without_end_costs_its_connection(stream: bool) -> None:
    """Nobody asked for its body: what there is of it up to 1 MiB is read for the sake of the connection."""
    bomb = gzip.compress(bytes(64 << 20))
    challenge = ok(bomb, "Content-Encoding: gzip", 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"')
    refusal = challenge.replace(b"200 OK", b"401 No")

    def script(peer: Peer) -> None:
        while (got := peer.request()) is not None:
            peer.send(ok(b"in") if "authorization" in got.headers else refusal)

    tracemalloc.start()
    try:
        with Scripted(script) as server, Session() as session:
            session.trust_env = False
            response = session.get(server.url, auth=HTTPDigestAuth("user", "secret"), stream=stream)
            assert (200, b"in") == (response.status_code, response.content)
            with pytest.raises(BodyTooLarge):
                _ = response.history[0].content
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_a_proxy_may_ask(server: DigestServer, session: Session) -> None:
    """407, for http URLs; the target is in absolute form."""
    proxies = {"http": server.url}
    url = "http://site.example/?status=407&qop=auth"
    response = session.get(url, proxies=proxies, auth=HTTPProxyDigestAuth("user", "secret"))
    assert 200 == response.status_code
    assert f'uri="{url}"' in server.log[-1][2]["Proxy-Authorization"]


def test_a_proxy_is_not_answered_over_https() -> None:
    """There the server would get it."""
    from crawlkit.sessions.models import Request

    prepared = Request("GET", "https://site.example/", auth=HTTPProxyDigestAuth("user", "secret")).prepare()
    assert [] == prepared.hooks["response"]


def test_the_strongest_challenge_is_answered() -> None:
    """RFC 7616 section 3.7."""
    found = strongest(
        parse_challenges(
            'Digest realm="a", nonce="1", algorithm=MD5, Digest realm="a", nonce="2", algorithm=SHA-256, '
            'Digest realm="a", nonce="3", algorithm=UNKNOWN, Basic realm="a"'
        )
    )
    assert found is not None
    assert "2" == found.params["nonce"]
    assert strongest(parse_challenges('Basic realm="a", Digest realm="b"')) is None


def test_it_pickles_without_its_nonces(server: DigestServer, session: Session) -> None:
    """They belong to the thread that got them."""
    auth = HTTPDigestAuth("user", "secret")
    session.get(server.url, auth=auth)
    loaded = pickle.loads(pickle.dumps(auth))  # noqa: S301
    assert (auth, None) == (loaded, loaded.build_digest_header("GET", server.url))
    assert 200 == session.get(server.url, auth=loaded).status_code

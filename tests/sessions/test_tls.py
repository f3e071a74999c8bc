"""TLS: which certificates are believed, which files are named when missing, what is never shared."""

from __future__ import annotations

import datetime
import os
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from urllib3.exceptions import InsecureRequestWarning
from urllib3.util.wait import wait_for_read

from crawlkit.exceptions import ChunkedEncodingError, ConnectTimeout, DeadlineExceeded, ReadTimeout, SSLError
from crawlkit.sessions import tls
from crawlkit.sessions.adapter import HTTPAdapter
from crawlkit.sessions.routes import place_of
from tests.sessions.exchanges import adapter, fetch, prepared
from tests.sessions.scripted import PATIENCE, Peer, Scripted, always, ok


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def bundle(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or ("127.0.0.1", "localhost"))).configure_cert(made)
    return made


@pytest.fixture
def server(authority: trustme.CA) -> Iterator[Scripted]:
    with Scripted(always(ok(b"secret page")), tls=context(authority)) as serving:
        yield serving


def test_a_certificate_of_a_known_authority(server: Scripted, bundle: str) -> None:
    assert b"secret page" == fetch(server.url, verify=bundle).content
    assert b"secret page" == fetch(server.url, verify=Path(bundle)).content


def test_a_folder_of_authorities(server: Scripted, authority: trustme.CA, tmp_path: Path) -> None:
    """By the names that `openssl rehash` gives, as in /etc/ssl/certs."""
    pem = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(pem))
    if shutil.which("openssl") is None:
        pytest.skip("the openssl command is not installed")
    words = ["openssl", "x509", "-noout", "-subject_hash", "-in", str(pem)]
    name = subprocess.run(words, capture_output=True, check=True, text=True).stdout.strip()
    pem.rename(tmp_path / f"{name}.0")
    assert b"secret page" == fetch(server.url, verify=str(tmp_path)).content


def test_an_unknown_authority_is_refused(server: Scripted) -> None:
    with pytest.raises(SSLError, match=f"GET {server.url}/: the certificate is not trusted"):
        fetch(server.url)
    assert [] == server.requests


@pytest.mark.parametrize("verify", [None, 0, "", 1])
def test_only_false_itself_turns_verifying_off(server: Scripted, verify: object) -> None:
    """A value that happens to be false must not."""
    with pytest.raises(SSLError):
        fetch(server.url, verify=verify)


def test_a_certificate_for_another_host_is_refused(authority: trustme.CA, bundle: str) -> None:
    with (
        Scripted(always(ok()), tls=context(authority, "other.example")) as server,
        pytest.raises(SSLError, match="not trusted"),
    ):
        fetch(server.url, verify=bundle)
    assert [] == server.requests


def test_an_expired_certificate_is_refused(authority: trustme.CA, bundle: str) -> None:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    authority.issue_cert("127.0.0.1", not_before=past, not_after=past + datetime.timedelta(1)).configure_cert(made)
    with Scripted(always(ok()), tls=made) as server, pytest.raises(SSLError, match="expired"):
        fetch(server.url, verify=bundle)


def test_a_connection_without_verifying_warns_once_in_urllib3s_category(server: Scripted, bundle: str) -> None:
    with adapter() as sender:
        with pytest.warns(InsecureRequestWarning, match=rf"certificate of {server.netloc} .*verify=") as caught:
            for _ in range(3):
                sender.send(prepared(server.url), timeout=10, verify=False)
        assert 1 == len(caught)
        sender.send(prepared(server.url), timeout=10, verify=bundle)
        with pytest.warns(InsecureRequestWarning):
            fetch(server.url, verify=False)


@pytest.mark.filterwarnings("error::urllib3.exceptions.InsecureRequestWarning")
def test_a_warning_that_is_an_error_leaves_no_connection_behind(server: Scripted) -> None:
    with adapter() as sender:
        with pytest.raises(InsecureRequestWarning):
            sender.send(prepared(server.url), timeout=10, verify=False)
        assert 0 == sender.pool.counts().idle
        assert [] == server.requests


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_unverified_connections_are_never_used_for_verified_requests(server: Scripted, bundle: str) -> None:
    """CVE-2024-35195, and the other way round, and for each client certificate and bundle apart."""
    with adapter() as sender:
        assert 200 == sender.send(prepared(server.url), timeout=10, verify=False).status_code
        with pytest.raises(SSLError):
            sender.send(prepared(server.url), timeout=10)
        assert 200 == sender.send(prepared(server.url), timeout=10, verify=bundle).status_code
        assert 200 == sender.send(prepared(server.url), timeout=10, verify=False).status_code
        assert 3 == server.opened
        assert 3 == len(server.requests)
        assert 2 == sender.pool.counts().idle


def test_connections_with_tls_are_used_again(server: Scripted, bundle: str) -> None:
    """Session tickets that arrive after the handshake are no bytes that nobody asked for."""
    with adapter() as sender:
        for _ in range(5):
            assert b"secret page" == sender.send(prepared(server.url), timeout=10, verify=bundle).content
        assert 1 == server.opened


def test_tickets_that_arrive_on_an_idle_connection_do_not_end_it(authority: trustme.CA, bundle: str) -> None:
    """TLS 1.3 tickets come when the server first writes; here, alone, after the answer was read."""

    def script(peer: Peer) -> None:
        while peer.request() is not None:
            peer.send(ok())

    serving = context(authority)
    serving.num_tickets = 4
    with Scripted(script, tls=serving) as server, adapter() as sender:
        for _ in range(3):
            _ = sender.send(prepared(server.url), timeout=10, verify=bundle).content
            time.sleep(0.02)
        assert 1 == server.opened


def test_what_is_tlss_own_leaves_an_idle_connection_clean(authority: trustme.CA, bundle: str) -> None:
    """Tickets that wait to be read, as after a handshake without a request, are no unasked-for answer; data is."""
    go = threading.Event()

    def script(peer: Peer) -> None:
        assert go.wait(PATIENCE)
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        peer.more()

    with Scripted(script, tls=context(authority)) as server, adapter() as sender:
        key = sender._key(prepared(server.url), place_of(server.url), bundle, None, None)
        wire = sender.pool.lease(key, sender.pool.share())
        wire.open(None)
        assert wait_for_read(wire.sock, PATIENCE)
        assert wire.is_clean()
        assert wire.is_clean()
        go.set()
        assert wait_for_read(wire.sock, PATIENCE)
        assert not wire.is_clean()
        sender.pool.release(wire, keep=False)


def test_a_client_certificate_is_shown(authority: trustme.CA, bundle: str, tmp_path: Path) -> None:
    client = authority.issue_cert("client@example.org")
    both, alone, key = (str(tmp_path / name) for name in ("both.pem", "cert.pem", "key.pem"))
    client.private_key_and_cert_chain_pem.write_to_path(both)
    client.cert_chain_pems[0].write_to_path(alone)
    client.private_key_pem.write_to_path(key)
    serving = context(authority)
    serving.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(serving)
    seen: list[Any] = []

    def script(peer: Peer) -> None:
        seen.append(peer.sock.getpeercert()["subjectAltName"])
        always(ok())(peer)

    with Scripted(script, tls=serving) as server:
        for cert in (both, (alone, key), [alone, key], (both, None), Path(both)):
            assert b"ok" == fetch(server.url, verify=bundle, cert=cert).content
        assert [(("email", "client@example.org"),)] * 5 == seen
        with pytest.raises(OSError):
            fetch(server.url, verify=bundle)


@pytest.mark.parametrize(
    ("sending", "message"),
    [
        ({"verify": "/nowhere/ca.pem"}, r"verify=.*check the path: '/nowhere/ca\.pem'"),
        ({"cert": "/nowhere/cert.pem"}, r"cert=.*'/nowhere/cert\.pem'"),
        ({"cert": ("/nowhere/cert.pem", "/nowhere/key.pem")}, r"cert=.*'/nowhere/cert\.pem'"),
    ],
)
def test_a_missing_file_is_named(server: Scripted, sending: dict[str, Any], message: str) -> None:
    """An OSError, as with requests; and the connection's place is given back."""
    with adapter(per_host=1) as sender:
        for _ in range(2):
            with pytest.raises(FileNotFoundError, match=message):
                sender.send(prepared(server.url), timeout=10, **sending)
        assert (0, 0, 0) == sender.pool.counts()[:3]
        assert 0 == server.opened


def test_a_file_without_certificates_is_a_tls_error(server: Scripted, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing here")
    for sending in ({"verify": str(empty)}, {"cert": str(empty), "verify": False}):
        with pytest.raises(SSLError):
            fetch(server.url, **sending)


def test_an_encrypted_key_is_refused_instead_of_asked_for(server: Scripted, bundle: str, tmp_path: Path) -> None:
    """OpenSSL would ask on the terminal, and a cron job would hang."""
    client = trustme.CA().issue_cert("client.example")
    key = serialization.load_pem_private_key(client.private_key_pem.bytes(), None)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"password"),
        )
        + client.cert_chain_pems[0].bytes()
    )
    with pytest.raises(SSLError, match="encrypted") as caught:
        fetch(server.url, verify=bundle, cert=str(locked))
    assert f"GET {server.url}/: TLS failed: the client certificate's key" in str(caught.value)
    assert "('" not in str(caught.value)


@pytest.mark.parametrize("cert", [("a", "b", "c"), 5])
def test_what_is_no_certificate(server: Scripted, cert: object) -> None:
    with pytest.raises(ValueError, match="cert="):
        fetch(server.url, cert=cert)


def test_tls_to_a_port_that_speaks_http() -> None:
    def script(peer: Peer) -> None:
        peer.more()
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with Scripted(script) as plain, pytest.raises(SSLError, match=f"127.0.0.1:{plain.port}"):
        fetch(plain.url.replace("http:", "https:"))


def test_a_silent_handshake_ends_with_the_connect_timeout() -> None:
    def script(peer: Peer) -> None:
        while peer.more():
            pass

    with Scripted(script) as server:
        url = server.url.replace("http:", "https:")
        begun = time.monotonic()
        with pytest.raises(ConnectTimeout):
            fetch(url, timeout=(0.2, 10))
        with pytest.raises(DeadlineExceeded):
            fetch(url, timeout=10, deadline=time.monotonic() + 0.2)
        assert time.monotonic() - begun < 3


def test_times_and_cut_offs_are_the_same_with_tls(authority: trustme.CA, bundle: str) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        if peer.number == 0:
            peer.more()

    with Scripted(script, tls=context(authority)) as server:
        with pytest.raises(ReadTimeout):
            fetch(server.url, timeout=(PATIENCE, 0.2), verify=bundle)
        with pytest.raises(ChunkedEncodingError):
            fetch(server.url, timeout=PATIENCE, verify=bundle)


def test_large_bodies_both_ways_with_tls(authority: trustme.CA, bundle: str) -> None:
    large = os.urandom(1000) * 3000
    with Scripted(always(ok(large)), tls=context(authority)) as server:
        assert large == fetch(server.url, "POST", data=large, verify=bundle).content
        assert large == server.requests[0].body


def test_a_refusal_during_an_upload_with_tls(authority: trustme.CA, bundle: str) -> None:
    def script(peer: Peer) -> None:
        peer.head()
        peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
        while peer.more():
            pass

    with Scripted(script, tls=context(authority)) as server:
        assert 413 == fetch(server.url, "POST", data=b"x" * 20_000_000, verify=bundle).status_code


# --- contexts ---------------------------------------------------------------------------------------------------------


def test_contexts_are_made_once_and_again_when_a_file_changes(bundle: str, tmp_path: Path) -> None:
    assert tls.context_for(tls.settings(True, None)) is tls.context_for(tls.VERIFIED)
    copy = tmp_path / "ca.pem"
    copy.write_bytes(Path(bundle).read_bytes())
    chosen = tls.settings(str(copy), None)
    first = tls.context_for(chosen)
    assert first is tls.context_for(chosen)
    copy.write_bytes(Path(bundle).read_bytes() + b"\n")
    assert first is not tls.context_for(chosen)


def test_contexts_verify_and_are_modern() -> None:
    context = tls.context_for(tls.VERIFIED)
    assert (ssl.CERT_REQUIRED, True) == (context.verify_mode, context.check_hostname)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    loose = tls.context_for(tls.settings(False, None))
    assert (ssl.CERT_NONE, False) == (loose.verify_mode, loose.check_hostname)


def test_certifi_stands_in_where_a_system_has_no_authorities(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    empty = tmp_path / "certs"
    empty.mkdir()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "absent.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(empty))
    monkeypatch.setattr(tls, "_contexts", {})
    assert tls.context_for(tls.VERIFIED).cert_store_stats()["x509_ca"] > 50


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_an_adapters_own_context_is_used(server: Scripted, authority: trustme.CA) -> None:
    """The way programs written for requests choose ciphers or authorities."""
    own = ssl.create_default_context()
    authority.configure_trust(own)

    class Own(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, ssl_context=own, **kwargs)

    sender = Own()
    assert 200 == sender.send(prepared(server.url), timeout=10).status_code
    assert 200 == sender.send(prepared(server.url), timeout=10, verify=False).status_code
    assert 2 == server.opened
    # Turning verifying off for one request must not turn it off in the program's context.
    assert (ssl.CERT_REQUIRED, True) == (own.verify_mode, own.check_hostname)
    sender.close()


def test_the_certificate_is_checked_against_another_name_on_request(authority: trustme.CA, bundle: str) -> None:
    class Named(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, assert_hostname="other.example", server_hostname="other.example", **kwargs)

    with Scripted(always(ok()), tls=context(authority, "other.example")) as server:
        sender = Named()
        assert 200 == sender.send(prepared(server.url), timeout=10, verify=bundle).status_code
        sender.close()


def test_a_certificate_is_not_in_the_settings_repr() -> None:
    assert "key.pem" not in repr(tls.settings(True, ("cert.pem", "key.pem")))

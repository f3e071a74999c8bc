"""The environment: proxies of a URL, hosts without one, certificates, netrc; beside requests where it is the
judge.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests.utils

from crawlkit.sessions import netrc
from crawlkit.sessions.environment import (
    ca_bundle,
    get_environ_proxies,
    resolve_proxies,
    select_proxy,
    should_bypass_proxies,
)
from crawlkit.sessions.netrc import get_netrc_auth
from crawlkit.sessions.variables import undecoded


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of the machine that runs the tests."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name in (
            "NETRC",
            "REQUESTS_CA_BUNDLE",
            "CURL_CA_BUNDLE",
            "REQUEST_METHOD",
        ):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


# --- the proxy of a URL -------------------------------------------------------------------------------------

ALL_KEYS = {
    "http": "http://http.proxy",
    "http://some.host": "http://some.host.proxy",
    "all": "socks5://http.proxy",
    "all://some.all.host": "socks5://some.host.proxy",
}
SELECT: list[tuple[str, dict[str, str] | None]] = [
    ("http://u:p@Some.Host/path", ALL_KEYS),
    ("http://u:p@Other.Host/path", ALL_KEYS),
    ("hTTp://u:p@Some.Host/path", ALL_KEYS),
    ("hTTps://Other.Host/", {"http": "x"}),
    ("http+unix:///path", ALL_KEYS),
    ("https://other.host/", ALL_KEYS),
    ("https://some.all.host/", ALL_KEYS),
    ("http://some.all.host/", ALL_KEYS),
    ("file:///etc/motd", {"file": "x", "all": "y"}),
    ("file:///etc/motd", {"all": "y"}),
    ("http://h/", {}),
    ("http://h/", None),
    ("http://[::1]:80/", {"http://::1": "six", "http": "x"}),
]


@pytest.mark.parametrize(("url", "proxies"), SELECT)
def test_the_key_that_says_most_wins(url: str, proxies: dict[str, str] | None) -> None:
    """scheme://host, scheme, all://host, all; as requests."""
    assert requests.utils.select_proxy(url, proxies) == select_proxy(url, proxies)


# --- hosts without a proxy ----------------------------------------------------------------------------------

NO_PROXY = "192.168.0.0/24,127.0.0.1,localhost.localdomain,172.16.1.1, .example.org,google.com:6000,UPPER.example"
BYPASS = [
    "http://192.168.0.1:5000/",
    "http://192.168.0.1/",
    "http://192.168.1.1:5000/",
    "http://192.168.1.1/",
    "http://172.16.1.1/",
    "http://172.16.1.1:5000/",
    "http://172.16.1.12/",
    "http://127.0.0.1/",
    "http://localhost.localdomain:5000/v1.0/",
    "http://a.localhost.localdomain/",
    "http://notlocalhost.localdomain/",
    "http://example.org/",
    "http://www.example.org/",
    "http://notexample.org/",
    "http://example.org.evil.example/",
    "http://google.com:6000/",
    "http://www.google.com:6000/",
    "http://google.com:5000/v1.0/",
    "http://google.com/",
    "http://upper.example/",
    "http://UPPER.EXAMPLE/",
    "https://user:pass@example.org/",
    "file:///some/path/on/disk",
]


@pytest.mark.parametrize("url", BYPASS)
@pytest.mark.parametrize("how", ["given", "lower", "upper"])
def test_no_proxy_as_requests(url: str, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names and their subdomains, ports, addresses, networks; from the argument or the environment."""
    given = NO_PROXY if how == "given" else None
    if how != "given":
        monkeypatch.setenv("no_proxy" if how == "lower" else "NO_PROXY", NO_PROXY)
    assert requests.utils.should_bypass_proxies(url, no_proxy=given) == should_bypass_proxies(url, given)


@pytest.mark.parametrize(
    ("url", "no_proxy", "expected"),
    [
        ("http://anything/", "*", True),
        ("http://[fd00::1]/", "fd00::/8", True),
        ("http://[fe80::1]/", "fd00::/8", False),
        ("http://[::1]:8080/", "[::1]:8080", True),
        ("http://[::1]/", "::1", True),
        ("http://10.0.0.1:81/", "10.0.0.1:81", True),
        ("http://10.0.0.1:82/", "10.0.0.1:81", False),
        ("http://example.org./", "example.org", True),
        ("http://example.org/", "example.org.", True),
        ("http://example.org./", ".example.org.", True),
        ("http://example.org:8080/", ".Example.org:8080", True),
        ("http://anything/", "127.0.0.1, *", True),
        ("http://example.org/", "", False),
        ("http://example.org/", " , ,", False),
        ("http://10.0.0.1/", "10.0.0.0/99", False),
        ("http://10.0.0.1/", "0.0.1", False),
    ],
)
def test_no_proxy_beyond_requests(url: str, no_proxy: str, expected: bool) -> None:
    """IPv6, networks of it, addresses with a port, a trailing dot; nonsense matches nothing."""
    assert expected == should_bypass_proxies(url, no_proxy)


def test_lower_case_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even when it is empty: that is how a shell undoes the other."""
    monkeypatch.setenv("NO_PROXY", "example.org")
    assert should_bypass_proxies("http://example.org/")
    monkeypatch.setenv("no_proxy", "other.example")
    assert not should_bypass_proxies("http://example.org/")
    monkeypatch.setenv("no_proxy", "")
    assert not should_bypass_proxies("http://example.org/")
    monkeypatch.setenv("http_proxy", "http://lower")
    monkeypatch.setenv("HTTP_PROXY", "http://upper")
    assert {"http": "http://lower"} == get_environ_proxies("http://a.example/")


def test_the_environments_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """None without variables, none for what NO_PROXY names, otherwise as requests has them."""
    assert {} == get_environ_proxies("http://a.example/")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:1")
    monkeypatch.setenv("all_proxy", "socks5://proxy:2")
    assert requests.utils.get_environ_proxies("http://a.example/") == get_environ_proxies("http://a.example/")
    monkeypatch.setenv("no_proxy", "a.example")
    assert {} == get_environ_proxies("http://a.example/")
    assert {} == get_environ_proxies("http://b.example/", no_proxy="b.example")
    assert get_environ_proxies("http://a.example/", no_proxy="b.example")


def test_a_client_cannot_set_the_proxy_of_a_cgi_script(monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP_PROXY there is the header `Proxy:` (httpoxy, CVE-2016-1000110)."""
    monkeypatch.setenv("HTTP_PROXY", "http://evil")
    monkeypatch.setenv("REQUEST_METHOD", "GET")
    assert "http" not in get_environ_proxies("http://a.example/")


RESOLVE: list[tuple[str, Any, bool]] = [
    ("http://a.example/", None, True),
    ("https://a.example/", None, True),
    ("http://a.example/", {"http": "own"}, True),
    ("http://a.example/", {"no_proxy": "a.example"}, True),
    ("http://a.example/", None, False),
    ("http://a.example/", {"http": "own"}, False),
    ("http://excluded.example/", None, True),
    ("http://excluded.example/", {"http": "own"}, True),
]


@pytest.mark.parametrize(("url", "proxies", "trust_env"), RESOLVE)
def test_resolving_as_requests(url: str, proxies: Any, trust_env: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's proxy for the scheme, else its `all`, where the caller names none."""
    monkeypatch.setenv("http_proxy", "http://environment")
    monkeypatch.setenv("all_proxy", "http://everything")
    monkeypatch.setenv("no_proxy", "excluded.example")
    request: Any = SimpleNamespace(url=url)
    assert requests.utils.resolve_proxies(request, proxies, trust_env) == resolve_proxies(request, proxies, trust_env)


def test_variables_are_asked_as_they_are_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """The short way to the environment and the long one agree."""
    assert undecoded("HTTP_PROXY") is None
    monkeypatch.setenv("HTTP_PROXY", "x")
    assert undecoded("HTTP_PROXY") in ("x", b"x")
    monkeypatch.setattr(os, "environ", {"HTTP_PROXY": "replaced"})
    assert "replaced" == undecoded("HTTP_PROXY")


# --- certificates -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("requests_bundle", "curl_bundle", "expected"),
    [
        (None, None, None),
        ("/r", None, "/r"),
        (None, "/c", "/c"),
        ("/r", "/c", "/r"),
        ("", "/c", "/c"),
        ("", "", None),
    ],
)
def test_certificates(
    requests_bundle: str | None, curl_bundle: str | None, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REQUESTS_CA_BUNDLE, then CURL_CA_BUNDLE; an empty one is none."""
    for name, value in (("REQUESTS_CA_BUNDLE", requests_bundle), ("CURL_CA_BUNDLE", curl_bundle)):
        if value is not None:
            monkeypatch.setenv(name, value)
    assert expected == ca_bundle()


# --- netrc --------------------------------------------------------------------------------------------------

NETRC = """
machine example.org login user password hunter2
machine account.example account acc password pw
machine nopassword.example login only
"""
HOSTS = [
    "http://example.org/",
    "https://example.org:8443/path?q=1",
    "http://EXAMPLE.org/",
    "http://www.example.org/",
    "http://other.example/",
    "http://account.example/",
    "http://nopassword.example/",
    b"http://example.org/",
    "http://user:pass@example.org/",
    "mailto:a@example.org",
    "not a url",
    "",
]


@pytest.fixture
def entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "netrc-file"
    path.write_text(NETRC)
    path.chmod(0o600)
    monkeypatch.setenv("NETRC", str(path))
    return path


@pytest.mark.parametrize("url", HOSTS)
def test_netrc_as_requests(url: Any, entries: Path) -> None:
    """The entry of the host, by its name."""
    assert requests.utils.get_netrc_auth(url) == get_netrc_auth(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org:@evil.example/",
        "http://example.org@evil.example/",
        "http://evil.example\\@example.org/",
        "http://evil.example/@example.org",
        "http://evil.example#@example.org/",
    ],
)
def test_no_url_gets_the_credentials_of_another_host(url: str, entries: Path) -> None:
    """CVE-2024-47081, and URLs that two parsers read differently."""
    assert get_netrc_auth(url) is None


def test_netrc_in_the_home_folder(tmp_path: Path) -> None:
    """~/.netrc before ~/_netrc; found as soon as it is there, read again when it changes."""
    url = "http://example.org/"
    assert get_netrc_auth(url) is None
    (tmp_path / "_netrc").write_text("machine example.org login under password score")
    assert ("under", "score") == get_netrc_auth(url)
    (tmp_path / ".netrc").write_text("machine example.org login first password one")
    (tmp_path / ".netrc").chmod(0o600)
    assert ("first", "one") == get_netrc_auth(url)
    (tmp_path / ".netrc").write_text("machine example.org login second password longer")
    assert ("second", "longer") == get_netrc_auth(url)


def test_a_home_without_netrc_is_remembered_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One look at the folder instead of two at its files, before every request."""
    old = time.time() - 3600
    os.utime(tmp_path, (old, old))
    assert get_netrc_auth("http://example.org/") is None
    assert (str(tmp_path), os.stat(tmp_path).st_mtime_ns) in netrc._without.values()
    (tmp_path / ".netrc").write_text("machine example.org login a password b")
    assert ("a", "b") == get_netrc_auth("http://example.org/")


def test_a_file_that_cannot_be_parsed_counts_as_empty(entries: Path) -> None:
    """Unless the caller wants to know."""
    entries.write_text("machine example.org nonsense")
    assert get_netrc_auth("http://example.org/") is None
    with pytest.raises(Exception, match="nonsense"):
        get_netrc_auth("http://example.org/", raise_errors=True)


def test_a_file_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """$NETRC names it, so no other is looked for."""
    (tmp_path / ".netrc").write_text("machine example.org login a password b")
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    assert get_netrc_auth("http://example.org/") is None

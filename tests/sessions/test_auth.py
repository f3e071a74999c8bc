"""Basic and proxy auth, and the class to derive one's own from. (Preparing with auth: test_prepared.py.)"""

from __future__ import annotations

import pickle
from typing import Any

import pytest
import requests.auth

from crawlkit.sessions.auth import AuthBase, HTTPBasicAuth, HTTPProxyAuth, _basic_auth_str
from crawlkit.sessions.digest import HTTPDigestAuth, HTTPProxyDigestAuth
from crawlkit.sessions.models import Request
from crawlkit.sessions.prepared import PreparedRequest

PAIRS: list[Any] = [
    ("user", "pass"),
    ("", ""),
    ("user", "p:a:s:s"),
    ("üser", "päss"),
    (b"user", b"pass"),
    (b"\xff", "mixed"),
    ("long" * 40, "longer" * 40),
]


@pytest.mark.parametrize("pair", PAIRS)
def test_basic_as_requests(pair: Any) -> None:
    """The same header's value."""
    assert requests.auth._basic_auth_str(*pair) == _basic_auth_str(*pair)


def test_numbers_are_deprecated() -> None:
    """They work as in requests, and warn without showing the password."""
    with pytest.warns(DeprecationWarning, match="password") as caught:
        assert "Basic dXNlcjoxMjM0NQ==" == _basic_auth_str("user", 12345)
    assert not any("12345" in str(warning.message) for warning in caught)


def test_proxy_auth_has_a_header_of_its_own() -> None:
    """The server's Authorization is left alone."""
    prepared = Request("GET", "http://example.org/", auth=HTTPProxyAuth("user", "pass")).prepare()
    assert {"Proxy-Authorization": "Basic dXNlcjpwYXNz"} == dict(prepared.headers)


def test_equality_goes_by_name_and_password() -> None:
    """As in requests."""
    assert HTTPBasicAuth("a", "b") == HTTPBasicAuth("a", "b")
    assert HTTPBasicAuth("a", "b") != HTTPBasicAuth("a", "c")
    assert HTTPBasicAuth("a", "b") != "a"
    assert 1 == len({HTTPBasicAuth("a", "b"), HTTPBasicAuth("a", "b")})


@pytest.mark.parametrize("kind", [HTTPBasicAuth, HTTPProxyAuth, HTTPDigestAuth, HTTPProxyDigestAuth])
def test_an_auth_pickles_and_hides_its_password(kind: Any) -> None:
    """A session pickles, and its auth is part of it."""
    auth = kind("user", "hunter2")
    assert auth == pickle.loads(pickle.dumps(auth))  # noqa: S301
    assert f"<{kind.__name__} 'user'>" == repr(auth)


def test_one_of_ones_own() -> None:
    """Any callable signs; one that forgot to say how is told."""

    class Token(AuthBase):
        def __call__(self, r: PreparedRequest) -> PreparedRequest:
            r.headers["X-Token"] = "t"
            return r

    assert "t" == Request("GET", "http://example.org/", auth=Token()).prepare().headers["X-Token"]
    with pytest.raises(NotImplementedError, match="AuthBase"):
        Request("GET", "http://example.org/", auth=AuthBase()).prepare()
    with pytest.raises(TypeError, match="pair"):
        Request("GET", "http://example.org/", auth="user:pass").prepare()

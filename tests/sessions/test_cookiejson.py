"""Cookies as JSON: what extensions and drivers of browsers write, and what we write for them."""

from __future__ import annotations

import json

import pytest

from crawlkit.exceptions import UsageError
from crawlkit.sessions.cookie import Cookie
from crawlkit.sessions.cookiejson import format_cookie_json, parse_cookie_json

# Cookie-Editor and EditThisCookie.
EDITOR = """[
 {"domain": ".example.com", "expirationDate": 4102444800.5, "hostOnly": false, "httpOnly": true, "name": "all",
  "path": "/", "sameSite": "no_restriction", "secure": true, "session": false, "storeId": "0", "value": "1", "id": 1},
 {"domain": "www.example.com", "hostOnly": true, "httpOnly": false, "name": "sid", "path": "/a", "sameSite": "lax",
  "secure": false, "session": true, "storeId": null, "value": "Jürgen"},
 {"domain": "example.org", "hostOnly": false, "name": "below", "value": "", "sameSite": "unspecified"}
]"""
# Playwright's storage state.
PLAYWRIGHT = """{"cookies": [
 {"name": "sid", "value": "x", "domain": "www.example.com", "path": "/", "expires": -1, "httpOnly": true,
  "secure": true, "sameSite": "Strict"},
 {"name": "all", "value": "y", "domain": ".example.com", "path": "/", "expires": 4102444800, "secure": false,
  "sameSite": "None"}
], "origins": []}"""


def test_extensions() -> None:
    everywhere, sid, below = parse_cookie_json(EDITOR)
    assert ("example.com", False, "/", "all") == everywhere.key
    assert (4_102_444_800, True, True, "None") == (
        everywhere.expires,
        everywhere.secure,
        everywhere.httponly,
        everywhere.samesite,
    )
    assert ("www.example.com", True, "/a", "sid") == sid.key
    assert (None, "Lax", "Jürgen".encode().decode("latin-1")) == (sid.expires, sid.samesite, sid.value)
    assert (("example.org", False, "/", "below"), None) == (below.key, below.samesite)


def test_drivers() -> None:
    """Without `hostOnly` a dot first says that hosts under it count too."""
    sid, everywhere = parse_cookie_json(PLAYWRIGHT)
    assert (True, None, True, "Strict") == (sid.host_only, sid.expires, sid.httponly, sid.samesite)
    assert (False, 4_102_444_800, "None") == (everywhere.host_only, everywhere.expires, everywhere.samesite)


def test_what_is_written_is_read_again() -> None:
    cookies = parse_cookie_json(EDITOR)
    again = parse_cookie_json(format_cookie_json([*cookies, Cookie("free", "1", "")]))
    assert [(c.key, c.value, c.expires, c.secure, c.httponly, c.samesite) for c in cookies] == [
        (c.key, c.value, c.expires, c.secure, c.httponly, c.samesite) for c in again
    ]
    assert "Jürgen" == json.loads(format_cookie_json(cookies))[1]["value"]
    assert (
        "\xff"
        == parse_cookie_json(format_cookie_json([Cookie("raw", "\xc3\xbf", "e.example")]))[0]
        .value.encode("latin-1")
        .decode()
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[\n{"name": "s3cret",\n]', "line 3: this is no JSON"),
        ('{"s3cret": 1}', "no list of cookies"),
        ("7", "no list of cookies"),
        ("[" * 100_000, "nested too deep"),
        ('[{"name": "a", "value": "s3cret", "domain": "e.example"}, "s3cret"]', "cookie 2: it is no object"),
        ('[{"name": "a", "value": "s3cret"}]', "cookie 1: 'domain' is missing"),
        ('[{"name": "a", "value": 7, "domain": "e.example"}]', "cookie 1: 'value' is no text"),
        ('[{"name": "a", "value": "s3cret", "domain": "."}]', "cookie 1: there is no domain"),
        ('[{"name": "a", "value": "s3cret\\n", "domain": "e.example"}]', "cookie 1: there is a control character"),
        ('[{"name": "a", "value": "s", "domain": "e.example", "expires": "s3cret"}]', "cookie 1: its expiry"),
        ('[{"name": "a", "value": "s", "domain": "e.example", "expires": 1e300}]', "cookie 1: its expiry"),
    ],
)
def test_what_is_broken_is_told_and_not_shown(text: str, problem: str) -> None:
    with pytest.raises(UsageError, match=f"^c.json.*{problem}") as caught:
        parse_cookie_json(text, name="c.json")
    assert "s3cret" not in str(caught.value)

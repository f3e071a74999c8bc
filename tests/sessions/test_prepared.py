"""Preparing: URL, params, headers, cookies, auth and method, as requests does and where it differs."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
import requests

from crawlkit import Request as Spec
from crawlkit import Session
from crawlkit.exceptions import InvalidHeader, InvalidURL, MissingSchema
from crawlkit.sessions.auth import HTTPBasicAuth
from crawlkit.sessions.models import Request
from crawlkit.sessions.prepared import PreparedRequest
from tests.sessions.side_by_side import by_both

URLS: list[Any] = [
    "http://example.org",
    "http://example.org/",
    "//example.org/",
    "http://a..example.org/",
    f"http://{'a' * 64}.org/",
    f"http://{'ü' * 64}.org/",
    "http://ü.。org/",
    "https://example.org/a/b?c=d#e",
    "  http://example.org/leading",
    "http://example.org/trailing ",
    "HTTP://EXAMPLE.org/Path",
    "http://example.org:80/",
    "https://example.org:443/a",
    "http://example.org:8080/a",
    "http://example.org:0/a",
    "http://example.org:/a",
    "http://example.org:65535/",
    "http://example.org:65536/",
    "http://example.org:99999/",
    "http://example.org:x/",
    "http://example.org/a/../b/./c",
    "http://example.org/a/..",
    "http://example.org/.",
    "http://example.org/..",
    "http://example.org/a/.hidden/..b",
    "http://example.org//double//slash",
    "http://example.org/a b",
    "http://example.org/a%20b",
    "http://example.org/%7Euser/%41%2d%2E%5f",
    "http://example.org/%7euser%2Fslash%2fslash",
    "http://example.org/100%",
    "http://example.org/%zz/%41",
    "http://example.org/%4/x",
    "http://example.org/%e4%F6%C3",
    "http://example.org/ü/日本?q=é#ß",
    "http://example.org/a?b=c d&e=f+g",
    "http://example.org/a?b=[1]&c={2}&d=|^`\\",
    "http://example.org/a?\"<>'",
    "http://example.org/a;p=1?q=2;r=3",
    "http://example.org/?",
    "http://example.org/#",
    "http://example.org?q=1",
    "http://example.org#frag",
    "http://example.org/a#b#c",
    "http://example.org/a?b?c=d",
    "http://example.org/[brackets]",
    "http://example.org/back\\slash",
    "http://example.org\\@evil.example/",
    "http://example.org/tab\there",
    "http://example.org/line\nbreak",
    "http://exam ple.org/",
    "http://exam\nple.org/",
    "http://exam%0aple.org/",
    "http://exam%41ple.org/",
    "http://user:pass@example.org/",
    "http://user@example.org/",
    "http://:pass@example.org/",
    "http://us%20er:p%40ss@example.org/",
    "http://a@b:c@example.org/",
    "http://bücher.example/straße",
    "http://BÜCHER.example/",
    "http://straße.example/",
    "http://xn--bcher-kva.example/",
    "http://ジェーピーニック.jp/",
    "http://пример.испытание:8080/x",
    "http://user:pass@bücher.example/",
    "http://☃.net/",
    "http://*.example.org/",
    "http://*",
    "http://.example.org/",
    "http://.bücher.example/",
    "http://*.bücher.example/",
    "http://a_b.example/",
    "http://example.org./",
    "http://example..org/",
    "http://127.0.0.1:8000/x",
    "http://[::1]/x",
    "http://[2001:DB8::1]:8080/x",
    "http://[fe80::1%25eth0]/",
    "http://[::1",
    "http://",
    "http:///path",
    "http:/one/slash",
    "http:example.org",
    "https:",
    "//example.org/x",
    "example.org",
    "example.org/path",
    "bücher.example/path",
    "hiwpefhipowhefopw",
    "localhost:3128",
    "localhost.localdomain:3128/",
    "10.122.1.1:3128/",
    "",
    "mailto:user@example.org",
    "data:text/plain,hello world",
    "ftp://example.org/a b",
    "file:///etc/passwd",
    "http+unix://%2Fvar%2Frun%2Fsocket/path%7E",
    "httpx://example.org/a b",
    "javascript:alert(1)",
    b"http://example.org/bytes",
    "http://example.org/bytes/ü".encode(),
    "http://example.org/?q=%2B%20%26%3D%23",
    "http://example.org/?q=%2b%7e%41",
    "http://example.org/~a-b_c.d!$&'()*+,;=:@",
    "http://example.org/a%00b",
    "http://example.org/\x7f",
    "http://example.org/a%C3%BC?b=%C3%BC",
    "http://1.2.3/",
    "http://example.org:080/",
    "http://EXAMPLE.org:8080/%C3%bc",
]

PARAMS: list[tuple[str, Any]] = [
    ("http://example.org/", {"a": "b"}),
    ("http://example.org", {"a": "b"}),
    ("http://example.org/p?x=1", {"a": "b"}),
    ("http://example.org/p?", {"a": "b"}),
    ("http://example.org/p#frag", {"a": "b"}),
    ("http://example.org/p?x=1#frag", {"a": "b"}),
    ("http://example.org/", {}),
    ("http://example.org/?x", {}),
    ("http://example.org/", None),
    ("http://example.org/", {"a": None}),
    ("http://example.org/", {"a": None, "b": "1"}),
    ("http://example.org/", {"a": ["1", "2"]}),
    ("http://example.org/", {"a": ["1", None, "2"]}),
    ("http://example.org/", {"a": ("x", "y"), "b": []}),
    ("http://example.org/", {"a": 1, "b": 2.5, "c": True}),
    ("http://example.org/", {1: 2}),
    ("http://example.org/", {"ä": "ö", "日": "本"}),
    ("http://example.org/", {"a b": "c&d=e+f/g?h#i"}),
    ("http://example.org/", {"q": "~-._"}),
    ("http://example.org/", {"q": "%20%"}),
    ("http://example.org/", {b"key": b"value"}),
    ("http://example.org/", {"key": b"\xff\xfe"}),
    ("http://example.org/", [("a", "1"), ("a", "2"), ("b", "3")]),
    ("http://example.org/", (("a", "1"), ("b", None))),
    ("http://example.org/", "raw=1&x=y z"),
    ("http://example.org/?first=1", "raw=1"),
    ("http://example.org/", "ü=1"),
    ("http://example.org/", b"raw=bytes"),
    ("http://example.org/", ""),
    ("http://example.org/", [("a", ["1", "2"])]),
    ("http://example.org/", {"a": {"x": 1}}),
    ("http://example.org/a b?c d", {"e": "f g"}),
    ("http://example.org/%7E?%41=%zz", {"a": "b"}),
    ("mailto:a@b.example", {"a": "b"}),
    ("http://example.org/", 5),
    ("http://example.org/", ["ab", "cd"]),
    ("http://example.org/", [("a", "b", "c")]),
]

HEADERS: list[Any] = [
    {},
    None,
    {"X-A": "b"},
    {"x-a": "b", "Accept": "*/*"},
    {b"X-Bytes": b"value"},
    {"X-Empty": ""},
    {"X-Inner": "a b\tc"},
    {"X-Trailing": "a "},
    {"X-Latin": "ü"},
    {"X Space": "a"},
    {"X-Lead": " a"},
    {"X-Tab": "\ta"},
    {"X-CR": "a\rb"},
    {"X-LF": "a\nb"},
    {"X-CRLF": "a\r\nInjected: 1"},
    {"X-End": "a\n"},
    {" X": "a"},
    {"X:Y": "a"},
    {"X\r\nY": "a"},
    {"": "a"},
    {b"X-Lead": b" a"},
    {b"X-LF": b"a\nb"},
    {"X-Int": 3},
    {"X-None": None},
    {"X-List": ["a"]},
    {3: "a"},
    {"Content-Length": "7"},
    {"Cookie": "own=1"},
    {"Host": "other.example"},
]

METHODS: list[Any] = [
    "GET",
    "get",
    "Post",
    "HEAD",
    "OPTIONS",
    "PUT",
    "PATCH",
    "DELETE",
    "PROPFIND",
    "purge",
    b"post",
    None,
]

COOKIES: list[Any] = [None, {}, {"a": "b"}]

AUTHS: list[tuple[str, Any]] = [
    ("http://example.org/", ("user", "pass")),
    ("http://example.org/", ("", "")),
    ("http://example.org/", ("üser", "päss")),
    ("http://example.org/", (b"user", b"pass")),
    ("http://example.org/", ("user", b"p\xff")),
    ("http://example.org/", (1, 2)),
    ("http://url:secret@example.org/", None),
    ("http://url:secret@example.org/", ("user", "pass")),
    ("http://url%3A:se%40cret@example.org/", None),
    ("http://user@example.org/", None),
    ("http://example.org/", ()),
    ("mailto:a@b.example", None),
    ("http://example.org/path/a@b:c@d", None),
]


def _id(value: object) -> str:
    return repr(value)[:60]


@pytest.mark.parametrize("url", URLS, ids=_id)
def test_a_url_is_prepared_as_requests_does(url: Any) -> None:
    """Each URL becomes the same text, or the same error."""
    expected, actual = by_both({"url": url})
    assert expected == actual


@pytest.mark.parametrize(("url", "params"), PARAMS, ids=_id)
def test_params_are_added_as_requests_does(url: str, params: Any) -> None:
    """Params go behind the query that is there and before the fragment, encoded alike."""
    expected, actual = by_both({"url": url, "params": params})
    assert expected == actual


@pytest.mark.parametrize("headers", HEADERS, ids=_id)
def test_headers_are_accepted_and_refused_as_requests_does(headers: Any) -> None:
    """The same headers pass, the same raise."""
    expected, actual = by_both({"headers": headers})
    assert expected == actual


@pytest.mark.parametrize("method", METHODS, ids=_id)
@pytest.mark.parametrize("data", [None, "body"])
def test_methods_and_content_length(method: Any, data: str | None) -> None:
    """Methods become capitals; without a body all but GET and HEAD say Content-Length: 0."""
    expected, actual = by_both({"method": method, "data": data})
    assert expected == actual


@pytest.mark.parametrize("cookies", COOKIES, ids=_id)
@pytest.mark.parametrize("headers", [{}, {"Cookie": "own=1"}], ids=_id)
def test_cookies_become_one_header(cookies: Any, headers: dict[str, str]) -> None:
    """A mapping of cookies becomes the Cookie header, unless the author wrote one."""
    expected, actual = by_both({"cookies": cookies, "headers": headers})
    assert expected == actual


@pytest.mark.parametrize(("url", "auth"), AUTHS, ids=_id)
def test_basic_auth_and_userinfo(url: str, auth: Any) -> None:
    """A pair signs, a URL's user and password do where no pair is given."""
    expected, actual = by_both({"url": url, "auth": auth})
    assert expected == actual


def test_the_comparison_can_fail() -> None:
    """Two different requests do not compare equal."""
    one, _ = by_both({"url": "http://example.org/a"})
    _, other = by_both({"url": "http://example.org/b"})
    assert one != other


# --- where crawlkit differs, on purpose ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://ｅｘａｍｐｌｅ.org/", "http://example.org/"),
        ("http://BÜCHER。example/", "http://xn--bcher-kva.example/"),
    ],
)
def test_international_hosts_are_mapped_by_uts_46(url: str, expected: str) -> None:
    """Full-width letters and dots mean what they look like; requests raises."""
    assert expected == Request("GET", url).prepare().url


def test_a_missing_scheme_suggests_one() -> None:
    """The error names the URL and what may be meant."""
    with pytest.raises(MissingSchema, match=r"https://example\.org/x"):
        Request("GET", "example.org/x").prepare()


@pytest.mark.parametrize("url", ["http://user:hunter2@exam ple/", "http://a@b:hunter2@*.example/"])
def test_no_error_shows_the_password_of_a_url(url: str) -> None:
    """Neither the message nor the exception that led to it holds the password."""
    with pytest.raises(InvalidURL) as caught:
        Request("GET", url).prepare()
    assert "hunter2" not in f"{caught.value} {caught.value.__cause__}"


def test_no_error_shows_the_value_of_a_header() -> None:
    """A token read from a file with its line end is the usual case, and it is a secret."""
    with pytest.raises(InvalidHeader, match="Authorization") as caught:
        Request("GET", "http://example.org/", headers={"Authorization": "Bearer hunter2\n"}).prepare()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("value", ["a\x00b", "日本"])
def test_headers_that_no_server_can_read_are_refused(value: str) -> None:
    """NUL, and characters that no byte of a header stands for; requests fails while sending, or sends them."""
    with pytest.raises(InvalidHeader, match="X-A"):
        Request("GET", "http://example.org/", headers={"X-A": value}).prepare()


@pytest.mark.parametrize("method", ["GET /evil HTTP/1.1\r\nX: y", "GE T", ""])
def test_a_method_that_is_no_token_is_refused(method: str) -> None:
    """With a line break in it, it would be a second request (urllib3 CVE-2020-26137)."""
    with pytest.raises(ValueError, match="token"):
        Request(method, "http://example.org/").prepare()


def test_params_in_bytes_beyond_ascii() -> None:
    """Bytes are taken as UTF-8; requests raises UnicodeDecodeError."""
    assert "http://example.org/?%C3%BC=1" == Request("GET", "http://example.org/", params="ü=1".encode()).prepare().url


def test_basic_auth_beyond_latin_1_is_utf_8() -> None:
    """RFC 7617 section 2.1; requests raises UnicodeEncodeError."""
    prepared = Request("GET", "http://example.org/", auth=("日", "本")).prepare()
    assert "Basic 5pelOuacrA==" == prepared.headers["Authorization"]


# --- order, hooks, copies -----------------------------------------------------------------------------------


def test_auth_is_last_and_content_length_follows_it() -> None:
    """An auth that changes the body, as OAuth does, is measured after it."""

    def sign(request: PreparedRequest) -> PreparedRequest:
        assert request.headers["Content-Length"] == "2"
        request.body = b"signed body"
        return request

    prepared = Request("POST", "http://example.org/", data=b"ab", auth=sign).prepare()
    assert "11" == prepared.headers["Content-Length"]


def test_auth_may_return_another_request() -> None:
    """What an auth returns is what is sent."""

    def sign(request: PreparedRequest) -> PreparedRequest:
        other = request.copy()
        other.url = "http://example.org/signed"
        other.headers["X-Signed"] = "yes"
        return other

    prepared = Request("GET", "http://example.org/", auth=sign).prepare()
    assert ("http://example.org/signed", "yes") == (prepared.url, prepared.headers["X-Signed"])


def test_auth_that_returns_nothing_is_named() -> None:
    """A forgotten `return r` is the usual mistake."""
    with pytest.raises(TypeError, match="must return the request"):
        Request("GET", "http://example.org/", auth=lambda request: None).prepare()


def test_hooks_of_auth_come_before_the_authors() -> None:
    """Hooks are prepared last, so that the author's see what an authentication made of the response."""
    called: list[str] = []

    def sign(request: PreparedRequest) -> PreparedRequest:
        request.register_hook("response", lambda r, **_: called.append("auth"))
        return request

    hook = lambda r, **_: called.append("author")  # noqa: E731
    prepared = Request("GET", "http://example.org/", auth=sign, hooks={"response": hook}).prepare()
    for one in prepared.hooks["response"]:
        one(None)
    assert ["auth", "author"] == called


def test_an_unknown_event_is_refused_and_a_hook_can_be_removed() -> None:
    """requests' interface for hooks."""
    request = Request("GET", "http://example.org/")
    with pytest.raises(ValueError, match="error"):
        request.register_hook("error", print)
    request.register_hook("response", [print, 3])  # type: ignore[list-item]
    assert request.hooks == {"response": [print]}
    assert (True, False) == (request.deregister_hook("response", print), request.deregister_hook("response", print))


def test_a_copy_can_be_changed_alone() -> None:
    """Headers and jar are the copy's own; body and hooks are shared, as in requests."""
    prepared = Request("POST", "http://example.org/", data=b"x", cookies={"a": "b"}).prepare()
    copied = prepared.copy()
    copied.headers["X"] = "y"
    copied.url = "http://example.org/other"
    assert "X" not in prepared.headers
    assert "http://example.org/" == prepared.url
    assert copied.body is prepared.body
    assert copied._cookies is not prepared._cookies


def test_a_prepared_request_pickles() -> None:
    """It can cross a process with everything but a stream."""
    prepared = Request("POST", "http://example.org/?q=1", data={"a": "b"}, headers={"X": "y"}).prepare()
    loaded = pickle.loads(pickle.dumps(prepared))  # noqa: S301
    assert (prepared.method, prepared.url, prepared.headers, prepared.body) == (
        loaded.method,
        loaded.url,
        loaded.headers,
        loaded.body,
    )


def test_no_repr_shows_a_secret() -> None:
    """Neither that of the request nor that of its auth."""
    auth = HTTPBasicAuth("user", "hunter2")
    prepared = Request("GET", "http://user:hunter2@example.org/", auth=auth).prepare()
    assert "hunter2" not in repr(prepared) + repr(auth)
    assert "<PreparedRequest [GET]>" == repr(prepared)


@pytest.mark.parametrize(
    "url", ["http://example.org", "http://example.org/a?b=c#d", "http://example.org/?", "http://u:p@example.org/x;y"]
)
def test_path_url_is_the_request_target(url: str) -> None:
    """Path and query, nothing else."""
    assert requests.Request("GET", url).prepare().path_url == Request("GET", url).prepare().path_url


# --- the spider's Request -----------------------------------------------------------------------------------


def test_a_spiders_request_is_prepared_in_the_same_place() -> None:
    """Its body, headers and cookies are sent, and its meta is found again on what was sent."""
    spec = Spec(
        "http://example.org/a b",
        callback="parse_it",
        data={"x": "ü"},
        headers={"X-A": "b"},
        cookies={"c": "d"},
        meta={"depth": 2},
        cb_kwargs={"k": 1},
        priority=7,
    )
    with Session() as session:
        session.headers.clear()
        prepared = session.prepare_request(spec)
    assert ("POST", "http://example.org/a%20b", b"x=%C3%BC") == (prepared.method, prepared.url, prepared.body)
    assert {
        "X-A": "b",
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Length": "8",
        "Cookie": "c=d",
    } == dict(prepared.headers)
    assert (spec, {"depth": 2}, {"k": 1}, "parse_it", None, 7) == (
        prepared.spec,
        prepared.meta,
        prepared.cb_kwargs,
        prepared.callback,
        prepared.errback,
        prepared.priority,
    )
    assert 9 == prepared.replace(priority=9).priority
    assert prepared.copy().spec is spec


def test_a_request_that_is_no_spiders_has_empty_meta() -> None:
    """The attributes are there, and `replace` says why it cannot."""
    prepared = Request("GET", "http://example.org/").prepare()
    assert ({}, {}, None, None, 0) == (
        prepared.meta,
        prepared.cb_kwargs,
        prepared.callback,
        prepared.errback,
        prepared.priority,
    )
    with pytest.raises(TypeError, match="spider"):
        prepared.replace(priority=1)

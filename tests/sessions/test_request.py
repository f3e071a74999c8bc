"""The spider's Request: a value, its arguments, and what it does not cost."""

from __future__ import annotations

import io
import pickle
import timeit
from typing import Any

import pytest

import crawlkit
from crawlkit import Request, exceptions


def callback(response: Any) -> None:
    """Stands for a method of a spider."""


URL = "http://a.example/x?q=1#f"


def test_what_is_not_given_is_empty() -> None:
    request = Request(URL)
    assert (URL, "GET", b"", None, None, 0, False) == (
        request.url,
        request.method,
        request.body,
        request.callback,
        request.errback,
        request.priority,
        request.dont_filter,
    )
    assert ({}, {}, {}, {}, []) == (request.headers, request.meta, request.cb_kwargs, request.cookies, request.flags)
    assert (None, None, None, None) == (request.proxy, request.timeout, request.profile, request.safe)


def test_what_was_made_lazily_stays() -> None:
    request = Request(URL)
    request.meta["m"] = 1
    request.cb_kwargs["k"] = 2
    request.headers["X"] = "3"
    assert ({"m": 1}, {"k": 2}, "3") == (request.meta, request.cb_kwargs, request.headers["x"])


def test_mappings_are_copied() -> None:
    meta, kwargs = {"m": 1}, {"k": 1}
    request = Request(URL, meta=meta, cb_kwargs=kwargs)
    meta["m"] = kwargs["k"] = 9
    assert ({"m": 1}, {"k": 1}) == (request.meta, request.cb_kwargs)


def test_scrapys_order_of_arguments() -> None:
    request = Request(
        URL, callback, "put", {"X": "1"}, "bödy", {"c": "1"}, {"m": 1}, "latin-1", 5, True, callback, ["f"], {"k": 1}
    )
    assert ("PUT", "1", "bödy".encode("latin-1"), {"c": "1"}, {"m": 1}) == (
        request.method,
        request.headers["x"],
        request.body,
        request.cookies,
        request.meta,
    )
    assert (5, True, callback, ["f"], {"k": 1}) == (
        request.priority,
        request.dont_filter,
        request.errback,
        request.flags,
        request.cb_kwargs,
    )


@pytest.mark.parametrize("url", ["/relative", "example.org", "ftp://a.example/", "mailto:x@y", "", "httpx://a/"])
def test_a_url_must_be_absolute_http(url: str) -> None:
    with pytest.raises(ValueError, match="Missing scheme in request url"):
        Request(url)


def test_a_scheme_in_capitals_is_one() -> None:
    assert "HTTP://A.example/" == Request("HTTP://A.example/").url


def test_a_url_that_is_no_text_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="bytes"):
        Request(b"http://a.example/")  # type: ignore[arg-type]


def test_requests_order_of_arguments_names_the_other_class() -> None:
    with pytest.raises(TypeError, match=r"crawlkit\.requests\.Request"):
        Request("GET", "http://a.example/")
    with pytest.raises(TypeError, match=r"crawlkit\.requests\.Request"):
        crawlkit.Request("post", "http://a.example/")


@pytest.mark.parametrize(
    ("url", "params", "expected"),
    [
        ("http://a.example/", {"a": "1"}, "http://a.example/?a=1"),
        ("http://a.example/?b=2", {"a": ["1", "2"], "n": None}, "http://a.example/?b=2&a=1&a=2"),
        ("http://a.example/x#frag", [("a", "ü b")], "http://a.example/x?a=%C3%BC+b#frag"),
        ("http://a.example/?", {"a": "1"}, "http://a.example/?a=1"),
        ("http://a.example/", "raw=1", "http://a.example/?raw=1"),
        ("http://a.example/", b"raw=1", "http://a.example/?raw=1"),
        ("http://a.example/", {}, "http://a.example/"),
        ("http://a.example/", {"n": None}, "http://a.example/"),
    ],
)
def test_params_go_into_the_url(url: str, params: Any, expected: str) -> None:
    assert expected == Request(url, params=params).url


def test_data_becomes_a_form() -> None:
    request = Request(URL, data={"a": "1", "b": ["2", "ü"]})
    assert ("POST", b"a=1&b=2&b=%C3%BC") == (request.method, request.body)
    assert "application/x-www-form-urlencoded" == request.headers["Content-Type"]
    assert b"raw" == Request(URL, data=b"raw").body
    assert b"raw" == Request(URL, data="raw").body
    assert "PUT" == Request(URL, method="put", data={"a": "1"}).method


def test_json_becomes_json() -> None:
    request = Request(URL, json={"a": [1, None]})
    assert ("POST", b'{"a": [1, null]}', "application/json") == (
        request.method,
        request.body,
        request.headers["Content-Type"],
    )
    assert (
        "application/x-own"
        == Request(URL, json=1, headers={"content-type": "application/x-own"}).headers["Content-Type"]
    )
    with pytest.raises(exceptions.InvalidJSONError):
        Request(URL, json=float("nan"))


def test_bodies_are_one_or_the_other() -> None:
    for several in ({"data": b"x", "json": 1}, {"body": b"x", "json": 1}, {"body": b"x", "data": b"y"}):
        with pytest.raises(ValueError, match="not several"):
            Request(URL, **several)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="kept on disk"):
        Request(URL, data=io.BytesIO(b"a file"))


def test_replace_changes_what_it_names_and_nothing_else() -> None:
    request = Request(
        URL,
        callback,
        headers={"X": "1"},
        meta={"m": 1},
        priority=5,
        dont_filter=True,
        proxy="http://p",
        timeout=3,
        profile="p",
        safe=True,
    )
    other = request.replace(url="http://b.example/", priority=6)
    assert ("http://b.example/", 6) == (other.url, other.priority)
    for name in ("callback", "headers", "meta", "dont_filter", "proxy", "timeout", "profile", "safe", "method", "body"):
        assert getattr(request, name) == getattr(other, name)
    other.meta["m"] = 2
    assert 1 == request.meta["m"]
    assert (URL, 5) == (request.url, request.priority)


def test_replace_takes_a_new_body_with_its_type() -> None:
    request = Request(URL, data={"a": "1"})
    other = request.replace(json={"b": 2})
    assert (b'{"b": 2}', "application/json", "POST") == (other.body, other.headers["content-type"], other.method)
    assert "POST" == Request(URL).replace(data={"a": "1"}).method


def test_replace_makes_the_same_kind_or_another() -> None:
    class Special(Request):
        pass

    assert Special is type(Special(URL).replace(priority=1))
    assert Special is type(Request(URL).replace(Special, priority=1))
    assert Special is type(Special(URL).copy())


def test_it_pickles() -> None:
    copy = pickle.loads(pickle.dumps(Request(URL, "parse", meta={"m": 1}, data={"a": "1"})))  # noqa: S301
    assert (URL, "parse", {"m": 1}, b"a=1") == (copy.url, copy.callback, copy.meta, copy.body)


def test_its_repr_shows_no_password() -> None:
    assert "<GET http://a.example/x>" == repr(Request("http://user:secret@a.example/x"))


def test_the_usual_request_costs_about_a_microsecond() -> None:
    """Ten times that fails: something is built that nobody asked for."""
    taken = min(timeit.repeat(lambda: Request(URL, callback, meta={"m": 1}), number=2000, repeat=5)) / 2000
    assert taken < 10e-6

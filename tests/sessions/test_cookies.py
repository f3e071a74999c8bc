"""The jar: requests' dict-like interface, http.cookiejar's methods, and requests' functions over any jar."""

from __future__ import annotations

import copy
import pickle
import urllib.request
from http import cookiejar
from http.cookies import SimpleCookie
from typing import Any

import pytest
import requests.cookies
from hypothesis import given
from hypothesis import strategies as st

from crawlkit.exceptions import CookieConflictError, InvalidHeader
from crawlkit.sessions import cookies as module
from crawlkit.sessions.cookies import (
    CookieJar,
    add_dict_to_cookiejar,
    cookiejar_from_dict,
    create_cookie,
    dict_from_cookiejar,
    extract_cookies_to_jar,
    get_cookie_header,
    merge_cookies,
    morsel_to_cookie,
    remove_cookie_by_name,
)
from crawlkit.sessions.foreignjars import Answer

HTTPS = "https://www.example.com/"


@pytest.fixture
def jar() -> CookieJar:
    """Three cookies of two domains."""
    jar = CookieJar()
    jar.receive("https://www.example.com/dir/", ["a=1; Path=/; HttpOnly", "b=2; Domain=example.com; Path=/; Secure"])
    jar.receive("https://other.org/", ["c=3; Path=/x; Max-Age=1000; SameSite=Lax"])
    return jar


def test_nothing_of_requests_is_missing() -> None:
    """Every public name of requests' jar and module is here."""
    theirs = {name for name in dir(requests.cookies.RequestsCookieJar) if not name.startswith("_")}
    assert set() == theirs - set(dir(CookieJar))
    functions = {
        name
        for name, value in vars(requests.cookies).items()
        if callable(value) and value.__module__ == "requests.cookies" and not name.startswith("_")
    }
    missing = functions - set(dir(module)) - {"RequestsCookieJar", "MockRequest", "MockResponse"}
    assert missing <= {name for name in missing if name[0].isupper()} - {"CookieConflictError"}


def test_as_a_mapping(jar: CookieJar) -> None:
    """Names and values; iterating gives cookies."""
    assert ["a", "b", "c"] == jar.keys() == list(jar.iterkeys())
    assert ["1", "2", "3"] == jar.values() == list(jar.itervalues())
    assert [("a", "1"), ("b", "2"), ("c", "3")] == jar.items() == list(jar.iteritems())
    assert {"a": "1", "b": "2", "c": "3"} == dict(jar) == jar.get_dict()
    assert ["a", "b", "c"] == [cookie.name for cookie in jar]
    assert 3 == len(jar) and bool(jar) and not CookieJar()
    assert "a" in jar and "z" not in jar and next(iter(jar)) in jar
    assert "1" == jar["a"] == jar.get("a") and "x" == jar.get("z", "x") and jar.get("z") is None
    with pytest.raises(KeyError):
        jar["z"]


def test_changing_it_as_a_mapping(jar: CookieJar) -> None:
    """Items are set, deleted and popped by name; deleting what is not there is no error, as in requests."""
    jar["d"] = "4"
    del jar["a"], jar["never"]
    assert "4" == jar.pop("d") and "x" == jar.pop("d", "x")
    assert "2" == jar.setdefault("b", "9") and "5" == jar.setdefault("e", "5")
    assert {"b": "2", "c": "3", "e": "5"} == dict(jar)
    popped = {jar.popitem()[0] for _ in range(3)}
    assert {"b", "c", "e"} == popped
    with pytest.raises(KeyError):
        jar.popitem()


def test_domains_and_paths(jar: CookieJar) -> None:
    """A received domain shows a leading dot, a host none; both spellings find it."""
    assert ["www.example.com", ".example.com", "other.org"] == jar.list_domains()
    assert ["/", "/x"] == jar.list_paths()
    assert jar.multiple_domains() and not cookiejar_from_dict({"a": "1", "b": "2"}).multiple_domains()
    assert {"b": "2"} == jar.get_dict(domain=".example.com") == jar.get_dict(domain="example.com")
    assert {"b": "2"} == jar.get_dict("EXAMPLE.com", "/")
    assert {"c": "3"} == jar.get_dict(path="/x")
    assert {} == jar.get_dict(domain="nowhere.org")


def test_conflicts() -> None:
    """A name that two domains have is an error until a domain is named; the error tells them."""
    jar = CookieJar()
    jar.set("a", "1", domain="test1.com")
    jar.set("a", "2", domain="test2.com", path="/p")
    assert "a" in jar and 2 == len(jar.items())
    with pytest.raises(CookieConflictError, match=r"test1\.com/, test2\.com/p"):
        jar.get("a")
    with pytest.raises(RuntimeError):
        jar["a"]
    assert "1" == jar.get("a", domain="test1.com") and "2" == jar.get("a", path="/p")
    del jar["a"]
    assert 0 == len(jar)


def test_the_exact_domain_comes_first() -> None:
    """Of a host's own cookie and its domain's, each is found by its spelling."""
    jar = CookieJar()
    jar.receive("https://example.com/", ["a=own", "a=all; Domain=example.com"])
    assert "own" == jar.get("a", domain="example.com") and "all" == jar.get("a", domain=".example.com")


def test_set() -> None:
    """Keywords are create_cookie's; None deletes; numbers and bytes are taken."""
    jar = CookieJar()
    cookie = jar.set("a", 1, domain="Example.COM", path="/p", secure=True, expires=None, rest={"HttpOnly": None})
    assert cookie is not None
    assert ("1", "example.com", "/p", True, True) == (
        cookie.value,
        cookie.domain,
        cookie.path,
        cookie.secure,
        cookie.httponly,
    )
    assert "a=1" == jar.header_for("https://sub.example.com/p/q")
    jar.set("a", "2", domain="example.com", path="/p", secure=True)
    assert [("a", "2")] == jar.items()
    assert [None, "Lax", "None"] == [create_cookie("a", "1", samesite=text).samesite for text in (None, "lax", "NONE")]
    jar.set("a", None)
    assert not jar
    jar["b"] = b"\xff"
    assert "ÿ" == jar["b"]
    with pytest.raises(TypeError, match="colour"):
        jar.set("a", "1", colour="red")


@pytest.mark.parametrize("domain", ["co.uk", "localhost", "127.0.0.1", ".com"])
def test_a_domain_that_is_nobodys_alone(domain: str) -> None:
    """A public suffix or an address means that host and none below it, whoever sets it."""
    jar = CookieJar()
    jar.set("a", "1", domain=domain)
    host = domain.lstrip(".")
    assert "a=1" == jar.header_for(f"http://{host}/")
    assert None is jar.header_for(f"http://x.{host}/")


@pytest.mark.parametrize("text", ["a\r\nX: y", "a\nb", "a\0", "\x7f", "\ud800"])
def test_what_cannot_go_into_a_header(text: str) -> None:
    """Refused where it is set, with the name and without the value."""
    for name, value in (("a", text), (text, "hidden")):
        with pytest.raises(InvalidHeader) as refusal:
            CookieJar().set(name, value)
    assert "hidden" not in str(refusal.value)


def test_text_that_is_not_latin_1() -> None:
    """A user's own goes as the bytes of its UTF-8."""
    jar = CookieJar()
    jar["a"] = "€"
    assert "a=" + "€".encode().decode("latin-1") == jar.header_for(HTTPS)


def test_bound_to_the_first_host() -> None:
    """A cookie set without a domain is sent to one host and never to another."""
    jar = CookieJar()
    jar["token"] = "v1"
    assert "" == next(iter(jar)).domain
    assert "token=v1" == jar.header_for("https://first.example/")
    assert None is jar.header_for("https://second.example/")
    assert None is jar.header_for("https://sub.first.example/")
    assert ["first.example"] == jar.list_domains()
    jar["token"] = "v2"  # changes it where it is, and does not set it free
    assert None is jar.header_for("https://second.example/")
    assert "token=v2" == jar.header_for("https://first.example/") and "v2" == jar["token"]


def test_bound_when_it_is_sent() -> None:
    """A request that does not carry the cookie does not bind it."""
    jar = CookieJar()
    jar.set("a", "1", path="/api", secure=True)
    assert None is jar.header_for("https://first.example/")
    assert None is jar.header_for("http://second.example/api")
    assert "a=1" == jar.header_for("https://third.example/api")
    assert None is jar.header_for("https://first.example/api")


def test_a_copy_binds_for_all() -> None:
    """A request's own jar, a copy, binds the cookie for the jar it was copied from."""
    for duplicate in (CookieJar.copy, lambda jar: merge_cookies(CookieJar(), jar)):
        jar = CookieJar()
        jar["token"] = "v"
        assert "token=v" == duplicate(jar).header_for("https://first.example/")
        assert None is jar.header_for("https://second.example/")
        assert "token=v" == jar.header_for("https://first.example/")


def test_update_and_copy(jar: CookieJar) -> None:
    """A jar's cookies are copied with all attributes, a mapping's names set; the original does not change
    with the copy.
    """
    twin = jar.copy()
    assert jar == twin and jar.header_for(HTTPS) == twin.header_for(HTTPS)
    next(iter(twin)).value = "changed"
    twin["new"] = "1"
    assert "1" == jar["a"] and "new" not in jar
    other = CookieJar()
    other.update(jar)
    other.update({"d": "4"}, e="5")
    other.update([("f", "6")])
    assert ["a", "b", "c", "d", "e", "f"] == sorted(other.keys())
    assert jar.header_for(HTTPS) == "; ".join((other.header_for(HTTPS) or "").split("; ")[:2])
    assert copy.copy(jar) == jar == copy.deepcopy(jar)


def test_pickling(jar: CookieJar) -> None:
    """A jar pickles with its rules: a host-only cookie stays host-only."""
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        twin = pickle.loads(pickle.dumps(jar, protocol))  # noqa: S301 - our own
        assert [vars_of(c) for c in jar] == [vars_of(c) for c in twin]
        assert None is twin.header_for("https://sub.www.example.com/dir/", method="GET") or "a=1" not in str(
            twin.header_for("https://sub.www.example.com/")
        )
        twin["new"] = "1"  # it has a lock again


def vars_of(cookie: Any) -> dict[str, Any]:
    return {slot: getattr(cookie, slot) for slot in type(cookie).__slots__ if slot not in ("accessed", "_binding")}


def test_the_repr_hides_values(jar: CookieJar) -> None:
    """Neither jar nor cookie shows a value."""
    jar["x"] = "topsecret"
    assert "topsecret" not in repr(jar) + str(jar) + "".join(map(repr, jar))
    assert "<CookieJar 4 cookies of 4 domains>" == repr(jar)


def test_clearing(jar: CookieJar) -> None:
    """All, a domain's, a path's of it, one; as in http.cookiejar with its errors."""
    jar.clear(".example.com", "/", "b")
    assert ["a", "c"] == jar.keys()
    jar.clear("other.org", "/x")
    assert ["a"] == jar.keys()
    for missing in (("nowhere.org",), ("www.example.com", "/q"), ("www.example.com", "/", "z")):
        with pytest.raises(KeyError):
            jar.clear(*missing)
    with pytest.raises(ValueError, match="domain"):
        jar.clear(name="a")
    jar.clear()
    jar.clear()
    assert not jar


def test_session_and_expired_cookies(jar: CookieJar) -> None:
    """Cookies without an expiry go together; expired ones are not there at all."""
    jar.set("old", "1", domain="example.com", expires=1)
    assert "old" not in jar
    for cookie in jar:
        if cookie.name == "a":
            cookie.expires = 1  # how programs end a cookie by hand
    jar.clear_expired_cookies()
    assert ["b", "c"] == jar.keys()
    jar.clear_session_cookies()
    assert ["c"] == jar.keys()


def test_assigning_to_cookies(jar: CookieJar) -> None:
    """Programs lengthen a login by assigning to cookies; the jar goes by it."""
    for cookie in jar:
        cookie.expires, cookie.discard, cookie.secure = 4_102_444_800, False, True
    jar.clear_session_cookies()
    assert 3 == len(jar)
    assert None is jar.header_for("http://www.example.com/")


def test_attributes_of_http_cookiejar(jar: CookieJar) -> None:
    """A cookie has what http.cookiejar's has."""
    a, b, c = jar
    theirs = {name for name in dir(requests.cookies.create_cookie("n", "v")) if not name.startswith("_")}
    assert set() == theirs - set(dir(a))
    assert (0, None, False, None, None, False) == (
        a.version,
        a.port,
        a.port_specified,
        a.comment,
        a.comment_url,
        a.rfc2109,
    )
    assert (".example.com", True, True) == (b.domain, b.domain_specified, b.domain_initial_dot)
    assert a.has_nonstandard_attr("HttpOnly") and not b.has_nonstandard_attr("HttpOnly")
    assert "Lax" == c.get_nonstandard_attr("SameSite") and c.get_nonstandard_attr("X", 1) == 1
    assert a.discard and not c.discard and c.is_expired(c.expires) and not c.is_expired()
    assert {"HttpOnly": True} == create_cookie("a", "1", rest={"HttpOnly": True})._rest
    b.set_nonstandard_attr("HttpOnly", None)
    b.set_nonstandard_attr("Priority", "High")
    assert b.httponly and "High" == b.get_nonstandard_attr("Priority")


def test_morsels() -> None:
    """Morsels of http.cookies, with max-age or a date."""
    parsed: SimpleCookie = SimpleCookie("a=1; Path=/p; Domain=example.com; Secure; HttpOnly; Max-Age=10")
    jar = CookieJar()
    jar["ignored"] = parsed["a"]
    (cookie,) = jar
    assert ("a", "1", "/p", "example.com", True, True) == (
        cookie.name,
        cookie.value,
        cookie.path,
        cookie.host,
        cookie.secure,
        cookie.httponly,
    )
    assert cookie.expires is not None and cookie.creation < cookie.expires <= cookie.creation + 11
    dated: SimpleCookie = SimpleCookie("a=1; Expires=Wed, 09 Jun 2100 10:18:14 GMT")
    assert 4_116_219_494 == morsel_to_cookie(dated["a"]).expires
    dated["a"]["max-age"] = "soon"
    with pytest.raises(TypeError, match="max-age"):
        morsel_to_cookie(dated["a"])
    for expires, kind in ((100, TypeError), ("woops", ValueError)):
        dated["a"].update({"max-age": "", "expires": expires})  # type: ignore[dict-item]
        with pytest.raises(kind, match="expires"):
            morsel_to_cookie(dated["a"])


def test_policies(jar: CookieJar) -> None:
    """A policy that a program sets has a say about every cookie in and out."""
    jar.set_policy(cookiejar.DefaultCookiePolicy(allowed_domains=["other.org"]))
    assert None is jar.header_for(HTTPS)
    assert "c=3" == jar.header_for("https://other.org/x")
    assert [] == jar.receive(HTTPS, ["n=1"]) and jar.receive("https://other.org/", ["n=1"])
    blocking = CookieJar(cookiejar.DefaultCookiePolicy(blocked_domains=["localhost.local"]))
    assert [] == blocking.receive("http://localhost/", ["a=1"])
    assert blocking.receive("http://127.0.0.1/", ["a=1"])
    assert blocking.get_policy() is blocking.copy().get_policy()
    assert isinstance(CookieJar().get_policy(), cookiejar.DefaultCookiePolicy)


def test_urllib_can_use_it(jar: CookieJar) -> None:
    """The methods that urllib.request calls."""
    request = urllib.request.Request(HTTPS)
    jar.add_cookie_header(request)
    assert "a=1; b=2" == request.get_header("Cookie")
    response = Answer(["n=1; Path=/", "foreign=1; Domain=evil.org"])
    assert ["n"] == [cookie.name for cookie in jar.make_cookies(response, request)]
    assert "n" not in jar
    jar.extract_cookies(response, request)
    assert "1" == jar["n"] and "foreign" not in jar
    jar.set_cookie_if_ok(create_cookie("m", "1", domain="example.com"), request)
    assert "m" in jar


# --- requests' functions
# ---------------------------------------------------------------------------------------------

JARS = [CookieJar, cookiejar.CookieJar, requests.cookies.RequestsCookieJar]


@pytest.mark.parametrize("kind", JARS)
def test_functions_over_any_jar(kind: Any) -> None:
    """Dicts into jars and back, merging, removing: with ours, http.cookiejar's and requests'."""
    jar = cookiejar_from_dict({"a": "1", "b": "2"}, kind())
    assert isinstance(jar, kind)
    assert {"a": "1", "b": "2"} == dict_from_cookiejar(jar)
    cookiejar_from_dict({"a": "9", "c": "3"}, jar, overwrite=False)
    assert {"a": "1", "b": "2", "c": "3"} == dict_from_cookiejar(jar)
    add_dict_to_cookiejar(jar, {"a": "9"})
    merge_cookies(jar, {"a": "0", "d": "4"})
    merge_cookies(jar, cookiejar_from_dict({"e": "5"}))
    merge_cookies(jar, None)
    assert {"a": "9", "b": "2", "c": "3", "d": "4", "e": "5"} == dict_from_cookiejar(jar)
    remove_cookie_by_name(jar, "a")
    remove_cookie_by_name(jar, "b", domain="elsewhere.org")
    assert ["b", "c", "d", "e"] == sorted(cookie.name for cookie in jar)


def test_merging_into_what_is_no_jar() -> None:
    """ValueError, as in requests."""
    with pytest.raises(ValueError, match="dict"):
        merge_cookies({}, {"a": "1"})  # type: ignore[type-var]


class Call:
    """As much of a prepared request as the functions read."""

    method = "GET"

    def __init__(self, url: str, headers: dict[str, str] | None = None) -> None:
        self.url = url
        self.headers = headers or {}


class Raw:
    """As much of urllib3's response as they read."""

    def __init__(self, lines: list[str]) -> None:
        self.headers = Answer(lines).info()


@pytest.mark.parametrize("kind", JARS)
def test_headers_in_and_out_of_any_jar(kind: Any) -> None:
    """Cookies of a response, and the header of the next request; a Host header says which host is meant."""
    jar = kind()
    extract_cookies_to_jar(
        jar, Call("http://127.0.0.1:8000/p", {"Host": "example.com:80"}), Raw(["a=1; Path=/", "b=2; Path=/"])
    )
    extract_cookies_to_jar(jar, Call("http://127.0.0.1:8000/p"), Raw([]))
    assert "a=1; b=2" == get_cookie_header(jar, Call("http://example.com/"))
    assert "a=1; b=2" == get_cookie_header(jar, Call("http://10.0.0.1/x", {"Host": "example.com"}))
    assert None is get_cookie_header(jar, Call("http://127.0.0.1:8000/"))


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=8), max_size=8))
def test_dicts_come_back(names: dict[str, str]) -> None:
    """Whatever can be set is there again under its name."""
    jar = CookieJar()
    kept = {}
    for name, value in names.items():
        try:
            jar[name] = value
        except InvalidHeader:
            continue
        kept[name] = value
    assert kept == dict(jar) == pickle.loads(pickle.dumps(jar)).get_dict()  # noqa: S301

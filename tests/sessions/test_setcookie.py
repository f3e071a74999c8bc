"""Set-Cookie: what one line means, and whether its sender may say so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlkit.sessions.cookiestore import CookieStore
from crawlkit.sessions.setcookie import (
    CookieRefused,
    Place,
    default_path,
    domain_match,
    parse,
    path_match,
    place_of,
    read,
)

NOW = 1_262_304_000.0  # 2010-01-01T00:00:00Z, the year that the published cases were written in

# The IETF working group's cases, https://github.com/abarth/http-state, tests/data/parser.json: the lines that
# http://home.example.org:8888/cookie-parser sends, and the Cookie header at /cookie-parser-result. Written
# here as name, lines, header, and where it is sent to when that is another place. Nameless cookies are as
# RFC 6265bis has them (section 5.6 step 3): RFC 6265, which the cases were written for, ignored them.
HOME, SIBLING, SUB = (
    "http://home.example.org:8888",
    "http://sibling.example.org:8888",
    "http://subdomain.home.example.org:8888",
)
PUBLISHED: list[tuple[str, list[str], str | None, str]] = [
    ("0002", ["foo=bar; Expires=Fri, 07 Aug 2019 08:04:19 GMT"], "foo=bar", ""),
    (
        "0003",
        ["foo=bar; Expires=Fri, 07 Aug 2007 08:04:19 GMT", "foo2=bar2; Expires=Fri, 07 Aug 2017 08:04:19 GMT"],
        "foo2=bar2",
        "",
    ),
    ("0004", ["foo"], "foo", ""),
    ("0005", ["foo=bar; max-age=10000;"], "foo=bar", ""),
    ("0006", ["foo=bar; max-age=0;"], None, ""),
    ("0010", ["foo=bar; secure;"], None, ""),
    ("0012", ['foo=bar; customvalue="no trailing semicolon"'], "foo=bar", ""),
    ("0013", ["foo=bar", "foo=qux"], "foo=qux", ""),
    ("0014", ["foo1=bar", "foo2=qux"], "foo1=bar; foo2=qux", ""),
    ("0016", ["z=y", "a=b"], "z=y; a=b", ""),
    ("0017", ["z=y, a=b"], "z=y, a=b", ""),
    ("0019", ["foo=b;max-age=3600, c=d;path=/"], "foo=b", ""),
    ("0020", ["a=b", "=", "c=d"], "a=b; c=d", ""),
    ("0021", ["a=b", "=x", "c=d"], "a=b; x; c=d", ""),
    ("0022", ["a=b", "x=", "c=d"], "a=b; x=; c=d", ""),
    ("0025", ["foo", "; bar"], "foo", ""),
    ("0027", ["foo", "bar"], "bar", ""),
    ("ATTRIBUTE0002", ["foo=bar; seCURe"], None, ""),
    ("ATTRIBUTE0003", ['foo=bar; "Secure"'], "foo=bar", ""),
    ("ATTRIBUTE0005", ["foo=bar; Secure=aaaa"], None, ""),
    ("ATTRIBUTE0006", ["foo=bar; Secure qux"], "foo=bar", ""),
    ("ATTRIBUTE0007", ["foo=bar; Secure =aaaaa"], None, ""),
    ("ATTRIBUTE0013", ["foo=bar;       Secure     ;"], None, ""),
    ("ATTRIBUTE0014", ["foo=bar; Path"], "foo=bar", ""),
    ("ATTRIBUTE0018", ["foo=bar; Path    =/qux"], None, ""),
    ("ATTRIBUTE0021", ["foo=bar; Path=/qux; Path=/"], "foo=bar", ""),
    ("ATTRIBUTE0022", ["foo=bar; Path=/; Path=/qux"], None, ""),
    ("ATTRIBUTE0026", ['foo=bar; qux="aaa;bbb"; Secure'], None, ""),
    ("CHROMIUM0002", ['aBc="zzz "   ;'], 'aBc="zzz "', ""),
    ("CHROMIUM0004", ['aBc="zz;pp" ; ;'], 'aBc="zz', ""),
    ("CHROMIUM0006", ['aBc="zzz "   "ppp"  ;'], 'aBc="zzz "   "ppp"', ""),
    ("CHROMIUM0010", ['"BLA\\"HHH"; path=/;'], '"BLA\\"HHH"', ""),
    ("CHROMIUM0013", ["ABC=;  path = /"], "ABC=", ""),
    ("CHROMIUM0014", ["  A  = BC  ;foo;;;   bar"], "A=BC", ""),
    ("CHROMIUM0015", ["  A=== BC  ;foo;;;   bar"], "A=== BC", ""),
    ("CHROMIUM0018", ["    "], None, ""),
    ("CHROMIUM0019", ["a" * 4097], None, ""),
    ("CHROMIUM0021", [""], None, ""),
    ("COMMA0002", ['foo="bar, baz=qux"'], 'foo="bar, baz=qux"', ""),
    ("COMMA0005", ["foo=bar; Max-Age=50,399"], "foo=bar", ""),
    ("COMMA0007", ["foo=bar; Expires=Fri 07 Aug 2019 08:04:19 GMT, baz=qux"], "foo=bar", ""),
    ("DOMAIN0001", ["foo=bar; domain=home.example.org"], "foo=bar", HOME),
    ("DOMAIN0002", ["foo=bar; domain=home.example.org"], None, SIBLING),
    ("DOMAIN0003", ["foo=bar; domain=.home.example.org"], "foo=bar", HOME),
    ("DOMAIN0004", ["foo=bar; domain=home.example.org"], "foo=bar", SUB),
    ("DOMAIN0007", ["foo=bar; domain=sibling.example.org"], None, SIBLING),
    ("DOMAIN0008", ["foo=bar; domain=.example.org"], "foo=bar", SIBLING),
    ("DOMAIN0010", ["foo=bar; domain=..home.example.org"], None, HOME),
    ("DOMAIN0011", ["foo=bar; domain=home..example.org"], None, HOME),
    ("DOMAIN0012", ["foo=bar; domain=  .home.example.org"], "foo=bar", HOME),
    ("DOMAIN0013", ["foo=bar; domain=  .  home.example.org"], None, HOME),
    ("DOMAIN0014", ["foo=bar; domain=home.example.org."], None, HOME),
    ("DOMAIN0016", ["foo=bar; domain=home.example.org ."], None, HOME),
    ("DOMAIN0017", ["foo=bar; domain=.org"], None, HOME),
    ("DOMAIN0018", ["foo=bar; domain=.org."], None, HOME),
    (
        "DOMAIN0020",
        ["foo2=bar2; domain=.home.example.org", "foo=bar; domain=home.example.org"],
        "foo2=bar2; foo=bar",
        HOME,
    ),
    ("DOMAIN0021", ['foo=bar; domain="home.example.org"'], None, HOME),
    ("DOMAIN0023", ["foo2=bar2; domain=.example.org", "foo=bar; domain=home.example.org"], "foo2=bar2; foo=bar", HOME),
    ("DOMAIN0024", ["foo=bar; domain=.example.org; domain=home.example.org"], None, SIBLING),
    ("DOMAIN0025", ["foo=bar; domain=home.example.org; domain=.example.org"], "foo=bar", SIBLING),
    ("DOMAIN0026", ["foo=bar; domain=home.eXaMpLe.org"], "foo=bar", HOME),
    ("DOMAIN0027", ["foo=bar; domain=home.example.org:8888"], None, HOME),
    ("DOMAIN0028", ["foo=bar; domain=subdomain.home.example.org"], None, SUB),
    ("DOMAIN0029", ["foo=bar"], None, SUB),
    ("DOMAIN0033", ["foo=bar; domain=home.example.org"], "foo=bar", "http://hoMe.eXaMplE.org:8888"),
    ("DOMAIN0034", ["foo=bar; domain=home.example.org; domain=home.example.com"], None, HOME),
    ("DOMAIN0035", ["foo=bar; domain=home.example.com; domain=home.example.org"], "foo=bar", HOME),
    ("MOZILLA0001", ["foo=bar; max-age=-1"], None, ""),
    ("MOZILLA0003", ["foo=bar; expires=Thu, 10 Apr 1980 16:33:12 GMT"], None, ""),
    ("MOZILLA0009", ["foo=bar; max-age=60", "foo1=bar; max-age=60", "foo=x; max-age=0"], "foo1=bar", ""),
    ("MOZILLA0011", ["test=parser; domain=.parser.test; ;; ;=; ,,, ===,abc,=; abracadabra! max-age=20;=;;"], None, ""),
    (
        "MOZILLA0012",
        ['test="fubar! = foo;bar\\";" parser; max-age=6', "five; max-age=2.63,"],
        'test="fubar! = foo; five',
        "",
    ),
    ("NAME0003", ["$=bar"], "$=bar", ""),
    ("NAME0017", ["=a=bar"], "a=bar", ""),
    ("NAME0018", ["a =bar"], "a=bar", ""),
    ("NAME0021", ['"a=b"=bar', '"a=qux'], '"a=qux', ""),
    ("NAME0023", ["foo;bar=baz"], "foo", ""),
    ("NAME0024", ["$Version=1; foo=bar"], "$Version=1", ""),
    ("NAME0030", ["foo bar=baz"], "foo bar=baz", ""),
    ("OPTIONAL_DOMAIN0030", ["foo=bar; domain="], "foo=bar", HOME),
    ("OPTIONAL_DOMAIN0042", ["foo=bar; domain=foo.example.org; domain="], "foo=bar", HOME),
    ("OPTIONAL_DOMAIN0043", ["foo=bar; domain=foo.example.org; domain="], None, SUB),
    (
        "ORDERING0001",
        [
            "key=val0;",
            "key=val1; path=/cookie-parser-result",
            "key=val2; path=/",
            "key=val3; path=/bar",
            "key=val4; domain=.example.org",
            "key=val5; domain=.example.org; path=/cookie-parser-result/foo",
        ],
        # val2 overwrites val0 (default path "/") and keeps its creation time; val5's path is the longest.
        "key=val5; key=val1; key=val2; key=val4",
        HOME + "/cookie-parser-result/foo/baz",
    ),
    ("PATH0003", ["x=y; path=/", "a=b; path=/cookie-parser-result"], "a=b; x=y", ""),
    ("PATH0006", ["foo=bar", "foo=qux; path=/cookie-parser-result/foo"], "foo=bar", ""),
    ("PATH0009", ["foo=bar; path=/cookie-parser-result/foo/qux"], None, HOME + "/cookie-parser-result/foo"),
    ("PATH0014", ["foo=bar; path=/cookie-parser-result/foo/qux/"], None, HOME + "/cookie-parser-result/foo/qux"),
    ("PATH0015", ["foo=bar; path=/cookie-parser-result/foo/qux/"], "foo=bar", HOME + "/cookie-parser-result/foo/qux/"),
    ("PATH0017", ["foo=bar; path=/cookie-parser-result/foo/"], "foo=bar", HOME + "/cookie-parser-result/foo//qux"),
    ("PATH0018", ["foo=bar; path=/cookie-parser-result/foo/"], None, HOME + "/cookie-parser-result/fooqux"),
    ("PATH0023", ["foo=bar; Path=/cookie-PARSER-result"], None, ""),
    ("PATH0024", ["foo=bar; path=/cookie-parser-result/foo/qux?"], None, HOME + "/cookie-parser-result/foo/qux?path"),
    ("PATH0027", ['foo=bar; path="/cookie-parser-result/foo/qux;"'], "foo=bar", HOME + "/cookie-parser-result/foo/qux"),
    ("PATH0028", ["foo=bar; path=/cookie-parser-result/f%6Fo/bar"], None, HOME + "/cookie-parser-result/foo/bar"),
    ("PATH0030", ["foo=bar; path=/dog; path="], "foo=bar", ""),
    ("PATH0031", ["foo=bar; path=; path=/dog"], None, ""),
    (
        "PATH0032",
        ["foo=bar; path=/cookie-parser-result", "foo=qux; path=/cookie-parser-result/"],
        "foo=qux; foo=bar",
        HOME + "/cookie-parser-result/dog",
    ),
    ("VALUE0001", ["foo=  bar"], "foo=bar", ""),
    ("VALUE0003", ['foo="  bar "'], 'foo="  bar "', ""),
    ("VALUE0004", ['foo="bar;baz"'], 'foo="bar', ""),
    ("VALUE0006", ["   foo     =       bar             ;       ttt"], "foo=bar", ""),
]


@pytest.mark.parametrize(("name", "lines", "header", "target"), PUBLISHED, ids=[case[0] for case in PUBLISHED])
def test_published_cases(name: str, lines: list[str], header: str | None, target: str) -> None:
    """What a server sets is what comes back, byte for byte."""
    store = CookieStore(clock=lambda: NOW)
    store.receive(f"{HOME}/cookie-parser?{name}", lines)
    url = target if target.count("/") > 2 else f"{target or HOME}/cookie-parser-result?{name}"
    assert header == store.header_for(url)


def refused(line: str, url: str = "https://www.example.com/dir/page") -> str:
    place = place_of(url)
    assert place is not None
    with pytest.raises(CookieRefused) as reason:
        read(line, place, NOW)
    return str(reason.value)


@pytest.mark.parametrize("character", [chr(n) for n in [*range(9), *range(10, 32), 127]])
def test_control_characters(character: str) -> None:
    """A control character other than TAB anywhere in the line refuses it (section 5.6 step 1)."""
    for line in (f"a{character}=b", f"a=b{character}", f"a=b; Path=/{character}"):
        assert "control character" in refused(line)


def test_tab_is_white_space() -> None:
    """A TAB is stripped at the ends and kept inside (section 5.6 step 4)."""
    assert ("a", "b\tc") == parse("\ta\t=\tb\tc\t")[:2]


@pytest.mark.parametrize(
    ("name", "value", "taken"), [(1, 4095, True), (4096, 0, True), (1, 4096, False), (2048, 2049, False)]
)
def test_name_and_value_limit(name: int, value: int, taken: bool) -> None:
    """4,096 bytes of name and value together (section 5.6 step 5)."""
    line = f"{'n' * name}={'v' * value}; Path=/"
    if taken:
        assert value == len(parse(line)[1])
    else:
        assert "4096" in refused(line)


def test_attribute_limit() -> None:
    """An attribute's value of more than 1,024 bytes is as if it were not there (section 5.6, attributes step
    6).
    """
    assert f"/{'p' * 1023}" == parse(f"a=b; Path=/{'p' * 1023}")[2].path
    assert parse(f"a=b; Path=/{'p' * 1024}")[2].path is None
    assert "/x" == parse(f"a=b; Path=/x; Path=/{'p' * 1024}")[2].path
    assert parse(f"a=b; Secure={'p' * 1025}")[2].secure is False


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("60", 60),
        ("-1", -1),
        ("0", 0),
        ("", None),
        ("-", None),
        ("+5", None),
        ("5.0", None),
        ("1e3", None),
        ("٥", None),
        ("1" * 1024, 10**9),
    ],
)
def test_max_age(text: str, seconds: int | None) -> None:
    """Digits, or a minus and digits (section 5.6.2); anything else is ignored, a huge one does not break
    anything.
    """
    found = parse(f"a=b; Max-Age={text}")[2].max_age
    assert found == seconds or (found is not None and seconds == 10**9 and found > 10**9)


def test_expiry() -> None:
    """Max-Age wins over Expires, the last of two wins, far dates stay as they are: no cap of 400 days."""
    store = CookieStore(clock=lambda: NOW)
    lines = [
        "a=1; Max-Age=100; Expires=Fri, 07 Aug 2007 08:04:19 GMT",
        "b=1; Max-Age=5; Max-Age=50",
        "c=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT",
        "d=1; Max-Age=99999999999999",
        "e=1; Expires=nonsense",
        "f=1; Expires=Fri, 07 Aug 2027 08:04:19 GMT; Expires=nonsense",
    ]
    expected = [NOW + 100, NOW + 50, 253_402_300_799, 253_402_300_799, None, 1_817_625_859]
    assert expected == [cookie.expires for cookie in store.receive("https://example.com/", lines)]


def test_secure_only_from_https() -> None:
    """Plain http may not set Secure, not even on loopback."""
    for url in ("http://example.com/", "http://localhost/", "http://127.0.0.1:8000/"):
        assert "https" in refused("a=b; Secure", url)
    assert read("a=b; Secure", Place("localhost", "/", True), NOW).secure


def test_same_site_none_needs_secure() -> None:
    """Section 5.7 step 19. Other values are remembered, unknown ones are as if there were none."""
    assert "SameSite=None" in refused("a=b; SameSite=None")
    found = [parse(f"a=b; SameSite={text}")[2].samesite for text in ("strict", "LAX", "none", "odd", "")]
    assert ["Strict", "Lax", "None", None, None] == found


# Web Platform Tests, cookies/prefix; the http prefixes as Chromium and WebKit have them.
@pytest.mark.parametrize(
    ("line", "taken"),
    [
        ("__Secure-a=b; Secure", True),
        ("__Secure-a=b", False),
        ("__SeCuRe-a=b", False),
        ("__Host-a=b; Secure; Path=/", True),
        ("__Host-a=b; Secure", False),
        ("__Host-a=b; Secure; Path=", False),
        ("__Host-a=b; Secure; Path", False),
        ("__Host-a=b; Secure; Path=/dir", False),
        ("__Host-a=b; Path=/", False),
        ("__Host-a=b; Secure; Path=/; Domain=www.example.com", False),
        ("__Host-a=b; Secure; Path=/; Domain=", True),
        ("__hOST-a=b; Path=/", False),
        ("__HOST-a=b; Secure; Path=/; Domain=example.com", False),
        ("__Http-a=b; Secure; HttpOnly", True),
        ("__Http-a=b; Secure", False),
        ("__Host-Http-a=b; Secure; Path=/; HttpOnly", True),
        ("__Host-Http-a=b; Secure; Path=/", False),
        ("__Hostage=b", True),
        ("=__Host-a=b", False),
        ("__Secure-a", False),
        ("__secure-", False),
    ],
)
def test_prefixes(line: str, taken: bool) -> None:
    """A name's prefix is a promise, whatever its case; a nameless cookie cannot pretend to have one."""
    place = Place("www.example.com", "/", True)
    if taken:
        assert read(line, place, NOW).value == "b"
    else:
        with pytest.raises(CookieRefused):
            read(line, place, NOW)


@pytest.mark.parametrize(
    ("domain", "host", "host_only"),
    [
        ("example.com", "example.com", False),
        (".EXAMPLE.com", "example.com", False),
        ("www.example.com", "www.example.com", False),
        ("", "www.example.com", True),
    ],
)
def test_domains(domain: str, host: str, host_only: bool) -> None:
    """The host and the hosts above it up to the registrable domain."""
    cookie = read(f"a=b; Domain={domain}", Place("www.example.com", "/", True), NOW)
    assert (host, host_only) == (cookie.host, cookie.host_only)


@pytest.mark.parametrize(
    ("domain", "host"),
    [
        ("other.com", "www.example.com"),
        ("xample.com", "www.example.com"),
        ("com", "www.example.com"),
        ("co.UK", "example.co.uk"),  # curl CVE-2023-46218: a list asked in mixed case
        ("github.io", "alice.github.io"),
        ("com.", "example.com."),  # curl CVE-2022-27776 and its kin: a dot at the end
        ("0.0.1", "127.0.0.1"),
        ("bücher.example", "xn--bcher-kva.example"),  # section 5.7 step 8
        ("example.com.", "example.com"),
        ("example.com", "example.com."),
    ],
)
def test_foreign_domains(domain: str, host: str) -> None:
    """Not for another host, not for a public suffix, not for a part of an address."""
    with pytest.raises(CookieRefused):
        read(f"a=b; Domain={domain}", Place(host, "/", True), NOW)


@pytest.mark.parametrize("host", ["github.io", "localhost", "127.0.0.1", "::1", "com"])
def test_a_host_that_is_a_public_suffix_or_address(host: str) -> None:
    """It may name itself; the cookie is then for it alone (section 5.7 step 9)."""
    cookie = read(f"a=b; Domain={host}", Place(host, "/", True), NOW)
    assert (host, True) == (cookie.host, cookie.host_only)


def test_an_address_may_name_itself_as_urls_write_it() -> None:
    """`http://[::1]/` is the host `::1`, and a server repeats what stands in the URL; no other address is it."""
    cookie = read("a=b; Domain=[::1]", Place("::1", "/", False), NOW)
    assert ("::1", True) == (cookie.host, cookie.host_only)
    with pytest.raises(CookieRefused):
        read("a=b; Domain=[::2]", Place("::1", "/", False), NOW)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://Example.COM", ("example.com", "/", True)),
        ("http://user:secret@example.com:8080/a/b?c#d", ("example.com", "/a/b", False)),
        ("http://bücher.example/x", ("xn--bcher-kva.example", "/x", False)),
        ("http://[::1]:80/", ("::1", "/", False)),
        ("http://0x7f.1/", ("127.0.0.1", "/", False)),
        ("http://good.example\\@evil.example/", ("good.example", "/@evil.example/", False)),
        ("https://example.com/a/../b", ("example.com", "/b", True)),
        ("https://example.com?x=/", ("example.com", "/", True)),
        ("wss://example.com/", ("example.com", "/", True)),
        ("mailto:me@example.com", None),
        ("https:///", None),
        ("//example.com/", None),
    ],
)
def test_places(url: str, place: tuple[str, str, bool] | None) -> None:
    """Host, path and security of a URL, as the request that is sent has them."""
    assert place == place_of(url)


@pytest.mark.parametrize(
    ("path", "expected"), [("/", "/"), ("/a", "/"), ("/a/", "/a"), ("/a/b", "/a"), ("", "/"), ("a/b", "/")]
)
def test_default_path(path: str, expected: str) -> None:
    """Section 5.1.4."""
    assert expected == default_path(path)


# Web Platform Tests, cookies/path/match-segment-boundaries.
@pytest.mark.parametrize(
    ("path", "cookie_path", "expected"),
    [
        ("/r/echo.py", "/r/echo.py", True),
        ("/r/echo.py", "/r", True),
        ("/r/echo.py", "/r/", True),
        ("/r/echo.py", "/r/echo", False),
        ("/r/echo.py", "/r/echo.py/", False),
        ("/r/echo.py", "/r/echo.py/sub", False),
        ("/anything", "/", True),
    ],
)
def test_path_match(path: str, cookie_path: str, expected: bool) -> None:
    """A path matches those under it, cut at a slash."""
    assert expected == path_match(path, cookie_path)


def test_domain_match() -> None:
    """Section 5.1.3; an address matches itself only."""
    assert domain_match("a.b.example", "b.example") and domain_match("b.example", "b.example")
    assert not domain_match("ab.example", "b.example") and not domain_match("b.example", "a.b.example")
    assert not domain_match("1.2.3.4", "3.4")


@given(st.text(max_size=80))
def test_no_line_breaks_it(line: str) -> None:
    """Any line is a cookie or refused for a reason; never another exception."""
    try:
        cookie = read(line, Place("www.example.com", "/", True), NOW)
    except CookieRefused:
        return
    assert cookie.name or cookie.value

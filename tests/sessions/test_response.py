"""Response: text and its charset, JSON, streams, pickles, and the half that reads pages."""

from __future__ import annotations

import http.client
import io
import json
import pickle
from datetime import timedelta
from typing import Any

import pytest
import requests
import urllib3
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from crawlkit import Request, Selector, Session, exceptions
from crawlkit.html.document import Limits
from crawlkit.sessions import stream
from crawlkit.sessions.adapter import BaseAdapter
from crawlkit.sessions.headers import CaseInsensitiveDict
from crawlkit.sessions.response import Response
from tests.sessions.mirror import Mirror


def page(
    body: bytes | str,
    kind: str | None = "text/html; charset=utf-8",
    url: str = "http://a.example/dir/page?q=1",
    **headers: str,
) -> Response:
    """A response as it is once its body is read."""
    response = Response()
    response.status_code = 200
    response.url = url
    response.headers = CaseInsensitiveDict({} if kind is None else {"Content-Type": kind})
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    response.raw = io.BytesIO(body if isinstance(body, bytes) else body.encode())
    assert response.content is not None
    return response


# --- text -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "kind", "encoding", "text"),
    [
        (b"\xef\xbb\xbf<p>\xc3\xbc", "text/html; charset=latin-1", "utf-8", "<p>ü"),
        (b"<meta charset=koi8-r><p>\xd0", "text/html; charset=utf-8", "utf-8", "<meta charset=koi8-r><p>\ufffd"),
        (b"<meta charset=koi8-r><p>\xd0", "text/html", "koi8-r", "<meta charset=koi8-r><p>п"),
        ("<p>größe €".encode(), "text/html", "utf-8", "<p>größe €"),
        (b"gr\xf6\xdfe", "text/plain", "ISO-8859-1", "größe"),
        (b"gr\xf6\xdfe", "text/plain; charset=ISO-8859-15", "ISO-8859-15", "größe"),
        ("ü".encode(), "application/json", "utf-8", "ü"),
        ("größe".encode(), None, None, "größe"),
        (b"plain", "text/plain; charset=klingon", "klingon", "plain"),
        (b"", None, None, ""),
    ],
)
def test_encoding_and_text(body: bytes, kind: str | None, encoding: str | None, text: str) -> None:
    response = page(body, kind)
    assert encoding == response.encoding
    assert text == response.text
    assert encoding == response.encoding, "reading the text does not change it"


def test_an_encoding_that_is_set_counts_from_then_on() -> None:
    response = page("ü".encode(), "text/html; charset=utf-8")
    assert "ü" == response.text
    response.encoding = "latin-1"
    assert "Ã¼" == response.text
    response.encoding = None
    assert "ü" == response.text


def test_the_encoding_of_html_that_is_not_read_yet_is_what_the_head_says(mirror: Mirror) -> None:
    with Session() as session:
        with session.get(mirror.url("/answer?type=text/html&hex=00"), stream=True) as response:
            assert response.encoding is None
        with session.get(mirror.url("/answer?type=text/html;charset=KOI8-R&hex=00"), stream=True) as response:
            assert "KOI8-R" == response.encoding


def test_json_errors_are_ours_and_the_standard_librarys() -> None:
    for kind in (json.JSONDecodeError, exceptions.JSONDecodeError, exceptions.RequestException, ValueError, OSError):
        with pytest.raises(kind) as caught:
            page(b"{nope", "application/json").json()
    assert (1, "{nope") == (caught.value.pos, caught.value.doc)


def test_json_takes_the_arguments_of_loads() -> None:
    assert "1.5" == page(b"1.5", "application/json").json(parse_float=str)


@given(
    text=st.text(),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"]),
)
def test_json_is_read_in_every_unicode_encoding(text: str, encoding: str) -> None:
    body = json.dumps({"k": text}, ensure_ascii=False).encode(encoding, "replace")
    assert json.loads(json.dumps({"k": text}, ensure_ascii=False).encode("utf-8", "replace")) == page(body, None).json()


# --- streams ----------------------------------------------------------------------------------------------------------

PIECES = st.lists(st.text(alphabet="ab\r\n\x0b\u2028|=", max_size=4), max_size=8)


@given(PIECES)
def test_lines_do_not_depend_on_how_the_network_cuts(pieces: list[str]) -> None:
    whole = "".join(pieces)
    assert whole.splitlines() == list(stream.lines(iter(pieces)))
    assert whole.encode().splitlines() == list(stream.lines(iter(piece.encode() for piece in pieces)))


@given(PIECES, st.sampled_from(["|", "|=", "a|b", "\n", "ab="]))
def test_nor_do_parts_between_delimiters(pieces: list[str], delimiter: str) -> None:
    whole = "".join(pieces)
    assert (whole.split(delimiter) if whole else []) == list(stream.split(iter(pieces), delimiter))


@given(st.text(), st.integers(1, 5), st.sampled_from(["utf-8", "utf-16", "shift-jis"]))
def test_nor_does_decoding(text: str, size: int, encoding: str) -> None:
    body = text.encode(encoding, "ignore")
    pieces = stream.decoded(stream.slices(body, size), encoding)
    assert body.decode(encoding) == "".join(map(str, pieces))


def test_one_long_line_costs_no_quadratic_time() -> None:
    chunks = [b"x" * 512] * 40_000
    assert [20_480_000] == [len(line) for line in stream.lines(iter(chunks))]
    assert [20_480_000] == [len(part) for part in stream.split(iter(chunks), b"||")]


# --- life -------------------------------------------------------------------------------------------------------------


def test_a_response_pickles_with_all_that_is_known(mirror: Mirror) -> None:
    with Session() as session:
        response = session.get(mirror.url("/chain?n=1"), stream=True)
        copy = pickle.loads(pickle.dumps(response))  # noqa: S301
    assert (200, b"the end", response.url) == (copy.status_code, copy.content, copy.url)
    assert [302] == [one.status_code for one in copy.history]
    assert response.elapsed == copy.elapsed
    assert response.headers == copy.headers
    assert copy.raw is None and copy.session is None and copy.connection is None
    assert "GET" == copy.request.method
    copy.close()


class Noted(Response):
    """A subclass as programs written for requests have it."""

    __attrs__ = [*Response.__attrs__, "note"]


def test_what_a_subclass_adds_is_pickled() -> None:
    noted = Noted()
    noted._content, noted._content_consumed, noted.encoding = b"x", True, "koi8-r"
    noted.note = "seen"  # type: ignore[attr-defined]
    copy = pickle.loads(pickle.dumps(noted))  # noqa: S301
    assert ("seen", "koi8-r", b"x", None) == (copy.note, copy.encoding, copy.content, copy.raw)
    assert set(requests.Response.__attrs__) <= set(Response.__attrs__)


def test_html_in_a_pickle_is_decoded_as_before() -> None:
    copy = pickle.loads(pickle.dumps(page("<p>ü", "text/html")))  # noqa: S301
    assert ("utf-8", "<p>ü") == (copy.encoding, copy.text)
    chosen = page("<p>ü", "text/html")
    chosen.encoding = "latin-1"
    assert "latin-1" == pickle.loads(pickle.dumps(chosen)).encoding  # noqa: S301


def test_an_empty_response_has_requests_defaults() -> None:
    response = Response()
    assert (None, None, None, [], None) == (
        response.status_code,
        response.url,
        response.raw,
        response.history,
        response.encoding,
    )
    assert {} == response.headers
    assert timedelta(0) == response.elapsed
    assert response.content is None
    assert b"" == response.body
    assert {} == response.cookies.get_dict()


def test_histories_are_not_shared() -> None:
    first, second = Response(), Response()
    first.history.append(second)
    assert [] == second.history


def test_a_foreign_raw_is_read_like_a_file() -> None:
    response = Response()
    response.status_code, response.raw = 200, io.BytesIO(b"abcdef")
    assert [b"abcd", b"ef"] == list(response.iter_content(4))
    with pytest.raises(exceptions.StreamConsumedError):
        response.iter_content(4)


# --- pages ------------------------------------------------------------------------------------------------------------

HTML = """<!doctype html><html><head><title>Shop</title></head><body>
<h1>Books</h1>
<form id="search" action="/find"><input name="q" value="x"></form>
<form id="login" method="post" action="in"><input name="user"><input type="password" name="pw"></form>
<ul><li><a class="book" href="a.html">A</a> <a class="book" href="/b.html#top">B</a> <a class="book"
href="/b.html">B</a> <a href="#here">down</a> <a href="mailto:x@y">mail</a> <a>none</a> <a class="book" href="
http://b.example/c ">C</a></ul> <img src="i.png"><p>text</p></body></html>"""


def test_css_reads_the_page() -> None:
    response = page(HTML)
    assert "Shop" == response.css("title::text").get()
    assert ["A", "B", "B", "C"] == response.css("a.book::text").getall()
    assert isinstance(response.tree, LexborHTMLParser)
    assert response.tree is response.tree
    assert "Books" == response.selector.css("h1::text").get()


def test_one_names_selector_and_url() -> None:
    assert "Books" == page(HTML).one("h1::text").get()
    with pytest.raises(exceptions.NoMatch, match=r"'h2' on http://a\.example/dir/page"):
        page(HTML).one("h2")
    with pytest.raises(exceptions.NoMatch, match="not HTML but 'application/json'"):
        page(b"{}", "application/json").one("h2")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{}", "application/json"),
        (b"%PDF-1.7", "text/html"),
        (b"<p>x", "text/plain"),
        (b"", "application/octet-stream"),
    ],
)
def test_what_is_no_html_has_an_empty_css(body: bytes, kind: str) -> None:
    response = page(body, kind)
    assert not response.is_html
    assert [] == response.css("p").getall()
    assert [] == response.css("p").css("a::text").getall()
    assert [] == response.forms
    assert [] == list(response.follow_all("a"))
    with pytest.raises(exceptions.FormError):
        response.form()


def test_the_limits_are_checked_before_parsing() -> None:
    response = page("<div>" * 100)
    response.limits = Limits(max_depth=50)
    with pytest.raises(exceptions.CrawlkitError):
        response.css("div")


def test_xpath_reads_the_page() -> None:
    pytest.importorskip("parsel")
    assert ["Books"] == page(HTML).xpath("//h1/text()").getall()


def test_forms_of_the_page() -> None:
    response = page(HTML)
    assert "http://a.example/find" == response.form("#search").action
    assert "http://a.example/dir/in" == response.form(id="login").action
    assert 2 == len(response.forms)
    assert "http://a.example/find" == response.form(number=0).action


def test_follow_takes_urls_elements_and_selectors() -> None:
    response = page(HTML)
    anchor = response.css("a.book")[0]
    for link in ("a.html", anchor, anchor.node, response.css("a.book::attr(href)")[0]):
        assert "http://a.example/dir/a.html" == response.follow(link).url
    assert "http://a.example/dir/i.png" == response.follow(response.css("img")[0]).url
    request = response.follow("x", "parse_x", meta={"m": 1}, priority=3)
    assert ("parse_x", {"m": 1}, 3) == (request.callback, request.meta, request.priority)


def test_follow_says_what_cannot_be_followed() -> None:
    response = page(HTML)
    with pytest.raises(ValueError, match="<p>"):
        response.follow(response.css("p")[0])
    with pytest.raises(ValueError, match="has no link"):
        response.follow(response.tree.css("a")[5])
    with pytest.raises(ValueError, match="no URL can be made"):
        response.follow("http://[::1")
    with pytest.raises(TypeError, match="int"):
        response.follow(3)


def test_follow_all_gives_each_page_once() -> None:
    expected = ["http://a.example/dir/a.html", "http://a.example/b.html", "http://b.example/c"]
    response = page(HTML)
    assert expected == [request.url for request in response.follow_all("a")]
    assert expected == [request.url for request in response.follow_all(css="a::attr(href)")]
    assert expected == [request.url for request in response.follow_all(response.css("a"))]
    assert expected == [request.url for request in response.follow_all(response.css("a::attr(href)").getall())]
    assert ["http://a.example/dir/x", "http://a.example/dir/x"] == [
        request.url for request in response.follow_all(["x", "x#2"], dont_filter=True)
    ]


def test_follow_all_passes_everything_on() -> None:
    requests = list(page(HTML).follow_all("a", callback="parse_book", meta={"m": 1}, cb_kwargs={"k": 2}))
    assert {("parse_book", 1, 2)} == {(one.callback, one.meta["m"], one.cb_kwargs["k"]) for one in requests}
    requests[0].meta["m"] = 9
    assert 1 == requests[1].meta["m"]


def test_follow_all_wants_one_of_its_sources() -> None:
    with pytest.raises(ValueError, match="exactly one"):
        page(HTML).follow_all()
    with pytest.raises(ValueError, match="exactly one"):
        page(HTML).follow_all("a", css="a")


@pytest.mark.parametrize(
    ("base", "joined"),
    [
        ("", "http://a.example/dir/x"),
        ('<base href="/other/">', "http://a.example/other/x"),
        ('<base href="http://b.example/y/z">', "http://b.example/y/x"),
        ('<base target="_top">', "http://a.example/dir/x"),
        ('<BASE HREF=" sub/ ">', "http://a.example/dir/sub/x"),
        ('<base href="javascript:1">', "http://a.example/dir/x"),
        ('<base href="http://[">', "http://a.example/dir/x"),
    ],
)
def test_links_are_relative_to_the_base(base: str, joined: str) -> None:
    assert joined == page(f"<html><head>{base}</head><body>").urljoin("x")


def test_a_query_is_escaped_in_the_pages_charset() -> None:
    """As browsers do it: a forum in windows-1251 does not understand UTF-8."""
    response = page("<p>я".encode("cp1251"), "text/html; charset=windows-1251")
    assert "http://a.example/%D1%8F?q=%FF" == response.urljoin("/я?q=я")
    assert "http://a.example/%D1%8F?q=%D1%8F" == page("<p>я").urljoin("/я?q=я")


def test_meta_is_that_of_the_spiders_request(mirror: Mirror) -> None:
    with Session() as session:
        spec = Request(mirror.url(), meta={"m": 1}, cb_kwargs={"k": 2})
        response = session.send(session.prepare_request(spec))
        assert ({"m": 1}, {"k": 2}) == (response.meta, response.cb_kwargs)
        plain = session.get(mirror.url())
        assert ({}, {}) == (plain.meta, plain.cb_kwargs)


def test_selectors_of_other_markup_stand_alone() -> None:
    assert "x" == Selector(text="<b>x</b>").css("b::text").get()


def test_many_links_are_followed_fast() -> None:
    """Guards against joining before doubles are left out; the figure is ten times what it takes."""
    links = "".join(f"<p>{'word ' * 80}<a class=l href='/p/{n % 44}?q=1#f{n}'>x</a></p>" for n in range(188))
    response = page(f"<html><body>{links}</body></html>")
    response.css("h1")
    joins: list[str] = []
    join = response._join
    response._join = lambda link: joins.append(link) or join(link)  # type: ignore[method-assign,func-returns-value]
    assert 44 == len(list(response.follow_all("a.l")))
    assert 44 == len(joins)


def test_links_header() -> None:
    response = page(b"", None, Link='</n>; rel=next, </x>; title="a, b"')
    assert {"next": {"url": "/n", "rel": "next"}, "/x": {"url": "/x", "title": "a, b"}} == response.links
    assert {} == page(b"", None).links


def set_lines(response: Response, raw: Any) -> list[str]:
    response.headers["Set-Cookie"] = "joined"
    response.raw = raw
    return response.set_cookie_lines()


def test_set_cookie_lines_of_foreign_raws() -> None:
    class Headers:
        def __init__(self, headers: Any) -> None:
            self.headers = headers

    many = urllib3.HTTPHeaderDict()
    many.add("Set-Cookie", "a=1")
    many.add("Set-Cookie", "b=2")
    message = http.client.HTTPMessage()
    message["Set-Cookie"] = "a=1"
    message["Set-Cookie"] = "b=2"
    assert ["a=1", "b=2"] == set_lines(page(b""), Headers(many)) == set_lines(page(b""), Headers(message))
    assert ["joined"] == set_lines(page(b""), io.BytesIO())
    assert [] == page(b"").set_cookie_lines()


class Urllib3Adapter(BaseAdapter):
    """An adapter of somebody's own over urllib3: its errors are not ours until a body is read through us."""

    def __init__(self) -> None:
        self.pool = urllib3.PoolManager(retries=False)

    def send(self, request, stream=False, timeout=None, verify=True, cert=None, proxies=None):
        response = Response()
        response.raw = self.pool.request(
            request.method, request.url, preload_content=False, redirect=False, timeout=0.3, decode_content=False
        )
        response.status_code, response.reason = response.raw.status, response.raw.reason.encode("latin-1")
        response.url, response.request = request.url, request
        return response

    def close(self) -> None:
        self.pool.clear()


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/cut", exceptions.ChunkedEncodingError),
        ("/cutchunk", exceptions.ChunkedEncodingError),
        ("/coded?as=broken", exceptions.ContentDecodingError),
        ("/stall", exceptions.BodyTimeout),
    ],
)
def test_the_errors_of_a_foreign_raw_get_our_names(
    path: str, error: type[exceptions.RequestException], mirror: Mirror
) -> None:
    with Session() as session:
        session.mount("http://", Urllib3Adapter())
        with pytest.raises(error) as caught:
            session.get(mirror.url(path))
        assert 200 == caught.value.response.status_code
        with pytest.raises(error):
            list(session.get(mirror.url(path), stream=True).iter_content(4))


def test_a_foreign_raw_is_as_good_as_ours(mirror: Mirror) -> None:
    with Session() as session:
        session.mount("http://", Urllib3Adapter())
        response = session.get(mirror.url("/redirect?to=/coded%3Fas=br&set=a%3D1%3B+Path%3D/&set=b%3D2"))
        assert response.text.startswith("body of many words")
        assert [302] == [one.status_code for one in response.history]
        assert {"a": "1", "b": "2"} == session.cookies.get_dict()
        with pytest.raises(exceptions.HTTPError, match="404 Client Error: größe for url"):
            session.get(mirror.url("/answer?status=404&reason=gr%C3%B6%C3%9Fe")).raise_for_status()

"""The demo bookshop: what it answers to whom, what it remembers and counts. Asked by http.client alone."""

from __future__ import annotations

import http.client
import json
import re
import socket
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from crawlkit.sessions.totp import Totp
from crawlkit.testing import KEEPER, KEEPER_TOTP, MEMBER, DemoSite, FakeClock, demo_site, demo_site_runs
from crawlkit.testing.bookshop import slug, stock


class Visitor:
    """A browser of few words: one kept connection and the cookies it was given."""

    def __init__(self, site: DemoSite) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=5)
        self.cookies: dict[str, str] = {}

    def ask(
        self, method: str, path: str, body: str | None = None, **headers: str
    ) -> tuple[int, http.client.HTTPMessage, str]:
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, answer.headers, text

    def get(self, path: str, **headers: str) -> tuple[int, http.client.HTTPMessage, str]:
        return self.ask("GET", path, **headers)

    def log_in(
        self, password: str = MEMBER.password, username: str = MEMBER.username
    ) -> tuple[int, http.client.HTTPMessage, str]:
        _, _, form = self.get("/login")
        token = re.search(r'name="csrf" value="([^"]+)"', form)
        assert token is not None
        fields = {"csrf": token[1], "user": username, "password": password, "next": "/books?page=2"}
        kind = "application/x-www-form-urlencoded"
        return self.ask("POST", "/login", urlencode(fields), **{"Content-Type": kind})


@pytest.fixture
def site() -> Iterator[DemoSite]:
    with demo_site(port=0, books=45) as running:
        yield running


@pytest.fixture
def visitor(site: DemoSite) -> Iterator[Visitor]:
    someone = Visitor(site)
    yield someone
    someone.connection.close()


def test_stock_is_the_same_for_the_same_seed():
    """A second run, and a test on another machine, see the same books, none twice."""
    books = stock(300)
    assert stock(300) == books
    assert stock(300, seed=1) != books
    assert 300 == len({book.slug for book in books})
    assert "nine-days-in-the-cafe-volume-ii" == slug("Nine Days in the Café, Volume II")


def test_isbn_check_digits_are_right():
    """A spider that validates ISBNs finds nothing to complain about."""
    for book in stock(50):
        weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(book.isbn))
        assert 0 == weighted % 10


def test_members_pages_redirect_to_the_login_form(visitor: Visitor):
    """Logged out, a members' page sends to the form, which knows where to go afterwards."""
    status, headers, _ = visitor.get("/books?page=2")
    assert (303, "/login?next=%2Fbooks%3Fpage%3D2") == (status, headers["Location"])
    assert 'value="/books?page=2"' in visitor.get(headers["Location"])[2]


def test_logged_out_form_comes_with_status_200():
    """The harder kind of site: the form in place of the page, and no redirect."""
    with demo_site(port=0, books=3, logged_out="form") as site:
        visitor = Visitor(site)
        status, _, html = visitor.get("/books")
        visitor.connection.close()
    assert 200 == status
    assert '<form id="login"' in html


def test_login_opens_the_shop(site: DemoSite, visitor: Visitor):
    """The right password with the form's token logs in and goes where the visitor wanted."""
    status, headers, _ = visitor.log_in()
    assert (303, "/books?page=2") == (status, headers["Location"])
    _, _, listing = visitor.get("/books?page=3")
    slugs = re.findall(r'class="title" href="/books/([^"]+)"', listing)
    assert [book.slug for book in site.books[40:]] == slugs
    assert "Page 3 of 3" in listing
    assert 'rel="next"' not in listing


def test_login_form_keeps_strangers_out(visitor: Visitor):
    """A wrong password gets the form again with status 200; a form without its token gets 403."""
    status, _, html = visitor.log_in(password="guess")
    assert 200 == status
    assert 'class="error"' in html
    assert 403 == visitor.ask("POST", "/login", "user=reader&password=a-quiet-room")[0]
    assert 303 == visitor.get("/books")[0]


def test_login_never_redirects_to_another_site(visitor: Visitor):
    """`next=//evil.example` is answered as if it had not been given."""
    _, _, form = visitor.get("/login?next=//evil.example/")
    token = re.search(r'name="csrf" value="([^"]+)"', form)
    assert token is not None
    fields = {"csrf": token[1], "user": "reader", "password": "a-quiet-room", "next": "//evil.example/"}
    assert "/books" == visitor.ask("POST", "/login", urlencode(fields))[1]["Location"]


def test_detail_page_shows_the_price_table(site: DemoSite, visitor: Visitor):
    """Every price of the book is in its table, in pounds."""
    visitor.log_in()
    book = site.books[7]
    status, _, html = visitor.get(book.path)
    assert 200 == status
    shown = re.findall(r'class="format">([^<]+)</td><td class="price">£(\d+)\.(\d\d)<', html)
    expected = [(price.format, price.pence) for price in book.prices]
    assert expected == [(kind, int(pounds) * 100 + int(pence)) for kind, pounds, pence in shown]


def test_logout_link_ends_the_login_on_the_server(visitor: Visitor):
    """Following the link once is enough: the old cookie is worth nothing afterwards."""
    visitor.log_in()
    cookie = visitor.cookies["member"]
    assert 303 == visitor.get("/logout")[0]
    visitor.cookies["member"] = cookie
    assert 303 == visitor.get("/books")[0]


def test_login_expires_after_requests():
    """`expire_after_requests=3`: the fourth members' page asks to log in again, which opens it again."""
    with demo_site(port=0, books=3, expire_after_requests=3) as site:
        visitor = Visitor(site)
        visitor.log_in()
        assert [200, 200, 200, 303] == [visitor.get("/books")[0] for _ in range(4)]
        visitor.log_in()
        assert 200 == visitor.get("/books")[0]
        visitor.connection.close()


def test_login_expires_after_seconds():
    """`expire_after_seconds=60` by the clock that was handed over."""
    clock = FakeClock()
    with demo_site(port=0, books=3, expire_after_seconds=60, clock=clock.time) as site:
        visitor = Visitor(site)
        visitor.log_in()
        clock.advance(59)
        assert 200 == visitor.get("/books")[0]
        clock.advance(1)
        assert 303 == visitor.get("/books")[0]
        visitor.connection.close()


def test_expire_ends_every_login(site: DemoSite, visitor: Visitor):
    """`site.expire()` logs everybody out, and nobody is kept from logging in again."""
    visitor.log_in()
    site.expire()
    assert 303 == visitor.get("/books")[0]
    visitor.log_in()
    assert 200 == visitor.get("/books")[0]


def test_expire_has_an_address(site: DemoSite, visitor: Visitor):
    """What `site.expire()` does, for somebody who types: now, and from now on after so many pages, and no more."""
    visitor.log_in()
    assert "every login has ended\n" == visitor.get("/expire")[2]
    assert 303 == visitor.get("/books")[0]
    visitor.get("/expire?every=2")
    visitor.log_in()
    assert [200, 200, 303] == [visitor.get("/books")[0] for _ in range(3)]
    visitor.get("/expire?every=0")
    visitor.log_in()
    assert [200, 200, 200] == [visitor.get("/books")[0] for _ in range(3)]


def test_keeper_is_asked_for_a_code():
    """The second account needs a one-time code, of now or of the half minute before; the password alone opens nothing."""
    clock, totp = FakeClock(), Totp(KEEPER_TOTP)
    with demo_site(port=0, books=3, clock=clock.time) as site:
        visitor = Visitor(site)
        status, _, html = visitor.log_in(KEEPER.password, KEEPER.username)
        assert 200 == status
        assert 303 == visitor.get("/books")[0]
        fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', html))
        kind = {"Content-Type": "application/x-www-form-urlencoded"}

        def answer(code: str, **changed: str) -> int:
            return visitor.ask("POST", "/login/code", urlencode({**fields, "otp": code, **changed}), **kind)[0]

        code = totp.at(clock.time())
        assert 200 == answer("000000" if code != "000000" else "111111")
        assert 403 == answer(code, ticket=fields["ticket"] + "x")
        clock.advance(totp.period)
        assert 303 == answer(code)
        assert 'Hello, <b class="name">keeper</b>' in visitor.get("/account")[2]
        visitor.connection.close()


def test_login_outlives_a_restart():
    """A cookie from the first run opens the second: what makes a saved profile useful in the demo."""
    with demo_site(port=0, books=3) as site:
        visitor = Visitor(site)
        visitor.log_in()
        visitor.connection.close()
    with demo_site(port=0, books=3) as again, demo_site(port=0, books=3, secret="other") as other:
        for place, expected in ((again, 200), (other, 303)):
            later = Visitor(place)
            later.cookies = visitor.cookies
            assert expected == later.get("/books")[0]
            later.connection.close()


def test_json_endpoint_wants_a_token(site: DemoSite, visitor: Visitor):
    """401 without a token; with one, the books as data, page by page to the end."""
    status, headers, _ = visitor.get("/api/books")
    assert 401 == status
    assert headers["WWW-Authenticate"].startswith("Bearer")
    assert 403 == visitor.ask("POST", "/api/token", json.dumps({"username": "x", "password": "y"}))[0]
    assert 400 == visitor.ask("POST", "/api/token", "not json")[0]
    _, _, text = visitor.ask("POST", "/api/token", json.dumps(MEMBER._asdict()))
    bearer = {"Authorization": f"Bearer {json.loads(text)['token']}"}
    slugs: list[str] = []
    path: str | None = "/api/books"
    while path:
        page = json.loads(visitor.get(path, **bearer)[2])
        slugs += [book["slug"] for book in page["books"]]
        path = page["next"]
    assert [book.slug for book in site.books] == slugs
    one = json.loads(visitor.get(f"/api/books/{slugs[0]}", **bearer)[2])
    assert site.books[0].prices[0].pence == one["prices"][0]["pence"]
    assert 404 == visitor.get("/api/books/none", **bearer)[0]


def test_robots_and_sitemap(site: DemoSite, visitor: Visitor):
    """robots.txt names the sitemap, the sitemap every book."""
    assert f"Sitemap: {site.url}/sitemap.xml" in visitor.get("/robots.txt")[2]
    places = re.findall(r"<loc>([^<]+)</loc>", visitor.get("/sitemap.xml")[2])
    assert [f"{site.url}/books", *(site.url + book.path for book in site.books)] == places


def test_unchanged_page_is_304(visitor: Visitor):
    """A page asked for with its ETag comes back without a body, on the same connection."""
    visitor.log_in()
    _, headers, _ = visitor.get("/books")
    status, _, text = visitor.get("/books", **{"If-None-Match": headers["ETag"]})
    assert (304, "") == (status, text)
    assert 200 == visitor.get("/books?page=2", **{"If-None-Match": headers["ETag"]})[0]


@pytest.mark.parametrize("path", ["/nowhere", "/books/none", "/books?page=0", "/books?page=4", "/books?page=x"])
def test_missing_pages_are_404(visitor: Visitor, path: str):
    """What the shop does not have it says so, to members."""
    visitor.log_in()
    assert 404 == visitor.get(path)[0]


def test_head_has_no_body(visitor: Visitor):
    """HEAD answers with the length of the page and without it."""
    status, headers, text = visitor.ask("HEAD", "/")
    assert (200, "") == (status, text)
    assert int(headers["Content-Length"]) > 100


def test_log_says_who_asked_for_what(site: DemoSite, visitor: Visitor):
    """The log is complete when the answer is there: method, path, status, cookie, member, connection."""
    visitor.get("/")
    visitor.log_in()
    visitor.get("/books?page=2")
    assert ["/", "/login", "/login", "/books?page=2"] == site.log.paths()
    assert [False, False, True, True] == [entry.cookie for entry in site.log]
    assert [False, False, False, True] == [entry.member for entry in site.log]
    assert {1} == {entry.connection for entry in site.log}
    assert 1 == site.log.count("/login", method="POST", status=303)
    assert 1 == site.log.count("/books")
    site.log.clear()
    assert 0 == len(site.log)


def test_connections_are_counted(site: DemoSite):
    """Open now, most at once, ever: three opened, of which two at a time."""
    first, second = (socket.create_connection(("127.0.0.1", site.port)) for _ in range(2))
    for each in (first, second):
        each.sendall(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert each.recv(9)
    assert 2 == site.connections.open
    first.close()
    with socket.create_connection(("127.0.0.1", site.port)) as third:
        third.sendall(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert third.recv(9)
        assert (2, 3) == (site.connections.most, site.connections.ever)
    second.close()


def test_taken_port_is_named(site: DemoSite):
    """A second site on the port says which port, and `demo_site_runs` tells a shop from nothing."""
    with pytest.raises(OSError, match=f"127.0.0.1:{site.port} .*running already"):
        demo_site(port=site.port)
    assert demo_site_runs(site.port)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert not demo_site_runs(port)


def test_close_frees_the_port_and_can_be_called_twice():
    """The same port can be opened again at once, although a client still holds its connection."""
    site = demo_site(port=0, books=3)
    held = socket.create_connection(("127.0.0.1", site.port))
    held.sendall(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert held.recv(9)
    site.close()
    site.close()
    held.close()
    with demo_site(port=site.port, books=3) as again:
        assert site.url == again.url

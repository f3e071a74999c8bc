"""Real servers for the integration tests: nginx with Python's documentation, Django's admin, a quotes site."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs

import pytest

from crawlkit.testing import HostileServer
from crawlkit.testing.hostile import Received, Step, answer
from tests.servers import DjangoSite, DocsSite, MissingPackage, serve_django, serve_docs


@pytest.fixture(scope="session")
def docs_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DocsSite]:
    """Debian's python3-doc behind Debian's nginx on a free port."""
    try:
        server = serve_docs(tmp_path_factory.mktemp("nginx"))
    except MissingPackage as missing:
        pytest.skip(str(missing))
    with server as site:
        yield site


@pytest.fixture(scope="module")
def django_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DjangoSite]:
    """The project in `djangosite/` as a process of its own, with its 500 objects."""
    with serve_django(tmp_path_factory.mktemp("django")) as site:
        yield site


# --- a site of quotes, with the markup of the public practice site ----------------------------------------------------

QUOTES = [
    {"text": f"“Saying number {n}.”", "author": f"Author {n % 4}", "tags": ["all", f"mod-{n % 3}"]} for n in range(25)
]


@dataclass(frozen=True)
class QuotesSite:
    """Quotes, ten a page, their authors, a login with a CSRF token. `server` is what saw the requests."""

    server: HostileServer

    @property
    def url(self) -> str:
        return self.server.url("").rstrip("/")


@pytest.fixture
def quotes_site() -> Iterator[QuotesSite]:
    """A site laid out like the practice site of scraping tutorials, on loopback."""
    with HostileServer() as server:
        for number in (1, 2, 3):
            server.play(f"/page/{number}/", quotes_page(number))
        server.play("/", quotes_page(1))
        for number in range(4):
            server.play(f"/author/Author-{number}", author_page(number))
        server.play("/login", login_page)
        server.play("/robots.txt", [answer("404 Not Found")])
        yield QuotesSite(server)


def shown_to_whom(page: Callable[[str], str]) -> Callable[[Received], list[Step]]:
    """The script of a page: whom has the cookie it shows a logout link, others one to the login."""

    def script(request: Received) -> list[Step]:
        member = "session=member" in (request.header("Cookie") or "")
        who = '<a href="/logout">Logout</a>' if member else '<a href="/login">Login</a>'
        return [answer(body=page(f"<p>{who}</p>").encode())]

    return script


def quotes_page(number: int) -> Callable[[Received], list[Step]]:
    quotes = "".join(
        f'<div class="quote"><span class="text">{html.escape(quote["text"])}</span> <span>by '
        f'<small class="author">{quote["author"]}</small> '
        f'<a href="/author/{quote["author"].replace(" ", "-")}">(about)</a></span><div class="tags">'
        + "".join(f'<a class="tag" href="/tag/{tag}/">{tag}</a>' for tag in quote["tags"])
        + "</div></div>"
        for quote in QUOTES[(number - 1) * 10 : number * 10]
    )
    after = f'<li class="next"><a href="/page/{number + 1}/">Next</a></li>' if number < 3 else ""
    before = f'<li class="previous"><a href="/page/{number - 1}/">Back</a></li>' if number > 1 else ""
    return shown_to_whom(
        lambda who: (
            f"<!doctype html><html><head><title>Quotes</title></head><body>{who}{quotes}"
            f'<nav><ul class="pager">{before}{after}</ul></nav></body></html>'
        )
    )


def author_page(number: int) -> Callable[[Received], list[Step]]:
    return shown_to_whom(
        lambda who: (
            f'<!doctype html><title>Author</title>{who}<h3 class="author-title">Author {number}\n</h3>'
            f'<p>Born: <span class="author-born-date">May {number + 1}, 1900</span> '
            f'<span class="author-born-location">in Place {number}</span></p>'
            f'<div class="author-description">Wrote {number} books.</div>'
        )
    )


def login_page(request: Received) -> list[Step]:
    """The form; and for a right token the cookie and a redirect home."""
    if request.method == "POST":
        form = parse_qs(request.body.decode())
        if form.get("csrf_token") == ["t0ken"] and "username" in form:
            cookie = "session=member; Path=/; HttpOnly"
            return [answer("302 Found", b"", [("Location", "/"), ("Set-Cookie", cookie)])]
        return [answer("403 Forbidden", b"no token")]
    return [
        answer(
            body=b'<!doctype html><title>Login</title><form action="/login" method="post">'
            b'<input type="hidden" name="csrf_token" value="t0ken"><input name="username" type="text">'
            b'<input name="password" type="password"><input type="submit" value="Login"></form>'
        )
    ]

"""HTTP of the demo bookshop: which path gets which page, cookies, conditional answers. No HTML is written here.

Logging in is shop_door.py's.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from crawlkit.testing import shop_pages
from crawlkit.testing.ledger import Exchange
from crawlkit.testing.shop_door import Door

if TYPE_CHECKING:
    from crawlkit.testing.demo_site import DemoSite

_MOST_FORM_BYTES = 64 * 1024


class ShopHandler(Door):
    """Answers the requests of one connection, in a thread of its own, by HTTP/1.1 with keep-alive."""

    site: DemoSite  # set by the subclass that each site makes

    protocol_version = "HTTP/1.1"
    server_version = "crawlkit-demo"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave in one packet
    timeout = 60  # an idle connection is closed after as many seconds

    def do_GET(self) -> None:  # noqa: N802 - http.server's name
        self._answer(self._get)

    def do_HEAD(self) -> None:  # noqa: N802 - http.server's name
        self._answer(self._get)

    def do_POST(self) -> None:  # noqa: N802 - http.server's name
        self._answer(self._post)

    def log_message(self, format: str, *args: Any) -> None:
        """The log is `site.log`; nothing goes to standard error."""

    # --- one exchange ---

    def _answer(self, route: Any) -> None:
        self._began = time.monotonic()
        if self.site.latency_seconds:
            time.sleep(self.site.latency_seconds)
        self._cookies = _cookies(self.headers.get("Cookie", ""))
        self._member: bool | None = None
        self._body = self._read_body()
        parts = urlsplit(self.path)
        self._query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        route(parts.path)

    def _read_body(self) -> bytes:
        length = int(self.headers.get("Content-Length") or 0)
        if length > _MOST_FORM_BYTES:
            self.close_connection = True
            return b""
        return self.rfile.read(length)

    @property
    def member(self) -> bool:
        """Whether a valid login came along, by cookie or by token; asked once, for each asking uses the login up."""
        if self._member is None:
            self._member = self.site.members.admits(self._login())
        return self._member

    def _login(self) -> str | None:
        """The login that came along, whatever it is worth."""
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        return token if scheme.lower() == "bearer" else self._cookies.get("member")

    def _get(self, path: str) -> None:
        if path == "/robots.txt":
            self._send(shop_pages.ROBOTS.format(base=self.site.url), kind="text/plain")
        elif path == "/sitemap.xml":
            self._send(shop_pages.sitemap(self.site.url, self.site.books), kind="application/xml")
        elif path == "/style.css":
            self._send(shop_pages.STYLE, kind="text/css")
        elif path == "/":
            self._send(shop_pages.home(member=self.member))
        elif path == "/login":
            self._login_form(self._query.get("next", "/books"))
        elif path == "/logout":
            self._log_out()
        elif path == "/expire":
            self._expire()
        elif path.startswith("/api/"):
            self._api(path)
        else:
            self._members_page(path)

    def _post(self, path: str) -> None:
        if path == "/login":
            self._log_in()
        elif path == "/login/code":
            self._take_code()
        elif path == "/api/token":
            self._token()
        else:
            self._send(shop_pages.missing(path, member=False), HTTPStatus.NOT_FOUND)

    # --- members' pages ---

    def _members_page(self, path: str) -> None:
        known = path in ("/books", "/account") or path.startswith("/books/")
        if known and not self.member:
            self._logged_out()
        elif path == "/account":
            self._send(shop_pages.account(self.site.members.name_of(self._login())))
        elif path == "/books":
            self._listing()
        elif path.startswith("/books/") and (book := self.site.book(path.removeprefix("/books/"))):
            self._send(shop_pages.book(book))
        else:
            self._send(shop_pages.missing(path, member=self.member), HTTPStatus.NOT_FOUND)

    def _listing(self) -> None:
        number = self._page_number(self.site.pages)
        if number is None:
            self._send(shop_pages.missing(self.path, member=True), HTTPStatus.NOT_FOUND)
            return
        size = self.site.per_page
        books = self.site.books[(number - 1) * size : number * size]
        self._send(shop_pages.listing(books, number, self.site.pages, len(self.site.books)))

    def _page_number(self, last: int) -> int | None:
        text = self._query.get("page", "1")
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
        return number if 1 <= number <= last else None

    # --- the JSON endpoint ---

    def _api(self, path: str) -> None:
        book = self.site.book(path.removeprefix("/api/books/"))
        number = self._page_number(self.site.pages)
        if not self.member:
            self._send_json(
                {"error": "a token is needed: POST /api/token"},
                HTTPStatus.UNAUTHORIZED,
                headers=[("WWW-Authenticate", 'Bearer realm="The Quiet Room"')],
            )
        elif path == "/api/books" and number is not None:
            self._send_json(self._api_listing(number))
        elif book is not None:
            self._send_json(asdict(book))
        else:
            self._send_json({"error": "not found"}, HTTPStatus.NOT_FOUND)

    def _api_listing(self, number: int) -> dict[str, Any]:
        size, last = self.site.per_page, self.site.pages
        books = self.site.books[(number - 1) * size : number * size]
        return {
            "count": len(self.site.books),
            "page": number,
            "pages": last,
            "next": f"/api/books?page={number + 1}" if number < last else None,
            "books": [asdict(book) for book in books],
        }

    # --- answers ---

    def _send_json(
        self,
        value: Any,
        status: HTTPStatus = HTTPStatus.OK,
        *,
        headers: list[tuple[str, str]] | None = None,
    ) -> None:
        self._send(json.dumps(value, ensure_ascii=False), status, kind="application/json", headers=headers)

    def _redirect(self, path: str, *, cookies: list[str] | None = None) -> None:
        self._send("", HTTPStatus.SEE_OTHER, cookies=cookies, headers=[("Location", path)])

    def _send(
        self,
        text: str,
        status: HTTPStatus = HTTPStatus.OK,
        *,
        kind: str = "text/html",
        cookies: list[str] | None = None,
        headers: list[tuple[str, str]] | None = None,
    ) -> None:
        body = text.encode()
        tag = f'"{hashlib.blake2b(body, digest_size=8).hexdigest()}"'
        unchanged = status == HTTPStatus.OK and self.headers.get("If-None-Match") == tag
        if unchanged:
            status = HTTPStatus.NOT_MODIFIED
        self.send_response(status)
        for cookie in cookies or []:
            self.send_header("Set-Cookie", cookie)
        for name, value in headers or []:
            self.send_header(name, value)
        if status in (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED):
            self.send_header("ETag", tag)
            self.send_header("Vary", "Cookie, Authorization")
            self.send_header("Cache-Control", "private, no-cache")
        if not unchanged:
            charset = "" if kind == "application/json" else "; charset=utf-8"
            self.send_header("Content-Type", f"{kind}{charset}")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        # Noted before the answer leaves: a client that has its answer finds it in the log.
        self._note(status)
        if not unchanged and self.command != "HEAD":
            self.wfile.write(body)

    def _note(self, status: int) -> None:
        self.site.log.add(
            Exchange(
                method=self.command,
                path=self.path,
                status=int(status),
                at=self._began,
                cookie="Cookie" in self.headers,
                member=bool(self._member),
                connection=self.site.connections.number(self.connection),
            )
        )


def _cookies(header: str) -> dict[str, str]:
    """The cookies that a client sent; a header that cannot be read counts as none."""
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(header).items()}
    except CookieError:
        return {}

"""The demo site: a members' bookshop on loopback, to try spiders on and to test them against.

Here is the site's life (start, state that tests ask for, end). What it sells is in bookshop.py, its pages in
shop_pages.py, its HTTP in shop_handler.py, its logins in members.py.
"""

from __future__ import annotations

import http.client
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Literal

from crawlkit.testing.bookshop import Book, stock
from crawlkit.testing.ledger import Connections, Log
from crawlkit.testing.local_site import LocalServer, LocalSite
from crawlkit.testing.members import MEMBER, Account, Members
from crawlkit.testing.shop_handler import ShopHandler

PORT = 8763
"""Where the demo site listens by default; fixed, so that a second run sees the same URLs."""


class DemoSite(LocalSite):
    """A running bookshop. Made by `demo_site()`; safe from any thread; ends with `close()` or a `with` block.

    `url` is its root without a slash at the end, `books` what it sells in the order of its listing, `log` the
    requests it answered, `connections` how many were opened, `members` who is logged in. Paths:

    - `/` for everybody; `/books?page=N`, `/books/SLUG`, `/account` for members; `/login` (a form with a CSRF
      token), `/login/code` (the one-time code of KEEPER), `/logout` (a plain link, as on many sites)
    - `/expire` ends every login, `/expire?every=N` each later one after N members' requests as well, 0 never
    - `/api/token` (POST a JSON username and password), `/api/books?page=N`, `/api/books/SLUG` with that
      Bearer token
    - `/robots.txt`, `/sitemap.xml`; everything with ETag and 304.
    """

    def __init__(
        self,
        port: int,
        books: tuple[Book, ...],
        members: Members,
        *,
        per_page: int,
        logged_out: Literal["redirect", "form"],
        latency_seconds: float,
    ) -> None:
        self.books = books
        self.members = members
        self.per_page = per_page
        self.logged_out = logged_out
        self.latency_seconds = latency_seconds
        self.log = Log()
        self.connections = Connections()
        self._by_slug = {book.slug: book for book in books}
        handler = type("Handler", (ShopHandler,), {"site": self})
        self._open(_Server(("127.0.0.1", port), handler, self.connections), "demo-site")

    @property
    def pages(self) -> int:
        """How many pages the listing has."""
        return max(1, -(-len(self.books) // self.per_page))

    def book(self, slug: str) -> Book | None:
        """The book of this slug, None when the shop has none."""
        return self._by_slug.get(slug)

    def expire(self, every: int | None = None) -> None:
        """End every login, as a site does that is deployed anew; see `Members.expire`."""
        self.members.expire(every)

    def __repr__(self) -> str:
        return f"<DemoSite {self.url} books={len(self.books)} answered={len(self.log)}>"


def demo_site(
    port: int = PORT,
    *,
    books: int = 300,
    per_page: int = 20,
    seed: int = 8763,
    account: Account | tuple[str, str] = MEMBER,
    secret: str = "demo",
    expire_after_seconds: float | None = None,
    expire_after_requests: int | None = None,
    logged_out: Literal["redirect", "form"] = "redirect",
    latency_seconds: float = 0.0,
    clock: Callable[[], float] = time.time,
) -> DemoSite:
    """Start the bookshop on loopback and return it running, for `with demo_site() as site:` or until
    `site.close()`.

    `port` 0 takes a free one. The same `books` and `seed` give the same contents. A login ends after
    `expire_after_seconds` or after as many members' requests as `expire_after_requests` says (None: never),
    and outlives a restart that has the same `secret`. `logged_out` is what a visitor gets for a members'
    page: a redirect to the form, or the form itself with status 200. `latency_seconds` passes before each
    answer.

    Raises OSError, naming the port, when something else listens there.
    """
    members = Members(
        account=Account(*account),
        secret=secret,
        expire_after_seconds=expire_after_seconds,
        expire_after_requests=expire_after_requests,
        clock=clock,
    )
    try:
        return DemoSite(
            port,
            stock(books, seed),
            members,
            per_page=per_page,
            logged_out=logged_out,
            latency_seconds=latency_seconds,
        )
    except OSError as error:
        raise OSError(
            error.errno,
            f"the demo site cannot listen on 127.0.0.1:{port} ({error.strerror}): is it running already?",
        ) from error


def demo_site_runs(port: int = PORT) -> bool:
    """Whether a demo site answers on this port of loopback, started by this process or another one."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("HEAD", "/robots.txt")
        return connection.getresponse().headers.get("Server", "").strip() == ShopHandler.server_version
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


class _Server(LocalServer):
    """A thread a connection, each of them counted and joined when the server closes."""

    def __init__(self, address: tuple[str, int], handler: type[ShopHandler], connections: Connections) -> None:
        self._connections = connections
        self._threads_lock = threading.Lock()
        self._serving: set[threading.Thread] = set()
        super().__init__(address, handler)

    # socketserver types a request as a socket or a UDP packet, and an address as anything: here both are
    # TCP's.
    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.opened(request)
        thread = threading.Thread(
            target=self.process_request_thread,
            args=(request, client_address),
            name="demo-site-connection",
            daemon=True,
        )
        with self._threads_lock:
            self._serving.add(thread)
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._threads_lock:
                self._serving.discard(threading.current_thread())

    def shutdown_request(self, request: Any) -> None:
        self._connections.closed(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away in the middle is nothing to report; anything else prints its traceback."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def server_close(self) -> None:
        super().server_close()
        self._connections.hang_up()
        with self._threads_lock:
            serving = list(self._serving)
        for thread in serving:
            thread.join(timeout=2)

"""The members' bookshop: a login, a listing over many pages, two tables. The spider to read first.

crawlkit run spiders/site.py                    the demo shop, started on this machine for the run
crawlkit run spiders/site.py -a base=URL        a demo shop that runs elsewhere (python -m crawlkit.testing)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from crawlkit import Request, Response, Session, Spider
from crawlkit.testing import MEMBER, DemoSite, demo_site, demo_site_runs


@dataclass
class Book:
    """A row of the table `book`."""

    isbn: str
    title: str
    author: str
    subject: str
    year: int
    pages: int
    url: str


@dataclass
class Price:
    """A row of the table `price`: one for each format of a book. Amounts are pence."""

    isbn: str
    format: str
    pence: int
    member_pence: int
    stock: int


class Bookshop(Spider):
    name = "bookshop"
    key = {"book": "isbn", "price": ("isbn", "format")}
    base = ""  # -a base=http://127.0.0.1:8763
    shop: DemoSite | None = None

    def start_requests(self) -> Iterator[Request]:
        self.base = self.base.rstrip("/") or self.open_shop()
        yield Request(f"{self.base}/books")

    # A spider for a real site has none of this: its site is there already, and start_urls says where.
    def open_shop(self) -> str:
        if not demo_site_runs():
            self.shop = demo_site()
            self.logger.info("the demo shop is open at %s while this runs", self.shop.url)
        return self.shop.url if self.shop else "http://127.0.0.1:8763"

    def closed(self, reason: str) -> None:
        if self.shop:
            self.shop.close()

    def login(self, session: Session) -> None:
        page = session.get(f"{self.base}/login")
        # The demo's account is public. Yours is not: self.credentials reads it from the environment.
        session.submit(page.form("#login"), {"user": MEMBER.username, "password": MEMBER.password})

    def logged_in(self, response: Response) -> bool:
        return bool(response.css("a.account"))

    def parse(self, response: Response) -> Iterator[Request]:
        yield from response.follow_all("ol.books a.title", callback=self.parse_book)
        yield from response.follow_all("nav.pages a.next")

    def parse_book(self, response: Response) -> Iterator[Book | Price]:
        book = response.one("article.book")
        isbn = book.css(".isbn::text").get()
        yield Book(
            isbn=isbn,
            title=book.css("h1::text").get(),
            author=book.css(".author::text").get(),
            subject=book.css(".subject::text").get(),
            year=int(book.css(".year::text").get()),
            pages=int(book.css(".pages::text").get()),
            url=response.url,
        )
        for row in book.css("table.prices tbody tr"):
            yield Price(
                isbn=isbn,
                format=row.css(".format::text").get(),
                pence=pence(row.css(".price::text").get()),
                member_pence=pence(row.css(".member::text").get()),
                stock=int(row.css(".stock::text").get()),
            )


def pence(text: str) -> int:
    """£8.99 → 899."""
    pounds, _, rest = text.lstrip("£").partition(".")
    return int(pounds) * 100 + int(rest)

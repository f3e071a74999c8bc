"""JSON behind a token: ask for the token, send it with every request, follow the pages of the answer.

crawlkit run spiders/api.py                     the demo shop's JSON, started on this machine for the run
crawlkit run spiders/api.py -a base=URL         a demo shop that runs elsewhere (python -m crawlkit.testing)
"""

from __future__ import annotations

from collections.abc import Iterator

from crawlkit import Item, Request, Response, Session, Spider
from crawlkit.testing import MEMBER, DemoSite, demo_site, demo_site_runs


class BookApi(Spider):
    name = "api"
    base = ""  # -a base=http://127.0.0.1:8763
    shop: DemoSite | None = None

    def start_requests(self) -> Iterator[Request]:
        if not self.base and not demo_site_runs():
            self.shop = demo_site()
        self.base = self.base.rstrip("/") or "http://127.0.0.1:8763"
        yield Request(f"{self.base}/api/books")

    def closed(self, reason: str) -> None:
        if self.shop:
            self.shop.close()

    def login(self, session: Session) -> None:
        # The demo's account is public. Yours is not: self.credentials reads it from the environment.
        answer = session.post(f"{self.base}/api/token", json=MEMBER._asdict())
        answer.raise_for_status()
        session.headers["Authorization"] = f"Bearer {answer.json()['token']}"

    def parse(self, response: Response) -> Iterator[Item | Request]:
        page = response.json()
        for book in page["books"]:
            prices = {price["format"]: price["pence"] for price in book.pop("prices")}
            yield Item("books", {**book, "prices": prices}, key="isbn")
        if page["next"]:
            yield response.follow(page["next"])

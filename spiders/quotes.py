"""The public practice site of scraping tutorials, with its login. Needs the internet.

crawlkit run spiders/quotes.py -o quotes.jsonl
"""

from __future__ import annotations

from collections.abc import Iterator

from crawlkit import Item, Request, Response, Session, Spider


class Quotes(Spider):
    name = "quotes"
    base = "https://quotes.toscrape.com"

    def start_requests(self) -> Iterator[Request]:
        yield Request(f"{self.base}/")

    def login(self, session: Session) -> None:
        page = session.get(f"{self.base}/login")
        # The practice site takes any name and password; the form's hidden CSRF token goes along by itself.
        session.submit(page.form(), {"username": "crawlkit", "password": "practice"})

    def logged_in(self, response: Response) -> bool:
        return bool(response.css('a[href="/logout"]'))

    def parse(self, response: Response) -> Iterator[dict[str, object] | Request]:
        for quote in response.css("div.quote"):
            yield {
                "text": quote.css("span.text::text").get(),
                "author": quote.css("small.author::text").get(),
                "tags": quote.css("a.tag::text").getall(),
            }
        yield from response.follow_all('div.quote a[href^="/author/"]', callback=self.parse_author)
        yield from response.follow_all("li.next a")

    def parse_author(self, response: Response) -> Iterator[Item]:
        author = {
            "name": response.one("h3.author-title::text").get().strip(),
            "born": response.css("span.author-born-date::text").get(),
            "place": response.css("span.author-born-location::text").get(),
        }
        yield Item("authors", author, key="name")

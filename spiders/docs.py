"""Any documentation site: url, title, first heading and number of links of every page below the start's folder.

crawlkit run spiders/docs.py -a start=https://docs.example.org/3/index.html
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urljoin

from crawlkit import Request, Response, Spider
from crawlkit.exceptions import SpiderError


class Docs(Spider):
    name = "docs"
    key = "url"
    start = ""  # -a start=https://docs.example.org/3/index.html

    def start_requests(self) -> Iterator[Request]:
        if not self.start:
            raise SpiderError("say where the documentation begins: -a start=https://docs.example.org/index.html")
        self.folder = urljoin(self.start, ".")
        yield Request(self.start)

    def parse(self, response: Response) -> Iterator[dict[str, object] | Request]:
        if not response.is_html:
            return
        links = response.css("a::attr(href)").getall()
        heading = response.tree.css_first("h1")
        yield {
            "url": response.url,
            "title": spaced(response.css("title::text").get("")),
            "heading": spaced(heading.text()).removesuffix("¶") if heading else None,  # ¶: Sphinx' own link to it
            "links": len(links),
        }
        for request in response.follow_all(links):
            if request.url.startswith(self.folder):
                yield request


def spaced(text: str) -> str:
    """The text with one blank wherever it has white space."""
    return " ".join(text.split())

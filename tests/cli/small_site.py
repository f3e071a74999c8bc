"""A small site for the tests of the command line, and the spider that they run on it."""

from __future__ import annotations

from dataclasses import dataclass

from crawlkit.testing import HostileServer

PAGES = {
    "/": "<title>Start</title><h1>Start</h1><a href='/a'>a</a> <a href='/b'>b</a>",
    "/a": "<title>A \x1b[2J</title><h1>A</h1>",
    "/b": "<title>B</title><h1>B</h1>",
}

#: What most tests run: every page of the site, one item each.
SPIDER = """from crawlkit import Request, Spider

class Pages(Spider):
    key = "url"
    base = ""
    custom_settings = {"fetch": {"retries": 0}}

    def start_requests(self):
        yield Request(self.base + "/")

    def parse(self, response):
        yield {"url": response.url, "title": response.css("title::text").get()}
        yield from response.follow_all("a")
"""


@dataclass(frozen=True)
class Site:
    """A server and its root."""

    server: HostileServer

    @property
    def url(self) -> str:
        return self.server.url("")

    @property
    def asked(self) -> list[str]:
        """The paths that were requested, but for robots.txt."""
        return [request.target for request in self.server.requests if request.target != "/robots.txt"]

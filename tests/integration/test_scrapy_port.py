"""Spiders of the kind Scrapy's tutorial teaches run after their imports are changed: `import crawlkit as scrapy`."""

from __future__ import annotations

import json

import pytest

FIRST = """
from pathlib import Path
import crawlkit as scrapy

class QuotesSpider(scrapy.Spider):
    name = "quotes"

    def start_requests(self):
        urls = [BASE + "/page/1/", BASE + "/page/2/"]
        for url in urls:
            yield scrapy.Request(url=url, callback=self.parse)

    def parse(self, response):
        page = response.url.split("/")[-2]
        filename = f"quotes-{page}.html"
        Path(filename).write_bytes(response.body)
        self.log(f"Saved file {filename}")
        yield {"page": page, "bytes": len(response.body)}
"""

START = """
import crawlkit as scrapy

class QuotesSpider(scrapy.Spider):
    name = "quotes"

    async def start(self):
        for page in (1, 2):
            yield scrapy.Request(f"{BASE}/page/{page}/", self.parse)

    def parse(self, response):
        for quote in response.css("div.quote"):
            yield {"text": quote.css("span.text::text").get()}
"""

NEXT_PAGE = """
import crawlkit as scrapy

class QuotesSpider(scrapy.Spider):
    name = "quotes"
    start_urls = [BASE + "/page/1/"]
    custom_settings = {"CONCURRENT_REQUESTS": 4, "DOWNLOAD_DELAY": 0, "ROBOTSTXT_OBEY": True}

    def parse(self, response):
        for quote in response.css("div.quote"):
            yield {
                "text": quote.css("span.text::text").get(),
                "author": quote.css("small.author::text").get(),
                "tags": quote.css("div.tags a.tag::text").getall(),
            }
        next_page = response.css("li.next a::attr(href)").get()
        if next_page is not None:
            next_page = response.urljoin(next_page)
            yield scrapy.Request(next_page, callback=self.parse)
"""

XPATH = """
import crawlkit as scrapy

class QuotesSpider(scrapy.Spider):
    name = "quotes"
    start_urls = [BASE + "/page/1/"]

    def parse(self, response):
        for quote in response.xpath('//div[@class="quote"]'):
            yield {
                "text": quote.xpath('./span[@class="text"]/text()').get(),
                "author": quote.xpath('.//small[@class="author"]/text()').extract_first(),
                "tags": quote.xpath('.//a[@class="tag"]/text()').extract(),
            }
        for a in response.css("ul.pager li.next a"):
            yield response.follow(a, callback=self.parse)
"""

AUTHORS = """
import crawlkit as scrapy

class AuthorSpider(scrapy.Spider):
    name = "author"
    start_urls = [BASE + "/"]

    def parse(self, response):
        author_page_links = response.css(".author + a")
        yield from response.follow_all(author_page_links, self.parse_author)
        pagination_links = response.css("li.next a")
        yield from response.follow_all(pagination_links, self.parse)

    def parse_author(self, response):
        def extract_with_css(query):
            return response.css(query).get(default="").strip()

        yield {
            "name": extract_with_css("h3.author-title::text"),
            "birthdate": extract_with_css(".author-born-date::text"),
            "bio": extract_with_css(".author-description::text"),
        }
"""

ARGUMENT = """
import crawlkit as scrapy

class QuotesSpider(scrapy.Spider):
    name = "quotes"

    def __init__(self, category=None, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.category = category
        self.start_urls = [BASE + "/"]

    def parse(self, response):
        tag = getattr(self, "tag", None)
        for quote in response.css("div.quote"):
            if tag in quote.css("a.tag::text").extract():
                yield {"text": quote.css("span.text::text").extract_first(), "category": self.category}
"""

LOGIN = """
import crawlkit as scrapy

class LoginSpider(scrapy.Spider):
    name = "login"
    start_urls = [BASE + "/login"]

    def parse(self, response):
        return scrapy.FormRequest.from_response(
            response, formdata={"username": "john", "password": "secret"}, callback=self.after_login
        )

    def after_login(self, response):
        if not response.css('a[href="/logout"]'):
            self.logger.error("Login failed")
            return
        yield {"logged_in": True, "status": response.status}
"""

ERRORS = """
import crawlkit as scrapy
from crawlkit.exceptions import CloseSpider, DropItem, IgnoreRequest

class ErrorSpider(scrapy.Spider):
    name = "errors"
    handle_httpstatus_list = [404]

    def start_requests(self):
        yield scrapy.Request(
            BASE + "/page/1/", callback=self.parse, errback=self.failed, meta={"colour": "red"},
            cb_kwargs={"number": 1}, dont_filter=True, headers={"X-A": "b"}, cookies={"k": "v"}, priority=3,
        )
        yield scrapy.Request(BASE + "/missing", callback=self.missing)
        yield scrapy.Request("http://127.0.0.1:1/", callback=self.missing, errback=self.failed,
                             meta={"dont_retry": True})

    def parse(self, response, number):
        author = response.css("small.author::text").re_first(r"Author (\\d)")
        yield {"kind": response.meta["colour"], "value": str(number), "author": author}
        for text in response.css("span.text::text").re(r"Saying number (\\d+)")[:1]:
            yield {"kind": "re", "value": text, "author": response.css("small.author").css("::text").get()}
        yield {"kind": "drop", "value": None, "author": None}

    def missing(self, response):
        yield {"kind": "status", "value": str(response.status), "author": None}

    def failed(self, failure):
        self.logger.warning(repr(failure))
        yield {"kind": "failed", "value": failure.request.url, "author": None}

    def process_item(self, item, response):
        if item["kind"] == "drop":
            raise DropItem("not this one")
        return item

    def closed(self, reason):
        self.logger.info("closed: %s", reason)
"""


def port(text: str, base: str) -> str:
    """The spider with the site's address in place of the tutorial's."""
    return text.replace("import crawlkit as scrapy\n", f"import crawlkit as scrapy\n\nBASE = {base!r}\n", 1)


@pytest.fixture
def ported(crawlkit, write_spider, quotes_site):
    """Run a spider of the tutorial; its items in the order of the table."""

    def run(text: str, *arguments: str, exit_code: int = 0) -> list[dict]:
        spider = write_spider(port(text, quotes_site.url), "ported.py")
        crawlkit("run", spider, *arguments, "-o", "items.jsonl", exit_code=exit_code)
        lines = (crawlkit.folder / "items.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    return run


def texts(items: list[dict]) -> set[str]:
    return {item["text"] for item in items}


def sayings(numbers) -> set[str]:
    return {f"“Saying number {number}.”" for number in numbers}


def test_first_spider_saves_pages(ported, crawlkit):
    """start_requests, a callback that writes files, self.log."""
    items = ported(FIRST)
    assert {"1", "2"} == {item["page"] for item in items}
    assert (crawlkit.folder / "quotes-1.html").read_bytes().startswith(b"<!doctype html>")
    assert (crawlkit.folder / "quotes-2.html").exists()


def test_async_start(ported):
    """`async def start` that only yields."""
    assert sayings(range(20)) == texts(ported(START))


def test_following_the_next_page(ported):
    """`::attr(href)`, urljoin, Request, Scrapy's names in custom_settings; a list becomes JSON."""
    items = ported(NEXT_PAGE)
    assert sayings(range(25)) == texts(items)
    first = next(item for item in items if item["text"] == "“Saying number 0.”")
    assert "Author 0" == first["author"]
    assert ["all", "mod-0"] == (json.loads(first["tags"]) if isinstance(first["tags"], str) else first["tags"])


def test_xpath(ported):
    """XPath on responses and on selectors, `extract` and `extract_first`, `follow` of an element."""
    pytest.importorskip("parsel")
    assert sayings(range(25)) == texts(ported(XPATH))


def test_authors(ported):
    """follow_all of selectors; pages that are linked ten times are fetched once."""
    items = ported(AUTHORS)
    assert ["Author 0", "Author 1", "Author 2", "Author 3"] == sorted(item["name"] for item in items)
    assert "May 1, 1900" == next(item["birthdate"] for item in items if item["name"] == "Author 0")


def test_arguments(ported):
    """`-a` goes through the author's own __init__ and becomes attributes."""
    items = ported(ARGUMENT, "-a", "tag=mod-1", "-a", "category=small")
    assert sayings([1, 4, 7]) == texts(items)
    assert {"small"} == {item["category"] for item in items}


def test_form_request_from_response(ported, quotes_site):
    """A login by FormRequest: the hidden token goes along, the cookie of the answer is kept."""
    assert [(True, 200)] == [(item["logged_in"], item["status"]) for item in ported(LOGIN)]
    assert 1 == quotes_site.server.log.count("/login", method="POST")


def test_errors_meta_and_items(ported):
    """errback, meta, cb_kwargs, handle_httpstatus_list, re, DropItem in process_item, closed."""
    items = ported(ERRORS, exit_code=1)
    assert {
        ("red", "1", "0"),
        ("re", "0", "Author 0"),
        ("status", "404", None),
        ("failed", "http://127.0.0.1:1/", None),
    } == {(item["kind"], item["value"], item["author"]) for item in items}

"""The limit on connections holds, by the server's own count: 16 workers share two connections to a host."""

from __future__ import annotations

from crawlkit.testing import demo_site

SPIDER = """
from crawlkit import Spider

class Map(Spider):
    name = "map"

    def start_requests(self):
        from crawlkit import Request
        for number in range(200):
            yield Request(f"{self.base}/?visit={number}")

    def parse(self, response):
        yield {"url": response.url}
"""


def test_sixteen_workers_open_two_connections(crawlkit, write_spider):
    """200 pages by 16 workers with `per_host = 2`: never more than two at once, never a third one opened."""
    spider = write_spider(SPIDER)
    with demo_site(port=0, books=1, latency_seconds=0.002) as site:
        limits = ["--workers", 16, "--set", "crawl.per_host=2"]
        line = crawlkit.run(spider, "-a", f"base={site.url}", *limits)
        assert (200, 0) == (line["pages"], line["failed"])
        assert 200 == site.log.count("/")
        assert 2 == site.connections.most
        assert 2 == site.connections.ever


def test_limit_of_one_is_one(crawlkit, write_spider):
    """`per_host = 1` is a queue: one connection, and every page comes over it."""
    spider = write_spider(SPIDER)
    with demo_site(port=0, books=1) as site:
        crawlkit.run(spider, "-a", f"base={site.url}", "--set", "crawl.per_host=1")
        assert {1} == {entry.connection for entry in site.log}
        assert (1, 1) == (site.connections.most, site.connections.ever)

"""The limit on connections holds, by the server's own count: 16 workers share two connections to a host."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from crawlkit import Session
from crawlkit.sessions.pool import ConnectionPool
from crawlkit.testing import HostileServer, demo_site
from crawlkit.testing.hostile import answer

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


NESTING = """
from crawlkit import Request, Spider

class Nested(Spider):
    name = "nested"

    def start_requests(self):
        for number in range(40):
            yield Request(f"{self.base}/page/{number}")

    def parse(self, response):
        with self.session.get(f"{self.base}/large", stream=True) as streamed:
            inner = self.session.get(f"{self.base}/small").text
            yield {"url": response.url, "inner": inner, "size": len(streamed.content)}
"""


def test_callbacks_that_stream_and_fetch_in_between(crawlkit, write_spider):
    """`per_host = 1`, and each callback wants two connections: the second is one beyond the limit, never more than one,
    and no page waits for itself.
    """
    spider = write_spider(NESTING)
    with HostileServer() as server:
        for path in ["/small", *(f"/page/{number}" for number in range(40))]:
            server.play(path, [answer(body=b"small", headers=[("Content-Type", "text/html")])])
        server.play("/large", [answer(body=b"x" * 300_000)])
        base = server.url("").rstrip("/")
        line = crawlkit.run(spider, "-a", f"base={base}", "--workers", 8, "--set", "crawl.per_host=1")
        assert (40, 0, 40) == (line["pages"], line["failed"], line["items"])
        assert 2 == server.connections.most


def test_independent_threads_never_pass_the_limit():
    """Sixteen threads at `per_host=2`, half of their answers streamed: two connections at once, by the server's count."""
    with HostileServer() as server, Session(pool=ConnectionPool(per_host=2), timeout=30) as session:
        url = server.play("/large", [answer(body=b"x" * 200_000)])

        def fetch(number):
            with session.get(url, stream=bool(number % 2)) as response:
                return len(response.content)

        with ThreadPoolExecutor(16) as threads:
            assert {200_000} == set(threads.map(fetch, range(200)))
        assert (2, 2) == (server.connections.most, server.connections.ever)

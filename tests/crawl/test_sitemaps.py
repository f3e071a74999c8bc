"""Sitemaps: urlset, index, robots.txt, gzip, and the rules that choose callbacks."""

from __future__ import annotations

import gzip
from types import SimpleNamespace
from typing import Any

import pytest

from crawlkit.crawl import sitemaps
from crawlkit.crawl.sitemaps import CALLBACK, follow_sitemap, start_sitemaps
from crawlkit.crawl.spider import Spider
from crawlkit.exceptions import BodyTooLarge
from crawlkit.url import join

URLSET = b"""<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<url><loc>https://example.org/a?x=1&amp;y=2</loc><lastmod>2026-01-01</lastmod></url>
<url><loc>
  https://example.org/book/1
</loc></url>
<url><loc><![CDATA[https://example.org/book/2]]></loc></url>
</urlset>"""
INDEX = b"""<sitemapindex><sitemap><loc>https://example.org/s1.xml</loc></sitemap>
<sitemap><loc>https://example.org/s2.xml.gz</loc></sitemap></sitemapindex>"""


class Books(Spider):
    sitemap_urls = ("https://example.org/sitemap.xml",)

    def parse(self, response: Any) -> None: ...

    def parse_book(self, response: Any) -> None: ...


def answer(body: bytes, url: str = "https://example.org/sitemap.xml") -> Any:
    return SimpleNamespace(url=url, content=body, text=body.decode("utf-8", "replace"), urljoin=lambda u: join(url, u))


def followed(body: bytes, spider: Spider | None = None, **kwargs: Any) -> list[tuple[str, str]]:
    return [
        (request.url, request.callback if isinstance(request.callback, str) else request.callback.__name__)
        for request in follow_sitemap(spider or Books(), answer(body, **kwargs))
    ]


def test_every_location_goes_to_parse() -> None:
    """Entities, white space and CDATA are read as XML means them."""
    assert [
        ("https://example.org/a?x=1&y=2", "parse"),
        ("https://example.org/book/1", "parse"),
        ("https://example.org/book/2", "parse"),
    ] == followed(URLSET)


def test_the_first_rule_that_matches_takes_a_url() -> None:
    class Ruled(Books):
        sitemap_rules = (("/book/1", "parse_book"), (r"/book/\d", "parse"))

    assert [("https://example.org/book/1", "parse_book"), ("https://example.org/book/2", "parse")] == followed(
        URLSET, Ruled()
    )


def test_an_index_leads_to_its_sitemaps() -> None:
    assert [("https://example.org/s1.xml", CALLBACK), ("https://example.org/s2.xml.gz", CALLBACK)] == followed(INDEX)

    class Some(Books):
        sitemap_follow = (r"s2",)

    assert [("https://example.org/s2.xml.gz", CALLBACK)] == followed(INDEX, Some())


def test_gzip_is_expanded_within_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = gzip.compress(URLSET)
    assert 3 == len(followed(packed))
    monkeypatch.setattr(sitemaps, "MAX_BYTES", 100)
    with pytest.raises(BodyTooLarge):
        followed(packed)


def test_robots_names_sitemaps() -> None:
    text = b"User-agent: *\nDisallow:\nSITEMAP: /one.xml\nSitemap: https://example.org/two.xml # x\nSitemap:\n"
    urls = [url for url, _ in followed(text, url="https://example.org/robots.txt")]
    assert ["https://example.org/one.xml", "https://example.org/two.xml"] == urls


def test_start_requests_of_sitemap_urls() -> None:
    assert [("https://example.org/sitemap.xml", CALLBACK)] == [(r.url, r.callback) for r in start_sitemaps(Books())]

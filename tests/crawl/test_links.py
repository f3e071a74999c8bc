"""Links: which requests of a page become links of the frontier."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from crawlkit.crawl.links import Links
from crawlkit.crawl.scope import Scope
from crawlkit.crawl.spider import Spider
from crawlkit.sessions.request import Request


class Plain(Spider):
    def parse(self, response: Any) -> None: ...

    def parse_other(self, response: Any) -> None: ...


def links_of(max_depth: int | None = None, domains: tuple[str, ...] | None = ("example.org",)) -> Links:
    return Links(Plain(), Scope(domains), max_depth=max_depth, max_segments=20, profile="plain")


def judged(*urls: str, depth: int = 1, **kwargs: Any) -> tuple[list[str], dict[str, int]]:
    skips: Counter[str] = Counter()
    found = links_of(**kwargs).judge([Request(url) for url in urls], depth=depth, skips=skips)
    return [link.url for link in found], dict(skips)


def test_spellings_of_one_url_are_one_link() -> None:
    """Fragment, default port and host case do not make another page; path case and query order do."""
    urls, skips = judged(
        "https://example.org/a#x",
        "https://EXAMPLE.org:443/a#y",
        "https://example.org/./b/../a",
        "https://example.org/A",
        "https://example.org/a?x=1&y=2",
        "https://example.org/a?y=2&x=1",
    )
    assert [
        "https://example.org/a",
        "https://example.org/A",
        "https://example.org/a?x=1&y=2",
        "https://example.org/a?y=2&x=1",
    ] == urls
    assert {} == skips


def test_other_hosts_are_counted_not_followed() -> None:
    assert (["https://www.example.org/"], {"offsite": 1}) == judged("https://www.example.org", "https://example.com/")


def test_depth_is_a_limit() -> None:
    """Links of a page at the greatest depth are not followed."""
    assert ([], {"depth": 1}) == judged("https://example.org/a", depth=3, max_depth=2)
    assert (["https://example.org/a"], {}) == judged("https://example.org/a", depth=2, max_depth=2)


@pytest.mark.parametrize(
    ("path", "trap"),
    [
        ("/a/b/c", False),
        ("/" + "/".join(f"s{n}" for n in range(20)), False),
        ("/" + "/".join(f"s{n}" for n in range(21)), True),
        ("/x/x/x/x/", False),
        ("/x/x/x/x/x/", True),
        ("/a/x/b/x/c/x/d/x/e/x", True),
        ("/2026/11/20/11/20/", False),
        ("/a?u=/x/x/x/x/x/x/x", False),
    ],
)
def test_traps_are_seen_in_the_path(path: str, trap: bool) -> None:
    """Relative links that grow with each page end by their length or their repetition."""
    assert ({"trap": 1} if trap else {}) == judged(f"https://example.org{path}")[1]


def test_method_body_and_profile_make_other_links() -> None:
    """The same URL with another method, body or profile is another request; the spider's own profile is none."""
    url = "https://example.org/"
    requests = [
        Request(url),
        Request(url, profile="plain"),
        Request(url, profile="bob"),
        Request(url, method="POST"),
        Request(url, data={"a": 1}),
        Request(url, data={"a": 2}),
        Request(url, headers={"X-A": "1"}),
    ]
    found = links_of().judge(requests, depth=1, skips=Counter())
    assert 5 == len(found)


def test_what_was_committed_is_not_handed_in_again() -> None:
    """After a commit a menu's links cost one look; dont_filter goes all the same."""
    links = links_of()
    first = links.judge([Request("https://example.org/a")], depth=1, skips=Counter())
    assert 1 == len(links.judge([Request("https://example.org/a")], depth=1, skips=Counter()))
    links.remember(first, {first[0].fingerprint: 7})
    assert [] == links.judge([Request("https://example.org/a")], depth=1, skips=Counter())
    assert 1 == len(links.judge([Request("https://example.org/a", dont_filter=True)], depth=1, skips=Counter()))


def test_start_hosts_join_unless_domains_are_named() -> None:
    links = links_of(domains=None)
    link = links.start(Request("https://start.test/a#f"))
    assert ("https://start.test/a", "start.test:443", 0, True) == (link.url, link.host, link.depth, link.start)
    found = links.judge([Request("https://start.test/b"), Request("https://other.test/")], depth=1, skips=Counter())
    assert ["https://start.test/b"] == [one.url for one in found]
    fixed = links_of()
    fixed.start(Request("https://start.test/"))
    assert [] == fixed.judge([Request("https://start.test/b")], depth=1, skips=Counter())

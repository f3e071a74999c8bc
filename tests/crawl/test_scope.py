"""Scope: which hosts belong to a crawl."""

from __future__ import annotations

import pytest

from crawlkit.crawl.scope import Scope
from crawlkit.url import origin


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.org/", True),
        ("https://EXAMPLE.org/", True),
        ("https://example.org./", True),
        ("http://example.org:8080/", True),
        ("https://www.example.org/", True),
        ("https://a.b.example.org/", True),
        ("https://notexample.org/", False),
        ("https://example.org.evil.test/", False),
        ("https://example.com/", False),
        ("http://localhost:8000/", True),
        ("http://localhost:8001/", False),
        ("http://10.0.0.1/", True),
        ("http://110.0.0.1/", False),
    ],
)
def test_domains_take_in_their_subdomains(url: str, expected: bool) -> None:
    """A domain means itself and what is below it; one with a port means that port."""
    scope = Scope(["example.org", "localhost:8000", "10.0.0.1"])
    assert expected is scope.allows(origin(url))


def test_without_domains_the_start_hosts_join() -> None:
    """The default scope is what the start requests name, and grows by what joins."""
    scope = Scope(None)
    assert not scope.allows(origin("https://example.org/"))
    assert scope.join(origin("https://example.org/"))
    assert not scope.join(origin("https://example.org/x"))
    assert scope.allows(origin("https://example.org/"))
    assert scope.allows(origin("https://www.example.org/"))

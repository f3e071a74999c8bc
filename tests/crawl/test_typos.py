"""Which profile was meant by a name that is none."""

from __future__ import annotations

import pytest

from crawlkit.crawl.typos import meant


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bbo", "bob"),
        ("alcie", "alice"),
        ("bob", None),
        ("user2", None),
        ("user10", None),
        ("carol", None),
        ("usr1", "user1"),
    ],
)
def test_the_nearest_name(name: str, expected: str | None) -> None:
    """Names that differ in a number are two names."""
    assert expected == meant(name, ["alice", "bob", "user1"])

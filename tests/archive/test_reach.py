"""Which links belong to an archive, scope by scope."""

from __future__ import annotations

from typing import Any

import pytest

from crawlkit.archive.reach import Reach
from crawlkit.exceptions import UsageError

START = "https://docs.example.org/guide/index.html"

IN = {
    "page": [START],
    "prefix": [START, "https://docs.example.org/guide/", "https://docs.example.org/guide/a/b?c=1", "http://docs.example.org/guide/x"],
    "host": ["https://docs.example.org/", "http://docs.example.org/other"],
    "domain": ["https://docs.example.org/x", "https://example.org/", "https://www.example.org/x", "http://a.b.example.org:8000/"],
    "regex": ["https://docs.example.org/guide/index.html", "https://elsewhere.example/guide/"],
}  # fmt: skip
OUT = {
    "page": ["https://docs.example.org/guide/other.html", f"{START}?print=1"],
    "prefix": ["https://docs.example.org/guidebook", "https://docs.example.org/", "https://www.example.org/guide/", "https://docs.example.org:8443/guide/"],
    "host": ["https://www.example.org/", "https://docs.example.org:8443/", "https://docs.example.org.evil.example/"],
    "domain": ["https://example.com/", "https://badexample.org/"],
    "regex": ["https://docs.example.org/other"],
}  # fmt: skip


def reach(scope: str, **options: Any) -> Reach:
    if scope == "regex":
        options.setdefault("include", ["/guide/"])
    return Reach(START, scope, **options)


@pytest.mark.parametrize(("scope", "url"), [(scope, url) for scope in IN for url in IN[scope]])
def test_what_lies_in_a_scope(scope: str, url: str) -> None:
    assert reach(scope).holds(url)


@pytest.mark.parametrize(("scope", "url"), [(scope, url) for scope in OUT for url in OUT[scope]])
def test_what_does_not(scope: str, url: str) -> None:
    assert not reach(scope).holds(url)


def test_where_the_start_redirects_to_joins() -> None:
    moved = reach("prefix")
    moved.join("https://new.example.net/handbook/")
    assert moved.holds("https://new.example.net/handbook/a")
    assert moved.holds("https://docs.example.org/guide/a")
    assert not moved.holds("https://new.example.net/")


def test_a_folder_ends_with_a_slash_and_a_file_lies_in_its_folder() -> None:
    assert Reach("https://a.example/x", "prefix").holds("https://a.example/anything")
    assert not Reach("https://a.example/x/", "prefix").holds("https://a.example/anything")
    assert Reach("https://a.example", "prefix").holds("https://a.example/anything")


def test_patterns_include_and_exclude() -> None:
    made = reach("prefix", include=["/images/*"], exclude=["*/print?*", "/guide/old/*"])
    assert made.holds("https://docs.example.org/images/a")
    assert "--exclude /guide/old/*" == made.excluded_by("https://docs.example.org/guide/old/a")
    assert "--exclude */print?*" == made.excluded_by("https://docs.example.org/guide/print?id=1")
    assert made.excluded_by("https://docs.example.org/guide/a") is None


def test_with_a_regex_both_are_regular_expressions() -> None:
    made = reach("regex", exclude=[r"\.pdf$"])
    assert r"--exclude \.pdf$" == made.excluded_by("https://x.example/guide/a.pdf")


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"scope": "planet"}, "there are page, prefix"),
        ({"scope": "regex"}, "--include REGEX"),
        ({"scope": "regex", "include": ["("]}, "no regular expression"),
        ({"scope": "regex", "include": ["/nowhere/"]}, "does not hold the start itself"),
        ({"scope": "host", "exclude": ["guide"]}, "no pattern of URLs"),
        ({"scope": "host", "exclude": ["/guide/*"]}, "leaves out the start itself"),
    ],
)
def test_a_scope_that_cannot_be_says_why(options: dict[str, Any], word: str) -> None:
    with pytest.raises(UsageError, match=word):
        Reach(START, **options)


def test_a_password_in_the_start_is_in_no_description() -> None:
    made = Reach("https://user:secret@a.example/", "host")
    assert made.holds("https://a.example/x")
    assert {"scope": "host", "include": [], "exclude": []} == made.described()

"""Query: how selectors with pseudo-elements are split, and what is rewritten for lexbor."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlkit.exceptions import InvalidSelector
from crawlkit.html.query import ATTRIBUTE, ELEMENT, TEXT, compile_query
from crawlkit.html.selectors import Selector


def kinds(query):
    return [(part.css, part.kind, part.name) for part in compile_query(query)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("a", [("a", ELEMENT, "")]),
        (" a ", [("a", ELEMENT, "")]),
        ("a::text", [("a", TEXT, "")]),
        ("a::attr(href)", [("a", ATTRIBUTE, "href")]),
        ('a::attr("data-x")', [("a", ATTRIBUTE, "data-x")]),
        ("a::TEXT", [("a", TEXT, "")]),
        ("a, b", [("a, b", ELEMENT, "")]),
        ("a::text, b::text", [("a, b", TEXT, "")]),
        ("a::text, b", [("a", TEXT, ""), ("b", ELEMENT, "")]),
        ("::text", [("*", TEXT, "")]),
        ("a > ::text", [("a > *", TEXT, "")]),
        ("a ::text", [("a, a *", TEXT, "")]),
        ('a[b="::text, c"]::text', [('a[b="::text, c"]', TEXT, "")]),
        ("a[b='\\'::text']", [("a[b='\\'::text']", ELEMENT, "")]),
        (":not(a, b)::text", [(":not(a, b)", TEXT, "")]),
        (r"a\:\:text", [(r"a\:\:text", ELEMENT, "")]),
        ("a/* ::text, */b", [("ab", ELEMENT, "")]),
    ],
)
def test_a_query_is_split_at_commas_and_pseudo_elements(query, expected):
    """Not within strings, brackets, escapes and comments."""
    assert expected == kinds(query)


def test_a_query_is_read_once():
    """The same few are asked of every page."""
    assert compile_query("div.once > a::text") is compile_query("div.once > a::text")


@given(st.text(alphabet="ap.#:[]()\"'\\,*>+~ =-/x1t", max_size=20))
def test_any_text_is_found_or_refused(query):
    """No query makes another error than InvalidSelector, and none a crash."""
    page = Selector(text="<!DOCTYPE html><p class=a id=x>t<a>x</a>")
    for scope in (page, page.css("p")):
        try:
            scope.css(query).getall()
        except InvalidSelector as error:
            assert repr(query) in str(error)

"""What a page's line in a package says: title and text of any markup, in linear time."""

from __future__ import annotations

import json

import pytest

from crawlkit.archive.pagelist import PageText, header, page_line, read_page

PAGE = b"""<!doctype html><html><head><TITLE lang=en> Tom &amp;
 Jerry </title ><style>p{color:red}</style><script>var x = "<p>not seen</p>"</script></head>
<body><!-- nor <b>this</b> --><p>One</p><p>caf\xc3\xa9 <b>bold</b> &lt;3</p><noscript>no <i>script</i></noscript>
<template><p>no template</p></template><textarea>typed</textarea><svg><title>a picture</title></svg>1 < 2</body>"""


def test_a_page_says_its_title_and_the_text_that_one_sees() -> None:
    assert PageText("Tom & Jerry", "One café bold <3 typed 1 < 2") == read_page(PAGE, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        (b"1 < 2 <3 <<4<br>5", "1 < 2 <3 <<4 5"),  # no letter follows: no tag
        (b"a<b >c", "a c"),
        (b"one</p>two<!-- <p>no --><?no?>three", "one two three"),
        (b"a > b<p>> c", "a > b > c"),
        (b"end<", "end<"),
        (b"cut off <a href=", "cut off"),
        (b"<p><p>\n</p>", ""),
    ],
)
def test_what_is_a_tag_and_what_is_text(markup: bytes, text: str) -> None:
    assert text == read_page(markup, "text/html; charset=utf-8").text


def test_a_page_is_read_in_the_characters_that_it_is_in() -> None:
    assert "été" == read_page("<title>été</title>".encode("cp1252"), "text/html; charset=iso-8859-1").title
    assert "été" == read_page("<title>été</title>".encode("utf-16"), "text/html").title


def test_a_number_of_thousands_of_digits_does_not_spoil_the_list() -> None:
    assert PageText("a\ufffd", "b") == read_page(b"<title>a&#" + b"1" * 5000 + b";</title>b", "text/html")


def test_half_a_surrogate_pair_does_not_spoil_the_list() -> None:
    page = read_page(b"<title>a&#xD800;b</title>", "text/html")
    assert (
        "b"
        == page_line("https://example.org/", "2026-11-20T18:51:13Z", page).decode("utf-8").split('"title": "a')[1][1]
    )


@pytest.mark.parametrize(
    "piece",
    [
        b"<",
        b"<!--",
        b"<script ",
        b"<script>",
        b"<noscript>",
        b"</noscript",
        b"<title>x</title>",
        b"&",
        b"<!-->",
        b"<3",
        b"><",
        b"> ",
    ],
)
def test_hostile_markup_takes_linear_time(piece: bytes) -> None:
    read_page(piece * (1_000_000 // len(piece)), None)


def test_the_first_line_says_what_the_others_are() -> None:
    assert {"format": "json-pages-1.0", "id": "pages", "title": "All pages", "hasText": True} == json.loads(header())


def test_a_line_has_an_id_that_the_same_capture_always_has() -> None:
    line = page_line("https://example.org/é", "2026-11-20T18:51:13.123Z", PageText("", "text"))
    fields = json.loads(line)
    assert line == page_line("https://example.org/é", "2026-11-20T18:51:13.123Z", PageText("", "text"))
    assert 32 == len(fields.pop("id"))
    assert {
        "url": "https://example.org/é",
        "ts": "2026-11-20T18:51:13.123Z",
        "title": "https://example.org/é",  # a page without a title is called by its address
        "text": "text",
    } == fields

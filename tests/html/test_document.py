"""Document: caps that are decided before parsing, and what is taken for HTML."""

from __future__ import annotations

import codecs
import contextlib
import time
from pathlib import Path

import pytest

from crawlkit.exceptions import MarkupTooLarge, TooDeep, TooManyAttributes, UnsafeMarkup
from crawlkit.html import document, safety
from crawlkit.html.document import Limits, looks_like_html, parse

PAGES = sorted(Path("/usr/share/doc/python3.11/html").rglob("*.html"))


@pytest.fixture
def unparsed(monkeypatch):
    """Makes parsing an error: what is refused must be refused before."""
    monkeypatch.setattr(document, "LexborHTMLParser", None)


def seconds(work):
    """Of the processor: other programs on it must not fail a test."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def refuse(markup, limits=document.DEFAULT_LIMITS):
    with pytest.raises(TooDeep) as caught:
        parse(markup, limits)
    assert isinstance(caught.value, UnsafeMarkup)


def tag(count, value=""):
    """An <a> with so many different attributes."""
    return "<a " + " ".join(f"b{number}{value}" for number in range(count)) + ">"


CLOSES_LATER = "<script><!--<script></script>" + "</div>" * 50 + "--></script>"

BOMBS = {
    "divs": "<div>" * 97_600,
    "divs closed later": "<div>" * 3000 + "</div>" * 3000,
    "one too many": "<div>" * 1999,  # and <html> and <body>
    "end tags that close nothing": "<div></x>" * 50_000,
    "end tags in values": '<div title="</div>">' * 50_000,
    "end tags in comments": "<div><!-- </div> -->" * 50_000,
    "end tags in scripts": "<div><script>'</div>'</script>" * 50_000,
    "end tags in doubly escaped scripts": ("<div>" * 50 + CLOSES_LATER) * 2000,
    "end tags in CDATA": "<svg>" + ("<g>" * 50 + "<![CDATA[>" + "</g>" * 50 + "]]>") * 2000,
    "start tags in CDATA that is none": "<![CDATA[" + "><div" * 50_000,
    "end tags behind a barrier": "<span><div></span></div>" * 50_000,
    "end tags before": "</div>" * 50_000 + "<div>" * 50_000,
    "text in HTML, markup in svg": "<svg><title>" + "<div>" * 50_000,
    "self-closed outside of svg": "<svg><p>" + "<path/>" * 50_000,
    "table rows in svg": "<table><svg>" + "<tr>" * 50_000,
    "formatting opened again": "<p>" + "".join(f"<b a={n}>" for n in range(1900)) + "</p>" + "<p>x" * 30_000,
    "many tags within many": "<div>" * 1990 + "<hr>" * 500_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_nests_too_deep_is_refused_before_it_is_parsed(name, unparsed):
    """488 KB of <div> take lexbor 8.6 s; refusing them, or what comes to the same, takes milliseconds."""
    limits = Limits(max_depth=1998) if name == "one too many" else Limits()
    assert 1.0 > seconds(lambda: refuse(BOMBS[name], limits))


def test_488_kilobytes_of_div_are_refused_in_milliseconds(unparsed):
    """The case that the cap was made for."""
    assert 0.05 > min(seconds(lambda: refuse("<div>" * 97_600)) for _ in range(5))


WIDE = {
    "1,001": tag(1001),
    "with values": "<p>" * 100 + tag(1001, "=x"),
    "with quotes": "<p>" * 100 + tag(1001, '="x y"'),
    "slashes between": tag(1001).replace(" ", "/"),
    "a bracket in a value": tag(50_000, '=">"'),
    "tags in values": tag(50_000, "='\"><c d=\"'"),
    "never closed": tag(50_000)[:-1],
    "in a script within svg": "<svg><script>" + tag(1001),
}


@pytest.mark.parametrize("name", WIDE)
def test_a_tag_of_too_many_attributes_is_refused_before_it_is_parsed(name, unparsed):
    """lexbor compares each attribute with all before it."""
    with pytest.raises(TooManyAttributes, match="attributes, and 1,000 may be parsed"):
        parse(WIDE[name])


GOOD = {
    "at the limit of depth": "<div>" * 1990 + "</div>" * 1990,
    "at the limit of attributes": tag(1000),
    "many small tags": "<p>x</p>" * 50_000,
    "paragraphs that are never closed": "<p>x" * 50_000,
    "items that are never closed": "<ul>" + "<li>x" * 50_000,
    "terms that are never closed": "<dl>" + "<dt>x<dd>y" * 25_000,
    "cells that are never closed": "<table>" + "<tr><td>x<td>y" * 25_000,
    "options that are never closed": "<select>" + "<option>x" * 50_000,
    "void elements": "<br><img src=x><hr/><input>" * 25_000,
    "links that are never closed": "<a href=x>y" * 50_000,
    "fonts that are never closed": "<p><font color=red>x" * 20_000,
    "formatting that is nested wrong": "<b><div>x</b></div>" * 30_000,
    "long text": "<p>" + "a > b " * 100_000,
    "a long script": "<script>" + "if (a<b && c) d = '<i>' + e; " * 10_000 + "</script>",
    "pictures": ("<svg viewBox='0 0 1 1'><title>x</title><g>" + "<path d='M0'/>" * 50 + "</g></svg>") * 500,
    "a long value": '<a title="' + "x" * 100_000 + '">',
    "many values with brackets": '<a title="a > b" href="?a=1">x</a>' * 20_000,
    "nothing": "",
}


@pytest.mark.parametrize("name", GOOD)
def test_what_real_pages_do_is_parsed(name):
    """Unclosed and void elements are no depth, a bracket in a value or a script is no tag."""
    assert 2.0 > seconds(lambda: parse(GOOD[name]))
    assert parse(GOOD[name]).root is not None


@pytest.mark.skipif(not PAGES, reason="the Python documentation is not installed (package python3.11-doc)")
def test_every_page_of_the_python_documentation_passes():
    """530 pages of up to 2.5 MB, and at a fraction of what parsing them costs."""
    for path in PAGES:
        parse(path.read_bytes())


@pytest.mark.skipif(not PAGES, reason="the Python documentation is not installed (package python3.11-doc)")
def test_the_check_of_a_usual_page_takes_a_fraction_of_its_parsing():
    """Most pages are proven harmless by counting; 95 KB take 0.15 ms, of which the test allows a multiple."""
    page = (PAGES[0].parents[0] / "library" / "smtplib.html").read_bytes()
    check = min(seconds(lambda: safety.check_structure(page, max_depth=2000, max_attributes=1000)) for _ in range(30))
    whole = min(seconds(lambda: parse(page)) for _ in range(30))
    assert check < whole / 2


def test_limits_can_be_set():
    """Each cap on its own; the messages name what is allowed, and the key that allows more."""
    with pytest.raises(MarkupTooLarge, match=r"11 bytes .* 10 may be parsed \(crawl.max_html\)"):
        parse("x" * 11, Limits(max_bytes=10))
    with pytest.raises(MarkupTooLarge):
        parse("é" * 6, Limits(max_bytes=10))
    with pytest.raises(TooDeep, match=r"6 deep or more, and 5 .*max_dom_depth"):
        parse("<i>" * 6, Limits(max_depth=5))
    with pytest.raises(TooManyAttributes, match="<a> tag has 3 attributes, and 2"):
        parse("<a b=c d e>", Limits(max_attributes=2))
    assert parse("<i><b>x</b></i>", Limits(max_bytes=20, max_depth=2, max_attributes=0)).css_first("b") is not None


def test_lone_surrogates_are_parsed():
    """JSON and detection can make them; lexbor takes UTF-8."""
    assert "a?" == parse("<p>a\ud800").css_first("p").text()


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"<p>x", "text/html", True),
        (b"", "text/html", True),
        (b"just text", "Text/HTML; charset=utf-8", True),
        (b"<html xmlns='http://www.w3.org/1999/xhtml'>", "application/xhtml+xml", True),
        (b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "x"><html>', "application/xml", True),
        (b"<!-- x --><html lang=de>", "text/xml", True),
        (b"<rss></rss>", "text/xml", False),
        (b"<svg xmlns='x'/>", "image/svg+xml", False),
        (b"%PDF-1.7\n<html>", "text/html", False),
        (b"\x89PNG\r\n\x1a\n", "text/html", False),
        (b"GIF89a<html>", "text/html", False),
        (b"PK\x03\x04", "text/html", False),
        (b"\x1f\x8b\x08\x00", "text/html", False),
        (b"\xff\xd8\xff\xe0", "text/html; charset=utf-8", False),
        (b"\x00\x00\x00\x18ftypmp42", "text/html", False),
        (b"\x00\x01\x02\x03random", "text/html", False),
        (b"<html><p>a\x00b", "text/html", True),
        (b"  <!DOCTYPE html>\x0b", "text/html", True),
        (codecs.BOM_UTF16_LE + "<p>x".encode("utf-16-le"), "text/html", True),
        ("<p>x".encode("utf-16-le"), "text/html; charset=utf-16", True),
        (b"\x1b$B<html>", "text/html; charset=iso-2022-jp", True),
        (b"<html>", None, True),
        (b" \n<!doctype HTML>", "", True),
        (b"<?xml version='1.0'?><html>", "unknown/unknown", True),
        (b"plain", None, False),
        (b"\x00<html>", None, False),
        (b"<html>", "text/plain", False),
        (b"<html>", "application/json", False),
        (b"<html>", "application/octet-stream", False),
    ],
)
def test_what_looks_like_html(body, content_type, expected):
    """Binary sent as text/html is none, XHTML is; what is declared as something else is not looked at."""
    assert expected is looks_like_html(body, content_type)


def test_options_do_not_take_quadratic_time():
    """With its events on, lexbor takes 6 s for 450 KB of options."""
    assert 2.0 > seconds(lambda: parse("<select>" + "<option>a" * 50_000))


@pytest.mark.parametrize(
    "piece",
    [
        *("<![CDATA[>", "<svg><![CDATA[", "<a" * 990 + '>">', '="', '=">', '="<a ', "<!-- ", "<!-->", "<script>", "<p"),
        *("<script><!--<script>", "<svg>", "<svg ", "<", "< ", '<a ="', "<a b='\">", "<title><", "<em \t", "<b a><p>"),
    ],
)
def test_the_check_takes_linear_time(piece):
    """Markup that is made to let it look at the same bytes again and again: 1 MB each, in well under a second."""
    markup = (piece * (1_000_000 // len(piece))).encode()

    def check():
        with contextlib.suppress(UnsafeMarkup):
            safety.check_structure(markup, max_depth=2000, max_attributes=1000)

    assert 2.0 > seconds(check)

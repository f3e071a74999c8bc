"""Selectors find what parsel's find, in the same order: one table of markup and queries, asked of both.

The markup is in a form that both parsers read alike, so that only the selecting is compared.
"""

from __future__ import annotations

import parsel
import pytest

from crawlkit.html.selectors import Selector

PAGE = """<!DOCTYPE html><html lang="en"><head><title>The &amp; page</title></head><body>
<div id="top" class="box first"><h1>Head <em>line</em> tail</h1>
<p class="lead">One <b>two <i>three</i></b> four<!-- no text --> five</p>
<p class="note" data-x="a::text, b" data-y="[1]">Six <a href="/6" title="Sechs">seven</a></p></div>
<ul class="outer"><li><a href="/1">eins</a></li><li class="two"><a href="/2" title="Two">zwei</a>
<ul class="inner"><li><a href="/2/1">innen</a> mehr</li></ul></li><li>drei</li></ul>
<div id="nested" class="box">a<div class="box">b<div class="box" id="in">c</div>d</div>e</div>
<table><tbody><tr><td>x</td><td colspan="2">y</td></tr><tr><td></td><td>z</td></tr></tbody></table>
<form action="/f"><input name="q" value="v" disabled=""><input type="checkbox" checked="" name="c">
<img src="i.png" alt=""><a name="anchor">no href</a><a href="">empty</a></form>
<p id="last">Price: <span>10 EUR</span> &lt;b&gt; &eacute;</p></body></html>"""

QUERIES = """
p
p::text
p ::text
p *::text
*::text
::text
b::text
b ::text
h1::text
h1 *::text
title::text
a::attr(href)
a::attr(title)
a::attr("href")
a::attr('href')
a::attr( href )
a::attr(nothing)
::attr(href)
*::attr(class)
ul ::attr(href)
ul *::attr(href)
ul > ::attr(class)
input::attr(disabled)
input::attr(checked)
img::attr(alt)
a[href]
a[href]::attr(href)
a[href=""]::text
a:not([href])::text
a[title]::attr(title)
[data-x]::attr(data-x)
[data-x="a::text, b"]::text
[data-x='a::text, b'] a::text
[data-y="[1]"]::text
p[data-x*=", "]::attr(class)
p[data-x^="a::"]::attr(class)
p[data-x$=" b"]::attr(class)
p[class~=lead]::text
p[lang|=en]
html[lang|=en]::attr(lang)
.box::attr(id)
.box.first::attr(id)
div.box::text
div.box .box::text
div > div::text
div#top
#top
#top p::text
#top > p::text
#nested *::text
#nested ::text
div ::text
li::text
li a::text
li > a::text
ul ul a::text
ul li li a::text
.outer > li > a::attr(href)
.outer .inner a::attr(href)
li + li::text
li ~ li::text
li ~ li a::attr(href)
h1 + p::text
h1 ~ p::attr(class)
li:first-child a::text
li:last-child::text
li:nth-child(2) > a::text
li:nth-child(odd)::text
li:nth-child(2n+1)::text
li:nth-last-child(1)::text
p:nth-of-type(2)::attr(class)
p:first-of-type::attr(class)
p:last-of-type::attr(class)
td:only-child
td:nth-child(2)::text
td:empty
tr td::text
td[colspan="2"]::text
table tr:nth-child(2) td::text
p:has(a)::attr(class)
li:has(ul)::attr(class)
li:not(.two)::text
li:not(:first-child)::text
:root::attr(lang)
p:contains("seven")::attr(class)
p:contains("Six")::attr(class)
li:contains(innen)::attr(class)
div:contains("c")::attr(id)
p, h1
h1, p
p, p, .lead
p::text, h1::text
h1::text, p::text
b::text, i::text, p::text
a::attr(href), a::text
a::text, a::attr(href)
a::attr(title), a::attr(href)
img::attr(src), a::attr(href)
p::attr(class), b::text, h1
.box::text, .box::attr(id)
li a::attr(href), #top ::text
h1 , p::text ,b
  p  ::text
p>b::text
p > b ::text
p> ::text
b,i::text
a:is([title])::attr(title)
input[name="q"]::attr(value)
span::text, #last::text
#last ::text
span::text
em
i
#in::text
div div div::text
body > div::attr(id)
html > body > p::attr(id)
* > b::text
*
""".strip("\n").splitlines()


def texts(selected):
    """What `getall()` gives, without the whitespace in which two serialisers differ."""
    return [
        text if not text.startswith("<") else "".join(text.split()).replace('=""', "") for text in selected.getall()
    ]


def both(query, page=PAGE):
    return texts(parsel.Selector(text=page).css(query)), texts(Selector(text=page).css(query))


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_finds_what_parsel_finds(query):
    """Elements, texts and attributes are the same and in the same order."""
    expected, actual = both(query)
    if query in ("p ::text", "*", "html"):  # the serialised markup of whole pages differs in details
        expected, actual = len(expected), len(actual)
    elif expected and expected[0].startswith("<"):
        assert len(expected) == len(actual)
        expected = [each.split(">")[0] for each in expected]
        actual = [each.split(">")[0] for each in actual]
    assert expected == actual


def test_the_table_is_long_and_mostly_finds_something():
    """Two empty lists are equal too easily."""
    found = [query for query in QUERIES if Selector(text=PAGE).css(query)]
    assert len(QUERIES) >= 100
    assert len(QUERIES) - len(found) <= 4


NESTED = [
    ("#nested", "div::text"),
    ("#nested", "div div::text"),
    ("#nested", ".box"),
    ("#nested", ".box .box::attr(id)"),
    ("#nested", "body div::text"),
    ("#nested", "*::text"),
    ("#nested", "::text"),
    ("#nested", "::attr(id)"),
    ("#nested", ":scope > div::text"),
    ("#nested", ":scope::attr(id)"),
    (".inner", "ul a::attr(href)"),
    (".inner", "ul ul a::attr(href)"),
    (".inner", "ul li a::attr(href)"),
    (".inner", ".outer a"),
    (".inner", "li + li"),
    ("li", "a::text"),
    ("li", "ul a::text"),
    ("li", "li a::text"),
    ("li", "ul ::text"),
    ("li", "ul *::text"),
    ("li", "ul > li::text, a::attr(title)"),
    ("li", ".two a::attr(href)"),
    ("tr", "td::text"),
    ("tr", "td:nth-child(2)::text"),
    ("p", "b, a"),
    ("p", "p::attr(class)"),
    ("a::attr(href)", "a"),
    ("p::text", "::text"),
]


@pytest.mark.parametrize(("outer", "inner"), NESTED)
def test_a_selector_within_an_element_looks_at_it_and_below(outer, inner):
    """All of the inner selector must match inside of the outer element, itself included, as parsel has it."""
    expected = parsel.Selector(text=PAGE).css(outer).css(inner)
    actual = Selector(text=PAGE).css(outer).css(inner)
    assert [text.split(">")[0] for text in texts(expected)] == [text.split(">")[0] for text in texts(actual)]


@pytest.mark.parametrize("digits", ["#1", "#12a", "#1 b", "div #1"])
def test_an_id_may_begin_with_a_digit(digits):
    """`#1` is no CSS, but parsel reads it, and so do spiders' authors."""
    page = "<!DOCTYPE html><div><p id=1>a<b>b</b></p><p id=12a>c</p></div>"
    assert both(digits, page)[0] == both(digits, page)[1] != []


REGEXES = [
    r"\d+",
    r"(\d+) (EUR)",
    r"Price: (\w*)",
    r"(?P<extract>\d+) EUR",
    r"(?P<extract>x)?Price",
    r"(?P<amount>\d+) (?P<currency>\w+)",
    r"&\w+;",
    r"no such",
    r"(E)|(U)",
]


@pytest.mark.parametrize("regex", REGEXES)
@pytest.mark.parametrize("query", ["#last", "#last ::text", "#last span::text", "p::text", "none"])
@pytest.mark.parametrize("replace", [True, False])
def test_re_takes_what_parsels_takes(regex, query, replace):
    """Groups, named groups, no group; with and without character references replaced."""
    expected, actual = parsel.Selector(text=PAGE).css(query), Selector(text=PAGE).css(query)
    if query == "#last" and regex == r"&\w+;":
        return  # which characters are written as references is the serialiser's choice
    assert expected.re(regex, replace_entities=replace) == actual.re(regex, replace_entities=replace)
    assert expected.re_first(regex, "none") == actual.re_first(regex, "none")


def test_references_but_two_are_replaced_as_parsel_replaces_them():
    """`&lt;` and `&amp;` stay. (One that nobody knows stays here, too; parsel takes it out.)"""
    text = "a &lt; &amp; &#60; &#x26; &gt; &eacute; &#8364; &quot; & b"
    page = f"<!DOCTYPE html><p title='{text.replace('&', '&amp;')}'>x"
    expected = parsel.Selector(text=page).css("p::attr(title)").re(".+")
    assert expected == Selector(text=page).css("p::attr(title)").re(".+")


def test_attrib_is_parsels():
    """The attributes of an element, and of the first of a list."""
    for query in ("input", "p.note", "none", "td"):
        expected, actual = parsel.Selector(text=PAGE).css(query), Selector(text=PAGE).css(query)
        assert dict(expected.attrib) == actual.attrib
        assert [dict(each.attrib) for each in expected] == [each.attrib for each in actual]


XPATHS = [
    "//a/@href",
    "//p/text()",
    "//li[2]/a/text()",
    "//ul//ul/li//text()",
    "count(//a)",
    "string(//h1)",
    "boolean(//h1)",
    "//p[has-class('lead')]//text()",
    "//a[re:test(@href, '^/2')]/@href",
    "//td/following-sibling::td/text()",
    "//b/..",
    "//nothing",
    "//p[contains(., 'seven')]/@class",
    "normalize-space(//h1)",
]


@pytest.mark.parametrize("query", XPATHS)
def test_xpath_gives_what_parsel_gives(query):
    """parsel evaluates it, over the tree that lexbor parsed."""
    expected, actual = parsel.Selector(text=PAGE).xpath(query), Selector(text=PAGE).xpath(query)
    assert [text.split(">")[0] for text in texts(expected)] == [text.split(">")[0] for text in texts(actual)]


@pytest.mark.parametrize(
    ("css", "xpath"),
    [("li", "./a/@href"), ("li", ".//a/@href"), ("li", "//h1/text()"), ("b", "../@class"), ("b", "ancestor::div/@id")],
)
def test_xpath_goes_on_where_css_stopped(css, xpath):
    """Its context is the element in its page: `..` and `//` lead out of it."""
    expected = parsel.Selector(text=PAGE).css(css).xpath(xpath).getall()
    assert expected == Selector(text=PAGE).css(css).xpath(xpath).getall() != []

"""Selector and SelectorList: what they are beside what they find."""

from __future__ import annotations

import gc
import pickle
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawlkit.exceptions import InvalidSelector, TooDeep
from crawlkit.html.document import Limits
from crawlkit.html.selectors import Selector, SelectorList

PAGE = "<!DOCTYPE html><p class=a>1<b>x</b>2</p><p>3</p><a href=/l title=T>link</a>"


@pytest.fixture
def page():
    return Selector(text=PAGE)


@pytest.mark.parametrize(
    "query",
    ["", "  ", "p[", "p..a", "p,", ",p", "p,,b", "div >", "> p", "p:nosuch", "p::before", "p::text b", "p::text::text",
     "::attr()", "::attr(a b)", "a::attr", "p:not(::text)", "p)", "p(", 'p[a="b', "p'", "p{", ":contains()", "\\", "@x",
     "p:contains(a, b)", "p:nth-child(x)", "[a=/x]"],
)  # fmt: skip
def test_what_is_no_selector_is_a_value_error_that_repeats_it(page, query):
    """Whether it is found out by reading it or by lexbor; also from a list, and from within an element."""
    for ask in (page.css, page.css("p").css, page.css("p")[0].css):
        with pytest.raises(ValueError, match=re.escape(repr(query))) as caught:
            ask(query)
        assert type(caught.value) is InvalidSelector


def test_a_selector_must_be_text(page):
    """A tuple of selectors or None is a mistake of the program."""
    with pytest.raises(TypeError, match="must be str"):
        page.css(None)


def test_nothing_is_found_in_a_text_or_value(page):
    """As in Scrapy: no element, no attribute, no error."""
    for text in (page.css("p::text")[0], page.css("a::attr(href)")[0]):
        assert [] == text.css("p") == text.xpath("//p")
        assert {} == text.attrib
        assert text.node is None


def test_get_and_its_other_names(page):
    """One or all, of a list and of a Selector."""
    found = page.css("p.a::text")
    assert "1" == found.get() == found.extract_first() == found[0].get() == found[0].extract() == str(found[0])
    assert ["1", "2"] == found.getall() == found.extract()
    assert ["1"] == found[0].getall()
    assert '<p class="a">1<b>x</b>2</p>' == page.css("p").get()
    nothing = page.css("i::text")
    assert (None, "none", []) == (nothing.get(), nothing.get("none"), nothing.getall())
    assert "none" == nothing.extract_first(default="none")


def test_a_list_reads_as_a_list(page):
    """Index, slice, loop, truth, length, sum, comparison; and it cannot be changed."""
    found = page.css("p")
    assert 2 == len(found) and found and not page.css("i")
    assert isinstance(found[0], Selector) and isinstance(found[:1], SelectorList)
    assert ["3"] == found[1:].css("::text").getall() == found[-1].css("::text").getall()
    assert found == list(found) == found[:] and found != found[:1] and [] == page.css("i")
    assert 3 == len(found + page.css("a")) == len({*found, *page.css("p"), *page.css("a")})
    assert found[0] in found and found[0] not in page.css("a")
    with pytest.raises(IndexError):
        found[2]
    with pytest.raises(TypeError):
        found[0] = found[1]
    assert "[<Selector text '1'>, <Selector text '2'>]" == repr(page.css("p.a::text"))
    assert """<Selector <p> '<p class="a">1<b>x</b>2</p>'>""" == repr(found[0])


def test_equal_is_the_same_element_not_the_same_markup():
    """lexbor's own nodes are equal when their markup is."""
    first, second = Selector(text="<p>x</p><p>x</p>").css("p")
    assert first != second
    assert first.root == second.root


def test_an_element_has_its_node_and_text_none(page):
    """What `response.follow()` and selectolax's own methods need."""
    link = page.css("a")[0]
    assert isinstance(link.root, LexborNode) and link.node is link.root
    assert "/l" == page.css("a::attr(href)")[0].root
    assert ["a"] == [node.tag for node in page.css("a, p::text").nodes]


def test_a_selector_is_made_of_markup_a_node_or_a_parser():
    """Text, bytes, what selectolax gives; exactly one of them."""
    parser = LexborHTMLParser("<p>x")
    for made in (Selector(text="<p>x"), Selector("<p>x"), Selector(text=b"<p>x"), Selector(root=parser)):
        assert "x" == made.css("p::text").get()
    assert ["p"] == Selector(root=parser.css_first("p")).xpath("name()").getall()
    assert "text" == Selector(root="text").get()
    with pytest.raises(TypeError):
        Selector()
    with pytest.raises(TypeError):
        Selector(text="x", root="y")
    with pytest.raises(TypeError, match="not int"):
        Selector(text=1)


def test_markup_is_parsed_within_limits():
    """The caps of a page are those of any markup."""
    with pytest.raises(TooDeep):
        Selector(text="<div>" * 2100)
    with pytest.raises(TooDeep):
        Selector(text="<div>" * 11, limits=Limits(max_depth=10))


def test_a_result_keeps_its_page_alive():
    """A node that outlived its parser would read freed memory."""
    found = Selector(text=PAGE).css("p")
    item = found[1]
    del found
    gc.collect()
    assert "3" == item.css("::text").get()
    assert "/l" == item.xpath("following-sibling::a/@href").get()


def test_the_mark_of_the_scope_is_gone_afterwards(page):
    """Also after an error, and from what `get()` gives."""
    before = page.get()
    body = page.css("body")
    assert "/l" == body.css("p ~ a::attr(href)").get() == body.css(":scope > a::attr(href)").get()
    with pytest.raises(ValueError):
        body.css("p > :nosuch")
    assert before == page.get()


def test_quirks_mode_is_a_browsers():
    """Without a doctype class names are compared without case, as browsers and lexbor do, and parsel does not."""
    assert 2 == len(Selector(text="<p class=A><p class=a>").css(".a"))
    assert 1 == len(Selector(text="<!DOCTYPE html><p class=A><p class=a>").css(".a"))


def test_what_lexbor_knows_beyond_scrapy_works():
    """`:has()`, `:is()`, `:where()`, attribute flags, `:lexbor-contains()`."""
    page = Selector(text='<!DOCTYPE html><p title="Ab">one</p><p><b>two</b></p>')
    assert ["one"] == page.css('[title="aB" i]::text').getall() == page.css("p:not(:has(b))::text").getall()
    assert ["two"] == page.css("p:has(> b) b::text").getall() == page.css(":where(b, i)::text").getall()
    assert ["one"] == page.css('p:lexbor-contains("ONE" i)::text').getall()
    assert ["one"] == page.css('p:not(:contains("two"))::text').getall()


def test_a_dropped_element_is_seen_no_more(page):
    """Neither by css nor by xpath, which works on a copy."""
    assert "1" == page.xpath("string(//p[1]/text())").get()
    page.css("b").drop()
    page.css("p")[1].drop()
    assert ["1", "2"] == page.css("p ::text").getall()
    assert "12" == page.xpath("string(//body/p)").get()


def test_xpath_takes_variables_and_says_what_it_cannot_read(page):
    """`$name`; a ValueError for what is no XPath."""
    assert ["/l"] == page.xpath("//a[@title=$t]/@href", t="T").getall()
    with pytest.raises(InvalidSelector, match=re.escape("'//a['")):
        page.xpath("//a[")


def test_xpath_without_the_extra_names_it(page, monkeypatch):
    """The error says what to install."""
    monkeypatch.setitem(__import__("sys").modules, "parsel", None)
    with pytest.raises(ImportError, match=re.escape("pip install 'crawlkit[xpath]'")):
        page.xpath("//a")


def test_xpath_survives_markup_that_lxml_cannot_hold():
    """Names and characters that XML does not know, comments that XML forbids, a changed tree."""
    page = Selector(text='<a"b c"d=1>\x01x\ufffe</a"b><!-- a--b---><p @click="\x02" xlink:href=y>z<svg viewBox="0"/>')
    assert ["z"] == page.xpath("//p/text()").getall()
    assert ["y"] == page.xpath("//p/@*[name()='xlink:href']").getall()
    page.css("p")[0].node.insert_after("new")
    assert page.xpath("//comment()")


def test_selectors_do_not_pickle(page):
    """They are a view of a parsed page; the error says what to keep instead."""
    with pytest.raises(TypeError, match="keep get"):
        pickle.dumps(page)
    with pytest.raises(TypeError, match="keep getall"):
        pickle.dumps(page.css("p"))


def test_pages_are_independent_between_threads():
    """Each page is used by one thread; different pages by different threads at once."""

    def read(number):
        page = Selector(text=f"<ul><li><ul><li><a href='/{number}'>{number}</a></ul></ul>" * 20)
        for _ in range(20):
            assert 20 == len(page.css("li").css("ul a::attr(href)"))
            assert {str(number)} == set(page.css("a::text").getall()) == set(page.xpath("//a/text()").getall())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(read, range(32)))


def test_re_takes_compiled_patterns(page):
    """As text or compiled, of one or of a list."""
    assert ["1", "2", "3"] == page.css("p::text").re(r"\d") == page.css("p::text").re(re.compile(r"\d"))
    assert "1" == page.css("p::text").re_first(r"\d") == page.css("p")[0].re_first(re.compile(r"\d"))
    assert None is page.css("p").re_first("no such") is page.css("i").re_first(".")
    assert "default" == page.css("p").re_first("no such", default="default")

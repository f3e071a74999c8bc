"""Guard: what is not followed, judged on links as real sites have them; what an author says against it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from crawlkit import Request, Spider
from crawlkit.crawl import url_patterns
from crawlkit.crawl.anchors import Anchors
from crawlkit.crawl.guard import MOST_LISTED, Guard, guard_of, masked
from crawlkit.crawl.guard_phrases import CHANGES, DELETES, SESSION, UNSUBSCRIBES
from crawlkit.crawl.guard_words import REFERENCE
from crawlkit.crawl.settings_sections import CrawlSettings
from crawlkit.exceptions import SpiderError
from crawlkit.html.document import parse
from crawlkit.url import canonical, join
from tests.crawl.guard_cases import INNOCENTS, TRAPS, Case

BASE = "https://site.example/here"


class Page:
    """As much of a Response as the guard looks at."""

    is_html = True

    def __init__(self, markup: str) -> None:
        self.tree = parse(f"<body>{markup}")

    def urljoin(self, link: str) -> str:
        return join(BASE, link) or ""


def verdict(url: str, markup: str = "", **guard: Any) -> str | None:
    href = canonical(join(BASE, url) or "") or ""
    page: Any = Page(markup.replace('"@"', f'"{href.replace("&", "&amp;")}"'))
    return Guard(**guard).judge(href, Request(href), Anchors(page))


@pytest.mark.parametrize(
    ("case", "reason"),
    [(case, reason) for reason, cases in TRAPS.items() for case in cases],
    ids=lambda value: f"{value.url} {value.why}" if isinstance(value, Case) else value,
)
def test_traps_are_not_followed(case: Case, reason: str) -> None:
    assert reason == verdict(case.url, case.markup)


@pytest.mark.parametrize("case", INNOCENTS, ids=lambda case: f"{case.url} {case.why}")
def test_innocent_links_are_followed(case: Case) -> None:
    assert verdict(case.url, case.markup) is None


def test_every_phrase_that_ends_a_session_is_known_as_a_label() -> None:
    """Also in scripts whose marks are no letters, where a label is easily looked past before it is read."""
    said = [phrase.strip() for phrases in SESSION.values() for phrase in phrases.split(",")]
    spoken = [phrase for phrase in said if not phrase.startswith("wsignout")]  # that one is only in addresses
    assert [] == [each for each in spoken if "logs out" != verdict("/account/end", f'<a href="@">{each}</a>')]


def test_german_is_known_as_addresses_spell_it() -> None:
    """Every word with ä, ö, ü or ß also with ae, oe, ue, ss; and in the lists of places too."""
    said = [phrase.strip() for lists in (DELETES, UNSUBSCRIBES, CHANGES) for phrase in lists["de"].split(",")]
    as_two: dict[int, str] = {ord("ä"): "ae", ord("ö"): "oe", ord("ü"): "ue", ord("ß"): "ss"}
    spelled = [phrase.translate(as_two) for phrase in said]
    assert [] == [each for each in spelled if not verdict(f"/artikel/7/{each.replace(' ', '-')}")]
    assert {"wörterbuch", "übersetzung"}.isdisjoint(REFERENCE)
    assert {"worterbuch", "woerterbuch", "ubersetzung", "uebersetzung"} <= REFERENCE


# --- the author's word ------------------------------------------------------------------------------------------------


def test_what_the_author_allows_is_followed() -> None:
    """`allow` outweighs every sign, `deny` refuses what has none; of two that fit, the longer pattern counts."""
    assert verdict("/logout", allow=["/logout"]) is None
    assert "guard_deny" == verdict("/print/7", deny=["/print/*"])
    assert verdict("/admin/reports/7", deny=["/admin/*"], allow=["/admin/reports/*"]) is None
    assert "guard_deny" == verdict("/admin/reports/logout", allow=["/admin/*"], deny=["/admin/reports/*"])
    assert "guard_deny" == verdict("/x", allow=["/x"], deny=["/x"])


def test_a_guard_that_is_off_keeps_the_authors_deny() -> None:
    assert verdict("/logout", on=False) is None
    assert verdict("/a", '<a href="@">Sign out</a>', on=False) is None
    assert "guard_deny" == verdict("/print/7", on=False, deny=["/print/*"])


@pytest.mark.parametrize(
    ("pattern", "url", "fits"),
    [
        ("/keys/delete", "https://a.example/keys/delete", True),
        ("/keys/delete", "https://a.example/keys/delete?x=1", True),
        ("/keys/delete?x=1", "https://a.example/keys/delete", False),
        ("/keys/delete?x=1", "https://a.example/keys/delete?x=1", True),
        ("/keys/delete", "https://a.example/keys/delete/7", False),
        ("/keys/*", "https://a.example/keys/delete/7?x=1", True),
        ("*/delete", "https://a.example/keys/delete", True),
        ("*", "https://a.example/", True),
        ("/", "https://a.example", True),
        ("https://a.example/*", "https://b.example/https://a.example/", False),
        ("/a*b*c", "https://a.example/a-b-b-c", True),
        ("/a*ba*a", "https://a.example/aba", False),
        ("*print*?*", "https://a.example/print", False),
        ("/K", "https://a.example/k", False),
    ],
)
def test_patterns_fit(pattern: str, url: str, fits: bool) -> None:
    """`*` stands for anything, all else for itself; a pattern from "/" is compared with what follows the host."""
    assert fits is url_patterns.fits(url_patterns.check(pattern), url)


def test_a_pattern_costs_no_more_than_the_url_is_long() -> None:
    """The pattern that makes a backtracking matcher run for years."""
    began = time.process_time()
    assert not url_patterns.fits("*a" * 900 + "b", "https://a.example/" + "a" * 50_000)
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize("pattern", ["logout", "", "/a b", "/" + "a" * 3000, "ftp://a.example/"])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="not a pattern"):
        url_patterns.check(pattern)


def test_a_spider_adds_to_the_settings() -> None:
    """Either turns the guard off; patterns of both count. A wrong one names the spider, the attribute and the pattern."""

    class Own(Spider):
        guard_allow = ("/keys/*",)
        guard_deny = "/print/*"

    guard = guard_of(Own(), CrawlSettings(guard_deny=("/pdf/*",)))
    found = [guard.reason(f"https://a.example{path}") for path in ("/keys/7/delete", "/print/1", "/pdf/1", "/logout")]
    assert [None, "guard_deny", "guard_deny", "logs out"] == found
    assert guard_of(Own(guard=False), CrawlSettings()).reason("https://a.example/logout") is None
    assert guard_of(Own(), CrawlSettings(guard=False)).reason("https://a.example/logout") is None
    with pytest.raises(SpiderError, match=r"guard_deny must be a list of patterns of URLs .*, not 'logout'"):
        guard_of(Own(guard_deny=["logout"]), CrawlSettings())


# --- a request --------------------------------------------------------------------------------------------------------


def test_what_the_author_asks_for_himself_is_not_judged() -> None:
    """Another method, and `safe=True`, are the author's will."""
    guard, anchors, url = Guard(), Anchors(None), "https://a.example/logout"
    assert guard.judge(url, Request(url, method="POST"), anchors) is None
    assert guard.judge(url, Request(url, safe=True), anchors) is None
    assert "logs out" == guard.judge(url, Request(url, method="HEAD"), anchors)
    assert "logs out" == guard.judge(url, Request(url, dont_filter=True), anchors)


def test_what_one_page_says_counts_for_all() -> None:
    """A URL that a label gave away is refused from other pages, and when it was queued before."""
    guard, url = Guard(), "https://site.example/account/end"
    page: Any = Page('<a href="/account/end">Sign out</a>')
    assert guard.judge(url, Request(url), Anchors(None)) is None
    assert guard.at_sending(url, Request(url), start=False) is None
    assert "logs out" == guard.judge(url, Request(url), Anchors(page))
    assert "logs out" == guard.judge(url, Request(url), Anchors(None))
    assert "logs out" == guard.at_sending(url, Request(url), start=False)
    assert guard.at_sending(url, Request(url, safe=True), start=False) is None
    assert guard.at_sending(url, Request(url), start=True) is None


def test_a_link_sent_by_delete_does_not_condemn_the_page() -> None:
    """Rails' /items/7: refused where only the button is, followed from the page that shows it."""
    guard, url = Guard(), "https://site.example/items/7"
    button: Any = Page('<a href="/items/7" data-method="delete">Destroy</a>')
    shown: Any = Page('<a href="/items/7">Lamp</a>')
    assert "is sent by DELETE" == guard.judge(url, Request(url), Anchors(button))
    assert guard.judge(url, Request(url), Anchors(shown)) is None


def test_a_queue_from_before_the_guard_is_judged_when_it_is_sent() -> None:
    """Only by what is certain: a page that its link made innocent must not be lost here."""
    guard = Guard()
    verdicts = [
        guard.at_sending(f"https://a.example{path}", Request(f"https://a.example{path}"), start=False)
        for path in ("/logout", "/keys/delete", "/a")
    ]
    assert ["logs out", None, None] == verdicts


def test_an_element_of_another_document_speaks_for_its_link() -> None:
    """A piece of HTML out of JSON: the page itself has no such link, the request brings it."""
    url = "https://site.example/account/end"
    request = Request(url)
    request.anchor = parse('<a href="/account/end">Sign out</a>').css_first("a")
    assert "logs out" == Guard().judge(url, request, Anchors(None))


# --- the list ---------------------------------------------------------------------------------------------------------


def test_each_url_is_listed_once_and_without_its_secret() -> None:
    """The same link with another token on each page is one line."""
    guard = Guard()
    first = guard.list("https://a.example/x?action=unpublish&csrf=Ab12", "changes state", "Hide")
    assert first is not None
    assert ("https://a.example/x?action=unpublish&csrf=[redacted]", "changes state", "Hide") == (
        first.url,
        first.reason,
        first.text,
    )
    assert guard.list("https://a.example/x?action=unpublish&csrf=Zz99", "changes state") is None


def test_the_list_is_bounded() -> None:
    guard = Guard()
    listed = [guard.list(f"https://a.example/{number}/delete", "deletes") for number in range(MOST_LISTED + 5)]
    assert MOST_LISTED == sum(refusal is not None for refusal in listed)


def test_a_page_whose_links_point_at_their_labels_is_quick() -> None:
    """The page's ids are looked for once, not once for each link."""
    markup = "".join(f'<a href="/i/{n}" aria-labelledby="l{n}"></a><b id="l{n}">Lamp</b>' for n in range(3000))
    page: Any = Page(f'{markup}<a href="/out" aria-labelledby="l"></a><b id="l">Sign out</b>')
    began = time.process_time()
    assert "logs out" == Guard().judge("https://site.example/out", Request("https://site.example/out"), Anchors(page))
    assert time.process_time() - began < 1


def test_harmless_values_are_shown() -> None:
    assert "https://a.example/x?id=7&t=8" == masked("https://a.example/x?id=7&t=8")
    assert "https://a.example/x" == masked("https://a.example/x")
    assert "https://a.example/x?token=[redacted]&y=1" == masked("https://a.example/x?token=0a1b2c3d&y=1")


def test_a_page_of_a_thousand_buttons_is_read_once() -> None:
    """What a page's links say is read once for all of them."""
    markup = "".join(
        f'<a href="/items/{n}" data-method="delete">Destroy</a><a href="/p/{n}">p</a>' for n in range(1000)
    )
    read: list[int] = []

    class Counted(Anchors):
        def _found(self) -> Any:
            read.append(1)
            return super()._found()

    page: Any = Page(markup)
    anchors, guard = Counted(page), Guard()
    for number in range(1000):
        url = f"https://site.example/items/{number}"
        assert "is sent by DELETE" == guard.judge(url, Request(url), anchors)
    assert [1] == read


def test_a_link_into_a_page_names_a_place_there() -> None:
    """An index of a manual: "Delete" is a class of it, whatever else leads to the page."""
    markup = (
        '<a href="library/ast.html#ast.Delete">Delete (class in ast)</a> <a href="library/ast.html#ast.Del">Del</a>'
    )
    url = "https://site.example/library/ast.html"
    assert Guard().judge(url, Request(url), Anchors(Page(markup))) is None  # type: ignore[arg-type]
    markup = '<a href="/library/ast.html#">Delete</a>'
    assert "deletes" == Guard().judge(url, Request(url), Anchors(Page(markup)))  # type: ignore[arg-type]

"""Which addresses are of one thing, and which are not."""

from __future__ import annotations

import pytest

from crawlkit.archive.twins import _MOST_APART, Twins

ONE, TWO = "5f2b9d0c41e7a8366c1d", "c09e7b3a12f48d5566aa"


def followed(pages: dict[str, list[str]], *known: str) -> list[str]:
    """What is followed of the links of pages that are read in this order."""
    twins = Twins(lambda text: text in known)
    out = []
    for page, links in pages.items():
        reading = twins.read(page, links)
        out += [link for link in links if not twins.has(link, reading) and twins.claim(link, reading)]
    return out


@pytest.mark.parametrize(
    "written",
    [
        "/p?PHPSESSID={}",
        "/p?a=1&sid={}&b=2",
        "/p;jsessionid={}?a=1",
        "/p;jsessionid={}/x",
        "/p?token={}",
        "/p?osCsid={}",
    ],
)
def test_of_two_that_differ_in_secrets_the_first_is_followed(written: str) -> None:
    one, two = written.format(ONE), written.format(TWO)
    assert [one] == followed({"/": [one], "/other": [two]}, ONE, TWO)
    assert [one, one] == followed({"/": [one], "/other": [one]}, ONE, TWO)


@pytest.mark.parametrize(
    "written",
    ["/p?page_token={}", "/p?next_token={}", "/p?nextPageToken={}", "/p?cursor={}", "/p/{}?a=1", "/p?session={:.0}7"],
)
def test_what_is_no_secret_keeps_pages_apart(written: str) -> None:
    """Where a listing goes on, a piece of the path, a number."""
    links = [written.format(ONE), written.format(TWO).replace("7", "8")]
    assert links == followed({"/": links[:1], "/other": links[1:]})


def test_a_cookie_that_says_what_was_looked_at_is_none_either() -> None:
    topics = [f"/show?topic=number-{n}-of-the-gardens" for n in range(3)]
    known = [topic.partition("=")[2] for topic in topics]
    assert topics == followed({topic: [topic] for topic in topics}, *known)


def test_files_that_tokens_alone_tell_apart_on_one_page_are_all_followed() -> None:
    """Not sessions: of these a page that shows two has one too many."""
    files = [f"/file?token={ONE}{n}" for n in range(3)]
    assert files == followed({"/": files})
    assert files[:1] == followed({"/": files}, *(file.partition("=")[2] for file in files))
    assert 1 == len(followed({"/": [f"/file?sid={ONE}{n}" for n in range(3)]}))
    assert _MOST_APART == len(followed({"/": [f"/file?token={ONE}{n}" for n in range(_MOST_APART + 9)]}))


def test_a_page_that_is_read_again_follows_its_links_again() -> None:
    """What was found first is dropped when it turns out that the session had ended."""
    twins = Twins(lambda _: False)
    one, two, three = (f"/p?sid={ONE}{n}" for n in range(3))
    assert twins.claim(one, twins.read("/", [one]))
    again = twins.read("/", [two, three])
    assert not twins.has(two, again)
    assert twins.claim(two, again)
    assert not twins.claim(three, again)
    assert not twins.claim(one, twins.read("/other", [one]))


def test_of_what_only_a_token_keeps_apart_it_is_told_that_it_was_left_out() -> None:
    """It may be another thing. Another session is not."""
    twins = Twins(lambda text: text == ONE)
    first = ["/share?token=aaaa1111bbbb2222", f"/p?sid={ONE}"]
    reading = twins.read("/", first)
    assert all(twins.claim(url, reading) for url in first)
    other = ["/share?token=cccc3333dddd4444", f"/p?sid={TWO}"]
    reading = twins.read("/other", other)
    assert [True, True] == [twins.has(url, reading) for url in other]
    assert ["/share?token=", None] == [twins.doubtful(url, reading) for url in other]

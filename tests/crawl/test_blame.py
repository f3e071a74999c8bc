"""Blame: who is suspected of a session's end, and what a trial makes of it. The session is a fake that counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crawlkit import Request
from crawlkit.crawl.blame import Blame, Verdict
from crawlkit.crawl.guard import Guard
from crawlkit.exceptions import LoginError
from crawlkit.sessions.membership import Healing
from crawlkit.store.refusals import Blame as Blamed

A, B, C, D, E = (f"https://site.example/{name}" for name in "abcde")


class Site:
    """A session that lasts for `lasts` requests after each login, and ends when it fetches a killer."""

    def __init__(self, lasts: int | None = None, killers: frozenset[str] = frozenset(), *, busy: bool = False) -> None:
        self.lasts = lasts
        self.killers = killers
        self.busy = busy
        self.epoch = self.logins = 0
        self.left: float = 0

    def again(self, epoch: int) -> Healing:
        if self.busy:
            return Healing.BUSY
        if self.lives():
            return Healing.ALIVE
        self.epoch += 1
        self.logins += 1
        self.left = float("inf") if self.lasts is None else self.lasts
        return Healing.DONE

    def lives(self) -> bool:
        self.left -= 1
        return self.left >= 0

    def proven(self) -> None:
        pass

    def fetch(self, url: str) -> Callable[[], tuple[Any, int]]:
        def get() -> tuple[Any, int]:
            alive = self.lives()
            if url in self.killers:
                self.left = 0
            return ("member" if alive else "stranger"), self.epoch

        return get


class Book:
    """What is written down."""

    def __init__(self, kept: tuple[Blamed, ...] = (), guard: Guard | None = None) -> None:
        self.kept: dict[tuple[str, str], tuple[int, bool]] = {}
        self.blame = Blame("p", guard or Guard(), kept, keep=self.keep, forget=self.forget)

    def keep(self, profile: str, url: str, times: int, quarantined: bool) -> None:
        self.kept[profile, url] = (times, quarantined)

    def forget(self, profile: str, url: str) -> None:
        self.kept.pop((profile, url), None)

    def seen(self, site: Any, *urls: str) -> None:
        """These pages are fetched one after the other, and each looks logged in."""
        for url in urls:
            with self.blame.exchange() as number:
                pass
            self.blame.alive(site, url, number, site.epoch, Request(url))


def tried(book: Book, site: Any, url: str) -> tuple[Verdict, Any, int]:
    return book.blame.try_(site, url, Request(url), site.fetch(url))


def test_the_last_page_before_a_death_is_suspected() -> None:
    """What was answered before a later page was asked for did no harm; the page that noticed is no suspect."""
    book, site = Book(), Site()
    book.seen(site, A, B, C)
    book.blame.died(site, 0, D, Request(D))  # type: ignore[arg-type] # a fake
    assert {("p", C): (1, False)} == book.kept
    assert [False, True] == [book.blame.suspected(url, Request(url)) for url in (B, C)]


def crowd(book: Book, site: Site) -> None:
    """Four pages are under way at once, and the session is dead afterwards."""
    numbers = []
    for _ in range(4):
        with book.blame.exchange() as number:
            numbers.append(number)
    for number, url in zip(numbers, (A, B, C, D), strict=True):
        book.blame.alive(site, url, number, 0, Request(url))  # type: ignore[arg-type] # a fake
    book.blame.died(site, 0, E, Request(E))  # type: ignore[arg-type] # a fake


def after(book: Book) -> Book:
    """The next run."""
    return Book(tuple(Blamed(*key, times, 0.0, quarantined) for key, (times, quarantined) in book.kept.items()))


def test_with_many_under_way_nobody_is_suspected_at_once() -> None:
    """Four pages at once: any of them, or none. A second death of the same run tells no more."""
    book, site = Book(), Site()
    crowd(book, site)
    crowd(book, site)
    assert dict.fromkeys((("p", url) for url in (A, B, C, D)), (0, False)) == book.kept
    assert not any(book.blame.suspected(url, Request(url)) for url in (A, B, C, D))


def test_who_was_near_in_the_next_run_too_is_suspected() -> None:
    """Whom a sign of life has cleared in between is forgotten."""
    book, site = Book(), Site()
    crowd(book, site)
    book = after(book)
    book.kept = dict.fromkeys((("p", url) for url in (A, B, C, D)), (0, False))
    book.seen(site, A, E)
    assert ("p", A) not in book.kept
    crowd(book, site)
    assert {("p", A): (0, False), **{("p", url): (1, False) for url in (B, C, D)}} == book.kept
    assert [False, True] == [after(book).blame.suspected(url, Request(url)) for url in (A, B)]


def test_a_crowd_is_bounded() -> None:
    """Of more than a hundred nobody is noted; of a run no more than three hundred are."""
    book, site = Book(), Site()
    for size in (101, 100, 100, 100, 100):
        with book.blame.exchange() as number:
            pass
        site.epoch += 1
        for each in range(size):
            url = f"{A}{site.epoch}/{each}"
            book.blame.alive(site, url, number, site.epoch, Request(url))  # type: ignore[arg-type] # a fake
        book.blame.died(site, site.epoch, E, Request(E))  # type: ignore[arg-type] # a fake
    assert 300 == len(book.kept)
    assert not any(url.startswith(f"{A}1/") for _, url in book.kept)


def test_an_answer_from_another_login_clears_and_blames_nobody() -> None:
    book, site = Book(), Site()
    book.seen(site, A)
    book.blame.died(site, 1, B, Request(B))  # type: ignore[arg-type] # a fake
    site.epoch = 1
    book.seen(site, C)
    book.blame.died(site, 0, B, Request(B))  # type: ignore[arg-type] # a fake
    assert {} == book.kept


def test_a_killer_is_condemned_by_two_deaths() -> None:
    book, site = Book(), Site(killers=frozenset((A,)))
    assert Verdict.KILLER is tried(book, site, A)[0]
    assert {("p", A): (2, True)} == book.kept
    assert 2 == site.logins
    assert book.blame.quarantined(A, Request(A))
    assert not book.blame.quarantined(A, Request(A, profile="other"))
    assert not book.blame.quarantined(B, Request(B))


def test_an_innocent_is_cleared_and_its_answer_used() -> None:
    book, site = Book((Blamed("p", A, 1, 0.0, False),)), Site()
    assert book.blame.suspected(A, Request(A))
    assert (Verdict.INNOCENT, "member", 1) == tried(book, site, A)
    assert not book.blame.suspected(A, Request(A))


@pytest.mark.parametrize("lasts", range(16))
def test_a_session_that_lasts_for_so_many_requests_condemns_nobody(lasts: int) -> None:
    """However many they are: where the first part of a trial ends with a death, the second finds out why."""
    book, site = Book(), Site(lasts)
    assert tried(book, site, A)[0] in (Verdict.INNOCENT, Verdict.UNCLEAR)
    assert not book.blame.quarantined(A, Request(A))


def test_sessions_that_die_with_nothing_being_fetched_end_the_run() -> None:
    book, site = Book(), Site(1)
    assert Verdict.UNCLEAR is tried(book, site, A)[0]
    assert Verdict.UNCLEAR is tried(book, site, B)[0]
    with pytest.raises(LoginError, match="ends each session after a few requests"):
        tried(book, site, C)


def test_who_does_not_get_the_turn_tries_later() -> None:
    book = Book()
    assert (Verdict.UNCLEAR, None, 0) == tried(book, Site(busy=True), A)


def test_a_quarantine_is_remembered_until_the_author_frees_the_page() -> None:
    kept = (Blamed("p", A, 2, 0.0, True), Blamed("p", B, 1, 0.0, False))
    assert [True, False] == [Book(kept).blame.quarantined(url, Request(url)) for url in (A, B)]
    assert not Book(kept, Guard(allow=["/a"])).blame.quarantined(A, Request(A))


def test_suspicion_is_bounded() -> None:
    """On a site where sessions die all the time a run adds no more than fifty suspects."""
    book, site = Book(), Site()
    for number in range(80):
        site.epoch = number
        book.seen(site, f"{A}{number}")
        book.blame.died(site, number, B, Request(B))  # type: ignore[arg-type] # a fake
    assert 50 == len(book.kept)

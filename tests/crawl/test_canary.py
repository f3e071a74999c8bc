"""The canary, and logins that callbacks themselves run into."""

from __future__ import annotations

from typing import Any

from crawlkit.crawl.spider import Spider
from crawlkit.sessions.formlogin import FormLogin
from tests.crawl.loopback import Asked, Reply, serving
from tests.crawl.test_engine import Bench, bench  # noqa: F401 - a fixture
from tests.faults.expiring_club import ExpiringClub


class Reader(Spider):
    """Says of each page whether a member got it, and knows nothing of members itself."""

    name = "reader"
    key = "path"

    def __init__(self, site: Any) -> None:
        super().__init__()
        self.site = site
        self.start_urls = [f"{site.url}/"]

    def login(self, session: Any) -> None:
        page = session.get(f"{self.site.url}/login")
        session.submit(page.form(), {"user": "u", "password": "right"})

    def parse(self, response: Any) -> Any:
        yield {"path": response.url, "me": bool(response.css("b.account"))}
        yield from response.follow_all("a")


def silent_club(pages: int, expire_every: int, most: int) -> ExpiringClub:
    """Strangers get a page like any other; only /canary tells."""
    club = ExpiringClub(pages, "form", expire_every=expire_every, most=most)
    told = club.stranger
    links = "".join(f"<a href={path}>x</a>" for path in club.paths)
    club.stranger = lambda late: Reply(f"<h1>teaser</h1>{links}")  # type: ignore[method-assign]

    def canary(asked: Asked) -> Any:
        answer = club.member(asked)
        return answer if isinstance(answer, str) else told(False)

    club.pages["/canary"] = canary
    return club


def test_pages_in_doubt_are_fetched_again(bench: Bench) -> None:  # noqa: F811
    """Strangers' pages that no sign gives away are replaced once the canary has told."""
    club = silent_club(60, expire_every=37, most=1)
    with serving(club.pages) as site:
        spider = Reader(site)
        result = bench.run(spider, login__canary=f"{site.url}/canary", login__canary_every=10, crawl__workers=4)
    rows = bench.rows(spider, "SELECT path, me FROM items")
    strangers = [path for path, me in rows if not me]
    assert ("finished", 61, 61) == (result.outcome, result.pages, len(rows))
    assert (1, 2) == (club.expiries, club.logins)
    assert len(strangers) < 10  # those after the last look: nobody has looked since
    assert club.refused > len(strangers)


def test_without_a_canary_they_stay(bench: Bench) -> None:  # noqa: F811
    """The same site: what the canary is for."""
    club = silent_club(60, expire_every=37, most=1)
    with serving(club.pages) as site:
        spider = Reader(site)
        bench.run(spider, crawl__workers=4)
    assert 20 <= len([1 for (me,) in bench.rows(spider, "SELECT me FROM items") if not me])


class Nested(Reader):
    """Fetches a second page for each, in its callback."""

    name = "nested"

    def parse(self, response: Any) -> Any:
        detail = self.session.get(f"{self.site.url}/home")
        yield {"path": response.url, "me": bool(response.css("b.account")), "too": bool(detail.css("b.account"))}
        yield from response.follow_all("a")


def test_what_a_callback_asks_for_itself_heals_too(bench: Bench) -> None:  # noqa: F811
    """`self.session.get()` in a callback comes back logged out: it logs in, or waits for who does."""
    club = ExpiringClub(60, "redirect", expire_every=7, most=8)
    with serving(club.pages) as site:
        spider = Nested(site)
        result = bench.run(spider, crawl__workers=12)
    assert ("finished", 0, 61) == (result.outcome, result.failed, result.pages)
    assert {(1, 1)} == set(bench.rows(spider, "SELECT me, too FROM items"))
    assert club.expiries + 1 == club.logins


def test_a_login_that_fails_in_a_callback_ends_the_run(bench: Bench) -> None:  # noqa: F811
    """The page is not at fault: it goes back to the queue, the run ends with exit 3 and can go on."""
    club = ExpiringClub(10, "redirect", expire_every=3, most=1)
    with serving(club.pages) as site:
        spider = Nested(site)
        good = club.login

        def once(asked: Asked) -> Reply:
            return Reply("<p>no more") if asked.method == "POST" and club.logins else good(asked)

        club.pages["/login"] = once
        result = bench.run(spider, crawl__workers=2)
        assert ("login_failed", 3, 0) == (result.outcome, result.exit_code, result.failed)
        club.pages["/login"] = good
        again = bench.run(Nested(site), crawl__workers=2)
    assert ("finished", 11) == (again.outcome, len(bench.rows(spider, "SELECT * FROM items")))


class Clicker(Reader):
    """Follows a link to the login page as well, with a login whose page is known."""

    name = "clicker"

    def __init__(self, site: Any) -> None:
        super().__init__(site)
        self.login = FormLogin(f"{site.url}/login", "u", "right")  # type: ignore[method-assign,assignment]

    def parse(self, response: Any) -> Any:
        yield from super().parse(response)
        yield from response.follow_all(["/login"])


def test_the_login_page_may_be_a_page_of_the_crawl(bench: Bench) -> None:  # noqa: F811
    """A member who asks for it is shown the form: it is a page like any other, and no end of the session."""
    club = ExpiringClub(10, "redirect", expire_every=10**9, most=0)
    with serving(club.pages) as site:
        spider = Clicker(site)
        result = bench.run(spider, crawl__workers=2)
    assert ("finished", 0, 12, 1) == (result.outcome, result.failed, result.pages, club.logins)

"""Logins of a crawl: an end of a session that only a redirect tells of, other hosts that log in, statuses that the author
handles, cookie jars that share a password, a mistyped profile.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from crawlkit import Request
from crawlkit.crawl.spider import Spider
from tests.crawl.loopback import Asked, Reply, Site, serving
from tests.crawl.test_engine import Bench, bench  # noqa: F401 - a fixture
from tests.faults.expiring_club import ExpiringClub


class Reader(Spider):
    """Follows every link and keeps what it was shown."""

    name = "reader"
    key = "path"
    password = "right"

    def __init__(self, site: Any) -> None:
        super().__init__()
        self.site = site
        self.start_urls = [f"{site.url}/"]

    def login(self, session: Any) -> None:
        page = session.get(f"{self.site.url}/login")
        session.submit(page.form(), {"user": "u", "password": self.password})

    def parse(self, response: Any) -> Any:
        yield {"path": response.url, "me": bool(response.css("b.account")), "status": response.status_code}
        yield from response.follow_all("a")


def club(*, style: str = "redirect", pages: int = 30) -> ExpiringClub:
    return ExpiringClub(pages, style, expire_every=13, most=2)


# --- redirects ----------------------------------------


def test_an_expired_page_that_is_sent_to_the_logout_page_is_not_lost(bench: Bench) -> None:  # noqa: F811
    """The guard does not follow such a redirect; it may be how the site says that the session has ended."""
    site = club()
    site.stranger = lambda late: Reply("", 302, {"Location": "/logout?expired=1"})  # type: ignore[method-assign]
    with serving({**site.pages, "/logout": Reply("", 302, {"Location": "/login"})}) as server:
        spider = Reader(server)
        result = bench.run(spider, crawl__workers=4)
    assert ("finished", 31, 0, 0) == (result.outcome, result.pages, result.failed, result.skipped)
    assert (2, 3) == (site.expiries, site.logins)
    assert [(1,)] == bench.rows(spider, "SELECT DISTINCT me FROM items")


def test_a_member_who_is_sent_off_the_site_costs_no_login(bench: Bench) -> None:  # noqa: F811
    site = club()
    for path in site.paths[:5]:
        site.pages[path] = Reply("", 302, {"Location": "http://elsewhere.example/"})
    with serving(site.pages) as server:
        result = bench.run(Reader(server), crawl__workers=4)
    assert (26, 5) == (result.pages, result.skipped)
    assert site.logins <= site.expiries + 1


def test_where_no_page_tells_a_redirect_off_the_site_costs_no_login(bench: Bench) -> None:  # noqa: F811
    """Strangers see what members see: nobody could say that a session has ended."""
    site = club()
    away = Reply("", 302, {"Location": "http://elsewhere.example/"})
    links = "".join(f"<a href={path}>x</a>" for path in site.paths)
    public = {path: away if number >= 25 else "<h1>for all</h1>" for number, path in enumerate(site.paths)}
    with serving({**site.pages, **public, "/": links, "/home": "<h1>home</h1>"}) as server:
        result = bench.run(Reader(server), crawl__workers=4)
    assert ("finished", 26, 5) == (result.outcome, result.pages, result.skipped)
    assert 1 == site.logins


class Sso:
    """Logs in for a club, on a host of its own: /authorize → /signin → the club's /back."""

    def __init__(self, site: ExpiringClub) -> None:
        self.club = site
        self.pages: dict[str, Any] = {"/authorize": Reply("", 302, {"Location": "/signin"}), "/signin": self.sign_in}
        self.pages["/help"] = "<h1>help</h1>"

    def sign_in(self, asked: Asked) -> Reply:
        answer = self.club.login(asked)
        if answer.status == 302:
            answer.headers = {"Location": f"{self.back}/back?{answer.headers['Set-Cookie']}"}
        else:
            assert isinstance(answer.body, str)
            answer.body = answer.body.replace("/login", "/signin")
        return answer

    back = ""


@pytest.fixture
def sso_club() -> Iterator[tuple[ExpiringClub, Site]]:
    """A club whose strangers are sent to another host, through a hop that shows no form."""
    site = club()
    sso = Sso(site)
    with serving(sso.pages) as there, serving(site.pages) as server:
        sso.back = server.url
        host = there.url.replace("127.0.0.1", "localhost")
        away = Reply("", 302, {"Location": f"{host}/authorize"})
        site.stranger = lambda late: away  # type: ignore[method-assign]
        site.pages["/login"] = away
        site.pages["/back"] = lambda asked: Reply(
            "", 302, {"Location": "/home", "Set-Cookie": asked.path.partition("?")[2]}
        )
        site.pages["/p0"] = Reply("", 302, {"Location": f"{host}/help"})
        yield site, server


def test_sessions_that_end_at_another_host_heal(sso_club: tuple[ExpiringClub, Site], bench: Bench) -> None:  # noqa: F811
    """Also in the next run, which has not logged in yet. A page of that host is none of the crawl's."""
    site, server = sso_club
    result = bench.run(Reader(server), crawl__workers=4)
    assert ("finished", 30, 1) == (result.outcome, result.pages, result.skipped)
    assert (2, 3) == (site.expiries, site.logins)
    site.alive.clear()
    result = bench.run(Reader(server), fresh=True, crawl__workers=4)
    assert ("finished", 30, 1) == (result.outcome, result.pages, result.skipped)
    assert 4 == site.logins


# --- statuses that the author handles ----------------------------------------


def test_a_status_that_the_author_handles_may_be_the_end_of_a_session(bench: Bench) -> None:  # noqa: F811
    """The strangers' pages are fetched again; one that members get with that status goes to the callback."""
    site = club(style="json")
    site.pages["/p3"] = Reply("not yours", 401)

    class Handler(Reader):
        handle_status = (401,)

    with serving(site.pages) as server:
        spider = Handler(server)
        result = bench.run(spider, crawl__workers=4)
    assert ("finished", 31, 0) == (result.outcome, result.pages, result.failed)
    assert site.expiries + 1 == site.logins
    assert [(f"{server.url}/p3",)] == bench.rows(spider, "SELECT path FROM items WHERE status = 401")


# --- one password, several cookie jars ----------------------------------------


def test_cookie_jars_count_their_failed_logins_together(bench: Bench) -> None:  # noqa: F811
    """Across runs, as the profile's own do."""
    site = club()

    class Jars(Reader):
        password = "wrong"

        def start_requests(self) -> Any:
            for jar in range(6):
                yield Request(f"{self.site.url}/p{jar}", meta={"cookiejar": jar})

    with serving(site.pages) as server:
        results = [bench.run(Jars(server), crawl__workers=6) for _ in range(4)]
        posts = [asked for asked in server.asked if asked.method == "POST"]
    assert ["login_failed"] * 4 == [result.outcome for result in results]
    assert 3 == len(posts)
    assert "3 logins as profile 'reader' failed" in (results[-1].reason or "")


# --- profiles ----------------------------------------


def test_a_mistyped_profile_fails_its_page_alone(bench: Bench) -> None:  # noqa: F811
    site = club()

    class Typo(Reader):
        def start_requests(self) -> Any:
            yield Request(f"{self.site.url}/home")
            yield Request(f"{self.site.url}/p1", profile="bbo")

    with serving(site.pages) as server:
        spider = Typo(server)
        result = bench.run(spider, profiles__bob__username="NOBODY")
    assert (1, 1) == (result.pages, result.failed)
    state, error = bench.states(spider)["/p1"]
    assert ("failed", "profile") == (state, (error or "").partition(":")[0])
    assert "did you mean 'bob'?" in (error or "")
    assert 1 == site.logins


# --- canaries ----------------------------------------


def test_a_canary_that_fails_right_after_a_login_is_at_fault(bench: Bench) -> None:  # noqa: F811
    """A mistyped address: one login for it, and a word on it."""
    site = ExpiringClub(30, "redirect", expire_every=1000, most=0)
    with serving(site.pages) as server:
        result = bench.run(
            Reader(server), login__canary=f"{server.url}/acount", login__canary_every=5, crawl__workers=2
        )
    assert ("login_failed", 3) == (result.outcome, result.exit_code)
    assert f"the canary {server.url}/acount answered 404" in (result.reason or "")
    assert 2 == site.logins

"""What the spider of an archive fetches, as whom, and what it leaves alone: by the log of a server."""

from __future__ import annotations

import http.client
import itertools
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from crawlkit import FormLogin, Response
from crawlkit.archive.reach import Reach
from crawlkit.archive.site import _TOO_DEEP, Site
from crawlkit.archive.twins import RULE
from crawlkit.crawl.engine import Engine
from crawlkit.crawl.result import Result
from crawlkit.crawl.settings import parse_override, resolve_settings
from crawlkit.crawl.settings_file import ConfigFile
from crawlkit.crawl.spider import Spider
from crawlkit.store.database import Store
from tests.archive.protected_site import LOGIN_PAGE, PASSWORD, USER, ProtectedSite
from tests.crawl.loopback import Asked, Reply, serving


class Member(Spider):
    """A spider that knows its way in."""

    name = "club"
    root = ""

    def login(self, session: Any) -> None:
        page = session.get(f"{self.root}/login")
        session.submit(page.form("#login"), {"user": USER, "password": PASSWORD})

    def logged_in(self, response: Response) -> bool:
        return bool(response.css("a.account"))


class Visited(Member):
    """Its profile has a cookie of the other host, as an imported one has."""

    def login(self, session: Any) -> None:
        super().login(session)
        session.cookies.set("stray", "of-another-day", domain="localhost")


def member_of(site: ProtectedSite) -> Spider:
    return Member(root=site.root)


def archive(folder: Path, start: str, member: Spider | None, scope: str = "prefix", **options: Any) -> Result:
    depth = options.pop("depth", None)
    overrides = [parse_override(text) for text in ("crawl.workers=4", *options.pop("settings", ()))]
    settings = resolve_settings(ConfigFile(folder=folder), spider="archived", custom={}, overrides=overrides)
    spider = Site(start, Reach(start, scope, **options), name="archived", depth=depth, member=member)
    return Engine(spider, settings, db=folder / "archived.db", source="site", profile="me").run()


def rows(folder: Path, table: str) -> list[tuple[Any, ...]]:
    with Store.open_readonly(folder / "archived.db") as reports:
        columns = {"excluded": "url, rule", "browser_only": "how, url"}[table]
        return list(reports._connection.execute(f"SELECT {columns} FROM {table}"))


@pytest.mark.parametrize("shown", ["redirect", "form"])
@pytest.mark.parametrize("certain", [True, False], ids=["logged_in", "signs"])
def test_every_page_and_requisite_of_a_site_whose_session_dies(tmp_path: Path, shown: str, certain: bool) -> None:
    """40 of 40 pages, all requisites, nobody logged out, nothing changed, however the site shows that a session ended."""
    with ProtectedSite(shown_to_strangers=shown) as site:
        member = member_of(site)
        if not certain:
            member = Spider("club")
            member.login = FormLogin(f"{site.root}/login", USER, PASSWORD)  # type: ignore[assignment, method-assign]
        result = archive(tmp_path, site.url, member, exclude=["/club/print/*"])
        given = site.given()
        assert [] == site.damage
        assert site.pages <= given
        assert site.requisites <= given
        assert {"/club/paper.pdf", "/club/feed.xml", "/sitemap.xml"} <= given
        assert not {"/elsewhere", "/files/paper.pdf", "/club/hidden/1"} & given
        assert ("finished", 0) == (result.outcome, result.failed)
        assert {"HEAD", "GET", "POST"} >= {asked.method for asked in site.log}
        assert {"/login"} == {asked.path for asked in site.log if asked.method == "POST"}
        assert result.logins >= 3


def test_another_host_gets_no_cookie_of_the_session_and_its_robots_txt_holds(tmp_path: Path) -> None:
    """Requisites come from there all the same, style sheets as deep as they import one another."""
    with ProtectedSite(dies_after=None) as site:
        archive(tmp_path, site.url, member_of(site), settings=["fetch.headers={X-Api-Key='k'}", "crawl.max_depth=0"])
        paths = {asked.path for asked in site.beside}
        assert {"/robots.txt", "/fonts.css", "/font.woff2", "/dot.gif", "/wide-0.gif", "/moved.gif"} == paths
        assert {""} == {asked.cookies for asked in site.beside}
        assert not [asked for asked in site.beside if "Authorization" in asked.headers or "X-Api-Key" in asked.headers]
        assert [] == [asked for asked in site.beside if "private" in asked.path]


def test_a_requisite_that_moved_to_another_host_takes_nothing_along(tmp_path: Path) -> None:
    """Neither what the profile has for that host, nor what it has for ours."""
    with ProtectedSite(dies_after=None) as site:
        archive(tmp_path, site.url, Visited(root=site.root), scope="page")
        [moved] = [asked for asked in site.beside if asked.path == "/moved.gif"]
        assert "" == moved.cookies
        assert "/media/moved.gif" in {asked.path for asked in site.log if asked.member and asked.status == 302}


def test_what_is_left_out_is_in_the_ledger(tmp_path: Path) -> None:
    with ProtectedSite(dies_after=None) as site:
        archive(tmp_path, site.url, member_of(site), exclude=["/club/print/*"], depth=1)
        excluded = {urlsplit(url).path: rule for url, rule in rows(tmp_path, "excluded")}
        scripts = {(how, urlsplit(url).path) for how, url in rows(tmp_path, "browser_only")}
    assert "--exclude /club/print/*" == excluded["/club/print/0"]
    assert "--depth 1" in excluded.values()
    assert {("fetch()", "/api/latest"), ("fetch()", "")} == scripts


def test_the_guard_judges_requisites_too(tmp_path: Path) -> None:
    """A picture whose address logs out is listed and not fetched."""
    with ProtectedSite(dies_after=None) as site:
        result = archive(tmp_path, site.url, member_of(site), scope="page")
        assert [] == site.damage
        refused = {urlsplit(refusal.url).path for refusal in result.refused}
        assert {"/logout", "/session/destroy"} <= refused
        assert {"/club/"} == site.pages & site.given()


def test_a_scope_of_one_page_has_its_requisites_and_nothing_else(tmp_path: Path) -> None:
    with ProtectedSite(dies_after=None) as site:
        archive(tmp_path, site.url, member_of(site), scope="page")
        assert {"/media/picture-0.gif", "/style/deeper.css", "/frame/menu"} <= site.given()
        assert not {"/sitemap.xml", "/club/page-1", "/club/feed.xml"} & site.given()


def test_a_scope_of_several_hosts_is_followed_to_all_of_them(tmp_path: Path) -> None:
    """By a link, and by a redirect of a page in it; not to what no pattern holds, and not to what is excluded."""
    with serving({"/deep/2": "the end", "/moved": "here now"}) as beside, serving({}) as site:
        other = beside.url.replace("127.0.0.1", "localhost")
        links = [f"{other}/deep/2", f"{other}/no/3", "/gone-there", "/gone-nowhere", "/gone-excluded"]
        site.pages |= {"/": "".join(f'<a href="{link}">a link</a>' for link in links)}
        for name, path in {"/gone-there": "moved", "/gone-nowhere": "no/4", "/gone-excluded": "deep/5"}.items():
            site.pages[name] = Reply(status=302, headers={"Location": f"{other}/{path}"})
        include = ["^" + site.url, f"{other}/(deep|moved)"]
        archive(tmp_path, f"{site.url}/", None, scope="regex", include=include, exclude=["/deep/5"])
        assert {"/deep/2", "/moved"} == set(beside.log())
    with Store.open_readonly(tmp_path / "archived.db") as reports:
        [last] = reports.runs(1)
        ends = {urlsplit(page.url).path: (page.state, page.reason) for page in reports.census(last.crawl)}
    assert ("done", None) == ends["/deep/2"] == ends["/gone-there"]
    assert ("skipped", "offsite") == ends["/gone-nowhere"] == ends["/gone-excluded"]


def test_a_scope_of_a_domain_is_of_all_of_its_hosts() -> None:
    """What pages need of them is the members' own, too."""
    start = "https://club.example.co.uk/members/"
    site = Site(start, Reach(start, "domain"), name="archived")
    assert ["example.co.uk"] == site.allowed_domains
    assert site.in_scope("https://media.example.co.uk/film")
    assert not site.in_scope("https://example.com/film")


@pytest.mark.parametrize("certain", [True, False], ids=["logged_in", "signs"])
@pytest.mark.parametrize(
    "answer",
    [
        Reply(status=302, headers={"Location": "/login"}),
        Reply(LOGIN_PAGE),
        *(Reply("No.", status) for status in (401, 403, 404, 410)),
    ],
    ids=["redirect", "form", "401", "403", "404", "410"],
)
def test_what_was_only_guessed_does_not_fail(tmp_path: Path, answer: Reply, certain: bool) -> None:
    """robots.txt and the sitemap that nobody named: a site may have anything there, its login as well."""

    def member(asked: Asked) -> Reply:
        if "session=" not in asked.headers.get("Cookie", ""):
            return Reply(status=302, headers={"Location": "/login"})
        return Reply('<a class="account" href="/account">Your account</a><a href="/logout">Sign out</a>')

    def login(asked: Asked) -> Reply:
        cookie = {"Set-Cookie": f"session={'s' * 20}; Path=/", "Location": "/"}
        return Reply(status=303, headers=cookie) if asked.method == "POST" else Reply(LOGIN_PAGE)

    with serving({"/": member, "/login": login, "/sitemap.xml": answer, "/robots.txt": answer}) as site:
        spider = Member(root=site.url)
        if not certain:
            spider = Spider("club")  # type: ignore[assignment]
            spider.login = FormLogin(f"{site.url}/login", USER, PASSWORD)  # type: ignore[method-assign, assignment]
        result = archive(tmp_path, f"{site.url}/", spider)
        site.pages["/robots.txt"] = Reply(status=404)
        again = archive(tmp_path, f"{site.url}/", spider)
    assert "/sitemap.xml" in site.log()
    assert ("finished", 0) == (result.outcome, result.failed)
    assert ("finished", 0) == (again.outcome, again.failed)


def test_requisites_that_never_end_do(tmp_path: Path) -> None:
    """Style sheets that import one another by way of a redirect, sitemaps that name one another; it is said where."""
    link = itertools.count()
    css = {"Content-Type": "text/css"}
    index = '<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><sitemap><loc>{}</loc></sitemap></sitemapindex>'
    with serving({"/": '<link rel="stylesheet" href="/style.css">'}) as site:
        site.pages |= {
            "/style.css": lambda _: Reply(f'@import "/moved.css?{next(link)}";', headers=css),
            "/moved.css": lambda _: Reply(status=302, headers={"Location": f"/style.css?{next(link)}"}),
            "/robots.txt": Reply(f"Sitemap: {site.url}/map.xml", headers={"Content-Type": "text/plain"}),
            "/map.xml": lambda _: Reply(
                index.format(f"{site.url}/map.xml?{next(link)}"), headers={"Content-Type": "application/xml"}
            ),
        }
        archive(tmp_path, f"{site.url}/", None, settings=["crawl.max_pages=1000"])
        asked = [urlsplit(path).path for path in site.log()]
    counts = [asked.count(path) for path in ("/moved.css", "/map.xml")]
    assert all(20 < count <= 60 for count in counts), counts
    left_out = [(urlsplit(url).path, rule) for url, rule in rows(tmp_path, "excluded")]
    assert {("/moved.css", _TOO_DEEP), ("/map.xml", _TOO_DEEP)} == set(left_out)


@pytest.mark.parametrize("written", ["?PHPSESSID={}", ";jsessionid={}", "?osCsid={}&look=1"])
def test_links_that_carry_a_session_that_dies_lead_to_each_page_once(tmp_path: Path, written: str) -> None:
    """Every page of five, and its picture; the session lives for four answers."""
    lives: dict[str, int] = {}

    def page(asked: Asked) -> Reply:
        session = asked.headers.get("Cookie", "").partition("osCsid=")[2]
        lives[session] = lives.get(session, 0) - 1
        if lives[session] < 0:
            return Reply(status=302, headers={"Location": "/login"})
        number, mark = int(asked.path[3]), written.format(session)
        links = "".join(f'<a href="/p/{(number + n) % 5}{mark}">on</a>' for n in (1, 2))
        return Reply(f"<title>{number}</title>{links}<img src='/i/{number}{mark}'>")

    def log_in(asked: Asked) -> Reply:
        if asked.method == "GET":
            return Reply("<form method=post><input name=user><input type=password name=password></form>")
        session = secrets.token_hex(16)
        lives[session] = 4
        return Reply(status=302, headers={"Location": "/p/0", "Set-Cookie": f"osCsid={session}; Path=/"})

    class Pages(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            kinds = {"/p/": page, "/i/": Reply(), "/lo": log_in}
            return kinds.get(key[:3], default)

    member = Spider("club")
    with serving(Pages()) as site:
        member.login = FormLogin(f"{site.url}/login", USER, PASSWORD)  # type: ignore[assignment, method-assign]
        result = archive(
            tmp_path, f"{site.url}/p/0", member, scope="host", settings=["crawl.max_pages=60", "crawl.workers=1"]
        )
        pictures = [path[3] for path in site.log() if path.startswith("/i/")]
    assert ("finished", 0) == (result.outcome, result.failed)
    assert list("01234") == sorted(pictures)


def test_a_twin_that_may_be_another_thing_is_among_what_was_left_out(tmp_path: Path) -> None:
    def page(asked: Asked) -> Reply:
        return Reply(f'<a href="/b">b</a><a href="/share?token={secrets.token_hex(12)}">share</a>')

    with serving({"/": page, "/b": page, "/share": Reply("<p>shared")}) as site:
        archive(tmp_path, f"{site.url}/", None)
        assert 1 == sum(path.startswith("/share") for path in site.log())
    assert [(f"{site.url}/share?token=", RULE)] == rows(tmp_path, "excluded")


def test_who_asked_is_known_by_the_request_and_not_by_its_connection() -> None:
    """The judge of the others: a stranger's robots.txt after a member's page is a stranger's."""
    with ProtectedSite(dies_after=None) as site:
        cookie = {"Cookie": f"session={site.log_in(USER, PASSWORD)}"}
        connection = http.client.HTTPConnection("127.0.0.1", site.port)
        for path, headers in (("/robots.txt", cookie), ("/club/", cookie), ("/robots.txt", {}), ("/login", {})):
            connection.request("GET", path, headers=headers)
            connection.getresponse().read()
        connection.close()
        assert [True, True, False, False] == [asked.member for asked in site.log]


def test_a_second_month_asks_for_all_of_it_again(tmp_path: Path) -> None:
    """Pages that did not change are not parsed, and what they need and link to is asked for all the same."""
    with ProtectedSite(dies_after=None) as site:
        archive(tmp_path, site.url, member_of(site))
        first = {urlsplit(asked.path).path for asked in site.log if asked.status == 200 and asked.member}
        site.log.clear()
        archive(tmp_path, site.url, member_of(site))
        assert first == {urlsplit(asked.path).path for asked in site.log if asked.status == 200 and asked.member}

"""Engine: whole runs against a site on loopback. The judges are the server's log and the database."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from crawlkit import CloseSpider, DropItem, IgnoreRequest, Item, Request, Spider, StopCrawl
from crawlkit.crawl.engine import Engine
from crawlkit.crawl.result import Result
from crawlkit.crawl.settings import ConfigFile, Override, resolve_settings
from crawlkit.exceptions import LockHeld, SpiderError, StoreMismatch
from tests.crawl.loopback import Asked, Reply, Site, serving


class Bench:
    """Runs spiders in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engine: Engine | None = None

    def run(self, spider: Spider, *, fresh: bool = False, **settings: Any) -> Result:
        overrides = [Override(key.replace("__", "."), value, key) for key, value in settings.items()]
        self.engine = Engine(
            spider,
            resolve_settings(ConfigFile(folder=self.folder), custom=spider.custom_settings, overrides=overrides),
            db=self.db(spider),
            source=f"{self.folder}/spider.py::{type(spider).__name__}",
            vault=self.folder / "sessions.db",
            fresh=fresh,
        )
        return self.engine.run()

    def db(self, spider: Spider) -> Path:
        return self.folder / f"{spider.name}.db"

    def rows(self, spider: Spider, query: str) -> list[Any]:
        connection = sqlite3.connect(self.db(spider))
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def states(self, spider: Spider) -> dict[str, tuple[str, str | None]]:
        """Path → state and the first line of the reason."""
        found = self.rows(spider, "SELECT url, state, error FROM _pages")
        return {
            "/" + url.split("/", 3)[3]: (state, error.splitlines()[0] if error else error)
            for url, state, error in found
        }


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def page(*links: str, title: str = "t") -> str:
    return f"<title>{title}</title>" + "".join(f'<a href="{link}">x</a>' for link in links)


class Walker(Spider):
    """Follows every link and yields each page's path."""

    name = "walker"

    def __init__(self, site: Site, start: str = "/", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.start_urls = [site.url + start]
        self.reasons: list[str] = []

    def parse(self, response: Any) -> Any:
        yield {"path": "/" + response.url.split("/", 3)[3]}
        yield from response.follow_all("a", self.parse)

    def closed(self, reason: str) -> None:
        self.reasons.append(reason)


def test_a_crawl_takes_every_page_once(bench: Bench) -> None:
    """All pages, links between them in circles: each asked for once, each stored once."""
    with serving(
        {"/": page("/a", "/b"), "/a": page("/b", "/"), "/b": page("/a", "#x", "/c?x=1"), "/c": page()}
    ) as site:
        spider = Walker(site)
        result = bench.run(spider)
    assert ["/", "/a", "/b", "/c?x=1"] == sorted(site.log())
    assert [("/",), ("/a",), ("/b",), ("/c?x=1",)] == sorted(bench.rows(spider, "SELECT path FROM items"))
    assert ("finished", 0, 4, 4, 0) == (result.outcome, result.exit_code, result.pages, result.items, result.failed)
    assert ["finished"] == spider.reasons


def test_a_second_run_replaces_and_does_not_double(bench: Bench) -> None:
    """A finished crawl is crawled again: same rows, today's values."""
    pages: dict[str, Any] = {"/": page("/a"), "/a": page()}
    with serving(pages) as site:
        bench.run(Walker(site))
        pages["/"] = page("/a", "/new")
        pages["/new"] = page()
        spider = Walker(site)
        assert 0 == bench.run(spider).exit_code
    assert [("/",), ("/a",), ("/new",)] == sorted(bench.rows(spider, "SELECT path FROM items"))
    assert 2 == len(bench.rows(spider, "SELECT id FROM _runs"))


def test_errors_end_as_the_table_says(bench: Bench) -> None:
    """404 of a link is skipped, 500 after its retries and 403 are failed, the crawl goes on, exit 1."""
    with serving(
        {
            "/": page("/gone", "/broken", "/forbidden", "/ok", "/boom"),
            "/broken": Reply("x", 500),
            "/forbidden": Reply("x", 403),
            "/ok": page(),
            "/boom": page(title="boom"),
        }
    ) as site:

        class Boom(Walker):
            def parse(self, response: Any) -> Any:
                yield from super().parse(response)
                if response.css("title::text").get() == "boom":
                    yield Request(response.urljoin("/never"))
                    raise ValueError("the author's fault")

        spider = Boom(site)
        result = bench.run(spider, fetch__retries=1)
    states = bench.states(spider)
    assert ("skipped", "gone") == states["/gone"]
    assert "failed" == states["/broken"][0]
    assert str(states["/broken"][1]).startswith("http 500")
    assert 2 == site.log().count("/broken")
    assert str(states["/forbidden"][1]).startswith("http 403")
    assert ("failed", "callback: ValueError: the author's fault") == states["/boom"]
    assert ("done", None) == states["/ok"]
    assert "/never" not in states
    assert "/never" not in site.log()
    assert [("/",), ("/ok",)] == sorted(bench.rows(spider, "SELECT path FROM items"))
    assert ("pages_failed", 1, 3, 1) == (result.outcome, result.exit_code, result.failed, result.skipped)
    assert {"http 500": 1, "http 403": 1, "callback: ValueError": 1} == result.failures


def test_a_start_url_that_is_gone_is_failed(bench: Bench) -> None:
    with serving({}) as site:
        spider = Walker(site)
        result = bench.run(spider)
    assert 1 == result.exit_code
    assert "failed" == bench.states(spider)["/"][0]


def test_a_host_that_refuses_fails_the_page(bench: Bench) -> None:
    with serving({}) as site:
        spider = Walker(site)
    result = bench.run(spider, fetch__retries=1, crawl__robots=False)
    assert (1, {"connection": 1}) == (result.exit_code, result.failures)


def test_two_requests_that_end_on_one_page_are_one_page(bench: Bench) -> None:
    """The second ends `same page` and its output is dropped."""
    with serving(
        {
            "/": page("/old", "/new"),
            "/old": Reply(status=302, headers={"Location": "/new"}),
            "/new": page(),
        }
    ) as site:
        spider = Walker(site)
        result = bench.run(spider, crawl__workers=1)
    assert [("/",), ("/new",)] == sorted(bench.rows(spider, "SELECT path FROM items"))
    assert ("skipped", "same page") in bench.states(spider).values()
    assert 0 == result.exit_code


def test_redirects_leave_the_scope_nowhere_but_from_a_start(bench: Bench) -> None:
    """A link's redirect to another host is not followed; the host that a start URL redirects to joins."""
    with serving({"/there": page("/more"), "/more": page(), "/secret": page()}) as other:
        elsewhere = other.url.replace("127.0.0.1", "localhost")
        with serving(
            {
                "/": Reply(status=302, headers={"Location": f"{elsewhere}/there"}),
                "/out": Reply(status=302, headers={"Location": "http://127.0.0.2:1/x"}),
            }
        ) as site:
            other.pages["/there"] = page("/more", f"{site.url}/out")
            spider = Walker(site)
            result = bench.run(spider)
    assert ["/more", "/there"] == sorted(other.log())
    assert ("skipped", "offsite") == bench.states(spider)["/out"]
    assert 0 == result.exit_code


def test_robots_is_obeyed_and_can_be_switched_off(bench: Bench) -> None:
    robots = Reply("User-agent: *\nDisallow: /private\n", headers={"Content-Type": "text/plain"})
    with serving({"/robots.txt": robots, "/": page("/private/a", "/b"), "/b": page(), "/private/a": page()}) as site:
        spider = Walker(site)
        bench.run(spider)
        assert ["/", "/b"] == sorted(site.log())
        assert ("skipped", "robots") == bench.states(spider)["/private/a"]
        bench.run(spider, crawl__robots=False)
    assert "/private/a" in site.log()
    assert 1 == site.log(robots=True).count("/robots.txt")


def test_a_start_url_that_robots_forbids_names_the_key(bench: Bench) -> None:
    robots = Reply("User-agent: *\nDisallow: /\n", headers={"Content-Type": "text/plain"})
    with serving({"/robots.txt": robots, "/": page()}) as site:
        spider = Walker(site)
        result = bench.run(spider)
    assert 1 == result.exit_code
    assert "robots = false" in str(bench.states(spider)["/"][1])
    assert [] == site.log()


def test_retry_after_is_waited_for_and_costs_nothing_else(bench: Bench) -> None:
    """429 with Retry-After: 1, then 200: the page is done."""
    answers = [Reply("slow down", 429, {"Retry-After": "1"})]

    def limited(asked: Asked) -> Any:
        return answers.pop() if answers else page()

    with serving({"/": limited}) as site:
        result = bench.run(Walker(site))
    assert (0, 1, 1) == (result.exit_code, result.pages, result.retries)
    assert ["/", "/"] == site.log()


def test_a_wait_of_hours_parks_the_host_and_the_run_resumes(bench: Bench) -> None:
    """Retry-After of two hours: exit 5; the same command goes on."""
    pages: dict[str, Any] = {"/": page("/a"), "/a": Reply("later", 503, {"Retry-After": "7200"})}
    with serving(pages) as site:
        spider = Walker(site)
        result = bench.run(spider)
        assert ("parked", 5) == (result.outcome, result.exit_code)
        assert "queued" == bench.states(spider)["/a"][0]


def test_max_pages_stops_resumable(bench: Bench) -> None:
    """Three of ten, then the rest: together each page once."""
    links = [f"/p{n}" for n in range(9)]
    with serving({"/": page(*links), **{link: page() for link in links}}) as site:
        spider = Walker(site)
        first = bench.run(spider, crawl__max_pages=3)
        assert ("limit", 5, 3) == (first.outcome, first.exit_code, first.pages)
        second = bench.run(Walker(site))
    assert (0, 7) == (second.exit_code, second.pages)
    assert sorted(["/", *links]) == sorted(site.log())
    assert [(10,)] == bench.rows(spider, "SELECT count(*) FROM items")


def test_max_pages_that_is_just_enough_is_finished(bench: Bench) -> None:
    with serving({"/": page("/a"), "/a": page()}) as site:
        assert ("finished", 0) == (lambda r: (r.outcome, r.exit_code))(bench.run(Walker(site), crawl__max_pages=2))


def test_max_time_stops_resumable(bench: Bench) -> None:
    """An endless site and a second of time."""

    def endless(asked: Asked) -> str:
        number = int(asked.path.strip("/") or 0)
        return page(f"/{number + 1}", f"/{number + 1000}")

    class Endless(dict[str, Any]):
        def get(self, path: str, default: Any = None) -> Any:
            return default if path == "/robots.txt" else endless

    with serving(Endless()) as site:
        result = bench.run(Walker(site), crawl__max_time="1s")
    assert ("limit", 5) == (result.outcome, result.exit_code)
    assert 1 <= result.elapsed < 8


def test_depth_is_limited(bench: Bench) -> None:
    with serving({"/": page("/1"), "/1": page("/2"), "/2": page("/3"), "/3": page()}) as site:
        bench.run(Walker(site), crawl__max_depth=2)
    assert ["/", "/1", "/2"] == site.log()


def test_stop_crawl_keeps_what_is_done_and_finishes(bench: Bench) -> None:
    """The author calls it a day: exit 0, the reason reaches closed(), the next run starts anew."""
    assert CloseSpider is StopCrawl

    class Enough(Walker):
        def parse(self, response: Any) -> Any:
            yield from super().parse(response)
            raise CloseSpider("seen enough")

    with serving({"/": page("/a"), "/a": page()}) as site:
        spider = Enough(site)
        result = bench.run(spider)
        assert (0, "seen enough", ["seen enough"]) == (result.exit_code, result.reason, spider.reasons)
        assert [("/",)] == bench.rows(spider, "SELECT path FROM items")
        bench.run(Enough(site))
    assert ["/", "/"] == site.log()


def test_ignored_pages_and_dropped_items(bench: Bench) -> None:
    class Picky(Walker):
        def parse(self, response: Any) -> Any:
            if response.url.endswith("/a"):
                raise IgnoreRequest("not this one")
            return super().parse(response)

        def process_item(self, item: Any, response: Any) -> Any:
            if item["path"] == "/b":
                raise DropItem("b")
            return item

    with serving({"/": page("/a", "/b"), "/a": page(), "/b": page()}) as site:
        spider = Picky(site)
        assert 0 == bench.run(spider).exit_code
    assert [("/",)] == bench.rows(spider, "SELECT path FROM items")
    assert ("skipped", "ignored: not this one") == bench.states(spider)["/a"]
    assert ("done", None) == bench.states(spider)["/b"]


def test_errback_hears_of_failures_and_may_yield(bench: Bench) -> None:
    from crawlkit.crawl.failure import HttpError

    class Careful(Walker):
        def parse(self, response: Any) -> Any:
            yield Request(response.urljoin("/broken"), self.parse, errback=self.failed)
            yield Request(response.urljoin("/gone"), self.parse, errback=self.failed)

        def failed(self, failure: Any) -> Any:
            assert failure.check(HttpError) is HttpError
            yield {"path": failure.request.url.rpartition("/")[2], "status": failure.response.status}

    with serving({"/": page(), "/broken": Reply("x", 403)}) as site:
        spider = Careful(site)
        result = bench.run(spider)
    assert [("broken", 403), ("gone", 404)] == sorted(bench.rows(spider, "SELECT path, status FROM items"))
    assert (1, 2, 1, 0) == (result.exit_code, result.pages, result.failed, result.skipped)


def test_handle_status_brings_an_error_to_the_callback(bench: Bench) -> None:
    class Brave(Walker):
        handle_status = [404]

        def parse(self, response: Any) -> Any:
            yield {"path": response.url.rpartition("/")[2], "status": response.status}
            yield from response.follow_all("a")

    with serving({"/": page("/gone")}) as site:
        spider = Brave(site)
        assert 0 == bench.run(spider).exit_code
    assert [("", 200), ("gone", 404)] == sorted(bench.rows(spider, "SELECT path, status FROM items"))


def test_meta_and_kwargs_travel(bench: Bench) -> None:
    class Carrying(Walker):
        def parse(self, response: Any) -> Any:
            yield response.follow("/a", self.parse_a, cb_kwargs={"number": 7}, meta={"word": "x"})

        def parse_a(self, response: Any, number: int) -> Any:
            yield {"number": number, "word": response.meta["word"], "depth": response.meta["depth"]}

    with serving({"/": page(), "/a": page()}) as site:
        spider = Carrying(site)
        bench.run(spider)
    assert [(7, "x", 1)] == bench.rows(spider, "SELECT number, word, depth FROM items")


def test_posts_and_bodies_are_pages_of_their_own(bench: Bench) -> None:
    class Poster(Walker):
        def parse(self, response: Any) -> Any:
            for n in (1, 2, 2):
                yield Request(response.urljoin("/search"), self.found, data={"q": n})

        def found(self, response: Any) -> Any:
            yield {"said": response.text}

    with serving({"/": page(), "/search": lambda asked: asked.body.decode()}) as site:
        spider = Poster(site)
        bench.run(spider)
    assert [("q=1",), ("q=2",)] == sorted(bench.rows(spider, "SELECT said FROM items"))


def test_nested_calls_and_downloads(bench: Bench) -> None:
    """A callback may fetch with self.session and may yield files."""
    from crawlkit import Download

    class Nesting(Walker):
        def parse(self, response: Any) -> Any:
            inner = self.session.get(response.urljoin("/data.json"))
            yield {"value": inner.json()["value"]}
            yield Download("/file.bin", "files/file.bin")

    data = Reply('{"value": 5}', headers={"Content-Type": "application/json"})
    binary = Reply(b"\x00" * 100_000, headers={"Content-Type": "application/octet-stream"})
    with serving({"/": page(), "/data.json": data, "/file.bin": binary}) as site:
        spider = Nesting(site)
        result = bench.run(spider)
    assert 0 == result.exit_code
    assert [(5,)] == bench.rows(spider, "SELECT value FROM items")
    assert b"\x00" * 100_000 == (bench.folder / "files" / "file.bin").read_bytes()


def test_tables_by_item(bench: Bench) -> None:
    class Tables(Walker):
        key = {"books": "isbn"}

        def parse(self, response: Any) -> Any:
            yield {"a": 1}
            yield {"a": 2, "b": "wider"}
            yield Item("books", {"isbn": "x", "title": response.css("title::text").get()})

    with serving({"/": page()}) as site:
        spider = Tables(site)
        result = bench.run(spider)
    assert [(1, None), (2, "wider")] == sorted(bench.rows(spider, "SELECT a, b FROM items"))
    assert [("x", "t")] == bench.rows(spider, "SELECT isbn, title FROM books")
    assert {"items": 2, "books": 1} == result.items_by_table


def test_junk_fails_its_page_only(bench: Bench) -> None:
    class Junk(Walker):
        def parse(self, response: Any) -> Any:
            yield from super().parse(response)
            if response.url.endswith("/a"):
                yield {"n": 2**70}

    with serving({"/": page("/a", "/b"), "/a": page(), "/b": page()}) as site:
        spider = Junk(site)
        assert 1 == bench.run(spider).exit_code
    assert [("/",), ("/b",)] == sorted(bench.rows(spider, "SELECT path FROM items"))
    assert "64 bits" in str(bench.states(spider)["/a"][1])


class Member(Walker):
    """Logs in with a POST; pages show `account` to members."""

    name = "member"

    def login(self, session: Any) -> None:
        session.post(self.start_urls[0].rstrip("/") + "/login", data={"user": "u"})

    def logged_in(self, response: Any) -> bool:
        return bool(response.css("b.account"))


class Club:
    """A site whose members' pages show the login form when the session is not known; sessions can be ended."""

    def __init__(self) -> None:
        self.sessions: set[str] = set()
        self.logins = 0
        self.lock = threading.Lock()
        self.links = [f"/p{n}" for n in range(30)]
        self.served = 0
        self.expire_after: int | None = None
        self.pages: dict[str, Any] = {"/login": self.login, "/": self.members}
        self.pages.update((link, self.members) for link in self.links)

    def login(self, asked: Asked) -> Reply:
        with self.lock:
            self.logins += 1
            token = f"s{self.logins}"
            self.sessions.add(token)
        return Reply("welcome", headers={"Set-Cookie": f"sid={token}; Path=/; HttpOnly"})

    def members(self, asked: Asked) -> str:
        cookies = dict(part.split("=", 1) for part in asked.headers.get("Cookie", "").split("; ") if "=" in part)
        with self.lock:
            self.served += 1
            if self.expire_after is not None and self.served % self.expire_after == 0:
                self.sessions.clear()
            if cookies.get("sid") not in self.sessions:
                return "<form>please sign in</form>"
        return '<b class="account">u</b>' + page(*self.links)


def test_login_first_then_from_the_saved_profile(bench: Bench) -> None:
    """The first run logs in once; the second sends no login request."""
    club = Club()
    with serving(club.pages) as site:
        spider = Member(site)
        assert 0 == bench.run(spider).exit_code
        assert (1, [(31,)]) == (club.logins, bench.rows(spider, "SELECT count(*) FROM items"))
        assert 0 == bench.run(Member(site)).exit_code
    assert 1 == club.logins


def test_an_expired_session_heals_and_stores_no_login_page(bench: Bench) -> None:
    """The server ends the session now and then: every page comes in as a member's page."""
    club = Club()
    club.expire_after = 17
    with serving(club.pages) as site:
        spider = Member(site)
        result = bench.run(spider)
    assert (0, 31, 0) == (result.exit_code, result.pages, result.failed)
    assert [(31,)] == bench.rows(spider, "SELECT count(*) FROM items")
    assert club.logins == result.logins
    assert 2 <= club.logins


def test_a_login_that_leads_nowhere_is_exit_3_after_one_attempt(bench: Bench) -> None:
    """A wrong password is sent once."""
    club = Club()
    with serving(club.pages) as site:
        club.pages["/login"] = lambda asked: Reply("wrong password")
        spider = Member(site)
        result = bench.run(spider)
    assert ("login_failed", 3, 0) == (result.outcome, result.exit_code, result.pages)
    assert 1 == site.log().count("/login")


def test_stop_drains_and_the_same_command_resumes(bench: Bench) -> None:
    """What SIGINT does: nothing new, what is under way is finished and kept, exit 130, then the rest."""
    links = [f"/p{n}" for n in range(40)]
    started = threading.Event()

    def slow(asked: Asked) -> str:
        started.set()
        threading.Event().wait(0.05)
        return page()

    with serving({"/": page(*links), **{link: slow for link in links}}) as site:
        spider = Walker(site)
        stopper = threading.Thread(
            target=lambda: (started.wait(10), bench.engine and bench.engine.stop("interrupted", "SIGINT"))
        )
        stopper.start()
        first = bench.run(spider)
        stopper.join()
        assert ("interrupted", 130) == (first.outcome, first.exit_code)
        assert 41 > first.pages
        second = bench.run(Walker(site))
    assert 0 == second.exit_code
    assert 41 == first.pages + second.pages == len(site.log())
    assert [(41,)] == bench.rows(spider, "SELECT count(*) FROM items")


def test_two_runs_of_one_spider(bench: Bench) -> None:
    """The second is refused at once and names the first's process."""
    import os

    inside, leave = threading.Event(), threading.Event()

    def wait(asked: Asked) -> str:
        inside.set()
        leave.wait(10)
        return page()

    with serving({"/": wait}) as site:
        first = threading.Thread(target=bench.run, args=(Walker(site),))
        first.start()
        assert inside.wait(10)
        with pytest.raises(LockHeld, match=str(os.getpid())):
            Bench(bench.folder).run(Walker(site))
        leave.set()
        first.join(10)


@pytest.mark.parametrize("start", [["example.org/a"], ["/a"], ["mailto:x@example.org"], [""], [None]])
def test_a_start_url_without_scheme_is_refused_before_anything_is_written(bench: Bench, start: Any) -> None:
    class Wrong(Spider):
        name = "wrong"
        start_urls = start

    with pytest.raises(SpiderError, match="start_urls"):
        bench.run(Wrong())
    assert not list(bench.folder.glob("*.db"))


def test_nothing_to_start_from_is_refused(bench: Bench) -> None:
    class Empty(Spider):
        name = "empty"

    with pytest.raises(SpiderError, match="start_urls"):
        bench.run(Empty())


def test_a_foreign_database_is_left_alone(bench: Bench) -> None:
    with serving({"/": page()}) as site:
        spider = Walker(site)
        connection = sqlite3.connect(bench.db(spider))
        connection.execute("CREATE TABLE theirs (a)")
        connection.commit()
        connection.close()
        before = bench.db(spider).read_bytes()
        with pytest.raises(StoreMismatch):
            bench.run(spider)
        assert before == bench.db(spider).read_bytes()
    assert [] == site.log(robots=True)


def test_a_dead_start_of_many_ends_by_itself(bench: Bench) -> None:
    """start_requests that raises half way: what came before is crawled, the run says so."""

    class Half(Walker):
        def start_requests(self) -> Any:
            yield Request(self.start_urls[0])
            raise RuntimeError("half way")

    with serving({"/": page()}) as site:
        result = bench.run(Half(site))
    assert (1, 1, {"start_requests": 1}) == (result.exit_code, result.pages, result.failures)


def test_async_start_and_async_callbacks(bench: Bench) -> None:
    """Scrapy's newer spelling."""

    class Modern(Walker):
        async def start(self) -> Any:
            yield Request(self.start_urls[0])

        async def parse(self, response: Any) -> Any:
            yield {"path": "x"}

    with serving({"/": page()}) as site:
        spider = Modern(site)
        assert 0 == bench.run(spider).exit_code
    assert [("x",)] == bench.rows(spider, "SELECT path FROM items")


def test_the_host_of_a_redirected_start_is_in_scope_after_a_resume(bench: Bench) -> None:
    """The start page is done before the interruption; its host's pages are followed after it all the same."""
    with serving({"/in": page("/a"), "/a": page("/b"), "/b": page()}) as other:
        elsewhere = other.url.replace("127.0.0.1", "localhost")
        with serving({"/": Reply(status=302, headers={"Location": f"{elsewhere}/in"})}) as site:
            assert 5 == bench.run(Walker(site), crawl__max_pages=1).exit_code
            assert 0 == bench.run(Walker(site)).exit_code
    assert ["/in", "/a", "/b"] == other.log()


def test_secret_headers_go_to_start_origins_only(bench: Bench) -> None:
    """An API key of the configuration is for the site that the crawl starts from, not for all that it may visit."""

    class Wide(Walker):
        allowed_domains = ["127.0.0.1", "localhost"]

    with serving({"/x": page(), "/y": page()}) as other:
        elsewhere = other.url.replace("127.0.0.1", "localhost")
        with serving({"/": page("/own", f"{elsewhere}/x"), "/own": page()}) as site:
            bench.run(Wide(site), fetch__headers={"X-API-Key": "canary", "Authorization": "Bearer canary", "X-A": "1"})
    own = [asked.headers for asked in site.asked if asked.path == "/own"]
    assert [("canary", "Bearer canary", "1")] == [(h["X-API-Key"], h["Authorization"], h["X-A"]) for h in own]
    for asked in other.asked:
        assert "canary" not in str(asked.headers)
    assert any(asked.path == "/x" and asked.headers["X-A"] == "1" for asked in other.asked)


def test_a_meta_key_without_effect_warns(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    class Slotted(Walker):
        def parse(self, response: Any) -> Any:
            yield Request(response.urljoin("/a"), self.parse_a, meta={"download_slot": "x", "mine": 1})

        def parse_a(self, response: Any) -> Any:
            yield {"mine": response.meta["mine"]}

    with serving({"/": page(), "/a": page()}) as site:
        assert 0 == bench.run(Slotted(site)).exit_code
    assert ["meta['download_slot'] has no effect in crawlkit; docs/from-scrapy.md says what to use"] == [
        record.getMessage() for record in caplog.records if "meta" in record.getMessage()
    ]


def test_markup_beyond_the_caps_fails_its_page(bench: Bench) -> None:
    """Half a megabyte of `<div>` is refused before it is parsed; the reason says so, the crawl goes on."""
    with serving({"/": page("/deep", "/ok"), "/deep": "<div>" * 100_000, "/ok": page()}) as site:
        spider = Walker(site)
        result = bench.run(spider)
    assert ({"markup": 1}, 2) == (result.failures, result.pages)
    assert result.elapsed < 10

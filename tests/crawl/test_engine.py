"""Engine: whole runs against a site on loopback. The judges are the server's log and the database."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from crawlkit import CloseSpider, DropItem, IgnoreRequest, Item, Request, Spider, StopCrawl
from crawlkit.crawl import engine as module
from crawlkit.crawl.engine import Engine
from crawlkit.crawl.result import Result
from crawlkit.crawl.settings import ConfigFile, Override, resolve_settings
from crawlkit.exceptions import LockHeld, SpiderError, StoreMismatch
from crawlkit.store.lock import Lock
from tests.crawl.loopback import Asked, Reply, Site, serving


class Bench:
    """Runs spiders in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engine: Engine | None = None

    def run(
        self, spider: Spider, *, fresh: bool = False, arguments: dict[str, str] | None = None, **settings: Any
    ) -> Result:
        overrides = [Override(key.replace("__", "."), value, key) for key, value in settings.items()]
        self.engine = Engine(
            spider,
            resolve_settings(ConfigFile(folder=self.folder), custom=spider.custom_settings, overrides=overrides),
            db=self.db(spider),
            source=f"{self.folder}/spider.py::{type(spider).__name__}",
            vault=self.folder / "sessions.db",
            fresh=fresh,
            arguments=arguments,
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


def test_max_time_does_not_count_the_wait_for_another_run(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that waited longer than it may take has all of its time yet, and `elapsed` is the run's."""

    class Waiting(Lock):
        def acquire(self) -> None:
            super().acquire()
            waited.append(1000.0)

    waited: list[float] = []
    now = SimpleNamespace(monotonic=lambda: time.monotonic() + sum(waited), time=time.time)
    monkeypatch.setattr(module, "Lock", Waiting)
    monkeypatch.setattr(module, "time", now)
    with serving({"/": page()}) as site:
        result = bench.run(Walker(site), crawl__max_time="500s")
    assert ("finished", True) == (result.outcome, result.elapsed < 500)


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


def test_errback_may_say_that_a_page_does_not_matter(bench: Bench) -> None:
    """It is skipped then, not failed, whatever its status."""

    class Indifferent(Walker):
        def parse(self, response: Any) -> Any:
            for path in ("/broken", "/gone"):
                yield Request(response.urljoin(path), self.parse, errback=self.failed)

        def failed(self, failure: Any) -> Any:
            raise IgnoreRequest("only a guess")

    with serving({"/": page(), "/broken": Reply("x", 403)}) as site:
        spider = Indifferent(site)
        result = bench.run(spider)
    assert (0, 0, 2) == (result.exit_code, result.failed, result.skipped)
    assert ("skipped", "ignored: only a guess") == bench.states(spider)["/gone"] == bench.states(spider)["/broken"]


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

    with serving({"/": page(*links), **dict.fromkeys(links, slow)}) as site:
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
    assert (1, 1, 0) == (result.exit_code, result.pages, result.failed)
    assert "start_requests failed: RuntimeError: half way" == result.reason


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


def test_other_arguments_are_another_crawl(bench: Bench) -> None:
    """A run with a mistyped -a that did not finish does not haunt the next one; the values are written nowhere."""
    with serving({"/": page("/a"), "/a": page(), "/b": page()}) as site:
        assert 5 == bench.run(Walker(site), arguments={"token": "canary"}, crawl__max_pages=1).exit_code
        spider = Walker(site, "/b")
        assert (0, 1) == (lambda r: (r.exit_code, r.pages))(bench.run(spider, arguments={"token": "other"}))
    assert ["/", "/b"] == site.log()
    assert b"canary" not in bench.db(spider).read_bytes()


def test_links_of_a_page_that_did_not_count_are_found_again(bench: Bench) -> None:
    """Two pages link to a third; the first of them cannot be stored: the second's link is followed."""

    class Keyless(Walker):
        def parse(self, response: Any) -> Any:
            yield from super().parse(response)
            if response.url.endswith("/bad"):
                yield Item("things", {"a": 1, "b": "x"}, key="b")
                yield Item("things", {"a": 1}, key="a")  # one table has one key: refused by the store

    with serving(
        {"/": page("/bad"), "/bad": page("/third", "/good"), "/good": page("/third"), "/third": page()}
    ) as site:
        site.pages["/"] = page("/bad", "/good")
        spider = Keyless(site)
        result = bench.run(spider, crawl__workers=1)
    assert "failed" == bench.states(spider)["/bad"][0]
    assert ("done", None) == bench.states(spider)["/third"]
    assert 1 == result.exit_code


def test_a_run_that_only_ends_what_another_did_speaks_for_the_crawl(bench: Bench) -> None:
    """Killed between the last commit and the end: the resume has no page to do, and the crawl is complete."""
    with serving({"/": page()}) as site:
        spider = Walker(site)
        bench.run(spider)
        connection = sqlite3.connect(bench.db(spider))
        connection.execute("UPDATE _runs SET outcome = NULL, finished = 0, ended = NULL")
        connection.commit()
        connection.close()
        result = bench.run(Walker(site))
    assert (0, 0, "finished") == (result.exit_code, result.pages, result.outcome)


def test_a_failure_before_an_interruption_is_not_forgotten(bench: Bench) -> None:
    with serving({"/": page("/broken", "/a"), "/broken": Reply("", 403), "/a": page()}) as site:
        bench.run(Walker(site), crawl__max_pages=2, crawl__workers=1)
        result = bench.run(Walker(site))
    assert (1, 0) == (result.exit_code, result.failed)
    assert "1 pages failed in earlier runs" in result.reason


def test_stop_crawl_counts_wherever_it_is_raised(bench: Bench) -> None:
    """In start_requests before anything, in login, in an errback: the run ends, exit 0, with the author's reason."""

    class Holiday(Walker):
        def start_requests(self) -> Any:
            raise StopCrawl("holiday")
            yield

    class NoAccount(Walker):
        def login(self, session: Any) -> None:
            raise StopCrawl("no account today")

    class Careful(Walker):
        def parse(self, response: Any) -> Any:
            yield Request(response.urljoin("/gone"), self.parse, errback=self.failed)

        def failed(self, failure: Any) -> Any:
            yield {"path": "kept"}
            raise StopCrawl("enough")

    with serving({"/": page()}) as site:
        for kind, name, reason in (
            (Holiday, "h", "holiday"),
            (NoAccount, "n", "no account today"),
            (Careful, "c", "enough"),
        ):
            spider = kind(site)
            spider.name = name
            result = bench.run(spider)
            assert (0, reason) == (result.exit_code, result.reason), name
    assert [("kept",)] == bench.rows(spider, "SELECT path FROM items")


@pytest.mark.parametrize("where", ["login", "logged_in", "parse", "closed", "start_requests"])
def test_sys_exit_in_the_authors_code_ends_no_thread(bench: Bench, where: str) -> None:
    """SystemExit is an author's failure like any other: the run ends by itself and does not say that all is well."""

    def leave(self: Any, *args: Any) -> Any:
        raise SystemExit("no")

    kind = type("Leaving", (Walker,), {"name": "leaving", where: leave})
    with serving({"/": page()}) as site:
        if where == "start_requests":
            with pytest.raises(SpiderError, match="SystemExit"):
                bench.run(kind(site))
            return
        result = bench.run(kind(site))
    assert 0 != result.exit_code
    assert "internal" not in str(result.failures)


def test_a_broken_logged_in_is_the_authors_fault(bench: Bench) -> None:
    class Broken(Walker):
        def logged_in(self, response: Any) -> bool:
            return bool(response.one("#account"))

    with serving({"/": page()}) as site:
        result = bench.run(Broken(site))
    assert {"logged_in: NoMatch": 1} == result.failures


def test_each_profile_logs_in_with_its_own_credentials(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_USER", "ann")
    monkeypatch.setenv("B_USER", "bob")
    users: list[tuple[str, str]] = []

    class Two(Walker):
        name = "two"
        custom_settings = {"profiles": {"two": {"username": "A_USER"}, "b": {"username": "B_USER"}}}

        def login(self, session: Any) -> None:
            users.append((session.profile.name, self.credentials.username))

        def parse(self, response: Any) -> Any:
            yield Request(response.urljoin("/a"), self.parse_a, profile="b")

        def parse_a(self, response: Any) -> Any:
            yield {"user": self.credentials.username}

    with serving({"/": page(), "/a": page()}) as site:
        spider = Two(site)
        assert 0 == bench.run(spider).exit_code
    assert [("two", "ann"), ("b", "bob")] == users


def test_a_file_that_fails_for_a_moment_is_tried_again(bench: Bench) -> None:
    """A Download's 503 gives the page back; its rows and the file are there in the end."""
    from crawlkit import Download

    class Filing(Walker):
        def parse(self, response: Any) -> Any:
            yield {"path": "x"}
            yield Download("/f", "f.bin")

    answers = [Reply("", 500)]
    with serving({"/": page(), "/f": lambda asked: answers.pop() if answers else Reply(b"body")}) as site:
        spider = Filing(site)
        result = bench.run(spider)
    assert (0, 1, 1) == (result.exit_code, result.pages, result.retries)
    assert b"body" == (bench.folder / "f.bin").read_bytes()


def test_a_header_of_none_takes_the_sessions_out(bench: Bench) -> None:
    class Bare(Walker):
        def parse(self, response: Any) -> Any:
            yield Request(response.urljoin("/a"), self.parse_a, headers={"X-A": None, "X-B": ["1", "2"]})

        def parse_a(self, response: Any) -> None: ...

    with serving({"/": page(), "/a": page()}) as site:
        bench.run(Bare(site), fetch__headers={"X-A": "1"})
    headers = next(asked.headers for asked in site.asked if asked.path == "/a")
    assert (None, "1, 2") == (headers.get("X-A"), headers.get("X-B"))


def test_more_links_than_a_host_is_leased_at_once(bench: Bench) -> None:
    """Three hundred pages of one host: the scheduler asks for more as often as it must."""
    links = [f"/p{n}" for n in range(300)]
    with serving({"/": page(*links), **{link: page() for link in links}}) as site:
        result = bench.run(Walker(site))
    assert (0, 301) == (result.exit_code, result.pages)
    assert 301 == len(site.log()) == len(set(site.log()))


def test_retry_meta_is_obeyed(bench: Bench) -> None:
    class Retrying(Walker):
        def parse(self, response: Any) -> Any:
            yield Request(response.urljoin("/once"), meta={"dont_retry": True})
            yield Request(response.urljoin("/twice"), meta={"max_retry_times": 1})

    with serving({"/": page(), "/once": Reply("", 500), "/twice": Reply("", 500)}) as site:
        assert 1 == bench.run(Retrying(site)).exit_code
    assert (1, 2) == (site.log().count("/once"), site.log().count("/twice"))


def test_download_timeout_of_meta_is_obeyed(bench: Bench) -> None:
    release = threading.Event()

    class Hurried(Walker):
        def parse(self, response: Any) -> Any:
            yield Request(response.urljoin("/slow"), meta={"download_timeout": 0.2, "dont_retry": True})

    def slow(asked: Asked) -> str:
        release.wait(10)
        return page()

    with serving({"/": page(), "/slow": slow}) as site:
        result = bench.run(Hurried(site))
        release.set()
    assert {"timeout": 1} == result.failures


def test_wrong_meta_is_named_where_it_is_yielded(bench: Bench) -> None:
    class Wrong(Walker):
        def parse(self, response: Any) -> Any:
            yield Request(response.urljoin("/a"), meta={"download_timeout": "abc"})

    with serving({"/": page()}) as site:
        spider = Wrong(site)
        bench.run(spider)
    assert "meta['download_timeout'] must be seconds" in str(bench.states(spider)["/"][1])


def test_a_page_that_never_shows_a_member_fails_alone(bench: Bench) -> None:
    """One public page among members' pages: it fails as needs_login, everything else is taken, without a login each time."""
    club = Club()
    club.pages["/"] = lambda asked: '<b class="account">u</b>' + page("/public", *club.links)
    club.pages["/public"] = page()
    with serving(club.pages) as site:
        spider = Member(site)
        result = bench.run(spider)
    assert {"needs_login": 1} == result.failures
    assert 31 == result.pages
    assert club.logins <= 3


def test_cookies_are_in_the_vault_before_their_page_is_done(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Design rule: losing a page's commit costs a fetch, losing its cookies would cost a login."""
    from crawlkit.sessions.vault import Vault
    from crawlkit.store.database import Store

    order: list[str] = []
    push, commit = Vault.push, Store.commit
    monkeypatch.setattr(Vault, "push", lambda self, *a: order.append("vault") or push(self, *a))
    monkeypatch.setattr(Store, "commit", lambda self, outcomes: order.append("page") or commit(self, outcomes))
    with serving({"/": Reply(page(), headers={"Set-Cookie": "a=1"})}) as site:
        bench.run(Walker(site))
    assert ["vault", "page"] == order[:2]


def test_a_store_that_fails_ends_the_run_with_74(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full in mid-crawl: every thread ends, the outcome says it, the same command resumes."""
    from crawlkit.exceptions import StorageError
    from crawlkit.store.database import Store

    commit, calls = Store.commit, []

    def full(self: Any, outcomes: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            raise StorageError("disk full")
        return commit(self, outcomes)

    links = [f"/p{n}" for n in range(50)]
    with serving({"/": page(*links), **{link: page() for link in links}}) as site:
        with monkeypatch.context() as patch:
            patch.setattr(Store, "commit", full)
            result = bench.run(Walker(site))
        assert ("storage_failed", 74) == (result.outcome, result.exit_code)
        spider = Walker(site)
        assert 0 == bench.run(spider).exit_code
    assert [(51,)] == bench.rows(spider, "SELECT count(*) FROM items")


def test_a_public_first_page_does_not_end_a_crawl_whose_login_works(bench: Bench) -> None:
    """The start page shows no member, logged in or not: it fails alone, the others are taken."""
    club = Club()
    club.pages["/"] = page(*club.links)
    with serving(club.pages) as site:

        class Many(Member):
            def start_requests(self) -> Any:
                for path in ("/", *club.links):
                    yield Request(site.url + path)

        result = bench.run(Many(site), crawl__workers=1)
    assert ({"needs_login": 1}, 30, 1) == (result.failures, result.pages, club.logins)


def test_a_password_in_a_url_is_sent_and_written_nowhere(bench: Bench) -> None:
    """http://user:password@host/: the crawl authenticates, also on the pages that it links to; no file holds it."""
    import base64

    with serving({"/": page("/a"), "/a": page()}) as site:
        spider = Walker(site)
        spider.start_urls = [site.url.replace("//", "//ann:canary%21@") + "/"]
        assert 0 == bench.run(spider).exit_code
    expected = "Basic " + base64.b64encode(b"ann:canary!").decode()
    assert [expected] * 2 == [asked.headers.get("Authorization") for asked in site.asked if asked.path != "/robots.txt"]
    for file in bench.folder.iterdir():
        assert b"canary" not in file.read_bytes(), file


def test_a_closed_that_hangs_does_not_keep_a_stopped_run(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from crawlkit.crawl import ending

    monkeypatch.setattr(ending, "DRAIN_SECONDS", 0.3)
    forever = threading.Event()

    class Hanging(Walker):
        def parse(self, response: Any) -> Any:
            assert bench.engine is not None
            bench.engine.stop("interrupted", "Ctrl-C")

        def closed(self, reason: str) -> None:
            forever.wait(30)

    with serving({"/": page()}) as site:
        result = bench.run(Hanging(site))
    forever.set()
    assert (130, True) == (result.exit_code, result.elapsed < 10)


def test_a_slow_callback_does_not_hold_its_host_up(bench: Bench) -> None:
    """With one request at a time to the host, the second page is fetched while the first one's callback still runs."""
    fetched, waited = threading.Event(), []

    class Slow(Walker):
        def parse(self, response: Any) -> Any:
            if response.url.endswith("/a"):
                waited.append(fetched.wait(10))
            return super().parse(response)

    def second(asked: Asked) -> str:
        fetched.set()
        return page()

    with serving({"/": page("/a", "/b"), "/a": page(), "/b": second}) as site:
        assert 0 == bench.run(Slow(site), crawl__per_host=1).exit_code
    assert [True] == waited


@pytest.mark.parametrize("wait", ["99999999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT", "31536000"])
def test_no_wait_is_too_long_to_be_parked(bench: Bench, wait: str) -> None:
    """Exit 5, at once, and at once again in the next run, which asks nothing."""
    with serving({"/": Reply("", 503, {"Retry-After": wait})}) as site:
        for _ in range(2):
            assert 5 == bench.run(Walker(site), crawl__robots=False).exit_code
    assert ["/"] == site.log()


def test_a_crawl_delay_holds_from_the_first_page_on(bench: Bench) -> None:
    """Until robots.txt is known one request goes alone; a delay beyond an hour parks the host."""
    links = [f"/p{n}" for n in range(8)]
    robots = Reply("User-agent: *\nCrawl-delay: 1e30\n", headers={"Content-Type": "text/plain"})

    class Starting(Walker):
        def start_requests(self) -> Any:
            for link in links:
                yield Request(self.start_urls[0].rstrip("/") + link)

    with serving({"/robots.txt": robots, **{link: page() for link in links}}) as site:
        result = bench.run(Starting(site))
    assert (5, 1) == (result.exit_code, len(site.log()))


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit])
def test_nothing_an_author_raises_ends_a_worker(bench: Bench, error: type[BaseException]) -> None:
    class Rude(Walker):
        def parse(self, response: Any) -> Any:
            raise error

    with serving({"/": page()}) as site:
        assert 1 == bench.run(Rude(site)).exit_code


def test_a_bad_start_request_leaves_out_itself_only(bench: Bench) -> None:
    class Mixed(Walker):
        def start_requests(self) -> Any:
            base = self.start_urls[0].rstrip("/")
            yield Request(base + "/a")
            yield Request("http://[bad/")
            yield Request(base + "/b", priority=2**70)
            yield Request(base + "/c", meta={"x": "\ud800"})
            yield Request(base + "/d")

    with serving({"/a": page(), "/d": page()}) as site:
        result = bench.run(Mixed(site))
    assert ["/a", "/d"] == sorted(site.log())
    assert (1, 0) == (result.exit_code, result.failed)


def test_max_pages_with_start_requests_to_come_is_a_limit(bench: Bench) -> None:
    """A slow start_requests has not said yet that there is nothing more."""
    go = threading.Event()

    class Late(Walker):
        def start_requests(self) -> Any:
            yield Request(self.start_urls[0])
            go.wait(1.0)
            yield Request(self.start_urls[0] + "late")

    with serving({"/": page(), "/late": page()}) as site:
        assert 5 == bench.run(Late(site), crawl__max_pages=1).exit_code
        go.set()
        assert 0 == bench.run(Late(site)).exit_code
    assert ["/", "/late"] == site.log()

"""Pages that are as an earlier run found them: what is not fetched, not parsed, and what is all the same."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from crawlkit import Download, FormRequest, Request, Spider, StopCrawl
from crawlkit.crawl.result import Result
from crawlkit.crawl.sitemaps import LASTMOD
from crawlkit.store.bodies import Bodies, bodies_path
from tests.crawl.loopback import Answer, Asked, Reply, Site, serving
from tests.crawl.test_engine import Bench, page


class Tagged:
    """A page with an ETag that knows If-None-Match; `text` may change."""

    def __init__(self, *links: str, text: str = "t", **headers: str) -> None:
        self.links, self.text, self.headers = links, text, headers
        self.conditions: list[str | None] = []

    def __call__(self, asked: Asked) -> Reply:
        self.conditions.append(asked.headers.get("If-None-Match"))
        tag = f'"{self.text}{len(self.links)}"'
        if asked.headers.get("If-None-Match") == tag:
            return Reply("", 304, {"ETag": tag, **self.headers})
        return Reply(
            page(*self.links, title=self.text), 200, {"ETag": tag, "Content-Type": "text/html", **self.headers}
        )

    @property
    def asked(self) -> str | None:
        """What the last question was conditional on."""
        return self.conditions[-1]


class Noting(Spider):
    """Follows every link, yields each page's path and title, and notes what it parsed."""

    name = "noting"

    def __init__(self, site: Site, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.start_urls = [site.url + "/"]
        self.parsed: list[str] = []

    def parse(self, response: Any) -> Any:
        path = "/" + response.url.split("/", 3)[3]
        self.parsed.append(path)
        yield {"path": path, "title": response.css("title::text").get()}
        yield from self.more(response)

    def more(self, response: Any) -> Any:
        return response.follow_all("a", self.parse)


Pages = dict[str, Answer]


class Home:
    """One site and one spider's database."""

    def __init__(self, bench: Bench, site: Site) -> None:
        self.bench, self.site = bench, site
        self.spider: Any = None

    def run(self, kind: Callable[..., Spider] = Noting, **options: Any) -> Result:
        self.site.asked.clear()
        self.spider = kind(self.site)
        return self.bench.run(self.spider, **options)

    def rows(self, query: str = "SELECT path, title FROM items ORDER BY path") -> list[Any]:
        return self.bench.rows(self.spider, query)

    @property
    def parsed(self) -> list[str]:
        return sorted(self.spider.parsed)


@pytest.fixture
def at_home(tmp_path: Path) -> Callable[[Pages], Any]:
    from contextlib import contextmanager

    @contextmanager
    def home(pages: Pages) -> Iterator[Home]:
        with serving(pages) as site:
            yield Home(Bench(tmp_path), site)

    return home


AtHome = Callable[[Pages], Any]


# --- what need not be done ----------------------------------------


def test_a_304_is_not_parsed_and_its_links_are_followed_again(at_home: AtHome) -> None:
    leaf = Tagged(text="old")
    with at_home({"/": Tagged("/list"), "/list": Tagged("/leaf"), "/leaf": leaf}) as home:
        first = home.run()
        assert (3, 0, 0) == (first.pages, first.unchanged, first.saved)
        leaf.text = "new"
        second = home.run()

    assert ["/leaf"] == home.parsed
    assert (3, 2, 3, {"items": 3}) == (second.pages, second.unchanged, second.items, second.items_by_table)
    assert first.bytes - second.bytes == second.saved > 0
    assert [("/", "t"), ("/leaf", "new"), ("/list", "t")] == home.rows()
    assert [("changed",)] == home.rows("SELECT change FROM _history WHERE run = 2")
    assert [(0, 0), (2, second.saved)] == home.rows("SELECT unchanged, saved FROM _runs ORDER BY id")


def test_a_last_modified_will_do(at_home: AtHome) -> None:
    when = "Fri, 02 Jan 2026 03:04:05 GMT"

    def dated(asked: Asked) -> Reply:
        same = asked.headers.get("If-Modified-Since") == when
        return Reply("" if same else page(), 304 if same else 200, {"Last-Modified": when})

    with at_home({"/": dated}) as home:
        home.run()
        assert 1 == home.run().unchanged
        assert 1 == home.run().unchanged
    assert [] == home.parsed


def test_the_same_body_is_not_parsed(at_home: AtHome) -> None:
    """Without validators, and with those that change though the page does not: from the second time on."""
    ticks = iter(range(100))
    pages: Pages = {"/": page("/a"), "/a": lambda _: Reply(page(), headers={"ETag": f'"{next(ticks)}"'})}
    with at_home(pages) as home:
        home.run()
        assert 1 == home.run().unchanged
        assert ["/a"] == home.parsed
        third = home.run()

    assert (2, 2, 0) == (third.pages, third.unchanged, third.saved)
    assert 2 == len(home.site.asked)


@pytest.mark.parametrize("tag", ["*", ""])
def test_what_is_no_etag_is_no_condition(at_home: AtHome, tag: str) -> None:
    """`If-None-Match: *` is met by whatever the page has become."""
    title = ["old"]

    def lying(asked: Asked) -> Reply:
        if "If-None-Match" in asked.headers:
            return Reply("", 304, {"ETag": tag})
        return Reply(page(title=title[0]), 200, {"ETag": tag})

    with at_home({"/": lying}) as home:
        home.run()
        title[0] = "new"
        home.run()
        assert [("/", "new")] == home.rows()


def test_a_server_that_stumbles_over_a_condition_is_asked_without(at_home: AtHome) -> None:
    def stumbling(asked: Asked) -> Reply:
        return Reply("", 500) if "If-None-Match" in asked.headers else Reply(page(), 200, {"ETag": '"a"'})

    with at_home({"/": stumbling}) as home:
        home.run()
        second = home.run()
        assert (0, 1, 2) == (second.exit_code, second.pages, second.requests)


def test_what_to_ignore_can_be_said(at_home: AtHome) -> None:
    ticks = iter(range(100))
    with at_home({"/": lambda _: f"<title>t</title><p>Visitors: {next(ticks)}</p>"}) as home:
        home.run(crawl__ignore=[r"Visitors: \d+"])
        assert 1 == home.run(crawl__ignore=[r"Visitors: \d+"]).unchanged
        assert 0 == home.run().unchanged


def test_it_can_be_turned_off(at_home: AtHome) -> None:
    leaf = Tagged()
    with at_home({"/": leaf}) as home:
        home.run()
        assert 0 == home.run(crawl__incremental=False).unchanged
        assert leaf.asked is None


def test_fresh_forgets_by_what_pages_are_known(at_home: AtHome) -> None:
    """Also when the fresh run is cut off: what it did not get to is asked for whole."""
    leaf, other = Tagged(), Tagged()
    with at_home({"/": Tagged("/a", "/b"), "/a": leaf, "/b": other}) as home:
        home.run()
        assert 5 == home.run(fresh=True, crawl__max_pages=1).exit_code
        assert 0 == home.run().unchanged
        assert [None, None] == leaf.conditions == other.conditions
        assert 3 == home.run().unchanged


# --- what has to be done ----------------------------------------


def test_an_edited_spider_parses_everything(at_home: AtHome) -> None:
    class Edited(Noting):
        name = "noting"

        def parse(self, response: Any) -> Any:
            yield {"path": "x"}

    Edited.__name__ = "Noting"
    start = Tagged()
    with at_home({"/": start}) as home:
        home.run()
        home.run(Edited)
        assert [("x", None)] == home.rows()
        assert start.asked is None


def test_an_edited_spider_parses_kept_bodies(at_home: AtHome) -> None:
    class Edited(Noting):
        name = "noting"

        def parse(self, response: Any) -> Any:
            yield {"path": response.url[-1], "title": response.one("title::text").get() + response.encoding}

    Edited.__name__ = "Noting"
    start = Tagged("/a", text="kept")
    with at_home({"/": start, "/a": Tagged()}) as home:
        home.run(store__bodies=True)
        edited = home.run(Edited, store__bodies=True)
        assert [("/", "keptutf-8"), ("a", "tutf-8")] == home.rows()
        assert (2, 0, 0) == (edited.pages, edited.unchanged, edited.bytes)
        assert '"kept1"' == start.asked
        assert edited.saved > 0
        assert 2 == home.run(Edited, store__bodies=True).unchanged
        [(body, size)] = home.rows("SELECT body, size FROM _pages WHERE url LIKE '%/'")
        with Bodies(bodies_path(home.bench.db(home.spider))) as bodies:
            assert size == len(bodies.read(body) or b"")


@pytest.mark.parametrize("other", [{"cb_kwargs": {"n": 2}}, {"meta": {"n": 2}}, {"callback": "parse_other"}])
def test_another_callback_or_other_arguments_parse_it_again(at_home: AtHome, other: dict[str, Any]) -> None:
    """The page that asks for it has changed, and asks otherwise."""

    class Asking(Noting):
        name = "noting"

        def more(self, response: Any) -> Any:
            if response.url.endswith("/"):
                more = (
                    other if response.css("title::text").get() == "new" else {"cb_kwargs": {"n": 1}, "meta": {"n": 1}}
                )
                yield Request(response.urljoin("/a"), **{"callback": "parse_more", **more})

        def parse_more(self, response: Any, n: int = 0) -> Any:
            return self.parse(response)

        def parse_other(self, response: Any) -> Any:
            return self.parse(response)

    start, leaf = Tagged(text="old"), Tagged()
    with at_home({"/": start, "/a": leaf}) as home:
        home.run(Asking)
        start.text = "new"
        home.run(Asking)
        assert ["/", "/a"] == home.parsed
        assert leaf.asked is None
        assert 2 == home.run(Asking).unchanged


def test_other_arguments_of_the_spider_parse_it_again(at_home: AtHome) -> None:
    with at_home({"/": Tagged()}) as home:
        home.run(arguments={"city": "a"})
        assert 0 == home.run(arguments={"city": "b"}).unchanged
        assert 1 == home.run(arguments={"city": "b"}).unchanged


def test_a_page_whose_callback_asked_for_more_is_parsed_each_time(at_home: AtHome) -> None:
    """What it got there may have changed though the page did not. The same for files."""

    class Nested(Noting):
        name = "noting"

        def more(self, response: Any) -> Any:
            if response.url.endswith("/get"):
                yield {"path": "nested", "title": self.session.get(response.urljoin("/price")).text}
            elif response.url.endswith("/file"):
                yield Download(response.urljoin("/price"), "price.txt")
            else:
                yield from super().more(response)

    pages: Pages = {"/": Tagged("/get", "/file"), "/get": Tagged(), "/file": Tagged(), "/price": "1"}
    with at_home(pages) as home:
        home.run(Nested)
        pages["/price"] = "2"
        assert 1 == home.run(Nested).unchanged
        assert ["/file", "/get"] == home.parsed
        assert ("nested", "2") in home.rows()
        assert "2" == (home.bench.folder / "price.txt").read_text()


def test_a_page_with_a_link_that_is_not_kept_as_it_is_is_parsed_each_time(at_home: AtHome) -> None:
    """A body or a header may be secret and goes when its page has ended; so the link cannot be followed again."""

    class Searching(Noting):
        name = "noting"

        def more(self, response: Any) -> Any:
            if response.url.endswith("/"):
                yield FormRequest(response.urljoin("/search"), formdata={"q": "x"}, callback=self.parse)
                yield Request(response.urljoin("/plain"), callback=self.parse)

    with at_home({"/": Tagged(), "/search": page(title="found"), "/plain": Tagged()}) as home:
        home.run(Searching)
        second = home.run(Searching)
        assert ["/", "/plain", "/search"] == sorted(asked.path for asked in home.site.asked)
        assert [b"q=x"] == [asked.body for asked in home.site.asked if asked.method == "POST"]
        assert (3, 2) == (second.pages, second.unchanged)
        assert ["/"] == home.parsed


def test_a_link_whose_request_another_page_took_with_it(at_home: AtHome) -> None:
    """/a links to /x plainly, / with a header that is not kept: /a is parsed again when / no longer leads there."""

    class Two(Noting):
        name = "noting"

        def more(self, response: Any) -> Any:
            if response.url.endswith("/") and response.css("title::text").get() == "old":
                yield Request(response.urljoin("/x"), headers={"X-A": "1"}, callback=self.parse)
            yield from response.follow_all("a", self.parse)

    start = Tagged("/a", text="old")
    with at_home({"/": start, "/a": Tagged("/x"), "/x": Tagged()}) as home:
        home.run(Two, crawl__workers=1)
        start.text = "new"
        home.run(Two)
        assert [("/",), ("/a",), ("/x",)] == home.rows("SELECT path FROM items ORDER BY path")
        assert [("done",)] == home.rows("SELECT DISTINCT state FROM _pages WHERE crawl = 2")
        assert 3 == home.run(Two).pages


def test_a_link_whose_request_was_replaced_by_one_that_is_not_kept(at_home: AtHome) -> None:
    """In the second run / takes /x with a header; in the third only /a leads there, which is unchanged all the time."""

    class Late(Noting):
        name = "noting"

        def more(self, response: Any) -> Any:
            if response.css("title::text").get() == "header":
                yield Request(response.urljoin("/x"), headers={"X-A": "1"}, callback=self.parse, priority=1)
            yield from response.follow_all("a", self.parse)

    start = Tagged("/a", text="plain")
    with at_home({"/": start, "/a": Tagged("/x"), "/x": Tagged()}) as home:
        home.run(Late)
        for text in ("header", "again"):
            start.text = text
            home.run(Late)
        assert ["/", "/a", "/a", "/x"] == sorted(each.path for each in home.site.asked)
        assert [("/", "again"), ("/a", "t"), ("/x", "t")] == home.rows()
        assert 3 == home.run(Late).unchanged


def test_a_request_with_headers_of_its_own_shares_no_validators(at_home: AtHome) -> None:
    """They are of another form of the page, in another language perhaps."""

    class Choosy(Noting):
        name = "noting"
        headers: dict[str, str] | None = None

        def start_requests(self) -> Any:
            yield Request(self.start_urls[0], headers=Choosy.headers, callback=self.parse)

    start = Tagged()
    with at_home({"/": start}) as home:
        for headers in (None, {"Accept-Language": "de"}, None, None):
            Choosy.headers = headers
            home.run(Choosy)
        assert [None, None, None, '"t0"'] == start.conditions


def test_a_page_whose_rows_another_took_over_is_parsed_when_it_comes_back(at_home: AtHome) -> None:
    """/r redirects to /p and has its rows; then /p is linked to again, unchanged in all that time."""
    start = Tagged("/p", text="one")
    with at_home({"/": start, "/p": Tagged(), "/r": Reply("", 302, {"Location": "/p"})}) as home:
        home.run()
        start.links, start.text = ("/r",), "two"
        home.run()
        start.links, start.text = ("/p",), "three"
        home.run()
        assert [("/", "three"), ("/p", "t")] == home.rows()
        assert [("http",)] == home.rows(
            "SELECT substr(url, 1, 4) FROM _pages JOIN items ON _page = id WHERE url LIKE '%/p'"
        )


def test_a_page_that_failed_is_parsed_again(at_home: AtHome) -> None:
    class Failing(Noting):
        name = "noting"
        broken = False

        def more(self, response: Any) -> Any:
            if Failing.broken:
                raise ValueError("not today")
            return ()

    with at_home({"/": Tagged()}) as home:
        home.run(Failing)
        Failing.broken = True
        assert 1 == home.run(Failing).unchanged, "the callback was not called"
        assert 1 == home.run(Failing, fresh=True).failed
        Failing.broken = False
        assert (1, 0) == (lambda result: (result.pages, result.unchanged))(home.run(Failing))


def test_a_page_that_stopped_the_crawl_is_parsed_again(at_home: AtHome) -> None:
    class Stopping(Noting):
        name = "noting"

        def more(self, response: Any) -> Any:
            raise StopCrawl("enough")

    with at_home({"/": Tagged()}) as home:
        home.run(Stopping)
        home.run(Stopping)
        assert ["/"] == home.parsed


def test_conditions_of_the_author_are_left_alone(at_home: AtHome) -> None:
    """Who sends headers of his own asks the way he wants, and gets the 304."""

    class Own(Noting):
        name = "noting"

        def start_requests(self) -> Any:
            yield Request(self.start_urls[0], headers={"If-None-Match": '"mine"'}, callback=self.parse)

    start = Tagged()
    with at_home({"/": start}) as home:
        home.run(Own)
        home.run(Own)
        assert ['"mine"', '"mine"'] == start.conditions


def test_a_redirect_is_asked_whole(at_home: AtHome) -> None:
    """The validators are of the page where it ended; its hash serves, wherever it ended last time."""
    target = Tagged()
    pages: Pages = {"/": Reply("", 302, {"Location": "/a"}), "/a": target, "/b": target}
    with at_home(pages) as home:
        home.run()
        assert 1 == home.run().unchanged
        pages["/"] = Reply("", 302, {"Location": "/b"})
        assert 0 == home.run().unchanged
        assert [None] * 3 == target.conditions
    assert [("/b", "t")] == home.rows()


@pytest.mark.parametrize("secret", ["?token={}", ";jsessionid={}", "?a=1&access_token={}&b=2"])
def test_a_secret_of_where_a_redirect_ended_is_not_kept(at_home: AtHome, secret: str) -> None:
    """The page is known again without it, also when it is another one; it is its own page still, and keeps its rows."""
    asked: list[str] = []

    def led(path: str) -> Callable[[Asked], Reply]:
        def lead(request: Asked) -> Reply:
            asked.append(path)
            return Reply("", 302, {"Location": f"{path}{secret.format(f'c4n4ry{len(asked)}')}"})

        return lead

    class Titles(Noting):
        name = "noting"

        def parse(self, response: Any) -> Any:
            self.parsed.append(response.url)
            yield {"title": response.css("title::text").get()}
            yield from response.follow_all("a")

    first, second = page(title="1"), page(title="2")
    pages: Pages = {"/": Tagged("/x", "/y"), "/x": led("/a"), "/y": led("/b")}
    known = {path: answer for number in range(1, 9) for path, answer in (
        (f"/a{secret.format(f'c4n4ry{number}')}", first), (f"/b{secret.format(f'c4n4ry{number}')}", second)
    )}  # fmt: skip
    with at_home(pages | known) as home:
        home.run(Titles)
        again = home.run(Titles)
        assert (3, 3, []) == (again.pages, again.unchanged, home.parsed)
        with sqlite3.connect(home.bench.folder / "noting.db") as connection:
            connection.execute("UPDATE _pages SET changed_at = changed_at - 1e6")
        connection.close()
        again = home.run(Titles, crawl__revisit="learned")
        assert (3, 3, []) == (again.pages, again.unchanged, home.parsed)
        assert ["/a", "/a", "/a", "/b", "/b", "/b"] == sorted(asked)
    ended = [url for (url,) in home.rows("SELECT final_url FROM _pages ORDER BY id")]
    hidden = secret.format("[redacted]")
    assert [None, f"{home.site.url}/a{hidden}", f"{home.site.url}/b{hidden}"] == ended
    assert [("1",), ("2",), ("t",)] == home.rows("SELECT title FROM items ORDER BY title")
    for file in home.bench.folder.glob("*.db*"):
        assert b"c4n4ry" not in file.read_bytes(), file


def test_a_page_that_ended_on_a_secret_is_known_again_when_nothing_leads_to_it(at_home: AtHome) -> None:
    """The store does not know the secret, and it may be another one by now: the rest of the URL tells."""
    leads = {"to": "/a?token=c4n4ry"}
    pages: Pages = {"/": Tagged("/x"), "/x": lambda _: Reply("", 302, {"Location": leads["to"]})}
    pages["/a?token=c4n4ry"] = pages["/a?token=n0th3r"] = page(title="a")
    pages["/else?token=c4n4ry"] = page(title="else")
    with at_home(pages) as home:
        home.run()
        pages["/"] = Tagged(text="none")
        leads["to"] = "/a?token=n0th3r"
        second = home.run()
        assert ["/"] == home.parsed
        assert (2, 1, "a") == (second.pages, second.unchanged, home.rows()[1][1])
        leads["to"] = "/else?token=c4n4ry"
        assert {"gone": 1} == home.run().skips
        assert [("/", "none")] == home.rows()


def test_conditions_do_not_travel_with_a_redirect(at_home: AtHome) -> None:
    """Another page with the same ETag would else look unchanged."""
    pages: Pages = {"/": Tagged()}
    other = Tagged()
    with at_home(pages) as home:
        home.run()
        pages["/"], pages["/other"] = Reply("", 302, {"Location": "/other"}), other
        home.run()
        assert [None] == other.conditions
    assert [("/other", "t")] == home.rows()


# --- pages that nothing leads to any more ----------------------------------------


def without(pages: Pages, path: str, answer: Answer | None) -> None:
    """Nothing leads to `path` any more, and it answers so."""
    pages["/"] = Tagged("/a", text="less")
    if answer is None:
        del pages[path]
    else:
        pages[path] = answer


@pytest.mark.parametrize(
    "answer", [None, Reply("", 410), Reply("", 301, {"Location": "/a"}), Reply("", 302, {"Location": "/elsewhere"})]
)
def test_a_page_that_is_gone_takes_its_rows_along(at_home: AtHome, answer: Answer | None) -> None:
    pages: Pages = {"/": Tagged("/a", "/b"), "/a": Tagged(), "/b": Tagged(), "/elsewhere": Tagged("/far")}
    with at_home(pages) as home:
        home.run()
        without(pages, "/b", answer)
        result = home.run()
        assert (0, 1) == (result.exit_code, result.skipped)
        assert [("/", "less"), ("/a", "t")] == home.rows()
        gone = "SELECT json_extract(row, '$.path') FROM _history WHERE run = 2 AND change = 'gone'"
        assert [("/b",)] == home.rows(gone)
        asked = [each.path for each in home.site.asked]
        home.run()
        assert ("/b" in asked, "/far" in asked) == (True, False)
        assert "/b" not in [each.path for each in home.site.asked], "it is asked for once"


def test_a_page_that_may_be_behind_a_login_is_not_gone(at_home: AtHome) -> None:
    """The site asks for a login all of a sudden, and nothing leads anywhere any more: no row is lost to that."""
    pages: Pages = {"/": Tagged("/a", "/b"), "/a": Tagged(), "/b": Tagged()}
    pages["/login?next=/a"] = pages["/login?next=/b"] = page(title="who are you?")
    with at_home(pages) as home:
        home.run()
        pages["/"] = Tagged(text="who are you?")
        for path in ("/a", "/b"):
            pages[path] = Reply("", 302, {"Location": f"/login?next={path}"})
        result = home.run()
        assert (1, {"needs_login": 2}) == (result.exit_code, result.failures)
        assert [("/", "who are you?"), ("/a", "t"), ("/b", "t")] == home.rows()


def test_a_page_that_is_still_there_stays_and_is_not_followed(at_home: AtHome) -> None:
    """Unchanged or changed: its rows are today's, its links are nobody's. It is asked again in every crawl."""
    alone = Tagged("/deeper", text="old")
    pages: Pages = {"/": Tagged("/a", "/b"), "/a": Tagged(), "/b": alone, "/deeper": Tagged()}
    with at_home(pages) as home:
        home.run()
        pages["/"] = Tagged("/a", text="less")
        assert (4, 3) == (lambda result: (result.pages, result.unchanged))(home.run())
        assert '"old1"' == alone.asked
        alone.text = "new"
        pages["/deeper"] = Tagged("/more")
        home.run()
        assert ["/b", "/deeper"] == home.parsed
        assert [("/", "less"), ("/a", "t"), ("/b", "new"), ("/deeper", "t")] == home.rows()
        assert "/more" not in [each.path for each in home.site.asked]
        home.run()
        assert [] == home.parsed, "what was made of a page that is only probed is known again"
        assert '"new1"' == alone.asked
        pages["/"] = Tagged("/a", "/b", text="again")
        pages["/more"] = Tagged()
        home.run()
        assert ("/more", "t") in home.rows()


def test_no_page_is_asked_for_when_the_run_did_not_come_to_its_end(at_home: AtHome) -> None:
    pages: Pages = {"/": Tagged("/a", "/b"), "/a": Tagged(), "/b": Tagged()}
    with at_home(pages) as home:
        home.run()
        without(pages, "/b", None)
        assert 5 == home.run(crawl__max_pages=1).exit_code
        assert 3 == len(home.rows())
        assert 0 == home.run().exit_code
        assert 2 == len(home.rows())


def test_a_site_that_is_down_is_not_asked_page_by_page(at_home: AtHome) -> None:
    pages: Pages = {"/": Tagged("/a"), "/a": Tagged()}
    with at_home(pages) as home:
        home.run()
        pages["/"] = Reply("", 403)
        home.run()
        assert ["/"] == [each.path for each in home.site.asked]
        assert 2 == len(home.rows())


# --- asked less often ----------------------------------------


def set_back(home: Home, *, fetched_days: float, changed_days: float) -> None:
    """Let it be days later."""
    connection = sqlite3.connect(home.bench.db(home.spider))
    connection.execute(
        "UPDATE _pages SET fetched_at = fetched_at - ?, changed_at = changed_at - ?",
        (fetched_days * 86400, changed_days * 86400),
    )
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("fetched", "changed", "asked"), [(1, 10, False), (6, 10, True), (5, 365, False), (8, 365, True)]
)
def test_what_seldom_changes_is_asked_for_less_often(
    at_home: AtHome, fetched: float, changed: float, asked: bool
) -> None:
    """After half the time for which it did not change, and at least once a week; start pages each time."""
    with at_home({"/": Tagged("/a"), "/a": Tagged("/b"), "/b": Tagged()}) as home:
        home.run()
        set_back(home, fetched_days=fetched, changed_days=changed)
        result = home.run(crawl__revisit="learned")
        assert (3, 3) == (result.pages, result.unchanged)
        assert (["/", "/a", "/b"] if asked else ["/"]) == sorted(each.path for each in home.site.asked)
        assert 3 == home.run().requests, "off by default"


@pytest.mark.parametrize("setting", [{"crawl__revisit": "learned"}, {"crawl__lastmod": True}])
def test_a_page_that_was_fetched_in_the_future_is_asked_for(at_home: AtHome, setting: dict[str, Any]) -> None:
    """The clock was wrong then, or is now: else it would be left alone until that day."""

    class Dated(Noting):
        name = "noting"

        def more(self, response: Any) -> Any:
            return [Request(self.start_urls[0] + "a", self.parse, meta={LASTMOD: "2026-01-02T03:04:05Z"})]

    with at_home({"/": Tagged("/a"), "/a": page()}) as home:
        home.run(Dated, **setting)
        set_back(home, fetched_days=1, changed_days=10)
        home.run(Dated, **setting)
        assert ["/"] == [each.path for each in home.site.asked]
        set_back(home, fetched_days=-400, changed_days=400)
        home.run(Dated, **setting)
        assert ["/", "/a"] == [each.path for each in home.site.asked]


def test_a_sitemap_that_says_what_is_older(at_home: AtHome) -> None:
    class Mapped(Noting):
        name = "noting"

        def __init__(self, site: Site) -> None:
            super().__init__(site)
            self.sitemap_urls, self.start_urls = [site.url + "/sitemap.xml"], []

    def sitemap(asked: Asked) -> Reply:
        base = f"http://{asked.headers['Host']}"
        urls = [("/old", "2020-01-01"), ("/new", "2099-01-01T00:00:00Z"), ("/none", "")]
        entries = (
            f"<url><loc>{base}{path}</loc>{f'<lastmod>{day}</lastmod>' if day else ''}</url>" for path, day in urls
        )
        return Reply(f"<urlset>{''.join(entries)}</urlset>", 200, {"Content-Type": "application/xml"})

    with at_home({"/sitemap.xml": sitemap, "/old": page(), "/new": page(), "/none": page()}) as home:
        home.run(Mapped, crawl__lastmod=True)
        result = home.run(Mapped, crawl__lastmod=True)
        assert ["/new", "/none", "/sitemap.xml"] == sorted(each.path for each in home.site.asked)
        assert (4, 4) == (result.pages, result.unchanged)
        home.run(Mapped)
        assert 4 == len(home.site.asked)


# --- logins ----------------------------------------


def test_a_304_says_nothing_of_a_login(at_home: AtHome) -> None:
    """A session that has died may be told 304 all the same: nothing is asked on conditions before a member was seen."""

    class Member(Noting):
        name = "noting"

        def login(self, session: Any) -> None:
            session.get(self.start_urls[0] + "login")

        def logged_in(self, response: Any) -> bool:
            return bool(response.css("b.member"))

    def members(asked: Asked) -> Reply:
        conditions.append(asked.headers.get("If-Modified-Since"))
        when = "Fri, 02 Jan 2026 03:04:05 GMT"
        if asked.headers.get("If-Modified-Since") == when:
            return Reply("", 304, {"Last-Modified": when})
        inside = f"session={valid[0]}" in asked.headers.get("Cookie", "")
        who = "<b class=member>m</b>" if inside else "<i>who are you?</i>"
        return Reply(
            f"<title>t</title>{who}<a href=/a>a</a>", 200, {"Last-Modified": when, "Content-Type": "text/html"}
        )

    conditions: list[str | None] = []
    valid = ["one"]
    pages: Pages = {
        "/": members,
        "/a": members,
        "/login": lambda _: Reply("", 200, {"Set-Cookie": f"session={valid[0]}; Max-Age=900"}),
    }
    with at_home(pages) as home:
        home.run(Member)
        valid[0] = "two"
        conditions.clear()
        result = home.run(Member)
        assert (0, 2, 1) == (result.exit_code, result.pages, result.logins)
        *before, last = conditions
        assert {None} == set(before), "the page that shows the end, and what shows a member after the login"
        assert "Fri, 02 Jan 2026 03:04:05 GMT" == last
        assert 2 == len(home.rows())

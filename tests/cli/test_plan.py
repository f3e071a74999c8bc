"""`crawlkit run --dry-run` and `crawlkit runs --guarded`: what would be fetched, what would not, and nothing stored."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crawlkit.testing import TrapSite, trap_site
from tests.conftest import Command

SPIDER = """
from pathlib import Path
from crawlkit import Download, Spider

class Members(Spider):
    name = "members"
    key = "url"
    base = ""

    def start_requests(self):
        from crawlkit import Request
        yield Request(self.base + "/")

    def login(self, session):
        page = session.get(self.base + "/login")
        session.submit(page.form("#login"), {"user": "reader", "password": self.password})

    def logged_in(self, response):
        return bool(response.css("nav.user-menu"))

    def parse(self, response):
        yield {"url": response.url}
        yield Download("/records/1", "kept.html")
        yield from response.follow_all("a")
        yield response.follow("https://elsewhere.example/")

    def process_item(self, item, response):
        Path("processed").touch()
        return item

    def closed(self, reason):
        Path("closed").touch()
"""


@pytest.fixture
def site() -> Iterator[TrapSite]:
    with trap_site(records=5) as site:
        yield site


def arguments(site: TrapSite, password: str = "a-quiet-room") -> list[str]:
    return ["-a", f"base={site.url}", "-a", f"password={password}"]


def test_a_dry_run_shows_the_plan_and_stores_nothing(
    crawlkit: Command, write_spider: Callable[[str], Path], site: TrapSite
) -> None:
    """The start page is fetched behind the login, its callback called; the rest is told. Only the login is kept."""
    done = crawlkit("run", write_spider(SPIDER), *arguments(site), "--dry-run")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "members, a dry run: nothing was stored" == lines[0]
    assert f"start 200 {site.url}/ 1 item, 32 links" == lines[1]
    host = site.url.removeprefix("http://")
    assert f"next 20 pages on {host}" in lines
    assert f"{site.url}/blog/how-we-built-logout" in lines
    assert f'logs out {site.url}/account/end "Sign out"' in lines
    assert f'deletes {site.url}/r/88 "Delete"' in lines
    assert "not followed 1 x offsite" in lines
    assert f"pace {host}: 8 at once" in lines
    assert "profile members, 1 login" in lines
    assert "limits robots on, guard on" in lines
    assert {"/robots.txt", "/login", "/"} == {path.partition("?")[0] for path in site.log.paths()}
    assert {"spider.py", "data"} == {path.name for path in crawlkit.folder.iterdir() if path.name != "__pycache__"}
    assert ["sessions.db"] == [path.name for path in (crawlkit.folder / "data").iterdir()]


def test_the_plan_in_the_json_line(crawlkit: Command, write_spider: Callable[[str], Path], site: TrapSite) -> None:
    """With `--json` the plan is in the line; the second dry run uses the login of the first."""
    spider = write_spider(SPIDER)
    crawlkit("run", spider, *arguments(site), "--dry-run")
    line = crawlkit.run(
        spider, *arguments(site), "--dry-run", "--workers", "3", "--set", "crawl.guard_deny=['/wiki/*']"
    )
    plan = line["plan"]
    assert (None, "finished", 0, 0) == (line["run"], line["outcome"], line["exit_code"], line["logins"])
    assert [{"url": f"{site.url}/", "state": "done", "status": 200, "reason": None, "items": 1, "links": 32}] == plan[
        "start"
    ]
    assert (19, 19) == (plan["next"]["total"], len(plan["next"]["first"]))
    assert {"url": f"{site.url}/wiki/Logout", "reason": "guard_deny", "text": "Logout"} in plan["guarded"]
    assert (3, ["127.0.0.1"], True) == tuple(plan["settings"][name] for name in ("workers", "scope", "guard"))


def test_what_goes_wrong_in_a_dry_run_has_the_exit_code_of_a_run(
    crawlkit: Command, write_spider: Callable[[str], Path], site: TrapSite
) -> None:
    spider = write_spider(SPIDER)
    wrong = crawlkit.run(spider, *arguments(site, "wrong"), "--dry-run", exit_code=3)
    assert ("login_failed", []) == (wrong["outcome"], wrong["plan"]["start"])
    broken = write_spider(SPIDER.replace('yield {"url"', "1 / 0; yield {'url'"))
    (start,) = crawlkit.run(broken, *arguments(site), "--dry-run", exit_code=1)["plan"]["start"]
    assert ("failed", "callback: ZeroDivisionError: division by zero") == (start["state"], start["reason"])


def test_an_unfinished_crawl_is_told(crawlkit: Command, write_spider: Callable[[str], Path], site: TrapSite) -> None:
    """A dry run beside a database: what it has queued, what is in quarantine; it stays as it is."""
    spider = write_spider(SPIDER)
    crawlkit.run(spider, *arguments(site), "--max-pages", "1", exit_code=5)
    database = crawlkit.folder / "data/members.db"
    with sqlite3.connect(database) as connection:
        connection.execute("INSERT INTO _blamed VALUES ('members', 'https://a.example/x', 2, 0, 1)")
    connection.close()
    before = database.read_bytes()
    plan = crawlkit.run(spider, *arguments(site), "--dry-run")["plan"]
    assert (20, ["https://a.example/x"]) == (plan["queued"], plan["quarantined"])
    assert before == database.read_bytes()
    assert 0 == crawlkit.run(spider, *arguments(site), "--dry-run", "--fresh")["plan"]["queued"]


def test_guarded_links_are_told_of_a_run(
    crawlkit: Command, write_spider: Callable[[str], Path], site: TrapSite
) -> None:
    """In the summary, and later by `crawlkit runs NAME --guarded`; in full, as text and as JSON."""
    spider = write_spider(SPIDER)
    done = crawlkit("run", spider, *arguments(site), "--max-pages", "1", exit_code=5)
    lines = [" ".join(line.split()) for line in done.stderr.splitlines()]
    assert [line for line in lines if line.endswith(f'logs out {site.url}/account/end "Sign out"')]
    assert [line for line in lines if "1 x guard: purges" in line]
    told = crawlkit("runs", "members", "--guarded").stdout
    assert f"logs out {site.url}/fin Se déconnecter" in [" ".join(line.split()) for line in told.splitlines()]
    line = json.loads(crawlkit("runs", "members", "--guarded", "--json").stdout)
    assert {"url": f"{site.url}/cache/purge", "reason": "purges", "text": ""} in line["guarded"]
    assert (1, [], 11) == (line["run"], line["quarantined"], len(line["guarded"]))
    assert [] == site.sprung

"""A site full of traps, crawled by a spider that follows every link: the server's log judges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crawlkit import Request, Session, Spider
from crawlkit.crawl.engine import Engine
from crawlkit.crawl.result import Result
from crawlkit.crawl.settings import Override, resolve_settings
from crawlkit.crawl.settings_file import ConfigFile
from crawlkit.store.database import Store
from crawlkit.testing import TrapSite, trap_site
from crawlkit.testing.trap_site import DAMAGE, DETOUR, LOGOUTS


class Everything(Spider):
    """Follows all links of every page, by elements."""

    name = "everything"
    key = "path"

    def __init__(self, site: TrapSite, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.site = site
        self.start_urls = [site.url + "/"]

    def login(self, session: Session) -> None:
        page = session.get(self.site.url + "/login")
        session.submit(page.form("#login"), dict(zip(("user", "password"), self.site.account, strict=True)))

    def logged_in(self, response: Any) -> bool:
        return bool(response.css("nav.user-menu"))

    def parse(self, response: Any) -> Any:
        yield {"path": response.url.removeprefix(self.site.url), "heading": response.css("h1::text").get()}
        yield from response.follow_all("a")


class ByUrl(Everything):
    """The same with URLs alone: the guard has to find the links that they came from."""

    name = "by_url"

    def parse(self, response: Any) -> Any:
        yield {"path": response.url.removeprefix(self.site.url), "heading": response.css("h1::text").get()}
        for href in response.css("a::attr(href)").getall():
            yield Request(response.urljoin(href))


def crawl(spider: Spider, folder: Path, *, fresh: bool = False, **settings: Any) -> Result:
    overrides = [Override(key.replace("__", "."), value, key) for key, value in settings.items()]
    engine = Engine(
        spider,
        resolve_settings(ConfigFile(folder=folder), custom=spider.custom_settings, overrides=overrides),
        db=folder / f"{spider.name}.db",
        source=f"{folder}/spider.py::{type(spider).__name__}",
        vault=folder / "sessions.db",
        fresh=fresh,
    )
    return engine.run()


@pytest.mark.parametrize("kind", [Everything, ByUrl])
def test_no_trap_is_fetched_and_no_innocent_lost(kind: type[Everything], tmp_path: Path) -> None:
    """Logging out by path, by text only, by an icon's label, by a redirect; deleting, unsubscribing, a CSRF parameter:
    none of it is fetched, every look-alike is, with one login, and the run says what it left out and why."""
    with trap_site(records=30) as site:
        result = crawl(kind(site), tmp_path, crawl__workers=16)
        assert [] == site.sprung
        assert set(site.innocents) == site.taken()
        assert 1 == site.log.count("/login", method="POST")
        refused = {refusal.url.removeprefix(site.url): refusal for refusal in result.refused}
    assert ("finished", 0, 1) == (result.outcome, result.failed, result.logins)
    records = {f"/records/{n}{end}" for n in range(1, 31) for end in ("/delete", "?action=unpublish&csrf=[redacted]")}
    assert {*LOGOUTS, *DAMAGE, "/session/destroy", *records} == refused.keys()
    assert ("logs out", "Sign out") == (refused["/account/end"].reason, refused["/account/end"].text)
    assert "redirected from " + site.url + DETOUR == refused["/session/destroy"].text
    assert {"guard: logs out": 1} == dict(result.skips)
    counts = {"guard: logs out": 6, "guard: unsubscribes": 2, "guard: purges": 1, "guard: deletes": 32}
    assert {**counts, "guard: changes state": 30} == dict(result.not_followed)
    with Store.open_readonly(tmp_path / f"{kind.name}.db") as reports:
        assert sorted(refused) == sorted(each.url.removeprefix(site.url) for each in reports.refused(1))


def test_without_the_guard_the_traps_are_fetched(tmp_path: Path) -> None:
    """So that the test above can fail: the same spider springs traps of every kind."""
    with trap_site(records=3) as site:
        crawl(Everything(site, guard=False), tmp_path, crawl__workers=1)
        assert site.sprung
        assert any("/delete" in path for path in site.sprung)


def test_a_trap_that_the_author_allows_is_fetched(tmp_path: Path) -> None:
    """`guard_allow` opens what it names and nothing else; `guard_deny` closes what nobody would take for a trap."""
    with trap_site(records=3) as site:
        result = crawl(
            Everything(site, guard_allow=["/cache/*"], guard_deny=["/wiki/*"]),
            tmp_path,
            crawl__guard_deny=["/records/3"],
        )
        assert {"/cache/purge"} == set(site.sprung)  # twice when a stranger is sent there, too
        assert set(site.innocents) - site.taken() == {"/wiki/Logout", "/records/3"}
    assert 2 == result.not_followed["guard: guard_deny"]

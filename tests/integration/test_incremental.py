"""The second run costs what has changed, and leaves the same rows as a first run would. The judge is the site's log."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from crawlkit.store.database import Store
from tests.integration.changing_site import TEMPERS, ChangingSite, changing_site

SPIDER = """
from crawlkit import Spider

class Entries(Spider):
    name = "entries"

    def parse(self, response):
        yield from response.follow_all("a", callback=self.parse_list)

    def parse_list(self, response):
        yield from response.follow_all("a.entry", callback=self.parse_entry)

    def parse_entry(self, response):
        yield {"url": response.url, "text": response.one("p::text").get()}
"""
IGNORE = ("--set", r"crawl.ignore=['Visitors: \d+']")


class Crawl:
    """The crawl of one site into one database, by one command."""

    def __init__(self, crawlkit: Any, site: ChangingSite, spider: Path, *more: str) -> None:
        self.crawlkit = crawlkit
        self.site = site
        spider.write_text(SPIDER.replace('name = "entries"', f'name = "entries"\n    start_urls = ["{site.url}/"]'))
        self.spider = spider
        self.words = (spider, *(IGNORE if site.temper == "volatile" else ()), *more)

    def run(self, *more: str, exit_code: int | None = 0) -> dict[str, Any]:
        self.site.forget()
        line: dict[str, Any] = self.crawlkit.run(*self.words, *more, exit_code=exit_code)
        return line

    def query(self, sql: str, name: str = "entries.db") -> list[Any]:
        connection = sqlite3.connect(self.crawlkit.folder / "data" / name)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def rows(self, name: str = "entries.db") -> Counter[tuple[str, str]]:
        return Counter(self.query("SELECT url, text FROM items", name))

    def history(self) -> dict[str, set[int]]:
        """What the last run did to the rows: the entries by the kind of change."""
        found: dict[str, set[int]] = {"changed": set(), "gone": set(), "added": set()}
        pages = "SELECT h.change, p.url FROM _history h JOIN _pages p ON p.id = h.page"
        entries = self.query(f"{pages} WHERE h.run = (SELECT max(id) FROM _runs)")
        for change, url in entries:
            found[change].add(int(url.rsplit("/", 1)[1]))
        assert len(entries) == sum(map(len, found.values()))
        return found

    def diff(self) -> dict[str, set[int]]:
        """What `crawlkit diff` names: the entries by the kind of change."""
        told = json.loads(self.crawlkit("diff", "entries", "--json").stdout)
        assert {"text"} == {column for entry in told["changed"] for column in entry["columns"]}
        kinds = ("changed", "gone", "added")
        return {kind: {int(entry["row"]["url"].rsplit("/", 1)[1]) for entry in told[kind]} for kind in kinds}

    def whole(self) -> Counter[tuple[str, str]]:
        """The rows of a first run over the site as it is now."""
        self.run("--db", "data/whole.db")
        return self.rows("whole.db")


def expected(site: ChangingSite) -> Counter[tuple[str, str]]:
    return Counter((f"{site.url}/entry/{number}", text) for number, text in site.entries.items())


def check_second_run(crawl: Crawl, *, changed: int, added: int, gone: int, share: float) -> None:
    site = crawl.site
    first = crawl.run()
    assert expected(site) == crawl.rows()
    whole_bytes, pages = site.sent, len(site.entries) + len(site.lists) + 1
    assert (0, pages) == (first["unchanged"], first["pages"])

    others, new, away = site.change(changed=changed, added=added, gone=gone)
    second = crawl.run()
    asked = Counter(answer.path for answer in site.answered)
    assert {1} == set(asked.values())
    if site.temper in ("etag", "last-modified"):
        assert site.bodies <= changed + added + 1
        assert site.sent <= whole_bytes * share
        assert second["saved"] >= whole_bytes * (1 - share)
    assert expected(site) == crawl.rows()
    assert {"changed": others, "gone": away, "added": new} == crawl.history()
    assert {"changed": others, "gone": away, "added": new} == crawl.diff()
    assert pages - gone - changed - 1 == second["unchanged"]
    assert len(site.entries) == second["items"] == second["tables"]["items"]
    assert (gone, 0) == (second["skipped"], second["failed"])

    third = crawl.run()
    assert (len(site.entries) + len(site.lists) + 1,) * 2 == (third["pages"], third["unchanged"])
    assert expected(site) == crawl.rows()
    with Store.open_readonly(crawl.crawlkit.folder / "data" / "entries.db") as reports:
        assert [] == reports.check()


@pytest.mark.parametrize("temper", TEMPERS)
def test_a_second_run_costs_what_has_changed(crawlkit: Any, tmp_path: Path, temper: str) -> None:
    with changing_site(temper, 150) as site:
        check_second_run(Crawl(crawlkit, site, tmp_path / "spider.py"), changed=5, added=3, gone=3, share=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("temper", TEMPERS)
def test_two_thousand_pages(crawlkit: Any, tmp_path: Path, temper: str) -> None:
    """40 changed, 10 added, 10 gone: bodies of at most 60, at least 95 % fewer bytes."""
    with changing_site(temper, 2_000) as site:
        crawl = Crawl(crawlkit, site, tmp_path / "spider.py")
        check_second_run(crawl, changed=40, added=10, gone=10, share=0.05)
        assert crawl.rows() == crawl.whole()


@pytest.mark.parametrize("temper", ["etag", "volatile"])
def test_a_second_run_that_is_cut_off_and_resumed(crawlkit: Any, tmp_path: Path, temper: str) -> None:
    with changing_site(temper, 120) as site:
        crawl = Crawl(crawlkit, site, tmp_path / "spider.py")
        crawl.run()
        others, new, away = site.change(changed=8, added=4, gone=4)
        assert 5 == crawl.run("--max-pages", "60", exit_code=5)["exit_code"]
        assert 0 == crawl.run()["exit_code"]
        assert expected(site) == crawl.rows()
        changes = "SELECT change, count(*) FROM _history WHERE run > 1 GROUP BY 1"
        assert {"changed": len(others), "gone": len(away), "added": len(new)} == dict(crawl.query(changes))


@pytest.mark.slow
@pytest.mark.parametrize("temper", ["etag", "nothing"])
def test_a_second_run_killed_at_random_instants(crawlkit: Any, tmp_path: Path, temper: str) -> None:
    chance = random.Random(7)
    with changing_site(temper, 1_000) as site:
        crawl = Crawl(crawlkit, site, tmp_path / "spider.py", "--set", "store.bodies=true")
        crawl.run()
        others, new, away = site.change(changed=40, added=10, gone=10)
        kills = 0
        for _ in range(20):
            with crawlkit.start("run", *crawl.words, "--quiet") as process:
                time.sleep(chance.uniform(0.25, 0.6))
                process.send_signal(signal.SIGKILL)
                kills += process.wait() == -signal.SIGKILL
            if len(crawl.query("SELECT id FROM _runs WHERE finished")) > 1:
                break  # it was faster: one more crawl after this one, and the history of this one is still whole
        assert kills
        crawl.run()
        assert expected(site) == crawl.rows()
        changes = "SELECT change, count(*) FROM _history WHERE run > 1 GROUP BY 1"
        assert {"changed": len(others), "gone": len(away), "added": len(new)} == dict(crawl.query(changes))
        with Store.open_readonly(crawlkit.folder / "data" / "entries.db") as reports:
            assert [] == reports.check()
        crawl.run("--fresh")
        assert expected(site) == crawl.rows()

"""Checkup: whole runs on a site that is redesigned, and what the crawls before and after say. The judge is the database."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crawlkit import Spider
from crawlkit.crawl.checkup import checkup
from crawlkit.crawl.engine import Engine
from crawlkit.crawl.expect import Expect
from crawlkit.crawl.result import Result
from crawlkit.crawl.settings import ConfigFile, resolve_settings
from crawlkit.exceptions import ConfigError
from crawlkit.store.comparison import compare
from crawlkit.store.tallies import PastCrawl
from tests.crawl.loopback import Reply, Site, serving

ITEMS = 40


class Shop(Spider):
    name = "shop"
    key = "url"

    def parse(self, response: Any) -> Any:
        yield from response.follow_all("a.item", self.parse_item)

    def parse_item(self, response: Any) -> Any:
        yield {
            "url": response.url.rpartition("/")[2],
            "title": response.css("h1::text").get(),
            "price": response.css(".price::text").get(),
        }


class Bench:
    """A shop on loopback, crawled again and again into one database."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site = site
        self.db = folder / "shop.db"
        self.folder = folder
        self.expect: dict[str, Any] = {}
        self.stock()

    def stock(
        self, items: dict[str, str] | None = None, *, markup: str = "<p class=price>{}</p>", **pages: Any
    ) -> None:
        """Put items, name → price, on the site."""
        items = {f"{number}": f"{number} €" for number in range(ITEMS)} if items is None else items
        self.site.pages = {
            "/": "".join(f'<a class=item href="/item/{name}">x</a>' for name in items),
            **{f"/item/{name}": f"<h1>Item {name}</h1>{markup.format(price)}" for name, price in items.items()},
            **pages,
        }

    def run(self, *, times: int = 1, kind: type[Spider] = Shop, **arguments: str) -> Result:
        for _ in range(times):
            spider = kind()
            spider.start_urls, spider.expect = [self.site.url + "/"], self.expect
            settings = resolve_settings(ConfigFile(folder=self.folder), spider="shop")
            source = f"{self.folder}/shop.py::Shop"
            vault = self.folder / "sessions.db"
            result = Engine(spider, settings, db=self.db, source=source, vault=vault, arguments=arguments).run()
        return result


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with serving({}) as site:
        yield Bench(site, tmp_path)


def about(result: Result) -> list[str]:
    return [finding.about for finding in result.findings]


def test_a_class_that_was_renamed(bench: Bench) -> None:
    """Exit 6 names the column, what it was, what it is, since when, and a page to look at."""
    assert ("finished", 0) == ((calm := bench.run(times=3)).outcome, calm.exit_code)

    bench.stock(markup="<p class=cost>{}</p>")
    result = bench.run()

    assert ("unhealthy", 6, False) == (result.outcome, result.exit_code, result.resumable)
    assert ["column:items.price"] == about(result)
    assert "column 'price' of table 'items' is empty in 100 % of 40 rows, usually in 0 %, since run 4" in result.reason
    assert result.findings[0].example.startswith(bench.site.url + "/item/")
    assert "<p class=cost>" in Path(result.findings[0].kept).read_text()
    assert result.reason.endswith(f", kept in {bench.folder / 'shop.examples' / '4-1.html'}")


def test_it_stays_unhealthy_until_it_is_mended(bench: Bench) -> None:
    """The pages do not change after the redesign, so that a run parses none of them: the column is as empty as before."""
    bench.run(times=3)
    bench.stock(markup="<p class=cost>{}</p>")
    bench.run()

    again = bench.run()
    assert ("unhealthy", 4) == (again.outcome, again.findings[0].since)
    assert again.findings[0].kept.endswith("4-1.html"), "the page is the same: what was kept of it stays"

    bench.stock()
    assert "finished" == bench.run().outcome


def test_a_field_that_is_gone(bench: Bench) -> None:
    bench.run(times=3)
    bench.stock(markup="")
    assert ["column:items.price"] == about(bench.run())


def test_a_selector_that_died_on_the_only_page(bench: Bench) -> None:
    """All rows come from one listing: there is no second page to compare it with."""

    class Listing(Shop):
        def parse(self, response: Any) -> Any:
            for item in response.css("li"):
                yield {"url": item.css("a::text").get(), "price": item.css(".price::text").get()}

    def listing(markup: str) -> str:
        return "".join(f"<li><a>{number}</a><i class={markup}>{number} €</i>" for number in range(12))

    bench.site.pages = {"/": listing("price")}
    assert 0 == bench.run(times=3, kind=Listing).exit_code
    bench.site.pages = {"/": listing("cost")}
    result = bench.run(kind=Listing)
    assert (6, ["column:items.price"]) == (result.exit_code, about(result))


def test_a_login_wall(bench: Bench) -> None:
    """Every item leads to a login: named first, before what follows from it."""
    bench.run(times=3)
    walls = {f"/item/{name}": Reply("", 302, {"Location": "/login"}) for name in range(ITEMS)}
    bench.stock(**walls, **{"/login": "<form><input type=password name=p></form>"})

    result = bench.run()

    assert (6, "login:redirects") == (result.exit_code, about(result)[0])
    assert "40 of 41 pages were redirected to a login page, usually 0 %" in result.reason


def test_a_login_form_in_place_of_the_only_page(bench: Bench) -> None:
    """It comes before the items that are missing for it, although only the crawls' states show it."""

    class Front(Shop):
        def parse(self, response: Any) -> Any:
            yield from ({"url": each} for each in response.css("li::text").getall())

    bench.site.pages = {"/": "".join(f"<li>{number}" for number in range(12))}
    assert 0 == bench.run(times=3, kind=Front).exit_code
    bench.site.pages = {"/": "<form><input type=password name=p></form>"}
    assert "login:forms" == about(bench.run(kind=Front))[0]


def test_a_login_form_in_place_of_each_page(bench: Bench) -> None:
    bench.run(times=3)
    form = "<form><input type=password name=p></form>"
    bench.stock(**{"/": "".join(f'<a class=item href="/item/{name}">x</a>' for name in range(ITEMS))},
                **{f"/item/{name}": form for name in range(ITEMS)})  # fmt: skip
    bench.run()
    assert 6 == bench.run().exit_code


def test_a_listing_whose_links_are_not_found_any_more(bench: Bench) -> None:
    bench.run(times=3)
    bench.site.pages["/"] = str(bench.site.pages["/"]).replace("class=item", "class=entry")
    assert "type:parse.links" in about(bench.run())


def test_what_is_new_is_how_it_should_be(bench: Bench) -> None:
    """`since`: the past begins with the run that looked ill."""
    bench.run(times=3)
    bench.stock(markup="")
    assert 6 == bench.run().exit_code
    bench.expect = {"since": 4}
    assert [0, 0, 0] == [bench.run().exit_code for _ in range(3)]


def test_rules_hold_from_the_first_run_on(bench: Bench) -> None:
    bench.expect = {
        "min_items": {"items": 100},
        "required": {"price": 0.5, "items.title": 1},
        "max_failed": 0,
        "min_pages": 99,
    }
    bench.stock(markup="", **{"/item/3": Reply("", 500)})
    bench.expect["max_duration"] = 0
    result = bench.run()

    assert ("unhealthy", 6) == (result.outcome, result.exit_code)
    assert ["expect:min_items:items", "expect:required:items.price", "expect:max_failed", "expect:min_pages",
            "expect:max_duration"] == about(result)  # fmt: skip
    assert "table 'items' has 39 rows, expected: at least 100" in result.reason


def test_only_the_rules_when_nothing_is_to_be_learned(bench: Bench) -> None:
    bench.expect = {"learn": False, "may_be_empty": ["price"]}
    bench.run(times=3)
    bench.stock(markup="")
    assert 0 == bench.run().exit_code


def test_runs_with_other_arguments_are_not_compared(bench: Bench) -> None:
    bench.run(times=3, section="books")
    bench.stock(markup="")
    assert 0 == bench.run(section="music").exit_code


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ({"min_item": 1}, "there is no rule 'min_item'; did you mean 'min_items'?"),
        ({"xyz": 1}, "there is no rule 'xyz'; there are min_items, required"),
        ({"max_failed": 5}, "max_failed must be a share from 0 to 1, not 5"),
        ({"min_items": -1}, "min_items must be a number of rows"),
        ({"required": "price"}, "required must be a list of columns"),
        ({"required": [""]}, "required must be a list of columns"),
        ({"max_duration": "soon"}, "max_duration must be a duration"),
        ({"learn": 1}, "learn must be true or false"),
        (["min_items"], "it must be a table of rules"),
    ],
)
def test_rules_that_are_none(bench: Bench, expect: Any, said: str) -> None:
    """In the spider and in crawl.toml; before the first request."""
    bench.expect = expect
    with pytest.raises(ConfigError, match="expect of spider shop") as caught:
        bench.run()
    assert said in str(caught.value) and [] == bench.site.log()

    config = ConfigFile(folder=bench.folder, tables={"spiders": {"other": {"expect": expect}}})
    with pytest.raises(ConfigError, match=r"spiders\.other\.expect must be a table of rules") as caught:
        resolve_settings(config, spider="shop")
    assert said in str(caught.value) or expect == ["min_items"]


def test_a_resumed_crawl_is_judged_as_a_whole() -> None:
    """What its runs counted is added; a run that was killed left nothing."""

    def record(rows: int, price: int) -> dict[str, Any]:
        table = {"rows": rows, "pages": rows, "total": 100, "filled": {"url": rows, "price": price}, "examples": {}}
        return {"pages": {"done": rows, "parsed": rows}, "tables": {"items": table}}

    past = [PastCrawl(run, float(run), "finished", 100, 0, 60.0, [record(60, 60), record(40, 40)]) for run in (2, 4, 6)]
    now = PastCrawl(9, 9.0, None, 100, 0, 60.0, [record(50, 50)])

    assert [] == checkup(Expect(), now, past, record(40, 40))
    assert ["column:items.price"] == [each.about for each in checkup(Expect(), now, past, record(50, 0))]


# --- exact changes ------------------------------------------


@pytest.mark.parametrize("validators", [True, False])
def test_the_diff_of_a_changing_site_is_exact(bench: Bench, validators: bool) -> None:
    """150 items; 12 change, 7 are new, 9 go, one comes back as it was: the diff names exactly these."""
    chance = random.Random(validators)
    before = {f"{number}": f"{number} €" for number in range(150)}
    bench.stock(before)
    bench.run()
    gone = set(chance.sample(sorted(before), 9))
    changed = set(chance.sample(sorted(before.keys() - gone), 12))
    new = {f"new-{number}": "1 €" for number in range(7)}
    bench.stock(
        {name: "sale" if name in changed else price for name, price in before.items() if name not in gone} | new
    )
    assert 0 == bench.run().exit_code

    found = compare(bench.db).changes

    assert sorted(new) == sorted(each.row["url"] for each in found.added)
    assert sorted(gone) == sorted(each.row["url"] for each in found.gone)
    assert {name: {"price": (before[name], "sale")} for name in changed} == {
        each.row["url"]: dict(each.columns) for each in found.changed
    }

    bench.stock(before)
    bench.run()
    assert not compare(bench.db, (1, 3)).changes
    assert json.dumps(sorted(new)) == json.dumps(sorted(each.row["url"] for each in compare(bench.db).changes.gone))

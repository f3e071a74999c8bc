"""Health: a redesign is found and named, two hundred healthy histories raise no alarm."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from crawlkit.crawl.bounds import least_amount, longest_time, share_bound
from crawlkit.crawl.finding import Finding
from crawlkit.crawl.health import Facts, examine, with_states


def facts(run: int = 1, *, pages: int = 100, empty: float = 0.0, **more: Any) -> Facts:
    """A crawl of a shop: one listing, `pages` pages of items with a title and a price."""
    record: dict[str, Any] = {
        "pages": {"done": pages + 1, "failed": 0, "skipped": 0, "parsed": pages + 1},
        "statuses": {"200": pages + 1},
        "types": {
            "parse": {"pages": 1, "items": 0, "links": pages, "silent": 1},
            "parse_item": {"pages": pages, "items": pages, "links": 0, "silent": 0},
        },
        "tables": {
            "items": {
                "rows": pages,
                "pages": pages,
                "total": pages,
                "filled": {"title": pages, "price": pages - round(pages * empty)},
                "examples": {"price": "https://shop.example/1"},
            }
        },
        "walls": {},
    }
    for path, value in more.pop("put", {}).items():
        *way, last = path.split("/")
        at = record
        for name in way:
            at = at.setdefault(name, {})
        at[last] = value
    return Facts(run, float(run), **{"done": pages + 1, "failed": 0, "seconds": 60.0, "record": record} | more)


def about(found: list[Finding]) -> list[str]:
    return [finding.about for finding in found]


PAST = [facts(run) for run in range(1, 6)]


def test_a_site_that_is_as_ever() -> None:
    assert [] == examine(facts(), PAST)
    assert [] == examine(facts(pages=90, empty=0.03), PAST)


def test_nothing_is_said_of_two_runs() -> None:
    assert [] == examine(facts(empty=1.0), PAST[:2])


def test_a_column_that_fell_silent_is_named_with_an_example() -> None:
    [finding] = examine(facts(empty=1.0), PAST[:3])

    assert "column:items.price" == finding.about
    assert "column 'price' of table 'items' is empty in 100 % of 100 rows, usually in 0 %" == finding.text
    assert "https://shop.example/1" == finding.example
    assert finding.first_in(4, 4.0).sentence.endswith(
        "rows, usually in 0 %, since run 4; look at https://shop.example/1"
    )


def test_a_field_that_is_gone_altogether() -> None:
    """The spider yields rows without it; the other columns are as ever."""
    assert ["column:items.price"] == about(examine(facts(put={"tables/items/filled": {"title": 100}}), PAST))


def test_a_column_that_may_be_empty() -> None:
    assert [] == examine(facts(empty=1.0), PAST, ignored=frozenset({"items.price"}))
    assert [] == examine(facts(empty=1.0), PAST, ignored=frozenset({"price"}))
    assert [] == examine(facts(empty=1.0), [facts(empty=share) for share in (0.9, 0.95, 0.92)])


@pytest.mark.parametrize("pages", [1, 2])
def test_one_or_two_changed_pages_prove_nothing(pages: int) -> None:
    """An incremental run parses what changed: that may be the two pages that never had a price."""
    past = [facts(empty=0.05) for _ in range(5)]
    few = {"tables/items/rows": pages, "tables/items/pages": pages, "tables/items/filled": {"title": pages}}

    assert [] == examine(facts(put=few), past)


def shelf(*filled: int, pages: int = 1, rows: int = 20, total: int = 20) -> list[Facts]:
    """Crawls of a table that comes from one page, or a few, with so many prices each."""
    tables = [{"rows": rows, "pages": pages, "total": total, "filled": {"title": rows, "price": n}} for n in filled]
    return [facts(run, put={"tables/items": table}) for run, table in enumerate(tables)]


@pytest.mark.parametrize("pages", [1, 2, 4])
def test_a_column_of_a_table_that_comes_from_one_page(pages: int) -> None:
    """The page is no sample: what is said of its rows is said of all there are."""
    *past, now = shelf(20, 20, 20, 0, pages=pages)
    assert ["column 'price' of table 'items' is empty in 100 % of 20 rows, usually in 0 %"] == [
        finding.text for finding in examine(now, past)
    ]
    assert [] == examine(shelf(5, pages=pages)[0], past)
    assert [] == examine(now, shelf(20, 2, 20, pages=pages)), "it was like that before"


def test_a_few_rows_of_many_are_a_sample() -> None:
    """One page of twenty that are like it was parsed, time and again another one."""
    *past, now = shelf(20, 20, 20, 0, total=400)
    assert [] == examine(now, past)
    *past, now = shelf(*[2] * 9, 0, rows=2, total=2)
    assert [] == examine(now, past), "two rows are few, whatever they are a part of"


def test_a_login_before_the_only_page() -> None:
    """Named, and before what follows from it."""
    past = [facts(run, put={"pages": {"done": 1, "parsed": 1}}) for run in range(3)]
    for kind in ("redirects", "forms"):
        walled = facts(put={"pages": {"done": 1, "parsed": 1}, f"walls/{kind}": 1})
        assert f"login:{kind}" == about(examine(walled, past))[0]
        assert [] == examine(walled, [*past, walled])


def test_a_login_wall() -> None:
    """Pages are redirected to a login, or show its form in their place."""
    redirected = facts(put={"walls/redirects": 80, "walls/example": "https://shop.example/7"})
    assert "80 of 101 pages were redirected to a login page, usually 0 %" == examine(redirected, PAST)[0].text
    assert "https://shop.example/7" == examine(redirected, PAST)[0].example
    assert "login:forms" == about(examine(facts(put={"walls/forms": 80}), PAST))[0]
    assert [] == examine(redirected, [redirected, redirected, redirected])


def test_pages_that_give_no_item_any_more() -> None:
    silent = {
        "types/parse_item/silent": 100,
        "types/parse_item/items": 0,
        "types/parse_item/example": "https://x.example/",
    }
    [finding] = examine(facts(put=silent), PAST)
    assert ("type:parse_item.items", "https://x.example/") == (finding.about, finding.example)
    assert "100 % of the 100 pages for parse_item() gave no item, usually 0 %" == finding.text


def test_a_listing_that_links_to_nothing_any_more() -> None:
    found = examine(facts(put={"types/parse/links": 0}), PAST)
    assert ["type:parse.links"] == about(found)
    assert "the pages for parse() gave 0.0 links each, usually 100.0" == found[0].text


def test_counts_that_drop() -> None:
    found = examine(facts(pages=20), PAST)
    assert ["type:parse.links", "table:items", "pages"] == about(found)
    assert "table 'items' has 20 rows, usually 100" == found[1].text
    few = [finding.text for finding in examine(facts(pages=1, done=1), PAST)]
    assert {"table 'items' has 1 row, usually 100", "1 page was done, usually 101"} <= set(few)


def test_failures_and_statuses() -> None:
    found = examine(
        facts(failed=60, put={"pages/done": 41, "pages/failed": 60, "statuses": {"200": 41, "403": 60}}), PAST
    )
    assert ["failed", "status:403"] == about(found)
    assert "59 % of the answers had status 403, usually 0 %" == found[1].text


def test_a_crawl_that_takes_for_ever() -> None:
    assert ["it took 1 h 00 min, usually 1 min 00 s"] == [each.text for each in examine(facts(seconds=3600.0), PAST)]
    assert [] == examine(facts(seconds=100.0), PAST)


def test_growth_is_no_finding() -> None:
    assert [] == examine(facts(pages=1000), PAST)


def test_crawls_without_a_record_say_nothing() -> None:
    """Those of an older version, or killed in each of their runs."""
    bare = [Facts(run, float(run), 101, 0, 60.0) for run in range(5)]
    assert [] == examine(facts(), bare)
    assert [] == examine(Facts(9, 9.0, 101, 0, 60.0), bare)


# --- noise ------------------------------------------

Site = Callable[[random.Random, int], Facts]


def _noisy(chance: random.Random) -> Site:
    """A healthy site with habits of its own: size, growth, weekends, empty columns, errors, bad days, incremental runs."""
    size = round(10 ** chance.uniform(1, 4))
    growth, weekend = chance.uniform(-0.01, 0.02), chance.choice([1.0, 1.0, 0.7, 0.5])
    swing, empties = chance.choice([0.01, 0.05, 0.1, 0.2]), [chance.betavariate(0.6, 3) for _ in range(6)]
    wander = chance.choice([0.005, 0.02, 0.05])
    failing, bad_day = chance.choice([0.0, 0.005, 0.03]), chance.choice([0.0, 0.1])
    parsed_share = chance.choice([1.0, 1.0, 0.05])
    item_noise, links = chance.choice([0.0, 0.1, 0.3]), chance.choice([0, 5, 40])
    seconds, slowness = 10 ** chance.uniform(0, 4), chance.choice([0.05, 0.2, 0.5])

    def crawl(chance: random.Random, run: int) -> Facts:
        day = weekend if run % 7 in (5, 6) else 1.0
        pages = max(1, round(size * (1 + growth) ** run * day * chance.lognormvariate(0, swing)))
        share = failing * chance.lognormvariate(0, 0.7) + (
            chance.uniform(0.05, 0.12) if chance.random() < bad_day else 0
        )
        failed = sum(chance.random() < share for _ in range(min(pages, 2_000))) * max(1, pages // 2_000)
        parsed = max(1, round(pages * parsed_share * chance.lognormvariate(0, 0.5))) if parsed_share < 1 else pages
        filled = {}
        for column, empty in enumerate(empties):
            usual = min(1.0, max(0.0, chance.gauss(empty, wander)))
            draws = min(parsed, 400)
            filled[f"c{column}"] = parsed * sum(chance.random() >= usual for _ in range(draws)) / draws
        silent = sum(chance.random() < empties[0] for _ in range(min(parsed, 400))) * max(1, parsed // 400)
        items = (parsed - silent) * 5 * chance.lognormvariate(0, item_noise)
        record = {
            "pages": {"done": pages - failed, "failed": failed, "parsed": parsed, "unchanged": pages - failed - parsed},
            "statuses": {"200": pages - failed, "500": failed},
            "types": {
                "parse": {"pages": parsed, "items": items, "links": links * parsed, "silent": min(parsed, silent)}
            },
            "tables": {"items": {"rows": parsed, "pages": parsed, "total": pages, "filled": filled}},
            "walls": {"redirects": min(pages, int(chance.random() < 0.05))},
        }
        return Facts(run, float(run), pages - failed, failed, seconds * chance.lognormvariate(0, slowness), record)

    return crawl


def alarms(
    histories: int, seed: int, runs: int = 20, kind: Callable[[random.Random], Site] | None = None
) -> list[tuple[int, str]]:
    """Every run of every history is judged by those before it."""
    found = []
    for number in range(histories):
        chance = random.Random(f"{seed}-{number}")
        site = (kind or _noisy)(chance)
        crawls = [site(chance, run) for run in range(runs)]
        for each in (crawls, with_states(crawls)):
            for run in range(runs):
                found += [(number, finding.text) for finding in examine(each[run], each[:run])]
    return found


def _restless_shelf(chance: random.Random) -> Site:
    """A healthy site of one page to four, whose rows are alike within a page and other ones tomorrow."""
    pages, rows = chance.randint(1, 4), chance.choice([1, 4, 10, 30, 100])
    empties, alike = [chance.betavariate(0.6, 3) for _ in range(6)], chance.choice([5.0, 20.0, 100.0])

    def crawl(chance: random.Random, run: int) -> Facts:
        there = [max(1, round(rows * chance.lognormvariate(0, 0.2))) for _ in range(pages)]
        filled = {"url": sum(there)}
        for column, empty in enumerate(empties):
            usual = [chance.betavariate(alike * empty + 1e-9, alike * (1 - empty) + 1e-9) for _ in there]
            filled[f"c{column}"] = sum(
                sum(chance.random() >= share for _ in range(many)) for many, share in zip(there, usual, strict=True)
            )
        table = {"rows": sum(there), "pages": pages, "total": sum(there), "filled": filled}
        record = {"pages": {"done": pages, "parsed": pages}, "statuses": {"200": pages}, "tables": {"items": table}}
        return Facts(run, float(run), pages, 0, 10.0, record)

    return crawl


def test_200_healthy_sites_of_a_handful_of_pages() -> None:
    assert len({history for history, _ in alarms(200, 3, runs=10, kind=_restless_shelf)}) <= 1


def test_200_healthy_histories_raise_at_most_one_alarm() -> None:
    """Of eight runs each: 1,000 runs are judged, by what they parsed and by what they left."""
    assert len(alarms(200, 1, runs=8)) <= 1


@pytest.mark.slow
def test_2000_healthy_histories() -> None:
    """Ten times as many, of twenty runs: the bound is no luck of one seed."""
    assert len({history for history, _ in alarms(2_000, 2)}) <= 20


def test_a_column_that_falls_silent_on_any_of_these_sites_is_found() -> None:
    """Sensitivity beside specificity: of sites that parse all their pages and fill the column at least half the time."""
    missed = []
    for number in range(60):
        chance = random.Random(f"redesign-{number}")
        site = _noisy(chance)
        past = [site(chance, run) for run in range(6)]
        now = site(chance, 6)
        table = now.record["tables"]["items"]
        usual = table["filled"]["c1"] / table["rows"]
        if table["pages"] < 15 or usual < 0.6:
            continue
        table["filled"]["c1"] = 0
        if "column:items.c1" not in about(examine(now, past)):
            missed.append((number, table["pages"], usual))
    assert [] == missed


# --- bounds ------------------------------------------


def test_shares() -> None:
    assert None is share_bound([(0, 100)] * 2, (100, 100))
    assert None is share_bound([(0, 100)] * 3, (0, 0))
    assert None is share_bound([(0, 0)] * 9, (9, 9))
    assert None is share_bound([(5, 100)] * 3, (10, 100))
    usual, bound = share_bound([(5, 100)] * 3, (60, 100)) or (0, 0)
    assert (0.05, True) == (usual, 0.15 < bound < 0.6)


def test_amounts() -> None:
    assert None is least_amount([100] * 2, 0)
    assert None is least_amount([100, 0, 100, 100], 0)
    assert None is least_amount([100] * 5, 60)
    assert None is not least_amount([100] * 5, 30)
    assert None is not least_amount([1, 10_000, 100, 3], 0)


def test_times() -> None:
    assert None is longest_time([1.0] * 2, 1e9)
    assert None is longest_time([1.0] * 3, 50.0)
    assert None is not longest_time([100.0] * 10, 4_000.0)

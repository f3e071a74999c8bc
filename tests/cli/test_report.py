"""report: a page about a run that a person likes to read, whatever a site wrote into it; looked at in a real browser."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from crawlkit.cli.charts import columns, meter
from crawlkit.cli.markup import document, link
from tests.cli.pictures import Picture, photograph
from tests.conftest import Command
from tests.store.desk import INTERRUPTED, Desk, Ended, row

NASTY = "<script>alert(1)</script>\x1b[2J\u202e'\"&"
LONG = "https://shop.example/" + "a-very-long-path/" * 12


def tally(**more: Any) -> dict[str, Any]:
    """What a run of a shop left, with as much of everything as makes a page."""
    return {
        "pages": {"done": 90, "failed": 4, "skipped": 6, "parsed": 90},
        "statuses": {"200": 90, "404": 6, "500": 4},
        "failures": {"http 500": 3, NASTY: 1},
        "skips": {"gone": 6},
        "not_followed": {"offsite": 12},
        "examples": {"failures:http 500": LONG, "skips:gone": "javascript:alert(1)"},
        "types": {"parse": {"pages": 10, "items": 0, "links": 80, "silent": 10}, NASTY: {"pages": 80, "items": 80}},
        "tables": {
            "items": {
                "rows": 80, "pages": 80, "total": 80,
                "filled": {"title": 80, "price": 12, NASTY: 1}, "examples": {"gone": LONG},
            }
        },
        "walls": {"example": ""},
        "hosts": {"shop.example:443": {"pages": 100, "failed": 4, "bytes": 2_000_000, "milliseconds": 9_000}},
        "slow": [[2.5, LONG], [1.0, "https://shop.example/b"]],
        "times": [5, 40, 30, 10, 5, 1, 0, 1, 0, 0, 0, 0],
        "timeline": {"seconds": 2.0, "slices": [[8, 0], [14, 0], [20, 4], [18, 0], [19, 0], [21, 0]]},
        "findings": [],
    } | more  # fmt: skip


FINDING = {
    "about": "column:items.price", "text": f"column 'price' of table 'items' is empty in 85 % of 80 rows {NASTY}",
    "was": "0 %", "now": "85 %", "example": LONG, "since": 3, "since_at": 1_800_000_000.0,
    "kept": f"/home/{NASTY}/data/shop.examples/4-1.html",
}  # fmt: skip


@pytest.fixture
def crawled(crawlkit: Command) -> Command:
    """The database of a shop with four runs, of which the last is unhealthy and one was cut off."""
    desk = Desk(crawlkit.folder / "data" / "shop.db")
    for number in range(3):
        desk.crawl("a", *(row(key=("url",), url=f"{each}", title=NASTY, price=number) for each in range(number, 8)))
        desk.store.end_run(Ended(), tally())
        desk.run = desk.store.begin_run()
    desk.crawl("a", row(key=("url",), url="7", title=LONG, price=9), row(key=("url",), url="new", title="x", price=1))
    desk.crawl("b", state="failed", status=500, error=f"http 500: {NASTY}")
    desk.store.end_run(Ended("unhealthy", "the column is empty", 6), tally(findings=[FINDING]))
    desk.run = desk.store.begin_run()
    desk.store.end_run(INTERRUPTED)
    desk.store.close()
    return crawlkit


@pytest.fixture
def page(crawled: Command) -> Path:
    crawled("report", "shop", "4", "-o", "report.html")
    return crawled.folder / "report.html"


class _Tags(HTMLParser):
    """Every tag and what could load or run something."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in ("meta", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "rect":
            assert tag == self.open.pop()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(text: str) -> _Tags:
    tags = _Tags()
    tags.feed(text)
    assert [] == tags.open
    return tags


def test_it_holds_all_of_itself_and_runs_nothing(page: Path) -> None:
    """No script, no picture, no style from elsewhere or in an attribute; its policy would stop them."""
    tags = parsed(page.read_text())

    assert not tags.names & {"script", "img", "link", "iframe", "object", "embed", "form", "base", "video", "audio"}
    assert not [name for name, _ in tags.attributes if name.startswith("on") or name in ("style", "src", "srcset")]
    assert {"https:"} == {value.partition("//")[0] for name, value in tags.attributes if name == "href"}
    policy = next(value for name, value in tags.attributes if "default-src" in value)
    assert re.fullmatch(r"default-src 'none'; style-src 'sha256-[\w+/=]+'; base-uri 'none'; form-action 'none'", policy)
    assert "url(" not in page.read_text() and "@import" not in page.read_text()


def test_what_a_site_wrote_is_text(page: Path) -> None:
    assert "<script>alert(1)</script>\\x1b[2J\\u202e'\"&" in parsed(page.read_text()).text


def test_a_secret_in_an_address_is_not_passed_on() -> None:
    """By its name, for the sessions that knew it are gone. What is left of the address leads nowhere."""
    for secret in ("https://shop.example/a?token=hush-hush-1&page=2", "https://me:hush-hush-1@shop.example/a?page=2"):
        told = link(secret)
        assert "hush-hush-1" not in told and "[redacted]" in told and "page=2" in told and "href" not in told
    assert 'href="https://shop.example/a?page=2"' in link("https://shop.example/a?page=2")


def test_it_tells_what_happened(page: Path) -> None:
    text = parsed(page.read_text()).text
    for told in (
        "unhealthy", "column 'price' of table 'items' is empty in 85 %", "Since run 3 of", "at most 21 pages in 2.0 s",
        "Against its past", "Rows of items", "15 %", "0 %", "http 500", "shop.example:443", "2.50 s", "offsite",
        "data/shop.examples/4-1.html", "Changes since the run before", "changed", "Earlier runs",
    ):  # fmt: skip
        assert told in text, told


def test_a_run_that_left_nothing(crawled: Command) -> None:
    """Cut off at once, or written by an older version: what is known is told."""
    crawled("report", "shop")
    text = parsed((crawled.folder / "shop.5.html").read_text()).text
    assert "interrupted" in text and "Response times" not in text


def test_where_it_goes(crawled: Command) -> None:
    """A file, standard output, never the database."""
    line = json.loads(crawled("report", "--db", "data/shop.db", "2", "-o", "a.html", "--json").stdout)
    assert (2, ["a.html"], 0) == (line["run"], line["files"], line["exit_code"])
    assert crawled("report", "shop", "2", "-o", "-").stdout == (crawled.folder / "a.html").read_text()
    assert "is the database" in crawled("report", "shop", "-o", "data/shop.db", exit_code=2).stderr
    assert "no folder" in crawled("report", "shop", "-o", "x/y.html", exit_code=2).stderr
    assert "standard output" in crawled("report", "shop", "-o", "-", "--json", exit_code=2).stderr
    assert "there is no run 9; there are 1, 2, 3, 4, 5" in crawled("report", "shop", "9", exit_code=2).stderr


def test_pictures_of_nothing_and_of_too_much() -> None:
    assert "" == columns([], label="none")
    assert 'height="0.0"' in columns([0], label="zero")
    assert 'width="100.0"' in meter(7.0) and 'width="0.0"' in meter(-1)


# --- looked at ------------------------------------------


def _margins(picture: Picture) -> list[set[tuple[int, ...]]]:
    """The outermost columns of pixels."""
    return [picture.column(x) for x in (0, 3, picture.width - 4, picture.width - 1)]


def _brightness(picture: Picture) -> float:
    return sum(picture.pixel(1, 1)) / 3


@pytest.mark.slow
@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 1400)], ids=["desktop", "phone"])
@pytest.mark.parametrize("what", ["report", "diff"])
def test_looked_at(crawled: Command, page: Path, tmp_path: Path, what: str, width: int, height: int) -> None:
    """Light and dark; nothing sticks out at the sides; there is something to see."""
    if what == "diff":
        crawled("diff", "shop", "2", "4", "--html", "diff.html")
        page = crawled.folder / "diff.html"
    light, dark = (photograph(page, tmp_path, width=width, height=height, dark=each) for each in (False, True))

    for picture in (light, dark):
        assert (width, height) == (picture.width, picture.height)
        assert len(picture.colours()) > 40
        assert [{picture.pixel(0, 0)}] * 4 == _margins(picture)
    assert _brightness(light) > 200 and _brightness(dark) < 60


@pytest.mark.slow
def test_what_sticks_out_is_seen(tmp_path: Path) -> None:
    """The look at the margins sees a page that is too wide."""
    wide = tmp_path / "wide.html"
    wide.write_text(document("wide", "<section><table><tr><td>" + "x" * 50 + "</td>" * 40 + "</tr></table></section>")
                    .replace("overflow-wrap: anywhere", "white-space: nowrap"))  # fmt: skip
    wide.write_text(re.sub(r"<meta http-equiv[^>]*>", "", wide.read_text()))
    picture = photograph(wide, tmp_path, width=390, height=300, dark=False)
    assert [{picture.pixel(0, 0)}] * 4 != _margins(picture)

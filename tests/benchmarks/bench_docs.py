"""The docs crawl: crawlkit against Scrapy, the same pages and the same items, whole processes, in turns.

    pip install -e '.[bench]' && python tests/benchmarks/bench_docs.py [--rounds 5]

Needs Debian's nginx and python3-doc. Prints both medians in pages a second and their ratio.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.servers import DocsSite, serve_docs  # noqa: E402 - the folder above is not a package

Row = tuple[str, str, str | None, int]

# Set only what makes the two alike: 16 requests at a time, 8 to a host (crawlkit's own figures on loopback), robots.txt
# obeyed, no delay, no log lines for pages.
SCRAPY = """
from scrapy.linkextractors import LinkExtractor
from scrapy.spiders import CrawlSpider, Rule

def spaced(text):
    return " ".join(text.split())

class Docs(CrawlSpider):
    name = "docs"
    start_urls = [{url!r}]
    rules = [Rule(LinkExtractor(allow={base!r}), callback="parse_item", follow=True)]
    custom_settings = {{
        "CONCURRENT_REQUESTS": 16, "CONCURRENT_REQUESTS_PER_DOMAIN": 8, "DOWNLOAD_DELAY": 0,
        "ROBOTSTXT_OBEY": True, "TELNETCONSOLE_ENABLED": False,
    }}

    def parse_start_url(self, response):
        return self.parse_item(response)

    def parse_item(self, response):
        heading = response.css("h1")
        yield {{
            "url": response.url,
            "title": spaced(response.css("title::text").get("")),
            "heading": spaced("".join(heading[0].css("*::text").getall())).removesuffix("¶") if heading else None,
            "links": len(response.css("a[href]")),
        }}
"""


def crawlkit(site: DocsSite, folder: Path) -> tuple[float, set[Row]]:
    """Seconds of one whole run of spiders/docs.py, and its rows."""
    words = [sys.executable, "-m", "crawlkit", "run", str(ROOT / "spiders/docs.py"), "-a", f"start={site.url}"]
    seconds = timed([*words, "--db", "docs.db", "--quiet"], folder)
    database = sqlite3.connect(folder / "docs.db")
    rows = set(database.execute("SELECT url, title, heading, links FROM items"))
    database.close()
    return seconds, rows


def scrapy(site: DocsSite, folder: Path) -> tuple[float, set[Row]]:
    """Seconds of one whole run of Scrapy with a LinkExtractor, and its rows."""
    (folder / "spider.py").write_text(SCRAPY.format(url=site.url, base=f"^{site.base}"), encoding="utf-8")
    seconds = timed(
        [sys.executable, "-m", "scrapy", "runspider", "-L", "ERROR", "spider.py", "-O", "items.jsonl"], folder
    )
    lines = (folder / "items.jsonl").read_text(encoding="utf-8").splitlines()
    return seconds, {(row["url"], row["title"], row["heading"], row["links"]) for row in map(json.loads, lines)}


def timed(words: list[str], folder: Path) -> float:
    started = time.perf_counter()
    subprocess.run(words, cwd=folder, check=True)
    return time.perf_counter() - started


def main() -> None:
    """Measure in turns and print the medians and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="runs of each (default 5)")
    rounds = parser.parse_args().rounds
    times: dict[str, list[float]] = {"crawlkit": [], "scrapy": []}
    with tempfile.TemporaryDirectory() as base, serve_docs(Path(base)) as site:
        rows: dict[str, set[Row]] = {}
        for turn in range(rounds):
            for name, crawl in (("crawlkit", crawlkit), ("scrapy", scrapy)):
                folder = Path(base) / f"{name}-{turn}"
                folder.mkdir()
                seconds, rows[name] = crawl(site, folder)
                times[name].append(seconds)
            if rows["crawlkit"] != rows["scrapy"]:
                odd = sorted(rows["crawlkit"] ^ rows["scrapy"])[:4]
                sys.exit(f"the two did not yield the same items: {odd}")
        pages = len(rows["crawlkit"])
    median = {name: statistics.median(seconds) for name, seconds in times.items()}
    for name, seconds in median.items():
        print(f"{name:9} {pages} pages in {seconds:.2f} s (median of {rounds}): {pages / seconds:.0f} pages/s")
    print(f"ratio     {median['scrapy'] / median['crawlkit']:.1f}")


if __name__ == "__main__":
    main()

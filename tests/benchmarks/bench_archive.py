"""The docs crawl with an archive and without, and as a member with secrets to take out: whole processes, in turns.

    python tests/benchmarks/bench_archive.py [--rounds 5]

Needs Debian's nginx and python3-doc. Prints the medians in pages a second, of the crawl up to its last page and of the
whole process with the package, and what of the crawl's throughput is left with an archive (the aim is 70 %).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
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

WAYS = ("plain", "archive", "archive, 40 secrets")
AIM = 0.7


def crawl(site: DocsSite, folder: Path, way: str) -> tuple[float, float, float, int]:
    """Seconds of one whole process, of its crawl up to the last page, and of CPU that it took; pages that were done."""
    words = [sys.executable, "-m", "crawlkit", "run", str(ROOT / "spiders/docs.py"), "-a", f"start={site.url}"]
    words += ["--db", "docs.db", "--json", "--set", "crawl.robots=false"]
    if way != "plain":
        words += ["--archive", "docs.wacz"]
    environment = dict(os.environ)
    if "secrets" in way:
        names = [f"SECRET_{number}" for number in range(40)]
        environment |= {name: f"a-secret-value-{name}-0123456789" for name in names}
        words += ["--set", f"archive.secrets={json.dumps(names)}"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True, env=environment)
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    burnt = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    [(crawled,)] = sqlite3.connect(folder / "docs.db").execute("SELECT last_commit - started FROM _runs")
    return seconds, crawled, burnt, json.loads(done.stdout)["pages"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    whole: dict[str, list[float]] = {way: [] for way in WAYS}
    runs: dict[str, list[float]] = {way: [] for way in WAYS}
    burnt: dict[str, list[float]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as served, serve_docs(Path(served)) as site:
        for _ in range(rounds):
            for way in WAYS:
                with tempfile.TemporaryDirectory() as folder:
                    seconds, crawled, cpu, pages = crawl(site, Path(folder), way)
                whole[way].append(pages / seconds)
                runs[way].append(pages / crawled)
                burnt[way].append(cpu)
    base = statistics.median(runs["plain"])
    for way in WAYS:
        rate, total = statistics.median(runs[way]), statistics.median(whole[way])
        print(
            f"{way:<22}{rate:8.0f} pages/s  {rate / base:6.0%}   whole process {total:6.0f} pages/s,"
            f" {statistics.median(burnt[way]):5.2f} s of CPU"
        )
    worst = min(statistics.median(runs[way]) for way in WAYS) / base
    print(f"with an archive {worst:.0%} of the throughput without (aim {AIM:.0%})")


if __name__ == "__main__":
    main()

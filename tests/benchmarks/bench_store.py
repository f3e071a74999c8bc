"""How fast the store commits, lends and starts, and what memory a large frontier takes.

    python tests/benchmarks/bench_store.py commits            pages of 1 item and 20 new links, groups of 1 and 64
    python tests/benchmarks/bench_store.py frontier 1000000   adding, leases (p50, p99, worst), start, memory

Prints one JSON line for each measurement. Times are seconds unless the name says otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from crawlkit.store.database import Store
from crawlkit.store.outcome import Lease, Link, Outcome, Row

LINKS = 20
HOSTS = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["commits", "frontier"])
    parser.add_argument("size", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--dir", type=Path, default=None, help="folder for the database; a disk, not memory")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.dir) as folder:
        if options.what == "commits":
            for group in (1, 64):
                measure_commits(Path(folder) / f"group{group}.db", pages=8_000 if group > 1 else 2_000, group=group)
        else:
            measure_frontier(Path(folder) / "frontier.db", options.size)


def measure_commits(path: Path, *, pages: int, group: int) -> None:
    """Pages with 1 item and 20 links that nobody has met."""
    with open_store(path) as store:
        run = store.begin_run().id
        store.add([new_link(n, "start.example:80") for n in range(pages)], run)
        leases = [lease for _ in range(pages) for lease in store.claim("start.example:80", group, time.time())]
        outcomes = [outcome_of(lease, pages + number * LINKS) for number, lease in enumerate(leases)]
        started = time.perf_counter()
        for start in range(0, len(outcomes), group):
            store.commit(outcomes[start : start + group])
        seconds = time.perf_counter() - started
        report("commits", group=group, pages=len(outcomes), pages_per_second=round(len(outcomes) / seconds))


def measure_frontier(path: Path, size: int) -> None:
    """A frontier of `size` queued pages: filled by commits' link lists, opened again, lent out from."""
    before = resident_bytes()
    with open_store(path) as store:
        run = store.begin_run().id
        started = time.perf_counter()
        slowest = 0.0
        for batch in batches(size, 64 * LINKS):
            at = time.perf_counter()
            store.add(batch, run)
            slowest = max(slowest, time.perf_counter() - at)
        seconds = time.perf_counter() - started
        report("add", links=size, links_per_second=round(size / seconds), slowest=round(slowest, 3))
    report("file", megabytes=round(path.stat().st_size / 2**20), bytes_a_link=round(path.stat().st_size / size))
    started = time.perf_counter()
    with open_store(path) as store:
        run = store.begin_run().id
        hosts = store.hosts_waiting()
        report("start", seconds=round(time.perf_counter() - started, 3), hosts=len(hosts))
        times = []
        for number in range(5_000):
            host = hosts[number % len(hosts)]
            at = time.perf_counter()
            leases = store.claim(host, 8, time.time())
            times.append(time.perf_counter() - at)
            if number % 8 == 0:
                store.commit([outcome_of(lease, size + number * 400 + n * LINKS) for n, lease in enumerate(leases)])
        times.sort()
        report(
            "lease",
            p50_ms=round(times[len(times) // 2] * 1000, 3),
            p99_ms=round(times[len(times) * 99 // 100] * 1000, 3),
            worst_ms=round(times[-1] * 1000, 1),
        )
        at = time.perf_counter()
        totals = store.reports.totals()
        report("totals", seconds=round(time.perf_counter() - at, 4), queued=totals["queued"])
    report("memory", megabytes=round((resident_bytes() - before) / 2**20), peak=peak_megabytes())


def open_store(path: Path) -> Store:
    return Store.open(path, spider="bench", source="bench_store.py::Bench")


def outcome_of(lease: Lease, first_link: int) -> Outcome:
    row = Row("items", {"url": lease.url, "title": f"The title of {lease.page}", "price": 12.5, "stock": lease.page})
    links = [new_link(first_link + number, "start.example:80") for number in range(LINKS)]
    return Outcome(
        lease.page,
        lease.run,
        "done",
        200,
        page_key=lease.fingerprint,
        fetched_at=1.0,
        size=90_000,
        rows=[row],
        links=links,
    )


def new_link(number: int, host: str) -> Link:
    return Link(os.urandom(16), f"https://{host}/threads/{number}/a-page-of-usual-length", host, depth=1)


def batches(size: int, length: int) -> Iterator[list[Link]]:
    for start in range(0, size, length):
        yield [new_link(n, f"host{n % HOSTS}.example:443") for n in range(start, min(size, start + length))]


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def peak_megabytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def report(what: str, **figures: object) -> None:
    print(json.dumps({"what": what, **figures}), flush=True)


if __name__ == "__main__":
    main()

"""How much faster a replay is than the run that it replays: python tests/benchmarks/bench_replay.py [PAGES]

A demo shop on loopback that takes 50 ms for an answer, 16 workers and 16 connections; both commands as a user runs them,
process start included. Printed are the seconds of each, their ratio, and whether the items are the same.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from crawlkit.testing import demo_site

SPIDER = Path(__file__).resolve().parent.parent.parent / "spiders" / "site.py"
LATENCY_SECONDS = 0.05
WORKERS = 16


def crawlkit(folder: Path, *words: str) -> tuple[dict[str, Any], float]:
    """The command's JSON line, and how many seconds the process took."""
    command = [str(Path(sys.executable).with_name("crawlkit")), *words, "--json"]
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - started
    line: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return line, seconds


def main(pages: int = 500) -> None:
    """Run, replay, print."""
    books = pages * 20 // 21  # twenty to a page of the listing
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "crawl.toml").write_text(
            f"[store]\nbodies = true\n[crawl]\nworkers = {WORKERS}\nper_host = {WORKERS}\n"
        )
        spider = folder / "site.py"
        spider.write_text(SPIDER.read_text())
        with demo_site(port=0, books=books, latency_seconds=LATENCY_SECONDS) as site:
            run, run_seconds = crawlkit(folder, "run", "site.py", "-a", f"base={site.url}")
        replay, replay_seconds = crawlkit(folder, "replay", "bookshop")  # nothing answers any more
    same = not (replay["added"] or replay["changed"] or replay["gone"]) and replay["items"] == run["items"]
    print(
        f"run     {run['pages']:6} pages  {run['elapsed']:7.2f} s  process {run_seconds:7.2f} s  {run['items']} items"
    )
    print(
        f"replay  {replay['pages']:6} pages  {replay['elapsed']:7.2f} s  process {replay_seconds:7.2f} s"
        f"  items {'the same' if same else 'DIFFERENT'}"
    )
    ratio, whole = run["elapsed"] / replay["elapsed"], run_seconds / replay_seconds
    print(f"replay is {ratio:.1f} times as fast, process start included {whole:.1f} times")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

"""Survival: killed at any instant, a crawl loses nothing, has nothing twice, and goes on."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crawlkit.store.database import Store
from tests.store.killed_crawl import FAMILIES

ROOT = Path(__file__).resolve().parents[2]

#: Pages that one process has under way at most: killed_crawl claims so many.
UNDER_WAY = 8


def crawl_with_kills(path: Path, log: Path, *, pages: int, kills: int, longest: float) -> int:
    """Crawl, kill at random instants, and at last let it end; how many kills there were."""
    chance = random.Random(1)
    for done in range(100 * kills):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.store.killed_crawl", str(path), str(log), str(pages), str(done)],
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        assert process.stdout
        with process, process.stdout:
            assert b"ready\n" == process.stdout.readline()
            if done < kills:
                time.sleep(chance.uniform(0, longest))
                process.kill()
            code = process.wait(60)
        if code == 0 or finished(path):
            return done
        assert -9 == code
    raise AssertionError("it never came to its end")


def finished(path: Path) -> bool:
    """Whether the last run wrote down its end: a kill after that is none."""
    with Store.open_readonly(path) as reports:
        return reports.runs(1)[0].finished


def assert_whole(path: Path, log: Path, *, pages: int, kills: int | None) -> None:
    with Store.open_readonly(path) as reports:
        assert [] == reports.check()
        assert {"done": pages} == {state: number for state, number in reports.totals().items() if number}
        rows = reports._connection.execute("SELECT number, count(*) FROM numbers GROUP BY 1").fetchall()
        assert [(number, 1) for number in range(1, pages + 1)] == rows
        assert {"numbers": pages, "families": FAMILIES} == reports.tables()
        killed = [run.outcome for run in reports.runs(limit=10_000)].count("killed")
        assert kills in (killed, None)
        assert pages == sum(run.pages for run in reports.runs(limit=10_000))
    fetched: list[int] = []
    done: set[int] = set()
    for line in log.read_text().splitlines():
        word, number = line.split()
        if word == "fetch":
            assert int(number) not in done, "a page whose commit was reported is not fetched again"
            fetched.append(int(number))
        else:
            assert "done" == word
            done.add(int(number))
    assert set(range(1, pages + 1)) == set(fetched)
    assert len(fetched) - pages <= (1 if kills is None else kills) * UNDER_WAY


def test_killed_a_few_times(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    kills = crawl_with_kills(path, tmp_path / "log", pages=1500, kills=8, longest=0.1)

    assert kills >= 3
    assert_whole(path, tmp_path / "log", pages=1500, kills=kills)


@pytest.mark.slow
def test_killed_hundreds_of_times(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    kills = crawl_with_kills(path, tmp_path / "log", pages=50_000, kills=300, longest=0.06)

    assert kills >= 100
    assert_whole(path, tmp_path / "log", pages=50_000, kills=kills)


def crawl_on_a_full_disk(path: Path, log: Path, most_bytes: int) -> None:
    """No file may grow beyond `most_bytes`; then there is room again, and the same command goes on."""
    command = [sys.executable, "-m", "tests.store.killed_crawl", str(path), str(log), "200", "1"]
    refused = subprocess.run([*command, str(most_bytes)], stdout=subprocess.PIPE, text=True, cwd=ROOT, check=False)

    assert 74 == refused.returncode
    assert str(path) in refused.stdout
    assert 0 == subprocess.run(command, stdout=subprocess.DEVNULL, cwd=ROOT, check=False).returncode
    assert_whole(path, log, pages=200, kills=None)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are POSIX'")
@pytest.mark.parametrize("most_bytes", [6_000, 50_000, 150_001])
def test_a_disk_that_refuses_to_write(path: Path, tmp_path: Path, most_bytes: int) -> None:
    path.parent.mkdir()
    crawl_on_a_full_disk(path, tmp_path / "log", most_bytes)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are POSIX'")
def test_a_disk_that_refuses_to_write_at_any_place(tmp_path: Path) -> None:
    for most_bytes in range(5_000, 300_000, 2_900):
        folder = tmp_path / str(most_bytes)
        folder.mkdir()
        crawl_on_a_full_disk(folder / "shop.db", folder / "log", most_bytes)


@pytest.mark.slow
def test_a_large_frontier_starts_and_lends_fast(path: Path) -> None:
    """A million URLs: a start under 1 s, a lease under 5 ms (p99), memory far under 300 MiB."""
    done = subprocess.run(
        [sys.executable, "tests/benchmarks/bench_store.py", "frontier", "1000000", "--dir", str(path.parent.parent)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    figures = {line["what"]: line for line in map(json.loads, done.stdout.splitlines())}

    assert figures["start"]["seconds"] < 1
    assert figures["lease"]["p99_ms"] < 5
    assert figures["memory"]["megabytes"] < 300

"""Store: what every verb does when the file is locked, full, or closed; groups; small things kept."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from crawlkit.exceptions import StorageError
from crawlkit.store.database import Store
from crawlkit.store.keepsakes import Keepsakes
from tests.store.desk import HOST, INTERRUPTED, NOW, Desk, Ended, fingerprint, link, open_store, row

WRITES: dict[str, Callable[[Desk], Any]] = {
    "open": lambda desk: open_store(desk.path),
    "begin_run": lambda desk: desk.store.begin_run(),
    "conclude": lambda desk: desk.store.conclude(7),
    "end_run": lambda desk: desk.store.end_run(Ended()),
    "add": lambda desk: desk.add("new"),
    "add_unreached": lambda desk: desk.store.add_unreached(),
    "claim": lambda desk: desk.claim(),
    "give_back": lambda desk: desk.store.give_back([1]),
    "commit": lambda desk: desk.store.commit([desk.outcome(desk.store._frontier.leases[1][0], row(name="x"))]),
    "keep_robots": lambda desk: desk.store.keepsakes.keep_robots("https://a.example", NOW, 200, ""),
    "blame": lambda desk: desk.store.keepsakes.blame("p", "https://a.example/x", 1, False),
    "absolve": lambda desk: desk.store.keepsakes.absolve("p", "https://a.example/x"),
    "take_up_again": lambda desk: desk.store.take_up_again([1]),
}
READS: dict[str, Callable[[Desk], Any]] = {
    "hosts_waiting": lambda desk: desk.store.hosts_waiting(),
    "next_due": lambda desk: desk.store.next_due(HOST),
    "leased": lambda desk: desk.store.leased(),
    "waiting": lambda desk: desk.store.waiting(1),
    "queued": lambda desk: desk.store.queued(),
    "done": lambda desk: desk.store.done(),
    "redirected_starts": lambda desk: desk.store.redirected_starts(),
    "robots": lambda desk: desk.store.keepsakes.robots("https://a.example"),
    "blamed": lambda desk: desk.store.keepsakes.blamed(),
    "past": lambda desk: list(desk.store.past()),
    "upcoming": lambda desk: desk.store.upcoming(),
    "check": lambda desk: desk.store.check(),
    "reports": lambda desk: desk.store.reports.totals(),
    "open_readonly": lambda desk: Store.open_readonly(desk.path).close(),
}


@pytest.fixture
def busy(desk: Desk) -> Iterator[Desk]:
    """A desk whose file another program has locked for writing."""
    desk.add("a", "b")
    desk.claim(1)
    other = sqlite3.connect(desk.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield desk
    other.execute("ROLLBACK")
    other.close()


def test_all_verbs_are_tried_here() -> None:
    verbs = {name for kind in (Store, Keepsakes) for name in vars(kind) if not name.startswith("_")}

    assert verbs - {"close"} == WRITES.keys() | READS.keys()


@pytest.mark.parametrize("verb", WRITES)
def test_a_locked_database_is_named(busy: Desk, verb: str) -> None:
    with pytest.raises(StorageError, match="another program has it locked") as caught:
        WRITES[verb](busy)

    assert str(busy.path) in str(caught.value)


@pytest.mark.parametrize("verb", READS)
def test_a_locked_database_can_be_read(busy: Desk, verb: str) -> None:
    READS[verb](busy)


def test_all_goes_on_when_the_lock_is_gone(desk: Desk) -> None:
    desk.add("a", "b")
    [lease] = desk.claim(1)
    other = sqlite3.connect(desk.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for verb in (lambda: desk.add("c"), lambda: desk.claim(), lambda: desk.store.commit([desk.outcome(lease)])):
        with pytest.raises(StorageError):
            verb()
    other.execute("ROLLBACK")
    other.close()

    assert "done" == desk.store.commit([desk.outcome(lease, links=["c"])])[0].state
    assert ["b", "c"] == desk.names()


def test_a_lock_that_ends_in_time_is_waited_for(path: Path) -> None:
    desk = Desk(path, busy_seconds=10)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.05, lambda: other.execute("COMMIT"))
    timer.start()

    assert 1 == desk.add("a").new_links
    timer.join()
    other.close()
    desk.store.close()


@pytest.mark.parametrize("verb", sorted({*WRITES, *READS} - {"open", "leased", "open_readonly", "check"}))
def test_a_closed_store_says_so(path: Path, verb: str) -> None:
    desk = Desk(path)
    desk.add("a", "b")
    desk.claim(1)
    desk.store.close()

    with pytest.raises(StorageError, match="closed"):
        (WRITES | READS)[verb](desk)


@pytest.mark.parametrize("verb", ["add", "commit"])
def test_a_full_disk_rolls_back_and_the_same_command_resumes(new_desk: Callable[..., Desk], verb: str) -> None:
    desk = new_desk()
    desk.crawl("a", row(name="kept"), links=["b", "c"])
    leases = desk.claim()
    [(pages,)] = desk.query("PRAGMA page_count")
    desk.query(f"PRAGMA max_page_count = {pages + 3}")
    links = [link(f"n{n}") for n in range(2000)]
    with pytest.raises(StorageError, match="disk is full; free space and run the same command again"):
        if verb == "add":
            desk.add(*links)
        else:
            desk.store.commit([desk.outcome(leases[0], row(name="x" * 50_000), links=links), desk.outcome(leases[1])])
    assert [] == desk.store.check()
    assert 2 == desk.store.leased()

    desk = new_desk()

    assert desk.run.resumed
    assert ["b", "c"] == desk.names()
    assert ["kept"] == desk.items()


def test_a_group_is_one_transaction(desk: Desk) -> None:
    """A reader sees all of a group or nothing of it."""
    desk.add(*(f"p{n}" for n in range(10)))
    leases = desk.claim()
    seen = []
    reader = sqlite3.connect(f"file:{desk.path}?mode=ro", uri=True)
    desk.crawl("first", row(name="first"))

    def look(statement: str) -> None:
        seen.append(reader.execute("SELECT count(*) FROM items").fetchone()[0])

    desk.store._connection.set_trace_callback(look)
    desk.store.commit([desk.outcome(lease, row(name="x")) for lease in desk.claim() + leases if lease in leases])
    desk.store._connection.set_trace_callback(None)
    seen.append(reader.execute("SELECT count(*) FROM items").fetchone()[0])
    reader.close()

    assert {1} | {seen[-1]} == set(seen)


def test_what_is_committed_is_durable_and_what_is_lent_out_need_not_be(desk: Desk) -> None:
    statements: list[str] = []
    desk.store._connection.set_trace_callback(statements.append)
    desk.add("a")
    [lease] = desk.claim()
    desk.store.commit([desk.outcome(lease)])
    desk.store._connection.set_trace_callback(None)

    order = [each for each in statements if each.startswith(("PRAGMA synchronous", "COMMIT"))]
    assert ["COMMIT", "PRAGMA synchronous = NORMAL", "COMMIT", "PRAGMA synchronous = FULL", "COMMIT"] == order


def test_an_empty_group(desk: Desk) -> None:
    assert [] == desk.store.commit([])


def test_robots_are_kept_between_runs(new_desk: Callable[..., Desk]) -> None:
    desk = new_desk()
    assert None is desk.store.keepsakes.robots("https://a.example")
    desk.store.keepsakes.keep_robots("https://a.example", NOW, 404, "")
    desk.store.keepsakes.keep_robots("https://a.example", NOW + 1, 200, "User-agent: *\nDisallow: /ü")

    kept = new_desk().store.keepsakes.robots("https://a.example")

    assert kept is not None
    assert (NOW + 1, 200, "User-agent: *\nDisallow: /ü") == (kept.fetched_at, kept.status, kept.body)


def test_sqlite_utils_is_not_loaded_until_a_table_is_made(path: Path) -> None:
    """Its import pulls click in and takes 60 ms."""
    import subprocess
    import sys

    code = (
        "import sys; from crawlkit.store.database import Store; from crawlkit.store.export import export;"
        f"store = Store.open({str(path)!r}, spider='a', source='b'); store.begin_run(); store.close();"
        "sys.exit('sqlite_utils' in sys.modules or 'click' in sys.modules)"
    )

    assert 0 == subprocess.run([sys.executable, "-c", code], check=False).returncode


def test_a_page_without_rows_or_links(desk: Desk) -> None:
    verdict = desk.crawl("a")

    assert ("done", 0, 0) == (verdict.state, verdict.new_links, verdict.rows)
    assert [(fingerprint("a"),)] == desk.query("SELECT fingerprint FROM _pages")
    assert desk.next_run(INTERRUPTED).resumed

"""Progress: a block on a terminal, lines elsewhere."""

from __future__ import annotations

import io
import logging
import threading

import pytest
from rich.console import Console

from crawlkit.cli.progress import LiveProgress, LogProgress, progress_block, progress_line
from crawlkit.crawl.result import Progress

NOW = Progress(
    pages_done=312,
    queued=201,
    failed=2,
    skipped=4,
    items=310,
    bytes=3 * 1024 * 1024,
    pages_per_second=31.2,
    busy_workers=14,
    workers=16,
    slowest_host="slow.example.org\x1b[2J",
    slowest_seconds=1.25,
    elapsed=10.0,
)


def drawn(now: Progress, width: int = 100) -> str:
    screen = Console(file=io.StringIO(), width=width)
    screen.print(progress_block("docs", now))
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


def test_the_block_has_every_figure() -> None:
    """Pages done, queued, failed, items, pages a second, busy workers, slowest host."""
    block = drawn(NOW)
    figures = ("docs", "312 done", "201 queued", "2 failed", "4 skipped", "310", "31.2 pages/s", "14/16 busy",
               "slow.example.org", "1.2 s", "3.0 MiB", "10 s")  # fmt: skip
    for figure in figures:
        assert figure in block
    assert "\x1b" not in block


def test_the_block_fits_a_narrow_terminal() -> None:
    """Cells are cut, lines are not broken."""
    assert all(len(line) <= 40 for line in drawn(NOW, width=40).splitlines())
    assert 4 == len(drawn(NOW, width=40).splitlines())


def test_the_line_has_the_rates() -> None:
    """Items a minute, as people know it."""
    line = progress_line(NOW)
    assert line.startswith(
        "312 pages (31.2/s), 201 queued, 2 failed, 310 items (1860/min), 14/16 workers busy, slowest "
    )
    assert "\x1b" not in line


def test_nothing_is_divided_by_zero() -> None:
    """The first instant of a run."""
    assert "0 items (0/min)" in progress_line(Progress(0, 0, 0, 0, 0, 0, 0.0, 0, 16, None, None, 0.0))


def test_lines_come_at_intervals(caplog: pytest.LogCaptureFixture) -> None:
    """From a thread of its own, until the run ends."""
    asked = threading.Semaphore(0)

    def snapshot() -> Progress:
        asked.release()
        return NOW

    with caplog.at_level(logging.INFO), LogProgress(snapshot, interval_seconds=0.01):
        assert asked.acquire(timeout=5)
        assert asked.acquire(timeout=5)
    assert "312 pages (31.2/s)" in caplog.text
    assert not [thread for thread in threading.enumerate() if thread.name == "progress"]


def test_the_live_block_is_wiped() -> None:
    """The summary stands alone at the end."""
    screen = Console(file=io.StringIO(), force_terminal=True, width=100)
    with LiveProgress(screen, "docs", lambda: NOW):
        screen.print("a log line")
    assert isinstance(screen.file, io.StringIO)
    written = screen.file.getvalue()
    assert "312 done" in written
    assert "a log line" in written
    assert written.rstrip("\n").endswith("\x1b[2K")


def test_a_question_is_not_drawn_over() -> None:
    """The block is gone while somebody is asked, and what was written then stays above it."""
    screen = Console(file=io.StringIO(), force_terminal=True, width=100)
    assert isinstance(screen.file, io.StringIO)
    with LiveProgress(screen, "docs", lambda: NOW) as display:
        with display.aside():
            before = screen.file.getvalue()
            screen.print("who are you? reader")
        asked = screen.file.getvalue()[len(before) :]
    assert before.endswith("\x1b[2K")
    assert asked.startswith("who are you? reader\n")
    block = asked.index("312 done")
    assert "\x1b[1A" not in asked[:block]
    assert screen.file.getvalue().rstrip("\n").endswith("\x1b[2K")


def test_a_block_that_has_ended_is_not_drawn_again() -> None:
    """The run was stopped at the question."""
    screen = Console(file=io.StringIO(), force_terminal=True, width=100)
    assert isinstance(screen.file, io.StringIO)
    display = LiveProgress(screen, "docs", lambda: NOW)
    with display, display.aside():
        display.__exit__(None, None, None)
        before = screen.file.getvalue()
    assert before == screen.file.getvalue()

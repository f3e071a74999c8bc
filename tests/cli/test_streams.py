"""Standard output that is closed, full or read by nobody: one line at most, and an exit code that says it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.small_site import SPIDER, Site
from tests.conftest import Command

Write = Callable[..., Path]
FULL = "standard output cannot be written: No space left on device"


@pytest.fixture
def shell(crawlkit: Command) -> Callable[..., tuple[int, str]]:
    """Run a command with these redirections, as a shell does; its exit code and standard error."""

    def run(redirections: str, *words: object) -> tuple[int, str]:
        done = subprocess.run(
            ["bash", "-c", f'"$@" {redirections}', "-", *crawlkit.words(*words)],
            cwd=crawlkit.folder,
            env=crawlkit.environment(),
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
        return done.returncode, done.stderr

    return run


Shell = Callable[..., tuple[int, str]]


@pytest.fixture
def crawled(crawlkit: Command, write_spider: Write, site: Site) -> str:
    """The `base=` of a spider that has run."""
    write_spider(SPIDER, name="pages.py")
    crawlkit("run", "pages.py", "-a", f"base={site.url}", "--quiet")
    return f"base={site.url}"


def test_a_run_that_prints_nothing_needs_no_standard_output(shell: Shell, crawled: str) -> None:
    """Its own exit code, whatever is closed."""
    for closed in (">&-", "<&- >&- 2>&-", ">/dev/full 2>/dev/full"):
        assert (0, "") == shell(closed, "run", "pages.py", "-a", crawled, "--quiet")
    code, errors = shell("2>&-", "run", "none.py")
    assert (2, "") == (code, errors)


def test_a_full_disk_is_exit_code_74(shell: Shell, crawled: str) -> None:
    """With one line; so is a closed one."""
    for words in (("export", "pages"), ("runs", "pages"), ("--version",), ("run", "--help")):
        assert (74, f"crawlkit: error: {FULL}\n") == shell(">/dev/full", *words)
    closed = "crawlkit: error: standard output cannot be written: it is closed\n"
    assert (74, closed) == shell(">&-", "--version")


def test_a_result_that_could_not_be_printed_is_74(shell: Shell, crawled: str) -> None:
    """The run itself ended well, and says so; an error keeps its line."""
    code, errors = shell(">/dev/full", "run", "pages.py", "-a", crawled, "--json")
    assert 74 == code
    assert "pages finished: 3 pages" in errors
    assert errors.endswith(f"{FULL}\n")
    assert "Traceback" not in errors
    code, errors = shell(">/dev/full", "run", "none.py", "--json")
    assert 74 == code
    assert "no such file" in errors


def test_a_reader_that_went_away_is_141(shell: Shell, crawled: str) -> None:
    """And nothing is said of it."""
    pipe = "| head -0; exit ${PIPESTATUS[0]}"  # gone long before Python has started
    for words in (("export", "pages"), ("run", "pages.py", "--json", "-a", crawled, "--quiet")):
        assert (141, "") == shell(pipe, *words)


def test_a_spider_that_prints_crawls_on(shell: Shell, crawled: str, write_spider: Write) -> None:
    """Its pages do not fail because nobody reads what it prints."""
    write_spider(SPIDER.replace("yield {", "print('x' * 10000); yield {", 1), name="pages.py")
    code, errors = shell(">/dev/full", "run", "pages.py", "-a", crawled, "--fresh")
    assert 74 == code
    assert "pages finished: 3 pages, 0 failed" in errors

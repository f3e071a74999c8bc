"""Log lines: safe, told apart, in a file as well."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from crawlkit.cli.logs import logging_to
from crawlkit.exceptions import ConfigError
from crawlkit.store.lock import Lock
from tests.cli.small_site import SPIDER
from tests.conftest import Command


def test_lines_have_time_level_and_name(capsys: pytest.CaptureFixture[str]) -> None:
    """crawlkit's own loggers go by one name, a spider's by its own."""
    with logging_to(console=None, level=logging.INFO):
        logging.getLogger("crawlkit.crawl.engine").info("started")
        logging.getLogger("shop").warning("odd")
        logging.getLogger("shop").debug("unseen")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].endswith(" INFO    crawlkit: started")
    assert lines[1].endswith(" WARNING shop: odd")
    assert 2 == len(lines)


def test_no_page_can_forge_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """What follows a newline is indented, control characters are spelled out."""
    with logging_to(console=None, level=logging.INFO):
        logging.getLogger("shop").warning("title: %s", "x\n2026-01-01 00:00:00 INFO    crawlkit: fine\x1b[2J")
    lines = capsys.readouterr().err.splitlines()
    assert lines[1].startswith("    2026-01-01")
    assert "\\x1b[2J" in lines[1]


def test_json_lines_carry_the_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One object a record, in the file too."""
    file = tmp_path / "shop.log"
    with logging_to(console=None, level=logging.INFO, file=file, form="json"):
        try:
            raise ValueError("bad")
        except ValueError:
            logging.getLogger("shop").exception("failed\n\x1b")
    entry = json.loads(file.read_text())
    assert ("error", "shop", "failed\n\x1b") == (entry["level"], entry["logger"], entry["message"])
    assert "ValueError: bad" in entry["error"]
    assert entry == json.loads(capsys.readouterr().err)


def test_a_log_file_that_fails_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    """And the run goes on; one that cannot be opened is refused, and no folder is made for it."""
    with logging_to(console=None, level=logging.WARNING, file=Path("/dev/full")):
        for _ in range(3):
            logging.getLogger("shop").info("seen by the file only")
    assert "the log file /dev/full cannot be written: " in capsys.readouterr().err.splitlines()[0]
    with (
        pytest.raises(ConfigError, match="log file /dev/null/x: it cannot be written"),
        logging_to(console=None, level=logging.INFO, file=Path("/dev/null/x")),
    ):
        pass


def test_loggers_are_as_before_afterwards(capsys: pytest.CaptureFixture[str]) -> None:
    """The next run of a folder starts afresh."""
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    with logging_to(console=None, level=logging.DEBUG):
        assert before != (root.level, list(root.handlers))
    assert before == (root.level, list(root.handlers))


def test_what_ends_a_run_is_in_its_log(crawlkit: Command, write_spider: Callable[..., Path]) -> None:
    """Of a start that the lock turned away the log tells too: once, and as --log-format says. Its folder is made when it
    is that of the databases."""
    write_spider(SPIDER, name="pages.py")
    words = ("run", "pages.py", "-a", "base=http://127.0.0.1:9", "--quiet", "--log-file", "data/pages.log")
    crawlkit(*words, exit_code=1)
    log = crawlkit.folder / "data" / "pages.log"
    assert "WARNING crawlkit: pages finished, but not every page" in log.read_text()
    log.unlink()
    with Lock(crawlkit.folder / "data" / "pages.db"):
        told = crawlkit(*words, "--log-format", "json", exit_code=4).stderr
    (entry,) = [json.loads(line) for line in log.read_text().splitlines()]
    assert ("error", "crawlkit") == (entry["level"], entry["logger"])
    assert f"crawlkit: error: {entry['message']}\n" == told
    assert "another run is using it (pid " in told

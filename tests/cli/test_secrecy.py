"""Secrecy: whatever a command or Python itself prints, a secret that was learnt is not in it."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.console import Console

from crawlkit.cli import execution
from crawlkit.cli.execution import RunOptions
from crawlkit.cli.job import Job
from crawlkit.cli.json_line import print_line
from crawlkit.cli.logs import logging_to, plain_logging
from crawlkit.cli.progress import progress_block
from crawlkit.cli.secrecy import learn_arguments, print_traceback, redact, redacted, redactor, secrecy
from crawlkit.cli.terminal import complain
from crawlkit.crawl.result import Progress, Result
from crawlkit.crawl.settings import Settings
from crawlkit.crawl.spider import Spider

SECRET = "Sq4-canary-Tx7"


@pytest.fixture(autouse=True)
def command() -> Iterator[None]:
    """A command that has met a secret."""
    with secrecy():
        redactor().learn(SECRET, sure=True)
        yield


def raised() -> ValueError:
    """An exception with a traceback, whose cause has the secret as well."""
    try:
        try:
            raise KeyError(SECRET)
        except KeyError as error:
            raise ValueError(f"no {SECRET}") from error
    except ValueError as error:
        return error


def in_a_thread() -> None:
    thread = threading.Thread(target=lambda: exec("raise error", {"error": raised()}))
    thread.start()
    thread.join()


class Unraisable:
    exc_type, exc_traceback, err_msg, object = ValueError, None, None, SECRET

    @property
    def exc_value(self) -> ValueError:
        return raised()


SAID: dict[str, Callable[[], object]] = {
    "an error": lambda: complain(f"no {SECRET}"),
    "a traceback": lambda: print_traceback(raised()),
    "an uncaught exception": lambda: sys.excepthook(ValueError, raised(), None),
    "one in a thread": in_a_thread,
    "one in a destructor": lambda: sys.unraisablehook(Unraisable()),  # type: ignore[arg-type]
    "a warning": lambda: warnings.showwarning(UserWarning(f"no {SECRET}"), UserWarning, "file.py", 1),
    "the JSON line": lambda: print_line({"reason": f"no {SECRET}", "spiders": [{"failures": {f"no {SECRET}": 1}}]}),
}


@pytest.mark.parametrize("say", SAID.values(), ids=SAID)
def test_what_is_said_holds_no_secret(say: Callable[[], object], capsys: pytest.CaptureFixture[str]) -> None:
    """And says all else."""
    say()
    out, err = capsys.readouterr()
    assert SECRET not in out + err
    assert "no [redacted]" in out + err


@pytest.mark.parametrize("on_terminal", [False, True], ids=["a stream", "a terminal"])
@pytest.mark.parametrize(
    "log",
    [
        lambda log: log.warning("no %s", SECRET),
        lambda log: log.warning("no", exc_info=raised()),
        lambda log: log.warning("no %d", SECRET),
        lambda log: log.warning("no %s %s", SECRET),
    ],
    ids=["an argument", "a traceback", "an argument that does not fit", "too few arguments"],
)
@pytest.mark.parametrize("form", ["text", "json"])
def test_no_log_line_holds_a_secret(
    log: Callable[[logging.Logger], None],
    form: str,
    on_terminal: bool,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """In the file and on standard error; a line that cannot be formatted, which logging itself would print raw, too."""
    file, screen = tmp_path / "run.log", io.StringIO()
    console = Console(file=screen, soft_wrap=True) if on_terminal else None
    author = logging.getLogger("author")
    author.propagate = True
    with logging_to(console=console, level=logging.INFO, file=file, form=form):
        for handler in logging.getLogger().handlers[:]:
            if type(handler).__module__.startswith("_pytest"):  # these would refuse what cannot be formatted
                logging.getLogger().removeHandler(handler)
        log(author)
    told = file.read_text() + screen.getvalue() + "".join(capsys.readouterr())
    assert SECRET not in told
    assert "[redacted]" in told


def test_a_line_that_no_handler_takes_is_redacted(capsys: pytest.CaptureFixture[str]) -> None:
    """Outside of a run Python prints warnings and errors by itself."""
    with plain_logging():
        assert logging.lastResort is not None
        logging.lastResort.handle(logging.makeLogRecord({"msg": f"no {SECRET}", "levelno": logging.WARNING}))
    assert "no [redacted]\n" == capsys.readouterr().err


def test_the_words_of_the_json_line_stay_whatever_a_password_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Programs read them: outcome and spider are never touched, and what is printed is JSON."""
    redactor().learn("finished", sure=True)
    print_line({"outcome": "finished", "spider": "finished", "reason": 'Cookie: a=b; "x"', "exit_code": 0})
    line = json.loads(capsys.readouterr().out)
    assert {
        "outcome": "finished",
        "spider": "finished",
        "reason": "Cookie: a=[redacted]; [redacted]",
        "exit_code": 0,
    } == line


def test_the_summary_on_a_terminal_holds_no_secret() -> None:
    """The URL of a failing page is shown as its example."""
    screen = io.StringIO()
    examples = {"http 500": f"https://example.org/?q={SECRET}&token=x"}
    result = Result(1, "pages_failed", f"no {SECRET}", 1, failed=1, failures={"http 500": 1}, examples=examples)
    execution._summarise(
        Job(Spider("docs"), Settings(), Path("docs.db"), Path("docs.py")),
        result,
        RunOptions(),
        Console(file=screen, soft_wrap=True),
    )
    assert SECRET not in screen.getvalue()
    assert "https://example.org/?q=[redacted]&token=[redacted]" in screen.getvalue()
    assert "(no [redacted])" in screen.getvalue()


def test_the_progress_block_holds_no_secret() -> None:
    """Neither the spider's name nor the slowest host, odd as that would be."""
    screen = io.StringIO()
    now = Progress(1, 1, 0, 0, 0, 0, 1.0, 1, 1, f"{SECRET}.example.org", 1.0, 1.0)
    Console(file=screen, width=200).print(progress_block(SECRET, now))
    assert SECRET not in screen.getvalue()


def test_arguments_whose_names_are_secret_are_learnt() -> None:
    """`-a api_token=…`: the author's to avoid, and not to be shown all the same."""
    learn_arguments({"api_token": "abcd", "category": "efgh"})
    assert "[redacted] efgh" == redact("abcd efgh")


def test_each_command_begins_with_a_redactor_of_its_own() -> None:
    """And gives Python its hooks back."""
    before = sys.excepthook, threading.excepthook
    with secrecy():
        assert SECRET == redact(SECRET)
    assert before == (sys.excepthook, threading.excepthook)


def test_json_values_are_redacted_as_deep_as_they_go() -> None:
    assert {"a": [1, None, "[redacted]", {"[redacted]": True}]} == redacted({"a": (1, None, SECRET, {SECRET: True})})

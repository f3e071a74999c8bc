"""The entry: cheap where it must be, and every error is one line with its exit code."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from crawlkit.cli import entry, main
from crawlkit.version import VERSION


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after `code`."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print('\\n', *sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}


def test_version_imports_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """`crawlkit --version` is answered before click is imported."""
    assert 0 == main(["--version"])
    assert f"crawlkit {VERSION}\n" == capsys.readouterr().out
    heavy = {"click", "rich", "urllib3", "selectolax", "sqlite_utils", "sqlite3", "tenacity"}
    assert set() == heavy & loaded_by("from crawlkit.cli import main; main(['--version'])")
    assert set() == heavy & loaded_by("import crawlkit")


def test_version_is_quick() -> None:
    """Within six times what Python needs to start; the best of several, for other work is going on."""
    command = Path(sys.executable).with_name("crawlkit")
    pass_seconds = best([sys.executable, "-c", "pass"])
    assert best([str(command), "--version"]) < 6 * pass_seconds


def best(words: list[str]) -> float:
    def once() -> float:
        begin = time.perf_counter()
        subprocess.run(words, check=True, capture_output=True)
        return time.perf_counter() - begin

    return min(once() for _ in range(7))


def test_help_of_all_commands_needs_no_network_code() -> None:
    """The list of commands imports none of them."""
    assert set() == {"rich", "urllib3", "sqlite_utils"} & loaded_by("from crawlkit.cli import main; main(['--help'])")


@pytest.mark.parametrize("name", ["run", "new", "fetch", "shell", "session", "parse", "export", "runs"])
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With a usage line and its options told."""
    assert 0 == main([name, "--help"])
    out = capsys.readouterr().out
    assert f"crawlkit {name}" in out
    assert "--debug" in out


def test_without_a_command_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """As a usage error: a cron line that lost its words must not look fine."""
    assert 2 == main([])
    assert "Commands:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["rnu"], "no command 'rnu'; did you mean 'run'?"),
        (["frobnicate"], "there are run, new, fetch"),
        (["run"], "Missing argument 'PATH'"),
        (["run", "x.py", "--worker", "3"], "--workers"),
        (["run", "x.py", "--format", "xml"], "'xml' is not one of 'jsonl', 'csv', 'json'"),
    ],
)
def test_usage_errors_are_one_line(words: list[str], match: str, capsys: pytest.CaptureFixture[str]) -> None:
    """That names the nearest word, and where the help is."""
    assert 2 == main(words)
    captured = capsys.readouterr()
    assert "" == captured.out
    assert match in captured.err
    assert captured.err.startswith("crawlkit: error: ")
    assert 1 == captured.err.count("\n")
    assert "--help" in captured.err


def test_json_is_printed_on_usage_errors_too(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever reads the line need not look at standard error."""
    assert 2 == main(["run", "--json"])
    line = json.loads(capsys.readouterr().out)
    assert (2, "usage_error", None, 0) == (line["exit_code"], line["outcome"], line["run"], line["pages"])
    assert "PATH" in line["error"]


@pytest.fixture
def fail_with(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Let every command end with this error."""

    def arm(error: BaseException) -> None:
        def broken(**_: object) -> int:
            raise error

        monkeypatch.setattr(entry.commands, "main", broken)

    return arm


def test_a_bug_is_one_line_and_70(
    fail_with: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """With --debug the traceback comes before it."""
    fail_with(ZeroDivisionError("division by zero"))
    assert 70 == main(["run"])
    error = capsys.readouterr().err
    assert 1 == error.count("\n")
    assert "internal error: ZeroDivisionError: division by zero; --debug shows where" in error
    assert 70 == main(["run", "--debug"])
    assert "Traceback" in capsys.readouterr().err


def test_debug_after_a_double_dash_is_no_option(
    fail_with: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """What comes after -- is data."""
    fail_with(ZeroDivisionError())
    assert 70 == main(["run", "--", "--debug", "--json"])
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    assert "" == captured.out


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (PermissionError(13, "Permission denied", "x.csv"), 74, "x.csv: Permission denied"),
    ],
)
def test_other_ends(
    error: BaseException,
    code: int,
    message: str,
    fail_with: Callable[[BaseException], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Ctrl-C before a run begins, and a file that cannot be written."""
    fail_with(error)
    assert code == main(["export"])
    assert f"crawlkit: error: {message}\n" == capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_error() -> None:
    """`crawlkit export NAME | head` ends quietly."""
    code = (
        "import sys, crawlkit.cli.entry as entry\n"
        "def write(**_):\n"
        "    while True: print('x' * 100)\n"
        "entry.commands.main = write\n"
        "from crawlkit.cli import main; sys.exit(main(['export']))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    assert b"" == process.stderr.read()
    process.stderr.close()
    assert 141 == process.wait()

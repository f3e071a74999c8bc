"""on_failure: who is told, with what, and that nothing comes of a command that fails."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from crawlkit.cli import alarm
from crawlkit.store.lock import Lock
from tests.cli.small_site import SPIDER, Site
from tests.conftest import Command

Write = Callable[..., Path]
PYTHON = sys.executable


def line(exit_code: int = 1, **fields: object) -> dict[str, object]:
    return {"spider": "pages", "outcome": "failed", "reason": "", **fields, "exit_code": exit_code}


def lines_in(path: Path) -> list[dict[str, object]]:
    return [json.loads(text) for text in path.read_text().splitlines()] if path.exists() else []


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 6, 70, 74, 143])
def test_it_rings(code: int, tmp_path: Path) -> None:
    """The JSON line on standard input, in the project's folder."""
    alarm.ring("tee -a told.jsonl", tmp_path, line(code))
    assert [line(code)] == lines_in(tmp_path / "told.jsonl")


def test_a_command_of_the_projects_folder(tmp_path: Path) -> None:
    """./hook.sh is the file beside crawl.toml, not one of the PATH."""
    hook = tmp_path / "hook.sh"
    hook.write_text("#!/bin/sh\ncat > told.jsonl\n")
    hook.chmod(0o755)
    alarm.ring("./hook.sh", tmp_path, line(1))
    assert [line(1)] == lines_in(tmp_path / "told.jsonl")


def test_it_does_not_ring_for_what_is_well_or_known(tmp_path: Path) -> None:
    """0; and 130, which is a person at the keyboard. Nor without a command."""
    for code in (0, 130):
        alarm.ring("touch rang", tmp_path, line(code))
    alarm.ring(None, tmp_path, line(1))
    assert [] == list(tmp_path.iterdir())


def test_no_shell_reads_the_command(tmp_path: Path) -> None:
    """Quotes are a shell's, `$`, `;` and `>` are text; sh -c is there for who wants one."""
    alarm.ring(
        f"{PYTHON} -c 'import sys; print(sys.argv[1:], file=open(\"seen\", \"w\"))' '$HOME;' '>' x", tmp_path, line()
    )
    assert "['$HOME;', '>', 'x']\n" == (tmp_path / "seen").read_text()
    alarm.ring("sh -c 'cat | wc -l > count'", tmp_path, line())
    assert "1" == (tmp_path / "count").read_text().strip()


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("sh -c 'echo no such host >&2; exit 7'", "on_failure: sh ended with exit code 7 (no such host)"),
        ("/no/such/program --token=abcdefgh", "on_failure: /no/such/program could not be started in "),
        ("sh -c 'echo $0; exit 1' https://hooks.example/T0K3N", "on_failure: sh ended with exit code 1 (…)"),
        ("sh -c 'unclosed", "on_failure: the command cannot be read (No closing quotation)"),
    ],
)
def test_its_failure_is_logged(command: str, told: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """And never raised; of its words only the first is told: a token may be among them."""
    with caplog.at_level(logging.INFO):
        alarm.ring(command, tmp_path, line())
    assert caplog.messages[0].startswith(told)
    assert caplog.messages[0].endswith("; the run's outcome stays")
    assert not any(secret in caplog.text for secret in ("T0K3N", "abcdefgh"))


def test_it_has_a_time_limit(tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it started ends with it."""
    monkeypatch.setattr(alarm, "TIMEOUT_SECONDS", 0.2)
    began = time.monotonic()
    alarm.ring("sh -c 'sleep 60 & echo $! > child; sleep 60'", tmp_path, line())
    assert time.monotonic() - began < 10
    assert ["on_failure: sh took longer than 0 s and was ended; the run's outcome stays"] == caplog.messages
    stat = Path(f"/proc/{(tmp_path / 'child').read_text().strip()}/stat")
    while stat.exists() and " Z " not in stat.read_text() and time.monotonic() - began < 10:
        time.sleep(0.01)
    assert time.monotonic() - began < 10


def test_what_it_leaves_running_holds_nobody_up(tmp_path: Path) -> None:
    """A notifier that goes into the background keeps no pipe of ours open."""
    began = time.monotonic()
    alarm.ring("sh -c 'sleep 5 &'", tmp_path, line())
    assert time.monotonic() - began < 4


def configure(crawlkit: Command, text: str) -> Path:
    (crawlkit.folder / "crawl.toml").write_text(text)
    return crawlkit.folder / "told.jsonl"


def test_a_run_that_fails_tells(crawlkit: Command, write_spider: Write, site: Site) -> None:
    """The line is that of --json; a run that is well tells nobody."""
    told = configure(crawlkit, '[run]\non_failure = "tee -a told.jsonl"\n')
    write_spider(SPIDER, name="pages.py")
    assert 0 == crawlkit.run("pages.py", "-a", f"base={site.url}")["exit_code"]
    assert [] == lines_in(told)
    failed = crawlkit.run("pages.py", "-a", f"base={site.server.refused_url('')}", exit_code=1)
    assert [failed] == lines_in(told)


@pytest.mark.parametrize(
    ("config", "spider", "code"),
    [
        ("", "import nothing_of_that_name\n", 2),
        ("", SPIDER + "    def login(self):\n        oh no\n", 2),
        ("[crawl]\nworkerz = 1\n", SPIDER, 2),
        ("[spiders.pages.crawl]\nworkers = 0\n", SPIDER, 2),
    ],
)
def test_a_run_that_never_began_tells(
    config: str, spider: str, code: int, crawlkit: Command, write_spider: Write
) -> None:
    """A spider that cannot be loaded, and wrong settings beside the alarm's own."""
    told = configure(crawlkit, f'[run]\non_failure = "tee -a told.jsonl"\n{config}')
    write_spider(spider, name="pages.py")
    failed = crawlkit.run("pages.py", exit_code=code)
    assert [(code, failed["error"])] == [(entry["exit_code"], entry["error"]) for entry in lines_in(told)]


def test_a_wrong_option_tells_the_spiders_own_command(crawlkit: Command, write_spider: Write) -> None:
    """What is wrong with the command line is left out of what is asked for the alarm."""
    told = configure(crawlkit, '[spiders.pages.run]\non_failure = "tee -a told.jsonl"\n')
    write_spider(SPIDER, name="pages.py")
    crawlkit.run("pages.py", "--set", "crawl.workers=0", exit_code=2)
    assert [("pages", 2)] == [(entry["spider"], entry["exit_code"]) for entry in lines_in(told)]


def test_each_spider_of_a_folder_tells_its_own(crawlkit: Command, write_spider: Write, site: Site) -> None:
    """Once a spider, also of a file that cannot be loaded."""
    told = configure(
        crawlkit,
        '[run]\non_failure = "tee -a told.jsonl"\n[spiders.quiet.run]\non_failure = "none"\n',
    )
    (crawlkit.folder / "spiders").mkdir()
    write_spider("oh no\n", name="spiders/broken.py")
    for name in ("loud", "quiet"):
        text = SPIDER.replace('key = "url"', f'key = "url"\n    name = "{name}"')
        write_spider(text, name=f"spiders/{name}.py")
    crawlkit.run("spiders", "-a", f"base={site.server.refused_url('')}", exit_code=2)
    assert [("spiders/broken.py", 2), ("loud", 1)] == [
        (entry["spider"], entry["exit_code"]) for entry in lines_in(told)
    ]
    told.unlink()
    with Lock(crawlkit.folder / "data" / "loud.db"):
        crawlkit.run("spiders", "-a", f"base={site.server.refused_url('')}", exit_code=2)
    assert [("spiders/broken.py", 2), ("loud", 4)] == [
        (entry["spider"], entry["exit_code"]) for entry in lines_in(told)
    ]


def test_a_failing_alarm_leaves_the_exit_code(crawlkit: Command, write_spider: Write, site: Site) -> None:
    """It is said in the log, and standard output has its one line."""
    configure(crawlkit, '[run]\non_failure = "sh -c \'echo heard; exit 9\'"\nlog_file = "run.log"\n')
    write_spider(SPIDER, name="pages.py")
    done = crawlkit("run", "pages.py", "-a", f"base={site.server.refused_url('')}", "--json", "--quiet", exit_code=1)
    assert 1 == len(done.stdout.splitlines())
    assert "on_failure: sh ended with exit code 9 (heard); the run's outcome stays" in done.stderr
    assert "on_failure: sh ended" in (crawlkit.folder / "run.log").read_text()


def test_a_command_that_is_none_is_refused_unseen(crawlkit: Command, write_spider: Write) -> None:
    """At the start, not when it is needed; its text may hold a token and is not repeated."""
    configure(crawlkit, '[run]\non_failure = "curl \'https://hooks.example/T0K3N"\n')
    write_spider(SPIDER, name="pages.py")
    done = crawlkit("run", "pages.py", exit_code=2)
    assert "crawl.toml: run.on_failure must be a command on one line, its quotes closed as in a shell" in done.stderr
    assert "T0K3N" not in done.stderr

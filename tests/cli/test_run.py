"""`crawlkit run` as a process: results, exit codes, outputs, signals."""

from __future__ import annotations

import csv
import json
import os
import pty
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.small_site import SPIDER, Site
from tests.conftest import Command

Write = Callable[..., Path]


def rows(path: Path) -> list[Any]:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return sorted(connection.execute("SELECT url, title FROM items").fetchall())
    finally:
        connection.close()


def test_a_run_ends_with_its_summary(crawlkit: Command, write_spider: Write, site: Site) -> None:
    """Without a terminal: log lines on standard error, the last with the finish reason, nothing on standard output."""
    write_spider(SPIDER, name="pages.py")
    done = crawlkit("run", "pages.py", "-a", f"base={site.url}")
    assert "" == done.stdout
    assert "\x1b" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert "pages finished: 3 pages, 0 failed, 3 items in " in last
    assert "data/pages.db" in done.stderr
    assert "crawlkit export pages -o items.csv" in done.stderr
    assert ["A \x1b[2J", "B", "Start"] == sorted(title for _, title in rows(crawlkit.folder / "data" / "pages.db"))


def test_the_json_line_is_the_last_of_standard_output(crawlkit: Command, write_spider: Write, site: Site) -> None:
    """With the fields that scripts rely on."""
    write_spider(SPIDER, name="pages.py")
    done = crawlkit("run", "pages.py", "-a", f"base={site.url}", "--json")
    assert 1 == len(done.stdout.splitlines())
    line = json.loads(done.stdout)
    assert (1, "finished", 3, 0, 0, 3, 0) == tuple(
        line[name] for name in ("run", "outcome", "pages", "failed", "skipped", "items", "exit_code")
    )
    assert line["bytes"] > 0
    assert line["elapsed"] > 0
    assert {"items": 3} == line["tables"]


def test_quiet_says_nothing_when_all_is_well(crawlkit: Command, write_spider: Write, site: Site) -> None:
    """Cron mails whatever is printed."""
    write_spider(SPIDER, name="pages.py")
    done = crawlkit("run", "pages.py", "-a", f"base={site.url}", "--quiet")
    assert ("", "") == (done.stdout, done.stderr)


def test_quiet_says_what_is_wrong(crawlkit: Command, write_spider: Write, site: Site) -> None:
    """What cron mails names the column that fell silent, and the page that failed; not how many bytes it took."""
    write_spider(SPIDER + '    expect = {"required": ["price"]}\n', name="pages.py")
    (crawlkit.folder / "more.py").write_text(SPIDER.replace("Pages", "More").replace('"/"', '"/failing"'))

    done = crawlkit("run", "pages.py", "-a", f"base={site.url}", "--quiet", exit_code=6)
    assert "column 'price' of table 'items' is filled in 0 of 3 rows, expected: all of them, since run 1" in done.stderr
    assert 2 == len(done.stderr.splitlines())
    done = crawlkit("run", "more.py", "-a", f"base={site.url}", "--quiet", exit_code=1)
    assert f"1 x http 500  {site.url}/failing" in done.stderr
    assert 2 == len(done.stderr.splitlines())


def test_outputs_are_written_at_the_end(crawlkit: Command, write_spider: Write, site: Site) -> None:
    """The format by the suffix, or as --format says."""
    write_spider(SPIDER, name="pages.py")
    crawlkit("run", "pages.py", "-a", f"base={site.url}", "-o", "a.csv", "-o", "b.jsonl", "-o", "c.json")
    with (crawlkit.folder / "a.csv").open(newline="") as file:
        assert 3 == len(list(csv.DictReader(file)))
    assert 3 == len((crawlkit.folder / "b.jsonl").read_text().splitlines())
    assert 3 == len(json.loads((crawlkit.folder / "c.json").read_text()))


def test_a_failed_page_is_exit_code_1(crawlkit: Command, write_spider: Write, site: Site) -> None:
    """A callback that raises and a server that fails: the crawl goes on, each page has its reason and example."""
    write_spider(
        SPIDER + "        if response.url.endswith('/b'): raise ValueError('no price')\n"
        "        yield response.follow('/failing')\n",
        name="pages.py",
    )
    done = crawlkit("run", "pages.py", "-a", f"base={site.url}", exit_code=1)
    assert "pages finished, but not every page" in done.stderr.splitlines()[-1]
    assert "2 failed" in done.stderr
    assert f"{site.url}/failing" in done.stderr
    assert f"{site.url}/b" in done.stderr
    assert "ValueError" in done.stderr


def test_a_host_that_refuses_is_exit_code_1(crawlkit: Command, write_spider: Write, site: Site) -> None:
    """No page was done; the reason is told."""
    write_spider(SPIDER, name="pages.py")
    line = crawlkit.run("pages.py", "-a", f"base={site.server.refused_url('')}", exit_code=1)
    assert (0, 1) == (line["pages"], line["failed"])


def test_a_limit_is_resumed_by_the_same_command(crawlkit: Command, write_spider: Write, site: Site) -> None:
    """Exit code 5, the next step told, and nothing is fetched twice."""
    write_spider(SPIDER, name="pages.py")
    words = ("pages.py", "-a", f"base={site.url}", "--max-pages", "1", "--workers", "1")
    done = crawlkit("run", *words, exit_code=5)
    assert "run the same command to go on" in done.stderr
    assert "pages stopped at a limit" in done.stderr.splitlines()[-1]
    assert 1 == len(rows(crawlkit.folder / "data" / "pages.db"))
    line = crawlkit.run(*words[:3])
    assert (2, "finished", 2) == (line["run"], line["outcome"], line["pages"])
    assert ["/", "/a", "/b"] == sorted(site.asked)


def test_settings_of_the_command_line_count(crawlkit: Command, write_spider: Write, site: Site) -> None:
    """--set, --db and --log-file."""
    write_spider(SPIDER, name="pages.py")
    (crawlkit.folder / "logs").mkdir()
    crawlkit(
        *("run", "pages.py", "-a", f"base={site.url}", "--set", "crawl.max_depth=0", "--db", "elsewhere.db"),
        *("--log-file", "logs/run.log", "--set", "fetch.user_agent=me/1.0"),
    )
    assert 1 == len(rows(crawlkit.folder / "elsewhere.db"))
    log = (crawlkit.folder / "logs" / "run.log").read_text()
    assert "not followed  2 x depth" in log
    assert "1 done, 0 failed, 0 skipped" in log
    assert "finished: 1 page" in (crawlkit.folder / "logs" / "run.log").read_text().splitlines()[-1]
    page = next(request for request in site.server.requests if request.target == "/")
    assert "me/1.0" == page.header("User-Agent")


def test_a_database_knows_its_spider_wherever_the_project_is(
    crawlkit: Command, write_spider: Write, site: Site
) -> None:
    """A crawl.toml that comes or goes, another working directory and a project that was moved change nothing."""
    (crawlkit.folder / "project" / "spiders").mkdir(parents=True)
    write_spider(SPIDER, name="project/spiders/pages.py")
    project = Command(crawlkit.folder / "project")
    words = ("-a", f"base={site.url}", "--db", "data/pages.db")
    project("run", "spiders/pages.py", *words)
    write_spider("", name="project/crawl.toml")
    assert 2 == crawlkit.run("project/spiders/pages.py", *words[:3], "project/data/pages.db")["run"]
    project.folder.rename(crawlkit.folder / "moved")
    moved = Command(crawlkit.folder / "moved")
    assert 3 == moved.run("spiders/pages.py", *words)["run"]
    write_spider(SPIDER, name="moved/copy.py")
    errors = moved("run", "copy.py::Pages", *words, exit_code=2).stderr
    assert f"of {moved.folder}/spiders/pages.py::Pages, not to 'pages' of {moved.folder}/copy.py::Pages" in errors


def test_a_folder_runs_every_spider_and_has_the_worst_code(crawlkit: Command, write_spider: Write, site: Site) -> None:
    """One broken file does not keep the others from running."""
    (crawlkit.folder / "spiders").mkdir()
    write_spider(SPIDER.replace("Pages", "First"), name="spiders/a.py")
    write_spider("class (\n", name="spiders/b.py")
    write_spider(SPIDER.replace("Pages", "Last").replace('"/"', '"/failing"'), name="spiders/c.py")
    done = crawlkit("run", "spiders", "-a", f"base={site.url}", "--json", exit_code=2)
    line = json.loads(done.stdout)
    assert [("first", 0), ("spiders/b.py", 2), ("last", 1)] == [
        (one["spider"], one["exit_code"]) for one in line["spiders"]
    ]
    assert (3, 1, 2, "usage_error") == (line["pages"], line["failed"], line["exit_code"], line["outcome"])
    assert "spiders/b.py:1: syntax error" in done.stderr


def test_a_second_run_is_exit_code_4_and_wait_waits(crawlkit: Command, write_spider: Write, site: Site) -> None:
    """At once, naming the first; with --wait it runs when the first has ended."""
    write_spider(SPIDER, name="pages.py")
    words = ("pages.py", "-a", f"base={site.url}")
    first = crawlkit.start("run", *words[:2], f"base={site.url}/slow?", "--set", "fetch.timeout=50")
    try:
        wait_for(lambda: (crawlkit.folder / "data" / "pages.db.lock").exists() and bool(site.asked))
        done = crawlkit("run", *words, "--json", exit_code=4)
        assert f"pid {first.pid}" in done.stderr
        assert (4, "locked", "pages") == tuple(
            json.loads(done.stdout)[name] for name in ("exit_code", "outcome", "spider")
        )
        waiting = subprocess.Popen(
            crawlkit.words("run", *words, "--wait", "--fresh"), cwd=crawlkit.folder, env=crawlkit.environment(),
            stderr=subprocess.PIPE,
        )  # fmt: skip
        time.sleep(0.5)
        assert waiting.poll() is None
    finally:
        first.kill()
        first.wait()
    _, errors = waiting.communicate(timeout=60)
    assert 0 == waiting.returncode, errors


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_drains_and_says_how_to_go_on(
    crawlkit: Command, write_spider: Write, site: Site, number: int, code: int
) -> None:
    """The page under way may end; the summary and the JSON line are there."""
    write_spider(SPIDER.replace('follow_all("a")', "follow_all(['/a', '/b', '/hang'])"), name="pages.py")
    from crawlkit.testing.hostile import Pause, answer

    site.server.play("/hang", [Pause(2.0), answer("200 OK", b"<title>late</title>")])
    process = started(crawlkit, "pages.py", "-a", f"base={site.url}", "--json")
    wait_for(lambda: "/hang" in site.asked)
    process.send_signal(number)
    out, errors = process.communicate(timeout=30)
    assert code == process.returncode, errors
    assert "the same command goes on" in errors
    assert {130: "(Ctrl-C)", 143: "(SIGTERM)"}[code] in errors.splitlines()[-1]
    line = json.loads(out.splitlines()[-1])
    assert code == line["exit_code"]
    assert line["outcome"] in ("interrupted", "terminated")
    assert line["resumable"] is True


def test_a_second_signal_ends_within_a_second(crawlkit: Command, write_spider: Write, site: Site) -> None:
    """Even when the page under way would take a minute; the JSON line is there all the same."""
    write_spider(SPIDER, name="pages.py")
    words = ("pages.py", "-a", f"base={site.url}/slow?", "--json", "--set", "fetch.timeout=60")
    process = started(crawlkit, *words)
    wait_for(lambda: bool(site.asked))
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while "stopping" not in process.stderr.readline():
        pass
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=30)
    assert time.monotonic() - begin < 1.5
    assert "what was committed is kept, the same command goes on" in errors
    assert 130 == process.returncode
    assert 130 == json.loads(out.splitlines()[-1])["exit_code"]
    line = crawlkit.run("pages.py", "-a", f"base={site.url}", "--fresh")
    assert "finished" == line["outcome"]


def test_a_terminal_shows_one_block_that_is_wiped(crawlkit: Command, write_spider: Write, site: Site) -> None:
    """And the summary after it; without colours where NO_COLOR is set."""
    write_spider(SPIDER, name="pages.py")
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        crawlkit.words("run", "pages.py", "-a", f"base={site.url}"),
        cwd=crawlkit.folder,
        env=crawlkit.environment(TERM="xterm"),
        stdout=follower,
        stderr=follower,
    )
    os.close(follower)
    written = read_all(leader)
    assert 0 == process.wait()
    assert "workers" in written or "busy" in written
    assert "pages finished: 3 pages" in written
    assert "export        crawlkit export pages -o items.csv" in written
    assert "\x1b[3" not in written.replace("\x1b[?25", "")


def started(crawlkit: Command, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        crawlkit.words("run", *words),
        cwd=crawlkit.folder,
        env=crawlkit.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)


def read_all(descriptor: int) -> str:
    chunks = []
    while True:
        try:
            chunk = os.read(descriptor, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not chunk:
            break
        chunks.append(chunk)
    os.close(descriptor)
    return b"".join(chunks).decode()

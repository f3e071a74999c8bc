"""Crontab: lines that cron understands, and a table of which nothing else changes."""

from __future__ import annotations

import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlkit.cli import crontab
from crawlkit.cli.project import Job, Project
from crawlkit.crawl.crontime import CronTime
from crawlkit.exceptions import UsageError
from tests.cli.stand_in_programs import StandIn, stand_ins

SHOP, OTHER = Path("/srv/shop"), Path("/srv/shop2")


def job(folder: Path = SHOP, schedule: str = "0 6 * * *", spider: str = "books") -> Job:
    words = (
        "/opt/env/bin/crawlkit",
        "run",
        f"spiders/{spider}.py",
        "--quiet",
        "--log-file",
        f"{folder}/data/{spider}.log",
    )
    file, database = folder / "spiders" / f"{spider}.py", folder / "data" / f"{spider}.db"
    return Job(spider, schedule, CronTime.read(schedule), folder, file, words, database, Path(words[-1]))


def block(folder: Path = SHOP, *spiders: str) -> bytes:
    return crontab.block_of(Project(folder, tuple(job(folder, spider=spider) for spider in spiders or ("books",))))


@pytest.fixture
def cron(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    made = stand_ins(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{made.folder}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    return made


def test_a_line_has_absolute_paths_between_its_marks() -> None:
    """The time in numbers, the project's folder, the executable, the log; nothing else."""
    project = Project(SHOP, (job(schedule="30 6 * jan mon-fri"),))
    assert [
        "# crawlkit: /srv/shop begin",
        "30 6 * 1 1-5 cd /srv/shop && /opt/env/bin/crawlkit run spiders/books.py --quiet"
        " --log-file /srv/shop/data/books.log",
        "# crawlkit: /srv/shop end",
    ] == crontab.block_of(project).decode().splitlines()


@pytest.mark.parametrize("name", ["my shop", "100%", "%", "it's", 'a "b"', "$HOME", "café", "a&b;c", "#x", "~", "`x`"])
def test_a_folder_comes_through_cron_and_its_shell(name: str, tmp_path: Path) -> None:
    """What cron makes of a line (an unescaped % ends it, a backslash before one goes) is what the shell runs."""
    folder = tmp_path / name
    folder.mkdir()
    made = job(folder)
    asked = Job(made.spider, "* * * * *", made.when, folder, made.file, ("pwd",), made.database, made.log)
    command = crontab.line_of(asked).split(" ", 5)[5]
    assert "%" not in command.replace("\\%", "")
    done = subprocess.run(["/bin/sh", "-c", command.replace("\\%", "%")], capture_output=True, text=True, cwd="/")
    assert (f"{folder}\n", "") == (done.stdout, done.stderr)


@pytest.mark.parametrize("schedule", ["0 6 * * *", "*/15,7 1-5/2 1,15 jan-mar mon-fri", "@weekly", "0 0 * * 5-7"])
def test_crontab_takes_the_lines(schedule: str) -> None:
    """Debian's crontab -n reads a table without installing it."""
    program = shutil.which("crontab")
    if program is None:
        pytest.skip("crontab is missing: apt-get install cron")
    given = crontab.block_of(Project(Path("/srv/my 100% shop"), (job(Path("/srv/my 100% shop"), schedule),)))
    done = subprocess.run([program, "-n", "-"], input=given, capture_output=True)
    if b"invalid option" in done.stderr:
        pytest.skip("this crontab cannot only look at a table")
    assert (0, b"") == (done.returncode, done.stdout), done.stderr
    wrong = subprocess.run([program, "-n", "-"], input=given + b"61 * * * * true\n", capture_output=True)
    assert 0 != wrong.returncode  # the judge itself


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_everything_else_stays_byte_for_byte(before: bytes, after: bytes) -> None:
    """Whatever bytes a table has around the block: replaced they are there, removed they are there."""
    head = before + b"\n" if before else b""
    foreign = head + block(OTHER) + after
    table = head + block(OTHER) + block() + after
    assert head + block(OTHER) + block(SHOP, "books", "news") + after == crontab.replaced(
        table, SHOP, block(SHOP, "books", "news")
    )
    assert foreign == crontab.replaced(table, SHOP, b"")
    assert foreign == crontab.replaced(foreign, SHOP, b"")


def test_a_table_without_a_last_newline_gets_one() -> None:
    """Its last line would run into ours; nothing is lost of it."""
    assert b"0 1 * * * true\n" + block() == crontab.replaced(b"0 1 * * * true", SHOP, block())


def test_of_two_blocks_of_a_project_one_is_left() -> None:
    """Who copied a table by hand."""
    assert b"a\n" + block() + b"b\n" == crontab.replaced(b"a\n" + block() + b"b\n" + block(), SHOP, block())


@pytest.mark.parametrize(
    ("table", "line"),
    [
        (b"x\n# crawlkit: /srv/shop begin\n0 1 * * * true\n", 2),
        (b"x\ny\n# crawlkit: /srv/shop end\n", 3),
        (b"# crawlkit: /srv/shop begin\n# crawlkit: /srv/shop begin\n# crawlkit: /srv/shop end\n", 2),
    ],
)
def test_half_a_block_is_refused(table: bytes, line: int) -> None:
    """Where it would end is not known: the line is named, nothing is changed."""
    with pytest.raises(UsageError, match=rf"crontab, line {line}: a mark of /srv/shop without its other half"):
        crontab.replaced(table, SHOP, block())


def test_installing_and_taking_out(cron: StandIn) -> None:
    """There was no table and there is none afterwards; what was installed is found again."""
    assert crontab.change_table(SHOP, block())
    assert not crontab.change_table(SHOP, block())
    assert crontab.change_table(OTHER, block(OTHER))
    assert (block() + block(OTHER), block()) == (cron.table.read_bytes(), crontab.block_in(crontab.read_table(), SHOP))
    assert crontab.change_table(SHOP, b"")
    assert block(OTHER) == cron.table.read_bytes()
    assert crontab.change_table(OTHER, b"")
    assert not cron.table.exists()


def test_a_table_that_cron_refuses_is_told(cron: StandIn) -> None:
    """With cron's own words; the table is as before."""
    cron.table.write_bytes(b"0 1 * * * true\n")
    cron.refuse("crontab", '"-":2: command too long\nerrors in crontab file, can\'t install.\n')
    with pytest.raises(UsageError, match=r"crontab: .*command too long; errors in crontab file.*is as before"):
        crontab.change_table(SHOP, block())
    assert b"0 1 * * * true\n" == cron.table.read_bytes()


def test_without_cron_the_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the other way."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="no crontab on this machine; apt-get install cron, or use --systemd"):
        crontab.read_table()


def test_two_that_install_at_once_lose_nothing(cron: StandIn) -> None:
    """crontab(1) replaces the whole table: without the lock one of them would take the other's lines away."""
    folders = [Path(f"/srv/shop{number}") for number in range(3)]
    threads = [threading.Thread(target=crontab.change_table, args=(folder, block(folder))) for folder in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(b"".join(block(folder) for folder in folders).splitlines()) == sorted(
        cron.table.read_bytes().splitlines()
    )

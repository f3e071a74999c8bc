"""An archive's run, killed at any instant: the same command goes on, and the package is that of a run that was not."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from crawlkit.archive.place import Place
from crawlkit.archive.verifying import verify
from crawlkit.exceptions import UsageError
from crawlkit.store.records import Records
from tests.archive.killed_archive import Address, Kept
from tests.archive.recorded import Studio, Walker
from tests.crawl.loopback import Reply, Site, serving

PAGES = 240


class Killed(BaseException):
    """In place of a signal, at a certain step."""


def die(*_: Any, **__: Any) -> None:
    raise Killed


def site_of_numbers() -> dict[str, Any]:
    """Pages that link to two more each; every tenth moved, every seventh the same as another."""
    pages: dict[str, Any] = {}
    for number in range(PAGES):
        links = "".join(f'<a href="/{each}">x</a>' for each in (2 * number + 1, 2 * number + 2) if each < PAGES)
        same = f"<p>{number % 7 or number}" if not links else f"<p>{number}"
        pages[f"/{number}"] = links + same * 20
        if number % 10 == 9:
            pages[f"/{number}"] = Reply("", 302, {"Location": f"/moved/{number}"})
            pages[f"/moved/{number}"] = links + f"<p>moved {number}"
    pages["/"] = pages.pop("/0")
    return pages


@contextmanager
def running(folder: Path, site: Site) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "tests.archive.killed_archive", str(folder), site.url]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def captured(folder: Path) -> list[str]:
    """What the index of the package lists: address, status, and nothing twice."""
    with zipfile.ZipFile(folder / "site.wacz") as package:
        lines = package.read("indexes/index.cdx").decode().splitlines()
    return [line.split(" ")[0] + line.partition('"status"')[2][:8] for line in lines]


def has_ended(folder: Path) -> bool:
    """Whether the crawl was killed after its end: the next run would be of another, and refuse to replace the package."""
    try:
        runs = Studio(folder).query(Kept(Address("")), "SELECT finished FROM _runs ORDER BY id DESC LIMIT 1")
    except sqlite3.OperationalError:
        return False  # killed before there was a table
    return runs == [(1,)]


def archive_with_kills(folder: Path, site: Site, chance: random.Random, longest: float) -> int:
    """Run until the package is there; how often it was killed on the way."""
    kills = 0
    folder.mkdir()
    while True:
        with running(folder, site) as process:
            try:
                process.wait(chance.uniform(0.2, longest))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                kills += 1
                if has_ended(folder):
                    return kills
                continue
            assert process.stderr is not None
            assert 0 == process.returncode, process.stderr.read().decode()
            return kills


@pytest.mark.slow
def test_killed_at_fifty_instants_the_package_is_the_same(tmp_path: Path) -> None:
    """Whatever was under way: fetching, appending, committing, packaging. No capture is lost, none is there twice."""
    chance = random.Random(6)
    with serving(site_of_numbers()) as site:
        assert 0 == archive_with_kills(tmp_path / "whole", site, chance, 600.0)
        expected = captured(tmp_path / "whole")
        kills = rounds = 0
        while kills < 50:
            rounds += 1
            folder = tmp_path / str(rounds)
            kills += archive_with_kills(folder, site, chance, 2.2)
            assert expected == captured(folder)
            assert [] == verify(Studio(folder).warcs())
            assert not (folder / "site.wacz.part").exists()


def test_what_was_published_by_another_crawl_is_not_taken_for_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed when the output had its name already; then begun anew: it is replaced, and only when that was said."""
    studio = Studio(tmp_path)
    pages: dict[str, Any] = {"/": '<a href="/a">x</a>', "/a": "a"}
    with serving(pages) as site:
        with monkeypatch.context() as dying, pytest.raises(Killed):
            dying.setattr(Records, "close", die)
            studio.run(Walker(site))
        pages["/"] = '<a href="/b">x</a>'
        pages["/b"] = "b"
        with pytest.raises(UsageError, match="is there already"):
            studio.run(Walker(site), fresh=True)
        result = studio.run(Walker(site), fresh=True, overwrite=True)

    assert (0, {"/": 200, "/b": 200}) == (result.exit_code, studio.answers())


@pytest.mark.parametrize("step", ["publish", "close", "remove"])
def test_killed_within_its_last_steps_the_output_is_made_once(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before and after the package has its name, before and after the database knows of it."""
    studio = Studio(tmp_path)
    with serving({"/": '<a href="/a">x</a>', "/a": "a"}) as site:
        with monkeypatch.context() as dying, pytest.raises(Killed):
            dying.setattr(Records if step == "close" else Place, step, die)
            studio.run(Walker(site))
        asked = len(site.log())
        result = studio.run(Walker(site))

    assert (0, asked) == (result.exit_code, len(site.log()))
    assert {"/": 200, "/a": 200} == studio.answers()
    assert not studio.recorder.place.folder.exists()
    assert [("packaged",)] == studio.query(Walker(site), "SELECT state FROM _archives")

"""What tests of every layer share: the repository's root and the command line, run as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from crawlkit.testing import DemoSite, demo_site

ROOT = Path(__file__).resolve().parent.parent
#: The processes that share the tests at most: each collects all of them first.
_MOST_PROCESSES = 8


#: Files whose few tests take longest: begun last, one process would be at them when all others are done.
_LONG = ("test_docs.py", "test_docs_crawl.py", "test_incremental.py", "test_run.py", "test_reading.py", "test_site.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files first."""
    items.sort(key=lambda item: item.path.name not in _LONG)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """A process a core for all files; one for a file or two, and for the long suites, which need the machine for
    themselves.
    """
    if config.args_source is not pytest.Config.ArgsSource.TESTPATHS or config.option.markexpr != "not slow":
        return 0
    return min(_MOST_PROCESSES, os.cpu_count() or 1)


@dataclass(frozen=True)
class Command:
    """`crawlkit` as a process of its own, in a folder of its own."""

    folder: Path

    def __call__(
        self, *arguments: object, exit_code: int | None = 0, timeout: float = 120, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end; `exit_code` is what it must end with (None: anything)."""
        done = subprocess.run(
            self.words(*arguments),
            cwd=self.folder,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if exit_code is not None and done.returncode != exit_code:
            words = " ".join(map(str, arguments))
            pytest.fail(f"crawlkit {words}: exit code {done.returncode}, not {exit_code}\n{done.stderr}{done.stdout}")
        return done

    def run(self, *arguments: object, exit_code: int | None = 0, **options: Any) -> dict[str, Any]:
        """`crawlkit run ARGUMENTS --json`: its JSON line, read."""
        done = self("run", *arguments, "--json", exit_code=exit_code, **options)
        line: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return line

    def start(self, *arguments: object, **environment: str) -> subprocess.Popen[bytes]:
        """Start it and go on; what it prints is thrown away."""
        return subprocess.Popen(
            self.words(*arguments),
            cwd=self.folder,
            env=self.environment(**environment),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    @staticmethod
    def words(*arguments: object) -> list[str]:
        return [str(Path(sys.executable).with_name("crawlkit")), *map(str, arguments)]

    @staticmethod
    def environment(**changes: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        return {**kept, "NO_COLOR": "1", "COLUMNS": "120", **changes}


@pytest.fixture
def crawlkit(tmp_path: Path) -> Command:
    """The command line in an empty folder, where its `data/` will be."""
    return Command(tmp_path)


@pytest.fixture
def write_spider(tmp_path: Path) -> Callable[[str], Path]:
    """Write a spider file into the test's folder; `crawlkit run` finds its `data/` beside it."""

    def write(text: str, name: str = "spider.py") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def shop() -> Iterator[DemoSite]:
    """The demo bookshop with sixty books on a free port."""
    with demo_site(port=0, books=60) as site:
        yield site


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return ROOT

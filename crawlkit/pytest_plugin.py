"""pytest's way in: saved cases are tests, `cassette` is a fixture. What belongs here: what pytest calls.

What does not: cases and cassettes themselves (crawlkit.testing). pytest loads this file wherever crawlkit is installed, so
it imports nothing of crawlkit before a test asks for it, and looks at the names of files only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from crawlkit.testing.cassette import Cassette

_CASE = "case.json"
_CASES = ".cases"
_MODES = ("once", "none", "new", "all")


def pytest_addoption(parser: pytest.Parser) -> None:
    """--cassettes, and an ini value of the same meaning."""
    group = parser.getgroup("crawlkit", "crawlkit: cassettes and saved cases of spiders")
    group.addoption(
        "--cassettes",
        choices=_MODES,
        help="how the fixture `cassette` plays and records; once: record what there is no file for (default), none: "
        "never, new: what a file lacks, all: everything anew",
    )
    parser.addini(
        "crawlkit_cassettes", "how the fixture `cassette` plays and records unless --cassettes says", default="once"
    )


@pytest.fixture
def cassette(request: pytest.FixtureRequest) -> Iterator[Cassette]:
    """A Cassette of this test's own: `cassettes/MODULE/TEST.yaml` beside the test's file, written when the test ends.

    `with cassette.use(session):` or `crawl(spider, cassette=cassette)`.
    """
    from crawlkit.testing.cassette import Cassette

    mode: Any = request.config.getoption("--cassettes") or request.config.getini("crawlkit_cassettes")
    name = re.sub(r"[^\w.=,-]+", "_", request.node.nodeid.rpartition(".py::")[2]).strip("_")
    made = Cassette(request.path.parent / "cassettes" / request.path.stem / f"{name}.yaml", mode)
    yield made
    made.save()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A case that `crawlkit check --save` made: SPIDER.cases/NAME/case.json."""
    if file_path.name != _CASE or file_path.parent.parent.suffix != _CASES:
        return None
    collector: pytest.Collector = CaseFile.from_parent(parent, path=file_path)
    return collector


class CaseFile(pytest.File):
    """One case; a test of one."""

    def collect(self) -> Iterator[pytest.Item]:
        yield CaseItem.from_parent(self, name=self.path.parent.name)


class CaseItem(pytest.Item):
    """Runs the spider's callback on the saved page."""

    def runtest(self) -> None:
        from crawlkit.testing.cases import Case

        outcome = Case.read(self.path.parent).run()
        if not outcome.passed:
            raise CaseFailed(outcome.told())

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What differs, in place of a traceback of ours; of a case that cannot be run, its error."""
        from crawlkit.exceptions import UsageError

        if isinstance(excinfo.value, CaseFailed | UsageError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, f"{self.path.parent.parent.name}/{self.name}"


class CaseFailed(AssertionError):
    """A saved page gave other items or requests than it has to."""

"""Cases: saved pages of a spider, each with the items and requests that its callback has to give.

What belongs here: the folder of a case, running it, accepting what it gives. What does not: fetching a page to save
(case_saving.py), comparing (comparing.py), the command (cli/check.py), pytest (crawlkit/pytest_plugin.py).

Beside `spiders/site.py` stands `spiders/site.cases/NAME/`: `case.json` says what was asked and answered, `page.html` (or
another ending) is the body, `expected.json` what has to come out, `nested.yaml` a cassette with what the callback itself
asked for. All of it is meant to be read, reviewed and kept under version control.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawlkit.crawl.loading import SpiderSource, find_spiders, make_spider, place_of, settings_of
from crawlkit.crawl.offline import Offline, Page, Parsed
from crawlkit.crawl.request import dump, load
from crawlkit.crawl.settings import parse_override
from crawlkit.crawl.spider import Spider
from crawlkit.exceptions import ConfigError, UsageError
from crawlkit.store import kinds
from crawlkit.store.history import plain_row
from crawlkit.store.outcome import Lease, Row
from crawlkit.testing.comparing import Difference, differences, plain
from crawlkit.testing.wholefile import write_whole

if TYPE_CHECKING:
    from crawlkit.sessions.request import Request
    from crawlkit.sessions.session import Session

CASES = ".cases"
CASE, EXPECTED, NESTED = "case.json", "expected.json", "nested.yaml"


@dataclass(frozen=True, slots=True)
class Given:
    """What a callback gives for a page, as JSON values: items by table and row, requests, files."""

    items: Sequence[Mapping[str, Any]] = ()
    requests: Sequence[Mapping[str, Any]] = ()
    files: Sequence[Mapping[str, Any]] = ()

    def as_json(self) -> dict[str, Any]:
        """As expected.json has it; files only where there are some."""
        told: dict[str, Any] = {"items": list(self.items), "requests": list(self.requests)}
        return {**told, "files": list(self.files)} if self.files else told


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a case went: what the callback gave, how that differs, or the error that it ended with."""

    case: Case
    given: Given
    differences: Sequence[Difference] = ()
    error: str | None = None

    @property
    def passed(self) -> bool:
        """Whether the callback gave what it has to."""
        return not self.differences and self.error is None

    def told(self) -> str:
        """What is wrong, for a person."""
        head = f"{self.case.folder} ({self.case.callback} on {self.case.url})"
        lines = [self.error] if self.error else [line for each in self.differences for line in each.told()]
        return "\n".join((head, *(f"  {line}" for line in lines)))

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "case": str(self.case.folder),
            "url": self.case.url,
            "callback": self.case.callback,
            "passed": self.passed,
            "error": self.error,
            "differences": [
                {
                    "kind": each.kind,
                    "what": each.what,
                    "entry": dict(each.entry),
                    "columns": {
                        name: {"expected": plain(expected), "actual": plain(actual)}
                        for name, (expected, actual) in each.columns.items()
                    },
                }
                for each in self.differences
            ],
        }


class Case:
    """One saved page. Any thread; `accept` writes."""

    def __init__(self, folder: Path, content: Mapping[str, Any], expected: Given | None) -> None:
        self.folder = folder
        self._content = content
        self.expected = expected
        try:
            self._request: Mapping[str, Any] = dict(content["request"])
            response = content["response"]
            self.url = str(response["url"])
            self._status = int(response["status"])
            self._fields = tuple((str(name), str(value)) for name, value in response["headers"])
            self._body = folder / _file_name(content["body"])
            self.asked = str(self._request.pop("url"))
            self.callback = str(self._request.get("callback", "parse"))
            self._arguments = {str(name): str(value) for name, value in content.get("arguments", {}).items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UsageError(
                f"{folder / CASE}: is no case: {error!r}; save it anew with crawlkit check --save"
            ) from error

    @classmethod
    def read(cls, folder: str | Path) -> Case:
        """The case in `folder`. UsageError, naming file and line, when it is none."""
        folder = Path(folder)
        content = _json(folder / CASE)
        expected = folder / EXPECTED
        if not expected.exists():
            return cls(folder, content, None)
        told = _json(expected)
        try:
            given = Given(*(list(told.get(name, ())) for name in ("items", "requests", "files")))
        except TypeError as error:
            raise UsageError(
                f"{expected}: holds no lists of items and requests; accept it anew with --update"
            ) from error
        return cls(folder, content, given)

    @property
    def spider(self) -> str:
        """The name of the spider's class; empty when there is one in its file."""
        return str(self._content.get("spider", ""))

    def run(self, source: SpiderSource | None = None) -> Outcome:
        """Run the callback on the page, offline. `source`: the spider, when it was loaded before.

        What the callback raises is in the outcome; UsageError when spider or case cannot be used.
        """
        if source is None:
            source = _source_of(self.folder.parent.with_suffix(".py"), self.spider)
        spider = make_spider(source, self._arguments)
        try:
            given = self._given(spider, source)
        except ConfigError:
            raise
        except UsageError as error:  # the case, or a callback that is not there any more
            return Outcome(self, Given(), error=str(error))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the author's code may raise anything
            where = place_of(error, source.path)
            told = f"{where}: {self.callback}() failed: {type(error).__name__}: {error}"
            return Outcome(self, Given(), error=told)
        expected = self.expected or Given()
        found = [
            *differences("item", expected.items, given.items),
            *differences("request", expected.requests, given.requests),
            *differences("file", expected.files, given.files),
        ]
        return Outcome(self, given, found)

    def accept(self, given: Given) -> None:
        """From now on `given` is what has to come out."""
        write_json(self.folder / EXPECTED, given.as_json())
        self.expected = given

    def _given(self, spider: Spider, source: SpiderSource) -> Given:
        if not callable(getattr(spider, self.callback, None)):
            raise UsageError(
                f"{self.folder / CASE}: names the callback {self.callback!r}, which {type(spider).__name__} does not have; "
                "write its new name there, or save the page anew"
            )
        settings = settings_of(source, spider, [parse_override("login.env_file=none")])  # nobody logs in here
        request = load(Lease(0, b"", self.asked, "", 0, 0, 0, json.dumps(self._request), start=False, run=0), spider)
        try:
            body = self._body.read_bytes()
        except OSError as error:
            raise UsageError(f"{self._body}: the page of the case cannot be read ({error.strerror})") from error
        page = Page(self.url, self._status, self._fields, body, request)
        session = self._nested_session()
        doing = f"a case without {NESTED}" if session is None else "a case"
        return given_of(Offline(spider, settings, doing=doing, session=session).parse(page), spider)

    def _nested_session(self) -> Session | None:
        path = self.folder / NESTED
        if not path.exists():
            return None
        from crawlkit.sessions.session import Session
        from crawlkit.testing.cassette import Cassette

        session = Session()
        Cassette(path, "none").attach(session)
        return session


def find_cases(spider: Path) -> list[Case]:
    """The cases beside the spider file at `spider`, by name. UsageError for one that is broken."""
    return [Case.read(found.parent) for found in sorted(spider.with_suffix(CASES).glob(f"*/{CASE}"))]


def given_of(parsed: Parsed, spider: Spider) -> Given:
    """What a callback gave, as JSON values. SpiderError for a request that could not be kept."""
    return Given(
        items=[{"table": row.table, "row": _shown(row)} for row in parsed.rows],
        requests=[described(request, spider) for request in parsed.requests],
        files=[{"url": each.url, "path": str(each.path)} for each in parsed.downloads],
    )


def described(request: Request, spider: Spider) -> dict[str, Any]:
    """A request as JSON values: its URL and all that differs from a plain GET whose callback is `parse`."""
    text = dump(request, spider)
    return {"url": request.url, **(json.loads(text) if text else {})}


def write_json(path: Path, value: Any) -> None:
    """Write JSON to be read by people. StorageError."""
    write_whole(path, (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace"))


def _shown(row: Row) -> dict[str, Any]:
    """A row as it was yielded, in JSON's values."""
    values = plain_row(list(row.values), list(row.values.values()))
    for column, kind in row.kinds.items():
        values[column] = kinds.reader(frozenset((kind,)))(values[column])
    return values


def _file_name(name: Any) -> str:
    """The name of a file of the case; a case may come from anybody, and is not to show another file of the reader's."""
    if not isinstance(name, str) or name in ("", ".", "..") or re.search(r"[/\\\0]", name):
        raise ValueError(f"{name!r} is not the name of a file beside it")
    return name


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: the case cannot be read ({error.strerror})") from error
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        raise UsageError(f"{path}:{line}: is no JSON ({error}); it was not changed") from error
    if not isinstance(value, dict):
        raise UsageError(f"{path}: is no case: it holds no JSON object")
    return value


def _source_of(path: Path, name: str) -> SpiderSource:
    try:
        changed = path.stat().st_mtime_ns
    except OSError as error:
        raise UsageError(f"{path}: the spider of these cases is not there ({error.strerror})") from error
    return _loaded(path, name, changed)


@lru_cache(maxsize=32)
def _loaded(path: Path, name: str, changed: int) -> SpiderSource:
    sources = find_spiders(f"{path}::{name}" if name else str(path))
    if len(sources) != 1:
        raise UsageError(f"{path}: {len(sources)} Spiders in it; the case has to name one in {CASE}")
    return sources[0]

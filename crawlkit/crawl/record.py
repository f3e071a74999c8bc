"""Record: what a run leaves to be looked at and compared with: counted while it goes on, bounded whatever the site does.

What belongs here: counting visits, the record as JSON, several records as one. What does not: what progress and result tell
(tally.py), judging (health.py), drawing (cli/). Written by the writer's thread alone, after commits.

    pages     done, failed, skipped, unchanged, and how many were parsed
    statuses  answers by status            failures, skips, not_followed  by reason, with an `examples` URL each
    types     by callback: pages, items, links, `silent` pages that gave no item, an example of those
    tables    by table: rows and pages that gave some, an `example` of those, `total` rows at the end, `filled` values by
              column, `examples` of pages with a row that lacks it
    walls     pages that led to a login page, or gave no item and a password field
    hosts     pages, failed, bytes, seconds      slow  the slowest pages      times  answers by BOUNDS of seconds
    timeline  pages and failures by slices of `seconds`
"""

from __future__ import annotations

import heapq
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from crawlkit.crawl.exhibits import Exhibits
from crawlkit.crawl.visit import Visit
from crawlkit.store.outcome import Row, Verdict

#: Upper ends of the response times that are counted together, in seconds; the last has none.
BOUNDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)

_SLICES = 96
_FIRST_SLICE_SECONDS = 0.1  # doubled whenever the slices are used up
_SLOWEST = 20
_HOSTS = 100
_REASONS = 100
_TYPES = 100
_TABLES = 50
_COLUMNS = 300
_URL_CHARACTERS = 500
_OTHERS = "(others)"

_EMPTY = frozenset({None, "", "[]", "{}", b""})
_PASSWORD_FIELD = re.compile(rb"type\s{0,16}=\s{0,16}[\"']?p\Z")
_LONGEST_TYPE = 40  # bytes of the above
_LOGIN_PATH = re.compile(r"(?:^|[/_.-])(?:log[-_]?[io]n|sign[-_]?in|sso)(?:$|[/_.-])", re.IGNORECASE)


def leads_to_login(asked: str, got: str | None) -> bool:
    """Whether who asked for one page was sent to another that is a login's, by its path."""
    return (
        got is not None
        and bool(_LOGIN_PATH.search(urlsplit(got).path))
        and not _LOGIN_PATH.search(urlsplit(asked).path)
    )


def asks_for_password(body: bytes) -> bool:
    """Whether a page has a field for a password."""
    lower = body.lower()
    at = lower.find(b"assword")
    while at >= 0:
        if _PASSWORD_FIELD.search(lower, max(0, at - _LONGEST_TYPE), at):
            return True
        at = lower.find(b"assword", at + 1)
    return False


class _Table:
    """Rows of one table. How many values each column has is counted by the shapes of rows, which are few."""

    def __init__(self) -> None:
        self.rows = 0
        self.pages = 0
        self.filled: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self.example = ""

    def add(self, rows: Iterable[Row], shows: Callable[[], str]) -> None:
        """`shows` makes the page an example and gives its URL."""
        self.pages += 1
        if not self.example:
            self.example = shows()
        filled = self.filled
        for row in rows:
            self.rows += 1
            values = row.values
            if _EMPTY.isdisjoint(values.values()):
                filled.update(values.keys())
            else:
                filled.update(column for column, value in values.items() if value not in _EMPTY)
                for column, value in values.items():
                    if value in _EMPTY and column not in self.examples and len(self.examples) < _COLUMNS:
                        self.examples[column] = shows()
            if len(values) < len(filled) and len(self.examples) < _COLUMNS:
                for column in filled.keys() - values.keys() - self.examples.keys():
                    self.examples[column] = shows()
        if len(filled) > 2 * _COLUMNS:
            self.filled = Counter(dict(filled.most_common(_COLUMNS)))


class Record:
    """What one run counted. `clock` gives seconds that only grow."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began: float | None = None
        self._pages: Counter[str] = Counter()
        self._statuses: Counter[str] = Counter()
        self._reasons: dict[str, Counter[str]] = {"failures": Counter(), "skips": Counter(), "not_followed": Counter()}
        self._examples: dict[str, str] = {}
        self._types: dict[str, Counter[str]] = {}
        self._type_examples: dict[str, str] = {}
        self._tables: dict[str, _Table] = {}
        self._walls: Counter[str] = Counter()
        self._wall_example = ""
        self._hosts: dict[str, Counter[str]] = {}
        self._slow: list[tuple[float, str]] = []
        self._times = [0] * (len(BOUNDS) + 1)
        self._slice_seconds = _FIRST_SLICE_SECONDS
        self._timeline: list[list[int]] = []
        #: The examples as they came, for those whom a finding sends there.
        self.exhibits = Exhibits(self._shown)

    def start(self) -> None:
        """The run begins now."""
        self._began = self._clock()

    def add(self, visit: Visit, verdict: Verdict, reason: str) -> None:
        """Count a visit that is committed; `reason` is the short one of a page that failed or was skipped."""
        outcome = visit.outcome
        if outcome.status is not None:
            self._statuses[str(outcome.status)] += 1
        if outcome.elapsed is not None:
            self._add_time(outcome.elapsed, visit.url)
        if verdict.state not in ("done", "failed", "skipped"):
            return
        self._pages[verdict.state] += 1
        self._pages["unchanged"] += int(verdict.unchanged)
        self._add_slice(verdict.state == "failed")
        self._add_host(visit, verdict.state == "failed")
        if verdict.state != "done":
            self._count_reason("failures" if verdict.state == "failed" else "skips", reason, visit.url)
        if leads_to_login(visit.url, outcome.final_url):
            self._add_wall("redirects", visit)
        elif visit.password_field and not outcome.rows:
            self._add_wall("forms", visit)
        for word, count in visit.skips.items():
            self._count_reason("not_followed", word, "", count)
        if verdict.state == "done" and visit.callback:
            self._add_parsed(visit)

    def _add_parsed(self, visit: Visit) -> None:
        outcome = visit.outcome
        self._pages["parsed"] += 1
        name = visit.callback if visit.callback in self._types or len(self._types) < _TYPES else _OTHERS
        counts = self._types.setdefault(name, Counter())
        counts.update(pages=1, items=len(outcome.rows), links=visit.found, silent=int(not outcome.rows))
        if not outcome.rows:
            self._type_examples[name] = self._shows(visit)
        by_table: dict[str, list[Row]] = {}
        for row in outcome.rows:
            by_table.setdefault(row.table, []).append(row)
        for table, rows in by_table.items():
            if table in self._tables or len(self._tables) < _TABLES:
                self._tables.setdefault(table, _Table()).add(rows, lambda: self._shows(visit))

    def _count_reason(self, kind: str, word: str, url: str, count: int = 1) -> None:
        counts = self._reasons[kind]
        word = word[:200] if word in counts or len(counts) < _REASONS else _OTHERS
        counts[word] += count
        if url:
            self._examples.setdefault(f"{kind}:{word}", url[:_URL_CHARACTERS])

    def _add_wall(self, kind: str, visit: Visit) -> None:
        self._walls[kind] += 1
        self._wall_example = self._shows(visit)

    def _shows(self, visit: Visit) -> str:
        """Make a page an example: its URL."""
        url = visit.url[:_URL_CHARACTERS]
        self.exhibits.hold(url, visit.content, visit.outcome.content_type)
        return url

    def _shown(self) -> Iterator[str]:
        """The examples of now."""
        yield self._wall_example
        yield from self._type_examples.values()
        for table in self._tables.values():
            yield table.example
            yield from table.examples.values()

    def _add_host(self, visit: Visit, failed: bool) -> None:
        name = visit.host if visit.host in self._hosts or len(self._hosts) < _HOSTS else _OTHERS
        host = self._hosts.setdefault(name, Counter())
        host.update(pages=1, failed=int(failed), bytes=visit.outcome.size)
        host["milliseconds"] += round((visit.outcome.elapsed or 0.0) * 1000)

    def _add_time(self, seconds: float, url: str) -> None:
        self._times[next((place for place, bound in enumerate(BOUNDS) if seconds <= bound), len(BOUNDS))] += 1
        entry = (round(seconds, 4), url[:_URL_CHARACTERS])
        if len(self._slow) < _SLOWEST:
            heapq.heappush(self._slow, entry)
        elif entry > self._slow[0]:
            heapq.heapreplace(self._slow, entry)

    def _add_slice(self, failed: bool) -> None:
        now = self._clock()
        if self._began is None:
            self._began = now
        while (place := int((now - self._began) / self._slice_seconds)) >= _SLICES:
            pairs = [self._timeline[index : index + 2] for index in range(0, len(self._timeline), 2)]
            self._timeline = [[sum(column) for column in zip(*pair, strict=True)] for pair in pairs]
            self._slice_seconds *= 2
        while len(self._timeline) <= place:
            self._timeline.append([0, 0])
        self._timeline[place][0] += 1
        self._timeline[place][1] += int(failed)

    def as_json(self, totals: Mapping[str, int]) -> dict[str, Any]:
        """The record as the store keeps it; `totals` are the rows of each table at the end of the run."""
        tables = {name: self._tables.get(name, _Table()) for name in (*totals, *self._tables)}
        return {
            "pages": dict(self._pages),
            "statuses": dict(self._statuses),
            **{kind: dict(counts) for kind, counts in self._reasons.items()},
            "examples": dict(self._examples),
            "types": {
                name: {**counts, "example": self._type_examples.get(name, "")} for name, counts in self._types.items()
            },
            "tables": {
                name: {
                    "rows": table.rows,
                    "pages": table.pages,
                    "total": totals.get(name, 0),
                    "filled": dict(table.filled.most_common(_COLUMNS)),
                    "examples": table.examples,
                    "example": table.example,
                }
                for name, table in list(tables.items())[:_TABLES]
            },
            "walls": {**self._walls, "example": self._wall_example},
            "hosts": {name: dict(counts) for name, counts in self._hosts.items()},
            "slow": [[seconds, url] for seconds, url in sorted(self._slow, reverse=True)],
            "times": self._times,
            "timeline": {"seconds": self._slice_seconds, "slices": self._timeline},
        }


def united(records: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The records of runs that resumed each other as one, but for their timelines: numbers are added, of texts and lists
    the last stands."""
    whole: dict[str, Any] = {}
    for record in records:
        _unite(whole, record)
    return whole


def _unite(whole: dict[str, Any], more: Mapping[str, Any]) -> None:
    for name, value in more.items():
        if isinstance(value, Mapping):
            below = whole.setdefault(name, {})
            if isinstance(below, dict):
                _unite(below, value)
        elif isinstance(value, int | float) and not isinstance(value, bool) and name not in ("total",):
            whole[name] = whole.get(name, 0) + value
        elif value or name not in whole:
            whole[name] = value

"""Replay: the kept pages of a crawl parsed once more, by the same spider or an edited one, and what that changes.

What belongs here: the order of it: read a body, call back, give the rows to the rehearsal; what became of each page. What
does not: how a kept page becomes a response (offline.py), what the rows change (store/rehearsal.py).

Bodies are read, decompressed and parsed by as many threads as a crawl has workers; the rows are taken in one after the
other. Nothing is fetched and nothing is written.
"""

from __future__ import annotations

import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from crawlkit import exceptions
from crawlkit.crawl.failure import reason_of
from crawlkit.crawl.offline import Offline, Page, Parsed
from crawlkit.crawl.request import callback_of, load
from crawlkit.crawl.settings import Settings
from crawlkit.crawl.spider import Spider
from crawlkit.store.bodies import Bodies, bodies_path
from crawlkit.store.changes import Changes
from crawlkit.store.outcome import Lease
from crawlkit.store.rehearsal import Kept, Rehearsal

#: Pages under way for each worker: enough that none waits for the rows to be taken in.
_AHEAD = 4


@dataclass(frozen=True, slots=True)
class Failure:
    """A page that could not be parsed: `reason` in a word, `text` in a sentence, `trace` of the author's code, if any."""

    url: str
    callback: str
    reason: str
    text: str
    trace: str = ""


@dataclass(slots=True)
class Replayed:
    """What a replay found. `pages` were parsed, `missing` had no body; `elapsed` seconds.

    A page that failed, or that the callback ignored, keeps the items that it has.
    """

    run: int
    pages: int = 0
    items: int = 0
    missing: int = 0
    ignored: int = 0
    elapsed: float = 0.0
    changes: Changes = field(default_factory=lambda: Changes([], [], []))
    failures: list[Failure] = field(default_factory=list)
    tables: Counter[str] = field(default_factory=Counter)


class Replay:
    """One replay of `run`, or of the last one, in `database`. Single thread, but for `stop`.

    UsageError when there is no such run or no body was kept; StorageError when a file cannot be read.
    """

    def __init__(self, database: Path, run: int | None = None) -> None:
        self._rehearsal = Rehearsal(database, run)
        path = bodies_path(database)
        if not path.exists():
            self._rehearsal.close()
            raise exceptions.UsageError(
                f"{path}: no bodies were kept; set [store] bodies = true in crawl.toml, and run the spider again"
            )
        self._bodies = Bodies(path)
        self.run = self._rehearsal.run
        self.spider, self.source = self._rehearsal.owner()
        self.arguments = self._rehearsal.arguments()
        self._stopped = False

    def __enter__(self) -> Replay:
        return self

    def __exit__(self, *_: object) -> None:
        self._bodies.close()
        self._rehearsal.close()

    def stop(self) -> None:
        """Begin no further page."""
        self._stopped = True

    def parse(self, spider: Spider, settings: Settings, noted: Callable[[Replayed], None] | None = None) -> Replayed:
        """Parse every kept page with `spider` and say what that changes. `noted` is called after each page."""
        started = time.monotonic()
        offline = Offline(spider, settings, doing="a replay")
        found = Replayed(self.run, missing=self._rehearsal.missing)
        for page, outcome in self._parsed(offline, spider, settings.crawl.workers, self._rehearsal.pages()):
            self._take(found, page, outcome)
            if noted is not None:
                noted(found)
        if not found.pages and not found.failures and not found.ignored and not self._stopped:
            raise exceptions.UsageError(
                f"run {self.run}: none of its pages was kept; run the spider again with [store] bodies = true"
            )
        for page, outcome in self._parsed(offline, spider, settings.crawl.workers, iter(self._rehearsal.disputed())):
            if isinstance(outcome, Parsed) and outcome.ignored is None:
                self._rehearsal.replace(page, outcome.rows)
        found.changes = self._rehearsal.changes()
        found.elapsed = time.monotonic() - started
        return found

    def _parsed(
        self, offline: Offline, spider: Spider, workers: int, pages: Iterator[Kept]
    ) -> Iterator[tuple[Kept, Parsed | Failure | None]]:
        """Each page with what its callback gave, in order; None when its body is lost."""
        waiting: deque[tuple[Kept, Future[Parsed | Failure | None]]] = deque()
        with ThreadPoolExecutor(workers, thread_name_prefix="crawlkit-replay") as threads:
            for page in pages:
                if self._stopped:
                    break
                waiting.append((page, threads.submit(self._parse_one, offline, spider, page)))
                if len(waiting) >= workers * _AHEAD:
                    first, future = waiting.popleft()
                    yield first, future.result()
            for first, future in waiting:
                yield first, future.result()

    def _parse_one(self, offline: Offline, spider: Spider, kept: Kept) -> Parsed | Failure | None:
        lease: Lease = kept.lease
        callback = callback_of(lease)
        try:
            request = load(lease, spider)
            request.meta["depth"] = lease.depth
            body = self._bodies.read(kept.body)
            if body is None:
                return None
            fields = (("Content-Type", kept.content_type),) if kept.content_type is not None else ()
            return offline.parse(Page(kept.url, kept.status, fields, body, request))
        except exceptions.StorageError:
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the author's code may raise anything
            told = isinstance(error, exceptions.CrawlkitError)  # says all there is to say
            text = str(error) if told else f"{type(error).__name__}: {error}"
            trace = "" if told else "".join(traceback.format_exception(error))
            return Failure(kept.url, callback, reason_of(error), text, trace)

    def _take(self, found: Replayed, page: Kept, outcome: Parsed | Failure | None) -> None:
        if outcome is None:
            found.missing += 1
        elif isinstance(outcome, Failure):
            found.failures.append(outcome)
        elif outcome.ignored is not None:
            found.ignored += 1
        else:
            try:
                found.items += self._rehearsal.replace(page, outcome.rows)
            except exceptions.ItemError as error:
                found.failures.append(Failure(page.url, "", reason_of(error), str(error)))
                return
            found.pages += 1
            found.tables.update(row.table for row in outcome.rows)

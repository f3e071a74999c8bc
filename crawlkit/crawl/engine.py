"""Engine: one run of one spider, from the lock to its Result. Builds the parts, starts the threads, waits for the end.

    start requests → Writer (frontier) → Scheduler → Workers (Visitor → Fetcher → Session) → Writer (group commit)

What belongs here: what is built, in which order, and when a run is over. What is done then is in conclusion.py; what a
part does is in its own module.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from crawlkit import exceptions
from crawlkit.crawl.accounts import Accounts
from crawlkit.crawl.clock import Clock, SystemClock
from crawlkit.crawl.conclusion import Conclusion, result_of
from crawlkit.crawl.credentials import Prompt
from crawlkit.crawl.crew import Crew, assemble
from crawlkit.crawl.ending import DRAIN_SECONDS, Ending
from crawlkit.crawl.expect import expect_of
from crawlkit.crawl.guard import guard_of
from crawlkit.crawl.loading import check_start_urls
from crawlkit.crawl.provenance import source_hash as hash_of_source
from crawlkit.crawl.recording import Recorder
from crawlkit.crawl.rehearsal import Rehearsal
from crawlkit.crawl.result import Progress, Result
from crawlkit.crawl.scheduler import Scheduler
from crawlkit.crawl.settings import Settings
from crawlkit.crawl.spider import Spider
from crawlkit.crawl.starts import Starts
from crawlkit.crawl.tally import Tally
from crawlkit.crawl.visit import Visit
from crawlkit.crawl.writer import Writer
from crawlkit.sessions.redactor import Redactor
from crawlkit.sessions.session import Session
from crawlkit.store.database import Store
from crawlkit.store.lock import Lock
from crawlkit.store.outcome import Verdict
from crawlkit.version import VERSION

log = logging.getLogger(__name__)


class Engine:
    """Runs a spider once. `run` blocks; `stop` and `snapshot` may be called from any thread and from signal handlers.

    `equip` is called with each session that the crawl opens, before its first request: a cassette's way in.
    """

    def __init__(
        self,
        spider: Spider,
        settings: Settings,
        *,
        db: Path,
        source: str,
        source_hash: str | None = None,
        vault: Path | None = None,
        profile: str | None = None,
        fresh: bool = False,
        adopt: bool = False,
        wait: bool = False,
        force_login: bool = False,
        prompt: Prompt | None = None,
        arguments: Mapping[str, Any] | None = None,
        clock: Clock | None = None,
        redactor: Redactor | None = None,
        equip: Callable[[Session], None] | None = None,
        rehearsal: Rehearsal | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self._spider = spider
        self._settings = settings
        self._db = db
        self._source = source
        self._source_hash = source_hash if source_hash is not None else hash_of_source(spider)
        self._vault = vault if vault is not None else settings.vault
        self._profile = profile or spider.profile or spider.name
        self._fresh = fresh
        self._adopt = adopt
        self._wait = wait
        self._force_login = force_login
        self._prompt = prompt
        self._arguments = _described(arguments or {})
        self._clock = clock or SystemClock()
        self._redactor = Redactor() if redactor is None else redactor
        self._equip = equip
        self._rehearsal = rehearsal
        self._recorder = recorder
        self._ending = Ending()
        self._tally = Tally()
        self._started = time.monotonic()
        self._crew: Crew | None = None
        self.run_id: int | None = None

    # --- from outside ----------------------------------------

    def run(self) -> Result:
        """Run to an end and say how it was.

        Raises UsageError (SpiderError, ConfigError, StoreMismatch) and LockHeld, before anything was written, and
        StorageError when the database cannot be opened.
        """
        self._started = time.monotonic()
        self._guard = guard_of(self._spider, self._settings.crawl)
        self._expect = expect_of(self._spider, self._settings)
        check_start_urls(self._spider, self._source.partition("::")[0])
        lock = Lock(self._db, wait=self._wait, stopped=lambda: self._ending.outcome is not None)
        try:
            lock.acquire()
        except exceptions.LockHeld:
            if self._ending.outcome is None:
                raise
            return self._stopped_early()
        try:
            self._started = time.monotonic()  # max_time is the run's, not the wait's
            return self._run_locked()
        finally:
            lock.release()

    def _stopped_early(self) -> Result:
        """The Result of a run that was stopped while it waited for the lock."""
        outcome, reason = self._ending.decide(self._tally, {})
        elapsed = time.monotonic() - self._started
        return result_of(self._tally, outcome, self._redactor.redact(reason), run=None, elapsed=elapsed)

    def _run_locked(self) -> Result:
        spider = self._spider
        accounts = Accounts(
            spider,
            self._settings,
            vault=self._vault,
            profile=self._profile,
            prompt=self._prompt,
            force_login=self._force_login,
            redactor=self._redactor,
            equip=self._equip,
            recorder=self._recorder,
        )
        accounts.stopped = lambda: self._ending.outcome is not None
        try:
            spider.session, spider.credentials = accounts.session, accounts.credentials
            spider.settings = self._settings
            starts = Starts(spider)
            accounts.guard_addresses({*spider.start_urls, *spider.sitemap_urls, *starts.first_urls})
            with Store.open(
                self._db,
                spider=spider.name,
                source=self._source,
                adopt=self._adopt,
                history_runs=self._settings.store.history_runs,
                bodies=self._settings.store.bodies,
            ) as store:
                return self._run(store, accounts, starts)
        finally:
            if self._recorder is not None:
                self._recorder.close()
            accounts.close()

    def stop(self, outcome: str, reason: str) -> None:
        """End the run: no new page, the ones under way may finish for ten seconds. `outcome` is a key of EXIT_CODES."""
        self._ending.add(outcome, reason)
        crew = self._crew
        if crew is not None:
            crew.scheduler.stop()
            crew.writer.wake()

    def snapshot(self) -> Progress:
        """How far the run is."""
        tally, elapsed, crew = self._tally, time.monotonic() - self._started, self._crew
        slowest = crew.scheduler.slowest() if crew is not None else None
        workers = crew.workers if crew is not None else []
        return Progress(
            pages_done=tally.pages,
            queued=crew.writer.queued if crew is not None else 0,
            failed=tally.failed,
            skipped=tally.skipped,
            items=tally.items,
            bytes=tally.bytes,
            pages_per_second=tally.pages / elapsed if elapsed else 0.0,
            busy_workers=sum(worker.busy is not None for worker in workers),
            workers=len(workers),
            slowest_host=slowest[0] if slowest else None,
            slowest_seconds=slowest[1] if slowest else None,
            elapsed=elapsed,
        )

    # --- a run ----------------------------------------

    def _run(self, store: Store, accounts: Accounts, starts: Starts) -> Result:
        settings, spider, recorder = self._settings, self._spider, self._recorder
        if recorder is not None:
            upcoming = store.upcoming(fresh=self._fresh, arguments=self._arguments)
            recorder.check(store, upcoming, fresh=self._fresh)
        run = store.begin_run(
            fresh=self._fresh, version=VERSION, source_hash=self._source_hash, arguments=self._arguments
        )
        if run.set_aside:
            log.warning("the unfinished crawl had other -a values: it is set aside, a new one begins")
        self.run_id = run.id
        if recorder is not None:
            recorder.begin(store, run, accounts.session, lambda reason: self.stop("stopped", reason))
        crew = self._crew = assemble(
            spider,
            settings,
            store=store,
            run=run,
            accounts=accounts,
            guard=self._guard,
            profile=self._profile,
            source_hash=self._source_hash,
            arguments=self._arguments,
            tally=self._tally,
            clock=self._clock,
            redact=self._redactor.redact,
            committed=self._committed,
            login_failed=lambda error: self.stop("login_failed", str(error)),
            storage_failed=self._storage_failed,
            rehearsal=self._rehearsal,
            recorder=recorder,
        )
        writer, scheduler = crew.writer, crew.scheduler
        if self._ending.outcome is not None:  # stopped while it was being built
            scheduler.stop()
        writer.start()
        feeder = threading.Thread(
            target=starts.feed,
            args=(crew.links, writer, self._tally, lambda reason: self.stop("stopped", reason)),
            name="crawlkit-feeder",
            daemon=True,
        )
        feeder.start()
        for worker in crew.workers:
            worker.start()
        self._wait_for_end(writer, scheduler)
        return Conclusion(
            spider,
            store=store,
            run=run,
            crew=crew,
            accounts=accounts,
            ending=self._ending,
            tally=self._tally,
            expect=self._expect,
            started=self._started,
            redact=self._redactor.redact,
            rehearsal=self._rehearsal,
            recorder=recorder,
        ).conclude()

    def _wait_for_end(self, writer: Writer, scheduler: Scheduler) -> None:
        """Until the writer says that it is over, a limit comes, or a stop has drained."""
        max_time = self._settings.crawl.max_time
        drained_at: float | None = None
        # Short waits: a signal handler in the main thread runs between them.
        while not writer.over.wait(0.25):
            now = time.monotonic()
            if drained_at is None and max_time is not None and now - self._started >= max_time:
                self.stop("limit", f"max_time of {max_time:g} s")
            if scheduler.stopped:
                drained_at = drained_at or now + DRAIN_SECONDS
                if now >= drained_at:
                    log.warning("%d pages did not end within %g s; they go back", scheduler.in_flight, DRAIN_SECONDS)
                    return
        if scheduler.spent and not scheduler.stopped and writer.error is None:
            self._note_page_limit(writer)

    def _note_page_limit(self, writer: Writer) -> None:
        """The page limit is used up: whether anything was left decides between `limit` and `finished`."""
        if writer.feeding or writer.call(lambda store: store.queued()):
            self._ending.add("limit", f"max_pages of {self._settings.crawl.max_pages}")

    def _storage_failed(self, error: exceptions.StorageError) -> None:
        """A worker could not write. What comes after the writer has ended is nobody's loss."""
        crew = self._crew
        if crew is not None and not crew.writer.closed.is_set():
            self.stop("storage_failed", str(error))

    def _committed(self, visit: Visit, verdict: Verdict) -> None:
        """A page is durable: what it linked to is known from now on; the author may have asked to stop."""
        crew = self._crew
        assert crew is not None  # its writer calls
        if self._rehearsal is not None:
            self._rehearsal.visited(visit, verdict)
        if visit.outcome.links and verdict.state == visit.outcome.state == "done":
            crew.links.remember(visit.outcome.links, verdict.targets)  # the links of any other verdict were dropped
        if crew.canary is not None and verdict.state == "done":
            crew.canary.committed(visit)
        if visit.stop is not None:
            self.stop("stopped", visit.stop)


def _described(arguments: Mapping[str, Any]) -> str:
    """The spider's arguments as `_runs` keeps them: their names, and a mark by which other values are noticed.

    The values stay out: one may be a token.
    """
    text = json.dumps({str(name): str(value) for name, value in sorted(arguments.items())})
    mark = hashlib.blake2b(text.encode(), digest_size=4).hexdigest() if arguments else ""
    return json.dumps({"names": sorted(arguments), "mark": mark})

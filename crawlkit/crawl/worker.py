"""Worker: a thread that fetches, parses and calls the spider, over its own share of the connections."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from crawlkit.crawl.page import Visitor
from crawlkit.crawl.scheduler import Scheduler
from crawlkit.crawl.visit import Visit
from crawlkit.exceptions import LoginError, StopCrawl, StorageError
from crawlkit.sessions.pool import ConnectionPool
from crawlkit.store.outcome import Lease, Outcome

log = logging.getLogger(__name__)

#: Outcomes of one worker that may wait for their commit before it starts another page.
_UNCOMMITTED = 2


class Release:
    """Frees a host for another request, once: an author's slow callback must not hold its host up."""

    __slots__ = ("_host", "_scheduler")

    def __init__(self, scheduler: Scheduler, host: str) -> None:
        self._scheduler = scheduler
        self._host: str | None = host

    def __call__(self) -> None:
        if self._host is not None:
            self._scheduler.release(self._host)
            self._host = None


class Worker(threading.Thread):
    """Takes leases until there are none. `submit` hands a visit over; `login_failed` and `storage_failed` end the run."""

    def __init__(
        self,
        number: int,
        *,
        scheduler: Scheduler,
        visitor: Visitor,
        pool: ConnectionPool,
        submit: Callable[[Visit, Callable[[], None]], None],
        login_failed: Callable[[LoginError], None],
        storage_failed: Callable[[StorageError], None],
    ) -> None:
        super().__init__(name=f"crawlkit-worker-{number}", daemon=True)
        self._scheduler = scheduler
        self._visitor = visitor
        self._pool = pool
        self._submit = submit
        self._login_failed = login_failed
        self._storage_failed = storage_failed
        self._uncommitted = threading.BoundedSemaphore(_UNCOMMITTED)
        #: The URL under way, None when idle. Read by the progress display.
        self.busy: str | None = None

    def run(self) -> None:
        share = self._pool.share()
        last: str | None = None
        stay = 0
        try:
            with self._pool.bind(share):
                while True:
                    self._uncommitted.acquire()
                    lease = self._scheduler.next(last, stay)
                    if lease is None:
                        return
                    stay = stay + 1 if lease.host == last else 0
                    last = lease.host
                    self.busy = lease.url
                    release = Release(self._scheduler, lease.host)
                    visit = self._visit(lease, release)
                    self.busy = None
                    release()
                    self._submit(visit, self._uncommitted.release)
        finally:
            share.close()

    def _visit(self, lease: Lease, release: Release) -> Visit:
        try:
            return self._visitor.visit(lease, release)
        except LoginError as error:
            self._login_failed(error)
            return self._given_back(lease)
        except StorageError as error:
            self._storage_failed(error)
            return self._given_back(lease)
        except StopCrawl as stop:  # of the author's login
            visit = self._given_back(lease)
            visit.stop = stop.reason or "StopCrawl"
            return visit
        except BaseException as error:  # our own fault: the page says so, the worker lives on
            log.exception("internal error on %s", lease.url)
            failed = Outcome(page=lease.page, run=lease.run, state="failed", attempts=lease.attempts)
            failed.error = f"internal: {type(error).__name__}: {error}"
            return Visit(failed, lease.url, lease.host, lease.depth)

    @staticmethod
    def _given_back(lease: Lease) -> Visit:
        outcome = Outcome(page=lease.page, run=lease.run, state="queued", attempts=lease.attempts)
        return Visit(outcome, lease.url, lease.host, lease.depth)

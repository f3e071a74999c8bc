"""Writer: the one thread that writes a spider's database: group commits of outcomes, claims of what is due.

Workers and the feeder hand messages in; many outcomes go into one transaction, which is closed at once when nothing more
waits. Only after the commit is a page done. The writer also notices when nothing is left to do.
"""

from __future__ import annotations

import heapq
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from crawlkit.crawl.clock import Clock
from crawlkit.crawl.recording import Recorder
from crawlkit.crawl.scheduler import Scheduler
from crawlkit.crawl.tally import Tally
from crawlkit.crawl.visit import Visit
from crawlkit.exceptions import StorageError
from crawlkit.store.database import Store
from crawlkit.store.outcome import Link, Verdict

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Messages taken into one transaction at most.
_GROUP = 64
#: A wait that no timer can count is looked at again after this time.
_LONGEST_SLEEP_SECONDS = 3600.0


@dataclass(slots=True)
class _Visited:
    visit: Visit
    release: Callable[[], None]


@dataclass(slots=True)
class _Seed:
    link: Link


@dataclass(slots=True)
class _Want:
    host: str


@dataclass(slots=True)
class _Call:
    function: Callable[[Store], Any]
    future: Future[Any] = field(default_factory=Future)


@dataclass(slots=True)
class _Wake:
    """Look again whether the run is over."""


_Message = _Visited | _Seed | _Want | _Call | _Wake


class Writer(threading.Thread):
    """Owns the store while a run lasts. `over` is set when there is nothing left to do, or the store failed (`error`)."""

    def __init__(
        self,
        store: Store,
        *,
        run: int,
        tally: Tally,
        clock: Clock,
        before_commit: Callable[[], None],
        committed: Callable[[Visit, Verdict], None],
        redact: Callable[[str], str],
        recorder: Recorder | None = None,
    ) -> None:
        super().__init__(name="crawlkit-writer", daemon=True)
        self._store = store
        self._run = run
        self._tally = tally
        self._clock = clock
        self._before_commit = before_commit
        self._committed = committed
        self._redact = redact
        self._recorder = recorder
        self._inbox: queue.SimpleQueue[_Message] = queue.SimpleQueue()
        self._due: list[tuple[float, str]] = []
        self._due_at: dict[str, float] = {}
        self._handling: list[_Message] = []
        #: Whether start requests may still come.
        self.feeding = True
        self.scheduler: Scheduler
        self.over = threading.Event()
        self.closed = threading.Event()
        self.error: BaseException | None = None
        #: Pages that wait or are under way, as of the last commit.
        self.queued = 0
        self._closing = False

    # --- any thread ----------------------------------------

    def submit(self, visit: Visit, release: Callable[[], None]) -> None:
        """Hand in a page; `release` is called once it is committed."""
        self._inbox.put(_Visited(visit, release))
        self._refuse_if_closed()

    def want(self, host: str) -> None:
        """Ask for more leases of a host."""
        self._inbox.put(_Want(host))

    def seed(self, link: Link) -> None:
        """Add a start request."""
        self._inbox.put(_Seed(link))

    def fed(self) -> None:
        """No more start requests come."""
        self.feeding = False
        self._inbox.put(_Wake())

    def wake(self) -> None:
        """Look again whether the run is over (a limit or a stop came)."""
        self._inbox.put(_Wake())

    def call(self, function: Callable[[Store], T]) -> T:
        """Run `function` on the store between two transactions and wait for what it returns."""
        if self.error is not None or self.closed.is_set():
            raise StorageError(f"the store is closed: {self.error or 'the run has ended'}")
        message = _Call(function)
        self._inbox.put(message)
        self._refuse_if_closed()
        result: T = message.future.result()
        return result

    def take_up_again(self, pages: Sequence[int]) -> None:
        """Queue pages again that are done. In this thread: from `committed`, or by `call`."""
        hosts = self._store.take_up_again(pages)
        self._tally.take_back(len(hosts))
        self.queued = self._store.queued()
        for host in set(hosts):
            self.want(host)

    def finish(self) -> None:
        """Write what was handed in and end the thread."""
        self._closing = True
        self._inbox.put(_Wake())

    # --- the thread ----------------------------------------

    def run(self) -> None:
        try:
            self.queued = self._store.queued()
            for host in self._store.hosts_waiting():
                self._claim(host)
            self._look_whether_over()
            while not self._closing or not self._inbox.empty():
                messages = self._receive()
                if messages:
                    self._handle(messages)
                self._claim_due()
                self._look_whether_over()
        except BaseException as error:  # noqa: BLE001 - the engine makes it the run's outcome
            self.error = error
        finally:
            self.closed.set()
            self.over.set()
            self.scheduler.stop()
            self._refuse([message for message in self._handling if isinstance(message, _Call)])
            self._refuse_rest()

    def _receive(self) -> list[_Message]:
        try:
            messages = [self._inbox.get(timeout=self._seconds_to_wait())]
        except queue.Empty:
            return []
        while len(messages) < _GROUP:
            try:
                messages.append(self._inbox.get_nowait())
            except queue.Empty:
                break
        return messages

    def _seconds_to_wait(self) -> float | None:
        if not self._due:
            return None
        return min(_LONGEST_SLEEP_SECONDS, max(0.0, self._due[0][0] - self._clock.time()))

    def _handle(self, messages: list[_Message]) -> None:
        self._handling = messages
        hosts: dict[str, None] = {}
        visited = [m for m in messages if isinstance(m, _Visited)]
        try:
            if visited:
                self._commit(visited, hosts)
        finally:
            for done in visited:
                done.release()
        if seeds := [message.link for message in messages if isinstance(message, _Seed)]:
            hosts.update(dict.fromkeys(self._store.add(seeds, self._run).hosts))
        for message in messages:
            if isinstance(message, _Want):
                hosts[message.host] = None
            elif isinstance(message, _Call):
                self._answer(message)
        for host in hosts:
            self._claim(host)

    def _answer(self, call: _Call) -> None:
        try:
            call.future.set_result(call.function(self._store))
        except Exception as error:
            call.future.set_exception(error)
            if isinstance(error, StorageError):
                raise

    def _commit(self, visited: list[_Visited], hosts: dict[str, None]) -> None:
        recorder = self._recorder
        if recorder is not None:
            recorder.remember()
        self._before_commit()
        for done in visited:
            done.visit.hide(self._redact)
        if recorder is not None:
            recorder.append([done.visit for done in visited], self._store)
        verdicts = self._store.commit([done.visit.outcome for done in visited])
        self.scheduler.settle(len(visited))
        for done, verdict in zip(visited, verdicts, strict=True):
            visit = done.visit
            self._tally.add(visit, verdict)
            if verdict.state not in ("done", "failed"):
                self.scheduler.refund()
            hosts.update(dict.fromkeys(verdict.hosts))
            if verdict.state == "queued":
                if visit.outcome.not_before > self._clock.time():
                    self._wait_until(visit.host, visit.outcome.not_before)
                else:
                    hosts[visit.host] = None
            self._committed(visit, verdict)
        self.queued = self._store.queued()

    def _claim(self, host: str) -> None:
        room = self.scheduler.room(host)
        leases = self._store.claim(host, room, self._clock.time()) if room else []
        self.scheduler.offer(host, leases)
        if room and len(leases) < room:
            due = self._store.next_due(host)
            if due is not None:
                if not leases:
                    self.scheduler.park_if_far(host, due - self._clock.time())
                self._wait_until(host, due)

    def _wait_until(self, host: str, due: float) -> None:
        """Claim of `host` at `due`. One alarm a host is enough: the claim sets the next."""
        known = self._due_at.get(host)
        if known is None or due < known:
            self._due_at[host] = due
            heapq.heappush(self._due, (due, host))

    def _claim_due(self) -> None:
        now = self._clock.time()
        while self._due and self._due[0][0] <= now:
            due, host = heapq.heappop(self._due)
            if self._due_at.get(host) == due:
                del self._due_at[host]
                self._claim(host)

    def _look_whether_over(self) -> None:
        if self.over.is_set():
            return
        scheduler = self.scheduler
        if scheduler.stopped or scheduler.spent:
            if scheduler.in_flight == 0:
                self.over.set()
        elif not self.feeding and self._inbox.empty():
            if scheduler.outstanding:
                scheduler.drop_parked()
            while scheduler.outstanding == 0 and not self._due_unparked():
                if not self._probe():
                    self.over.set()
                    return

    def _probe(self) -> bool:
        """Nothing is left to follow: ask of some pages that have rows and were not reached whether they are still there.

        False when there are none, or when it may be for a fault of this run that they were not reached.
        """
        if self._tally.faults or self.scheduler.parked_hosts() or not self._store.done():
            return False
        verdict = self._store.add_unreached()
        self.queued = self._store.queued()
        for host in verdict.hosts:
            self._claim(host)
        return verdict.new_links > 0

    def _due_unparked(self) -> bool:
        """Whether a host that is not parked waits for its time."""
        if not self._due_at:
            return False
        parked = set(self.scheduler.parked_hosts())
        return any(host not in parked for host in self._due_at)

    def _refuse_if_closed(self) -> None:
        """The thread may have ended between the caller's look and its message."""
        if self.closed.is_set():
            self._refuse_rest()

    def _refuse_rest(self) -> None:
        """Nobody may wait for ever for a writer that is gone."""
        while True:
            try:
                message = self._inbox.get_nowait()
            except queue.Empty:
                return
            self._refuse([message])

    def _refuse(self, messages: list[_Message]) -> None:
        for message in messages:
            if isinstance(message, _Visited):
                message.release()
            elif isinstance(message, _Call) and not message.future.done():
                message.future.set_exception(StorageError(f"the store is closed: {self.error or 'the run has ended'}"))

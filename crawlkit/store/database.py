"""Store: the database of one spider, and the few verbs through which a crawl uses it.

What belongs here: runs, the queue and commits as transactions, and who may write. What does not: the SQL of each noun,
which has a module of its own, how those are put together (parts.py), what outlives a run beside its pages
(keepsakes.py).

All methods of a Store are called from one thread, the crawl's writer; whoever only asks opens a Reports of its
own. The caller holds the Lock of the database. Every transaction first looks whether its run is still the one
that may write.

What ends a page is committed durably (synchronous=FULL). Lending a page out is not: a lease that a power cut
takes back is a page that is queued again, which is what becomes of leases anyway.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from crawlkit.exceptions import StorageError
from crawlkit.store import integrity, opening
from crawlkit.store.bodies import Bodies, bodies_path
from crawlkit.store.commits import SUSPECTS, is_of_an_outcome
from crawlkit.store.faults import Wrapped
from crawlkit.store.outcome import STALE, Lease, Link, Outcome, Verdict
from crawlkit.store.parts import Parts
from crawlkit.store.reports import Reports
from crawlkit.store.runs import Counts, Ending, Run, Upcoming
from crawlkit.store.tallies import PastCrawl, read_crawl, read_past, write_tally

#: How long to wait for another program that has the file locked.
BUSY_SECONDS = 30.0

#: The least number of fingerprints merged after a commit that leaves something to merge.
_MERGE = 512


class Store:
    """One spider's database, open for writing. One thread at a time."""

    def __init__(
        self, connection: sqlite3.Connection, path: Path, *, history_runs: int, bodies: Bodies | None = None
    ) -> None:
        """For `open`."""
        self.path = path
        #: The file of bodies, when they are kept.
        self.bodies = bodies
        self._connection = connection
        self._wrapped = Wrapped(path)
        self._run: Run | None = None
        self._parts = parts = Parts(connection, path, history_runs=history_runs)
        self._transactions = parts.transactions
        self._runs = parts.runs
        self._totals = parts.totals
        self._frontier = parts.frontier
        self._revisits = parts.revisits
        self._fingerprints = parts.fingerprints
        self._commits = parts.commits
        #: What archives hold: for the same thread.
        self.records = parts.records
        #: What outlives a run beside its pages: for the same thread.
        self.keepsakes = parts.keepsakes

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        spider: str,
        source: str,
        adopt: bool = False,
        history_runs: int = 10,
        bodies: bool = False,
        busy_seconds: float = BUSY_SECONDS,
    ) -> Store:
        """Open the database at `path`, made when there is none, for the class `source` ("file::Class") of `spider`.

        With `adopt` another spider's is taken over. Overwritten rows are kept for the last `history_runs` runs, with
        `bodies` what pages consisted of in a file beside it.
        StoreMismatch when it is not crawlkit's, another spider's or a newer version's; StorageError when it is damaged
        or cannot be written. The caller holds its Lock.
        """
        path = Path(path)
        connection = opening.open_writable(path, spider=spider, source=source, adopt=adopt, busy_seconds=busy_seconds)
        try:
            kept = Bodies(bodies_path(path), writable=True) if bodies else None
        except BaseException:
            connection.close()
            raise
        return cls(connection, path, history_runs=history_runs, bodies=kept)

    @staticmethod
    def open_readonly(path: str | Path, *, busy_seconds: float = BUSY_SECONDS) -> Reports:
        """Open the database for questions, also while a run is writing. StoreMismatch, StorageError."""
        return Reports(opening.open_readonly(Path(path), busy_seconds=busy_seconds), Path(path))

    def close(self) -> None:
        """Close the database. Does not end the run."""
        if self.bodies is not None:
            self.bodies.close()
        with self._wrapped:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- runs ----------------------------------------

    def begin_run(
        self,
        *,
        fresh: bool = False,
        version: str | None = None,
        source_hash: str | None = None,
        arguments: str | None = None,
    ) -> Run:
        """Begin a run. It goes on with the crawl that the last one did not finish, unless `fresh`.

        `arguments` is the command line without secrets. Raises StorageError.
        """
        with self._transaction(fenced=False):
            run = self._runs.begin(fresh=fresh, version=version, source_hash=source_hash, arguments=arguments)
            self._parts.prune(run, fresh=fresh)
        self._run, self._transactions.run = run, run.id
        with self._wrapped:
            self._parts.begin(run)
        return run

    def upcoming(self, *, fresh: bool = False, arguments: str | None = None) -> Upcoming:
        """What `begin_run` with the same arguments would do."""
        with self._wrapped:
            return self._runs.upcoming(fresh=fresh, arguments=arguments)

    def past(self) -> tuple[PastCrawl, list[PastCrawl]]:
        """This crawl so far, without what this run counted, and the complete ones before it, oldest first."""
        run = self._current().id
        with self._wrapped:
            return read_crawl(self._connection, run), read_past(self._connection, run)

    def conclude(self, crawl: int, *, whole: bool = True) -> None:
        """End a crawl outside of a run; when it has to be `whole`, unless something of it is left to fetch."""
        if not (whole and self.waiting(crawl)):
            with self._transaction(fenced=False):
                self._runs.conclude(crawl)

    def waiting(self, crawl: int) -> int:
        """How many pages of a crawl wait or are lent out, whatever run is under way."""
        with self._wrapped:
            return self._totals.of(crawl, "queued")

    def end_run(self, ending: Ending, tally: dict[str, Any] | None = None) -> None:
        """Write down how the run ended, whether its crawl is finished, and what it leaves. Raises StorageError."""
        with self._transaction():
            if tally is not None:
                write_tally(self._connection, self._current().id, tally)
            self._runs.end(self._current(), ending)
        if self.bodies is not None and not ending.resumable:
            self.bodies.sweep(self.path)
        self._run = self._transactions.run = None

    # --- the frontier ----------------------------------------

    def add(self, links: Sequence[Link], run: int) -> Verdict:
        """Queue the start links of `run` that its crawl has not met. The verdict counts them and names their hosts."""
        verdict = Verdict(0, "queued")
        if run != self._current().id:
            return Verdict(0, STALE, f"run {run} has ended")
        with self._transaction():
            self._frontier.add([(0, links, verdict)])
        self._merge(verdict.new_links)
        return verdict

    def add_unreached(self, limit: int = 1_000) -> Verdict:
        """Queue again pages that have rows and that this crawl has not reached, at most `limit`: are they still there?

        The verdict counts them and names their hosts; call it until it counts none. Reads all of `_pages` once.
        """
        self._current()
        verdict = Verdict(0, "queued")
        with self._transaction():
            self._revisits.probe(limit, verdict)
        return verdict

    def claim(self, host: str, limit: int, now: float) -> list[Lease]:
        """Lend out at most `limit` pages of `host` that are due at `now` (`time.time()` seconds): by priority, then in
        the order in which they were added. A lease lasts until its outcome is committed or the next run begins."""
        self._current()
        if limit <= 0 or not self._frontier.may_have(host):
            return []
        with self._transaction(durable=False):
            leases = self._frontier.lease(host, limit, now)
            self.records.tell(leases)
        with self._wrapped:
            self._frontier.lent(host, limit, leases)
        return leases

    def give_back(self, pages: Sequence[int], *, not_before: float = 0.0) -> None:
        """Queue leased pages again as if they had not been lent out."""
        with self._transaction(durable=False):
            self._frontier.give_back(pages, not_before)
        for page in pages:
            self._frontier.leases.pop(page, None)

    def take_up_again(self, pages: Sequence[int]) -> list[str]:
        """Queue pages again that this run has done, because what it got of them turned out to be false; the host of
        each that is queued now. Their rows stay until they are done anew.
        """
        with self._transaction():
            hosts = self._revisits.take_up_again(pages)
            self.records.drop(pages)
            self._runs.count(self._current().id, Counts(pages=-len(hosts)))
        return hosts

    def hosts_waiting(self) -> list[str]:
        """The hosts with queued pages, due or not."""
        with self._wrapped:
            return self._frontier.hosts()

    def next_due(self, host: str) -> float | None:
        """When `host` has a page to lend: 0.0 at once, a time, or None when nothing is queued."""
        with self._wrapped:
            return self._frontier.next_due(host)

    def redirected_starts(self) -> list[str]:
        """Where the start URLs of this crawl ended that ended elsewhere."""
        with self._wrapped:
            return self._frontier.redirected_starts()

    def queued(self) -> int:
        """How many pages of this crawl wait or are lent out."""
        with self._wrapped:
            return self._totals.of(self._current().crawl, "queued")

    def done(self) -> int:
        """How many pages of this crawl are done."""
        with self._wrapped:
            return self._totals.of(self._current().crawl, "done")

    def leased(self) -> int:
        """How many pages are lent out."""
        return len(self._frontier.leases)

    # --- commits ----------------------------------------

    def commit(self, outcomes: Sequence[Outcome]) -> list[Verdict]:
        """Write outcomes in one durable transaction; the verdicts on them, in their order.

        An outcome whose page is not leased to its run does not count (`stale`). One whose rows cannot be stored becomes
        a failed page. Raises StorageError when the database cannot be written: then none of it is, and all their pages
        are still leased.
        """
        self._current()
        if self.bodies is not None:
            self.bodies.add(outcome.body for outcome in outcomes if outcome.body is not None)
        try:
            verdicts = self._write(outcomes, self._commits.write)
        except SUSPECTS as error:
            with self._wrapped:
                if not is_of_an_outcome(error):
                    raise
                verdicts = self._write(outcomes, self._commits.write_one_by_one)
        for verdict in verdicts:
            if verdict.state != STALE:
                self._frontier.leases.pop(verdict.page, None)
        self._merge(sum(verdict.new_links for verdict in verdicts))
        return verdicts

    def _write(self, outcomes: Sequence[Outcome], write: Any) -> list[Verdict]:
        counts = Counts()
        with self._transactions.open():
            verdicts: list[Verdict] = write(outcomes, counts)
            self._runs.count(self._current().id, counts)
        return verdicts

    def _merge(self, added: int) -> None:
        """Merge some fingerprints, faster than they are added."""
        if self._fingerprints.merging:
            with self._transaction(durable=False):
                merged = self._fingerprints.merge(max(_MERGE, 2 * added))
            self._fingerprints.merged(merged)

    # --- questions ----------------------------------------

    @property
    def reports(self) -> Reports:
        """Questions about the database, over this connection: for the same thread."""
        return Reports(self._connection, self.path)

    def check(self) -> list[str]:
        """Read all of the database: what is wrong with it, empty when nothing is."""
        return integrity.check(self._connection)

    # --- transactions ----------------------------------------

    def _current(self) -> Run:
        if self._run is None:
            raise StorageError(f"{self.path}: no run has begun")
        return self._run

    @contextlib.contextmanager
    def _transaction(self, *, durable: bool = True, fenced: bool = True) -> Iterator[None]:
        with self._wrapped, self._transactions.open(durable=durable, fenced=fenced):
            yield

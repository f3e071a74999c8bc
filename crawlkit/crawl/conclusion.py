"""Conclusion: the end of a run, from the last page to the last commit: its outcome, what it leaves, the check of both.

What belongs here: what is done then, in which order, and the Result. What does not: why a run ends (ending.py), what is
found wrong with it (checkup.py), building and starting (engine.py).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crawlkit.crawl.accounts import Accounts
from crawlkit.crawl.checkup import UNHEALTHY, checkup, told
from crawlkit.crawl.crew import Crew
from crawlkit.crawl.ending import Ending, close
from crawlkit.crawl.expect import Expect
from crawlkit.crawl.finding import Finding
from crawlkit.crawl.recording import Recorder
from crawlkit.crawl.rehearsal import Rehearsal
from crawlkit.crawl.result import Result
from crawlkit.crawl.spider import Spider
from crawlkit.crawl.tally import Tally
from crawlkit.exceptions import SecretFound, StorageError
from crawlkit.store.database import Store
from crawlkit.store.runs import Run

log = logging.getLogger(__name__)


class Conclusion:
    """Ends one run, in the thread that began it. `started` is an instant of time.monotonic()."""

    def __init__(
        self,
        spider: Spider,
        *,
        store: Store,
        run: Run,
        crew: Crew,
        accounts: Accounts,
        ending: Ending,
        tally: Tally,
        expect: Expect,
        started: float,
        redact: Callable[[str], str],
        rehearsal: Rehearsal | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self._spider = spider
        self._store = store
        self._run = run
        self._crew = crew
        self._accounts = accounts
        self._ending = ending
        self._tally = tally
        self._expect = expect
        self._started = started
        self._redact = redact
        self._rehearsal = rehearsal
        self._recorder = recorder

    def conclude(self) -> Result:
        """End the threads, and the run in the store. Raises StorageError when the store fails at the very end."""
        self._end_threads()
        writable = not isinstance(self._crew.writer.error, StorageError)
        ending, tally, crawl = self._ending, self._tally, self._crawl_totals()
        full = self._recorder.full if self._recorder is not None else None
        if full is not None and (crawl.get("queued", 0) or self._crew.writer.feeding):
            ending.add("limit", full)
        outcome, reason = ending.decide(tally, crawl)
        if self._rehearsal is None and not close(self._spider, reason, ending, tally):
            outcome, reason = ending.decide(tally, crawl)
        record = self._record() if writable else {}
        findings: list[Finding] = []
        if outcome in ("finished", "pages_failed") and record and self._rehearsal is None:
            findings = self._check(record)
            if findings:
                ending.add(UNHEALTHY, told(findings))
                outcome, reason = ending.decide(tally, crawl)
        given_up = False
        if self._recorder is not None and (
            outcome in ("finished", "pages_failed", UNHEALTHY) or (outcome == "limit" and full is not None)
        ):
            try:
                self._recorder.finish(self._store)
                given_up = outcome == "limit"
            except (StorageError, SecretFound) as error:
                ending.add("storage_failed", str(error))
                outcome, reason = ending.decide(tally, crawl)
        result = result_of(
            tally,
            outcome,
            self._redact(reason),
            run=self._run.id,
            elapsed=time.monotonic() - self._started,
            logins=self._accounts.logins,
            queued=self._crew.writer.queued,
            findings=findings,
            given_up=given_up,
        )
        if writable:
            self._store.end_run(result, record)
        return result

    def _end_threads(self) -> None:
        """No new page, the last commit; what went wrong with it, and what was put off too long, is noted."""
        writer, scheduler, ending = self._crew.writer, self._crew.scheduler, self._ending
        scheduler.stop()
        for worker in self._crew.workers:
            worker.join(0.0 if scheduler.in_flight else 5.0)
        writer.finish()
        writer.join()
        if isinstance(writer.error, StorageError):
            ending.add("storage_failed", str(writer.error))
        elif writer.error is not None:
            log.error("internal error in the writer", exc_info=writer.error)
            ending.add("internal_error", f"{type(writer.error).__name__}: {writer.error}")
        else:
            try:
                self._accounts.save()
            except StorageError as error:
                ending.add("storage_failed", str(error))
        parked = scheduler.parked_hosts()
        if parked:
            ending.add("parked", f"{', '.join(parked[:3])} asked to be left alone for longer than this run may wait")

    def _crawl_totals(self) -> Mapping[str, int]:
        """Pages of the whole crawl by state: a run that resumes speaks for what came before it as well."""
        try:
            return self._store.reports.totals(self._run.crawl)
        except StorageError:
            return {}  # the outcome is that the store failed, whatever it holds

    def _record(self) -> dict[str, Any]:
        """What this run leaves for comparison with later ones."""
        record = self._tally.record.as_json(self._store.reports.tables())
        return record | {"logins": self._accounts.logins, "elapsed": round(time.monotonic() - self._started, 3)}

    def _check(self, record: dict[str, Any]) -> list[Finding]:
        """The findings of the health check, which are put into `record`; the pages that show them are kept."""
        findings = checkup(self._expect, *self._store.past(), record)
        findings = self._tally.record.exhibits.keep(findings, self._store.path, self._run.id, self._redact)
        record["findings"] = [finding.as_json() for finding in findings]
        return findings


def result_of(
    tally: Tally,
    outcome: str,
    reason: str,
    *,
    run: int | None,
    elapsed: float,
    logins: int = 0,
    queued: int = 0,
    findings: Sequence[Finding] = (),
    given_up: bool = False,
) -> Result:
    """The Result of a run that counted `tally`; `reason` without secrets, `elapsed` in seconds."""
    return Result(
        run=run,
        outcome=outcome,
        reason=reason,
        exit_code=Ending.exit_code(outcome),
        pages=tally.pages,
        failed=tally.failed,
        skipped=tally.skipped,
        items=tally.items,
        bytes=tally.bytes,
        unchanged=tally.unchanged,
        saved=tally.saved,
        elapsed=elapsed,
        requests=tally.requests,
        retries=tally.retries,
        logins=logins,
        queued=queued,
        statuses=dict(tally.statuses),
        failures=dict(tally.failures),
        examples=dict(tally.examples),
        skips=dict(tally.skips),
        not_followed=dict(tally.not_followed),
        slow=tally.slowest(),
        items_by_table=dict(tally.tables),
        refused=tuple(tally.refused),
        quarantined=tuple(tally.quarantined),
        findings=tuple(findings),
        given_up=given_up,
    )

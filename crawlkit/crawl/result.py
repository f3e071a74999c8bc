"""What a run tells others: Progress while it goes on, Result at its end. Values only; drawing them is the CLI's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from crawlkit.crawl.finding import Finding
from crawlkit.store.outcome import Refusal

#: Exit codes by outcome (README, "Exit codes"). `pages_failed` is a finished run in which something failed.
EXIT_CODES: Mapping[str, int] = {
    "finished": 0,
    "pages_failed": 1,
    "login_failed": 3,
    "limit": 5,
    "parked": 5,
    "unhealthy": 6,
    "internal_error": 70,
    "storage_failed": 74,
    "interrupted": 130,
    "terminated": 143,
}

#: Outcomes after which the same command goes on where this run stopped.
RESUMABLE = frozenset(EXIT_CODES) - {"finished", "pages_failed", "unhealthy"}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is, at one instant. Counts are of this run; seconds and bytes where the name says nothing else."""

    pages_done: int
    queued: int
    failed: int
    skipped: int
    items: int
    bytes: int
    pages_per_second: float
    busy_workers: int
    workers: int
    slowest_host: str | None
    slowest_seconds: float | None
    elapsed: float


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended.

    `pages` counts the pages done, `unchanged` those of them that are as an earlier run found them and were not parsed,
    `items` the rows that they all have, `saved` the bytes that were not sent for it. `requests` counts the exchanges of
    pages that were tried (retries included), `bytes` decoded
    bodies. `failures` counts reasons, `examples` holds one URL for each. `skips` counts the reasons of pages that were
    skipped, `not_followed` those of links that never became pages. `slow` lists the slowest pages with seconds.
    `refused` are the links that the guard did not let through, `quarantined` URLs that were followed by the end of a login.
    `findings` are what the health check found, the gravest first. `given_up`: what still waits is not gone on with, for the
    archive that it was for is full and packaged.
    """

    run: int | None
    outcome: str
    reason: str
    exit_code: int
    pages: int = 0
    failed: int = 0
    skipped: int = 0
    items: int = 0
    bytes: int = 0
    unchanged: int = 0
    saved: int = 0
    elapsed: float = 0.0
    requests: int = 0
    retries: int = 0
    logins: int = 0
    queued: int = 0
    statuses: Mapping[int, int] = field(default_factory=dict)
    failures: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, str] = field(default_factory=dict)
    skips: Mapping[str, int] = field(default_factory=dict)
    not_followed: Mapping[str, int] = field(default_factory=dict)
    slow: Sequence[tuple[str, float]] = ()
    items_by_table: Mapping[str, int] = field(default_factory=dict)
    refused: Sequence[Refusal] = ()
    quarantined: Sequence[str] = ()
    findings: Sequence[Finding] = ()
    given_up: bool = False

    @property
    def resumable(self) -> bool:
        """Whether the same command goes on where this run stopped."""
        return self.outcome in RESUMABLE and not self.given_up

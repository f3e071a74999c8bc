"""Visit: what became of a page in a worker, on its way to the writer and to the run's report."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from crawlkit.store.outcome import Outcome


@dataclass(slots=True)
class Visit:
    """An outcome with what only this run's report wants to know."""

    outcome: Outcome
    url: str
    host: str
    depth: int
    requests: int = 0
    retry: bool = False
    stop: str | None = None
    dropped: int = 0
    skips: Counter[str] = field(default_factory=Counter)

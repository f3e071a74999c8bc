"""Errand: a page as a worker goes about it: what was lent, what is asked for, as whom, and what comes of it.

What belongs here: the value that the steps of a page hand on. What does not: the steps (page.py, healing.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawlkit.crawl.visit import Visit
from crawlkit.sessions.request import Request
from crawlkit.store.outcome import Lease

if TYPE_CHECKING:
    from crawlkit.sessions.membership import Membership


@dataclass(frozen=True, slots=True)
class Errand:
    """One page in one worker. `release` frees its host for another request; `membership` is what keeps its session
    logged in, None when nothing has to.
    """

    visit: Visit
    lease: Lease
    request: Request
    release: Callable[[], None]
    membership: Membership | None

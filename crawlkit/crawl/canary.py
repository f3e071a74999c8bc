"""Canary: an address that only a member sees, looked at every so many pages. When it fails, what was fetched since the
last good look is fetched again: nobody knows which of it a stranger got.

What belongs here: counting pages and knowing which are in doubt. What does not: probing and logging in
(sessions/membership.py), the queue.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from crawlkit.crawl.visit import Visit
from crawlkit.sessions.membership import Membership

log = logging.getLogger(__name__)


class Canary:
    """Watches the pages of one membership. `committed` is the writer thread's, `look` any worker's.

    `take_up_again` puts pages back into the queue: it is called in the writer thread, by way of `in_writer` elsewhere.
    """

    def __init__(
        self,
        membership: Membership,
        *,
        every: int,
        in_writer: Callable[[Callable[[], None]], None],
        take_up_again: Callable[[Sequence[int]], None],
    ) -> None:
        self._membership = membership
        self._every = every
        self._in_writer = in_writer
        self._take_up_again = take_up_again
        self._lock = threading.Lock()
        self._looking = False
        self._pages: dict[int, float] = {}
        self._good_until = 0.0
        self._dead_epoch = -1

    def watches(self, membership: Membership | None) -> bool:
        """Whether its pages are this canary's business."""
        return membership is self._membership

    def committed(self, visit: Visit) -> None:
        """A page of this membership is done: it is in doubt until the next good look."""
        if visit.epoch is None:
            return
        fetched_at = visit.outcome.fetched_at or 0.0
        with self._lock:
            dead = visit.epoch <= self._dead_epoch and fetched_at > self._good_until
            if not dead:
                self._pages[visit.outcome.page] = fetched_at
        if dead:  # it was under way while the session was found dead
            self._take_up_again([visit.outcome.page])

    def look(self, now: float) -> None:
        """Look when it is time to. What is found in doubt goes back to the queue; LoginError when logging in failed.

        `now`: the time of day, before anything is sent. While another thread logs in, the look waits for another page.
        """
        with self._lock:
            if self._looking or len(self._pages) < self._every:
                return
            self._looking = True
        try:
            self._look(now)
        finally:
            with self._lock:
                self._looking = False

    def _look(self, now: float) -> None:
        epoch = self._membership.epoch
        if self._membership.lives():
            with self._lock:
                self._good_until = now
                self._pages = {page: at for page, at in self._pages.items() if at >= now}
            return
        log.warning("the canary shows that the session has ended: %d pages are fetched again", len(self._pages))
        with self._lock:
            self._dead_epoch = max(self._dead_epoch, epoch)
            doubtful = list(self._pages)
            self._pages.clear()
        try:
            self._membership.again(epoch)
        finally:
            self._in_writer(lambda: self._take_up_again(doubtful))

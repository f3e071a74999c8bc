"""Canary: an address that only a member sees, looked at every so many pages. When it fails, what was fetched since the
last good look is fetched again: nobody knows which of it a stranger got.

What belongs here: counting pages, knowing which are in doubt, and finding a canary at fault that fails right after a login,
as a mistyped address does. What does not: probing and logging in (sessions/membership.py), the queue.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from crawlkit.crawl.visit import Visit
from crawlkit.exceptions import LoginError, RequestException
from crawlkit.sessions.leaks import shown
from crawlkit.sessions.membership import Healing, Membership
from crawlkit.sessions.request import Request
from crawlkit.sessions.session import Session

log = logging.getLogger(__name__)


class Canary:
    """Watches the pages of one membership. `committed` is the writer thread's, `look` any worker's.

    `take_up_again` puts pages back into the queue: it is called in the writer thread, by way of `in_writer` elsewhere.
    """

    def __init__(
        self,
        membership: Membership,
        session: Session,
        url: str,
        *,
        every: int,
        in_writer: Callable[[Callable[[], None]], None],
        take_up_again: Callable[[Sequence[int]], None],
    ) -> None:
        self._membership = membership
        self._session = session
        self._url = url
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
        """Look when it is time to. What is found in doubt goes back to the queue; LoginError when logging in failed, or
        led to nothing that the canary shows.

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
            if self._membership.again(epoch) is Healing.DONE and self._membership.has_turn:
                self._look_again()
        finally:
            self._in_writer(lambda: self._take_up_again(doubtful))

    def _look_again(self) -> None:
        """Right after a login: a canary that fails now would fail for ever. LoginError then."""
        try:
            response = self._session.send(self._session.prepare_request(Request(self._url)), heal=False)
        except RequestException as error:
            raise LoginError(
                f"the canary {shown(self._url)} could not be asked right after a login: {error}"
            ) from error
        sign = self._membership.finding(response).sign
        if response.ok and sign is None:
            self._membership.proven()
            return
        reason = (
            sign.reason if response.ok and sign is not None else f"answered {response.status_code} {response.reason}"
        )
        raise LoginError(
            f"the canary {shown(self._url)} {reason} right after a login: check its address in [login] canary, and the "
            "credentials"
        )

"""Confirmation: whether the logins of a session worked, by the answers that come after them.

What belongs here: the epochs, what was seen of the last, and doubts about it. What does not: what one answer shows
(proof.py), logging in (entrance.py), when and by whom it is done (membership.py).

A login is confirmed by an answer that shows a member, by an address that looked logged out and does not any more, and by
one that looks logged out to a stranger only.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from crawlkit.exceptions import LoginError
from crawlkit.sessions.entrance import Entrance
from crawlkit.sessions.proof import Finding, Proof
from crawlkit.sessions.signs import Sign

if TYPE_CHECKING:
    from crawlkit.sessions.response import Response

log = logging.getLogger(__name__)

#: Logins in a row with no logged-in page between after which it is given up.
MOST_IN_A_ROW = 3
#: Pages that are looked at with a stranger's eyes after a login, until one tells.
_MOST_STRANGERS = 5
#: Addresses that are remembered for having looked logged out.
_MOST_REFUSED = 10_000


class Confirmation:
    """What is known of the logins of one session. Any thread may call; `count`, `begin` and `landed` who has the turn.

    `epoch` is the number of logins so far, `confirmed_epoch` the last that is known to have worked.
    """

    def __init__(self, proof: Proof, entrance: Entrance) -> None:
        self._proof = proof
        self._entrance = entrance
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._doubted: object = None
        self._refused: set[str] = set()
        #: How many pages may still be looked at with a stranger's eyes.
        self._strangers = 0
        self.epoch = 0
        self.confirmed_epoch = 0

    # --- a login ----------------------------------------

    def count(self) -> None:
        """There is to be a login. LoginError when the last few led to no logged-in page."""
        self._in_a_row += 1
        if self._in_a_row > MOST_IN_A_ROW:
            raise LoginError(f"{MOST_IN_A_ROW} logins in a row led to no logged-in page; the site drops the session")

    def begin(self, *, confirmed: bool = False) -> None:
        """There was a login: a new epoch begins. `confirmed`: another process made it, which saw that it worked."""
        self.epoch += 1
        if confirmed:
            self.confirmed_epoch = self.epoch

    def landed(self, finding: Finding, landing: Response | None) -> None:
        """The login ended with `landing`, if with any answer, which says `finding`. May send a request."""
        self._strangers = _MOST_STRANGERS
        if finding.member:
            self.confirm(self.epoch, member=True)
        elif landing is not None and landing.request.method == "GET":
            self._decide(self.epoch, landing.url, finding.sign)

    # --- what comes after it ----------------------------------------

    def looks_logged_out(self, response: Response, epoch: int, *, body: bool) -> bool:
        """Whether `response`, a page asked for in `epoch`, was given to a stranger; else what it shows is taken note of.

        `body=False`: it is a stream, which is not read. May send a request; raises what the author's `logged_in` raises.
        """
        finding = self._proof.of(response, body=body)
        asked = response.history[0].url if response.history else response.url
        if finding.sign is not None:
            log.debug("%s %s", response.url, finding.sign.reason)
            self._note_refused(asked)
            return True
        if finding.member or self._was_refused(asked):
            self.confirm(epoch, member=True)
        elif body and response.ok and self._undecided(epoch) and _was_read(response):
            self._decide(epoch, asked)
        return False

    def unproven(self, epoch: int) -> bool:
        """Whether there was a login by `epoch` and no answer has shown yet that any of them worked."""
        return epoch > 0 and self.confirmed_epoch == 0

    def doubted_before(self, what: object) -> bool:
        """`what` speaks against the last login: whether something did already, and nothing for it since."""
        with self._lock:
            if self._doubted is None:
                self._doubted = what
                return False
        return True

    def confirm(self, epoch: int, *, member: bool) -> None:
        """An answer to a request of `epoch` shows a `member`, or nothing ever will."""
        with self._lock:
            newly = epoch > self.confirmed_epoch
            self.confirmed_epoch = max(self.confirmed_epoch, epoch)
            if epoch == self.epoch:  # an answer from before the last login says nothing about it
                self._doubted = None
                if member:
                    self._in_a_row = 0
        if newly:
            self._entrance.keep(proven=member)

    # --- inside ----------------------------------------

    def _note_refused(self, url: str) -> None:
        with self._lock:
            if len(self._refused) < _MOST_REFUSED:
                self._refused.add(url)

    def _was_refused(self, url: str) -> bool:
        """Whether `url` looked logged out once and, as it does not now, tells members from strangers."""
        if url not in self._refused:
            return False
        with self._lock:
            self._refused.discard(url)
        self._proof.tells(url)
        return True

    def _undecided(self, epoch: int) -> bool:
        """Whether it is open that the last login worked, and an answer to a request of `epoch` may decide it."""
        return epoch == self.epoch > self.confirmed_epoch and self._strangers > 0

    def _decide(self, epoch: int, url: str, shown: Sign | None = None) -> None:
        """`url` has no sign of a stranger, or `shown`, a form of its own: when a stranger is refused there, the login
        worked.

        Where a few pages do not tell, nothing will: the login is kept and its attempt stays written down.
        """
        with self._lock:
            if not self._undecided(epoch):
                return
            self._strangers -= 1
            last = self._strangers == 0
        with self._entrance.trace.alone():
            told = self._proof.refuses_strangers(url, shown)
        if told:
            self.confirm(epoch, member=True)
        elif last and not self._proof.certain:
            self.confirm(epoch, member=False)


def _was_read(response: Response) -> bool:
    """Whether the answer is to a GET, which may be asked once more: what was posted must not be."""
    first = response.history[0] if response.history else response
    return first.request.method == "GET"

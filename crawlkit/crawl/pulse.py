"""Pulse: whether a session has ended, of which an answer gives only a hint, such as a redirect that leads off the site.

What belongs here: asking no more often than the answers can differ. What does not: signs in answers and the address that is
asked (sessions/proof.py), what becomes of the page (healing.py).
"""

from __future__ import annotations

from crawlkit.crawl.clock import Clock
from crawlkit.sessions.membership import Healing, Membership


class Pulse:
    """Knows when each session was last seen alive. Any thread may call."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        #: In which epoch, and when a look began that found the session alive.
        self._seen: dict[Membership, tuple[int, float]] = {}

    def doubted(self, membership: Membership, epoch: int, sent: float) -> bool:
        """Whether the session may have been dead when a request of `epoch` was sent (Unix epoch), and a look would tell.

        Where no address tells members from strangers a hint is worth nothing: each would cost a login.
        """
        if membership.unproven(epoch) or not membership.can_tell:
            return False
        seen_epoch, seen_at = self._seen.get(membership, (-1, 0.0))
        return seen_epoch != epoch or seen_at <= sent

    def heal(self, membership: Membership, epoch: int) -> Healing:
        """Look, and log in when the session has ended. As `Membership.again`."""
        began = self._clock.time()
        healing = membership.again(epoch)
        if healing is Healing.ALIVE:
            self._seen[membership] = epoch, began
        return healing

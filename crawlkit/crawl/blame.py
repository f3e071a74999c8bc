"""Blame: which URLs end the session of who fetches them, though nothing about them says so.

What belongs here: who is suspected and why, the trial that decides, the quarantine. What does not: links that say what they
do (guard.py), noticing that a session has ended and logging in (sessions/membership.py).

A session's end is mostly nobody's fault: sessions expire, also every twenty pages. So nobody is condemned for having been
near. A page is suspected when it came back logged out twice, the second time right after a login, or when the session was
last seen alive before it and at most two others. What counts is the trial: everybody else waits, the session is seen to
live, the page is fetched alone, and the session is dead; and all of it once more, with a longer look beforehand, so that a
session which lasts for so many requests is not taken for one that was killed.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from time import monotonic
from typing import TYPE_CHECKING

from crawlkit.crawl.guard import Guard, masked
from crawlkit.exceptions import LoginError
from crawlkit.sessions.membership import Healing, Membership
from crawlkit.sessions.request import Request
from crawlkit.store.refusals import Blame as Blamed

if TYPE_CHECKING:
    from crawlkit.sessions.response import Response

log = logging.getLogger(__name__)

#: The reason of a page that is not fetched because a login has died of it twice.
QUARANTINED = "quarantined"
#: With more pages than this between the last sign of life and the death nobody is suspected.
_MOST_SUSPECTS = 3
#: Suspects that one run adds: on a site where sessions die all the time, suspicion is worth nothing.
_MOST_BLAMED = 50
#: Looks at the session before the page in each part of a trial: more in the second than the first has requests in all.
_LOOKS = (2, 5)
#: How long a trial waits for what is under way elsewhere.
_ALONE_SECONDS = 15.0
#: Trials in a row in which the session died by itself, and trials of one page in which others were in the way.
_MOST_RESTLESS = 3
_MOST_CROWDED = 5


class Verdict(Enum):
    """What a trial found."""

    INNOCENT = "the session lives on"
    KILLER = "the session died of it, twice"
    UNCLEAR = "it could not be told"


@dataclass(slots=True)
class _Exchanges:
    """What was fetched in one epoch of a session, as far as nothing has shown that it lived on."""

    epoch: int = -1
    answered: deque[tuple[int, str]] = field(default_factory=deque)


class Blame:
    """The suspects of one run. Any thread may call; trials are held one at a time, by who has the turn to log in.

    `kept` is what earlier runs found; `keep` and `forget` write to the store and may wait for it.
    """

    def __init__(
        self,
        profile: str,
        guard: Guard,
        kept: Iterable[Blamed] = (),
        *,
        keep: Callable[[str, str, int, bool], None],
        forget: Callable[[str, str], None],
    ) -> None:
        self._profile = profile
        self._guard = guard
        self._keep = keep
        self._forget = forget
        self._lock = threading.Condition()
        self._times = {(blamed.profile, blamed.url): blamed.times for blamed in kept}
        self._quarantined = {(blamed.profile, blamed.url) for blamed in kept if blamed.quarantined}
        self._exchanges: dict[Membership, _Exchanges] = {}
        self._clock = 0
        self._under_way = 0
        self._added = 0
        self._restless = 0
        self._crowded: Counter[tuple[str, str]] = Counter()

    # --- questions ----------------------------------------

    def quarantined(self, url: str, request: Request) -> bool:
        """Whether a canonical URL must not be fetched as this request's profile. What the author allows is free."""
        return self._key(url, request) in self._quarantined and not self._guard.allows(url)

    def suspected(self, url: str, request: Request) -> bool:
        """Whether the session has to be looked at after a fetch of this URL."""
        return self._key(url, request) in self._times

    # --- what happens ----------------------------------------

    @contextmanager
    def exchange(self) -> Iterator[int]:
        """Around an exchange of a page; gives the number of its sending, for `alive`."""
        with self._lock:
            self._clock += 1
            number = self._clock
            self._under_way += 1
        try:
            yield number
        finally:
            with self._lock:
                self._under_way -= 1
                if not self._under_way:
                    self._lock.notify_all()

    def alive(self, membership: Membership, url: str, number: int, epoch: int) -> None:
        """The answer from `url` looks logged in: whatever had been answered when it was sent did no harm. It may have."""
        with self._lock:
            self._clock += 1
            exchanges = self._exchanges.setdefault(membership, _Exchanges())
            if exchanges.epoch < epoch:
                exchanges.epoch = epoch
                exchanges.answered.clear()
            if exchanges.epoch == epoch:
                while exchanges.answered and exchanges.answered[0][0] < number:
                    exchanges.answered.popleft()
                exchanges.answered.append((self._clock, url))

    def died(self, membership: Membership, epoch: int, url: str, request: Request) -> None:
        """The session of `epoch` was found dead by a request for `url`: suspect what was fetched since it was alive."""
        with self._lock:
            exchanges = self._exchanges.get(membership)
            if exchanges is None or exchanges.epoch != epoch:
                return
            near = {each for _, each in exchanges.answered} - {url}
            exchanges.answered.clear()
            keys = [key for key in ((self._name(request), each) for each in near) if key not in self._times]
            if not 0 < len(near) <= _MOST_SUSPECTS or self._added >= _MOST_BLAMED:
                return
            self._added += len(keys)
            self._times.update(dict.fromkeys(keys, 1))
        for profile, suspect in keys:
            log.debug("the session ended after %s", masked(suspect))
            self._keep(profile, suspect, 1, False)

    def absolve(self, url: str, request: Request) -> None:
        """The session lived on after a fetch of this URL."""
        key = self._key(url, request)
        with self._lock:
            known = self._times.pop(key, None)
            self._quarantined.discard(key)
        if known is not None:
            self._forget(*key)

    # --- the trial ----------------------------------------

    def try_(
        self, membership: Membership, url: str, request: Request, fetch: Callable[[], tuple[Response, int]]
    ) -> tuple[Verdict, Response | None, int]:
        """Find out whether a fetch of `url` ends the session; with INNOCENT comes the last answer and its epoch.

        The thread has the turn to log in, or gets it here; new pages wait as long as it lasts. Raises what `fetch` does,
        Undecided, and LoginError: also when session after session dies with nothing being fetched.
        """
        key = self._key(url, request)
        verdict, response, epoch = self._tried(membership, key, fetch)
        if verdict is Verdict.INNOCENT:
            self.absolve(url, request)
        elif verdict is Verdict.KILLER:
            self._condemn(key)
        return verdict, response, epoch

    def _tried(
        self, membership: Membership, key: tuple[str, str], fetch: Callable[[], tuple[Response, int]]
    ) -> tuple[Verdict, Response | None, int]:
        unclear = Verdict.UNCLEAR, None, 0
        for looks in _LOOKS:
            if membership.again(membership.epoch) is Healing.BUSY:
                return unclear
            if not self._alone():
                self._crowded[key] += 1
                if self._crowded[key] >= _MOST_CROWDED:
                    raise Undecided
                return unclear
            if not all(membership.lives() for _ in range(looks)):
                self._restless += 1
                if self._restless >= _MOST_RESTLESS:
                    raise LoginError("the site ends each session after a few requests; log in by hand and see why")
                return unclear
            membership.proven()
            response, epoch = fetch()
            if membership.lives():
                self._restless = 0
                return Verdict.INNOCENT, response, epoch
        self._restless = 0
        return Verdict.KILLER, None, 0

    def _alone(self) -> bool:
        """Wait until nothing else is under way. The scheduler is paused meanwhile."""
        end = monotonic() + _ALONE_SECONDS
        with self._lock:
            while self._under_way:
                if not self._lock.wait(max(0.0, end - monotonic())):
                    return False
        return True

    def _condemn(self, key: tuple[str, str]) -> None:
        with self._lock:
            self._times[key] = len(_LOOKS)
            self._quarantined.add(key)
        log.warning("%s ends the session of who fetches it: it is quarantined", masked(key[1]))
        self._keep(*key, len(_LOOKS), True)

    def _key(self, url: str, request: Request) -> tuple[str, str]:
        return self._name(request), url

    def _name(self, request: Request) -> str:
        return request.profile or self._profile


class Undecided(Exception):
    """Again and again a trial came to nothing."""

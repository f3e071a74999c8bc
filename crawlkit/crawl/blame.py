"""Blame: which URLs end the session of who fetches them, though nothing about them says so.

What belongs here: who is suspected and why, the trial that decides, the quarantine. What does not: links that say what they
do (guard.py), noticing that a session has ended and logging in (sessions/membership.py).

A session's end is mostly nobody's fault: sessions expire, also every twenty pages. So nobody is condemned for having been
near. A page is suspected when it came back logged out twice, the second time right after a login, or when the session was
last seen alive before it and at most two others. Of a crowd that was under way everybody is noted, and suspected when the
session of a later run dies with them near as well; who is seen to have done no harm is forgotten.

What counts is the trial: everybody else waits, the session is seen to live, the page is fetched alone, and the session is
dead; and all of it once more, with a longer look beforehand, so that a session which lasts for so many requests is not taken
for one that was killed.
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
#: With more pages than this between the last sign of life and the death they are only noted, up to so many.
_MOST_SUSPECTS = 3
_MOST_CROWD = 100
#: Suspects that one run adds: on a site where sessions die all the time, suspicion is worth nothing.
_MOST_BLAMED = 50
#: Pages that one run notes.
_MOST_NOTED = 300
#: How often a page is blamed that is noted, and one that is suspected.
_NOTED, _SUSPECTED = 0, 1
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
    #: The latest exchange, by its number, whose answer looked logged in.
    proven: int = 0
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
        #: Noted by this run: a second death of the same run says nothing more of them.
        self._noted: set[tuple[str, str]] = set()
        self._restless = 0
        self._crowded: Counter[tuple[str, str]] = Counter()

    # --- questions ----------------------------------------

    def quarantined(self, url: str, request: Request) -> bool:
        """Whether a canonical URL must not be fetched as this request's profile. What the author allows is free."""
        return self._key(url, request) in self._quarantined and not self._guard.allows(url)

    def suspected(self, url: str, request: Request) -> bool:
        """Whether the session has to be looked at after a fetch of this URL."""
        return self._times.get(self._key(url, request), _NOTED) >= _SUSPECTED

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

    def alive(self, membership: Membership, url: str, number: int, epoch: int, request: Request) -> None:
        """The answer from `url` looks logged in: whatever had been answered when it was sent did no harm. It may have."""
        harmless = []
        with self._lock:
            self._clock += 1
            exchanges = self._exchanges.setdefault(membership, _Exchanges())
            if exchanges.epoch < epoch:
                exchanges.epoch = epoch
                exchanges.answered.clear()
            if exchanges.epoch == epoch:
                exchanges.proven = max(exchanges.proven, number)
                while exchanges.answered and exchanges.answered[0][0] < number:
                    key = self._name(request), exchanges.answered.popleft()[1]
                    if self._times.get(key) == _NOTED:
                        del self._times[key]
                        harmless.append(key)
                exchanges.answered.append((self._clock, url))
        for key in harmless:
            self._forget(*key)

    def died(self, membership: Membership, epoch: int, url: str, request: Request) -> None:
        """The session of `epoch` was found dead by a request for `url`: suspect what was fetched since it was alive."""
        name = self._name(request)
        with self._lock:
            exchanges = self._exchanges.get(membership)
            if exchanges is None or exchanges.epoch != epoch:
                return
            near = {each for _, each in exchanges.answered} - {url}
            exchanges.answered.clear()
            few = len(near) <= _MOST_SUSPECTS
            blamed = {} if len(near) > _MOST_CROWD else self._blamed({(name, each) for each in near}, few=few)
            self._times.update(blamed)
        for (profile, suspect), times in blamed.items():
            log.debug("the session ended after %s", masked(suspect))
            self._keep(profile, suspect, times, False)

    def _blamed(self, near: set[tuple[str, str]], *, few: bool) -> dict[tuple[str, str], int]:
        """Who of those that were near is blamed more than before, and how often now, as far as the bounds allow."""
        blamed = {}
        for key in sorted(near):
            before = self._times.get(key)
            if before is None and not few:
                if len(self._noted) < _MOST_NOTED:
                    self._noted.add(key)
                    blamed[key] = _NOTED
            elif (
                before is None or (before == _NOTED and (few or key not in self._noted))
            ) and self._added < _MOST_BLAMED:
                self._added += 1
                blamed[key] = _SUSPECTED
        return blamed

    def absolve(self, url: str, request: Request) -> None:
        """The session lived on after a fetch of this URL."""
        key = self._key(url, request)
        with self._lock:
            known = self._times.pop(key, None)
            self._noted.discard(key)
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

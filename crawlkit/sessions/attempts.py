"""Attempts: how often logging in as a profile failed within the last hour, so that no account is locked out.

What belongs here: counting, in the profile, so that it holds across runs and processes. What does not: logging in
(membership.py).

An attempt is written down before it is made and taken back once a page has shown that it worked: what kills the process
in between counts as failed.

Several sessions may log in with one profile's credentials, each with cookies of its own. They count together, and no more
of them are at it at once than may fail. Of what is open among them one is written down, so that a site where nothing ever
shows that a login worked costs as much as with one session.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, Any

from crawlkit.exceptions import LoginError

if TYPE_CHECKING:
    from crawlkit.sessions.profile import Profile

#: Failed logins of a profile within PERIOD_SECONDS after which it is left alone.
MOST_FAILED = 3
PERIOD_SECONDS = 3600.0

_PREFIX = "login attempt "
#: An attempt of another session of which so long nothing was heard is not waited for any more.
_WAIT_SECONDS = 10.0


class _Shared:
    """What sessions with the same credentials know of each other."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        #: Without a profile, the attempts are kept here.
        self.own: dict[str, Any] = {}
        #: Whose attempts are open, and when the last was begun (monotonic).
        self.open: dict[Attempts, float] = {}


class Attempts:
    """The failed logins of one profile; without a profile, of one session. The caller holds the profile's turn, or is a
    `sibling` of who does.

    `most`: how many may fail in an hour. `forced`: log in however many failed.
    """

    def __init__(
        self,
        profile: Profile | None,
        *,
        most: int = MOST_FAILED,
        forced: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._profile = profile
        self._most = most
        self._forced = forced
        self._clock = clock
        self._shared = _Shared()
        #: Entries of attempts that are open; an empty name stands for one that is not written down yet.
        self._open: list[str] = []
        self._sole = True

    def sibling(self) -> Attempts:
        """For another session that logs in with the same credentials, without the profile's turn: they count together."""
        other = Attempts(self._profile, most=self._most, forced=self._forced, clock=self._clock)
        other._shared, other._sole = self._shared, False
        return other

    def check(self) -> None:
        """Raises LoginError, which says when the next login is possible, when too many failed. Sends nothing.

        Waits for the attempts of other sessions, where what becomes of them decides.
        """
        if self._forced:
            return
        with self._shared.changed:
            while True:
                failed = self._failed()
                if len(failed) >= self._most:
                    break
                under_way = [begun for each, begun in self._shared.open.items() if each is not self]
                left = [begun + _WAIT_SECONDS - monotonic() for begun in under_way]
                left = [seconds for seconds in left if seconds > 0]
                if len(failed) + len(left) < self._most:
                    self._shared.open[self] = monotonic()  # or as many as wait here would go at once
                    return
                self._shared.changed.wait(min(left))
        free = failed[-self._most] + PERIOD_SECONDS
        raise LoginError(
            f"{len(failed)} logins as profile {self._name} failed within the last hour, the last at {_hour(failed[-1])}; "
            f"the next one is possible at {_hour(free)}. Check the credentials; --force-login tries before that"
        )

    def begin(self) -> None:
        """An attempt is about to be made. Written to the vault first: raises StorageError when that fails."""
        with self._shared.changed:
            state = self._state
            now = self._clock()
            for name, at in list(state.items()):
                if name.startswith(_PREFIX) and at <= now - PERIOD_SECONDS:
                    state.pop(name, None)
            written = any(any(each._open) for each in self._shared.open)
            self._open.append("" if written and not self._sole else self._write())
            self._shared.open[self] = monotonic()
        if self._open[-1]:
            self._save()

    def take_back(self) -> None:
        """The attempts since the last call led to a logged-in page: they do not count. Failures before them still do."""
        with self._shared.changed:
            for name in self._open:
                self._state.pop(name, None)
            self._close()

    def failed(self) -> None:
        """The attempts since the last call failed: they stay written down for an hour."""
        with self._shared.changed:
            late = [self._write() for name in self._open if not name]
            self._close()
        if late:
            self._save()

    def _close(self) -> None:
        self._open.clear()
        self._shared.open.pop(self, None)
        self._shared.changed.notify_all()

    def _write(self) -> str:
        name = f"{_PREFIX}{uuid.uuid4().hex}"
        self._state[name] = self._clock()
        return name

    def _save(self) -> None:
        if self._profile is not None:
            self._profile.save()

    def _failed(self) -> list[float]:
        """When logins failed, without those of other sessions of which nothing is known yet."""
        others = {name for each in self._shared.open if each is not self for name in each._open}
        return recent({name: at for name, at in list(self._state.items()) if name not in others}, self._clock())

    @property
    def open(self) -> bool:
        """Whether an attempt was begun of which nothing is known yet."""
        return bool(self._open)

    @property
    def _state(self) -> dict[str, Any]:
        return self._shared.own if self._profile is None else self._profile.state

    @property
    def _name(self) -> str:
        return "(none)" if self._profile is None else repr(self._profile.name)


def recent(state: Mapping[str, Any], now: float) -> list[float]:
    """When the logins failed that a profile's `state` still counts at `now` (Unix epoch), oldest first."""
    times = (at for name, at in list(state.items()) if name.startswith(_PREFIX) and isinstance(at, int | float))
    # A clock that was set back must not lock anybody out for ever.
    return sorted(at for at in times if now - PERIOD_SECONDS < at <= now + PERIOD_SECONDS)


def is_attempt(name: str) -> bool:
    """Whether an entry of a profile's state is one of these."""
    return name.startswith(_PREFIX)


def _hour(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%H:%M")

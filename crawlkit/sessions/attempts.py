"""Attempts: how often logging in as a profile failed within the last hour, so that no account is locked out.

What belongs here: counting, in the profile, so that it holds across runs and processes. What does not: logging in
(membership.py).

An attempt is written down before it is made and taken back once a page has shown that it worked: what kills the process
in between counts as failed.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crawlkit.exceptions import LoginError

if TYPE_CHECKING:
    from crawlkit.sessions.profile import Profile

#: Failed logins of a profile within PERIOD_SECONDS after which it is left alone.
MOST_FAILED = 3
PERIOD_SECONDS = 3600.0

_PREFIX = "login attempt "


class Attempts:
    """The failed logins of one profile; without a profile, of one session. The caller holds the profile's turn.

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
        self._own: dict[str, Any] = {}
        self._most = most
        self._forced = forced
        self._clock = clock
        self._open: list[str] = []

    def check(self) -> None:
        """Raises LoginError, which says when the next login is possible, when too many failed. Sends nothing."""
        failed = recent(self._state, self._clock())
        if self._forced or len(failed) < self._most:
            return
        free = failed[-self._most] + PERIOD_SECONDS
        raise LoginError(
            f"{len(failed)} logins as profile {self._name} failed within the last hour, the last at {_hour(failed[-1])}; "
            f"the next one is possible at {_hour(free)}. Check the credentials; --force-login tries before that"
        )

    def begin(self) -> None:
        """An attempt is about to be made. Written to the vault first: raises StorageError when that fails."""
        state = self._state
        now = self._clock()
        for name in [name for name in state if name.startswith(_PREFIX) and state[name] <= now - PERIOD_SECONDS]:
            del state[name]
        name = f"{_PREFIX}{uuid.uuid4().hex}"
        state[name] = now
        self._open.append(name)
        if self._profile is not None:
            self._profile.save()

    def take_back(self) -> None:
        """The attempts since the last call led to a logged-in page: they do not count. Failures before them still do."""
        for name in self._open:
            self._state.pop(name, None)
        self._open.clear()

    def failed(self) -> None:
        """The attempts since the last call failed: they stay written down for an hour."""
        self._open.clear()

    @property
    def open(self) -> bool:
        """Whether an attempt was begun of which nothing is known yet."""
        return bool(self._open)

    @property
    def _state(self) -> dict[str, Any]:
        return self._own if self._profile is None else self._profile.state

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

"""Turn: who of the threads of this process logs a session in, and with what luck the last one did.

What belongs here: waiting, holding and letting go. What does not: processes (Vault.turn), what is done in the turn
(membership.py). A request holds no connection while its thread waits here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from time import monotonic

from crawlkit.exceptions import LoginError

#: A look at the clock in between costs nothing, and a lost wake-up no more than this.
_LOOK_SECONDS = 1.0


class Turn:
    """One holder at a time. Any thread may call; `begun` is called when a turn begins and `ended` after it has."""

    def __init__(self, begun: Callable[[], None], ended: Callable[[], None]) -> None:
        self._begun = begun
        self._ended = ended
        self._free = threading.Condition()
        self._holder: int | None = None
        self._held: AbstractContextManager[object] | None = None
        self._error: LoginError | None = None
        self._error_until = 0.0

    def take(self, needed: Callable[[], bool], *, wait: bool) -> bool | None:
        """True: the turn is this thread's. False: it is not `needed` any more. None: another has it (never with `wait`).

        Raises the error of the last turn as long as it stands.
        """
        me = threading.get_ident()
        with self._free:
            while True:
                if self._error is not None and monotonic() < self._error_until:
                    raise self._error
                if not needed():
                    return False
                if self._holder in (None, me):
                    break
                if not wait:
                    return None
                self._free.wait(_LOOK_SECONDS)
            begun, self._holder = self._holder is None, me
        if begun:
            self._begun()
        return True

    @property
    def mine(self) -> bool:
        """Whether the turn is this thread's."""
        return self._holder == threading.get_ident()

    @property
    def holds_lock(self) -> bool:
        """Whether this turn has a lock of its own (see `hold`)."""
        return self._held is not None

    def hold(self, lock: AbstractContextManager[object]) -> None:
        """Enter `lock` for the rest of the turn."""
        lock.__enter__()
        self._held = lock

    def let_go(self) -> None:
        """End the turn of this thread. Nothing for any other thread."""
        with self._free:
            if self._holder != threading.get_ident():
                return
            held, self._held = self._held, None
        try:
            if held is not None:
                held.__exit__(None, None, None)
        finally:
            with self._free:
                self._holder = None
                self._free.notify_all()
            self._ended()

    def fail(self, error: LoginError, seconds: float) -> None:
        """For so many seconds whoever asks for the turn gets `error`."""
        with self._free:
            self._error, self._error_until = error, monotonic() + seconds

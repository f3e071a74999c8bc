"""What a `timeout=` means: seconds to connect, seconds between bytes, and an instant when all must be over.

What belongs here: reading the forms that requests and urllib3 take. What does not: default values (defaults.py),
enforcing (wire.py).
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from urllib3.util import Timeout

from crawlkit.sessions.defaults import DEFAULT_TIMEOUT, UsualTimeout


class Times(NamedTuple):
    """Seconds to connect and between bytes, each None for as long as it takes; `deadline` of time.monotonic() or
    None.
    """

    connect: float | None
    read: float | None
    deadline: float | None

    def connect_until(self) -> float | None:
        """The instant before which a connection must stand, counted from now."""
        if self.connect is None:
            return self.deadline
        until = time.monotonic() + self.connect
        return until if self.deadline is None or until < self.deadline else self.deadline

    def is_late(self) -> bool:
        """Whether the deadline has passed."""
        return self.deadline is not None and time.monotonic() >= self.deadline


_USUAL = Times(*DEFAULT_TIMEOUT, None)


def times_for(timeout: Any, deadline: float | None) -> Times:
    """The times for a `timeout` of None, seconds, a pair (connect, read), or urllib3's Timeout. ValueError for
    others.
    """
    if timeout is DEFAULT_TIMEOUT and deadline is None:
        return _USUAL
    if type(timeout) is UsualTimeout:
        return Times(timeout[0], timeout[1], deadline)
    if isinstance(timeout, Timeout):
        return _of_urllib3(timeout, deadline)
    if isinstance(timeout, tuple):
        if len(timeout) != 2:
            raise ValueError(f"timeout={timeout!r} is none: it takes seconds, or a pair (connect, read)")
        connect, read = timeout
    else:
        connect = read = timeout
    return Times(_seconds(connect, timeout), _seconds(read, timeout), deadline)


def _seconds(value: Any, whole: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool):
        raise ValueError(f"timeout={whole!r} is none: it takes seconds, not a truth value")
    if isinstance(value, (str, bytes)):
        raise ValueError(f"timeout={whole!r} is none: it takes seconds as a number; give float() of a text")
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"timeout={whole!r} is none: it takes seconds, or a pair (connect, read)") from None
    if not seconds > 0:
        raise ValueError(f"timeout={whole!r} is none: it must be above 0; None means no timeout")
    return seconds if seconds < 1e8 else 1e8  # sockets cannot wait longer than that, and nobody does


def _of_urllib3(timeout: Timeout, deadline: float | None) -> Times:
    total = timeout.total
    if isinstance(total, (int, float)):
        ends = time.monotonic() + total
        deadline = ends if deadline is None or ends < deadline else deadline
    connect, read = (value if isinstance(value, (int, float)) else None for value in (timeout._connect, timeout._read))
    return Times(connect, read, deadline)

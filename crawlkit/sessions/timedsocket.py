"""TimedSocket: a socket, and the time that what is done with it may take.

What belongs here: the deadline, the read timeout, and setting them on the socket. What does not: where they come from
(timeouts.py), sending (channel.py), receiving (incoming.py).

`deadline` is an instant of time.monotonic(), checked before every call on the socket, whose timeout is the shorter of
what is left and the read timeout. A server that sends one byte a second therefore ends on time.
"""

from __future__ import annotations

import time
from typing import Any

UNSET = -1.0  # no timeout of a socket


class TimedSocket:
    """A socket with a deadline and a read timeout. Used by one thread at a time."""

    sock: Any

    _deadline: float | None = None
    _read_timeout: float | None = None
    _armed: float | None = UNSET  # the timeout that the socket has

    def set_times(self, read_timeout: float | None, deadline: float | None) -> None:
        """Change the times of the exchange that is under way."""
        self._read_timeout = read_timeout
        self._deadline = deadline
        if deadline is None and self._armed != read_timeout:
            self._armed = read_timeout
            self.sock.settimeout(read_timeout)

    def is_late(self) -> bool:
        """Whether the deadline has passed."""
        return self._deadline is not None and time.monotonic() >= self._deadline

    def _left(self) -> float | None:
        if self._deadline is None:
            return None
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("no time left")
        return left

    def _arm(self) -> None:
        timeout = self._left()
        read = self._read_timeout
        if timeout is None or (read is not None and read < timeout):
            timeout = read
        if timeout != self._armed:
            self._armed = timeout
            self.sock.settimeout(timeout)

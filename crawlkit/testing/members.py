"""Who is logged in at the demo bookshop: its CSRF tokens, session cookies and API tokens. No HTML belongs here."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from typing import NamedTuple


class Account(NamedTuple):
    """A username and its password."""

    username: str
    password: str


MEMBER = Account("reader", "a-quiet-room")
"""The demo bookshop's one account. Public on purpose: it opens nothing but the demo."""


class Members:
    """Logins of the demo bookshop. Safe from any thread.

    A login is a signed value, so that it outlives the process: a shop that is started again with the same
    `secret` still knows the members whose cookie a crawler kept. It ends by age, by use, by logging out or by
    `expire()`; None means no limit.
    """

    def __init__(
        self,
        *,
        account: Account = MEMBER,
        secret: str = "demo",
        expire_after_seconds: float | None = None,
        expire_after_requests: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.account = account
        self._secret = secret.encode()
        self._expire_after_seconds = expire_after_seconds
        self._expire_after_requests = expire_after_requests
        self._clock = clock
        self._lock = threading.Lock()
        self._uses: dict[str, int] = {}
        self._ended: set[str] = set()
        self._none_before = float("-inf")

    def csrf(self, visit: str) -> str:
        """The CSRF token that belongs to a visit (the value of the visitor's cookie)."""
        return self._sign(f"csrf:{visit}")

    def right_csrf(self, visit: str | None, token: str) -> bool:
        """Whether the form that was sent is one that this visitor was shown."""
        return visit is not None and hmac.compare_digest(self.csrf(visit), token)

    def log_in(self, username: str, password: str) -> str | None:
        """A new login's value, or None when name or password is wrong."""
        given = (username.encode() + b"\0" + password.encode(), "\0".join(self.account).encode())
        if not hmac.compare_digest(*given):
            return None
        login = f"{secrets.token_hex(8)}.{self._clock():.6f}"
        return f"{login}.{self._sign(login)}"

    def admits(self, value: str | None) -> bool:
        """Whether this value is a login that holds; counts one use of it when it is."""
        login = self._login(value)
        if login is None:
            return False
        started = float(login.partition(".")[2])
        too_old = self._expire_after_seconds is not None and self._clock() - started >= self._expire_after_seconds
        with self._lock:
            if too_old or started <= self._none_before or login in self._ended:
                return False
            uses = self._uses[login] = self._uses.get(login, 0) + 1
            return self._expire_after_requests is None or uses <= self._expire_after_requests

    def log_out(self, value: str | None) -> None:
        """End this login for good."""
        login = self._login(value)
        if login is not None:
            with self._lock:
                self._ended.add(login)

    def expire(self) -> None:
        """End every login that was made until now."""
        with self._lock:
            self._none_before = self._clock()

    def _login(self, value: str | None) -> str | None:
        """The part of a value that its signature vouches for, None when the signature is wrong."""
        login, _, signature = (value or "").rpartition(".")
        right = hmac.compare_digest(self._sign(login).encode(), signature.encode())
        return login if login and right else None

    def _sign(self, text: str) -> str:
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()[:32]

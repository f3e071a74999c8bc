"""Who is logged in at the demo bookshop: its accounts, CSRF tokens, session cookies, one-time codes and API tokens.

No HTML belongs here.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from crawlkit.sessions.totp import Totp


class Account(NamedTuple):
    """A username and its password."""

    username: str
    password: str


MEMBER = Account("reader", "a-quiet-room")
"""The demo bookshop's account. Public on purpose, as the next one: they open nothing but the demo."""

KEEPER = Account("keeper", "a-locked-room")
"""An account of the demo bookshop that is asked for a one-time code after its password."""

KEEPER_TOTP = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
"""The TOTP secret (RFC 6238, base32) of KEEPER."""


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
        self._accounts = {each.username: each for each in (KEEPER, account)}
        self._codes = {} if account.username == KEEPER.username else {KEEPER.username: Totp(KEEPER_TOTP)}
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

    def knows(self, username: str, password: str) -> bool:
        """Whether name and password belong together."""
        account = self._accounts.get(username, Account(username, ""))
        right = hmac.compare_digest(password.encode(), account.password.encode())
        return right and username in self._accounts

    def asks_code(self, username: str) -> bool:
        """Whether this account needs a one-time code beside its password."""
        return username in self._codes

    def right_code(self, username: str, code: str) -> bool:
        """Whether this is the account's code of now, or of the half minute before or after it."""
        totp, now = self._codes[username], self._clock()
        codes = [totp.at(now + step * totp.period) for step in (0, -1, 1)]
        return any(hmac.compare_digest(each.encode(), code.strip().encode()) for each in codes)

    def ticket(self, username: str) -> str:
        """What a visitor shows beside the code: the password was right."""
        name = username.encode().hex()
        return f"{name}.{self._sign(f'ticket:{name}')}"

    def ticket_of(self, ticket: str) -> str | None:
        """The username of a ticket, None when it is none of ours."""
        name, _, signature = ticket.partition(".")
        right = hmac.compare_digest(self._sign(f"ticket:{name}").encode(), signature.encode())
        return bytes.fromhex(name).decode() if right else None

    def open(self, username: str) -> str:
        """A new login's value."""
        login = f"{username.encode().hex()}-{secrets.token_hex(8)}.{self._clock():.6f}"
        return f"{login}.{self._sign(login)}"

    def log_in(self, username: str, password: str, code: str = "") -> str | None:
        """A new login's value, or None when name, password or code is wrong."""
        if not self.knows(username, password) or (self.asks_code(username) and not self.right_code(username, code)):
            return None
        return self.open(username)

    def name_of(self, value: str | None) -> str:
        """The username of a login, which may have ended."""
        login = self._login(value)
        return bytes.fromhex(login.partition("-")[0]).decode() if login is not None else ""

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

    def expire(self, every: int | None = None) -> None:
        """End every login that was made until now.

        With `every`, each later one ends after as many members' requests; 0: none does by itself.
        """
        with self._lock:
            self._none_before = self._clock()
            if every is not None:
                self._expire_after_requests = every or None

    def _login(self, value: str | None) -> str | None:
        """The part of a value that its signature vouches for, None when the signature is wrong."""
        login, _, signature = (value or "").rpartition(".")
        right = hmac.compare_digest(self._sign(login).encode(), signature.encode())
        return login if login and right else None

    def _sign(self, text: str) -> str:
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()[:32]

"""RetryPolicy: whether a failed exchange is tried again, and when.

What belongs here: the decision (`delay`), which the crawl asks for and schedules itself. What does not: the loop that
a plain session sleeps in (repeating.py).
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from urllib3.util.retry import Retry

from crawlkit import exceptions as errors
from crawlkit.sessions.counting import Counting
from crawlkit.sessions.prepared import PreparedRequest
from crawlkit.sessions.response import Response

# RFC 9110 section 9.2.2: repeating these does what sending them once does.
IDEMPOTENT_METHODS = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"))

# Passing trouble by RFC 9110 and RFC 6585; the 520s are Cloudflare's words for an origin in trouble.
RETRY_STATUSES = frozenset((408, 429, 500, 502, 503, 504, 520, 521, 522, 524))

# What another try may mend. Timeout includes DeadlineExceeded, which the code below leaves out.
_PASSING = (errors.ConnectionError, errors.Timeout, errors.ChunkedEncodingError)
_LASTING = (errors.SSLError, errors.AddressForbidden, errors.DeadlineExceeded)

Send = Callable[["PreparedRequest"], "Response"]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When to try again. Immutable, so that any number of threads may use one.

    `retries` counts the tries after the first. `statuses` are those that another try may change, `methods` those that
    may be repeated at all. The wait is random between 0 and `backoff_seconds` doubled with each try, at most
    `max_backoff_seconds` (full jitter: clients that failed together do not come back together), or what Retry-After
    says. `max_wait_seconds`: a longer Retry-After is not slept out by `call`; the answer is given back instead.
    `only_unsent`: only what failed before anything was sent is tried again, whatever its method. `raise_on_status`:
    RetryError when the tries are used up and the status is still one of `statuses`.
    """

    retries: int = 3
    statuses: frozenset[int] = RETRY_STATUSES
    methods: frozenset[str] | None = IDEMPOTENT_METHODS
    backoff_seconds: float = 0.5
    max_backoff_seconds: float = 60.0
    respect_retry_after: bool = True
    max_wait_seconds: float = 120.0
    only_unsent: bool = False
    raise_on_status: bool = False

    def __post_init__(self) -> None:
        if self.retries < 0:
            raise ValueError(f"retries must not be negative: {self.retries}")
        object.__setattr__(self, "statuses", frozenset(self.statuses))
        if self.methods is not None:
            object.__setattr__(self, "methods", frozenset(method.upper() for method in self.methods))

    @classmethod
    def of(cls, value: Any) -> RetryPolicy | Counting | None:
        """The policy that `value` means: None, False or 0 none; a number so many retries; a policy; urllib3's Retry,
        which counts for itself.
        """
        if isinstance(value, RetryPolicy):
            return value
        if value is None or value is False:
            return None
        if isinstance(value, int):
            return cls(value) if value > 0 else None
        if isinstance(value, Retry):
            return Counting(value)
        raise TypeError(f"retries must be a number, a RetryPolicy, urllib3's Retry or None, not {type(value).__name__}")

    def delay(
        self,
        attempt: int,
        *,
        error: BaseException | None = None,
        response: Response | None = None,
        method: str = "GET",
        safe: bool | None = None,
        now: float | None = None,
    ) -> float | None:
        """Seconds to wait before the next try after `attempt` tries (from 1) have failed; None: do not try again.

        `error` or `response` is how the last one ended. `safe` overrules the method (Request.safe). `now` is the time
        of day in seconds since 1970, against which a Retry-After date is read. A Retry-After is given back however
        long.
        """
        if attempt > self.retries or not self._may_repeat(method, safe, error):
            return None
        if error is not None:
            return self.backoff(attempt) if _another_try_may_help(error, attempt) else None
        if response is None or self.only_unsent or response.status_code not in self.statuses:
            return None
        if self.respect_retry_after:
            asked = parse_retry_after(response.headers.get("retry-after"), now)
            if asked is not None:
                return asked
        return self.backoff(attempt)

    def backoff(self, attempt: int) -> float:
        """A random wait in seconds after `attempt` failed tries (from 1)."""
        # The exponent is bounded because a policy may have a thousand retries and floats have an end.
        most = min(self.max_backoff_seconds, self.backoff_seconds * 2.0 ** min(attempt - 1, 64))
        return random.uniform(0.0, most)

    def _may_repeat(self, method: str, safe: bool | None, error: BaseException | None) -> bool:
        if self.only_unsent:
            return error is not None and nothing_was_sent(error)
        if safe is not None:
            return safe
        return self.methods is None or method.upper() in self.methods

    def call(
        self,
        send: Send,
        request: PreparedRequest,
        *,
        stop: threading.Event | None = None,
        deadline: float | None = None,
    ) -> Response:
        """Sends `request` by `send` until that succeeds or the policy says to leave it; sleeps in between.

        `deadline`: the instant of `time.monotonic()` after which no new try begins. `stop`: no new try once it is
        set. Returns the last answer, or raises the last error.
        """
        from crawlkit.sessions.repeating import Repeating

        return Repeating(self, send, request, stop, deadline).run()


def _another_try_may_help(error: BaseException, attempt: int) -> bool:
    if isinstance(error, errors.NameNotFound):
        return attempt == 1  # resolvers do fail once in a while; twice is an answer
    if isinstance(error, errors.ContentDecodingError):
        # Once, with `identity`; when that was sent already, the server cannot be helped.
        headers = getattr(error.request, "headers", None) or {}
        return str(headers.get("Accept-Encoding", "")).lower() != "identity"
    return isinstance(error, _PASSING) and not isinstance(error, _LASTING)


def nothing_was_sent(error: BaseException) -> bool:
    """Whether the exchange failed before a byte of the request left, so that repeating it cannot do anything twice."""
    if isinstance(error, (errors.ConnectTimeout, errors.NameNotFound, errors.PoolTimeout)):
        return True
    if not isinstance(error, errors.ConnectionError):
        return False
    if error.unsent:
        return True
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ConnectionRefusedError) or type(seen).__name__ == "NewConnectionError":
            return True
        reason = seen.args[0] if seen.args and isinstance(seen.args[0], BaseException) else None
        seen = seen.__cause__ or getattr(seen, "reason", None) or reason
    return False


def parse_retry_after(value: str | None, now: float | None = None) -> float | None:
    """The seconds that a Retry-After means (RFC 9110 section 10.2.3): a number, or a date seen from `now`.

    None when there is none, it cannot be read, or it lies in the past.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:18])  # more digits than that are no longer a wait but an insult
    try:
        then = parsedate_to_datetime(text)
        seconds = then.timestamp() - (time.time() if now is None else now)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return seconds if seconds >= 0 else None

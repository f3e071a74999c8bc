"""Counting: what urllib3's Retry says is done, for an adapter's `max_retries` and wherever a policy is taken.

What belongs here: asking a Retry (of urllib3, or of a class derived from it) what urllib3 would ask, in its words for what
happened. What does not: our own policy (retry.py), the loop (repeating.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from urllib3 import exceptions as foreign
from urllib3.util.retry import Retry

from crawlkit import exceptions as errors
from crawlkit.sessions.body import rewind_body
from crawlkit.sessions.leaks import shown

if TYPE_CHECKING:
    import threading

    from crawlkit.sessions.prepared import PreparedRequest
    from crawlkit.sessions.response import Response

_SLEEPS = ("sleep", "sleep_for_retry", "_sleep_backoff")


def no_retries() -> Retry:
    """What requests makes of `max_retries=0`: an error is raised as what it is."""
    return Retry(0, read=False)


def repeats(retries: Any) -> bool:
    """Whether these retries can change anything, so that asking them is worth the time."""
    return not (
        type(retries) is Retry and retries.total == 0 and retries.read is False and not retries.status_forcelist
    )


class Counting:
    """The tries of one request, as a Retry counts them. `retry` is what is left of it; the one given is not changed.

    `pool` makes the urllib3 pool that `Retry.increment` is told of, `target` is the request's.
    """

    def __init__(self, retry: Any, *, pool: Callable[[], Any] | None = None, target: str | None = None) -> None:
        self.retry: Any = retry if isinstance(retry, Retry) else Retry.from_int(retry, redirect=False)
        self._pool = pool
        self._target = target

    def call(
        self,
        send: Callable[[PreparedRequest], Response],
        request: PreparedRequest,
        *,
        stop: threading.Event | None = None,
        deadline: float | None = None,
    ) -> Response:
        """As `RetryPolicy.call`: sends `request` by `send` until that succeeds or nothing is left of the Retry."""

        def once(again: bool) -> Response:
            if again and request._body_position is not None:
                rewind_body(request)
            return send(request)

        answered: Response = Counting(self.retry, target=request.path_url).run(
            once, request, stop=stop, deadline=deadline
        )
        return answered

    def run(
        self,
        send: Callable[[bool], Any],
        request: Any,
        *,
        stop: threading.Event | None = None,
        deadline: float | None = None,
    ) -> Any:
        """What `send(again)` gives, a Response or a raw answer, once there is no reason to call it again.

        Raises the last error; RetryError where the statuses used the tries up. `again` is whether the body has to go
        back to its start first.
        """
        error: errors.RequestException | None = None
        answer = None
        try:
            answer = send(False)
        except errors.RequestException as failed:
            error = failed
        else:
            if not self.wants(request, answer):
                return answer
        from crawlkit.sessions.repeating import CountedTries

        return CountedTries(self, send, request, stop, deadline).run(answer, error)

    # --- what the loop asks -----------------------------------------------------------------------------------------

    def wants(self, request: Any, answer: Any) -> bool:
        """Whether this answer is one to be asked for again."""
        head = head_of(answer)
        return bool(
            self.retry.is_retry(request.method or "GET", head.status, bool(head.headers.get("Retry-After") or None))
        )

    def after_answer(self, request: Any, answer: Any) -> bool:
        """Counts an answer that is not the last word; False: the tries are used up and it is. RetryError, where the
        Retry raises on statuses.
        """
        retry, head = self.retry, head_of(answer)
        try:
            self.retry = retry.increment(request.method, self._target, response=head, _pool=self._told_pool())
        except foreign.MaxRetryError as over:
            if not retry.raise_on_status:
                return False
            raise errors.RetryError(
                f"{shown(request.url)} still answers {head.status} after {len(retry.history)} retries",
                request=request,
                response=answer if hasattr(answer, "status_code") else None,
            ) from over
        return True

    def after_error(self, request: Any, error: errors.RequestException) -> bool:
        """Counts an error; False: it is to be raised."""
        pool = self._told_pool()
        told = in_urllib3s_words(error, pool, self._target)
        if told is None:
            return False
        try:
            self.retry = self.retry.increment(
                request.method, self._target, error=told, _pool=pool, _stacktrace=error.__traceback__
            )
        except foreign.MaxRetryError:
            if isinstance(error, errors.ReadTimeout) and not isinstance(error, errors.ConnectionError):
                raise errors.RetriedTimeout(*error.args, request=error.request) from error
            return False
        except foreign.HTTPError as raised:
            if raised is not told:
                raise
            return False
        return True

    def seconds(self, answer: Any) -> float | None:
        """How long to wait after `answer`, or after an error (None). None: only the Retry knows, by its own `sleep`."""
        retry = self.retry
        if any(getattr(type(retry), name) is not getattr(Retry, name) for name in _SLEEPS):
            return None
        if answer is not None and retry.respect_retry_after_header:
            try:
                asked = retry.get_retry_after(head_of(answer))
            except foreign.InvalidHeader:
                asked = None  # a date that is none: as if nothing were asked
            if asked:
                return float(asked)
        return float(retry.get_backoff_time())

    def sleep(self, answer: Any) -> None:
        """Wait in the way that a Retry of the program's own does."""
        self.retry.sleep(None if answer is None else head_of(answer))

    def _told_pool(self) -> Any:
        return self._pool() if self._pool is not None else None


class _Head:
    """A head for answers whose `raw` has none: of adapters that somebody wrote."""

    def __init__(self, response: Any) -> None:
        self.status = response.status_code
        self.headers = response.headers

    def get_redirect_location(self) -> bool:
        return False


def head_of(answer: Any) -> Any:
    """What urllib3 would call the response: status, headers, where it redirects to."""
    raw = getattr(answer, "raw", answer)
    return raw if hasattr(raw, "get_redirect_location") else _Head(answer)


def in_urllib3s_words(error: errors.RequestException, pool: Any, target: str | None) -> Exception | None:
    """urllib3's exception for ours, by whose class a Retry knows what to count; None for what no Retry is asked about:
    a deadline that has passed, a forbidden address, a request that cannot be sent.
    """
    text = str(error)
    told: Exception | None = None
    if isinstance(error, (errors.DeadlineExceeded, errors.AddressForbidden)):
        return None
    if isinstance(error, errors.ProxyError):
        reached = error.status is not None
        told = foreign.ProxyError(text, OSError(text) if reached else foreign.NewConnectionError(pool, text))
    elif isinstance(error, errors.SSLError):
        told = foreign.SSLError(text)
    elif isinstance(error, (errors.ConnectTimeout, errors.PoolTimeout)):
        told = foreign.ConnectTimeoutError(pool, text)
    elif isinstance(error, errors.ReadTimeout):
        told = foreign.ReadTimeoutError(pool, target or "", text)
    elif isinstance(error, errors.NameNotFound) or (isinstance(error, errors.ConnectionError) and error.unsent):
        told = foreign.NewConnectionError(pool, text)
    elif isinstance(error, (errors.ConnectionError, errors.ChunkedEncodingError)):
        told = foreign.ProtocolError("Connection aborted.", error.__cause__ or error)
    if told is not None:
        told.__cause__ = error
    return told

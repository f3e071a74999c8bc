"""Repeating: one request on its way through its tries. The loop is tenacity's, the decisions are the policy's.

What belongs here: what is done between two tries. What does not: whether there is another one (retry.py, and counting.py
for urllib3's Retry). This is the only module that imports tenacity, and it is imported once a request is to be repeated
at all: tenacity costs 28 ms.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import tenacity

from crawlkit import exceptions as errors
from crawlkit.sessions.body import rewind_body
from crawlkit.sessions.leaks import shown

if TYPE_CHECKING:
    from crawlkit.sessions.counting import Counting
    from crawlkit.sessions.prepared import PreparedRequest
    from crawlkit.sessions.response import Response
    from crawlkit.sessions.retry import RetryPolicy

Send = Callable[["PreparedRequest"], "Response"]


class Repeating:
    """One request on its way through its tries: what tenacity asks, answered from the policy."""

    def __init__(
        self,
        policy: RetryPolicy,
        send: Send,
        request: PreparedRequest,
        stop: threading.Event | None,
        deadline: float | None,
    ) -> None:
        self._policy = policy
        self._send = send
        self._request = request
        self._stop = stop
        self._deadline = deadline
        self._seconds = 0.0

    def run(self) -> Response:
        """The last answer; or the last error is raised."""
        answered: Response = _loop(self._wants_another, lambda: self._seconds, _sleep, self._once)
        return answered

    def _once(self) -> Response:
        return self._send(self._request)

    def _wants_another(self, state: Any) -> bool:
        error, response = state.outcome.exception(), None
        if error is None:
            response = state.outcome.result()
        elif not isinstance(error, errors.RequestException):
            return False
        request = self._request
        seconds = self._policy.delay(
            state.attempt_number,
            error=error,
            response=response,
            method=request.method or "GET",
            safe=request.spec.safe if request.spec is not None else None,
        )
        if seconds is None:
            self._give_up(response)
            return False
        if seconds > self._policy.max_wait_seconds or not request.resendable or self._too_late(seconds):
            return False
        if response is not None:
            response.close()
        self._renew(error)
        self._seconds = seconds
        # The stop is looked at after the sleep, not by tenacity's own event sleep: that one counts on, and burns the
        # remaining attempts without a pause.
        return not self._sleeps_into_stop(seconds)

    def _give_up(self, response: Response | None) -> None:
        policy = self._policy
        if policy.raise_on_status and response is not None and response.status_code in policy.statuses:
            raise errors.RetryError(
                f"{shown(response.url)} still answers {response.status_code} after {policy.retries} retries",
                response=response,
            )

    def _too_late(self, seconds: float) -> bool:
        return _too_late(seconds, self._deadline)

    def _sleeps_into_stop(self, seconds: float) -> bool:
        if self._stop is None:
            return False
        self._seconds = 0.0
        return self._stop.wait(seconds)

    def _renew(self, error: BaseException | None) -> None:
        """The request for the next try: its body at the start, and without compression when that was what failed."""
        request = self._request
        if isinstance(error, errors.ContentDecodingError):
            self._request = request = without_compression(request)
        if request._body_position is not None:
            rewind_body(request)


class CountedTries:
    """One request on its way through the tries that a Retry of urllib3 counts. `send` gets whether the body was sent
    before; the first outcome is known already.
    """

    def __init__(
        self,
        counting: Counting,
        send: Callable[[bool], Any],
        request: Any,
        stop: threading.Event | None,
        deadline: float | None,
    ) -> None:
        self._counting = counting
        self._send = send
        self._request = request
        self._stop = stop
        self._deadline = deadline
        self._seconds: float | None = 0.0
        self._answer: Any = None
        self._again = False
        self._wanted = False

    def run(self, answer: Any, error: BaseException | None) -> Any:
        """The last answer, raw or a Response as `send` gives it; or the last error is raised."""
        self._wanted = error is None  # that much was asked about it
        outcomes = [(answer, error)]

        def once() -> Any:
            if not outcomes:
                return self._send(self._again)
            first, failed = outcomes.pop()
            if failed is not None:
                raise failed
            return first

        return _loop(self._wants_another, lambda: self._seconds or 0.0, self._rest, once)

    def _wants_another(self, state: Any) -> bool:
        counting, request = self._counting, self._request
        error, answer = state.outcome.exception(), None
        if error is None:
            answer = state.outcome.result()
            wanted, self._wanted = self._wanted, False
            if not (wanted or counting.wants(request, answer)) or not self._may_send_again(None):
                return False
            if not counting.after_answer(request, answer):
                return False
        elif not self._may_repeat(error):
            return False
        seconds = counting.seconds(answer)
        if _too_late(seconds or 0.0, self._deadline):
            return False
        if answer is not None:
            _let_go(answer)
        self._answer, self._seconds = answer, seconds
        if self._stop is None:
            return True
        self._seconds = 0.0
        return not self._stop.wait(seconds or 0.0)

    def _may_repeat(self, error: BaseException) -> bool:
        if not isinstance(error, errors.RequestException) or not self._may_send_again(error):
            return False
        return self._counting.after_error(self._request, error)

    def _may_send_again(self, error: BaseException | None) -> bool:
        """Whether the body can go out (once more); `_again` is whether it has been."""
        self._again = not getattr(error, "unsent", False)
        return not self._again or bool(getattr(self._request, "resendable", True))

    def _rest(self, seconds: float) -> None:
        if self._seconds is None:
            self._counting.sleep(self._answer)
        else:
            _sleep(seconds)


def _loop(
    wants_another: Callable[[Any], bool],
    seconds: Callable[[], float],
    sleep: Callable[[float], None],
    once: Callable[[], Any],
) -> Any:
    retrying = tenacity.Retrying(
        retry=wants_another, wait=lambda state: seconds(), sleep=sleep, stop=tenacity.stop_never, reraise=True
    )
    return retrying(once)


def _let_go(answer: Any) -> None:
    """Read the rest of an answer that nobody will see, so that its connection can be used again; or close it."""
    raw = getattr(answer, "raw", answer)
    give_up = getattr(raw, "drain_conn", None) or answer.close
    give_up()


def _too_late(seconds: float, deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() + seconds >= deadline


def _sleep(seconds: float) -> None:
    if seconds > 0:
        time.sleep(seconds)


def without_compression(request: PreparedRequest) -> PreparedRequest:
    """A copy that asks for the body as it is: for servers whose Content-Encoding does not fit what they send."""
    plain = request.copy()
    plain.headers["Accept-Encoding"] = "identity"
    return plain

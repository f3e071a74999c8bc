"""Trace: what a thread sends while it logs in or probes: it is not healed itself, and it is watched.

What belongs here: knowing such a thread by its exchanges. What does not: what they mean (proof.py, attempts.py).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crawlkit.sessions.prepared import PreparedRequest
    from crawlkit.sessions.response import Response
    from crawlkit.sessions.session import Session

_READING = frozenset(("GET", "HEAD", "OPTIONS"))


class Trace:
    """The threads of one session that log in or probe. Before a login sends something, `asking` is called with its URL,
    and `posting` when it is no mere reading.
    """

    def __init__(self, session: Session, *, asking: Callable[[str], None], posting: Callable[[], None]) -> None:
        self._session = session
        self._asking = asking
        self._posting = posting
        self._here = threading.local()

    @property
    def inside(self) -> bool:
        """Whether this thread is logging in or probing."""
        return getattr(self._here, "depth", 0) > 0

    @property
    def logging_in(self) -> bool:
        """Whether this thread is logging in."""
        return getattr(self._here, "logging_in", False)

    def sending(self, request: PreparedRequest) -> None:
        """This thread is about to send `request`, of its own will and not for a redirect."""
        if self.logging_in:
            self._asking(request.url or "")
            if request.method not in _READING:
                self._posting()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Within it, what this thread sends is not healed."""
        self._here.depth = getattr(self._here, "depth", 0) + 1
        try:
            yield
        finally:
            self._here.depth -= 1

    @contextmanager
    def login(self, seen: Callable[[str], None]) -> Iterator[list[Response]]:
        """Within it, this thread logs in: its answers are collected, and `seen` is told where each came from.

        The session's secret headers go wherever the login itself asks, and not where it is redirected to.
        """
        session, thread = self._session, threading.get_ident()
        answers: list[Response] = []

        def note(response: Response, **_: Any) -> None:
            if threading.get_ident() == thread:
                seen(response.url)
                answers.append(response)

        before = session.hooks
        session.hooks = {**before, "response": [*before["response"], note]}
        self._here.logging_in = True
        try:
            with self.alone():
                yield answers
        finally:
            self._here.logging_in = False
            session.hooks = before

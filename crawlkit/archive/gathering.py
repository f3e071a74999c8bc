"""Gathering: the exchanges of one page, as they happen.

What belongs here: which exchanges of a thread are a page's, and which of them is the page itself. What does not: the bytes
of one (capture.py), records, when a page is fetched (crawl/page.py).
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crawlkit.archive.capture import Capture
from crawlkit.archive.exchange import Exchange


class Here(threading.local):
    """What the calling thread gathers for, if it does."""

    gathering: Gathering | None = None


class Gathering:
    """The Recording of one page. Belongs to the thread that has the page.

    `via`: the URL of the page that led here; `hops`: links from a start; `folder`: for bodies that do not fit into memory.
    Exchanges that end after `close` or `take` (of a stream that the author left open) are forgotten.
    """

    def __init__(self, here: Here, *, via: str | None, hops: int, folder: Path | None) -> None:
        self._here = here
        self._via = via
        self._hops = hops
        self._folder = folder
        self._done: list[tuple[Any, Exchange]] = []
        self._closed = False
        self._fetching = True
        self._own: Exchange | None = None

    @contextmanager
    def fetching(self) -> Iterator[Gathering]:
        """Within it the page is fetched: the last exchange is the page itself."""
        with self._gathered():
            try:
                yield self
            finally:
                self._own = self._done[-1][1] if self._done else None

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Within it the author's code has the page: what it asks for is one link away from it."""
        self._fetching = False
        with self._gathered():
            yield

    @contextmanager
    def _gathered(self) -> Iterator[None]:
        before, self._here.gathering = self._here.gathering, self
        try:
            yield
        finally:
            self._here.gathering = before

    def listen(self, request: Any) -> Capture:
        """What listens to the exchange of a prepared request that is about to be sent."""
        return Capture(
            request.method or "GET",
            request.url or "",
            publish=lambda exchange: self._add(request, exchange),
            folder=self._folder,
            via=self._led_by(),
            hops=self._hops if self._fetching else self._hops + 1,
        )

    def _led_by(self) -> str | None:
        """The page that led to the exchange that comes now: for one on the way, the redirect before it."""
        if self._fetching:
            return self._done[-1][1].url if self._done else self._via
        return self._own.url if self._own is not None else self._via

    def _add(self, request: Any, exchange: Exchange) -> None:
        if self._closed:
            exchange.close()
        else:
            self._done.append((request, exchange))

    def forget(self, requests: Collection[Any]) -> None:
        """Leave out the exchanges of these prepared requests."""
        ours = {id(request) for request in requests}
        gone = [exchange for request, exchange in self._done if id(request) in ours]
        self._done = [(request, exchange) for request, exchange in self._done if id(request) not in ours]
        for exchange in gone:
            exchange.close()

    def take(self) -> list[tuple[Exchange, bool]]:
        """The exchanges, in the order in which they ended, each with whether it is the page itself. Whoever takes them
        closes them.
        """
        self._closed = True
        taken, self._done = [(exchange, exchange is self._own) for _, exchange in self._done], []
        return taken

    def close(self) -> None:
        """Forget all of it. May be called twice."""
        for exchange, _ in self.take():
            exchange.close()

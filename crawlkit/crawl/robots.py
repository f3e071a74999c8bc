"""Robots: what robots.txt allows (RFC 9309), fetched once an origin, kept between runs. protego reads the rules."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from crawlkit import exceptions
from crawlkit.crawl.clock import Clock
from crawlkit.url import Origin

if TYPE_CHECKING:
    from protego import Protego

#: RFC 9309, 2.4: a copy should not be used for longer than a day; 2.5: at least 500 KiB must be read.
FRESH_SECONDS = 24 * 3600.0
MAX_BYTES = 500 * 1024


class RobotsUnavailable(exceptions.CrawlkitError):
    """robots.txt could not be had (5xx, timeout): until it can, nothing of the origin may be fetched."""


@dataclass(frozen=True, slots=True)
class Copy:
    """robots.txt as it was fetched: `status` 200 with its text, or the 4xx that allows all."""

    origin: str
    fetched_at: float
    status: int
    text: str


class Shelf(Protocol):
    """Where copies live between runs."""

    def get(self, origin: str) -> Copy | None: ...

    def put(self, copy: Copy) -> None: ...


class Robots:
    """Answers for any thread. One thread fetches an origin's robots.txt, the others of that origin wait for it."""

    def __init__(
        self, fetch: Callable[[str], tuple[int, bytes]], shelf: Shelf, clock: Clock, *, user_agent: str
    ) -> None:
        self._fetch = fetch
        self._shelf = shelf
        self._clock = clock
        # The product token (RFC 9309, 2.2.1): what stands before the first slash or space.
        self._agent = user_agent.split("/")[0].split(" ")[0] or "*"
        self._lock = threading.Lock()
        self._fetching: dict[Origin, threading.Lock] = {}
        self._rules: dict[Origin, Protego | None] = {}
        self._failed: dict[Origin, tuple[float, str]] = {}

    def allows(self, url: str, origin: Origin) -> bool:
        """Whether `url` may be fetched. RobotsUnavailable while its robots.txt cannot be had."""
        rules = self._rules_of(origin)
        return rules is None or bool(rules.can_fetch(url, self._agent))

    def crawl_delay(self, origin: Origin) -> float | None:
        """The seconds between requests that robots.txt asks for; None when it says nothing or is not known yet."""
        rules = self._rules.get(origin)
        if rules is None:
            return None
        delay = rules.crawl_delay(self._agent)
        rate = rules.request_rate(self._agent)
        gaps = [float(delay)] if delay is not None else []
        if rate is not None and rate.requests:
            gaps.append(rate.seconds / rate.requests)
        return max(gaps) if gaps else None

    def _rules_of(self, origin: Origin) -> Protego | None:
        try:
            return self._rules[origin]  # no lock: a dict's read is atomic, and rules are never changed
        except KeyError:
            pass
        with self._lock:
            turn = self._fetching.setdefault(origin, threading.Lock())
        with turn:
            if origin not in self._rules:
                self._rules[origin] = self._parse(self._copy(origin))
            return self._rules[origin]

    def _parse(self, copy: Copy) -> Protego | None:
        if copy.status != 200 or not copy.text.strip():
            return None
        from protego import Protego

        return Protego.parse(copy.text)

    def _copy(self, origin: Origin) -> Copy:
        now = self._clock.time()
        kept = self._shelf.get(str(origin))
        if kept is not None and 0 <= now - kept.fetched_at < FRESH_SECONDS:
            return kept
        failed_at, why = self._failed.get(origin, (0.0, ""))
        if why and now - failed_at < 1.0:
            raise RobotsUnavailable(why)  # the threads that waited for this very attempt
        try:
            copy = self._ask(origin, now)
        except RobotsUnavailable as error:
            self._failed[origin] = (now, str(error))
            raise
        self._shelf.put(copy)
        return copy

    def _ask(self, origin: Origin, now: float) -> Copy:
        url = f"{origin}/robots.txt"
        try:
            status, body = self._fetch(url)
        except exceptions.TooManyRedirects:
            return Copy(str(origin), now, 404, "")  # RFC 9309, 2.3.1.2: unreachable by redirects counts as unavailable
        except exceptions.RequestException as error:
            raise RobotsUnavailable(f"{url} could not be fetched: {error}") from error
        if status >= 500 or status == 429:
            raise RobotsUnavailable(f"{url} answered {status}")
        if status != 200 or _is_page(body):
            return Copy(str(origin), now, status if status >= 400 else 404, "")
        return Copy(str(origin), now, 200, body.decode("utf-8-sig", "replace"))


def _is_page(body: bytes) -> bool:
    """Whether HTML came in robots.txt's place: an error page or a login (counts as 4xx)."""
    head = body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<!--"))

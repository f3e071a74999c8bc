"""Mishaps: what becomes of a page when something goes wrong: another attempt, its errback, its reason.

What belongs here: faults of the network and the server, failures of the author's code. What does not: the order of a
page's life (page.py), how long retries wait (sessions/retry.py), how a host is slowed down (pace.py).
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawlkit import exceptions
from crawlkit import url as urls
from crawlkit.crawl.clock import Clock
from crawlkit.crawl.failure import Failure, reason_of
from crawlkit.crawl.links import Links
from crawlkit.crawl.output import Output
from crawlkit.crawl.robots import RobotsUnavailable
from crawlkit.crawl.scheduler import Scheduler
from crawlkit.crawl.spider import Spider
from crawlkit.crawl.visit import Visit
from crawlkit.sessions.request import Request
from crawlkit.sessions.retry import RetryPolicy, parse_retry_after
from crawlkit.store.outcome import Lease

if TYPE_CHECKING:
    from crawlkit.sessions.response import Response

log = logging.getLogger(__name__)

#: Statuses that ask for less: the whole host waits.
OVERLOADED = (429, 503)
_TRACE_CHARACTERS = 4000
#: A server may ask for centuries; a month later its mind is asked for again.
_LONGEST_NOT_BEFORE_SECONDS = 30 * 24 * 3600.0


class Mishaps:
    """Ends visits that went wrong. One for all workers; holds no state of a page."""

    def __init__(
        self,
        spider: Spider,
        *,
        links: Links,
        scheduler: Scheduler,
        policy: RetryPolicy,
        clock: Clock,
        files: Path,
        dry: bool = False,
    ) -> None:
        self._spider = spider
        self._links = links
        self._scheduler = scheduler
        self._policy = policy
        self._clock = clock
        self._files = files
        self._dry = dry

    def note_fault(self, lease: Lease, error: exceptions.RequestException) -> None:
        """Tell the pace of the host that broke, which after a redirect is not the one that was leased."""
        faults = (exceptions.ConnectionError, exceptions.Timeout, exceptions.ChunkedEncodingError)
        ours = (exceptions.AddressForbidden, exceptions.NameNotFound, exceptions.PoolTimeout)
        if isinstance(error, faults) and not isinstance(error, ours):
            self._scheduler.broke(host_of(getattr(error.request, "url", None), lease))

    def overloaded(self, visit: Visit, lease: Lease, request: Request, response: Response) -> Visit | None:
        """Give the page back for a status that another attempt may change; None when it has to be judged as it is."""
        status = response.status_code
        if status in OVERLOADED:
            wait = parse_retry_after(response.headers.get("Retry-After"), self._clock.time())
            sent_ago = visit.outcome.elapsed or 0.0
            if self._scheduler.refused(host_of(response.url, lease), wait, sent_ago=sent_ago):
                return visit.give_back(self.time_in(wait or 0.0))  # parked: another run goes on with this host
        delay = self._delay(lease, request, response=response)
        return None if delay is None else visit.try_again(self.time_in(delay))

    def _delay(
        self,
        lease: Lease,
        request: Request,
        *,
        error: exceptions.CrawlkitError | None = None,
        response: Response | None = None,
    ) -> float | None:
        """Seconds until another attempt; None when there is none left."""
        meta = request.meta
        if meta.get("dont_retry") or self._scheduler.pace_of(lease.host).down:
            return None
        most = meta.get("max_retry_times")
        if most is not None and lease.attempts >= int(most):
            return None
        if isinstance(error, exceptions.HTTPError):
            response, error = error.response, None  # of a file: its status decides, as a page's does
        if isinstance(error, RobotsUnavailable):
            return self._policy.backoff(lease.attempts + 1) if lease.attempts < self._policy.retries else None
        return self._policy.delay(
            lease.attempts + 1,
            error=error,
            response=response,
            method=request.method,
            safe=request.safe,
            now=self._clock.time(),
        )

    def time_in(self, seconds: float) -> float:
        """The time of day in so many seconds, within reason."""
        return self._clock.time() + min(seconds, _LONGEST_NOT_BEFORE_SECONDS)

    def retry_or_fail(self, visit: Visit, lease: Lease, request: Request, error: exceptions.CrawlkitError) -> Visit:
        delay = self._delay(lease, request, error=error)
        if delay is not None:
            log.info("%s: %s; again in %.1f s", lease.url, error, delay)
            return visit.try_again(self.time_in(delay))
        reason = None
        if isinstance(error, RobotsUnavailable):
            # A host that refuses is told as that: a newcomer would look for the fault in robots.txt.
            reason = reason_of(error.__cause__) if error.__cause__ is not None else "robots_unavailable"
        return self.failed(visit, request, error, reason=reason)

    def failed(
        self,
        visit: Visit,
        request: Request | None,
        error: BaseException,
        response: Response | None = None,
        *,
        reason: str | None = None,
        detail: str = "",
    ) -> Visit:
        """The page failed. Its errback is called, and what that yields is kept; it may say that the page does not matter."""
        outcome = visit.fail(reason or reason_of(error), str(error), detail).outcome
        if request is None or request.errback is None:
            return visit
        errback: Any = request.errback
        output = Output(self._spider, self._files, dry=self._dry)
        try:
            try:
                output.collect(errback(Failure(request, error, response)), request.url, response)
            except exceptions.StopCrawl as stop:
                visit.stop = stop.reason or "StopCrawl"
            outcome.links = self._links.judge(
                output.requests, depth=visit.depth + 1, skips=visit.skips, page=response, refused=outcome.refused
            )
        except exceptions.IgnoreRequest as ignored:
            return visit.ignore(ignored.reason)
        except BaseException:
            log.exception("%s: the errback failed", request.url)
            return visit
        outcome.rows = output.rows
        return visit

    def author_failed(
        self, visit: Visit, lease: Lease, request: Request, response: Response, error: BaseException, where: str
    ) -> Visit:
        """The author's own code raised: the page fails with the traceback, all that it gave is dropped."""
        hide = response.session.redactor.redact  # before anything is cut: half a secret is one, too
        reason = _author_reason(error, where, hide)
        if isinstance(error, exceptions.ItemError | exceptions.UnsafeMarkup | exceptions.NoMatch):
            log.error("%s", reason)  # says all there is to say; the frames would be crawlkit's own
            return self.failed(visit, request, error, response, reason=reason)
        text = hide("".join(traceback.format_exception(error)))[-_TRACE_CHARACTERS:]
        log.error("%s: %s failed\n%s", lease.url, where, text)
        return self.failed(visit, request, error, response, reason=reason, detail=text)


def host_of(url: str | None, lease: Lease) -> str:
    """The `host:port` that an exchange ended at."""
    href = urls.canonical(url) if url else None
    return lease.host if href is None or not urls.has_scheme(href) else urls.origin(urls.root(href)).netloc


def _author_reason(error: BaseException, where: str, hide: Callable[[str], str]) -> str:
    if isinstance(error, exceptions.ItemError):
        return f"item: {error}"
    if isinstance(error, exceptions.UnsafeMarkup):
        return f"markup: {error}"
    text = hide(str(error)).splitlines()[0] if str(error) else ""
    return f"{where}: {type(error).__name__}" + (f": {text[:200]}" if text else "")

"""Page: the life of one page in a worker, from lease to outcome. Knows neither threads nor the database.

    load the request → login → robots → fetch → status → logged in? → callback → Visit

Each step may end the page: done, failed, skipped, or given back to the queue with a not-before time.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawlkit import exceptions
from crawlkit import url as urls
from crawlkit.crawl.canary import Canary
from crawlkit.crawl.clock import Clock
from crawlkit.crawl.failure import Failure, HttpError, reason_of
from crawlkit.crawl.fetcher import Fetcher, HopRefused, RobotsForbid
from crawlkit.crawl.guard import PREFIX
from crawlkit.crawl.links import Links
from crawlkit.crawl.output import FileFailed, Output
from crawlkit.crawl.request import load
from crawlkit.crawl.robots import RobotsUnavailable
from crawlkit.crawl.scheduler import Scheduler
from crawlkit.crawl.spider import Spider
from crawlkit.crawl.visit import Visit
from crawlkit.sessions.membership import Healing, Membership
from crawlkit.sessions.request import Request
from crawlkit.sessions.retry import RetryPolicy, parse_retry_after
from crawlkit.store.outcome import Lease, Outcome

if TYPE_CHECKING:
    from crawlkit.sessions.response import Response

log = logging.getLogger(__name__)

_GONE = (404, 410)
_OVERLOADED = (429, 503)
_DOUBT_SECONDS = 1.0
_TRACE_CHARACTERS = 4000
#: A server may ask for centuries; a month later its mind is asked for again.
_LONGEST_NOT_BEFORE_SECONDS = 30 * 24 * 3600.0


class Visitor:
    """Turns leases into visits. One for all workers; holds no state of a page."""

    def __init__(
        self,
        spider: Spider,
        *,
        fetcher: Fetcher,
        links: Links,
        scheduler: Scheduler,
        policy: RetryPolicy,
        clock: Clock,
        handle_status: frozenset[int],
        files: Path,
    ) -> None:
        self._spider = spider
        self._fetcher = fetcher
        self._links = links
        self._scheduler = scheduler
        self._policy = policy
        self._clock = clock
        self._handle_status = handle_status
        self._files = files
        #: Looked at between pages, when there is one.
        self.canary: Canary | None = None

    def visit(self, lease: Lease, release: Callable[[], None]) -> Visit:
        """Do all that a page needs. Raises only what ends the run: LoginError, or StopCrawl of the author's login.

        `release` is called as soon as the host is free again, before the author's code gets the page.
        """
        outcome = Outcome(page=lease.page, run=lease.run, state="failed", attempts=lease.attempts)
        visit = Visit(outcome, lease.url, lease.host, lease.depth)
        try:
            request = load(lease, self._spider)
            request.meta["depth"] = lease.depth
        except (exceptions.SpiderError, ValueError) as error:
            return self._failed(visit, None, error)
        if self._scheduler.pace_of(lease.host).down:
            down = exceptions.ConnectionError(f"{lease.host} gave no answer so often that it was given up for this run")
            return self._failed(visit, request, down, reason="host_down")
        reason = self._links.guard.at_sending(lease.url, request, start=lease.start)
        if reason is not None:
            return self._guarded(visit, lease.url, reason)
        membership = self._fetcher.membership_of(request)
        if membership is None:
            return self._visit(visit, lease, request, release)
        try:
            if membership.first() is Healing.BUSY:
                return visit.give_back()
            if self.canary is not None:
                self.canary.look(self._clock.time())
            return self._visit(visit, lease, request, release)
        finally:
            membership.let_go()

    def _visit(self, visit: Visit, lease: Lease, request: Request, release: Callable[[], None]) -> Visit:
        try:
            response, epoch = self._fetch(lease, request, visit)
        except RobotsUnavailable as error:
            return self._retry_or_fail(visit, lease, request, error)
        except HopRefused as error:
            if error.url is not None:
                self._guarded(visit, error.url, error.reason.removeprefix(PREFIX), f"redirected from {lease.url}")
            if lease.start:
                return self._failed(visit, request, error, reason=error.reason if error.url is not None else None)
            return visit.skip(error.reason)
        except RobotsForbid as error:
            return self._failed(visit, request, error, reason="robots")
        except exceptions.RequestException as error:
            self._note_fault(lease, error)
            return self._retry_or_fail(visit, lease, request, error)
        except Exception as error:  # a URL or a header that nobody foresaw: the page fails, the crawl goes on
            log.exception("fetching %s failed", lease.url)
            return self._failed(visit, request, error)
        return self._judge(visit, lease, request, response, epoch, release)

    def _guarded(self, visit: Visit, url: str, reason: str, text: str = "") -> Visit:
        """The page is not fetched, or not followed to where it leads: that logs out or does damage."""
        refusal = self._links.guard.list(url, reason, text)
        if refusal is not None:
            visit.outcome.refused.append(refusal)
        return visit.skip(PREFIX + reason)

    # --- fetching ----------------------------------------

    def _fetch(self, lease: Lease, request: Request, visit: Visit) -> tuple[Response, int]:
        self._fetcher.check_robots(lease.url, lease.host, start=lease.start)
        membership = self._fetcher.membership_of(request)
        epoch = membership.epoch if membership is not None else 0
        visit.epoch = epoch if self.canary is not None and self.canary.watches(membership) else None
        visit.requests += 1
        started = self._clock.monotonic()
        visit.outcome.fetched_at = self._clock.time()
        try:
            response = self._fetcher.fetch(request, lease)
        except exceptions.ContentDecodingError:
            # A server that mislabels its coding is asked once more for none at all.
            visit.requests += 1
            response = self._fetcher.fetch(request, lease, identity=True)
        outcome = visit.outcome
        outcome.elapsed = self._clock.monotonic() - started
        outcome.status = response.status_code
        outcome.size = len(response.content)
        outcome.content_type = response.headers.get("Content-Type")
        outcome.final_url = urls.split_userinfo(response.url)[0]
        if response.status_code not in _OVERLOADED:
            self._scheduler.answered(_host_of(response.url, lease), outcome.elapsed)
        return response, epoch

    def _note_fault(self, lease: Lease, error: exceptions.RequestException) -> None:
        """Tell the pace of the host that broke, which after a redirect is not the one that was leased."""
        faults = (exceptions.ConnectionError, exceptions.Timeout, exceptions.ChunkedEncodingError)
        ours = (exceptions.AddressForbidden, exceptions.NameNotFound, exceptions.PoolTimeout)
        if isinstance(error, faults) and not isinstance(error, ours):
            self._scheduler.broke(_host_of(getattr(error.request, "url", None), lease))

    # --- judging ----------------------------------------

    def _judge(
        self, visit: Visit, lease: Lease, request: Request, response: Response, epoch: int, release: Callable[[], None]
    ) -> Visit:
        status = response.status_code
        if status in _OVERLOADED or status in self._policy.statuses:
            again = self._overloaded(visit, lease, request, response)
            if again is not None:
                return again
        wanted = self._wants(status, request)
        membership = self._fetcher.membership_of(request)
        if membership is not None:
            if not (wanted and status >= 400):
                try:
                    logged_out = membership.looks_logged_out(response, epoch)
                except BaseException as error:  # noqa: BLE001 - the author's logged_in: nothing of it may end a worker
                    return self._author_failed(visit, lease, request, response, error, "logged_in")
                if logged_out:
                    return self._heal(visit, lease, request, response, epoch, release, membership)
            membership.let_go()
        if not (200 <= status < 300 or wanted):
            return self._refused(visit, lease, request, response)
        release()
        return self._call_back(visit, lease, request, response)

    def _refused(self, visit: Visit, lease: Lease, request: Request, response: Response) -> Visit:
        """The page answered with a status that nobody asked for."""
        status = response.status_code
        error = HttpError(f"{response.url} answered {status} {response.reason}", response=response)
        self._failed(visit, request, error, response)
        if status not in _GONE or lease.start:
            return visit
        if visit.outcome.rows or visit.outcome.links:  # its errback dealt with it
            visit.outcome.state, visit.outcome.error = "done", None
            return visit
        return visit.skip("gone")

    def _heal(
        self,
        visit: Visit,
        lease: Lease,
        request: Request,
        response: Response,
        epoch: int,
        release: Callable[[], None],
        membership: Membership,
    ) -> Visit:
        """The page came back logged out: log in, or let another thread, and confirm it by fetching the page again."""
        if membership.unproven(epoch):
            return self._doubtful(visit, lease, membership)
        healing = membership.again(epoch)
        if healing is Healing.BUSY:
            return visit.give_back()
        if healing is Healing.ALIVE:
            return self._needs_login(visit, request, response)
        try:
            response, epoch = self._fetch(lease, request, visit)
        except (RobotsUnavailable, RobotsForbid, HopRefused, exceptions.RequestException):
            return visit.give_back()  # its next turn says what is wrong
        if membership.looks_logged_out(response, epoch) and not membership.false_alarm(response):
            if membership.unproven(epoch):
                return self._doubtful(visit, lease, membership)
            # While another thread may be logging in, nobody can tell why: the page's next turn does.
            if not membership.has_turn or not membership.lives():
                return visit.give_back()
            return self._needs_login(visit, request, response)
        return self._judge(visit, lease, request, response, epoch, release)

    def _doubtful(self, visit: Visit, lease: Lease, membership: Membership) -> Visit:
        """Nothing has shown yet that the login worked: other pages may, before this one has its next turn."""
        membership.doubt(lease.page, lease.url)
        return visit.give_back(self._time_in(_DOUBT_SECONDS))

    def _needs_login(self, visit: Visit, request: Request, response: Response) -> Visit:
        error = exceptions.LoginError("the page shows no member although the session is logged in")
        return self._failed(visit, request, error, response, reason="needs_login")

    def _wants(self, status: int, request: Request) -> bool:
        meta = request.meta
        return (
            status in self._handle_status
            or bool(meta.get("handle_httpstatus_all"))
            or status in (meta.get("handle_httpstatus_list") or ())
        )

    def _overloaded(self, visit: Visit, lease: Lease, request: Request, response: Response) -> Visit | None:
        """Give the page back for a status that another attempt may change; None when it has to be judged as it is."""
        status = response.status_code
        if status in _OVERLOADED:
            wait = parse_retry_after(response.headers.get("Retry-After"), self._clock.time())
            sent_ago = visit.outcome.elapsed or 0.0
            if self._scheduler.refused(_host_of(response.url, lease), wait, sent_ago=sent_ago):
                return visit.give_back(self._time_in(wait or 0.0))  # parked: another run goes on with this host
        delay = self._delay(lease, request, response=response)
        return None if delay is None else visit.try_again(self._time_in(delay))

    def _call_back(self, visit: Visit, lease: Lease, request: Request, response: Response) -> Visit:
        callback: Any = request.callback
        output = Output(self._spider, self._files)
        outcome = visit.outcome
        try:
            try:
                output.collect(callback(response, **request.cb_kwargs), response.url, response)
            except exceptions.StopCrawl as stop:
                visit.stop = stop.reason or "StopCrawl"
            outcome.links = self._links.judge(
                output.requests, depth=lease.depth + 1, skips=visit.skips, page=response, refused=outcome.refused
            )
        except exceptions.LoginError:
            raise  # of what the callback itself asked for: the page is not at fault
        except exceptions.IgnoreRequest as error:
            return visit.skip(f"ignored: {error.reason}" if error.reason else "ignored")
        except FileFailed as failed:
            self._note_fault(lease, failed.error)
            return self._retry_or_fail(visit, lease, request, failed.error)
        except BaseException as error:  # noqa: BLE001 - KeyboardInterrupt too: nothing may end a worker
            return self._author_failed(visit, lease, request, response, error, "callback")
        outcome.state = "done"
        outcome.rows = output.rows
        visit.dropped = output.dropped
        if request.method == "GET" and not request.body and (lease.start or not request.dont_filter):
            outcome.page_key = self._links.page_key(response.url, request)
        return visit

    # --- endings ----------------------------------------

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

    def _time_in(self, seconds: float) -> float:
        """The time of day in so many seconds, within reason."""
        return self._clock.time() + min(seconds, _LONGEST_NOT_BEFORE_SECONDS)

    def _retry_or_fail(self, visit: Visit, lease: Lease, request: Request, error: exceptions.CrawlkitError) -> Visit:
        delay = self._delay(lease, request, error=error)
        if delay is not None:
            log.info("%s: %s; again in %.1f s", lease.url, error, delay)
            return visit.try_again(self._time_in(delay))
        reason = None
        if isinstance(error, RobotsUnavailable):
            # A host that refuses is told as that: a newcomer would look for the fault in robots.txt.
            reason = reason_of(error.__cause__) if error.__cause__ is not None else "robots_unavailable"
        return self._failed(visit, request, error, reason=reason)

    def _failed(
        self,
        visit: Visit,
        request: Request | None,
        error: BaseException,
        response: Response | None = None,
        *,
        reason: str | None = None,
        detail: str = "",
    ) -> Visit:
        """The page failed. Its errback is called, and what that yields is kept."""
        outcome = visit.fail(reason or reason_of(error), str(error), detail).outcome
        if request is None or request.errback is None:
            return visit
        errback: Any = request.errback
        output = Output(self._spider, self._files)
        try:
            try:
                output.collect(errback(Failure(request, error, response)), request.url, response)
            except exceptions.StopCrawl as stop:
                visit.stop = stop.reason or "StopCrawl"
            outcome.links = self._links.judge(
                output.requests, depth=visit.depth + 1, skips=visit.skips, page=response, refused=outcome.refused
            )
        except BaseException:
            log.exception("%s: the errback failed", request.url)
            return visit
        outcome.rows = output.rows
        return visit

    def _author_failed(
        self, visit: Visit, lease: Lease, request: Request, response: Response, error: BaseException, where: str
    ) -> Visit:
        """The author's own code raised: the page fails with the traceback, all that it gave is dropped."""
        hide = response.session.redactor.redact  # before anything is cut: half a secret is one, too
        reason = _author_reason(error, where, hide)
        if isinstance(error, exceptions.ItemError | exceptions.UnsafeMarkup | exceptions.NoMatch):
            log.error("%s", reason)  # says all there is to say; the frames would be crawlkit's own
            return self._failed(visit, request, error, response, reason=reason)
        text = hide("".join(traceback.format_exception(error)))[-_TRACE_CHARACTERS:]
        log.error("%s: %s failed\n%s", lease.url, where, text)
        return self._failed(visit, request, error, response, reason=reason, detail=text)


def _host_of(url: str | None, lease: Lease) -> str:
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

"""Page: the life of one page in a worker, from lease to outcome. Knows neither threads nor the database.

    load the request → login → robots → fetch → status → logged in? → unchanged? → callback → Visit

Each step may end the page: done, failed, skipped, or given back to the queue with a not-before time. What happens when it
came back logged out is in healing.py, the callback in calling.py.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from crawlkit import exceptions
from crawlkit import url as urls
from crawlkit.crawl.blame import Blame
from crawlkit.crawl.calling import UNRECORDED, Caller
from crawlkit.crawl.canary import Canary
from crawlkit.crawl.clock import Clock
from crawlkit.crawl.errand import Errand
from crawlkit.crawl.failure import HttpError
from crawlkit.crawl.fetcher import Fetcher, HopRefused, RobotsForbid
from crawlkit.crawl.guard import PREFIX
from crawlkit.crawl.healing import Healer
from crawlkit.crawl.links import Links
from crawlkit.crawl.mishaps import OVERLOADED, Mishaps, host_of
from crawlkit.crawl.record import leads_to_login
from crawlkit.crawl.recording import Recorder
from crawlkit.crawl.request import load
from crawlkit.crawl.robots import RobotsUnavailable
from crawlkit.crawl.scheduler import Scheduler
from crawlkit.crawl.spider import Spider
from crawlkit.crawl.unchanged import Unchanged, is_there
from crawlkit.crawl.visit import Visit
from crawlkit.sessions.membership import Healing
from crawlkit.sessions.request import Request
from crawlkit.sessions.retry import RetryPolicy
from crawlkit.store.outcome import GONE, Lease, Outcome

if TYPE_CHECKING:
    from crawlkit.sessions.response import Response

log = logging.getLogger(__name__)

_GONE_STATUSES = (404, 410)


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
        blame: Blame,
        unchanged: Unchanged,
        dry: bool = False,
        recorder: Recorder | None = None,
    ) -> None:
        self._spider = spider
        self._recorder = recorder
        self._fetcher = fetcher
        self._links = links
        self._scheduler = scheduler
        self._policy = policy
        self._clock = clock
        self._handle_status = handle_status
        self._blame = blame
        self._unchanged = unchanged
        self._mishaps = Mishaps(
            spider, links=links, scheduler=scheduler, policy=policy, clock=clock, files=files, dry=dry
        )
        self._caller = Caller(spider, links=links, mishaps=self._mishaps, unchanged=unchanged, files=files, dry=dry)
        self._healer = Healer(
            clock, blame=blame, mishaps=self._mishaps, fetch=self._fetch, judge=self._judge, stayed=self._stayed,
            handles=self._handles, allowed=links.guard.allows,
        )  # fmt: skip
        #: Looked at between pages, when there is one.
        self.canary: Canary | None = None

    def visit(self, lease: Lease, release: Callable[[], None]) -> Visit:
        """Do all that a page needs. Raises only what ends the run: LoginError, StorageError, or StopCrawl of the author's
        login.

        `release` is called as soon as the host is free again, before the author's code gets the page.
        """
        visit = self._begin(lease, release)
        if self._recorder is not None:
            self._recorder.pack(visit)
        return visit

    def _begin(self, lease: Lease, release: Callable[[], None]) -> Visit:
        outcome = Outcome(page=lease.page, run=lease.run, state="failed", attempts=lease.attempts)
        visit = Visit(outcome, lease.url, lease.host, lease.depth)
        try:
            request = load(lease, self._spider)
            request.meta["depth"] = lease.depth
        except (exceptions.SpiderError, ValueError) as error:
            return self._mishaps.failed(visit, None, error)
        if self._scheduler.pace_of(lease.host).down:
            down = exceptions.ConnectionError(f"{lease.host} gave no answer so often that it was given up for this run")
            return self._mishaps.failed(visit, request, down, reason="host_down")
        reason = self._links.guard.at_sending(lease.url, request, start=lease.start)
        if reason is not None:
            return self._guarded(visit, lease.url, reason)
        if self._unchanged.need_not_ask(visit, lease, request):
            return self._caller.done(visit, lease, request)
        try:
            membership = self._fetcher.membership_of(request)
        except exceptions.UsageError as error:  # its profile's name
            return self._mishaps.failed(visit, request, error, reason="profile")
        errand = Errand(visit, lease, request, release, membership)
        if membership is None:
            return self._visit(errand)
        if self._blame.quarantined(lease.url, request):
            return self._healer.quarantined(errand)
        try:
            if membership.first() is Healing.BUSY:
                return visit.give_back()
            if self.canary is not None:
                self.canary.look(self._clock.time())
            return self._visit(errand)
        finally:
            membership.let_go()

    def _visit(self, errand: Errand) -> Visit:
        visit, lease, request, membership = errand.visit, errand.lease, errand.request, errand.membership
        epoch = membership.epoch if membership is not None else 0
        try:
            response, epoch = self._fetch(errand)
        except RobotsUnavailable as error:
            return self._mishaps.retry_or_fail(visit, lease, request, error)
        except HopRefused as error:
            return self._healer.turned_away(errand, error, epoch)
        except RobotsForbid as error:
            return self._mishaps.failed(visit, request, error, reason="robots")
        except exceptions.RequestException as error:
            self._mishaps.note_fault(lease, error)
            return self._mishaps.retry_or_fail(visit, lease, request, error)
        except exceptions.StorageError:  # of the vault, or of a body on its way into an archive
            raise
        except Exception as error:  # a URL or a header that nobody foresaw: the page fails, the crawl goes on
            log.exception("fetching %s failed", lease.url)
            return self._mishaps.failed(visit, request, error)
        return self._judge(errand, response, epoch)

    def _stayed(self, errand: Errand, error: HopRefused) -> Visit:
        """A redirect was not followed."""
        visit, lease = errand.visit, errand.lease
        if error.url is not None:
            self._guarded(visit, error.url, error.reason.removeprefix(PREFIX), f"redirected from {lease.url}")
        if lease.start:
            reason = error.reason if error.url is not None else None
            return self._mishaps.failed(visit, errand.request, error, reason=reason)
        return visit.skip(error.reason)

    def _guarded(self, visit: Visit, url: str, reason: str, text: str = "") -> Visit:
        """The page is not fetched, or not followed to where it leads: that logs out or does damage."""
        refusal = self._links.guard.list(url, reason, text)
        if refusal is not None:
            visit.outcome.refused.append(refusal)
        return visit.skip(PREFIX + reason)

    # --- fetching ----------------------------------------

    def _fetch(self, errand: Errand) -> tuple[Response, int]:
        """The answer, and the epoch of the login in which it was asked for. Raises what `Fetcher` raises."""
        visit, lease, request, membership = errand.visit, errand.lease, errand.request, errand.membership
        self._fetcher.check_robots(lease.url, lease.host, start=lease.start)
        epoch = membership.epoch if membership is not None else 0
        visit.epoch = epoch if self.canary is not None and self.canary.watches(membership) else None
        visit.requests += 1
        started = self._clock.monotonic()
        visit.outcome.fetched_at = self._clock.time()
        conditions = self._unchanged.conditions(visit, lease, request, membership)
        with self._blame.exchange() as visit.sent:
            try:
                response = self._exchange(errand, conditions)
            except exceptions.ContentDecodingError:
                # A server that mislabels its coding is asked once more for none at all.
                visit.requests += 1
                response = self._exchange(errand, conditions, identity=True)
        outcome = visit.outcome
        outcome.elapsed = self._clock.monotonic() - started
        outcome.status = response.status_code
        outcome.size = len(response.content) if not visit.unkept else response.raw.tell()
        outcome.content_type = response.headers.get("Content-Type")
        outcome.final_url = urls.split_userinfo(response.url)[0]
        if response.status_code not in OVERLOADED:
            self._scheduler.answered(host_of(response.url, lease), outcome.elapsed)
        return response, epoch

    def _exchange(self, errand: Errand, conditions: Mapping[str, str], *, identity: bool = False) -> Response:
        visit, recorder = errand.visit, self._recorder
        visit.leave_out()  # each page's last fetch counts
        with UNRECORDED if recorder is None else recorder.fetching(errand.lease) as visit.recording:
            response = self._fetcher.fetch(errand.request, errand.lease, identity=identity, conditions=conditions)
            visit.unkept = self._fetcher.let_by(response)
        return response

    # --- judging ----------------------------------------

    def _judge(self, errand: Errand, response: Response, epoch: int, *, alive: bool = False) -> Visit:
        """What the answer means. `alive`: it was seen already that the session lives, whatever the answer looks like."""
        visit, lease, request, membership = errand.visit, errand.lease, errand.request, errand.membership
        status = response.status_code
        if status == 304 and visit.conditional:  # it says nothing of the login
            if self._unchanged.not_modified(visit, lease, response):
                return self._caller.done(visit, lease, request)
            return self._caller.call(errand, response)
        if status in OVERLOADED or status in self._policy.statuses:
            again = self._mishaps.overloaded(visit, lease, request, response)
            if again is not None:
                return again
        if membership is not None:
            try:
                logged_out = not alive and self._healer.logged_out(errand, response, epoch)
            except BaseException as error:  # noqa: BLE001 - the author's logged_in: nothing of it may end a worker
                visit.leave_out()
                return self._mishaps.author_failed(visit, lease, request, response, error, "logged_in")
            if logged_out:
                return self._healer.heal(errand, response, epoch)
            self._unchanged.proves(membership, epoch)
            self._blame.alive(membership, lease.url, visit.sent, epoch, request)
            if self._blame.suspected(lease.url, request):
                if not membership.lives() or membership.epoch != epoch:
                    return self._healer.try_(errand)
                self._blame.absolve(lease.url, request)
            membership.let_go()
            if response.history:
                try:
                    self._fetcher.arrive(lease, response)
                except HopRefused as error:
                    return self._stayed(errand, error)
                except (RobotsUnavailable, RobotsForbid) as error:
                    return self._mishaps.failed(visit, request, error, reason="robots")
        if not (200 <= status < 300 or self._wants(status, request)):
            return self._refused(errand, response)
        if lease.probe and response.history and not is_there(visit.outcome.final_url, lease):
            return self._moved(errand, response)
        if self._unchanged.as_before(visit, lease, response):
            return self._caller.done(visit, lease, request)
        return self._caller.call(errand, response)

    def _moved(self, errand: Errand, response: Response) -> Visit:
        """A page that nothing leads to any more leads elsewhere: it is gone, but for one that may be behind a login."""
        visit, lease = errand.visit, errand.lease
        if leads_to_login(lease.url, visit.outcome.final_url):
            error = exceptions.LoginError(
                "it leads to a login page; whether it is still there, only a member could tell"
            )
            return self._mishaps.failed(visit, errand.request, error, response, reason="needs_login")
        return visit.skip(GONE)

    def _refused(self, errand: Errand, response: Response) -> Visit:
        """The page answered with a status that nobody asked for."""
        visit, lease = errand.visit, errand.lease
        status = response.status_code
        error = HttpError(f"{response.url} answered {status} {response.reason}", response=response)
        self._mishaps.failed(visit, errand.request, error, response)
        if status not in _GONE_STATUSES or lease.start or visit.outcome.state != "failed":
            return visit
        if visit.outcome.rows or visit.outcome.links:  # its errback dealt with it
            visit.outcome.state, visit.outcome.error = "done", None
            return visit
        return visit.skip(GONE)

    def _handles(self, request: Request, response: Response) -> bool:
        return response.status_code >= 400 and self._wants(response.status_code, request)

    def _wants(self, status: int, request: Request) -> bool:
        meta = request.meta
        return (
            status in self._handle_status
            or bool(meta.get("handle_httpstatus_all"))
            or status in (meta.get("handle_httpstatus_list") or ())
        )

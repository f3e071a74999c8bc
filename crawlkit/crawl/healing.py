"""Healer: a page that came back logged out, or may have: logging in, fetching it again, whose fault it was.

What belongs here: what becomes of such a page. What does not: signs in an answer and logging in (sessions/membership.py),
the trial of a page that ends sessions (blame.py), every other step of a page (page.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from crawlkit import exceptions
from crawlkit.crawl.blame import QUARANTINED, Blame, Undecided, Verdict
from crawlkit.crawl.clock import Clock
from crawlkit.crawl.errand import Errand
from crawlkit.crawl.fetcher import HopRefused, RobotsForbid
from crawlkit.crawl.mishaps import Mishaps
from crawlkit.crawl.pulse import Pulse
from crawlkit.crawl.requisite import is_requisite
from crawlkit.crawl.robots import RobotsUnavailable
from crawlkit.crawl.visit import Visit
from crawlkit.sessions.membership import Healing, Membership
from crawlkit.sessions.request import Request

if TYPE_CHECKING:
    from crawlkit.sessions.response import Response

#: With these a site may also say that the session has ended, whoever handles them.
_REFUSING_STATUSES = (401, 403, 419)
_DOUBT_SECONDS = 1.0


class Healer:
    """One for all workers; holds no state of a page. All but `turned_away` take errands of a session that logs in.

    `fetch`, `judge` and `stayed` (a redirect is not followed) are the steps of page.py that a page goes back to; `handles`
    says whether the author wants such an answer, `allowed` whether a URL is to be fetched whatever it does.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        blame: Blame,
        mishaps: Mishaps,
        fetch: Callable[[Errand], tuple[Response, int]],
        judge: Callable[..., Visit],
        stayed: Callable[[Errand, HopRefused], Visit],
        handles: Callable[[Request, Response], bool],
        allowed: Callable[[str], bool],
    ) -> None:
        self._pulse = Pulse(clock)
        self._blame = blame
        self._mishaps = mishaps
        self._fetch = fetch
        self._judge = judge
        self._stayed = stayed
        self._handles = handles
        self._allowed = allowed

    # --- signs ----------------------------------------

    def logged_out(self, errand: Errand, response: Response, epoch: int) -> bool:
        """Whether the answer was given to a stranger. Raises what the author's `logged_in` raises."""
        membership = _membership_of(errand)
        if not self._handles(errand.request, response):
            return _looks_logged_out(errand, response, epoch)
        return (  # the author wants this status; it may be the site's word on a session that has ended all the same
            response.status_code in _REFUSING_STATUSES
            and membership.finding(response).sign is not None
            and self._pulse.doubted(membership, epoch, errand.visit.outcome.fetched_at or 0.0)
        )

    # --- what becomes of it ----------------------------------------

    def heal(self, errand: Errand, response: Response, epoch: int) -> Visit:
        """The page came back logged out: log in, or let another thread, and confirm it by fetching the page again."""
        membership = _membership_of(errand)
        if membership.unproven(epoch):
            return self._doubtful(errand)
        healing = self._pulse.heal(membership, epoch)
        if healing is Healing.ALIVE:
            if membership.false_alarm(response) or self._handles(errand.request, response):
                return self._judge(errand, response, epoch, alive=True)
            return self._needs_login(errand, response)
        again = self._fetched_again(errand, epoch, healing)
        if isinstance(again, Visit):
            return again
        response, epoch = again
        if _looks_logged_out(errand, response, epoch) and not membership.false_alarm(response):
            if membership.unproven(epoch):
                return self._doubtful(errand)
            # While another thread may be logging in, nobody can tell why: the page's next turn does.
            if not membership.has_turn:
                return errand.visit.give_back()
            if not membership.lives():
                return self.try_(errand)
            if not self._handles(errand.request, response):
                return self._needs_login(errand, response)
        return self._judge(errand, response, epoch, alive=True)

    def turned_away(self, errand: Errand, error: HopRefused, epoch: int) -> Visit:
        """A redirect leads where the crawl does not go. It may be meant for a session that has ended: then the page is
        fetched again.
        """
        membership = errand.membership
        sent = errand.visit.outcome.fetched_at or 0.0
        if membership is None or not error.hop or not self._pulse.doubted(membership, epoch, sent):
            return self._stayed(errand, error)
        healing = self._pulse.heal(membership, epoch)
        if healing is Healing.ALIVE:
            return self._stayed(errand, error)
        again = self._fetched_again(errand, epoch, healing)
        return again if isinstance(again, Visit) else self._judge(errand, *again)

    def _fetched_again(self, errand: Errand, epoch: int, healing: Healing) -> tuple[Response, int] | Visit:
        """The session of `epoch` had ended: the answer of the one after it; or the visit, when the page ends here."""
        membership, visit = _membership_of(errand), errand.visit
        if healing is Healing.BUSY:
            return visit.give_back()
        if membership.has_turn:
            self._blame.died(membership, epoch, errand.lease.url, errand.request)
        try:
            return self._fetch(errand)
        except HopRefused as error:
            # Where another thread made the login, the session may have ended since.
            return visit.give_back() if error.hop and not membership.has_turn else self._stayed(errand, error)
        except (RobotsUnavailable, RobotsForbid, exceptions.RequestException):
            return visit.give_back()  # its next turn says what is wrong

    def try_(self, errand: Errand) -> Visit:
        """The session has ended after this page: find out whether because of it."""
        membership = _membership_of(errand)
        try:
            verdict, response, epoch = self._blame.try_(
                membership, errand.lease.url, errand.request, lambda: self._fetch(errand)
            )
        except Undecided:
            return self._needs_login(errand, None)
        except HopRefused as error:
            return self._stayed(errand, error)
        except (RobotsUnavailable, RobotsForbid, exceptions.RequestException):
            return errand.visit.give_back()
        if verdict is Verdict.KILLER:
            return self.quarantined(errand)
        if response is None:
            return errand.visit.give_back()
        strange = _looks_logged_out(errand, response, epoch) and not membership.false_alarm(response)
        if strange and not self._handles(errand.request, response):
            return self._needs_login(errand, response)
        return self._judge(errand, response, epoch, alive=True)

    def quarantined(self, errand: Errand) -> Visit:
        """The page ends the session of who fetches it. What the author wants all the same fails, and is not remembered."""
        errand.visit.leave_out()
        if errand.lease.start or self._allowed(errand.lease.url):
            error = exceptions.LoginError("the session ends whenever this page is fetched")
            return self._mishaps.failed(errand.visit, errand.request, error, reason=QUARANTINED)
        return errand.visit.skip(QUARANTINED)

    def _doubtful(self, errand: Errand) -> Visit:
        """Nothing has shown yet that the login worked: other pages may, before this one has its next turn."""
        _membership_of(errand).doubt(errand.lease.page, errand.lease.url)
        return errand.visit.give_back(self._mishaps.time_in(_DOUBT_SECONDS))

    def _needs_login(self, errand: Errand, response: Response | None) -> Visit:
        errand.visit.leave_out()
        error = exceptions.LoginError("the page shows no member although the session is logged in")
        return self._mishaps.failed(errand.visit, errand.request, error, response, reason="needs_login")


def _membership_of(errand: Errand) -> Membership:
    assert errand.membership is not None  # nobody else is asked to log in
    return errand.membership


def _looks_logged_out(errand: Errand, response: Response, epoch: int) -> bool:
    page = not is_requisite(errand.request)
    return _membership_of(errand).looks_logged_out(response, epoch, page=page)

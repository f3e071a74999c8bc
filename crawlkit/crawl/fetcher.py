"""Fetcher: how a crawl sends a request: by the session of its profile, within robots and scope at every hop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

from crawlkit import exceptions
from crawlkit import url as urls
from crawlkit.crawl.guard import PREFIX, Guard, masked
from crawlkit.crawl.requisite import is_requisite
from crawlkit.crawl.robots import Robots
from crawlkit.crawl.scheduler import Scheduler
from crawlkit.crawl.scope import Scope
from crawlkit.html.document import Limits
from crawlkit.sessions.request import Request
from crawlkit.sessions.sending import WholeInstant
from crawlkit.sessions.suffixes import site
from crawlkit.store.outcome import Lease

if TYPE_CHECKING:
    from crawlkit.sessions.membership import Membership
    from crawlkit.sessions.prepared import PreparedRequest
    from crawlkit.sessions.response import Response
    from crawlkit.sessions.session import Session


_PIECE = 256 * 1024

#: Headers that a session adds of itself for the host that it sends to.
_CREDENTIALS = ("Cookie", "Authorization")


class HopRefused(exceptions.CrawlkitError):
    """A request, or a redirect of it, leads where the crawl may not go. `reason` is the page's; `url` is where the guard
    did not let it go. `hop`: it is a redirect's target that was refused, and not the request.
    """

    hop = False

    def __init__(self, reason: str, url: str | None = None) -> None:
        super().__init__(f"{reason} at {masked(url)}" if url is not None else reason)
        self.reason = reason
        self.url = url


class RobotsForbid(exceptions.CrawlkitError):
    """robots.txt forbids a start URL."""


@dataclass(frozen=True, slots=True)
class Account:
    """One identity of a crawl: a session and what keeps it logged in; None: the spider knows of no login."""

    session: Session
    membership: Membership | None
    #: The origins that its login led through.
    gates: Set[urls.Origin] = frozenset()


class Fetcher:
    """Sends for all workers. Accounts are opened when a request first names them."""

    def __init__(
        self,
        open_account: Callable[[str | None, object], Account],
        *,
        profile: str,
        scope: Scope,
        scheduler: Scheduler,
        robots: Robots | None,
        limits: Limits,
        trusted: set[urls.Origin],
        userinfo: Mapping[urls.Origin, tuple[str, str]],
        guard: Guard | None = None,
        wants_body: Callable[[Response], bool] | None = None,
        recorded: bool = False,
        open_stranger: Callable[[], Session] | None = None,
    ) -> None:
        """`wants_body`: the author's word on a body that need not be kept; it is read all the same when it is `recorded`."""
        self._wants_body = wants_body
        self._recorded = recorded
        self._open_account = open_account
        self._open_stranger = open_stranger
        self._stranger: Account | None = None
        self._profile = profile
        self._scope = scope
        self._scheduler = scheduler
        self._robots = robots
        self._limits = limits
        #: The origins that the sessions' secret headers may go to: those of start URLs and logins.
        self._trusted = trusted
        self._userinfo = userinfo
        self._guard = guard if guard is not None else Guard()
        self._lock = threading.Lock()
        self._accounts: dict[tuple[str | None, object], Account] = {}

    def accounts(self) -> list[Account]:
        """Every account that is open."""
        with self._lock:
            return list(self._accounts.values())

    def account(self, profile: str | None, jar: object = None) -> Account:
        """The account of a profile (None: the spider's) and, for `meta["cookiejar"]`, of a cookie jar of its own."""
        key = (None if profile == self._profile else profile, jar)
        account = self._accounts.get(key)
        if account is None:
            with self._lock:
                account = self._accounts.get(key)
                if account is None:
                    account = self._accounts[key] = self._open_account(*key)
        return account

    def membership_of(self, request: Request) -> Membership | None:
        """What keeps this request's session logged in; None: nothing has to."""
        return self._account_of(request).membership

    def check_robots(self, url: str, netloc: str, *, start: bool) -> None:
        """HopRefused when robots.txt forbids `url`, RobotsForbid when it is a start URL; RobotsUnavailable."""
        if self._robots is None:
            return
        origin = urls.origin(urls.root(url))
        try:
            allowed = self._robots.allows(url, origin)
            delay = self._robots.crawl_delay(origin)
            if delay is not None:
                self._scheduler.obey(netloc, delay)
        finally:
            self._scheduler.known(netloc)
        if allowed:
            return
        if start:
            raise RobotsForbid(
                f"robots.txt of {origin} forbids this start URL; where you may crawl it all the same, set "
                "[crawl] robots = false"
            )
        raise HopRefused("robots")

    def fetch(
        self, request: Request, lease: Lease, *, identity: bool = False, conditions: Mapping[str, str] | None = None
    ) -> Response:
        """One exchange with its redirects, the body read. Raises RequestException, HopRefused, RobotsUnavailable.

        `conditions` are headers that let this URL, and none that it redirects to, answer 304.
        """
        account = self._account_of(request)
        session = account.session
        if lease.start:
            self._trusted.add(urls.origin(urls.root(lease.url)))
        prepared = session.prepare_request(request)
        if self._userinfo and "Authorization" not in prepared.headers:
            userinfo = self._userinfo.get(urls.origin(urls.root(lease.url)))
            if userinfo is not None:
                prepared.prepare_auth(userinfo)
        if identity:
            prepared.headers["Accept-Encoding"] = "identity"
        if conditions:
            prepared.headers.update(conditions)
        meta = request.meta
        arguments: dict[str, Any] = {}
        timeout = request.timeout if request.timeout is not None else meta.get("download_timeout")
        if timeout is not None:
            arguments["timeout"] = timeout
        proxy = request.proxy or meta.get("proxy")
        if proxy:
            arguments["proxies"] = {"http": proxy, "https": proxy}
        if self._wants_body is not None:
            arguments["stream"] = True
            if session.deadline is not None:
                arguments["deadline"] = WholeInstant(monotonic() + session.deadline)
        response = session.send(
            prepared,
            allow_redirects=not meta.get("dont_redirect", False),
            check_hop=lambda answer, onward: self._check_hop(lease, request, onward, account, conditions or ()),
            heal=False,
            **arguments,
        )
        response.limits = self._limits
        return response

    def let_by(self, response: Response) -> bool:
        """Whether the author does not want the body of what `fetch` gave: then it was let go by, of any size; else it was
        read. Raises RequestException.
        """
        if self._wants_body is None:
            return False
        raw, session = response.raw, response.session
        if not response.ok or response.is_html_type or self._wants_body(response):
            raw.max_body = session.max_body
            _ = response.content
            return False
        raw.set_times(session.timeout[1] if isinstance(session.timeout, tuple) else session.timeout, None)
        if self._recorded:
            try:
                for _ in raw.stream(_PIECE, decode_content=False):
                    pass
            except exceptions.RequestException as error:
                error.response = response
                raise
        response.close()
        response._content, response._content_consumed = b"", True
        return True

    def arrive(self, lease: Lease, response: Response) -> None:
        """A page of `lease` that shows a member: redirects may have led through the login's hosts, and end nowhere else.

        HopRefused when they end there; a start URL takes the host into the crawl, unless RobotsForbid.
        """
        href = urls.canonical(response.url)
        if href is None:
            raise HopRefused("bad_redirect")
        origin = urls.origin(urls.root(href))
        if self._within(lease, href, origin) or is_requisite(response):
            return
        if not lease.start:
            raise HopRefused("offsite")
        self._scope.join(origin)
        self.check_robots(href, origin.netloc, start=True)

    def _check_hop(
        self, lease: Lease, request: Request, onward: PreparedRequest, account: Account, conditions: Iterable[str]
    ) -> None:
        try:
            self._judge_hop(lease, request, onward, account, conditions)
        except HopRefused as error:
            error.hop = True
            raise

    def _judge_hop(
        self, lease: Lease, request: Request, onward: PreparedRequest, account: Account, conditions: Iterable[str]
    ) -> None:
        """Judge a redirect's target before it is followed. To the login page it may always go, and to the hosts on the way
        there: that is how a session's end shows.
        """
        for name in conditions:  # they are of the page that was asked for
            onward.headers.pop(name, None)
        href = urls.canonical(onward.url or "")
        if href is None or not urls.has_scheme(href):
            raise HopRefused("bad_redirect")
        if account.membership is not None and account.membership.is_login_page(href):
            return
        origin = urls.origin(urls.root(href))
        to_login = origin in account.gates and not self._within(lease, href, origin) and self._is_members(lease.url)
        if to_login:
            pass  # arrive() judges where it ends
        elif lease.start:
            self._scope.join(origin)  # example.org that redirects to www.example.org means both
        elif not self._within(lease, href, origin):
            if not is_requisite(request):
                raise HopRefused("offsite")
            for name in _CREDENTIALS:  # what the profile has for that host is not the crawl's to send
                onward.headers.pop(name, None)
        if request.safe is not True:
            reason = self._guard.reason(href, method=onward.method or "GET")
            if reason is not None:
                raise HopRefused(PREFIX + reason, href)
        if not to_login:
            self.check_robots(href, origin.netloc, start=lease.start)

    def _within(self, lease: Lease, href: str, origin: urls.Origin) -> bool:
        return origin.netloc == lease.host or self._scope.holds(href, origin)  # dont_filter may have left the scope

    def _is_members(self, url: str) -> bool:
        """Whether a page is of a site that the logins are for."""
        origin = urls.origin(urls.root(url))
        return origin in self._trusted or site(origin.host) in {site(known.host) for known in list(self._trusted)}

    def _account_of(self, request: Request) -> Account:
        if is_requisite(request) and not self._scope.allows(urls.origin(urls.root(request.url))):
            return self._as_stranger()
        jar = request.meta.get("cookiejar")
        return self.account(request.profile, jar if isinstance(jar, str | int | float | None) else str(jar))

    def _as_stranger(self) -> Account:
        """Who fetches the requisites of other hosts: nobody that any of them knows."""
        if self._stranger is None:
            with self._lock:
                if self._stranger is None:
                    assert self._open_stranger is not None  # where requisites are asked for, there is one
                    self._stranger = Account(self._open_stranger(), None)
        return self._stranger


def sticky_proxy(proxies: list[str] | tuple[str, ...], profile: str) -> Mapping[str, str]:
    """The proxy of a profile: the same one for as long as the list is."""
    if not proxies:
        return {}
    proxy = proxies[sum(profile.encode()) % len(proxies)]
    return {"http": proxy, "https": proxy}

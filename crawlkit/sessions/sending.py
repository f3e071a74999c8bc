"""Sending: the way of a prepared request through adapter, hooks, cookies, retries and redirects.

What belongs here: the order of these. What does not: what each of them does (adapter.py, hooks.py, cookies.py,
retry.py, following.py). A plain GET on a warm connection passes here millions of times, and nothing is logged.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Any

from crawlkit.exceptions import AddressForbidden
from crawlkit.sessions import foreignanswers, models
from crawlkit.sessions.confiding import Confiding
from crawlkit.sessions.counting import Counting
from crawlkit.sessions.defaults import UNSET, Unset, UsualTimeout
from crawlkit.sessions.environment import resolve_proxies
from crawlkit.sessions.following import ChosenProxies, Redirects
from crawlkit.sessions.foreignjars import adapt, cookie_url
from crawlkit.sessions.hooks import dispatch_hook
from crawlkit.sessions.offered import offered
from crawlkit.sessions.pool import ConnectionPool
from crawlkit.sessions.prepared import PreparedRequest
from crawlkit.sessions.redirects import HOP, finish
from crawlkit.sessions.request import Request as Spec
from crawlkit.sessions.response import Response
from crawlkit.sessions.retry import RetryPolicy
from crawlkit.sessions.timeouts import times_for

if TYPE_CHECKING:
    from crawlkit.sessions.autosave import Autosave
    from crawlkit.sessions.membership import Membership
else:
    # Hints that are read at run time say Any for what is loaded when it is used, or imports this module.
    Autosave = Membership = Any


#: How often a page that a login reads is asked for again.
LOGIN_RETRIES = 3


class Instant(float):
    """A deadline that is a point of `time.monotonic()` already: what the hops of one redirect chain share."""


class WholeInstant(Instant):
    """One that holds for a stream's body, too."""


class Sending(Redirects, Confiding):
    """The half of a Session that sends."""

    stream: bool
    verify: Any
    cert: Any
    timeout: Any
    deadline: float | None
    retries: Any
    max_body: int | None
    headers: Any
    _usual_headers: Any
    auth: Any
    secret_origins: Any
    _autosave: Autosave | None
    _connection_pool: ConnectionPool
    _membership: Membership | None = None

    if TYPE_CHECKING:

        def get_adapter(self, url: str) -> Any: ...
        def _is_foreign(self, url: Any) -> bool: ...

    @offered
    def membership(self) -> Membership | None:
        """What keeps the session logged in; None: nobody does."""
        return self._membership

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:
        """Sends a prepared request as it is; `kwargs` are those of `request()` from `timeout` on.

        A session with a login logs in when the answer looks logged out, and sends the request again with the cookies,
        headers and auth that it has since; `heal=False`: it does not.
        ValueError when `request` was not prepared.
        """
        if isinstance(request, (models.Request, Spec)):
            raise ValueError(f"prepare {request!r} first: session.send(session.prepare_request(request))")
        if kwargs.get("timeout", UNSET) is None and getattr(request, "_untimed", False):
            kwargs["timeout"] = self.timeout
        membership, heal = self._membership, kwargs.pop("heal", True)
        if membership is None or kwargs.get("allow_redirects") is HOP:
            return self._send_prepared(request, kwargs)
        if membership.inside:
            membership.sending(request)
            if request.method == "GET":  # what a login posts is sent once; its pages may stumble
                kwargs.setdefault("retries", self.retries or LOGIN_RETRIES)
            return self._send_prepared(request, kwargs)
        if not heal:
            return self._send_prepared(request, kwargs)
        before = dict(self.headers)
        return membership.carry(
            request,
            lambda again: self._send_prepared(again, dict(kwargs)),
            lambda again, response: self._renewed(again, response, before),
            body=not kwargs.get("stream", self.stream),
        )

    def _send_prepared(self, request: PreparedRequest, kwargs: dict[str, Any]) -> Response:
        allow_redirects = kwargs.pop("allow_redirects", True)
        check_hop = kwargs.pop("check_hop", None)
        retries = kwargs.pop("retries", UNSET)
        deadline = kwargs.pop("deadline", UNSET)
        given_max_body = max_body = kwargs.pop("max_body", UNSET)
        kwargs.setdefault("stream", self.stream)
        kwargs.setdefault("verify", self.verify)
        kwargs.setdefault("cert", self.cert)
        timeout = kwargs.setdefault("timeout", self.timeout)
        if "proxies" not in kwargs:
            kwargs["proxies"] = ChosenProxies(resolve_proxies(request, self.proxies, self.trust_env), None)
        # Only what was asked for is passed on: an adapter that somebody wrote for requests does not know these.
        instant = _instant(self.deadline if deadline is UNSET else deadline)
        if instant is not None:
            kwargs["deadline"] = instant
        if max_body is UNSET:
            max_body = None if kwargs["stream"] else self.max_body
        if max_body is not None:
            kwargs["max_body"] = max_body
        adapter = self.get_adapter(request.url or "")
        if not self._connection_pool.policy.allow_private:
            self._hold(adapter, request)
        request._usual_timeout = None
        if type(timeout) is UsualTimeout and getattr(adapter, "knows_usual_timeout", False):
            # As in requests an adapter sees None where nobody set a timeout, for there are those that set one then.
            request._usual_timeout, kwargs["timeout"] = timeout, None
        follow = bool(allow_redirects) or allow_redirects is HOP
        policy = self._retry_policy(retries)
        request._repeated = policy is not None or retries is not UNSET
        if policy is None:
            response = self._exchange_once(adapter, request, follow, kwargs)
        else:
            response = policy.call(
                lambda again: self._exchange_once(adapter, again, follow, kwargs), request, deadline=instant
            )
        if not self.get_redirect_target(response):  # an empty Location leads nowhere
            return response
        kwargs["timeout"] = timeout
        kwargs.pop("max_body", None)
        if given_max_body is not UNSET:
            kwargs["max_body"] = given_max_body
        if retries is not UNSET:
            kwargs["retries"] = retries
        if not allow_redirects:
            foreignanswers.note_next(
                response, lambda: next(self.resolve_redirects(response, request, yield_requests=True, **kwargs))
            )
            return response
        chain = [response, *self.resolve_redirects(response, request, check_hop=check_hop, **kwargs)]
        last: Response = chain.pop()
        last.history = chain
        return last

    def _hold(self, adapter: Any, request: PreparedRequest) -> None:
        """Have `adapter` refuse private addresses, however it came to be among the session's."""
        pool = getattr(adapter, "pool", None)
        if isinstance(pool, ConnectionPool):
            pool.hold_to(self._connection_pool.policy)
        elif hasattr(adapter, "poolmanager"):
            raise AddressForbidden(
                f"{type(adapter).__module__}.{type(adapter).__qualname__} connects by itself and lets nobody look at the "
                "address, and allow_private is off; mount crawlkit's HTTPAdapter, or one derived from it",
                request=request,
            )

    def _renewed(
        self, request: PreparedRequest, response: Response | None, before: Mapping[str, Any]
    ) -> PreparedRequest:
        """`request` once more, with what a login changed of the session; `before` are the headers that it had."""
        again = request.copy()
        again._untimed = False
        self._rebuild_cookies(again, request, response, elsewhere=False)
        if self.secret_origins is not None and self._is_foreign(request.url):
            return again
        for name, value in self.headers.items():
            if value != before.get(name) and request.headers.get(name) == before.get(name):
                again.headers[name] = value
        if self.auth and (request.own_auth or "Authorization" not in request.headers):
            again.prepare_auth(self.auth)
        return again

    def _exchange_once(self, adapter: Any, request: PreparedRequest, follow: bool, kwargs: dict[str, Any]) -> Response:
        """One request and its answer, with hooks, cookies, and the body read where it is not streamed."""
        jar = self.cookies
        if self._autosave is not None:
            self._autosave.see(self.headers, self._usual_headers)
        if self._redactor is not None:
            self._confide_request(self._redactor, request, kwargs.get("proxies"))
        epoch = getattr(jar, "epoch", None)
        start = perf_counter()
        response: Any = adapter.send(request, **kwargs)
        foreignanswers.note_elapsed(response, perf_counter() - start)
        response.session = self
        if request.hooks["response"]:
            response = dispatch_hook("response", request.hooks, response, **kwargs)
            for earlier in response.history:
                self._keep_cookies(jar, earlier, earlier.request, epoch)
        if "set-cookie" in response.headers:
            self._keep_cookies(jar, response, request, epoch)
        if follow and self.get_redirect_target(response) is not None:
            finish(response)
        elif not kwargs["stream"]:
            _ = response.content
        elif "deadline" in kwargs and not isinstance(kwargs["deadline"], WholeInstant):
            _lift_deadline(response, request._usual_timeout or kwargs["timeout"])
        answered: Response = response
        return answered

    def _keep_cookies(self, jar: Any, response: Response, request: PreparedRequest, epoch: int | None) -> None:
        lines = foreignanswers.set_cookie_lines(response)
        if not lines:
            return
        if self._redactor is not None:
            self._confide_answer(self._redactor, lines)
        url = cookie_url(request.url or response.url, request.headers)
        # An answer to a request from before the last login must not bring the old cookies back, hence the epoch.
        adapt(jar).receive(url, lines, epoch=epoch)
        if self._autosave is not None:
            self._autosave.note(self.headers, self._usual_headers)

    def _retry_policy(self, retries: Any) -> RetryPolicy | Counting | None:
        value = self.retries if retries is UNSET else retries
        return RetryPolicy.of(value) if value else None


def _instant(deadline: float | Unset | None) -> Instant | None:
    """The point of time that a number of seconds means, counted from now; what is a point already stays."""
    if deadline is None or isinstance(deadline, (Instant, Unset)):
        return deadline if isinstance(deadline, Instant) else None
    return Instant(time.monotonic() + deadline)


def _lift_deadline(response: Any, timeout: Any) -> None:
    """A stream has no end that anybody could know: from its head on only the silence between its bytes is limited."""
    set_times = getattr(response.raw, "set_times", None)
    if set_times is not None:
        set_times(times_for(timeout, None).read, None)

"""Following: the loop that follows redirects, in steps under the names by which programs override them in requests.

What belongs here: what becomes of a request on its way to the next hop, step by step. What does not: the rules
(redirects.py), what is secret and what an origin is (leaks.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from crawlkit import exceptions as errors
from crawlkit.sessions import foreignanswers, leaks
from crawlkit.sessions.auth import _basic_auth_str
from crawlkit.sessions.body import can_resend, rewind_body
from crawlkit.sessions.cookies import CookieJar, merge_cookies
from crawlkit.sessions.defaults import UsualTimeout
from crawlkit.sessions.environment import get_auth_from_url, get_netrc_auth, resolve_proxies
from crawlkit.sessions.prepared import PreparedRequest
from crawlkit.sessions.redirects import (
    HOP,
    MAX_REDIRECTS,
    CheckHop,
    finish,
    keeps_body,
    method_after,
    read_location,
    resolve_location,
)
from crawlkit.sessions.response import Response
from crawlkit.sessions.target import prepare_url


class ChosenProxies(dict[str, str]):
    """The proxies of one request, those of the environment among them; `given` are those that the program named.

    On a redirect the choice begins again with `given`: the environment's proxy for one host is none for another.
    """

    def __init__(self, chosen: Mapping[str, str], given: Mapping[str, str] | None) -> None:
        super().__init__(chosen)
        self.given = given


class Redirects:
    """Following redirects, in steps that a subclass of Session may override one by one."""

    max_redirects: int = MAX_REDIRECTS
    trust_env: bool
    cookies: Any
    proxies: Any
    secret_headers: Iterable[str]

    if TYPE_CHECKING:

        def send(self, request: PreparedRequest, **kwargs: Any) -> Response: ...
        def _choose_proxies(self, url: str, given: Mapping[str, str] | None) -> ChosenProxies: ...

    def get_redirect_target(self, resp: Response) -> str | None:
        """The Location of a redirect as text, still relative if it was; None when `resp` is no redirect."""
        return read_location(resp.headers["location"]) if resp.is_redirect else None

    def should_strip_auth(self, old_url: str, new_url: str) -> bool:
        """Whether Authorization must not go along: another scheme, host or port, but for http:80 to https:443."""
        return not leaks.authorization_stays(prepare_url(old_url), prepare_url(new_url))

    def resolve_redirects(
        self,
        resp: Response,
        req: PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
        yield_requests: bool = False,
        *,
        check_hop: CheckHop | None = None,
        **send_kwargs: Any,
    ) -> Iterator[Any]:
        """The answers that follow `resp`, one by one; with `yield_requests` the next request instead, unsent.

        Raises TooManyRedirects, UnrewindableBodyError, InvalidURL, InvalidSchema (each with the response that led
        there), and whatever sending raises.
        """
        history: list[Response] = []
        fragment = urlsplit(req.url or "").fragment
        while location := self.get_redirect_target(resp):
            if not yield_requests:
                resp.history = history[:]
                history.append(resp)
                finish(resp)
                if len(history) > self.max_redirects:
                    raise errors.TooManyRedirects(
                        f"Exceeded {self.max_redirects} redirects; the last answer was that of {leaks.shown(resp.url)}",
                        response=resp,
                    )
                resp.close()
            try:
                url = resolve_location(resp.url, location, fragment)
            except errors.RequestException as error:
                error.response, error.request = resp, req
                raise
            fragment = urlsplit(url).fragment
            req = self._redirected(resp, req, url)
            proxies = self.rebuild_proxies(req, proxies)
            if yield_requests:
                yield req
                return
            if check_hop is not None:
                check_hop(resp, req)
            resp = self._send_hop(req, timeout, stream=stream, verify=verify, cert=cert, proxies=proxies, **send_kwargs)
            yield resp

    def _send_hop(self, req: PreparedRequest, timeout: Any, **kwargs: Any) -> Response:
        req._untimed = type(timeout) is UsualTimeout  # see Session.request()
        try:
            return self.send(req, timeout=None if req._untimed else timeout, allow_redirects=HOP, **kwargs)
        finally:
            req._untimed = False

    def _redirected(self, resp: Response, req: PreparedRequest, url: str) -> PreparedRequest:
        """The request for `url`, made of the one that was redirected there."""
        prepared = req.copy()
        prepared._untimed = False
        prepared.url = url
        self.rebuild_method(prepared, resp)
        headers = prepared.headers
        if not keeps_body(resp.status_code):
            for name in [name for name in headers if name.lower().startswith("content-")]:
                del headers[name]
            headers.pop("Transfer-Encoding", None)
            prepared.body = None
            if prepared.method in ("POST", "PUT", "PATCH"):
                headers["Content-Length"] = "0"  # their servers wait for a body otherwise
        elsewhere = not leaks.same_origin(prepare_url(resp.url), url)
        if elsewhere:
            leaks.strip_for_new_origin(prepared, self.secret_headers)
        self._rebuild_cookies(prepared, req, resp, elsewhere)
        self.rebuild_auth(prepared, resp)
        self._rewind_body(prepared, resp)
        return prepared

    def _rebuild_cookies(
        self, prepared: PreparedRequest, req: PreparedRequest, resp: Response | None, elsewhere: bool
    ) -> None:
        """The Cookie header anew: the session's jar, which has the answer's cookies already, and the request's own.

        A Cookie header that the program wrote by hand goes with every redirect, as in requests: it was for one
        request.
        """
        prepared.headers.pop("Cookie", None)
        jar: Any = self.cookies
        if req._cookies is not None and req._cookies is not jar and not elsewhere:
            jar = merge_cookies(CookieJar(), req._cookies)
            if resp is not None and (lines := foreignanswers.set_cookie_lines(resp)):
                jar.receive(resp.url, lines)
            merge_cookies(jar, self.cookies)
        prepared.prepare_cookies(jar)

    def _rewind_body(self, prepared: PreparedRequest, resp: Response) -> None:
        body = prepared.body
        if body is None or isinstance(body, (bytes, str)):
            return
        if prepared._body_position is not None or not can_resend(body, None):
            try:
                rewind_body(prepared)
            except errors.UnrewindableBodyError as error:
                error.response = resp
                raise

    def rebuild_method(self, prepared_request: PreparedRequest, response: Response) -> None:
        """Sets the method of the next request by the status of the answer."""
        prepared_request.method = method_after(response.status_code, prepared_request.method or "GET")

    def rebuild_auth(self, prepared_request: PreparedRequest, response: Response) -> None:
        """Takes Authorization off when it must not go along; a .netrc may have credentials for the new host.

        A .netrc knows no ports and schemes. What must not go along to another of the same host, from https to http
        above all, does not come back by way of it.
        """
        headers, url = prepared_request.headers, prepared_request.url or ""
        before = response.request.url or response.url
        stripped = self.should_strip_auth(before, url)
        if stripped and "Authorization" in headers:
            del headers["Authorization"]
        if stripped and leaks.same_host(prepare_url(before), url):
            return
        if self.trust_env and "Authorization" not in headers:
            found = get_netrc_auth(url)
            if found is not None:
                prepared_request.prepare_auth(found)

    def rebuild_proxies(
        self, prepared_request: PreparedRequest, proxies: Mapping[str, str] | None
    ) -> Mapping[str, str]:
        """The proxies for the next request, chosen anew, for it may go where NO_PROXY holds or another proxy is set.

        Proxy-Authorization is set for an http origin alone: to an https one it would go through the tunnel, to the
        server (requests CVE-2023-32681).
        """

        headers, url = prepared_request.headers, prepared_request.url or ""
        if isinstance(proxies, ChosenProxies):
            chosen = self._choose_proxies(url, proxies.given)
        else:
            chosen = ChosenProxies(resolve_proxies(prepared_request, proxies, self.trust_env), proxies)
        headers.pop("Proxy-Authorization", None)
        scheme = urlsplit(url).scheme
        proxy = chosen.get(scheme)
        if proxy and scheme != "https":
            username, password = get_auth_from_url(proxy)
            if username and password:
                headers["Proxy-Authorization"] = _basic_auth_str(username, password)
        return chosen

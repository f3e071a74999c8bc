"""Redirects: the rules (RFC 9110 section 15.4, and what browsers do where it leaves room), and the loop that
follows.

What belongs here: where a Location leads, how method, body, credentials and proxies change on the way. What
is secret and what an origin is stands in leaks.py. `Redirects` holds the steps under the names by which
programs override them in requests; Session inherits it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit

from crawlkit import exceptions as errors
from crawlkit.sessions import leaks
from crawlkit.sessions.target import prepare_url, requote_uri

if TYPE_CHECKING:
    from crawlkit.sessions.prepared import PreparedRequest
    from crawlkit.sessions.response import Response

REDIRECT_STATUSES = frozenset((301, 302, 303, 307, 308))
PERMANENT_STATUSES = frozenset((301, 308))

MAX_REDIRECTS = 30

# A redirect's body is read so that its connection can be used again. Nobody needs a megabyte of "Moved".
MAX_REDIRECT_BODY = 1024 * 1024

CheckHop = Callable[["Response", "PreparedRequest"], None]


class Hop:
    """The `allow_redirects` of a request that the loop sends: false, and known to be the loop's."""

    def __bool__(self) -> bool:
        return False


HOP: Final = Hop()


# --- the rules
# --------------------------------------------------------------------------------------------------------


def method_after(status: int, method: str) -> str:
    """The method of the next request: 302 and 303 make it GET (but for HEAD), 301 does so of POST, 307 and
    308 nothing.
    """
    if (status in (302, 303) and method != "HEAD") or (status == 301 and method == "POST"):
        return "GET"
    return method


def keeps_body(status: int) -> bool:
    """Whether the body goes along: 307 and 308 repeat the request as it was (RFC 9110 sections 15.4.8 and
    15.4.9).
    """
    return status in (307, 308)


def read_location(value: str) -> str:
    """The text of a Location. Heads are read as latin-1, but servers that do not escape mean UTF-8."""
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def resolve_location(base: str, location: str, fragment: str = "") -> str:
    """The absolute URL that `location` means in an answer of `base`; `fragment` is inherited when it has
    none.

    Raises InvalidURL when it is no URL, InvalidSchema when it leads out of http(s): a server must not be
    able to make a program read its own files or call its mail client (curl CVE-2009-0037).
    """
    try:
        parts = urlsplit(location)
        if parts.netloc:
            # `//host/path` takes the scheme from the page (RFC 3986 section 5.2.2).
            url = requote_uri(location if parts.scheme else f"{urlsplit(base).scheme}:{location}")
        else:
            url = urljoin(base, requote_uri(location))
        if fragment and not urlsplit(url).fragment:
            url = f"{url.partition('#')[0]}#{fragment}"
        url = prepare_url(url)
        scheme = urlsplit(url).scheme.lower()
    except ValueError as error:
        raise errors.InvalidURL(f"redirected from {leaks.shown(base)} to what is no URL: {error}") from error
    if scheme not in ("http", "https", urlsplit(base).scheme.lower()):
        raise errors.InvalidSchema(f"redirected from {leaks.shown(base)} to a {scheme!r} URL; only http(s) is followed")
    return url


def finish(response: Response, limit: int = MAX_REDIRECT_BODY) -> None:
    """Reads the body of a redirect, so that its connection can be used again.

    A body that is broken or longer than `limit` bytes costs the connection and no more: the redirect is
    followed, and who asks for its `content` gets the error.
    """
    if response._content is not False or response._content_consumed:
        return
    if response.raw is None:
        return
    parts: list[bytes] = []
    size = 0
    try:
        for part in response.iter_content(16384):
            size += len(part)
            if size > limit:
                raise errors.BodyTooLarge(
                    f"the body of a redirect by {leaks.shown(response.url)} is longer than {limit} bytes"
                )
            parts.append(part)
    except errors.Timeout:
        raise
    except errors.RequestException as error:
        response._failed(error)
        return
    response._content = b"".join(parts)


# --- the loop
# -----------------------------------------------------------------------------------------------------------


class Redirects:
    """Following redirects, in steps that a subclass of Session may override one by one."""

    max_redirects: int = MAX_REDIRECTS
    trust_env: bool
    cookies: Any
    proxies: Any
    secret_headers: Iterable[str]

    if TYPE_CHECKING:

        def send(self, request: PreparedRequest, **kwargs: Any) -> Response: ...

    def get_redirect_target(self, resp: Response) -> str | None:
        """The Location of a redirect as text, still relative if it was; None when `resp` is no redirect."""
        return read_location(resp.headers["location"]) if resp.is_redirect else None

    def should_strip_auth(self, old_url: str, new_url: str) -> bool:
        """Whether Authorization must not go along: another scheme, host or port, but for http:80 to
        https:443.
        """
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

        Raises TooManyRedirects, UnrewindableBodyError, InvalidURL, InvalidSchema (each with the response
        that led there), and whatever sending raises.
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
            resp = self.send(
                req,
                stream=stream,
                timeout=timeout,
                verify=verify,
                cert=cert,
                proxies=proxies,
                allow_redirects=HOP,
                **send_kwargs,
            )
            yield resp

    def _redirected(self, resp: Response, req: PreparedRequest, url: str) -> PreparedRequest:
        """The request for `url`, made of the one that was redirected there."""
        prepared = req.copy()
        prepared.url = url
        self.rebuild_method(prepared, resp)
        headers = prepared.headers
        if not keeps_body(resp.status_code):
            for name in [name for name in headers if name.lower().startswith("content-")]:
                del headers[name]
            headers.pop("Transfer-Encoding", None)
            prepared.body = None
        elsewhere = not leaks.same_origin(prepare_url(resp.url), url)
        if elsewhere:
            leaks.strip_for_new_origin(prepared, self.secret_headers)
        self._rebuild_cookies(prepared, req, resp, elsewhere)
        self.rebuild_auth(prepared, resp)
        self._rewind(prepared, resp)
        return prepared

    def _rebuild_cookies(
        self, prepared: PreparedRequest, req: PreparedRequest, resp: Response, elsewhere: bool
    ) -> None:
        """The Cookie header anew: the session's jar, which has the answer's cookies already, and the
        request's own.

        A Cookie header that the program wrote by hand goes with every redirect, as in requests: it was for
        one request.
        """
        prepared.headers.pop("Cookie", None)
        jar: Any = self.cookies
        if req._cookies is not None and req._cookies is not jar and not elsewhere:
            from crawlkit.sessions.cookies import CookieJar, merge_cookies

            jar = merge_cookies(CookieJar(), req._cookies)
            if lines := resp.set_cookie_lines():
                jar.receive(resp.url, lines)
            merge_cookies(jar, self.cookies)
        prepared.prepare_cookies(jar)

    def _rewind(self, prepared: PreparedRequest, resp: Response) -> None:
        from crawlkit.sessions.body import can_resend, rewind_body

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
        """Takes Authorization off when it must not go along; a .netrc may have credentials for the new
        host.
        """
        headers, url = prepared_request.headers, prepared_request.url or ""
        if "Authorization" in headers and self.should_strip_auth(response.request.url or response.url, url):
            del headers["Authorization"]
        if self.trust_env and "Authorization" not in headers:
            from crawlkit.sessions.environment import get_netrc_auth

            found = get_netrc_auth(url)
            if found is not None:
                prepared_request.prepare_auth(found)

    def rebuild_proxies(
        self, prepared_request: PreparedRequest, proxies: Mapping[str, str] | None
    ) -> Mapping[str, str]:
        """The proxies for the next request, chosen anew, for it may go where NO_PROXY holds or another proxy
        is set.

        Proxy-Authorization is set for an http origin alone: to an https one it would go through the tunnel,
        to the server (requests CVE-2023-32681).
        """
        from crawlkit.sessions.auth import _basic_auth_str
        from crawlkit.sessions.environment import get_auth_from_url, resolve_proxies

        headers, url = prepared_request.headers, prepared_request.url or ""
        given = proxies.given if isinstance(proxies, ChosenProxies) else proxies
        chosen = ChosenProxies(resolve_proxies(prepared_request, dict(given or {}), self.trust_env), given)
        headers.pop("Proxy-Authorization", None)
        scheme = urlsplit(url).scheme
        proxy = chosen.get(scheme)
        if proxy and scheme != "https":
            username, password = get_auth_from_url(proxy)
            if username and password:
                headers["Proxy-Authorization"] = _basic_auth_str(username, password)
        return chosen


class ChosenProxies(dict[str, str]):
    """The proxies of one request, those of the environment among them; `given` are those that the program
    named.

    On a redirect the choice begins again with `given`: the environment's proxy for one host is none for
    another.
    """

    def __init__(self, chosen: Mapping[str, str], given: Mapping[str, str] | None) -> None:
        super().__init__(chosen)
        self.given = given

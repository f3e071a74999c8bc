"""HTTPAdapter: one exchange, from a prepared request to a Response whose body is still to be read.

What belongs here: choosing the connection's key, sending, reading the head, the one repetition on a stale connection.
What does not: redirects, cookies, reading the body (session.py), counting `max_retries` (counting.py), limits (pool.py),
what an adapter says of its connections in urllib3's words (connecting.py, foreignpools.py). Errors of every kind leave
through faults.py.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

from urllib3.exceptions import LocationValueError
from urllib3.util.retry import Retry

from crawlkit import exceptions as errors
from crawlkit.sessions import faults, routes
from crawlkit.sessions.connecting import Connecting
from crawlkit.sessions.counting import Counting, no_retries, repeats
from crawlkit.sessions.environment import select_proxy
from crawlkit.sessions.exchanging import Exchanging, rewind
from crawlkit.sessions.headers import CaseInsensitiveDict
from crawlkit.sessions.pool import ConnectionPool
from crawlkit.sessions.raw import RawResponse
from crawlkit.sessions.response import Response
from crawlkit.sessions.retry import RetryPolicy
from crawlkit.sessions.routes import Key, Place, Proxy
from crawlkit.sessions.target import urldefragauth
from crawlkit.sessions.timeouts import Times, times_for
from crawlkit.sessions.tls import TLSSettings, settings

DEFAULT_POOLSIZE = 10


class BaseAdapter:
    """What a Session needs of an adapter; derive from it to answer requests by other means than HTTP."""

    def send(
        self,
        request: Any,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> Response:
        """One exchange."""
        raise NotImplementedError

    def close(self) -> None:
        """Give up what is held open."""
        raise NotImplementedError


class HTTPAdapter(Connecting, Exchanging, BaseAdapter):
    """Sends over a ConnectionPool, its own or one that is shared. May be used from any thread.

    `pool_maxsize` is how many connections to one host may be open when `pool_block` says that threads wait for them;
    otherwise, and for `pool_connections`, the pool's own limits hold. `max_retries` is a number or urllib3's Retry, which
    is what the attribute reads as; it means what it means to requests, and not where a session repeats by a policy of
    its own. A RetryPolicy is taken, too.

    `tee`, when set, is called with each prepared request and gives a Tee that sees its bytes, or None.
    """

    __attrs__ = ["max_retries", "config", "_pool_connections", "_pool_maxsize", "_pool_block"]

    # A session gives no timeout where nobody set one, and writes its usual one on the request.
    knows_usual_timeout = True

    def __init__(
        self,
        pool_connections: int = DEFAULT_POOLSIZE,
        pool_maxsize: int = DEFAULT_POOLSIZE,
        max_retries: Any = 0,
        pool_block: bool = False,
        *,
        pool: ConnectionPool | None = None,
    ) -> None:
        self.max_retries: Any = _retries(max_retries)
        self._pool_connections = pool_connections
        self._pool_maxsize = pool_maxsize
        self._pool_block = pool_block
        self._begin(pool)

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name, None) for name in self.__attrs__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
        self._begin(None)

    def _begin(self, pool: ConnectionPool | None) -> None:
        self.config: dict[str, Any] = {}
        self.proxy_manager = {}
        self.init_poolmanager(self._pool_connections, self._pool_maxsize, block=self._pool_block)
        self._note_usual_settings()
        if pool is None:
            usual = self._usual_settings
            pool = ConnectionPool(per_host=usual.get("maxsize") if usual.get("block") else None)
        self.pool = pool

    # --- what may be overridden -------------------------------------------------------------------------------------

    def add_headers(self, request: Any, **kwargs: Any) -> None:
        """Change the request's headers just before it is sent; does nothing here."""

    def request_url(self, request: Any, proxies: Any) -> str:
        """The target in the request line: path and query, or for a proxy that forwards the URL without userinfo."""
        place, target = routes.split(request.url)
        proxy = select_proxy(request.url, proxies) if proxies else None
        if proxy and place.scheme == "http" and not routes.proxy_at(proxy).is_socks:
            return urldefragauth(request.url)
        return target

    def build_response(self, req: Any, resp: Any) -> Response:
        """The Response for what came back; its body is not yet read."""
        response = Response()
        headers: CaseInsensitiveDict[str]
        if isinstance(resp, RawResponse):
            headers = CaseInsensitiveDict()
            headers._store = resp.store
        else:  # urllib3's, from a test double
            headers = CaseInsensitiveDict(resp.headers or {})
        response.status_code = resp.status
        response.headers = headers
        response.raw = resp
        response.reason = resp.reason
        url = req.url
        response.url = url if type(url) is str else url.decode("utf-8")
        response.request = req
        response.connection = self
        return response

    # --- sending ----------------------------------------------------------------------------------------------------

    def send(
        self,
        request: Any,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
        *,
        deadline: float | None = None,
        max_body: int | None = None,
    ) -> Response:
        """One exchange, without redirects; the body of the answer is not read (`stream` therefore says nothing here).

        `timeout` is None, seconds, a pair (connect, read) or urllib3's Timeout; `deadline` an instant of
        time.monotonic() for all of it, the body included; `max_body` the most bytes that its body may give. Raises
        crawlkit's exceptions, OSError for a certificate file that is not there, ValueError for a timeout that is none.
        """
        times = times_for(getattr(request, "_usual_timeout", None) if timeout is None else timeout, deadline)
        special: Callable[[bool], Any] | None = None
        try:
            if self._is_special():
                given = {"stream": stream, "timeout": timeout, "verify": verify, "cert": cert, "proxies": proxies}
                special, target = self._special_way(request, given, times, max_body)
            else:
                place, target = routes.split(request.url)
                key = self._key(request, place, verify, cert, proxies)
                self.add_headers(request, stream=stream, timeout=timeout, verify=verify, cert=cert, proxies=proxies)
                if type(self).request_url is not HTTPAdapter.request_url or key.is_forwarded:
                    target = self.request_url(request, proxies)
        except errors.RequestException as error:
            raise faults.border(error, request, phase=faults.CONNECT) from error.__cause__
        retries = self.max_retries
        if not repeats(retries) or getattr(request, "_repeated", False):
            raw = self._exchange(request, place, target, key, times, max_body) if special is None else special(False)
            return self.build_response(request, raw)
        once = special or partial(self._exchange, request, place, target, key, times, max_body)
        if isinstance(retries, RetryPolicy):
            return self._by_policy(retries, once, request, times.deadline)
        counting = Counting(retries, pool=partial(self._asked_pool, request, verify, proxies, cert), target=target)
        raw = counting.run(once, request, deadline=times.deadline)
        raw.retries = counting.retry
        return self.build_response(request, raw)

    def _by_policy(
        self, policy: RetryPolicy, once: Callable[[bool], Any], request: Any, deadline: float | None
    ) -> Response:
        tries = count()
        return policy.call(lambda again: self.build_response(again, once(next(tries) > 0)), request, deadline=deadline)

    def _special_way(
        self, request: Any, given: dict[str, Any], times: Times, max_body: int | None
    ) -> tuple[Callable[[bool], Any], str]:
        """How to send `request` once where somebody says how connections are made; and the request's target."""
        from crawlkit.sessions import foreignpools

        verify, cert, proxies = given["verify"], given["cert"], given["proxies"]
        try:
            conn = foreignpools.for_one_request(self._asked_pool(request, verify, proxies, cert))
        except (ValueError, LocationValueError) as error:
            if isinstance(error, errors.RequestException):
                raise
            raise errors.InvalidURL(str(error)) from error
        self.cert_verify(conn, request.url, verify, cert)
        target = self.request_url(request, proxies)
        self.add_headers(request, **given)
        found = foreignpools.read(conn, request)
        if found is not None:
            place, key = found
            if key.proxy is not None:
                key = key._replace(proxy=_with_given(key.proxy, request, place))
            return partial(self._exchange, request, place, target, key, times, max_body), target
        unknown = {"deadline=": times.deadline, "max_body=": max_body, "an archive": self.tee}
        foreignpools.refuse_what_it_cannot(conn, request, unknown, allow_private=self.pool.allow_private)

        def once(again: bool) -> Any:
            if again:
                rewind(request)
            return foreignpools.exchange(conn, request, target, times)

        return once, target

    def _key(self, request: Any, place: Place, verify: Any, cert: Any, proxies: Any) -> Key:
        proxy: Proxy | None = None
        if proxies and (url := select_proxy(request.url, proxies)):
            proxy = self._proxy(request, place, url)
        tls: TLSSettings | None = None
        if place.scheme == "https" or (proxy is not None and proxy.scheme == "https"):
            tls = settings(verify, cert)
        return Key(place.netloc, place.scheme, place.host, place.port, proxy, tls, ())

    def _proxy(self, request: Any, place: Place, url: str) -> Proxy:
        proxy = routes.proxy_at(url)
        fields = self.proxy_headers(url if "://" in url else f"http://{url}")
        return _with_given(proxy._replace(headers=tuple(fields.items())), request, place)

    def close(self) -> None:
        """Close the pool's idle connections. It may be used again."""
        self.pool.close()
        self._clear_managers()


def _with_given(proxy: Proxy, request: Any, place: Place) -> Proxy:
    """The proxy, with credentials that somebody put on a request for an https origin: they were meant for it."""
    given = request.headers.get("Proxy-Authorization") if place.scheme == "https" else None
    if given is None or any(name.lower() == "proxy-authorization" for name, _ in proxy.headers):
        return proxy
    field = ("Proxy-Authorization", given if isinstance(given, str) else given.decode("latin-1"))
    return proxy._replace(headers=(*proxy.headers, field))


def _retries(value: Any) -> Any:
    """What an adapter keeps of its `max_retries`; as in requests a number becomes a Retry."""
    if isinstance(value, RetryPolicy):
        return value
    return no_retries() if value is not None and value == 0 else Retry.from_int(value)

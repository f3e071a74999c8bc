"""HTTPAdapter: one exchange, from a prepared request to a Response whose body is still to be read.

What belongs here: choosing the connection's key, sending, reading the head, the one repetition on a stale connection.
What does not: redirects, cookies, retries, reading the body (session.py), limits (pool.py). Errors of every kind leave
through faults.py.

The names that programs written for requests override are here (`init_poolmanager`, `build_response`, `add_headers`,
`proxy_headers`, `request_url`, `cert_verify`, `send`, `close`), though what lies beneath is our pool and not urllib3's.
"""

from __future__ import annotations

import errno
import ssl
from collections.abc import Callable
from typing import Any

from crawlkit import exceptions as errors
from crawlkit.sessions import bodies, faults, routes
from crawlkit.sessions.body import rewind_body
from crawlkit.sessions.channel import Gone, Tee
from crawlkit.sessions.environment import select_proxy
from crawlkit.sessions.headers import CaseInsensitiveDict
from crawlkit.sessions.heads import Head
from crawlkit.sessions.held import Held
from crawlkit.sessions.outgoing import Outgoing, outgoing
from crawlkit.sessions.pool import ConnectionPool
from crawlkit.sessions.raw import RawResponse
from crawlkit.sessions.response import Response
from crawlkit.sessions.routes import Key, Place, Proxy
from crawlkit.sessions.share import Share
from crawlkit.sessions.target import urldefragauth
from crawlkit.sessions.timeouts import Times, times_for
from crawlkit.sessions.tls import TLSSettings, settings, warn_of_unverified
from crawlkit.sessions.wire import Wire

DEFAULT_POOLSIZE = 10

# What may be done twice without harm (RFC 9110 section 9.2.2): a server that closed without a word may have done it.
_IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"))

_OPTIONS = frozenset(
    (
        "assert_fingerprint",
        "assert_hostname",
        "blocksize",
        "server_hostname",
        "socket_options",
        "source_address",
        "ssl_context",
        "ssl_maximum_version",
        "ssl_minimum_version",
    )
)
# Settings of urllib3's own pools that have no meaning here, or another way of being set.
_IGNORED = frozenset(("timeout", "retries", "maxsize", "block", "headers", "strict"))


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


class HTTPAdapter(BaseAdapter):
    """Sends over a ConnectionPool, its own or one that is shared. May be used from any thread.

    `pool_maxsize` is how many connections to one host may be open when `pool_block` says that threads wait for them;
    otherwise, and for `pool_connections`, the pool's own limits hold. `max_retries` is kept for the Session's policy.

    `tee`, when set, is called with each prepared request and gives a Tee that sees its bytes, or None.
    """

    __attrs__ = ["max_retries", "config", "_pool_connections", "_pool_maxsize", "_pool_block"]

    tee: Callable[[Any], Tee | None] | None = None

    def __init__(
        self,
        pool_connections: int = DEFAULT_POOLSIZE,
        pool_maxsize: int = DEFAULT_POOLSIZE,
        max_retries: Any = 0,
        pool_block: bool = False,
        *,
        pool: ConnectionPool | None = None,
    ) -> None:
        self.max_retries = max_retries
        self.config: dict[str, Any] = {}
        self._pool_connections = pool_connections
        self._pool_maxsize = pool_maxsize
        self._pool_block = pool_block
        self.pool = pool  # type: ignore[assignment] # made by init_poolmanager when there is none
        self._options: tuple[tuple[str, Any], ...] = ()
        self._context: Any = None
        self.init_poolmanager(pool_connections, pool_maxsize, block=pool_block)

    pool: ConnectionPool

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name, None) for name in self.__attrs__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.config = {}
        self._options, self._context = (), None
        self.pool = None  # type: ignore[assignment]
        for name, value in state.items():
            setattr(self, name, value)
        self.init_poolmanager(self._pool_connections, self._pool_maxsize, block=self._pool_block)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        """Make the pool, unless there is one. Override it to pass on settings of connections, as with requests:

        `ssl_context`, `ssl_minimum_version`, `ssl_maximum_version`, `assert_hostname`, `assert_fingerprint`,
        `server_hostname`, `source_address`, `socket_options`. TypeError names any other.
        """
        unknown = pool_kwargs.keys() - _OPTIONS - _IGNORED
        if unknown:
            raise TypeError(
                f"init_poolmanager() does not know {', '.join(sorted(unknown))}; it knows {', '.join(sorted(_OPTIONS))}"
            )
        self._context = pool_kwargs.pop("ssl_context", None)
        self._options = tuple(sorted((n, v) for n, v in pool_kwargs.items() if n in _OPTIONS and v is not None))
        if self.pool is None:
            self.pool = ConnectionPool(per_host=maxsize if block else None)

    @property
    def poolmanager(self) -> ConnectionPool:
        """The pool, under requests' name."""
        return self.pool

    # --- what may be overridden -------------------------------------------------------------------------------------

    def add_headers(self, request: Any, **kwargs: Any) -> None:
        """Change the request's headers just before it is sent; does nothing here."""

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Called with each connection for https that is about to be opened; does nothing here."""

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        """The headers for the proxy at this URL: Proxy-Authorization, when the URL has a user name."""
        where = routes.proxy_at(proxy)
        if not where.username:
            return {}
        return {"Proxy-Authorization": routes.basic_auth(where.username, where.password or "")}

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

    def get_connection_with_tls_context(self, request: Any, verify: Any, proxies: Any = None, cert: Any = None) -> Key:
        """What decides which connections a request may use: origin, proxy, TLS settings."""
        return self._key(request, routes.place_of(request.url), verify, cert, proxies)

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
        times = times_for(timeout, deadline)
        try:
            place, target = routes.split(request.url)
            key = self._key(request, place, verify, cert, proxies)
            self.add_headers(request, stream=stream, timeout=timeout, verify=verify, cert=cert, proxies=proxies)
            if type(self).request_url is not HTTPAdapter.request_url or key.is_forwarded:
                target = self.request_url(request, proxies)
            out = self._outgoing(request, target, place, key)
        except errors.RequestException as error:
            raise faults.border(error, request, phase=faults.CONNECT) from error.__cause__
        pool = self.pool
        share = pool.check_out()
        try:
            return self._exchange(request, out, key, times, share, max_body)
        finally:
            pool.check_in(share)

    def _outgoing(self, request: Any, target: str, place: Place, key: Key) -> Outgoing:
        proxy = key.proxy
        return outgoing(
            request.method,
            target,
            place.field,
            request.headers,
            request.body,
            proxy_fields=proxy.headers if proxy is not None and key.is_forwarded else (),
            hide_proxy_authorization=place.scheme == "https",
        )

    def _key(self, request: Any, place: Place, verify: Any, cert: Any, proxies: Any) -> Key:
        proxy: Proxy | None = None
        if proxies and (url := select_proxy(request.url, proxies)):
            proxy = self._proxy(request, place, url)
        tls: TLSSettings | None = None
        if place.scheme == "https" or (proxy is not None and proxy.scheme == "https"):
            tls = settings(verify, cert, self._context)
        return Key(place.netloc, place.scheme, place.host, place.port, proxy, tls, self._options)

    def _proxy(self, request: Any, place: Place, url: str) -> Proxy:
        proxy = routes.proxy_at(url)
        fields = dict(self.proxy_headers(url if "://" in url else f"http://{url}"))
        # Credentials that somebody put on a request for an https origin were meant for the proxy before it.
        given = request.headers.get("Proxy-Authorization") if place.scheme == "https" else None
        if given is not None and not any(name.lower() == "proxy-authorization" for name in fields):
            fields["Proxy-Authorization"] = given if isinstance(given, str) else given.decode("latin-1")
        return proxy._replace(headers=tuple(fields.items()))

    def _exchange(
        self, request: Any, out: Outgoing, key: Key, times: Times, share: Share, max_body: int | None
    ) -> Response:
        pool = self.pool
        wire = self._lease(request, key, times, share)
        phase, crowded = faults.CONNECT, False
        try:
            while True:
                if self.tee is not None:
                    wire.tee = self.tee(request)
                reused = wire.uses
                try:
                    if wire.sock is None:
                        phase = faults.CONNECT
                        self._open(wire, request, key, times)
                    if wire.tee is not None:
                        wire.tee.connected(wire.address if key.proxy is None else None)
                    wire.begin(times.read, times.deadline)
                    phase = faults.SEND
                    wire.transmit(out.first, out.rest)
                    phase = faults.HEAD
                    head = wire.read_head()
                    break
                except Gone as gone:
                    # The server closed an idle connection while the request was on its way: no fault, no attempt.
                    if not reused or not _may_repeat(request, out, gone):
                        raise
                    out = self._again(request, out, key)
                except OSError as error:
                    # Out of file descriptors: idle connections hold some.
                    if error.errno not in _NO_DESCRIPTORS or crowded or not pool.close_idle():
                        raise
                    crowded = True
                wire.end(truncated=True)
                wire = pool.renew(wire)
            length, keep = bodies.framing(head, request.method)
        except BaseException as error:  # noqa: BLE001 - every one is raised again, ours in place of what is foreign
            late = times.is_late()
            wire.end(truncated=True)
            pool.release(wire, keep=False)
            outcome = faults.border(error, request, phase=phase, key=key, late=late)
            raise outcome from outcome.__cause__
        if out.last or wire.half_sent:
            keep = False
        return self.build_response(request, self._raw(request, wire, head, length, keep, max_body))

    def _raw(self, request: Any, wire: Wire, head: Head, length: int, keep: bool, max_body: int | None) -> RawResponse:
        if 0 <= length <= wire.buffered():
            # The usual page: it is all here, so the connection goes back before anybody looks at the answer.
            body = wire.take(length) if length else b""
            if wire.tee is not None:
                wire.end(truncated=False)
            self.pool.release(wire, keep=keep)
            return RawResponse(head, request, whole=body, max_body=max_body)
        held = Held(wire, bodies.reader(wire, length), keep, self.pool)
        return RawResponse(head, request, held=held, max_body=max_body)

    def _lease(self, request: Any, key: Key, times: Times, share: Share) -> Wire:
        try:
            return self.pool.lease(key, share, until=times.connect_until(), deadline=times.deadline)
        except (errors.RequestException, ssl.SSLError) as error:
            raise faults.border(error, request, phase=faults.CONNECT, key=key) from error.__cause__

    def _open(self, wire: Wire, request: Any, key: Key, times: Times) -> None:
        if key.scheme == "https":
            self.cert_verify(wire, request.url, key.tls.verify if key.tls else True, key.tls.cert if key.tls else None)
        if key.tls is not None and key.tls.verify is False:
            warn_of_unverified(key.netloc, key.options)
        wire.open(times.connect_until())

    def _again(self, request: Any, out: Outgoing, key: Key) -> Outgoing:
        if out.rest is None:
            return out
        rewind_body(request)
        place, target = routes.split(request.url)
        return self._outgoing(request, target, place, key)

    def close(self) -> None:
        """Close the pool's idle connections. It may be used again."""
        self.pool.close()


_NO_DESCRIPTORS = (errno.EMFILE, errno.ENFILE)


def _may_repeat(request: Any, out: Outgoing, gone: Gone) -> bool:
    """Whether a request that got no answer on a used connection may go out once more on a new one."""
    spec = getattr(request, "spec", None)
    if not gone.unsent and request.method not in _IDEMPOTENT and not getattr(spec, "safe", None):
        return False
    return out.rest is None or bool(getattr(request, "resendable", False))

"""Exchanging: one request and the head of its answer, over a connection of a pool.

What belongs here: taking a connection, sending, reading the head, the one repetition on a stale connection. What does not:
which connection a request may use (adapter.py, connecting.py), tries after a failure (counting.py), limits (pool.py),
bytes (wire.py).
"""

from __future__ import annotations

import errno
import ssl
from collections.abc import Callable
from typing import Any

from crawlkit import exceptions as errors
from crawlkit.sessions import bodies, faults
from crawlkit.sessions.body import can_resend, rewind_body
from crawlkit.sessions.channel import Gone
from crawlkit.sessions.heads import Head
from crawlkit.sessions.held import Held
from crawlkit.sessions.outgoing import Outgoing, outgoing
from crawlkit.sessions.pool import ConnectionPool
from crawlkit.sessions.raw import RawResponse
from crawlkit.sessions.routes import Key, Place
from crawlkit.sessions.share import Share
from crawlkit.sessions.tee import Tee
from crawlkit.sessions.timeouts import Times
from crawlkit.sessions.tls import warn_of_unverified
from crawlkit.sessions.wire import Wire

# What may be done twice without harm (RFC 9110 section 9.2.2): a server that closed without a word may have done it.
_IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"))

_NO_DESCRIPTORS = (errno.EMFILE, errno.ENFILE)


class Exchanging:
    """The half of an HTTPAdapter that speaks. May be used from any thread."""

    pool: ConnectionPool

    tee: Callable[[Any], Tee | None] | None = None

    def _exchange(
        self, request: Any, place: Place, target: str, key: Key, times: Times, max_body: int | None, again: bool = False
    ) -> RawResponse:
        """Send `request` and read the head of the answer. `place` says the Host, `key` which connections will do;
        `again`: its body may have been sent before, and goes back to its start.
        """
        try:
            if again:
                rewind(request)
            out = _outgoing(request, place, target, key)
        except errors.RequestException as error:
            raise faults.border(error, request, phase=faults.CONNECT) from error.__cause__
        pool = self.pool
        share = pool.check_out()
        try:
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
                            _open(wire, key, times)
                        if wire.tee is not None:
                            _tell_where(wire.tee, wire, place, key)
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
                        if out.rest is not None:
                            rewind(request)
                            out = _outgoing(request, place, target, key)
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
                try:
                    wire.end(truncated=True)
                finally:  # who listens may have no room left
                    pool.release(wire, keep=False)
                outcome = faults.border(error, request, phase=phase, key=key, late=late)
                raise outcome from outcome.__cause__
            return self._raw(request, wire, head, length, keep and not (out.last or wire.half_sent), max_body)
        finally:
            pool.check_in(share)

    def _raw(self, request: Any, wire: Wire, head: Head, length: int, keep: bool, max_body: int | None) -> RawResponse:
        if 0 <= length <= wire.buffered():
            # The usual page: it is all here, so the connection goes back before anybody looks at the answer.
            body = wire.take(length) if length else b""
            try:
                if wire.tee is not None:
                    wire.end(truncated=False)
            finally:
                self.pool.release(wire, keep=keep)
            return RawResponse(head, request, whole=body, max_body=max_body)
        held = Held(wire, bodies.reader(wire, length), keep, self.pool)
        return RawResponse(head, request, held=held, max_body=max_body)

    def _lease(self, request: Any, key: Key, times: Times, share: Share) -> Wire:
        try:
            return self.pool.lease(key, share, until=times.connect_until(), deadline=times.deadline)
        except (errors.RequestException, ssl.SSLError) as error:
            raise faults.border(error, request, phase=faults.CONNECT, key=key) from error.__cause__


def _outgoing(request: Any, place: Place, target: str, key: Key) -> Outgoing:
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


def rewind(request: Any) -> None:
    """Put a body that is a stream back to its start. UnrewindableBodyError when it cannot go there."""
    if not can_resend(request.body, None):
        rewind_body(request)


def _open(wire: Wire, key: Key, times: Times) -> None:
    if key.tls is not None and key.tls.verify is False:
        warn_of_unverified(key.netloc, key.options)
    wire.open(times.connect_until())


def _tell_where(tee: Tee, wire: Wire, place: Place, key: Key) -> None:
    # The address, and TLS in front of a proxy that forwards, are the proxy's.
    tee.connected(
        wire.address if key.proxy is None else None,
        wire.tls_version if place.scheme == "https" else None,
    )


def _may_repeat(request: Any, out: Outgoing, gone: Gone) -> bool:
    """Whether a request that got no answer on a used connection may go out once more on a new one."""
    spec = getattr(request, "spec", None)
    if not gone.unsent and request.method not in _IDEMPOTENT and not getattr(spec, "safe", None):
        return False
    return out.rest is None or bool(getattr(request, "resendable", False))

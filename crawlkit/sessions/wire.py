"""One connection: urllib3 opens it (TCP, TLS, proxies), we say what goes over it and read what comes back.

What belongs here: bytes out, bytes in, within the time allowed, and the head of the answer. What does not: which connection
a request gets (pool.py), the bytes of the request (outgoing.py), where the body ends (bodies.py), errors as the user sees
them (faults.py): what is raised here are OSErrors and the like.

Time: `deadline` is an instant of time.monotonic(), checked before every call on the socket, whose timeout is the shorter of
what is left and the read timeout. A server that sends one byte a second therefore ends on time.

A connection belongs to one exchange, and so to one thread, at a time.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.connection import create_connection

from crawlkit.exceptions import AddressForbidden, BadResponse, ChunkedEncodingError
from crawlkit.sessions import heads
from crawlkit.sessions.addresses import AddressPolicy
from crawlkit.sessions.polling import Watch
from crawlkit.sessions.resolver import Resolver

if TYPE_CHECKING:
    from crawlkit.sessions.pool import Slot
    from crawlkit.sessions.routes import Key

_RECEIVE = 64 * 1024
_MAX_INTERIM = 100  # 1xx answers before the final one; an endless row of them must end
_UNSET = -1.0


class Tee(Protocol):
    """Sees the exact bytes of one exchange (below TLS decryption, above it for a proxy's CONNECT, which is not shown)."""

    def sent(self, data: bytes) -> None:
        """Bytes of the request, in order."""

    def received(self, data: bytes) -> None:
        """Bytes of the answer, 1xx answers included, framing as it came; nothing of what follows the answer's end."""

    def done(self, truncated: bool) -> None:
        """The exchange is over; `truncated` when the answer did not come whole. Called once."""


class Gone(ConnectionError):
    """The server closed the connection before any byte of an answer. `unsent`: before it was sent anything, too."""

    def __init__(self, message: str, *, unsent: bool) -> None:
        super().__init__(message)
        self.unsent = unsent


class TunnelRefused(Exception):
    """The proxy answered CONNECT with something else than 2xx."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}".strip())
        self.status = status


class Unsendable(Exception):
    """The body that was being sent raised; `__cause__` is what, and it is the program's own."""


_BROKEN = (BrokenPipeError, ConnectionResetError, ConnectionAbortedError, ssl.SSLEOFError, ssl.SSLZeroReturnError)


class Wire(HTTPConnection):
    """A connection without TLS; also the half of a TLS connection that is ours.

    `uses` counts exchanges begun, `opened_at` and `idle_since` are monotonic seconds, `key` and `slot` the pool's.
    """

    sock: Any
    key: Key
    slot: Slot
    resolver: Resolver
    policy: AddressPolicy | None = None
    tee: Tee | None = None
    uses = 0
    opened_at = 0.0
    idle_since = 0.0
    address: str | None = None
    """The numeric address connected to, for a proxied connection the proxy's; None before."""

    _deadline: float | None = None
    _read_timeout: float | None = None
    _armed: float | None = _UNSET
    _incoming: bytes = b""
    _at = 0
    _watch: Watch | None = None
    _unsent = False  # the very first send failed
    _half_sent = False

    # --- opening ----------------------------------------------------------------------------------------------------

    def open(self, until: float | None) -> None:
        """Connect, through the proxy and with the TLS that the key says, before the instant `until`."""
        self._deadline, self._read_timeout = until, None
        try:
            self.connect()
        except BaseException:
            self.close()
            raise
        self._armed = _UNSET
        self.opened_at = time.monotonic()

    def _new_conn(self) -> socket.socket:
        host, port = self._dns_host.strip("[]"), self.port
        addresses = self.resolver.resolve(host, timeout=self._left())
        error: Exception | None = None
        for index, address in enumerate(addresses):
            try:
                if self.policy is not None:
                    self.policy.check(host, port, address.ip)
                left = self._left()
                # A share of the time for each address, so that a silent one leaves some for the next.
                timeout = None if left is None else left / (len(addresses) - index)
                sock = self._connect_to(address.ip, port, timeout)
            except AddressForbidden as forbidden:
                error = error or forbidden
            except OSError as failed:
                self.resolver.failed(address)
                error = failed
            else:
                self.address = address.ip
                sock.settimeout(self._left())
                return sock
        raise error or OSError(f"{host!r} has no address")

    def _connect_to(self, ip: str, port: int, timeout: float | None) -> socket.socket:
        return create_connection(
            (ip, port), timeout, source_address=self.source_address, socket_options=self.socket_options
        )

    def _tunnel(self) -> None:
        host: Any = self._tunnel_host
        name = host.decode("ascii") if isinstance(host, bytes) else host.strip("[]")
        target = f"[{name}]:{self._tunnel_port}" if ":" in name else f"{name}:{self._tunnel_port}"
        fields = {"Host": target, **self._tunnel_headers}  # type: ignore[attr-defined]
        lines = [f"CONNECT {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        tee, self.tee = self.tee, None  # the proxy's conversation is no part of the exchange
        self.transmit(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        head = self.read_head()
        self.tee = tee
        if not 200 <= head.status < 300:
            raise TunnelRefused(head.status, head.reason)
        if self._incoming:
            raise BadResponse("the proxy sent bytes of its own before the tunnel was in use")
        self.sock.settimeout(self._left())

    def close(self) -> None:
        """Close the socket. A process that was forked does not disturb its parent by it."""
        self._watch = None
        super().close()

    def is_clean(self) -> bool:
        """Whether an idle connection can be used: still open, and nothing has come that nobody asked for."""
        if self._incoming or self.sock is None:
            return False
        watch = self._watch
        if watch is None:
            watch = self._watch = Watch(self.sock)
        return not watch.is_readable() or self._only_tls_news()

    def _only_tls_news(self) -> bool:
        """Whether what can be read is TLS's own (session tickets, key updates) and no data."""
        if not isinstance(self.sock, ssl.SSLSocket):
            return False
        self._armed = _UNSET
        self.sock.settimeout(0)
        try:
            self.sock.recv(1)
        except ssl.SSLWantReadError:
            return True
        except OSError:
            pass
        return False

    # --- time -------------------------------------------------------------------------------------------------------

    def begin(self, read_timeout: float | None, deadline: float | None) -> None:
        """Start an exchange with its own times: seconds between bytes, and the instant when all must be over."""
        self.uses += 1
        self._half_sent = self._unsent = False
        self.set_times(read_timeout, deadline)

    def set_times(self, read_timeout: float | None, deadline: float | None) -> None:
        """Change the times of the exchange that is under way."""
        self._read_timeout = read_timeout
        self._deadline = deadline
        if deadline is None and self._armed != read_timeout:
            self._armed = read_timeout
            self.sock.settimeout(read_timeout)

    def end(self, *, truncated: bool) -> None:
        """The exchange is over; tell who listens."""
        tee, self.tee = self.tee, None
        if tee is not None:
            tee.done(truncated)

    def is_late(self) -> bool:
        """Whether the deadline has passed."""
        return self._deadline is not None and time.monotonic() >= self._deadline

    def _left(self) -> float | None:
        if self._deadline is None:
            return None
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("no time left")
        return left

    def _arm(self) -> None:
        timeout = self._left()
        read = self._read_timeout
        if timeout is None or (read is not None and read < timeout):
            timeout = read
        if timeout != self._armed:
            self._armed = timeout
            self.sock.settimeout(timeout)

    # --- out --------------------------------------------------------------------------------------------------------

    def transmit(self, data: bytes, rest: Iterable[bytes] | None = None) -> None:
        """Send `data` at once, then the pieces of `rest`.

        A server that answers and closes, or refuses before it has everything, ends the sending without an error: its
        answer is there to be read.
        """
        if self._deadline is not None:
            self._arm()
        try:
            self.sock.sendall(data)
        except _BROKEN:
            self._half_sent = self._unsent = True
            return
        if self.tee is not None:
            self.tee.sent(data)
        if rest is not None:
            self._transmit_rest(rest)

    def _transmit_rest(self, pieces: Iterable[bytes]) -> None:
        listening = True
        watch = Watch(self.sock)
        for piece in _guarded(pieces):
            view = memoryview(piece)
            while view:
                self._arm()
                readable, writable = watch.wait(self._armed)
                if not readable and not writable:
                    raise TimeoutError("timed out")
                if readable and listening:
                    listening = self._overheard()
                    if self._half_sent:
                        return
                if not writable:
                    if not listening:
                        # The answer has begun and nobody reads it yet: wait for room alone, not in a circle.
                        writable = True
                    else:
                        continue
                try:
                    count = self.sock.send(view[:_RECEIVE])
                except _BROKEN:
                    self._half_sent = True
                    return
                if self.tee is not None:
                    self.tee.sent(bytes(view[:count]))
                view = view[count:]

    def _overheard(self) -> bool:
        """Something came while a body was being sent: an answer already? Whether to go on listening.

        An answer from 300 on means that the rest of the body is not wanted (RFC 9112 section 9.5). After an earlier 2xx
        the body is sent to its end: there are servers that answer while they read.
        """
        try:
            self.sock.settimeout(0)
            self._armed = _UNSET
            data = self.sock.recv(_RECEIVE)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return True
        except _BROKEN:
            data = b""
        finally:
            self._arm()
        if not data:
            self._half_sent = True
            return False
        self._incoming += data
        while (end := heads.find_end(self._compacted())) >= 0:
            status = heads.read(self._incoming[:end]).status
            if status == 101 or status >= 200:
                self._half_sent = status >= 300
                return False
            self._consume(end)
        return self.buffered() < heads.MAX_BYTES

    @property
    def half_sent(self) -> bool:
        """Whether the server did not take the whole request; the connection is of no use after the answer."""
        return self._half_sent

    # --- in ---------------------------------------------------------------------------------------------------------

    def receive(self, limit: int) -> bytes:
        """Bytes from the socket, past our buffer; b"" when the other side closed. TimeoutError in time."""
        if self._deadline is not None:
            self._arm()
        data: bytes = self.sock.recv(limit)
        return data

    def read_head(self) -> heads.Head:
        """The head of the answer; 1xx answers (but 101) are skipped. Raises Gone, BadResponse, OSError."""
        for _ in range(_MAX_INTERIM):
            data = self._compacted() or self._first_bytes()
            end = heads.find_end(data)
            if end < 0:
                data, end = self._whole_head(data)
            self._incoming = data
            head = heads.read(data[:end])
            self._consume(end)
            if head.status >= 200 or head.status == 101:
                return head
        raise BadResponse(f"{_MAX_INTERIM} interim answers and no final one")

    def _first_bytes(self) -> bytes:
        try:
            data = self.receive(_RECEIVE)
        except _BROKEN as error:
            raise Gone(str(error), unsent=self._unsent) from error
        if not data:
            raise Gone("the server closed the connection without an answer", unsent=self._unsent)
        return data

    def _whole_head(self, start: bytes) -> tuple[bytes, int]:
        data = bytearray(start)
        while True:
            if not heads.is_http(data):
                raise self._unreadable(data, f"the answer is not HTTP/1: it begins with {bytes(data[:40])!r}")
            if len(data) > heads.MAX_BYTES:
                raise self._unreadable(data, f"the head of the answer is larger than {heads.MAX_BYTES} bytes")
            seen = len(data)
            more = self.receive(_RECEIVE)
            if not more:
                raise self._unreadable(data, "the connection closed within the head of the answer")
            data += more
            end = heads.find_end(data, max(seen - 3, 0))
            if end >= 0:
                if end > heads.MAX_BYTES:
                    raise self._unreadable(data, f"the head of the answer is larger than {heads.MAX_BYTES} bytes")
                return bytes(data), end

    def _unreadable(self, data: bytearray, message: str) -> BadResponse:
        if self.tee is not None:
            self.tee.received(bytes(data))
        return BadResponse(message)

    def _consume(self, count: int) -> bytes:
        """Take `count` bytes out of the buffer, which has them."""
        start = self._at
        end = self._at = start + count
        buffer = self._incoming
        piece = buffer if count == len(buffer) else buffer[start:end]
        if end >= len(buffer):
            self._incoming, self._at = b"", 0
        if self.tee is not None:
            self.tee.received(piece)
        return piece

    def _compacted(self) -> bytes:
        """The buffer, from its first byte that was not taken."""
        if self._at:
            self._incoming = self._incoming[self._at :]
            self._at = 0
        return self._incoming

    def buffered(self) -> int:
        """How many bytes have come and were not taken."""
        return len(self._incoming) - self._at

    def take(self, limit: int) -> bytes:
        """Between 1 and `limit` bytes of the body; b"" when the other side closed."""
        if self._incoming:
            return self._consume(min(limit, len(self._incoming) - self._at))
        data = self.receive(limit if limit < _RECEIVE else _RECEIVE)
        if self.tee is not None and data:
            self.tee.received(data)
        return data

    def take_line(self, limit: int) -> bytes:
        """Up to and including the next LF; b"" when the other side closed before it."""
        while True:
            end = self._incoming.find(b"\n", self._at)
            length = (end + 1 if end >= 0 else len(self._incoming)) - self._at
            if 0 <= end and length <= limit:
                return self._consume(length)
            if length > limit:
                raise ChunkedEncodingError(f"a line of the body's framing is longer than {limit} bytes")
            more = self.receive(_RECEIVE)
            if not more:
                if self._incoming:
                    self._consume(len(self._incoming) - self._at)
                return b""
            self._incoming = self._compacted() + more


def _guarded(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces; what goes wrong in making them is kept apart from what goes wrong on the socket."""
    ends = iter(pieces)
    while True:
        try:
            piece = next(ends)
        except StopIteration:
            return
        except Exception as error:
            raise Unsendable from error
        yield piece


class TLSWire(Wire, HTTPSConnection):
    """A connection with TLS to the origin, or to a proxy that is spoken to over TLS."""

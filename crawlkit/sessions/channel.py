"""Channel: bytes out and bytes in over a socket that is open, within the time allowed, and the head of an answer.

What belongs here: sending, listening while a long body is sent, receiving, the buffer between. What does not: opening
sockets (wire.py), the bytes of a request (outgoing.py), where a body ends (bodies.py), errors as the user sees them
(faults.py): what is raised here are OSErrors and the like.

Time: `deadline` is an instant of time.monotonic(), checked before every call on the socket, whose timeout is the
shorter of what is left and the read timeout. A server that sends one byte a second therefore ends on time.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Iterator
from typing import Any

from crawlkit.exceptions import BadResponse, ChunkedEncodingError
from crawlkit.sessions import heads
from crawlkit.sessions.polling import Watch
from crawlkit.sessions.tee import Tee

_RECEIVE = 64 * 1024
_RECORD = 16 * 1024
_MAX_INTERIM = 100  # 1xx answers before the final one; an endless row of them must end
UNSET = -1.0  # no timeout of a socket


class Gone(ConnectionError):
    """The server closed the connection before any byte of an answer. `unsent`: before it was sent anything, too."""

    def __init__(self, message: str, *, unsent: bool) -> None:
        super().__init__(message)
        self.unsent = unsent


class Unsendable(Exception):
    """The body that was being sent raised; `__cause__` is what, and it is the program's own."""


_BROKEN = (BrokenPipeError, ConnectionResetError, ConnectionAbortedError, ssl.SSLEOFError, ssl.SSLZeroReturnError)


class Channel:
    """One socket and the exchange that is on it. Belongs to one exchange, and so to one thread, at a time.

    `uses` counts exchanges begun; `tee` sees the bytes of the one under way.
    """

    sock: Any
    tee: Tee | None = None
    uses = 0

    _deadline: float | None = None
    _read_timeout: float | None = None
    _armed: float | None = UNSET
    _incoming: bytes = b""
    _at = 0
    _watch: Watch | None = None
    _unsent = False  # the very first send failed: nothing of the request can have been read
    _half_sent = False
    _cut: str | None = None  # why the answer will not come whole

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
        self._armed = UNSET
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
        self._cut = None
        self.set_times(read_timeout, deadline)

    def set_times(self, read_timeout: float | None, deadline: float | None) -> None:
        """Change the times of the exchange that is under way."""
        self._read_timeout = read_timeout
        self._deadline = deadline
        if deadline is None and self._armed != read_timeout:
            self._armed = read_timeout
            self.sock.settimeout(read_timeout)

    def cut(self, reason: str) -> None:
        """Say why the rest of the answer will not be read, in the words of Tee.done; the first reason holds."""
        self._cut = self._cut or reason

    def end(self, *, truncated: bool) -> None:
        """The exchange is over; tell who listens."""
        tee = self.tee
        if tee is None:
            return
        try:
            if truncated and self.buffered():
                # Read and not yet understood: the answer has no end, so that all of it is the answer's.
                self._consume(self.buffered())
        finally:
            self.tee = None
            tee.done((self._cut or "unspecified") if truncated else None)

    @property
    def tls_version(self) -> str | None:
        """The version of TLS that is spoken, such as `TLSv1.3`; None without TLS."""
        version = getattr(self.sock, "version", None)
        return None if version is None else version()

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
            # No more than one record of TLS, of which a server can make nothing unless it has all of it.
            count = self.sock.send(data if len(data) <= _RECORD else memoryview(data)[:_RECORD])
        except _BROKEN:
            self._half_sent = self._unsent = True
            return
        if count < len(data):
            try:
                self.sock.sendall(memoryview(data)[count:])
            except _BROKEN:
                # The server may have read, and done, what is asked: only the caller knows whether it may be done twice.
                self._half_sent = True
                data = data[:count]
            except BaseException:
                self._tell_sent(data[:count])
                raise
        self._tell_sent(data)
        if self._half_sent:
            return
        if rest is not None:
            self._transmit_rest(rest)

    def _tell_sent(self, data: bytes) -> None:
        if self.tee is not None:
            self.tee.sent(data)

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
            self._armed = UNSET
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
        try:
            if self._deadline is not None:
                self._arm()
            data: bytes = self.sock.recv(limit)
        except OSError as error:
            self.cut("time" if isinstance(error, TimeoutError) else "disconnect")
            raise
        if not data:
            self.cut("disconnect")
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
        try:
            end = self._read_to_blank_line(data)
        finally:
            # Also what came of a head that has no end: it is shown when the exchange ends.
            self._incoming, self._at = bytes(data), 0
        return self._incoming, end

    def _read_to_blank_line(self, data: bytearray) -> int:
        while True:
            if not heads.is_http(data):
                raise BadResponse(f"the answer is not HTTP/1: it begins with {bytes(data[:40])!r}")
            if len(data) > heads.MAX_BYTES:
                raise BadResponse(f"the head of the answer is larger than {heads.MAX_BYTES} bytes")
            seen = len(data)
            more = self.receive(_RECEIVE)
            if not more:
                raise BadResponse("the connection closed within the head of the answer")
            data += more
            end = heads.find_end(data, max(seen - 3, 0))
            if end >= 0:
                if end > heads.MAX_BYTES:
                    raise BadResponse(f"the head of the answer is larger than {heads.MAX_BYTES} bytes")
                return end

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
            if end >= 0 and length <= limit:
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

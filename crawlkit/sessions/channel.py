"""Channel: one exchange over a socket that is open: its beginning and end, the request out, the head of the answer in.

What belongs here: sending, listening while a long body is sent, reading the head. What does not: what has come and was
not taken (incoming.py), the time allowed (timedsocket.py), opening sockets (wire.py), the bytes of a request
(outgoing.py), where a body ends (bodies.py), errors as the user sees them (faults.py): what is raised here are OSErrors
and the like.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator

from crawlkit.exceptions import BadResponse
from crawlkit.sessions import heads
from crawlkit.sessions.incoming import RECEIVE_BYTES, Incoming
from crawlkit.sessions.polling import Watch
from crawlkit.sessions.timedsocket import UNSET

_RECORD = 16 * 1024
_MAX_INTERIM = 100  # 1xx answers before the final one; an endless row of them must end


class Gone(ConnectionError):
    """The server closed the connection before any byte of an answer. `unsent`: before it was sent anything, too."""

    def __init__(self, message: str, *, unsent: bool) -> None:
        super().__init__(message)
        self.unsent = unsent


class Unsendable(Exception):
    """The body that was being sent raised; `__cause__` is what, and it is the program's own."""


_BROKEN = (BrokenPipeError, ConnectionResetError, ConnectionAbortedError, ssl.SSLEOFError, ssl.SSLZeroReturnError)


class Channel(Incoming):
    """One socket and the exchange that is on it. Belongs to one exchange, and so to one thread, at a time.

    `uses` counts exchanges begun; `tee` sees the bytes of the one under way.
    """

    uses = 0

    _watch: Watch | None = None
    _unsent = False  # the very first send failed: nothing of the request can have been read
    _half_sent = False

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

    # --- an exchange ------------------------------------------------------------------------------------------------

    def begin(self, read_timeout: float | None, deadline: float | None) -> None:
        """Start an exchange with its own times: seconds between bytes, and the instant when all must be over."""
        self.uses += 1
        self._half_sent = self._unsent = False
        self._cut = None
        self.set_times(read_timeout, deadline)

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
                    count = self.sock.send(view[:RECEIVE_BYTES])
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
            data = self.sock.recv(RECEIVE_BYTES)
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

    # --- the answer's head -----------------------------------------------------------------------------------------

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
            data = self.receive(RECEIVE_BYTES)
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
            more = self.receive(RECEIVE_BYTES)
            if not more:
                raise BadResponse("the connection closed within the head of the answer")
            data += more
            end = heads.find_end(data, max(seen - 3, 0))
            if end >= 0:
                if end > heads.MAX_BYTES:
                    raise BadResponse(f"the head of the answer is larger than {heads.MAX_BYTES} bytes")
                return end


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

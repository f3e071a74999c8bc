"""Incoming: what comes over a socket, and the buffer of what has come and was not taken.

What belongs here: receiving within the time allowed, taking pieces and lines, telling the tee of them, and why no more
will come. What does not: what the bytes mean (heads.py, bodies.py), sending (channel.py).
"""

from __future__ import annotations

from crawlkit.exceptions import ChunkedEncodingError
from crawlkit.sessions.tee import Tee
from crawlkit.sessions.timedsocket import TimedSocket

#: How much is read, and of a long body sent, at once.
RECEIVE_BYTES = 64 * 1024


class Incoming(TimedSocket):
    """The side of one socket that is read. Used by one thread at a time. `tee` sees what is taken."""

    tee: Tee | None = None

    _incoming: bytes = b""
    _at = 0
    _cut: str | None = None  # why the answer will not come whole

    def cut(self, reason: str) -> None:
        """Say why the rest of the answer will not be read, in the words of Tee.done; the first reason holds."""
        self._cut = self._cut or reason

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
        data = self.receive(limit if limit < RECEIVE_BYTES else RECEIVE_BYTES)
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
            more = self.receive(RECEIVE_BYTES)
            if not more:
                if self._incoming:
                    self._consume(len(self._incoming) - self._at)
                return b""
            self._incoming = self._compacted() + more

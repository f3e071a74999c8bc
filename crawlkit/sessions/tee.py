"""Tee: who listens on a connection, for an archive.

What belongs here: what is told, and in which order. What does not: telling it (channel.py, exchanging.py), and what is
made of it (archive/capture.py).
"""

from __future__ import annotations

from typing import Protocol


class Tee(Protocol):
    """Sees the exact bytes of one exchange: what is inside TLS and a proxy's tunnel. The CONNECT is not shown."""

    def connected(self, address: str | None, tls: str | None) -> None:
        """The numeric address of the server, None behind a proxy; the version of TLS spoken with it, as `TLSv1.3`.
        Called first, and not at all when no connection came about.
        """

    def sent(self, data: bytes) -> None:
        """Bytes of the request, in order."""

    def received(self, data: bytes) -> None:
        """Bytes of the answer, 1xx answers included, framing as it came; nothing of what follows the answer's end."""

    def done(self, truncated: str | None) -> None:
        """The exchange is over. Called once. `truncated`: None when the answer came whole, else why it did not:
        `disconnect` (the connection closed or broke), `time` (a timeout), `length` (it was larger than is wanted),
        `unspecified` (it was given up). The words are those of WARC 1.1 section 5.13.
        """

"""Capture: the bytes of one exchange, overheard on its connection, made into an Exchange.

What belongs here: what sessions/tee.py's Tee asks for. What does not: reading the bytes (exchange.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from crawlkit.archive.exchange import Exchange, bare
from crawlkit.archive.spool import Spool
from crawlkit.exceptions import BadResponse, StorageError
from crawlkit.sessions import heads

_TLS_NAMES = {"TLSv1.3": "tls/1.3", "TLSv1.2": "tls/1.2", "TLSv1.1": "tls/1.1", "TLSv1": "tls/1.0", "SSLv3": "ssl/3"}


class Capture:
    """A Tee of one exchange. Belongs to the thread that the exchange is in.

    `publish` is called with the Exchange when it is over, in that thread, and has to close it; it is not called for an
    exchange that brought no answer: a refused connection, a server that closed without a word (before the session asks
    it again), 1xx answers alone; nor when bytes could not be kept, which raises StorageError into the exchange. An
    exchange that a program forgets about is over when Python collects it, whatever thread that is in. `folder` is where
    bodies are spooled that are too large for memory; `clock` gives seconds since 1970.
    """

    __slots__ = (
        "_address",
        "_clock",
        "_folder",
        "_head_length",
        "_hops",
        "_is_lost",
        "_method",
        "_protocols",
        "_publish",
        "_request",
        "_response",
        "_started",
        "_unread",
        "_url",
        "_version",
        "_via",
    )

    def __init__(
        self,
        method: str,
        url: str,
        *,
        publish: Callable[[Exchange], object],
        folder: Path | None = None,
        via: str | None = None,
        hops: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._method = method
        self._url = bare(url)
        self._publish = publish
        self._folder = folder
        self._via = None if via is None else bare(via)
        self._hops = hops
        self._clock = clock
        self._started = clock()
        self._address: str | None = None
        self._protocols: tuple[str, ...] = ()
        self._version = 11
        self._request = Spool(folder)
        self._response = Spool(folder)
        self._head_length = 0
        self._is_lost = False  # some bytes could not be kept
        self._unread: bytes | None = b""  # what came of a head; None once it was found, or can be none

    def connected(self, address: str | None, tls: str | None = None) -> None:
        """The connection is there; the exchange begins now."""
        self._started = self._clock()
        self._address = address
        self._protocols = () if tls is None else (_TLS_NAMES.get(tls, tls.lower()),)

    def sent(self, data: bytes) -> None:
        """Bytes of the request."""
        self._keep(self._request, data)

    def received(self, data: bytes) -> None:
        """Bytes of the answer, or of a 1xx answer, which is dropped."""
        if self._unread is None:
            self._keep(self._response, data)
            return
        self._unread += data
        while (end := heads.find_end(self._unread)) >= 0:
            if self._take_head(self._unread[:end]):
                rest, self._unread = self._unread, None
                self._keep(self._response, rest)
                return
            self._unread = self._unread[end:]

    def _take_head(self, block: bytes) -> bool:
        """Whether `block` is no interim answer: the final head, or nothing that can be read."""
        try:
            head = heads.read(block)
        except BadResponse:
            return True
        if head.status < 200 and head.status != 101:
            return False
        self._head_length = len(block)
        self._version = head.version
        return True

    def _keep(self, spool: Spool, data: bytes) -> None:
        try:
            spool.write(data)
        except StorageError:
            self._is_lost = True
            raise

    def done(self, truncated: str | None) -> None:
        """The exchange is over."""
        if self._unread and not self._is_lost:
            self._keep(self._response, self._unread)
        self._unread = b""
        if self._is_lost or not self._response.size:
            self._request.close()
            self._response.close()
            return
        spoken = "http/1.0" if self._version == 10 else "http/1.1"
        self._publish(
            Exchange(
                method=self._method,
                url=self._url,
                started=self._started,
                address=self._address,
                protocols=(spoken, *self._protocols),
                request=self._request,
                response=self._response,
                head_length=self._head_length,
                truncated=truncated,
                via=self._via,
                hops=self._hops,
            )
        )

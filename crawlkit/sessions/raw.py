"""`Response.raw`: the body as it comes, with the interface of urllib3's HTTPResponse.

What belongs here: reading (decoded or not), limits, giving the connection back when the body ends. What does not:
the head (rawhead.py), lines and the rest of what files do (rawfile.py), framing (bodies.py), codings (decoding.py),
text and JSON (response.py).

A body that came whole with its head, as most do, never needs the connection: it was given back before this object was
made.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from threading import get_ident
from typing import TYPE_CHECKING, Any, NoReturn

from crawlkit.exceptions import BodyTooLarge
from crawlkit.sessions import bodies, faults
from crawlkit.sessions.decoding import Decoding, decoding_for
from crawlkit.sessions.heads import Head
from crawlkit.sessions.held import Held
from crawlkit.sessions.rawfile import RawFile
from crawlkit.sessions.rawhead import RawHead

if TYPE_CHECKING:
    from crawlkit.sessions.wire import Wire

_PIECE = 256 * 1024
_STREAM = 64 * 1024
_DRAIN_MAX = 64 * 1024
_LEAST_DECODED = 16 * 1024


class RawResponse(RawHead, RawFile):
    """One answer's head and undecoded body. Made by an adapter; read from one thread at a time.

    As with urllib3 the body is decoded only when `decode_content` asks for it. Reading raises crawlkit's exceptions:
    ChunkedEncodingError for a body that is cut off, ContentDecodingError, ReadTimeout, DeadlineExceeded, BodyTooLarge
    once more than `max_body` bytes came out, decoded or not; and the connection is closed then.
    """

    __slots__ = (
        "__dict__",  # programs put a `read` of their own here: partial(raw.read, decode_content=True)
        "__weakref__",
        "_ahead",
        "_closed",
        "_data",
        "_decoding",
        "_decoding_known",
        "_held",
        "_rest",
        "_retries",
        "_tell",
        "_whole",
        "auto_close",
        "decode_content",
        "enforce_content_length",
        "max_body",
        "produced",
    )

    def __init__(
        self,
        head: Head,
        request: Any,
        *,
        whole: bytes | None = None,
        held: Held | None = None,
        max_body: int | None = None,
    ) -> None:
        super().__init__(head, request)
        self._whole = whole  # the undecoded body that is in memory, until some of it is taken
        self._held = held
        self.max_body = max_body
        self.produced = 0
        self.auto_close = True  # as in urllib3: False keeps `closed` false at the end, for io.TextIOWrapper
        self.decode_content = False
        self._closed = False
        self.enforce_content_length = True
        self._retries: Any = None
        self._decoding: Decoding | None = None
        self._decoding_known = "content-encoding" not in head.store
        self._ahead: memoryview | None = None  # what a decoder gave beyond what was asked for
        self._rest: memoryview | None = None  # what of the undecoded body in memory is not yet taken
        self._tell = 0
        self._data: bytes | None = None

    @property
    def trailers(self) -> list[tuple[str, str]]:
        """The fields after a chunked body, once it is read; they are never mixed into the headers."""
        body = self._held.body if self._held is not None else None
        return body.trailers if isinstance(body, bodies.ChunkedBody) else []

    @property
    def chunked(self) -> bool:
        """Whether the body came in chunks."""
        return self._held is not None and isinstance(self._held.body, bodies.ChunkedBody)

    @property
    def length_remaining(self) -> int | None:
        """How many undecoded bytes are still to come, where the head says so."""
        if self._whole is not None:
            return len(self._whole)
        if self._rest is not None:
            return len(self._rest)
        if self._held is None or self._held.body.finished:
            return 0
        return self._held.body.left if isinstance(self._held.body, bodies.LengthBody) else None

    # --- reading ----------------------------------------------------------------------------------------------------

    def read(self, amt: int | None = None, decode_content: bool | None = None, cache_content: bool = False) -> bytes:
        """All that is left, or `amt` bytes of it: fewer only at the end, b"" after it."""
        decode = self.decode_content if decode_content is None else decode_content
        if amt is None or amt < 0:
            data = self._read_all(decode)
            if cache_content:
                self._data = data
            return data
        pieces = []
        while amt > 0:
            piece = self._piece(amt, decode)
            if not piece:
                break
            pieces.append(piece)
            amt -= len(piece)
        return b"".join(pieces)

    def _read_all(self, decode: bool) -> bytes:
        whole = self._whole
        if (
            whole is not None
            and (self._decoding_known or not decode)
            and (self.max_body is None or len(whole) <= self.max_body)
        ):
            self._whole = None
            self._tell = self.produced = len(whole)
            return whole
        pieces = []
        while piece := self._piece(_PIECE, decode):
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def read1(self, amt: int | None = None, decode_content: bool | None = None) -> bytes:
        """Up to `amt` bytes, waiting only until there are some."""
        decode = self.decode_content if decode_content is None else decode_content
        if amt == 0:
            return b""
        return self._piece(_PIECE if amt is None or amt < 0 else amt, decode)

    def stream(self, amt: int | None = _STREAM, decode_content: bool | None = None) -> Iterator[bytes]:
        """The body piece by piece, `amt` bytes each (chunked bodies: at most; None: as it arrives)."""
        if amt == 0:
            return
        decode = self.decode_content if decode_content is None else decode_content
        if amt is None or amt < 0 or self.chunked:
            while piece := self._piece(amt if amt and amt > 0 else _PIECE, decode):
                yield piece
        else:
            while piece := self.read(amt, decode_content=decode):
                yield piece

    def supports_chunked_reads(self) -> bool:
        """True: chunks can be read as they are, whoever sent them."""
        return True

    @property
    def chunk_left(self) -> int | None:
        """How many bytes of the current chunk are still to come; None where there is none."""
        body = self._held.body if self._held is not None else None
        return body.left or None if isinstance(body, bodies.ChunkedBody) else None

    def read_chunked(self, amt: int | None = None, decode_content: bool | None = None) -> Iterator[bytes]:
        """The same as `stream`, under urllib3's other name for it."""
        return self.stream(amt, decode_content)

    @property
    def data(self) -> bytes:
        """The whole body, decoded when `decode_content` says so; kept, so that it may be asked again."""
        if self._data is None:
            self._data = self.read()
        return self._data

    def json(self) -> Any:
        """The body as UTF-8 JSON."""
        import json

        return json.loads(self.data)

    def _piece(self, limit: int, decode: bool) -> bytes:
        """Between 1 and `limit` bytes, b"" at the end. The one place that everything is read through."""
        if self._ahead is None:
            try:
                if self.produced == 0:
                    self._count(0)  # a length that is announced and too much need not be read
                if decode and not self._decoding_known:
                    self._decoding = decoding_for(self._head.get("content-encoding"))
                    self._decoding_known = True
                if decode and self._decoding is not None:
                    # Never in drops: a decoder copies what it has not used yet on every call.
                    piece = self._decoded(self._decoding, max(limit, _LEAST_DECODED))
                else:
                    piece = self._undecoded(limit)
                self._count(len(piece))
            except BaseException as error:  # noqa: BLE001 - raised again in there
                self._fail(error)
            if len(piece) <= limit:
                return piece
            self._ahead = memoryview(piece)
        ahead = self._ahead
        self._ahead = ahead[limit:] if len(ahead) > limit else None
        return bytes(ahead[:limit])

    def _undecoded(self, limit: int) -> bytes:
        if self._whole is not None:
            self._rest, self._whole = memoryview(self._whole), None
        if self._rest is not None:
            piece = bytes(self._rest[:limit])
            self._rest = self._rest[limit:] if len(self._rest) > limit else None
        elif self._held is not None and not self._held.body.finished:
            held = self._held
            held.wire.user = get_ident()  # whoever reads it may not have opened it
            piece = held.body.read_some(limit)
            if held.body.finished:
                held.release(whole=True)
        else:
            return b""
        self._tell += len(piece)
        return piece

    def _decoded(self, decoding: Decoding, limit: int) -> bytes:
        while True:
            data = b"" if decoding.has_more else self._undecoded(_STREAM)
            if not data and not decoding.has_more:
                self._decoding, self._decoding_known = None, True
                return decoding.finish()
            if piece := decoding.draw(data, limit):
                return piece

    def _count(self, length: int) -> None:
        self.produced += length
        limit = self.max_body
        if limit is None:
            return
        announced = self.length_remaining if self._decoding is None and self._decoding_known else 0
        if self.produced > limit or self.produced + (announced or 0) > limit:
            raise BodyTooLarge(f"the body is larger than the limit of {limit} bytes (max_body)")

    def _fail(self, error: BaseException) -> NoReturn:
        late = False
        if self._held is not None:
            late = self._held.wire.is_late()
            if isinstance(error, BodyTooLarge):
                self._held.wire.cut("length")
        self.close()
        outcome = faults.border(error, self._request, phase=faults.BODY, late=late)
        raise outcome from outcome.__cause__

    @property
    def retries(self) -> Any:
        """urllib3's Retry, with nothing left: whoever repeats a request here does it without one, and it has no
        history.
        """
        if self._retries is None:
            from urllib3 import Retry

            self._retries = Retry(0, read=False)
        return self._retries

    @retries.setter
    def retries(self, retries: Any) -> None:
        self._retries = retries

    # --- life -------------------------------------------------------------------------------------------------------

    def set_times(self, read_timeout: float | None, deadline: float | None) -> None:
        """Change the times that reading the rest is given: seconds between bytes, and an instant or None."""
        if self._held is not None and not self._held.body.finished:
            self._held.wire.set_times(read_timeout, deadline)

    @property
    def closed(self) -> bool:
        """Whether there is nothing more to read; with `auto_close` off, whether `close()` was called."""
        return self._closed or (self.auto_close and self._is_finished())

    def _is_finished(self) -> bool:
        if any(part is not None for part in (self._whole, self._rest, self._ahead, self._decoding)):
            return False
        return self._held is None or self._held.body.finished

    def isclosed(self) -> bool:
        """The same as `closed`, under http.client's name."""
        return self.closed

    def close(self) -> None:
        """Give up what was not read. The connection is closed when some of the body is still to come."""
        self._closed = True
        self._whole = self._rest = self._ahead = None
        self._decoding, self._decoding_known = None, True
        held = self._held
        if held is not None:
            held.release(whole=False)
            held.body.finished = True

    def release_conn(self) -> None:
        """The same as `close`: a connection with half a body on it is of no use to anybody."""
        if self._held is not None and not self._held.body.finished:
            self.close()

    def drain_conn(self) -> None:
        """Read and forget the rest when it is short (64 KiB), so that the connection can be used again; else
        close it.
        """
        self._decoding, self._decoding_known = None, True
        try:
            drained = 0
            while drained < _DRAIN_MAX and (piece := self._undecoded(_STREAM)):
                drained += len(piece)
        except (OSError, ValueError):
            pass  # it is being thrown away; closing says all there is to say
        self.close()

    @property
    def connection(self) -> Wire | None:
        """The connection, while the body is still on it."""
        return self._held.wire if self._held is not None and not self._held.body.finished else None

    @property
    def _connection(self) -> Wire | None:
        # Where programs written for requests look for the socket and its certificate.
        return self.connection

    def shutdown(self) -> None:
        """End the reading, from any thread: whoever waits for the body finds it cut off."""
        wire = self.connection
        if wire is not None:
            wire.sock.shutdown(socket.SHUT_RD)

    def tell(self) -> int:
        """How many undecoded bytes were read so far."""
        return self._tell

    def fileno(self) -> int:
        """The socket's descriptor, while the body is still on it; OSError after."""
        wire = self.connection
        if wire is None:
            raise OSError("the body has been read; there is no socket any more")
        return int(wire.sock.fileno())

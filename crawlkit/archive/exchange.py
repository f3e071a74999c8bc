"""Exchange: one request and its answer, as the bytes that were on the wire.

What belongs here: the value, and reading it: its head, its body without the chunks' framing, its body decoded. What
does not: how the bytes were come by (capture.py), what is taken out of them (redaction.py), the records that they
become (records.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

from crawlkit.archive.spool import Spool
from crawlkit.archive.spoolsource import SpoolSource
from crawlkit.exceptions import BadResponse, ChunkedEncodingError
from crawlkit.sessions import bodies, heads
from crawlkit.sessions.decoding import decoded_pieces
from crawlkit.url import root, split_userinfo

_PIECE = 256 * 1024
_NO_BODY = 0


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Exchange:
    """One request, and the answer to it, which has at least one byte.

    `method`; `url`: ASCII, without fragment and userinfo; `started`: when the request began to be sent, in seconds since
    1970; `address`: the server's numeric IP address, None behind a proxy; `protocols`: what was spoken, such as
    `("http/1.1", "tls/1.3")`; `request`, `response`: the bytes of the wire, head and body as they were framed, without
    1xx answers; `head_length`: the bytes of the answer's head with its blank line, 0 when no head came whole; `truncated`:
    None for an answer that came whole, else why not, in the words of WARC 1.1 section 5.13 (`disconnect`, `length`,
    `time`, `unspecified`); `via`: the URL of the page that led here, None for a start; `hops`: how many links from a
    start.

    A frozen value, but for its spools, which belong to one thread at a time, and to whoever closes it.
    """

    method: str
    url: str
    started: float
    address: str | None
    protocols: tuple[str, ...]
    request: Spool
    response: Spool
    head_length: int
    truncated: str | None = None
    via: str | None = None
    hops: int = 0
    _heads: list[heads.Head] = field(default_factory=list, init=False)  # the head, once it was read

    @property
    def head(self) -> heads.Head | None:
        """The answer's head; None when none came whole."""
        if not self._heads:
            if not self.head_length:
                return None
            self._heads.append(heads.read(self.response.read(0, self.head_length)))
        return self._heads[0]

    @property
    def status(self) -> int | None:
        """The answer's status; None when no head came whole."""
        head = self.head
        return None if head is None else head.status

    @property
    def mime(self) -> str:
        """The answer's media type in lower case, without parameters; "" when it does not say."""
        head = self.head
        return "" if head is None else head.get("content-type").partition(";")[0].strip(" \t").lower()

    @property
    def length(self) -> int:
        """How the body is framed: its length, or `bodies.CHUNKED`, `bodies.UNTIL_CLOSE`; 0 when there is none."""
        head = self.head
        if head is None:
            return _NO_BODY
        try:
            return bodies.framing(head, self.method)[0]
        except BadResponse:
            # Nothing of such an answer's body was read: where it ends is anybody's guess.
            return bodies.UNTIL_CLOSE

    def body(self) -> Iterator[bytes]:
        """The payload: the body without the framing of chunks, still content-coded, in pieces.

        Of a truncated answer, what came. Raises ChunkedEncodingError when the body is not framed as its head says
        though it is not called truncated.
        """
        length = self.length
        if length in (_NO_BODY, bodies.UNTIL_CLOSE):
            return self.response.chunks(self.head_length) if length else iter(())
        return self._unframed(length)

    def _unframed(self, length: int) -> Iterator[bytes]:
        reader = bodies.reader(SpoolSource(self.response, self.head_length), length)
        try:
            while piece := reader.read_some(_PIECE):
                yield piece
        except (ChunkedEncodingError, BadResponse):
            if self.truncated is None:
                raise

    def decoded(self) -> Iterator[bytes]:
        """The body as a program sees it, without content codings, in pieces of 256 KiB at most.

        A coding that is not known is left on. Raises ContentDecodingError for a body that is not in the coding that its
        head names, or is cut off within it; what could be decoded was given before.
        """
        head = self.head
        return decoded_pieces(self.body(), "" if head is None else head.get("content-encoding"), _PIECE)

    def close(self) -> None:
        """Forget the bytes. May be called twice."""
        self.request.close()
        self.response.close()

    def __repr__(self) -> str:
        # Not the URL's path and query, in which secrets are.
        return f"<Exchange {self.method} {root(self.url)} [{self.status}], {self.response.size} bytes>"


def bare(url: str) -> str:
    """`url` as an archive writes it: ASCII (percent-encoded UTF-8), without fragment and userinfo."""
    bare_url = split_userinfo(url.partition("#")[0])[0]
    return bare_url if bare_url.isascii() else quote(bare_url, safe="!#$%&'()*+,/:;=?@[]~")

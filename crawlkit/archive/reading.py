"""Reading: the records of a WARC file, one after the other, each with its place and a body that streams.

What belongs here: the records' outer form, and the HTTP message in them. What does not: whether digests and ids are right
(verifying.py). Whatever is not as WARC 1.1 says raises ArchiveDamaged, which names the file, the offset and the record:
nothing is skipped over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, NoReturn

from crawlkit.archive.gzipmembers import GzipMembers
from crawlkit.exceptions import BadResponse, ChunkedEncodingError, StorageError
from crawlkit.sessions import bodies, heads
from crawlkit.sessions.decoding import decoded_pieces

_VERSIONS = (b"WARC/1.1", b"WARC/1.0")
_MAX_FIELDS = 1 << 20
_PIECE = 64 * 1024
_END = b"\r\n\r\n"


def records(path: Path, start: int = 0) -> Iterator[Record]:
    """The records of the `.warc.gz` file `path`, from the one that begins at the byte `start` on.

    A record is read before the next one is asked for. StorageError when there is no such file, ArchiveDamaged for damage,
    such as a member that holds more than one record.
    """
    try:
        file = path.open("rb", buffering=0)
    except OSError as error:
        raise StorageError(f"{path}: it cannot be read ({error.strerror or error})") from error
    with file:
        yield from records_in(file, path, start)


def records_in(file: IO[bytes], path: Path, start: int = 0) -> Iterator[Record]:
    """The same of a file that is open, or of what lies in one as a file; `path` is what it is called in errors."""
    members = GzipMembers(file, path, start)
    while members.begin():
        record = Record(members, path)
        yield record
        record.finish()


class Record:
    """One record. Belongs to one thread, and to the time until the next record is asked for.

    `path`, `offset`: where it begins; `fields`: the named fields in order, as written. The block is read once: as it is
    (`block`), or as an HTTP message (`head`, then `payload` or `decoded`). Everything raises ArchiveDamaged.

    `listeners` are called with every piece that is read of the block, `payload_listeners` with every one of the payload.
    """

    def __init__(self, members: GzipMembers, path: Path) -> None:
        self._members = members
        self._buffer = b""
        self._at = 0
        self._is_over = False
        self._head: bytes | None = None
        self._payload: Iterator[bytes] | None = None
        self.listeners: list[Callable[[bytes], object]] = []
        self.payload_listeners: list[Callable[[bytes], object]] = []
        self.path = path
        self.offset = members.offset
        self.fields = self._read_fields()
        self._store = {name.lower(): value for name, value in reversed(self.fields)}
        length = self.get("content-length")
        if not (length.isascii() and length.isdecimal()):
            self._fail(f"its Content-Length is no length: {length[:40]!r}")
        self.content_length = int(length)
        self._left = self.content_length

    # --- fields -----------------------------------------------------------------------------------------------------

    def _read_fields(self) -> list[tuple[str, str]]:
        data = b""
        while (end := data.find(_END)) < 0:
            more = self._members.more()
            data += more
            if not data.startswith(_VERSIONS) and not (more and any(v.startswith(data) for v in _VERSIONS)):
                self._fail(f"no WARC record begins here but {data[:20]!r}")
            if not more or len(data) > _MAX_FIELDS:
                self._fail("the record's fields have no end")
        self._buffer = data[end + len(_END) :]
        fields: list[tuple[str, str]] = []
        for line in data[:end].decode("utf-8", "replace").split("\r\n")[1:]:
            if line[:1] in (" ", "\t") and fields:
                fields[-1] = (fields[-1][0], f"{fields[-1][1]} {line.strip()}")
                continue
            name, colon, value = line.partition(":")
            if not colon:
                self._fail(f"a line of its fields is none: {line[:40]!r}")
            fields.append((name, value.strip(" \t")))
        return fields

    def get(self, name: str) -> str:
        """The first value of the field with this name, in any case; "" when there is none."""
        return self._store.get(name.lower(), "")

    def values(self, name: str) -> list[str]:
        """Every value of the field with this name, in any case."""
        return [value for key, value in self.fields if key.lower() == name.lower()]

    @property
    def kind(self) -> str:
        """WARC-Type, such as `response`."""
        return self.get("warc-type")

    @property
    def record_id(self) -> str:
        """WARC-Record-ID without brackets."""
        return unbracketed(self.get("warc-record-id"))

    @property
    def url(self) -> str:
        """WARC-Target-URI without the brackets that some tools write; "" when there is none."""
        return unbracketed(self.get("warc-target-uri"))

    @property
    def date(self) -> str:
        """WARC-Date, as written."""
        return self.get("warc-date")

    @property
    def truncated(self) -> str | None:
        """WARC-Truncated; None when the record is whole."""
        return self.get("warc-truncated") or None

    @property
    def payload_digest(self) -> str | None:
        """WARC-Payload-Digest, as written; None when there is none."""
        return self.get("warc-payload-digest") or None

    @property
    def is_http(self) -> bool:
        """Whether the block is an HTTP message."""
        return self.get("content-type").lower().startswith("application/http")

    # --- block ------------------------------------------------------------------------------------------------------

    def take(self, limit: int) -> bytes:
        """Between 1 and `limit` bytes of the block; b"" at its end."""
        if self._is_over:
            raise ValueError("the record is no longer at hand: the next one was asked for")
        if not self._left:
            return b""
        self._fill()
        piece = self._buffer[self._at : self._at + min(limit, self._left)]
        self._at += len(piece)
        self._left -= len(piece)
        for listener in self.listeners:
            listener(piece)
        return piece

    def take_line(self, limit: int) -> bytes:
        """Up to and including the next LF of the block; b"" when there is none. ChunkedEncodingError past `limit`."""
        line = b""
        while self._left and len(line) <= limit:
            self._fill()
            end = self._buffer.find(b"\n", self._at, self._at + self._left) + 1
            piece = self.take(end - self._at if end else _PIECE)
            line += piece
            if end and len(line) <= limit:
                return line
        if len(line) > limit:
            raise ChunkedEncodingError(f"a line of the body's framing is longer than {limit} bytes")
        return b""

    def _fill(self) -> None:
        if self._at < len(self._buffer):
            return
        self._buffer, self._at = self._members.more(), 0
        if not self._buffer:
            self._fail(f"it ends {self._left} bytes before its Content-Length of {self.content_length} is reached")

    def block(self) -> Iterator[bytes]:
        """What was not read of the block, in pieces of 64 KiB at most."""
        while piece := self.take(_PIECE):
            yield piece

    def finish(self) -> None:
        """Read to the record's end, which must be the gzip member's, too. May be called twice."""
        if self._is_over:
            return
        for _ in self.block():
            pass
        rest = self._buffer[self._at :]
        while len(rest) <= len(_END) and (more := self._members.more()):
            rest += more
        if rest != _END:
            self._fail(
                f"the record does not end after its Content-Length of {self.content_length}, or another one follows in "
                "the same gzip member"
            )
        self._is_over = True

    @property
    def length(self) -> int:
        """How many bytes it has in the file; the record is read to its end for it."""
        self.finish()
        return self._members.end - self.offset

    def _fail(self, what: str) -> NoReturn:
        name = f" ({self.kind} {self.record_id})" if hasattr(self, "_store") else ""
        self._members.fail(what + name)

    # --- the HTTP message in it -------------------------------------------------------------------------------------

    def head_bytes(self) -> bytes:
        """The head of the HTTP message, with its blank line where it has one."""
        if self._head is None:
            lines = []
            size = 0
            while size <= heads.MAX_BYTES and (line := self._head_line()):
                lines.append(line)
                size += len(line)
                if line in (b"\r\n", b"\n"):
                    break
            self._head = b"".join(lines)
        return self._head

    def _head_line(self) -> bytes:
        line = b""
        while not line.endswith(b"\n") and len(line) <= heads.MAX_BYTES:
            if not self._left:
                break
            self._fill()
            end = self._buffer.find(b"\n", self._at, self._at + self._left) + 1
            line += self.take(end - self._at if end else _PIECE)
        return line

    def head(self) -> heads.Head | None:
        """The head of a response or revisit; None when it is not HTTP, or was cut off within it."""
        if not self.is_http or self.kind == "request":
            return None
        try:
            return heads.read(self.head_bytes())
        except BadResponse:
            return None

    def payload(self) -> Iterator[bytes]:
        """The body without the framing of chunks, still content-coded; of a truncated record, what there is.

        What is no HTTP message is its own payload. A revisit has none. A second call goes on where the first one is.
        """
        if self._payload is None:
            self._payload = self._read_payload()
        return self._payload

    def _read_payload(self) -> Iterator[bytes]:
        is_chunked = self.is_http and _is_chunked(self.head_bytes())
        # Nothing is left of the answer to HEAD, a 304, a revisit.
        for piece in self._unchunked() if is_chunked and self._left else self.block():
            for listener in self.payload_listeners:
                listener(piece)
            yield piece

    def _unchunked(self) -> Iterator[bytes]:
        reader = bodies.reader(self, bodies.CHUNKED)
        try:
            while piece := reader.read_some(_PIECE):
                yield piece
        except (ChunkedEncodingError, BadResponse) as error:
            if self.truncated is None:
                self._fail(f"its body: {error}")

    def decoded(self) -> Iterator[bytes]:
        """The payload without content codings; a coding that is not known is left on.

        ContentDecodingError when the body is not in the coding that its head names, or is cut off within it.
        """
        head = self.head()
        return decoded_pieces(self.payload(), "" if head is None else head.get("content-encoding"), _PIECE)

    def __repr__(self) -> str:
        return f"<Record {self.kind} at {self.offset} of {self.path.name}, {self.content_length} bytes>"


def unbracketed(value: str) -> str:
    """A URI without the angle brackets that a field may have it in."""
    return value[1:-1] if value[:1] == "<" and value[-1:] == ">" else value


def _is_chunked(head: bytes) -> bool:
    """Whether an HTTP message's body is in chunks, whether it is a request or an answer."""
    _, _, fields = head.partition(b"\n")
    try:
        return "chunked" in heads.read(b"HTTP/1.1 200 OK\r\n" + fields).get("transfer-encoding").lower()
    except BadResponse:
        return False

"""Reading a body piece by piece: chunks, text as it arrives, lines, and the errors of reading under our
names.

What belongs here: everything between `Response.raw` and the pieces a program sees. What does not: framing
and content decoding, which `raw` does, and what the pieces mean.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Any, TypeVar

from crawlkit import exceptions as errors

Piece = TypeVar("Piece", bytes, str)


def raw_chunks(raw: Any, size: int | None) -> Iterator[bytes]:
    """The decoded body of `raw`, at most `size` bytes at a time (None: as it arrives). Errors come in our names.

    `raw` is what an adapter put there: ours and urllib3's have `stream()`, anything else is read like a file.
    """
    try:
        if hasattr(raw, "stream"):
            yield from raw.stream(size, decode_content=True)
        else:
            while chunk := raw.read() if size is None else raw.read(size):
                yield chunk
    except errors.RequestException:  # one of ours may be one of urllib3's as well
        raise
    except foreign_errors() as error:
        raise named(error) from error


def read_all(raw: Any) -> bytes:
    """The whole decoded body of `raw`. Errors come in our names."""
    if not hasattr(raw, "stream"):
        return b"".join(raw_chunks(raw, 65536))
    try:
        body = raw.read(decode_content=True)
    except errors.RequestException:  # one of ours may be one of urllib3's as well
        raise
    except foreign_errors() as error:
        raise named(error) from error
    return body or b""


def foreign_errors() -> tuple[type[BaseException], ...]:
    """What urllib3 raises while a body is read. Asked only when something was raised, so that the import is late."""
    from urllib3.exceptions import HTTPError

    return (HTTPError,)


def named(error: BaseException) -> errors.RequestException:
    """Our exception for one of urllib3's that was raised in the middle of a body."""
    from urllib3 import exceptions as foreign

    if isinstance(error, foreign.DecodeError):
        return errors.ContentDecodingError(error)
    if isinstance(error, foreign.ReadTimeoutError):
        return errors.BodyTimeout(error)
    if isinstance(error, foreign.SSLError):
        return errors.SSLError(error)
    return errors.ChunkedEncodingError(error)


def slices(body: bytes, size: int | None) -> Iterator[bytes]:
    """A body that is already in memory, in pieces of `size` bytes; None or nonsense is the whole of it."""
    if size is None or size <= 0:
        size = len(body)
    for start in range(0, len(body), size or 1):
        yield body[start : start + size]


def decoded(chunks: Iterator[bytes], encoding: str | None) -> Iterator[str | bytes]:
    """The chunks as text; characters that are split between two are put together. No encoding: bytes as they are."""
    if encoding is None:
        yield from chunks
        return
    try:
        decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    except LookupError:
        # A server's misspelt charset must not cost the program its body.
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    for chunk in chunks:
        if text := decoder.decode(chunk):
            yield text
    if text := decoder.decode(b"", final=True):
        yield text


def lines(chunks: Iterator[Piece]) -> Iterator[Piece]:
    """What `splitlines()` of the whole body gives, wherever the chunks happen to end."""
    held: list[Piece] = []
    for chunk in chunks:
        if not chunk:
            continue
        if held and ends_in_return(held[-1]) and chunk[:1] != (b"\n" if isinstance(chunk, bytes) else "\n"):
            yield from _joined(held).splitlines()
            held = []
        parts = chunk.splitlines(keepends=True)
        if len(parts) == 1 and not complete(chunk):
            held.append(chunk)  # joined once, so that one endless line does not cost quadratic time
            continue
        held.append(parts[0])
        parts[0] = _joined(held)
        held = [] if complete(parts[-1]) else [parts.pop()]
        for part in parts:
            yield from part.splitlines()
    if held:
        yield from _joined(held).splitlines()


def split(chunks: Iterator[Piece], delimiter: Piece) -> Iterator[Piece]:
    """What `split(delimiter)` of the whole body gives, wherever the chunks happen to end. Nothing of an empty body."""
    held: list[Piece] = []
    overlap = len(delimiter) - 1
    for chunk in chunks:
        if not chunk:
            continue
        seam = held[-1][-overlap:] if held and overlap else chunk[:0]
        if delimiter not in seam + chunk and (not overlap or len(chunk) >= overlap):
            held.append(chunk)  # joined once, so that a body without delimiters does not cost quadratic time
            continue
        held.append(chunk)
        pieces: Any = _joined(held)
        *whole, last = pieces.split(delimiter)
        yield from whole
        held = [last] if last else [chunk[:0]]
    if held:
        yield _joined(held)


def ends_in_return(piece: Piece) -> bool:
    """Whether a line feed that came next would still belong to this line's end."""
    return piece[-1:] == (b"\r" if isinstance(piece, bytes) else "\r")


def complete(piece: Piece) -> bool:
    """Whether the piece ends with a line's end that nothing can add to."""
    if ends_in_return(piece):
        return False
    last = piece[-1:]
    return not last.splitlines()[0] if last else False


def _joined(pieces: list[Piece]) -> Piece:
    return pieces[0][:0].join(pieces)

"""Bodies: what the author passed as `data`, `json` and `files`, made into what is sent.

What belongs here: encoding, lengths, going back to the start. What does not: multipart's framing
(multipart.py), the headers a request gets from its body (prepared.py), how a body is written to a socket
(wire).
"""

from __future__ import annotations

import io
import json as jsonlib
import os
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from crawlkit.exceptions import FileModeWarning, InvalidJSONError, UnrewindableBodyError
from crawlkit.sessions.multipart import encode_multipart
from crawlkit.sessions.pairs import to_key_val_list

FORM_TYPE = "application/x-www-form-urlencoded"


class NotRewindable:
    """The position of a body that could not tell it: it is a stream that was not at a known place."""

    def __repr__(self) -> str:
        return "<position unknown>"


class EncodedBody(NamedTuple):
    """A body ready to send. `length` in bytes is None where it is not known; a `stream` is read while it is
    sent.
    """

    content: Any = None
    content_type: str | None = None
    length: int | None = None
    stream: bool = False
    position: int | NotRewindable | None = None


NO_BODY = EncodedBody()


def encode_body(data: Any, files: Any, json: Any) -> EncodedBody:
    """The body that `data`, `files` and `json` describe.

    `json` counts only without `data`. An iterable that is no str, bytes, list, tuple or mapping is streamed.
    Raises InvalidJSONError (NaN, a circular reference), ValueError (text as data beside files),
    NotImplementedError (a stream beside files), TypeError (data that is none of these).
    """
    if not data and json is not None:
        if not files:
            content = encode_json(json)
            return EncodedBody(content, "application/json", len(content))
        encode_json(json)  # files win; what cannot be sent is an error all the same
    if _is_stream(data):
        if files:
            raise NotImplementedError("a streamed body cannot be combined with files; put the stream into files")
        return EncodedBody(data, None, stream_length(data), True, position_of(data))
    if files:
        content, content_type = encode_multipart(data, files)
        return EncodedBody(content, content_type, len(content))
    if not data:
        return NO_BODY
    return _encode_data(data)


def _is_stream(data: Any) -> bool:
    if data is None or isinstance(data, (str, bytes, list, tuple, Mapping)):
        return False
    if isinstance(data, (bytearray, memoryview)) and not data:
        return False
    # hasattr, for objects that hand attributes through to another.
    return isinstance(data, Iterable) or hasattr(data, "__iter__")


def _encode_data(data: Any) -> EncodedBody:
    content = encode_params(data)
    plain = isinstance(data, (str, bytes)) or hasattr(data, "read")
    if not plain and not isinstance(content, (str, bytes)):
        raise TypeError(f"data must be str, bytes, a mapping, pairs, a file or an iterable, not {type(data).__name__}")
    return EncodedBody(content, None if plain else FORM_TYPE, super_len(content) or None, False, position_of(content))


def encode_json(value: Any) -> bytes:
    """`value` as JSON in UTF-8. InvalidJSONError for NaN, infinity and circular references: JSON has no word
    for them.
    """
    try:
        return jsonlib.dumps(value, allow_nan=False).encode("utf-8")
    except ValueError as error:
        raise InvalidJSONError(f"json= cannot be written as JSON: {error}") from error


def encode_params(data: Any) -> Any:
    """`data` as `application/x-www-form-urlencoded`; str, bytes and files are given back as they are.

    A list as value repeats the name, None leaves it out; text is UTF-8; the order is kept.
    """
    if isinstance(data, (str, bytes)) or hasattr(data, "read") or not hasattr(data, "__iter__"):
        return data
    pairs: list[tuple[Any, Any]] = []
    for key, values in to_key_val_list(data):
        many = values if hasattr(values, "__iter__") and not isinstance(values, (str, bytes, bytearray)) else [values]
        name = key.encode("utf-8") if isinstance(key, str) else key
        pairs.extend((name, _form_value(value)) for value in many if value is not None)
    return urlencode(pairs, doseq=True)


def _form_value(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8")
    return bytes(value) if isinstance(value, bytearray) else value


# --- lengths ------------------------------------------------------------------------------------------------


def stream_length(stream: Any) -> int | None:
    """Bytes from the current position to the end; None when that is not known (or nothing is left)."""
    try:
        return super_len(stream) or None
    except (TypeError, AttributeError, io.UnsupportedOperation):
        return None


def super_len(o: Any) -> int:
    """Bytes of `o` from its current position to its end; 0 where that cannot be known.

    Text counts as UTF-8. A file opened as text warns with FileModeWarning: its size may differ from what is
    sent.
    """
    if isinstance(o, str):
        return len(o) if o.isascii() else len(o.encode("utf-8"))
    if isinstance(o, memoryview):
        return o.nbytes
    if isinstance(o, io.StringIO):
        return _text_left(o)
    total = _total_length(o)
    if not hasattr(o, "tell"):
        return max(0, total or 0)
    try:
        position = o.tell()
    except OSError:
        # A pipe or a terminal: what is left is not known, whatever its size says.
        return 0
    if total is None and hasattr(o, "seek"):
        total = _seek_end(o, position or 0)
    return max(0, int(total or 0) - int(position))


def _total_length(o: Any) -> int | None:
    if hasattr(o, "__len__"):
        return len(o)
    if hasattr(o, "len"):
        return int(o.len)
    if hasattr(o, "fileno"):
        try:
            size = os.fstat(o.fileno()).st_size
        except (io.UnsupportedOperation, AttributeError):
            return None  # an archive's member has the method, and no descriptor
        if "b" not in o.mode:
            warnings.warn(
                "the body is a file opened as text: its size on disk is sent as Content-Length, which is "
                "wrong when its text is not UTF-8 or its line ends are translated; open it with mode 'rb'",
                FileModeWarning,
                stacklevel=2,
            )
        return size
    return None


def _seek_end(o: Any, position: int) -> int:
    try:
        o.seek(0, os.SEEK_END)
        end: int = o.tell()
        o.seek(position)
    except OSError:
        return 0
    return end


def _text_left(text: io.StringIO) -> int:
    """What is sent is UTF-8, so characters must not be counted for bytes."""
    position = text.tell()
    left = len(text.read().encode("utf-8"))
    text.seek(position)
    return left


# --- going back ---------------------------------------------------------------------------------------------


def position_of(body: Any) -> int | NotRewindable | None:
    """Where a file-like body stands now; None for what has no position, NotRewindable for what cannot tell
    it.
    """
    tell = getattr(body, "tell", None)
    if tell is None:
        return None
    try:
        return int(tell())
    except OSError:
        return NotRewindable()


def can_resend(body: Any, position: object) -> bool:
    """Whether a body can be sent a second time: it is no stream, or one that goes back to `position`."""
    if body is None or isinstance(body, (str, bytes, bytearray, memoryview, list, tuple)):
        return True
    return isinstance(position, int) and hasattr(body, "seek")


def rewind_body(prepared_request: Any) -> None:
    """Put the body of a prepared request back to where it stood when it was prepared.

    UnrewindableBodyError when it is a stream that cannot go back.
    """
    position = prepared_request._body_position
    seek = getattr(prepared_request.body, "seek", None)
    if seek is None or not isinstance(position, int):
        raise UnrewindableBodyError(
            "the body has to be sent again and is a stream that cannot go back to its start; "
            "pass bytes or a seekable file",
            request=prepared_request,
        )
    try:
        seek(position)
    except OSError as error:
        raise UnrewindableBodyError(
            f"the body has to be sent again and could not go back to its start: {error}",
            request=prepared_request,
        ) from error

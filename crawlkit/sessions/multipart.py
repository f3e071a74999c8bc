"""multipart/form-data (RFC 7578): fields and files made into one body, as browsers do it.

What belongs here: parts and their framing. What does not: reading multipart, other bodies (body.py).
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from crawlkit.exceptions import InvalidHeader
from crawlkit.sessions.headers import CaseInsensitiveDict
from crawlkit.sessions.pairs import to_key_val_list

# The HTML standard's escapes for names: with them no name can end its quotes or its line.
_NAME_ESCAPES = {ord("\n"): "%0A", ord("\r"): "%0D", ord('"'): "%22"}


class Part(NamedTuple):
    """One part: a field without a file name, else a file. `headers` are the author's own for this part."""

    name: str
    content: bytes
    filename: str | None = None
    content_type: str | None = None
    headers: Mapping[str, str] | None = None

    def render(self) -> bytes:
        """Header lines, an empty line, content. InvalidHeader when a header would break its line."""
        disposition = f'form-data; name="{self.name.translate(_NAME_ESCAPES)}"'
        if self.filename is not None:
            disposition += f'; filename="{self.filename.translate(_NAME_ESCAPES)}"'
        fields: CaseInsensitiveDict[str | None] = CaseInsensitiveDict({"Content-Disposition": disposition})
        fields["Content-Type"] = self.content_type
        fields["Content-Location"] = None
        for name, value in (self.headers or {}).items():
            if name.lower() not in ("content-disposition", "content-type", "content-location"):
                fields[name] = value
        lines = [f"{name}: {value}" for name, value in fields.items() if value]
        for line in lines:
            if "\r" in line or "\n" in line:
                raise InvalidHeader(f"a header of the part {self.name!r} contains a line break")
        return "\r\n".join([*lines, "", ""]).encode("utf-8") + self.content


def encode_multipart(data: Any, files: Any, boundary: str | None = None) -> tuple[bytes, str]:
    """The body and its Content-Type. Fields of `data` come first, then `files`; files are read whole.

    A file is str, bytes or an object with `read()`, alone or as (file name, file[, content type[, headers]]).
    ValueError when `data` is text: it has no names.
    """
    if isinstance(data, (str, bytes)):
        raise ValueError("data must be a mapping or pairs when there are files, not text")
    boundary = boundary or secrets.token_hex(16)
    parts = [*_fields(data), *_files(files)]
    body = b"".join(b"--%s\r\n%s\r\n" % (boundary.encode("latin-1"), part.render()) for part in parts)
    return body + f"--{boundary}--\r\n".encode("latin-1"), f"multipart/form-data; boundary={boundary}"


def _fields(data: Any) -> Iterator[Part]:
    for name, values in to_key_val_list(data or {}):
        many = values if hasattr(values, "__iter__") and not isinstance(values, (str, bytes, bytearray)) else [values]
        for value in many:
            if value is not None:
                yield Part(_text(name), _content(value if isinstance(value, (bytes, bytearray)) else str(value)))


def _files(files: Any) -> Iterator[Part]:
    for name, value in to_key_val_list(files or {}):
        filename, source, content_type, headers = _described(name, value)
        if hasattr(source, "read"):
            source = source.read()
        if source is not None:
            shown = None if filename is None else _text(filename)
            yield Part(_text(name), _content(source), shown, content_type, headers)


def _described(name: Any, value: Any) -> tuple[Any, Any, Any, Any]:
    if isinstance(value, (tuple, list)):
        if not 2 <= len(value) <= 4:
            raise ValueError(
                f"the file {_text(name)!r} must be (file name, file[, content type[, headers]]), "
                f"not {len(value)} values"
            )
        return (*value, None, None)[:4]
    return guess_filename(value) or name, value, None, None


def guess_filename(obj: Any) -> str | bytes | None:
    """The last part of a file object's `name`; None where it has none, such as `<stdin>`, a descriptor."""
    name = getattr(obj, "name", None)
    if not name or not isinstance(name, (str, bytes)):
        return None
    text = _text(name)
    return None if text.startswith("<") or text.endswith(">") else os.path.basename(name)  # noqa: PTH119 - bytes, too


def _content(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8")
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, int):
        return str(value).encode("ascii")
    raise TypeError(f"a file's content must be str, bytes or an object with read(), not {type(value).__name__}")


def _text(name: Any) -> str:
    return name.decode("utf-8") if isinstance(name, bytes) else str(name)

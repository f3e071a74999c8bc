"""Form data: the entries of a form as bytes: in a query, urlencoded, multipart, plain.

What belongs here: entries, files as an author may give them, encodings of forms (HTML standard, 4.10.21.7 and .8;
WHATWG URL, "urlencoded serializing"). What does not: which entries there are (form.py), multipart's framing
(multipart.py).
"""

from __future__ import annotations

import mimetypes
import re
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote_plus

from selectolax.lexbor import LexborHTMLParser

from crawlkit.html import charset
from crawlkit.sessions.multipart import encode_multipart

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
PLAIN = "text/plain"

_LINE_END = re.compile(r"\r\n|\r|\n")
_CANNOT = ("utf-16", "utf-32", "utf_16", "utf_32")


class FileValue(NamedTuple):
    """A file to be sent. A form in which none was chosen sends one without name and content."""

    filename: str
    content: bytes
    content_type: str


Entry = tuple[str, str | FileValue]
"""One name and value of what is sent."""


def file_value(name: str, value: Any) -> FileValue:
    """A file from bytes or text, an open file, a Path, or (file name, one of these[, content type]).

    TypeError for anything else. The file is read now: a request is a value.
    """
    if isinstance(value, FileValue):
        return value
    filename, content_type = "", ""
    if isinstance(value, (tuple, list)):
        if len(value) not in (2, 3):
            raise TypeError(f"the file for {name!r} must be (file name, content[, content type])")
        filename, value, content_type = str(value[0]), value[1], str(value[2]) if len(value) == 3 else ""
    if isinstance(value, Path):
        filename, value = filename or value.name, value.read_bytes()
    elif hasattr(value, "read"):
        given = getattr(value, "name", "")
        filename = filename or (Path(given).name if isinstance(given, str) else "")
        value = value.read()
    if isinstance(value, str):
        value = value.encode("utf-8")
    if not isinstance(value, (bytes, bytearray)):
        raise TypeError(
            f"the file for {name!r} must be bytes, an open file, a Path or a tuple, not {type(value).__name__}"
        )
    filename = filename or name
    guessed = mimetypes.guess_type(filename)[0] or "application/octet-stream"
    return FileValue(filename, bytes(value), content_type or guessed)


def encoding_of(accepted: str | None, page: str | None, parser: LexborHTMLParser) -> str:
    """The encoding in which a form is sent: the first of its accept-charset that is known, else the page's own.

    Where the caller does not say what the page is in, its `<meta>` is asked. Never UTF-16, which no form is sent in.
    """
    for label in (*(accepted or "").replace(",", " ").split(), page or "", _declared(parser)):
        encoding = charset.known(label)
        if encoding is not None:
            return "utf-8" if encoding.startswith(_CANNOT) else encoding
    return "utf-8"


def _declared(parser: LexborHTMLParser) -> str:
    for meta in parser.css("meta"):
        attributes = meta.attributes
        if label := attributes.get("charset"):
            return label
        if (attributes.get("http-equiv") or "").strip().lower() == "content-type":
            label = charset.charset_of(attributes.get("content"))
            if label:
                return label
    return ""


def urlencoded(entries: list[Entry], encoding: str) -> str:
    """The entries as `a=1&b=2`; of a file its name."""
    return "&".join(
        f"{_quoted(name, encoding)}={_quoted(value if isinstance(value, str) else value.filename, encoding)}"
        for name, value in entries
    )


def encode_entries(entries: list[Entry], enctype: str, encoding: str) -> tuple[bytes, str]:
    """The body of a POST and its Content-Type."""
    if enctype == MULTIPART:
        parts = [(_lines(name), _part(value, encoding)) for name, value in entries]
        return encode_multipart(None, parts)
    if enctype == PLAIN:
        lines = (f"{name}={value if isinstance(value, str) else value.filename}\n" for name, value in entries)
        return _bytes("".join(lines), encoding), PLAIN
    return urlencoded(entries, encoding).encode("ascii"), URLENCODED


def _part(value: str | FileValue, encoding: str) -> tuple[str | None, bytes] | FileValue:
    return value if isinstance(value, FileValue) else (None, _bytes(value, encoding))


def _quoted(text: str, encoding: str) -> str:
    return quote_plus(_bytes(text, encoding), safe="*").replace("~", "%7E")


def _bytes(text: str, encoding: str) -> bytes:
    """Characters that the encoding does not have become `&#…;`, as browsers send them."""
    try:
        return _lines(text).encode(encoding, "xmlcharrefreplace")
    except UnicodeEncodeError:  # lone surrogates
        return _lines(text).encode("utf-8", "replace")


def _lines(text: str) -> str:
    return _LINE_END.sub("\r\n", text)

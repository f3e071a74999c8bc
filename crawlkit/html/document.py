"""Document: markup parsed, when it is HTML and cannot hurt.

What belongs here: the caps, the parsing, and the question whether bytes are HTML at all. What does not: how the caps
are measured (safety.py), characters (charset.py), selecting (selectors.py). lexbor runs without the interpreter's lock
and cannot be stopped, so that all that can be refused is refused before it begins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser

from crawlkit.exceptions import MarkupTooLarge
from crawlkit.html.charset import charset_of
from crawlkit.html.safety import check_structure

_HTML_TYPES = frozenset(("text/html", "application/xhtml+xml"))
_XML_TYPES = frozenset(("text/xml", "application/xml"))
_UNKNOWN_TYPES = frozenset(("", "unknown/unknown", "application/unknown", "*/*"))

# lexbor copies each chosen <option> into its <select> by events: 450 KB of options would take 6 s.
_WITHOUT_EVENTS = int(LexborDocumentOptions.WO_EVENTS)

_HEADER_BYTES = 1445  # the MIME Sniffing standard's resource header

# MIME Sniffing standard, section 7.1: what the first tag of a page can be; a space or ">" must follow.
_FIRST_TAG = re.compile(
    rb"[\t\n\x0c\r ]*(?:<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|meta"
    rb"|form)"
    rb"[\t\n\x0c\r />]|<!--)",
    re.IGNORECASE,
)
_XHTML = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*(?:<!doctype\s+html\b|<html[\s>])",
    re.I | re.S,
)
_BINARY_BYTES = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")  # section 3, "binary data byte"
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")

# Formats that are often sent as text/html by servers that know no better. Some have no binary byte at the beginning.
_MAGIC = (
    b"%PDF-",
    b"%!PS-Adobe-",
    b"\x89PNG\r\n\x1a\n",
    b"GIF87a",
    b"GIF89a",
    b"\xff\xd8\xff",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x1f\x8b\x08",
    b"BZh",
    b"\xfd7zXZ\x00",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"(\xb5/\xfd",
    b"\x7fELF",
    b"RIFF",
    b"OggS",
    b"ID3",
    b"fLaC",
    b"wOFF",
    b"wOF2",
    b"\x00\x01\x00\x00",
    b"SQLite format 3\x00",
    b"\xd0\xcf\x11\xe0",
    b"\x00asm",
)


@dataclass(frozen=True, slots=True)
class Limits:
    """The caps that markup is checked against before it is parsed."""

    max_bytes: int = 10 * 1024 * 1024
    """Size of the document as UTF-8."""
    max_depth: int = 2000
    """How many elements may be open within each other."""
    max_attributes: int = 1000
    """How many attributes one tag may have."""


DEFAULT_LIMITS = Limits()


def parse(html: str | bytes, limits: Limits = DEFAULT_LIMITS) -> LexborHTMLParser:
    """The tree of the markup; bytes are read as UTF-8. May be called from any thread; a tree is one thread's at a time.

    Raises MarkupTooLarge, TooDeep or TooManyAttributes (all UnsafeMarkup) when it is beyond the caps.
    """
    if isinstance(html, str):
        _check_size(len(html), limits)  # a character is a byte at least: no need to encode what is too large anyhow
        html = html.encode("utf-8", "replace")
    _check_size(len(html), limits)
    check_structure(html, max_depth=limits.max_depth, max_attributes=limits.max_attributes)
    return LexborHTMLParser(html, options=_WITHOUT_EVENTS)


def _check_size(size: int, limits: Limits) -> None:
    if size > limits.max_bytes:
        raise MarkupTooLarge(
            f"the document has {size:,} bytes or more, and {limits.max_bytes:,} may be parsed (crawl.max_html)"
        )


def looks_like_html(body: bytes, content_type: str | None) -> bool:
    """Whether the bytes are to be parsed as HTML, after the WHATWG's MIME Sniffing standard.

    What is declared as HTML is, unless it begins like a known binary format or has bytes that text does not have. XML
    is when its root is `<html>`. What is not declared at all is when it begins like a page. Nothing else is.
    """
    essence = (content_type or "").partition(";")[0].strip().lower()
    if essence in _HTML_TYPES:
        return not _is_binary(body, content_type)
    if essence in _XML_TYPES:
        return _XHTML.match(body[:_HEADER_BYTES]) is not None
    if essence in _UNKNOWN_TYPES:
        head = body[:_HEADER_BYTES]
        return not _is_binary(body, None) and bool(_FIRST_TAG.match(head) or _XHTML.match(head))
    return False


def _is_binary(body: bytes, content_type: str | None) -> bool:
    head = body[:_HEADER_BYTES]
    if head.startswith(_MAGIC) or head[4:8] == b"ftyp":
        return True
    if head.startswith(_BYTE_ORDER_MARKS):
        return False
    if _BINARY_BYTES.search(head) is None:
        return False
    if (charset_of(content_type) or "").startswith(("utf-16", "utf16", "utf-32", "ucs-2", "iso-2022", "unicode")):
        return False  # there every other byte is zero, or escapes switch the character set
    return _FIRST_TAG.match(head) is None  # a page with a stray control character is a page

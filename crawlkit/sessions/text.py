"""Text: the part of a Response that reads its body as text or JSON.

What belongs here: which charset counts, and when. What does not: finding the charset of a page
(crawlkit.html.charset), reading the body (response.py).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from crawlkit import exceptions as errors
from crawlkit.html import charset

if TYPE_CHECKING:
    from crawlkit.sessions.headers import CaseInsensitiveDict
    from crawlkit.sessions.lazy import lazy

ASK: Final = "?"  # `encoding` has not been set by anybody: ask the headers and the body


class Text:
    """A body as text. What was decoded is kept until `encoding` is set."""

    if TYPE_CHECKING:
        _content: Any

        @property
        def body(self) -> bytes: ...
        @property
        def is_html_type(self) -> bool: ...
        @lazy
        def headers(self) -> CaseInsensitiveDict[str]: ...

    _encoding: str | None = ASK
    _text: str | None = None
    _found_encoding: str | None = None

    @property
    def encoding(self) -> str | None:
        """The charset that `text` is decoded with; None: it will be detected. May be set.

        The Content-Type's charset; else ISO-8859-1 for text and UTF-8 for JSON; None for the rest. For HTML whose
        body is read, what decides is, in this order, a byte order mark, the Content-Type, `<meta>`, detection.
        """
        if self._encoding is not ASK:
            return self._encoding
        kind = self.headers.get("content-type")
        if kind is None:
            return None
        declared = _declared_charset(kind)
        if self.is_html_type:
            if not isinstance(self._content, bytes):
                return declared
            _ = self.text
            return self._found_encoding
        if declared is None:
            essence = kind.partition(";")[0].lower()
            if "text" in essence:
                return "ISO-8859-1"
            if "application/json" in essence:
                return "utf-8"
        return declared

    @encoding.setter
    def encoding(self, value: str | None) -> None:
        self._encoding = value
        self._text = None

    @property
    def apparent_encoding(self) -> str | None:
        """The charset that the bytes of the body look like; with a byte order mark the one that leaves it out."""
        body = self.body
        found = charset.detect(body)
        if body[:4].decode(found, "replace")[:1] == "\ufeff":
            return "UTF-8-SIG" if found == "utf-8" else found.upper().removesuffix("-LE").removesuffix("-BE")
        return "ascii" if body and body.isascii() else found

    @property
    def text(self) -> str:
        """The body as text; bytes that the encoding does not have become U+FFFD. Never raises for its contents."""
        text = self._text
        if text is None:
            text = self._text = self._decode(self.body)
        return text

    def _decode(self, body: bytes) -> str:
        if self._encoding is ASK and self.is_html_type:
            kind = self.headers["content-type"]
            text, found = charset.decode(body, kind)
            declared = _declared_charset(kind)
            # The label as the server wrote it, where it is what decided.
            self._found_encoding = declared if declared and charset.known(declared) == found else found
            return text
        if not body:
            return ""
        try:
            return str(body, self.encoding or self.apparent_encoding or "utf-8", errors="replace")
        except (LookupError, TypeError, ValueError):
            return str(body, "utf-8", errors="replace")  # a charset that nobody knows

    def json(self, **kwargs: Any) -> Any:
        """The body read as JSON (RFC 8259: UTF-8, and UTF-16 and UTF-32, with or without a byte order mark).

        `kwargs` go to `json.loads`. Raises JSONDecodeError, which is the standard library's as well as ours.
        """
        body = self.body
        try:
            if body and (self.encoding or "utf-8").lower() in ("utf-8", "utf8"):
                try:
                    return json.loads(body.decode(json.detect_encoding(body)), **kwargs)
                except UnicodeDecodeError:
                    pass  # some other charset that was not declared: `text` makes the best of it
            return json.loads(self.text, **kwargs)
        except json.JSONDecodeError as error:
            raise errors.JSONDecodeError(error.msg, error.doc, error.pos, response=self) from error


def _declared_charset(content_type: str) -> str | None:
    """The charset of a Content-Type with its letters as they were sent."""
    label = charset.charset_of(content_type)
    if label is None:
        return None
    start = content_type.lower().rfind(label)
    return content_type[start : start + len(label)] if start >= 0 else label

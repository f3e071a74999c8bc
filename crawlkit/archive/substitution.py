"""Substitution: takes secrets out of data, however they are written there, and leaves it as long as it was.

What belongs here: escapes, also within one another, and data that comes in pieces. What does not: forms without escapes
(secretindex.py), the parts of an exchange (redaction.py).

A redactor of logs undoes the escapes of the whole text. A page has a thousand of them and no secret in them, so that here
only the words are looked at in which there is an escape: what is between two bytes that are in no secret. What is found in
them is replaced there and escaped again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from crawlkit.archive.pseudonyms import Pseudonyms
from crawlkit.archive.secretindex import SecretIndex, painted
from crawlkit.sessions.secretforms import CODINGS, CSS, FORM, PERCENT, Coding, Span

WINDOW = 1 << 20
"""Bytes that are looked at together."""

_DEPTH = 3  # escapes within escapes
_VIEWS = 24  # ways to read one window, at most
_UTF_16_SHARE = 4  # one byte in so many is 0: markup in UTF-16, whatever its language, or a file that is no text
_ESCAPED = 18  # bytes that one of a secret may take: `\u0041`, percent-encoded
_LEAST_REACH = 4 * 1024
_MOST_REACH = 256 * 1024

#: What was found: how it was written, such as ("base64", "percent-encoded"), innermost first, and how often.
Seen = Counter[tuple[str, ...]]


class Substitution:
    """Replaces what `index` finds by its pseudonym. Any thread may call anything."""

    def __init__(self, index: SecretIndex, pseudonyms: Pseudonyms) -> None:
        self._index = index
        self._pseudonyms = pseudonyms

    @property
    def knows(self) -> bool:
        """Whether there is anything to look for."""
        return len(self._index) > 0

    @property
    def reach(self) -> int:
        """How many bytes on either side of a place must be known to say whether a secret is at it."""
        return max(_LEAST_REACH, min(self._index.longest * _ESCAPED, _MOST_REACH))

    def applied(self, data: bytes, seen: Seen) -> bytes:
        """`data` without secrets, as long as it was; `data` itself when there is none. `seen` is added to."""
        if not self.knows:
            return data
        return self._applied(data, _DEPTH, [_VIEWS], (), seen)

    def masked(self, data: bytes, places: Iterable[Span], seen: Seen) -> bytes:
        """`data` with pseudonyms at `places`, whatever is there; `data` itself when there are none."""
        out = None
        for start, end in places:
            out = bytearray(data) if out is None else out
            out[start:end] = self._pseudonyms.of(data[start:end].decode("latin-1")).encode("latin-1")
            seen["by its place",] += 1
        return data if out is None else bytes(out)

    def _applied(self, data: bytes, depth: int, views: list[int], path: tuple[str, ...], seen: Seen) -> bytes:
        views[0] -= 1
        hits = self._index.hits(data)
        if hits:
            data = painted(data, hits, self._pseudonyms)
            seen.update((hit.form.kind, *path) for hit in hits)
        if depth:
            lines: dict[bytes, bytes] = {}
            for coding in (*CODINGS, CSS, FORM) if self._index.spaced else (*CODINGS, CSS):
                if coding.marker.encode() in data and views[0] > 0:
                    clean = self._within(coding, data, lines, depth, views, path, seen)
                    if clean is not data:
                        data, lines = clean, {}
            if data.count(0) * _UTF_16_SHARE > len(data):
                data = self._within_utf_16(data, depth, views, path, seen)
        return data

    def _within_utf_16(self, data: bytes, depth: int, views: list[int], path: tuple[str, ...], seen: Seen) -> bytes:
        """`data` without the secrets in it that are escaped, and then in UTF-16: every other byte is read."""
        out = None
        for parity in (0, 1):
            plain = data[parity::2]
            clean = self._applied(plain, depth - 1, views, ("UTF-16", *path), seen) if views[0] > 0 else plain
            if clean is not plain:
                out = bytearray(data) if out is None else out
                out[parity::2] = clean
        return data if out is None else bytes(out)

    def _within(
        self,
        coding: Coding,
        data: bytes,
        lines: dict[bytes, bytes],
        depth: int,
        views: list[int],
        path: tuple[str, ...],
        seen: Seen,
    ) -> bytes:
        """`data` without the secrets that are escaped by `coding`, in which other escapes may be. `lines`: by delimiters,
        `data` with a line feed for each of them, which most codings share.
        """
        delimiters = self._index.delimiters if coding is not CSS else _with_space(self._index.delimiters)
        if delimiters not in lines:
            lines[delimiters] = data.translate(delimiters)
        words = list(_words(data, coding.marker.encode(), lines[delimiters], self._index.shortest))
        text = b"\n".join(data[start:end] for start, end in words).decode("latin-1")
        decoded = coding.decoded(text)
        if decoded == text:
            return data
        plain = decoded.encode("latin-1")
        clean = self._applied(plain, depth - 1, views, (_named(coding), *path), seen)
        if clean is plain:
            return data
        fresh = coding.rewritten(text, clean.decode("latin-1")).encode("latin-1")
        out, at = bytearray(data), 0
        for start, end in words:
            out[start:end] = fresh[at : at + end - start]
            at += end - start + 1
        return bytes(out)

    def pieces(self, pieces: Iterable[bytes], seen: Seen, *, window: int = WINDOW) -> Iterator[bytes]:
        """What `pieces` are together, without secrets, also those that lie across the end of a piece.

        In memory are `window` bytes, and no more than `reach` on either side of them.
        """
        reach = self.reach
        before, pending = b"", bytearray()
        for piece in pieces:
            pending += piece
            while len(pending) >= window + reach:
                data = before + bytes(pending[: window + reach])
                border = len(before) + window
                yield self.applied(data, seen)[len(before) : border]
                before = data[max(0, border - reach) : border]
                del pending[:window]
        if pending:
            yield self.applied(before + bytes(pending), seen)[len(before) :]


def _words(data: bytes, marker: bytes, lines: bytes, shortest: int) -> Iterator[Span]:
    """The words of `data` in which `marker` is, and that are long enough to hold a secret; in `lines` each is a line."""
    end = 0
    at = data.find(marker)
    while at >= 0:
        start = lines.rfind(b"\n", end, at) + 1 or end
        end = lines.find(b"\n", at)
        end = len(data) if end < 0 else end
        if end - start >= shortest:
            yield start, end
        at = data.find(marker, end)


def _with_space(delimiters: bytes) -> bytes:
    """The same, but that a space ends no word: in CSS it ends an escape."""
    return delimiters[:0x20] + b" " + delimiters[0x21:]


def _named(coding: Coding) -> str:
    if coding.marker in "%+":
        return "percent-encoded" if coding is PERCENT else "form-encoded"
    return "HTML-escaped" if coding.marker == "&" else "backslash-escaped"

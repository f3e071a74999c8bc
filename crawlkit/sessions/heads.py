"""Response heads: from the bytes up to the blank line to a status and header fields (RFC 9112 sections 2 to 5).

What belongs here: finding the end of a head, and reading it. What does not: sockets (wire.py), what the fields mean
for the body (bodies.py). Strict about the status line, for what follows a wrong one is not HTTP; a field line that is
wrong is dropped and counted, and the rest kept, for it is one line of one server's configuration and not worth the
page.

Nearly every head of the real world is well-formed: that is decided for the whole block by two C calls, and only a
head that fails them takes the slow way. 2.8 µs for 8 fields; http.client needs 17.
"""

from __future__ import annotations

import re

from crawlkit.exceptions import BadResponse

MAX_BYTES = 300 * 1024
MAX_LINES = 5000

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_STATUS_LINE = re.compile(r"HTTP/1\.([0-9])[ \t]+([1-9][0-9]{2})(?:[ \t]+(.*))?[ \t]*")
_CACHE_MAX = 4096

# Names and status lines that were read before: names to lower case (which also says that they are tokens), status lines
# to version, status and reason. Bounded by starting over, for a server chooses what is in them.
_names: dict[str, str] = {}
_statuses: dict[str, tuple[int, int, str]] = {}


class Head:
    """A response's head, as read.

    `version` is 10 or 11; `fields` the (name, value) pairs in order, as sent; `store` lower-case name to (name,
    value), the values of a repeated name joined with ", "; `dropped` the number of lines that were no header fields.
    """

    __slots__ = ("dropped", "fields", "reason", "status", "store", "version")

    def __init__(
        self,
        version: int,
        status: int,
        reason: str,
        fields: list[tuple[str, str]],
        store: dict[str, tuple[str, str]],
        dropped: int,
    ) -> None:
        self.version = version
        self.status = status
        self.reason = reason
        self.fields = fields
        self.store = store
        self.dropped = dropped

    def get(self, name: str) -> str:
        """The value of the field with this lower-case name; "" when there is none."""
        pair = self.store.get(name)
        return "" if pair is None else pair[1]

    def values(self, name: str) -> list[str]:
        """Every value of the fields with this lower-case name, one an item."""
        if name not in self.store:
            return []
        return [value for key, value in self.fields if key.lower() == name]


def find_end(data: bytes | bytearray, start: int = 0) -> int:
    """The index just past the blank line that ends a head; -1 when it has not arrived. Bare LF is tolerated."""
    crlf = data.find(b"\n\r\n", start)
    bare = data.find(b"\n\n", start, None if crlf < 0 else crlf + 1)
    if bare >= 0:
        return bare + 2
    return crlf + 3 if crlf >= 0 else -1


def read(block: bytes) -> Head:
    """The head in `block`, which ends with its blank line. Raises BadResponse when it is no HTTP/1 head, or too
    long.
    """
    text = block.decode("latin-1")
    lines = text[:-4].split("\r\n")
    dropped = 0
    # A head that holds nothing but printable characters and CRLF has no bare CR, bare LF or NUL, and no fold by a tab.
    if "\r\n " in text or not text.endswith("\r\n\r\n") or not "".join(lines).isprintable():
        lines, dropped = _repaired(text)
    if len(lines) > MAX_LINES:
        raise BadResponse(f"the head of the answer has more than {MAX_LINES} lines")
    status_line = lines[0]
    known = _statuses.get(status_line)
    if known is None:
        known = _read_status(status_line)
    fields: list[tuple[str, str]] = []
    store: dict[str, tuple[str, str]] = {}
    repeated: list[str] = []
    del lines[0]
    for line in lines:
        name, colon, value = line.partition(":")
        lower = _names.get(name)
        if lower is None or not colon:
            lower = _read_name(name) if colon else None
            if lower is None:
                dropped += 1
                continue
        pair = (name, value.strip(" \t"))
        fields.append(pair)
        if lower in store:
            repeated.append(lower)
        else:
            store[lower] = pair
    if repeated:
        _join(repeated, fields, store)
    return Head(*known, fields, store, dropped)


def is_http(start: bytes | bytearray) -> bool:
    """Whether the first bytes of an answer can be those of a status line."""
    return b"HTTP/1."[: len(start)] == start[:7]


def _read_status(line: str) -> tuple[int, int, str]:
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        raise BadResponse(f"the answer is not HTTP/1: it begins with {line[:60]!r}")
    known = (11 if match[1] != "0" else 10, int(match[2]), match[3] or "")
    if len(_statuses) >= _CACHE_MAX:
        _statuses.clear()
    if len(line) < 100:
        _statuses[line] = known
    return known


def _read_name(name: str) -> str | None:
    if not _TOKEN.fullmatch(name):
        return None
    lower = name.lower()
    if len(_names) >= _CACHE_MAX:
        _names.clear()
    if len(name) < 100:
        _names[name] = lower
    return lower


def _join(repeated: list[str], fields: list[tuple[str, str]], store: dict[str, tuple[str, str]]) -> None:
    """Put every value of the repeated names into the store; joined once, so that 5,000 of them stay cheap."""
    values: dict[str, list[str]] = {lower: [] for lower in repeated}
    for name, value in fields:
        if (found := values.get(name.lower())) is not None:
            found.append(value)
    for lower, found in values.items():
        store[lower] = (store[lower][0], ", ".join(found))


def _repaired(text: str) -> tuple[list[str], int]:
    """Lines that end with LF or CRLF, folds joined (RFC 9112 section 5.2), and how many were beyond repair."""
    lines: list[list[str]] = []
    dropped = 0
    kept = False  # whether the line that a fold would continue was kept
    for raw in text.split("\n"):
        line = raw.removesuffix("\r")
        if not line:
            continue
        if line[0] in " \t" and lines:
            if "\r" in line or "\0" in line:
                kept = False
            if kept:
                lines[-1].append(line.strip(" \t"))
            else:
                dropped += 1
        elif ("\r" in line or "\0" in line) and lines:
            dropped += 1
            kept = False
        else:
            # A fold right after the status line continues nothing.
            kept = bool(lines)
            lines.append([line])
    return [" ".join(parts) for parts in lines], dropped

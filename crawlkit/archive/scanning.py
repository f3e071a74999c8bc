"""Scanning: looks for secrets in what was archived, before it becomes a package.

What belongs here: looking at bytes from many places, piece by piece, and saying where a secret is, never which. What does
not: taking it out (redaction.py), reading records (indexing.py shows them to us).

What is found is mostly a secret that was learnt after its page was archived: a cookie that was set late and whose value
stood in an earlier page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from crawlkit.archive.registry import Registry
from crawlkit.archive.substitution import Seen, Substitution
from crawlkit.exceptions import SecretFound

_TOGETHER = 64 * 1024
_MOST = 100  # findings that are remembered


class Finding(NamedTuple):
    """Where a secret is: the place and the first byte there that would have to change, and how it is written (`base64,
    percent-encoded`).
    """

    place: str
    offset: int
    written: str

    def __str__(self) -> str:
        return f"{self.place}, byte {self.offset} ({self.written})"


class Scan:
    """Looks for every secret that `registry` knows when it is made. Belongs to one thread."""

    def __init__(self, registry: Registry) -> None:
        self._substitution = Substitution(registry.index(), registry.pseudonyms)
        self._looks: list[_Look] = []
        self._findings: dict[tuple[str, int], Finding] = {}

    @property
    def findings(self) -> list[Finding]:
        """What was found so far, the first 100 of it."""
        self._look_at_all()
        return list(self._findings.values())

    def look(self, place: str) -> Callable[[bytes], None]:
        """A function that is given the bytes at `place`, in order, in pieces of any size; a secret may lie across them."""
        self._look_at_all()
        return _Look(place, self).feed

    def approve(self) -> None:
        """After the last byte: SecretFound when there was one, with the places; it names no secret."""
        found = self.findings
        if found:
            more = f" and at {len(found) - 1} more places" if len(found) > 1 else ""
            raise SecretFound(
                f"a secret is left in the archive: {found[0]}{more}; no package was made, the records were kept"
            )

    def _look_at_all(self) -> None:
        looks, self._looks = self._looks, []
        for look in looks:
            look.search()

    def _waits(self, look: _Look) -> None:
        self._looks.append(look)

    def _search(self, place: str, start: int, data: bytes) -> None:
        seen = Seen()
        clean = self._substitution.applied(data, seen)
        if seen and len(self._findings) < _MOST:
            at = next((at for at, (old, new) in enumerate(zip(data, clean, strict=True)) if old != new), 0)
            written = " and ".join(sorted(", ".join(kind) for kind in seen))
            self._findings.setdefault((place, start + at), Finding(place, start + at, written))


class _Look:
    """The bytes at one place: those that were not looked at yet, and as many before them as a secret may reach."""

    def __init__(self, place: str, scan: Scan) -> None:
        self._place = place
        self._scan = scan
        self._data = bytearray()
        self._start = 0  # where `_data` begins
        self._fresh = 0  # bytes at its end that were not looked at

    def feed(self, data: bytes) -> None:
        """More bytes."""
        if data and not self._fresh:
            self._scan._waits(self)
        self._data += data
        self._fresh += len(data)
        if self._fresh >= _TOGETHER:
            self.search()

    def search(self) -> None:
        """Look at what was not looked at."""
        if self._fresh:
            self._scan._search(self._place, self._start, bytes(self._data))
            known = max(0, len(self._data) - self._scan._substitution.reach)
            del self._data[:known]
            self._start += known
            self._fresh = 0

"""Which pages the crawl has met: the index from fingerprint to page, kept by hand in sorted batches.

What belongs here: `_known` and the fingerprints that are not in it yet. What does not: what is done with a new
page.

Fingerprints are random, so that each new one touches its own leaf of a B-tree: with a million pages SQLite's
own index takes 40,000 links a second and writes 9.4 KB for each. Here they are appended with their page, held
in memory and merged into `_known` sorted, BATCH at once and a slice after each commit, so that no commit waits
for a whole merge. `_meta.merged` is the page up to which all are merged: what lies after it is read again at
the start.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

#: How many fingerprints are merged together. Memory is about 200 bytes each, at most twice this many are held.
BATCH = 131_072

#: How many fingerprints of this crawl are remembered beside them, so that a menu's links cost one look in a dict.
RECENT = 131_072

#: Bound values of one lookup. Few sizes, so that few statements are prepared.
_SIZES = (1, 8, 64, 512)


class Fingerprints:
    """The fingerprints of all pages. One thread, inside the transactions of its owner."""

    def __init__(self, connection: sqlite3.Connection, batch: int = BATCH) -> None:
        self._connection = connection
        self._batch = batch
        self._fresh: dict[bytes, int] = {}
        self._frozen: dict[bytes, int] = {}
        self._slices: list[tuple[bytes, int]] = []
        self._added: list[bytes] = []
        self._merged_any = False
        #: Pages that the current crawl is known to have; a cache, emptied at will.
        self.seen: dict[bytes, int] = {}

    def load(self) -> None:
        """Read what is not merged yet: at most two batches, so that a start takes no longer with more pages."""
        row = self._connection.execute("SELECT value FROM _meta WHERE name = 'merged'").fetchone()
        merged = row[0] if row else 0
        self._merged_any = merged > 0 or bool(self._connection.execute("SELECT 1 FROM _known LIMIT 1").fetchone())
        self._fresh = dict(
            self._connection.execute("SELECT fingerprint, id FROM _pages WHERE id > ? ORDER BY id", (merged,))
        )
        self._frozen, self._slices, self._added = {}, [], []
        self.seen = {}

    def find(self, wanted: Collection[bytes]) -> dict[bytes, int]:
        """The pages of those fingerprints that are known."""
        found: dict[bytes, int] = {}
        unknown: list[bytes] = []
        fresh, frozen = self._fresh, self._frozen
        for fingerprint in wanted:
            page = fresh.get(fingerprint) or frozen.get(fingerprint)
            if page is None:
                unknown.append(fingerprint)
            else:
                found[fingerprint] = page
        if self._merged_any:
            start = 0
            while start < len(unknown):
                size = next((size for size in _SIZES if size >= len(unknown) - start), _SIZES[-1])
                part = unknown[start : start + size]
                part += part[-1:] * (size - len(part))
                found.update(self._connection.execute(_lookup(size), part))
                start += size
        return found

    def add(self, pages: list[tuple[bytes, int]]) -> None:
        """Note new pages, whose rows the caller inserts in the same transaction."""
        self._fresh.update(pages)
        self._added.extend(fingerprint for fingerprint, _ in pages)

    def note(self, pages: list[tuple[bytes, int]]) -> None:
        """Remember that the current crawl has these pages."""
        if len(self.seen) >= RECENT:
            self.seen.clear()
        self.seen.update(pages)

    def committed(self) -> None:
        """The transaction with what was added is committed."""
        self._added.clear()

    @property
    def added(self) -> int:
        """How many were added since the last commit."""
        return len(self._added)

    def rolled_back(self, added: int = 0) -> None:
        """All but the first `added` of what was added since the last commit are not there."""
        for fingerprint in self._added[added:]:
            self._fresh.pop(fingerprint, None)
        del self._added[added:]
        self.seen.clear()

    @property
    def merging(self) -> bool:
        """Whether `merge` has something to do."""
        return bool(self._slices) or len(self._fresh) >= self._batch

    def merge(self, size: int) -> int:
        """Merge a slice of `size` fingerprints, in the transaction that is open; how many it was.

        Call `merged` with that number when the transaction is committed. Doing a slice twice does no harm, so that the
        transaction need not be durable.
        """
        if not self._slices:
            self._frozen, self._fresh = self._fresh, {}
            self._slices = sorted(self._frozen.items(), reverse=True)
        part = self._slices[: -size - 1 : -1]
        self._connection.executemany("INSERT OR IGNORE INTO _known VALUES (?, ?)", part)
        if len(part) == len(self._slices):
            self._connection.execute("INSERT OR REPLACE INTO _meta VALUES ('merged', ?)", (max(self._frozen.values()),))
        return len(part)

    def merged(self, size: int) -> None:
        """The last slice is committed."""
        self._merged_any = True
        del self._slices[len(self._slices) - size :]
        if not self._slices:
            self._frozen = {}


def _lookup(size: int) -> str:
    return f"SELECT fingerprint, page FROM _known WHERE fingerprint IN ({','.join('?' * size)})"

"""The frontier: which pages wait, and for when; lending them out and taking them back.

What belongs here: adding links, leases, the order of a host's queue (priority, then age). What does not: which
host is next (crawl/scheduler), what a page's outcome means (pages.py), pages that are queued again without a link that
was found just now (revisits.py).

A queued page is in one of two partial indexes: `_pages_ready`, from whose front it is lent out, or
`_pages_waiting` by its not-before time. A page that becomes due is moved from the second to the first when its
host is asked, so that neither question reads past pages that cannot be given.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from crawlkit.store.fingerprints import Fingerprints
from crawlkit.store.outcome import Lease, Link, Memory, Past, Verdict
from crawlkit.store.totals import Totals

_INSERT = (
    "INSERT INTO _pages (id, url, state, depth, host, priority, not_before, start, crawl, parent, fingerprint, request)"
    " VALUES (?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_AGAIN = (
    "UPDATE _pages SET state = 'queued', depth = ?, priority = ?, not_before = ?, start = ?, crawl = ?, parent = ?,"
    " request = ?, attempts = 0, error = NULL, probe = 0 WHERE id = ?"
)
_READY = (
    "SELECT id, fingerprint, url, host, priority, depth, attempts, request, start, items, final_url, probe, changed,"
    " source_hash, etag, last_modified, body_hash, size, content_type, fetched_at, changed_at, body"
    " FROM _pages INDEXED BY _pages_ready WHERE state = 'queued' AND not_before = 0 AND host = ?"
    " ORDER BY priority DESC, id LIMIT ?"
)
_DUE = (
    "UPDATE _pages SET not_before = 0 WHERE id IN (SELECT id FROM _pages INDEXED BY _pages_waiting"
    " WHERE state = 'queued' AND not_before > 0 AND host = ? AND not_before <= ? ORDER BY not_before LIMIT ?)"
)
_NEXT_WAITING = (
    "SELECT not_before FROM _pages INDEXED BY _pages_waiting"
    " WHERE state = 'queued' AND not_before > 0 AND host = ? ORDER BY not_before LIMIT 1"
)
_ANY_READY = (
    "SELECT 1 FROM _pages INDEXED BY _pages_ready WHERE state = 'queued' AND not_before = 0 AND host = ? LIMIT 1"
)
_NEXT_HOST = (
    "SELECT host FROM _pages INDEXED BY {index} WHERE state = 'queued' AND {when} AND host > ? ORDER BY host LIMIT 1"
)
#: Pages that have become due and are made ready together: priority decides among them, and no lease takes long.
_DUE_AT_ONCE = 256
_QUEUES = (("_pages_ready", "not_before = 0"), ("_pages_waiting", "not_before > 0"))


class Frontier:
    """The queue of one crawl. One thread, inside the transactions of the Store."""

    def __init__(self, connection: sqlite3.Connection, fingerprints: Fingerprints, totals: Totals) -> None:
        self._connection = connection
        self._fingerprints = fingerprints
        self._totals = totals
        self._hosts: set[str] = set()
        self._doubtful: set[str] = set()
        self._next_page = 1
        self._crawl = 0
        self._run = 0
        self._remembers = 0
        #: What is lent out: the lease and how many rows its page has.
        self.leases: dict[int, tuple[Lease, int]] = {}

    def begin(self, crawl: int, run: int) -> None:
        """Start lending out for `run`: read what the file says. Fast however many pages there are."""
        self._crawl, self._run = crawl, run
        self.leases = {}
        row = self._connection.execute("SELECT value FROM _meta WHERE name = 'fresh'").fetchone()
        self._remembers = row[0] if row else 0
        self._fingerprints.load()
        last = self._connection.execute("SELECT max(id) FROM _pages").fetchone()[0] or 0
        self._next_page = last + 1
        self._hosts = set()
        for index, when in _QUEUES:
            self._hosts.update(self._distinct_hosts(_NEXT_HOST.format(index=index, when=when)))

    def _distinct_hosts(self, following: str) -> Iterable[str]:
        """A loose index scan: one step for each host, not for each page."""
        row = self._connection.execute(following, ("",)).fetchone()
        while row is not None:
            yield row[0]
            row = self._connection.execute(following, row).fetchone()

    # --- adding ----------------------------------------

    def add(self, batches: Iterable[tuple[int, Sequence[Link], Verdict]]) -> None:
        """Queue the links that this crawl has not met. Each batch: the page they were found on (0: the start), the
        links, and the verdict that counts those that were new."""
        seen = self._fingerprints.seen
        wanted: dict[bytes, tuple[Link, int, Verdict]] = {}
        also: list[tuple[bytes, Verdict]] = []
        for parent, links, verdict in batches:
            copies: dict[bytes, int] = {}
            targets = verdict.targets
            for link in links:
                fingerprint = link.fingerprint
                if link.dont_filter:
                    copies[fingerprint] = copy = copies.get(fingerprint, -1) + 1
                    fingerprint = _own_fingerprint(fingerprint, parent, copy)
                if fingerprint in seen:
                    targets[fingerprint] = page = seen[fingerprint]
                    if link.start:
                        self._mark_start(page)
                elif fingerprint not in wanted:
                    wanted[fingerprint] = (link, parent, verdict)
                else:
                    also.append((fingerprint, verdict))
        if wanted:
            self._queue(wanted)
        for fingerprint, verdict in also:
            verdict.targets[fingerprint] = wanted[fingerprint][2].targets[fingerprint]

    def _queue(self, wanted: dict[bytes, tuple[Link, int, Verdict]]) -> None:
        crawl = self._crawl
        hosts = self._hosts
        known = self._fingerprints.find(wanted)
        earlier = self._of_earlier_crawls(known)
        present: list[tuple[bytes, int]] = []
        new: list[tuple[object, ...]] = []
        again: list[tuple[object, ...]] = []
        added: list[tuple[bytes, int]] = []
        for fingerprint, (link, parent, verdict) in wanted.items():
            page = known.get(fingerprint)
            verdict.targets[fingerprint] = page or self._next_page
            not_before = link.not_before if link.not_before > 0.0 else 0.0
            if page is None:
                page = self._next_page
                self._next_page += 1
                added.append((fingerprint, page))
                new.append(
                    (page, link.url, link.depth, link.host, link.priority, not_before, link.start, crawl, parent,
                     fingerprint, link.request)
                )  # fmt: skip
            elif page in earlier:
                again.append((link.depth, link.priority, not_before, link.start, crawl, parent, link.request, page))
                present.append((fingerprint, page))
            else:
                present.append((fingerprint, page))
                if link.start:
                    self._mark_start(page)
                continue
            verdict.new_links += 1
            verdict.hosts.add(link.host)
            hosts.add(link.host)
        self._connection.executemany(_INSERT, new)
        self._connection.executemany(_AGAIN, again)
        self._fingerprints.add(added)
        self._fingerprints.note(present + added)
        self._totals.move(len(new) + len(again), self._crawl, "queued")

    def _of_earlier_crawls(self, known: dict[bytes, int]) -> set[int]:
        """Those of the known pages that this crawl has not reached yet; their totals are taken from the earlier one."""
        if self._crawl == 1:
            return set()
        earlier: set[int] = set()
        for page in known.values():
            crawl, state = self._connection.execute("SELECT crawl, state FROM _pages WHERE id = ?", (page,)).fetchone()
            if crawl < self._crawl:
                earlier.add(page)
                self._totals.move(-1, crawl, state)
        return earlier

    def _mark_start(self, page: int) -> None:
        self._connection.execute("UPDATE _pages SET start = 1 WHERE id = ? AND start = 0", (page,))

    # --- lending ----------------------------------------

    def may_have(self, host: str) -> bool:
        """False when `host` surely has nothing queued."""
        return host in self._hosts

    def lease(self, host: str, limit: int, now: float) -> list[Lease]:
        """Lend out at most `limit` pages of `host` that are due at `now`, by priority, then in the order of adding."""
        self._connection.execute(_DUE, (host, now, _DUE_AT_ONCE))
        rows = self._connection.execute(_READY, (host, limit)).fetchall()
        self._connection.executemany(
            "UPDATE _pages SET state = 'leased', run = ? WHERE id = ?", [(self._run, row[0]) for row in rows]
        )
        leases = [self._lease(row) for row in rows]
        self.leases.update((lease.page, (lease, row[9])) for lease, row in zip(leases, rows, strict=True))
        return leases

    def _lease(self, row: Sequence[Any]) -> Lease:
        page, fingerprint, url, host, priority, depth, attempts, request, start, _, ended, probe, changed, *known = row
        past = _past(known) if known[0] is not None and changed is not None and changed >= self._remembers else None
        return Lease(page, fingerprint, url, host, priority, depth, attempts, request, bool(start), self._run,
                     past, ended, bool(probe))  # fmt: skip

    def lent(self, host: str, wanted: int, leases: Sequence[Lease]) -> None:
        """The leases are committed: a host that gave fewer than wanted, or just as many, may have run dry."""
        if len(leases) < wanted and self.next_due(host) is None:
            self._hosts.discard(host)
        else:
            self._doubtful.add(host)

    def give_back(self, pages: Sequence[int], not_before: float) -> list[str]:
        """Queue leased pages again as if they had not been lent out; the hosts that got work."""
        hosts = []
        for page in pages:
            lease, _ = self.leases[page]
            hosts.append(lease.host)
            self._hosts.add(lease.host)
        self._connection.executemany(
            "UPDATE _pages SET state = 'queued', not_before = ? WHERE id = ? AND state = 'leased'",
            [(max(0.0, not_before), page) for page in pages],
        )
        return hosts

    def waits(self, host: str) -> None:
        """Note that `host` has queued work."""
        self._hosts.add(host)

    # --- questions ----------------------------------------

    def hosts(self) -> list[str]:
        """The hosts with queued pages, due or not."""
        for host in self._doubtful:
            if self.next_due(host) is None:
                self._hosts.discard(host)
        self._doubtful.clear()
        return sorted(self._hosts)

    def redirected_starts(self) -> list[str]:
        """The final URLs of this crawl's start pages that were redirected."""
        rows = self._connection.execute(
            "SELECT final_url FROM _pages INDEXED BY _pages_start"
            " WHERE start = 1 AND final_url IS NOT NULL AND crawl = ?",
            (self._crawl,),
        )
        return [row[0] for row in rows]

    def next_due(self, host: str) -> float | None:
        """When `host` has a page to lend: 0.0 at once, a time, or None when nothing is queued."""
        if self._connection.execute(_ANY_READY, (host,)).fetchone():
            return 0.0
        row = self._connection.execute(_NEXT_WAITING, (host,)).fetchone()
        return row[0] if row else None

    # --- the transaction of the owner ----------------------------------------

    def mark(self) -> int:
        """Where the transaction stands, for `rolled_back` to a savepoint."""
        return self._fingerprints.added

    def committing(self) -> None:
        """All is written already."""

    def committed(self) -> None:
        """What was added is there to stay."""
        self._fingerprints.committed()

    def rolled_back(self, mark: int = 0) -> None:
        """What was added since the mark, or since the last commit, is not there. Its numbers are not used again."""
        self._fingerprints.rolled_back(mark)


def _own_fingerprint(fingerprint: bytes, parent: int, copy: int) -> bytes:
    """The fingerprint of a `dont_filter` request: its own for each page that yields it, the same in every crawl."""
    return hashlib.blake2b(b"%b %d %d" % (fingerprint, parent, copy), digest_size=16).digest()


def _past(known: Sequence[Any]) -> Past:
    mark, etag, last_modified, body_hash, size, content_type, fetched_at, changed_at, body = known
    memory = Memory(mark, etag, last_modified, body_hash)
    return Past(memory, size or 0, content_type, fetched_at or 0.0, changed_at or 0.0, body)

"""Pages that are queued again though no link to them was found just now.

What belongs here: those that an unchanged page linked to when it was parsed, those that have rows and were not reached,
those that turned out to have been got wrongly. What does not: links that are found, leases (frontier.py).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from crawlkit.store.outcome import Verdict
from crawlkit.store.secrets import STRIPPED
from crawlkit.store.targets import Target
from crawlkit.store.totals import Totals

_FOLLOW = (
    "UPDATE _pages SET state = 'queued', depth = ?, not_before = 0, start = 0, crawl = ?, parent = ?, attempts = 0,"
    " error = NULL, probe = 0 WHERE id = ?"
)
#: A request that cannot be sent as it was would get another answer, and the rows of its page would go.
_SENDABLE = f"(request IS NULL OR request NOT LIKE '%{STRIPPED}')"
_UNREACHED = (
    f"SELECT id, host, crawl, state FROM _pages WHERE id > ? AND crawl < ? AND items > 0 AND {_SENDABLE}"
    " AND crawl IN (SELECT crawl FROM _runs WHERE arguments IS (SELECT arguments FROM _runs WHERE id = ?))"
    " ORDER BY id LIMIT ?"
)
_PROBE = (
    "UPDATE _pages SET state = 'queued', crawl = ?, attempts = 0, not_before = 0, error = NULL, start = 0, probe = 1"
    " WHERE id = ?"
)
_TAKE_UP_AGAIN = (
    "UPDATE _pages SET state = 'queued', not_before = 0, attempts = 0, source_hash = NULL"
    f" WHERE id = ? AND state = 'done' AND crawl = ? AND run = ? AND {_SENDABLE} RETURNING host"
)


class Revisits:
    """One thread, inside the transactions of the Store. `waits` is told of each host that gets work."""

    def __init__(self, connection: sqlite3.Connection, totals: Totals, waits: Callable[[str], None]) -> None:
        self._connection = connection
        self._totals = totals
        self._waits = waits
        self._probed = 0
        self._crawl = 0
        self._run = 0

    def begin(self, crawl: int, run: int) -> None:
        """Pages are queued for `crawl` from now on."""
        self._crawl, self._run = crawl, run
        self._probed = 0

    def follow(self, parent: int, depth: int, targets: Sequence[Target], verdict: Verdict) -> None:
        """Queue pages that `parent` linked to when it was parsed, each with the request that it had then."""
        self._connection.executemany(_FOLLOW, [(depth, self._crawl, parent, target.page) for target in targets])
        self._count([(target.host, target.crawl, target.state) for target in targets], verdict)

    def probe(self, limit: int, verdict: Verdict) -> None:
        """Queue at most `limit` pages that have rows and that this crawl has not reached, going on where it stopped.

        Pages that a crawl with other -a arguments reached last are not this one's to miss.
        """
        if self._crawl == 1:
            return
        pages = self._connection.execute(_UNREACHED, (self._probed, self._crawl, self._run, limit)).fetchall()
        self._connection.executemany(_PROBE, [(self._crawl, page) for page, *_ in pages])
        self._count([(host, crawl, state) for _, host, crawl, state in pages], verdict)
        if pages:
            self._probed = pages[-1][0]

    def _count(self, pages: Sequence[tuple[str, int, str]], verdict: Verdict) -> None:
        for host, crawl, state in pages:
            self._totals.move(-1, crawl, state)
            self._waits(host)
            verdict.hosts.add(host)
        self._totals.move(len(pages), self._crawl, "queued")
        verdict.new_links += len(pages)

    def take_up_again(self, pages: Sequence[int]) -> list[str]:
        """Queue pages again that are done in this run, as if they had not been fetched; the host of each.

        Left as they are: pages whose request lost its headers or its body with its end, and cannot be sent again.
        """
        hosts = []
        for page in pages:
            row = self._connection.execute(_TAKE_UP_AGAIN, (page, self._crawl, self._run)).fetchone()
            if row is not None:
                hosts.append(row[0])
                self._waits(row[0])
        self._totals.move(len(hosts), self._crawl, "queued")
        self._totals.move(-len(hosts), self._crawl, "done")
        return hosts

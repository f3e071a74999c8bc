"""The row of a page at its end: what is written down of its outcome, and whose page it is.

What belongs here: `_pages` at a commit, the claim on a final URL. What does not: the frontier, the author's rows.

A page is the final canonical URL of a GET (`page_key`). Whoever ends there first in a crawl has it. A holder
from an earlier crawl, or one that failed in this one, gives it up to the newcomer together with its rows, so
that a site that moves its redirects about does not look like one that lost its items and found new ones.
"""

from __future__ import annotations

import sqlite3

from crawlkit.store.fingerprints import Fingerprints
from crawlkit.store.outcome import Lease, Memory, Outcome
from crawlkit.store.secrets import without_secrets

_SETTLE = (
    "UPDATE _pages SET state = ?, status = ?, error = ?, final_url = ?, attempts = ?, fetched_at = ?, elapsed = ?,"
    " size = ?, content_type = ?, items = ?, etag = ?, last_modified = ?, body_hash = ?, source_hash = ?, changed = ?,"
    " changed_at = ?, body = ?{key} WHERE id = ? AND state = 'leased' AND run = ?"
)
_SETTLE_KEEPING_KEY = _SETTLE.format(key="")
_SETTLE_WITH_KEY = _SETTLE.format(key=", page_key = ?")
#: Its size and its body stay; the status was 200, whatever an attempt in between has written there.
_SETTLE_UNCHANGED = (
    "UPDATE _pages SET state = 'done', status = 200, error = NULL, final_url = ?, attempts = ?,"
    " fetched_at = coalesce(?, fetched_at), elapsed = coalesce(?, elapsed), etag = ?, last_modified = ?, body_hash = ?,"
    " source_hash = ?, page_key = ? WHERE id = ? AND state = 'leased' AND run = ?"
)
_FORGET = "UPDATE _pages SET source_hash = NULL WHERE id = ?"
_REQUEUE = (
    "UPDATE _pages SET state = 'queued', status = ?, error = ?, attempts = ?, not_before = ?"
    " WHERE id = ? AND state = 'leased' AND run = ?"
)


class NotLeased(Exception):
    """The page is not leased to this run any more: its outcome does not count."""


class Pages:
    """What becomes of leased pages. One thread, inside the transactions of the Store."""

    def __init__(self, connection: sqlite3.Connection, fingerprints: Fingerprints) -> None:
        self._connection = connection
        self._fingerprints = fingerprints
        self._crawl = 0

    def begin(self, crawl: int) -> None:
        """Claims count for `crawl` from now on."""
        self._crawl = crawl

    def holder(self, lease: Lease, key: bytes) -> tuple[int | None, list[int]]:
        """Who has the page `key` that `lease` ended on: a page of this crawl, or None and those that give it up."""
        holders = self._connection.execute(
            "SELECT id, crawl, state FROM _pages WHERE page_key = ? AND id <> ?", (key, lease.page)
        ).fetchall()
        if key != lease.fingerprint:
            page = self._fingerprints.find((key,)).get(key)
            if page is not None and page != lease.page:
                # A page that itself ended elsewhere has another page's key and is not here.
                holders += self._connection.execute(
                    "SELECT id, crawl, state FROM _pages WHERE id = ? AND page_key IS NULL", (page,)
                ).fetchall()
        for page, crawl, state in holders:
            if crawl == self._crawl and state == "done":
                return page, []
        return None, [page for page, _, _ in holders]

    def release(self, page: int) -> None:
        """`page` no longer has the page that it ended on, nor its rows."""
        self._connection.execute(
            "UPDATE _pages SET page_key = NULL, items = 0, source_hash = NULL WHERE id = ?", (page,)
        )

    def settle(self, outcome: Outcome, lease: Lease, state: str, reason: str | None, items: int) -> None:
        """Write down how the page ended. NotLeased when it is not leased to this run.

        Its request is not sent again as it is: what may be secret in it does not stay.
        One that is done claims where it ended; one that keeps its rows keeps its claim; any other gives it up.
        """
        done = state == "done"
        final_url = outcome.final_url if outcome.final_url != lease.url else None
        key = outcome.page_key if done and outcome.page_key != lease.fingerprint else None
        marks = _marks(outcome.memory if done else None)
        place = (lease.page, lease.run)
        if done and outcome.unchanged:
            seen = (final_url, outcome.attempts, outcome.fetched_at, outcome.elapsed)
            written = self._connection.execute(_SETTLE_UNCHANGED, (*seen, *marks, key, *place))
        else:
            change = (lease.run, outcome.fetched_at) if done else (None, None)
            body = outcome.body.name if done and outcome.body is not None else None
            values = (state, outcome.status, reason, final_url, outcome.attempts, outcome.fetched_at, outcome.elapsed,
                      outcome.size, outcome.content_type, items, *marks, *change, body)  # fmt: skip
            if done or not items:
                written = self._connection.execute(_SETTLE_WITH_KEY, (*values, key, *place))
            else:
                written = self._connection.execute(_SETTLE_KEEPING_KEY, (*values, *place))
        if written.rowcount != 1:
            raise NotLeased
        request = without_secrets(lease.request)
        if request is not lease.request:
            self._connection.execute("UPDATE _pages SET request = ? WHERE id = ?", (request, lease.page))

    def forget(self, page: int) -> None:
        """`page` cannot be known again: it is fetched and parsed as if it were new."""
        self._connection.execute(_FORGET, (page,))

    def give_back(self, outcome: Outcome, lease: Lease) -> None:
        """Queue the page again, for the outcome's not-before time. NotLeased when it is not leased to this run."""
        written = self._connection.execute(
            _REQUEUE,
            (outcome.status, outcome.error, outcome.attempts, max(0.0, outcome.not_before), lease.page, lease.run),
        )
        if written.rowcount != 1:
            raise NotLeased


def _marks(memory: Memory | None) -> tuple[str | bytes | None, ...]:
    if memory is None:
        return (None, None, None, None)
    return (memory.etag, memory.last_modified, memory.body_hash, memory.source_hash)

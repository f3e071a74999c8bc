"""What pages linked to: written down with each page that can be known again, followed again when it is unchanged.

What belongs here: `_targets`. What does not: how new links are queued (frontier.py).

One row a page, with its targets as a JSON list: one row a link would cost a page of 100 links ten times as much.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crawlkit.store.secrets import STRIPPED

_UNREACHED = (
    "SELECT p.id, p.crawl, p.state, p.host, coalesce(p.request LIKE ?, 0)"
    " FROM _targets AS t, json_each(t.pages) AS j JOIN _pages AS p ON p.id = j.value"
    " WHERE t.page = ? AND p.crawl < ? ORDER BY j.key"
)


@dataclass(frozen=True, slots=True)
class Target:
    """A page that this crawl has not reached. `sendable`: its request is still what it was."""

    page: int
    crawl: int
    state: str
    host: str
    sendable: bool


class Targets:
    """One thread, inside the transactions of the Store."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def write(self, links: Iterable[tuple[int, Sequence[int]]]) -> None:
        """Write down what each page links to, in place of what it linked to before."""
        self._connection.executemany(
            "INSERT OR REPLACE INTO _targets VALUES (?, ?)",
            [(page, f"[{','.join(map(str, targets))}]") for page, targets in links],
        )

    def forget(self, page: int) -> None:
        """What `page` linked to is not known any more."""
        self._connection.execute("DELETE FROM _targets WHERE page = ?", (page,))

    def unreached(self, page: int, crawl: int) -> list[Target]:
        """The targets of `page` that `crawl` has not reached, in their order on it."""
        rows = self._connection.execute(_UNREACHED, (f"%{STRIPPED}", page, crawl)).fetchall()
        return [Target(target, earlier, state, host, not stripped) for target, earlier, state, host, stripped in rows]

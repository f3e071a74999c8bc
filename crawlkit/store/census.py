"""Census: every URL of one crawl and what became of it, for whoever has to account for all of them.

What belongs here: reading it. What does not: what it means for an archive (archive/completeness.py), counting (totals.py).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crawlkit.store.names import quoted

_CENSUS = (
    "SELECT p.url, p.state, p.status, p.error, p.request, p.content_type, p.final_url, parent.url,"
    " (SELECT kind FROM _records AS r WHERE r.page = p.id AND r.archive = ? AND r.own AND NOT r.dropped"
    " ORDER BY r.id DESC LIMIT 1)"
    " FROM _pages AS p LEFT JOIN _pages AS parent ON parent.id = p.parent WHERE p.crawl = ? ORDER BY p.id"
)
_GUARDED = (
    "SELECT g.url, g.reason, p.url FROM _guarded AS g JOIN _pages AS p ON p.id = g.page WHERE p.crawl = ?"
    " GROUP BY g.url ORDER BY min(g.run), g.url"
)
#: A 304 says nothing of what it is of: an earlier answer of the same page does.
_PAGES = (
    "SELECT url FROM _records AS r WHERE archive = ? AND own AND NOT dropped AND (status < 300 AND {html} OR status = 304"
    " AND EXISTS (SELECT 1 FROM _records AS earlier INDEXED BY _records_page WHERE earlier.page = r.page AND earlier.own"
    " AND earlier.status < 300 AND earlier.{html}))"
).format(html="mime IN ('text/html', 'application/xhtml+xml')")


@dataclass(frozen=True, slots=True)
class Counted:
    """One URL. `state` and `reason` as in the frontier, `meta` what its request carried, `record` the kind of its record in
    the archive that was asked about, None when it has none there.
    """

    url: str
    state: str
    status: int | None
    reason: str | None
    meta: dict[str, object]
    content_type: str | None
    final_url: str | None
    found_on: str | None
    record: str | None


def census(connection: sqlite3.Connection, crawl: int, archive: int | None) -> Iterator[Counted]:
    """Every URL that `crawl` has met and did not leave out before it was a page, in the order in which they were found."""
    rows = connection.execute(_CENSUS, (archive, crawl))
    for url, state, status, reason, request, content_type, final_url, found_on, record in rows:
        meta = json.loads(request).get("meta") if request else None
        yield Counted(url, state, status, reason, meta or {}, content_type, final_url, found_on, record)


def guarded(connection: sqlite3.Connection, crawl: int) -> list[tuple[str, str, str]]:
    """What the guard refused on pages of `crawl`: the URL, why, and where it stands."""
    return connection.execute(_GUARDED, (crawl,)).fetchall()


def rows_of(
    connection: sqlite3.Connection, table: str, columns: Sequence[str], crawl: int
) -> list[tuple[str | None, ...]]:
    """What pages of `crawl` have in a table of the author's; nothing when there is no such table."""
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone() is None:
        return []
    chosen = ", ".join(f"t.{quoted(column)}" for column in columns)
    return connection.execute(
        f"SELECT {chosen} FROM {quoted(table)} AS t JOIN _pages AS p ON p.id = t._page WHERE p.crawl = ? ORDER BY t.rowid",
        (crawl,),
    ).fetchall()


def urls_with_meta(connection: sqlite3.Connection, archive: int, key: str) -> set[str]:
    """The URLs, as its records name them, of what `archive` has of requests whose `meta` has this key."""
    rows = connection.execute(
        "SELECT r.url FROM _records AS r JOIN _pages AS p ON p.id = r.page WHERE r.archive = ? AND r.own"
        " AND json_extract(p.request, '$.meta.' || ?) IS NOT NULL",
        (archive, key),
    )
    return {url for (url,) in rows}


def pages(connection: sqlite3.Connection, archive: int) -> set[str]:
    """The URLs, as its records name them, of the HTML documents of `archive` that the crawl itself was given."""
    return {url for (url,) in connection.execute(_PAGES, (archive,))}

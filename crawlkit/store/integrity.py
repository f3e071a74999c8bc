"""Is the database whole? What belongs here: reading all of it and comparing what is written twice.

What does not: the quick look when it is opened (opening.py), repairing.
"""

from __future__ import annotations

import sqlite3

from crawlkit.store.names import PAGE, quoted


def check(connection: sqlite3.Connection) -> list[str]:
    """Everything that is wrong, as sentences. Reads the whole file: minutes for gigabytes. Any thread with its own
    connection."""
    try:
        problems = [row[0] for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
        if not problems:
            problems = [*_totals(connection), *_fingerprints(connection), *_items(connection)]
    except sqlite3.DatabaseError as error:
        problems = [str(error)]
    return problems


def _totals(connection: sqlite3.Connection) -> list[str]:
    counted = {
        (crawl, state): pages
        for crawl, state, pages in connection.execute(
            "SELECT crawl, replace(state, 'leased', 'queued'), count(*) FROM _pages GROUP BY 1, 2"
        )
    }
    noted = {
        (crawl, state): pages
        for crawl, state, pages in connection.execute("SELECT crawl, state, pages FROM _totals WHERE pages <> 0")
    }
    return [
        f"crawl {crawl} has {counted.get((crawl, state), 0)} pages {state}, _totals says {noted.get((crawl, state), 0)}"
        for crawl, state in sorted(counted.keys() | noted.keys())
        if counted.get((crawl, state), 0) != noted.get((crawl, state), 0)
    ]


def _fingerprints(connection: sqlite3.Connection) -> list[str]:
    problems = []
    double = connection.execute(
        "SELECT count(*) FROM (SELECT 1 FROM _pages GROUP BY fingerprint HAVING count(*) > 1)"
    ).fetchone()[0]
    if double:
        problems.append(f"{double} requests have more than one page")
    lost = connection.execute(
        "SELECT count(*) FROM _pages WHERE id <= coalesce((SELECT value FROM _meta WHERE name = 'merged'), 0)"
        " AND NOT EXISTS (SELECT 1 FROM _known WHERE fingerprint = _pages.fingerprint AND page = _pages.id)"
    ).fetchone()[0]
    if lost:
        problems.append(f"{lost} pages are not in _known")
    return problems


def _items(connection: sqlite3.Connection) -> list[str]:
    problems = []
    for (name,) in connection.execute("SELECT name FROM _tables").fetchall():
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).fetchone():
            continue  # its owner dropped it, as owners may
        orphans = connection.execute(
            f"SELECT count(*) FROM {quoted(name)} WHERE {PAGE} NOT IN (SELECT id FROM _pages)"
        ).fetchone()[0]
        if orphans:
            problems.append(f"{orphans} rows of table {name!r} belong to no page")
    return problems

"""The tables of a store and how an older file becomes a newer one. What belongs here: DDL, in named migrations.

What does not: the author's tables (tables.py), reading and writing rows.

Every table of ours starts with `_`; times are seconds since 1970 (UTC), sizes bytes.

    _meta     name → value: spider, source, run (the one that may write), merged (fingerprints.py), ...
    _runs     one execution each. `crawl` counts the crawls: runs that resume each other share one. `outcome` is NULL
              while a run goes on; one that was killed gets `killed` when the next begins. `finished`: nothing was left.
    _pages    every URL and its state: queued, leased, done, failed, skipped. `crawl` is the last one that reached it,
              `run` the last run that fetched it, `parent` the page it was found on, `items` how many rows it has.
              `page_key` is the fingerprint of where a redirected page ended, NULL when that is its own.
              `probe`: asked only whether it is still there. `etag` to `changed_at`: by what a later crawl knows that it
              is unchanged, the run and the time of its last change; `source_hash` is the mark of what parsed it, all
              NULL when it has to be parsed anew. `body`: the name of its bytes in the file of bodies.
    _known    fingerprint → page, an index kept by hand (fingerprints.py says why)
    _totals   pages of each crawl by state, leased ones counted as queued, so that nobody counts ten million rows
    _tables   the author's tables that we made, with the columns of their key (JSON) and `kinds` (kinds.py)
    _owners   further pages of keyed rows: the first is the row's own `_page`
    _targets  what each page that can be recognised linked to: its pages as a JSON list, in their order
    _links    the same as rows (a view)
    _guarded  links that a run did not follow because they log out or destroy, with the reason and the link's text
    _blamed   URLs after whose fetch a login was dead: how often, when last, whether they are quarantined
    _history  rows that were overwritten, that are gone or new, as JSON (history.py)
    _tallies  what a run leaves for comparison with later ones, as JSON
    _robots   robots.txt by origin, kept between runs
    _archives what was archived into which file; `state`: open, packaged, abandoned
    _records  what an archive holds, a row for each exchange with its response (or `revisit`), request and metadata:
              `start` and `length` in its WARC file; `own`: it is the page itself, and not a redirect on the way or what its
              callback fetched; `refers_url` and `refers_date` of a revisit; `dropped`: it is not for the package
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from crawlkit.store.history import add_row_numbers
from crawlkit.store.records import make_records
from crawlkit.store.tallies import make_tallies

#: "crkt": the four bytes at offset 68 of the file that say whose it is (sqlite.org/fileformat.html, 1.3.12).
APPLICATION_ID = 0x63726B74


def create_the_first_tables(connection: sqlite3.Connection) -> None:
    """Version 1."""
    for statement in _VERSION_1.split(";\n"):
        connection.execute(statement)


#: The migrations in order; the file's user_version is how many of them it has seen.
MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    create_the_first_tables,
    add_row_numbers,
    make_tallies,
    make_records,
)
VERSION = len(MIGRATIONS)


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring a file of `version` up to VERSION, in the transaction that is open: all of it happens or nothing."""
    for migration in MIGRATIONS[version:]:
        migration(connection)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


_VERSION_1 = """
CREATE TABLE _meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE _runs (
    id INTEGER PRIMARY KEY,
    crawl INTEGER NOT NULL,
    started REAL NOT NULL,
    ended REAL,
    outcome TEXT,
    finished INTEGER NOT NULL DEFAULT 0,
    exit_code INTEGER,
    reason TEXT,
    pages INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    skipped INTEGER NOT NULL DEFAULT 0,
    items INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    unchanged INTEGER NOT NULL DEFAULT 0,
    saved INTEGER NOT NULL DEFAULT 0,
    requests INTEGER NOT NULL DEFAULT 0,
    last_commit REAL,
    pid INTEGER,
    version TEXT,
    source_hash TEXT,
    arguments TEXT
);
CREATE TABLE _pages (
    id INTEGER PRIMARY KEY,
    url TEXT NOT NULL,
    state TEXT NOT NULL,
    status INTEGER,
    depth INTEGER NOT NULL,
    error TEXT,
    fetched_at REAL,
    host TEXT NOT NULL,
    priority INTEGER NOT NULL,
    not_before REAL NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    start INTEGER NOT NULL DEFAULT 0,
    crawl INTEGER NOT NULL,
    run INTEGER,
    parent INTEGER,
    fingerprint BLOB NOT NULL,
    request TEXT,
    items INTEGER NOT NULL DEFAULT 0,
    final_url TEXT,
    page_key BLOB,
    elapsed REAL,
    size INTEGER,
    content_type TEXT,
    probe INTEGER NOT NULL DEFAULT 0,
    etag TEXT,
    last_modified TEXT,
    body_hash BLOB,
    source_hash BLOB,
    changed INTEGER,
    changed_at REAL,
    body BLOB
);
CREATE INDEX _pages_ready ON _pages (host, priority DESC, id) WHERE state = 'queued' AND not_before = 0;
CREATE INDEX _pages_waiting ON _pages (host, not_before) WHERE state = 'queued' AND not_before > 0;
CREATE INDEX _pages_leased ON _pages (id) WHERE state = 'leased';
CREATE INDEX _pages_failed ON _pages (id) WHERE state = 'failed';
CREATE INDEX _pages_start ON _pages (id) WHERE start = 1 AND final_url IS NOT NULL;
CREATE INDEX _pages_body ON _pages (body) WHERE body IS NOT NULL;
CREATE UNIQUE INDEX _pages_key ON _pages (page_key) WHERE page_key IS NOT NULL;
CREATE TABLE _known (fingerprint BLOB PRIMARY KEY, page INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE _totals (
    crawl INTEGER, state TEXT, pages INTEGER NOT NULL, PRIMARY KEY (crawl, state)
) WITHOUT ROWID;
CREATE TABLE _tables (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL,
    run INTEGER NOT NULL,
    kinds TEXT NOT NULL DEFAULT '{}'
);
CREATE TABLE _owners (
    tbl INTEGER, key BLOB, page INTEGER, PRIMARY KEY (tbl, key, page)
) WITHOUT ROWID;
CREATE INDEX _owners_page ON _owners (page);
CREATE TABLE _targets (page INTEGER PRIMARY KEY, pages TEXT NOT NULL);
CREATE VIEW _links (page, target) AS SELECT page, value FROM _targets, json_each(pages);
CREATE TABLE _guarded (
    run INTEGER, url TEXT, reason TEXT NOT NULL, text TEXT NOT NULL, page INTEGER NOT NULL, PRIMARY KEY (run, url)
) WITHOUT ROWID;
CREATE TABLE _blamed (
    profile TEXT, url TEXT, times INTEGER NOT NULL, at REAL NOT NULL, quarantined INTEGER NOT NULL,
    PRIMARY KEY (profile, url)
) WITHOUT ROWID;
CREATE TABLE _history (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    at REAL NOT NULL,
    "table" TEXT NOT NULL,
    page INTEGER NOT NULL,
    change TEXT NOT NULL,
    row TEXT NOT NULL
);
CREATE INDEX _history_run ON _history (run);
CREATE TABLE _robots (origin TEXT PRIMARY KEY, fetched_at REAL NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL)
"""

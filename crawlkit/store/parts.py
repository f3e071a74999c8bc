"""Parts: what a Store is made of over one connection, each noun of the database with its SQL, put together here.

What belongs here: what is built of what, and telling all of them of a run that begins. What does not: transactions
around what they do (database.py), what each does.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from crawlkit.store.commits import Commits
from crawlkit.store.faults import Wrapped
from crawlkit.store.fingerprints import Fingerprints
from crawlkit.store.frontier import Frontier
from crawlkit.store.history import History
from crawlkit.store.items import Items
from crawlkit.store.keepsakes import Keepsakes
from crawlkit.store.pages import Pages
from crawlkit.store.records import Records
from crawlkit.store.refusals import Refusals
from crawlkit.store.revisits import Revisits
from crawlkit.store.runs import Run, Runs
from crawlkit.store.tables import Tables
from crawlkit.store.targets import Targets
from crawlkit.store.totals import Totals
from crawlkit.store.transactions import Transactions


class Parts:
    """The parts of one Store. One thread. Rows that are overwritten are kept for the last `history_runs` runs."""

    def __init__(self, connection: sqlite3.Connection, path: Path, *, history_runs: int) -> None:
        wrapped = Wrapped(path)
        self.totals = Totals(connection)
        self.runs = Runs(connection, self.totals)
        self.fingerprints = Fingerprints(connection)
        self.frontier = Frontier(connection, self.fingerprints, self.totals)
        self.revisits = Revisits(connection, self.totals, self.frontier.waits)
        self.pages = Pages(connection, self.fingerprints)
        self.history = History(connection, history_runs)
        self.tables = Tables(connection, self.history)
        self.items = Items(connection, self.tables, self.history)
        self.refusals = Refusals(connection)
        self.transactions = Transactions(connection, path, (self.totals, self.frontier, self.tables))
        self.records = Records(connection, wrapped, self.transactions)
        self.keepsakes = Keepsakes(connection, wrapped, self.transactions, self.refusals)
        self.commits = Commits(
            connection,
            frontier=self.frontier,
            pages=self.pages,
            tables=self.tables,
            items=self.items,
            totals=self.totals,
            refusals=self.refusals,
            targets=Targets(connection),
            revisits=self.revisits,
            records=self.records,
        )

    def prune(self, run: Run, *, fresh: bool) -> None:
        """Drop what is too old for `run`, which begins in the transaction that is open."""
        self.history.begin(run.id)
        self.refusals.begin(run.id, fresh=fresh)

    def begin(self, run: Run) -> None:
        """What comes is of `run`, which has begun."""
        self.frontier.begin(run.crawl, run.id)
        self.revisits.begin(run.crawl, run.id)
        self.pages.begin(run.crawl)
        self.tables.begin(run.id)
        self.commits.begin(run.crawl)

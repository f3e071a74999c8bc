"""A desk to try a store at: short words for the long way from a link to a committed page."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crawlkit.store.database import Store
from crawlkit.store.outcome import Lease, Link, Outcome, Row, Scalar, Verdict
from crawlkit.store.runs import Run

HOST = "site.example:443"
NOW = 1_800_000_000.0


@dataclass
class Ended:
    """How a run ended, as an engine tells it."""

    outcome: str = "finished"
    reason: str = "nothing left"
    exit_code: int = 0
    requests: int = 0
    resumable: bool = False


INTERRUPTED = Ended("interrupted", "SIGINT", 130, resumable=True)


def fingerprint(name: str) -> bytes:
    """16 bytes for a URL's name."""
    return hashlib.blake2b(name.encode(), digest_size=16).digest()


def link(name: str, **more: Any) -> Link:
    """A link to https://site.example/NAME."""
    return Link(**{"fingerprint": fingerprint(name), "url": f"https://site.example/{name}", "host": HOST} | more)


def row(table: str = "items", *, key: tuple[str, ...] = (), **values: Scalar) -> Row:
    """A row of the values."""
    return Row(table, values, key)


def open_store(path: Path, **more: Any) -> Store:
    """The store of the spider that all these tests are of."""
    return Store.open(path, **{"spider": "shop", "source": "shop.py::Shop", "busy_seconds": 0.05} | more)


class Desk:
    """A store with a run under way."""

    def __init__(self, path: Path, *, fresh: bool = False, **options: Any) -> None:
        self.path = path
        self.store = open_store(path, **options)
        self.run: Run = self.store.begin_run(fresh=fresh)

    def next_run(self, ended: Ended | None = None, *, fresh: bool = False) -> Run:
        """End this run and begin another."""
        self.store.end_run(ended or Ended())
        self.run = self.store.begin_run(fresh=fresh)
        return self.run

    def add(self, *links: str | Link) -> Verdict:
        return self.store.add([link(each) if isinstance(each, str) else each for each in links], self.run.id)

    def claim(self, limit: int = 100, *, now: float = NOW, host: str = HOST) -> list[Lease]:
        return self.store.claim(host, limit, now)

    def names(self, limit: int = 100, *, now: float = NOW) -> list[str]:
        """The names of the pages that are lent out, in their order."""
        return [lease.url.rsplit("/", 1)[1] for lease in self.claim(limit, now=now)]

    def outcome(self, lease: Lease, *rows: Row, links: Sequence[str | Link] = (), **more: Any) -> Outcome:
        """The outcome of a page that was done, unless `more` says otherwise. `end` names the page that it ended on."""
        end = more.pop("end", None)
        values: dict[str, Any] = {"state": "done", "status": 200, "fetched_at": NOW, "attempts": lease.attempts + 1}
        values["page_key"] = lease.fingerprint if end is None else fingerprint(end)
        links = [link(each) if isinstance(each, str) else each for each in links]
        return Outcome(lease.page, lease.run, **values | {"rows": list(rows), "links": links} | more)

    def crawl(self, name: str, *rows: Row, **more: Any) -> Verdict:
        """Add the page NAME if the crawl has not met it, lend it out and commit what it produced."""
        self.add(name)
        lease = next(lease for lease in self.claim(10_000) if lease.url.endswith(f"/{name}"))
        self.give_back_all(but=lease)
        return self.store.commit([self.outcome(lease, *rows, **more)])[0]

    def give_back_all(self, *, but: Lease) -> None:
        self.store.give_back([page for page in self.store._frontier.leases if page != but.page])

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.store._connection.execute(sql, values).fetchall()

    def items(self, columns: str = "name", table: str = "items") -> list[Any]:
        """The rows of a table; plain values when one column is asked for."""
        rows = self.query(f"SELECT {columns} FROM {table} ORDER BY _rowid_")
        return [each[0] if len(each) == 1 else each for each in rows]

    def state(self, name: str) -> tuple[str, str | None]:
        """State and reason of a page."""
        [(state, error)] = self.query("SELECT state, error FROM _pages WHERE url = ?", f"https://site.example/{name}")
        return state, error

"""Shelf: robots.txt copies in the spider's database. What belongs here: the way to its writer. The rules do not."""

from __future__ import annotations

from crawlkit.crawl.robots import Copy
from crawlkit.crawl.writer import Writer


class StoreShelf:
    """robots.txt copies, kept in the spider's database by its writer."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def get(self, origin: str) -> Copy | None:
        kept = self._writer.call(lambda store: store.keepsakes.robots(origin))
        return None if kept is None else Copy(origin, kept.fetched_at, kept.status, kept.body)

    def put(self, copy: Copy) -> None:
        self._writer.call(
            lambda store: store.keepsakes.keep_robots(copy.origin, copy.fetched_at, copy.status, copy.text)
        )

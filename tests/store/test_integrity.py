"""Integrity: each thing that is written twice is compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.store.desk import Desk, link, row


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ("UPDATE _totals SET pages = pages + 1 WHERE state = 'done'", "_totals says 2"),
        ("UPDATE _pages SET state = 'failed' WHERE id = 1", "crawl 1 has 1 pages failed"),
        ("UPDATE _pages SET fingerprint = (SELECT fingerprint FROM _pages WHERE id = 2)", "more than one page"),
        ("INSERT INTO _meta VALUES ('merged', 1)", "not in _known"),
        ("UPDATE items SET _page = 99", "belong to no page"),
    ],
)
def test_what_is_wrong_is_told(path: Path, damage: str, says: str) -> None:
    desk = Desk(path)
    desk.crawl("a", row(name="x"), links=["b"])
    assert [] == desk.store.check()

    desk.query(damage)

    assert says in "\n".join(desk.store.check())
    desk.store.close()


def test_an_index_out_of_order_is_told(path: Path) -> None:
    desk = Desk(path)
    desk.add(link("a", priority=1), link("b", priority=2))
    desk.query("PRAGMA writable_schema = ON")
    desk.query("UPDATE sqlite_master SET sql = replace(sql, 'DESC', '') WHERE name = '_pages_ready'")
    desk.store.close()
    desk = Desk(path)

    assert desk.store.check()
    desk.store.close()

"""Secrets: headers, cookies and body of a request are gone from the file, to the last byte, when its page has ended."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from crawlkit.store.outcome import Link
from crawlkit.store.secrets import without_secrets
from tests.store.desk import HOST, INTERRUPTED, NOW, Desk, link, row

CANARY = "c4n4ry"
SECRET = {
    "headers": [["Authorization", f"Bearer {CANARY}"]],
    "cookies": {"sid": CANARY},
    "body": CANARY * 3,
    "proxy": f"http://user:{CANARY}@proxy.example:3128",
}
HANDED_ON = {"meta": {"depth": 1, "api_key": CANARY}, "cb_kwargs": {"page": 2, "session_id": CANARY}}
KEPT: dict[str, Any] = {"callback": "parse_page", "method": "POST", "meta": {"depth": 1}, "cb_kwargs": {"page": 2}}


def secret_link(name: str, *, padding: int = 0) -> Link:
    state = KEPT | SECRET | HANDED_ON | {"body": (CANARY * (padding // len(CANARY) + 1))}
    return link(name, request=json.dumps(state, separators=(",", ":")))


def crumbs(desk: Desk) -> list[str]:
    """The files of the database in which the canary is."""
    return [file.name for file in desk.path.parent.iterdir() if CANARY.encode() in file.read_bytes()]


def requests(desk: Desk) -> Iterable[Any]:
    return [json.loads(text) if text else None for (text,) in desk.query("SELECT request FROM _pages ORDER BY id")]


@pytest.mark.parametrize("state", ["done", "failed", "skipped"])
def test_a_page_that_ended_keeps_what_is_no_secret(desk: Desk, state: str) -> None:
    desk.add(secret_link("a"))
    [lease] = desk.claim()
    assert json.loads(lease.request or "") == KEPT | SECRET | HANDED_ON | {"body": CANARY}

    desk.store.commit([desk.outcome(lease, state=state)])

    assert [KEPT | {"stripped": True}] == requests(desk)


def test_one_that_is_queued_again_keeps_all(desk: Desk) -> None:
    """It is sent again, in a later run too."""
    desk.add(secret_link("a"))
    [lease] = desk.claim()
    desk.store.commit([desk.outcome(lease, state="queued", not_before=NOW + 60)])
    desk.next_run(INTERRUPTED)

    [again] = desk.claim(now=NOW + 61)
    assert lease.request == again.request


def test_no_byte_of_the_file_has_it(new_desk: Callable[..., Desk]) -> None:
    """Pages of all sizes, ended in another order than they came, among others that stay."""
    desk = new_desk()
    for number in range(0, 600, 50):
        desk.add(*(secret_link(f"s{n}", padding=n * 37 % 9000) for n in range(number, number + 50)), f"p{number}")
        # The log is copied into the file, as it is from time to time: the secrets are there, too.
        desk.query("PRAGMA wal_checkpoint(TRUNCATE)")
    assert "shop.db" in crumbs(desk)
    leases = desk.claim(1000)
    leases.sort(key=lambda lease: lease.fingerprint)
    for start in range(0, len(leases), 20):
        group = leases[start : start + 20]
        desk.store.commit([desk.outcome(lease, row(name=lease.url, html="x" * 500)) for lease in group])
    desk.store.close()

    assert [] == crumbs(desk)
    new_desk()


def test_pages_that_a_new_crawl_forgets(new_desk: Callable[..., Desk]) -> None:
    desk = new_desk()
    desk.add(secret_link("a", padding=9000), secret_link("b"), "c")
    desk.claim(1)
    desk.query("PRAGMA wal_checkpoint(TRUNCATE)")
    desk.next_run(INTERRUPTED, fresh=True)

    assert [KEPT | {"stripped": True}] * 2 + [None] == requests(desk)
    desk.store.close()
    assert [] == crumbs(desk)
    new_desk()


def test_a_request_that_cannot_be_sent_as_it_was_is_not_sent_to_see_whether_the_page_is_gone(desk: Desk) -> None:
    """Without its body or login it would get another answer, and the rows would go."""
    desk.add(secret_link("a"), link("b", request=json.dumps(KEPT, separators=(",", ":"))))
    for lease in desk.claim():
        desk.store.commit([desk.outcome(lease, row(name=lease.url))])
    desk.next_run()

    assert 1 == desk.store.add_unreached(10).new_links
    assert ["b"] == desk.names(10)


def test_the_next_crawl_that_finds_the_page_writes_the_request_anew(desk: Desk) -> None:
    desk.add(secret_link("a"))
    desk.store.commit([desk.outcome(desk.claim()[0])])
    desk.next_run()
    desk.add(secret_link("a"))

    [lease] = desk.store.claim(HOST, 10, NOW)
    assert SECRET["headers"] == json.loads(lease.request or "")["headers"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, None),
        ({"callback": "x"}, {"callback": "x"}),
        ({"meta": {"headers": 1, "body": "x"}}, {"meta": {"headers": 1, "body": "x"}}),
        ({"meta": {"proxy": "http://p.example:1"}}, {"meta": {"proxy": "http://p.example:1"}}),
        ({"meta": {"proxy": "http://u:p@p.example:1", "a": 1}}, {"meta": {"a": 1}, "stripped": True}),
        ({"proxy": "http://p.example:1"}, {"proxy": "http://p.example:1"}),
        ({"cookies": [{"name": "a", "value": "b"}]}, {"stripped": True}),
        (
            {"meta": {"page": 2, "access_token": "x"}, "cb_kwargs": {"user": {"password": "x", "name": "n"}}},
            {"meta": {"page": 2}, "cb_kwargs": {"user": {"name": "n"}}, "stripped": True},
        ),
        ({"cb_kwargs": {"all": [1, {"csrf": "x"}]}}, {"cb_kwargs": {"all": [1, {}]}, "stripped": True}),
        ({"meta": {"page_token": "x", "monkey": "y", "tokens": 3, "token": 7, "author": "z"}}, None),
        ({"callback": "parse_token", "meta": {"depth": 1}}, None),
    ],
)
def test_the_keys_of_the_request_itself_and_what_is_called_a_secret(before: Any, after: Any) -> None:
    text = None if before is None else json.dumps(before, separators=(",", ":"))
    stripped = without_secrets(text)
    after = before if after is None else after

    assert after == (None if stripped is None else json.loads(stripped))
    assert (before == after) == (stripped is text)

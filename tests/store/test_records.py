"""What an archive holds of a page, and what a later record may refer to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from crawlkit.store.outcome import Entry
from crawlkit.store.records import Original
from tests.store.desk import INTERRUPTED, Desk, Ended


def entry(start: int = 0, length: int = 100, **more: Any) -> Entry:
    """A record of a page of its own."""
    usual = {
        "file": "data-00000.warc.gz",
        "kind": "response",
        "url": "https://site.example/a",
        "date": "2026-01-02T03:04:05.678Z",
        "status": 200,
        "mime": "text/html",
        "digest": "sha1:A",
        "size": 10,
        "own": True,
    }
    return Entry(start=start, length=length, **{**usual, **more})


def crawl(desk: Desk, name: str, *entries: Entry) -> None:
    """Page `name` is done, and `entries` are its records."""
    desk.add(name)
    [lease] = desk.claim(1)
    outcome = desk.outcome(lease)
    outcome.records = list(entries)
    desk.store.commit([outcome])


def test_an_archive_counts_as_far_as_the_last_committed_record(desk: Desk, tmp_path: Path) -> None:
    """What is behind it in the file was written and never committed."""
    archive = desk.store.records.begin(tmp_path / "x.wacz", 1)
    before = desk.store.records.end(archive.id)
    crawl(desk, "a", entry(0, 100), entry(100, 50))
    crawl(desk, "b", entry(7, 20, file="data-00001.warc.gz"))

    assert (None, ("data-00001.warc.gz", 27)) == (before, desk.store.records.end(archive.id))


def test_a_payload_that_an_archive_has_is_found(desk: Desk, tmp_path: Path) -> None:
    """The first record with it; a revisit is none, and what was dropped neither."""
    records = desk.store.records
    records.begin(tmp_path / "x.wacz", 1)
    crawl(desk, "a", entry(url="https://site.example/first"))
    crawl(desk, "b", entry(url="https://site.example/again", kind="revisit"))
    crawl(desk, "c", entry(url="https://site.example/only", digest="sha1:B", kind="revisit"))

    found = records.originals(["sha1:A", "sha1:B", "sha1:C"])
    desk.store.take_up_again([1])

    assert {"sha1:A": Original("https://site.example/first", "2026-01-02T03:04:05.678Z", "sha1:A")} == found
    assert {} == records.originals(["sha1:A", "sha1:B"])


def test_what_is_dropped_is_named_for_the_package(desk: Desk, tmp_path: Path) -> None:
    """A page that a stranger got is fetched again; its bytes are in the file, and not for the package."""
    archive = desk.store.records.begin(tmp_path / "x.wacz", 1)
    crawl(desk, "a", entry(0, 100))
    crawl(desk, "b", entry(100, 50))

    desk.store.take_up_again([2])

    assert [("data-00000.warc.gz", 100, 50)] == desk.store.records.dropped(archive.id)


def test_a_revisit_refers_to_what_a_replay_shows(desk: Desk, tmp_path: Path) -> None:
    """The page's own last record, not what its callback fetched; of a revisit, what that refers to."""
    records = desk.store.records
    records.begin(tmp_path / "x.wacz", 1)
    crawl(desk, "a", entry(status=302, own=False, digest="sha1:M"), entry(), entry(own=False, digest="sha1:C"))
    crawl(desk, "b", entry(kind="revisit", refers_url="https://site.example/old", refers_date="2020-01-01T00:00:00Z"))
    crawl(desk, "c", entry(status=404))

    assert Original("https://site.example/a", "2026-01-02T03:04:05.678Z", "sha1:A") == records.last_of(1)
    assert Original("https://site.example/old", "2020-01-01T00:00:00Z", "sha1:A") == records.last_of(2)
    assert records.last_of(3) is None


def test_another_archive_is_referred_to_while_its_package_is_there(
    new_desk: Callable[..., Desk], tmp_path: Path
) -> None:
    """Moved away, made again or replaced by the archive that is made: nothing in it can be relied on."""
    desk = new_desk()
    package = tmp_path / "january.wacz"
    first = desk.store.records.begin(package, 1)
    crawl(desk, "a", entry())
    package.write_bytes(b"12345")
    desk.store.records.close(first.id, "packaged", 5)
    records = desk.store.records

    records.begin(tmp_path / "february.wacz", 2)
    records.look_back()
    there = records.originals(["sha1:A"]).get("sha1:A")
    package.write_bytes(b"123")
    records.begin(tmp_path / "march.wacz", 2)
    records.look_back()
    other_size = records.originals(["sha1:A"]).get("sha1:A")
    package.write_bytes(b"12345")
    records.begin(package, 2)
    records.look_back()
    replaced = records.originals(["sha1:A"]).get("sha1:A")

    assert (True, None, None) == (there is not None, other_size, replaced)


def test_a_fresh_crawl_refers_to_nothing_before_it(new_desk: Callable[..., Desk], tmp_path: Path) -> None:
    """Its archive stands alone; a later one may refer to it."""
    desk = new_desk()
    package = tmp_path / "january.wacz"
    package.write_bytes(b"12345")
    first = desk.store.records.begin(package, 1)
    crawl(desk, "a", entry())
    desk.store.records.close(first.id, "packaged", 5)
    desk.next_run(fresh=True)
    records = desk.store.records

    records.begin(tmp_path / "february.wacz", 2)
    records.look_back()

    assert "sha1:A" not in records.originals(["sha1:A"])


def test_the_same_archive_goes_on_in_the_same_crawl_alone(new_desk: Callable[..., Desk], tmp_path: Path) -> None:
    """One of another crawl begins anew; what it left behind is abandoned."""
    records = new_desk().store.records
    first = records.begin(tmp_path / "x.wacz", 1)

    assert first == records.begin(tmp_path / "x.wacz", 1)
    assert first.id != records.begin(tmp_path / "x.wacz", 2).id
    assert ["abandoned", "open"] == [archive.state for archive in records.archives()]


def test_leases_say_what_an_archive_asks(desk: Desk, tmp_path: Path) -> None:
    """The page that led there, and whether there is a record that a 304 can refer to; nothing without an archive."""
    desk.crawl("a", links=["b", "c"])
    [plain] = desk.claim(1)
    desk.store.records.begin(tmp_path / "x.wacz", 1)
    [told] = desk.claim(1)
    outcome = desk.outcome(told)
    outcome.records = [entry()]
    desk.store.commit([outcome])
    first = told.via, told.recorded
    desk.store.records.tell([told])

    assert (None, False) == (plain.via, plain.recorded)
    assert ("https://site.example/a", False) == first
    assert ("https://site.example/a", True) == (told.via, told.recorded)


def test_what_a_run_would_be_of_is_known_before_it_begins(new_desk: Callable[..., Desk]) -> None:
    """The number of its crawl names its archive."""
    desk = new_desk()
    desk.add("a")
    desk.store.end_run(INTERRUPTED)

    resumed, fresh = desk.store.upcoming(), desk.store.upcoming(fresh=True)
    desk.store.begin_run()
    desk.store.end_run(Ended())
    next_ = desk.store.upcoming()

    assert [(1, True), (2, False), (2, False)] == [(it.crawl, it.resumed) for it in (resumed, fresh, next_)]

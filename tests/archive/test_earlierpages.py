"""Titles and texts that an earlier package lends, and packages that lend none."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from crawlkit.archive.earlierpages import EarlierPages
from tests.archive.packages import packaged, pages


def test_a_page_is_known_by_its_url_and_the_date_of_its_record(tmp_path: Path) -> None:
    made = packaged(tmp_path).path
    with EarlierPages([made], tmp_path) as earlier:
        for listed in pages(made):
            known = earlier.page(listed["url"], listed["ts"])
            assert known is not None
            assert (listed["title"], listed["text"]) == (known.title or listed["url"], known.text)
            assert earlier.page(listed["url"], "2001-01-01T00:00:00Z") is None


@pytest.mark.parametrize("damage", ["cut", "gone", "no list"])
def test_a_package_that_cannot_be_read_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    """It is no reason for the new one not to be made."""
    made = packaged(tmp_path).path
    if damage == "gone":
        made.unlink()
    elif damage == "cut":
        made.write_bytes(made.read_bytes()[:-30])
    else:
        made.write_bytes(made.read_bytes().replace(b"pages/pages.jsonl", b"pages/pagez.jsonl"))
    with caplog.at_level(logging.WARNING), EarlierPages([made], tmp_path) as earlier:
        assert earlier.page("http://site.example/", "2001-01-01T00:00:00Z") is None
        assert earlier.page("http://site.example/", "2001-01-01T00:00:00Z") is None

    [warning] = caplog.records
    assert str(made) in warning.getMessage()

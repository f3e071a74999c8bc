"""Spools, in memory and past it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlkit.archive.spool import Spool
from crawlkit.archive.spoolsource import SpoolSource
from crawlkit.exceptions import ChunkedEncodingError, StorageError


@given(st.lists(st.binary(max_size=40), max_size=12), st.integers(0, 200), st.integers(0, 200), st.integers(0, 200))
def test_what_was_written_is_read(pieces: list[bytes], in_memory: int, start: int, size: int) -> None:
    with Spool(in_memory=in_memory) as spool:
        for piece in pieces:
            spool.write(piece)
        whole = b"".join(pieces)
        assert len(whole) == spool.size
        assert whole[start : start + size] == spool.read(start, size)
        assert whole[start:] == b"".join(spool.chunks(start))
        assert all(spool.chunks(start))
        assert ("in memory" in repr(spool)) == (len(whole) <= in_memory)


def test_what_is_too_much_for_memory_goes_to_a_file_without_a_name(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool:
        for _ in range(5):
            spool.write(b"x" * 300_000)
        spool.write(b"end")
        assert 1_500_003 == spool.size
        assert [] == os.listdir(tmp_path)
        assert "in a file" in repr(spool)
        one, other = spool.chunks(), spool.chunks(1_499_999)
        assert b"x" == next(one)[:1]
        assert b"xend" == b"".join(other)
        assert 1_500_003 - 262_144 == sum(map(len, one))
        assert b"x" == spool.read(0, 1)
        spool.write(b" of it")
        assert b"end of it" == spool.read(1_500_000, 100)
    assert 0 == spool.size
    spool.close()


def test_no_place_for_the_file(tmp_path: Path) -> None:
    """The folder is named, and the next step; what is spooled need not be a body."""
    with pytest.raises(
        StorageError, match=r"gone: .* cannot be written \(No such file.*; make room there and start"
    ) as raised:
        Spool(tmp_path / "gone", in_memory=0).write(b"x")
    assert "body" not in str(raised.value)


def test_a_spool_is_read_as_a_connection_is() -> None:
    with Spool() as spool:
        spool.write(b"skipped" + b"a\r\nbody" + b"x" * 200_000 + b"\nrest")
        source = SpoolSource(spool, 7)
        assert b"a\r\n" == source.take_line(3)
        assert b"body" == source.take(4)
        with pytest.raises(ChunkedEncodingError, match="longer than 100"):
            source.take_line(100)
        source = SpoolSource(spool, 14)
        assert b"x" * 200_000 + b"\n" == source.take_line(300_000)
        assert spool.size - 4 == source.position
        assert b"" == source.take_line(10)
        assert b"" == source.take(10)

"""The members of a package: their digests, their compression, and the errors of a disk."""

from __future__ import annotations

import resource
import signal
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawlkit.archive.datapackage import Resource, sha256
from crawlkit.archive.zipwriting import ZipWriter
from crawlkit.exceptions import StorageError


def test_members_have_their_digests_and_only_what_is_to_be_is_compressed(tmp_path: Path) -> None:
    source = tmp_path / "data.warc.gz"
    source.write_bytes(b"x" * 3_000_000)
    with ZipWriter(tmp_path / "a.wacz", moment=1_000_000_000) as package:
        package.add_file("archive/data.warc.gz", source)
        package.add_bytes("pages/pages.jsonl", b"page " * 100)
        package.add("indexes/index.cdx", iter((b"a", b"b")), size=2)
    with zipfile.ZipFile(tmp_path / "a.wacz") as archive:
        assert archive.testzip() is None
        found = {info.filename: (info.compress_type, info.file_size, bool(info.extra)) for info in archive.infolist()}
    assert {
        "archive/data.warc.gz": (zipfile.ZIP_STORED, 3_000_000, False),
        "pages/pages.jsonl": (zipfile.ZIP_DEFLATED, 500, False),
        "indexes/index.cdx": (zipfile.ZIP_STORED, 2, False),
    } == found
    assert Resource("indexes/index.cdx", 2, sha256(b"ab")) == package.resources[2]
    assert [sha256(b"x" * 3_000_000), sha256(b"page " * 100)] == [each.digest for each in package.resources[:2]]


def test_a_member_of_five_gigabytes_is_announced_as_one(tmp_path: Path) -> None:
    """The head of a member is written before its bytes, and cannot be made longer afterwards."""
    with ZipWriter(tmp_path / "a.wacz") as package:
        package.add("archive/large.warc.gz", iter((b"small after all",)), size=5 * 1024**3)
    assert b"\x01\x00\x10\x00" in (tmp_path / "a.wacz").read_bytes()[:80]  # the zip64 field of the local head


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with ZipWriter(tmp_path / "a.wacz") as package, pytest.raises(StorageError, match=r"gone\.warc\.gz"):
        package.add_file("archive/gone.warc.gz", tmp_path / "gone.warc.gz")


def test_a_place_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="nowhere"):
        ZipWriter(tmp_path / "nowhere" / "a.wacz")


@pytest.fixture
def small_disk() -> Iterator[None]:
    """No file may grow beyond 64 KiB."""
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.usefixtures("small_disk")
def test_a_disk_that_fills_up_is_a_storage_error_that_says_what_to_do(tmp_path: Path) -> None:
    with (
        pytest.raises(StorageError, match=r"a\.wacz: File too large.*make room"),
        ZipWriter(tmp_path / "a.wacz") as package,
    ):
        package.add("x", iter([b"x" * 50_000] * 10), size=500_000)

"""Zips from anywhere: what must not be in one is refused with its place, and bytes are checked."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
from pathlib import Path

import pytest

from crawlkit.archive import zipreading
from crawlkit.archive.zipreading import ZipReader
from crawlkit.exceptions import ArchiveDamaged, StorageError


def zipped(path: Path, *members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    """A zip of these members, whatever they are called."""
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", method) as file:
        warnings.simplefilter("ignore")  # of a name that comes twice
        for name, data in members:
            file.writestr(name, data)
    return path


def test_members_are_read_whole_in_pieces_in_lines_and_as_a_file(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.wacz", ("b/two", b"1\n22\n333"), ("a/one", b"x" * 600_000))
    with ZipReader(path) as reader:
        assert ["b/two", "a/one"] == reader.names()
        assert ("b/two" in reader, "c" in reader, 8) == (True, False, reader.size("b/two"))
        assert b"1\n22\n333" == reader.read("b/two")
        assert [b"1\n", b"22\n", b"333"] == list(reader.lines("b/two"))
        assert b"x" * 600_000 == b"".join(reader.pieces("a/one"))
        with reader.section("b/two") as section:
            section.seek(2)
            assert (b"22\n333", 8, b"") == (section.read(), section.tell(), section.read())
            assert 5 == section.seek(-3, io.SEEK_END) and b"333" == section.read(100)


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/etc/evil", "a\\..\\evil", "C:evil", "a/.."])
def test_a_name_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ArchiveDamaged, match=r"a\.wacz, member .*evil|a/\.\..*leads out"):
        ZipReader(zipped(tmp_path / "a.wacz", ("fine", b"1"), (name, b"2")))


def test_a_name_that_comes_twice_is_refused(tmp_path: Path) -> None:
    """Of two members with one name each reader takes another one."""
    with pytest.raises(ArchiveDamaged, match="same name"):
        ZipReader(zipped(tmp_path / "a.wacz", ("x", b"1"), ("x", b"2")))


def test_a_member_that_would_become_unreasonably_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipreading, "_BOMB_BYTES", 1_000_000)
    path = zipped(tmp_path / "a.wacz", ("pages/pages.jsonl", bytes(2_000_000)), method=zipfile.ZIP_DEFLATED)
    with pytest.raises(ArchiveDamaged, match=r"bytes would become 2,000,000"):
        ZipReader(path)


def test_a_member_that_says_less_than_it_becomes_is_damaged(tmp_path: Path) -> None:
    """What is unpacked never exceeds what was announced."""
    path = zipped(tmp_path / "a.wacz", ("x", bytes(2_000_000)), method=zipfile.ZIP_DEFLATED)
    path.write_bytes(path.read_bytes().replace(struct.pack("<L", 2_000_000), struct.pack("<L", 1000)))
    with ZipReader(path) as reader, pytest.raises(ArchiveDamaged, match="member 'x'"):
        reader.read("x")


@pytest.mark.parametrize("kept", [0, 10, 200, -1])
def test_a_file_that_is_cut_off_is_damaged(tmp_path: Path, kept: int) -> None:
    path = zipped(tmp_path / "a.wacz", ("x", b"data" * 100))
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ArchiveDamaged, match="may be cut off"):
        ZipReader(path)


def test_a_byte_that_changed_is_found_and_its_member_named(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.wacz", ("x", b"data" * 100), ("y", b"more"))
    path.write_bytes(path.read_bytes().replace(b"datadata", b"datbdata", 1))
    with ZipReader(path) as reader:
        with pytest.raises(ArchiveDamaged, match=r"member 'x', offset 0: .*CRC"):
            reader.read("x")
        assert b"more" == reader.read("y")


def test_a_member_of_a_kind_that_no_package_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveDamaged, match="compressed in a way"):
        ZipReader(zipped(tmp_path / "a.wacz", ("x", b"1"), method=zipfile.ZIP_BZIP2))


def test_what_is_compressed_cannot_be_sought_in(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.wacz", ("archive/x.warc.gz", b"1" * 100), method=zipfile.ZIP_DEFLATED)
    with ZipReader(path) as reader, pytest.raises(ArchiveDamaged, match="compressed once more"):
        reader.section("archive/x.warc.gz")


def test_a_member_that_is_not_there_is_named(tmp_path: Path) -> None:
    with (
        ZipReader(zipped(tmp_path / "a.wacz", ("x", b"1"))) as reader,
        pytest.raises(ArchiveDamaged, match=r"no pages/p"),
    ):
        reader.read("pages/p")


def test_what_is_too_large_for_memory_is_not_read_into_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipreading, "MAX_MEMORY", 1000)
    with ZipReader(zipped(tmp_path / "a.wacz", ("x", b"1" * 600_000))) as reader:
        with pytest.raises(ArchiveDamaged, match="larger than"):
            reader.read("x")
        with pytest.raises(ArchiveDamaged, match="no end"):
            list(reader.lines("x"))


def test_a_file_that_is_not_there_is_no_damage(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No such file") as caught:
        ZipReader(tmp_path / "gone.wacz")
    assert not isinstance(caught.value, ArchiveDamaged)

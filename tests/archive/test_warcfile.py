"""WARC files: appended to, begun anew at their limit, cut back to what was committed; full disks, missing files."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from crawlkit.archive import reading, records
from crawlkit.archive.packed import Packed
from crawlkit.archive.spool import Spool
from crawlkit.archive.warcfile import WarcFile
from crawlkit.exceptions import ArchiveDamaged, StorageError
from tests.archive.exchanges import NOW, exchange, page

FIELDS = {"isPartOf": "a test"}


def opened(folder: Path, **options: Any) -> WarcFile:
    return WarcFile(folder, fields=FIELDS, clock=lambda: NOW, **options)


def packed(files: WarcFile, url: str, body: bytes = b"<p>") -> Packed:
    made = exchange(page(body), url=url)
    try:
        return records.pack(made, warcinfo_id=files.warcinfo_id)
    finally:
        made.close()


def add(files: WarcFile, *paths: str) -> list[tuple[str, int, int]]:
    """Append a page for each path and sync; the place of the last one's records."""
    places: list[tuple[str, int, int]] = []
    files.begin()
    for path in paths:
        with packed(files, f"http://site.example/{path}") as records_of_one:
            places = files.append(records_of_one)
    files.sync()
    return places


def urls(path: Path) -> list[str]:
    return [record.url.rpartition("/")[2] for record in reading.records(path) if record.kind == "response"]


def test_where_each_record_is(tmp_path: Path) -> None:
    files = opened(tmp_path / "made")
    add(files, "a")
    places = add(files, "b")
    files.close()
    assert ["data-00000.warc.gz"] * 3 == [name for name, _, _ in places]
    for (_, offset, length), kind in zip(places, ("response", "request", "metadata"), strict=True):
        record = next(reading.records(files.path, offset))
        assert (kind, "http://site.example/b", offset, length) == (
            record.kind,
            record.url,
            record.offset,
            record.length,
        )
    assert places[-1][1] + places[-1][2] == files.path.stat().st_size


def test_each_file_begins_with_its_warcinfo_and_ends_at_the_limit(tmp_path: Path) -> None:
    """Records that were packed before the next file began name the warcinfo of the file before."""
    files = opened(tmp_path, limit=2000)
    for path in "abcdef":
        add(files, path)
    files.close()
    names = [path.name for path in files.paths()]
    assert [f"data-0000{number}.warc.gz" for number in range(len(names))] == names
    assert len(names) > 2
    ids = set()
    for path in files.paths():
        first, *rest = reading.records(path)
        assert ("warcinfo", path.name) == (first.kind, first.get("WARC-Filename"))
        ids.add(first.record_id)
        assert {"response", "request", "metadata"} == {record.kind for record in rest}
        assert all(record.get("WARC-Warcinfo-ID")[1:-1] in ids for record in rest)
    assert list("abcdef") == [url for path in files.paths() for url in urls(path)]


def test_one_file_alone(tmp_path: Path) -> None:
    files = opened(tmp_path, pattern="site{1}.warc.gz".replace("{1}", ""), limit=None)
    add(files, *"abc")
    files.close()
    assert ["site.warc.gz"] == os.listdir(tmp_path)


def test_it_goes_on_where_it_was(tmp_path: Path) -> None:
    files = opened(tmp_path)
    add(files, "a")
    files.close()
    again = opened(tmp_path)
    add(again, "b")
    again.close()
    assert files.warcinfo_id == again.warcinfo_id
    assert ["a", "b"] == urls(files.path)


def test_what_was_not_committed_is_cut_off(tmp_path: Path) -> None:
    files = opened(tmp_path, limit=1500)
    name, offset, length = add(files, "a")[-1]
    add(files, *"bcdefg")
    files.close()
    assert len(files.paths()) > 1
    with files.paths()[-1].open("ab") as file:
        file.write(b"half a record")
    again = opened(tmp_path, limit=1500)
    again.cut(name, offset + length)
    assert [name] == os.listdir(tmp_path)
    add(again, "z")
    again.close()
    assert ["a", "z"] == [url for path in again.paths() for url in urls(path)]


def test_nothing_was_committed(tmp_path: Path) -> None:
    files = opened(tmp_path)
    add(files, "a")
    files.close()
    (tmp_path / "archive.json").write_text("{}")
    files = opened(tmp_path)
    files.cut(None, 0)
    assert ["archive.json"] == os.listdir(tmp_path)
    add(files, "b")
    files.close()
    assert ["b"] == urls(files.path)


def test_a_file_that_is_empty_is_begun(tmp_path: Path) -> None:
    """As one is that was created and not yet written to when the machine went down."""
    (tmp_path / "data-00000.warc.gz").touch()
    files = opened(tmp_path)
    add(files, "a")
    files.close()
    assert ["a"] == urls(files.path)


def test_committed_records_that_are_not_there(tmp_path: Path) -> None:
    files = opened(tmp_path)
    add(files, "a")
    files.close()
    size = files.path.stat().st_size
    with pytest.raises(ArchiveDamaged, match=f"names records up to byte {size + 1} of it, and it has {size} bytes"):
        opened(tmp_path).cut(files.path.name, size + 1)
    files.path.unlink()
    with pytest.raises(ArchiveDamaged, match="and it has 0 bytes; put the file back"):
        opened(tmp_path).cut(files.path.name, 10)
    with pytest.raises(ArchiveDamaged, match="no file of this archive has such a name"):
        opened(tmp_path).cut("other.warc.gz", 10)


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """As on a disk that becomes full: what is written up to there is there, the rest is an error."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("write", [WarcFile.sync, WarcFile.close])
def test_a_full_disk_leaves_only_what_was_synced(tmp_path: Path, write: Callable[[WarcFile], None]) -> None:
    files = opened(tmp_path)
    add(files, "a")
    size = files.path.stat().st_size
    with packed(files, "http://site.example/b") as whole, no_file_larger_than(size + 100):
        files.append(whole)
        with pytest.raises(StorageError, match=r"data-00000.warc.gz: the archive cannot be written \(File too large"):
            write(files)
    assert size == files.path.stat().st_size
    add(files, "c")
    files.close()
    assert ["a", "c"] == urls(files.path)


def test_a_file_whose_first_record_found_no_room_is_begun_anew(tmp_path: Path) -> None:
    files = opened(tmp_path)
    files.begin()
    with no_file_larger_than(10), pytest.raises(StorageError):
        files.sync()
    add(files, "a")
    files.close()
    assert ["warcinfo", "response", "request", "metadata"] == [record.kind for record in reading.records(files.path)]


def test_what_is_large_is_not_all_in_memory_before_it_is_written(tmp_path: Path) -> None:
    files = opened(tmp_path)
    files.sync()
    for _ in range(3):
        with packed(files, "http://site.example/b", os.urandom(700_000)) as whole:
            files.append(whole)
    assert 1 << 20 < files.path.stat().st_size < 2_100_000
    files.close()
    assert ["b", "b", "b"] == urls(files.path)


def test_a_spool_that_cannot_be_read_leaves_only_what_was_synced(tmp_path: Path) -> None:
    class Broken(Spool):
        __slots__ = ()

        def chunks(self, start: int = 0) -> Any:
            yield self.read(0, 100)
            raise StorageError("the disk")

    files = opened(tmp_path)
    add(files, "a")
    with packed(files, "http://site.example/b") as whole, Broken() as broken:
        broken.write(whole.spool.read(0, whole.spool.size))
        with pytest.raises(StorageError):
            files.append(Packed(broken, whole.members))
    add(files, "c")
    files.close()
    assert ["a", "c"] == urls(files.path)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="file: the archive cannot be written"):
        opened(tmp_path / "file")


def test_synced_means_on_the_disk_before_and_the_folder_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bool] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(Path(f"/dev/fd/{descriptor}").is_dir())
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    files = opened(tmp_path)
    add(files, "a")
    assert [False, True] == synced
    add(files, "b")
    assert [False, True, False] == synced
    files.sync()
    assert [False, True, False] == synced
    files.close()

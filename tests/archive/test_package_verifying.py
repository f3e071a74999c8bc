"""Whether an archive is as it says it is: each way in which it may not be is found and says where."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crawlkit.archive.datapackage import sha256
from crawlkit.archive.package_verifying import verify_archive
from crawlkit.exceptions import StorageError
from tests.archive.packages import packaged, site, warc

Members = dict[str, bytes]


def changed(path: Path, change: Callable[[Members], object], *, described: bool = True) -> Path:
    """The package with other members; `described`: its description is made to say so."""
    with zipfile.ZipFile(path) as zipped:
        members = {name: zipped.read(name) for name in zipped.namelist()}
    change(members)
    if described:
        said = json.loads(members["datapackage.json"])
        for each in said["resources"]:
            data = members.get(each["path"], b"")
            each |= {"hash": sha256(data), "bytes": len(data)}
        members["datapackage.json"] = json.dumps(said).encode()
        members["datapackage-digest.json"] = json.dumps({"hash": sha256(members["datapackage.json"])}).encode()
    with zipfile.ZipFile(path, "w") as zipped:
        for name, data in members.items():
            zipped.writestr(name, data)
    return path


def replacing(name: str, old: bytes, new: bytes) -> Callable[[Members], object]:
    def change(members: Members) -> None:
        assert old in members[name]
        members[name] = members[name].replace(old, new, 1)

    return change


def test_a_package_that_is_as_it_was_written_has_no_problem(tmp_path: Path) -> None:
    made = packaged(tmp_path, completeness={})
    assert [] == verify_archive(made.path)
    assert [] == verify_archive(tmp_path / "site.wacz.part" / "data-00000.warc.gz")
    assert [] == verify_archive(
        changed(made.path, lambda members: members.pop("datapackage-digest.json"), described=False)
    )


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (replacing("pages/pages.jsonl", b"Welcome", b"Welcomf"), "member pages/pages.jsonl: its digest"),
        (replacing("pages/pages.jsonl", b"Welcome", b"Welcome!"), "member pages/pages.jsonl: it has"),
        (lambda members: members.pop("pages/pages.jsonl"), "member pages/pages.jsonl: it is missing"),
        (lambda members: members.update(extra=b""), "member extra: datapackage.json does not name it"),
        (replacing("datapackage.json", b"Site", b"Sita"), "member datapackage.json: its digest is not"),
        (replacing("datapackage.json", b"data-package", b"data-packagf"), "names no profile"),
        (replacing("datapackage.json", b"sha256:", b"crc32:"), "an algorithm that is not known"),
        (replacing("datapackage.json", b"{", b"["), "it is no data package"),
        (lambda members: members.pop("datapackage.json"), "it has no datapackage.json"),
        (replacing("datapackage-digest.json", b"hash", b"hasj"), "member datapackage-digest.json: it cannot be read"),
    ],
)
def test_a_member_that_is_not_as_the_package_says(
    tmp_path: Path, change: Callable[[Members], object], problem: str
) -> None:
    found = verify_archive(changed(packaged(tmp_path).path, change, described=False))
    assert any(problem in each and "site.wacz" in each for each in found), found


def last_first(members: Members) -> None:
    members["indexes/index.cdx"] = b"".join(reversed(members["indexes/index.cdx"].splitlines(keepends=True)))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (last_first, "not in the order of their bytes"),
        (replacing("indexes/index.cdx", b'"offset": "', b'"offset": "9'), "no such record begins at offset 9"),
        (replacing("indexes/index.cdx", b'"offset": "', b'"offset": "9'), "is not in the index"),
        (replacing("indexes/index.cdx", b'"length": "4', b'"length": "5'), "with 4"),
        (replacing("indexes/index.cdx", b"{", b"["), "a line of its index cannot be read"),
        (
            replacing("pages/pages.jsonl", b'"url": "http://site', b'"url": "http://tite'),
            "line 2: no record has http://tite",
        ),
        (
            replacing("pages/pages.jsonl", b'"ts": "2023-11-14T', b'"ts": "2023-11-14 '),
            "line 2: its ts is no RFC 3339 date",
        ),
        (replacing("pages/pages.jsonl", b'"url": "http', b'"uri": "http'), "line 2: it is no page"),
        (lambda members: members.pop("indexes/index.cdx"), "it has no index"),
        (lambda members: members.pop("archive/data-00000.warc.gz"), "it has no WARC file"),
    ],
)
def test_an_index_or_a_list_that_does_not_agree_with_the_records(
    tmp_path: Path, change: Callable[[Members], object], problem: str
) -> None:
    found = verify_archive(changed(packaged(tmp_path).path, change))
    assert any(problem in each for each in found), found


def test_a_record_that_is_damaged_is_named_with_its_offset_in_the_file(tmp_path: Path) -> None:
    def damage(members: Members) -> None:
        data = bytearray(members["archive/data-00000.warc.gz"])
        data[800] ^= 255
        members["archive/data-00000.warc.gz"] = bytes(data)

    found = verify_archive(changed(packaged(tmp_path).path, damage))
    assert any("site.wacz/archive/data-00000.warc.gz, offset " in each and "not read" in each for each in found), found


def test_a_file_that_is_cut_off_anywhere_is_found_and_never_a_crash(tmp_path: Path) -> None:
    data = packaged(tmp_path).path.read_bytes()
    path = tmp_path / "cut.wacz"
    for kept in range(0, len(data), 97):
        path.write_bytes(data[:kept])
        assert ["cut.wacz"] == [each.partition(":")[0].rpartition("/")[2] for each in verify_archive(path)], kept


def test_a_byte_that_changed_anywhere_is_found_and_never_a_crash(tmp_path: Path) -> None:
    """But in the directory's own fields of system and rights, and in the bits that fill up a member's last byte."""
    made = packaged(tmp_path)
    data = made.path.read_bytes()
    end = data.index(b"PK\x01\x02")
    members = _places(data[:end], b"PK\x03\x04")
    heads = [at + byte for at in members for byte in range(30)]
    for at in sorted({*range(0, end, 41), *heads} - {at - 1 for at in (*members, end)}):
        made.path.write_bytes(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
        assert verify_archive(made.path), at


def _places(data: bytes, mark: bytes) -> list[int]:
    found, at = [], -1
    while (at := data.find(mark, at + 1)) >= 0:
        found.append(at)
    return found


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda data, end: data + b"more", "the zip does not end where its file ends"),
        (lambda data, end: b"before" + data, "offset 0: 6 bytes belong to no member"),
        (lambda data, end: data[:500] + data[509:], "offset 0: 9 bytes before the member 'archive/data-00000.warc.gz'"),
        (lambda data, end: data[:end] + b"between" + data[end:], "7 bytes"),
        (
            lambda data, end: data[: end + 14] + b"!" + data[end + 15 :],
            "offset 0: the head of 'archive/data-00000.warc.gz'",
        ),
    ],
)
def test_what_no_checksum_covers_is_looked_at_too(
    tmp_path: Path, change: Callable[[bytes, int], bytes], problem: str
) -> None:
    """Bytes around the members, and a member's head that the directory contradicts."""
    path = packaged(tmp_path).path
    data = path.read_bytes()
    path.write_bytes(change(data, data.index(b"PK\x01\x02")))
    found = verify_archive(path)
    assert any(problem in each for each in found), found


def test_a_bit_of_the_directory_that_changed_is_found(tmp_path: Path) -> None:
    """But of who made a member and with which rights, which each tool fills in as it likes. The last entry, and the end."""
    made = packaged(tmp_path)
    data = made.path.read_bytes()
    start = data.rindex(b"PK\x01\x02")
    anything = {*range(start + 4, start + 6), *range(start + 36, start + 42)}
    for at in sorted({*range(start, len(data))} - anything):
        made.path.write_bytes(data[:at] + bytes([data[at] ^ 0x01]) + data[at + 1 :])
        assert verify_archive(made.path), at - start


def test_a_directory_that_says_two_things_is_none(tmp_path: Path) -> None:
    """Members that share bytes, have another name in their heads, are links, or folders with something in them."""

    def problems(change: Callable[[bytearray, int], object], more: str = "") -> str:
        made = packaged(tmp_path)
        if more:
            with zipfile.ZipFile(made.path, "a") as zipped:
                zipped.writestr(more, "within")
        data = bytearray(made.path.read_bytes())
        change(data, data.rindex(b"PK\x01\x02"))
        made.path.write_bytes(data)
        return "\n".join(verify_archive(made.path))

    def overlap(data: bytearray, entry: int) -> None:
        first = data.index(b"PK\x01\x02")
        data[entry + 42 : entry + 46] = data[first + 42 : first + 46]

    def rename(data: bytearray, entry: int) -> None:
        at = data.index(b"extra.txt")
        data[at : at + 5] = b"EXTRA"

    def link(data: bytearray, entry: int) -> None:
        data[entry + 40 : entry + 42] = (0o120777).to_bytes(2, "little")

    assert "are of two members" in problems(overlap, "extra.txt")
    assert "the name in the head of 'extra.txt', b'EXTRA.txt', is not" in problems(rename, "extra.txt")
    assert "'datapackage-digest.json' is a symbolic link" in problems(link)
    assert "'folder/' is a folder, and has 6 bytes" in problems(lambda data, entry: None, "folder/")


def test_what_lies_far_into_a_package_asks_for_zip64_in_the_directory_alone(tmp_path: Path) -> None:
    """As zipfile writes it of what lies more than 2 GiB into the file."""
    path = packaged(tmp_path).path
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02") + 6
    for version, expected in ((45, 0), (46, 1)):
        data[at] = version
        path.write_bytes(data)
        assert expected == len(verify_archive(path))


def test_a_package_that_needs_zip64_throughout_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes, places and the number of members: what a large one has, in small."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
    path = packaged(tmp_path).path
    assert [] == verify_archive(path)
    data = path.read_bytes()
    for start, length in ((data.index(b"PK\x06\x06"), 40), (data.index(b"PK\x06\x07"), 20)):
        for at in {*range(start + 4, start + length)} - {*range(start + 12, start + 16)}:  # by what it was made
            path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            assert verify_archive(path), at - start


def test_other_tools_write_sums_after_the_bytes(tmp_path: Path) -> None:
    """As they do who cannot go back in what they write; zip64 where it need not be."""
    path = packaged(tmp_path).path
    with zipfile.ZipFile(path) as zipped:
        members = {name: zipped.read(name) for name in zipped.namelist()}

    class Pipe(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            with path.open("ab") as file:
                return file.write(data)

    path.unlink()
    with zipfile.ZipFile(Pipe(), "w") as zipped:  # type: ignore[arg-type] # it asks for no more than this
        for name, data in members.items():
            with zipped.open(name, "w", force_zip64=True) as member:
                member.write(data)

    assert [] == verify_archive(path)
    whole = path.read_bytes()
    sums = whole.index(b"PK\x07\x08")
    for changed in (sums, sums + 4, sums + 9, sums + 17):
        path.write_bytes(whole[:changed] + bytes([whole[changed] ^ 1]) + whole[changed + 1 :])
        assert any("bytes belong to no member" in each for each in verify_archive(path)), changed - sums


def test_of_what_follows_a_damage_nothing_is_said(tmp_path: Path) -> None:
    """Its index and pages may be right: nobody could look."""

    def damage(members: Members) -> None:
        data = bytearray(members["archive/data-00000.warc.gz"])
        data[800] ^= 255
        members["archive/data-00000.warc.gz"] = bytes(data)

    [found] = verify_archive(changed(packaged(tmp_path).path, damage))
    assert "offset " in found and found.endswith("what follows was not read")


def test_a_warc_file_alone_is_verified(tmp_path: Path) -> None:
    path = warc(tmp_path, site())
    path.write_bytes(path.read_bytes()[:-10])
    assert [True] == [each.startswith(f"{path}, offset") for each in verify_archive(path)][:1]


def test_a_file_that_is_not_there_is_not_verified(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        verify_archive(tmp_path / "gone.wacz")

"""Downloads: whole under their name or not there; taken up where they broke off."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from crawlkit import Session, exceptions
from crawlkit.sessions import partfile
from crawlkit.sessions.download import download
from crawlkit.sessions.partfile import PartFile
from crawlkit.testing.hostile import Close, HostileServer, Received, Step, Trickle, answer

BODY = bytes(range(256)) * 64
ETAG = '"v1"'


class Files:
    """A file server that honours Range, or breaks off after `cut` bytes as often as `breaks` says."""

    def __init__(self, body: bytes = BODY, etag: str | None = ETAG, *, cut: int = 0, breaks: int = 0) -> None:
        self.body, self.etag, self.cut, self.breaks = body, etag, cut, breaks
        self.ranges: list[str | None] = []

    def __call__(self, request: Received) -> list[Step]:
        asked = request.header("Range")
        self.ranges.append(asked)
        headers = [("ETag", self.etag)] if self.etag else []
        start = 0
        if asked and request.header("If-Range") == self.etag:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(self.body):
                return [answer("416 Nope", b"", [("Content-Range", f"bytes */{len(self.body)}")])]
            headers.append(("Content-Range", f"bytes {start}-{len(self.body) - 1}/{len(self.body)}"))
        whole = answer("206 Partial" if start else 200, self.body[start:], headers, kind="application/octet-stream")
        if self.breaks:
            self.breaks -= 1
            head = whole.index(b"\r\n\r\n") + 4
            return [whole[: head + self.cut], Close()]
        return [whole]


@pytest.fixture
def server():
    with HostileServer() as server:
        yield server


@pytest.fixture
def session():
    with Session() as session:
        yield session


def left_over(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_comes_whole_and_nothing_is_left_beside(server: HostileServer, session: Session, tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file.bin"
    assert path == session.download(server.play("/f", Files()), path)
    assert BODY == path.read_bytes()
    assert ["file.bin"] == left_over(path.parent)
    assert "identity" == server.requests[-1].header("Accept-Encoding")


def test_an_old_file_is_replaced(server: HostileServer, session: Session, tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    session.download(server.play("/f", Files()), str(path))
    assert BODY == path.read_bytes()


def test_a_download_that_breaks_off_is_taken_up(server: HostileServer, session: Session, tmp_path: Path) -> None:
    files = Files(cut=1000, breaks=3)
    session.download(server.play("/f", files), tmp_path / "f")
    assert BODY == (tmp_path / "f").read_bytes()
    assert [None, "bytes=1000-", "bytes=2000-", "bytes=3000-"] == files.ranges


def test_a_later_call_takes_it_up_too(server: HostileServer, session: Session, tmp_path: Path) -> None:
    """The server goes away in the middle; the next run gets the rest."""
    path = tmp_path / "f"
    files = Files(cut=1000, breaks=1)
    url = server.play("/f", files, [Close()])
    with pytest.raises(exceptions.RequestException):
        session.download(url, path)
    assert not path.exists()
    assert [".f.part", ".f.part.json"] == left_over(tmp_path)
    server.play("/f", files)
    session.download(url, path)
    assert BODY == path.read_bytes()
    assert [None, "bytes=1000-"] == files.ranges
    assert ["f"] == left_over(tmp_path)


def test_a_file_that_changed_meanwhile_is_fetched_anew(server: HostileServer, session: Session, tmp_path: Path) -> None:
    path = tmp_path / "f"
    url = server.play("/f", Files(cut=1000, breaks=1), [Close()])
    with pytest.raises(exceptions.RequestException):
        session.download(url, path)
    server.play("/f", Files(b"another version", '"v2"'))
    session.download(url, path)
    assert b"another version" == path.read_bytes()


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_without_a_sure_version_nothing_is_taken_up(
    etag: str | None, server: HostileServer, session: Session, tmp_path: Path
) -> None:
    with pytest.raises(exceptions.ChunkedEncodingError):
        session.download(server.play("/f", Files(etag=etag, cut=1000, breaks=1)), tmp_path / "f")
    assert [] == left_over(tmp_path)


@pytest.mark.parametrize(
    ("modified", "sure"),
    [("Fri, 01 Jan 2027 10:00:00 GMT", True), ("Fri, 01 Jan 2027 11:59:59 GMT", False), ("rubbish", False)],
)
def test_a_date_is_a_version_when_it_is_old_enough(
    modified: str, sure: bool, server: HostileServer, session: Session, tmp_path: Path
) -> None:
    headers = [("Last-Modified", modified), ("Date", "Fri, 01 Jan 2027 12:00:00 GMT")]
    whole = answer(200, BODY, headers)
    url = server.play("/f", [whole[:-100], Close()], [Close()])
    with pytest.raises(exceptions.RequestException):
        session.download(url, tmp_path / "f")
    assert sure == bool(left_over(tmp_path))


def test_a_part_that_is_whole_already_is_only_named(server: HostileServer, session: Session, tmp_path: Path) -> None:
    path = tmp_path / "f"
    url = server.play("/f", Files())
    with pytest.raises(KeyboardInterrupt), PartFile(path, url) as part:
        part.restart(ETAG)
        part.write(BODY)
        raise KeyboardInterrupt
    session.download(url, path)
    assert BODY == path.read_bytes()


def test_a_part_longer_than_the_file_is_thrown_away(server: HostileServer, session: Session, tmp_path: Path) -> None:
    path = tmp_path / "f"
    url = server.play("/f", Files())
    with pytest.raises(KeyboardInterrupt), PartFile(path, url) as part:
        part.restart(ETAG)
        part.write(BODY + b"too much")
        raise KeyboardInterrupt
    session.download(url, path)
    assert BODY == path.read_bytes()


@pytest.mark.parametrize("said", ["bytes 5-11/12", "bytes 5-11/*", "bytes */12", "rubbish"])
def test_a_range_that_was_not_asked_for_is_not_believed(
    said: str, server: HostileServer, session: Session, tmp_path: Path
) -> None:
    path = tmp_path / "f"
    wrong = answer("206 Partial", b"shifted", [("Content-Range", said), ("ETag", ETAG)])
    url = server.play("/f", Files(cut=1000, breaks=1), [wrong], Files())
    session.download(url, path)
    assert BODY == path.read_bytes()


def test_another_url_does_not_take_the_part_over(server: HostileServer, session: Session, tmp_path: Path) -> None:
    path = tmp_path / "f"
    with pytest.raises(exceptions.RequestException):
        session.download(server.play("/one", Files(cut=1000, breaks=1), [Close()]), path)
    files = Files(b"other")
    session.download(server.play("/two", files), path)
    assert b"other" == path.read_bytes()
    assert [None] == files.ranges


@pytest.mark.parametrize("status", [404, 500, 204])
def test_an_error_status_leaves_no_file(status: int, server: HostileServer, session: Session, tmp_path: Path) -> None:
    with pytest.raises(exceptions.HTTPError):
        session.download(server.play("/f", [answer(status, b"error page" if status != 204 else b"")]), tmp_path / "f")
    assert [] == left_over(tmp_path)


def test_a_server_that_ignores_ranges_is_read_from_the_start(
    server: HostileServer, session: Session, tmp_path: Path
) -> None:
    whole = answer(200, BODY, [("ETag", ETAG)])
    session.download(server.play("/f", [whole[:-500], Close()], [whole]), tmp_path / "f")
    assert BODY == (tmp_path / "f").read_bytes()


def test_a_server_that_breaks_off_for_ever_is_given_up(server: HostileServer, session: Session, tmp_path: Path) -> None:
    with pytest.raises(exceptions.RequestException):
        session.download(server.play("/f", Files(cut=10, breaks=1000)), tmp_path / "f")
    assert not (tmp_path / "f").exists()


def test_a_coded_file_is_stored_as_it_is_meant(server: HostileServer, session: Session, tmp_path: Path) -> None:
    import gzip

    coded = answer(200, gzip.compress(BODY), [("Content-Encoding", "gzip"), ("ETag", ETAG)])
    session.download(server.play("/f", [coded]), tmp_path / "f")
    assert BODY == (tmp_path / "f").read_bytes()


def test_the_disks_error_names_the_file(server: HostileServer, session: Session, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(exceptions.StorageError, match="file/f"):
        session.download(server.play("/f", Files()), tmp_path / "file" / "f")


def test_a_full_disk_leaves_no_file(
    server: HostileServer, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(partfile.os, "fsync", full)
    with pytest.raises(exceptions.StorageError, match="No space left"):
        session.download(server.play("/f", Files()), tmp_path / "f")
    assert not (tmp_path / "f").exists()


def test_only_what_was_synced_counts_after_a_kill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partfile, "CHECKPOINT_BYTES", 100)
    part = PartFile(tmp_path / "f", "http://a.example/f")
    part.restart(ETAG)
    part.write(b"x" * 100)
    part.write(b"y" * 50)
    part._file.flush()
    part._file.close()  # as a kill leaves it: no note of the last 50 bytes
    with PartFile(tmp_path / "f", "http://a.example/f") as again:
        assert (100, ETAG) == (again.size, again.validator)
        again.publish()


def test_the_note_of_an_old_version_does_not_outlive_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed just after a new version began: its bytes must not be taken for the old one's."""
    monkeypatch.setattr(partfile, "CHECKPOINT_BYTES", 100)
    part = PartFile(tmp_path / "f", "http://a.example/f")
    part.restart(ETAG)
    part.write(b"x" * 100)
    part.restart('"v2"')
    part._file.write(b"y" * 150)
    part._file.close()
    with PartFile(tmp_path / "f", "http://a.example/f") as again:
        assert (0, None) == (again.size, again.validator)
        again.publish()


def test_two_downloads_of_one_file_do_not_mix(server: HostileServer, session: Session, tmp_path: Path) -> None:
    url = server.play("/f", Files())
    with PartFile(tmp_path / "f", url) as held:
        held.restart(ETAG)
        held.write(b"somebody else is at it")
        session.download(url, tmp_path / "f")
        assert BODY == (tmp_path / "f").read_bytes()
        held.publish()
    assert b"somebody else is at it" == (tmp_path / "f").read_bytes()


def test_many_threads_download_to_one_name(server: HostileServer, session: Session, tmp_path: Path) -> None:
    url = server.play("/f", Files())
    threads = [threading.Thread(target=session.download, args=(url, tmp_path / "f")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert BODY == (tmp_path / "f").read_bytes()
    assert ["f"] == left_over(tmp_path)


def test_a_long_name_still_has_room_for_its_part(server: HostileServer, session: Session, tmp_path: Path) -> None:
    path = tmp_path / ("n" * 250)
    session.download(server.play("/f", Files()), path)
    assert BODY == path.read_bytes()


def test_headers_of_the_program_go_along(server: HostileServer, session: Session, tmp_path: Path) -> None:
    session.download(server.play("/f", Files()), tmp_path / "f", headers={"X-Mine": "1"})
    assert "1" == server.requests[-1].header("X-Mine")


def test_the_function_is_the_method(server: HostileServer, session: Session, tmp_path: Path) -> None:
    assert tmp_path / "f" == download(session, server.play("/f", Files()), tmp_path / "f")


def test_the_note_holds_no_url(tmp_path: Path) -> None:
    """Tokens stand in URLs."""
    with pytest.raises(KeyboardInterrupt), PartFile(tmp_path / "f", "http://a.example/?token=secret") as part:
        part.restart(ETAG)
        part.write(b"x")
        raise KeyboardInterrupt
    assert "secret" not in (tmp_path / ".f.part.json").read_text()


def slowly(body: bytes, seconds: float) -> list[Step]:
    return [f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode(), Trickle(body, seconds)]


def test_a_deadline_is_for_the_whole_download(server: HostileServer, session: Session, tmp_path: Path) -> None:
    """Given to the call it ends a body that trickles; the session's is for the head of a stream, as anywhere."""
    url = server.play("/slow", slowly(b"x" * 40, 0.1))
    begun = time.monotonic()
    with pytest.raises(exceptions.DeadlineExceeded):
        session.download(url, tmp_path / "f", deadline=0.3)
    assert time.monotonic() - begun < 1.0
    session.deadline = 0.2
    url = server.play("/slowish", slowly(b"abcd", 0.1))
    assert b"abcd" == session.download(url, tmp_path / "g").read_bytes()


def test_a_limit_is_for_the_whole_file(server: HostileServer, session: Session, tmp_path: Path) -> None:
    """Not for what is left of it after a break; the session's is for bodies in memory."""
    url = server.play("/f", Files(BODY[:3000], cut=1000, breaks=1), [Close()])
    with pytest.raises(exceptions.RequestException):
        session.download(url, tmp_path / "f")
    server.play("/f", Files(BODY[:3000]))
    with pytest.raises(exceptions.BodyTooLarge, match="2500 bytes"):
        session.download(url, tmp_path / "f", max_body=2500)
    session.max_body = 100
    session.download(server.play("/f", Files()), tmp_path / "f")
    assert BODY == (tmp_path / "f").read_bytes()

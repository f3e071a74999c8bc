"""A download of 2 GB goes through an archive, from the socket to the package, in little memory."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from crawlkit.archive import reading
from tests.sessions.scripted import Peer, Scripted

MEBIBYTE = bytes(range(256)) * 4096
SIZE = 2048
FRONT = b'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 23\r\n\r\n<a href="/large">x</a>\n'
LARGE = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: %d\r\n\r\n"


@pytest.mark.slow
@pytest.mark.parametrize("secret", [b"", b"a-secret-of-the-user"], ids=["as it is", "with a secret in it"])
def test_two_gigabytes_stream(tmp_path: Path, secret: bytes) -> None:
    """Also when a secret has to be taken out in the middle of it."""

    def script(peer: Peer) -> None:
        while got := peer.request():
            if not got.line.startswith("GET /large"):
                peer.send(FRONT)
                continue
            peer.send(LARGE % (SIZE * len(MEBIBYTE)))
            for number in range(SIZE):
                peer.send(secret + MEBIBYTE[len(secret) :] if number == SIZE // 2 else MEBIBYTE)

    with Scripted(script) as site:
        done = subprocess.run(
            [sys.executable, "-m", "tests.archive.large_archive", str(tmp_path), site.url],
            capture_output=True,
            text=True,
            check=False,
        )

    assert 0 == done.returncode, done.stderr
    assert int(done.stdout) < 200
    size, secrets = kept(tmp_path)
    assert (SIZE * len(MEBIBYTE), 0) == (size, secrets)


def kept(folder: Path) -> tuple[int, int]:
    """Bytes of the large payload in the package, and how often the secret is in it."""
    size = found = 0
    with zipfile.ZipFile(folder / "site.wacz") as package:
        for name in package.namelist():
            if name.startswith("archive/"):
                package.extract(name, folder)
    for path in (folder / "archive").iterdir():
        for record in reading.records(path):
            if record.kind == "response" and record.url.endswith("/large"):
                for piece in record.payload():
                    size += len(piece)
                    found += b"a-secret-of-the-user" in piece
    return size, found

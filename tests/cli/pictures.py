"""Pictures of pages: taken by a real browser, read pixel by pixel. What belongs here: PNG and chromium; no judgement."""

from __future__ import annotations

import shutil
import struct
import subprocess
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

Pixel = tuple[int, ...]


@dataclass(frozen=True)
class Picture:
    """A picture of 8 bits a channel."""

    width: int
    height: int
    rows: list[bytes]
    channels: int

    def pixel(self, x: int, y: int) -> Pixel:
        return tuple(self.rows[y][x * self.channels : x * self.channels + 3])

    def colours(self) -> set[Pixel]:
        """Those of every third pixel."""
        return {self.pixel(x, y) for y in range(0, self.height, 3) for x in range(0, self.width, 3)}

    def column(self, x: int) -> set[Pixel]:
        return {self.pixel(x, y) for y in range(self.height)}


def read(path: Path) -> Picture:
    """A PNG that is not interlaced (RFC 2083), its lines unfiltered (section 6)."""
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    assert (8, 0) == (depth, interlaced)
    packed, at = b"", 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] == b"IDAT":
            packed += data[at + 8 : at + 8 + length]
        at += 12 + length
    channels = {2: 3, 6: 4}[kind]
    return Picture(width, height, _unfiltered(zlib.decompress(packed), width * channels, channels), channels)


def _unfiltered(raw: bytes, stride: int, step: int) -> list[bytes]:
    rows: list[bytes] = []
    above = bytearray(stride)
    for start in range(0, len(raw), stride + 1):
        kind, line = raw[start], bytearray(raw[start + 1 : start + 1 + stride])
        for x in range(stride) if kind else ():
            left, up = line[x - step] if x >= step else 0, above[x]
            corner = above[x - step] if x >= step else 0
            if kind == 1:
                guess = left
            elif kind == 2:
                guess = up
            elif kind == 3:
                guess = (left + up) // 2
            else:
                near = left + up - corner
                guess = min((left, up, corner), key=lambda each: abs(near - each))
            line[x] = (line[x] + guess) & 255
        rows.append(bytes(line))
        above = line
    return rows


def photograph(page: Path, folder: Path, *, width: int, height: int, dark: bool) -> Picture:
    """The page as chromium draws it, in a window of that size."""
    file = folder / f"{page.stem}.{width}.{'dark' if dark else 'light'}.png"
    scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    return read(
        screenshot(page.as_uri(), file, profile=folder / "browser", width=width, height=height, options=[scheme])
    )


def screenshot(url: str, file: Path, *, profile: Path, width: int, height: int, options: Sequence[str] = ()) -> Path:
    """The PNG `file` of what chromium draws of `url` in a window of that size; `profile`: its folder for its own files."""
    words = browser(profile, f"--window-size={width},{height}", *options, f"--screenshot={file}", url)
    done = subprocess.run(words, capture_output=True, text=True, timeout=100)
    assert file.exists(), done.stderr
    return file


def browser(profile: Path, *words: str) -> list[str]:
    """The command that starts chromium without a window, with these words; `profile`: its folder for its own files."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no browser: apt-get install chromium")
    return [
        program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--force-device-scale-factor=1",
        f"--user-data-dir={profile}", *words,
    ]  # fmt: skip

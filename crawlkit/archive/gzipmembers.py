"""Gzip members: a file of gzip members, uncompressed one after the other, whose places in the file are known.

What belongs here: offsets, lengths, damage to the compression. What does not: what is in the members (reading.py), content
codings of answers (sessions/decoding.py), where what follows a member is forgiven; here every byte counts.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import IO, NoReturn

from crawlkit.exceptions import ArchiveDamaged

_READ = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS


class GzipMembers:
    """The members of `file`, from the byte number `offset` on. ArchiveDamaged names `path` and the member's offset.

    `offset`: where the member begins that is being read; `end`: the byte after it, once `more` gave b"".
    """

    def __init__(self, file: IO[bytes], path: Path, offset: int = 0) -> None:
        self._file = file
        self._path = path
        self._raw = b""
        self._read = offset  # how far the file was read
        self._inflating = zlib.decompressobj(_GZIP)
        self.offset = self.end = offset
        file.seek(offset)

    def begin(self) -> bool:
        """Go to the next member, after the last one was read to its end; False at the end of the file."""
        self.offset = self.end
        if not self._raw and not self._fill():
            return False
        self._inflating = zlib.decompressobj(_GZIP)
        return True

    def more(self) -> bytes:
        """Up to 64 KiB of the member; b"" at its end."""
        inflating = self._inflating
        while not inflating.eof:
            if not self._raw and not self._fill():
                self.fail("the file ends within the record that begins here")
            try:
                out = inflating.decompress(self._raw, _READ)
            except zlib.error as error:
                self.fail(f"here is no gzip member, or a damaged one ({error})")
            self._raw = inflating.unused_data if inflating.eof else inflating.unconsumed_tail
            if inflating.eof:
                self.end = self._read - len(self._raw)
            if out:
                return out
        return b""

    def _fill(self) -> bool:
        try:
            self._raw = self._file.read(_READ)
        except OSError as error:
            self.fail(f"it cannot be read ({error.strerror or error})")
        self._read += len(self._raw)
        return bool(self._raw)

    def fail(self, what: str) -> NoReturn:
        """Raise ArchiveDamaged for this member."""
        raise ArchiveDamaged(f"{self._path}, offset {self.offset}: {what}", offset=self.offset, what=what)

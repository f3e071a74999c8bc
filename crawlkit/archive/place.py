"""Place: where an archive is made, and where it ends up.

What belongs here: the folder beside the output, the note in it that says whose it is, refusing a place that cannot be used.
What does not: the records in it (warcfile.py), what the database knows of them (store/records.py).

`site.wacz` is made in `site.wacz.part/`: WARC files, and `archive.json`, which says which database they belong to, so that
the package can be made by whoever has the folder. The output appears by a rename when it is whole.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from crawlkit.archive.warcfile import LIMIT, PATTERN
from crawlkit.exceptions import StorageError, UsageError
from crawlkit.store.wholefile import UNFINISHED, replacing_path

PACKAGE, SINGLE = ".wacz", ".warc.gz"
NOTE = "archive.json"
_UNFINISHED = "package"
_AGAIN = "make room, or name another place, and start the same command again"


class Place:
    """The place of the archive `output`, whose name ends in `.wacz` (a package) or `.warc.gz` (one WARC file).

    UsageError for another name. Methods raise StorageError when the disk refuses, naming the file.
    """

    def __init__(self, output: Path) -> None:
        self.output = output.expanduser().absolute()
        if self.output.is_symlink():  # it stays one, and a rename does not lead to another disk
            self.output = self.output.resolve()
        if not self.output.name.endswith((PACKAGE, SINGLE)) or self.output.name in (PACKAGE, SINGLE):
            raise UsageError(f"{output}: an archive is a .wacz or a .warc.gz file; end its name in one of these")
        self.folder = self.output.with_name(self.output.name + ".part")

    @property
    def is_package(self) -> bool:
        """Whether the output is a package, and no bare WARC file."""
        return self.output.name.endswith(PACKAGE)

    @property
    def pattern(self) -> str:
        """What the WARC files are called."""
        return PATTERN if self.is_package else self.output.name

    @property
    def limit(self) -> int | None:
        """Bytes after which another WARC file is begun."""
        return LIMIT if self.is_package else None

    @property
    def unfinished(self) -> Path:
        """Where the output is written before it gets its name."""
        return self.folder / (_UNFINISHED + (PACKAGE if self.is_package else SINGLE))

    def check(self, *, overwrite: bool, going_on: bool = True) -> None:
        """UsageError when nothing can be written there, or something is there and is not to be replaced. When the archive is
        `going_on`, an output that was published from here is no other one, and what is in the folder is its own.
        """
        output = self.output
        if output.is_dir():
            raise UsageError(f"{output}: is a folder; name a file")
        if output.exists() and not overwrite and not (going_on and self.is_ours()):
            raise UsageError(
                f"{output}: is there already, and an archive is never changed; name another file, or replace it with "
                "--overwrite"
            )
        folder = output.parent
        while not folder.exists():
            folder = folder.parent
        if not folder.is_dir():
            raise UsageError(f"{output}: {folder} is no folder; name another file")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise UsageError(f"{output}: the folder {folder} cannot be written; name another file")
        if self.folder.exists() and not self.folder.is_dir():
            raise UsageError(f"{self.folder}: is where the archive would be made, and no folder; move it away")
        strange = None if going_on or self.exists else self._strange()
        if strange is not None:
            raise UsageError(
                f"{self.folder}: is where the archive would be made, and {strange} in it is of no archive that is known; "
                "move the folder away"
            )

    def _strange(self) -> str | None:
        """A file in a folder without a note, which nobody said we may remove. What is left of an archive that was being
        removed lies beside its output; what is left of the first note is unfinished.
        """
        ours = (PACKAGE, SINGLE, UNFINISHED) if self.output.exists() else UNFINISHED
        return next((path.name for path in sorted(self.folder.glob("*")) if not path.name.endswith(ours)), None)

    # --- the note ----------------------------------------

    @property
    def exists(self) -> bool:
        """Whether an archive was begun here and is not finished."""
        return (self.folder / NOTE).exists()

    def note(self) -> dict[str, Any]:
        """What was noted of the archive that was begun here. UsageError when none was, or the note cannot be read."""
        path = self.folder / NOTE
        try:
            note = json.loads(path.read_bytes())
        except FileNotFoundError as error:
            raise UsageError(f"{self.output}: no unfinished archive is there; one would be in {self.folder}") from error
        except (OSError, ValueError) as error:
            raise UsageError(
                f"{path}: it cannot be read as the note of an archive ({error}); move the folder away"
            ) from error
        if not isinstance(note, dict):
            raise UsageError(f"{path}: it is no note of an archive; move the folder away")
        return note

    def write_note(self, note: Mapping[str, Any]) -> None:
        """Note whose archive this is. Nothing in it may be secret."""
        path = self.folder / NOTE
        text = json.dumps(note, indent=2, ensure_ascii=False) + "\n"
        with _naming(path):
            self.folder.mkdir(parents=True, exist_ok=True)
        with replacing_path(path, advice=_AGAIN) as fresh, _naming(path):
            fresh.write_text(text, encoding="utf-8")

    # --- the end ----------------------------------------

    def publish(self) -> None:
        """Give the finished output its name. From then on `is_ours` says that it is this archive's."""
        stat = self.unfinished.stat()
        self.write_note({**self.note(), "published": [stat.st_ino, stat.st_size]})
        with _naming(self.output):
            self.unfinished.replace(self.output)
        _sync(self.output.parent)

    def is_ours(self) -> bool:
        """Whether the output that is there is what was published from here, and only the end was missing."""
        try:
            stat = self.output.stat()
            return self.exists and self.note().get("published") == [stat.st_ino, stat.st_size]
        except (OSError, UsageError):
            return False

    def remove(self) -> None:
        """Remove the folder: the note first, so that half a folder is nobody's archive."""
        with _naming(self.folder):
            (self.folder / NOTE).unlink(missing_ok=True)
            if self.folder.exists():
                shutil.rmtree(self.folder)


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path}: it cannot be written ({error.strerror or error}); {_AGAIN}") from error


def _sync(folder: Path) -> None:
    """Put the names in a folder on the disk."""
    if os.name == "nt":  # no descriptor of a folder
        return
    with _naming(folder):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

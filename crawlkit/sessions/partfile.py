"""PartFile: a file that is being fetched, under a temporary name beside the final one.

What belongs here: what is on the disk: the bytes so far, the note of where they come from, the lock,
publishing. What does not: HTTP (download.py).

Beside `report.pdf` stand `.report.pdf.part` and `.report.pdf.part.json`, the note: URL, validator, and how
many bytes are surely on the disk (synced before they were noted, so that a power cut cannot leave a hole
that counts as data).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import IO, Self

from crawlkit.exceptions import RequestException, StorageError

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows: a part is then never shared, and never resumed by another process
    fcntl = None

# Bytes between two syncs. What came after the last one is fetched again after a kill.
CHECKPOINT_BYTES = 8 * 1024 * 1024

_NAME_MAX = 200


class PartFile:
    """The part of `path`, open for one download. Not for several threads; another download of the same path gets a
    part of its own, which is not resumed.
    """

    def __init__(self, path: Path, url: str) -> None:
        self.path = path
        self.url = url
        self.size = 0
        self.validator: str | None = None
        with file_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._name = _beside(path, ".part")
            self._file = self._open()
        self._note = self._name.with_name(self._name.name + ".json")
        self._synced = 0
        self._read_note()

    def _open(self) -> IO[bytes]:
        file = os.fdopen(os.open(self._name, os.O_RDWR | os.O_CREAT, 0o666), "r+b")
        if _locked(file, self._name):
            return file
        file.close()
        self._name = _beside(self.path, f".{os.getpid()}-{os.urandom(4).hex()}.part")
        return self._name.open("x+b")

    def _read_note(self) -> None:
        """What an earlier download left, when it was of the same URL."""
        try:
            note = json.loads(self._note.read_text("utf-8"))
            size, validator = int(note["size"]), str(note["validator"])
            fits = note["url"] == _name_of(self.url) and 0 < size <= os.fstat(self._file.fileno()).st_size
        except (OSError, ValueError, KeyError, TypeError):
            fits = False
        if fits:
            self.size, self.validator = size, validator
        with file_errors(self.path):
            self._file.truncate(self.size)
            self._file.seek(self.size)

    def restart(self, validator: str | None) -> None:
        """Forget what there is; `validator` names the version that comes now, None when it could not be resumed."""
        with file_errors(self.path):
            self._note.unlink(missing_ok=True)
            self._file.seek(0)
            self._file.truncate()
        self.size = self._synced = 0
        self.validator = validator

    def write(self, data: bytes) -> None:
        """Append `data`. Raises StorageError."""
        with file_errors(self.path):
            self._file.write(data)
        self.size += len(data)
        if self.size - self._synced >= CHECKPOINT_BYTES:
            self.checkpoint()

    def checkpoint(self) -> None:
        """Make what is there survive a power cut, and note it, when it can be resumed at all."""
        with file_errors(self.path):
            self._file.flush()
            if self.validator is None or not self.size:
                return
            os.fsync(self._file.fileno())
            note = {"url": _name_of(self.url), "validator": self.validator, "size": self.size}
            self._note.write_text(json.dumps(note), "utf-8")
        self._synced = self.size

    def publish(self) -> None:
        """The file is whole: sync it and give it its name, in one step for whoever looks."""
        with file_errors(self.path):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._name.replace(self.path)
            self._note.unlink(missing_ok=True)
            _sync_folder(self.path.parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc_info: object) -> None:
        try:
            if kind is not None and not issubclass(kind, StorageError):
                self.checkpoint()
            if kind is not None and (self.validator is None or not self.size):
                self._name.unlink(missing_ok=True)
                self._note.unlink(missing_ok=True)
        finally:
            self._file.close()


@contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """OSErrors of the disk as StorageError naming the file. (A RequestException is an OSError too, and is none.)"""
    try:
        yield
    except RequestException:
        raise
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror or error}") from error


def _name_of(url: str) -> str:
    """What tells two URLs apart and can be left lying about: the URL itself may hold a password or a token."""
    return hashlib.blake2b(url.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _beside(path: Path, ending: str) -> Path:
    name = path.name
    if len(os.fsencode(name)) > _NAME_MAX:
        name = hashlib.blake2b(os.fsencode(name), digest_size=16).hexdigest()
    return path.with_name(f".{name}{ending}")


def _locked(file: IO[bytes], name: Path) -> bool:
    """Whether the file is ours alone, and still the one that has the name."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The one who had it may have published it just now: what we hold is then the finished file.
        return os.path.samestat(os.fstat(file.fileno()), name.stat())
    except OSError:
        return False


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Wholefile: a file that appears under its name only when all of it is there.

It is written beside its place, synced, then renamed. What belongs here: that. What does not: what is written
(export.py; packages, in a layer above).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from crawlkit.exceptions import StorageError

#: How the name of a file ends that is not whole.
UNFINISHED = ".unfinished"
_EXPORT_AGAIN = "the items are safe in the database, export them again to a place that can"


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[IO[str]]:
    """A file of text that takes the place of `target` when it is whole. A pipe or device is written as it is.

    StorageError when it cannot be written.
    """
    if target.exists() and not target.is_file():
        with _naming(target), target.open("w", encoding="utf-8", newline="") as file:
            yield file
        return
    with replacing_path(target) as unfinished, unfinished.open("x", encoding="utf-8", newline="") as file:
        yield file


@contextlib.contextmanager
def replacing_path(target: Path, *, advice: str = _EXPORT_AGAIN) -> Iterator[Path]:
    """A path for a file that is not there yet; what is made there takes the place of `target`.

    StorageError when it cannot be written, which ends with `advice`: what is lost, and what to do.
    """
    target = target.resolve()  # a symbolic link stays one
    unfinished = target.with_name(f".{target.name}.{os.getpid()}{UNFINISHED}")
    try:
        with _naming(target, advice):
            yield unfinished
            _sync(unfinished)
            if target.exists():
                unfinished.chmod(target.stat().st_mode & 0o7777)
            unfinished.replace(target)
            if os.name != "nt":  # Windows has no descriptor of a folder
                _sync(target.parent)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _naming(target: Path, advice: str = _EXPORT_AGAIN) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"{target}: it cannot be written ({error.strerror}); {advice}") from error


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

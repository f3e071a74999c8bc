"""requests._internal_utils, and the functions of requests.utils that deal with files and variables."""

from __future__ import annotations

import contextlib
import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from crawlkit.sessions.headers import to_native_string

__all__ = ["atomic_open", "extract_zipped_paths", "set_environ", "to_native_string", "unicode_is_ascii"]


def unicode_is_ascii(u_string: str) -> bool:
    """Whether a text is ASCII alone."""
    return u_string.isascii()


@contextlib.contextmanager
def atomic_open(filename: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """A file to write bytes to that appears under its name when it is whole, and not at all after an
    exception.
    """
    target = Path(filename)
    descriptor, name = tempfile.mkstemp(dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink()
        raise


def extract_zipped_paths(path: str) -> str:
    """`path`; or, when it leads into a zip archive (a program that is packed in one), a copy of that member."""
    if os.path.exists(path):  # noqa: PTH110 - may be empty, or no path at all
        return path
    for parent in Path(path).parents:
        if parent.is_file():
            return _extracted(parent, path) if zipfile.is_zipfile(parent) else path
    return path


def _extracted(archive: Path, path: str) -> str:
    member = Path(path).relative_to(archive).as_posix()
    with zipfile.ZipFile(archive) as packed:
        if member not in packed.namelist():
            return path
        descriptor, name = tempfile.mkstemp(suffix=Path(member).suffix)
        with os.fdopen(descriptor, "wb") as copy:
            copy.write(packed.read(member))
    return name


@contextlib.contextmanager
def set_environ(env_name: str, value: str | None) -> Iterator[None]:
    """An environment variable set for the time being; None leaves it alone. For the whole process, every
    thread.
    """
    if value is None:
        yield
        return
    before = os.environ.get(env_name)
    os.environ[env_name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[env_name]
        else:
            os.environ[env_name] = before

"""Files that are there whole or not at all. What belongs here: replacing a file in one step. What is in it does not."""

from __future__ import annotations

import os
from pathlib import Path

from crawlkit.exceptions import StorageError


def write_whole(path: Path, data: bytes) -> None:
    """Put `data` at `path`, whose folder is made when it is missing: the old file stays until the new one is on the disk.

    Any thread; of two at once the last wins. StorageError when it cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}.unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with draft.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if path.exists():
                draft.chmod(path.stat().st_mode & 0o7777)
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StorageError(f"{path}: it cannot be written ({error.strerror}); what was there is as it was") from error

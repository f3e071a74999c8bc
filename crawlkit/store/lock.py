"""One lock a database, beside it: `<db>.lock`. It dies with the process that holds it.

What belongs here: where the lock of a database lies and what its errors say. What does not: how files are locked
(filelock.py), opening the database.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from crawlkit import filelock
from crawlkit.filelock import FileLock


class Lock(FileLock):
    """The right to write one database: a FileLock beside it, with `wait` and `stopped` as there."""

    def __init__(
        self,
        database: str | Path,
        *,
        wait: bool | float = False,
        stopped: Callable[[], bool] | None = None,
        sleep: Callable[[float], Any] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.database = Path(database)
        super().__init__(
            _beside(self.database),
            wait=wait,
            stopped=stopped,
            busy=f"{self.database}: another run is using it",
            advice="wait for it to end, or use --wait",
            guards="the database",
            elsewhere=", or name another with [store] dir or --db",
            sleep=sleep,
            clock=clock,
        )


def holder(database: str | Path) -> dict[str, Any] | None:
    """Who holds the lock of `database`: "pid" and "since" as far as they are written; None when nobody does."""
    return filelock.holder(_beside(Path(database)))


def _beside(database: Path) -> Path:
    return database.with_name(database.name + ".lock")

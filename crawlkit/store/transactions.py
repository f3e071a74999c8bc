"""Transactions: begin, look whether this run may still write, commit or undo, also what is held in memory.

What belongs here: BEGIN, COMMIT, ROLLBACK and how durable they are. What does not: what is written between them.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from crawlkit.exceptions import StorageError


class Participant(Protocol):
    """Something that holds in memory what a transaction writes."""

    def committing(self) -> None:
        """The transaction is about to be committed: write what was collected."""

    def committed(self) -> None:
        """The transaction is committed."""

    def rolled_back(self) -> None:
        """Nothing of the transaction is there."""


class Transactions:
    """The transactions of one connection. One thread."""

    def __init__(self, connection: sqlite3.Connection, path: Path, participants: tuple[Participant, ...]) -> None:
        self._connection = connection
        self._path = path
        self._participants = participants
        self._durable: bool | None = None
        #: The run that may write; None while none has begun.
        self.run: int | None = None

    @contextlib.contextmanager
    def open(self, *, durable: bool = True, fenced: bool = True) -> Iterator[None]:
        """A transaction; `durable` decides whether it survives a power cut, `fenced` whether only `run` may write.

        Raises sqlite3's own errors; StorageError when another run writes this database.
        """
        connection = self._connection
        if durable is not self._durable:
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._durable = durable
        connection.execute("BEGIN IMMEDIATE")
        try:
            if fenced:
                self._check_fence()
            yield
            for participant in self._participants:
                participant.committing()
            connection.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        for participant in self._participants:
            participant.committed()

    def _check_fence(self) -> None:
        row = self._connection.execute("SELECT value FROM _meta WHERE name = 'run'").fetchone()
        if self.run is not None and (row is None or row[0] != self.run):
            raise StorageError(
                f"{self._path}: another run took the database over; keep it on a local disk, where locks hold"
            )

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            # A disk that fails may fail here too; SQLite then rolls back when the file is opened next.
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
        for participant in self._participants:
            participant.rolled_back()

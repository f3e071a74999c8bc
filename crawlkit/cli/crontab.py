"""Crontab: the user's table of cron, and the lines of a project in it.

What belongs here: a job as a line, the marked block that holds a project's lines, reading and replacing the table with
crontab(1). What does not: which jobs there are (project.py).

Everything outside the project's own block stays byte for byte. crontab(1) has no way to change a part of the table:
of two that read, change and write it at once one would lose, so that a lock is held meanwhile.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from crawlkit.cli.project import Job, Project
from crawlkit.exceptions import UsageError
from crawlkit.filelock import FileLock

#: Seconds that crontab(1) may take, and that another command may hold the lock.
_TIMEOUT_SECONDS = 30.0

#: How the crons that there are say that a user has no table yet.
_NONE_YET = (b"no crontab for", b"can't open")


def line_of(job: Job) -> str:
    """The crontab line of a job: when, the folder, the command. `%` would begin its standard input, and is escaped."""
    command = f"cd {shlex.quote(str(job.folder))} && {shlex.join(job.words)}"
    return f"{job.when.text} " + command.replace("%", "\\%")


def block_of(project: Project) -> bytes:
    """The project's lines between their marks."""
    begin, end = _marks(project.folder)
    return b"".join(line + b"\n" for line in (begin, *(os.fsencode(line_of(job)) for job in project.jobs), end))


def block_in(table: bytes, folder: Path) -> bytes:
    """What the table has of the project in `folder`; empty when it has nothing."""
    return b"".join(block for block, ours in _parts(table, folder) if ours)


def replaced(table: bytes, folder: Path, block: bytes) -> bytes:
    """The table with `block` in the place of what it had of the project in `folder`, or at its end.

    UsageError when the table has one of the two marks only.
    """
    kept: list[bytes] = []
    placed = False
    for part, ours in _parts(table, folder):
        if not ours:
            kept.append(part)
        elif not placed:
            kept.append(block)
            placed = True
    if not placed and block:
        if kept and not kept[-1].endswith(b"\n"):
            kept.append(b"\n")
        kept.append(block)
    return b"".join(kept)


def read_table() -> bytes:
    """The user's table; empty when there is none. UsageError when there is no cron here, or none for this user."""
    done = _crontab("-l")
    if done.returncode == 0:
        return done.stdout
    if any(sign in done.stderr for sign in _NONE_YET):
        return b""
    raise UsageError(f"crontab -l: {_said(done)}")


def change_table(folder: Path, block: bytes) -> bool:
    """Put `block` into the user's table as `replaced` does; whether that changed anything.

    UsageError when crontab(1) refuses; the table is as before then.
    """
    with _lock():
        before = read_table()
        after = replaced(before, folder, block)
        if after == before:
            return False
        done = _crontab("-", given=after) if after else _crontab("-r")
        if done.returncode != 0:
            raise UsageError(f"crontab: {_said(done)}; the table is as before")
        if block_in(read_table(), folder) != block:
            raise UsageError("crontab: the lines were taken and are not there; look at them with crontab -l")
    return True


def _marks(folder: Path) -> tuple[bytes, bytes]:
    return os.fsencode(f"# crawlkit: {folder} begin"), os.fsencode(f"# crawlkit: {folder} end")


def _parts(table: bytes, folder: Path) -> list[tuple[bytes, bool]]:
    """The table in pieces, each with whether it is the project's own. Joined they are the table."""
    begin, end = _marks(folder)
    parts: list[tuple[bytes, bool]] = []
    open_since = 0
    piece = b""
    for number, line in enumerate(_lines(table), start=1):
        bare = line.removesuffix(b"\n")
        if bare == (begin if open_since else end):
            raise _half_a_block(number, folder)
        if bare == begin:
            parts.append((piece, False))
            piece, open_since = b"", number
        piece += line
        if bare == end:
            parts.append((piece, True))
            piece, open_since = b"", 0
    if open_since:
        raise _half_a_block(open_since, folder)
    return [*parts, (piece, False)] if piece else parts


def _lines(table: bytes) -> Sequence[bytes]:
    """Lines as cron has them: a carriage return ends none."""
    pieces = table.split(b"\n")
    return [piece + b"\n" for piece in pieces[:-1]] + ([pieces[-1]] if pieces[-1] else [])


def _half_a_block(number: int, folder: Path) -> UsageError:
    return UsageError(
        f"crontab, line {number}: a mark of {folder} without its other half; take it and what belongs to it away with "
        "crontab -e, then run this again"
    )


def _crontab(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("crontab")
    if program is None:
        raise UsageError("there is no crontab on this machine; apt-get install cron, or use --systemd")
    try:
        return subprocess.run([program, *arguments], input=given, capture_output=True, timeout=_TIMEOUT_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"crontab: it cannot be used: {error}") from error


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode("utf-8", "backslashreplace").strip().splitlines()
    return "; ".join(lines) or f"it ended with exit code {done.returncode}"


def _lock() -> FileLock:
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.home() raises for a user without one
    own = home.is_dir() and os.access(home, os.W_OK | os.X_OK)
    folder = home if own else Path(tempfile.gettempdir())
    return FileLock(
        folder / f".crawlkit-crontab-{os.getuid()}.lock",
        wait=_TIMEOUT_SECONDS,
        busy="another crawlkit schedule is changing the crontab",
        mode=0o600,
    )

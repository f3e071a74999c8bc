"""Handover: a text for a command of the user's, on its standard input.

What belongs here: the words of a command, starting it without a shell, its time, ending it with all that it started. What
does not: what is handed over, and when (alarm.py, notify.py).

A command may be told that the disk is full: where the system has files that live in memory, the text is in one of them, and
what the command prints goes nowhere rather than keep it from starting.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

_SHOWN = 300  # characters of what it printed
_TOKEN = 8  # a word of the command this long may be a token, and is not repeated


class NotTaken(Exception):
    """The command did not take what it was handed; the text names the command by its first word, and says why."""


def words_of(command: str) -> list[str]:
    """The words of a command, split as a shell splits them. ValueError when there are none, or a quote is not closed."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ValueError(f"the command cannot be read ({error}); close its quotes") from None
    if not words:
        raise ValueError("no command is named")
    words[0] = os.path.expanduser(words[0])  # noqa: PTH111 - a Path would lose the ./ that tells it from one on the PATH
    return words


def hand_over(words: Sequence[str], text: str, *, seconds: float, folder: Path | None = None) -> None:
    """Start `words` in `folder` (None: the working directory) with `text` on standard input, and wait for its end.

    NotTaken when it cannot be started, does not end within `seconds`, or ends with another code than 0. When the wait is
    cut off, by that or by Ctrl-C, the command is ended with what it started. Any thread.
    """
    # Files for both ends: no pipe fills up, and none is kept open by what the command leaves running.
    try:
        with _in_memory() as given, _on_disk() as printed:
            given.write(text.encode("utf-8", "backslashreplace"))
            given.seek(0)
            out = printed if printed is not None else subprocess.DEVNULL
            process = subprocess.Popen(
                words, cwd=folder, stdin=given, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
            )
            code = _waited_for(process, words, seconds)
            said = _last_line(printed, words) if code != 0 else ""
    except (OSError, ValueError) as error:  # a NUL among the words is a ValueError
        where = f" in {folder}" if folder is not None else ""
        raise NotTaken(f"{words[0]} could not be started{where}: {getattr(error, 'strerror', None) or error}") from None
    if code != 0:
        raise NotTaken(f"{words[0]} ended with exit code {code}{said}")


def _waited_for(process: subprocess.Popen[bytes], words: Sequence[str], seconds: float) -> int:
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        _kill(process)
        raise NotTaken(f"{words[0]} took longer than {seconds:.0f} s and was ended") from None
    except BaseException:
        _kill(process)
        raise


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the command and what it started."""
    with contextlib.suppress(ProcessLookupError):
        if sys.platform == "win32":  # pragma: no cover - Windows
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _in_memory() -> IO[bytes]:
    """A file without a name, which needs no disk on Linux."""
    if sys.platform == "linux":
        return os.fdopen(os.memfd_create("crawlkit"), "w+b")
    return tempfile.TemporaryFile()  # pragma: no cover - macOS, Windows


def _on_disk() -> contextlib.AbstractContextManager[IO[bytes] | None]:
    """A file without a name for what may be much; None where there is no room for any."""
    with contextlib.suppress(OSError):
        return tempfile.TemporaryFile()
    return contextlib.nullcontext()


def _last_line(printed: IO[bytes] | None, words: Sequence[str]) -> str:
    if printed is None:
        return ""
    printed.seek(0, os.SEEK_END)
    printed.seek(max(0, printed.tell() - 16 * _SHOWN))
    lines = printed.read().decode("utf-8", "backslashreplace").strip().splitlines()
    if not lines:
        return ""
    said = lines[-1]
    for word in words[1:]:
        if len(word) >= _TOKEN:
            said = said.replace(word, "…")
    return f" ({said[:_SHOWN]})"

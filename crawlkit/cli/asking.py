"""Questions on the terminal, such as one for a password: asked on standard error, answered on standard input.

What belongs here: drawing a question, reading its answer, leaving the terminal as it was. What does not: what is asked
(crawl/credentials.py), who may be asked (the commands).
"""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from crawlkit.cli.terminal import safe
from crawlkit.exceptions import ConfigError, StopCrawl

#: How long a stop may go unnoticed while nobody types.
_LOOK_SECONDS = 0.1


class Asker:
    """Asks who sits at the terminal. Callable from any thread; one question at a time is the caller's care.

    `aside` is entered around each question: what it gives keeps others from drawing on the terminal meanwhile.
    """

    def __init__(self) -> None:
        self._gone = threading.Event()
        self._asking = False
        self.aside: Callable[[], AbstractContextManager[object]] = nullcontext

    @classmethod
    def on_terminal(cls) -> Asker | None:
        """None when nobody can be asked: standard input or standard error is no terminal, or the command runs in the
        background of one, where reading would stop it.
        """
        try:
            here = sys.stdin.isatty() and sys.stderr.isatty()
            return cls() if here and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp() else None
        except (AttributeError, OSError, ValueError):  # a closed stream; a system without terminals as these
            return None

    def __call__(self, question: str, hidden: bool) -> str:
        """The answer to `question`, not echoed when it is `hidden`; an empty one is asked for again.

        ConfigError when there is none (Ctrl-D), StopCrawl when the command is stopped meanwhile.
        """
        with self.aside():
            while True:
                answer = self._ask(question, hidden)
                if answer:
                    return answer

    def give_up(self) -> None:
        """The command is being stopped: whoever waits for an answer gets StopCrawl. Any thread, also a signal handler."""
        self._gone.set()
        if self._asking:
            self._asking = False
            _write("\n")  # what is said about the stop begins a line

    def _ask(self, question: str, hidden: bool) -> str:
        descriptor = sys.stdin.fileno()
        # The echo goes off first: who sees the question may type at once.
        with _silence(descriptor) if hidden else nullcontext():
            _write(f"{safe(question, one_line=True)}: ")
            self._asking = True
            line: bytes | None = None
            try:
                line = self._read_line(descriptor)
            finally:
                unfinished, self._asking = self._asking, False
                if unfinished and (hidden or line is None):
                    _write("\n")
        if line is None:
            raise ConfigError(f"{question}: there was no answer")
        try:
            return line.decode(sys.stdin.encoding or "utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            raise ConfigError(f"{question}: the answer is not {sys.stdin.encoding}") from None

    def _read_line(self, descriptor: int) -> bytes | None:
        """None: the answer ended before its line did."""
        line = b""
        while not line.endswith(b"\n"):
            if self._gone.is_set():
                raise StopCrawl("stopped at a question")
            if not select.select([descriptor], [], [], _LOOK_SECONDS)[0]:
                continue
            try:
                piece = os.read(descriptor, 4096)
            except OSError:  # the terminal was closed
                piece = b""
            if not piece:
                return None
            line += piece
        return line


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


@contextmanager
def _silence(descriptor: int) -> Iterator[None]:
    """Within it, the terminal does not show what is typed; what was typed before it is dropped."""
    import termios  # no such module on Windows, where on_terminal() finds nobody

    before = termios.tcgetattr(descriptor)
    silent = before.copy()
    silent[3] &= ~termios.ECHO
    termios.tcsetattr(descriptor, termios.TCSAFLUSH, silent)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)

"""Questions on a terminal: a hidden answer is never shown, an end of input and a stop are clean."""

from __future__ import annotations

import io
import os
import select
import sys
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import TextIO

import pytest

from crawlkit.cli import asking
from crawlkit.cli.asking import Asker
from crawlkit.exceptions import ConfigError, StopCrawl

termios = pytest.importorskip("termios")


class Terminal:
    """The other side of the terminal that standard input and standard error are: what is typed, what is shown."""

    def __init__(self, descriptor: int, inner: TextIO) -> None:
        self.descriptor = descriptor
        self.inner = inner

    def shows(self, text: str) -> str:
        """What is shown up to `text`, which comes within five seconds."""
        shown = b""
        while text.encode() not in shown:
            assert select.select([self.descriptor], [], [], 5)[0], shown
            shown += os.read(self.descriptor, 1024)
        return shown.decode()

    def type(self, text: str) -> None:
        os.write(self.descriptor, text.encode())

    @property
    def echoes(self) -> bool:
        return bool(termios.tcgetattr(self.inner.fileno())[3] & termios.ECHO)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    outer, inner = os.openpty()
    with open(inner, encoding="utf-8") as reading, open(os.dup(inner), "w", encoding="utf-8") as writing:
        # Pytest's capture takes sys.stderr back for each phase of a test.
        monkeypatch.setattr(asking, "sys", SimpleNamespace(stdin=reading, stderr=writing))
        yield Terminal(outer, reading)
    os.close(outer)


class Asked(threading.Thread):
    """A question in a thread of its own, as a worker asks it."""

    def __init__(self, asker: Asker, *, hidden: bool) -> None:
        super().__init__(daemon=True)
        self.asker = asker
        self.hidden = hidden
        self.answer: object = None
        self.start()

    def run(self) -> None:
        try:
            self.answer = self.asker("password of profile me", self.hidden)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test looks at it
            self.answer = error

    def end(self) -> object:
        self.join(5)
        return self.answer


def test_a_hidden_answer_is_not_shown(terminal: Terminal) -> None:
    """The echo is off before the question is there, and on again after the answer."""
    asked = Asked(Asker(), hidden=True)
    shown = terminal.shows("password of profile me: ")
    assert not terminal.echoes
    terminal.type("gehéim\n")
    assert "gehéim" == asked.end()
    assert "\r\n" == terminal.shows("\n")
    assert "gehéim" not in shown
    assert terminal.echoes


def test_another_answer_is_shown(terminal: Terminal) -> None:
    """Who types a name sees it; an empty answer is asked for again."""
    asked = Asked(Asker(), hidden=False)
    terminal.shows("password of profile me: ")
    terminal.type("\n")
    terminal.shows("password of profile me: ")
    terminal.type("reader\n")
    assert "reader" == asked.end()
    assert "reader" in terminal.shows("reader")


def test_no_answer_is_an_error(terminal: Terminal) -> None:
    """Ctrl-D: nothing is taken for an empty password."""
    asked = Asked(Asker(), hidden=True)
    terminal.shows(": ")
    terminal.type("\x04")
    error = asked.end()
    assert isinstance(error, ConfigError)
    assert "password of profile me: there was no answer" == str(error)
    assert terminal.echoes


def test_a_stop_ends_the_question(terminal: Terminal) -> None:
    """Ctrl-C in a run is the main thread's, which asks nobody: the terminal is as it was, the next line begins anew."""
    asker = Asker()
    asked = Asked(asker, hidden=True)
    terminal.shows(": ")
    asker.give_up()
    assert isinstance(asked.end(), StopCrawl)
    assert "\r\n" == terminal.shows("\n")
    assert terminal.echoes
    assert isinstance(Asked(asker, hidden=False).end(), StopCrawl)  # nor is anybody asked after it


def test_who_is_not_at_a_terminal_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cron, a pipe, a closed standard input; and a terminal that belongs to somebody else."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("secret\n"))
    assert None is Asker.on_terminal()
    monkeypatch.setattr(sys, "stdin", None)
    assert None is Asker.on_terminal()


def test_a_terminal_of_others_is_left_alone(terminal: Terminal) -> None:
    """A command in the background would be stopped by reading it."""
    assert terminal.inner.isatty()
    assert None is Asker.on_terminal()

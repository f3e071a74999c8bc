"""Text on the terminal: nothing from the web reaches it as a command."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlkit.cli.terminal import complain, console, is_terminal, safe
from tests.cli.small_site import SPIDER, Site
from tests.conftest import Command


@given(st.text())
def test_no_control_character_passes(text: str) -> None:
    """Whatever the text: of all control characters only newline and tab are left."""
    escaped = safe(text)
    assert not [c for c in escaped if unicodedata.category(c) == "Cc" and c not in "\n\t"]
    assert "\n" not in safe(text, one_line=True)


def test_control_characters_are_spelled_out() -> None:
    """A title that would rename the window, and a URL that would read backwards."""
    assert "\\x1b]0;owned\\x07" == safe("\x1b]0;owned\x07")
    assert "\\x9b31m" == safe("\x9b31m")
    assert "a\\u202eb" == safe("a\u202eb")
    assert "a\\nb\\tc" == safe("a\nb\tc", one_line=True)
    assert "Größe – 東京" == safe("Größe – 東京")


def test_an_error_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Even when the message is not."""
    complain("first\nsecond \x1b[2J")
    assert "crawlkit: error: first\\nsecond \\x1b[2J\n" == capsys.readouterr().err


def test_a_pipe_and_a_dumb_terminal_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what can redraw lines counts."""

    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    assert is_terminal(Screen())
    assert not is_terminal(io.StringIO())
    monkeypatch.setenv("TERM", "dumb")
    assert not is_terminal(Screen())


def test_the_console_prints_markup_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    """A page's title in square brackets is a title, no style and no link."""
    console(stderr=True).print("[bold]x[/bold] :smile: https://example.org/")
    assert "[bold]x[/bold] :smile: https://example.org/\n" == capsys.readouterr().err


def test_without_a_terminal_there_are_no_colours(
    crawlkit: Command, write_spider: Callable[..., Path], site: Site
) -> None:
    """Whatever TERM, FORCE_COLOR and their like say: cron's mail and log files are read as they are."""
    write_spider(SPIDER, name="pages.py")
    forced = {
        "TERM": "xterm-256color",
        "FORCE_COLOR": "1",
        "CLICOLOR_FORCE": "1",
        "TTY_COMPATIBLE": "1",
        "NO_COLOR": "",
    }
    for words in (("run", "pages.py", "-a", f"base={site.url}"), ("runs", "pages")):
        done = crawlkit(*words, **forced)
        assert "\x1b" not in done.stdout + done.stderr

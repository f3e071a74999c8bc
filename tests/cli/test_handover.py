"""What a command is handed, and what is told of one that does not take it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest

from crawlkit.cli.handover import NotTaken, hand_over, words_of


def test_the_words_are_a_shells() -> None:
    assert ["curl", "-d", "two words", "$HOME"] == words_of("curl -d 'two words' $HOME")
    for command, said in (("sh -c 'unclosed", "close its quotes"), (" ", "no command is named")):
        with pytest.raises(ValueError, match=said):
            words_of(command)


@pytest.mark.skipif(sys.platform != "linux", reason="no files in memory there")
def test_a_command_is_told_that_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There may be no room for any temporary file: that is what it is to be told of."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "no-such-folder"))
    hand_over(["tee", "told"], "a text", seconds=60, folder=tmp_path)
    assert "a text" == (tmp_path / "told").read_text()
    with pytest.raises(NotTaken, match=r"^sh ended with exit code 3$"):
        hand_over(["sh", "-c", "echo unseen; exit 3"], "", seconds=60)


def test_much_text_for_one_who_does_not_read_it() -> None:
    """Nor is much that it prints a hindrance; of that the end of the last line is told."""
    hand_over(["true"], "x" * 1_000_000, seconds=60)
    with pytest.raises(NotTaken, match=r"exit code 1 \(last\)$"):
        hand_over(["sh", "-c", "head -c 1000000 /dev/zero; echo; echo last; exit 1"], "x" * 1_000_000, seconds=60)


def test_what_is_no_command() -> None:
    for words in (["no-such-program"], [""], ["echo", "\0"], ["/"]):
        with pytest.raises(NotTaken, match="could not be started"):
            hand_over(words, "", seconds=60)

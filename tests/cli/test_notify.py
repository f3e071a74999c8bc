"""A webhook that takes its time has no more of it than a command."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crawlkit.cli import notify as module
from crawlkit.cli.notify import notify
from crawlkit.testing import HostileServer
from crawlkit.testing.hostile import Trickle


@pytest.fixture
def hook() -> Iterator[HostileServer]:
    with HostileServer() as server:
        yield server


def test_an_answer_without_an_end_is_not_read(hook: HostileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its status is all that is asked for."""
    monkeypatch.setattr(module, "_TIMEOUT_SECONDS", 2.0)
    hook.play("/hook", [b"HTTP/1.1 200 OK\r\n\r\n", Trickle(b"x" * 600, 0.01)])
    assert notify(hook.url("/hook"), {})


def test_an_answer_that_trickles_in_is_cut_off(
    hook: HostileServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each byte comes in time, and yet there is a time for all of them."""
    monkeypatch.setattr(module, "_TIMEOUT_SECONDS", 0.3)
    hook.play("/s3cret", [Trickle(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 30, 0.05)])
    assert not notify(hook.url("/s3cret"), {})
    told = capsys.readouterr().err
    assert "could not be told: DeadlineExceeded; the result stays as it is" in told
    assert "s3cret" not in told


def test_a_hook_that_leaves_something_running(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it printed last is told when it fails; the time is up for what it started, too."""
    assert not notify("sh -c 'echo no such channel >&2; exit 4'", {})
    monkeypatch.setattr(module, "_TIMEOUT_SECONDS", 0.2)
    assert not notify("sh -c 'sleep 60; true'", {})
    first, second = capsys.readouterr().err.splitlines()
    assert "--notify: sh ended with exit code 4 (no such channel); the result stays as it is" in first
    assert "--notify: sh took longer than 0 s and was ended" in second

"""Signals: the first stops in order, the second at once."""

from __future__ import annotations

import os
import signal
import threading

from crawlkit.cli.signals import StopSignals


def test_the_first_is_soft_and_the_rest_hard() -> None:
    """The exit code is that of the first signal."""
    calls: list[tuple[int, bool]] = []
    before = signal.getsignal(signal.SIGINT)
    with StopSignals(lambda code, hard: calls.append((code, hard))) as signals:
        assert signals.since is None
        os.kill(os.getpid(), signal.SIGTERM)
        assert signals.since is not None
        assert signals.hard_since is None
        os.kill(os.getpid(), signal.SIGINT)
        assert signals.hard_since is not None
    assert [(143, False), (143, True)] == calls
    assert 143 == signals.exit_code
    assert before == signal.getsignal(signal.SIGINT)


def test_another_thread_installs_nothing() -> None:
    """Python allows handlers in the main thread only; a run elsewhere simply has none."""
    before = signal.getsignal(signal.SIGINT)

    def enter() -> None:
        with StopSignals(lambda code, hard: None):
            assert before == signal.getsignal(signal.SIGINT)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()

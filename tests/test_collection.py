"""Tests have the same names in every process: those that share them compare what they collected."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from .conftest import ROOT


def names(**environment: str) -> list[str]:
    """The names of all tests, collected in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", "", "-n", "0"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return [line for line in done.stdout.splitlines() if "::" in line]


@pytest.mark.slow
def test_names_depend_neither_on_the_clock_nor_on_the_order_of_sets() -> None:
    """A name with a time in it, such as that of gzip's head, ends the whole run before its first test."""
    first = names(PYTHONHASHSEED="1", TZ="UTC")
    time.sleep(1.1)  # the clock of names that have one counts seconds
    second = names(PYTHONHASHSEED="2", TZ="Asia/Tokyo")
    assert first == second
    assert len(first) > 1000

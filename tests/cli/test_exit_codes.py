"""Exit codes: which error has which, and which of several is the worst."""

from __future__ import annotations

import pytest

from crawlkit import exceptions
from crawlkit.cli import exit_codes


@pytest.mark.parametrize(
    ("error", "code", "outcome"),
    [
        (exceptions.ConfigError("x"), 2, "usage_error"),
        (exceptions.StoreMismatch("x"), 2, "usage_error"),
        (exceptions.LoginError("x"), 3, "login_failed"),
        (exceptions.LockHeld("x"), 4, "locked"),
        (exceptions.StorageError("x"), 74, "storage_failed"),
        (exceptions.ConnectTimeout("x"), 1, "failed"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (ZeroDivisionError(), 70, "internal_error"),
    ],
)
def test_codes_of_errors(error: BaseException, code: int, outcome: str) -> None:
    """Each branch of the tree has its code; what is on no branch is a bug of ours."""
    assert (code, outcome) == exit_codes.of_error(error)


@pytest.mark.parametrize(
    ("codes", "worst"),
    [([], 0), ([0, 0], 0), ([0, 1], 1), ([1, 5], 5), ([5, 130], 130), ([130, 3], 3), ([3, 70], 70), ([70, 74], 74),
     ([0, 2], 2), ([1, 4], 4), ([2, 3], 3), ([6, 5], 5)],
)  # fmt: skip
def test_the_worst_of_several(codes: list[int], worst: int) -> None:
    """74, 70, 3, 130/143, 5, 6, 1 in that order; what never began comes after what was interrupted."""
    assert worst == exit_codes.worst(codes)
    assert worst == exit_codes.worst(reversed(codes))

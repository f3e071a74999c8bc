"""Exit codes.

Which one an error has, which of several is the worst. The outcomes of a run carry their own (crawl.result).
"""

from __future__ import annotations

from collections.abc import Iterable

from crawlkit.exceptions import CrawlkitError, LockHeld, LoginError, StorageError, UsageError

COMPLETE = 0
PAGES_FAILED = 1
USAGE = 2
LOGIN_FAILED = 3
LOCKED = 4
RESUMABLE = 5
UNHEALTHY = 6
INTERNAL = 70
STORAGE_FAILED = 74
INTERRUPTED = 130
TERMINATED = 143
BROKEN_PIPE = 141

#: From the worst on. What never began (2, 4) comes after what broke and before what is merely incomplete.
_ORDER = (
    STORAGE_FAILED,
    INTERNAL,
    LOGIN_FAILED,
    INTERRUPTED,
    TERMINATED,
    USAGE,
    LOCKED,
    RESUMABLE,
    UNHEALTHY,
    PAGES_FAILED,
    COMPLETE,
)

_BY_ERROR: tuple[tuple[tuple[type[BaseException], ...], int, str], ...] = (
    ((UsageError,), USAGE, "usage_error"),
    ((LoginError,), LOGIN_FAILED, "login_failed"),
    ((LockHeld,), LOCKED, "locked"),
    ((StorageError,), STORAGE_FAILED, "storage_failed"),
    ((KeyboardInterrupt,), INTERRUPTED, "interrupted"),
    ((CrawlkitError,), PAGES_FAILED, "failed"),  # a page, a form, an item: what one page had to be
)


def of_error(error: BaseException) -> tuple[int, str]:
    """The exit code of an exception that ended a command, and its outcome in one word."""
    for kinds, code, outcome in _BY_ERROR:
        if isinstance(error, kinds):
            return code, outcome
    return INTERNAL, "internal_error"


def worst(codes: Iterable[int]) -> int:
    """The code of several runs together.

    The first that applies of 74, 70, 3, 130, 143, 2, 4, 5, 6, 1; 0 for none.
    """
    given = list(codes)
    return min(given, key=_rank, default=COMPLETE)


def _rank(code: int) -> int:
    return _ORDER.index(code) if code in _ORDER else -1

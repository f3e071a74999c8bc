"""Autosave: when a session's profile is written to its vault: at intervals, when asked, at the end of the
process.

What belongs here: the when, and bringing a session's headers and its profile's together. What does not:
which headers are kept and how two processes that save one profile lose nothing (profile.py, vault.py).
"""

from __future__ import annotations

import logging
import os
import time
import weakref
from typing import Any

from crawlkit.exceptions import CrawlkitError
from crawlkit.sessions.forklock import new_lock
from crawlkit.sessions.headers import CaseInsensitiveDict
from crawlkit.sessions.profile import Profile

log = logging.getLogger(__name__)

# Losing half a minute of cookies costs a login at most; writing after each answer would cost a sync of the disk each.
INTERVAL_SECONDS = 30.0


class Autosave:
    """Saves one profile. Any thread may call; one saves at a time, and who only comes by at an interval does not
    wait.

    `headers` in the methods are the session's own mapping, which is brought up to date when another process changed
    the profile's; `usual` are those that every session sends.
    """

    def __init__(self, profile: Profile, interval_seconds: float = INTERVAL_SECONDS) -> None:
        self.profile = profile
        self._interval_seconds = interval_seconds
        self._saved_at = time.monotonic()
        self._lock = new_lock()
        self._shown = _Shown()
        # A program that ends without close() keeps its login all the same.
        self._at_exit = weakref.finalize(self, _save_at_exit, profile, self._shown, os.getpid())

    def load(self, headers: Any, usual: Any) -> None:
        """Take the profile's headers over into the session's."""
        headers.update(self.profile.headers_over(usual))
        self._shown.are(headers, usual)

    def see(self, headers: Any, usual: Any) -> None:
        """The session's mappings, which may be others than before: these are saved if it is never closed."""
        self._shown.headers, self._shown.usual = headers, usual

    def note(self, headers: Any, usual: Any) -> None:
        """Something may have changed: save when the interval is over. Failing is logged: the exchange itself went
        well.
        """
        if time.monotonic() - self._saved_at < self._interval_seconds or not self._lock.acquire(blocking=False):
            return
        try:
            self._save(headers, usual)
        except CrawlkitError as error:
            log.warning("profile %s could not be saved yet: %s", self.profile.name, error)
        finally:
            self._lock.release()

    def save(self, headers: Any, usual: Any) -> None:
        """Save now what changed. Raises StorageError when the vault cannot be written."""
        with self._lock:
            self._save(headers, usual)

    def cancel(self) -> None:
        """Do not save at the end of the process."""
        self._at_exit.detach()

    def _save(self, headers: Any, usual: Any) -> None:
        self._saved_at = time.monotonic()
        profile = self.profile
        self.see(headers, usual)
        self._shown.keep_in(profile)
        before = CaseInsensitiveDict(profile.headers)
        profile.save()
        if before != profile.headers:
            headers.update(profile.headers)
        self._shown.are(headers, usual)


class _Shown:
    """The session's mappings of headers, and what they were when profile and session last agreed."""

    __slots__ = ("headers", "last", "usual")

    def __init__(self) -> None:
        self.headers: Any = None
        self.usual: Any = None
        self.last: CaseInsensitiveDict[Any] | None = None

    def are(self, headers: Any, usual: Any) -> None:
        """They agree."""
        self.headers, self.usual, self.last = headers, usual, CaseInsensitiveDict(headers)

    def keep_in(self, profile: Profile) -> None:
        """Bring what changed into the profile. Only that: a session that changed no header must not write back what
        another process has replaced.
        """
        if self.headers is not None and self.last != self.headers:
            profile.keep_headers(self.headers, self.usual)


def _save_at_exit(profile: Profile, shown: _Shown, pid: int) -> None:
    if pid != os.getpid():
        return  # a forked child has no news that its parent does not know
    try:
        shown.keep_in(profile)
        profile.save()
    except CrawlkitError as error:
        log.warning("profile %s could not be saved at the end: %s", profile.name, error)

"""CookieStore: the cookies of a session, what may overwrite what, what is sent where.

What belongs here: RFC 6265bis sections 5.7 (the steps that look at the cookies there are) and 5.8, and the
lock. What does not: the dict-like interface that users see (cookies.py), what a line says (setcookie.py),
the index and its limits (cookieindex.py), saving (profile.py).

The lock guards the index and is held for dictionary work only. `modified` times come from a clock that never
steps back, so that of two changes the later one is known whatever happens to the time of day.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Protocol

from crawlkit.sessions.cookie import Cookie, Key
from crawlkit.sessions.cookieheader import MAX_SENT, crosses_sites, header, sending_order
from crawlkit.sessions.cookieindex import MAX_PER_SITE, MAX_TOTAL, CookieIndex
from crawlkit.sessions.forklock import new_lock
from crawlkit.sessions.setcookie import CookieRefused, Place, path_match, place_of, read

MAX_SET = 50  # Set-Cookie lines that are looked at in a response (curl's figure)

_log = logging.getLogger(__name__)


class Gate(Protocol):
    """A further opinion about each cookie, asked after the rules (a `CookiePolicy` that the user set)."""

    def accepts(self, cookie: Cookie, url: str) -> bool:
        """Whether a response from `url` may set the cookie."""

    def returns(self, cookie: Cookie, url: str, method: str) -> bool:
        """Whether a request to `url` may carry the cookie."""


class CookieStore:
    """Cookies by RFC 6265bis, for any number of threads.

    `clock` gives seconds since 1970. `max_per_site` counts the cookies of one registrable domain,
    `max_total` all of them.
    """

    def __init__(
        self,
        *,
        max_per_site: int = MAX_PER_SITE,
        max_total: int = MAX_TOTAL,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.version = 0
        """Grows with every change; equal versions mean an equal store (but for attributes assigned on
        cookies).
        """
        self.epoch = 0
        """The login that the cookies belong to. `receive(..., epoch=)` ignores answers to requests of an
        earlier one."""
        self.refused = 0
        """How many Set-Cookie lines were not taken."""
        self._clock = clock
        self._last_tick = 0.0
        self._index = CookieIndex(max_per_site, max_total)
        self._gone: dict[Key, float] | None = None  # what was deleted, and when; kept only for a profile
        self._gate: Gate | None = None
        self._learn: Callable[[str], None] | None = None
        self._lock = new_lock(brief=True)

    def header_for(self, url: str, *, method: str = "GET", same_site: bool = True) -> str | None:
        """The value of the Cookie header for a request to `url`, None when there is nothing to send (section
        5.8.3).

        `same_site` False says that another site caused the request: Strict cookies stay at home, Lax ones
        and those that do not say go with safe methods only. Latin-1: each character is a byte. At most 150
        cookies and 8,190 bytes with the header's name; the first in order are sent. Any thread.
        """
        if not self._index:
            return None
        place = place_of(url)
        if place is None:
            return None
        now = self._clock()
        with self._lock:
            found = self._matching(place, now)
        if not same_site:
            found = [cookie for cookie in found if crosses_sites(cookie, method, now)]
        if self._gate is not None:
            found = [cookie for cookie in found if self._gate.returns(cookie, url, method)]
        return header(found) if found else None

    def receive(self, url: str, lines: Iterable[str], *, epoch: int | None = None) -> list[Cookie]:
        """Take the Set-Cookie values (latin-1) of a response from `url`; those that were kept, in their
        order.

        The first 50 are looked at. Lines that the rules refuse are counted in `refused` and logged at DEBUG
        with the reason. A cookie that has expired already deletes the one that it replaces. With `epoch` the
        whole response is ignored when the store is already at a later one. Any thread.
        """
        place = place_of(url)
        if place is None:
            return []
        now = self._clock()
        cookies: list[Cookie] = []
        refused = 0
        for line in islice(lines, MAX_SET):
            try:
                cookies.append(self._read(line, place, now, url))
            except CookieRefused as reason:
                _log.debug("a cookie from %s was refused: %s", place.host, reason)
                refused += 1
        if not cookies and not refused:
            return cookies
        with self._lock:
            self.refused += refused
            if epoch is not None and epoch < self.epoch:
                return []
            if not self._sets_by_itself():
                return self._take_in(cookies, place, now)
        return self._hand_over(cookies, place, now)

    def _sets_by_itself(self) -> bool:
        """Whether a subclass has a word to say about what is put in."""
        return False

    def _hand_over(self, cookies: list[Cookie], place: Place, now: float) -> list[Cookie]:
        """Give `cookies` to that subclass."""
        raise NotImplementedError

    def next_epoch(self) -> int:
        """Begin a new login's epoch and return it. From now on answers to earlier requests change nothing.
        Any thread."""
        with self._lock:
            self.epoch += 1
            return self.epoch

    def _read(self, line: str, place: Place, now: float, url: str) -> Cookie:
        cookie = read(line, place, now)
        if self._gate is not None and not self._gate.accepts(cookie, url):
            raise CookieRefused("the jar's policy")
        return cookie

    # --- saving and merging (profile.py)
    # --------------------------------------------------------------------------

    def track_deletions(self) -> None:
        """From now on remember what is deleted, and when, until `forget_deletions`. Any thread."""
        with self._lock:
            self._gone = self._gone or {}

    def forget_deletions(self, saved: Mapping[Key, float]) -> None:
        """Forget the deletions that were saved. Any thread."""
        with self._lock:
            for key, when in saved.items():
                if self._gone and self._gone.get(key) == when:
                    del self._gone[key]

    def snapshot(self) -> tuple[int, list[Cookie], dict[Key, float]]:
        """`version`, copies of the cookies that have not expired, and when which were deleted. Any thread."""
        now = self._clock()
        with self._lock:
            cookies = [cookie.copy() for cookie in self._index if not cookie.is_expired(now)]
            return self.version, cookies, dict(self._gone or {})

    def mark_changed(self, key: Key) -> float:
        """Note that attributes of a cookie were assigned to; the time of it. Any thread."""
        with self._lock:
            cookie = self._index.find(key)
            tick = self._tick()
            if cookie is not None:
                cookie.modified = tick
                self._note(cookie)
            return tick

    def absorb(self, cookies: Iterable[Cookie], deletions: Mapping[Key, float]) -> int:
        """Take over what another process changed, where it changed it later than this one did; how many it
        was. Any thread."""
        now = self._clock()
        with self._lock:
            before = self.version
            for cookie in cookies:
                own = self._index.find(cookie.key)
                changed = own.modified if own is not None else (self._gone or {}).get(cookie.key, 0.0)
                if changed <= cookie.modified and not cookie.is_expired(now):
                    self._insert(cookie)
                    self._last_tick = max(self._last_tick, cookie.modified)
            for key, when in deletions.items():
                own = self._index.find(key)
                if own is not None and own.modified <= when:
                    self._drop(key, expired=True)  # nothing to remember: the others know
            return self.version - before

    def confide(self, learn: Callable[[str], None]) -> None:
        """Call `learn` with every value, now and as it is put in, under the lock: it must not wait. Any thread."""
        with self._lock:
            self._learn = learn
            self.tell_values()

    def tell_values(self) -> bool:
        """Tell the values once more. False when another thread is at work: it may be waiting for who calls this."""
        if not self._lock.acquire(blocking=False):
            return False
        try:
            for cookie in self._index if self._learn is not None else ():
                self._note(cookie)
        finally:
            self._lock.release()
        return True

    def _note(self, cookie: Cookie) -> None:
        if self._learn is not None:
            self._learn(cookie.value)

    # --- all under the lock
    # ---------------------------------------------------------------------------------------

    def _take_in(self, cookies: list[Cookie], place: Place, now: float) -> list[Cookie]:
        kept = []
        for cookie in cookies:
            if not place.secure and self._overlays_secure(cookie, now):
                _log.debug("a cookie from %s was refused: it would overlay a Secure one from http", place.host)
                self.refused += 1
            elif cookie.expires is not None and cookie.expires <= now:
                self._drop(cookie.key)
            else:
                self._put(cookie)
                kept.append(cookie)
        for cookie in self._index.excess(kept, now):
            self._drop(cookie.key, expired=cookie.is_expired(now))
        return kept

    def _overlays_secure(self, cookie: Cookie, now: float) -> bool:
        """Section 5.7 step 16: a cookie from plain http must not overlay a Secure one of its name."""
        return any(
            other.name == cookie.name and path_match(cookie.path, other.path) and not other.is_expired(now)
            for other in self._index.secure_related(cookie.host)
        )

    def _matching(self, place: Place, now: float) -> list[Cookie]:
        """The cookies for a request, in order. Expired ones that are met are removed."""
        host, path, secure = place
        self._bind(place)
        found: list[Cookie] = []
        stale: list[Key] = []
        sources = self._index.sources(host)
        for source in sources:
            room = MAX_SENT
            cookies = source.cookies
            for _, _, key in source.order:
                cookie = cookies[key]
                if cookie.expires is not None and cookie.expires <= now:
                    stale.append(key)
                elif (
                    (secure or not cookie.secure)
                    and (key[0] == host or not key[1])
                    and (key[2] == "/" or path_match(path, key[2]))
                ):
                    cookie.accessed = now
                    found.append(cookie)
                    room -= 1
                    if not room:
                        break
        for key in stale:
            self._drop(key, expired=True)
        if len(sources) > 1:
            found.sort(key=sending_order)
        return found

    def _bind(self, place: Place) -> None:
        """Give the cookies without a domain to the first host that they are sent to."""
        for cookie in self._index.unbound():
            sent = path_match(place.path, cookie.path) and (place.secure or not cookie.secure)
            host = cookie.binding(place.host if sent else None)
            if host is not None:
                self._drop(cookie.key)
                self._put(cookie.bound_to(host))

    def _tick(self) -> float:
        """The time of a change: later than every earlier one, whatever the clock says."""
        now = self._clock()
        self._last_tick = now = now if now > self._last_tick else self._last_tick + 1e-6
        return now

    def _put(self, cookie: Cookie) -> None:
        """Put a cookie in as changed now; one that it replaces leaves it its creation time."""
        cookie.modified = self._tick()
        old = self._index.find(cookie.key)
        if old is not None:
            cookie.creation = old.creation
        elif not cookie.creation:
            cookie.creation = cookie.modified
        if not cookie.accessed:
            cookie.accessed = cookie.modified
        self._insert(cookie)

    def _insert(self, cookie: Cookie) -> None:
        self.version += 1
        if self._gone:
            self._gone.pop(cookie.key, None)
        if self._learn is not None:
            self._learn(cookie.value)
        self._index.put(cookie)

    def _drop(self, key: Key, *, expired: bool = False) -> Cookie | None:
        """Take a cookie out. What was deleted on purpose is remembered when a profile saves the jar."""
        cookie = self._index.take(key)
        if cookie is not None:
            self.version += 1
            if self._gone is not None and not expired:
                self._gone[key] = self._tick()
        return cookie

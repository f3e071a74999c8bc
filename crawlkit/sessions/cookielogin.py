"""CookieLogin: the cookies of a browser in which a person logged in, from a file; and when they are spent, that they are.

What belongs here: when the file is read, and what says that its cookies are of no use any more. What does not: the formats
(cookiefiles.py, cookiejson.py), logging in, which only the person can do.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from time import time
from typing import Any

from crawlkit.exceptions import LoginError, StorageError
from crawlkit.sessions.boundauth import absolute
from crawlkit.sessions.cookie import Cookie
from crawlkit.sessions.cookiefiles import parse_cookies_txt
from crawlkit.sessions.cookiejson import parse_cookie_json
from crawlkit.sessions.leaks import shown
from crawlkit.sessions.login import Credentials, Login
from crawlkit.sessions.session import Session
from crawlkit.sessions.signs import Signs

#: Under which name a profile's state keeps which file was imported last.
_STATE = "cookie file"
_PAGE_RETRIES = 3
_MOST_NAMES = 5

#: Size and time of change: what tells one export from the next.
_Mark = list[int]


class CookieLogin(Login):
    """Takes the cookies of the file `path`, a cookies.txt or what an extension of the browser writes as JSON:
    `login = CookieLogin("cookies.txt")`.

    The file is read when a session is given this login, and again whenever it is newer than what was read: export it again
    from the browser, and the next login has it. `url`, a page that only a member sees, is asked for at each login, so that
    a refusal is noticed before any page is fetched. Relative paths start at the working directory.

    LoginError says when the cookies are spent: all of them expired, or the site took them back. UsageError names the line
    of the file that cannot be read. One object serves any number of sessions and threads. Its repr shows the path alone.
    """

    def __init__(self, path: str | Path, *, url: str | None = None) -> None:
        self._path = Path(path).expanduser()
        self._page = url
        self._lock = threading.Lock()
        self._imported: weakref.WeakKeyDictionary[Session, _Mark] = weakref.WeakKeyDictionary()
        #: The export that a session has logged in with: when it has to log in again, that one is of no use.
        self._used: weakref.WeakKeyDictionary[Session, _Mark] = weakref.WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"<CookieLogin {self._path}>"

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self._path, "page": self._page}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["path"], url=state["page"])  # type: ignore[misc]

    def attach(self, session: Session) -> None:
        """Put the file's cookies into the session, if its profile does not have them yet. Sends nothing.

        UsageError when the file is broken. One that is missing is none yet: the profile may have what it held.
        """
        mark = self._mark()
        if mark is not None and mark != self._last_import(session):
            self._read(session, mark)

    def log_in(self, session: Session, credentials: Credentials | None) -> None:
        """Put a newer file's cookies into the session. Raises LoginError when there is none and these are spent, UsageError
        when the file is broken, StorageError when it cannot be read, RequestException when the page could not be asked for.
        """
        mark = self._mark()
        if mark is None:
            raise LoginError(f"{self._path} is not there: export the cookies from the browser to it")
        if mark != self._last_import(session):
            self._read(session, mark)
        elif self._was_used(session, mark) or _was_member(session):
            raise self._spent("the site does not take them any more")
        with self._lock:
            self._used[session] = mark
        if not self._fresh():
            raise self._spent("all have expired")
        if self._page is not None:
            self._probe(session, self._page)

    def _probe(self, session: Session, url: str) -> None:
        response = session.get(url, retries=_PAGE_RETRIES)
        if response.status_code >= 500:
            response.raise_for_status()
        sign = Signs().of(response)
        there = absolute(session, url).partition("?")[0]
        if sign is None and response.url.partition("?")[0] != there:
            reason = f"led to {shown(response.url)}"
        elif sign is None and response.ok:
            return
        else:
            reason = sign.reason if sign is not None else f"answered {response.status_code}"
        raise self._spent(f"{shown(url)} {reason}")

    # --- the file ---------------------------------------------------------------------------------------------

    def _mark(self) -> _Mark | None:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(f"{self._path} could not be read: {error.strerror}") from error
        return [status.st_size, status.st_mtime_ns]

    def _read(self, session: Session, mark: _Mark) -> None:
        cookies = self._cookies()
        jar = session.cookies
        for cookie in cookies:
            jar.set_cookie(cookie)
        if session._kept_profile is not None:
            session._kept_profile.state[_STATE] = mark
            session._save_profile()
        with self._lock:
            self._imported[session] = mark

    def _cookies(self) -> list[Cookie]:
        try:
            data = self._path.read_bytes()
        except OSError as error:
            raise StorageError(f"{self._path} could not be read: {error.strerror}") from error
        if data.lstrip()[:1] in (b"[", b"{"):
            return parse_cookie_json(data.decode("utf-8", "replace"), name=str(self._path))
        return parse_cookies_txt(data.decode("latin-1"), name=str(self._path))

    def _last_import(self, session: Session) -> _Mark | None:
        if session._kept_profile is not None:
            mark: _Mark | None = session._kept_profile.state.get(_STATE)
            return mark
        with self._lock:
            return self._imported.get(session)

    def _was_used(self, session: Session, mark: _Mark) -> bool:
        with self._lock:
            return self._used.get(session) == mark

    # --- what is left of it -----------------------------------------------------------------------------------

    def _fresh(self) -> bool:
        now = time()
        return any(cookie.expires is None or cookie.expires > now for cookie in self._cookies())

    def _spent(self, why: str) -> LoginError:
        return LoginError(
            f"the cookies of {self._path} are spent ({why}{_expired(self._cookies())}): export them again from the browser"
        )


def _was_member(session: Session) -> bool:
    """Whether the profile was logged in with what was imported: it came back logged out, or nobody would log in."""
    membership = session.membership
    return membership is not None and membership.saved


def _expired(cookies: Iterable[Cookie]) -> str:
    """Which have expired, and when, the latest first; an empty text when none has."""
    now = time()
    gone = sorted(
        ((cookie.expires, cookie.name) for cookie in cookies if cookie.expires is not None and cookie.expires <= now),
        reverse=True,
    )
    told = [f"{name} on {datetime.fromtimestamp(when, UTC):%Y-%m-%d %H:%M} UTC" for when, name in gone[:_MOST_NAMES]]
    more = f" and {len(gone) - len(told)} more" if len(gone) > len(told) else ""
    return f"; expired: {', '.join(told)}{more}" if told else ""

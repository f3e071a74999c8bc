"""KeptLogin: the login that a profile already has, of a browser's cookies or of another spider, when nothing is known by
which it could be made again.

What belongs here: saying so when it ends. What does not: signs that it has (signs.py), cookies from files (cookielogin.py).
"""

from __future__ import annotations

import threading

from crawlkit.exceptions import LoginError
from crawlkit.sessions.login import Credentials, Login
from crawlkit.sessions.session import Session


class KeptLogin(Login):
    """Takes the session as it is, once. When that turns out to be over, LoginError says what to do. Any thread may call.

    A session that was seen logged in by an earlier run is not even taken once more. A profile that has no session yet is
    treated like one whose session is over: it shows in the first page that strangers do not get.
    """

    remedy = (
        "log in (crawlkit login, crawlkit session import) or name a login with --login, and start this command again"
    )

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: set[int] = set()

    def log_in(self, session: Session, credentials: Credentials | None) -> None:
        """Nothing is sent. LoginError the second time."""
        known = session.profile is not None and bool(session.profile.state.get("login"))
        with self._lock:
            if not known and id(session) not in self._taken:
                self._taken.add(id(session))
                return
        name = repr(session.profile.name) if session.profile is not None else "(none)"
        raise LoginError(f"the saved session of profile {name} has ended, and no login is known; {self.remedy}")

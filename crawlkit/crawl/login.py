"""SpiderLogin: a spider's word on its login, as the session below understands it.

What belongs here: the author's `login` and `logged_in`, whichever of them there is and however it was written. What does
not: when to log in, and what follows (sessions/membership.py).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from crawlkit import url as urls
from crawlkit.crawl.spider import Spider, overrides
from crawlkit.exceptions import LoginError
from crawlkit.sessions.login import Credentials, Login
from crawlkit.url import Origin

if TYPE_CHECKING:
    from crawlkit.sessions.response import Response
    from crawlkit.sessions.session import Session

#: Under which name a profile's state keeps the origins that its login led through.
_GATES = "login origins"


class SpiderLogin(Login):
    """The login of `spider` for one profile. `acting` makes that profile's credentials the spider's, within it."""

    def __init__(self, spider: Spider, acting: Callable[[], AbstractContextManager[None]]) -> None:
        self._spider = spider
        self._acting = acting
        own: object = spider.login
        self._ready = own if isinstance(own, Login) else None
        self.url = self._ready.url if self._ready is not None else None
        self.lasts = self._ready is None or self._ready.lasts
        self.remedy = self._ready.remedy if self._ready is not None else None
        self.logs_in = overrides(spider, "login")
        #: Whether the author says of a page that a member sees it; without that, signs have to do.
        self.certain = overrides(spider, "logged_in")
        #: Where logging in led through: the site, and perhaps the hosts of somebody who logs in for it.
        self.gates: set[Origin] = set()

    @classmethod
    def of(cls, spider: Spider, acting: Callable[[], AbstractContextManager[None]]) -> SpiderLogin | None:
        """The login of `spider`; None when it knows nothing of logins."""
        login = cls(spider, acting)
        return login if login.logs_in or login.certain else None

    def attach(self, session: Session) -> None:
        if session.profile is not None:
            kept = session.profile.state.get(_GATES)
            self.gates.update(urls.origin(url) for url in kept or ())
        if self._ready is not None:
            self._ready.attach(session)

    def log_in(self, session: Session, credentials: Credentials | None) -> None:
        if not self.logs_in:
            raise LoginError(
                "a page came back logged out and the spider has no login(); define it, or renew the profile"
            )
        with self._acting(), self._watching(session):
            if self._ready is not None:
                self._ready.log_in(session, credentials)
            else:
                self._spider.login(session)
        if session.profile is not None:
            session.profile.state[_GATES] = sorted(map(str, self.gates))

    @contextmanager
    def _watching(self, session: Session) -> Iterator[None]:
        """Within it, this thread's answers show where the login leads."""
        thread, before = threading.get_ident(), session.hooks

        def note(response: Response, **_: Any) -> None:
            if threading.get_ident() == thread:
                self.gates.add(urls.origin(urls.root(response.url)))

        session.hooks = {**before, "response": [*before["response"], note]}
        try:
            yield
        finally:
            session.hooks = before

    def logged_in(self, response: Response) -> bool | None:
        """The author is asked of HTML answers with status 2xx; of others a ready-made login may know."""
        if self.certain and 200 <= response.status_code < 300 and response.is_html:
            return bool(self._spider.logged_in(response))
        return self._ready.logged_in(response) if self._ready is not None else None

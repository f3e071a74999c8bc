"""Login: keeps one profile of a crawl logged in. One thread logs in, the others' pages go back to the queue meanwhile.

Each exchange notes the epoch (the number of logins so far) before it is sent. A page that comes back logged out asks for
a login *since* its epoch: when there was one already, the page is simply fetched again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from crawlkit import url as urls
from crawlkit.crawl.spider import Spider, overrides
from crawlkit.exceptions import LoginError, StopCrawl
from crawlkit.url import Origin

if TYPE_CHECKING:
    from crawlkit.sessions.response import Response
    from crawlkit.sessions.session import Session

log = logging.getLogger(__name__)

#: Logins in a row with no logged-in page between after which a run gives up.
MOST_IN_A_ROW = 3


class Login:
    """The logins of one profile. Any worker may call; `pause` and `resume` stop the scheduler around a login."""

    def __init__(
        self,
        spider: Spider,
        session: Session,
        *,
        acting: Callable[[], AbstractContextManager[None]],
        pause: Callable[[], None],
        resume: Callable[[], None],
    ) -> None:
        self._spider = spider
        self._session = session
        self._acting = acting
        self._pause = pause
        self._resume = resume
        self._lock = threading.Lock()
        self._busy = False
        self._in_a_row = 0
        self._error: LoginError | None = None
        self.epoch = 0
        self.confirmed_epoch = 0
        self._caused: dict[int, int] = {}
        self.logins = 0
        #: Where `login` went: like the origins of the start URLs they may see secret headers.
        self.origins: frozenset[Origin] = frozenset()
        self.needed = overrides(spider, "login")
        self.judged = self.needed or overrides(spider, "logged_in")

    @property
    def saved(self) -> bool:
        """Whether an earlier run left a login in the profile."""
        profile = self._session.profile
        return profile is not None and bool(profile.state.get("login"))

    def first(self) -> bool:
        """Before the first page: log in unless the profile already is. False: another thread is at it, come again."""
        if not self.needed or self.epoch or self.saved:
            return True
        return self.again(0)

    def looks_logged_out(self, response: Response, epoch: int) -> bool:
        """Whether the spider's `logged_in` says no of an HTML answer with status 2xx that was asked for in `epoch`."""
        if not self.judged or not 200 <= response.status_code < 300 or not response.is_html:
            return False
        if self._spider.logged_in(response):
            with self._lock:
                self.confirmed_epoch = max(self.confirmed_epoch, epoch)
                if epoch == self.epoch:  # an answer from before the last login says nothing about it
                    self._in_a_row = 0
            return False
        return True

    def again(self, epoch: int) -> bool:
        """Log in because a page sent in `epoch` came back logged out.

        True when this thread did it, or another has since `epoch`; False while another thread is at it: give the page
        back. LoginError when logging in failed, now or before.
        """
        with self._lock:
            if self._error is not None:
                raise self._error
            if self.epoch > epoch:
                return True
            if self._busy:
                return False
            self._busy = True
        self._pause()
        try:
            self._log_in()
        except LoginError as error:
            with self._lock:
                self._error = error
            raise
        finally:
            with self._lock:
                self._busy = False
            self._resume()
        return True

    def led_nowhere(self, epoch: int) -> bool:
        """Whether a page that came back logged out in `epoch` means that logging in does not work at all.

        So it is when this run logged in and has seen no logged-in page since it began: a wrong password is sent once.
        """
        return epoch > 0 and self.confirmed_epoch == 0

    def in_vain_for(self, page: int) -> bool:
        """Whether `page` had a login made for it already, which other pages have shown to work."""
        return self.confirmed_epoch >= self._caused.get(page, self.epoch + 1)

    def made_for(self, page: int) -> None:
        """Note that the last login was made because of `page`."""
        self._caused[page] = self.epoch

    def refuse(self, url: str) -> LoginError:
        """The error of a login after which the page at `url` was still logged out and no page was not."""
        error = LoginError(
            f"logged in as profile {self._name} but {url} still shows a logged-out page; check the credentials, and "
            "`logged_in` of the spider"
        )
        with self._lock:
            self._error = error
        return error

    def _log_in(self) -> None:
        if not self.needed:
            raise LoginError("a page came back logged out and the spider has no login(); define it, or renew the profile")
        self._in_a_row += 1
        if self._in_a_row > MOST_IN_A_ROW:
            raise LoginError(f"{MOST_IN_A_ROW} logins in a row led to no logged-in page; the site drops the session")
        log.info("logging in as profile %s", self._name)
        self.logins += 1
        try:
            with self._acting(), self._noting_origins():
                self._spider.login(self._session)
        except (LoginError, StopCrawl):
            raise
        except (Exception, SystemExit) as error:  # the author's code: whatever it raises, the login did not happen
            raise LoginError(f"logging in as profile {self._name} failed: {error or type(error).__name__}") from error
        with self._lock:
            self.epoch += 1
        profile = self._session.profile
        if profile is not None:
            count = profile.state.get("login", {}).get("epoch", 0) + 1
            profile.state["login"] = {"epoch": count}
        self._session.save()

    @contextmanager
    def _noting_origins(self) -> Iterator[None]:
        """Within it, note the origins that this thread's answers come from."""
        thread = threading.get_ident()

        def note(response: Response, **_: Any) -> None:
            if threading.get_ident() == thread:
                self.origins |= {urls.origin(urls.root(answer.url)) for answer in (response, *response.history)}

        before = self._session.hooks
        self._session.hooks = {**before, "response": [*before["response"], note]}
        try:
            yield
        finally:
            self._session.hooks = before

    @property
    def _name(self) -> str:
        return repr(self._session.profile.name) if self._session.profile is not None else "(none)"

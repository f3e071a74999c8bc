"""Login: keeps one profile of a crawl logged in. One thread logs in, the others' pages go back to the queue meanwhile.

Each exchange notes the epoch (the number of logins so far) before it is sent. A page that comes back logged out asks for
a login *since* its epoch: when there was one already, the page is simply fetched again. The thread that logs in holds the
scheduler until its own page has shown whether the login worked, so that a wrong password costs one attempt and one page.

A page that never shows a member (a public one, the login form itself) must neither be taken for an expired session nor
lead to a login of its own: the last page that did show a member is fetched again. When it still does, the session lives
and the page fails alone.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Any

from crawlkit import url as urls
from crawlkit.crawl.spider import Spider, overrides
from crawlkit.exceptions import LoginError, RequestException, StopCrawl
from crawlkit.url import Origin

if TYPE_CHECKING:
    from crawlkit.sessions.response import Response
    from crawlkit.sessions.session import Session

log = logging.getLogger(__name__)

#: Logins in a row with no logged-in page between after which a run gives up.
MOST_IN_A_ROW = 3


class Healing(Enum):
    """What became of a wish to log in."""

    DONE = "there was a login since: fetch the page again"
    BUSY = "another thread is at it: give the page back"
    ALIVE = "the session is logged in: the page itself shows no member"


class Login:
    """The logins of one profile. Any worker may call; `pause` and `resume` stop the scheduler around a login."""

    def __init__(
        self,
        spider: Spider,
        session: Session,
        *,
        trusted: set[Origin],
        acting: Callable[[], AbstractContextManager[None]],
        pause: Callable[[], None],
        resume: Callable[[], None],
    ) -> None:
        self._spider = spider
        self._session = session
        #: Where `login` goes may see the session's secret headers.
        self._trusted = trusted
        self._acting = acting
        self._pause = pause
        self._resume = resume
        self._lock = threading.Lock()
        self._holder: int | None = None
        self._in_a_row = 0
        self._error: LoginError | None = None
        self._member_url: str | None = None
        self._doubted: int | None = None
        self.epoch = 0
        self.confirmed_epoch = 0
        self.logins = 0
        self.needed = overrides(spider, "login")
        self._asks = overrides(spider, "logged_in")

    # --- questions ----------------------------------------

    @property
    def saved(self) -> bool:
        """Whether an earlier run left a login in the profile."""
        profile = self._session.profile
        return profile is not None and bool(profile.state.get("login"))

    def looks_logged_out(self, response: Response, epoch: int) -> bool:
        """Whether the spider's `logged_in` says no of an HTML answer with status 2xx that was asked for in `epoch`."""
        if not self._asks or not 200 <= response.status_code < 300 or not response.is_html:
            return False
        if not self._spider.logged_in(response):
            return True
        self._confirm(epoch, response.url)
        return False

    def unproven(self, epoch: int) -> bool:
        """Whether this run has logged in by `epoch` and no page has shown yet that it worked."""
        return epoch > 0 and self.confirmed_epoch == 0

    def doubt(self, page: int, url: str) -> None:
        """A page came back logged out from an unproven login. The first may be a public one and is given another turn.

        LoginError when it is another page, or the same again: a wrong password is sent once.
        """
        with self._lock:
            if self._doubted is None:
                self._doubted = page
                return
        raise self.refuse(url)

    def lives(self) -> bool:
        """Whether the session is logged in now, by the last page that showed a member; False when there is none."""
        url = self._member_url
        if url is None:
            return False
        try:
            response = self._session.get(url)
        except RequestException:
            return False
        return response.ok and response.is_html and bool(self._spider.logged_in(response))

    # --- logging in ----------------------------------------

    def first(self) -> Healing:
        """Before the first page: log in unless the profile already is."""
        if not self.needed or self.epoch or self.saved:
            return Healing.DONE
        return self.again(0)

    def again(self, epoch: int) -> Healing:
        """Log in because a page sent in `epoch` came back logged out, unless the session turns out to live.

        When this thread did so, the scheduler stays paused until `let_go`. LoginError when logging in failed, now or
        before.
        """
        me = threading.get_ident()
        with self._lock:
            if self._error is not None:
                raise self._error
            if self.epoch > epoch:
                return Healing.DONE
            if self._holder not in (None, me):
                return Healing.BUSY
            begun, self._holder = self._holder is None, me
        if begun:
            self._pause()
        if self.lives():
            return Healing.ALIVE
        try:
            self._log_in()
        except LoginError as error:
            with self._lock:
                self._error = error
            raise
        return Healing.DONE

    def let_go(self) -> None:
        """The page of the thread that logged in has been judged: the others go on. Nothing for any other thread."""
        with self._lock:
            if self._holder != threading.get_ident():
                return
            self._holder = None
        self._resume()

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
            raise LoginError(
                "a page came back logged out and the spider has no login(); define it, or renew the profile"
            )
        self._in_a_row += 1
        if self._in_a_row > MOST_IN_A_ROW:
            raise LoginError(f"{MOST_IN_A_ROW} logins in a row led to no logged-in page; the site drops the session")
        log.info("logging in as profile %s", self._name)
        self.logins += 1
        self._forget_older_answers()
        answers: list[Response] = []
        try:
            with self._acting(), self._watching(answers):
                self._spider.login(self._session)
        except (LoginError, StopCrawl):
            raise
        except (Exception, SystemExit) as error:  # the author's code: whatever it raises, the login did not happen
            raise LoginError(f"logging in as profile {self._name} failed: {error or type(error).__name__}") from error
        # Once more: what callbacks fetched while this went on was fetched as nobody.
        self._forget_older_answers()
        with self._lock:
            self.epoch += 1
        if not self._asks:
            self._keep()  # nothing else will ever say that it worked
        elif answers:
            self.looks_logged_out(answers[-1], self.epoch)

    def _confirm(self, epoch: int, url: str) -> None:
        """A page that was sent in `epoch` shows a member."""
        with self._lock:
            newly = epoch > self.confirmed_epoch
            self.confirmed_epoch = max(self.confirmed_epoch, epoch)
            self._member_url = url
            if epoch == self.epoch:  # an answer from before the last login says nothing about it
                self._in_a_row = 0
        if newly:
            self._keep()

    def _keep(self) -> None:
        """Note in the profile that it is logged in: the next run begins with it."""
        profile = self._session.profile
        if profile is not None:
            count = profile.state.get("login", {}).get("epoch", 0) + 1
            profile.state["login"] = {"epoch": count}
        self._session.save()

    def _forget_older_answers(self) -> None:
        """Answers to what was sent before now do not touch the cookies any more."""
        next_epoch = getattr(self._session.cookies, "next_epoch", None)  # a jar of the author's own may have none
        if next_epoch is not None:
            next_epoch()

    @contextmanager
    def _watching(self, answers: list[Response]) -> Iterator[None]:
        """Within it, note where this thread's answers come from, and the last of them."""
        thread = threading.get_ident()

        def note(response: Response, **_: Any) -> None:
            if threading.get_ident() == thread:
                self._trusted.update(urls.origin(urls.root(answer.url)) for answer in (response, *response.history))
                answers[:] = [response]

        before = self._session.hooks
        self._session.hooks = {**before, "response": [*before["response"], note]}
        self._session.secret_origins = None
        try:
            yield
        finally:
            self._session.hooks = before
            self._session.secret_origins = self._trusted

    @property
    def _name(self) -> str:
        return repr(self._session.profile.name) if self._session.profile is not None else "(none)"

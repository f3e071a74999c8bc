"""Trial: one login of a spider, watched: what was exchanged, which cookies it set, what a page shows before and after.

What belongs here: watching and judging. What does not: when a crawl logs in (sessions/membership.py), how a trial is
shown (cli/).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from crawlkit.exceptions import LoginError, UsageError
from crawlkit.sessions.leaks import is_secret, shown
from crawlkit.sessions.request import Request

if TYPE_CHECKING:
    from crawlkit.sessions.cookie import Cookie, Key
    from crawlkit.sessions.membership import Membership
    from crawlkit.sessions.response import Response
    from crawlkit.sessions.session import Session


class Verdict(Enum):
    """What a page shows."""

    MEMBER = "member"
    STRANGER = "stranger"
    UNKNOWN = "unknown"


class Look(NamedTuple):
    """A page that was looked at. `status` is its last answer's, `sends` the names of the secret headers that it was asked
    for with; `why` says what the verdict comes from.
    """

    url: str
    status: int
    verdict: Verdict
    why: str
    sends: tuple[str, ...] = ()


class Hop(NamedTuple):
    """One answer: the URL that was asked for and the status."""

    url: str
    status: int


class Exchange(NamedTuple):
    """One request and its answers: the first, and one for each redirect that was followed. URLs are without secrets."""

    method: str
    hops: tuple[Hop, ...]


class Trial:
    """Watches `session`, which `membership` keeps logged in. Single thread.

    `page`: the URL to look at; it should show whether a visitor is logged in.
    """

    def __init__(self, session: Session, membership: Membership, page: str) -> None:
        self._session = session
        self._membership = membership
        self._page = page
        self._answers: list[Response] = []
        self._before: Mapping[Key, tuple[Any, ...]] = {}

    # --- doing ----------------------------------------

    def look(self) -> Look:
        """Ask for the page, without logging in. RequestException when there is no answer; what the author's `logged_in`
        raises.
        """
        session, membership = self._session, self._membership
        response = session.send(session.prepare_request(Request(self._page)), heal=False, retries=1)
        finding = membership.finding(response)
        sends = self._secret_headers(response)
        if finding.sign is not None:
            return Look(shown(response.url), response.status_code, Verdict.STRANGER, finding.sign.reason, sends)
        if finding.member:
            why = "logged_in() says so"
        elif not response.ok:
            return Look(shown(response.url), response.status_code, Verdict.UNKNOWN, "it is an error", sends)
        else:
            sign = membership.as_stranger(self._page).sign
            if sign is None:
                why = "without the login it looks no different"
                return Look(shown(response.url), response.status_code, Verdict.UNKNOWN, why, sends)
            why = f"without the login it {sign.reason}"
        membership.proven()
        return Look(shown(response.url), response.status_code, Verdict.MEMBER, why, sends)

    def log_in(self) -> bool:
        """Log in as a crawl would. False when nothing had to be done: a page that tells shows that the session lives.

        LoginError when it failed; UsageError when a credential is missing.
        """
        from crawlkit.sessions.membership import Healing

        self._before = self._marks()
        try:
            with self._watching():
                return self._membership.again(self._membership.epoch, wait=True) is not Healing.ALIVE
        except LoginError as error:
            if isinstance(error.__cause__, UsageError):
                raise error.__cause__ from error
            raise

    def judge(self, look: Look) -> None:
        """What `look` shows right after the login. LoginError when it shows a stranger: the attempt failed."""
        if look.verdict is not Verdict.STRANGER:
            return
        if self._membership.unproven(self._membership.epoch):
            raise self._membership.refuse(look.url)
        raise LoginError(
            f"the login went well, and {look.url} {look.why} all the same: is it the right page, and logged_in() right "
            "about it?"
        )

    # --- what was seen ----------------------------------------

    @property
    def exchanges(self) -> list[Exchange]:
        """What the login sent and was answered, in order."""
        followed = {id(hop) for answer in self._answers for hop in answer.history}
        return [_exchange(answer) for answer in self._answers if id(answer) not in followed]

    @property
    def cookies(self) -> list[Cookie]:
        """The cookies that the login set, by name."""
        marks, before = self._marks(), self._before
        fresh = [cookie for cookie in self._session.cookies if before.get(cookie.key) != marks.get(cookie.key)]
        return sorted(fresh, key=lambda cookie: (cookie.name, cookie.host))

    def _marks(self) -> dict[Key, tuple[Any, ...]]:
        return {cookie.key: (cookie.value, cookie.expires) for cookie in self._session.cookies}

    def _secret_headers(self, response: Response) -> tuple[str, ...]:
        patterns = ("Authorization", *self._session.secret_headers)
        return tuple(sorted(name for name in response.request.headers if is_secret(name, patterns)))

    @contextmanager
    def _watching(self) -> Iterator[None]:
        """Within it, what the login is answered is noted."""
        session, before = self._session, self._session.hooks

        def note(response: Response, **_: Any) -> None:
            if self._membership.logging_in:
                self._answers.append(response)

        session.hooks = {**before, "response": [*before["response"], note]}
        try:
            yield
        finally:
            session.hooks = before


def _exchange(answer: Response) -> Exchange:
    hops = (*answer.history, answer)
    return Exchange(hops[0].request.method or "", tuple(Hop(shown(hop.url), hop.status_code) for hop in hops))

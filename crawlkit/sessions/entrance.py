"""Entrance: one login, from the profile's turn in the vault to what its own answers show, and the profile's note of it.

What belongs here: the login of another process taken over, the exchange itself, its attempts, its landing. What does
not: when it is time for one (membership.py).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from crawlkit import url as urls
from crawlkit.exceptions import LockHeld, LoginError, StopCrawl
from crawlkit.sessions.attempts import Attempts
from crawlkit.sessions.login import Credentials, Login
from crawlkit.sessions.proof import Finding, Proof
from crawlkit.sessions.trace import Trace
from crawlkit.sessions.turn import Turn

if TYPE_CHECKING:
    from crawlkit.sessions.response import Response
    from crawlkit.sessions.session import Session

log = logging.getLogger(__name__)

#: How long another process may take to log the profile in.
_TURN_SECONDS = 300.0


class Entrance:
    """Logs one session in. Only who has the turn calls, but for `saved`, `keep` and the trace, which any thread may."""

    def __init__(
        self,
        session: Session,
        login: Login,
        credentials: Credentials | None,
        *,
        proof: Proof,
        attempts: Attempts,
        stopped: Callable[[], bool] | None,
    ) -> None:
        self._session = session
        self._login = login
        self._credentials = credentials
        self._proof = proof
        self._stopped = stopped
        self.attempts = attempts
        self.trace = Trace(session, asking=proof.trust, posting=self._attempt)
        #: Logins that were made here.
        self.made = 0
        self._kept_epoch = self._noted_epoch()
        proof.remember(self._note())
        login.attach(session)

    @property
    def name(self) -> str:
        """The profile as errors name it."""
        return repr(self._session._kept_profile.name) if self._session._kept_profile is not None else "(none)"

    # --- the profile's note ----------------------------------------

    @property
    def saved(self) -> bool:
        """Whether the profile was logged in before, by an earlier run or another process."""
        return self._noted_epoch() > 0

    def keep(self, *, proven: bool) -> None:
        """Note in the profile that it is logged in: the next run begins with it. `proven`: an answer shows it."""
        if proven:
            self.attempts.take_back()
        profile = self._session._kept_profile
        if profile is not None:
            self._kept_epoch = self._noted_epoch() + 1
            profile.state["login"] = {"epoch": self._kept_epoch, **self._proof.note}
        self._session._save_profile()

    def take_over(self, turn: Turn) -> bool:
        """Take the profile's turn among processes; whether another has logged in since this one last looked: then the
        session has its login.
        """
        profile = self._session._kept_profile
        if profile is None or turn.holds_lock:
            return False
        try:
            turn.hold(profile.vault.turn(profile.name, wait=_TURN_SECONDS, stopped=self._stopped))
        except LockHeld as error:
            raise LoginError(str(error)) from error
        self._session._save_profile()
        if self._noted_epoch() <= self._kept_epoch:
            return False
        log.info("another process has logged in as profile %s", self.name)
        self._kept_epoch = self._noted_epoch()
        self._proof.remember(self._note())
        self._login.attach(self._session)
        self._forget_older_answers()
        return True

    def _noted_epoch(self) -> int:
        return int(self._note().get("epoch", 0))

    def _note(self) -> dict[str, Any]:
        profile = self._session._kept_profile
        note = profile.state.get("login") if profile is not None else None
        return note if isinstance(note, dict) else {}

    # --- the exchange ----------------------------------------

    def enter(self) -> list[Response]:
        """Log in; the answers. LoginError when it failed, or too many did within the hour."""
        self.attempts.check()
        log.info("logging in as profile %s", self.name)
        self.made += 1
        self._forget_older_answers()
        before = self._cookie_values()
        answers: list[Response] = []
        try:
            with self.trace.login(self._proof.visited) as answers:
                self._login.log_in(self._session, self._credentials)
        except (LoginError, StopCrawl) as error:
            if isinstance(error, LoginError) and any("Authorization" in answer.request.headers for answer in answers):
                self._attempt()  # the password was refused without anything being posted, as Basic is
            raise
        except (Exception, SystemExit) as error:  # the author's code: whatever it raises, the login did not happen
            raise LoginError(f"logging in as profile {self.name} failed: {error or type(error).__name__}") from error
        # Once more: what others fetched while this went on was fetched as nobody.
        self._forget_older_answers()
        after = self._cookie_values()
        self._proof.signs.learn_cookies(name for name in after if before.get(name) != after[name])
        return [answer for answer in answers if isinstance(answer._content, bytes)]

    def judge(self, answers: list[Response]) -> Finding:
        """What the login's own answers teach, and what the last of them says. LoginError when it is a stranger's."""
        proof = self._proof
        if not answers:
            return Finding(False, None)
        for answer in takewhile(lambda answer: answer.request.method == "GET", answers):
            proof.signs.learn_answer(answer)
        landing = answers[-1]
        finding = proof.of(landing)
        sign = finding.sign
        if proof.certain or sign is None or sign.cookies:
            if not proof.certain and not landing.ok:
                raise LoginError(
                    f"{self._ended(landing)} answered {landing.status_code} {landing.reason or ''}".rstrip()
                )
            return finding
        if sign.form is not None and not proof.signs.is_login_form(sign.form):
            return finding  # perhaps a page for members that asks for their password once more
        raise LoginError(f"{self._ended(landing)} {sign.reason}: wrong user name or password?")

    def _ended(self, landing: Response) -> str:
        return f"the login as profile {self.name} ended at {urls.split_userinfo(landing.url)[0]}, which"

    def _attempt(self) -> None:
        """This login is one that a server counts."""
        if not self.attempts.open:
            self.attempts.begin()

    def _forget_older_answers(self) -> None:
        """Answers to what was sent before now do not touch the cookies any more."""
        next_epoch = getattr(self._session.cookies, "next_epoch", None)  # a jar of the author's own may have none
        if next_epoch is not None:
            next_epoch()

    def _cookie_values(self) -> dict[str, str | None]:
        return {cookie.name: cookie.value for cookie in self._session.cookies}

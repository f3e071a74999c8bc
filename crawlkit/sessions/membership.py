"""Membership: keeps one session logged in. One thread logs in, for as many as came back logged out.

What belongs here: when to log in, and who does. What does not: how (login.py and its kinds), whether it worked
(confirmation.py), what an answer shows (proof.py), waiting for a turn (turn.py), how many logins may fail (attempts.py),
what a crawl does with a page that came back logged out (crawl/healing.py).

Each exchange notes the epoch (the number of logins so far) before it is sent. An answer that shows a stranger asks for a
login *since* its epoch: when there was one already, the request is simply sent again. Whoever logs in keeps the turn
until an answer has shown whether it worked, so that a wrong password costs one attempt; between processes it is the
profile's turn in the vault, and who gets that takes over the login that another process has made meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

from crawlkit import url as urls
from crawlkit.exceptions import LoginError
from crawlkit.sessions.attempts import PERIOD_SECONDS, Attempts
from crawlkit.sessions.body import can_resend
from crawlkit.sessions.confirmation import Confirmation
from crawlkit.sessions.entrance import Entrance
from crawlkit.sessions.login import Credentials, Login
from crawlkit.sessions.proof import Finding, Proof
from crawlkit.sessions.turn import Turn
from crawlkit.url import Origin

if TYPE_CHECKING:
    from crawlkit.sessions.prepared import PreparedRequest
    from crawlkit.sessions.response import Response
    from crawlkit.sessions.session import Session

#: How often one request is sent while sessions keep ending under it.
_MOST_SENT = 10
#: After a login that did not get as far as an attempt (no network, no form) the next one waits so long.
_PAUSE_SECONDS = 10.0


class Healing(Enum):
    """What became of a wish to log in."""

    DONE = "there was a login since: send the request again"
    BUSY = "another thread is at it"
    ALIVE = "the session is logged in: the answer itself shows no member"


def _nothing() -> None:
    pass


class Membership:
    """The logins of one session. Any thread may call.

    `login`: how, with `credentials` where it has none of its own.
    `certain`: whether `login.logged_in` proves that somebody is logged in; else the absence of signs has to do.
    `trusted`: origins that a login asks are added: they may see the session's secret headers. `pause` and `resume`
    are called around a login. `canary`: an address that only a member sees, if one is known. `strange` is told of an answer
    that was given to a stranger, in the thread that asked, where `carry` gives another in its place.
    """

    def __init__(
        self,
        session: Session,
        login: Login,
        credentials: Credentials | None = None,
        *,
        certain: bool = False,
        attempts: Attempts | None = None,
        trusted: set[Origin] | None = None,
        canary: str | None = None,
        pause: Callable[[], None] = _nothing,
        resume: Callable[[], None] = _nothing,
        stopped: Callable[[], bool] | None = None,
        strange: Callable[[Response], None] | None = None,
    ) -> None:
        self.login = login
        self._strange = strange
        self._proof = Proof(session, login, certain=certain, trusted=trusted, canary=canary)
        self._turn = Turn(pause, resume)
        self._entrance = Entrance(
            session,
            login,
            credentials,
            proof=self._proof,
            attempts=Attempts(session._kept_profile) if attempts is None else attempts,
            stopped=stopped,
        )
        self._confirmation = Confirmation(self._proof, self._entrance)

    # --- questions ----------------------------------------

    @property
    def epoch(self) -> int:
        """The number of logins so far, also those of other processes that were taken over."""
        return self._confirmation.epoch

    @property
    def saved(self) -> bool:
        """Whether the profile was logged in before, by an earlier run or another process."""
        return self._entrance.saved

    @property
    def logins(self) -> int:
        """Logins that were made here."""
        return self._entrance.made

    @property
    def inside(self) -> bool:
        """Whether this thread is logging in or probing: what it sends is its own business."""
        return self._entrance.trace.inside

    @property
    def logging_in(self) -> bool:
        """Whether this thread is logging in, and does not only probe."""
        return self._entrance.trace.logging_in

    @property
    def has_turn(self) -> bool:
        """Whether this thread has logged in and not let go yet: no other is at it."""
        return self._turn.mine

    @property
    def can_tell(self) -> bool:
        """Whether an address is known by which `lives` can tell."""
        return self._proof.can_tell

    def led_through(self, url: str) -> None:
        """An earlier login was led through `url`: what comes from its site says something about this one."""
        self._proof.visited(url)

    def is_login_page(self, url: str) -> bool:
        """Whether `url` is a login page: being sent there is no leaving of the site."""
        return self._proof.signs.is_login_page(url)

    def looks_logged_out(self, response: Response, epoch: int, *, body: bool = True, page: bool = True) -> bool:
        """Whether `response`, asked for in `epoch`, was given to a stranger; what shows a member is taken note of.

        `body=False`: it is a stream, which is not read. `page=False`: it is no page, such as a picture or a frame; the signs
        alone tell, and nothing is learnt of it. Raises what the author's `logged_in` raises.
        """
        if not self._proof.concerns(response.url):
            return False
        if not page:
            return self._proof.signs.of(response, body=body) is not None
        return self._confirmation.looks_logged_out(response, epoch, body=body)

    def finding(self, response: Response) -> Finding:
        """What `response` says, and why; nothing follows from it. Raises what the author's `logged_in` raises."""
        return self._proof.of(response)

    def as_stranger(self, url: str) -> Finding:
        """What `url` says to a visitor without cookie or secret. Sends a request; raises RequestException."""
        return self._proof.as_stranger(url)

    def false_alarm(self, response: Response) -> bool:
        """`response` looks logged out, and this thread has the turn: whether the session lives and that is no sign."""
        if self._proof.certain or not self.has_turn:
            return False
        sign = self._proof.of(response).sign
        return sign is not None and self.lives() and self._proof.signs.false_alarm(sign)

    def unproven(self, epoch: int) -> bool:
        """Whether there was a login by `epoch` and no answer has shown yet that any of them worked."""
        return self._confirmation.unproven(epoch)

    def doubt(self, what: object, url: str) -> None:
        """An answer looks logged out after an unproven login. The first may be a public page and is given another turn.

        LoginError when it is another `what`, or the same again: a wrong password is sent once.
        """
        if self._confirmation.doubted_before(what):
            raise self.refuse(url)

    def lives(self) -> bool:
        """Whether the session is logged in now, by an address that tells; False when none is known. Sends a request."""
        with self._entrance.trace.alone():
            return self._proof.lives()

    def proven(self) -> None:
        """It has been seen that the session of now lives, by probes alone: its login worked, whoever made it."""
        self._confirmation.confirm(self.epoch, member=True)
        if not self.saved:
            self._entrance.keep(proven=True)  # of a browser's cookies, for one: the next run need not log in

    # --- logging in ----------------------------------------

    def first(self, *, wait: bool = False) -> Healing:
        """Before the first request: log in unless the profile already is."""
        if not self.login.logs_in or self.epoch or (self.saved and self.login.lasts):
            return Healing.DONE
        return self.again(0, wait=wait)

    def again(self, epoch: int, *, wait: bool = False) -> Healing:
        """Log in because an answer to a request of `epoch` looks logged out, unless the session turns out to live.

        When this thread did so, it has the turn until `let_go`. While another thread has it: BUSY, or with `wait` what
        came of it. LoginError when logging in failed, now or before.
        """
        mine = self._turn.take(lambda: self.epoch <= epoch, wait=wait)
        if not mine:
            return Healing.BUSY if mine is None else Healing.DONE
        if self.lives():
            return Healing.ALIVE
        try:
            self._log_in()
        except LoginError as error:
            self._stand_by(error)
            raise
        return Healing.DONE

    def let_go(self) -> None:
        """What the thread that logged in did it for has been judged: the others go on. Nothing for any other thread."""
        self._turn.let_go()

    def refuse(self, url: str) -> LoginError:
        """The error of a login after which `url` still looks logged out and nothing did not."""
        name, shown, remedy = self._entrance.name, urls.split_userinfo(url)[0], self.login.remedy
        if remedy is not None:
            error = LoginError(f"profile {name} is not logged in: {shown} shows a logged-out page; {remedy}")
        else:
            error = LoginError(
                f"logged in as profile {name} but {shown} still shows a logged-out page; check the credentials"
                + (", and `logged_in` of the spider" if self._proof.certain else "")
            )
        self._stand_by(error)
        return error

    def carry(
        self,
        request: PreparedRequest,
        send: Callable[[PreparedRequest], Response],
        renew: Callable[[PreparedRequest, Response | None], PreparedRequest],
        *,
        body: bool,
    ) -> Response:
        """Send `request`, and as long as it comes back logged out, log in and send what `renew` makes of it.

        Waits while another thread logs in, with no connection held. LoginError when logging in failed. Returned as they
        are: an answer that looks logged out although the session lives, and that to a body that cannot be sent again.
        """
        try:
            before = self.epoch
            if self._proof.concerns(request.url or ""):
                self.first(wait=True)
            if self.epoch != before:
                request = renew(request, None)
            for _ in range(_MOST_SENT):
                epoch = self.epoch
                response = send(request)
                if not self.looks_logged_out(response, epoch, body=body):
                    return response
                if self.has_turn:  # it was sent right after a login
                    if body and self.false_alarm(response):
                        return response
                    if self.unproven(epoch):
                        raise self.refuse(response.url)
                if not body:
                    response.close()  # a stream holds its connection: nobody waits for a login with one
                healing = self.again(epoch, wait=True)
                if healing is Healing.ALIVE and body and self.false_alarm(response):
                    return response
                if self._strange is not None:
                    self._strange(response)
                if healing is Healing.ALIVE:
                    return response if body else send(request)
                if not can_resend(request.body, request._body_position):
                    return response
                request = renew(request, response)
            return response
        finally:
            self.let_go()

    def sending(self, request: PreparedRequest) -> None:
        """This thread, which is logging in, is about to send `request`: what is no mere reading is an attempt."""
        self._entrance.trace.sending(request)

    # --- inside ----------------------------------------

    def _log_in(self) -> None:
        self._confirmation.count()
        if self._entrance.take_over(self._turn):
            self._confirmation.begin(confirmed=True)
            return
        answers = self._entrance.enter()
        self._confirmation.begin()
        finding = self._entrance.judge(answers)
        self._confirmation.landed(finding, answers[-1] if answers else None)

    def _stand_by(self, error: LoginError) -> None:
        """`error` is what everybody gets: for an hour when the site said no, for moments when it was not even asked."""
        self._turn.fail(error, PERIOD_SECONDS if self._entrance.attempts.open else _PAUSE_SECONDS)
        self._entrance.attempts.failed()

"""Login: how a session becomes logged in, as an object that a spider or a Session is given.

What belongs here: what every kind of login promises. The kinds are in formlogin.py, tokenlogin.py, basiclogin.py and
cookielogin.py; when to log in, and how often, is membership.py's.
"""

from __future__ import annotations

from typing import Protocol

from crawlkit.sessions.response import Response
from crawlkit.sessions.session import Session


class Credentials(Protocol):
    """Where a login that was given no name and password finds them. Read at the moment of the login, in its thread."""

    @property
    def username(self) -> str:
        """The user name. ConfigError names the key or variable that is missing."""

    @property
    def password(self) -> str:
        """The password. ConfigError names the key or variable that is missing."""

    def otp(self) -> str:
        """A one-time code for now (RFC 6238). ConfigError when there is no secret for one."""


class Login:
    """The base of FormLogin, TokenLogin, BasicLogin and CookieLogin: `login = FormLogin(url)` in a spider,
    `Session(login=…)` without one.

    One object may serve several sessions, each in a thread of its own: what belongs to a session is kept in it.
    """

    #: The login page or endpoint. A redirect to it means that the session is logged out.
    url: str | None = None
    #: False: it only tells who is logged in, and somebody else logs in, such as a browser whose cookies are imported.
    logs_in = True
    #: False: no profile keeps anything of it, so that each session begins with a login, however the last one ended.
    lasts = True
    #: What to do when a login of this kind has led to nothing, where that is not to check the credentials.
    remedy: str | None = None

    def attach(self, session: Session) -> None:
        """Put in place what the session's profile keeps of an earlier login. Called once a session; sends nothing."""

    def log_in(self, session: Session, credentials: Credentials | None) -> None:
        """Log `session` in. `credentials` serve where the login itself was given none; None: there are no others.

        Raises LoginError when it failed, RequestException when the exchange did. Nothing in it is sent twice.
        """
        raise NotImplementedError(f"{type(self).__name__} has no log_in()")

    def logged_in(self, response: Response) -> bool | None:
        """Whether `response` was given to a logged-in visitor; None: the built-in signs decide (signs.py)."""
        return None

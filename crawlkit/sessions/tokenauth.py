"""TokenAuth: signs requests with an access token, and renews it in time.

What belongs here: when a token is renewed, and that one thread of one process does it for all. What does not: the
exchange with the server (tokenlogin.py), what it answers (tokens.py), whom the token is for (boundauth.py).

A token is renewed a little before it expires, and once when the server refuses it with 401: then the request is sent
again with the new one. A server that rotates refresh tokens takes each once, and takes a second use for a theft: it ends
the session. So others wait for the one thread that renews, holding no connection, and processes that share a profile take
turns, each looking first whether another was faster.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from crawlkit.exceptions import LockHeld, RequestException
from crawlkit.sessions.auth import AuthBase
from crawlkit.sessions.digest import answer_again
from crawlkit.sessions.tokens import Tokens, kept_tokens

if TYPE_CHECKING:
    from crawlkit.sessions.prepared import PreparedRequest
    from crawlkit.sessions.profile import Profile
    from crawlkit.sessions.response import Response
    from crawlkit.sessions.session import Session

log = logging.getLogger(__name__)

#: How long another process may take to renew the token.
_TURN_SECONDS = 60.0
#: Under which name a profile's state keeps the tokens.
_STATE = "token"

#: (session, tokens) → the renewed ones; None when the server refuses. RequestException when it could not be asked.
Renew = Callable[["Session", Tokens], Tokens | None]


class TokenAuth(AuthBase):
    """The tokens of one session, kept in its profile, without one in this object. Any thread.

    `url` is the login that they are from. `renew` asks the server for new ones; None: it cannot be asked. `header` and
    `scheme` say how a request is signed.
    """

    def __init__(
        self, session: Session, url: str, *, renew: Renew | None, header: str = "Authorization", scheme: str = "Bearer"
    ) -> None:
        self._session: Callable[[], Session | None] = weakref.ref(session)
        self._url = url
        self._renew = renew
        self._header = header
        self._scheme = scheme
        self._own: dict[str, Any] | None = None
        self._lock = threading.Lock()
        self._renewing: threading.Event | None = None

    def __repr__(self) -> str:
        return f"<TokenAuth {self._header}>"

    def __getstate__(self) -> dict[str, Any]:
        """Without session and tokens: a session that comes out of its pickle is given this login anew."""
        return {"url": self._url, "header": self._header, "scheme": self._scheme}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._session = _nobody
        self._url, self._header, self._scheme = state["url"], state["header"], state["scheme"]
        self._own, self._renew, self._renewing = None, None, None
        self._lock = threading.Lock()

    # --- the tokens -------------------------------------------------------------------------------------------

    @property
    def tokens(self) -> Tokens | None:
        """Those of the last login or renewal, by whichever process; None when there are none."""
        profile = self._profile
        return kept_tokens(self._own if profile is None else profile.state.get(_STATE), self._url)

    @property
    def token(self) -> str | None:
        """The access token, so that the session can hide it."""
        tokens = self.tokens
        return None if tokens is None else tokens.access

    def keep(self, tokens: Tokens) -> None:
        """These are the tokens from now on. They are in the vault when the session is next saved."""
        session, profile = self._session(), self._profile
        if session is not None:
            session._own_redactor().learn(tokens.access, sure=True)
            session._own_redactor().learn(tokens.refresh, sure=True)
        if profile is None:
            self._own = tokens.kept(self._url)
        else:
            profile.state[_STATE] = tokens.kept(self._url)

    def is_of(self, session: Session) -> bool:
        """Whether these are the tokens of `session`."""
        return self._session() is session

    @property
    def _profile(self) -> Profile | None:
        session = self._session()
        return None if session is None else session._kept_profile

    # --- signing ----------------------------------------------------------------------------------------------

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        tokens = self._in_time()
        if tokens is not None:
            r.headers[self._header] = self._signature(tokens)
        hooks = r.hooks.get("response", [])
        if self.handle_401 not in hooks:
            r.hooks = {**r.hooks, "response": [*hooks, self.handle_401]}  # copies of a request share their hooks
        return r

    def handle_401(self, r: Response, **kwargs: Any) -> Response:
        """The response to the request sent again with a newer token; `r` when there is none. `kwargs` go to the adapter.

        Once for each request, for what is sent here comes by no hook: when the new one is refused too, it is no matter of
        its age.
        """
        tokens = self.tokens
        if r.status_code != 401 or tokens is None:
            return r
        sent = r.request.headers.get(self._header)
        if sent == self._signature(tokens):
            _ = r.content  # its connection is free for the others while this one waits
            r.close()
            renewed = self._renewed(tokens)
            if renewed is None or renewed.access == tokens.access:
                return r
            tokens = renewed
        return answer_again(r, self._header, self._signature(tokens), kwargs)

    def _signature(self, tokens: Tokens) -> str:
        return f"{self._scheme} {tokens.access}".lstrip()

    # --- renewing ---------------------------------------------------------------------------------------------

    def _in_time(self) -> Tokens | None:
        """The tokens, renewed when they are about to expire."""
        tokens = self.tokens
        if tokens is None or tokens.renew is None or time.time() < tokens.renew:
            return tokens
        try:
            return self._renewed(tokens)
        except RequestException as error:
            if tokens.expires is not None and time.time() >= tokens.expires:
                raise
            log.debug("the access token could not be renewed yet: %s", error)
            return tokens

    def _renewed(self, old: Tokens) -> Tokens | None:
        """The tokens after a renewal by this thread or another; the old ones when the server refuses it."""
        if self._renew is None or old.refresh is None:
            return old
        with self._lock:
            others, mine = self._renewing, threading.Event()
            if others is None:
                self._renewing = mine
        if others is not None:
            others.wait()
            return self.tokens
        try:
            if self.tokens == old:
                self._ask(old)
        finally:
            with self._lock:
                self._renewing = None
            mine.set()
        return self.tokens

    def _ask(self, old: Tokens) -> None:
        session = self._session()
        if session is None or self._renew is None:
            return
        try:
            with self._turn(session._kept_profile):
                session._save_profile()  # takes over what other processes saved as well
                if self.tokens != old:
                    return
                new = self._renew(session, old)
                # A refused refresh token is not sent again: the next 401 leads to a login.
                self.keep(new if new is not None else old._replace(refresh=None, renew=None))
                session._save_profile()
        except LockHeld as error:
            log.warning("the access token was not renewed: %s", error)

    @staticmethod
    def _turn(profile: Profile | None) -> AbstractContextManager[Any]:
        """A turn of its own: whoever has the profile's to log in may come by here with a request of its own."""
        if profile is None:
            return nullcontext()
        return profile.vault.turn(f"{profile.name}.token", wait=_TURN_SECONDS)


def _nobody() -> None:
    """The session of an auth that came out of a pickle without one."""

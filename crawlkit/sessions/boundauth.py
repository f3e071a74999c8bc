"""BoundAuth: a session's auth that signs requests to some origins alone: credentials are bound to whom they are for.

What belongs here: to whom. What does not: how a request is signed (auth.py, digest.py, tokenauth.py), and what a redirect
to another origin takes off (leaks.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from crawlkit.sessions.auth import AuthBase
from crawlkit.sessions.leaks import origin_of
from crawlkit.sessions.netrc import get_netrc_auth
from crawlkit.sessions.target import prepare_url

if TYPE_CHECKING:
    from crawlkit.sessions.prepared import PreparedRequest
    from crawlkit.sessions.session import Session
    from crawlkit.url import Origin


class BoundAuth(AuthBase):
    """Signs with `sign` what goes to `origins`; whatever else is sent is signed as if this were not there: with
    `otherwise`, the auth that the session had before, else what the URL or, with `trust_env`, .netrc has.

    Any thread, when `sign` may be used by any.
    """

    def __init__(
        self,
        sign: Callable[[PreparedRequest], PreparedRequest],
        origins: Iterable[Origin],
        *,
        otherwise: Any = None,
        trust_env: bool = False,
    ) -> None:
        self.sign = sign
        self.origins = frozenset(origins)
        self.otherwise = otherwise
        self.trust_env = trust_env

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        url = r.url or ""
        if origin_of(url) in self.origins:
            return self.sign(r)
        r.prepare_auth(self.otherwise or (get_netrc_auth(url) if self.trust_env else None))
        return r

    @property
    def password(self) -> Any:
        """The secret that it signs with, so that the session can hide it; None when it has none."""
        return getattr(self.sign, "password", None)

    @property
    def token(self) -> Any:
        """The same for a token."""
        return getattr(self.sign, "token", None)

    def __repr__(self) -> str:
        return f"<BoundAuth {self.sign!r} for {', '.join(map(str, sorted(self.origins))) or 'nobody'}>"


def bind(session: Session, sign: Callable[[PreparedRequest], PreparedRequest], origins: Iterable[Origin]) -> None:
    """From now on `sign` signs the session's requests to `origins`, in place of what an earlier call bound."""
    origins = frozenset(origins)
    if isinstance(session.secret_origins, set):
        session.secret_origins.update(origins)  # a crawl's: nobody else gets the session's auth at all
    before = session.auth
    otherwise = before.otherwise if isinstance(before, BoundAuth) else before
    session.auth = BoundAuth(sign, origins, otherwise=otherwise, trust_env=session.trust_env)


def unsigned(r: PreparedRequest) -> PreparedRequest:
    """An auth that adds nothing: for the requests of a login itself."""
    return r


def absolute(session: Session, url: str) -> str:
    """`url` as the session asks for it."""
    return prepare_url(session._absolute_url(url))

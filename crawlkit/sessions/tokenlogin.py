"""TokenLogin: logs in at a token endpoint; the session sends the access token and renews it by the refresh token.

What belongs here: the exchanges with the endpoint, for JSON APIs and for OAuth 2's password grant (RFC 6749, sections 4.3
and 6). What does not: reading the answer (tokens.py), signing and renewing in time (tokenauth.py).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from crawlkit.exceptions import LoginError
from crawlkit.sessions.boundauth import BoundAuth, absolute, bind, unsigned
from crawlkit.sessions.complaint import complaint
from crawlkit.sessions.leaks import is_secret, origin_of, shown
from crawlkit.sessions.login import Credentials, Login
from crawlkit.sessions.loginhops import keep_password_home
from crawlkit.sessions.models import Request
from crawlkit.sessions.response import Response
from crawlkit.sessions.secretnames import is_secret_name
from crawlkit.sessions.session import Session
from crawlkit.sessions.tokenauth import TokenAuth
from crawlkit.sessions.tokens import Tokens, names_in, read_tokens


class TokenLogin(Login):
    """Posts user name and password to the endpoint `url` and sends the token that it answers with from then on:
    `login = TokenLogin("https://api.example.org/token", refresh_url="https://api.example.org/token/refresh")`.

    `username` and `password` are those of the account; without them, `credentials` have them. They are sent as JSON under
    `username_field` and `password_field`, with `extra` beside them; with `form=True` as a form, as OAuth 2's password
    grant wants them. `token` says where the answer has the access token, as a dotted path such as "data.token", and
    `refresh` where the refresh token; None: under their usual names. It expires after `expires` seconds, a path again,
    or when the token itself, a JWT, says so.

    With a `refresh_url` (the endpoint itself is one, with `form=True`) the token is renewed shortly before it expires, and
    once when it is refused: by one thread, and one process, for all. The password is sent again only when that fails.

    The token goes in `header` after `scheme` (empty: alone), to the endpoint's origin and to `origins` (URLs), and to
    nobody else. A session with a profile keeps it there, so that the next run needs no login.

    One object serves any number of sessions and threads. Its repr shows the URL alone.
    """

    def __init__(
        self,
        url: str,
        username: str | None = None,
        password: str | None = None,
        *,
        username_field: str = "username",
        password_field: str = "password",
        token: str | None = None,
        refresh_url: str | None = None,
        refresh: str | None = None,
        expires: str = "expires_in",
        form: bool = False,
        header: str = "Authorization",
        scheme: str = "Bearer",
        origins: Iterable[str] = (),
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.url: str = url
        self._username = username
        self._password = password
        self._username_field = username_field
        self._password_field = password_field
        self._token = token
        self._refresh_url = refresh_url if refresh_url is not None or not form else url
        self._refresh = refresh
        self._expires = expires
        self._form = form
        self._header = header
        self._scheme = scheme
        self._origins = tuple(origins)
        self._extra = dict(extra or {})

    def __repr__(self) -> str:
        return f"<TokenLogin {shown(self.url)}>"

    def attach(self, session: Session) -> None:
        """From now on the session sends the token that its profile keeps, and renews it. Sends nothing itself."""
        self._auth(session)

    def logged_in(self, response: Response) -> bool | None:
        """False of a 401 of the endpoint's origin, or of `origins`; of all else nothing is known."""
        auth = response.session.auth if response.session is not None else None
        ours = isinstance(auth, BoundAuth) and origin_of(response.url) in auth.origins
        return False if response.status_code == 401 and ours else None

    def log_in(self, session: Session, credentials: Credentials | None) -> None:
        """Post user name and password, once, and keep the tokens.

        Raises LoginError, with what the server says, when it refuses them or answers without a token; ConfigError when a
        credential is missing; RequestException when the exchange failed.
        """
        auth = self._auth(session)
        if credentials is None and (self._username is None or self._password is None):
            raise LoginError(f"there are no credentials for {shown(self.url)}: TokenLogin(url, username, password)")
        username = self._username if self._username is not None else credentials.username  # type: ignore[union-attr]
        password = self._password if self._password is not None else credentials.password  # type: ignore[union-attr]
        session._own_redactor().learn(password, sure=True)
        fields = {self._username_field: username, self._password_field: password, **self._extra}
        if self._form:
            fields.setdefault("grant_type", "password")
        response = session.post(
            self.url,
            **self._body(fields),
            headers={"Accept": "application/json"},
            auth=unsigned,
            retries=0,
            check_hop=keep_password_home,
        )
        if response.status_code >= 500:
            response.raise_for_status()
        if response.status_code >= 400:
            raise LoginError(
                f"{shown(response.url)} answered {response.status_code} to the login"
                f"{complaint(response, session)}: wrong user name or password?"
            )
        tokens = self._read(response, None, session)
        if tokens is None:
            raise LoginError(self._without_token(response, session))
        auth.keep(tokens)
        session._save_profile()

    # --- the exchanges ----------------------------------------------------------------------------------------

    def _renew(self, session: Session, old: Tokens) -> Tokens | None:
        """Ask for a new access token; None when the refresh token is refused."""
        if self._refresh_url is None:
            return None
        url = absolute(session, self._refresh_url)
        fields: dict[str, Any] = {old.refresh_name: old.refresh}
        if self._form:
            fields = {**self._extra, "grant_type": "refresh_token", "refresh_token": old.refresh}
        prepared = session.prepare_request(
            Request("POST", url, headers={"Accept": "application/json"}, auth=unsigned, **self._body(fields))
        )
        settings = session.merge_environment_settings(url, None, False, None, None)
        # A server that was asked twice with one refresh token would end the session: never repeated.
        response = session.send(prepared, heal=False, retries=0, check_hop=keep_password_home, **settings)
        if response.status_code == 429 or response.status_code >= 500:
            response.raise_for_status()
        return self._read(response, old, session) if response.ok else None

    def _body(self, fields: dict[str, Any]) -> dict[str, Any]:
        return {"data": fields} if self._form else {"json": fields}

    def _read(self, response: Response, before: Tokens | None, session: Session) -> Tokens | None:
        answer = _json(response)
        if not isinstance(answer, Mapping):
            return None
        for secret in _secrets(answer):
            session._own_redactor().learn(secret)
        return read_tokens(
            answer, time.time(), access=self._token, refresh=self._refresh, expires=self._expires, before=before
        )

    def _without_token(self, response: Response, session: Session) -> str:
        where = f"{shown(response.url)} answered {response.status_code}"
        if response.history:
            where += f" (redirected from {shown(self.url)}, which makes a GET of a POST: give this URL)"
        answer = _json(response)
        if answer is None:
            return f"{where}, and that is no JSON{complaint(response, session)}"
        wanted = f"no token at {self._token!r}" if self._token is not None else "no token under a usual name"
        return f"{where} with {wanted}; it has: {names_in(answer)} (token= says where it is)"

    # --- the session ------------------------------------------------------------------------------------------

    def _auth(self, session: Session) -> TokenAuth:
        """The session's auth for this login, which is made when it has none."""
        before = session.auth.sign if isinstance(session.auth, BoundAuth) else None
        if isinstance(before, TokenAuth) and before.is_of(session):
            return before
        url = absolute(session, self.url)
        renew = self._renew if self._refresh_url is not None else None
        auth = TokenAuth(session, url, renew=renew, header=self._header, scheme=self._scheme)
        bind(session, auth, (origin_of(absolute(session, each)) for each in (self.url, *self._origins)))
        if self._header.lower() != "authorization" and not is_secret(self._header, session.secret_headers):
            session.secret_headers = (*session.secret_headers, self._header)
        return auth


def _secrets(answer: Mapping[str, Any]) -> Iterator[str]:
    """What else the answer gives that must not be told: an `id_token`, a `session_token`, however deep they are."""
    waiting: list[Mapping[str, Any]] = [answer]
    while waiting:
        for name, value in waiting.pop().items():
            if isinstance(value, Mapping):
                waiting.append(value)
            elif isinstance(value, str) and is_secret_name(str(name)) and "://" not in value:  # a `token_endpoint`
                yield value


def _json(response: Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None

"""BasicLogin: user name and password in each request to one origin, by Basic (RFC 7617) or Digest (RFC 7616)."""

from __future__ import annotations

from crawlkit.exceptions import LoginError
from crawlkit.sessions.auth import HTTPBasicAuth
from crawlkit.sessions.boundauth import BoundAuth, absolute, bind
from crawlkit.sessions.complaint import complaint
from crawlkit.sessions.digest import HTTPDigestAuth
from crawlkit.sessions.leaks import origin_of, shown
from crawlkit.sessions.login import Credentials, Login
from crawlkit.sessions.response import Response
from crawlkit.sessions.session import Session

#: The page may be asked for again when the server stumbles: that is no login.
_PAGE_RETRIES = 3


class BasicLogin(Login):
    """Signs every request to the origin of `url`, and none to any other: `login = BasicLogin(url="https://example.org/")`.

    `username` and `password` are those of the account; without them, `credentials` have them. `digest=True`: by Digest,
    with which the password does not travel. Logging in asks for `url` once, to see whether the password is right.

    Nothing of it is kept in a profile: each run reads the password anew. One object serves any number of sessions and
    threads. Its repr shows the URL alone.
    """

    #: No profile keeps a password, so that a session that was logged in yesterday is not today.
    lasts = False

    def __init__(
        self, username: str | None = None, password: str | None = None, *, url: str, digest: bool = False
    ) -> None:
        self.page = url
        self._username = username
        self._password = password
        self._digest = digest

    def __repr__(self) -> str:
        return f"<BasicLogin {shown(self.page)}>"

    def attach(self, session: Session) -> None:
        """Sign the session's requests from now on, if user name and password were given here. Sends nothing."""
        if self._username is not None and self._password is not None:
            self._sign(session, self._username, self._password)

    def logged_in(self, response: Response) -> bool | None:
        """False of a 401 of the origin; of all else nothing is known."""
        auth = response.session.auth if response.session is not None else None
        ours = isinstance(auth, BoundAuth) and origin_of(response.url) in auth.origins
        return False if response.status_code == 401 and ours else None

    def log_in(self, session: Session, credentials: Credentials | None) -> None:
        """Ask for the page, signed. Raises LoginError when it is refused, ConfigError when a credential is missing,
        RequestException when the exchange failed.
        """
        if credentials is None and (self._username is None or self._password is None):
            raise LoginError(f"there are no credentials for {shown(self.page)}: BasicLogin(username, password, url=…)")
        username = self._username if self._username is not None else credentials.username  # type: ignore[union-attr]
        password = self._password if self._password is not None else credentials.password  # type: ignore[union-attr]
        session._own_redactor().learn(password, sure=True)
        self._sign(session, username, password)
        response = session.get(self.page, retries=_PAGE_RETRIES)
        if response.status_code >= 500:
            response.raise_for_status()
        if response.status_code in (401, 403):
            raise LoginError(
                f"{shown(response.url)} answered {response.status_code}{complaint(response, session)}: "
                f"{self._advice(response)}"
            )

    def _sign(self, session: Session, username: str, password: str) -> None:
        kind = HTTPDigestAuth if self._digest else HTTPBasicAuth
        bind(session, kind(username, password), (origin_of(absolute(session, self.page)),))

    def _advice(self, response: Response) -> str:
        asked = {part.split(" ", 1)[0].lower() for part in (response.headers.get("www-authenticate") or "").split(", ")}
        if not self._digest and "digest" in asked and "basic" not in asked:
            return "it asks for Digest: BasicLogin(…, digest=True)"
        if self._digest and "basic" in asked and "digest" not in asked:
            return "it asks for Basic: leave digest=True out"
        return "wrong user name or password?"

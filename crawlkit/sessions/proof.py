"""Proof: whether an answer was given to a member or to a stranger, and where to look when it does not say.

What belongs here: judging answers, by the login's own word and by signs (signs.py), and probing. What does not: what
follows from it (membership.py).

A page that never shows a member must not be taken for an expired session. So an address is probed that is known to tell
members from strangers: the canary; a page that showed a member; one that looked logged out before a login and did not
after it; the page where a login ended, once it has been seen with a stranger's eyes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from crawlkit import url as urls
from crawlkit.exceptions import RequestException
from crawlkit.sessions.signs import Sign, Signs
from crawlkit.sessions.suffixes import site
from crawlkit.url import Origin

if TYPE_CHECKING:
    from crawlkit.sessions.login import Login
    from crawlkit.sessions.response import Response
    from crawlkit.sessions.session import Session


class Finding(NamedTuple):
    """What an answer says. `member`: it shows one; `sign`: why it looks logged out. Neither: it does not say."""

    member: bool
    sign: Sign | None


_SILENT = Finding(False, None)


class Proof:
    """Judges the answers of one session. Any thread may call.

    `certain`: whether `login.logged_in` proves that somebody is logged in. `trusted`: the origins of the login and of
    what it is for; those that a login leads to are added.
    """

    def __init__(
        self, session: Session, login: Login, *, certain: bool, trusted: set[Origin] | None, canary: str | None
    ) -> None:
        self._session = session
        self._login = login
        self.certain = certain
        self._trusted: set[Origin] = set() if trusted is None else trusted
        self._canary = canary
        self._telling: str | None = None
        self._landing: str | None = None
        self.signs = Signs(login.url)
        if login.url is not None:
            self.trust(login.url)

    # --- answers ----------------------------------------

    def of(self, response: Response, *, body: bool = True) -> Finding:
        """What `response` says. `body=False`: it is a stream, which is not read."""
        shown = self._login.logged_in(response) if body else None
        if shown:
            self._telling = response.url
            return Finding(True, None)
        if shown is False:
            return Finding(False, Sign("shows no member"))
        sign = self.signs.of(response, body=body)
        return _SILENT if sign is None else Finding(False, sign)

    def as_stranger(self, url: str) -> Finding:
        """What `url` says to a visitor without cookie or secret. Sends a request; raises RequestException."""
        return self.of(_stranger(self._session).get(url))

    def suffices(self, finding: Finding) -> bool:
        """Whether it is enough to believe in a login."""
        return finding.member or (finding.sign is None and not self.certain)

    def concerns(self, url: str) -> bool:
        """Whether an answer from `url` says anything about this login: it comes from the site of a trusted origin."""
        trusted = self._trusted
        if not trusted:
            return True
        try:
            origin = urls.origin(urls.root(url))
        except ValueError:
            return False
        return origin in trusted or site(origin.host) in {site(known.host) for known in list(trusted)}

    def trust(self, url: str) -> None:
        """The login goes to `url`."""
        self._trusted.add(urls.origin(urls.root(url)))

    # --- addresses that tell ----------------------------------------

    def tells(self, url: str) -> None:
        """`url` looked logged out before a login, and does not after it."""
        self._telling = url

    def landed(self, response: Response) -> None:
        """The login ended with `response`."""
        if response.request.method == "GET" and not self.signs.is_login_page(response.url):
            self._landing = response.url

    def lives(self) -> bool:
        """Whether the session is logged in now; False when no address is known that tells. Sends a request or two.

        The caller sees to it that this request is not healed itself.
        """
        url = self._canary or self._telling or self._seen_by_a_stranger()
        if url is None:
            return False
        try:
            response = self._session.get(url, retries=1)
        except RequestException:
            return False
        return response.ok and self.of(response).sign is None

    def _seen_by_a_stranger(self) -> str | None:
        """The page where the login ended, if it looks logged out without any cookie."""
        landing, self._landing = self._landing, None  # asked once
        if landing is None:
            return None
        try:
            if self.as_stranger(landing).sign is None:
                return None
        except RequestException:
            return None
        self._telling = landing
        return landing


def _stranger(session: Session) -> Session:
    """A session over the same connections that knows nothing of the profile."""
    from crawlkit.sessions.session import Session

    stranger = Session(pool=session._connection_pool, timeout=session.timeout, deadline=session.deadline)
    stranger.verify, stranger.cert, stranger.proxies = session.verify, session.cert, dict(session.proxies)
    stranger.trust_env = False
    stranger._set_default_headers({"User-Agent": session.headers.get("User-Agent")})
    return stranger

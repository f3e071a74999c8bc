"""Proof: whether an answer was given to a member or to a stranger, and where to look when it does not say.

What belongs here: judging answers, by the login's own word and by signs (signs.py), and probing. What does not: what
follows from it (confirmation.py, membership.py).

A page that never shows a member must not be taken for an expired session. So an address is probed that is known to tell
members from strangers: the canary; a page that showed a member; one that looked logged out before a login and did not
after it; one that has been seen with a stranger's eyes, without any cookie.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

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
    what it is for; those that a login asks are added.
    """

    def __init__(
        self, session: Session, login: Login, *, certain: bool, trusted: set[Origin] | None, canary: str | None
    ) -> None:
        self._session = session
        self._login = login
        self.certain = certain
        self._trusted: set[Origin] = set() if trusted is None else trusted
        self._visited: set[Origin] = set()
        self._canary = canary
        self._telling: str | None = None
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

    def concerns(self, url: str) -> bool:
        """Whether an answer from `url` says anything about this login: it comes from the site of a trusted origin."""
        trusted = {*self._trusted, *self._visited}
        if not trusted:
            return True
        try:
            origin = urls.origin(urls.root(url))
        except ValueError:
            return False
        return origin in trusted or site(origin.host) in {site(known.host) for known in trusted}

    def trust(self, url: str) -> None:
        """The login goes to `url` of its own will."""
        self._trusted.add(urls.origin(urls.root(url)))

    def visited(self, url: str) -> None:
        """The login was led to `url`: it says something about it, and gets no secret header for that."""
        self._visited.add(urls.origin(urls.root(url)))

    # --- addresses that tell ----------------------------------------

    def tells(self, url: str) -> None:
        """`url` looked logged out before a login, and does not after it."""
        self._telling = url

    def refuses_strangers(self, url: str, shown: Sign | None = None) -> bool:
        """Whether `url` looks logged out to a stranger: then it tells. Sends a request.

        `shown` is the form that it shows to us: one for members, unless strangers see the same.
        """
        try:
            finding = self.as_stranger(url)
        except RequestException:
            return False
        if finding.sign is None or (shown is not None and finding.sign.form == shown.form):
            return False
        if shown is not None:
            self.signs.false_alarm(shown)
        self._telling = url
        return True

    @property
    def note(self) -> dict[str, Any]:
        """What a profile keeps of it. JSON, nothing of it secret: a query may be, and is not kept."""
        telling = self._telling
        return {**self.signs.kept(), **({"tells": telling} if telling and "?" not in telling else {})}

    def remember(self, note: Mapping[str, Any]) -> None:
        """Take over what an earlier run kept."""
        self.signs.remember(note)
        if self._telling is None and isinstance(note.get("tells"), str):
            self._telling = note["tells"]

    @property
    def can_tell(self) -> bool:
        """Whether an address is known that tells."""
        return (self._canary or self._telling) is not None

    def lives(self) -> bool:
        """Whether the session is logged in now; False when no address is known that tells. Sends a request or two.

        The caller sees to it that this request is not healed itself.
        """
        url = self._canary or self._telling
        if url is None:
            return False
        try:
            response = self._session.get(url, retries=1)
        except RequestException:
            return False
        return response.ok and self.of(response).sign is None


def _stranger(session: Session) -> Session:
    """A session over the same connections that knows nothing of the profile."""
    from crawlkit.sessions.session import Session

    stranger = Session(pool=session._connection_pool, timeout=session.timeout, deadline=session.deadline)
    stranger.verify, stranger.cert, stranger.proxies = session.verify, session.cert, dict(session.proxies)
    stranger.trust_env = False
    stranger._set_default_headers({"User-Agent": session.headers.get("User-Agent")})
    return stranger

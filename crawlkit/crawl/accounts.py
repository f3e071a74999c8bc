"""Accounts: the sessions of a crawl, one for each profile, over one pool of connections, with their logins."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawlkit import url as urls
from crawlkit.crawl.credentials import Credentials, CredentialSources, Prompt
from crawlkit.crawl.fetcher import Account, sticky_proxy
from crawlkit.crawl.login import SpiderLogin
from crawlkit.crawl.recording import Recorder
from crawlkit.crawl.robots import MAX_BYTES as ROBOTS_BYTES
from crawlkit.crawl.settings import Settings
from crawlkit.crawl.spider import Spider
from crawlkit.crawl.typos import meant
from crawlkit.crawl.vaults import open_vault
from crawlkit.exceptions import UsageError
from crawlkit.sessions.addresses import AddressPolicy, is_literal, is_public
from crawlkit.sessions.attempts import Attempts
from crawlkit.sessions.confiding import tell_own_headers, tell_userinfo
from crawlkit.sessions.cookies import CookieJar
from crawlkit.sessions.membership import Membership
from crawlkit.sessions.pool import ConnectionPool
from crawlkit.sessions.redactor import Redactor
from crawlkit.sessions.session import Session

if TYPE_CHECKING:
    from crawlkit.sessions.prepared import PreparedRequest


def _nothing() -> None:
    pass


def _as_it_is(request: PreparedRequest) -> PreparedRequest:
    return request


class Accounts:
    """Opens sessions as the settings say. `save` is the writer's, before each commit; the rest is for any thread."""

    def __init__(
        self,
        spider: Spider,
        settings: Settings,
        *,
        vault: Path,
        profile: str | None,
        prompt: Prompt | None = None,
        force_login: bool = False,
        redactor: Redactor | None = None,
        equip: Callable[[Session], None] | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self._spider = spider
        self._equip = equip
        self._recorder = recorder
        self._settings = settings
        self._vault = vault
        self._profile = profile
        self._lock = threading.Lock()
        #: The origins of start URLs and logins: nobody else gets a secret header of a session.
        self.trusted: set[urls.Origin] = set()
        #: User and password that a URL brought (http://user:password@host/), by origin.
        self.userinfo: dict[urls.Origin, tuple[str, str]] = {}
        self._sessions: list[Session] = []
        self._named: dict[str, Session] = {}
        self._known: set[str] | None = None
        self._attempts: dict[str | None, Attempts] = {}
        self._memberships: list[Membership] = []
        self._robots: Session | None = None
        self._stranger: Session | None = None
        self.pause: Callable[[], None] = _nothing
        self.resume: Callable[[], None] = _nothing
        self.stopped: Callable[[], bool] = bool
        self._force_login = force_login
        #: Knows what every session of the crawl learns, so that nothing shows it.
        self.redactor = Redactor() if redactor is None else redactor
        self._confide_settings()
        self._sources = CredentialSources(settings, prompt=prompt, learn=partial(self.redactor.learn, sure=True))
        crawl = settings.crawl
        self.pool = ConnectionPool(
            max_connections=max(100, 2 * crawl.workers),
            per_host=crawl.per_host if crawl.per_host is not None else 2,
        )
        self._sources.confide(profile)
        self.session = self._new_session(profile)
        self.credentials = Credentials(self._sources.of(profile))
        self._join(self.session, profile, self.session)

    def guard_addresses(self, starts: Iterable[str]) -> None:
        """From now on connect to private addresses only as `allow_private` says: auto when one of `starts` is private.
        Secret headers go to the origins of `starts`.

        The check itself is made on the address connected to, at every connection.
        """
        starts = list(starts)
        self.trusted.update(urls.origin(url) for url in starts)
        allowed = self._settings.fetch.allow_private
        if allowed is None:
            allowed = any(self._is_private(urls.origin(url).host) for url in starts)
        self.pool.policy = AddressPolicy(allow_private=allowed)

    def _is_private(self, host: str) -> bool:
        """Whether a start URL's host is on a private network; one whose name does not resolve now is not."""
        if is_literal(host):
            return not is_public(host)
        try:
            return any(not is_public(address.ip) for address in self.pool.resolver.resolve(host, timeout=5.0))
        except OSError:
            return False

    @property
    def logins(self) -> int:
        """Logins that were made."""
        return sum(membership.logins for membership in self._memberships)

    def open(self, profile: str | None, jar: object) -> Account:
        """The session and login of a profile; with `jar` (meta["cookiejar"]) one whose cookies are its own.

        UsageError when the profile's name looks mistyped. Not for two threads at once.
        """
        session = named = self.session if profile is None else self._session_of(profile)
        if jar is not None:
            session = self._new_session(None)
        if session.membership is None:
            self._join(session, profile or self._profile, named)
        membership = session.membership
        login = membership.login if membership is not None else None
        return Account(session, membership, login.gates if isinstance(login, SpiderLogin) else frozenset())

    def _session_of(self, profile: str) -> Session:
        session = self._named.get(profile)
        if session is None:
            self._check_name(profile)
            self._sources.confide(profile)
            session = self._named[profile] = self._new_session(profile)
        return session

    def _check_name(self, profile: str) -> None:
        if self._known is None:  # once: what this crawl itself makes is no model for the next name
            self._known = {*self._settings.profiles, *open_vault(self._vault, self._settings).names()}
        near = meant(profile, self._known)
        if near is not None:
            raise UsageError(
                f"profile {profile!r}: there is no such profile; did you mean {near!r}? For a new one of that name add a "
                f"table [profiles.{profile}] to crawl.toml"
            )

    def _attempts_of(self, profile: str | None, session: Session, named: Session) -> Attempts:
        """What counts the failed logins with a profile's credentials, whoever's cookies they are for."""
        attempts = self._attempts.get(profile)
        if attempts is None:
            attempts = self._attempts[profile] = Attempts(
                named.profile, most=self._settings.login.max_failed_per_hour, forced=self._force_login
            )
        return attempts if session is named else attempts.sibling()

    def _join(self, session: Session, profile: str | None, named: Session) -> None:
        """Let `session` log in as the spider says, if it says anything, with the credentials of `named`'s profile."""
        login = SpiderLogin.of(self._spider, lambda: self.credentials.of(self._sources.of(profile)))
        if login is None:
            return
        settings = self._settings.login
        session._membership = Membership(
            session,
            login,
            self.credentials,
            certain=login.certain,
            attempts=self._attempts_of(profile, session, named),
            trusted=self.trusted,
            canary=settings.canary if session is self.session else None,
            pause=lambda: self.pause(),
            resume=lambda: self.resume(),
            stopped=lambda: self.stopped(),
            strange=self._recorder.strange if self._recorder is not None else None,
        )
        for gate in login.gates:  # of earlier runs: what comes from there tells of this login, too
            session._membership.led_through(str(gate))
        with self._lock:
            self._memberships.append(session._membership)

    def fetch_robots(self, url: str) -> tuple[int, bytes]:
        """Status and body of a robots.txt, as much of it as counts; with no cookie and no secret header of any profile."""
        with self._lock:
            if self._robots is None:
                self._robots = self._nobodys_session(recorded=False)
            session = self._robots
        with session.get(url, stream=True) as response:
            body = b""
            for piece in response.iter_content(65536):
                body += piece
                if len(body) >= ROBOTS_BYTES:
                    break
            return response.status_code, body[:ROBOTS_BYTES]

    def stranger(self) -> Session:
        """The session of nobody: it takes no cookie and sends none, and knows no secret header and no login of a profile."""
        with self._lock:
            if self._stranger is None:
                self._stranger = self._nobodys_session(recorded=True)
            return self._stranger

    def _nobodys_session(self, *, recorded: bool) -> Session:
        session = self._new_session(None, recorded=recorded)
        session.cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))  # takes none, sends none
        session.headers.clear()
        session.headers["User-Agent"] = self._settings.fetch.user_agent
        session.headers["Accept-Encoding"] = "gzip, deflate"
        session.auth = _as_it_is  # or netrc would be asked
        return session

    def save(self) -> None:
        """Commit to the vault what the sessions learned; nothing happens when nothing changed."""
        for session in list(self._sessions):
            if session.profile is not None and session.profile.changed:
                session.save()

    def close(self) -> None:
        """Save and close every session and the pool."""
        for session in list(self._sessions):
            session.close()
        for nobodys in (self._robots, self._stranger):
            if nobodys is not None:
                nobodys.close()
        self.pool.close()

    def _confide_settings(self) -> None:
        """Tell the redactor what crawl.toml holds, before any of it is used."""
        tell_userinfo(self._settings.fetch.proxies, self.redactor.learn)
        for named in self._settings.profiles.values():
            tell_own_headers(named.headers, self.redactor.learn)

    def _new_session(self, profile: str | None, *, recorded: bool = True) -> Session:
        fetch = self._settings.fetch
        session = Session(
            profile=profile,
            vault=open_vault(self._vault, self._settings) if profile is not None else None,
            timeout=(fetch.connect_timeout, fetch.timeout),
            deadline=fetch.deadline,
            retries=0,
            pool=self.pool,
            max_body=fetch.max_body,
        )
        session.max_redirects = fetch.max_redirects
        session.verify = fetch.verify
        headers: dict[str, Any] = {"User-Agent": fetch.user_agent, **fetch.headers}
        named = self._settings.profiles.get(profile) if profile is not None else None
        if named is not None:
            headers.update(named.headers)
        session.default_headers = headers
        session.secret_origins = self.trusted
        session.proxies.update(sticky_proxy(fetch.proxies, profile or ""))
        session.redactor = self.redactor
        if self._equip is not None:
            self._equip(session)
        if self._recorder is not None and recorded:
            self._recorder.equip(session)
        if profile is not None:
            with self._lock:
                self._sessions.append(session)
        return session

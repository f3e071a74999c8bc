"""Confiding: the half of a Session that tells its redactor what is secret.

What belongs here: which of a session's settings, of what it sends and of what it is answered is a secret. What does not:
finding secrets in a text (redactor.py), names that say so (secretnames.py; leaks.py for headers).

A session whose redactor nobody asked for, and that no crawl gave one, pays one look at an attribute for an exchange.
With a redactor, what changes is told when it changes: a cookie by the jar, a request's header when it is sent and not
what was sent before. Settings that were assigned and not sent yet are asked for when there is a text to redact.
"""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from crawlkit.sessions.cookiestore import CookieStore
from crawlkit.sessions.leaks import is_secret
from crawlkit.sessions.prepared import PreparedRequest
from crawlkit.sessions.secretnames import is_password_name, is_secret_name

if TYPE_CHECKING:
    from crawlkit.sessions.fields import Control
    from crawlkit.sessions.profile import Profile
    from crawlkit.sessions.redactor import Redactor
else:
    # Hints that are read at run time say Any for what is loaded when it is used, or imports this module.
    Control = Profile = Redactor = Any

Learn = Callable[..., None]

#: Headers that nearly every request has, and that are no secret: a request with these alone is looked at no further.
_PLAIN = frozenset(
    (
        *("accept", "accept-charset", "accept-encoding", "accept-language", "cache-control", "connection", "dnt"),
        *("content-length", "content-type", "host", "if-modified-since", "if-none-match", "origin", "pragma", "range"),
        *("referer", "transfer-encoding", "upgrade-insecure-requests", "user-agent"),
    )
)
_ALWAYS_SECRET = ("Authorization", "Proxy-Authorization")
#: Members of a profile's state that say where the login is and how things are called there: nobody's secret. What an
#: archive keeps there is long, and told by its own registry.
_OPEN = frozenset(("login", "login origins", "cookie file", "for", "refresh_name", "archive"))
#: A body that is longer is no login.
_MOST_BODY = 65_536


class Confiding:
    """What a Session knows that must be seen nowhere."""

    headers: Any
    auth: Any
    params: Any
    proxies: Any
    secret_headers: Iterable[str]
    _session_jar: Any
    _redactor: Redactor | None = None
    _told_headers: list[tuple[str, Any]] | None = None
    """The headers that were told last: most requests carry the same."""

    if TYPE_CHECKING:

        @property
        def _kept_profile(self) -> Profile | None: ...

    @property
    def redactor(self) -> Redactor:
        """What hides this session's secrets: `session.redactor.redact(text)`. Any thread.

        It knows what the session has when it is first asked for, and everything that comes later, also when it is
        replaced. One may be assigned, to be shared by several sessions.
        """
        own: Redactor | None = self.__dict__.get("redactor")
        return self._own_redactor() if own is None else own

    @redactor.setter
    def redactor(self, redactor: Redactor) -> None:
        if hasattr(redactor, "watch"):
            self._confide_in(redactor)
        else:  # what a subclass calls so is no business of ours
            self.__dict__["redactor"] = redactor

    def _own_redactor(self) -> Redactor:
        if self._redactor is None:
            from crawlkit.sessions.redactor import Redactor

            self._confide_in(Redactor())
        assert self._redactor is not None
        return self._redactor

    def _confide_in(self, redactor: Redactor) -> None:
        self._redactor, self._told_headers = redactor, None
        self._confide_jar()
        redactor.watch(self)

    def tell_secrets(self, learn: Learn, *, everything: bool) -> bool:
        """Call `learn` with what is secret of the settings; with `everything`, with all that the jar holds as well.

        Whether that could be done without waiting.
        """
        _tell_headers(list((self.headers or {}).items()), self.secret_headers, learn)
        _tell_auth(self.auth, learn)
        if self.proxies:
            tell_userinfo(self.proxies.values(), learn)
        if self.params:
            _tell_pairs(_pairs_of(self.params), learn)
        profile = self._kept_profile
        if profile is not None:
            tell_own_headers(profile.headers, learn)
            for text in _texts(dict(profile.state)):
                learn(text)
        jar = self._session_jar
        if isinstance(jar, CookieStore):
            return not everything or jar.tell_values()
        for cookie in list(jar):  # a jar that is not ours says nothing by itself
            tell_cookie(cookie.value, learn)
        return True

    # --- as it happens -------------------------------------------------------------------------------------------

    def _confide_jar(self) -> None:
        """From now on the jar tells what is put into it."""
        if self._redactor is not None and isinstance(self._session_jar, CookieStore):
            self._session_jar.confide(partial(tell_cookie, learn=self._redactor.learn))

    def _confide_auth(self, auth: Any) -> None:
        if self._redactor is not None:
            _tell_auth(auth, self._redactor.learn)

    def _confide_request(self, redactor: Redactor, request: PreparedRequest, proxies: Mapping[str, str] | None) -> None:
        """Tell what `request` is about to carry."""
        learn = redactor.learn
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in _PLAIN]
        if headers and headers != self._told_headers:
            self._told_headers = headers
            _tell_headers(headers, self.secret_headers, learn)
        if proxies:
            tell_userinfo(proxies.values(), learn)
        if "@" in (request.url or ""):
            tell_userinfo((request.url,), learn)
        if request.body:
            _tell_body(request.body, str(request.headers.get("Content-Type") or ""), learn)

    @staticmethod
    def _confide_answer(redactor: Redactor, lines: Iterable[str]) -> None:
        """Tell the values of Set-Cookie lines, of those too that the jar will not take."""
        for line in lines:
            tell_cookie(line.partition(";")[0].partition("=")[2], redactor.learn)


def tell_cookie(value: str | None, learn: Learn) -> None:
    """Tell a cookie's value, without the quotes that may be around it."""
    if value:
        learn(value.strip(' \t"'))


def tell_exchange(request: PreparedRequest, patterns: Iterable[str], set_cookies: Iterable[str], learn: Learn) -> None:
    """Tell what one exchange showed: `request` as it was sent, and the Set-Cookie lines of its answer. `patterns` are
    the names of secret headers.
    """
    _tell_headers(request.headers.items(), patterns, learn)
    tell_userinfo((request.url,), learn)
    if request.body:
        _tell_body(request.body, str(request.headers.get("Content-Type") or ""), learn)
    for line in set_cookies:
        tell_cookie(line.partition(";")[0].partition("=")[2], learn)


def tell_own_headers(headers: Mapping[str, Any], learn: Learn) -> None:
    """Tell all headers that somebody gave to one profile, whatever they are called, but for what every browser sends."""
    for name, value in list(headers.items()):
        if value is not None and name.lower() not in _PLAIN:
            _tell_headers([(name, value)], (), learn)
            learn(_text(value))


def tell_fields(controls: Iterable[Control], entries: Iterable[tuple[str, Any]], learn: Learn) -> None:
    """Tell what a form sends as passwords, by the type of the control, and as tokens, by its name."""
    passwords = {control.name for control in controls if control.kind == "password"}
    for name, value in entries:
        if isinstance(value, str) and (name in passwords or is_secret_name(name)):
            learn(value, sure=name in passwords)


def _tell_headers(headers: Iterable[tuple[str, Any]], patterns: Iterable[str], learn: Learn) -> None:
    patterns = (*patterns, *_ALWAYS_SECRET)
    for name, value in headers:
        lower = name.lower()
        if value is None or lower in _PLAIN:
            continue
        if lower == "cookie":
            for pair in _text(value).split(";"):
                tell_cookie(pair.partition("=")[2] or pair, learn)
        elif lower.endswith("authorization"):
            _tell_authorization(_text(value), learn)
        elif is_secret(name, patterns):
            learn(_text(value), sure=True)


def _text(value: Any) -> str:
    return (value.decode("latin-1") if isinstance(value, bytes) else str(value)).strip()


def _tell_authorization(value: str, learn: Learn) -> None:
    """The token of `Basic token`, `Bearer token`; of Basic the password in it. A Digest is no use to anybody."""
    scheme, _, token = value.partition(" ")
    token = token.strip()
    if scheme.lower() != "digest":
        learn(token or scheme, sure=True)
    if scheme.lower() == "basic":
        try:
            pair = b64decode(token, validate=True)
        except (NotBase64, ValueError):
            return  # somebody's own idea of Basic; the token is told
        learn(pair.partition(b":")[2], sure=True)


def _tell_auth(auth: Any, learn: Learn) -> None:
    password = auth[1] if isinstance(auth, tuple | list) and len(auth) == 2 else getattr(auth, "password", None)
    if isinstance(password, str | bytes):
        learn(password, sure=True)
    token = getattr(auth, "token", None)
    if isinstance(token, str):
        learn(token, sure=True)


def tell_userinfo(urls: Iterable[Any], learn: Learn) -> None:
    """The passwords of `scheme://user:password@host`; a user without one may be a token."""
    for url in urls:
        userinfo, at, _ = str(url).partition("//")[2].partition("/")[0].rpartition("@")
        if at:
            user, colon, password = userinfo.partition(":")
            learn(unquote(password or user), sure=bool(colon))


def _tell_body(body: Any, kind: str, learn: Learn) -> None:
    """Passwords and tokens among the fields of a form or a JSON object."""
    if not isinstance(body, str | bytes) or len(body) > _MOST_BODY:
        return
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    if "urlencoded" in kind:
        _tell_pairs(parse_qsl(text), learn)
    elif "json" in kind:
        try:
            _tell_pairs(_members(json.loads(text)), learn)
        except (ValueError, RecursionError):
            return  # not JSON after all, whatever its author called it


def _tell_pairs(pairs: Iterable[tuple[Any, Any]], learn: Learn) -> None:
    for name, value in pairs:
        if isinstance(value, str | bytes) and is_secret_name(str(name)):
            learn(value, sure=is_password_name(str(name)))


def _pairs_of(params: Any) -> list[tuple[Any, Any]]:
    if isinstance(params, Mapping):
        return list(params.items())
    if isinstance(params, str | bytes):
        return list(parse_qsl(params if isinstance(params, str) else params.decode("latin-1")))
    return [(pair[0], pair[1]) for pair in params if isinstance(pair, tuple | list) and len(pair) == 2]


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield name, member
            yield from _members(member)
    elif isinstance(value, list):
        for member in value:
            yield from _members(member)


def _texts(value: Any) -> Iterator[str]:
    """Every text in a profile's state that may be a secret."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, member in list(value.items()):
            if name not in _OPEN:
                yield from _texts(member)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _texts(member)

"""CookieJar: a session's cookies as users see them, and the functions that go with it.

What belongs here: the dict-like interface that requests made known, the methods of http.cookiejar.CookieJar,
and requests' functions over any jar. What does not: the rules of RFC 6265bis (setcookie.py, cookiestore.py).

Where this jar differs from requests': it follows RFC 6265bis; a cookie set without a domain is bound to the
first host that it is sent to; `multiple_domains()` answers what its name asks; the repr shows no value;
expired cookies are not there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from http import cookiejar
from typing import Any, TypeVar

from crawlkit.exceptions import CookieConflictError
from crawlkit.sessions import foreignjars
from crawlkit.sessions.cookie import Cookie
from crawlkit.sessions.cookieindex import MAX_PER_SITE, MAX_TOTAL
from crawlkit.sessions.cookieinput import create_cookie, morsel_to_cookie
from crawlkit.sessions.cookiemapping import CookieMapping
from crawlkit.sessions.setcookie import Place

__all__ = [
    "Cookie",
    "CookieConflictError",
    "CookieJar",
    "add_dict_to_cookiejar",
    "cookiejar_from_dict",
    "create_cookie",
    "dict_from_cookiejar",
    "extract_cookies_to_jar",
    "get_cookie_header",
    "merge_cookies",
    "morsel_to_cookie",
    "remove_cookie_by_name",
]

AnyJar = TypeVar("AnyJar", bound=cookiejar.CookieJar)


class CookieJar(CookieMapping, cookiejar.CookieJar):  # type: ignore[misc]
    """Cookies by RFC 6265bis with requests' and http.cookiejar's interfaces. Any thread may call anything.

    Iterating gives `Cookie` objects, `keys()` names, and `jar[name]` the value: KeyError when there is none,
    CookieConflictError when several domains or paths have one. `domain` in every method is matched with its
    leading dot first, then without. `policy` is a CookiePolicy that has a further say about every cookie
    received and sent.
    """

    def __init__(
        self,
        policy: cookiejar.CookiePolicy | None = None,
        *,
        max_per_site: int = MAX_PER_SITE,
        max_total: int = MAX_TOTAL,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(max_per_site=max_per_site, max_total=max_total, clock=clock)
        if policy is not None:
            self.set_policy(policy)

    def copy(self) -> CookieJar:
        """A jar with copies of the cookies, the same limits and policy; the epoch too."""
        twin = self._empty_twin()
        with self._lock:
            cookies = [cookie.copy() for cookie in self._index]
            twin.epoch, twin._last_tick, twin._gate = self.epoch, self._last_tick, self._gate
        for cookie in cookies:
            twin._insert(cookie)
        return twin

    __copy__ = copy

    def _empty_twin(self) -> CookieJar:
        index = self._index
        return CookieJar(max_per_site=index.max_per_site, max_total=index.max_total, clock=self._clock)

    def __repr__(self) -> str:
        count = len(self)
        return f"<CookieJar {count} cookie{'' if count == 1 else 's'} of {len(self.list_domains())} domains>"

    __str__ = __repr__

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            return {
                "cookies": [cookie.copy() for cookie in self._index],
                "policy": self._gate.policy if isinstance(self._gate, foreignjars.PolicyGate) else None,
                "limits": (self._index.max_per_site, self._index.max_total),
                "epoch": self.epoch,
            }

    def __setstate__(self, state: dict[str, Any]) -> None:
        per_site, total = state["limits"]
        self.__init__(state["policy"], max_per_site=per_site, max_total=total)  # type: ignore[misc]
        self.epoch = state["epoch"]
        for cookie in state["cookies"]:
            self._last_tick = max(self._last_tick, cookie.modified)
            self._insert(cookie)

    # --- what a subclass overrides, as in requests
    # ---------------------------------------------------------------------------------

    @property
    def extracts_as_we_do(self) -> bool:
        """Whether `extract_cookies()` is ours, and need not be called."""
        return getattr(self.extract_cookies, "__func__", None) is CookieJar.extract_cookies

    def _sets_by_itself(self) -> bool:
        return getattr(self.set_cookie, "__func__", None) is not CookieMapping.set_cookie

    def _hand_over(self, cookies: list[Cookie], place: Place, now: float) -> list[Cookie]:
        """The cookies that the rules let in go through `set_cookie()`, without the lock, for it is not our code."""
        kept = []
        for cookie in cookies:
            with self._lock:
                if not place.secure and self._overlays_secure(cookie, now):
                    self.refused += 1
                    continue
            self.set_cookie(cookie)
            with self._lock:
                if self._index.find(cookie.key) is not None:
                    kept.append(cookie)
        return kept

    # --- http.cookiejar's methods
    # ---------------------------------------------------------------------------------

    def clear(self, domain: str | None = None, path: str | None = None, name: str | None = None) -> None:
        """Delete all cookies, or those of a domain, of a path of it, or the one of a name there. KeyError
        when there is none of those; ValueError for a path without a domain or a name without both."""
        if (name is not None and path is None) or (path is not None and domain is None):
            raise ValueError("clear() takes a domain, a domain and a path, or a domain, a path and a name")
        if not self._delete(self._chosen(name, domain, path)) and domain is not None:
            raise KeyError(name or path or domain)

    def clear_session_cookies(self) -> None:
        """Delete the cookies that have no expiry."""
        self._delete([cookie for cookie in self._present() if cookie.discard])

    def clear_expired_cookies(self) -> None:
        """Delete what has expired. (The jar does this itself.)"""
        self._present()

    def get_policy(self) -> cookiejar.CookiePolicy:
        """The policy that was set; when none was, a DefaultCookiePolicy that from now on has its say."""
        if not isinstance(self._gate, foreignjars.PolicyGate):
            self.set_policy(cookiejar.DefaultCookiePolicy())
        assert isinstance(self._gate, foreignjars.PolicyGate)
        return self._gate.policy

    def set_policy(self, policy: cookiejar.CookiePolicy) -> None:
        """Ask `policy` about every cookie that the rules let in or out."""
        self._gate = foreignjars.PolicyGate(policy)

    def add_cookie_header(self, request: Any) -> None:
        """For urllib.request: give the request its Cookie header, unless it has one."""
        # requests' MockRequest, which programs hand to jars, knows no method.
        method = request.get_method() if hasattr(request, "get_method") else "GET"
        header = self.header_for(request.get_full_url(), method=method)
        if header is not None and not request.has_header("Cookie"):
            request.add_unredirected_header("Cookie", header)

    def extract_cookies(self, response: Any, request: Any) -> None:
        """For urllib.request: take the Set-Cookie headers of a response."""
        self.receive(request.get_full_url(), foreignjars.set_cookie_lines(response))

    def make_cookies(self, response: Any, request: Any) -> list[Cookie]:  # type: ignore[override]
        """The cookies that a response would set; none is set."""
        lines = foreignjars.set_cookie_lines(response)
        return self._empty_twin().receive(request.get_full_url(), lines)

    def set_cookie_if_ok(self, cookie: Any, request: Any) -> None:
        """Set a cookie if the policy lets it in."""
        own = cookie if isinstance(cookie, Cookie) else foreignjars.from_stdlib(cookie)
        if self._gate is None or self._gate.accepts(own, request.get_full_url()):
            self.set_cookie(own)


# --- requests' functions, over any jar
# ----------------------------------------------------------------------------


def cookiejar_from_dict(
    cookie_dict: Mapping[str, Any] | None, cookiejar: AnyJar | None = None, overwrite: bool = True
) -> AnyJar | CookieJar:
    """`cookiejar` (a new CookieJar by default) with a cookie for each name and value; `overwrite` False
    keeps names it has. TypeError for what is no mapping."""
    jar = CookieJar() if cookiejar is None else cookiejar
    if cookie_dict is not None and not hasattr(cookie_dict, "items"):
        raise TypeError(
            f"cookies must be a mapping of names and values, or a jar, not {type(cookie_dict).__name__}; what a Cookie "
            "header says word for word goes into headers={'Cookie': ...}"
        )
    if cookie_dict is not None:
        present = set() if overwrite else {cookie.name for cookie in jar}
        for name, value in cookie_dict.items():
            if name not in present:
                _put(jar, create_cookie(name, value))
    return jar


def add_dict_to_cookiejar(jar: AnyJar, cookie_dict: Mapping[str, Any] | None) -> AnyJar | CookieJar:
    """`jar` with a cookie for each name and value."""
    return cookiejar_from_dict(cookie_dict, jar)


def dict_from_cookiejar(jar: cookiejar.CookieJar) -> dict[str, str | None]:
    """Names and values of any jar."""
    return {cookie.name: cookie.value for cookie in jar}


def merge_cookies(jar: AnyJar, cookies: Mapping[str, Any] | cookiejar.CookieJar | None) -> AnyJar:
    """`jar` with the cookies of another jar, or with those names of a mapping that it has not. ValueError if
    it is no jar."""
    if not isinstance(jar, cookiejar.CookieJar):
        raise ValueError(f"cookies can be merged into a jar only, not into {type(jar).__name__}")
    if isinstance(cookies, cookiejar.CookieJar):
        for cookie in cookies:
            _put(jar, cookie.__copy__() if isinstance(cookie, Cookie) else cookie)
    else:
        cookiejar_from_dict(cookies, jar, overwrite=False)
    return jar


def remove_cookie_by_name(
    jar: cookiejar.CookieJar, name: str, domain: str | None = None, path: str | None = None
) -> None:
    """Delete every cookie with this name, of one domain and path where they are given."""
    doomed = [
        (cookie.domain, cookie.path, cookie.name)
        for cookie in jar
        if cookie.name == name and domain in (None, cookie.domain) and path in (None, cookie.path)
    ]
    for place in dict.fromkeys(doomed):
        jar.clear(*place)


def extract_cookies_to_jar(jar: cookiejar.CookieJar, request: Any, response: Any) -> None:
    """Take the Set-Cookie headers of `response` (urllib3's, http.client's, ours) to `request` into any
    jar.
    """
    if lines := foreignjars.set_cookie_lines(response):
        foreignjars.adapt(jar).receive(foreignjars.cookie_url(request.url, request.headers), lines)


def get_cookie_header(jar: cookiejar.CookieJar, request: Any) -> str | None:
    """The Cookie header that any jar gives `request`, None when it has nothing for it."""
    url = foreignjars.cookie_url(request.url, request.headers)
    return foreignjars.adapt(jar).header_for(url, method=request.method or "GET")


def _put(jar: cookiejar.CookieJar, cookie: Any) -> None:
    if isinstance(cookie, Cookie) and not isinstance(jar, CookieJar):
        cookie = foreignjars.to_stdlib(cookie)
    jar.set_cookie(cookie)

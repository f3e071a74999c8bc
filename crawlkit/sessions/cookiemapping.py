"""CookieMapping: a store of cookies that is used like a dict of names and values, as requests made it known.

What belongs here: looking cookies up, setting and deleting them by name, domain and path. What does not: the
rules of RFC 6265bis (setcookie.py, cookiestore.py), http.cookiejar's methods (cookies.py).
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from http import cookiejar
from http.cookies import Morsel
from typing import Any

from crawlkit.exceptions import CookieConflictError
from crawlkit.sessions import foreignjars
from crawlkit.sessions.cookie import Cookie, place
from crawlkit.sessions.cookieinput import create_cookie, morsel_to_cookie
from crawlkit.sessions.cookiestore import CookieStore


class CookieMapping(CookieStore, MutableMapping[str, str]):
    """The dict-like half of a CookieJar, which see. Any thread may call anything."""

    def __iter__(self) -> Iterator[Cookie]:  # type: ignore[override]
        """The cookies there are now; the jar may change while they are looked at."""
        return iter(self._present())

    def __len__(self) -> int:
        return len(self._present())

    def __contains__(self, name: object) -> bool:
        wanted = name.name if isinstance(name, Cookie) else name
        return any(cookie.name == wanted for cookie in self._present())

    def __getitem__(self, name: str) -> str:
        return self._one(name).value

    def __setitem__(self, name: str, value: Any) -> None:
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        """Delete the cookies of this name, of every domain and path; as in requests it is no error when
        there is none."""
        self._delete(self._chosen(name))

    def get(self, name: str, default: Any = None, domain: str | None = None, path: str | None = None) -> Any:
        """The value of the one cookie with this name, domain and path, else `default`. CookieConflictError
        for several."""
        try:
            return self._one(name, domain, path).value
        except KeyError:
            return default

    def set(self, name: str, value: Any, **kwargs: Any) -> Cookie | None:
        """Set a cookie, the keywords being `create_cookie`'s; the cookie. A value of None deletes, a Morsel
        sets what it says.

        Without a domain the cookie goes to the first host that it is sent to, and belongs to that host from
        then on; setting it again changes it there.
        """
        if value is None:
            self._delete(self._chosen(name, kwargs.get("domain"), kwargs.get("path")))
            return None
        cookie = morsel_to_cookie(value) if isinstance(value, Morsel) else create_cookie(name, value, **kwargs)
        self.set_cookie(cookie)
        return cookie

    def iterkeys(self) -> Iterator[str]:
        """The names; one that several domains or paths have comes several times."""
        return (cookie.name for cookie in self._present())

    def keys(self) -> list[str]:  # type: ignore[override]
        """The names as a list."""
        return list(self.iterkeys())

    def itervalues(self) -> Iterator[str]:
        """The values, in the order of the names."""
        return (cookie.value for cookie in self._present())

    def values(self) -> list[str]:  # type: ignore[override]
        """The values as a list."""
        return list(self.itervalues())

    def iteritems(self) -> Iterator[tuple[str, str]]:
        """Pairs of name and value."""
        return ((cookie.name, cookie.value) for cookie in self._present())

    def items(self) -> list[tuple[str, str]]:  # type: ignore[override]
        """Pairs of name and value as a list, so that `dict(jar.items())` works."""
        return list(self.iteritems())

    def popitem(self) -> tuple[str, str]:
        """Take some cookie out and return its name and value. KeyError when there is none."""
        with self._lock:
            for cookie in self._present():
                self._drop(cookie.key)
                return cookie.name, cookie.value
        raise KeyError("the jar is empty")

    def list_domains(self) -> list[str]:
        """The domains of the cookies, each once."""
        return list(dict.fromkeys(cookie.domain for cookie in self._present()))

    def list_paths(self) -> list[str]:
        """The paths of the cookies, each once."""
        return list(dict.fromkeys(cookie.path for cookie in self._present()))

    def multiple_domains(self) -> bool:
        """Whether the cookies are of more than one domain."""
        return len(self.list_domains()) > 1

    def get_dict(self, domain: str | None = None, path: str | None = None) -> dict[str, str]:
        """Names and values as a plain dict, of one domain and path where they are given."""
        return {cookie.name: cookie.value for cookie in self._chosen(None, domain, path)}

    def update(self, other: Any = (), /, **kwargs: Any) -> None:
        """Set all cookies of a jar (copies of them), or all names and values of a mapping or of pairs."""
        if isinstance(other, cookiejar.CookieJar):
            for cookie in other:
                self.set_cookie(cookie.__copy__() if isinstance(cookie, Cookie) else cookie)
            other = ()
        MutableMapping.update(self, other, **kwargs)

    def set_cookie(self, cookie: Any, *args: Any, **kwargs: Any) -> None:
        """Set a cookie, ours or http.cookiejar's, whatever the rules say about who may; what has expired
        deletes."""
        own = cookie if isinstance(cookie, Cookie) else foreignjars.from_stdlib(cookie)
        now = self._clock()
        with self._lock:
            if not own.host:
                own = self._in_its_place(own)
            if own.is_expired(now):
                self._drop(own.key)
                return
            self._put(own)
            for excess in self._index.excess([own], now):
                self._drop(excess.key, expired=excess.is_expired(now))

    def _in_its_place(self, cookie: Cookie) -> Cookie:
        """A cookie without a domain whose earlier value was bound to a host already is bound to it too."""
        for other in self._index:
            if other.bound and other.name == cookie.name and other.path == cookie.path:
                return cookie.bound_to(other.host)
        return cookie

    # --- looking through the jar
    # ----------------------------------------------------------------------------------

    def _present(self) -> list[Cookie]:
        """The cookies that have not expired; those that have are dropped."""
        now = self._clock()
        with self._lock:
            cookies = list(self._index)
            stale = [cookie.key for cookie in cookies if cookie.is_expired(now)]
            for key in stale:
                self._drop(key, expired=True)
        return [cookie for cookie in cookies if not cookie.is_expired(now)] if stale else cookies

    def _chosen(self, name: str | None, domain: str | None = None, path: str | None = None) -> list[Cookie]:
        """The cookies with this name, domain and path, None being any."""
        chosen = [
            cookie
            for cookie in self._present()
            if (name is None or cookie.name == name) and (path is None or cookie.path == path)
        ]
        if domain is None:
            return chosen
        exact = [cookie for cookie in chosen if cookie.domain == domain]
        host = place(domain)[0]
        return exact or [cookie for cookie in chosen if cookie.host == host]

    def _one(self, name: str, domain: str | None = None, path: str | None = None) -> Cookie:
        found = self._chosen(name, domain, path)
        if not found:
            raise KeyError(f"name={name!r}, domain={domain!r}, path={path!r}")
        if len(found) > 1:
            places = ", ".join(sorted(f"{cookie.domain}{cookie.path}" for cookie in found))
            raise CookieConflictError(f"there are {len(found)} cookies {name!r}: say domain and path ({places})")
        return found[0]

    def _delete(self, cookies: list[Cookie]) -> bool:
        """Delete cookies; whether there was any."""
        with self._lock:
            for cookie in cookies:
                self._drop(cookie.key)
        return bool(cookies)

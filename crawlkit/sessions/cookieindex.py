"""CookieIndex: where each cookie is found, and which have to go when there are too many.

What belongs here: the index and its limits (end of RFC 6265bis section 5.7). What does not: which cookie may
be put in or sent, and the lock (cookiestore.py).

It has three steps: the last two labels of a host (a cheap stand-in for its site that needs no public suffix
list), the host, and in it the cookies by key beside a list that is always in the order of sending. A request
looks at its host and the hosts above it, and at no other cookie.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from crawlkit.sessions.cookie import Cookie, Key
from crawlkit.sessions.setcookie import domain_match
from crawlkit.sessions.suffixes import is_address, site

# RFC 6265bis asks for 50 a domain and 3,000 in all at least. Browsers stop at 180 a site; jobs that talk to
# one site for months need more, and the limit is there to keep a hostile site from filling the memory, not
# to ration cookies.
MAX_PER_SITE = 3000
MAX_TOTAL = 30_000

_CROWDED = 50  # a domain with more than this many goes first when the index is full


class HostCookies:
    """The cookies of one host: by key, and in the order of sending (longer paths first, then older ones)."""

    __slots__ = ("cookies", "order")

    def __init__(self) -> None:
        self.cookies: dict[Key, Cookie] = {}
        self.order: list[tuple[int, float, Key]] = []

    def put(self, cookie: Cookie) -> Cookie | None:
        """Put the cookie in; the one that it replaces."""
        key = cookie.key
        old = self.cookies.get(key)
        if old is None or old.creation != cookie.creation:
            if old is not None:
                self._leave_order(old, key)
            insort(self.order, (-len(cookie.path), cookie.creation, key))
        self.cookies[key] = cookie
        return old

    def take(self, key: Key) -> Cookie | None:
        """Take the cookie out."""
        cookie = self.cookies.pop(key, None)
        if cookie is not None:
            self._leave_order(cookie, key)
        return cookie

    def _leave_order(self, cookie: Cookie, key: Key) -> None:
        entry = (-len(key[2]), cookie.creation, key)
        at = bisect_left(self.order, entry)
        if at < len(self.order) and self.order[at] == entry:
            del self.order[at]
        else:  # its creation was assigned to by hand
            self.order = [one for one in self.order if one[2] != key]


class _Tail:
    """The hosts with the same last two labels, how many cookies they have, and when to count them exactly
    again.
    """

    __slots__ = ("count", "count_at", "hosts", "secure")

    def __init__(self, limit: int) -> None:
        self.hosts: dict[str, HostCookies] = {}
        self.count = 0
        self.secure = 0  # how many are Secure: with none, plain http cannot overlay any
        self.count_at = limit + 1


class CookieIndex:
    """Cookies by host. Not thread-safe: the store's lock guards it."""

    __slots__ = ("_count", "_tails", "_unbound", "max_per_site", "max_total")

    def __init__(self, max_per_site: int, max_total: int) -> None:
        self.max_per_site = max_per_site
        self.max_total = max_total
        self._tails: dict[str, _Tail] = {}
        self._unbound: dict[Key, Cookie] = {}  # set without a domain, not sent yet
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Cookie]:
        yield from self._unbound.values()
        for tail in self._tails.values():
            for bucket in tail.hosts.values():
                yield from bucket.cookies.values()

    def find(self, key: Key) -> Cookie | None:
        """The cookie with this key."""
        if not key[0]:
            return self._unbound.get(key)
        tail = self._tails.get(_tail(key[0]))
        bucket = tail.hosts.get(key[0]) if tail else None
        return bucket.cookies.get(key) if bucket else None

    def unbound(self) -> list[Cookie]:
        """The cookies without a host."""
        return list(self._unbound.values()) if self._unbound else []

    def sources(self, host: str) -> list[HostCookies]:
        """What may hold cookies for a request to `host`: the host itself and those above it."""
        tail = self._tails.get(_tail(host))
        if tail is None:
            return []
        own = tail.hosts.get(host)
        sources = [] if own is None else [own]
        if len(tail.hosts) == len(sources):
            return sources
        dot = host.find(".")
        while dot >= 0:
            above = tail.hosts.get(host[dot + 1 :])
            if above is not None:
                sources.append(above)
            dot = host.find(".", dot + 1)
        return sources

    def secure_related(self, host: str) -> Iterator[Cookie]:
        """The Secure cookies of hosts that domain-match `host`, or that `host` domain-matches."""
        tail = self._tails.get(_tail(host))
        if tail is None or not tail.secure:
            return
        for other, bucket in tail.hosts.items():
            if domain_match(other, host) or domain_match(host, other):
                yield from (cookie for cookie in bucket.cookies.values() if cookie.secure)

    def put(self, cookie: Cookie) -> None:
        """Put a cookie in, in the place of one with the same key."""
        if not cookie.host:
            self._count += cookie.key not in self._unbound
            self._unbound[cookie.key] = cookie
            return
        name = _tail(cookie.host)
        tail = self._tails.get(name)
        if tail is None:
            tail = self._tails[name] = _Tail(self.max_per_site)
        bucket = tail.hosts.get(cookie.host)
        if bucket is None:
            bucket = tail.hosts[cookie.host] = HostCookies()
        old = bucket.put(cookie)
        tail.secure += cookie.secure
        if old is None:
            tail.count += 1
            self._count += 1
        else:
            tail.secure -= old.secure

    def take(self, key: Key) -> Cookie | None:
        """Take the cookie with this key out."""
        cookie = self._take(key) if key[0] else self._unbound.pop(key, None)
        if cookie is not None:
            self._count -= 1
        return cookie

    def _take(self, key: Key) -> Cookie | None:
        name = _tail(key[0])
        tail = self._tails.get(name)
        bucket = tail.hosts.get(key[0]) if tail else None
        cookie = bucket.take(key) if bucket else None
        if tail is None or bucket is None or cookie is None:
            return None
        tail.count -= 1
        tail.secure -= cookie.secure
        if not bucket.cookies:
            del tail.hosts[key[0]]
            if not tail.hosts:
                del self._tails[name]
        return cookie

    # --- limits
    # ---------------------------------------------------------------------------------------------------

    def excess(self, new: Iterable[Cookie], now: float) -> list[Cookie]:
        """Which cookies must go after `new` came in, at `now` (seconds since 1970)."""
        going: list[Cookie] = []
        for name in {_tail(cookie.host) for cookie in new if cookie.host}:
            tail = self._tails.get(name)
            if tail is not None and tail.count >= tail.count_at:
                going += self._site_excess(tail, now)
        if self._count > self.max_total:
            crowded = {name for name, tail in self._tails.items() if tail.count > _CROWDED}
            many = self._count - self.max_total + self.max_total // 64
            going += _first_to_go(self, many, now, lambda cookie: _tail(cookie.host) in crowded)
        return going

    def _site_excess(self, tail: _Tail, now: float) -> list[Cookie]:
        """Counts by registrable domain: `co.uk` is a tail that many sites share."""
        sizes = Counter({host: len(bucket.cookies) for host, bucket in tail.hosts.items()})
        sites: Counter[str] = Counter()
        for host, size in sizes.items():
            sites[site(host)] += size
        going: list[Cookie] = []
        for name, size in sites.items():
            if size > self.max_per_site:
                hosts = [bucket for host, bucket in tail.hosts.items() if site(host) == name]
                cookies = [cookie for bucket in hosts for cookie in bucket.cookies.values()]
                # A few more than needed go at once, so that a site at its limit does not sort all with each
                # response.
                many = size - self.max_per_site + self.max_per_site // 64
                going += _first_to_go(cookies, many, now, lambda cookie: True)
        largest = min(self.max_per_site, max(sites.values()))
        tail.count_at = tail.count - len(going) + self.max_per_site - largest + 1
        return going


def _first_to_go(cookies: Iterable[Cookie], many: int, now: float, crowded: Callable[[Cookie], bool]) -> list[Cookie]:
    """Expired first, then those of crowded domains without Secure, those with, then all; least recently used
    first."""

    def priority(cookie: Cookie) -> tuple[int, float]:
        if cookie.is_expired(now):
            return 0, cookie.accessed
        if crowded(cookie):
            return 2 if cookie.secure else 1, cookie.accessed
        return 3, cookie.accessed

    return sorted(cookies, key=priority)[:many]


@lru_cache(maxsize=8192)
def _tail(host: str) -> str:
    """The last two labels of a name, the whole of an address. Every cookie that a request can carry has its
    host's tail."""
    if is_address(host):
        return host
    cut = host.rfind(".", 0, max(host.rfind("."), 0))
    return host[cut + 1 :]

"""Cookie: one cookie as a value.

What belongs here: its attributes, under RFC 6265bis' ideas and http.cookiejar's names. What does not: which
cookies a response may set (setcookie.py), what users make one from (cookieinput.py), where they are kept and
sent (cookiestore.py).
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any, Literal, get_args

import ada_url

from crawlkit.sessions.suffixes import is_address, is_public_suffix

SameSite = Literal["Strict", "Lax", "None"]
SAME_SITE: dict[str, SameSite] = {value.lower(): value for value in get_args(SameSite)}

Key = tuple[str, bool, str, str]
"""What makes two cookies one: host, host-only, path, name (RFC 6265bis section 5.7 step 22)."""


class Cookie:
    """One cookie. `jar.set()`, `create_cookie()` and Set-Cookie make them; iterating over a jar gives them.

    `value`, `expires`, `secure` and the like may be assigned, and the jar that holds the cookie goes by it;
    name, domain and path make it the cookie that it is and must not be. Not thread-safe itself: the jar's
    lock does not guard assignments.
    """

    __slots__ = (
        "_binding",
        "_extra",
        "accessed",
        "creation",
        "discard",
        "dotted",
        "expires",
        "host",
        "host_only",
        "httponly",
        "modified",
        "name",
        "path",
        "samesite",
        "secure",
        "value",
    )

    name: str
    """Empty for a nameless cookie."""
    value: str
    """Each character of a received value is one byte of it (latin-1), so that what is sent back is what was
    received."""
    host: str
    """Lower case, punycode, no leading dot. Empty until a cookie without a domain is bound to the first host
    it is sent to."""
    host_only: bool
    """Whether the cookie goes to `host` alone and not to the hosts under it."""
    dotted: bool
    """Whether `domain` shows a leading dot; means nothing."""
    path: str
    secure: bool
    httponly: bool
    samesite: SameSite | None
    """None when the server did not say."""
    expires: float | None
    """Seconds since 1970; None for a cookie without an expiry."""
    discard: bool
    """The opposite of RFC 6265bis' persistent-flag."""
    creation: float
    """Seconds since 1970, kept when the cookie is overwritten; 0 until a jar takes the cookie."""
    accessed: float
    """When it was last sent, in seconds since 1970."""
    modified: float
    """When it was last set, in seconds since 1970: the later of two wins when two processes' jars are
    merged.
    """

    def __init__(
        self,
        name: str,
        value: str,
        host: str,
        *,
        host_only: bool = True,
        path: str = "/",
        secure: bool = False,
        httponly: bool = False,
        samesite: SameSite | None = None,
        expires: float | None = None,
        discard: bool | None = None,
        dotted: bool = False,
        creation: float = 0.0,
        accessed: float = 0.0,
        modified: float = 0.0,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.value = value
        self.host = host
        self.host_only = host_only
        self.path = path
        self.secure = secure
        self.httponly = httponly
        self.samesite = samesite
        self.expires = expires
        self.discard = expires is None if discard is None else discard
        self.dotted = dotted
        self.creation = creation
        self.accessed = accessed
        self.modified = modified
        self._extra = extra
        # Shared by all copies of a cookie without a host: the first of them that is sent decides for all.
        self._binding: dict[str, str] | None = None if host else {}

    @property
    def key(self) -> Key:
        """Host, host-only, path and name: two cookies with one key are the same cookie."""
        return (self.host, self.host_only, self.path, self.name)

    @property
    def domain(self) -> str:
        """As http.cookiejar shows it: `.example.com` for a received `Domain=example.com`, `example.com` for
        a host alone."""
        return f".{self.host}" if self.dotted else self.host

    @domain.setter
    def domain(self, domain: str) -> None:
        self.host, self.host_only, self.dotted = place(domain)

    def is_expired(self, now: float | None = None) -> bool:
        """Whether its expiry has passed at `now` (seconds since 1970; the present by default)."""
        return self.expires is not None and self.expires <= (time.time() if now is None else now)

    def copy(self) -> Cookie:
        """An equal cookie that can be changed without the other."""
        return self.__copy__()

    def __copy__(self) -> Cookie:
        twin = Cookie.__new__(Cookie)
        for slot in Cookie.__slots__:
            setattr(twin, slot, getattr(self, slot))
        twin._extra = dict(self._extra) if self._extra else None
        return twin

    def bound_to(self, host: str) -> Cookie:
        """The same cookie for `host` alone: what becomes of one without a domain when it is sent for the
        first time."""
        twin = self.copy()
        twin.host, twin.host_only, twin._binding = host, True, None
        twin._extra = {**self.extra(), "bound": True}
        return twin

    def binding(self, host: str | None) -> str | None:
        """The host that this cookie, or a copy of it, was sent to first; `host` is from now on when there
        was none.
        """
        if self._binding is None or host is None:
            return (self._binding or {}).get("host")
        return self._binding.setdefault("host", host)

    def __repr__(self) -> str:
        return f"<Cookie {self.name} for {self.domain or 'the first host'}{self.path}>"  # never the value

    def extra(self) -> dict[str, Any]:
        """What http.cookiejar's cookies have and RFC 6265bis' have not, as far as it was set. Do not change
        it.
        """
        return self._extra or {}

    # --- http.cookiejar's names for the rest
    # ----------------------------------------------------------------------

    @property
    def domain_specified(self) -> bool:
        """Whether the server named a domain."""
        return not self.host_only

    @property
    def domain_initial_dot(self) -> bool:
        """Whether `domain` begins with a dot."""
        return self.dotted

    path_specified = True

    @property
    def version(self) -> int | None:
        """0, as all cookies of today."""
        found: int | None = self.extra().get("version", 0)
        return found

    @property
    def port(self) -> str | None:
        """RFC 2965's Port; kept, not looked at."""
        return self.extra().get("port")

    @property
    def port_specified(self) -> bool:
        """Whether there is a `port`."""
        return self.port is not None

    @property
    def comment(self) -> str | None:
        """RFC 2109's Comment; kept, not looked at."""
        return self.extra().get("comment")

    @property
    def comment_url(self) -> str | None:
        """RFC 2965's CommentURL; kept, not looked at."""
        return self.extra().get("comment_url")

    @property
    def rfc2109(self) -> bool:
        """Always False unless it was asked for."""
        return bool(self.extra().get("rfc2109", False))

    @property
    def bound(self) -> bool:
        """Whether it was set without a domain and is bound to the first host that it was sent to."""
        return bool(self.extra().get("bound", False))

    @property
    def _rest(self) -> dict[str, Any]:
        rest: dict[str, Any] = dict(self.extra().get("rest") or {})
        if self.httponly:
            rest.setdefault("HttpOnly", None)
        else:
            rest.pop("HttpOnly", None)
        if self.samesite is not None:
            rest["SameSite"] = self.samesite
        return rest

    def has_nonstandard_attr(self, name: str) -> bool:
        """Whether it has the attribute, such as `HttpOnly` or `SameSite`."""
        return name in self._rest

    def get_nonstandard_attr(self, name: str, default: Any = None) -> Any:
        """The value of such an attribute, else `default`."""
        return self._rest.get(name, default)

    def set_nonstandard_attr(self, name: str, value: Any) -> None:
        """Set such an attribute."""
        if name.lower() == "httponly":
            self.httponly = True
        elif name.lower() == "samesite":
            self.samesite = same_site_of(value)
        else:
            rest = {**(self.extra().get("rest") or {}), name: value}
            self._extra = {**self.extra(), "rest": rest}


def same_site_of(text: object) -> SameSite | None:
    """The SameSite that a text in any case means; None for other texts, and for what is no text."""
    return SAME_SITE.get(text.lower()) if isinstance(text, str) else None


@lru_cache(maxsize=1024)
def place(domain: str) -> tuple[str, bool, bool]:
    """Host, host-only and dotted of a domain as users write it: any case, Unicode or punycode, with a dot
    first or not."""
    dotted = domain.startswith(".")
    host = host_name(domain[1:] if dotted else domain)
    host_only = not host or is_address(host) or is_public_suffix(host)
    return host, host_only, dotted and not host_only


@lru_cache(maxsize=1024)
def host_name(text: str) -> str:
    """A host as the URLs of requests have it: lower case, punycode, an IPv6 address without brackets."""
    if not text:
        return ""
    bracketed = f"[{text}]" if ":" in text and not text.startswith("[") else text
    try:
        return ada_url.URL(f"http://{bracketed}/").hostname.strip("[]")
    except ValueError:
        return text.lower()

"""The Cookie header: its text, its limits, the order in it, and what stays out of requests that another site
caused.

What belongs here: what is done with cookies that match a request. What does not: which ones match
(cookiestore.py).
"""

from __future__ import annotations

from crawlkit.sessions.cookie import Cookie

# curl's figures. `Cookie: ` counts as a part of the 8,190.
MAX_SENT = 150
MAX_SENT_BYTES = 8190 - len("Cookie: ")

_LAX_UNSAFE_SECONDS = 120  # RFC 6265bis section 5.6.7.2: a young cookie without SameSite also goes with a POST
_SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS", "TRACE"))


def sending_order(cookie: Cookie) -> tuple[int, float]:
    """Longer paths first, then older cookies (section 5.8.3 step 2)."""
    return -len(cookie.path), cookie.creation


def crosses_sites(cookie: Cookie, method: str, now: float) -> bool:
    """Whether a cookie goes with a navigation that another site began (sections 5.8.3 and 5.6.7)."""
    if cookie.samesite == "None":
        return True
    if cookie.samesite == "Strict":
        return False
    safe = method.upper() in _SAFE_METHODS
    return safe or (cookie.samesite is None and now - cookie.creation <= _LAX_UNSAFE_SECONDS)


def header(cookies: list[Cookie]) -> str:
    """The cookies as a header's value, within the limits; one that does not fit is left out, smaller ones
    still go."""
    pairs = []
    room = MAX_SENT_BYTES + len("; ")
    for cookie in cookies[:MAX_SENT]:
        pair = f"{cookie.name}={cookie.value}" if cookie.name else cookie.value
        if not pair.isascii():
            pair = _wire(pair)
        size = len(pair) + len("; ")
        if size <= room:
            room -= size
            pairs.append(pair)
    return "; ".join(pairs)


def _wire(text: str) -> str:
    """Text that is not latin-1 (a user set it) goes as the bytes of its UTF-8."""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode().decode("latin-1")
    return text

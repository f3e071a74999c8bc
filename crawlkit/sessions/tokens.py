"""Tokens: what a token endpoint answers, read: the access token, the refresh token, and until when the first one holds.

What belongs here: finding them in a JSON object, the expiry that a JWT carries (RFC 7519), the form in which a profile
keeps them. What does not: asking the endpoint (tokenlogin.py), signing with them (tokenauth.py).
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

ACCESS_NAMES = ("access_token", "accessToken", "access", "token", "jwt", "auth_token", "authToken", "id_token", "key")
REFRESH_NAMES = ("refresh_token", "refreshToken", "refresh")

#: A token is renewed so long before it expires, at most; of a short life a tenth.
_MARGIN_SECONDS = 30.0
_DEEPEST = 4


class Tokens(NamedTuple):
    """What a login gave. Times are seconds since 1970 by this machine's clock; None: not known."""

    access: str
    refresh: str | None = None
    refresh_name: str = "refresh_token"
    expires: float | None = None
    renew: float | None = None

    def __repr__(self) -> str:
        return f"<Tokens{' with refresh' if self.refresh else ''}>"

    def kept(self, url: str) -> dict[str, Any]:
        """As JSON for a profile: these are for the login at `url` and nobody else."""
        return {"for": url, **self._asdict()}


def kept_tokens(state: Any, url: str) -> Tokens | None:
    """What `Tokens.kept` made, None when it is none or for another login."""
    if not isinstance(state, Mapping) or state.get("for") != url or not isinstance(state.get("access"), str):
        return None
    return Tokens(**{name: state[name] for name in Tokens._fields if name in state})


def read_tokens(
    answer: Mapping[str, Any],
    now: float,
    *,
    access: str | None = None,
    refresh: str | None = None,
    expires: str = "expires_in",
    before: Tokens | None = None,
) -> Tokens | None:
    """The tokens in an endpoint's answer; None when there is no access token.

    `access`, `refresh` and `expires` are dotted paths, None: the usual names, wherever they are. A refresh token that
    is not in the answer is the one of `before`: only servers that rotate them send a new one.
    """
    found = _at(answer, access) if access is not None else _search(answer, ACCESS_NAMES)[1]
    if not isinstance(found, str) or not found or not found.isprintable() or not found.isascii():
        return None
    if refresh is not None:
        name, renewing = refresh.rpartition(".")[2], _at(answer, refresh)
    else:
        name, renewing = _search(answer, REFRESH_NAMES)
    if not isinstance(renewing, str) or not renewing:
        name, renewing = (before.refresh_name, before.refresh) if before is not None else ("refresh_token", None)
    seconds = _seconds(_at(answer, expires))
    if seconds is None:
        seconds = _jwt_seconds(found, now)
    if seconds is None:
        return Tokens(found, renewing, name)
    return Tokens(found, renewing, name, now + seconds, now + seconds - min(_MARGIN_SECONDS, seconds / 10))


def names_in(answer: Any) -> str:
    """The names in an answer, never what stands there, for an error message."""
    return ", ".join(sorted(map(str, answer))) if isinstance(answer, Mapping) and answer else "nothing"


def _at(answer: Any, path: str) -> Any:
    for name in path.split("."):
        if not isinstance(answer, Mapping):
            return None
        answer = answer.get(name)
    return answer


def _search(answer: Mapping[str, Any], names: Iterable[str]) -> tuple[str, Any]:
    """The first text under one of `names`, the outer objects first."""
    level: deque[tuple[Mapping[str, Any], int]] = deque(((answer, 0),))
    while level:
        members, depth = level.popleft()
        for name in names:
            if isinstance(members.get(name), str) and members[name]:
                return name, members[name]
        if depth < _DEEPEST:
            level.extend((member, depth + 1) for member in members.values() if isinstance(member, Mapping))
    return "", None


def _seconds(value: Any) -> float | None:
    """A lifetime, which many servers write as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if 0 < seconds < 1e10 else None


def _jwt_seconds(token: str, now: float) -> float | None:
    """How long a JWT holds from now. By its own `iat` where it has one: the server's clock may be another than ours."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return None  # a token with two dots that is no JWT
    expires = claims.get("exp") if isinstance(claims, dict) else None
    issued = claims.get("iat", now) if isinstance(claims, dict) else now
    if not isinstance(expires, int | float) or not isinstance(issued, int | float):
        return None
    return max(float(expires) - float(issued), 0.0)

"""Digest authentication (RFC 7616): the password proves itself by a hash and never travels.

The server's 401 carries a challenge; the request is sent again with the answer, and the 401 stays in the
response's history. The nonce is kept for the thread and origin, so that the next request needs no second
trip. What does not belong here: reading challenges (challenge.py), deciding whether auth follows a redirect
(leaks.py: it takes our hook off a request that goes to another origin).
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from crawlkit.sessions.auth import Credentials
from crawlkit.sessions.body import rewind_body
from crawlkit.sessions.challenge import Challenge, parse_challenges
from crawlkit.sessions.cookies import extract_cookies_to_jar, get_cookie_header
from crawlkit.sessions.leaks import origin_of
from crawlkit.sessions.prepared import PreparedRequest
from crawlkit.sessions.redirects import finish
from crawlkit.sessions.response import Response
from crawlkit.sessions.target import path_url
from crawlkit.url import Origin

# The weakest first: of several challenges the strongest that we know is answered (RFC 7616 section 3.7).
_HASHES = {
    "MD5": "md5",
    "SHA": "sha1",
    "SHA-256": "sha256",
    "SHA-512-256": "sha512_256",
    "SHA-512": "sha512",
}
_PIECE = 256 * 1024
_STRENGTH = {name: rank for rank, name in enumerate(_HASHES)}


class _Nonce:
    """A server's challenge and how often its nonce was used."""

    __slots__ = ("count", "params")

    def __init__(self, params: dict[str, str]) -> None:
        self.params = params
        self.count = 0


class HTTPDigestAuth(Credentials):
    """Answers a server's digest challenge. Algorithms MD5, SHA, SHA-256, SHA-512-256 and SHA-512, each also
    as -SESS; qop auth, and auth-int where the server offers nothing else: then the body is hashed, a file read
    for it and put back, and a stream that cannot go back is left unsigned.

    May be shared between threads: each keeps its own nonces, bound to the origin that gave them.
    """

    status = 401
    asked_in = "www-authenticate"
    answered_in = "Authorization"

    def __init__(self, username: str | bytes, password: str | bytes) -> None:
        super().__init__(username, password)
        self._thread_local = threading.local()

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        header = self.build_digest_header(r.method or "", r.url or "", r if r.resendable else None)
        if header:
            r.headers[self.answered_in] = header
        r.register_hook("response", self.handle_401)
        return r

    def handle_401(self, r: Response, **kwargs: Any) -> Response:
        """The response to the answered challenge, or `r` when it is none. `kwargs` go to the adapter.

        Answers once for each request: a second 401 means that the password is wrong. UnrewindableBodyError
        when the body cannot be sent again.
        """
        request = r.request
        if r.status_code != self.status or getattr(request, "_challenged", False):
            return r
        challenge = strongest(parse_challenges(r.headers.get(self.asked_in) or ""))
        if challenge is None:
            return r
        self._nonces()[origin_of(request.url or "")] = _Nonce(challenge.params)
        header = self.build_digest_header(request.method or "", request.url or "", request)
        if header is None:
            return r
        return answer_again(r, self.answered_in, header, kwargs)

    def build_digest_header(self, method: str, url: str, request: PreparedRequest | None = None) -> str | None:
        """The header's value for a request, from the challenge last seen at the URL's origin; None without
        one, and for `auth-int` where there is no `request` whose body could be hashed.
        """
        nonce = self._nonces().get(origin_of(url))
        if nonce is None:
            return None
        params = nonce.params
        algorithm = params.get("algorithm", "MD5").upper()
        if not _is_known(algorithm):
            return None
        offered = [option.strip().lower() for option in params.get("qop", "").split(",") if option.strip()]
        qop, asked = "auth" if "auth" in offered else "", f"{method}:{self._uri(url)}"
        if offered and not qop:
            # RFC 7616 section 3.4.3
            if "auth-int" not in offered or request is None:
                return None
            qop, asked = "auth-int", f"{asked}:{_entity_hash(request, algorithm)}"
        nonce.count += 1
        return self._header(params, algorithm, qop, nonce.count, asked, self._uri(url))

    def init_per_thread_state(self) -> None:
        """Does nothing: a thread's nonces are there when they are first asked for. requests' subclasses call it."""

    def handle_redirect(self, r: Response, **kwargs: Any) -> None:
        """Does nothing: each request is answered once, whatever came before it. requests' subclasses call it."""

    def _header(self, params: dict[str, str], algorithm: str, qop: str, count: int, asked: str, uri: str) -> str:
        hashed = _hasher(algorithm)
        realm, server_nonce = params.get("realm", ""), params["nonce"]
        username, password = _text(self.username), _text(self.password)
        client_nonce, uses = secrets.token_hex(8), f"{count:08x}"
        secret = hashed(f"{username}:{realm}:{password}")
        if algorithm.endswith("-SESS"):
            secret = hashed(f"{secret}:{server_nonce}:{client_nonce}")
        middle = f"{server_nonce}:{uses}:{client_nonce}:{qop}" if qop else server_nonce
        if params.get("userhash", "").lower() == "true":
            name = f'username="{hashed(f"{username}:{realm}")}", userhash=true'
        else:
            name = _username(username)
        fields = [
            name,
            f"realm={_quoted(realm)}",
            f"nonce={_quoted(server_nonce)}",
            f"uri={_quoted(uri)}",
            f'response="{hashed(f"{secret}:{middle}:{hashed(asked)}")}"',
        ]
        if "opaque" in params:
            fields.append(f"opaque={_quoted(params['opaque'])}")
        # RFC 7616 section 3.4 has these two without quotes; with them is what requests has sent for ten
        # years, and there are servers that read nothing else.
        if "algorithm" in params:
            fields.append(f"algorithm={_quoted(params['algorithm'])}")
        if qop:
            fields.append(f'qop="{qop}", nc={uses}, cnonce="{client_nonce}"')
        elif algorithm.endswith("-SESS"):
            fields.append(f'cnonce="{client_nonce}"')
        return "Digest " + ", ".join(fields)

    def _uri(self, url: str) -> str:
        return path_url(url)

    def _nonces(self) -> dict[Origin, _Nonce]:
        nonces: dict[Origin, _Nonce] | None = getattr(self._thread_local, "nonces", None)
        if nonces is None:
            nonces = self._thread_local.nonces = {}
        return nonces

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_thread_local"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._thread_local = threading.local()


class HTTPProxyDigestAuth(HTTPDigestAuth):
    """Answers a proxy's digest challenge (407), for http URLs: over https the server would get the answer
    instead.
    """

    status = 407
    asked_in = "proxy-authenticate"
    answered_in = "Proxy-Authorization"

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        return super().__call__(r) if (r.url or "").startswith("http://") else r

    def _uri(self, url: str) -> str:
        # To a proxy the target is in absolute form (RFC 9112 section 3.2.2).
        origin = origin_of(url)
        return f"{origin}{path_url(url)}"


def answer_again(r: Response, name: str, value: str, kwargs: dict[str, Any]) -> Response:
    """The response to the request of `r`, a refusal, sent once more with the header `name`; `r` is in its history.

    The refusal's body is read as a redirect's is, so that its connection is free again. `kwargs` go to the adapter.
    UnrewindableBodyError when the request's body cannot be sent again.
    """
    if not r.request.resendable:
        rewind_body(r.request)
    finish(r)
    r.close()
    again: PreparedRequest = r.request.copy()
    # Copies do not carry the mark: a redirect that follows may be challenged anew.
    again._challenged = True  # type: ignore[attr-defined]
    if isinstance(again.body_position, int):
        rewind_body(again)
    if again._cookies is not None:
        _take_cookies(again, r)
    again.headers[name] = value
    response: Response = r.connection.send(again, **kwargs)
    response.history.append(r)
    response.request = again
    response.session = r.session
    return response


def _take_cookies(again: PreparedRequest, r: Response) -> None:
    """The cookies of the challenge go with the answer; a Cookie header that the author wrote stays as it is."""
    before = get_cookie_header(again._cookies, again)
    extract_cookies_to_jar(again._cookies, r.request, r.raw)
    if again.headers.get("Cookie") == before:
        again.headers.pop("Cookie", None)
        again.prepare_cookies(again._cookies)


def strongest(challenges: list[Challenge]) -> Challenge | None:
    """The digest challenge with the best algorithm that we know; None when there is none to answer."""
    usable = [
        challenge
        for challenge in challenges
        if challenge.scheme == "digest"
        and challenge.params.get("nonce")
        and _is_known(challenge.params.get("algorithm", "MD5").upper())
    ]
    return max(
        usable,
        key=lambda challenge: _STRENGTH[_family(challenge.params.get("algorithm", "MD5").upper())],
        default=None,
    )


def _family(algorithm: str) -> str:
    return algorithm.removesuffix("-SESS")


def _is_known(algorithm: str) -> bool:
    return _HASHES.get(_family(algorithm)) in hashlib.algorithms_available


def _hasher(algorithm: str) -> Callable[[str], str]:
    name = _HASHES[_family(algorithm)]
    return lambda text: hashlib.new(name, text.encode("utf-8"), usedforsecurity=False).hexdigest()


def _entity_hash(request: PreparedRequest, algorithm: str) -> str:
    """The hash of the request's body. UnrewindableBodyError for a stream that could not be sent after it was read."""
    if not request.resendable:
        rewind_body(request)
    entity = hashlib.new(_HASHES[_family(algorithm)], usedforsecurity=False)
    for piece in _pieces(request):
        entity.update(piece.encode("utf-8") if isinstance(piece, str) else piece)
    return entity.hexdigest()


def _pieces(request: PreparedRequest) -> Iterator[Any]:
    body = request.body
    if body is None or isinstance(body, (str, bytes, bytearray, memoryview)):
        yield body or b""
    elif isinstance(body, (list, tuple)):
        yield from body
    else:
        rewind_body(request)
        while piece := body.read(_PIECE):
            yield piece
        rewind_body(request)


def _text(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def _quoted(value: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'


def _username(name: str) -> str:
    """`username`, or `username*` (RFC 8187) for a name that a header cannot hold as it is."""
    if any(char < " " for char in name) or not name.isascii():
        return f"username*=UTF-8''{quote(name, safe='')}"
    return f"username={_quoted(name)}"

"""Totp: one-time codes from a secret and the time (RFC 6238, on RFC 4226), as an authenticator app shows them.

What belongs here: reading a secret in the forms in which sites hand it out, the code of a point of time, and giving no
code twice. What does not: where the secret is kept (crawl/credentials.py).

A server takes each code once (RFC 6238 section 5.2), and refuses a second login with the same one as it refuses a wrong
password. So a code that was given away in this process is not given again: who asks within the same period waits for
the next one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import threading
import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from crawlkit.exceptions import ConfigError

#: The algorithms that RFC 6238 names, as otpauth:// spells them.
_ALGORITHMS = ("SHA1", "SHA256", "SHA512")
_DIGITS = range(4, 11)  # RFC 4226 cuts 31 bits out of the hash: more than ten digits do not exist
_PERIODS = range(1, 3601)

#: Hash of a secret → the numbers of the last periods whose codes were given away, for the whole process.
_given: dict[bytes, list[int]] = {}
_giving = threading.Lock()
_REMEMBERED = 20  # a clock may be set back by some periods


class Totp:
    """The one-time codes of one secret. Its repr and errors do not tell the secret. Any thread.

    `text` is the secret in base32, in either case, with or without spaces, dashes and padding, or the whole
    `otpauth://totp/...` URI behind a QR code, with its digits, period and algorithm. ConfigError when it is neither.
    """

    def __init__(self, text: str) -> None:
        text = text.strip()
        given: dict[str, str] = {}
        if text.lower().startswith("otpauth:"):
            given = _parameters(text)
            text = given.get("secret", "")
        self._key = _key(text)
        self._algorithm = given.get("algorithm", "SHA1").upper().replace("-", "")
        if self._algorithm not in _ALGORITHMS:
            raise ConfigError(f"the TOTP secret asks for an algorithm that is none of {', '.join(_ALGORITHMS)}")
        self.digits = _number(given, "digits", 6, _DIGITS)
        #: Seconds for which a code holds.
        self.period = _number(given, "period", 30, _PERIODS)

    def __repr__(self) -> str:
        return f"<Totp {self.digits} digits, {self.period} s>"

    def __reduce__(self) -> str:
        raise TypeError("a TOTP secret is not pickled")

    def at(self, seconds: float) -> str:
        """The code at a point of time, in seconds since 1970."""
        return self._code(int(seconds // self.period))

    def code(self, *, clock: Callable[[], float] = time.time, sleep: Callable[[float], object] = time.sleep) -> str:
        """A code that holds now and was not given before in this process.

        Waits for the next period, 30 seconds at most with the usual secrets, when this one's was.
        """
        name = hashlib.sha256(self._key).digest()
        while True:
            now = clock()
            period = int(now // self.period)
            with _giving:
                given = _given.setdefault(name, [])
                if period not in given:
                    _given[name] = [*given[1 - _REMEMBERED :], period]
                    return self._code(period)
            sleep((period + 1) * self.period - now)

    def _code(self, period: int) -> str:
        """RFC 4226 section 5.3, with the number of the period as the counter."""
        digest = hmac.new(self._key, period.to_bytes(8, "big"), getattr(hashlib, self._algorithm.lower())).digest()
        start = digest[-1] & 0x0F
        number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
        return str(number % 10**self.digits).zfill(self.digits)


def _parameters(uri: str) -> dict[str, str]:
    """What an otpauth URI says, by lower-case name."""
    try:
        parts = urlsplit(uri)
        if parts.netloc.lower() != "totp":
            raise ConfigError(
                "the TOTP secret is an otpauth:// URI of another kind: it must begin with otpauth://totp/"
            )
        found = parse_qs(parts.query)
    except ValueError:
        raise ConfigError("the TOTP secret is an otpauth:// URI that cannot be read") from None
    return {name.lower(): values[0] for name, values in found.items()}


def _key(text: str) -> bytes:
    plain = "".join(text.split()).replace("-", "").rstrip("=").upper()
    try:
        key = base64.b32decode(plain + "=" * (-len(plain) % 8))
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ConfigError(
            "the TOTP secret is not base32: it is the letters A to Z and digits 2 to 7 that the site shows beside the "
            "QR code, or the otpauth:// URI in it"
        )
    return key


def _number(given: dict[str, str], name: str, usual: int, allowed: range) -> int:
    text = given.get(name, str(usual))
    if not text.isdecimal() or int(text) not in allowed:
        raise ConfigError(f"the TOTP secret's {name} must be a number from {allowed[0]} to {allowed[-1]}")
    return int(text)

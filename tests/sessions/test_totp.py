"""Totp: the codes of RFC 6238, the forms of a secret, and no code twice."""

from __future__ import annotations

import base64
import pickle

import pytest

from crawlkit.exceptions import ConfigError
from crawlkit.sessions.totp import Totp

# RFC 6238, appendix B. The seeds are those of the reference implementation: the digits again up to the hash's length.
SEEDS = {
    "SHA1": b"12345678901234567890",
    "SHA256": b"12345678901234567890123456789012",
    "SHA512": b"1234567890123456789012345678901234567890123456789012345678901234",
}
VECTORS = [
    (59, "94287082", "46119246", "90693936"),
    (1111111109, "07081804", "68084774", "25091201"),
    (1111111111, "14050471", "67062674", "99943326"),
    (1234567890, "89005924", "91819424", "93441116"),
    (2000000000, "69279037", "90698825", "38618901"),
    (20000000000, "65353130", "77737706", "47863826"),
]
SECRET = base64.b32encode(SEEDS["SHA1"]).decode()


def uri(algorithm: str, digits: int = 8, period: int = 30) -> str:
    secret = base64.b32encode(SEEDS[algorithm]).decode().rstrip("=")
    return f"otpauth://totp/Site:me?secret={secret}&issuer=Site&algorithm={algorithm}&digits={digits}&period={period}"


@pytest.mark.parametrize(("seconds", "sha1", "sha256", "sha512"), VECTORS)
def test_vectors_of_rfc_6238(seconds: int, sha1: str, sha256: str, sha512: str) -> None:
    assert [sha1, sha256, sha512] == [Totp(uri(algorithm)).at(seconds) for algorithm in SEEDS]


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        SECRET.lower(),
        " ".join(SECRET[at : at + 4] for at in range(0, len(SECRET), 4)),
        f"  {'-'.join((SECRET[:10], SECRET[10:]))}\n",
        f"OTPAUTH://TOTP/me?Secret={SECRET.lower()}",
    ],
)
def test_a_secret_is_read_as_sites_show_it(text: str) -> None:
    """Six digits and thirty seconds unless a URI says otherwise."""
    assert "287082" == Totp(text).at(59)


def test_padding_is_made_up() -> None:
    key = b"twelve bytes"
    whole = base64.b32encode(key).decode()
    assert whole.endswith("=")
    assert Totp(whole).at(0) == Totp(whole.rstrip("=")).at(0)


def test_the_period_of_a_uri_counts() -> None:
    assert Totp(uri("SHA1", 8, 60)).at(118) == Totp(uri("SHA1")).at(59)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "not base32"),
        ("hunter2!", "not base32"),
        ("otpauth://totp/me?issuer=x", "not base32"),
        (f"otpauth://hotp/me?secret={SECRET}", "another kind"),
        (f"otpauth://totp/me?secret={SECRET}&digits=99", "digits must be"),
        (f"otpauth://totp/me?secret={SECRET}&period=0", "period must be"),
        (f"otpauth://totp/me?secret={SECRET}&algorithm=MD5", "algorithm"),
    ],
)
def test_what_is_no_secret_is_refused_and_not_repeated(text: str, match: str) -> None:
    with pytest.raises(ConfigError, match=match) as caught:
        Totp(text)
    assert "hunter2" not in str(caught.value)
    assert SECRET not in str(caught.value)


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_no_code_is_given_twice() -> None:
    """A server refuses the second use: who asks again waits for the next period, also by another object."""
    clock = Clock(1000.0)
    secret = base64.b32encode(b"given once, and no more").decode()
    codes = [Totp(secret).code(clock=clock, sleep=clock.sleep) for _ in range(3)]
    assert [20.0, 30.0] == clock.slept
    assert codes == [Totp(secret).at(at) for at in (1000, 1020, 1050)]
    clock.now = 1000.0  # a clock that was set back gives none of them again
    assert Totp(secret).at(1080) == Totp(secret).code(clock=clock, sleep=clock.sleep)


def test_the_secret_does_not_show() -> None:
    totp = Totp(SECRET)
    assert "<Totp 6 digits, 30 s>" == repr(totp)
    with pytest.raises(TypeError):
        pickle.dumps(totp)

"""Cipher: the values of a vault as nobody reads them without its key. With the extra [vault] (cryptography).

What belongs here: from a key as users have it to one for the vault, sealing and unsealing a value. What does not: where
the key is found (vaultkey.py), which columns are sealed (vaultrows.py).

A value is sealed with AES-256-GCM under a nonce of its own. What names its row, and everything in the row that stays
readable, is authenticated with it: a value moved to another row, another profile or another vault does not open, nor
does one whose cookie lost its Secure. (An older copy of the same row does: no key can tell that it is old.)

A passphrase becomes a key by scrypt, which makes guessing slow (a quarter of a second, 64 MiB); a key that
`crawlkit session key` printed is long enough as it is. Either is mixed with the vault's salt, so that two vaults never
share one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Self

from crawlkit.exceptions import ConfigError, StorageError

#: What a key made by `new_key` begins with; anything else is a passphrase.
PREFIX = "ckvault1_"

_KEY_BYTES = 32
_SALT_BYTES = 16
_NONCE_BYTES = 12  # NIST SP 800-38D section 8.2.2: random nonces of 96 bits serve 2**32 values
# OWASP's cheat sheet names these as equal to N=2**17, p=1, at half of its memory.
_SCRYPT = {"n": 2**16, "r": 8, "p": 2, "maxmem": 96 * 2**20, "dklen": _KEY_BYTES}
_PROOF = ("proof",)


class Encryption(NamedTuple):
    """What an encrypted vault says about its key: the salt, and a sealed value by which a wrong key is known."""

    salt: bytes
    proof: bytes


class Cipher:
    """Seals and unseals the values of one vault, `path`. Any thread.

    ConfigError when the extra [vault] is not installed.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        try:
            from cryptography.exceptions import InvalidTag
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        except ImportError:
            raise ConfigError(
                f"the vault {path} is to be encrypted, which needs the extra [vault]: pip install 'crawlkit[vault]'"
            ) from None
        self._path = path
        self._aead = AESGCM(key)
        self._invalid: type[Exception] = InvalidTag

    def __repr__(self) -> str:
        return f"<Cipher of {self._path}>"

    @classmethod
    def create(cls, path: Path, text: str) -> tuple[Encryption, Self]:
        """A new vault's salt and cipher for the key or passphrase `text`."""
        salt = os.urandom(_SALT_BYTES)
        cipher = cls(path, _derived(text, salt))
        return Encryption(salt, cipher.seal("", _PROOF)), cipher

    @classmethod
    def open(cls, path: Path, encryption: Encryption, text: str) -> Self | None:
        """The cipher of a vault that is encrypted; None when `text` is not its key."""
        cipher = cls(path, _derived(text, encryption.salt))
        try:
            cipher._unsealed(encryption.proof, _PROOF)
        except cipher._invalid:
            return None
        return cipher

    def seal(self, value: str | bytes, row: Iterable[Any]) -> bytes:
        """`value` sealed. `row`: what it belongs to, the same when it is unsealed."""
        nonce = os.urandom(_NONCE_BYTES)
        plain = b"b" + value if isinstance(value, bytes) else b"s" + value.encode("utf-8")
        return nonce + self._aead.encrypt(nonce, plain, _identity(row))

    def unseal(self, sealed: object, row: Iterable[Any], *, what: str) -> str | bytes:
        """The value. StorageError, naming `what` it is, when it was not sealed with this key for this row."""
        try:
            if not isinstance(sealed, bytes):
                raise self._invalid
            plain = self._unsealed(sealed, row)
        except self._invalid:
            raise StorageError(
                f"the vault {self._path}: {what} was changed by something other than crawlkit, or is damaged; it was left "
                "as it is: put a copy of the vault back, or forget the profile and log in anew"
            ) from None
        return plain[1:] if plain[:1] == b"b" else plain[1:].decode("utf-8")

    def _unsealed(self, sealed: bytes, row: Iterable[Any]) -> bytes:
        if len(sealed) < _NONCE_BYTES:
            raise self._invalid
        return self._aead.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _identity(row))


def new_key() -> str:
    """A key that nobody can guess: 256 bits, as text for an environment variable."""
    return PREFIX + base64.urlsafe_b64encode(os.urandom(_KEY_BYTES)).decode().rstrip("=")


def check_new_key(text: str) -> None:
    """ConfigError when `text` would make a bad key for a new encryption."""
    if text.startswith(PREFIX):
        _decoded(text)
    elif len(text) < 12:
        raise ConfigError(
            "the vault's passphrase has fewer than 12 characters: take a longer one, or the key that "
            "`crawlkit session key` prints"
        )


@lru_cache(maxsize=16)  # each session of a run opens the vault; deriving takes a quarter of a second
def _derived(text: str, salt: bytes) -> bytes:
    if text.startswith(PREFIX):
        return hmac.digest(_decoded(text), b"crawlkit vault" + salt, "sha256")
    # One passphrase, however the keyboard composes its accents.
    passphrase = unicodedata.normalize("NFC", text).encode("utf-8", "surrogateescape")
    return hashlib.scrypt(passphrase, salt=salt, **_SCRYPT)


def _decoded(text: str) -> bytes:
    body = text.removeprefix(PREFIX).strip()
    try:
        key = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise ConfigError(
            f"the vault's key begins with {PREFIX} but is not whole: copy it again as `crawlkit session key` printed it"
        )
    return key


def _identity(row: Iterable[Any]) -> bytes:
    """What a value is bound to, as SQLite gives it back: its columns turn True into 1 and 1.0 into 1."""
    parts = [part if part is None or isinstance(part, str) else float(part) for part in row]
    return json.dumps(parts).encode()

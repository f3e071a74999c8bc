"""Pseudonyms: what stands in an archive in the place of a secret.

What belongs here: making them. What does not: where secrets are (substitution.py), which there are (registry.py).

A pseudonym is as long as its secret and belongs to it: the same wherever the secret stands, so that a link still leads
to the page that was archived under it, and the same next month, so that a page that did not change is known again. It is
made with a key (HMAC-SHA-256, RFC 2104), without which nobody can try what a short secret was. Letters, digits and what
is rare become letters and digits; `/`, `=`, `&` and the like stay where they are, so that a secret in which they had to be
escaped keeps its length when it is replaced within the escaped text.
"""

from __future__ import annotations

import hmac
from string import ascii_letters, digits

from crawlkit.sessions.secretforms import PERCENT

_ALPHABET = (ascii_letters + digits)[:62]
_KEPT = frozenset("-._~:/+=&<>\"'\\")
_LEAST_CHANGED = 6
_REMEMBERED = 4096


class Pseudonyms:
    """The pseudonyms of one key. Any thread may call anything."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._made: dict[str, str] = {}

    def of(self, secret: str) -> str:
        """The pseudonym of a secret, which is flat (secretforms.py), as the pseudonym is. `""` for `""`.

        One that is percent-encoded has the pseudonym of what it says, percent-encoded.
        """
        made = self._made.get(secret)
        if made is None:
            decoded = PERCENT.decoded(secret) if "%" in secret else secret
            made = self._new(secret) if decoded == secret else PERCENT.rewritten(secret, self.of(decoded))
            if len(self._made) >= _REMEMBERED:
                self._made.clear()
            self._made[secret] = made
        return made

    def _new(self, secret: str) -> str:
        changed = sum(character not in _KEPT for character in secret)
        kept = _KEPT if changed >= max(_LEAST_CHANGED, len(secret) / 2) else frozenset()
        made = secret
        attempt = 0
        while made == secret and secret:
            stream = self._stream(secret, attempt)
            made = "".join(
                character if character in kept else _ALPHABET[number % len(_ALPHABET)]
                for character, number in zip(secret, stream, strict=False)
            )
            attempt += 1
        return made

    def _stream(self, secret: str, attempt: int) -> bytes:
        data = secret.encode("latin-1")
        blocks = range(len(data) // 32 + 1)
        return b"".join(hmac.digest(self._key, b"%d %d " % (attempt, block) + data, "sha256") for block in blocks)

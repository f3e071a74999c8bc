"""Secret index: finds many secrets at once in much data, as they are, in base64, in hex and in UTF-16.

What belongs here: the written forms that no escaping makes, and where they are. What does not: escapes
(substitution.py), which values are secrets (registry.py).

All forms are looked for in one pass over the data, by automata (Aho and Corasick, "Efficient string matching", CACM
1975) that a library builds and runs without holding the other threads up: 95 KB take 0.02 ms with one secret and 0.2 with
any number of them. A secret that is learnt comes into a small automaton of its own, and small ones are made into a
larger one now and then, so that a site with a new token in each page does not have all of them built anew for each.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ahocorasick_rs import BytesAhoCorasick, Implementation

from crawlkit.archive.pseudonyms import Pseudonyms
from crawlkit.sessions.secretforms import base64_forms, base64_pieces, hex_forms, readings, unflat

_ALPHABETS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + last for last in ("+/", "-_"))
_URLSAFE = str.maketrans("+/", "-_")
_HEX = re.compile("[0-9a-fA-F-]{16,}")
_BEGINNING = 24  # bytes of a form that are looked for; it is rare that two have the same
_GROWTH = 8  # an automaton is at least so many times as large as the one that was built after it


class Form(NamedTuple):
    """One way of writing a secret. `reading` is the secret, flat; `kind` says how it is written; `before`: for base64,
    how many bytes are before it in its group of three.
    """

    written: bytes
    reading: str
    kind: str
    before: int = 0


class Hit(NamedTuple):
    """Where a form is."""

    start: int
    form: Form


class SecretIndex:
    """Secrets, and finding them. Adding is for one thread at a time, everything else for any."""

    def __init__(self) -> None:
        self._automata: tuple[_Automaton, ...] = ()
        self._readings: set[str] = set()
        self.longest = 0
        """Bytes of the longest secret."""
        self.shortest = sys.maxsize
        """Bytes of the shortest one."""
        self.spaced = False
        """Whether there is a space in one."""
        self.delimiters = _delimiters(())
        """For bytes.translate: every byte that is in no written form of a secret becomes a line feed."""

    def __len__(self) -> int:
        return len(self._readings)

    def add(self, secrets: Iterable[str], *, least: int) -> None:
        """Find `secrets` from now on, in those of their readings that have `least` bytes or more."""
        fresh = {reading for secret in secrets for reading in readings(secret) if len(reading) >= least}
        fresh -= self._readings
        if not fresh:
            return
        self._readings |= fresh
        self.longest = max(self.longest, *map(len, fresh))
        self.shortest = min(self.shortest, *map(len, fresh))
        self.spaced = self.spaced or any(" " in reading for reading in fresh)
        new = set("".join(fresh).encode("latin-1"))
        if any(self.delimiters[byte] != byte for byte in new):
            self.delimiters = _delimiters(byte for byte in range(256) if self.delimiters[byte] == byte or byte in new)
        self._put([form for reading in fresh for form in forms(reading)])

    def _put(self, fresh: list[Form]) -> None:
        automata = list(self._automata)
        while automata and len(automata[-1].forms) < len(fresh) * _GROWTH:
            fresh = automata.pop().forms + fresh
        self._automata = (*automata, _Automaton(fresh))

    def hits(self, data: bytes) -> list[Hit]:
        """The places of forms in `data`; they may overlap. Of those of one kind at one place the longest is told."""
        return [hit for automaton in self._automata for hit in automaton.hits(data)]


class _Automaton:
    """Finds all of `forms` at once, by their beginnings: an automaton takes half a kilobyte for each byte. Does not change.

    Of forms of one kind that begin at one place the longest is found: the others lie within it.
    """

    def __init__(self, forms: list[Form]) -> None:
        self.forms = forms
        begun: dict[bytes, list[Form]] = {}
        for form in sorted(forms, key=lambda form: -len(form.written)):
            begun.setdefault(form.written[:_BEGINNING], []).append(form)
        self._begun = list(begun.values())
        # Of the kinds of automata the one that is built soonest: others are faster by half and take twelve times as long.
        self._search = BytesAhoCorasick(list(begun), implementation=Implementation.ContiguousNFA)

    def hits(self, data: bytes) -> list[Hit]:
        found: list[Hit] = []
        for which, start, _ in self._search.find_matches_as_indexes(data, overlapping=True):
            kinds: set[str] = set()
            for form in self._begun[which]:
                if form.kind not in kinds and data.startswith(form.written, start):
                    kinds.add(form.kind)
                    found.append(Hit(start, form))
        return found


def forms(reading: str) -> Iterator[Form]:
    """How a secret is written without any escape."""
    yield Form(reading.encode("latin-1"), reading, "plain")
    if _HEX.fullmatch(reading):  # a UUID, or what a program wrote with %X and another with %x
        for written in {reading.lower(), reading.upper()} - {reading}:
            yield Form(written.encode("ascii"), reading, "plain")
    for digits in hex_forms(reading):
        yield Form(digits.encode("ascii"), reading, "hex")
    pieces = {text.translate(change): before for before, _, text in base64_pieces(reading) for change in ({}, _URLSAFE)}
    for text in base64_forms(reading):
        yield Form(text.encode("ascii"), reading, "base64", pieces.get(text, 0))
    for coding in ("utf-16-le", "utf-16-be"):
        yield Form(unflat(reading).encode(coding, "surrogatepass"), reading, coding)


def painted(data: bytes, hits: list[Hit], pseudonyms: Pseudonyms) -> bytes:
    """`data` with the pseudonym of each secret in its place, written as the secret was; as long as before."""
    out = bytearray(data)
    for start, form in sorted(hits, key=lambda hit: len(hit.form.written)):  # the longest has the last word
        size = len(form.written)
        pseudonym = pseudonyms.of(form.reading)
        if form.kind == "base64":
            _paint_base64(out, start, form, pseudonym)
        elif form.kind == "hex":
            digits = pseudonym.encode("latin-1").hex()
            out[start : start + size] = (digits.upper() if form.written.isupper() else digits).encode("ascii")
        elif form.kind == "plain":
            out[start : start + size] = pseudonym.encode("latin-1")
        else:
            out[start : start + size] = pseudonym.encode(form.kind)[:size]
    return bytes(out)


def _paint_base64(out: bytearray, start: int, form: Form, pseudonym: str) -> None:
    """Write the characters that are the secret's own, and its bits of those that it shares with its neighbours."""
    size = len(form.written)
    alphabet = _ALPHABETS[b"-" in form.written or b"_" in form.written]
    first = (0, 2, 3)[form.before]
    bits = 8 * (form.before + len(pseudonym))
    padding = -bits % 6
    number = int.from_bytes(pseudonym.encode("latin-1"), "big") << padding

    def sextet(index: int) -> int:
        return number >> (bits + padding - 6 * (index + 1)) & 63

    shared_before = (0, 4, 2)[form.before]
    if shared_before and start:
        _share(out, start - 1, alphabet, sextet(first - 1), (1 << shared_before) - 1)
    for index in range(size):
        value = sextet(first + index)
        if out[start + index] != ord("="):
            out[start + index] = ord(alphabet[value])
    shared_after = bits % 6
    if shared_after and size == bits // 6 - first and start + size < len(out):
        _share(out, start + size, alphabet, sextet(first + size), 63 ^ (1 << (6 - shared_after)) - 1)


def _share(out: bytearray, place: int, alphabet: str, value: int, mask: int) -> None:
    """Replace those bits of one character of base64 that `mask` says."""
    old = alphabet.find(chr(out[place]))
    if old >= 0:
        out[place] = ord(alphabet[old & ~mask | value & mask])


def _delimiters(inside: Iterable[int]) -> bytes:
    always = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=%&#;\\"
    wanted = frozenset((*always, *inside))
    return bytes(byte if byte in wanted else 0x0A for byte in range(256))

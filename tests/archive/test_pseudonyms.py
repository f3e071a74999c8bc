"""Pseudonyms: as long as the secret, its own for ever, and of no use to anybody."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crawlkit.archive.pseudonyms import Pseudonyms
from crawlkit.sessions.secretforms import PERCENT

FLAT = st.text(st.characters(max_codepoint=0xFF), max_size=80)


@given(secret=FLAT)
def test_a_pseudonym_is_as_long_and_another(secret: str) -> None:
    made = Pseudonyms(b"key").of(secret)
    assert len(secret) == len(made)
    assert (made != secret) == bool(secret)
    assert made == Pseudonyms(b"key").of(secret)


@given(secret=st.text(st.sampled_from("%2F4aé /"), max_size=24))
def test_a_secret_that_is_percent_encoded_has_the_pseudonym_of_what_it_says(secret: str) -> None:
    """A cookie is written encoded by some and decoded by others."""
    pseudonyms = Pseudonyms(b"key")
    decoded = PERCENT.decoded(secret)
    if "%" not in decoded:
        assert pseudonyms.of(decoded) == PERCENT.decoded(pseudonyms.of(secret))


def test_another_key_or_another_secret_makes_another_pseudonym() -> None:
    made = {Pseudonyms(key).of(secret) for key in (b"one", b"two") for secret in ("abcdefgh1", "abcdefgh2")}
    assert 4 == len(made)


def test_what_is_escaped_in_texts_stays_where_it_is() -> None:
    """So that a secret keeps its length when it is replaced within an escaped text."""
    made = Pseudonyms(b"key").of('ab12/cd34+ef==&"gh"')
    assert [4, 9, 12, 13, 14, 15, 18] == [at for at, letter in enumerate(made) if not letter.isalnum()]


def test_a_secret_of_hardly_any_letters_is_replaced_whole() -> None:
    assert Pseudonyms(b"key").of("-./:=+&-").isalnum()


def test_letters_beyond_ascii_become_such_as_may_be_in_a_url() -> None:
    made = Pseudonyms(b"key").of("pÃ¤ssword1")
    assert made.isascii()
    assert made.isalnum()

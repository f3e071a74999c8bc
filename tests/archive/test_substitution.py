"""Substitution: no written form of a secret is left, nothing else changes, and the length stays."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from html import escape, unescape
from itertools import pairwise
from urllib.parse import quote, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlkit.archive.pseudonyms import Pseudonyms
from crawlkit.archive.secretindex import SecretIndex
from crawlkit.archive.substitution import Seen, Substitution
from tests.archive.naive import leaks, written

SECRET = "s3cr3t/Val+ue=="
PSEUDONYMS = Pseudonyms(b"k" * 32)
#: What a server or a person may make up, with all that needs escaping somewhere.
SECRETS = st.text(
    st.characters(codec="utf-8", min_codepoint=0x21, max_codepoint=0x2FFF, exclude_categories=("Cs", "Cc", "Zs")),
    min_size=8,
    max_size=40,
).filter(lambda secret: len(set(secret)) > 3)
AROUND = st.binary(max_size=40)


def knowing(*secrets: str, least: int = 8) -> Substitution:
    index = SecretIndex()
    index.add(secrets, least=least)
    return Substitution(index, PSEUDONYMS)


def cleaned(substitution: Substitution, data: bytes) -> bytes:
    return substitution.applied(data, Seen())


@given(secret=SECRETS, before=AROUND, after=AROUND, data=st.data())
@settings(max_examples=60, deadline=None)
def test_no_coding_of_a_secret_survives(secret: str, before: bytes, after: bytes, data: st.DataObject) -> None:
    """Whatever the secret, whatever is around it, and whichever way of writing it."""
    name, form = data.draw(st.sampled_from(sorted(written(secret).items())))
    page = before + b" " + form + b" " + after
    seen = Seen()
    clean = knowing(secret).applied(page, seen)
    assert [] == leaks(secret, clean), name
    assert len(page) == len(clean)
    assert seen


@given(secret=SECRETS, form=st.data(), cuts=st.lists(st.integers(0, 3000), max_size=6), fill=st.integers(0, 1200))
@settings(max_examples=40, deadline=None)
def test_a_secret_across_the_ends_of_pieces_does_not_survive(
    secret: str, form: st.DataObject, cuts: list[int], fill: int
) -> None:
    """And the result does not depend on how the data is cut, nor on where the windows end."""
    substitution = knowing(secret)
    _, text = form.draw(st.sampled_from(sorted(written(secret).items())))
    data = b"<p>filling " * fill + text + b" and " * 400 + text + b" end"
    edges = sorted({0, *(min(cut, len(data)) for cut in cuts), len(data)})
    pieces = [data[start:end] for start, end in pairwise(edges)]
    clean = b"".join(substitution.pieces(pieces, Seen(), window=1000))
    assert [] == leaks(secret, clean)
    assert cleaned(substitution, data) == clean


@pytest.mark.parametrize(
    "form", [SECRET.encode(), quote(SECRET, safe="").encode(), base64.b64encode(b"ab" + SECRET.encode())]
)
def test_a_secret_at_the_end_of_a_window_is_replaced_whole(form: bytes) -> None:
    """Wherever the end lies in it; what comes in one piece and what comes byte by byte."""
    substitution = knowing(SECRET)
    for start in range(1000 - len(form), 1001):
        data = b" " * start + form + b" " * (2000 + substitution.reach)
        whole = cleaned(substitution, data)
        assert whole == b"".join(substitution.pieces([data], Seen(), window=1000))
        assert whole == b"".join(substitution.pieces([data[:1000], data[1000:]], Seen(), window=1000))
        short = data[: start + len(form)]
        assert whole[: len(short)] == b"".join(substitution.pieces([short[:-1], short[-1:]], Seen(), window=1000))


@given(secret=SECRETS, data=st.binary(max_size=300))
@settings(max_examples=60, deadline=None)
def test_data_without_a_secret_is_the_same_object(secret: str, data: bytes) -> None:
    seen = Seen()
    clean = knowing(secret).applied(data, seen)
    assert seen or clean is data


@given(secrets=st.lists(SECRETS, min_size=2, max_size=4), overlap=st.integers(0, 6))
@settings(max_examples=40, deadline=None)
def test_secrets_that_overlap_all_go(secrets: list[str], overlap: int) -> None:
    """One within another, or sharing some characters at their ends."""
    first = secrets[0]
    grown = [first, f"{first}-and-{secrets[1]}", first[overlap:] + secrets[-1]]
    substitution = knowing(*grown)
    text = (grown[1] + " " + first[:overlap] + grown[2] + " " + first).encode()
    clean = cleaned(substitution, text)
    for secret in grown:
        assert [] == leaks(secret, clean)


def test_the_longer_of_two_secrets_has_its_own_pseudonym() -> None:
    """A token that is part of a cookie is another secret than the cookie."""
    clean = cleaned(knowing("Zx81kQ4f9c", "user:Zx81kQ4f9c:A7"), b"user:Zx81kQ4f9c:A7 Zx81kQ4f9c").decode()
    assert f"{PSEUDONYMS.of('user:Zx81kQ4f9c:A7')} {PSEUDONYMS.of('Zx81kQ4f9c')}" == clean


@pytest.mark.parametrize(
    ("write", "read"),
    [
        (lambda text: text, lambda text: text),
        (lambda text: quote(text, safe=""), unquote),
        (lambda text: "".join(f"%{byte:02x}" for byte in text.encode()), unquote),
        (escape, unescape),
        (lambda text: "".join(f"&#x{ord(letter):x};" for letter in text), unescape),
        (lambda text: json.dumps(text)[1:-1].replace("/", "\\/"), lambda text: json.loads(f'"{text}"')),
        (lambda text: "".join(f"\\u{ord(letter):04X}" for letter in text), lambda text: json.loads(f'"{text}"')),
        (lambda text: escape(quote(text)), lambda text: unquote(unescape(text))),
        (lambda text: quote(quote(text)), lambda text: unquote(unquote(text))),
        (lambda text: text.encode().hex(), lambda text: bytes.fromhex(text).decode()),
        (lambda text: base64.b64encode(text.encode()).decode(), lambda text: base64.b64decode(text).decode()),
    ],
    ids=["plain", "percent", "all", "HTML", "numbers", "JSON", "units", "HTML of percent", "twice", "hex", "base64"],
)
def test_every_coding_decodes_to_the_one_pseudonym(write: object, read: object) -> None:
    """So that the link in a page leads to the URL that was archived."""
    text = write(SECRET)  # type: ignore[operator]
    clean = cleaned(knowing(SECRET), f"a {text} b".encode()).decode()
    assert PSEUDONYMS.of(SECRET) == read(clean[2:-2])  # type: ignore[operator]


@pytest.mark.parametrize("before", [b"", b"u", b"u:", b"user:", b"uid:5:"])
@pytest.mark.parametrize("after", [b"", b"x", b"xy"])
def test_what_shares_a_character_of_base64_with_a_secret_stays(before: bytes, after: bytes) -> None:
    """The bits of its neighbours are left as they are."""
    clean = cleaned(knowing(SECRET), b'"' + base64.b64encode(before + SECRET.encode() + after) + b'"')
    assert before + PSEUDONYMS.of(SECRET).encode() + after == base64.b64decode(clean[1:-1])


def test_an_escape_in_the_middle_of_a_word_is_enough() -> None:
    assert [] == leaks(SECRET, cleaned(knowing(SECRET), b"s3cr%33t/Val+ue=="))
    assert b"s3cr%33t" not in cleaned(knowing(SECRET), b"s3cr%33t/Val+ue==")


def test_a_secret_with_spaces_is_found_as_a_form_writes_it() -> None:
    clean = cleaned(knowing("correct horse battery"), b"q=correct+horse%20battery&x=1")
    assert b"horse" not in clean
    assert clean.endswith(b"&x=1")


def test_many_escapes_within_one_another_end() -> None:
    """Views are bounded: a page made of escapes costs no more than a few readings of it."""
    nest = b"%2525255c&amp;#37;\\u0025\\x25+" * 2000
    assert nest == cleaned(knowing(SECRET), nest)


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("write", [quote, lambda text: "".join(f"&#x{ord(letter):x};" for letter in text), str])
def test_a_page_in_utf_16_is_read_with_its_escapes(coding: str, write: Callable[[str], str]) -> None:
    """Also base64 and hex: the list of pages would have them in UTF-8, and no package would ever be made."""
    data = f"<p>Größe {write(SECRET)} {SECRET.encode().hex()} {base64.b64encode(SECRET.encode()).decode()}</p>".encode(
        coding
    )
    clean = cleaned(knowing(SECRET), data)
    assert len(data) == len(clean)
    text = unescape(unquote(clean.decode(coding)))
    assert [] == leaks(SECRET, text.encode())
    assert "<p>Größe " in text and PSEUDONYMS.of(SECRET) in text


@pytest.mark.parametrize(
    "write",
    [
        lambda letter: f"\\{ord(letter):06x}",
        lambda letter: f"\\{ord(letter):X} ",
        lambda letter: f"&#{ord(letter):060d};",
        lambda letter: f"&#x{ord(letter):09x};",
    ],
    ids=["CSS", "CSS and space", "decimal", "hexadecimal"],
)
def test_escapes_that_are_longer_than_they_need_be(write: Callable[[str], str]) -> None:
    def read(text: str) -> str:
        return unescape(re.sub(r"\\([0-9a-fA-F]{1,6}) ?", lambda match: chr(int(match[1], 16)), text))

    data = "".join(map(write, SECRET))
    assert SECRET == read(data)
    clean = cleaned(knowing(SECRET), f"b{{content:'{data}'}}".encode()).decode()
    assert len(data) + len("b{content:''}") == len(clean)
    assert f"b{{content:'{PSEUDONYMS.of(SECRET)}'}}" == read(clean)


def test_hexadecimal_digits_are_the_same_in_either_case() -> None:
    """The session's id in the cookie, and the UUID that the page makes of it."""
    secret = "9f86d081-884c-4d65-9a2f-eaa0c55ad015"
    data = f"{secret} {secret.upper()} {quote(secret.upper())}"
    hidden = PSEUDONYMS.of(secret)
    assert f"{hidden} {hidden} {hidden}" == cleaned(knowing(secret), data.encode()).decode()

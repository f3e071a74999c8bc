"""The secret index: many secrets, learnt one by one, and every place of each."""

from __future__ import annotations

import random
import string

from crawlkit.archive.secretindex import SecretIndex


def secrets(count: int) -> list[str]:
    chance = random.Random(1)
    return ["".join(chance.choices(string.ascii_letters + string.digits, k=20)) for _ in range(count)]


def found(index: SecretIndex, data: bytes) -> list[tuple[int, str, str]]:
    return sorted((hit.start, hit.form.reading, hit.form.kind) for hit in index.hits(data))


def test_secrets_are_found_whether_they_were_learnt_one_by_one_or_together() -> None:
    known = secrets(300)
    one_by_one, together = SecretIndex(), SecretIndex()
    for secret in known:
        one_by_one.add([secret], least=8)
    together.add(known, least=8)
    data = " ".join(known).encode()
    expected = [(21 * place, secret, "plain") for place, secret in enumerate(known)]
    assert expected == found(one_by_one, data) == found(together, data)


def test_automata_stay_few_and_are_not_all_built_anew_for_each_secret() -> None:
    """A site with a token in each page has thousands: building as many forms anew for each would take longer than
    fetching it.
    """
    index = SecretIndex()
    sizes: list[int] = []
    for secret in secrets(300):
        before = set(map(id, index._automata))
        index.add([secret], least=8)
        sizes.append(sum(len(automaton.forms) for automaton in index._automata if id(automaton) not in before))
        assert len(index._automata) <= 5
    forms = sum(len(automaton.forms) for automaton in index._automata)
    assert sum(sizes) < 25 * forms, "each form was built into an automaton about a dozen times"


def test_a_secret_within_another_one_and_across_it() -> None:
    index = SecretIndex()
    index.add(["abcdefgh", "efghijkl", "abcdefghijkl"], least=8)
    plain = [(start, reading) for start, reading, kind in found(index, b"..abcdefghijkl..") if kind == "plain"]
    assert [(2, "abcdefgh"), (2, "abcdefghijkl"), (6, "efghijkl")] == plain


def test_nothing_is_found_by_an_index_of_nothing() -> None:
    index = SecretIndex()
    index.add([], least=8)
    index.add(["short"], least=8)
    assert [] == index.hits(b"short and long")
    assert 0 == len(index)


def test_secrets_that_begin_alike_are_told_apart() -> None:
    """Only their beginnings are looked for together."""
    index = SecretIndex()
    index.add([f"{'begins-alike-' * 4}{end}" for end in ("one", "two", "two-and-more")], least=8)
    data = b" ".join(f"{'begins-alike-' * 4}{end}".encode() for end in ("two-and-more", "three", "one"))
    assert ["two-and-more", "one"] == [reading[52:] for _, reading, kind in found(index, data) if kind == "plain"]

"""Scanning: a secret that is left anywhere is found, and its place told; the secret is not."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlkit.archive.registry import Registry
from crawlkit.archive.scanning import Finding, Scan
from crawlkit.exceptions import SecretFound
from tests.archive.naive import written

SECRET = "s3cr3t/Val+ue=="


def knowing(*secrets: str) -> Scan:
    # One key: a pseudonym may begin as its secret does, and the place is that of the first byte to change.
    registry = Registry({"archive": {"key": "2a" * 32, "secrets": []}})
    for secret in secrets:
        registry.learn(secret)
    return Scan(registry)


@given(
    form=st.sampled_from(sorted(written(SECRET).values())),
    before=st.integers(0, 200_000),
    cuts=st.lists(st.integers(0, 200_200), max_size=5),
)
@settings(max_examples=40, deadline=None)
def test_a_secret_is_found_wherever_the_pieces_end(form: bytes, before: int, cuts: list[int]) -> None:
    data = b" " * before + form + b" " * 100
    scan = knowing(SECRET)
    show = scan.look("index.cdx")
    for start, end in zip(edges := sorted({0, *cuts, len(data)}), edges[1:], strict=False):
        show(data[start:end])
    (found,) = scan.findings
    assert "index.cdx" == found.place
    assert before <= found.offset < before + len(form)


def test_a_secret_across_the_end_of_what_is_looked_at_together_is_found() -> None:
    for start in range((64 << 10) - len(SECRET), (64 << 10) + 1):
        scan = knowing(SECRET)
        show = scan.look("a place")
        show(b" " * start + SECRET[: (64 << 10) - start].encode())
        show(SECRET[(64 << 10) - start :].encode())
        assert [Finding("a place", start, "plain")] == scan.findings


def test_places_that_are_looked_at_in_turns_are_kept_apart() -> None:
    scan = knowing(SECRET)
    fields, body = scan.look("fields"), scan.look("body")
    for at in range(0, len(SECRET), 3):
        fields(SECRET[at : at + 3].encode())
        body(b"nothing")
    scan.look("the next")
    assert [Finding("fields", 0, "plain")] == scan.findings


def test_an_archive_with_a_secret_is_not_approved_and_the_error_says_where_and_how() -> None:
    scan = knowing(SECRET)
    scan.look("data.warc.gz, offset 70, response record")(b"a" + base64.b64encode(b"xyz" + SECRET.encode()))
    scan.look("pages.jsonl")(SECRET.encode())
    with pytest.raises(SecretFound, match=r"data\.warc\.gz, offset 70, response record, byte 5 \(base64\)") as raised:
        scan.approve()
    assert "1 more place" in str(raised.value)
    assert SECRET not in str(raised.value)


def test_an_archive_without_one_is() -> None:
    scan = knowing(SECRET)
    scan.look("a place")(b"nothing at all")
    scan.approve()
    assert [] == scan.findings

"""Recoding: whatever can be undone can be put on again."""

from __future__ import annotations

import pytest
from urllib3.response import BaseHTTPResponse

from crawlkit.archive.recoding import recoded
from crawlkit.sessions.decoding import decoding_for


@pytest.mark.parametrize("encoding", [*BaseHTTPResponse.CONTENT_DECODERS, "gzip, br", "X-GZIP ,identity,deflate"])
def test_every_coding_that_is_undone_can_be_put_on_again(encoding: str) -> None:
    body = b"one two three " * 2000
    decoding = decoding_for(encoding)
    assert decoding is not None
    coded = b"".join(recoded((body[:9000], b"", body[9000:]), encoding))
    assert len(coded) < len(body)
    assert body == decoding.draw(coded, 1 << 20) + decoding.finish()


def test_the_same_body_gives_the_same_bytes() -> None:
    """Or no page of next month would equal one of this month."""
    once, again = (b"".join(recoded((b"body",), "gzip")) for _ in range(2))
    assert once == again

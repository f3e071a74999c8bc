"""Bodies of many members: read whole, however they are cut, in time that grows with the body alone."""

from __future__ import annotations

import gzip
import sys
import time
import zlib
from collections.abc import Callable

import brotli
import pytest

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from crawlkit import Session
from crawlkit.exceptions import ContentDecodingError
from crawlkit.sessions.decoding import decoding_for
from crawlkit.sessions.members import GzipMembers, MemberDecoder, ZstdFrames
from tests.sessions.scripted import Scripted, always, ok

TEXTS = [b"", b"a", bytes(range(256)) * 40, b"", b"\0" * 300_000, b"end"]
KINDS: list[tuple[type[MemberDecoder], Callable[[bytes], bytes]]] = [
    (GzipMembers, gzip.compress),
    (ZstdFrames, zstd.compress),
]


def drawn(decoder: MemberDecoder, body: bytes, piece: int, limit: int) -> bytes:
    out = b""
    for start in range(0, len(body), piece):
        data = body[start : start + piece]
        part = decoder.decompress(data, limit)
        while part:
            assert len(part) <= limit
            out += part
            part = decoder.decompress(b"", limit)
    return out


@pytest.mark.parametrize(("piece", "limit"), [(7, 100_000), (1000, 5000), (1 << 20, 16_384), (1 << 20, 1 << 20)])
@pytest.mark.parametrize(("kind", "packed"), KINDS)
def test_members_follow_one_another(
    kind: type[MemberDecoder], packed: Callable[[bytes], bytes], piece: int, limit: int
) -> None:
    """However the body is cut, and however little may come out at a time."""
    decoder = kind()
    body = b"".join(packed(text) for text in TEXTS)
    assert b"".join(TEXTS) == drawn(decoder, body, piece, limit)
    assert len(TEXTS) - 1 == decoder.begun


@pytest.mark.parametrize("size", [1, 3, 5000])
def test_what_follows_gzip_and_is_none_is_left_out(size: int) -> None:
    """Some servers fill up a block with it, and every client forgives them."""
    decoder = GzipMembers()
    assert b"text" == decoder.decompress(gzip.compress(b"text") + b"\n" * size, 1000)
    assert b"" == decoder.decompress(gzip.compress(b"more"), 1000) or size == 1


def test_what_is_no_gzip_from_the_start_is_an_error() -> None:
    with pytest.raises(zlib.error):
        GzipMembers().decompress(b"plain text", 1000)


@pytest.mark.parametrize(("kind", "packed"), KINDS)
def test_many_small_members_cost_what_they_are(kind: type[MemberDecoder], packed: Callable[[bytes], bytes]) -> None:
    """The rest of the body was copied for each of them: 20 GB for these 2 MB."""
    text = bytes(range(100))
    body = packed(text) * 20_000
    begun = time.process_time()
    assert 20_000 * text == kind().decompress(body, 1 << 30)
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(("coding", "packed"), [("gzip", gzip.compress), ("zstd", zstd.compress)])
@pytest.mark.parametrize("text", [b"a", b"abcd"])
def test_members_of_next_to_nothing_are_an_error(coding: str, packed: Callable[[bytes], bytes], text: bytes) -> None:
    """No limit of the body would ever count what they cost: half a million of them are two megabytes."""
    answer = ok(packed(text) * 500_000, f"Content-Encoding: {coding}")
    with Scripted(always(answer)) as server, Session(max_body=5_000_000) as session:
        session.trust_env = False
        begun = time.process_time()
        with pytest.raises(ContentDecodingError, match="comes to nothing"):
            session.get(server.url)
        assert time.process_time() - begun < 2


@pytest.mark.parametrize(("coding", "packed"), [("gzip", gzip.compress), ("zstd", zstd.compress)])
def test_members_of_a_line_each_are_read(coding: str, packed: Callable[[bytes], bytes]) -> None:
    """As a server writes that closes its log after each line."""
    lines = [f"2027-01-01T00:00:00Z GET /books/{number}.html 200\n".encode() for number in range(10_000)]
    decoding = decoding_for(coding)
    assert decoding is not None
    out = decoding.draw(b"".join(map(packed, lines)), 16_384)
    while decoding.has_more:
        out += decoding.draw(b"", 16_384)
    assert b"".join(lines) == out + decoding.finish()


@pytest.mark.parametrize("library", ["brotli", "brotlicffi"])
def test_a_brotli_body_that_compresses_well_is_read_to_its_end(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package that is required says that it waits for more when it has taken in its input and has output left."""
    monkeypatch.setattr("urllib3.response.brotli", pytest.importorskip(library))
    text = b"".join(b"page %d \n" % number for number in range(100_000))
    body = brotli.compress(text)
    decoding = decoding_for("br")
    assert decoding is not None
    out = b""
    for start in range(0, len(body), 16384):
        out += decoding.draw(body[start : start + 16384], 65536)
        while decoding.has_more:
            out += decoding.draw(b"", 65536)
    assert text == out + decoding.finish()

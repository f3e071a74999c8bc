"""Exchanges: their head, body and decoded body, read again from the bytes of the wire."""

from __future__ import annotations

import gzip
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlkit.archive.exchange import bare
from crawlkit.archive.spool import Spool
from crawlkit.exceptions import ChunkedEncodingError, ContentDecodingError
from crawlkit.sessions import bodies
from tests.archive.exchanges import chunked, exchange, page

TEXT = b"<p>the same again and again</p>" * 20_000


def test_the_head_is_read_once_and_anew_when_the_answer_is_replaced() -> None:
    made = exchange(page(b"a", status="404 Not Found"))
    assert (404, "text/html") == (made.status, made.mime)
    assert made.head is made.head
    spool = Spool()
    spool.write(page(b"b"))
    assert 200 == replace(made, response=spool, head_length=spool.size - 1).status


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=8))
def test_chunks_and_their_framing(chunks: list[bytes]) -> None:
    made = exchange(chunked(*chunks))
    assert b"".join(chunks) == b"".join(made.body())
    assert bodies.CHUNKED == made.length


@pytest.mark.parametrize("coding", ["gzip", "x-gzip"])
def test_the_body_decoded_and_not(coding: str) -> None:
    zipped = gzip.compress(TEXT)
    for answer in (page(zipped, f"Content-Encoding: {coding}"), chunked(zipped[:100], zipped[100:], coding=coding)):
        made = exchange(answer)
        assert zipped == b"".join(made.body())
        pieces = list(made.decoded())
        assert TEXT == b"".join(pieces)
        assert max(map(len, pieces)) <= 256 * 1024 < len(TEXT)


def test_a_body_that_is_not_what_its_head_says() -> None:
    with pytest.raises(ContentDecodingError):
        list(exchange(page(b"plain", "Content-Encoding: gzip")).decoded())
    assert b"as it is" == b"".join(exchange(page(b"as it is", "Content-Encoding: utf-8")).decoded())
    cut = exchange(page(gzip.compress(TEXT)[:100], "Content-Encoding: gzip"), truncated="time")
    with pytest.raises(ContentDecodingError):
        list(cut.decoded())


def test_chunks_that_are_cut_off() -> None:
    """What is called truncated gives what there is; what is not was damaged since."""
    answer = chunked(b"hello", b"world").partition(b"ld\r\n")[0]
    assert b"hellowor" == b"".join(exchange(answer, truncated="disconnect").body())
    with pytest.raises(ChunkedEncodingError):
        list(exchange(answer).body())


def test_an_answer_without_a_head() -> None:
    made = exchange(b"HTTP/1.1 200 OK\r\nContent-Type: text/html", truncated="disconnect")
    assert (None, None, "", 0) == (made.head, made.status, made.mime, made.length)
    assert [] == list(made.body()) == list(made.decoded())


def test_lengths_that_contradict_each_other() -> None:
    """Nobody knows where such a body ends: it is what came."""
    made = exchange(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nhello", truncated="unspecified")
    assert b"hello" == b"".join(made.body())


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("http://h.example/a?b=c#d", "http://h.example/a?b=c"),
        ("http://user:p%40ss@h.example:8080/", "http://h.example:8080/"),
        ("https://h.example/ä/%41?ö=[1]", "https://h.example/%C3%A4/%41?%C3%B6=[1]"),
    ],
)
def test_urls_are_bare(url: str, written: str) -> None:
    assert written == bare(url)


def test_what_is_shown_of_an_exchange_has_no_secret() -> None:
    made = exchange(page(b"secret", "Set-Cookie: a=secret"), url="http://h.example/secret?token=secret")
    assert "<Exchange GET http://h.example [200], 106 bytes>" == repr(made)
    made.close()
    made.close()

"""Redaction: no secret is left in any part of an exchange, what holds none keeps its bytes."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlkit.archive import redacted_body
from crawlkit.archive.exchange import Exchange
from crawlkit.archive.recoding import recoded
from crawlkit.archive.redaction import Redaction, RedactionNote
from crawlkit.archive.registry import Registry
from crawlkit.sessions.redactor import Redactor
from crawlkit.sessions.secretnames import is_common
from tests.archive.exchanges import chunked, exchange, page
from tests.archive.naive import leaks, written

SECRET = "s3cr3t/Val+ue=="
COOKIE = "tok3n-of-A11ce"
CODERS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda data: data,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": lambda data: b"".join(recoded((data,), "zstd")),
    "gzip, br": lambda data: brotli.compress(gzip.compress(data)),
}
SECRETS = st.text(
    st.characters(codec="utf-8", min_codepoint=0x21, max_codepoint=0x24FF, exclude_categories=("Cs", "Cc", "Zs")),
    min_size=8,
    max_size=24,
).filter(lambda secret: len(set(secret)) > 3 and not is_common(secret))


def redaction(*secrets: str, **options: Any) -> Redaction:
    registry = Registry({})
    for secret in secrets:
        registry.learn(secret)
    return Redaction(registry, **options)


def sent(one: Exchange) -> bytes:
    return b"".join(one.request.chunks())


def answered(one: Exchange) -> bytes:
    return b"".join(one.response.chunks())


def whole(one: Exchange) -> bytes:
    """Every byte of an exchange, its body decoded, too."""
    return b"\n".join((one.url.encode(), (one.via or "").encode(), sent(one), answered(one), *one.decoded()))


def as_answer(body: bytes, *, coding: str, chunks: int, lines: tuple[str, ...] = ()) -> bytes:
    coded = CODERS[coding](body)
    if not chunks:
        return page(coded, *((f"Content-Encoding: {coding}",) if coding else ()), *lines)
    cuts = [coded[at : at + chunks] for at in range(0, len(coded), chunks)]
    return chunked(*cuts, coding=coding)


# --- properties ------------------------------------------------------------------------------------------------------


@given(
    secret=SECRETS,
    data=st.data(),
    coding=st.sampled_from(sorted(CODERS)),
    chunks=st.sampled_from((0, 1, 7, 4000)),
    before=st.binary(max_size=200),
    after=st.binary(max_size=200),
)
@settings(max_examples=60, deadline=None)
def test_no_secret_survives_in_any_coding_nor_across_any_chunk(
    secret: str, data: st.DataObject, coding: str, chunks: int, before: bytes, after: bytes
) -> None:
    """And the decoded body is as long as it was, framed and coded as it was."""
    form = data.draw(st.sampled_from(sorted(written(secret).values())))
    body = before + b' "' + form + b'" ' + after
    raw = exchange(as_answer(body, coding=coding, chunks=chunks))
    clean, note = redaction(secret).apply(raw)
    assert note is not None
    assert [] == leaks(secret, whole(clean))
    assert len(body) == sum(map(len, clean.decoded()))
    assert (coding, bool(chunks)) == (clean.head.get("content-encoding"), "transfer-encoding" in clean.head.store)  # type: ignore[union-attr]


@given(
    body=st.binary(max_size=300),
    coding=st.sampled_from(sorted(CODERS)),
    chunks=st.sampled_from((0, 3, 500)),
    truncated=st.sampled_from((None, "disconnect")),
)
@settings(max_examples=60, deadline=None)
def test_an_exchange_without_a_secret_is_given_back_as_it_is(
    body: bytes, coding: str, chunks: int, truncated: str | None
) -> None:
    answer = as_answer(body, coding=coding, chunks=chunks, lines=("Set-Cookies: a=b", "X-Odd:\tone", " folded"))
    if truncated:
        answer = answer[: len(answer) - len(answer) // 5]
    raw = exchange(answer, truncated=truncated)
    before = sent(raw), answered(raw)
    clean, note = redaction(SECRET, COOKIE).apply(raw)
    assert clean is raw
    assert note is None
    assert before == (sent(clean), answered(clean))


# --- heads -----------------------------------------------------------------------------------------------------------


def test_what_is_secret_by_its_place_is_replaced_whatever_it_is() -> None:
    """Names, attributes, schemes and spellings stay, and so does the length of every line."""
    request = (
        b"GET /page?q=1 HTTP/1.1\r\nHost: site.example\r\nCOOKIE: sid=abc; theme=dark;x\r\nAuthorization:  Basic dTpw\r\n"
        b'X-Goog-Api-Key: k1\r\nX-My-Token: t\r\nProxy-Authorization: Digest username="u"\r\nX-Age: 3\r\n\r\n'
    )
    answer = page(b"hello", 'Set-Cookie: sid="abc"; Path=/a; Expires=Wed, 01 Jan 2031 00:00:00 GMT; HttpOnly', "X: 1")
    clean, note = redaction().apply(exchange(answer, request=request))
    lines = sent(clean).split(b"\r\n")
    assert [len(line) for line in request.split(b"\r\n")] == [len(line) for line in lines]
    assert len(answer) == len(answered(clean))
    head = answered(clean)
    for secret in (b"=abc", b'"abc"', b"dark", b"dTpw", b"k1", b"Token: t", b'"u"'):
        assert secret not in sent(clean) + head
    for kept in (
        b"COOKIE: sid=",
        b"; theme=",
        b"Authorization:  Basic ",
        b"Digest ",
        b"X-Age: 3",
        b"Host: site.example",
    ):
        assert kept in sent(clean)
    assert b"; Path=/a; Expires=Wed, 01 Jan 2031 00:00:00 GMT; HttpOnly\r\nX: 1" in head
    assert (7, 1) == (note.request_head, note.response_head)  # type: ignore[union-attr]


def test_a_folded_header_is_hidden_to_its_end() -> None:
    request = b"GET / HTTP/1.1\r\nAuthorization: Bearer abcdef\r\n  ghi-Jkl9\r\nHost: x\r\n\r\n"
    clean, _ = redaction().apply(exchange(page(), request=request))
    assert b"abcdef" not in sent(clean)
    assert b"Jkl9" not in sent(clean)
    assert sent(clean).endswith(b"\r\nHost: x\r\n\r\n")


def test_a_secret_has_one_pseudonym_in_urls_heads_pages_and_index() -> None:
    url = "http://site.example/page?sid=Ab12Cd34Ef"
    body = b'<a href="/page?sid=Ab12Cd34Ef&amp;x=1">again</a>'
    request = b"GET /page?sid=Ab12Cd34Ef HTTP/1.1\r\nReferer: http://site.example/?sid=Ab12Cd34Ef\r\n\r\n"
    answer = page(body, "Location: /next?sid=Ab12Cd34Ef", "Link: </a?sid=Ab12Cd34Ef>; rel=next")
    tool = redaction()
    clean, _ = tool.apply(exchange(answer, url=url, request=request, via=url))
    hidden = tool.registry.pseudonyms.of("Ab12Cd34Ef")
    assert f"http://site.example/page?sid={hidden}" == clean.url == clean.via == tool.url(url)
    assert 2 == sent(clean).count(hidden.encode())
    assert 3 == answered(clean).count(hidden.encode())
    assert f"Page {hidden}" == tool.text("Page Ab12Cd34Ef")


def test_a_token_in_the_address_of_the_page_before_is_hidden_though_the_exchange_has_none() -> None:
    """No Referer tells a picture's server of it, but its record says which page led to it."""
    tool = redaction(SECRET)
    before = f"http://site.example/?sid={SECRET}"
    clean, note = tool.apply(exchange(page(b"GIF89a"), via=before))
    assert note is None
    assert SECRET not in (clean.via or "")
    assert tool.url(before) == clean.via


def test_user_and_password_of_a_url_are_hidden_and_ordinary_parameters_are_not() -> None:
    answer = page(b"", "Location: http://me:pw@site.example/?page=2&password=hunter2&token=12345678")
    clean, _ = redaction().apply(exchange(answer))
    head = answered(clean)
    for secret in (b"me:pw", b"hunter2"):
        assert secret not in head
    assert b"@site.example/?page=2&password=" in head
    assert b"&token=12345678" in head  # a number may be anything


def test_digests_of_a_body_that_was_changed_are_left_out() -> None:
    """They are wrong, and would tell whoever guesses whether a guess is right. The entity tag is one mostly."""
    lines = ("Content-MD5: abc", 'ETag: W/"5d41402abc4b2a76"', "Repr-Digest: sha-256=:x:", "X-Kept: 1")
    clean, _ = redaction(SECRET).apply(exchange(page(SECRET.encode(), *lines)))
    head = answered(clean)
    for gone in (b"Content-MD5", b"Repr-Digest", b"5d41402abc4b2a76"):
        assert gone not in head
    assert b'ETag: W/"' in head
    assert b"X-Kept: 1\r\nContent-Length: 15\r\n\r\n" in head
    kept, _ = redaction().apply(exchange(page(b"nothing", *lines)))
    assert b"Content-MD5: abc" in answered(kept)


# --- pages -----------------------------------------------------------------------------------------------------------


def test_a_page_that_shows_its_own_cookie_is_redacted() -> None:
    """Though no session told of it."""
    clean, _ = redaction().apply(exchange(page(f"you are {COOKIE}".encode(), f"Set-Cookie: sid={COOKIE}")))
    assert COOKIE.encode() not in whole(clean)


def test_a_token_of_the_page_is_learnt_before_the_page_is_written() -> None:
    body = b'<p>T0ken-4-forms</p><input type="hidden" name="csrf_token" value="T0ken-4-forms">'
    clean, note = redaction().apply(exchange(page(body)))
    assert b"T0ken-4-forms" not in whole(clean)
    assert 2 == note.response_body  # type: ignore[union-attr]


def test_a_short_token_is_hidden_in_its_own_field_alone() -> None:
    """One that is a number may stand anywhere else for what it is."""
    body = b'<p>12345678 ab12</p><input name="csrf" value="12345678"><meta name="csrf-token" content="ab12">'
    clean, note = redaction().apply(exchange(page(gzip.compress(body), "Content-Encoding: gzip")))
    fresh = b"".join(clean.decoded())
    assert 2 == note.response_body  # type: ignore[union-attr]
    assert b"<p>12345678 ab12</p>" in fresh
    assert (1, 1) == (fresh.count(b"12345678"), fresh.count(b"ab12"))
    assert len(body) == len(fresh)


def test_documentation_of_secrets_stays_as_it_is() -> None:
    """What only looks like a secret in a text is none."""
    body = b'<pre>Authorization: Bearer abcdef0123\npassword=hunter2hunter\n{"csrf_token": "abcdef0123"}</pre>'
    clean, note = redaction().apply(exchange(page(body)))
    assert note is None
    assert body in answered(clean)


def test_chunks_that_are_not_compressed_keep_their_framing() -> None:
    """Sizes, extensions and trailers, without the secrets in these."""
    answer = chunked(b"one s3cr3t", b"/Val+ue== two").replace(b"X-Trailer: 1", f"X-Trailer: {SECRET}".encode())
    clean, _ = redaction(SECRET).apply(exchange(answer))
    assert len(answer) == len(answered(clean))
    assert b"a;n=v\r\none " in answered(clean)
    assert [] == leaks(SECRET, whole(clean))


def test_a_secret_after_the_end_of_the_compressed_data_goes() -> None:
    clean, note = redaction(SECRET).apply(
        exchange(page(gzip.compress(b"page") + SECRET.encode(), "Content-Encoding: gzip"))
    )
    assert note is not None
    assert [] == leaks(SECRET, whole(clean))
    assert b"page" == b"".join(clean.decoded())


@pytest.mark.parametrize("lines", [(), ("Content-Encoding: bzip2",)])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_file_in_gzip_is_looked_into(lines: tuple[str, ...], is_chunked: bool) -> None:
    """Such as sitemap.xml.gz, whose head names no coding; without a secret it stays as it is."""
    for text in (f"<loc>http://site.example/?s={SECRET}</loc>", "<loc>http://site.example/</loc>"):
        body = gzip.compress(text.encode())
        answer = chunked(body[:2], body[2:]) if is_chunked else page(body, *lines)
        before = exchange(answer)
        clean, note = redaction(SECRET).apply(before)
        assert (SECRET in text) == (note is not None) == (clean is not before)
        inside = gzip.decompress(b"".join(clean.body()))
        assert [] == leaks(SECRET, inside)
        assert len(text) == len(inside)


@pytest.mark.parametrize("coding", CODERS)
@pytest.mark.parametrize("files", [1, 2])
def test_a_file_in_gzip_is_looked_into_under_a_coding_and_in_another(coding: str, files: int) -> None:
    """All layers are there again; what is between them is as long as it was."""
    text = f"<loc>http://site.example/?s={SECRET}</loc>".encode()
    body = text
    for _ in range(files):
        body = gzip.compress(body)
    lines = [f"Content-Encoding: {coding}"] if coding else []
    clean, note = redaction(SECRET).apply(exchange(page(CODERS[coding](body), *lines)))
    assert note is not None
    assert note.recoded
    inside = b"".join(clean.decoded())
    for _ in range(files):
        inside = gzip.decompress(inside)
    assert [] == leaks(SECRET, inside)
    assert len(text) == len(inside)


def test_a_large_file_in_gzip_is_looked_into_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what is in it, not of its own size: a few bytes may become any number."""
    noise = random.Random(1).randbytes(1_100_000)
    answer = page(gzip.compress(noise + SECRET.encode()))
    assert len(answer) > 1 << 20
    clean, note = redaction(SECRET).apply(exchange(answer))
    assert note is not None
    assert noise == gzip.decompress(b"".join(clean.body()))[: len(noise)]
    clean.close()
    monkeypatch.setattr(redacted_body, "_LARGEST_FILE", 100_000)
    for size, found in ((90_000, True), (110_000, False)):
        before = exchange(page(gzip.compress(bytes(size) + SECRET.encode())))
        clean, note = redaction(SECRET).apply(before)
        assert (found, not found) == (note is not None, clean is before)


def test_what_only_begins_like_a_file_in_gzip_stays() -> None:
    before = exchange(page(b"\x1f\x8b\x08 and no more of it"))
    assert (before, None) == redaction(SECRET).apply(before)


def test_a_compressed_body_that_was_cut_off_is_redacted_as_far_as_it_came() -> None:
    coded = gzip.compress(f"{SECRET} ".encode() + bytes(range(256)) * 40)
    answer = page(coded, "Content-Encoding: gzip")[:-20]
    clean, note = redaction(SECRET).apply(exchange(answer, truncated="disconnect"))
    assert note is not None
    assert note.recoded
    assert "disconnect" == clean.truncated
    assert [] == leaks(SECRET, whole(clean))


def test_a_body_that_is_not_coded_as_its_head_says_is_looked_at_as_it_is() -> None:
    clean, _ = redaction(SECRET).apply(exchange(page(f"plain {SECRET}".encode(), "Content-Encoding: gzip")))
    assert [] == leaks(SECRET, answered(clean))
    assert b"plain " in answered(clean)


def test_an_answer_that_was_cut_off_in_its_head_is_looked_at_as_one() -> None:
    """The connection broke after the cookie, before the blank line."""
    raw = exchange(b"HTTP/1.1 200 OK\r\nSet-Cookie: sid=abc\r\nX: s3cr3t/Val+ue==\r\nX-", truncated="disconnect")
    clean, note = redaction(SECRET).apply(raw)
    assert 2 == note.response_head  # type: ignore[union-attr]
    assert 0 == clean.head_length
    for secret in (b"=abc", SECRET.encode()):
        assert secret not in answered(clean)


def test_what_was_redacted_once_is_only_rid_of_what_is_known() -> None:
    """Its pseudonyms are nobody's secrets: nothing is learnt from them, and they stay."""
    tool = redaction()
    body = b'<input name="csrf_token" value="Zx81kQ-4f9c">'
    request = b"GET /?sid=Ab12Cd34Ef HTTP/1.1\r\nCookie: sid=abc\r\n\r\n"
    once, _ = tool.apply(exchange(page(body, "Set-Cookie: sid=abc"), request=request))
    before = sent(once), answered(once)
    assert (once, None) == tool.apply(once, known_only=True)
    assert before == (sent(once), answered(once))


def test_what_a_form_sends_is_hidden_by_its_names() -> None:
    for kind, body in (
        ("application/x-www-form-urlencoded", b"user=me&password=hun&csrf=x1"),
        ("application/json", b'{"user": "me", "password": "hun"}'),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="password"\r\n\r\nhun\r\n--b--\r\n',
        ),
    ):
        request = f"POST / HTTP/1.1\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        clean, note = redaction().apply(exchange(page(), method="POST", request=request))
        assert b"hun" not in sent(clean), kind
        assert len(request) == len(sent(clean))
        assert note is not None
        assert note.request_body


def test_a_request_in_chunks_is_looked_through_across_them() -> None:
    request = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ns3cr3\r\na\r\nt/Val+ue==\r\n0\r\n\r\n"
    clean, _ = redaction(SECRET).apply(exchange(page(), method="POST", request=request))
    assert len(request) == len(sent(clean))
    assert b"s3cr3" not in sent(clean)


# --- the whole -------------------------------------------------------------------------------------------------------


def test_a_large_body_streams(tmp_path: Path) -> None:
    """Past what is kept in memory, with secrets where the windows end."""
    block = b"x" * ((1 << 20) - 7) + SECRET.encode() + b"y" * 1000
    body = block * 5
    clean, note = redaction(SECRET).apply(exchange(page(body, "Content-Type: video/mp4"), folder=tmp_path), tmp_path)
    assert SECRET.encode() not in answered(clean)
    assert len(body) == sum(map(len, clean.body()))
    assert note is not None
    clean.close()


def test_what_is_secret_for_a_session_is_secret_for_its_archive() -> None:
    """Also when the session learns it later, and in what the profile told."""
    redactor, registry = Redactor(), Registry({})
    redactor.learn("first-7f3a9c")
    registry.listen(redactor)
    tool = Redaction(registry)
    redactor.learn("second-7f3a9c")
    assert "7f3a9c" not in tool.text("first-7f3a9c second-7f3a9c")


def test_the_same_key_gives_the_same_bytes() -> None:
    """Next month's package then finds the page unchanged."""
    state: dict[str, Any] = {}
    first = Registry(state)
    first.keep()
    answer = page(gzip.compress(f"hello {SECRET}".encode(), mtime=0), "Content-Encoding: gzip")
    seen = set()
    for registry in (first, Registry(state)):
        registry.learn(SECRET)
        clean, _ = Redaction(registry).apply(exchange(answer))
        seen.add(answered(clean))
    assert 1 == len(seen)


def test_switched_off_it_changes_nothing() -> None:
    raw = exchange(page(SECRET.encode(), "Set-Cookie: a=b"), url=f"http://site.example/?token={SECRET}")
    tool = redaction(SECRET, on=False)
    assert (raw, None) == tool.apply(raw)
    assert raw.url == tool.url(raw.url)
    assert SECRET == tool.text(SECRET)


def test_the_note_says_what_was_done_and_no_secret() -> None:
    _, note = redaction(SECRET).apply(exchange(page(gzip.compress(SECRET.encode()), "Content-Encoding: gzip")))
    assert RedactionNote(response_body=1, recoded=True) == note
    assert 1 == note.count  # type: ignore[union-attr]
    assert "1 in the body of the response" in str(note)
    assert "compressed again" in str(note)


def test_the_spools_that_are_replaced_are_closed() -> None:
    raw = exchange(page(SECRET.encode()))
    clean, _ = redaction(SECRET).apply(raw)
    assert 0 == raw.response.size
    assert clean.request is raw.request
    assert clean.request.size

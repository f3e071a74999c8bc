"""Reading response heads: what is read, what is forgiven, what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlkit.exceptions import BadResponse
from crawlkit.sessions import heads


def head(*lines: str) -> heads.Head:
    return heads.read(("\r\n".join(["HTTP/1.1 200 OK", *lines]) + "\r\n\r\n").encode("latin-1"))


def test_a_plain_head() -> None:
    """Status, reason, version, and the fields as sent."""
    read = heads.read(b"HTTP/1.1 404 Not Found\r\nServer: x\r\nX-A:  b \r\n\r\n")
    assert (11, 404, "Not Found") == (read.version, read.status, read.reason)
    assert [("Server", "x"), ("X-A", "b")] == read.fields
    assert 0 == read.dropped


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"HTTP/1.0 200 OK", (10, 200, "OK")),
        (b"HTTP/1.1 200", (11, 200, "")),
        (b"HTTP/1.1 200 ", (11, 200, "")),
        (b"HTTP/1.1  299  Fine thanks", (11, 299, "Fine thanks")),
        (b"HTTP/1.1 999 Nope", (11, 999, "Nope")),
        (b"HTTP/1.1 200 d\xe9j\xe0", (11, 200, "d\xe9j\xe0")),
    ],
)
def test_status_lines_of_the_real_world(line: bytes, expected: tuple[int, int, str]) -> None:
    """A missing or odd reason is no reason to fail."""
    read = heads.read(line + b"\r\n\r\n")
    assert expected == (read.version, read.status, read.reason)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"HTTP/2 200 OK",
        b"HTTP/1.1 20 OK",
        b"HTTP/1.1 2000 OK",
        b"ICY 200 OK",
        b"SSH-2.0-x",
        b"HTTP/1.1 abc",
        b"200 OK",
    ],
)
def test_what_is_not_http_is_refused(line: bytes) -> None:
    """Whatever follows a wrong status line cannot be trusted."""
    with pytest.raises(BadResponse):
        heads.read(line + b"\r\nA: b\r\n\r\n")


def test_a_bad_line_is_dropped_and_counted_and_the_rest_kept() -> None:
    """http.client stops at the first bad line and loses the cookies after it."""
    read = head("A: 1", "no colon here", ": no name", "Sp ace: x", "Tail : x", "Set-Cookie: a=b", "B: 2")
    assert [("A", "1"), ("Set-Cookie", "a=b"), ("B", "2")] == read.fields
    assert 4 == read.dropped


def test_a_known_name_without_a_colon_is_no_field() -> None:
    """The memory of names must not make a field of a line that is none."""
    head("Server: x")
    read = head("Server", "A: 1")
    assert [("A", "1")] == read.fields
    assert 1 == read.dropped


def test_folded_lines_are_joined_with_a_space() -> None:
    """RFC 9112 section 5.2."""
    read = head("A: one", "  two", "\tthree", "B: x")
    assert [("A", "one two three"), ("B", "x")] == read.fields


@pytest.mark.parametrize("space", [" ", "  ", "\t"])
def test_a_fold_by_a_space_alone_is_one(space: str) -> None:
    """Nothing in such a head is unprintable, and yet it is no plain one: a cookie would lose its attributes, a body its
    length.
    """
    read = head("Set-Cookie: a=b;", f"{space}Path=/;", f"{space}Max-Age=0", "Content-Length:", f"{space}2")
    assert ["a=b; Path=/; Max-Age=0"] == read.values("set-cookie")
    assert ("2", 0) == (read.get("content-length"), read.dropped)


def test_a_fold_belongs_to_its_line() -> None:
    """A continuation of a line that was dropped, or of the status line, goes as well."""
    read = heads.read(b"HTTP/1.1 200 OK\r\n folded: status\r\nA\0: 1\r\n more: 2\r\nB: 3\r\n\r\n")
    assert [("B", "3")] == read.fields
    assert 3 == read.dropped


def test_bare_lf_ends_a_line() -> None:
    """Old CGI scripts end lines so."""
    block = b"HTTP/1.1 200 OK\nA: 1\nB: 2\n\n"
    assert len(block) == heads.find_end(block + b"body\r\n\r\n")
    assert [("A", "1"), ("B", "2")] == heads.read(block).fields


@pytest.mark.parametrize("bad", ["A: x\0y", "A: x\ry", "A\0: x", "A: \r"])
def test_nul_and_bare_cr_drop_the_line(bad: str) -> None:
    """They are how one line is made to look like two."""
    read = head(bad, "B: 2")
    assert [("B", "2")] == [pair for pair in read.fields if pair[0] != "A"]
    assert ("A", "x") not in read.fields


def test_latin_1_and_tabs_are_kept() -> None:
    """Bytes beyond ASCII come back one by one; a tab within a value stays."""
    read = head("A: gr\xfc\xdfe", "B: a\tb", "C: \x85x\xa0")
    assert [("A", "gr\xfc\xdfe"), ("B", "a\tb"), ("C", "\x85x\xa0")] == read.fields


def test_repeated_names_are_joined_and_kept_apart() -> None:
    """The store joins; `values()` does not."""
    read = head("Set-Cookie: a=1", "X: 1", "set-cookie: b=2; Expires=Wed, 01 Jan 2031")
    assert ("Set-Cookie", "a=1, b=2; Expires=Wed, 01 Jan 2031") == read.store["set-cookie"]
    assert ["a=1", "b=2; Expires=Wed, 01 Jan 2031"] == read.values("set-cookie")
    assert [] == read.values("absent")


def test_five_thousand_lines_and_not_one_more() -> None:
    """FAULTS.md: 5,000 lines."""
    assert 4999 == len(head(*["X: y"] * 4999).fields)
    with pytest.raises(BadResponse, match="lines"):
        head(*["X: y"] * 5000)


def test_an_empty_head_has_no_fields() -> None:
    assert [] == heads.read(b"HTTP/1.1 204 No Content\r\n\r\n").fields


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"A\r\n\r\nB", 5), (b"A\n\nB\r\n\r\n", 3), (b"A\r\n\nB", 4), (b"A\n\r\nB", 4), (b"A\r\n", -1), (b"", -1)],
)
def test_the_end_of_a_head_is_the_first_blank_line(data: bytes, expected: int) -> None:
    """However its line ends are mixed."""
    assert expected == heads.find_end(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(noise: bytes) -> None:
    """No input raises anything but BadResponse, and no field gets a line break or NUL."""
    block = b"HTTP/1.1 200 OK\r\n" + noise + b"\r\n\r\n"
    try:
        read = heads.read(block[: heads.find_end(block)])
    except BadResponse:
        return
    assert not any(set("\r\n\0") & set(name + value) for name, value in read.fields)


token = st.text("abcXYZ019-_.!#", min_size=1, max_size=12)
visible = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, blacklist_characters="\x7f"), max_size=20)


@given(st.lists(st.tuples(token, visible.map(lambda text: text.strip(" \t"))), max_size=10))
def test_what_is_written_is_read(fields: list[tuple[str, str]]) -> None:
    """Any well-formed fields come back as they were, by the quick way and by the slow one."""
    lines = [f"{name}: {value}" for name, value in fields]
    assert fields == head(*lines).fields
    slow = heads.read(("\n".join(["HTTP/1.1 200 OK", *lines]) + "\n\n").encode("latin-1"))
    assert fields == slow.fields

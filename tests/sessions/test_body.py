"""Bodies: data, json, files and streams beside requests; lengths; going back to the start."""

from __future__ import annotations

import io
import os
import re
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests.utils

from crawlkit.exceptions import FileModeWarning, InvalidJSONError, UnrewindableBodyError
from crawlkit.sessions.body import super_len
from crawlkit.sessions.models import Request
from tests.sessions.side_by_side import by_both


class Reader:
    """A file-like object that cannot be iterated, as multipart encoders are."""

    def __init__(self, data: bytes, length: int | None = None) -> None:
        self._file = io.BytesIO(data)
        if length is not None:
            self.len = length

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)


class Proxied:
    """Hands everything through to a file, as temporary files do: `isinstance(…, Iterable)` does not see it."""

    def __init__(self, target: Any) -> None:
        self._target = target

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


class Sized:
    def __init__(self, parts: list[bytes], length: int) -> None:
        self._parts, self._length = parts, length

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._parts)

    def __len__(self) -> int:
        return self._length


class Broken(io.BytesIO):
    def tell(self) -> int:
        raise OSError("no position")


def _at(data: bytes, position: int) -> io.BytesIO:
    file = io.BytesIO(data)
    file.seek(position)
    return file


DATA: list[Any] = [
    {"data": None},
    {"data": ""},
    {"data": b""},
    {"data": {}},
    {"data": []},
    {"data": "text"},
    {"data": "tëxt 日本"},
    {"data": b"\x00\xff"},
    {"data": "text", "headers": {"Content-Type": "text/plain"}},
    {"data": {"a": "b"}},
    {"data": {"a": "b"}, "headers": {"content-type": "application/custom"}},
    {"data": {"a": ["1", "2"], "b": None}},
    {"data": {"a": None}},
    {"data": {"ä": "ö &=+"}},
    {"data": {b"a": b"\xff"}},
    {"data": {"a": 1, "b": True, "c": 1.5}},
    {"data": [("a", "1"), ("a", "2")]},
    {"data": (("a", "1"), ("b", "2"))},
    {"data": OrderedDict([("z", "1"), ("a", "2")])},
    {"data": {"a": ("x", None, "y")}},
    {"data": ["ab"]},
    {"data": ["abc"]},
    {"data": "x", "headers": {"Content-Length": "99"}},
    {"json": {"a": 1}},
    {"json": {}},
    {"json": []},
    {"json": None},
    {"json": False},
    {"json": 0},
    {"json": ""},
    {"json": "text ü"},
    {"json": [1, None, True, "日"]},
    {"json": {"a": float("nan")}},
    {"json": float("inf")},
    {"json": {"a": object()}},
    {"json": {"a": 1}, "data": {"b": 2}},
    {"json": {"a": 1}, "data": {}},
    {"json": {"a": 1}, "data": b"raw"},
    {"json": {"a": 1}, "headers": {"Content-Type": "application/vnd.api+json"}},
    {"json": {"a": 1}, "files": {"f": "x"}},
    lambda: {"data": io.BytesIO(b"a stream")},
    lambda: {"data": io.BytesIO(b"")},
    lambda: {"data": _at(b"a stream", 2)},
    lambda: {"data": _at(b"a stream", 8)},
    lambda: {"data": io.StringIO("text stream")},
    lambda: {"data": Broken(b"no tell")},
    lambda: {"data": (part for part in [b"a", b"b"])},
    lambda: {"data": iter([b"a", b"b"])},
    lambda: {"data": Sized([b"ab", b"c"], 3)},
    lambda: {"data": Sized([], 0)},
    lambda: {"data": Reader(b"read me", 7)},
    lambda: {"data": Proxied(io.BytesIO(b"ab"))},
    lambda: {"data": bytearray(b"mutable")},
    lambda: {"data": io.BytesIO(b"x"), "headers": {"Content-Type": "video/mp4"}},
    lambda: {"data": io.BytesIO(b"x"), "files": {"f": "y"}},
    lambda: {"data": (part for part in [b"a"]), "files": {"f": "y"}},
    lambda: {"data": io.BytesIO(b"abc"), "auth": ("u", "p")},
    lambda: {"data": iter([b"abc"]), "auth": ("u", "p")},
    {"data": {"a": "b"}, "method": "GET"},
    {"data": "x", "method": "HEAD"},
    {"json": {"a": 1}, "method": "DELETE"},
]


def _id(value: object) -> str:
    """One name in every process: without addresses."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value() if callable(value) else value))[:70]


@pytest.mark.parametrize("row", DATA, ids=_id)
def test_a_body_is_made_as_requests_makes_it(row: Any) -> None:
    """The same bytes and headers, or the same error; streams keep their length or become chunked."""

    def arguments() -> dict[str, Any]:
        return {"method": "POST", **(row() if callable(row) else row)}

    expected, actual = by_both(arguments)
    assert expected == actual


def test_a_file_streams_with_its_length_from_where_it_stands(tmp_path: Path) -> None:
    """An open file is not read while preparing."""
    path = tmp_path / "upload.bin"
    path.write_bytes(b"0123456789")
    with path.open("rb") as file:
        file.seek(4)
        prepared = Request("PUT", "http://example.org/", data=file).prepare()
        assert prepared.body is file
        assert ("6", 4, 4) == (prepared.headers["Content-Length"], prepared.body_position, file.tell())


def test_a_file_opened_as_text_warns(tmp_path: Path) -> None:
    """Its size on disk may not be what is sent."""
    path = tmp_path / "upload.txt"
    path.write_text("abc")
    with path.open() as file, pytest.warns(FileModeWarning, match="mode 'rb'"):
        assert 3 == super_len(file)


def test_a_pipe_is_sent_chunked() -> None:
    """What has no position has no known length either."""
    read, write = os.pipe()
    os.close(write)
    with open(read, "rb") as pipe:
        prepared = Request("POST", "http://example.org/", data=pipe).prepare()
        assert "chunked" == prepared.headers["Transfer-Encoding"]
        assert not prepared.resendable


LENGTHS: list[Any] = [
    lambda: b"",
    lambda: b"abc",
    lambda: "abc",
    lambda: "äöü",
    lambda: [1, 2],
    lambda: {"a": 1},
    lambda: io.BytesIO(b"abc"),
    lambda: _at(b"abc", 1),
    lambda: _at(b"abc", 9),
    lambda: io.StringIO("abc"),
    lambda: Broken(b"abc"),
    lambda: Reader(b"abc"),
    lambda: Reader(b"abc", 3),
    lambda: iter([b"a"]),
    lambda: bytearray(b"abcd"),
    lambda: 5,
    lambda: object(),
]


@pytest.mark.parametrize("make", LENGTHS, ids=_id)
def test_super_len_as_requests(make: Any) -> None:
    """The bytes that are left, 0 where that cannot be known."""
    assert requests.utils.super_len(make()) == super_len(make())


# --- where crawlkit differs, on purpose ---------------------------------------------------------------------


def test_text_in_memory_is_measured_in_bytes() -> None:
    """requests counts characters, and the server waits for, or misreads, the rest."""
    stream = io.StringIO("xäöü")
    stream.read(1)
    assert (6, 1) == (super_len(stream), stream.tell())


def test_a_length_the_author_knows_stands_for_a_stream() -> None:
    """requests sends chunked beside it: two servers may then read two different requests (RFC 9112 section
    6.1).
    """
    prepared = Request(
        "POST", "http://example.org/", data=iter([b"ab", b"c"]), headers={"Content-Length": "3"}
    ).prepare()
    assert {"Content-Length": "3"} == dict(prepared.headers)


def test_a_known_length_replaces_chunked() -> None:
    """Never both (RFC 9112 section 6.2)."""
    prepared = Request("POST", "http://example.org/", data=b"abc", headers={"Transfer-Encoding": "chunked"}).prepare()
    assert {"Content-Length": "3"} == dict(prepared.headers)


@pytest.mark.parametrize("data", [5, 1.5, object()])
def test_data_that_cannot_be_sent_is_named_at_once(data: Any) -> None:
    """requests finds out while sending."""
    with pytest.raises(TypeError, match="data must be"):
        Request("POST", "http://example.org/", data=data).prepare()


def test_a_bytearray_as_form_value_is_its_bytes() -> None:
    """requests sends the numbers of its bytes, each as a value."""
    assert "a=xy" == Request("POST", "http://example.org/", data={"a": bytearray(b"xy")}).prepare().body


def test_the_error_of_bad_json_carries_the_request() -> None:
    """And names the reason."""
    with pytest.raises(InvalidJSONError, match=r"NaN|nan|compliant") as caught:
        Request("POST", "http://example.org/", json=float("nan")).prepare()
    assert "http://example.org/" == caught.value.request.url


# --- going back ---------------------------------------------------------------------------------------------


def test_a_seekable_body_goes_back_to_where_it_stood() -> None:
    """Not to its start: the author may have skipped a part."""
    prepared = Request("POST", "http://example.org/", data=_at(b"skip this", 5)).prepare()
    assert b"this" == prepared.body.read()
    from crawlkit.sessions.body import rewind_body

    rewind_body(prepared)
    assert (b"this", True) == (prepared.body.read(), prepared.resendable)


class Stuck(io.BytesIO):
    def seek(self, offset: int, whence: int = 0, /) -> int:
        raise OSError("cannot seek")


@pytest.mark.parametrize("body", [iter([b"a"]), Broken(b"a"), Stuck(b"a")], ids=["generator", "no tell", "no seek"])
def test_a_body_that_cannot_go_back_says_so(body: Any) -> None:
    """Nothing is sent half."""
    from crawlkit.sessions.body import rewind_body

    prepared = Request("POST", "http://example.org/", data=body).prepare()
    with pytest.raises(UnrewindableBodyError, match="start"):
        rewind_body(prepared)


@pytest.mark.parametrize("body", [None, "text", b"bytes", {"a": "b"}])
def test_a_body_in_memory_can_always_be_sent_again(body: Any) -> None:
    """It is no stream."""
    assert Request("POST", "http://example.org/", data=body).prepare().resendable

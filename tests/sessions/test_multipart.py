"""multipart/form-data beside requests, and what it must not let through."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest

from crawlkit.exceptions import InvalidHeader
from crawlkit.sessions.models import Request
from crawlkit.sessions.multipart import encode_multipart
from tests.sessions.side_by_side import by_both


class Named(io.BytesIO):
    def __init__(self, data: bytes, name: Any) -> None:
        super().__init__(data)
        self.name = name


class Custom:
    """Has `read` and nothing else."""

    def read(self) -> str:
        return "custom"


FILES: list[Any] = [
    {"files": {"f": "text"}},
    {"files": {"f": b"bytes"}},
    {"files": {"f": bytearray(b"bytes")}},
    {"files": {"f": ""}},
    {"files": {"f": ("name.txt", "text")}},
    {"files": {"f": ["name.txt", "text"]}},
    {"files": {"f": (None, "field")}},
    {"files": {"f": ("", "empty name")}},
    {"files": {"f": ("n.txt", b"x", "text/plain")}},
    {"files": {"f": ("n.txt", b"x", None)}},
    {"files": {"f": ("n.txt", b"x", "text/plain", {"X-Part": "1"})}},
    {"files": {"f": ("n.txt", b"x", "text/plain", {"X-Part": "1", "Content-Location": "l"})}},
    {"files": {"f": ("n.txt", b"x", "", {})}},
    {"files": {"f": ("ünïcode.txt", "日本")}},
    {"files": {"ü": "x"}},
    {"files": {'q"uo\nte\r': ('f"i\nle', "x")}},
    {"files": {"f": ("back\\slash", "x")}},
    {"files": {"f": None}},
    {"files": {"f": ("name", None)}},
    {"files": {"f": 5}},
    {"files": {"f": (b"bytes-name", "x")}},
    {"files": [("f", "1"), ("f", "2")]},
    {"files": (("f", "1"),)},
    {"files": {}},
    {"files": []},
    {"files": {"f": "x"}, "data": {"a": "b"}},
    {"files": {"f": "x"}, "data": {"a": ["1", "2"], "n": 3, "none": None}},
    {"files": {"f": "x"}, "data": [("a", "1"), ("a", "2")]},
    {"files": {"f": "x"}, "data": {"ü": "ö"}},
    {"files": {"f": "x"}, "data": {b"bytes": b"\xff"}},
    {"files": {"f": "x"}, "data": "text"},
    {"files": {"f": "x"}, "data": b"bytes"},
    {"files": {"f": "x"}, "headers": {"Content-Type": "multipart/mixed; boundary=own"}},
    {"files": {"f": "x"}, "method": "GET"},
    lambda: {"files": {"f": io.BytesIO(b"stream")}},
    lambda: {"files": {"f": io.StringIO("text stream")}},
    lambda: {"files": {"f": ("n.bin", io.BytesIO(b"stream"), "application/x")}},
    lambda: {"files": {"f": Custom()}},
    lambda: {"files": {"f": Named(b"x", "/tmp/path/file.png")}},
    lambda: {"files": {"f": Named(b"x", b"bytes.png")}},
    lambda: {"files": {"f": Named(b"x", "<stdin>")}},
    lambda: {"files": {"f": Named(b"x", 3)}},
    lambda: {"files": {"f": Named(b"x", "")}},
]


def _id(value: object) -> str:
    """One name in every process: without addresses."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value() if callable(value) else value))[:70]


@pytest.mark.parametrize("row", FILES, ids=_id)
def test_files_are_sent_as_requests_sends_them(row: Any) -> None:
    """The same parts in the same order, with the same headers (the boundary aside)."""

    def arguments() -> dict[str, Any]:
        return {"method": "POST", **(row() if callable(row) else row)}

    expected, actual = by_both(arguments)
    assert expected == actual


def test_a_file_from_disk_is_named_after_it(tmp_path: Path) -> None:
    """Its name without the folder."""
    path = tmp_path / "upload.txt"
    path.write_bytes(b"content")
    with path.open("rb") as file:
        body = Request("POST", "http://example.org/", files={"f": file}).prepare().body
    assert b'name="f"; filename="upload.txt"\r\n\r\ncontent\r\n' in body


def test_the_whole_form_of_a_body() -> None:
    """RFC 7578, with a boundary that is given."""
    body, content_type = encode_multipart({"a": "1"}, {"f": ("n", "x", "t/p")}, boundary="B")
    assert "multipart/form-data; boundary=B" == content_type
    assert (
        b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
        b'--B\r\nContent-Disposition: form-data; name="f"; filename="n"\r\nContent-Type: t/p\r\n\r\nx\r\n'
        b"--B--\r\n"
    ) == body


def test_every_body_has_a_boundary_of_its_own() -> None:
    """It must not occur in a file, so it must not be guessed."""
    assert encode_multipart({}, {"f": "x"})[1] != encode_multipart({}, {"f": "x"})[1]


@pytest.mark.parametrize(
    "file", [("n", "x", "text/plain\r\nX: y"), ("n", "x", "t/p", {"X": "a\nb"}), ("n", "x", "t/p", {"X\r\n": "a"})]
)
def test_no_header_of_a_part_can_break_its_line(file: Any) -> None:
    """requests writes it as it is, and the server reads a header that nobody meant."""
    with pytest.raises(InvalidHeader, match="line break"):
        Request("POST", "http://example.org/", files={"f": file}).prepare()


@pytest.mark.parametrize("file", [("one",), (), ("1", "2", "3", {}, "5")])
def test_a_tuple_of_the_wrong_length_names_its_field(file: Any) -> None:
    """The message says what a file may be."""
    with pytest.raises(ValueError, match="'upload' must be"):
        Request("POST", "http://example.org/", files={"upload": file}).prepare()


def test_a_file_that_cannot_be_read_is_named() -> None:
    """By its type."""
    with pytest.raises(TypeError, match="not object"):
        Request("POST", "http://example.org/", files={"f": object()}).prepare()


def test_a_field_whose_name_is_a_number() -> None:
    """requests fails with AttributeError."""
    assert b'name="1"' in Request("POST", "http://example.org/", data={1: 2}, files={"f": "x"}).prepare().body

"""What was posted, as a query: recorded from pywb 2.10, which computes the same of a replayed page's requests."""

from __future__ import annotations

import pytest

from crawlkit.archive.posted import MAX_BYTES, posted_query

FORM = "application/x-www-form-urlencoded"
PARTS = (
    b'--XX\r\nContent-Disposition: form-data; name="a"\r\n\r\nh\xc3\xa9 llo\r\n'
    b'--XX\r\nContent-Disposition: form-data; name="f"; filename="x.bin"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n\x00\xff\r\n--XX--\r\n"
)


@pytest.mark.parametrize(
    ("content_type", "body", "query"),
    [
        (FORM, b"a=1&b=h%C3%A9+x&c", "a=1&b=hé x&c"),
        (f"{FORM}; charset=utf-8", b"\xff\xfe", "__wb_post_data=//4="),
        (
            "application/json",
            b'{"a":[1,2.0,2.5,true,null,"x y"],"b":{"a":3,"c":{"d":"e"}}}',
            "a=1&a.2_=2&a.3_=2.5&a.4_=true&a.5_=null&a.6_=x+y&a.7_=3&d=e",
        ),
        ("text/plain", b'{"a":1}', "a=1"),
        ("text/plain", b"hello", "__wb_post_data=aGVsbG8="),
        ("multipart/form-data; boundary=XX", PARTS, "a=h%C3%A9+llo&f=%00%FF"),
        ("application/octet-stream", b"\x00\x01", "__wb_post_data=AAE="),
        ("", b"x=1", "__wb_post_data=eD0x"),
        (FORM, b"", ""),
    ],
)
def test_a_body_becomes_the_query_that_a_replayer_computes(content_type: str, body: bytes, query: str) -> None:
    assert query == posted_query(body, content_type)


@pytest.mark.parametrize(
    ("content_type", "body", "query"),
    [
        (FORM, b"q=books&csrf_token=4711&pass%77ord=x", "q=books"),
        ("application/json", b'{"q":"books","auth":{"password":"x","api_key":["y"]}}', "q=books"),
        ("multipart/form-data; boundary=XX", PARTS.replace(b'"f"', b'"session_id"'), "a=h%C3%A9+llo"),
    ],
)
def test_fields_that_are_secret_by_their_names_are_left_out(content_type: str, body: bytes, query: str) -> None:
    assert query == posted_query(body, content_type)


def test_a_large_body_is_not_in_the_index() -> None:
    assert "" == posted_query(b"a=" + b"x" * MAX_BYTES, FORM)


@pytest.mark.parametrize("body", [b"[" * MAX_BYTES, b'{"a":' * 3000, b"[" * 900 + b"]" * 900, b"nonsense"])
def test_hostile_json_is_bytes_like_any_others_or_nothing(body: bytes) -> None:
    assert posted_query(body, "application/json").startswith("__wb_post_data=") or body.endswith(b"]")


def test_parts_without_their_boundary_are_bytes() -> None:
    assert posted_query(b"xyz", "multipart/form-data; boundary=XX").startswith("__wb_post_data=")

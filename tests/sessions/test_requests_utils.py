"""requests.utils and requests.cookies: the functions that only the skin has, beside requests'."""

from __future__ import annotations

import io
import os
import zipfile
from collections import OrderedDict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests.cookies
import requests.utils

from crawlkit.requests import Request, cookies, utils

CALLS: list[tuple[str, tuple[Any, ...]]] = [
    ("dict_to_sequence", ([("a", 1)],)),
    ("to_key_val_list", (None,)),
    ("to_key_val_list", ({"a": 1},)),
    ("to_key_val_list", ([("a", 1)],)),
    ("to_key_val_list", ("text",)),
    ("to_key_val_list", (5,)),
    ("from_key_val_list", (None,)),
    ("from_key_val_list", ([("a", 1)],)),
    ("from_key_val_list", (b"text",)),
    ("_parse_content_type_header", ("text/html; charset=utf-8",)),
    ("_parse_content_type_header", ("text/html; Charset = 'utf-8'; x; y=\"z\"",)),
    ("_parse_content_type_header", ("",)),
    ("get_encoding_from_headers", ({},)),
    ("get_encoding_from_headers", ({"content-type": "text/plain"},)),
    ("get_encoding_from_headers", ({"content-type": 'text/html; charset="koi8-r"'},)),
    ("get_encoding_from_headers", ({"content-type": "application/json"},)),
    ("get_encoding_from_headers", ({"content-type": "image/png"},)),
    ("guess_json_utf", (b"",)),
    ("guess_json_utf", (b"{}",)),
    ("guess_json_utf", (b"[1, 2]",)),
    ("guess_json_utf", (b"\0\0\0\0",)),
    ("guess_json_utf", (b"\0{}a",)),
    *[("guess_json_utf", ('{"a": 1}'.encode(name),)) for name in ("utf-8-sig", "utf-16", "utf-32")],
    *[("guess_json_utf", ('{"a": 1}'.encode(name),)) for name in ("utf-16-be", "utf-16-le", "utf-32-be", "utf-32-le")],
    ("address_in_network", ("192.168.1.1", "192.168.1.0/24")),
    ("address_in_network", ("172.16.0.1", "192.168.1.0/24")),
    ("dotted_netmask", (8,)),
    ("dotted_netmask", (25,)),
    ("is_ipv4_address", ("8.8.8.8",)),
    ("is_ipv4_address", ("8.8.8.8.8",)),
    ("is_ipv4_address", ("localhost.localdomain",)),
    *[
        ("is_valid_cidr", (text,))
        for text in (
            "192.168.1.0/24",
            "8.8.8.8",
            "192.168.1.0/a",
            "192.168.1.0/128",
            "192.168.1.0/-1",
            "192.168.1.999/24",
        )
    ],
    ("unquote_unreserved", ("http://example.org/%7Ea%2Fb%C3%BC",)),
    ("unquote_unreserved", ("http://example.org/100%",)),
    ("unquote_unreserved", ("http://example.org/%zz",)),
    ("requote_uri", ("http://example.org/a b?c=%20d%",)),
    ("requote_uri", ("http://example.org/fiz?buz=%25ppicture",)),
    ("requote_uri", ("http://example.org/fiz?buz=%ppicture",)),
    ("get_auth_from_url", ("http://user:pa%20ss@example.org/",)),
    ("get_auth_from_url", ("http://user@example.org/",)),
    ("get_auth_from_url", ("http://example.org/",)),
    ("urldefragauth", ("http://u:p@example.org/path?q#frag",)),
    ("urldefragauth", ("//u:p@example.org/path?q#frag",)),
    ("urldefragauth", ("example.org/path#frag",)),
    ("prepend_scheme_if_needed", ("http://example.org/x?y#z", "https")),
    ("prepend_scheme_if_needed", ("example.org:3128", "http")),
    ("prepend_scheme_if_needed", ("user:pass@example.org/path?query", "http")),
    ("prepend_scheme_if_needed", ("//example.org/", "http")),
    ("unquote_header_value", ('"a b"',)),
    ("guess_filename", (5,)),
    ("guess_filename", (SimpleNamespace(name="/a/b.txt"),)),
    ("guess_filename", (SimpleNamespace(name="<fdopen>"),)),
    ("guess_filename", (SimpleNamespace(name=7),)),
    ("extract_zipped_paths", ("/nowhere/at/all",)),
    ("extract_zipped_paths", ("",)),
    ("extract_zipped_paths", (__file__,)),
]


def _outcome(module: Any, name: str, arguments: tuple[Any, ...]) -> Any:
    try:
        return getattr(module, name)(*arguments)
    except Exception as error:  # noqa: BLE001 - any kind is an outcome to compare
        return type(error).__name__


@pytest.mark.parametrize(("name", "arguments"), CALLS, ids=lambda value: repr(value)[:60])
def test_as_requests(name: str, arguments: tuple[Any, ...]) -> None:
    """The same value, or the same error."""
    assert _outcome(requests.utils, name, arguments) == _outcome(utils, name, arguments)


def test_from_key_val_list_keeps_the_order() -> None:
    """An OrderedDict."""
    assert isinstance(utils.from_key_val_list([("b", 1), ("a", 2)]), OrderedDict)


@pytest.mark.parametrize("size", [None, 0, -1, 1, 2, 100])
@pytest.mark.parametrize("data", [b"", b"abc", "abc"])
def test_slices(data: Any, size: int | None) -> None:
    """Pieces of a text or of bytes."""
    assert list(requests.utils.iter_slices(data, size)) == list(utils.iter_slices(data, size))


def test_decoding_a_stream() -> None:
    """A character that two chunks share is put together."""
    chunks = [b"\xc3", b"\xbc!"]
    for encoding in ("utf-8", None):
        response: Any = SimpleNamespace(encoding=encoding)
        expected = list(requests.utils.stream_decode_response_unicode(iter(chunks), response))
        assert expected == list(utils.stream_decode_response_unicode(iter(chunks), response))


@pytest.mark.parametrize(
    "content",
    [
        "<meta charset='utf-8'>",
        '<meta http-equiv="Content-type" content="text/html;charset=UTF-8" />',
        '<?xml version="1.0" encoding="latin-1" ?>',
        "<p>none</p>",
    ],
)
def test_charsets_in_a_page(content: str) -> None:
    """Deprecated, as there; each is named once (requests names some twice)."""
    with pytest.warns(DeprecationWarning):
        expected = requests.utils.get_encodings_from_content(content)
    with pytest.warns(DeprecationWarning):
        assert list(dict.fromkeys(expected)) == utils.get_encodings_from_content(content)


def test_text_by_the_headers_alone() -> None:
    """Deprecated, as there."""
    response: Any = SimpleNamespace(content="ü".encode("latin-1"), headers={"content-type": "text/plain"})
    with pytest.warns(DeprecationWarning):
        assert "ü" == utils.get_unicode_from_response(response)


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    """Nothing is left after an exception."""
    target = tmp_path / "file"
    with utils.atomic_open(str(target)) as file:
        file.write(b"whole")
        assert not target.exists()
    assert b"whole" == target.read_bytes()
    with pytest.raises(RuntimeError), utils.atomic_open(str(tmp_path / "other")) as file:
        file.write(b"half")
        raise RuntimeError
    assert [target] == list(tmp_path.iterdir())


def test_a_member_of_an_archive(tmp_path: Path) -> None:
    """Certificates of a program that is packed in a zip file must be in a file of their own."""
    archive = tmp_path / "program.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("certs/ca.pem", b"certificate")
    copied = utils.extract_zipped_paths(str(archive / "certs" / "ca.pem"))
    assert b"certificate" == Path(copied).read_bytes()
    assert copied.endswith(".pem")
    Path(copied).unlink()
    missing = str(archive / "certs" / "other.pem")
    assert missing == utils.extract_zipped_paths(missing)


@pytest.mark.parametrize("before", [None, "before"])
@pytest.mark.parametrize("value", [None, "now"])
def test_a_variable_for_the_time_being(before: str | None, value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set back afterwards, whatever happens."""
    monkeypatch.delenv("CRAWLKIT_TEST", raising=False)
    if before is not None:
        monkeypatch.setenv("CRAWLKIT_TEST", before)
    with pytest.raises(RuntimeError), utils.set_environ("CRAWLKIT_TEST", value):
        assert (value or before) == os.environ.get("CRAWLKIT_TEST")
        raise RuntimeError
    assert before == os.environ.get("CRAWLKIT_TEST")


def test_the_stand_ins_for_http_cookiejar() -> None:
    """A library that mocks responses hands them to a jar of the standard library."""
    from email.message import Message
    from http.cookiejar import CookieJar

    request = Request("GET", "http://example.org:8080/a").prepare()
    for module in (requests.cookies, cookies):
        message = Message()
        message["Set-Cookie"] = "name=value; Path=/"
        mock: Any = module.MockRequest(request)
        jar = CookieJar()
        jar.extract_cookies(module.MockResponse(message), mock)
        assert ["name"] == [cookie.name for cookie in jar]
        jar.add_cookie_header(mock)
        assert {"Cookie": "name=value"} == mock.get_new_headers()
        assert ("http", "example.org:8080", "http://example.org:8080/a") == (
            mock.get_type(),
            mock.get_host(),
            mock.get_full_url(),
        )
        assert (True, "value", None) == (
            mock.has_header("Cookie"),
            mock.get_header("Cookie").partition("=")[2],
            mock.get_header("None"),
        )
        with pytest.raises(NotImplementedError):
            mock.add_header("a", "b")
    assert ["name=value; Path=/"] == cookies.MockResponse(message).getheaders("Set-Cookie")


def test_a_jar_of_any_kind_is_copied() -> None:
    """The copy changes alone."""
    from http.cookiejar import CookieJar

    for jar in (CookieJar(), cookies.RequestsCookieJar()):
        cookies.cookiejar_from_dict({"a": "b"}, jar)
        twin = cookies._copy_cookie_jar(jar)
        twin.clear()
        assert (1, 0) == (len(list(jar)), len(list(twin)))
    assert cookies._copy_cookie_jar(None) is None


def test_the_rest_of_a_file_counts() -> None:
    """super_len is there under its name."""
    assert 3 == utils.super_len(io.BytesIO(b"abc"))

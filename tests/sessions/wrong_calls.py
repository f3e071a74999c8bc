"""The calls with arguments that are wrong, or odd, and what they must come to: data for test_side_by_side.py.

`WRONG` is what both refuse or take alike; a row with `wire` or `result` is a difference that docs/session.md names.
"""

from __future__ import annotations

import datetime
import io
from collections.abc import Callable, Mapping
from typing import Any

from tests.sessions.calls import Call, Pipe, redirect, says

WRONG: list[Call] = []


def add(name: str, *args: Any, **kwargs: Any) -> None:
    WRONG.append(Call(f"odd: {name}", *args, **kwargs))


def rows(method: str, values: Mapping[str, Any]) -> None:
    for name, kwargs in values.items():
        add(name, method, kwargs=kwargs)


class Pieces:
    """Something to iterate, any number of times."""

    def __iter__(self):
        return iter([b"a", b"b"])


def closed() -> io.BytesIO:
    file = io.BytesIO(b"x")
    file.close()
    return file


def ignores(response: Any, **kwargs: Any) -> None:
    pass


def fails(response: Any, **kwargs: Any) -> None:
    raise ZeroDivisionError


BODIES: dict[str, Mapping[str, Any] | Callable[[], Mapping[str, Any]]] = {
    "data: a number": {"data": 5},
    "data: a fraction": {"data": 1.5},
    "data: an object": {"data": object()},
    "data: True": {"data": True},
    "data: a set": {"data": {"a"}},
    "data: texts": {"data": ["a", "b"]},
    "data: pieces of bytes": {"data": [b"a", b"b"]},
    "data: a pair too short": {"data": [("a",)]},
    "data: a tuple of pairs": {"data": (("a", "1"),)},
    "data: a dict in a dict": {"data": {"a": {"b": 1}}},
    "data: None and numbers": {"data": {"a": None, "b": 1, 2: 3, "c": [1, "x", None]}},
    "data: a bytearray": {"data": bytearray(b"x")},
    "data: a generator of numbers": lambda: {"data": iter([1, 2])},
    "data: a generator of texts": lambda: {"data": iter(["a", "b"])},
    "data: what can be iterated": {"data": Pieces()},
    "data: a pipe": lambda: {"data": Pipe(b"abc")},
    "data: a closed file": lambda: {"data": closed()},
    "data: a text file in memory": lambda: {"data": io.StringIO("abc")},
    "data: nothing": {"data": {}},
    "json: a set": {"json": {1, 2}},
    "json: bytes": {"json": b"a"},
    "json: text": {"json": "a"},
    "json: 0": {"json": 0},
    "json: a date": {"json": datetime.date(2020, 1, 1)},
    "files: text": {"files": "x"},
    "files: bytes": {"files": {"f": b"x"}},
    "files: five parts": {"files": {"f": ("n", b"x", "t", {}, 1)}},
    "files: one part": {"files": {"f": ("n",)}},
    "files: None": {"files": {"f": None}},
    "files: no name": {"files": {"f": (None, "x")}},
    "files: a number": {"files": {"f": 5}},
    "files: names with quotes and line ends": {"files": {'f"q': ('a"b\r\nc', b"x")}},
    "files: names beyond ASCII": {"files": {"f": ("zwölf.txt", b"x")}},
    "files beside json": {"files": {"f": b"x"}, "json": {"a": 1}},
    "files beside a form with None": {"files": {"f": b"x"}, "data": {"a": ["1", "2"], "n": None}},
    "files: nothing": {"files": {}},
}
rows("POST", BODIES)

rows(
    "GET",
    {
        "params: a number": {"params": 5},
        "params: text": {"params": "a=b&c d"},
        "params: a dict in a dict": {"params": {"a": {"b": 1}}},
        "params: an object": {"params": object()},
        "params: a pair too short": {"params": [("a",)]},
        "params: True": {"params": {"a": True}},
        "headers: pairs": {"headers": [("a", "b")]},
        "headers: text": {"headers": "a: b"},
        "headers: a number": {"headers": {"a": 5}},
        "headers: a list": {"headers": {"a": ["b"]}},
        "headers: the name a number": {"headers": {5: "c"}},
        "headers: the name empty": {"headers": {"": "c"}},
        "headers: a colon in the name": {"headers": {"a:b": "c"}},
        "headers: a line break in the name": {"headers": {"a\r\nb": "c"}},
        "headers: a line break": {"headers": {"a": "b\r\nc: d"}},
        "headers: a line feed at the end": {"headers": {"a": "b\n"}},
        "headers: CR": {"headers": {"a": "b\rc"}},
        "headers: folded": {"headers": {"a": "b\r\n c"}},
        "headers: a space in front": {"headers": {"a": " b"}},
        "headers: a tab in front": {"headers": {"a": "\tb"}},
        "headers: a space behind": {"headers": {"a": "b "}},
        "headers: bytes": {"headers": {b"a": b"b"}},
        "headers: empty": {"headers": {"a": ""}},
        "headers: latin-1": {"headers": {"a": "é"}},
        "auth: text": {"auth": "a:b"},
        "auth: one": {"auth": ("a",)},
        "auth: three": {"auth": ("a", "b", "c")},
        "auth: a list": {"auth": ["a", "b"]},
        "auth: an object": {"auth": object()},
        "auth: bytes": {"auth": (b"a", b"b")},
        "auth: empty": {"auth": ("", "")},
        "auth: False": {"auth": False},
        "auth: a colon in the name": {"auth": ("a:b", "c")},
        "timeout: text": {"timeout": "5"},
        "timeout: negative": {"timeout": -1},
        "timeout: 0": {"timeout": 0},
        "timeout: True": {"timeout": True},
        "timeout: a dict": {"timeout": {}},
        "timeout: a pair of texts": {"timeout": ("a", 1)},
        "timeout: no time for reading": {"timeout": (5, None)},
        "cookies: text": {"cookies": "a=b"},
        "cookies: pairs": {"cookies": [("a", "b")]},
        "cookies: empty": {"cookies": {}},
        "cookies: a quoted value": {"cookies": {"a": '"b"'}},
        "cookies: a space": {"cookies": {"a b": "x y"}},
        "cookies: a semicolon": {"cookies": {"a": "x;y"}},
        "proxies: no scheme": {"proxies": {"http": "127.0.0.1:1"}},
        "proxies: empty": {"proxies": {"http": ""}},
        "proxies: None": {"proxies": {"http": None}},
        "proxies: no host": {"proxies": {"http": "http://"}},
        "proxies: a slash lost": {"proxies": {"http": "http:/127.0.0.1"}},
        "hooks: a list": {"hooks": [ignores]},
        "hooks: None": {"hooks": {"response": None}},
        "hooks: none": {"hooks": {"response": []}},
        "hooks: a tuple": {"hooks": {"response": (ignores,)}},
        "hooks: text": {"hooks": "x"},
        "hooks: with other arguments": {"hooks": {"response": lambda response: None}},
        "verify: None": {"verify": None},
        "an argument that nobody knows": {"nope": 1},
        "redirects: text": {"allow_redirects": "no"},
    },
)

for method in ("foo", "gEt", "TRACE", "é", None, 5, b"GET"):
    add(f"method {method!r}", method)  # type: ignore[arg-type]
for url in (f"http://{'ü' * 64}.example/", "http://ü.。example/", "http://[::g]/", "http://exa mple/", "http://h:-1/"):
    add(f"url {url[:30]}", path=url)

STREAM = {"allow_redirects": False, "stream": True}
NEXT = "what leads out of http(s), or is no URL, has no next request: asking for it raises, the answer itself comes"
add("not followed: ?again", path=redirect("?again"), kwargs=STREAM)
add("not followed: mailto", path=redirect("mailto:x"), kwargs=STREAM, result=NEXT)
add("not followed: no URL", path=redirect("//[bad"), kwargs=STREAM, result=NEXT)
EMPTY = says(None, b"", "Location: ", status=302)
add("an empty Location", path=EMPTY)
add("an empty Location, not followed", path=EMPTY, kwargs={"allow_redirects": False})

for label, body in [
    ("utf-8", "é".encode("utf-8-sig")),
    ("utf-16", "é".encode("utf-16")),
    ("utf-32", "é".encode("utf-32")),
    ("ASCII", b"plain"),
    ("nothing", b""),
]:
    add(f"looks like {label}", path=says(None, body), read=lambda r: (r.apparent_encoding, r.text))

# --- what differs, as docs/session.md says -------------------------------------------------------------------------------

TOKEN = "RFC 9110 section 5.1: a name that is no token is read by each server in its own way"
for name in ("X A", "X(A)", "X A "):
    add(f"headers: a name {name!r}", kwargs={"headers": {name: "v"}}, wire=TOKEN, result=TOKEN)
TEXT_OF = "what is no text is sent as the text it has"
for value in (1, True, b"x"):
    add(f"cookies: {value!r}", kwargs={"cookies": {"a": value}}, wire=TEXT_OF, result=TEXT_OF)
add(
    "cookies: None", kwargs={"cookies": {"a": None}}, wire="RFC 6265bis section 5.8.3: a name without a value has its ="
)
add("cookies: without a name", kwargs={"cookies": {"": "v"}}, wire="RFC 6265bis section 5.8.3: the value alone")
add("cookies: beyond latin-1", kwargs={"cookies": {"a": "€"}}, wire="sent as UTF-8", result="sent as UTF-8")
add(
    "cookies: in place of the host's",
    session=lambda: {"cookies": {"b": "2"}},
    path="/cookies?set=a%3D1",
    kwargs={"cookies": {"b": "3"}},
)
NUMBER = "requests leaves out without a word what cannot be called"
add("hooks: a number", kwargs={"hooks": {"response": 5}}, wire=NUMBER, result=NUMBER)
add(
    "proxies: a scheme that is none",
    kwargs={"proxies": {"http": "foo://127.0.0.1:1"}},
    result="InvalidProxyURL, an InvalidURL",
)
add("proxies: brackets", kwargs={"proxies": {"http": "http://[bad"}}, result="InvalidProxyURL, an InvalidURL")
add(
    "cert that is not there, http",
    kwargs={"cert": "/nope"},
    wire="not looked at for http",
    result="not looked at for http",
)
add(
    "a charset that nobody knows",
    path=says("text/plain; charset=nope", b"x"),
    read=lambda r: list(r.iter_lines(decode_unicode=True)),
    result="read as UTF-8",
)
add(
    "spaces behind a header",
    path=says("text/plain", b"", "X: a  "),
    result="RFC 9110 section 5.5: not part of the value",
)

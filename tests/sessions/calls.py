"""The calls that requests and crawlkit must make alike: data for test_side_by_side.py.

A row is one `session.request(...)` with the settings of its session. `differs` names what crawlkit does
otherwise on purpose, with the reason; such a row fails as soon as the two agree, so that no reason outlives
its difference.

In paths and strings `{here}` is the server under one host name and `{there}` under another (another origin).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

Read = Callable[[Any], Any]


@dataclass(frozen=True)
class Call:
    name: str
    method: str = "GET"
    path: str = "/echo"
    kwargs: Mapping[str, Any] | Callable[[], Mapping[str, Any]] = field(default_factory=dict)
    session: Mapping[str, Any] | Callable[[], Mapping[str, Any]] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    read: Read | None = None
    """What else of the response is compared; for streams instead of the body."""
    wire: str | None = None
    """Why what goes over the wire differs."""
    result: str | None = None
    """Why what the program sees differs."""


def redirect(to: str, status: int = 302, **query: str) -> str:
    more = "".join(f"&{name}={quote(value, safe='{}')}" for name, value in query.items())
    return f"/redirect?status={status}&to={quote(to, safe='{}:/')}{more}"


def says(kind: str | None, body: bytes, *headers: str, status: int = 200) -> str:
    path = f"/answer?status={status}&hex={body.hex()}"
    if kind is not None:
        path += f"&type={quote(kind)}"
    return path + "".join(f"&h={quote(header)}" for header in headers)


def stream(*parts: bytes):
    yield from parts


class Pipe:
    """A file that cannot go back."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self._data.read(size)

    def __iter__(self):
        return iter(self._data)


class Token:
    """An auth of the program's own."""

    def __call__(self, request):
        request.headers["X-Signed"] = f"{request.method} {request.body!r}"
        return request


VERBS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "get", "PROPFIND"]

BODIES: list[tuple[str, Callable[[], Mapping[str, Any]]]] = [
    ("no body", dict),
    ("a form", lambda: {"data": {"a": "1", "b": ["2", "3"], "c": None, "ü": "é"}}),
    ("pairs", lambda: {"data": [("a", "1"), ("a", "2")]}),
    ("text", lambda: {"data": "plain text"}),
    ("text beyond ASCII", lambda: {"data": "naïve €"}),
    ("bytes", lambda: {"data": b"\x00\xff bytes"}),
    ("empty text", lambda: {"data": ""}),
    ("json", lambda: {"json": {"a": [1, None, "ü"]}}),
    ("json null", lambda: {"json": None}),
    ("json of nothing", lambda: {"json": []}),
    ("json beside data", lambda: {"json": {"a": 1}, "data": {"b": "2"}}),
    ("a file", lambda: {"data": io.BytesIO(b"a file's bytes")}),
    ("an empty file", lambda: {"data": io.BytesIO(b"")}),
    ("a generator", lambda: {"data": stream(b"one", b"two")}),
    ("an empty generator", lambda: {"data": stream()}),
    ("files", lambda: {"files": {"f": ("name.txt", b"content", "text/x-odd", {"X-Part": "1"})}}),
    ("files and a form", lambda: {"files": [("f", ("a", "text")), ("f", ("b", b"2"))], "data": {"k": "v"}}),
    ("a type of its own", lambda: {"data": {"a": "1"}, "headers": {"content-type": "application/x-own"}}),
]

CALLS: list[Call] = []


def add(name: str, *args: Any, **kwargs: Any) -> None:
    CALLS.append(Call(name, *args, **kwargs))


for verb in VERBS:
    add(f"verb {verb}", verb)
for label, arguments in BODIES:
    add(f"POST with {label}", "POST", kwargs=arguments)
    if label != "files":
        add(f"PUT with {label}", "PUT", kwargs=arguments)
for label, arguments in (BODIES[1], BODIES[7]):
    add(f"GET with {label}", "GET", kwargs=arguments)
    add(f"DELETE with {label}", "DELETE", kwargs=arguments)

# --- params

for label, path, params in [
    ("a mapping", "/echo", {"a": "1", "b": "two words", "ü": "é"}),
    ("lists and None", "/echo", {"a": ["1", "2"], "b": None, "c": ""}),
    ("pairs", "/echo", [("b", "1"), ("a", "2")]),
    ("text", "/echo", "raw=1&x=%20"),
    ("bytes", "/echo", b"raw=1"),
    ("behind a query", "/echo?z=0", {"a": "1"}),
    ("before a fragment", "/echo?z=0#frag", {"a": "1"}),
    ("nothing", "/echo?z=0", {}),
    ("numbers", "/echo", {"n": 1, "f": 1.5, "t": True}),
    ("what must be escaped", "/echo", {"q": "a&b=c#d/e?f+g%"}),
]:
    add(f"params: {label}", path=path, kwargs={"params": params})
add("params of the session", session={"params": {"s": "1"}})
add("params of both", kwargs={"params": {"a": "1", "s": "2"}}, session={"params": {"s": "1", "t": "3"}})
add("params: None takes the session's out", kwargs={"params": {"s": None}}, session={"params": {"s": "1", "t": "3"}})
add("params: text beside the session's mapping", kwargs={"params": "a=1"}, session={"params": {"s": "1"}})

# --- URLs

for path in [
    "/echo?q=a b&r=ü",
    "/echo/%7Euser/%e4/100%",
    "/echo/a/../b/./c",
    "/echo/;p?x=[1]&y={{2}}|",
    "/echo#only-a-fragment",
    "",
    "?q=1",
    "/echo/日本",
]:
    add(f"URL {path!r}", path=path)

# --- headers ------------------------------------------------------------------------------------------------

for label, given in [
    ("one", {"X-One": "1"}),
    ("bytes", {b"X-Bytes": b"value"}),
    ("latin-1", {"X-Latin": "é".encode("latin-1")}),
    ("another case", {"accept": "text/x"}),
    ("None takes a default out", {"Accept": None}),
    ("an empty value", {"X-Empty": ""}),
    ("Host", {"Host": "elsewhere.example"}),
    ("Connection", {"Connection": "close"}),
    ("a Cookie by hand", {"Cookie": "by=hand"}),
    ("Authorization by hand", {"Authorization": "Bearer t"}),
    ("a number", {"X-Number": 1}),
    ("a line break", {"X-Bad": "a\r\nX-Evil: 1"}),
    ("a leading space", {"X-Bad": " a"}),
    ("a line break in the name", {"X-Bad\r\n": "a"}),
    ("Transfer-Encoding without a body", {"X-Te": "chunked"}),
]:
    add(f"header: {label}", kwargs={"headers": given})
add("header: None takes Accept-Encoding out", kwargs={"headers": {"Accept-Encoding": None}})
add("headers of the session", session={"headers": {"X-S": "1"}})
add("headers of both", kwargs={"headers": {"x-s": "2"}}, session={"headers": {"X-S": "1", "X-T": "3"}})
add("headers: None takes the session's out", kwargs={"headers": {"x-s": None}}, session={"headers": {"X-S": "1"}})
add("headers: None in the session", session={"headers": {"X-S": None, "Accept": "*/*"}})

# --- auth ---------------------------------------------------------------------------------------------------

add("auth: basic", path="/basic?user=u:p", kwargs={"auth": ("u", "p")})
add("auth: basic, wrong", path="/basic?user=u:p", kwargs={"auth": ("u", "x")})
add("auth: basic beyond ASCII", path="/basic?user=ü:é", kwargs={"auth": ("ü", "é")})
add("auth: basic of the session", path="/basic?user=u:p", session={"auth": ("u", "p")})
add("auth: the request's before the session's", kwargs={"auth": ("a", "b")}, session={"auth": ("u", "p")})
add("auth: a callable", "POST", kwargs=lambda: {"auth": Token(), "data": b"body"})
add("auth: beats a header by hand", kwargs={"auth": ("u", "p"), "headers": {"Authorization": "Bearer t"}})
add("auth: with a body", "POST", path="/basic?user=u:p", kwargs={"auth": ("u", "p"), "data": {"a": "1"}})
for algorithm in ["MD5", "MD5-SESS", "SHA", "SHA-256", "SHA-512"]:
    add(f"auth: digest {algorithm}", path=f"/digest?algorithm={algorithm}", kwargs={"auth": "digest"})
add("auth: digest with a body", "POST", path="/digest", kwargs=lambda: {"auth": "digest", "data": io.BytesIO(b"twice")})
add("auth: netrc", env={"NETRC": "machine 127.0.0.1 login n password secret"})
add("auth: netrc of another host", env={"NETRC": "machine other.example login n password secret"})
add("auth: netrc without trust", env={"NETRC": "machine 127.0.0.1 login n password s"}, session={"trust_env": False})
add("auth: before netrc", kwargs={"auth": ("u", "p")}, env={"NETRC": "machine 127.0.0.1 login n password s"})

# --- cookies ------------------------------------------------------------------------------------------------

add("cookies: a mapping", kwargs={"cookies": {"a": "1"}})
add("cookies: several", kwargs={"cookies": {"a": "1", "b": "2"}})
add("cookies: of the session", session={"cookies": {"s": "1"}})
add("cookies: of both", kwargs={"cookies": {"a": "1"}}, session={"cookies": {"s": "1"}})
add("cookies: a header by hand beside", kwargs={"cookies": {"a": "1"}, "headers": {"Cookie": "h=1"}})
for label, lines in [
    ("one", ["a=1"]),
    ("with a path", ["a=1; Path=/"]),
    ("with another path", ["a=1; Path=/elsewhere"]),
    ("several", ["a=1; Path=/", "b=2; Path=/; HttpOnly"]),
    ("expired", ["a=1; Path=/; Max-Age=0"]),
    ("with a date", ["a=1; Path=/; Expires=Wed, 01 Jan 2070 00:00:00 GMT"]),
    ("of another domain", ["a=1; Domain=example.org; Path=/"]),
    ("quoted", ['a="q v"; Path=/']),
]:
    query = "&".join(f"set={quote(line)}" for line in lines)
    add(f"Set-Cookie: {label}", path=f"/cookies?{query}")
add(
    "Set-Cookie: Secure over http",
    path=f"/cookies?set={quote('a=1; Path=/; Secure')}",
    result="RFC 6265bis: a Secure cookie is taken from https only",
)
add(
    "Set-Cookie: SameSite=None without Secure",
    path=f"/cookies?set={quote('a=1; Path=/; SameSite=None')}",
    result="RFC 6265bis: who wants None has to say Secure",
)

# --- redirects ----------------------------------------------------------------------------------------------

for status in (301, 302, 303, 307, 308):
    for verb in ("GET", "HEAD", "POST", "PUT", "DELETE"):
        body = {"data": {"a": "1"}} if verb in ("POST", "PUT") else {}
        add(f"{verb} redirected by {status}", verb, redirect("/echo", status), {**body, "allow_redirects": True})
for status in (300, 304, 305, 306):
    add(f"{status} is not followed", path=redirect("/echo", status))
add("a redirect without a Location", path="/redirect?status=302")
for label, to in [
    ("a path", "/echo/x"),
    ("a relative path", "echo"),
    ("a query alone", "?status=200&q=1"),
    ("an absolute URL", "{here}/echo"),
    ("a URL without a scheme", "//127.0.0.1:{port}/echo"),
    ("UTF-8", "/echo/ü"),
    ("what must be quoted", "/echo/a b|c"),
    ("what is quoted", "/echo/a%20b%7Ec"),
    ("a fragment", "/echo#new"),
    ("dots", "../echo/./x"),
    ("upper case", "HTTP://127.0.0.1:{port}/echo"),
    ("another host", "{there}/echo"),
    ("a scheme that is none", "ftp://127.0.0.1/x"),
    ("a script", "javascript:alert(1)"),
]:
    add(f"redirected to {label}", path=redirect(to))
add("a fragment is inherited", path=redirect("/echo") + "#old")
add("a fragment is replaced", path=redirect("/echo#new") + "#old")
add("a chain", path="/chain?n=4")
add("a chain that is too long", path="/chain?n=4", session={"max_redirects": 3})
add("a chain of just the length", path="/chain?n=3", session={"max_redirects": 3})
add("redirects not followed", path=redirect("/echo", set="a=1"), kwargs={"allow_redirects": False})
add("HEAD redirects not followed", "HEAD", redirect("/echo"), kwargs={"allow_redirects": False})
add("a cookie set on the way", path=redirect("/echo", set="a=1; Path=/"))
add("a cookie of the request on the way", path=redirect("/echo"), kwargs={"cookies": {"a": "1"}})
add("a cookie replaced on the way", path=redirect("/echo", set="a=2; Path=/"), session={"cookies": {"b": "1"}})
add("a Cookie by hand is for one request", path=redirect("/echo"), kwargs={"headers": {"Cookie": "h=1"}})
add("a header goes along", path=redirect("/echo"), kwargs={"headers": {"X-One": "1"}})
add("Authorization goes along to the origin", path=redirect("/echo"), kwargs={"auth": ("u", "p")})
add("Authorization stays here", path=redirect("{there}/echo"), kwargs={"auth": ("u", "p")})
add("Authorization by hand stays here", path=redirect("{there}/echo"), kwargs={"headers": {"Authorization": "B t"}})
add(
    "a secret header stays here",
    path=redirect("{there}/echo"),
    kwargs={"headers": {"X-API-Key": "k"}},
    wire="requests gives a key to whoever the server names",
)
add(
    "a token stays here",
    path=redirect("{there}/echo"),
    session={"headers": {"X-Auth-Token": "k"}},
    wire="requests gives a token to whoever the server names",
)
add(
    "a cookie of the request stays here",
    path=redirect("{there}/echo"),
    kwargs={"cookies": {"a": "1"}},
    wire="requests gives the request's cookies to whoever the server names",
)
add(
    "a Host by hand stays here",
    path=redirect("{there}/echo"),
    kwargs={"headers": {"Host": "elsewhere.example"}},
    wire="requests asks the new host for the old one's site",
)
add("an ordinary header goes there", path=redirect("{there}/echo"), kwargs={"headers": {"X-One": "1"}})
add("a file is sent again", "POST", redirect("/echo", 307), lambda: {"data": io.BytesIO(b"twice")})
add("a file is not sent again", "POST", redirect("/echo", 303), lambda: {"data": io.BytesIO(b"once")})
add(
    "a generator cannot be sent again",
    "POST",
    redirect("/echo", 307),
    lambda: {"data": stream(b"once")},
    wire="requests sends an empty body instead, without a word",
    result="UnrewindableBodyError",
)
add("json is sent again", "PUT", redirect("/echo", 308), {"json": {"a": 1}})
add("netrc for the new host", path=redirect("{there}/echo"), env={"NETRC": "machine localhost login n password s"})
add("digest, then a redirect", path="/digest", kwargs={"auth": "digest"}, session={"headers": {"X-S": "1"}})

# --- bodies of answers --------------------------------------------------------------------------------------

for kind, body in [
    ("text/plain", b"plain"),
    ("text/plain", "größe".encode("latin-1")),
    ("text/plain; charset=utf-8", "größe €".encode()),
    ("text/plain; charset=UTF-8", "größe €".encode()),
    ('text/plain; charset="koi8-r"', "привет".encode("koi8-r")),
    ("text/plain; charset=no-such", b"plain"),
    ("text/css", b"a{}"),
    ("application/json", '{"ü": [1, null]}'.encode()),
    ("application/json; charset=latin-1", '{"ü": 1}'.encode("latin-1")),
    ("application/xml", b"<a/>"),
    (None, b"no type"),
    (None, b""),
]:
    add(f"body of {kind}: {body[:12]!r}", path=says(kind, body), read=lambda r: r.text)
add(
    "body of bytes that are no text",
    path=says("application/octet-stream", bytes(range(256))),
    read=lambda r: r.text,
    result="both guess a charset, by different figures; there is no right answer",
)
add(
    "HTML without a charset",
    path=says("text/html", "<p>größe €".encode()),
    read=lambda r: r.text,
    result="HTML is decoded by byte order mark, HTTP, meta, detection; requests says ISO-8859-1",
)
add("HTML with a charset", path=says("text/html; charset=utf-8", "<p>größe €".encode()), read=lambda r: r.text)
for label, kind, body in [
    ("UTF-8", "application/json", '{"a": "ü"}'.encode()),
    ("UTF-8 without a type", None, '{"a": "ü"}'.encode()),
    ("UTF-16", None, '{"a": "ü"}'.encode("utf-16")),
    ("UTF-16-LE", None, '{"a": "ü"}'.encode("utf-16-le")),
    ("UTF-32", None, '{"a": "ü"}'.encode("utf-32")),
    ("a BOM", None, '{"a": "ü"}'.encode("utf-8-sig")),
    ("none", "text/plain", b"not json"),
    ("nothing", "application/json", b""),
]:
    add(f"json: {label}", path=says(kind, body), read=lambda r: r.json())
add(
    "json: a BOM under its own type",
    path=says("application/json", '{"a": "ü"}'.encode("utf-8-sig")),
    read=lambda r: r.json(),
    result="requests cannot read it",
)
for coding in ["gzip", "deflate", "raw-deflate", "br", "gzip, br", "broken"]:
    add(f"coded as {coding}", path=f"/coded?as={quote(coding)}")
add("chunked", path="/chunked?part=one&part=two")
add("cut off", path="/cut")
add("a chunk cut off", path="/cutchunk")
add("hung up", path="/hangup")
add(
    "silent within the body",
    path="/stall",
    kwargs={"timeout": 0.3},
    result="BodyTimeout is the ConnectionError that requests raises, and a ReadTimeout as well",
)
add("nobody there", path="http://127.0.0.1:1/")

# --- heads of answers ---------------------------------------------------------------------------------------

for status in (200, 201, 204, 206, 304, 400, 404, 418, 500, 503, 599):
    add(f"status {status}", path=says("text/plain", b"body", status=status), read=lambda r: error_of(r))
add("an empty reason", path=says("text/plain", b"") + "&reason=")
add("a reason in UTF-8", path=says("text/plain", b"") + "&reason=" + quote("größe"))
add("a header twice", path=says("text/plain", b"", "X-Two: 1", "X-Two: 2"))
add("links", path=says("text/plain", b"", 'Link: </a>; rel="next", <{here}/b>; rel=prev; title="t, x"'))
add("links without rel", path=says("text/plain", b"", "Link: </a>; title=x"))

# --- streams ------------------------------------------------------------------------------------------------


def error_of(response: Any) -> str | None:
    try:
        response.raise_for_status()
    except OSError as error:
        return type(error).__name__
    return None


TEXT = b"one\r\ntwo\n\nthree\rfour"
for size in (1, 3, 7, 512, None):
    add(
        f"iter_content({size})",
        path=says("text/plain", TEXT),
        kwargs={"stream": True},
        read=lambda r, size=size: list(r.iter_content(size)),
    )
add(
    "iter_content of chunks as they come",
    path="/chunked?part=one&part=two",
    kwargs={"stream": True},
    read=lambda r: b"".join(r.iter_content(None)),
)
add("iter_content after content", path=says("text/plain", TEXT), read=lambda r: list(r.iter_content(5)))
add("iter_content with a float", path="/echo", read=lambda r: list(r.iter_content(1.5)))
add("iterating", path=says("text/plain", TEXT), kwargs={"stream": True}, read=list)
add(
    "iter_content as text",
    path=says("text/plain; charset=utf-8", "größe €".encode()),
    kwargs={"stream": True},
    read=lambda r: list(r.iter_content(3, decode_unicode=True)),
)
add(
    "iter_content as text of no charset",
    path=says("application/x", b"abc"),
    kwargs={"stream": True},
    read=lambda r: list(r.iter_content(2, decode_unicode=True)),
)
add("iter_lines", path=says("text/plain", TEXT), kwargs={"stream": True}, read=lambda r: list(r.iter_lines()))
add(
    "iter_lines as text",
    path=says("text/plain", TEXT),
    kwargs={"stream": True},
    read=lambda r: list(r.iter_lines(decode_unicode=True)),
)
add(
    "iter_lines by a delimiter",
    path=says("text/plain", b"a|b||c"),
    kwargs={"stream": True},
    read=lambda r: list(r.iter_lines(delimiter=b"|")),
)
add(
    "iter_lines by a delimiter at the end of a piece",
    path=says("text/plain", b"a|b|c"),
    kwargs={"stream": True},
    read=lambda r: list(r.iter_lines(chunk_size=2, delimiter=b"|")),
    result="requests invents an empty item where a piece ends with the delimiter",
)
add(
    "iter_lines in small pieces",
    path=says("text/plain", TEXT),
    kwargs={"stream": True},
    read=lambda r: list(r.iter_lines(chunk_size=4)),
    result="requests invents an empty line where CR LF is cut in two",
)
add(
    "a stream read twice",
    path="/echo",
    kwargs={"stream": True},
    read=lambda r: (list(r.iter_content(2)), list(r.iter_content(2))),
)
add(
    "content after a stream", path="/echo", kwargs={"stream": True}, read=lambda r: (list(r.iter_content(2)), r.content)
)
add("content of a stream", path="/echo", kwargs={"stream": True}, read=lambda r: r.content)
add("raw.read", path="/echo", kwargs={"stream": True}, read=lambda r: r.raw.read())
add(
    "raw.read of coded bytes",
    path="/coded?as=br",
    kwargs={"stream": True},
    read=lambda r: r.raw.read(decode_content=True),
)
add("raw.read as it came", path="/coded?as=gzip%2C+br", kwargs={"stream": True}, read=lambda r: r.raw.read(9))
add("the session streams", path="/echo", session={"stream": True}, read=lambda r: r.raw.read(1))
add("a cut stream", path="/cut", kwargs={"stream": True}, read=lambda r: list(r.iter_content(4)))
add("closed, then content", path="/echo", kwargs={"stream": True}, read=lambda r: (r.close(), r.ok))

# --- arguments that are wrong -------------------------------------------------------------------------------

for label, url in [
    ("no scheme", "127.0.0.1/echo"),
    ("no host", "http://"),
    ("a star", "http://*.example/"),
    ("a dot", "http://.example/"),
    ("another scheme", "ftp://127.0.0.1/"),
    ("nothing", "just words"),
    ("a bad port", "http://127.0.0.1:port/"),
    ("a bad address", "http://[::1/"),
]:
    add(f"URL with {label}", path=url)
add("data beside files as text", "POST", kwargs={"data": "text", "files": {"f": b"x"}})
add("NaN", "POST", kwargs={"json": {"a": float("nan")}})
add("a stream beside files", "POST", kwargs=lambda: {"data": stream(b"x"), "files": {"f": b"x"}})
add("a bad hook", kwargs={"hooks": {"no-such-event": print}})
add("a bad timeout", kwargs={"timeout": (1, 2, 3)})
add("a bad chunk of headers", kwargs={"headers": {"X": object()}})

# --- hooks and proxies --------------------------------------------------------------------------------------


def marks(response: Any, **kwargs: Any) -> None:
    response.headers["X-Marked"] = response.headers.get("X-Marked", "") + "m"


add("a hook", kwargs={"hooks": {"response": marks}})
add("two hooks", kwargs={"hooks": {"response": [marks, marks]}})
add("a hook of the session", session={"hooks": {"response": [marks]}})
add(
    "a hook on each hop",
    path=redirect("/echo"),
    kwargs={"hooks": {"response": marks}},
    read=lambda r: [h.headers.get("X-Marked") for h in r.history],
)
add("a proxy", kwargs={"proxies": {"http": "{here}"}})
add("a proxy with a password", kwargs={"proxies": {"http": "http://u:p@127.0.0.1:{port}"}})
add("a proxy of the session", session={"proxies": {"http": "{here}"}})
add("a proxy of the environment", env={"HTTP_PROXY": "{here}"}, path="http://target.example/echo")
add("a proxy of the environment, lower case", env={"http_proxy": "{here}"}, path="http://target.example/echo?q#f")
add("all_proxy", env={"all_proxy": "{here}"}, path="http://target.example/echo")
add("NO_PROXY", env={"HTTP_PROXY": "http://127.0.0.1:1", "NO_PROXY": "127.0.0.1"})
add("NO_PROXY with a network", env={"HTTP_PROXY": "http://127.0.0.1:1", "NO_PROXY": "127.0.0.0/8"})
add("no_proxy of the request", env={"HTTP_PROXY": "http://127.0.0.1:1"}, kwargs={"proxies": {"no_proxy": "127.0.0.1"}})
add("a proxy without trust", env={"HTTP_PROXY": "http://127.0.0.1:1"}, session={"trust_env": False})
add("a proxy by host", kwargs={"proxies": {"http://target.example": "{here}"}}, path="http://target.example/echo")
add("a proxy for all", kwargs={"proxies": {"all": "{here}"}}, path="http://target.example/echo")
add("a proxy, redirected", env={"HTTP_PROXY": "{here}"}, path="http://target.example" + redirect("/echo"))
add("a proxy nobody has", kwargs={"proxies": {"http": "http://127.0.0.1:1"}})

"""A server on loopback that keeps what it was sent, byte for byte, and answers as the URL asks.

Made for running one call with two clients: what arrived is compared, and the answer depends on nothing but
the URL (and the credentials of `/basic` and `/digest`). The paths are the methods named `answer_...`; the
query says the rest.
"""

from __future__ import annotations

import base64
import gzip
import re
import socket
import threading
import zlib
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import brotli

REASONS = {200: "OK", 204: "No Content", 301: "Moved Permanently", 302: "Found", 303: "See Other", 401: "Unauthorized"}


@dataclass(frozen=True)
class Seen:
    """One request as it arrived; a chunked body is put together."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    chunked: bool

    def header(self, name: str) -> str | None:
        """The first header of that name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def host(self) -> str:
        return self.header("host") or ""


@dataclass
class Mirror:
    """Listens on 127.0.0.1 at a free port, under that name and under `localhost`: two hosts, as far as a client
    knows.
    """

    seen: list[Seen] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def url(self, path: str = "/echo", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)
        with self._lock:
            for connection in self._open:
                connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.add(connection)
                self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        stream = connection.makefile("rb")
        try:
            while (request := read_request(stream)) is not None:
                with self._lock:
                    self.seen.append(request)
                answer = self._answer(request)
                if answer is None:
                    return
                connection.sendall(answer)
                if b"connection: close" in answer.lower():
                    return
        except (OSError, ValueError):
            pass
        finally:
            with self._lock:
                self._open.discard(connection)
            stream.close()
            connection.close()

    def _answer(self, request: Seen) -> bytes | None:
        parts = urlsplit(request.target)
        query = parse_qs(parts.query, keep_blank_values=True)
        kind = parts.path.strip("/").split("/")[0] or "echo"
        found = getattr(self, f"answer_{kind}", self.answer_echo)(request, query)
        if found is not None and request.method == "HEAD":
            found = found.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        return found

    # --- answers
    # ------------------------------------------------------------------------------------------------------

    def answer_echo(self, request: Seen, query: dict[str, list[str]]) -> bytes:
        return answer(200, b"ok")

    def answer_redirect(self, request: Seen, query: dict[str, list[str]]) -> bytes:
        """`status`, `to` (written as it is, latin-1), `set` (cookies), `body`."""
        headers = [("Location", query["to"][0])] if "to" in query else []
        headers += [("Set-Cookie", value) for value in query.get("set", [])]
        body = query.get("body", ["moved"])[0].encode()
        return answer(int(query.get("status", ["302"])[0]), body, headers)

    def answer_chain(self, request: Seen, query: dict[str, list[str]]) -> bytes:
        """`n` redirects, each with a cookie, then an end."""
        left = int(query["n"][0])
        if not left:
            return answer(200, b"the end")
        return answer(302, b"", [("Location", f"/chain?n={left - 1}"), ("Set-Cookie", f"hop{left}=yes; Path=/")])

    def answer_answer(self, request: Seen, query: dict[str, list[str]]) -> bytes:
        """`status`, `reason`, `type`, `hex` (the body), `h` (headers `Name: value`)."""
        headers = [tuple(line.split(": ", 1)) for line in query.get("h", [])]
        status = int(query.get("status", ["200"])[0])
        body = bytes.fromhex(query.get("hex", [""])[0])
        return answer(status, body, headers, kind=query.get("type", [None])[0], reason=query.get("reason", [None])[0])

    def answer_cookies(self, request: Seen, query: dict[str, list[str]]) -> bytes:
        return answer(200, b"ok", [("Set-Cookie", value) for value in query.get("set", [])])

    def answer_coded(self, request: Seen, query: dict[str, list[str]]) -> bytes:
        coding = query["as"][0]
        body = b"body of many words, words, words " * 20
        coded = {
            "gzip": gzip.compress(body),
            "deflate": zlib.compress(body),
            "raw-deflate": zlib.compress(body)[2:-4],
            "br": brotli.compress(body),
            "gzip, br": brotli.compress(gzip.compress(body)),
            "broken": b"this is not gzip",
        }[coding]
        name = {"raw-deflate": "deflate", "broken": "gzip"}.get(coding, coding)
        return answer(200, coded, [("Content-Encoding", name)])

    def answer_chunked(self, request: Seen, query: dict[str, list[str]]) -> bytes:
        body = b"".join(b"%x\r\n%s\r\n" % (len(part), part.encode()) for part in query["part"])
        return (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n" + body + b"0\r\n\r\n"
        )

    def answer_cut(self, request: Seen, query: dict[str, list[str]]) -> bytes:
        return b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nonly this"

    def answer_stall(self, request: Seen, query: dict[str, list[str]]) -> bytes:
        return b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"

    def answer_cutchunk(self, request: Seen, query: dict[str, list[str]]) -> bytes:
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nonly"

    def answer_hangup(self, request: Seen, query: dict[str, list[str]]) -> None:
        return None

    def answer_basic(self, request: Seen, query: dict[str, list[str]]) -> bytes:
        wanted = "Basic " + base64.b64encode(query["user"][0].encode("latin-1")).decode()
        if request.header("authorization") == wanted:
            return answer(200, b"welcome")
        return answer(401, b"who?", [("WWW-Authenticate", 'Basic realm="mirror"')])

    def answer_digest(self, request: Seen, query: dict[str, list[str]]) -> bytes:
        if (request.header("authorization") or "").startswith("Digest "):
            return answer(200, b"welcome", [("Set-Cookie", "digest=done; Path=/")])
        algorithm = query.get("algorithm", ["MD5"])[0]
        challenge = f'Digest realm="mirror", nonce="fixed", qop="auth", opaque="o", algorithm={algorithm}'
        return answer(401, b"who?", [("WWW-Authenticate", challenge), ("Set-Cookie", "asked=yes; Path=/")])


def answer(
    status: int,
    body: bytes,
    headers: list[tuple[str, str]] | None = None,
    *,
    kind: str | None = "text/plain",
    reason: str | None = None,
) -> bytes:
    """A whole answer. Statuses without a body get none."""
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status') if reason is None else reason}"]
    if kind is not None:
        lines.append(f"Content-Type: {kind}")
    if status not in (204, 304):
        lines.append(f"Content-Length: {len(body)}")
    else:
        body = b""
    lines += [f"{name}: {value}" for name, value in headers or []]
    return "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + body


def read_request(stream) -> Seen | None:
    """The next request of a connection; None when the client has closed it."""
    line = stream.readline()
    if not line:
        return None
    method, target, _ = line.decode("latin-1").split(" ", 2)
    headers: list[tuple[str, str]] = []
    while (line := stream.readline().decode("latin-1").rstrip("\r\n")) != "":
        name, _, value = line.partition(":")
        headers.append((name, value.strip(" ")))
    known = {name.lower(): value for name, value in headers}
    if "chunked" in known.get("transfer-encoding", ""):
        return Seen(method, target, headers, _read_chunks(stream), True)
    body = stream.read(int(known.get("content-length", 0)))
    return Seen(method, target, headers, body, False)


def _read_chunks(stream) -> bytes:
    parts = []
    while size := int(re.split(rb"[;\r\n]", stream.readline())[0], 16):
        parts.append(stream.read(size))
        stream.readline()
    stream.readline()
    return b"".join(parts)

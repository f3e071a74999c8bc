"""A site of lists and entries that changes between two crawls, in four tempers: what it says of its pages' age.

    etag            an ETag of the content; If-None-Match is answered 304
    last-modified   a Last-Modified; If-Modified-Since is answered 304
    nothing         no validator: every answer is whole
    volatile        no validator, and a token, a nonce and a time that change with every answer

Knows nothing of pytest. The log is the judge: path, status and the bytes of the body that were sent.
"""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

TEMPERS = ("etag", "last-modified", "nothing", "volatile")
A_LIST = 100
_BORN = 1_700_000_000


class Answered(NamedTuple):
    path: str
    status: int
    sent: int


class ChangingSite:
    """`entries` maps the number of an entry to its text; `size` bytes of filling make a page weigh something."""

    def __init__(self, temper: str, entries: int, size: int = 2_000) -> None:
        self.temper = temper
        self.entries = {number: f"text {number}" for number in range(entries)}
        self.modified = dict.fromkeys(self.entries, _BORN)
        self.lists = dict.fromkeys(range(-(-entries // A_LIST)), _BORN)
        self.members = {number: number // A_LIST for number in self.entries}
        self.filling = "filling " * (size // 8)
        self.answered: list[Answered] = []
        self.lock = threading.Lock()
        self.ticks = itertools.count(1)
        self.url = ""

    # --- what happens to it ----------------------------------------

    def change(self, *, changed: int, added: int, gone: int) -> tuple[set[int], set[int], set[int]]:
        """Change so many entries, add and remove others; which. What is added and removed is in one list."""
        numbers = sorted(self.entries)
        last = max(self.lists)
        away = [number for number in numbers if self.members[number] == last][-gone:] if gone else []
        other = [number for number in numbers if number not in away][:: max(1, len(numbers) // (changed + 1))][:changed]
        new = list(range(numbers[-1] + 1, numbers[-1] + 1 + added))
        now = max(self.modified.values()) + 3600
        for number in away:
            del self.entries[number], self.modified[number], self.members[number]
        for number in other:
            self.entries[number] += " changed"
        for number in new:
            self.entries[number], self.members[number] = f"text {number}", last
        self.modified.update(dict.fromkeys((*other, *new), now))
        self.lists[last] = now
        return set(other), set(new), set(away)

    def forget(self) -> None:
        with self.lock:
            self.answered.clear()

    @property
    def bodies(self) -> int:
        """How many pages were sent whole."""
        with self.lock:
            return sum(answer.status == 200 for answer in self.answered)

    @property
    def sent(self) -> int:
        with self.lock:
            return sum(answer.sent for answer in self.answered)

    # --- what it answers ----------------------------------------

    def page(self, path: str) -> tuple[str, int] | None:
        """The page without what is volatile, and when it was modified."""
        kind, _, number = path.strip("/").partition("/")
        if kind == "":
            links = "".join(f'<a href="/list/{each}">list</a>' for each in self.lists)
            return f"<h1>All</h1>{links}", _BORN
        if kind == "list" and int(number) in self.lists:
            there = [each for each, home in self.members.items() if home == int(number)]
            links = "".join(f'<a class="entry" href="/entry/{each}">entry</a>' for each in there)
            return f"<h1>List {number}</h1>{links}", self.lists[int(number)]
        if kind == "entry" and int(number) in self.entries:
            return f"<h1>Entry {number}</h1><p>{self.entries[int(number)]}</p>{self.filling}", self.modified[
                int(number)
            ]
        return None

    def answer(self, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        found = self.page(path)
        if found is None:
            return 404, {}, b"gone"
        text, modified = found
        own: dict[str, str] = {}
        if self.temper == "etag":
            own["ETag"] = f'"{hashlib.md5(text.encode()).hexdigest()}"'
            if headers.get("If-None-Match") == own["ETag"]:
                return 304, own, b""
        elif self.temper == "last-modified":
            own["Last-Modified"] = formatdate(modified, usegmt=True)
            if headers.get("If-Modified-Since") == own["Last-Modified"]:
                return 304, own, b""
        elif self.temper == "volatile":
            tick = next(self.ticks)
            token = hashlib.md5(str(tick).encode()).hexdigest()
            text = (
                f'<meta name="csrf-token" content="{token}"><script nonce="{token[:12]}">1</script>{text}'
                f'<form><input type="hidden" name="csrfmiddlewaretoken" value="{token}"></form>'
                f"<p>Generated at 2026-01-01 {tick // 3600 % 24:02}:{tick // 60 % 60:02}:{tick % 60:02}</p>"
                f"<p>Visitors: {tick}</p>"
            )
        return 200, own, f"<html><body>{text}</body></html>".encode()


@contextmanager
def changing_site(temper: str, entries: int) -> Iterator[ChangingSite]:
    """Serve it on a free port."""
    site = ChangingSite(temper, entries)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_GET(self) -> None:
            status, headers, body = (
                (404, {}, b"") if self.path == "/robots.txt" else site.answer(self.path, self.told())
            )
            self.send_response(status)
            for name, value in {"Content-Type": "text/html; charset=utf-8", **headers}.items():
                self.send_header(name, value)
            if status != 304:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            if self.path != "/robots.txt":
                with site.lock:
                    site.answered.append(Answered(self.path, status, len(body)))

        def told(self) -> dict[str, str]:
            return dict(self.headers.items())

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that was killed is no fault of the site."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

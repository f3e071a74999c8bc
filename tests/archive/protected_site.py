"""A site behind a login that wants to be archived, and a host beside it from which its pages take pictures and fonts.

What belongs here: 40 pages, chunked, gzipped, both or neither; a session that ends after so many answers; its id and a token
of its own in pages and addresses; traps among links and requisites. The server's log is the judge of a crawl.
"""

from __future__ import annotations

import gzip
import hashlib
import secrets
import threading
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

PAGES = 40
USER, PASSWORD = "archivist", "an-Unlikely-passw0rd"
PICTURE = b"GIF89a" + bytes(range(256)) * 8
#: Whoever fetches one of these as a member has logged out or has changed something.
TRAPS = ("/logout", "/session/destroy", "/club/delete", "/account/close", "/cart/empty")


class Asked(NamedTuple):
    """A request as the server saw it. `member`: who asked was logged in."""

    method: str
    path: str
    status: int
    member: bool
    cookies: str
    headers: dict[str, str]


class ProtectedSite:
    """The site on 127.0.0.1, the host beside it on localhost. `url` is where to start, `log` what was asked of the site,
    `beside` what was asked of the other host, `secret_values` all that must be in no archive.
    """

    def __init__(self, *, dies_after: int | None = 20, shown_to_strangers: str = "redirect") -> None:
        self.dies_after = dies_after
        self.shown_to_strangers = shown_to_strangers
        self.log: list[Asked] = []
        self.beside: list[Asked] = []
        self.damage: list[str] = []
        self.changed: set[int] = set()
        self._uses: dict[str, int] = {}
        self._lock = threading.Lock()
        self._servers = [self._serve(_Handler), self._serve(_Beside)]
        self.port, self.port_beside = (server.server_address[1] for server in self._servers)
        self.root = f"http://127.0.0.1:{self.port}"
        self.url = f"{self.root}/club/"
        self.other = f"http://localhost:{self.port_beside}"

    def _serve(self, kind: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
        server = _Server(("127.0.0.1", 0), type("Handler", (kind,), {"site": self}))
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return server

    # --- logins ----------------------------------------

    def log_in(self, user: str, password: str) -> str | None:
        if (user, password) != (USER, PASSWORD):
            return None
        session = secrets.token_urlsafe(24)
        with self._lock:
            self._uses[session] = 0
        return session

    def admits(self, session: str) -> bool:
        """Whether this session lives; counts one use of it."""
        with self._lock:
            if session not in self._uses or self._uses[session] < 0:
                return False
            self._uses[session] += 1
            if self.dies_after is not None and self._uses[session] > self.dies_after:
                self._uses[session] = -1
            return self._uses[session] > 0

    def knows(self, session: str) -> bool:
        """Whether this session lives; counts no use of it."""
        with self._lock:
            return self._uses.get(session, -1) >= 0

    def end(self, session: str) -> None:
        with self._lock:
            self._uses[session] = -1

    @staticmethod
    def token(session: str) -> str:
        return hashlib.sha256(f"token of {session}".encode()).hexdigest()[:40]

    # --- the judge ----------------------------------------

    @property
    def secret_values(self) -> list[str]:
        sessions = list(self._uses)
        return [PASSWORD, *sessions, *map(self.token, sessions)]

    @property
    def pages(self) -> set[str]:
        return {"/club/", *(f"/club/page-{number}" for number in range(1, PAGES))}

    @property
    def requisites(self) -> set[str]:
        """The paths of what the pages of the site need of the site itself."""
        pictures = {f"/media/picture-{number}.gif" for number in range(PAGES)}
        return pictures | {"/style/main.css", "/style/deep.css", "/style/deeper.css", "/style/paper.gif", "/script/app.js",
                           "/script/part.js", "/frame/menu", "/icon.svg", "/media/film.mp4"}  # fmt: skip

    def given(self) -> set[str]:
        """The paths that a member was given with status 200."""
        return {urlsplit(asked.path).path for asked in self.log if asked.status == 200 and asked.member}

    def close(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def __enter__(self) -> ProtectedSite:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class _Answering(BaseHTTPRequestHandler):
    site: ProtectedSite
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    member = False

    def log_message(self, *args: Any) -> None:
        pass

    def note(self, log: list[Asked], status: int) -> None:
        cookies = self.headers.get("Cookie", "")
        log.append(Asked(self.command, self.path, status, self.member, cookies, dict(self.headers)))

    def answer(self, log: list[Asked], status: int, kind: str, body: bytes, *, way: int = 0, **headers: str) -> None:
        """`way`: 1 chunked, 2 gzipped, 3 both."""
        self.note(log, status)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if way & 2 and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body)
            self.send_header("Content-Encoding", "gzip")
        if way & 1:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for at in range(0, len(body), 700):  # secrets lie across these borders
                piece = body[at : at + 700]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)


class _Beside(_Answering):
    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/robots.txt":
            return self.answer(self.site.beside, 200, "text/plain", b"User-agent: *\nDisallow: /private/\n")
        if path.endswith(".css"):
            css = f"@font-face{{font-family:F;src:url(/font.woff2)}} b{{background:url('{self.site.other}/dot.gif')}}"
            return self.answer(self.site.beside, 200, "text/css", css.encode(), Set_Cookie="visitor=tracked; Path=/")
        self.answer(self.site.beside, 200, "font/woff2" if path.endswith("2") else "image/gif", PICTURE)


class _Handler(_Answering):
    def do_POST(self) -> None:
        self.member = False
        given = parse_qs(self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode())
        if self.path != "/login":
            self.site.damage.append(f"POST {self.path}")
        session = self.site.log_in(given.get("user", [""])[0], given.get("password", [""])[0])
        if session is None:
            return self.answer(self.site.log, 200, "text/html", LOGIN_PAGE)
        cookie = f"session={session}; Path=/; HttpOnly; SameSite=Lax"
        self.answer(self.site.log, 303, "text/html", b"", Location="/club/", Set_Cookie=cookie)

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get("session")
        session = cookie.value if cookie is not None else ""
        self.member = self.site.knows(session)  # also for what strangers get: a connection has carried others before
        if path == "/robots.txt":
            lines = f"User-agent: *\nDisallow: /club/hidden\nSitemap: {self.site.root}/sitemap.xml\n"
            return self.answer(self.site.log, 200, "text/plain", lines.encode())
        if path == "/login":
            return self.answer(self.site.log, 200, "text/html", LOGIN_PAGE)
        self.member = self.site.admits(session)
        if not self.member:
            if self.site.shown_to_strangers == "form":
                return self.answer(self.site.log, 200, "text/html", LOGIN_PAGE)
            return self.answer(self.site.log, 302, "text/html", b"", Location=f"/login?next={path}")
        if path.startswith(TRAPS):
            self.site.damage.append(self.path)
            if path.startswith(("/logout", "/session")):
                self.site.end(session)
            return self.answer(self.site.log, 200, "text/html", b"Done.")
        self._give(path, session)

    def _give(self, path: str, session: str) -> None:
        number = int(path.rpartition("-")[2].partition(".")[0] or 0) if "-" in path else 0
        if path == "/media/moved.gif":
            return self.answer(self.site.log, 302, "text/html", b"", Location=f"{self.site.other}/moved.gif")
        if path.startswith("/media/picture-"):
            return self.answer(self.site.log, 200, "image/gif", PICTURE + bytes([number]), way=number % 2)
        if path in self.site.pages:
            body = page(self.site, number, session).encode()
            return self.answer(self.site.log, 200, "text/html; charset=utf-8", body, way=number % 4)
        kind, text = FILES.get(path, ("", ""))
        if kind:
            filled = text.replace("{root}", self.site.root).replace("{other}", self.site.other)
            return self.answer(self.site.log, 200, kind, filled.encode(), way=2)
        self.answer(self.site.log, 404, "text/html", b"There is no such page.")


LOGIN_PAGE = (
    b'<title>Log in</title><form id="login" method="post" action="/login"><input name="user">'
    b'<input name="password" type="password"><button>Log in</button></form>'
)
FILES = {
    "/style/main.css": ("text/css", "@import 'deep.css'; body{background:url(paper.gif)}"),
    "/style/deep.css": ("text/css", "@import url(deeper.css) screen;"),
    "/style/deeper.css": ("text/css", "@import url({other}/fonts.css);"),
    "/style/paper.gif": ("image/gif", "GIF89a paper"),
    "/script/app.js": ("text/javascript", "import './part.js'; fetch('/api/latest'); fetch(computed);"),
    "/script/part.js": ("text/javascript", "export const part = 1;"),
    "/frame/menu": ("text/html", "<p>No member is shown here.</p><img src=/media/picture-0.gif>"),
    "/icon.svg": ("image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'><image href='/style/paper.gif'/></svg>"),
    "/media/film.mp4": ("video/mp4", "a film " * 100_000),
    "/files/paper.pdf": ("application/pdf", "%PDF-1.4 a paper"),
    "/club/paper.pdf": ("application/pdf", "%PDF-1.4 another paper"),
    "/club/feed.xml": ("application/atom+xml", "<feed><entry><link href='/club/page-38'/></entry></feed>"),
    "/sitemap.xml": ("application/xml", "<urlset><url><loc>{root}/club/page-39</loc></url></urlset>"),
    "/elsewhere": ("text/html", "<p>Not of the club."),
}


def page(site: ProtectedSite, number: int, session: str) -> str:
    """Page 38 is in the feed alone, page 39 in the sitemap."""
    token = site.token(session)
    links = "".join(f'<a href="/club/page-{each}">Page {each}</a> ' for each in range(1, 38) if each % 6 == number % 6)
    links += f'<a href="/club/page-{(number % 37) + 1}">Next</a>'
    words = " ".join(hashlib.sha256(f"{number} {each}".encode()).hexdigest() for each in range(60))
    version = "A new text." if number in site.changed else "The text."
    return f"""<!doctype html><html><head><title>Page {number}</title><meta name="csrf-token" content="{token}">
<link rel="stylesheet" href="/style/main.css"><link rel="icon" href="/icon.svg">
<link rel="alternate" type="application/atom+xml" href="/club/feed.xml">
<link rel="prefetch" href="/session/destroy?token={token}"><script type="module" src="/script/app.js"></script></head>
<body><a class="account" href="/account">Your account</a> <a href="/logout">Sign out</a>
<a href="/club/delete?page={number}&amp;token={token}">Delete this page</a> <img src="/logout?beacon=1" alt="">
<h1>Page {number}</h1><p>{version} {words}</p><!-- session {session} --><p>{links}</p>
<img src="/media/picture-{number}.gif?token={token}" srcset="{site.other}/wide-{number}.gif 2x">
<img src="{site.other}/private/{number}.gif"><img src="/media/moved.gif"><video src="/media/film.mp4"></video>
<iframe src="/frame/menu"></iframe><a href="/club/hidden/1">Hidden</a> <a href="/club/paper.pdf">A paper</a>
<a href="/elsewhere">Elsewhere</a> <a href="https://example.org/">Far away</a> <a href="/club/print/{number}">Print</a>
<script>var state = {{"csrfToken": "{token}", "session": "{session}"}};</script>
<form method="post" action="/cart/empty"><input type="hidden" name="csrf" value="{token}"><button>Empty</button></form>
</body></html>"""

"""The trap site: a members' site on loopback where some links log out and others destroy, among look-alikes.

What belongs here: the links, what each does, and who is to blame. `sprung` is the judge of a crawl: the traps that were
fetched, by the server's own log.
"""

from __future__ import annotations

import http.server
from collections.abc import Iterable, Mapping
from html import escape
from http.cookies import SimpleCookie
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from crawlkit.testing.ledger import Exchange, Log
from crawlkit.testing.local_site import LocalServer, LocalSite
from crawlkit.testing.members import MEMBER, Members

#: Path → what a page's menu shows of it. A GET of one ends the login of who asks.
LOGOUTS: Mapping[str, str] = {
    "/account/logout/": '<a href="/account/logout/">Leave us</a>',
    "/account/end": '<a href="/account/end">Sign out</a>',
    "/x/4711": '<a href="/x/4711" aria-label="Log out"><i class="icon-door"></i></a>',
    "/bye": '<a href="/bye"><img src="/door.png" alt="Sign out"></a>',
    "/fin": '<a href="/fin">Se déconnecter</a>',
    "/index.php?do=logout": '<a href="/index.php?do=logout">⏻</a>',
}
#: The same for what destroys something.
DAMAGE: Mapping[str, str] = {
    "/newsletter/unsubscribe?u=7": '<a href="/newsletter/unsubscribe?u=7">No more letters</a>',
    "/n/7": '<a href="/n/7">Unsubscribe</a>',
    "/cache/purge": '<a href="/cache/purge">Tidy up</a>',
    "/r/88": '<a href="/r/88">Delete</a>',
    "/r/89": '<a href="/r/89" title="Delete this record">×</a>',
}
#: Pages that only look like it, each with the text of the link to it. Their own text says where they came from.
INNOCENTS: Mapping[str, str] = {
    "/blog/how-we-built-logout": "How we built logout",
    "/blog/logout-button-design": "Logout button design",
    "/products/delete": "Delete",
    "/products/17": "Delete",
    "/docs/delete-statement": "The DELETE statement",
    "/wiki/Logout": "Logout",
    "/tags/unsubscribe": "unsubscribe",
    "/questions/123/how-to-delete-a-branch": "How to delete a branch?",
    "/help/logging-out": "Logging out",
    "/en/signout-procedure.html": "Sign-out procedure",
    "/shop/removers": "Removers",
    "/search?q=logout": "Search for logout",
    "/articles/csrf": "CSRF explained",
    "/account": "Your account",
}
#: A harmless address that sends whoever asks on to a trap.
DETOUR = "/moved/home"
_DETOUR_TO = "/session/destroy"


class TrapSite(LocalSite):
    """A running site. Made by `trap_site()`; safe from any thread; ends with `close()` or a `with` block.

    `url` is its root, `account` who may log in at `/login`, `log` what it answered, `sprung` the traps that were fetched,
    in order. `innocents` are the paths of all pages that a crawl has to take, `members` who is logged in.
    """

    def __init__(self, port: int, *, records: int, killers: Mapping[int, str], members: Members) -> None:
        self.records = records
        self.killers = dict(killers)
        self.members = members
        self.log = Log()
        handler = type("Handler", (_Handler,), {"site": self})
        self._open(LocalServer(("127.0.0.1", port), handler), "trap-site")

    @property
    def innocents(self) -> list[str]:
        """What a crawl has to take: the home page, every record but the killers, and the look-alikes."""
        numbers = (number for number in range(1, self.records + 1) if number not in self.killers)
        return ["/", *INNOCENTS, *(f"/records/{number}" for number in numbers)]

    @property
    def sprung(self) -> list[str]:
        """The traps that were fetched; an address that only sends on to one is none."""
        return [path for path in self.log.paths() if is_trap(path)]

    def taken(self) -> set[str]:
        """The paths that a member was given with status 200."""
        return {entry.path for entry in self.log if entry.status == 200 and entry.member}

    def __repr__(self) -> str:
        return f"<TrapSite {self.url} answered={len(self.log)} sprung={len(self.sprung)}>"


def trap_site(
    port: int = 0,
    *,
    records: int = 20,
    killers: Mapping[int, Literal["page", "login"]] | Iterable[int] = (),
    expire_after_requests: int | None = None,
) -> TrapSite:
    """Start the site on loopback; `port` 0 takes a free one.

    `killers` are numbers of records that end the login of who looks at them and do not look like it: after a proper page
    ("page"), or with a redirect to the login ("login", also where only numbers are given). `expire_after_requests`: a
    login ends by itself after so many members' requests.
    """
    how = dict(killers) if isinstance(killers, Mapping) else dict.fromkeys(killers, "login")
    members = Members(account=MEMBER, expire_after_requests=expire_after_requests)
    return TrapSite(port, records=records, killers=how, members=members)


def is_trap(path: str) -> bool:
    """Whether a GET of this path logs out or destroys something here."""
    parts = urlsplit(path)
    return (
        path in LOGOUTS
        or path in DAMAGE
        or parts.path == _DETOUR_TO
        or (parts.path.endswith("/delete") and parts.path.startswith("/records/"))
        or "action" in parse_qs(parts.query)
    )


class _Handler(http.server.BaseHTTPRequestHandler):
    site: TrapSite  # set by the subclass that each site makes

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 60

    def log_message(self, format: str, *args: Any) -> None:
        """The log is `site.log`."""

    def do_GET(self) -> None:
        self._body()
        self._member = False
        if self.path == "/robots.txt":
            return self._send("User-agent: *\nDisallow:\n")
        if self.path.partition("?")[0] == "/login":
            return self._send(
                '<form method="post" id="login"><input name="user"><input name="password" type="password">'
            )
        login = self._login()
        self._member = self.site.members.admits(login)
        if not self._member:
            return self._redirect("/login")
        if is_trap(self.path):
            if self.path in LOGOUTS or self.path == _DETOUR_TO:
                self.site.members.log_out(login)
            return self._send("<p>It is done.</p>")
        if self.path == DETOUR:
            return self._redirect(_DETOUR_TO)
        self._page(login)

    def do_POST(self) -> None:
        self._member = False
        given = {name: values[0] for name, values in parse_qs(self._body().decode()).items()}
        login = self.site.members.log_in(given.get("user", ""), given.get("password", ""))
        if login is None:
            return self._send("<p>Wrong.</p>")
        self._redirect("/", f"member={login}; Path=/; HttpOnly")

    def _page(self, login: str | None) -> None:
        number = int(self.path.removeprefix("/records/")) if self.path[9:].isdigit() else 0
        known = self.path in ("/", *INNOCENTS) or (
            self.path.startswith("/records/") and 0 < number <= self.site.records
        )
        if not known:
            return self._send("<p>There is no such page.</p>", 404)
        kills = self.site.killers.get(number)
        if kills is not None:
            self.site.members.log_out(login)
        if kills == "login":
            return self._redirect("/login")
        self._send(self._text(number))

    def _text(self, number: int) -> str:
        """A page with the menu that every page has: innocent links first, for they have nothing to hide behind."""
        names = "".join(f'<li><a href="{path}">{escape(text)}</a></li>' for path, text in INNOCENTS.items())
        records = "".join(f'<li><a href="/records/{n}">Record {n}</a></li>' for n in range(1, self.site.records + 1))
        menu = "".join([*LOGOUTS.values(), *DAMAGE.values()])
        buttons = ""
        if number:
            token = self.site.members.csrf(str(number))
            buttons = (
                f'<a href="/records/{number}/delete">Away with it</a>'
                f'<a href="/records/{number}?action=unpublish&amp;csrf={token}">Hide</a>'
            )
        return (
            f'<title>{escape(self.path)}</title><nav class="user-menu">{menu}<a href="{DETOUR}">Home</a></nav>'
            f'<h1>{f"Record {number}" if number else escape(self.path)}</h1><main><ul class="products">{names}{records}</ul>'
            f"{buttons}</main>"
        )

    def _login(self) -> str | None:
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get("member")
        return cookie.value if cookie is not None else None

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _redirect(self, target: str, cookie: str | None = None) -> None:
        self._send("", 303, {"Location": target, **({"Set-Cookie": cookie} if cookie else {})})

    def _send(self, text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        entry = Exchange(self.command, self.path, status, 0.0, "Cookie" in self.headers, self._member)
        self.site.log.add(entry)
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

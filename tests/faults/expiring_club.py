"""A members' site whose sessions end: after every so many pages, in one of several styles. Its log is the judge."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Any

from tests.crawl.loopback import Asked, Reply

FORM = (
    '<form action="/login" method="post"><input name="user"><input name="password" type="password">'
    '<input type="hidden" name="csrf" value="c"></form>'
)


class ExpiringClub:
    """Pages `/p0`… that only members see, behind `POST /login`.

    `style`: how a stranger is told, "redirect", "form" or "json". All sessions end after every `expire_every` pages
    served, at most `most` times. `late`: every seventh logged-out answer takes this many seconds and deletes the cookie.
    """

    def __init__(self, pages: int, style: str, *, expire_every: int, most: int, late: float = 0.0) -> None:
        self.paths = [f"/p{number}" for number in range(pages)]
        self.style = style
        self.expire_every, self.most, self.late = expire_every, most, late
        self.lock = threading.Lock()
        self.alive: set[str] = set()
        self.logins = 0
        self.expiries = 0
        self.served: Counter[str] = Counter()
        self.refused = 0
        self.pages: dict[str, Any] = {"/login": self.login, "/": self.front, "/home": self.member}
        self.pages.update(dict.fromkeys(self.paths, self.member))

    def front(self, asked: Asked) -> Reply | str:
        return self.member(asked)

    def login(self, asked: Asked) -> Reply:
        if asked.method == "GET":
            return Reply(FORM)
        if b"password=right" not in asked.body:
            return Reply(FORM + "<p role=alert>wrong</p>")
        with self.lock:
            self.logins += 1
            token = f"session-{self.logins}"
            self.alive.add(token)
        return Reply("", 302, {"Location": "/home", "Set-Cookie": f"sid={token}; Path=/; HttpOnly"})

    def member(self, asked: Asked) -> Reply | str:
        cookies = dict(part.split("=", 1) for part in asked.headers.get("Cookie", "").split("; ") if "=" in part)
        with self.lock:
            known = cookies.get("sid") in self.alive
            if known and asked.path.startswith("/p"):
                self.served[asked.path] += 1
                if sum(self.served.values()) % self.expire_every == 0 and self.expiries < self.most:
                    self.alive.clear()
                    self.expiries += 1
            if not known:
                self.refused += 1
                late = self.late and self.refused % 7 == 0
        if not known:
            return self.stranger(bool(late))
        links = "".join(f"<a href={path}>x</a>" for path in self.paths) if asked.path == "/" else ""
        return f"<b class=account>me</b><h1>{asked.path}</h1>{links}"

    def stranger(self, late: bool) -> Reply:
        headers = {}
        if late:
            time.sleep(self.late)
            headers["Set-Cookie"] = "sid=; Path=/; Max-Age=0"
        if self.style == "redirect":
            return Reply("", 302, {"Location": "/login?next=1", **headers})
        if self.style == "form":
            return Reply(f"<h1>Please sign in</h1>{FORM}", 200, headers)
        return Reply('{"detail": "expired"}', 401, {"Content-Type": "application/json", **headers})

"""Several profiles on one site at once: in one crawl, and in two runs that share a vault."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from crawlkit.sessions.vault import Vault
from tests.conftest import Command

PAGES = 12

SPIDER = """from crawlkit import Request, Spider

class Desk(Spider):
    profiles = "alice bob"

    def start_requests(self):
        for profile in self.profiles.split():
            for number in range({pages}):
                yield Request(f"{url}/mail/{{number}}", profile=profile)

    def login(self, session):
        session.post("{url}/login", data={{"user": self.credentials.username, "password": self.credentials.password}})

    def logged_in(self, response):
        return bool(response.css("h1"))

    def parse(self, response):
        yield {{"url": response.url, "profile": response.session.profile.name, "user": response.css("h1::text").get()}}
"""
TOML = """
[profiles.alice]
username = "ALICE"
password = "ALICE_PW"
[profiles.bob]
username = "BOB"
password = "BOB_PW"
"""
ENVIRONMENT = {"ALICE": "alice", "ALICE_PW": "for-alice", "BOB": "bob", "BOB_PW": "for-bob"}


class Mail(ThreadingHTTPServer):
    """Shows who is logged in their own mail; a session lasts for a few pages."""

    daemon_threads = True

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.logins: Counter[str] = Counter()
        self.left: dict[str, int] = {}
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def log_in(self, user: str, password: str) -> str | None:
        if password != f"for-{user}":
            return None
        with self.lock:
            self.logins[user] += 1
            sid = f"{user}.{self.logins[user]}"
            self.left[sid] = 9
            return sid

    def who(self, sid: str | None) -> str | None:
        with self.lock:
            if sid is None or self.left.get(sid, 0) <= 0:
                return None
            self.left[sid] -= 1
            return sid.partition(".")[0]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Mail

    def do_GET(self) -> None:
        sid = (self.headers["Cookie"] or "").removeprefix("sid=") or None
        user = self.server.who(sid) if self.path.startswith("/mail") else None
        self.answer(f"<h1>{user}</h1>" if user else "<p>who are you?</p>")

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        sid = self.server.log_in(form["user"][0], form["password"][0])
        self.answer("<p>welcome</p>", *([("Set-Cookie", f"sid={sid}; Path=/")] if sid else []))

    def answer(self, html: str, *headers: tuple[str, str]) -> None:
        self.send_response(200)
        for name, value in (("Content-Type", "text/html"), ("Content-Length", str(len(html))), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(html.encode())

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[Mail]:
    """The server, and in the folder the spider with the credentials of two users."""
    with Mail() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        (tmp_path / "desk.py").write_text(SPIDER.format(url=server.url, pages=PAGES))
        (tmp_path / "crawl.toml").write_text(TOML)
        yield server
        server.shutdown()
        thread.join()


def rows(database: Path) -> Counter[tuple[str, str]]:
    db = sqlite3.connect(database)
    found = db.execute("SELECT profile, user FROM items").fetchall()
    db.close()
    return Counter(found)


def test_two_profiles_in_one_crawl(crawlkit: Command, mail: Mail) -> None:
    """Each logs in as itself, again when its own session has ended, and sees its own pages only."""
    done = crawlkit("run", "desk.py", "--json", **ENVIRONMENT)
    line = json.loads(done.stdout.splitlines()[-1])
    assert (0, 2 * PAGES) == (line["exit_code"], line["pages"])
    assert {("alice", "alice"): PAGES, ("bob", "bob"): PAGES} == rows(crawlkit.folder / "data" / "desk.db")
    vault = Vault(crawlkit.folder / "data" / "sessions.db")
    assert ["alice", "bob"] == [name for name in vault.names() if name in ("alice", "bob")]
    for user in ("alice", "bob"):
        assert [f"{user}.{mail.logins[user]}"] == [cookie.value for cookie in vault.profile(user).jar]
        assert 2 <= mail.logins[user] <= 3
        assert line["logins"] == mail.logins.total()


def test_two_runs_for_two_profiles_on_one_vault(crawlkit: Command, mail: Mail) -> None:
    """At the same time: neither waits for the other, neither's login is lost."""
    import os

    processes = [
        subprocess.Popen(
            crawlkit.words("run", "desk.py", "--profile", user, "-a", f"profiles={user}", "--db", f"{user}.db"),
            cwd=crawlkit.folder,
            env={**os.environ, **ENVIRONMENT},
            stderr=subprocess.PIPE,
        )
        for user in ("alice", "bob")
    ]
    told = [process.communicate(timeout=60)[1] for process in processes]
    assert [0, 0] == [process.returncode for process in processes], told
    vault = Vault(crawlkit.folder / "data" / "sessions.db")
    assert ["alice", "bob"] == vault.names()
    for user in ("alice", "bob"):
        assert {(user, user): PAGES} == rows(crawlkit.folder / f"{user}.db")
        assert [f"{user}.{mail.logins[user]}"] == [cookie.value for cookie in vault.profile(user).jar]

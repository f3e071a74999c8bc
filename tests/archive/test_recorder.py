"""ArchiveRecorder: whole runs into an archive, against a site on loopback. The judges are the records and the database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crawlkit import Download, IgnoreRequest
from crawlkit.archive import indexing
from crawlkit.archive.spool import Spool
from crawlkit.archive.verifying import verify
from crawlkit.exceptions import StorageError, UsageError
from tests.archive.packages import pages as listed_pages
from tests.archive.recorded import Studio, Walker
from tests.crawl.loopback import Asked, Reply, serving
from tests.crawl.test_engine import page
from tests.faults.expiring_club import ExpiringClub
from tests.sessions.scripted import Peer, Scripted


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


def test_every_page_of_a_crawl_is_in_its_package(studio: Studio) -> None:
    """Pages, what is gone, what fails: each with request, response and metadata; robots.txt is nobody's page."""
    with serving({"/": page("/a", "/b", "/gone"), "/a": page(title="A"), "/b": Reply("x", 403)}) as site:
        result = studio.run(Walker(site))

    assert (1, 1) == (result.exit_code, result.failed)
    assert {"/": 200, "/a": 200, "/b": 403, "/gone": 404} == studio.answers()
    kinds = [it.kind for it in studio.records()]
    assert ["warcinfo"] + ["response", "request", "metadata"] * 4 == kinds
    assert [] == verify(studio.warcs())
    assert ["/", "/a"] == sorted("/" + it["url"].split("/", 3)[3] for it in studio.pages())
    assert not studio.recorder.place.folder.exists()


def test_the_database_says_where_each_page_is(studio: Studio) -> None:
    """A row an exchange: `own` is the page itself, and not the redirect on the way there."""
    pages: dict[str, Any] = {"/": page("/moved"), "/moved": Reply("", 302, {"Location": "/here"}), "/here": "here"}
    with serving(pages) as site:
        spider = Walker(site)
        studio.run(spider)

    rows = studio.query(spider, "SELECT url, status, own, kind FROM _records ORDER BY id")
    assert [("/", 200, 1), ("/moved", 302, 0), ("/here", 200, 1)] == [
        ("/" + url.split("/", 3)[3], status, own) for url, status, own, _ in rows
    ]
    metadata = {it.path: it.payload + it.head for it in studio.records() if it.kind == "metadata"}
    assert f"via: {site.url}/moved".encode() in metadata["/here"]
    assert f"via: {site.url}/\r\n".encode() in metadata["/moved"]
    assert [("packaged", studio.output.stat().st_size)] == studio.query(spider, "SELECT state, size FROM _archives")


def test_an_ignored_page_is_left_out(studio: Studio) -> None:
    """The author says that it is no page."""

    class Picky(Walker):
        def parse(self, response: Any) -> Any:
            if response.url.endswith("/a"):
                raise IgnoreRequest("no page")
            yield from super().parse(response)

    with serving({"/": page("/a"), "/a": page()}) as site:
        studio.run(Picky(site))

    assert {"/": 200} == studio.answers()


def test_what_a_callback_fetches_is_part_of_its_page(studio: Studio) -> None:
    """Its own requests and downloads, each once; not what another thread does."""

    class Fetching(Walker):
        def parse(self, response: Any) -> Any:
            self.session.get(response.urljoin("/data.json"))
            yield Download("/file.bin", path="file.bin")

    with serving({"/": page(), "/data.json": "{}", "/file.bin": Reply(b"x" * 3_000_000)}) as site:
        spider = Fetching(site)
        result = studio.run(spider)

    assert (0, {"/": 200, "/data.json": 200, "/file.bin": 200}) == (result.exit_code, studio.answers())
    assert [1, 0, 0] == [own for (own,) in studio.query(spider, "SELECT own FROM _records ORDER BY id")]
    assert ["/"] == ["/" + it["url"].split("/", 3)[3] for it in studio.pages()]


def test_the_last_of_several_attempts_is_kept(studio: Studio) -> None:
    """A page that was asked for again is in the archive as it was in the end."""
    answers = [Reply("busy", 503), Reply("busy", 503)]

    def shaky(asked: Asked) -> Any:
        return answers.pop() if answers else page()

    with serving({"/": shaky}) as site:
        result = studio.run(Walker(site), fetch__retries=3, crawl__delay=0)

    assert (0, [200]) == (result.exit_code, [it.status for it in studio.records() if it.kind == "response"])


def test_a_body_that_breaks_off_is_kept_as_far_as_it_came(studio: Studio) -> None:
    """The page failed; its record is truncated and says why."""

    def script(peer: Peer) -> None:
        while got := peer.request():
            body = page("/short").encode() if got.line.startswith("GET / ") else b"half"
            length = 100 if body == b"half" else len(body)
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%b" % (length, body))
            if body == b"half":
                return

    with Scripted(script) as site:
        result = studio.run(Walker(site), fetch__retries=0, crawl__robots=False)

    [short] = [it for it in studio.records() if it.kind == "response" and it.path == "/short"]
    assert (1, "disconnect") == (result.exit_code, short.fields.get("WARC-Truncated"))
    assert [] == verify(studio.warcs())


def test_the_same_payload_twice_is_a_revisit(studio: Studio) -> None:
    """The second names the first, and keeps its own head."""
    with serving({"/": page("/a", "/b"), "/a": "<p>same", "/b": "<p>same"}) as site:
        studio.run(Walker(site), crawl__workers=1)

    [revisit] = [it for it in studio.records() if it.kind == "revisit"]
    assert ("/b", site.url + "/a", 200) == (revisit.path, revisit.fields["WARC-Refers-To-Target-URI"], revisit.status)
    assert [] == verify(studio.warcs())


def test_next_month_refers_to_this_month(studio: Studio) -> None:
    """304 and identical payloads are revisits of the earlier package, which is not touched."""

    def tagged(asked: Asked) -> Reply:
        if asked.headers.get("If-None-Match") == '"1"':
            return Reply("", 304, {"ETag": '"1"'})
        return Reply("<p>tagged", headers={"ETag": '"1"'})

    pages: dict[str, Any] = {
        "/": page("/tagged", "/same", "/new"),
        "/tagged": tagged,
        "/same": "<p>same",
        "/new": "<p>1",
    }
    with serving(pages) as site:
        studio.run(Walker(site))
        before = studio.output.read_bytes()
        pages["/new"] = "<p>2"
        february = studio.folder / "february.wacz"
        result = studio.run(Walker(site), output=february)

    revisits = {
        it.path: it.fields["WARC-Profile"].rsplit("/")[-1] for it in studio.records(february) if it.kind == "revisit"
    }
    assert 0 == result.exit_code
    assert {
        "/": "identical-payload-digest",
        "/same": "identical-payload-digest",
        "/tagged": "server-not-modified",
    } == revisits
    assert ["/new"] == [it.path for it in studio.records(february) if it.kind == "response"]
    assert before == studio.output.read_bytes()


def test_what_is_unchanged_keeps_its_title_and_text_in_the_list_of_pages(studio: Studio) -> None:
    """From the package that has it, and when that is gone the page is whole again; the third month as well as the second."""
    pages: dict[str, Any] = {
        "/": page("/same", "/new"),
        "/same": "<title>Same</title>the text",
        "/new": "<title>1</title>",
    }
    listed = []
    with serving(pages) as site:
        for month in ("january", "february", "march", "april"):
            pages["/new"] = f"<title>{month}</title>"
            output = studio.folder / f"{month}.wacz"
            assert 0 == studio.run(Walker(site), output=output).exit_code
            listed.append({(it["title"], it["text"]) for it in listed_pages(output) if not it["url"].endswith("/")})
            if month == "march":
                (studio.folder / "january.wacz").unlink()

    assert [{("Same", "the text"), (month, "")} for month in ("january", "february", "march", "april")] == listed


def test_an_archive_that_is_replaced_holds_all_of_itself(studio: Studio) -> None:
    """With --overwrite nothing may refer to what is overwritten, and no server may answer that it knows."""

    def tagged(asked: Asked) -> Reply:
        return Reply("", 304) if "If-None-Match" in asked.headers else Reply("<p>tagged", headers={"ETag": '"1"'})

    with serving({"/": page("/tagged"), "/tagged": tagged}) as site:
        studio.run(Walker(site))
        with pytest.raises(UsageError, match="is there already"):
            studio.run(Walker(site))
        result = studio.run(Walker(site), overwrite=True)

    assert (0, {"/": 200, "/tagged": 200}) == (result.exit_code, studio.answers())
    assert {"response"} == {it.kind for it in studio.records()} - {"warcinfo", "request", "metadata"}


def test_a_run_that_was_stopped_goes_on(studio: Studio) -> None:
    """The folder stays, the same command goes on, and the package holds what both fetched."""
    pages = {"/": page(*(f"/{n}" for n in range(9))), **{f"/{n}": page(title=str(n)) for n in range(9)}}
    with serving(pages) as site:
        first = studio.run(Walker(site), crawl__max_pages=4, crawl__workers=1)
        waits = studio.output.exists(), studio.recorder.place.exists
        second = studio.run(Walker(site))

    assert (5, (False, True), 0) == (first.exit_code, waits, second.exit_code)
    assert dict.fromkeys(pages, 200) == studio.answers()
    assert [] == verify(studio.warcs())


def test_an_archive_that_is_full_is_packaged_and_says_that_something_is_missing(studio: Studio) -> None:
    """Exit code 5; what is left is not gone on with: the next archive, into another output, begins anew."""
    pages = {"/": page(*(f"/{n}" for n in range(9))), **{f"/{n}": page(title=str(n)) for n in range(9)}}
    with serving(pages) as site:
        first = studio.run(Walker(site), max_size=1, crawl__workers=1)
        second = studio.run(Walker(site), output=studio.folder / "next.wacz")

    assert ("limit", 5, False) == (first.outcome, first.exit_code, first.resumable)
    assert "max_size" in first.reason
    assert studio.answers().keys() < pages.keys()
    assert (0, pages.keys()) == (second.exit_code, studio.answers(studio.folder / "next.wacz").keys())


def test_an_archive_that_is_full_when_all_of_it_is_there_is_finished(studio: Studio) -> None:
    with serving({"/": page()}) as site:
        result = studio.run(Walker(site), max_size=1)

    assert ("finished", 0, {"/": 200}) == (result.outcome, result.exit_code, studio.answers())


def test_what_was_not_committed_is_cut_off(studio: Studio) -> None:
    """Bytes that no commit names are no records, whatever they look like."""
    pages = {"/": page("/a", "/b"), "/a": "a", "/b": "b"}
    with serving(pages) as site:
        studio.run(Walker(site), crawl__max_pages=2, crawl__workers=1)
        [warc] = studio.warcs()
        with warc.open("ab") as file:
            file.write(warc.read_bytes()[:500])
        result = studio.run(Walker(site))

    assert (0, dict.fromkeys(pages, 200)) == (result.exit_code, studio.answers())
    assert [] == verify(studio.warcs())


def test_a_bare_warc_file_is_made_as_well(studio: Studio) -> None:
    """By the output's name."""
    output = studio.folder / "site.warc.gz"
    with serving({"/": page("/a"), "/a": page()}) as site:
        studio.run(Walker(site), output=output)

    assert {"/": 200, "/a": 200} == studio.answers(output)
    assert [] == verify([output])


def test_a_crawl_that_was_begun_without_its_archive_is_refused(studio: Studio) -> None:
    """Its first pages would be missing. Nothing is written."""
    pages = {"/": page("/a", "/b"), "/a": "a", "/b": "b"}
    with serving(pages) as site:
        studio.run(Walker(site), recorded=False, crawl__max_pages=1)
        with pytest.raises(UsageError, match="--fresh"):
            studio.run(Walker(site))
        again = studio.run(Walker(site), fresh=True)

    assert (0, dict.fromkeys(pages, 200)) == (again.exit_code, studio.answers())


def test_an_archive_of_a_crawl_that_ended_without_it_is_refused(studio: Studio) -> None:
    """What was fetched meanwhile is in no archive; --fresh begins anew."""
    pages = {"/": page("/a", "/b"), "/a": "a", "/b": "b"}
    with serving(pages) as site:
        studio.run(Walker(site), crawl__max_pages=1)
        studio.run(Walker(site), recorded=False)
        with pytest.raises(UsageError, match="--finish"):
            studio.run(Walker(site))
        again = studio.run(Walker(site), fresh=True)

    assert (0, dict.fromkeys(pages, 200)) == (again.exit_code, studio.answers())


# --- logins ----------------------------------------


class Member(Walker):
    """Logs in at /login, follows every link."""

    def login(self, session: Any) -> None:
        page = session.get(self.start_urls[0] + "login")
        session.submit(page.form("form"), {"user": "u", "password": "right"})

    def logged_in(self, response: Any) -> bool:
        return bool(response.css("b.account"))


@pytest.mark.parametrize("style", ["redirect", "form", "json"])
def test_no_logged_out_copy_and_no_login_is_in_the_archive(studio: Studio, style: str) -> None:
    """The session ends every five pages: each page is there once, as a member sees it, and no login at all."""
    club = ExpiringClub(20, style, expire_every=5, most=3)
    with serving(club.pages) as site:
        result = studio.run(Member(site))

    assert (0, 21) == (result.exit_code, result.pages)
    answers = [it for it in studio.records() if it.kind in ("response", "revisit")]
    assert sorted(["/", *club.paths]) == sorted(it.path for it in answers)
    assert all(b"class=account" in it.payload for it in answers)
    everything = b"".join(it.head + it.payload for it in studio.records())
    assert b"password" not in everything
    assert [] == [f"session-{n}" for n in range(1, club.logins + 1) if f"session-{n}".encode() in everything]
    assert [] == verify(studio.warcs())


def test_a_callback_that_is_healed_leaves_no_logged_out_copy(studio: Studio) -> None:
    """What it asks for comes back logged out, is asked for again after a login, and is there once."""
    club = ExpiringClub(12, "form", expire_every=4, most=2)

    class Asking(Member):
        def parse(self, response: Any) -> Any:
            if response.url.endswith("/"):
                for path in club.paths:
                    self.session.get(response.urljoin(path))

    with serving(club.pages) as site:
        result = studio.run(Asking(site))

    assert (0, 2) == (result.exit_code, club.expiries)
    answers = [it for it in studio.records() if it.kind in ("response", "revisit")]
    assert sorted(["/", *club.paths]) == sorted(it.path for it in answers)
    assert all(b"class=account" in it.payload for it in answers)


def test_pages_that_the_canary_doubts_are_not_in_the_package(studio: Studio) -> None:
    """Written down, committed, and found to be a stranger's: only what was fetched after the login is packaged."""
    club = Unsigned(expire_after=6)
    with serving(club.pages) as site:

        class Silent(Walker):
            def login(self, session: Any) -> None:
                session.post(site.url + "/login", data={"user": "u"})

        result = studio.run(Silent(site), crawl__workers=1, login__canary=site.url + "/me", login__canary_every=3)

    dropped = studio.query(Silent(site), "SELECT count(*) FROM _records WHERE dropped")
    answers = [it for it in studio.records() if it.kind in ("response", "revisit") and it.path.startswith("/p")]
    assert 0 == result.exit_code
    assert 0 < dropped[0][0]
    assert sorted(club.paths) == sorted(it.path for it in answers)
    assert all(b"for members" in it.payload for it in answers)
    assert [] == verify(studio.warcs())


class Unsigned:
    """Pages that look alike to members and strangers but for a word that is no sign; `/me` tells."""

    def __init__(self, expire_after: int) -> None:
        self.paths = [f"/p{number}" for number in range(15)]
        self.alive: set[str] = set()
        self.logins = 0
        self.left = expire_after
        self.pages: dict[str, Any] = {"/login": self.login, "/": page(*self.paths), "/me": self.me}
        self.pages.update(dict.fromkeys(self.paths, self.page))

    def is_member(self, asked: Asked) -> bool:
        return any(f"sid={sid}" in asked.headers.get("Cookie", "") for sid in self.alive)

    def login(self, asked: Asked) -> Reply:
        self.logins += 1
        self.alive.add(f"session-number-{self.logins}")
        return Reply("", 302, {"Location": "/me", "Set-Cookie": f"sid=session-number-{self.logins}; Path=/"})

    def me(self, asked: Asked) -> Reply:
        return Reply("you") if self.is_member(asked) else Reply("", 302, {"Location": "/login-page"})

    def page(self, asked: Asked) -> str:
        member = self.is_member(asked)
        self.left -= 1
        if self.left == 0:
            self.alive.clear()
        return f"<p>{asked.path} {'for members' if member else 'for everybody'}"


# --- bodies that nobody keeps, disks that are full ----------------------------------------


def test_a_body_that_is_not_wanted_goes_into_the_archive_alone(studio: Studio) -> None:
    """Larger than max_body; the callback finds nothing, and HTML is always kept."""

    class Frugal(Walker):
        def wants_body(self, response: Any) -> bool:
            return not str(response.headers["Content-Type"]).startswith("video/")

        def parse(self, response: Any) -> Any:
            sizes[response.url.rsplit("/", 1)[1]] = len(response.body)
            yield from response.follow_all("a", self.parse) if response.is_html else ()

    sizes: dict[str, int] = {}
    film = Reply(b"film" * 500_000, headers={"Content-Type": "video/mp4"})
    text = Reply("text", headers={"Content-Type": "text/plain"})
    with serving({"/": page("/film", "/text"), "/film": film, "/text": text}) as site:
        result = studio.run(Frugal(site), fetch__max_body=100_000)

    [kept] = [it for it in studio.records() if it.kind == "response" and it.path == "/film"]
    assert (0, film.body) == (result.exit_code, kept.payload)
    assert (0, 4, len(page("/film", "/text"))) == (sizes["film"], sizes["text"], sizes[""])
    assert [(2_000_000,)] == studio.query(Frugal(site), "SELECT size FROM _pages WHERE url LIKE '%film'")


def test_without_an_archive_a_body_that_is_not_wanted_is_not_read(studio: Studio) -> None:
    """The connection is closed on it; the page is done."""

    class Frugal(Walker):
        def wants_body(self, response: Any) -> bool:
            return False

    film = Reply(b"film" * 5_000_000, headers={"Content-Type": "video/mp4"})
    with serving({"/": page("/film"), "/film": film}) as site:
        result = studio.run(Frugal(site), recorded=False)

    [(size,)] = studio.query(Frugal(site), "SELECT size FROM _pages WHERE url LIKE '%film'")
    assert (0, 2) == (result.exit_code, result.pages)
    assert size < 20_000_000


def test_a_disk_that_is_full_ends_the_run_and_the_same_command_goes_on(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large body cannot be spooled: nothing is lost, nothing half is in the archive."""

    def refuse(spool: Any, data: bytes) -> None:
        raise StorageError(f"{studio.folder}: no space left")

    with serving({"/": page("/large"), "/large": Reply("x" * 3_000_000)}) as site:
        with monkeypatch.context() as full:
            full.setattr(Spool, "_write_to_file", refuse)
            first = studio.run(Walker(site))
        second = studio.run(Walker(site))

    assert ("storage_failed", 74, True) == (first.outcome, first.exit_code, first.resumable)
    assert "no space left" in first.reason
    assert (0, {"/": 200, "/large": 200}) == (second.exit_code, studio.answers())


def test_a_disk_that_is_full_while_the_package_is_made(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason names the folder, and what to do; nothing is fetched again then."""
    folder = studio.output.with_name("site.wacz.part")

    def narrow(_: Path) -> Spool:
        return Spool(folder / "full", in_memory=0)

    with serving({"/": page("/a"), "/a": page(title="A")}) as site:
        with monkeypatch.context() as full:
            full.setattr(indexing, "Spool", narrow)
            first = studio.run(Walker(site))
        asked = len(site.log())
        second = studio.run(Walker(site))

    assert ("storage_failed", 74, True) == (first.outcome, first.exit_code, first.resumable)
    assert first.reason.startswith(f"{folder / 'full'}: ")
    assert "make room there and start the same command again" in first.reason
    assert (0, asked) == (second.exit_code, len(site.log()))
    assert {"/": 200, "/a": 200} == studio.answers()

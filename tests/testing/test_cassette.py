"""Cassettes: recorded once, played back exactly, in vcrpy's format, without a secret in them."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import requests
import vcr
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlkit import Session, Spider
from crawlkit.exceptions import CassetteError, ConnectionError, NotRecorded
from crawlkit.testing import Cassette, crawl, demo_site
from crawlkit.testing.cassette_file import Interaction, read, write
from crawlkit.testing.cassette_matching import Key, Tracks, cookies_of

PASSWORD = "c4nary/Pass+word=="
COOKIE = "c4naryCookie0815"
TOKEN = "c4nary-bearer-token-77"
KEY = "c4nary-api-key-4711"
CANARIES = (PASSWORD, COOKIE, TOKEN, KEY)


class Handler(BaseHTTPRequestHandler):
    """`/n?i=K` answers K, `/count` counts, `/echo` gives everything back that it was sent, `/gzip` is compressed."""

    protocol_version = "HTTP/1.1"
    counter = itertools.count(1)

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fields: list[tuple[str, str]] = [("Content-Type", "text/plain; charset=utf-8")]
        if path == "/n":
            text = "; ".join(query["i"])
        elif path == "/count":
            text = str(next(self.counter))
        elif path == "/gzip":
            fields.append(("Content-Encoding", "gzip"))
            text = f"compressed {COOKIE} page"
        elif path == "/binary":
            return self._send(fields, bytes(range(256)))
        else:
            fields += [
                ("Set-Cookie", f"sid={COOKIE}; Path=/; HttpOnly"),
                ("Set-Cookie", "tint=blue; Expires=Wed, 01 Jan 2200 00:00:00 GMT"),
                ("X-Seen", self.path),
            ]
            coded = base64.b64encode(COOKIE.encode()).decode()
            text = f"{self.path}\n{self.headers}\n{body.decode()}\n{quote(PASSWORD)} {coded}"
        data = text.encode()
        self._send(fields, gzip.compress(data) if path == "/gzip" else data)

    def do_POST(self) -> None:
        self.do_GET()

    def _send(self, fields: list[tuple[str, str]], data: bytes) -> None:
        self.send_response(200)
        for name, value in (*fields, ("Content-Length", str(len(data)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


@pytest.fixture
def url() -> Iterator[str]:
    Handler.counter = itertools.count(1)
    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tapes" / "one.yaml"


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From the call on, no socket connects."""

    def refuse(*args: Any) -> None:
        raise AssertionError("a connection was opened")

    def cut() -> None:
        monkeypatch.setattr(socket.socket, "connect", refuse)

    return cut


# --- exactness -------------------------------------------------------------------------------------------------------


def test_sixteen_threads_record_and_play_every_exchange(url: str, path: Path, offline: Callable[[], None]):
    """None lost, none given to another request; the repeated ones come once each."""
    asked = [f"{url}/n?i={number}" for number in range(200)] + [f"{url}/count"] * 50

    def everything(session: Session) -> list[str]:
        with ThreadPoolExecutor(16) as threads:
            return list(threads.map(lambda each: session.get(each).text, asked))

    with Session() as session, Cassette(path).use(session):
        live = everything(session)
    offline()
    with Session() as session, Cassette(path).use(session) as cassette:
        played = everything(session)
        assert (250, 0) == (cassette.played, cassette.unplayed)
    assert [str(number) for number in range(200)] == live[:200] == played[:200]
    assert {str(number) for number in range(1, 51)} == set(live[200:]) == set(played[200:])


def test_repeated_requests_come_in_their_order(url: str, path: Path):
    """And once each, unless the last may be given again."""
    with Session() as session, Cassette(path).use(session):
        assert ["1", "2"] == [session.get(f"{url}/count").text for _ in range(2)]
    with Session() as session, Cassette(path).use(session):
        assert ["1", "2"] == [session.get(f"{url}/count").text for _ in range(2)]
        with pytest.raises(NotRecorded, match="was recorded 2 times and is asked for once more"):
            session.get(f"{url}/count")
    with Session() as session, Cassette(path, repeats=True).use(session):
        assert ["1", "2", "2", "2"] == [session.get(f"{url}/count").text for _ in range(4)]


def test_bodies_tell_requests_apart(url: str, path: Path):
    """Two POSTs to one URL; and none of it matters when only the URL is compared."""
    with Session() as session, Cassette(path).use(session):
        for word in ("one", "two"):
            session.post(f"{url}/echo", data={"word": word})
    with Session() as session, Cassette(path).use(session):
        assert "word=two" in session.post(f"{url}/echo", data={"word": "two"}).text
        assert "word=one" in session.post(f"{url}/echo", data={"word": "one"}).text
    with Session() as session, Cassette(path, match=("url",)).use(session):
        assert "word=one" in session.post(f"{url}/echo", data={"word": "three"}).text


def test_files_are_the_same_body_with_any_boundary(url: str, path: Path):
    """It is made up anew for each request."""
    for _ in range(2):
        with Session() as session, Cassette(path).use(session) as cassette:
            assert session.post(f"{url}/echo", files={"file": b"text"}).ok
    assert 1 == cassette.played


def test_a_miss_names_the_request_and_the_nearest(url: str, path: Path):
    """And nothing is sent."""
    with Session() as session, Cassette(path).use(session):
        session.get(f"{url}/n?i=7")
        session.post(f"{url}/echo", data={"word": "one", "page": "1"})
    with Session() as session, Cassette(path).use(session):
        with pytest.raises(NotRecorded) as missed:
            session.get(f"{url}/n?i=8")
        assert f"{path} has no answer to GET {url}/n?i=8: nearest: GET {url}/n?i=7" in str(missed.value)
        with pytest.raises(NotRecorded, match="recorded with another body: the fields page differ"):
            session.post(f"{url}/echo", data={"word": "one", "page": "2"})


def test_modes(url: str, path: Path):
    """once, none, new and all; vcrpy's word for the third."""
    with pytest.raises(CassetteError, match="there is no such cassette"):
        Cassette(path, "none").open()
    with pytest.raises(ValueError, match="mode must be one of once, none"):
        Cassette(path, "never")  # type: ignore[arg-type]
    with Session() as session, Cassette(path).use(session):
        assert "1" == session.get(f"{url}/count").text
    with Session() as session, Cassette(path, "new_episodes").use(session):
        assert ["1", "a"] == [session.get(f"{url}/count").text, session.get(f"{url}/n?i=a").text]
    with Session() as session, Cassette(path, "none").use(session) as cassette:
        assert ["1", "a"] == [session.get(f"{url}/count").text, session.get(f"{url}/n?i=a").text]
        assert cassette.plays_only
    with Session() as session, Cassette(path, "all").use(session):
        assert "2" == session.get(f"{url}/count").text
    found = read(path)
    assert found is not None
    assert [b"2"] == [one.content for one in found[0]]


def test_what_was_recorded_is_there_after_an_interrupt(url: str, path: Path):
    """Ctrl-C in the middle of a test."""
    with pytest.raises(KeyboardInterrupt), Session() as session, Cassette(path).use(session):
        session.get(f"{url}/n?i=1")
        raise KeyboardInterrupt
    with Session() as session, Cassette(path, "none").use(session):
        assert "1" == session.get(f"{url}/n?i=1").text
    assert [path] == list(path.parent.iterdir())


def test_a_session_is_itself_again_afterwards(url: str, path: Path):
    """Its adapters are those it had."""
    with Session() as session:
        before = session.adapters
        with Cassette(path).use(session):
            assert before != session.adapters
        assert before is session.adapters


def test_compressed_and_binary_bodies(url: str, path: Path, offline: Callable[[], None]):
    """Kept decoded, with headers to match; bytes that are no text stay bytes."""
    with Session() as session, Cassette(path).use(session):
        assert f"compressed {COOKIE} page" == session.get(f"{url}/gzip").text
        session.get(f"{url}/binary")
    offline()
    with Session() as session, Cassette(path).use(session):
        page = session.get(f"{url}/gzip")
        assert (f"compressed {COOKIE} page", None) == (page.text, page.headers.get("Content-Encoding"))
        assert str(len(page.content)) == page.headers["Content-Length"]
        assert bytes(range(256)) == session.get(f"{url}/binary").content


# --- secrets ---------------------------------------------------------------------------------------------------------


def _spellings(secret: str) -> set[str]:
    data = secret.encode()
    every = "".join(f"%{byte:02X}" for byte in data)
    shifted = {base64.b64encode(b"x" * shift + data).decode()[4:-4] for shift in range(3)}
    return {secret, quote(secret), quote(secret, safe=""), every, every.lower(), data.hex(), *shifted}


def test_no_secret_is_on_a_cassette(url: str, path: Path):
    """In no header, URL or body, however it is written; what an echoing server sends back neither."""
    with Session() as session:
        session.headers["X-Api-Key"] = KEY
        with Cassette(path).use(session):
            session.get(f"{url}/echo?token={quote(TOKEN)}&page=2")
            session.post(f"{url}/echo", data={"user": "ann", "password": PASSWORD})
            session.post(f"{url}/echo", json={"name": "ann", "access_token": TOKEN})
            session.get(f"{url}/echo", headers={"Authorization": f"Bearer {TOKEN}"})
            session.get(f"{url}/echo", auth=("ann", PASSWORD))
            session.get(f"{url}/gzip")
    text = path.read_text()
    assert [] == [form for secret in CANARIES for form in _spellings(secret) if form in text]
    assert "tint=" in text
    found = read(path)
    assert found is not None
    whole = b"".join(one.content for one in found[0]).decode()
    assert [] == [form for secret in CANARIES for form in _spellings(secret) if form in whole]


def test_a_recorded_login_plays_back(path: Path, offline: Callable[[], None]):
    """Cookies and CSRF tokens are other ones than they were, and still go together; the password need not be known."""
    with demo_site(port=0, books=3) as site:

        def log_in(session: Session, password: str) -> list[str]:
            page = session.get(f"{site.url}/login")
            session.submit(page.form("#login"), {"user": site.account.username, "password": password})
            return session.get(f"{site.url}/books").css("a.title::text").getall()

        with Session() as session, Cassette(path).use(session):
            live = log_in(session, site.account.password)
            sent = [cookie.value for cookie in session.cookies]
    offline()
    text = path.read_text()
    assert [] == [value for value in (*sent, site.account.password) if value in text]
    for password in (site.account.password, "not known here"):
        with Session() as session, Cassette(path).use(session) as cassette:
            assert live == log_in(session, password)
            assert {"visit", "member"} == {cookie.name for cookie in session.cookies}
            assert 0 == cassette.unplayed
    assert 3 == len(live)


def test_cookies_outlive_their_day(url: str, path: Path):
    """A day of expiry becomes a length of time: the cassette is played for years."""
    with Session() as session, Cassette(path).use(session):
        session.get(f"{url}/echo")
    assert ("Expires" in path.read_text(), "Max-Age=" in path.read_text()) == (False, True)
    from crawlkit.testing.cassette_secrets import _lasting

    assert "a=b; Path=/; Max-Age=" in _lasting("a=b; Path=/; Expires=Wed, 01 Jan 2200 00:00:00 GMT")
    for line in ("a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "a=b; Max-Age=5; Expires=Wed, 01 Jan 2200 00:00:00 GMT"):
        assert line == _lasting(line)


def test_links_that_differ_in_a_token_stay_two(url: str, path: Path):
    """Each secret has a placeholder of its own, which finds its answer also as a client escapes it."""
    with Session() as session, Cassette(path).use(session):
        for token in ("aaaa1111bbbb", "cccc2222dddd"):
            session.get(f"{url}/count?token={token}")
    found = read(path)
    assert found is not None
    assert ["token=[redacted-1]", "token=[redacted-2]"] == [one.url.partition("?")[2] for one in found[0]]
    with Session() as session, Cassette(path).use(session):  # as a page that is played back has them
        for number in ("2", "1"):
            assert number == session.get(f"{url}/count", params={"token": f"[redacted-{number}]"}).text


def test_a_short_secret_is_hidden_where_its_name_stands(url: str, path: Path):
    """It may be too short to be looked for elsewhere."""
    with Session() as session, Cassette(path).use(session):
        session.get(f"{url}/n?i=5", headers={"X-Api-Key": "k7", "Cookie": "a=b"})
    found = read(path)
    assert found is not None
    fields = dict(found[0][0].request_fields)
    assert ("[redacted-1]", "a=[redacted-2]") == (fields["X-Api-Key"], fields["Cookie"])


# --- the file --------------------------------------------------------------------------------------------------------


def test_vcrpy_plays_what_we_record(url: str, path: Path, offline: Callable[[], None]):
    """With requests, as its users have it."""
    with Session() as session, Cassette(path).use(session):
        session.get(f"{url}/n?i=5")
        session.get(f"{url}/gzip")
        session.get(f"{url}/binary")
        session.post(f"{url}/echo", data={"word": "é"})
    offline()
    with vcr.use_cassette(str(path), record_mode="none"):
        assert "5" == requests.get(f"{url}/n?i=5").text
        assert "compressed [redacted-1] page" == requests.get(f"{url}/gzip").text
        assert bytes(range(256)) == requests.get(f"{url}/binary").content
        answer = requests.post(f"{url}/echo", data={"word": "é"})
        assert "word=%C3%A9" in answer.text
        assert {"sid", "tint"} == set(answer.cookies.keys())


def test_we_play_what_vcrpy_records(url: str, path: Path, offline: Callable[[], None]):
    """Compressed bodies too, which it keeps as they came."""
    with vcr.use_cassette(str(path)):
        requests.get(f"{url}/n?i=5")
        requests.get(f"{url}/gzip")
        requests.get(f"{url}/binary")
        requests.post(f"{url}/echo", data={"word": "é"})
    offline()
    with Session() as session, Cassette(path).use(session):
        assert "5" == session.get(f"{url}/n?i=5").text
        assert f"compressed {COOKIE} page" == session.get(f"{url}/gzip").text
        assert bytes(range(256)) == session.get(f"{url}/binary").content
        answer = session.post(f"{url}/echo", data={"word": "é"})
        assert "word=%C3%A9" in answer.text
        assert COOKIE == session.cookies["sid"]


TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
FIELDS = st.lists(st.tuples(st.sampled_from(["A", "b", "Set-Cookie"]), TEXTS), max_size=3)


@given(
    body=st.binary(max_size=40),
    content=st.binary(max_size=80) | TEXTS.map(str.encode),
    reason=TEXTS,
    sent=FIELDS,
    got=FIELDS,
)
@settings(max_examples=60)
def test_a_file_gives_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, body: bytes, content: bytes, reason: str, sent: Any, got: Any
):
    """Any bytes, any text."""
    path = tmp_path_factory.getbasetemp() / "round.yaml"
    one = Interaction("POST", "http://a.example/?q=%20", sent, body, 200, reason, got, content)
    write(path, [one], "books")
    found = read(path)
    assert found is not None
    [again], spider = found
    assert ("books", body, content, reason) == (spider, again.body, again.content, again.reason)
    for before, after in ((sent, again.request_fields), (got, again.fields)):
        assert sorted((name.lower(), value) for name, value in before) == sorted((n.lower(), v) for n, v in after)


def test_a_cassette_that_was_cut_short_is_told_by_its_line(url: str, path: Path):
    """Wherever it was cut; it stays as it is."""
    with Session() as session, Cassette(path).use(session):
        session.get(f"{url}/echo")
        session.get(f"{url}/n?i=5")
    whole = path.read_bytes()
    for cut in range(20, len(whole) - 2, 37):
        path.write_bytes(whole[:cut])
        told = pytest.raises(CassetteError, match=rf"{path}:\d+: the cassette")
        with told, Session() as session, Cassette(path, "new").use(session):
            session.get(f"{url}/count")
        assert whole[:cut] == path.read_bytes()


def test_broken_cassettes_are_told_by_their_line(path: Path):
    """No tag makes an object; a hole is named where it is."""
    path.parent.mkdir()
    for text, line, what in (
        ("interactions:\n- request: {}\n  response: {}\nversion: 1\n", 2, "is no request with its response"),
        ("interactions: []\nversion: 2\n", 2, "is of version 2"),
        ("- request\n", 1, "has no list of interactions"),
        ("interactions:\n- !!python/object/apply:os.system ['true']\nversion: 1\n", 2, "cannot be read"),
        ("interactions: [\nversion: 1\n", 3, "cannot be read"),
        ("interactions: []\n", 2, "cut short"),
    ):
        path.write_text(text)
        with pytest.raises(CassetteError) as broken:
            Cassette(path).open()
        assert f"{path}:{line}: " in str(broken.value)
        assert what in str(broken.value)
        assert text == path.read_text()


# --- crawls ----------------------------------------------------------------------------------------------------------


def test_a_crawl_is_recorded_and_played(root: Path, path: Path, offline: Callable[[], None]):
    """Login, robots.txt and all, under sixteen workers; the items are the same, and nothing is sent."""
    spider = root / "spiders" / "site.py"
    with demo_site(port=0, books=30) as site:
        live = crawl(spider, cassette=Cassette(path), arguments={"base": site.url})
        base = site.url
    offline()
    cassette = Cassette(path)
    played = crawl(spider, cassette=cassette, arguments={"base": base})
    assert ("finished", 30, 90) == (live.result.outcome, len(live.items["book"]), len(live.items["price"]))
    assert ("finished", 0) == (played.result.outcome, cassette.unplayed)
    assert [_sorted(live.items[name]) for name in live.items] == [_sorted(played.items[name]) for name in played.items]


def _sorted(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True) for row in rows)


def test_a_session_that_ends_in_mid_crawl_ends_so_when_it_is_played(
    root: Path, path: Path, offline: Callable[[], None]
):
    """A page has two answers then, logged out and in: which it gets says its cookie, not whose turn it is."""
    spider = root / "spiders" / "site.py"
    with demo_site(port=0, books=80) as site:
        site.expire(every=40)
        live = crawl(spider, cassette=Cassette(path), arguments={"base": site.url}, settings={"crawl.workers": 16})
        base = site.url
    offline()
    assert live.result.logins > 1
    for workers in (1, 6):
        played = crawl(spider, cassette=Cassette(path), arguments={"base": base}, settings={"crawl.workers": workers})
        assert ("finished", 84) == (played.result.outcome, played.result.pages)
        assert [_sorted(live.items[name]) for name in live.items] == [_sorted(each) for each in played.items.values()]


def test_which_of_several_answers_it_is() -> None:
    """That with the cookies of the request; without one those of the last session; of the same cookies in their order."""

    def recorded(cookies: str, content: bytes) -> Interaction:
        fields = [("Cookie", cookies)] if cookies else []
        return Interaction("GET", "http://site.example/", fields, b"", 200, "OK", [], content)

    def told(asked: list[str], **options: Any) -> list[bytes | None]:
        tracks = Tracks(
            [recorded("sid=[redacted-1]", b"out"), recorded("sid=[redacted-2]", b"in"),
             recorded("sid=[redacted-2]", b"in again"), recorded("", b"stranger")][: options.pop("most", 4)],
            ("url",), **{"repeats": False, **options},
        )  # fmt: skip
        key = Key("GET", "http://site.example/", "")
        found = [tracks.take(key, cookies_of([("Cookie", cookies)] if cookies else [])) for cookies in asked]
        return [one and one.content for one in found]

    assert [b"in", b"out", b"stranger", b"in again", None] == told(
        ["sid=[redacted-2]", "sid=%5Bredacted-1%5D", "", "sid=[redacted-2]", ""]
    )
    assert [b"in", b"in again", b"out", None] == told(["sid=mine"] * 4, most=3)
    assert [b"out", b"out", b"in", b"in again", b"in again"] == told(
        ["sid=[redacted-1]"] * 2 + ["sid=mine"] * 3, most=3, repeats=True
    )


def test_a_cassette_of_another_spider_is_refused(root: Path, path: Path):
    """By file and line, before anything is asked for."""

    class Other(Spider):
        start_urls = ["http://127.0.0.1:1/"]

    write(path, [Interaction("GET", "http://127.0.0.1:1/", [], b"", 200, "OK", [], b"")], "books")
    before = path.read_bytes()
    with pytest.raises(CassetteError, match=rf"{path}:\d+: was recorded by the spider 'books', not by 'other'"):
        crawl(Other, cassette=Cassette(path))
    assert before == path.read_bytes()


def test_pages_that_are_not_on_it_fail_by_name(path: Path):
    """The crawl goes on with the others."""

    class Two(Spider):
        start_urls = ["http://site.example/a", "http://site.example/b"]
        custom_settings = {"crawl": {"robots": False}}

        def parse(self, response: Any) -> Any:
            yield {"url": response.url}

    write(path, [Interaction("GET", "http://site.example/a", [], b"", 200, "OK", [], b"")], "two")
    done = crawl(Two, cassette=Cassette(path))
    assert [{"url": "http://site.example/a"}] == done.items["items"]
    assert {"not_recorded": 1} == dict(done.result.failures)


def test_other_adapters_are_recorded_too(path: Path):
    """requests' own, mounted on a session."""

    class Plain(requests.adapters.HTTPAdapter):
        def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            response = requests.Response()
            response.status_code, response.url, response.request = 200, request.url, request
            response._content = b"made up"
            return response

    for _ in range(2):
        with Session() as session:
            session.mount("http://", Plain())
            with Cassette(path).use(session) as cassette:
                assert "made up" == session.get("http://site.example/").text
    assert 1 == cassette.played


def test_failures_are_not_recorded(path: Path):
    """They are raised as ever."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        with Session() as session, Cassette(path).use(session), pytest.raises(ConnectionError):
            session.get(url)
    assert not path.exists()


def test_the_fixture(tmp_path: Path, url: str):
    """A file for each test, beside its module; recorded once, then played."""
    (tmp_path / "test_it.py").write_text(
        "import pytest\nfrom crawlkit import Session\n"
        "@pytest.mark.parametrize('name', ['count', 'n?i=2'])\n"
        "def test_get(cassette, name):\n"
        "    with Session() as session, cassette.use(session):\n"
        f"        assert session.get('{url}/' + name).text in ('1', '2')\n"
    )

    words = [sys.executable, "-m", "pytest", "-q", "-W", "error"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert (0, True) == (done.returncode, "2 passed" in done.stdout), done.stdout
    tapes = {path.name: path for path in (tmp_path / "cassettes" / "test_it").iterdir()}
    assert {"test_get_count.yaml", "test_get_n_i=2.yaml"} == set(tapes)
    with Session() as session, Cassette(tapes["test_get_count.yaml"], "none").use(session):
        assert "1" == session.get(f"{url}/count").text

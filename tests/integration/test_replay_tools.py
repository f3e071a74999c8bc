"""Packages before the tools of others: what wacz and warcio find wrong, what pywb shows of them in a browser."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crawlkit import Session
from crawlkit.archive import wacz
from crawlkit.archive.cdxj import Entry
from crawlkit.archive.datapackage import About
from crawlkit.archive.package_reading import ArchiveReader
from crawlkit.archive.package_verifying import verify_archive
from crawlkit.archive.posted import posted_query
from crawlkit.archive.surt import surt
from crawlkit.archive.wacz import package
from crawlkit.testing import demo_site
from tests.archive.exchanges import NOW, exchange, page
from tests.archive.packages import HOME, is_page, packaged, site, warc
from tests.archive.test_posted import FORM, PARTS
from tests.archive.test_surt import KEYS
from tests.cli.pictures import screenshot
from tests.integration.replaying import (
    archiving,
    as_seen_by,
    fetch_whole,
    install_tools,
    replay_web_page,
    seen_in_replay_web_page,
    serve_pywb,
)
from tests.servers import DocsSite, MissingPackage

pytestmark = pytest.mark.slow

DOCS = (
    "index.html",
    "library/functions.html",
    "tutorial/classes.html",
    "library/re.html",
    "whatsnew/3.11.html",
    "glossary.html",
    "genindex.html",
    "howto/regex.html",
    "reference/index.html",
    "c-api/list.html",
)
MOST_PICTURES = 4
#: Without these chromium draws the corners of one live page in two ways, once in eight pictures: parts of it are drawn by
#: several threads, in whatever order.
STEADY = (
    "--disable-partial-raster",
    "--num-raster-threads=1",
    "--disable-threaded-animation",
    "--disable-threaded-scrolling",
)


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of pywb, wacz and warcio."""
    return install_tools(tmp_path_factory.mktemp("tools") / "env")


class Photographer:
    """Takes pictures into a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    def picture(self, url: str, *, starts: int = 3) -> bytes:
        """The PNG that a new chromium takes of `url`. One in a hundred hangs as it starts, and another one is started."""
        self._count += 1
        profile = self._folder / f"browser-{self._count}"
        file = self._folder / f"{self._count}.png"
        try:
            return screenshot(url, file, profile=profile, width=1000, height=1400, options=STEADY).read_bytes()
        except subprocess.TimeoutExpired:
            if starts == 1:
                raise
            return self.picture(url, starts=starts - 1)


@pytest.fixture(scope="module")
def archived(docs_site: DocsSite, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    """A package of ten pages of Python's documentation and of the demo site for a member, and pictures of them when they
    were live.
    """
    folder = tmp_path_factory.mktemp("archived")
    with demo_site(port=0) as shop, Session() as session:
        login = session.get(shop.url + "/login")
        session.submit(login.form(), {"user": shop.account.username, "password": shop.account.password})
        docs = [docs_site.base + name for name in DOCS]
        members = [shop.url + path for path in ("/", "/books", f"/books/{shop.books[0].slug}", "/account")]
        with archiving(session, folder / "warcs") as file:
            fetch_whole(session, [*docs, *members])
        photographer = Photographer(folder)
        pictures = {url: photographer.picture(url) for url in docs}
        with as_seen_by(session, shop.url) as seen:
            pictures |= {url: photographer.picture(url.replace(shop.url, seen)) for url in members}
    about = About("Two sites", main_page=docs[0])
    made = package(folder / "sites.wacz", file.paths(), is_page=pictures.__contains__, about=about)
    return made.path, pictures


@pytest.fixture(scope="module")
def replayed(
    archived: tuple[Path, dict[str, bytes]], tools: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], str]]:
    """Where pywb replays a URL of that package."""
    with serve_pywb(tools, tmp_path_factory.mktemp("pywb") / "collections", archived[0]) as address:
        yield address


def test_pywb_replays_every_page_as_it_was_live(
    archived: tuple[Path, dict[str, bytes]], replayed: Callable[[str], str], docs_site: DocsSite, tmp_path: Path
) -> None:
    """Pixel by pixel, and without asking a live server for anything: the demo site is down by now, nginx has a log."""
    docs_site.forget()
    photographer = Photographer(tmp_path)
    different = []
    for url, live in archived[1].items():
        pictures = (photographer.picture(replayed(url)) for _ in range(MOST_PICTURES))
        if not any(picture == live for picture in pictures):
            different.append(url)
    assert [] == different
    assert {} == docs_site.asked()


def test_pywb_has_every_capture_of_the_package(
    archived: tuple[Path, dict[str, bytes]], replayed: Callable[[str], str]
) -> None:
    """Members' pages, redirects, requisites: with the body that was archived."""
    with ArchiveReader(archived[0]) as archive, Session() as session:
        entries = list(archive.entries())
        assert 30 < len(entries)
        for entry in entries:
            raw = replayed(entry.url).replace("/site/2999/", f"/site/{_moment(entry)}id_/")
            answer = session.get(raw, allow_redirects=False)
            assert entry.status == answer.status_code, entry.url
            if not answer.is_redirect:
                assert b"".join(archive.extract(entry.url).pieces) == answer.content, entry.url


def _moment(entry: Entry) -> str:
    return "".join(filter(str.isdigit, entry.date))[:14]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ReplayWeb.page."""
    try:
        return replay_web_page(tmp_path_factory.mktemp("npm") / "program")
    except MissingPackage as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("form", ["plain", "blocks"])
def test_replay_web_page_opens_it(
    archived: tuple[Path, dict[str, bytes]], program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """Its own code in a browser, with an index of either form: the page is there with its style sheets and images."""
    path, pictures = archived
    if form == "blocks":
        monkeypatch.setattr(wacz, "PLAIN_LINES", 0)
        warcs = sorted((path.parent / "warcs").glob("*.gz"))
        path = package(tmp_path / "blocks.wacz", warcs, is_page=pictures.__contains__, about=About("Blocks")).path
    url = next(iter(pictures))
    title, sheets, images, drawn = seen_in_replay_web_page(program, tmp_path / form, path, url)
    assert title.endswith("Documentation") and int(sheets) > 2
    assert int(images) == int(drawn) > 0


def test_what_is_unchanged_next_month_is_replayed_from_the_archive_that_has_it(tools: Path, tmp_path: Path) -> None:
    """Revisits of an earlier package, both packages in one collection: identical, and not modified."""
    home, month = page(b"<title>Home</title>Welcome"), NOW + 30 * 86400
    unmodified = exchange(b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n", url=HOME, clock=lambda: month)
    identical = exchange(home, url=HOME + "same", clock=lambda: month)
    first = packaged(tmp_path / "1", [exchange(home, url=HOME), exchange(home, url=HOME + "same")]).path
    again = warc(tmp_path / "2", [unmodified, identical], revisit_of={HOME: HOME, HOME + "same": HOME + "same"})
    second = package(tmp_path / "next.wacz", [again], is_page=is_page, about=About("Next")).path
    with serve_pywb(tools, tmp_path / "pywb", first, second) as address, Session() as session:
        for url in (HOME, HOME + "same"):
            answer = session.get(address(url))
            assert (200, True) == (answer.status_code, "Welcome" in answer.text), url


def test_wacz_and_warcio_find_nothing_wrong(
    archived: tuple[Path, dict[str, bytes]], tools: Path, tmp_path: Path
) -> None:
    assert [] == verify_archive(archived[0])
    small = packaged(tmp_path, completeness={"urls": []}).path
    for path in (archived[0], small):
        done = subprocess.run([tools / "wacz", "validate", "-f", path], capture_output=True, text=True, timeout=120)
        assert (0, True) == (done.returncode, "Validation succeeded" in done.stdout), done.stdout + done.stderr
    for file in [*(archived[0].parent / "warcs").glob("*.gz"), *tmp_path.glob("*/*.warc.gz")]:
        done = subprocess.run([tools / "warcio", "check", file], capture_output=True, text=True, timeout=120)
        assert (0, "") == (done.returncode, done.stdout), done.stdout + done.stderr


def test_pywb_makes_the_same_index(tools: Path, tmp_path: Path) -> None:
    """What it would look for, it finds: keys, moments and places of our index are those of its own."""
    made = packaged(tmp_path, site()[:5])
    [warc] = (tmp_path / "site.wacz.part").iterdir()
    words = [tools / "cdx-indexer", "--cdxj", "--postappend", "--sort", warc]
    theirs = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()
    with ArchiveReader(made.path) as archive:
        ours = [line.decode() for _, line in archive.index_lines()]
    assert [_place(line) for line in theirs if " {" in line] == [_place(line) for line in ours]


def _place(line: str) -> tuple[str, str, str, str]:
    key, moment, fields = line.split(" ", 2)
    said = json.loads(fields)
    return key, moment, said["offset"], said["length"]


ASK = """\
import io, json, sys
import surt
from pywb.warcserver.inputrequest import MethodQueryCanonicalizer
asked = json.load(sys.stdin)
query = lambda kind, body: MethodQueryCanonicalizer("POST", kind, len(body), io.BytesIO(body)).query
print(json.dumps([[surt.surt(url) for url in asked["urls"]],
    [query(kind, bytes.fromhex(body)) for kind, body in asked["posted"]]]))
"""
PIECES = """a B / / // . .. /../ /./ %20 %2f %2e %25 %C3%A9 é ~ - _ & = ? ; + %3f %23 %26 x=1 y ' | [ ] { ( ) , : @ ! * $
%zz % 1 10 9 sid=0123456789abcdef0123456789abcdef PHPSESSID=0123456789abcdef0123456789abcdeF cfid=1&cftoken=2 x.aspx
ASPSESSIONIDAQBSDSRT=EOHBLBDDPFCLHKPGGKLILNAM (4hqa0555fwsecu455xqckv45)/"""
HOSTS = """http://example.com https://www.Example.org:443 http://127.0.0.1:8763 http://www3.a.b-c.org:8080 http://u:p@h
https://[::1]:8443 http://1.2.3 http://localhost:80"""


def test_keys_and_posted_queries_are_those_that_pywb_computes(tools: Path) -> None:
    """Twenty thousand URLs put together of what has a meaning in them, always the same ones."""
    chance = random.Random(4711)
    made = (
        chance.choice(HOSTS.split())
        + chance.choice("///?")
        + "".join(chance.choices(PIECES.split(), k=chance.randrange(8)))
        for _ in range(20_000)
    )
    urls = [*KEYS, *made]
    posted = [
        (FORM, b"a=1&b=h%C3%A9+x&c"),
        ("application/json", b'{"a":[1,2.0,2.5,true,null,"x y"],"b":{"a":3,"c":{"d":"e"}}}'),
        ("text/plain", b"hello"),
        ("multipart/form-data; boundary=XX", PARTS),
        ("application/octet-stream", b"\x00\x01"),
    ]
    asked = json.dumps({"urls": urls, "posted": [(kind, body.hex()) for kind, body in posted]})
    done = subprocess.run(
        [tools / "python", "-c", ASK], input=asked, capture_output=True, text=True, timeout=120, check=True
    )
    keys, queries = json.loads(done.stdout)
    different = [(url, key, surt(url)) for url, key in zip(urls, keys, strict=True) if key != surt(url)]
    assert [] == different[:5]
    assert queries == [posted_query(body, kind) for kind, body in posted]

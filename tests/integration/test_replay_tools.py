"""Packages before the tools of others: what wacz and warcio find wrong, what pywb shows of them in a browser.

Some pages are drawn; every page of both sites by
`CRAWLKIT_REPLAY=all pytest -m slow tests/integration/test_replay_tools.py`.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
from crawlkit.testing import DemoSite, demo_site
from tests.archive.exchanges import NOW, exchange, page
from tests.archive.packages import HOME, is_page, packaged, site, warc
from tests.archive.test_posted import FORM, PARTS
from tests.archive.test_surt import KEYS
from tests.conftest import Command
from tests.integration.devtools import Chromium, Drawing
from tests.integration.replaying import (
    install_tools,
    replay_web_page,
    replayed_url,
    said_to_be_lost,
    seen_in_replay_web_page,
    serve_pywb,
    warcs_of,
)
from tests.integration.test_docs_crawl import walk
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
SHOP = ("/", "/books", "/books?page=7", "/account")
#: Pages that look otherwise in replay → what is missing there: doctools.js makes its address as it runs, of another one.
MADE_BY_SCRIPTS = {"py-modindex.html": "_static/plus.png"}

#: Which pages are drawn: ten of the documentation and some of the shop, or all of both, which takes a quarter of an hour.
ALL = os.environ.get("CRAWLKIT_REPLAY") == "all"


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of pywb, wacz and warcio."""
    return install_tools(tmp_path_factory.mktemp("tools") / "env")


@dataclass(frozen=True)
class Archived:
    """The packages that `crawlkit archive` made of two sites, and how pages of theirs looked when they were live."""

    docs: Path
    shop: Path
    #: URL → title and first heading, by who made the page.
    expected: dict[str, tuple[str, str]]
    live: dict[str, Drawing]

    @property
    def packages(self) -> list[Path]:
        return [self.docs, self.shop]


@pytest.fixture(scope="module")
def archived(docs_site: DocsSite, tmp_path_factory: pytest.TempPathFactory) -> Archived:
    """All of Python's documentation, and of the demo site for a member."""
    folder = tmp_path_factory.mktemp("archived")
    crawlkit = Command(folder)
    crawlkit("archive", docs_site.url, "-o", "docs.wacz", "--quiet")
    expected = documented(docs_site)
    with demo_site(port=0) as shop:
        (folder / "crawl.toml").write_text('[profiles.me]\nusername = "SHOP_USER"\npassword = "SHOP_PASSWORD"\n')
        words = ("--profile", "me", "--login", shop.url + "/login", "-o", "shop.wacz", "--quiet")
        member = {"SHOP_USER": shop.account.username, "SHOP_PASSWORD": shop.account.password}
        crawlkit("archive", shop.url + "/", *words, **member)
        expected |= sold(shop)
        with Chromium(folder) as chromium, chromium.tab(member_cookies(shop)) as tab:
            live = {url: tab.draw(url) for url in expected}
    return Archived(folder / "docs.wacz", folder / "shop.wacz", expected, live)


def documented(site: DocsSite) -> dict[str, tuple[str, str]]:
    """The documentation's pages, as a walk over its files finds them."""
    pages = walk(site.root, site.base)
    chosen = pages if ALL else [site.base + name for name in DOCS]
    return {url: (pages[url][0] or "", pages[url][1] or "") for url in chosen}


def sold(shop: DemoSite) -> dict[str, tuple[str, str]]:
    """The shop's pages for members."""
    pages = {"/": ("Welcome", "A bookshop for members"), "/account": ("Your account", "Your account")}
    pages |= {f"/books?page={number}": (f"Books, page {number}", "Books") for number in range(1, shop.pages + 1)}
    pages["/books"] = pages["/books?page=1"]
    pages |= {book.path: (book.title, book.title) for book in shop.books}
    chosen = pages if ALL else [*SHOP, shop.books[0].path]
    return {shop.url + path: (f"{pages[path][0]} – The Quiet Room", pages[path][1]) for path in chosen}


def member_cookies(shop: DemoSite) -> list[dict[str, str]]:
    """What the browser needs to be the member, too."""
    with Session() as session:
        login = session.get(shop.url + "/login")
        session.submit(login.form(), {"user": shop.account.username, "password": shop.account.password})
        return [{"name": each.name, "value": each.value or "", "url": shop.url} for each in session.cookies]


@pytest.fixture(scope="module")
def replayed(
    archived: Archived, tools: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], str]]:
    """Where pywb replays a URL of those packages."""
    with serve_pywb(tools, tmp_path_factory.mktemp("pywb") / "collections", *archived.packages) as address:
        yield address


def test_what_was_drawn_are_the_pages(archived: Archived) -> None:
    """The judge itself: no error page, no login, nothing blank. Whatever reads differently looks different."""
    assert {url: title for url, (title, _) in archived.expected.items()} == {
        url: " ".join(drawing.title.split()) for url, drawing in archived.live.items()
    }
    texts = {url: " ".join(drawing.text.split()) for url, drawing in archived.live.items()}
    assert [] == [url for url, (_, heading) in archived.expected.items() if heading not in texts[url]]
    assert len(set(texts.values())) == len({drawing.pieces for drawing in archived.live.values()})


def test_pywb_replays_every_page_as_it_was_live(
    archived: Archived, replayed: Callable[[str], str], docs_site: DocsSite, tmp_path: Path
) -> None:
    """Pixel by pixel, from top to bottom. No live server is asked for anything: the shop is down by now, nginx has a log,
    the browser knows where it sent requests. What is missing was missing live, or the package says so.
    """
    docs_site.forget()
    with Chromium(tmp_path) as chromium, chromium.tab() as tab:
        shown = {url: tab.draw(replayed(url)) for url in archived.live}
    different = {url: live.unlike(shown[url]) for url, live in archived.live.items() if live != shown[url]}
    base = docs_site.base
    lost = {base + page: base + file for page, file in MADE_BY_SCRIPTS.items() if base + page in shown}
    assert set(lost) == set(different), different
    assert not any("title" in words or "text" in words for words in different.values())
    assert {} == docs_site.asked()
    pywb = replayed("").partition("/site/")[0]
    assert [] == [where for each in shown.values() for where in each.answers if not where.startswith(pywb + "/")]
    # An icon at the root is asked for by the browser itself, once in a while, whatever the page says.
    missing = {
        replayed_url(where) or where
        for each in shown.values()
        for where in each.unanswered
        if not where.endswith("/favicon.ico")
    }
    live = set().union(*(each.unanswered for each in archived.live.values()))
    assert set() == missing - live - set(lost.values()) - set().union(*map(said_to_be_lost, archived.packages))


def test_pywb_has_every_capture_of_the_packages(archived: Archived, replayed: Callable[[str], str]) -> None:
    """Members' pages, redirects, requisites: with the body that was archived."""
    captures = 0
    for path in archived.packages:
        with ArchiveReader(path) as archive, Session() as session:
            for entry in archive.entries():
                captures += 1
                raw = replayed(entry.url).replace("/site/2999/", f"/site/{_moment(entry)}id_/")
                answer = session.get(raw, allow_redirects=False)
                assert entry.status == answer.status_code, entry.url
                if not answer.is_redirect:
                    assert b"".join(archive.extract(entry.url).pieces) == answer.content, entry.url
    assert 850 < captures


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
    archived: Archived, program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """Its own code in a browser, with an index of either form: the page is there with its style sheets and images."""
    path, url = archived.docs, next(iter(archived.live))
    if form == "blocks":
        monkeypatch.setattr(wacz, "PLAIN_LINES", 0)
        warcs = warcs_of(path, tmp_path / "warcs")
        path = package(tmp_path / "blocks.wacz", warcs, is_page=archived.live.__contains__, about=About("Blocks")).path
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


def test_wacz_and_warcio_find_nothing_wrong(archived: Archived, tools: Path, tmp_path: Path) -> None:
    small = packaged(tmp_path, completeness={"urls": []}).path
    for path in (*archived.packages, small):
        assert [] == verify_archive(path)
        done = subprocess.run([tools / "wacz", "validate", "-f", path], capture_output=True, text=True, timeout=120)
        assert (0, True) == (done.returncode, "Validation succeeded" in done.stdout), done.stdout + done.stderr
    warcs = [file for path in archived.packages for file in warcs_of(path, tmp_path / path.stem)]
    for file in [*warcs, *tmp_path.glob("*/*.warc.gz")]:
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

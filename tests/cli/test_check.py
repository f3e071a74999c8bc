"""`crawlkit check`: saved pages against what callbacks have to give, on the command line and in pytest."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from crawlkit.cli.entry import invoke
from crawlkit.testing import Case, DemoSite
from crawlkit.testing.comparing import differences
from tests.cli.small_site import SPIDER, Site

Write = Callable[..., Path]

NESTED = SPIDER.replace(
    'yield {"url"', 'more = self.session.get(response.urljoin("/b"))\n        yield {"more": more.text, "url"'
)


class Check(NamedTuple):
    """`crawlkit check` within this process: a process each would take most of the time."""

    folder: Path
    printed: pytest.CaptureFixture[str]

    def __call__(self, *words: object, exit_code: int = 0) -> tuple[str, str]:
        """Standard output and standard error."""
        self.printed.readouterr()
        assert exit_code == invoke(["check", *map(str, words)])
        found = self.printed.readouterr()
        return found.out, found.err


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Check:
    """The command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return Check(tmp_path, capsys)


@pytest.fixture
def saved(check: Check, write_spider: Write, site: Site) -> Path:
    """A spider with one case, of the site's first page; its folder."""
    write_spider(SPIDER)
    assert "saved spider.cases/start: 1 item, 2 requests\n" == check("spider.py", "--save", f"{site.url}/")[0]
    return check.folder / "spider.cases" / "start"


def test_a_saved_page_passes_without_a_network(check: Check, saved: Path, site: Site):
    """The same items and requests come out of it."""
    before = len(site.asked)
    out, _ = check("spider.py")
    assert "ok      spider.cases/start  parse: 1 item, 2 requests\n1 case passed\n" == out
    for path in (".", "spider.py::Pages", "spider.cases", "spider.cases/start"):
        assert "1 case passed" in check(path)[0]
    assert before == len(site.asked)
    assert ["case.json", "expected.json", "page.html"] == sorted(path.name for path in saved.iterdir())
    expected = json.loads((saved / "expected.json").read_text())
    assert [{"table": "items", "row": {"url": f"{site.url}/", "title": "Start"}}] == expected["items"]
    assert [{"url": f"{site.url}/a"}, {"url": f"{site.url}/b"}] == expected["requests"]


def test_a_difference_is_told_column_by_column(check: Check, write_spider: Write, saved: Path):
    """And accepted with --update."""
    write_spider(
        SPIDER.replace("::text", "::attr(x)").replace('follow_all("a")', 'follow_all("a", callback="parse_b")')
    )
    write_spider(Path(check.folder / "spider.py").read_text() + "    parse_b = None\n    def parse_b(self, r): pass\n")
    out, err = check("spider.py", exit_code=1)
    lines = [line.strip() for line in out.splitlines()]
    assert "FAILED  spider.cases/start  parse: 1 item, 2 requests" == lines[0]
    at = lines.index("got null")
    assert ['title  expected "Start"', "got null"] == lines[at - 1 : at + 1]
    assert 'got "parse_b"' in lines
    assert "1 of 1 case failed; --update accepts what they give now" in err
    told = json.loads(check("spider.py", "--json", exit_code=1)[0])
    assert (1, False) == (told["exit_code"], told["cases"][0]["passed"])
    assert {"expected": "Start", "actual": None} == told["cases"][0]["differences"][0]["columns"]["title"]
    assert "updated spider.cases/start" in check("spider.py", "--update")[0]
    assert "1 case passed" in check("spider.py")[0]


def test_a_callback_that_fails_names_its_line(check: Check, write_spider: Write, saved: Path):
    """--update accepts no error; what is there stays."""
    write_spider(SPIDER.replace('yield {"url"', '1 / 0; yield {"url"'))
    before = (saved / "expected.json").read_bytes()
    for options in ((), ("--update",)):
        out, _ = check("spider.py", *options, exit_code=1)
        assert "spider.py:12: parse() failed: ZeroDivisionError" in out
    assert before == (saved / "expected.json").read_bytes()


def test_a_page_behind_a_login_is_saved_without_secrets(check: Check, root: Path, shop: DemoSite):
    """As a member sees it, and nothing in the case tells how."""
    shutil.copy(root / "spiders" / "site.py", check.folder)
    book = shop.books[0]
    page = f"{shop.url}/books/{book.slug}"
    check("site.py", "--save", page, "--callback", "parse_book", "-a", f"base={shop.url}")
    folder = check.folder / "site.cases" / f"books-{book.slug}"
    case = Case.read(folder)
    assert case.run().passed
    assert book.isbn in {item["row"]["isbn"] for item in case.run().given.items}
    whole = "".join(path.read_text() for path in folder.iterdir())
    assert [] == [word for word in (shop.account.password, "Set-Cookie", "member=", "visit=") if word in whole]


def test_what_a_callback_asks_for_is_kept_with_the_page(check: Check, write_spider: Write, site: Site):
    """In a cassette; without it the request that is missing is named."""
    write_spider(NESTED)
    check("spider.py", "--save", f"{site.url}/a", "--name", "nested")
    before = len(site.asked)
    assert "1 case passed" in check("spider.py")[0]
    folder = check.folder / "spider.cases" / "nested"
    assert before == len(site.asked)
    (folder / "nested.yaml").unlink()
    out, _ = check("spider.py", exit_code=1)
    assert f"the callback asked for GET {site.url}/b, and a case without nested.yaml fetches nothing" in out


def test_meta_and_cb_kwargs_are_part_of_a_case(check: Check, write_spider: Write, site: Site):
    """The callback gets them again."""
    write_spider(
        SPIDER.replace('key = "url"', "")
        + "    def other(self, response, word):\n        yield {'word': word, 'n': response.meta['n'], 'b': b'\\x00'}\n"
    )
    options = ("--callback", "other", "--cb-kwargs", '{"word": "é"}', "--meta", '{"n": [1, true]}')
    check("spider.py", "--save", f"{site.url}/a?x=1", *options)
    [item] = json.loads((check.folder / "spider.cases" / "a-x-1" / "expected.json").read_text())["items"]
    assert {"word": "é", "n": [1, True], "b": {"base64": "AA=="}} == item["row"]
    assert "1 case passed" in check("spider.py")[0]


def test_wrong_words(check: Check, write_spider: Write, saved: Path, site: Site):
    """Each is told with what to do; a broken case by file and line."""
    for words, told in (
        (("nothing.py",), "no such file"),
        (("spider.py", "--callback", "x"), "--callback: for a case that is made with --save URL"),
        (("spider.py", "--save", "localhost"), "not an absolute URL"),
        (("spider.py", "--save", site.url, "--callback", "x"), "has no such method"),
        (("spider.py", "--save", site.url, "--meta", "[1]"), "write it as a JSON object"),
        (("spider.py", "--save", site.url, "--name", "../x"), "is no name of a folder"),
        (("spider.py", "--save", site.url, "--update"), "goes without --save"),
    ):
        assert told in check(*words, exit_code=2)[1]
    case = json.loads((saved / "case.json").read_text())
    for name in ("/etc/hostname", "../start/page.html", "a\\b", "", "..", 7):
        (saved / "case.json").write_text(json.dumps({**case, "body": name}))
        assert "is not the name of a file beside it" in check("spider.py", exit_code=2)[1]
    (saved / "case.json").write_text('{\n  "spider": 1\n')
    assert "spider.cases/start/case.json:3: is no JSON" in check("spider.py", exit_code=2)[1]
    shutil.rmtree(saved.parent)
    assert "make one: crawlkit check spider.py --save URL" in check("spider.py", exit_code=2)[1]


def test_pytest_finds_cases(check: Check, write_spider: Write, saved: Path):
    """As tests; a failing one shows what differs, and no traceback of ours. Others pay nothing for it."""
    passing = saved.with_name("passing")
    shutil.copytree(saved, passing)
    expected = saved / "expected.json"
    expected.write_text(expected.read_text().replace("Start", "Begin"))
    (check.folder / "test_lazy.py").write_text(
        "import sys\n"
        "assert not [n for n in sys.modules if n.startswith(('crawlkit.crawl', 'selectolax'))]\n"
        "def test_lazy(): pass\n"
    )
    options = ("-q", "-W", "error", "-p", "no:cacheprovider")
    words = [sys.executable, "-m", "pytest", *options, "test_lazy.py", "."]
    done = subprocess.run(words, cwd=check.folder, capture_output=True, text=True)
    assert (1, True) == (done.returncode, "1 failed, 2 passed" in done.stdout), done.stdout
    assert 'title  expected "Begin"' in done.stdout
    assert "Traceback" not in done.stdout


def test_order_does_not_count_and_doubles_do():
    """What is equal is taken away first."""
    one, two = {"table": "a", "row": {"x": 1}}, {"table": "a", "row": {"x": 2}}
    assert [] == differences("item", [one, two], [two, one])
    [found] = differences("item", [one], [one, one])
    assert ("unexpected", one) == (found.kind, found.entry)
    [found] = differences("item", [one, two], [two])
    assert ("missing", one) == (found.kind, found.entry)
    [found] = differences("item", [one], [{"table": "b", "row": {"x": 1}}])[:1]
    assert "missing" == found.kind

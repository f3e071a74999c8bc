"""From a URL and options to the job of archiving it."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawlkit.archive.site import Site
from crawlkit.archive.sitecontents import site_contents
from crawlkit.cli.archive_job import SiteOptions, job_of, name_of
from crawlkit.crawl.settings import Override
from crawlkit.exceptions import SpiderError, UsageError

NAMES = {
    "https://docs.example.org/": "docs.example.org",
    "https://docs.example.org/guide/": None,
    "http://127.0.0.1:8000/": None,
    "https://docs.example.org/Guide/": None,
    "https://docs.example.org/guide?x=1": None,
    "https://docs.example.org/" + "a/" * 80: None,
    "https://sessions/": None,
}


@pytest.mark.parametrize("url", NAMES)
def test_a_name_follows_from_the_url(url: str) -> None:
    """What cannot be a name as it is gets a mark, so that two URLs never share a database."""
    name = name_of(url)
    assert NAMES[url] in (None, name)
    assert len(name) < 80 and name != "sessions"
    assert name == name_of(url)


def test_two_urls_have_two_names() -> None:
    urls = [
        "https://a.example",
        "https://a/example",
        "https://a-example/",
        "https://a.example/b-c",
        "https://a.example/b/c",
        "https://a.example/B-c",
        "https://a.example:1/b-c",
    ]
    assert len(urls) == len(set(map(name_of, urls)))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_settings_of_crawl_toml_count_and_the_options_over_them(folder: Path) -> None:
    (folder / "crawl.toml").write_text('[archive]\nscope = "host"\n[crawl]\nmax_depth = 4\n')
    job = job_of("https://a.example/x/", SiteOptions())
    assert isinstance(job.spider, Site)
    assert ("host", 4) == (job.spider.reach.scope, job.spider.depth)
    job = job_of("https://a.example/x/", SiteOptions(scope="page", depth=1))
    assert isinstance(job.spider, Site)
    assert ("page", 1) == (job.spider.reach.scope, job.spider.depth)
    assert folder / "data" == job.database.parent


def test_of_a_spider_that_logs_in_its_login_and_its_guard_count_and_nothing_else(folder: Path) -> None:
    (folder / "member.py").write_text(
        "from crawlkit import Spider\n"
        "class Member(Spider):\n"
        "    profile = 'reader'\n"
        "    guard_deny = ['/x/no']\n"
        "    start_urls = ['https://other.example/']\n"
        "    def login(self, session): pass\n"
        "    def parse(self, response): raise RuntimeError\n"
    )
    job = job_of("https://a.example/x/", SiteOptions(login="member.py"))
    assert "reader" == job.spider.profile
    assert ["/x/no"] == list(job.spider.guard_deny)
    assert ["https://a.example/x/"] == list(job.spider.start_urls)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (SiteOptions(login="nobody.py"), "no such file"),
        (SiteOptions(login_arguments={"base": "x"}), "there is none"),
        (SiteOptions(scope="regex"), "--include REGEX"),
        (SiteOptions(output=Path("x.zip")), "end its name in"),
        (SiteOptions(overrides=[Override("archive.max_size", "big", "--max-size")]), "--max-size"),
    ],
)
def test_what_cannot_be_is_said(options: SiteOptions, said: str, folder: Path) -> None:
    with pytest.raises(UsageError, match=said):
        job_of("https://a.example/", options)
    assert not list(folder.iterdir())


def test_a_spider_without_a_login_is_none(folder: Path) -> None:
    (folder / "plain.py").write_text("from crawlkit import Spider\nclass Plain(Spider):\n    pass\n")
    with pytest.raises((UsageError, SpiderError), match=r"has no login\(\)"):
        job_of("https://a.example/", SiteOptions(login="plain.py"))


def test_a_password_in_the_url_is_in_no_name_and_no_note(folder: Path) -> None:
    job = job_of("https://user:hunter2@a.example/", SiteOptions())
    assert "a.example" == job.spider.name
    assert "hunter2" not in f"{job.spider.name} {job.source} {job.database}"


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/x?sid=Ab12Cd34Ef",
        "https://a.example/x;jsessionid=Ab12Cd34Ef",
        "https://a.example/x/Ab12Cd34EfGh56Ij78Kl/",
    ],
)
def test_no_token_of_a_url_is_in_the_name(url: str) -> None:
    """The name is told in the package, in lower case, where no search would find the token."""
    assert "ab12cd34ef" not in name_of(url)
    assert name_of(url).startswith("a.example-x-")


def test_no_token_of_a_url_is_in_what_an_archive_is_called(folder: Path) -> None:
    """Neither in the names of its files nor in its title."""
    job = job_of("https://a.example/x/Ab12Cd34EfGh56Ij78Kl/?sid=12Ab34Cd56Ef", SiteOptions())
    assert isinstance(job.spider, Site)
    assert "a.example/x" == site_contents(job.spider).title
    called = f"{job.spider.name} {job.database} {job.spider.profile}".lower()
    assert "ab12cd34" not in called and "12ab34cd" not in called

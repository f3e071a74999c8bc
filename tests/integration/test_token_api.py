"""Django REST framework with JSON web tokens that live a moment, and refresh tokens that are taken once."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.servers import DjangoSite, serve_tokens

SPIDER = """
from crawlkit import Item, Spider, TokenLogin

class Api(Spider):
    name = "api"
    base = "{base}"
    login = TokenLogin(base + "/api/token/", refresh_url=base + "/api/token/refresh/")
    start_urls = [base + "/api/authors/", base + "/api/books/"]
    custom_settings = {{"crawl": {{"workers": 12, "delay": 0.012}}}}  # five seconds at least: tokens live two

    def parse(self, response):
        listed = response.json()
        for each in listed["results"]:
            yield response.follow(f"{{each['id']}}/", self.parse_object)
        if listed["next"]:
            yield response.follow(listed["next"], self.parse)

    def parse_object(self, response):
        yield Item(response.url.split("/")[-3].removesuffix("s"), response.json(), key="id")
"""
CONFIG = """
[login]
env_file = "secrets.env"

[profiles.api]
username = "API_USER"
password = "API_PASSWORD"
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DjangoSite]:
    with serve_tokens(tmp_path_factory.mktemp("tokens"), lifetime_seconds=2) as site:
        yield site


@pytest.fixture
def spider(site, crawlkit, write_spider) -> Path:
    """The spider, its configuration, and the credentials where cron finds them."""
    (crawlkit.folder / "crawl.toml").write_text(CONFIG)
    secrets = crawlkit.folder / "secrets.env"
    secrets.write_text(f"export API_USER={site.username}\nAPI_PASSWORD='{site.password}'\n")
    secrets.chmod(0o600)
    site.forget()
    return write_spider(SPIDER.format(base=site.url), "api.py")


def objects(path: Path, author: str, book: str) -> tuple[list[tuple], list[tuple]]:
    """Both tables of a database, in the order of their ids."""
    with closing(sqlite3.connect(path, timeout=30)) as database:
        return (
            database.execute(f"SELECT id, name, born FROM {author} ORDER BY id").fetchall(),
            database.execute(f"SELECT id, title, isbn FROM {book} ORDER BY id").fetchall(),
        )


def asked(site: DjangoSite, path: str) -> list[str]:
    """The statuses of the posts to a path."""
    return [line.split()[1] for line in site.asked() if line.startswith("POST") and line.endswith(f" {path}")]


def blacklist(site: DjangoSite) -> None:
    """What an administrator does with a stolen session: no refresh token is taken any more."""
    with closing(sqlite3.connect(site.database, timeout=30)) as database, database:
        database.execute(
            "INSERT INTO token_blacklist_blacklistedtoken (token_id, blacklisted_at) "
            "SELECT id, CURRENT_TIMESTAMP FROM token_blacklist_outstandingtoken WHERE id NOT IN "
            "(SELECT token_id FROM token_blacklist_blacklistedtoken)"
        )


def everything_is_taken(site: DjangoSite, folder: Path) -> None:
    expected = objects(site.database, "library_author", "library_book")
    assert (200, 300) == (len(expected[0]), len(expected[1]))
    assert expected == objects(folder / "data/api.db", "author", "book")


@pytest.mark.slow
def test_every_object_is_taken_and_the_password_sent_once(crawlkit, site, spider) -> None:
    """Tokens that live two seconds are renewed by one of twelve workers; the next run needs no login either."""
    line = crawlkit.run(spider)
    assert ("finished", 0) == (line["outcome"], line["failed"])
    everything_is_taken(site, crawlkit.folder)
    renewals = asked(site, "/api/token/refresh/")
    assert ["200"] == asked(site, "/api/token/")
    assert renewals and {"200"} == set(renewals)

    site.forget()
    line = crawlkit.run(spider)
    assert ("finished", 0) == (line["outcome"], line["failed"])
    everything_is_taken(site, crawlkit.folder)
    assert [] == asked(site, "/api/token/")
    assert {"200"} == set(asked(site, "/api/token/refresh/"))


@pytest.mark.slow
def test_a_session_that_is_ended_costs_one_login(crawlkit, site, spider) -> None:
    """In the middle of the crawl no refresh token is taken any more: one thread asks in vain, one logs in."""
    ended = threading.Event()

    def end() -> None:
        while not ended.wait(0.02):
            if len(site.asked()) > 150:
                blacklist(site)
                ended.set()

    ending = threading.Thread(target=end)
    ending.start()
    try:
        line = crawlkit.run(spider)
    finally:
        ended.set()
        ending.join()
    assert ("finished", 0) == (line["outcome"], line["failed"])
    everything_is_taken(site, crawlkit.folder)
    assert ["200", "200"] == asked(site, "/api/token/")
    assert 1 == asked(site, "/api/token/refresh/").count("401")


@pytest.mark.slow
def test_a_wrong_password_is_posted_once(crawlkit, site, spider) -> None:
    (crawlkit.folder / "secrets.env").write_text("API_USER=admin\nAPI_PASSWORD=wr0ng-and-secret\n")
    done = crawlkit("run", spider, exit_code=3)
    assert ["401"] == asked(site, "/api/token/")
    assert "No active account found" in done.stderr
    assert "wr0ng-and-secret" not in done.stdout + done.stderr

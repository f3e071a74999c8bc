"""Django's own admin: log in through its CSRF form, take every object, and start the next run from the saved login."""

from __future__ import annotations

import sqlite3
import time

import pytest

SPIDER = """
from crawlkit import Item, Spider

class Admin(Spider):
    name = "admin"

    def start_requests(self):
        from crawlkit import Request
        for model in ("author", "book"):
            yield Request(f"{self.base}/admin/library/{model}/")

    def login(self, session):
        page = session.get(f"{self.base}/admin/login/?next=/admin/")
        account = {"username": self.credentials.username, "password": self.credentials.password}
        session.submit(page.form("#login-form"), account)

    def logged_in(self, response):
        return bool(response.css("#user-tools"))

    def parse(self, response):
        # Each link says from which list it comes (?_changelist_filters=...): the object is one page all the same.
        objects = response.css("#result_list tbody th a::attr(href)").getall()
        yield from response.follow_all([link.partition("?")[0] for link in objects], callback=self.parse_object)
        yield from response.follow_all(".paginator a:not(.showall)")

    def parse_object(self, response):
        table, key = response.url.split("/")[-4:-2]
        fields = response.css("#content-main form fieldset input")
        values = {field.attrib["name"]: field.attrib["value"] for field in fields}
        yield Item(table, {"id": int(key), **values}, key="id")
"""
CONFIG = """
[profiles.admin]
username = "ADMIN_NAME"
password = "ADMIN_PASSWORD"
"""


def objects(path, author: str, book: str) -> tuple[list[tuple], list[tuple]]:
    """Both tables of a database, in the order of their ids."""
    database = sqlite3.connect(path)
    try:
        return (
            database.execute(f"SELECT id, name, CAST(born AS TEXT) FROM {author} ORDER BY id").fetchall(),
            database.execute(f"SELECT id, title, isbn FROM {book} ORDER BY id").fetchall(),
        )
    finally:
        database.close()


#: The same in Django's markup, but for logged_in: the built-in signs decide, and the login is one line.
BY_SIGNS = SPIDER.replace("from crawlkit import Item, Spider", "from crawlkit import FormLogin, Item, Spider")
BY_SIGNS = BY_SIGNS[: BY_SIGNS.index("    def login")] + BY_SIGNS[BY_SIGNS.index("    def parse(") :]
BY_SIGNS += """
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.login = FormLogin(f"{self.base}/admin/login/?next=/admin/")
"""


def end_sessions(path) -> bool:
    """Delete the rows of Django's sessions; whether there was any."""
    database = sqlite3.connect(path, timeout=30)
    try:
        with database:
            return database.execute("DELETE FROM django_session").rowcount > 0
    finally:
        database.close()


@pytest.mark.slow
@pytest.mark.parametrize("text", [SPIDER, BY_SIGNS], ids=["logged_in", "signs"])
def test_sessions_that_end_in_mid_crawl_cost_a_login_each(crawlkit, django_site, write_spider, text):
    """Sixteen workers; the rows of the sessions are deleted six times: six logins more, and every object is there."""
    spider = write_spider(text, "admin.py")
    (crawlkit.folder / "crawl.toml").write_text(CONFIG)
    secrets = {"ADMIN_NAME": django_site.username, "ADMIN_PASSWORD": django_site.password}
    django_site.forget()
    ended = 0
    with crawlkit.start(
        "run", spider, "-a", f"base={django_site.url}", "--workers", "16", "--set", "crawl.delay=0", **secrets
    ) as process:
        for most in (60, 120, 180, 240, 300, 360):
            while sum(" 200 " in line for line in django_site.asked()) < most and process.poll() is None:
                time.sleep(0.01)
            ended += end_sessions(django_site.database)
        assert 0 == process.wait(60)
    expected = objects(django_site.database, "library_author", "library_book")
    assert expected == objects(crawlkit.folder / "data/admin.db", "author", "book")
    assert 6 == ended
    assert ended + 1 == sum(line.startswith("POST 302 /admin/login/") for line in django_site.asked())


@pytest.mark.slow
def test_admin_crawl_takes_every_object_and_logs_in_once(crawlkit, django_site, write_spider):
    """500 objects over ten pages of change lists; the second run sends no login request at all."""
    spider = write_spider(SPIDER, "admin.py")
    (crawlkit.folder / "crawl.toml").write_text(CONFIG)
    secrets = {"ADMIN_NAME": django_site.username, "ADMIN_PASSWORD": django_site.password}
    django_site.forget()

    line = crawlkit.run(spider, "-a", f"base={django_site.url}", **secrets)
    assert ("finished", 0) == (line["outcome"], line["failed"])
    expected = objects(django_site.database, "library_author", "library_book")
    assert (200, 300) == (len(expected[0]), len(expected[1]))
    assert expected == objects(crawlkit.folder / "data/admin.db", "author", "book")
    logins = [line for line in django_site.asked() if "/admin/login/" in line]
    assert 1 == sum(line.startswith("POST") for line in logins)

    django_site.forget()
    line = crawlkit.run(spider, "-a", f"base={django_site.url}", **secrets)
    assert ("finished", 0) == (line["outcome"], line["failed"])
    assert expected == objects(crawlkit.folder / "data/admin.db", "author", "book")
    asked = django_site.asked()
    assert 510 <= len(asked)
    assert [] == [line for line in asked if "/admin/login/" in line]


def test_the_form_is_found_without_being_named(django_site):
    """One line logs in; a wrong password is told in Django's own words."""
    from crawlkit import FormLogin, Session
    from crawlkit.exceptions import LoginError

    url = f"{django_site.url}/admin/login/?next=/admin/"
    with Session(login=FormLogin(url, django_site.username, django_site.password)) as session:
        assert session.get(f"{django_site.url}/admin/library/book/").css("#user-tools")
    with (
        Session(login=FormLogin(url, django_site.username, "wr0ng-and-secret")) as session,
        pytest.raises(LoginError, match=r"is shown again \(it says “Please enter the correct username and password"),
    ):
        session.get(f"{django_site.url}/admin/library/book/")


def test_wrong_password_ends_with_exit_code_3(crawlkit, django_site, write_spider):
    """One attempt, no object stored, and no password in what is printed."""
    spider = write_spider(SPIDER, "admin.py")
    (crawlkit.folder / "crawl.toml").write_text(CONFIG)
    django_site.forget()
    secrets = {"ADMIN_NAME": "admin", "ADMIN_PASSWORD": "wr0ng-and-secret"}
    done = crawlkit("run", spider, "-a", f"base={django_site.url}", exit_code=3, **secrets)
    assert 1 == sum(line.startswith("POST") for line in django_site.asked())
    assert "wr0ng-and-secret" not in done.stdout + done.stderr

"""diff: what changed between two complete runs, on a terminal, as a page, as JSON, as a message."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from crawlkit.cli.diff import excerpts
from crawlkit.cli.diff_page import page_of
from crawlkit.store.changes import Change, Changes
from crawlkit.store.comparison import Comparison, compare
from crawlkit.store.crawls import Crawl
from crawlkit.testing import HostileServer
from crawlkit.testing.hostile import answer
from tests.conftest import Command
from tests.store.desk import Desk, Ended, row

Write = Callable[..., Path]


@pytest.fixture
def changed(crawlkit: Command) -> Command:
    """A folder with the database of the spider `shop`: one item changed, one is new, one is gone."""
    desk = Desk(crawlkit.folder / "data" / "shop.db")
    desk.crawl(
        "a", *(row(key=("url",), url=url, title=title, price=1) for url, title in (("u1", "One"), ("u2", "Two")))
    )
    desk.next_run()
    desk.crawl(
        "a", row(key=("url",), url="u1", title="One", price=2), row(key=("url",), url="u3", title="<b>\x1b[2J", price=3)
    )
    desk.store.end_run(Ended())
    desk.store.close()
    return crawlkit


def test_the_table(changed: Command) -> None:
    """A line for each row that is new or gone, one for each column that changed."""
    lines = changed("diff", "shop").stdout.splitlines()

    assert "1 item new, 1 changed, 1 gone" in lines[0]
    assert [["+", "items", "u3"], ["-", "items", "u2"], ["~", "items", "u1", "price", "1", "2"]] == [
        line.split() for line in lines[2:]
    ]


def test_one_object_with_three_lists(changed: Command) -> None:
    told = json.loads(changed("diff", "--db", "data/shop.db", "1", "2", "--json").stdout)

    assert (1, 2, 0) == (told["from"]["run"], told["to"]["run"], told["exit_code"])
    assert ["u3"] == [each["row"]["url"] for each in told["added"]]
    assert ["u2"] == [each["row"]["url"] for each in told["gone"]]
    [entry] = told["changed"]
    assert {"price": {"old": 1, "new": 2}} == entry["columns"]
    assert ({"url": "u1"}, "https://site.example/a") == (entry["key"], entry["page"])


def test_the_page_runs_nothing_and_shows_all(changed: Command) -> None:
    """What a site wrote is text in it, whatever it looks like."""
    changed("diff", "shop", "--html", "changes.html")
    page = (changed.folder / "changes.html").read_text()

    assert "<b>" not in page and "&lt;b&gt;\\x1b[2J" in page
    assert "<del>1</del> → <ins>2</ins>" in page
    assert "default-src 'none'".replace("'", "&#x27;") in page
    assert "<script" not in page and " style=" not in page
    assert "database" in changed("diff", "shop", "--html", "data/shop.db", exit_code=2).stderr
    assert "is a folder" in changed("diff", "shop", "--html", "data", exit_code=2).stderr


def test_a_page_of_very_much() -> None:
    """Long values are cut, an address that is none of the web's is no link."""
    crawl = Crawl(1, (1,), 0.0, 0.0)
    change = Change(
        "t", "javascript:alert(1)", {"text": "x" * 5_000, "none": None}, columns={"text": ("é", "x" * 5_000)}
    )
    page = page_of(Comparison("shop", crawl, crawl, Changes([change], [change], [])))

    assert "javascript:" in page and 'href="javascript' not in page
    assert "x" * 601 not in page


def test_of_long_texts_the_place_is_shown_where_they_differ(crawlkit: Command) -> None:
    """On the terminal and on the page: two beginnings that are alike show nothing."""
    desk = Desk(crawlkit.folder / "data" / "shop.db")
    for word in ("before", "after"):
        desk.crawl("a", row(text=f"{'same ' * 500}{word}{' tail' * 500}"))
        desk.next_run()
    desk.store.close()

    done = crawlkit("diff", "shop", "--html", "a.html")
    assert "" == done.stdout
    table = crawlkit("diff", "shop").stdout
    for told in (table, (crawlkit.folder / "a.html").read_text()):
        assert "same before tail" in told and "same after tail" in told
    assert max(map(len, table.splitlines())) < 200
    assert ("ab", "ac") == excerpts("ab", "ac", 2)
    assert ("…7", "…78") == excerpts("01234567", "012345678", 5)


def test_a_command_gets_the_json_on_its_standard_input(changed: Command) -> None:
    (changed.folder / "hook.sh").write_text("#!/bin/sh\ncat > told.json\n")
    (changed.folder / "hook.sh").chmod(0o755)

    line = json.loads(changed("diff", "shop", "--notify", "./hook.sh --to 'two words'", "--json").stdout)

    told = json.loads((changed.folder / "told.json").read_text())
    assert line == told | {"notified": True}


def test_a_webhook_gets_a_post(changed: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its address may be a secret, and then comes from a variable."""
    with HostileServer() as server:
        server.play("/hook-s3cret", [answer("204 No Content", b"")])
        monkeypatch.setenv("HOOK", server.url("/hook-s3cret"))

        done = changed("diff", "shop", "--notify", "env:HOOK", "--json")

        [request] = server.requests
    assert ("POST", True) == (request.method, json.loads(done.stdout)["notified"])
    assert ["u3"] == [each["row"]["url"] for each in json.loads(request.body)["added"]]


@pytest.mark.parametrize(
    ("status", "said"), [("500 Oh", "answered 500"), ("302 Found", "answered 302"), ("", "could not be told")]
)
def test_a_webhook_that_fails_is_told_and_changes_nothing(changed: Command, status: str, said: str) -> None:
    """A redirect is not followed; the secret path is not repeated."""
    with HostileServer() as server:
        server.play("/s3cret", [answer(status, b"", [("Location", "/other")])] if status else [])
        url = server.url("/s3cret")
        if not status:
            server.close()
        done = changed("diff", "shop", "--notify", url, "--json")
    assert said in done.stderr and "s3cret" not in done.stderr
    assert (False, 0) == (json.loads(done.stdout)["notified"], json.loads(done.stdout)["exit_code"])


@pytest.mark.parametrize(
    ("command", "said"), [("false", "ended with exit code 1"), ("./no-such-command", "could not be started")]
)
def test_a_command_that_fails_is_told(changed: Command, command: str, said: str) -> None:
    assert said in changed("diff", "shop", "--notify", command).stderr


def test_bad_input(changed: Command) -> None:
    for words, said in (
        (("shop", "9"), "there is no run 9; there are 1, 2"),
        (("shop", "1"), "no complete run before run 1"),
        (("shop", "one"), "one: a run is named by its number"),
        (("shop", "1", "2", "3"), "2 runs at most"),
        (("shop", "--notify", "env:NO_SUCH_HOOK"), "NO_SUCH_HOOK is not set"),
        (("shop", "--notify", "'"), "close its quotes"),
        (("shop", "--notify", ""), "name a command"),
        (("shop", "--notify", "ftp://hook"), "ftp:// is no webhook"),
    ):
        assert said in changed("diff", *words, exit_code=2).stderr


def test_nobody_is_told_of_nothing(crawlkit: Command) -> None:
    desk = Desk(crawlkit.folder / "data" / "shop.db")
    for _ in range(2):
        desk.crawl("a", row(name="x"))
        desk.next_run()
    desk.store.close()

    done = crawlkit("diff", "shop", "--notify", "touch told", "--html", "a.html", "--json")

    assert "notified" not in json.loads(done.stdout)
    assert not (crawlkit.folder / "told").exists()
    assert "Nothing changed" in (crawlkit.folder / "a.html").read_text()
    assert not compare(crawlkit.folder / "data" / "shop.db").changes

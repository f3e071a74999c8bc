"""fetch, shell and parse: one page, looked at, nothing stored."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from crawlkit.testing import DemoSite
from crawlkit.testing.hostile import answer
from tests.cli.small_site import PAGES, SPIDER, Site
from tests.conftest import Command

Write = Callable[..., Path]


def test_fetch_writes_the_body(crawlkit: Command, site: Site) -> None:
    """Byte by byte, and nothing else."""
    done = crawlkit("fetch", f"{site.url}/")
    assert (PAGES["/"], "") == (done.stdout, done.stderr)
    assert [] == list(crawlkit.folder.iterdir())


def test_fetch_shows_heads_without_credentials(crawlkit: Command, site: Site) -> None:
    """Every hop; which cookies there are, not what is in them; no escape sequence."""
    site.server.play(
        "/jump",
        [answer("302 Found", headers=[("Location", "/a"), ("Set-Cookie", "sid=s3cret; Path=/; HttpOnly"),
                                      ("X-Odd", "a\x1b[2Jb")])],
    )  # fmt: skip
    done = crawlkit("fetch", f"{site.url}/jump", "--headers", "-H", "Authorization: Bearer s3cret", "-H", "X-Mine: 1")
    assert "> GET /jump" in done.stdout
    assert "< 302 Found" in done.stdout
    assert "> GET /a" in done.stdout
    assert "< 200 OK" in done.stdout
    assert "> Authorization: Bearer [redacted]" in done.stdout
    assert "> Cookie: sid=[redacted]" in done.stdout
    assert "< Set-Cookie: sid=[redacted]; Path=/; HttpOnly" in done.stdout
    assert "> X-Mine: 1" in done.stdout
    assert "s3cret" not in done.stdout
    assert "\x1b" not in done.stdout.partition("<title>")[0]


def test_fetch_shows_what_is_no_change(crawlkit: Command, site: Site) -> None:
    """With the rule that says so, one passage a line, without escape sequences; settings count."""
    page = b'<p>Visitors: 7</p><script nonce="abcdefgh"></script><!-- served by \x1b[31m3 -->'
    site.server.play("/volatile", [answer(body=page)])
    done = crawlkit("fetch", f"{site.url}/volatile", "--ignored", "--set", r"crawl.ignore=['Visitors: (\d)']")

    assert ["ignore     7", "nonce      abcdefgh", r"comment     served by \x1b[31m3 "] == done.stdout.splitlines()


def test_fetch_of_an_error_is_exit_code_1(crawlkit: Command, site: Site) -> None:
    """The body is there all the same."""
    done = crawlkit("fetch", f"{site.url}/failing", exit_code=1)
    assert "oh" == done.stdout
    assert f"crawlkit: error: {site.url}/failing answered 500 Internal Server Error\n" == done.stderr


def test_fetch_of_a_host_that_refuses(crawlkit: Command, site: Site) -> None:
    """One line that names the URL."""
    url = site.server.refused_url()
    done = crawlkit("fetch", url, exit_code=1)
    assert 1 == done.stderr.count("\n")
    assert "127.0.0.1" in done.stderr


def test_fetch_with_a_profile_keeps_cookies(crawlkit: Command, site: Site) -> None:
    """For the next command that names it."""
    site.server.play("/set", [answer("200 OK", headers=[("Set-Cookie", "sid=1; Path=/")])])
    crawlkit("fetch", f"{site.url}/set", "--profile", "me")
    crawlkit("fetch", f"{site.url}/a", "--profile", "me")
    crawlkit("fetch", f"{site.url}/b")
    cookies = {request.target: request.header("Cookie") for request in site.server.requests}
    assert {"/set": None, "/a": "sid=1", "/b": None} == cookies


def test_shell_runs_code(crawlkit: Command, site: Site) -> None:
    """`response`, `session` and `fetch`, which makes its page the new response."""
    code = (
        "print(response.css('title::text').get()); fetch(response.urljoin('/b')); "
        "print(response.css('title::text').get(), session.get(response.url).status_code, Request, Selector)"
    )
    lines = crawlkit("shell", f"{site.url}/", "-c", code).stdout.splitlines()
    assert "Start" == lines[0]
    assert lines[1].startswith("B 200 ")


def test_shell_code_that_raises_shows_its_traceback(crawlkit: Command, site: Site) -> None:
    """The user's own lines only, and exit code 1: it is no error of crawlkit."""
    done = crawlkit("shell", f"{site.url}/", "-c", "print('before'); 1 / 0", exit_code=1)
    assert "before\n" == done.stdout
    lines = done.stderr.splitlines()
    assert ["Traceback (most recent call last):", '  File "<-c>", line 1, in <module>'] == lines[:2]
    assert "ZeroDivisionError: division by zero" == lines[-1]
    assert "crawlkit" not in done.stderr
    assert "SyntaxError" in crawlkit("shell", f"{site.url}/", "-c", "1 +", exit_code=1).stderr


def test_fetch_in_the_shell_starts_at_the_page(crawlkit: Command, site: Site) -> None:
    """A path is joined with the response's URL."""
    done = crawlkit("shell", f"{site.url}/a", "-c", "print(fetch('/b').url); print(fetch('a').url, response.url)")
    assert f"{site.url}/b\n{site.url}/a {site.url}/a\n" == done.stdout


def test_fetch_on_a_terminal_ends_the_line(crawlkit: Command, site: Site) -> None:
    """So that the prompt is not behind the body; a newline that is there is enough."""
    site.server.play("/line", [answer("200 OK", b"line\n")])
    for path, shown in (("/b", PAGES["/b"] + "\r\n"), ("/line", "line\r\n")):
        leader, follower = pty.openpty()
        process = subprocess.Popen(
            crawlkit.words("fetch", f"{site.url}{path}"),
            cwd=crawlkit.folder,
            env=crawlkit.environment(TERM="xterm"),
            stdout=follower,
        )
        os.close(follower)
        assert 0 == process.wait(60)
        assert shown == os.read(leader, 4096).decode()
        os.close(leader)


def test_shell_reads_standard_input(crawlkit: Command, site: Site) -> None:
    """Piped code is run, with the names told in the banner."""
    done = subprocess.run(
        crawlkit.words("shell", f"{site.url}/"),
        cwd=crawlkit.folder,
        env=crawlkit.environment(),
        input="print('title:', response.css('title::text').get())\n",
        capture_output=True,
        text=True,
    )
    assert 0 == done.returncode
    assert "title: Start" in done.stdout
    assert "fetch(url)" in done.stderr + done.stdout


def test_shell_with_a_spider_has_it_at_hand(crawlkit: Command, write_spider: Write, site: Site) -> None:
    """To try a callback."""
    write_spider(SPIDER)
    done = crawlkit("shell", f"{site.url}/", "--spider", "spider.py", "-c", "print(len(list(spider.parse(response))))")
    assert "3\n" == done.stdout


def test_parse_shows_items_and_requests(crawlkit: Command, write_spider: Write, site: Site) -> None:
    """And stores nothing."""
    write_spider(SPIDER)
    done = crawlkit("parse", "spider.py", f"{site.url}/")
    lines = done.stdout.splitlines()
    assert {"table": "items", "url": f"{site.url}/", "title": "Start"} == json.loads(lines[0])
    assert [f"-> GET {site.url}/a", f"-> GET {site.url}/b"] == lines[1:]
    assert f"{site.url}/: 1 item, 2 requests" in done.stderr
    assert not (crawlkit.folder / "data" / "pages.db").exists()


def test_parse_names_callbacks_and_escapes(crawlkit: Command, write_spider: Write, site: Site) -> None:
    """--callback calls another method; what a page says is no command to the terminal."""
    write_spider(
        SPIDER.replace('key = "url"', "") + "    def other(self, response):\n"
        "        yield {'title': response.css('title::text').get() + '\\x9b'}\n"
        "        yield response.follow('/b', callback=self.other)\n"
    )
    done = crawlkit("parse", "spider.py", f"{site.url}/a", "--callback", "other")
    assert f"-> GET {site.url}/b callback=other" in done.stdout
    assert "\x1b" not in done.stdout
    assert "\x9b" not in done.stdout
    assert "has no such method" in crawlkit("parse", "spider.py", site.url, "--callback", "x", exit_code=2).stderr


def test_parse_of_a_callback_that_raises_names_its_line(crawlkit: Command, write_spider: Write, site: Site) -> None:
    """With the URL."""
    write_spider(SPIDER.replace('yield {"url"', '1 / 0; yield {"url"'))
    done = crawlkit("parse", "spider.py", f"{site.url}/a", exit_code=2)
    assert f"spider.py:12: parse() failed on {site.url}/a: ZeroDivisionError" in done.stderr


def test_parse_logs_in_where_it_must(crawlkit: Command, root: Path, shop: DemoSite) -> None:
    """A page for members is parsed as a member sees it."""
    shutil.copy(root / "spiders" / "site.py", crawlkit.folder)
    done = crawlkit("parse", "site.py", f"{shop.url}/books", "-a", f"base={shop.url}")
    assert "callback=parse_book" in done.stdout
    assert 1 == shop.log.count(method="POST")
